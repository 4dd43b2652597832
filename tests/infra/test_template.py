"""The application under several sets of parameters: what is created, and that it agrees with the code."""

import json
import re

import pytest
from doctor_checks.functions import needed

import template
from resolved import CALLED, FUNCTIONS, listed, resolved, resources, role_of, statements
from sets import CONTRADICTIONS, FALSE, MALFORMED, TRUE, of


# ------------------------------------------------------------------------------------------------ the whole application
def lint(document, file):
    file.write_text(json.dumps(document, default=str))
    return template.lint(file)


def test_the_resolved_application_lints_clean_without_dangling_references(name, tmp_path):
    assert template.invalid(of(name)) == set()
    assert template.broken_rules(of(name)) == []
    assert template.dangling(resolved(name)) == set()
    assert lint(resolved(name), tmp_path / "resolved.json") == ""


def test_the_transformed_template_lints_clean(tmp_path):
    transformed = template.transform(of("default"))
    for stack in [r for r in transformed["Resources"].values() if r["Type"] == "AWS::CloudFormation::Stack"]:
        # As `sam package` rewrites it.
        stack["Properties"]["TemplateURL"] = f"https://s3.{template.REGION}.amazonaws.com/{template.CODE_BUCKET}/part"
    assert lint(transformed, tmp_path / "transformed.json") == ""


def test_mistakes_that_sam_does_not_detect_are_detected(tmp_path):
    broken = json.loads(json.dumps(resolved("default"), default=str))
    del broken["Resources"]["ResetLogs"]
    assert template.dangling(broken) == {"ResetLogs"}
    misspelt = json.loads(json.dumps(resolved("default"), default=str))
    role = misspelt["Resources"]["ResetRole"]["Properties"]
    role["Policies"][0]["PolicyDocument"]["Statement"][1]["Action"] = "dynamodb:PutItme"
    assert "putitme" in lint(misspelt, tmp_path / "misspelt.json").lower()
    with pytest.raises(AssertionError, match="Colour"):
        template.resolve_part("sender.yaml", {"Colour": "blue"})


def test_an_operator_can_read_it_in_one_sitting():
    lines = {part: len((template.INFRA / part).read_text().splitlines()) for part in ("template.yaml", *template.PARTS)}
    assert lines["template.yaml"] <= 1000
    assert sum(lines.values()) <= 1700
    most = template.transform(of("rules of the account"))["Resources"]
    parts = [r for part in template.PARTS for r in template.source(part)["Resources"]]
    assert len(most) + len(parts) <= 75


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


def test_every_parameter_is_described_and_constrained():
    declared = template.source()["Parameters"]
    for parameter, of_it in declared.items():
        assert of_it["Description"].endswith("."), parameter
        assert {"AllowedPattern", "AllowedValues", "MinValue"} & of_it.keys(), parameter
        assert "AllowedPattern" not in of_it or "ConstraintDescription" in of_it, parameter
    assert [p for p, of_it in declared.items() if "Default" not in of_it] == ["MailFrom"]


def test_a_yes_is_a_true_and_a_no_is_a_false():
    needed = {"ApiKeys": of("keys required, everything existing")["ApiKeys"], "ResetLink": "https://example.com/new"}
    for words, required in ((TRUE, "true"), (FALSE, "false")):
        for word in words:
            values = template.parameters(RequireApiKey=word, PublishPasswordResets=word, **needed)
            assert not template.invalid(values) and not template.broken_rules(values), word
            created = template.resolve(values)["Resources"]
            assert created["ResetFunction"]["Properties"]["Environment"]["Variables"]["REQUIRE_API_KEY"] == required
            assert ("PasswordResets" in created) is (required == "true")
            assert ("PasswordResetsStuckAlarm" in created) is (required == "true")
            contradictory = template.parameters(RequireApiKey=word, PublishPasswordResets=word, PasswordResetBus="default")
            assert len(template.broken_rules(contradictory)) == {"true": 2, "false": 1}[required], word


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
    assert kept.keys() <= {"AccountsTable", "Identity", "IdentityRecords"}
    # A retained resource with an explicit name would collide with a second deployment.
    assert not [n for n, r in kept.items() if {"TableName", "FunctionName"} & r["Properties"].keys()]


def test_with_the_operators_table_no_accounts_table_is_created(name):
    tables = resources(name, "AWS::DynamoDB::Table").keys()
    assert tables == ({"TokensTable"} if of(name)["AccountsTableName"] else {"TokensTable", "AccountsTable"})


