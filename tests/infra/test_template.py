"""The template under several sets of parameters: what is created, and that it agrees with the code."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import template
from resolved import CALLED, FUNCTIONS, listed, resolved, resources, statements
from sets import CONTRADICTIONS, MALFORMED, of

CFN_LINT = Path(sys.executable).with_name("cfn-lint")


# ------------------------------------------------------------------------------------------------------- the whole
def lint(document, file):
    file.write_text(json.dumps(document, default=str))
    run = subprocess.run([CFN_LINT, "-r", template.REGION, "--", file], capture_output=True, text=True)
    return run.stdout + run.stderr if run.returncode else ""


def test_what_is_created_lints_clean_and_refers_to_nothing_else(name, tmp_path):
    assert template.invalid(of(name)) == set()
    assert template.broken_rules(of(name)) == []
    assert template.dangling(resolved(name)) == set()
    assert lint(resolved(name), tmp_path / "resolved.json") == ""


def test_the_transformed_template_lints_clean(tmp_path):
    assert lint(template.transform(of("default")), tmp_path / "transformed.json") == ""


def test_mistakes_that_sam_does_not_see_are_seen(tmp_path):
    broken = json.loads(json.dumps(resolved("default"), default=str))
    del broken["Resources"]["ResetLogs"]
    assert template.dangling(broken) == {"ResetLogs"}
    misspelt = json.loads(json.dumps(resolved("default"), default=str))
    role = misspelt["Resources"]["ResetRole"]["Properties"]
    role["Policies"][1]["PolicyDocument"]["Statement"][0]["Action"] = "dynamodb:PutItme"
    assert "putitme" in lint(misspelt, tmp_path / "misspelt.json").lower()


@pytest.mark.parametrize(("message", "given"), CONTRADICTIONS, ids=lambda x: "-".join(x) if isinstance(x, dict) else None)
def test_contradictions_are_refused_before_anything_is_created(message, given):
    values = template.parameters(**given)
    assert template.invalid(values) == set(), "the rule must be what refuses them"
    assert any(message in said for said in template.broken_rules(values))


def test_every_rule_has_its_contradiction():
    said = {text for _, given in CONTRADICTIONS for text in template.broken_rules(template.parameters(**given))}
    rules = template.source()["Rules"].values()
    assert said == {a["AssertDescription"] for rule in rules for a in rule["Assertions"]}


@pytest.mark.parametrize("parameter", MALFORMED)
def test_malformed_parameters_are_refused(parameter):
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
def test_the_tokens_table_forgets_by_itself(name):
    tokens = resources(name, "AWS::DynamoDB::Table")["TokensTable"]
    assert tokens["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert tokens["KeySchema"] == [{"AttributeName": "pk", "KeyType": "HASH"}]
    assert tokens["BillingMode"] == "PAY_PER_REQUEST"
    assert tokens["SSESpecification"]["SSEEnabled"] is True


def test_the_tokens_tables_stream_has_the_mail_function_and_the_pipe_for_readers_and_no_third(name):
    tables = resources(name, "AWS::DynamoDB::Table")
    assert tables["TokensTable"]["StreamSpecification"] == {"StreamViewType": "NEW_IMAGE"}
    assert not [table for logical, table in tables.items() if logical != "TokensTable" and "StreamSpecification" in table]
    stream = {"Fn::GetAtt": ["TokensTable", "StreamArn"]}
    readers = [m["EventSourceArn"] for m in resources(name, "AWS::Lambda::EventSourceMapping").values()]
    readers += [pipe["Source"] for pipe in resources(name, "AWS::Pipes::Pipe").values()]
    assert readers == [stream] * (2 if of(name)["PublishPasswordResets"] == "true" else 1)


def test_accounts_of_ours_outlive_every_mistake():
    table = resolved("default")["Resources"]["AccountsTable"]
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Retain", "Retain")
    properties = table["Properties"]
    assert properties["DeletionProtectionEnabled"] is True
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert properties["SSESpecification"] == {"SSEEnabled": True}


def test_what_is_kept_can_be_used_again_and_nothing_else_is_in_the_way(name):
    kept = {n: r for n, r in resolved(name)["Resources"].items() if "Retain" in r.get("DeletionPolicy", "")}
    of_functions = {n for n, r in kept.items() if r["Type"] == "AWS::Lambda::Version"}
    assert kept.keys() - of_functions <= {"AccountsTable", "MailIdentityResource", "MailRecords"}
    # A name that is given is one that a second deployment collides with, if what bears it was kept.
    named = {n for n, r in kept.items() if {"TableName", "FunctionName"} & r["Properties"].keys()}
    assert named == of_functions, "versions go with their function"


def test_names_fit_where_stack_names_do_not(name):
    (settings,) = resources(name, "AWS::AppConfig::Application").values()
    assert settings["Name"] == "rekey-d3b07384-d113-4956-a5cc-19b3f3ff8b4e"
    for topic in resources(name, "AWS::SNS::Topic").values():
        assert isinstance(topic["DisplayName"], str) and len(topic["DisplayName"]) <= 100


def test_with_a_table_of_the_operators_none_is_created(name):
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
    # No emulator gives kms:ViaService a value, so that the key serves DynamoDB alone is read here.
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
            "ACCOUNTS_REQUIRED_ATTRIBUTE": "",
        }


# ------------------------------------------------------------------------------------------------------- functions
def test_the_functions_are_what_they_should_be(name):
    functions = resources(name, "AWS::Lambda::Function")
    assert functions.keys() == {f"{f}Function" for f in FUNCTIONS}
    for logical, function in functions.items():
        stem = logical.removesuffix("Function")
        assert function["Runtime"] == "provided.al2023"
        assert function["Architectures"] == [of(name)["Architecture"]]
        # The API gives up after 30 s; a batch of mails has nobody who waits.
        assert function["Timeout"] == 60 if stem == "Mail" else 20 < function["Timeout"] < 30
        assert function["TracingConfig"] == {"Mode": "Active"}
        assert function["LoggingConfig"]["LogFormat"] == "JSON"
        assert function["LoggingConfig"]["LogGroup"] == {"Ref": f"{stem}Logs"}
        assert function["Role"] == {"Fn::GetAtt": [f"{stem}Role", "Arn"]}
        assert "VpcConfig" not in function
        aliases = resources(name, "AWS::Lambda::Alias")
        assert aliases[f"{logical}Aliaslive"]["Name"] == "live"
    ceiling = of(name)["CompleteConcurrency"]
    assert functions["CompleteFunction"].get("ReservedConcurrentExecutions") == (None if ceiling == "0" else ceiling)


def test_one_key_serves_for_all_that_is_made_and_its_users_may_use_it():
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
    # No emulator asks for these.
    for role in (*FUNCTIONS, "PasswordResets"):
        via = {
            (s["Condition"]["StringEquals"]["kms:ViaService"], *listed(s["Action"]))
            for s in statements(name, role)
            if s["Resource"] == key
        }
        sends = {("sqs.eu-west-1.amazonaws.com", "kms:Decrypt", "kms:GenerateDataKey")} if role in ("Mail", "PasswordResets") else set()
        assert via == {("dynamodb.eu-west-1.amazonaws.com", "kms:Decrypt")} | sends
    assert "kms" not in json.dumps(resources("default", "AWS::IAM::Role"))


def test_every_role_is_below_the_path_and_within_the_boundary(name):
    roles = resources(name, "AWS::IAM::Role")
    assert roles.keys() >= {"DeploymentRole", *[f"{function}Role" for function in FUNCTIONS]}
    for role in roles.values():
        assert role["Path"] == of(name)["RolePath"]
        assert role.get("PermissionsBoundary", "") == of(name)["PermissionsBoundaryArn"]


def test_arm_is_the_default_and_hashes_fit_into_memory():
    defaults = template.parameters()
    assert defaults["Architecture"] == "arm64"
    assert int(defaults["CompleteMemory"]) * 1024 > int(defaults["Argon2MemoryKib"]) + 100 * 1024
    # The largest hash that may be asked for fits into the smallest memory that may be chosen.
    declared = template.source()["Parameters"]
    least = int(declared["CompleteMemory"]["MinValue"]) * 1024
    assert least > int(declared["Argon2MemoryKib"]["MaxValue"]) + 100 * 1024


def test_traffic_moves_step_by_step_and_back_when_an_alarm_rings(name):
    groups = resources(name, "AWS::CodeDeploy::DeploymentGroup")
    for stem in FUNCTIONS:
        group = groups[f"{stem}FunctionDeploymentGroup"]
        assert group["ServiceRoleArn"] == {"Fn::GetAtt": ["DeploymentRole", "Arn"]}
        # An alarm that rings already, for a failure that this deployment mends, must not roll it back.
        assert group["AlarmConfiguration"] == {"Enabled": True, "Alarms": [{"Name": {"Ref": f"{stem}VersionAlarm"}}]}
        alarm = resources(name, "AWS::CloudWatch::Alarm")[f"{stem}VersionAlarm"]
        (watched,) = [m["MetricStat"]["Metric"] for m in alarm["Metrics"] if "MetricStat" in m]
        dimensions = {d["Name"]: d["Value"] for d in watched["Dimensions"]}
        (version,) = [v for v in resources(name, "AWS::Lambda::Version") if v.startswith(f"{stem}Function")]
        assert dimensions["ExecutedVersion"] == {"Fn::GetAtt": [version, "Version"]}
        alias = resources(name, "AWS::Lambda::Alias")[f"{stem}FunctionAliaslive"]
        assert alias["FunctionVersion"] == dimensions["ExecutedVersion"]
        assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
        assert group["DeploymentConfigName"] == f"CodeDeployDefault.Lambda{of(name)['DeploymentStrategy']}"


def test_logs_are_kept_as_long_as_asked(name):
    groups = resources(name, "AWS::Logs::LogGroup")
    assert groups.keys() == {"ApiLogs", *[f"{function}Logs" for function in FUNCTIONS]}
    assert {str(group["RetentionInDays"]) for group in groups.values()} == {of(name)["LogRetentionDays"]}


def test_a_new_version_is_published_exactly_when_a_setting_changes():
    source = template.source()
    content = source["Resources"]["SettingsVersion"]["Properties"]["Content"]
    separator, settings = content["Fn::Join"]
    assert separator == "\n"
    # In its own order, so that two settings that swap their values are a change too.
    assert settings == list(source["Globals"]["Function"]["Environment"]["Variables"].values())
    for function in FUNCTIONS:
        properties = source["Resources"][f"{function}Function"]["Properties"]
        versions = resources("default", "AWS::Lambda::Version")
        version = next(v for n, v in versions.items() if n.startswith(f"{function}Function"))
        assert "${SettingsVersion}" in json.dumps(version["Description"])
        # What a function has for itself is no setting, so what it depends on belongs into the description: memory, and the API.
        own = {name for name, _ in template.references(properties)} & {*source["Parameters"], "Api"}
        if function == "Mail":
            assert properties["Environment"]["Variables"].keys() == {"RESET_LINK"}
            assert "Api" in own
            # Of the link, these are settings already.
            own -= {"ResetLink", "DomainName"}
        else:
            assert "Environment" not in properties, "a variable of one function alone does not count as a setting"
            # The routes of its events name the API, and are no setting.
            own -= {"Api", "CompleteConcurrency"}
        assert all(f"${{{name}}}" in properties["VersionDescription"]["Fn::Sub"] for name in own)


def test_links_lead_to_the_page_that_was_named():
    def links(name):
        functions = resources(name, "AWS::Lambda::Function")
        variables = {function: functions[f"{function}Function"]["Environment"]["Variables"] for function in FUNCTIONS}
        (common,) = {variables[function]["RESET_LINK"] for function in CALLED}
        return common, variables["Mail"]["RESET_LINK"]

    page = "/organizations/complete-password/"
    # Who mails is told; the others have no use for a link of their own.
    assert links("default") == ("", {"Fn::Sub": f"https://${{Api}}.execute-api.{template.REGION}.amazonaws.com{page}"})
    assert links("custom domain, verified domain") == (f"https://reset.example.com{page}",) * 2
    assert links("keys required, everything existing") == ("https://example.com/new?x=1&token={token}",) * 2


# ---------------------------------------------------------------------------------------------------------- outbox
def test_orders_alone_reach_the_mail_function_until_they_are_done(name):
    (mapping,) = resources(name, "AWS::Lambda::EventSourceMapping").values()
    assert mapping["FunctionName"] == {"Ref": "MailFunctionAliaslive"}
    assert mapping["EventSourceArn"] == {"Fn::GetAtt": ["TokensTable", "StreamArn"]}
    assert mapping["StartingPosition"] == "TRIM_HORIZON"
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert (mapping["MaximumRetryAttempts"], mapping["MaximumRecordAgeInSeconds"]) == (-1, 86400)
    assert mapping["DestinationConfig"] == {"OnFailure": {"Destination": {"Fn::GetAtt": ["LostMails", "Arn"]}}}
    (pattern,) = mapping["FilterCriteria"]["Filters"]
    keys = {"Keys": {"pk": {"S": [{"prefix": "order#"}]}}}
    assert json.loads(pattern["Pattern"]) == {"eventName": ["INSERT"], "dynamodb": keys}


def test_lost_mails_are_kept_encrypted_for_as_long_as_a_queue_can(name):
    queue = resources(name, "AWS::SQS::Queue")["LostMails"]
    key = of(name)["KmsKeyArn"]
    encryption = {"KmsMasterKeyId": key} if key else {"SqsManagedSseEnabled": True}
    assert queue == encryption | {"MessageRetentionPeriod": 14 * 86400}
    for function in resources(name, "AWS::Lambda::Function").values():
        assert function["Environment"]["Variables"]["DEAD_LETTER_QUEUE_URL"] == {"Ref": "LostMails"}


def test_the_mail_function_is_no_target_of_the_api_and_the_same_program_as_validate(name):
    assert "MailFunction" not in json.dumps(resources(name, "AWS::ApiGatewayV2::Api"), default=str)
    built = {f: template.source()["Resources"][f"{f}Function"]["Metadata"]["BuildProperties"]["Binary"] for f in FUNCTIONS}
    assert built == {"Reset": "reset", "Validate": "validate", "Complete": "complete", "Mail": "validate"}
