"""The template under several sets of parameters: what is created, and that it agrees with the code."""

import json
import re

import pytest

import template
from resolved import CALLED, FUNCTIONS, listed, resolved, resources, statements
from sets import CONTRADICTIONS, MALFORMED, of


# --------------------------------------------------------------------------------------------- the whole template
def lint(document, file):
    file.write_text(json.dumps(document, default=str))
    return template.lint(file)


def test_the_resolved_template_lints_clean_without_dangling_references(name, tmp_path):
    assert template.invalid(of(name)) == set()
    assert template.broken_rules(of(name)) == []
    assert template.dangling(resolved(name)) == set()
    assert lint(resolved(name), tmp_path / "resolved.json") == ""


def test_the_transformed_template_lints_clean(tmp_path):
    assert lint(template.transform(of("default")), tmp_path / "transformed.json") == ""


def test_mistakes_that_sam_does_not_detect_are_detected(tmp_path):
    broken = json.loads(json.dumps(resolved("default"), default=str))
    del broken["Resources"]["ResetLogs"]
    assert template.dangling(broken) == {"ResetLogs"}
    misspelt = json.loads(json.dumps(resolved("default"), default=str))
    role = misspelt["Resources"]["ResetRole"]["Properties"]
    role["Policies"][1]["PolicyDocument"]["Statement"][0]["Action"] = "dynamodb:PutItme"
    assert "putitme" in lint(misspelt, tmp_path / "misspelt.json").lower()


@pytest.mark.parametrize(("message", "given"), CONTRADICTIONS, ids=lambda x: "-".join(x) if isinstance(x, dict) else None)
def test_contradictory_parameters_are_rejected_by_a_rule(message, given):
    values = template.parameters(**given)
    assert template.invalid(values) == set(), "the rule must reject them, not a pattern"
    assert any(message in text for text in template.broken_rules(values))


def test_every_rule_has_a_contradiction():
    messages = {text for _, given in CONTRADICTIONS for text in template.broken_rules(template.parameters(**given))}
    rules = template.source()["Rules"].values()
    assert messages == {a["AssertDescription"] for rule in rules for a in rule["Assertions"]}


@pytest.mark.parametrize("parameter", MALFORMED)
def test_malformed_parameters_are_rejected(parameter):
    for value in MALFORMED[parameter]:
        assert template.invalid(template.parameters(**{parameter: value})) == {parameter}, value