def test_policies_and_variables_follow_the_operators_table():
    name = "own table, encrypted, events on an existing bus"
    table = f"arn:aws:dynamodb:{template.REGION}:{template.ACCOUNT}:table/users"
    by_action = {function: {s["Action"]: s for s in statements(name, function, table)} for function in CALLED + ("Mail",)}
    assert {function: actions.keys() for function, actions in by_action.items()} == {
        "Reset": set(),
        "Validate": {"dynamodb:GetItem"},
        "Complete": {"dynamodb:GetItem", "dynamodb:UpdateItem"},
        "Mail": {"dynamodb:GetItem", "dynamodb:Query"},
    }
    assert by_action["Mail"]["dynamodb:Query"]["Resource"] == f"{table}/index/by-email"
    attributes = by_action["Complete"]["dynamodb:UpdateItem"]["Condition"]["ForAllValues:StringEquals"]["dynamodb:Attributes"]
    assert set(attributes) == {"user_id", "created", "email", "pw", "pw_at"}


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
        # The lines with the metrics have the level INFO: see test_watching.py.
        levels = {"ApplicationLogLevel": "INFO", "SystemLogLevel": "WARN"}
        assert function["LoggingConfig"] == levels | {"LogFormat": "JSON", "LogGroup": {"Ref": f"{stem}Logs"}}
        assert function["Role"] == {"Fn::GetAtt": [f"{stem}Role", "Arn"]}
        assert "VpcConfig" not in function
    reserved = of(name)["CompleteConcurrency"]
    assert functions["CompleteFunction"].get("ReservedConcurrentExecutions") == (None if reserved == "0" else reserved)


def test_every_variable_has_the_value_of_its_own_parameter():
    marked = {parameter: f"the {parameter}" for parameter in template.source()["Parameters"]}
    valid = {"MailConfigurationSet": "", "MailIdentity": "address", "AccountsKeyType": "S", "AccountsSortKeyType": "S"}
    functions = template.resolve(marked | valid)["Resources"]
    other = {
        "TOKENS_TABLE": {"Ref": "TokensTable"},
        "ACCOUNTS_TABLE": "the AccountsTableName",
        "MAIL_FROM": '"the MailFromName" <the MailFrom>',
        "MAIL_CONFIGURATION_SET": {"Ref": "ConfigurationSet"},
        "REQUIRE_API_KEY": "true",
        "MAIL_UNKNOWN": "true",
        "DEAD_LETTER_QUEUE_URL": {"Ref": "LostMails"},
        "STACK_NAME": template.STACK,
        "MESSAGES_DIR": "/opt/messages",
    }
    expected = {n: other.get(n, "the " + "".join(w.capitalize() for w in n.split("_"))) for n in template.variables_of_the_code()}
    for function in FUNCTIONS:
        own = {name: value for name, value in expected.items() if name in needed(function.lower())}
        assert functions[f"{function}Function"]["Properties"]["Environment"]["Variables"] == own, function
    assert template.parameters()["BrandColor"] == "default"
    assert resources("default", "AWS::Lambda::Function")["MailFunction"]["Environment"]["Variables"]["BRAND_COLOR"] == ""


def test_the_layer_of_own_words_is_what_every_function_reads(name):
    layer = of(name)["MessagesLayerArn"]
    for function in resources(name, "AWS::Lambda::Function").values():
        # A layer's files are under /opt.
        assert function["Environment"]["Variables"]["MESSAGES_DIR"] == ("/opt/messages" if layer else "")
        assert function.get("Layers") == ([layer] if layer else None)


