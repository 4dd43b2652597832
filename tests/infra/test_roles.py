"""The roles in the template as written, the event pipe, and the SES resources.

test_least_privilege.py tests what the functions' roles allow.
"""

import json
import re

import template
from resolved import FUNCTIONS, listed, resources, role_of, statements
from sets import of


def test_no_role_may_scan_or_has_a_wildcard_resource(name):
    for logical, role in resources(name, "AWS::IAM::Role").items():
        for policy in role.get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                actions = listed(statement["Action"])
                assert statement["Effect"] == "Allow"
                assert not [a for a in actions if "*" in a or a.endswith("Scan")], (logical, actions)
                assert not {"NotAction", "NotResource"} & statement.keys()
                assert "*" not in listed(statement["Resource"]), (logical, actions)


def test_each_function_has_its_own_role_for_lambda(name):
    for stem in FUNCTIONS:
        role = role_of(name, stem)
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust == {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}


def test_only_the_mail_role_may_send_and_only_as_mail_from(name):
    senders = set()
    for stem in FUNCTIONS:
        for statement in statements(name, stem):
            if any(action.startswith("ses:") for action in listed(statement["Action"])):
                senders.add(stem)
                assert statement["Action"] == "ses:SendEmail"
                assert statement["Condition"] == {"StringEquals": {"ses:FromAddress": of(name)["MailFrom"]}}
    assert senders == {"Mail"}


def test_only_mail_and_for_trusted_callers_validate_may_query_the_index(name):
    queries = {stem for stem in FUNCTIONS for s in statements(name, stem) if s["Action"] == "dynamodb:Query"}
    indexed, keyed = of(name)["AccountsEmailIndex"], of(name)["ApiKeys"]
    assert queries == ({"Mail"} if indexed else set()) | ({"Validate"} if indexed and keyed else set())


def accounts(name, stem):
    return statements(name, stem, of(name)["AccountsTableName"] or "AccountsTable")