def test_every_parameter_is_described_constrained_and_grouped():
    source = template.source()
    groups = source["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert [p for group in groups for p in group["Parameters"]] == list(source["Parameters"])
    for parameter, declared in source["Parameters"].items():
        assert declared["Description"].endswith("."), parameter
        bounded = {"AllowedPattern", "AllowedValues", "MinValue"} & declared.keys()
        assert bounded, parameter
        assert "AllowedPattern" not in declared or "ConstraintDescription" in declared, parameter
    assert [p for p, declared in source["Parameters"].items() if "Default" not in declared] == ["MailFrom"]


# ---------------------------------------------------------------------------------------------------------- tables
def test_the_tokens_table_has_a_ttl(name):
    tokens = resources(name, "AWS::DynamoDB::Table")["TokensTable"]
    assert tokens["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert tokens["KeySchema"] == [{"AttributeName": "pk", "KeyType": "HASH"}]
    assert tokens["BillingMode"] == "PAY_PER_REQUEST"
    assert tokens["SSESpecification"]["SSEEnabled"] is True


def test_only_the_mail_function_and_the_pipe_read_the_stream(name):
    tables = resources(name, "AWS::DynamoDB::Table")
    assert tables["TokensTable"]["StreamSpecification"] == {"StreamViewType": "NEW_IMAGE"}
    assert not [table for logical, table in tables.items() if logical != "TokensTable" and "StreamSpecification" in table]
    stream = {"Fn::GetAtt": ["TokensTable", "StreamArn"]}
    readers = [m["EventSourceArn"] for m in resources(name, "AWS::Lambda::EventSourceMapping").values()]
    readers += [pipe["Source"] for pipe in resources(name, "AWS::Pipes::Pipe").values()]
    assert readers == [stream] * (2 if of(name)["PublishPasswordResets"] == "true" else 1)


def test_rekeys_own_accounts_table_is_retained_protected_and_backed_up():
    table = resolved("default")["Resources"]["AccountsTable"]
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Retain", "Retain")
    properties = table["Properties"]
    assert properties["DeletionProtectionEnabled"] is True
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert properties["SSESpecification"] == {"SSEEnabled": True}


def test_retained_resources_do_not_block_a_second_deployment(name):
    kept = {n: r for n, r in resolved(name)["Resources"].items() if "Retain" in r.get("DeletionPolicy", "")}
    assert kept.keys() <= {"AccountsTable", "MailIdentityResource", "MailRecords"}
    # A retained resource with an explicit name would collide with a second deployment.
    assert not [n for n, r in kept.items() if {"TableName", "FunctionName"} & r["Properties"].keys()]


def test_names_stay_below_limits_that_stack_names_exceed(name):
    (settings,) = resources(name, "AWS::AppConfig::Application").values()
    assert settings["Name"] == "rekey-d3b07384-d113-4956-a5cc-19b3f3ff8b4e"
    for topic in resources(name, "AWS::SNS::Topic").values():
        assert isinstance(topic["DisplayName"], str) and len(topic["DisplayName"]) <= 100


def test_with_the_operators_table_no_accounts_table_is_created(name):
    tables = resources(name, "AWS::DynamoDB::Table").keys()
    assert tables == ({"TokensTable"} if of(name)["AccountsTableName"] else {"TokensTable", "AccountsTable"})


def test_policies_and_variables_follow_the_operators_table():
    name = "own table, encrypted, events on an existing bus"
    table = f"arn:aws:dynamodb:{template.REGION}:{template.ACCOUNT}:table/users"
    by_action = {s["Action"]: s for s in statements(name, "Validate", "accounts")}
    assert by_action.keys() == {"dynamodb:GetItem", "kms:Decrypt"}
    assert by_action["dynamodb:GetItem"]["Resource"] == table
    by_action = {s["Action"]: s for s in statements(name, "Mail", "accounts")}
    assert by_action.keys() == {"dynamodb:GetItem", "dynamodb:Query", "kms:Decrypt"}
    assert by_action["dynamodb:GetItem"]["Resource"] == table
    assert by_action["dynamodb:Query"]["Resource"] == f"{table}/index/by-email"
    by_action = {s["Action"]: s for s in statements(name, "Complete", "accounts")}
    assert by_action.keys() == {"dynamodb:GetItem", "dynamodb:UpdateItem", "kms:Decrypt"}
    assert by_action["dynamodb:UpdateItem"]["Resource"] == table
    attributes = by_action["dynamodb:UpdateItem"]["Condition"]["ForAllValues:StringEquals"]["dynamodb:Attributes"]
    assert attributes == ["user_id", "email", "pw", "pw_at"]
    # No emulator sets kms:ViaService, so check the condition as written.
    for role in ("Validate", "Complete", "Mail"):
        decrypt = next(s for s in statements(name, role, "accounts") if s["Action"] == "kms:Decrypt")
        assert decrypt["Resource"] == of(name)["AccountsKmsKeyArn"]
        assert decrypt["Condition"] == {"StringEquals": {"kms:ViaService": "dynamodb.eu-west-1.amazonaws.com"}}
    for function in resources(name, "AWS::Lambda::Function").values():
        variables = function["Environment"]["Variables"]
        found = {key: value for key, value in variables.items() if key.startswith("ACCOUNTS_")}
        assert found == {
            "ACCOUNTS_TABLE": "users",
            "ACCOUNTS_KEY": "user_id",
            "ACCOUNTS_EMAIL": "email",
            "ACCOUNTS_EMAIL_INDEX": "by-email",
            "ACCOUNTS_PASSWORD_HASH": "pw",
            "ACCOUNTS_PASSWORD_CHANGED_AT": "pw_at",
            "ACCOUNTS_LOCALE": "locale",
            "ACCOUNTS_REQUIRED_ATTRIBUTE": "",
        }


# ------------------------------------------------------------------------------------------------------- functions
def test_the_functions_have_the_expected_configuration(name):
    functions = resources(name, "AWS::Lambda::Function")
    assert functions.keys() == {f"{f}Function" for f in FUNCTIONS}
    for logical, function in functions.items():
        stem = logical.removesuffix("Function")
        assert function["Runtime"] == "provided.al2023"
        assert function["Architectures"] == [of(name)["Architecture"]]
        # API Gateway times out after 30 s. No caller waits for the mail function.
        assert function["Timeout"] == 60 if stem == "Mail" else 20 < function["Timeout"] < 30
        assert function["TracingConfig"] == {"Mode": "Active"}
        assert function["LoggingConfig"]["LogFormat"] == "JSON"
        assert function["LoggingConfig"]["LogGroup"] == {"Ref": f"{stem}Logs"}
        assert function["Role"] == {"Fn::GetAtt": [f"{stem}Role", "Arn"]}
        assert "VpcConfig" not in function
        aliases = resources(name, "AWS::Lambda::Alias")
        assert aliases[f"{logical}Aliaslive"]["Name"] == "live"
    reserved = of(name)["CompleteConcurrency"]
    assert functions["CompleteFunction"].get("ReservedConcurrentExecutions") == (None if reserved == "0" else reserved)


def test_kms_key_arn_encrypts_all_resources_and_the_roles_may_use_it():
    name = "rules of the account"
    key = of(name)["KmsKeyArn"]
    found = {
        "AWS::DynamoDB::Table": lambda p: p["SSESpecification"]["KMSMasterKeyId"],
        "AWS::SQS::Queue": lambda p: p["KmsMasterKeyId"],
        "AWS::Logs::LogGroup": lambda p: p["KmsKeyId"],
        "AWS::SNS::Topic": lambda p: p["KmsMasterKeyId"],
    }
    for kind, of_resource in found.items():
        assert {of_resource(properties) for properties in resources(name, kind).values()} == {key}
    # No emulator checks these.
    for role in (*FUNCTIONS, "PasswordResets"):
        via = {
            (s["Condition"]["StringEquals"]["kms:ViaService"], *listed(s["Action"]))
            for s in statements(name, role)
            if s["Resource"] == key
        }
        sends = {("sqs.eu-west-1.amazonaws.com", "kms:Decrypt", "kms:GenerateDataKey")} if role in ("Mail", "PasswordResets") else set()
        assert via == {("dynamodb.eu-west-1.amazonaws.com", "kms:Decrypt")} | sends
    assert "kms" not in json.dumps(resources("default", "AWS::IAM::Role"))


def test_every_role_has_the_path_and_the_permissions_boundary(name):
    roles = resources(name, "AWS::IAM::Role")
    assert roles.keys() >= {"DeploymentRole", *[f"{function}Role" for function in FUNCTIONS]}
    for role in roles.values():
        assert role["Path"] == of(name)["RolePath"]
        assert role.get("PermissionsBoundary", "") == of(name)["PermissionsBoundaryArn"]


def test_arm64_is_the_default_and_hashes_fit_into_memory():
    defaults = template.parameters()
    assert defaults["Architecture"] == "arm64"
    assert int(defaults["CompleteMemory"]) * 1024 > int(defaults["Argon2MemoryKib"]) + 100 * 1024
    # The largest allowed hash fits into the smallest allowed memory.
    declared = template.source()["Parameters"]
    least = int(declared["CompleteMemory"]["MinValue"]) * 1024
    assert least > int(declared["Argon2MemoryKib"]["MaxValue"]) + 100 * 1024


def test_deployments_shift_traffic_and_roll_back_on_the_versions_alarm(name):
    groups = resources(name, "AWS::CodeDeploy::DeploymentGroup")
    for stem in FUNCTIONS:
        group = groups[f"{stem}FunctionDeploymentGroup"]
        assert group["ServiceRoleArn"] == {"Fn::GetAtt": ["DeploymentRole", "Arn"]}
        # Only the version's alarm: another alarm may be in ALARM for an error that the deployment fixes.
        assert group["AlarmConfiguration"] == {"Enabled": True, "Alarms": [{"Name": {"Ref": f"{stem}VersionAlarm"}}]}
        alarm = resources(name, "AWS::CloudWatch::Alarm")[f"{stem}VersionAlarm"]
        watched = [m["MetricStat"]["Metric"]["Dimensions"] for m in alarm["Metrics"] if "MetricStat" in m]
        crashes, failures = ({d["Name"]: d["Value"] for d in dimensions} for dimensions in watched)
        (version,) = [v for v in resources(name, "AWS::Lambda::Version") if v.startswith(f"{stem}Function")]
        assert crashes["ExecutedVersion"] == failures["Version"] == {"Fn::GetAtt": [version, "Version"]}
        assert crashes["Resource"] == {"Fn::Sub": f"${{{stem}Function}}:live"}
        assert failures["Function"] == stem.lower()
        # Each version has its own alarm: one that changed its dimensions would stay in ALARM.
        assert alarm["AlarmName"] == {"Fn::Sub": [f"{template.STACK}-{stem.lower()}-version-${{Version}}", {"Version": failures["Version"]}]}
        # A version that stayed after a rollback would block the next deployment of the same code.
        assert resolved(name)["Resources"][version]["DeletionPolicy"] == "Delete"
        alias = resources(name, "AWS::Lambda::Alias")[f"{stem}FunctionAliaslive"]
        assert alias["FunctionVersion"] == failures["Version"]
        assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
        assert group["DeploymentConfigName"] == f"CodeDeployDefault.Lambda{of(name)['DeploymentStrategy']}"


def test_logs_have_the_requested_retention(name):
    groups = resources(name, "AWS::Logs::LogGroup")
    assert groups.keys() == {"ApiLogs", *[f"{function}Logs" for function in FUNCTIONS]}
    assert {str(group["RetentionInDays"]) for group in groups.values()} == {of(name)["LogRetentionDays"]}


def test_a_new_version_is_published_exactly_when_a_setting_changes():
    source = template.source()
    content = source["Resources"]["SettingsVersion"]["Properties"]["Content"]
    separator, settings = content["Fn::Join"]
    assert separator == "\n"
    # In a fixed order, so that swapping the values of two settings is a change too.
    assert settings == list(source["Globals"]["Function"]["Environment"]["Variables"].values())
    for function in FUNCTIONS:
        properties = source["Resources"][f"{function}Function"]["Properties"]
        versions = resources("default", "AWS::Lambda::Version")
        version = next(v for n, v in versions.items() if n.startswith(f"{function}Function"))
        assert "${SettingsVersion}" in json.dumps(version["Description"])
        # Settings of only one function are not shared, so the description must contain them: memory, and the API.
        own = {name for name, _ in template.references(properties)} & {*source["Parameters"], "Api"}
        if function == "Mail":
            assert properties["Environment"]["Variables"].keys() == {"RESET_LINK"}
            assert "Api" in own
            # These parts of the link are shared settings.
            own -= {"ResetLink", "DomainName"}
        else:
            assert "Environment" not in properties, "a variable of only one function is not a shared setting"
            # The events refer to the API, but do not affect the function's version.
            own -= {"Api", "CompleteConcurrency"}
        assert all(f"${{{name}}}" in properties["VersionDescription"]["Fn::Sub"] for name in own)


def test_reset_link_is_the_configured_page():
    def links(name):
        functions = resources(name, "AWS::Lambda::Function")
        variables = {function: functions[f"{function}Function"]["Environment"]["Variables"] for function in FUNCTIONS}
        (common,) = {variables[function]["RESET_LINK"] for function in CALLED}
        return common, variables["Mail"]["RESET_LINK"]

    page = "/organizations/complete-password/"
    # Only the mail function needs the link.
    assert links("default") == ("", {"Fn::Sub": f"https://${{Api}}.execute-api.{template.REGION}.amazonaws.com{page}"})
    assert links("custom domain, verified domain") == (f"https://reset.example.com{page}",) * 2
    assert links("keys required, everything existing") == ("https://example.com/new?x=1&token={token}",) * 2


# ---------------------------------------------------------------------------------------------------------- outbox
def test_the_mail_function_gets_only_orders_and_retries_them_for_a_day(name):
    (mapping,) = resources(name, "AWS::Lambda::EventSourceMapping").values()
    assert mapping["FunctionName"] == {"Ref": "MailFunctionAliaslive"}
    assert mapping["EventSourceArn"] == {"Fn::GetAtt": ["TokensTable", "StreamArn"]}
    assert mapping["StartingPosition"] == "TRIM_HORIZON"
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert (mapping["MaximumRetryAttempts"], mapping["MaximumRecordAgeInSeconds"]) == (-1, 82800)
    assert mapping["DestinationConfig"] == {"OnFailure": {"Destination": {"Fn::GetAtt": ["LostMails", "Arn"]}}}
    (pattern,) = mapping["FilterCriteria"]["Filters"]
    keys = {"Keys": {"pk": {"S": [{"prefix": "order#"}]}}}
    assert json.loads(pattern["Pattern"]) == {"eventName": ["INSERT"], "dynamodb": keys}


def test_dead_letters_are_encrypted_and_kept_for_14_days(name):
    queue = resources(name, "AWS::SQS::Queue")["LostMails"]
    key = of(name)["KmsKeyArn"]
    encryption = {"KmsMasterKeyId": key} if key else {"SqsManagedSseEnabled": True}
    assert queue == encryption | {"MessageRetentionPeriod": 14 * 86400}
    for function in resources(name, "AWS::Lambda::Function").values():
        assert function["Environment"]["Variables"]["DEAD_LETTER_QUEUE_URL"] == {"Ref": "LostMails"}


def test_the_mail_function_is_not_behind_the_api_and_uses_the_binary_of_validate(name):
    assert "MailFunction" not in json.dumps(resources(name, "AWS::ApiGatewayV2::Api"), default=str)
    built = {f: template.source()["Resources"][f"{f}Function"]["Metadata"]["BuildProperties"]["Binary"] for f in FUNCTIONS}
    assert built == {"Reset": "reset", "Validate": "validate", "Complete": "complete", "Mail": "validate"}
