"""Least privilege: with the credentials of its role, each function can make the calls that it needs, and no others.

The template is deployed into moto with policies enforced, and the real functions run in it. Mails are ordered through the
table's stream, which is read with the mail function's role. Conditions on KMS keys (kms:ViaService) and the role of the event pipe
are not evaluated here, but checked in test_template.py and test_roles.py.
"""

import copy
import json

import pytest

import aws as cloud
import calls
import policies
import sets
from deployment import Deployment
from functions import NAMES
from journey import WALKS, Stopped, walk


pytestmark = pytest.mark.functions


@pytest.fixture(scope="module")
def aws():
    server = cloud.Aws()
    yield server
    server.close()


# Each deployment's tests run in one process, so that it is made once.
@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=pytest.mark.xdist_group(name))
        for name in ("default", "single table, trusted callers", "key made from the address")
    ],
    ids=lambda name: name.partition(",")[0].replace(" ", "_"),
)
def deployment(aws, request):
    deployed = Deployment(aws, sets.of(request.param))
    yield deployed
    deployed.close()


@pytest.fixture(scope="module")
def journeys(deployment):
    """The decisions on all calls of complete resets."""
    cloud.decisions.clear()
    for journey in WALKS:
        journey(deployment)
    return list(cloud.decisions)


# ------------------------------------------------------------------------------------------------------ allowed calls
def test_complete_resets_succeed_without_a_denied_call(deployment, journeys):
    made = {(decision.role, decision.allowed) for decision in journeys}
    assert made == {(role, True) for role in deployment.roles.values()}


def test_a_stack_with_the_operators_table_uses_that_table(deployment):
    name = deployment.parameters["AccountsTableName"]
    assert ("AccountsTable" in deployment.physical) is not bool(name)
    assert deployment.accounts == (name or deployment.physical["AccountsTable"])


# ------------------------------------------------------------------------------------------------------- denied calls
def rows(operations, *kinds):
    return {f"{operation} tokens {kind}" for operation in operations for kind in kinds}


LIMITS = ("limit reset-ip", "limit bad-token-ip", "limit password-check-ip", "limit mail")
READ = ("GetItem", "TransactGetItems")
PUT = ("PutItem", "TransactWriteItems Put")
UPDATE = ("UpdateItem", "TransactWriteItems Update")
DELETE = ("DeleteItem", "TransactWriteItems Delete")


def reads_of_account(*projections):
    operations = ("GetItem accounts of", "TransactGetItems accounts of", "GetItem accounts AttributesToGet")
    return {f"{operation} {projection}" for operation in operations for projection in projections}


# All operations on the tables that each function may make. To the policies, a transaction of one item is mostly the same as the item.
# The rows that are put have the attributes of their kind: only mail can create a reset token.
ALLOWED = {
    "reset": rows(READ, "warm-up", "limit reset-ip") | rows(PUT, "request") | rows(UPDATE, "limit reset-ip"),
    "validate": rows(READ, "request", "reset", "order", "warm-up", *LIMITS)
    | rows(PUT, "request", "order", "limit mail")
    | rows(UPDATE, "request", "order", "limit mail", "limit bad-token-ip", "limit reset-ip")
    | reads_of_account("own", "own and profile")
    | {"Query index of key"},
    "complete": rows(READ, "reset", "warm-up", *LIMITS)
    | rows(["TransactWriteItems Delete"], "reset", "order")
    | rows(["TransactWriteItems Put"], "order")
    | rows(UPDATE, "limit bad-token-ip", "limit password-check-ip")
    | reads_of_account("own", "own and hash")
    | {f"TransactWriteItems Update sets hash{what}" for what in (" and time", " and time if address", "")},
    "mail": rows(READ, "warm-up")
    | rows(PUT, "reset")
    | rows(UPDATE, "order")
    | reads_of_account("own", "own and language")
    | {"Query index of key"},
}


def allowed_to(function, deployment):
    p, allowed = deployment.parameters, set(ALLOWED[function])
    if function == "complete" and p["AccountsConditions"]:
        allowed.add("TransactWriteItems Update sets hash if condition")
    # Where keys are not made from addresses, any row may be an account's, and so any value of the index an address.
    if function != "reset" and not p["AccountsKeyValue"]:
        allowed.add("GetItem other row of the accounts")
    if not p["AccountsEmailIndexValue"]:
        allowed |= {"Query index elsewhere"} & ALLOWED[function]
    return allowed