def test_kms_keys_encrypt_all_resources_and_the_roles_may_use_them():
    name = "rules of the account"
    key = of(name)["KmsKeyArn"]
    found = {
        "AWS::DynamoDB::Table": lambda p: p["SSESpecification"]["KMSMasterKeyId"],
        "AWS::SQS::Queue": lambda p: p["KmsMasterKeyId"],
        "AWS::Logs::LogGroup": lambda p: p["KmsKeyId"],
        "AWS::SNS::Topic": lambda p: p["KmsMasterKeyId"],
    }
    for kind, key_of in found.items():
        assert resources(name, kind)
        assert {key_of(p) for p in resources(name, kind).values()} == {key}, kind

    # No emulator sets kms:ViaService, so compare the conditions as written.
    def via(*services):
        hosts = [f"{service}.eu-west-1.amazonaws.com" for service in services]
        return {"StringEquals": {"kms:ViaService": hosts if services[1:] else hosts[0]}}

    own = "own table, encrypted, events on an existing bus"
    for case, case_key in ((name, key), (own, of(own)["AccountsKmsKeyArn"])):
        (policy,) = resources(case, "AWS::IAM::ManagedPolicy").values()
        (statement,) = policy["PolicyDocument"]["Statement"]
        assert statement == {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": [case_key], "Condition": via("dynamodb")}
        assert policy["Path"] == of(case)["RolePath"]
        # Lambda tests whether the role can read the stream when it creates the mapping: the role must have the policy from the beginning.
        assert [role_of(case, f)["ManagedPolicyArns"] for f in FUNCTIONS] == [[{"Ref": "KeyAccess"}]] * 4
    writes = {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": key}
    assert statements(name, "Mail", key) == [writes | {"Condition": via("sqs")}]
    pipe = resources(name, "AWS::IAM::Role")["PipeRole"]["Policies"][0]["PolicyDocument"]["Statement"]
    assert [s for s in pipe if s["Resource"] == key] == [writes | {"Condition": via("dynamodb", "sqs")}]
    assert "kms" not in json.dumps([resources("default", "AWS::IAM::Role"), resources("default", "AWS::IAM::ManagedPolicy")])


def test_every_role_has_the_path_and_the_permissions_boundary(name):
    roles = resources(name, "AWS::IAM::Role")
    assert roles.keys() == {f"{function}Role" for function in FUNCTIONS} | ({"PipeRole"} if of(name)["PublishPasswordResets"] == "true" else set())
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


def test_logs_have_the_requested_retention(name):
    groups = resources(name, "AWS::Logs::LogGroup")
    assert groups.keys() == {"ApiLogs", *[f"{function}Logs" for function in FUNCTIONS]}
    assert {str(group["RetentionInDays"]) for group in groups.values()} == {of(name)["LogRetentionDays"]}


def test_reset_link_is_the_configured_page():
    def links(name):
        functions = resources(name, "AWS::Lambda::Function")
        variables = {function: functions[f"{function}Function"]["Environment"]["Variables"] for function in FUNCTIONS}
        return variables["Validate"]["RESET_LINK"], variables["Mail"]["RESET_LINK"]

    page = "/organizations/complete-password"
    # Only the mail function needs the link.
    assert links("default") == ("", {"Fn::Sub": f"https://${{Api}}.execute-api.{template.REGION}.amazonaws.com{page}"})
    assert links("custom domain, verified domain") == (f"https://reset.example.com{page}",) * 2
    assert links("keys required, everything existing") == ("https://example.com/new?x=1&token={token}",) * 2


# ---------------------------------------------------------------------------------------------------------- outbox
def test_the_mail_function_gets_only_orders_and_retries_them_for_a_day(name):
    (mapping,) = resources(name, "AWS::Lambda::EventSourceMapping").values()
    (pattern,) = mapping.pop("FilterCriteria")["Filters"]
    keys = {"Keys": {"pk": {"S": [{"prefix": "order#"}]}}}
    assert json.loads(pattern["Pattern"]) == {"eventName": ["INSERT"], "dynamodb": keys}
    assert mapping == {
        "FunctionName": {"Ref": "MailFunction"},
        "EventSourceArn": {"Fn::GetAtt": ["TokensTable", "StreamArn"]},
        "StartingPosition": "TRIM_HORIZON",
        "BatchSize": 10,
        "MaximumBatchingWindowInSeconds": 0,
        "ParallelizationFactor": of(name)["MailLanes"],
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "MaximumRetryAttempts": -1,
        "MaximumRecordAgeInSeconds": 82800,
        "DestinationConfig": {"OnFailure": {"Destination": {"Fn::GetAtt": ["LostMails", "Arn"]}}},
    }


def test_dead_letters_are_encrypted_and_kept_for_14_days(name):
    for queue in resources(name, "AWS::SQS::Queue").values():
        key = of(name)["KmsKeyArn"]
        encryption = {"KmsMasterKeyId": key} if key else {"SqsManagedSseEnabled": True}
        assert queue == encryption | {"MessageRetentionPeriod": 14 * 86400}


def test_the_mail_function_is_not_behind_the_api_and_uses_the_binary_of_validate(name):
    assert "MailFunction" not in json.dumps(resources(name, "AWS::ApiGatewayV2::Api"), default=str)
    built = {f: template.source()["Resources"][f"{f}Function"]["Metadata"]["BuildProperties"]["Binary"] for f in FUNCTIONS}
    assert built == {"Reset": "reset", "Validate": "validate", "Complete": "complete", "Mail": "validate"}
