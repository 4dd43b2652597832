"""The roles that the template makes, the pipe's and the mail's side of them, as they are written.

What the functions' roles allow when they are used is in test_least_privilege.py.
"""

import json
import re

import template
from resolved import FUNCTIONS, listed, resources, statements
from sets import of


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
    assert senders == {"Mail"}


def test_who_looks_accounts_up_by_their_address_is_the_mail_function_and_who_answers_trusted_callers(name):
    queries = {stem for stem in FUNCTIONS for s in statements(name, stem) if s["Action"] == "dynamodb:Query"}
    indexed, keyed = of(name)["AccountsEmailIndex"], of(name)["ApiKeys"]
    assert queries == ({"Mail"} if indexed else set()) | ({"Validate"} if indexed and keyed else set())


def test_every_read_of_accounts_names_its_attributes_and_the_hash_is_completes_alone(name):
    reads = 0
    password_hash, changed_at = of(name)["AccountsPasswordHash"], of(name)["AccountsPasswordChangedAt"]
    for stem in FUNCTIONS:
        for statement in statements(name, stem, "accounts"):
            if statement["Action"] in ("dynamodb:GetItem", "dynamodb:Query"):
                reads += 1
                condition = statement["Condition"]
                named = condition["ForAllValues:StringEquals"]["dynamodb:Attributes"]
                assert (password_hash in named) is (stem == "Complete")
                # No request without a projection names it: it is no key's, or not the one that the index is asked for.
                asked = of(name)["AccountsKey"] if statement["Action"] == "dynamodb:Query" else changed_at
                assert condition["ForAnyValue:StringEquals"] == {"dynamodb:Attributes": [asked]}
                assert condition["StringEqualsIfExists"] == {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"}
    assert reads >= 3


def test_what_is_required_of_an_account_may_be_read_wherever_one_is():
    name = "own table, active accounts alone, trusted callers"
    for stem in ("Validate", "Complete", "Mail"):
        for statement in statements(name, stem, "accounts"):
            if statement["Action"] == "dynamodb:Query":
                # An index tells the key alone.
                continue
            assert "status" in statement["Condition"]["ForAllValues:StringEquals"]["dynamodb:Attributes"]


def test_the_pipe_reads_one_stream_and_puts_one_kind_of_event():
    for name in ("events published", "own table, encrypted, events on an existing bus"):
        stream = {"Fn::GetAtt": ["TokensTable", "StreamArn"]}
        bus = f"arn:aws:events:{template.REGION}:{template.ACCOUNT}:event-bus/default"
        bus = bus if of(name)["PasswordResetBus"] else {"Fn::GetAtt": ["PasswordResetEvents", "Arn"]}
        by_action = {listed(s["Action"])[0]: s for s in statements(name, "PasswordResets")}
        assert by_action["dynamodb:DescribeStream"]["Resource"] == stream
        put = by_action["events:PutEvents"]
        assert put["Resource"] == bus
        assert put["Condition"] == {"StringEquals": {"events:source": "rekey", "events:detail-type": "PasswordReset"}}
        (pipe,) = resources(name, "AWS::Pipes::Pipe").values()
        assert (pipe["Source"], pipe["Target"]) == (stream, bus)
        # Account, time, end of sessions; the address must not travel. A pipe puts text where the placeholder stands, so all
        # that is no number to it needs quotation marks, and DynamoDB's own numbers are text.
        image = {"account": f"$.dynamodb.NewImage.account.{of(name)['AccountsKeyType']}"}
        image["sessions_valid_after"] = "$.dynamodb.NewImage.changed_at.N"
        text = pipe["TargetParameters"]["InputTemplate"]
        time = "<$.dynamodb.ApproximateCreationDateTime>"
        assert text.count(time) == 1 and f'"{time}"' not in text
        told = json.loads(text.replace(time, "0"))
        assert told == {"time": 0} | {field: f"<{path}>" for field, path in image.items()}
        (pattern,) = pipe["SourceParameters"]["FilterCriteria"]["Filters"]
        row = {"Keys": {"pk": {"S": [{"prefix": "order#"}]}}, "NewImage": {"kind": {"S": ["changed"]}}}
        assert json.loads(pattern["Pattern"]) == {"eventName": ["INSERT"], "dynamodb": row}
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
        types = destination["EventDestination"]["MatchingEventTypes"]
        assert types and not {"open", "click"} & {kind.lower() for kind in types}
        # Which CloudFormation refused in capitals.
        assert all(kind[0].islower() for kind in types)


def test_the_identity_is_the_one_asked_for(name):
    identities = [i["EmailIdentity"] for i in resources(name, "AWS::SES::EmailIdentity").values()]
    expected = {"address": ["no-reply@example.com"], "domain": ["example.com"], "existing": []}
    assert identities == expected[of(name)["MailIdentity"]]