@pytest.mark.parametrize("function", NAMES)
def test_each_function_may_make_only_its_own_operations_on_the_tables(deployment, function):
    client = deployment.client("dynamodb", function)
    tried = calls.dynamodb(deployment)
    allowed = {name for name, call in tried.items() if cloud.is_allowed(lambda: call(client))}
    assert len(tried) > 180
    assert allowed == allowed_to(function, deployment) & tried.keys()
    if function == "reset":
        assert not [name for name in allowed if "accounts" in name]
    if function != "complete":
        assert not [name for name in allowed if "hash" in name]


def test_an_extra_permission_is_detected(deployment):
    role, client = deployment.roles["reset"], deployment.client("dynamodb", "reset")
    tried = {name: call for name, call in calls.dynamodb(deployment).items() if "accounts" in name or "Scan" in name}
    for action in ("Scan", "GetItem", "DescribeTable", "PartiQLSelect"):
        statement = {"Effect": "Allow", "Action": f"dynamodb:{action}", "Resource": "*"}
        document = {"Version": "2012-10-17", "Statement": [statement]}
        deployment.iam.put_role_policy(RoleName=role, PolicyName="extra", PolicyDocument=json.dumps(document))
        allowed = {name for name, call in tried.items() if cloud.is_allowed(lambda: call(client))}
        deployment.iam.delete_role_policy(RoleName=role, PolicyName="extra")
        assert any(action.removeprefix("PartiQL") in name for name in allowed), action


@pytest.mark.parametrize("function", NAMES)
def test_only_the_mail_function_may_send_and_only_as_mail_from(deployment, function):
    def client(service):
        return deployment.client(service, function)

    tried = calls.mail(deployment)
    allowed = {name for name, call in tried.items() if cloud.is_allowed(lambda: call(client))}
    assert allowed == ({"SendEmail", "SendEmail own set", "SendEmail v1"} if function == "mail" else set())


@pytest.mark.parametrize("function", NAMES)
def test_no_function_may_call_other_services(deployment, function):
    def client(service):
        return deployment.client(service, function)

    tried = calls.elsewhere(deployment, function)
    allowed = {name for name, call in tried.items() if cloud.is_allowed(lambda: call(client))}
    outbox = {"sqs SendMessage lost", "streams DescribeStream", "streams GetShardIterator", "streams GetRecords"}
    assert allowed == {"logs CreateLogStream own", "logs PutLogEvents own"} | (outbox if function == "mail" else set())


def test_a_denied_item_denies_the_whole_transaction(deployment):
    client = deployment.client("dynamodb", "complete")
    delete = {"Delete": {"TableName": deployment.tokens, "Key": {"pk": {"S": "reset#x"}}}}
    forbidden = {"Put": {"TableName": deployment.tokens, "Item": {"pk": {"S": "reset#y"}} | calls.ROWS["reset"]}}
    assert cloud.is_allowed(lambda: client.transact_write_items(TransactItems=[delete]))
    assert not cloud.is_allowed(lambda: client.transact_write_items(TransactItems=[delete, forbidden]))


# ---------------------------------------------------------------------------------------------- no needless permission
def removals(document):
    """Yields the document with one part removed: a statement, or one of several actions, resources or condition values."""
    for index, statement in enumerate(document["Statement"]):
        if "logs:PutLogEvents" in statement["Action"]:
            # Lambda itself writes the logs, not the function.
            continue

        def changed(change, index=index):
            copied = copy.deepcopy(document)
            change(copied["Statement"], index)
            return copied

        yield f"statement {statement['Action']}", changed(lambda all_, i: all_.pop(i))
        lists = [(key,) for key in ("Action", "Resource")]
        lists += [("Condition", op, key) for op, keys in statement.get("Condition", {}).items() for key in keys]
        for path in lists:
            values = _at(statement, path)
            for value in sorted(set(values)) if isinstance(values, list) else []:
                if set(values) != {value}:
                    keep = [v for v in values if v != value]
                    yield f"{'/'.join(path)} {value}", changed(lambda all_, i: _put(all_[i], path, keep))


