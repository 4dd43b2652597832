"""The template under several sets of parameters: what is created, and that it agrees with the code."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import template
from sets import CONTRADICTIONS, MALFORMED, SETS, of

CFN_LINT = Path(sys.executable).with_name("cfn-lint")
FUNCTIONS = ("Reset", "Validate", "Complete")
resolved_sets = {}


@pytest.fixture(params=SETS, ids=lambda name: name.replace(" ", "_"))
def name(request):
    return request.param


def resolved(name):
    if name not in resolved_sets:
        resolved_sets[name] = template.resolve(of(name))
    return resolved_sets[name]


def resources(name, kind):
    return {n: r["Properties"] for n, r in resolved(name)["Resources"].items() if r["Type"] == kind}


def statements(name, role, policy=None):
    policies = resources(name, "AWS::IAM::Role")[f"{role}Role"]["Policies"]
    return [s for p in policies if policy in (None, p["PolicyName"]) for s in p["PolicyDocument"]["Statement"]]


def listed(value):
    return value if isinstance(value, list) else [value]


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
    assert tokens["SSESpecification"] == {"SSEEnabled": True}


def test_accounts_of_ours_outlive_every_mistake():
    table = resolved("default")["Resources"]["AccountsTable"]
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Retain", "Retain")
    properties = table["Properties"]
    assert properties["DeletionProtectionEnabled"] is True
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert properties["SSESpecification"] == {"SSEEnabled": True}
    assert "StreamSpecification" not in properties
    published = resources("events published", "AWS::DynamoDB::Table")["AccountsTable"]
    assert published["StreamSpecification"] == {"StreamViewType": "NEW_IMAGE"}


def test_with_a_table_of_the_operators_none_is_created(name):
    tables = resources(name, "AWS::DynamoDB::Table").keys()
    assert tables == ({"TokensTable"} if of(name)["AccountsTableName"] else {"TokensTable", "AccountsTable"})


def test_policies_and_variables_follow_the_operators_table():
    name = "own table, encrypted, events on an existing bus"
    table = f"arn:aws:dynamodb:{template.REGION}:{template.ACCOUNT}:table/users"
    by_action = {s["Action"]: s for s in statements(name, "Validate", "accounts")}
    assert by_action.keys() == {"dynamodb:GetItem", "dynamodb:Query", "kms:Decrypt"}
    assert by_action["dynamodb:GetItem"]["Resource"] == table
    assert by_action["dynamodb:Query"]["Resource"] == f"{table}/index/by-email"
    by_action = {s["Action"]: s for s in statements(name, "Complete", "accounts")}
    assert by_action.keys() == {"dynamodb:GetItem", "dynamodb:UpdateItem", "kms:Decrypt"}
    assert by_action["dynamodb:UpdateItem"]["Resource"] == table
    attributes = by_action["dynamodb:UpdateItem"]["Condition"]["ForAllValues:StringEquals"]["dynamodb:Attributes"]
    assert attributes == ["user_id", "email", "pw", "pw_at"]
    # No emulator gives kms:ViaService a value, so that the key serves DynamoDB alone is read here.
    for role in ("Validate", "Complete"):
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
        }


# ------------------------------------------------------------------------------------------------------- functions
def test_the_functions_are_what_they_should_be(name):
    functions = resources(name, "AWS::Lambda::Function")
    assert functions.keys() == {f"{f}Function" for f in FUNCTIONS}
    for logical, function in functions.items():
        stem = logical.removesuffix("Function")
        assert function["Runtime"] == "provided.al2023"
        assert function["Architectures"] == [of(name)["Architecture"]]
        # The API gives up after 30 s.
        assert 20 < function["Timeout"] < 30
        assert function["TracingConfig"] == {"Mode": "Active"}
        assert function["LoggingConfig"]["LogFormat"] == "JSON"
        assert function["LoggingConfig"]["LogGroup"] == {"Ref": f"{stem}Logs"}
        assert function["Role"] == {"Fn::GetAtt": [f"{stem}Role", "Arn"]}
        assert "VpcConfig" not in function
        aliases = resources(name, "AWS::Lambda::Alias")
        assert aliases[f"{logical}Aliaslive"]["Name"] == "live"
    ceiling = of(name)["CompleteConcurrency"]
    assert functions["CompleteFunction"].get("ReservedConcurrentExecutions") == (None if ceiling == "0" else ceiling)


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
        assert group["AlarmConfiguration"] == {"Enabled": True, "Alarms": [{"Name": {"Ref": f"{stem}ErrorsAlarm"}}]}
        assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
        assert group["DeploymentConfigName"] == f"CodeDeployDefault.Lambda{of(name)['DeploymentStrategy']}"


def test_logs_are_kept_as_long_as_asked(name):
    groups = resources(name, "AWS::Logs::LogGroup")
    assert groups.keys() == {"ApiLogs", "ResetLogs", "ValidateLogs", "CompleteLogs"}
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
        assert "Environment" not in properties, "a variable of one function alone does not count as a setting"
        versions = resources("default", "AWS::Lambda::Version")
        version = next(v for n, v in versions.items() if n.startswith(f"{function}Function"))
        assert "${SettingsVersion}" in json.dumps(version["Description"])
        # Of what the functions differ in, memory alone is a parameter, and so belongs into the description.
        own = template.references(properties) & {(p, None) for p in source["Parameters"]}
        described = {name for name, _ in own} - {"CompleteConcurrency"}
        assert all(f"${{{name}}}" in properties["VersionDescription"]["Fn::Sub"] for name in described)


def test_links_lead_to_the_page_that_was_named():
    def link(name):
        return resources(name, "AWS::Lambda::Function")["ValidateFunction"]["Environment"]["Variables"]["RESET_LINK"]

    assert link("default") == ""
    assert link("custom domain, verified domain") == "https://reset.example.com/organizations/complete-password/"
    assert link("keys required, everything existing") == "https://example.com/new?x=1"


# ------------------------------------------------------------------------------------------------------------- API
def routes_of_the_code():
    text = (template.ROOT / "shared/src/http/routes.rs").read_text()
    found = re.findall(r'route\("(\w+)", "([^"]+)", (\w+),', text)
    return {(m, path.rstrip("/"), function.removesuffix("Fn")) for m, path, function in found}


def routes_of_the_api(name):
    body = resources(name, "AWS::ApiGatewayV2::Api")["Api"]["Body"]
    for path, operations in body["paths"].items():
        for method, operation in operations.items():
            integration = operation["x-amazon-apigateway-integration"]
            assert integration["payloadFormatVersion"] == "2.0"
            yield method.upper(), path, json.dumps(integration["uri"], default=str)


def test_the_api_has_the_codes_routes_and_no_other(name):
    found = set()
    for method, path, uri in routes_of_the_api(name):
        assert not path.endswith("/"), "SAM drops such a route in silence"
        # The alias, or canaries and provisioned versions would be passed by.
        function = re.search(r"\$\{(\w+)Function(?:\.Alias|Aliaslive)\}", uri)
        assert function, uri
        found.add((method, path, function[1]))
    assert len(found) == 15
    assert found == routes_of_the_code()


def test_each_route_may_call_its_function(name):
    granted = [p["SourceArn"]["Fn::Sub"][0] for p in resources(name, "AWS::Lambda::Permission").values()]
    asked = [f"/{method}{path}" for method, path, _ in routes_of_the_api(name)]
    assert sorted(arn.partition("${__ApiId__}/*")[2] for arn in granted) == sorted(asked)


def test_the_api_throttles_and_logs_no_secret(name):
    (stage,) = resources(name, "AWS::ApiGatewayV2::Stage").values()
    throttles = stage["DefaultRouteSettings"]
    assert (throttles["ThrottlingRateLimit"], throttles["ThrottlingBurstLimit"]) == ("50", "100")
    line = json.loads(stage["AccessLogSettings"]["Format"])
    logged = set(line.values())
    assert "$context.routeKey" in logged
    # The path and the query may hold a token or an address.
    assert not [v for v in logged if re.search(r"path|query|header|authorizer|identity\.(?!sourceIp)", v, re.IGNORECASE)]


def test_browsers_of_named_origins_alone_may_call(name):
    (api,) = resources(name, "AWS::ApiGatewayV2::Api").values()
    cors = api["Body"].get("x-amazon-apigateway-cors")
    origins = of(name)["AllowedOrigins"]
    if not origins:
        assert not cors
        return
    assert cors["allowOrigins"] == origins.split(",")
    assert cors["allowMethods"] == ["GET", "POST"]
    assert not cors.get("allowCredentials")


def test_with_a_domain_there_is_no_other_address(name):
    (api,) = resources(name, "AWS::ApiGatewayV2::Api").values()
    (server,) = api["Body"]["servers"]
    endpoint = server["x-amazon-apigateway-endpoint-configuration"]
    assert endpoint["disableExecuteApiEndpoint"] is bool(of(name)["DomainName"])
    domains = resources(name, "AWS::ApiGatewayV2::DomainName")
    assert len(domains) == bool(of(name)["DomainName"])
    for domain in domains.values():
        assert domain["DomainNameConfigurations"][0]["SecurityPolicy"] == "TLS_1_2"


# ----------------------------------------------------------------------------------------------------------- roles
def test_no_role_may_scan_and_only_tracing_knows_no_resource(name):
    for logical, role in resources(name, "AWS::IAM::Role").items():
        for policy in role.get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                actions = listed(statement["Action"])
                assert statement["Effect"] == "Allow"
                assert not [a for a in actions if "*" in a or a.endswith("Scan")], (logical, actions)
                assert not {"NotAction", "NotResource"} & statement.keys()
                if "*" in listed(statement["Resource"]):
                    assert set(actions) <= {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}, (logical, actions)


def test_functions_have_a_role_each_without_managed_policies(name):
    for stem in FUNCTIONS:
        role = resources(name, "AWS::IAM::Role")[f"{stem}Role"]
        assert "ManagedPolicyArns" not in role
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust == {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}


def test_who_mails_may_do_so_as_mail_from_alone(name):
    senders = set()
    for stem in FUNCTIONS:
        for statement in statements(name, stem):
            if any(action.startswith("ses:") for action in listed(statement["Action"])):
                senders.add(stem)
                assert statement["Action"] == "ses:SendEmail"
                assert statement["Condition"] == {"StringEquals": {"ses:FromAddress": of(name)["MailFrom"]}}
    assert senders == {"Validate", "Complete"}


def test_the_pipe_reads_one_stream_and_puts_one_kind_of_event():
    for name in ("events published", "own table, encrypted, events on an existing bus"):
        stream = of(name)["AccountsStreamArn"] or {"Fn::GetAtt": ["AccountsTable", "StreamArn"]}
        bus = f"arn:aws:events:{template.REGION}:{template.ACCOUNT}:event-bus/default"
        bus = bus if of(name)["PasswordResetBus"] else {"Fn::GetAtt": ["PasswordResetEvents", "Arn"]}
        by_action = {listed(s["Action"])[0]: s for s in statements(name, "PasswordResets")}
        assert by_action["dynamodb:DescribeStream"]["Resource"] == stream
        put = by_action["events:PutEvents"]
        assert put["Resource"] == bus
        assert put["Condition"] == {"StringEquals": {"events:source": "rekey", "events:detail-type": "PasswordReset"}}
        (pipe,) = resources(name, "AWS::Pipes::Pipe").values()
        assert (pipe["Source"], pipe["Target"]) == (stream, bus)
        text = pipe["TargetParameters"]["InputTemplate"]
        # Account, time, end of sessions; the row's hash must never travel.
        kind = of(name)["AccountsKeyType"]
        key, changed = of(name)["AccountsKey"], of(name)["AccountsPasswordChangedAt"]
        assert set(re.findall(r"<([^>]+)>", text)) == {
            f"$.dynamodb.Keys.{key}.{kind}",
            "$.dynamodb.ApproximateCreationDateTime",
            f"$.dynamodb.NewImage.{changed}.N",
        }
        assert json.loads(re.sub(r"<[^>]+>", "0", text)).keys() == {"account", "time", "sessions_valid_after"}
        (pattern,) = pipe["SourceParameters"]["FilterCriteria"]["Filters"]
        assert json.loads(pattern["Pattern"])["eventName"] == ["MODIFY"]
    assert not resources("default", "AWS::Pipes::Pipe")


# ------------------------------------------------------------------------------------------------------------ mail
def test_mail_travels_encrypted_and_its_links_untouched(name):
    configurations = resources(name, "AWS::SES::ConfigurationSet")
    existing = of(name)["MailConfigurationSet"]
    assert len(configurations) == (0 if existing else 1)
    for configuration in configurations.values():
        assert configuration["DeliveryOptions"] == {"TlsPolicy": "REQUIRE"}
        assert configuration["SuppressionOptions"] == {"SuppressedReasons": ["BOUNCE", "COMPLAINT"]}
    for destination in resources(name, "AWS::SES::ConfigurationSetEventDestination").values():
        # SES would rewrite the links to count these.
        assert not {"OPEN", "CLICK"} & set(destination["EventDestination"]["MatchingEventTypes"])


def test_the_identity_is_the_one_asked_for(name):
    identities = [i["EmailIdentity"] for i in resources(name, "AWS::SES::EmailIdentity").values()]
    expected = {"address": ["no-reply@example.com"], "domain": ["example.com"], "existing": []}
    assert identities == expected[of(name)["MailIdentity"]]


# -------------------------------------------------------------------------------------------------------- watching
def emitted():
    """What the code emits: metric -> (sets of dimensions, values of the second dimension by function)."""
    text = (template.ROOT / "shared/src/telemetry.rs").read_text()
    assert 'NAMESPACE: &str = "Rekey"' in text
    metrics = {}
    for head, fields in re.findall(r"dimension_sets = (\[\[.*?\]\])[^\n]*\n.*?pub struct \w+ \{(.*?)\n\}", text, re.DOTALL):
        dimensions = {tuple(d) for d in json.loads(head)}
        for field in re.findall(r"#\[metrics\(unit = \w+\)\]\s+(\w+):", fields):
            metrics["".join(part.capitalize() for part in field.split("_"))] = dimensions
    assert metrics.keys() == {"Calls", "ColdStarts", "Latency", "Mails", "MailLatency"}
    return metrics


def refusals():
    text = (template.ROOT / "shared/src/http/problem.rs").read_text()
    codes = re.search(r"const fn code\(.*?\n    \}", text, re.DOTALL)[0]
    return set(re.findall(r'=> "(\w+)"', codes))


def outcomes(function):
    found = set()
    for file in (template.ROOT / "functions" / function / "src").glob("*.rs"):
        found |= set(re.findall(r'Done::new\(\s*"(\w+)"', file.read_text()))
    assert found, function
    return found | refusals()


def mail_outcomes():
    text = (template.ROOT / "shared/src/telemetry.rs").read_text()
    return set(re.findall(r'MailOutcome::\w+(?:\(\w+\))? => \("(\w+)"', text))


def watched(name):
    """Each metric that an alarm or the dashboard names: namespace, metric, dimensions."""
    for alarm in resources(name, "AWS::CloudWatch::Alarm").values():
        single = [alarm] if "MetricName" in alarm else []
        for metric in single + [m["MetricStat"]["Metric"] for m in alarm.get("Metrics", []) if "MetricStat" in m]:
            yield metric["Namespace"], metric["MetricName"], {d["Name"]: d["Value"] for d in metric["Dimensions"]}
    (dashboard,) = resources(name, "AWS::CloudWatch::Dashboard").values()
    body = dashboard["DashboardBody"]["Fn::Sub"]
    for widget in json.loads(body if isinstance(body, str) else body[0])["widgets"]:
        for metric in widget["properties"]["metrics"]:
            namespace, metric_name, *rest = [part for part in metric if isinstance(part, str)]
            yield namespace, metric_name, dict(zip(rest[::2], rest[1::2], strict=True))


def test_what_is_watched_is_what_the_code_emits(name):
    metrics = emitted()
    ours = [(metric, dimensions) for namespace, metric, dimensions in watched(name) if namespace == "Rekey"]
    assert len(ours) > 20
    for metric, dimensions in ours:
        assert tuple(dimensions) in metrics[metric], (metric, dimensions)
        function = dimensions["Function"]
        if "Outcome" in dimensions:
            assert dimensions["Outcome"] in outcomes(function), dimensions
        if "MailOutcome" in dimensions:
            assert function in ("validate", "complete")
            assert dimensions["MailOutcome"] in mail_outcomes(), dimensions


def test_every_refusal_and_every_mail_is_on_the_dashboard():
    shown = [d for namespace, _, d in watched("default") if namespace == "Rekey"]
    assert refusals() <= {d.get("Outcome") for d in shown}
    assert mail_outcomes() == {d["MailOutcome"] for d in shown if "MailOutcome" in d}
    done = {"request_opened", "mail_requested", "token_live", "password_set"}
    assert done <= {d.get("Outcome") for d in shown}


def test_every_alarm_tells_somebody_what_to_do(name):
    alarms = resources(name, "AWS::CloudWatch::Alarm")
    topic = of(name)["AlarmTopicArn"] or {"Ref": "AlarmTopic"}
    for logical, alarm in alarms.items():
        assert alarm["AlarmActions"] == [topic], logical
        assert alarm["OKActions"] == [topic], logical
        assert alarm["TreatMissingData"] == "notBreaching", logical
        assert len(alarm["AlarmDescription"]) > 80, logical
    watches = {
        *[f"{f}ErrorsAlarm" for f in FUNCTIONS],
        *[f"{f}LatencyAlarm" for f in FUNCTIONS],
        *["ApiErrorsAlarm", "MailFailuresAlarm", "BounceRateAlarm", "ComplaintRateAlarm", "ThrottlesAlarm"],
        *["DynamoDbErrorsAlarm", "DynamoDbThrottlesAlarm", "BadTokensAlarm"],
    }
    events = {"PasswordResetsLostAlarm", "PasswordResetsStuckAlarm"}
    assert alarms.keys() == watches | (events if of(name)["PublishPasswordResets"] == "true" else set())