def test_every_read_of_accounts_is_limited_to_attributes_and_only_complete_reads_the_hash(name):
    reads = 0
    password_hash, changed_at = of(name)["AccountsPasswordHash"], of(name)["AccountsPasswordChangedAt"]
    for stem in FUNCTIONS:
        for statement in accounts(name, stem):
            if statement["Action"] in ("dynamodb:GetItem", "dynamodb:Query"):
                reads += 1
                condition = statement["Condition"]
                named = condition["ForAllValues:StringEquals"]["dynamodb:Attributes"]
                assert (password_hash in named) is (stem == "Complete")
                # A request without a projection does not name this attribute: it is not the key, or not the key of the index.
                asked = of(name)["AccountsKey"] if statement["Action"] == "dynamodb:Query" else changed_at
                assert condition["ForAnyValue:StringEquals"] == {"dynamodb:Attributes": [asked]}
                # Where the key is made from the address, other rows of the table are none of Rekey's business.
                made = of(name)["AccountsEmailIndexValue" if statement["Action"] == "dynamodb:Query" else "AccountsKeyValue"]
                rows = {"dynamodb:LeadingKeys": made.replace("{email}", "*")}
                assert condition.get("ForAllValues:StringLike") == (rows if made else None)
                assert condition["StringEqualsIfExists"] == {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"}
    assert reads >= 3


def test_the_attributes_of_conditions_may_be_read_with_every_account():
    name = "single table, trusted callers"
    for stem in ("Validate", "Complete", "Mail"):
        for statement in accounts(name, stem):
            named = set(statement["Condition"]["ForAllValues:StringEquals"]["dynamodb:Attributes"])
            if statement["Action"] == "dynamodb:Query":
                # The query returns only the key.
                assert named == {"PK", "SK", "GSI1PK"}
            else:
                assert named >= {"PK", "SK", "email", "status", "deleted_at"}


def test_the_pipe_reads_one_stream_and_puts_one_kind_of_event():
    for name in ("events published", "own table, encrypted, events on an existing bus"):
        stream = {"Fn::GetAtt": ["TokensTable", "StreamArn"]}
        bus = f"arn:aws:events:{template.REGION}:{template.ACCOUNT}:event-bus/default"
        bus = bus if of(name)["PasswordResetBus"] else {"Fn::GetAtt": ["Bus", "Arn"]}
        of_pipe = resources(name, "AWS::IAM::Role")["PipeRole"]["Policies"][0]["PolicyDocument"]["Statement"]
        by_action = {listed(s["Action"])[0]: s for s in of_pipe}
        assert by_action["dynamodb:DescribeStream"]["Resource"] == stream
        put = by_action["events:PutEvents"]
        assert put["Resource"] == bus
        assert put["Condition"] == {"StringEquals": {"events:source": "rekey", "events:detail-type": "PasswordReset"}}
        (pipe,) = resources(name, "AWS::Pipes::Pipe").values()
        assert (pipe["Source"], pipe["Target"]) == (stream, bus)
        # Account, time, end of sessions. A pipe inserts values as text, so everything but a JSON number
        # needs quotation marks, and DynamoDB JSON has numbers as strings.
        image = {"account": f"$.dynamodb.NewImage.account.{of(name)['AccountsKeyType']}"}
        if of(name)["AccountsSortKey"]:
            image["account_sort"] = f"$.dynamodb.NewImage.account_sort.{of(name)['AccountsSortKeyType']}"
        image["password_changed_at"] = "$.dynamodb.NewImage.changed_at.S"
        text = pipe["TargetParameters"]["InputTemplate"]
        time = "<$.dynamodb.ApproximateCreationDateTime>"
        assert text.count(time) == 1 and f'"{time}"' not in text
        event = json.loads(text.replace(time, "0"))
        assert event == {"time": 0} | {field: f"<{path}>" for field, path in image.items()}
        (pattern,) = pipe["SourceParameters"]["FilterCriteria"]["Filters"]
        row = {"Keys": {"pk": {"S": [{"prefix": "order#"}]}}, "NewImage": {"kind": {"S": ["changed"]}}}
        assert json.loads(pattern["Pattern"]) == {"eventName": ["INSERT"], "dynamodb": row}
    assert not resources("default", "AWS::Pipes::Pipe")


# ------------------------------------------------------------------------------------------------------------ mail
def test_mail_requires_tls_and_links_are_not_rewritten(name):
    configurations = resources(name, "AWS::SES::ConfigurationSet")
    existing = of(name)["MailConfigurationSet"]
    assert len(configurations) == (0 if existing else 1)
    for configuration in configurations.values():
        assert configuration["DeliveryOptions"] == {"TlsPolicy": "REQUIRE"}
        # After a complaint about a mail that a stranger asked for, a person must still get the mails that they ask for.
        assert configuration["SuppressionOptions"] == {"SuppressedReasons": ["BOUNCE"]}
    for destination in resources(name, "AWS::SES::ConfigurationSetEventDestination").values():
        # SES would rewrite the links to track these.
        types = destination["EventDestination"]["MatchingEventTypes"]
        assert types and not {"open", "click"} & {kind.lower() for kind in types}
        # CloudFormation rejected the spelling in capitals.
        assert all(kind[0].islower() for kind in types)
        # Its schema has these spellings, in which SES's own MESSAGE_TAG is missing.
        (dimension,) = destination["EventDestination"]["CloudWatchDestination"]["DimensionConfigurations"]
        assert dimension["DimensionValueSource"] in ("messageTag", "emailHeader", "linkTag")


def test_the_identity_follows_mail_identity(name):
    identities = [i["EmailIdentity"] for i in resources(name, "AWS::SES::EmailIdentity").values()]
    expected = {"address": ["no-reply@example.com"], "domain": ["example.com"], "existing": []}
    assert identities == expected[of(name)["MailIdentity"]]