def _at(value, path):
    for key in path:
        value = value[key]
    return value


def _put(value, path, new):
    _at(value, path[:-1])[path[-1]] = new


@pytest.mark.parametrize("function", NAMES)
def test_every_part_of_the_policies_is_needed(deployment, journeys, function):
    """A part is needed if the function makes a call in a journey that is denied without it."""
    documents = policies_of(deployment, function)
    asked = {decision.request for decision in journeys if decision.role == deployment.roles[function]}
    parts = [(what, without) for document in documents for what, without in removals(document)]
    needless = {what for what, without in parts if all(map(policies.Policies([without]).allow, asked))}
    assert len(documents) == 1 and len(parts) >= {"reset": 3, "validate": 12, "complete": 10, "mail": 8}[function]
    unused = UNUSED.get(function, set())
    if function == "complete":
        stored = {"account_sort": "AccountsSortKey", "country": "OriginSecrets"}
        needless_names = [name for name, parameter in stored.items() if not deployment.parameters[parameter]]
        unused = unused | {f"Condition/ForAllValues:StringEquals/dynamodb:Attributes {name}" for name in needless_names}
    assert needless == unused


def policies_of(deployment, function):
    role = deployment.roles[function]
    names = deployment.iam.list_role_policies(RoleName=role)["PolicyNames"]
    return [deployment.iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names]


def test_a_journey_stops_without_a_needed_permission(deployment, journeys):
    role, (document,) = deployment.roles["complete"], policies_of(deployment, "complete")
    without = {what: changed for what, changed in removals(document)}["statement dynamodb:DeleteItem"]
    deployment.iam.put_role_policy(RoleName=role, PolicyName="complete", PolicyDocument=json.dumps(without))
    with pytest.raises(Stopped, match="complete"):
        walk(deployment)
    deployment.iam.put_role_policy(RoleName=role, PolicyName="complete", PolicyDocument=json.dumps(document))
    walk(deployment)


# Permissions that no journey needs: AWS requires ListStreams for reading a stream, but does not document when Lambda calls it.
UNUSED = {"mail": {"statement dynamodb:ListStreams"}}


# ------------------------------------------------------------------------------------------------ tests of policies.py
def decide(statement, action="dynamodb:GetItem", resource="table/t", **context):
    document = {"Statement": [{"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": "table/t"} | statement]}
    context = {key.replace("_", ":"): value for key, value in context.items()}
    return policies.Policies([document]).allow(policies.Request(action, resource, (context,)))


def test_policies_are_evaluated_as_aws_documents():
    assert decide({})
    assert not decide({}, action="dynamodb:PutItem")
    assert not decide({}, resource="table/t/index/i")
    assert decide({"Action": ["DynamoDB:get*"]})
    assert not decide({"Effect": "Deny"})
    every = {"Condition": {"ForAllValues:StringLike": {"d:k": ["a#*", "b#*"]}}}
    assert decide(every, d_k=["a#1", "b#2"])
    assert not decide(every, d_k=["a#1", "c#2"])
    assert decide(every), "ForAllValues is true without values"
    one = {"Condition": {"ForAnyValue:StringEquals": {"d:k": ["a"]}}}
    assert decide(one, d_k=["a"])
    assert not decide(one, d_k=["b"])
    assert not decide(one)
    plain = {"Condition": {"StringEquals": {"d:k": "a*"}}}
    assert not decide(plain, d_k=["ab"])
    assert not decide(plain)
    assert decide({"Condition": {"StringEqualsIfExists": {"d:k": "a"}}})
    assert not decide({"Condition": {"StringEqualsIfExists": {"d:k": "a"}}}, d_k=["b"])
    both = {"Condition": {"StringEquals": {"d:k": "a"}, "StringLike": {"d:l": "b*"}}}
    assert decide(both, d_k=["a"], d_l=["bc"])
    assert not decide(both, d_k=["a"], d_l=["c"])


def test_a_deny_overrides_any_allow():
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    deny = {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}
    combined = policies.Policies([{"Statement": [allow]}, {"Statement": [deny]}])
    assert combined.allow(policies.Request("ses:SendEmail", "x"))
    assert not combined.allow(policies.Request("s3:GetObject", "x"))
