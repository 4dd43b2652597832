"""AWS on this machine: moto's server, with policies enforced as AWS documents it.

moto's own enforcement stops at the action: it sees every call to DynamoDB and SES on resource `*`, gives condition keys no
values and takes a condition that does not hold for a denial. So what a call asks for (`requests_of`) and whether policies
allow it (`Policies`) is worked out here, from the Service Authorization Reference; signatures, credentials and everything
after the decision are moto's.

Where AWS's documentation leaves open what a condition key holds, all readings are tried, and a call is allowed only if it is
under each of them: see `_write_contexts`.
"""

import fnmatch
import json
import logging
import os
import re
from dataclasses import dataclass, field

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError
from moto import settings
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.exceptions import JsonRESTError
from moto.dynamodb.models import dynamodb_backends
from moto.iam.access_control import IAMRequestBase
from moto.iam.models import Role
from moto.logs.models import LogGroup
from moto.moto_api._internal import moto_api_backend
from moto.server import ThreadedMotoServer
from moto.ses.models import ses_backends

from template import REGION

ACCOUNT = DEFAULT_ACCOUNT_ID


# ---------------------------------------------------------------------------------------------------- policies
class Policies:
    """Identity policies without permission boundaries: an Allow that fits, and no Deny that fits."""

    def __init__(self, documents):
        self.statements = [s for document in documents for s in _listed(document["Statement"])]

    def allow(self, request):
        return all(self._decide(request, context) for context in request.contexts)

    def _decide(self, request, context):
        fitting = [s for s in self.statements if _fits(s, request, context)]
        return any(s["Effect"] == "Allow" for s in fitting) and all(s["Effect"] == "Allow" for s in fitting)


@dataclass(frozen=True)
class Request:
    """One action on one resource, under every reading of its condition keys (key: list of values)."""

    action: str
    resource: str
    contexts: tuple = field(default=({},), hash=False)


def _listed(value):
    return value if isinstance(value, list) else [value]


def _glob(pattern, value, fold=False):
    # fnmatch would give brackets a meaning, which they do not have in policies.
    pattern = pattern.replace("[", "[[]")
    return fnmatch.fnmatchcase(value.lower(), pattern.lower()) if fold else fnmatch.fnmatchcase(value, pattern)


def _fits(statement, request, context):
    # NotAction, NotResource and Principal are not known here: a policy that uses one must fail a test, not pass it.
    assert statement.keys() <= {"Sid", "Effect", "Action", "Resource", "Condition"}, statement
    return (
        any(_glob(pattern, request.action, fold=True) for pattern in _listed(statement["Action"]))
        and any(_glob(pattern, request.resource) for pattern in _listed(statement["Resource"]))
        and all(
            _condition(operator, context.get(key), _listed(expected))
            for operator, keys in statement.get("Condition", {}).items()
            for key, expected in keys.items()
        )
    )


_COMPARE = {"StringEquals": lambda pattern, value: pattern == value, "StringLike": _glob}


def _condition(operator, values, expected):
    quantifier, _, name = operator.rpartition(":")
    if_exists = name.endswith("IfExists")
    compare = _COMPARE[name.removesuffix("IfExists")]
    if values is None:
        # A set operator's ForAllValues is true of no values at all.
        return if_exists or quantifier == "ForAllValues"
    matches = [any(compare(pattern, value) for pattern in expected) for value in values]
    if quantifier == "ForAllValues":
        return all(matches)
    if quantifier == "ForAnyValue":
        return any(matches)
    assert len(values) == 1, f"{operator} on several values"
    return matches[0]


# ------------------------------------------------------------------------------------- what a call asks for
def requests_of(action, body):
    """The requests that IAM decides upon when `action` is called with `body`."""
    action = _NAMES.get(action, action)
    service, operation = action.split(":")
    if service == "dynamodb":
        return list(_dynamodb(operation, body))
    if service == "ses":
        return list(_ses(operation, body))
    if service == "logs" and "logStreamName" in body:
        group, stream = body["logGroupName"], body["logStreamName"]
        return [Request(action, f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:log-stream:{stream}")]
    return [Request(action, "*")]


# Where moto names an action after its path or its operation, and IAM does not.
_NAMES = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "monitoring:PutMetricData": "cloudwatch:PutMetricData",
    "xray:TelemetryRecords": "xray:PutTelemetryRecords",
    "xray:TraceSegments": "xray:PutTraceSegments",
    "xray:TraceSummaries": "xray:GetTraceSummaries",
}

_ITEM_ACTIONS = {
    "Get": "GetItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}


def _dynamodb(operation, body):
    if operation in ("TransactWriteItems", "TransactGetItems"):
        # A transaction has no action of its own: each of its items is decided upon as if it came alone.
        items = [(kind, item) for entry in body["TransactItems"] for kind, item in entry.items()]
        tables = {item["TableName"] for _, item in items}
        keys = {t: [k for _, i in items if i["TableName"] == t for k in _leading_keys(i)] for t in tables}
        for kind, item in items:
            contexts = _write_contexts(item, keys[item["TableName"]], operation)
            yield Request(f"dynamodb:{_ITEM_ACTIONS[kind]}", _table(item["TableName"]), contexts)
    elif operation == "BatchGetItem":
        for table, request in body["RequestItems"].items():
            keys = [value for key in request["Keys"] for value in _values_of_key(table, key)]
            yield Request("dynamodb:BatchGetItem", _table(table), ({"dynamodb:LeadingKeys": keys},))
    elif operation == "BatchWriteItem":
        for table, writes in body["RequestItems"].items():
            rows = [r.get("Item", r.get("Key")) for write in writes for r in write.values()]
            keys = [value for row in rows for value in _values_of_key(table, row)]
            yield Request("dynamodb:BatchWriteItem", _table(table), ({"dynamodb:LeadingKeys": keys},))
    elif operation in ("ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"):
        for statement in body.get("Statements", body.get("TransactStatements", [body])):
            verb, table = re.match(r"\s*(\w+).*?\"([\w.-]+)\"", statement["Statement"], re.DOTALL).groups()
            yield Request(f"dynamodb:PartiQL{verb.capitalize()}", _table(table))
    elif "TableName" in body:
        resource = _table(body["TableName"]) + (f"/index/{body['IndexName']}" if "IndexName" in body else "")
        yield Request(f"dynamodb:{operation}", resource, _write_contexts(body, _leading_keys(body), None))
    else:
        yield Request(f"dynamodb:{operation}", body.get("ResourceArn", "*"))


def _write_contexts(item, keys_of_call, enclosing):
    """Two things are open: whether an item of a transaction comes with its own leading keys or with those of all items on
    its table, and whether dynamodb:ReturnValues is there when the call does not name it. Both ways, each."""
    context = {"dynamodb:Attributes": sorted(_attributes(item))}
    if enclosing:
        context["dynamodb:EnclosingOperation"] = [enclosing]
    own = _leading_keys(item)
    contexts = []
    for keys in [own] if own == keys_of_call else [own, keys_of_call]:
        with_keys = context | ({"dynamodb:LeadingKeys": keys} if keys else {})
        if "ReturnValues" in item:
            contexts.append(with_keys | {"dynamodb:ReturnValues": [item["ReturnValues"]]})
        else:
            contexts += [with_keys, with_keys | {"dynamodb:ReturnValues": ["NONE"]}]
    return tuple(contexts)


def _table(name):
    return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"


def _partition_key(table, index=None):
    known = dynamodb_backends[ACCOUNT][REGION].tables.get(table)
    if known is None:
        return None
    if index is None:
        return known.hash_key_attr
    schemas = [i.schema for i in known.global_indexes if i.name == index]
    return schemas[0][0]["AttributeName"] if schemas else None


def _values_of_key(table, row):
    value = row.get(_partition_key(table))
    return list(value.values()) if value else []


def _leading_keys(item):
    if "KeyConditionExpression" in item:
        name = _partition_key(item["TableName"], item.get("IndexName"))
        expression = _named(item, "KeyConditionExpression")
        found = re.search(rf"(?<![\w#]){re.escape(name)}\s*=\s*(:\w+)", expression) if name else None
        return list(item["ExpressionAttributeValues"][found[1]].values()) if found else []
    return _values_of_key(item["TableName"], item.get("Key") or item.get("Item") or {})


def _named(item, expression):
    names = item.get("ExpressionAttributeNames", {})
    return re.sub(r"#\w+", lambda match: names[match[0]], item.get(expression, ""))


_WORDS = {"SET", "REMOVE", "ADD", "DELETE", "AND", "OR", "NOT", "IN", "BETWEEN"}
_FUNCTIONS = r"\b(attribute_not_exists|attribute_exists|attribute_type|begins_with|contains|size|if_not_exists|list_append)\b"


def _attributes(item):
    """The top-level attributes that a call names: its key or row, and all expressions."""
    names = set(item.get("Key", {})) | set(item.get("Item", {}))
    for expression in ("UpdateExpression", "ConditionExpression", "ProjectionExpression", "KeyConditionExpression", "FilterExpression"):
        text = re.sub(_FUNCTIONS, " ", re.sub(r":\w+", " ", _named(item, expression)))
        names |= {word for word in re.findall(r"[A-Za-z_][\w-]*", text) if word not in _WORDS}
    return names


def _ses(operation, body):
    sender = body.get("FromEmailAddress") or body.get("Source", "")
    # SES v2 has one operation for all kinds of mail, but asks for the raw one's own action.
    raw = operation == "SendRawEmail" or "Raw" in body.get("Content", {})
    action = f"ses:{'SendRawEmail' if raw else operation}"
    if not operation.startswith("Send"):
        yield Request(action, "*")
        return
    verified = ses_backends[ACCOUNT][REGION].email_identities
    domain = sender.rpartition("@")[2]
    # The most specific verified identity decides; for an unverified sender, the address.
    identity = next((i for i in (sender, domain) if i in verified), sender)
    context = ({"ses:FromAddress": [sender]},)
    arn = f"arn:aws:ses:{REGION}:{ACCOUNT}"
    yield Request(action, f"{arn}:identity/{identity}", context)
    if body.get("ConfigurationSetName"):
        yield Request(action, f"{arn}:configuration-set/{body['ConfigurationSetName']}", context)


# ------------------------------------------------------------------------------------------------ moto, mended
class Denied(JsonRESTError):
    """Access denied, in the words of the services that speak JSON. moto answers in XML, which their SDKs cannot read."""

    code = 400

    def __init__(self, who, what):
        super().__init__("AccessDeniedException", f"{who} is not authorized to perform {what}")


@dataclass(frozen=True)
class Decision:
    role: str
    action: str
    resource: str
    allowed: bool


# Each decision on the calls of roles, in order.
decisions = []


def _check_action_permitted(self, _resource):
    """In place of moto's own."""
    if self._action == "sts:GetCallerIdentity":
        return
    body = _body_of(self)
    documents = [json.loads(p["policy_document"] if isinstance(p, dict) else p) for p in self._access_key.collect_policies()]
    policies = Policies(documents)
    denied = None
    for request in requests_of(self._action, body):
        allowed = policies.allow(request)
        if hasattr(self._access_key, "_owner_role_name"):
            decisions.append(Decision(self._access_key._owner_role_name, request.action, request.resource, allowed))
        denied = denied or (None if allowed else request)
    if denied and "json" in self._headers.get("Content-Type", ""):
        raise Denied(self._access_key.arn, denied.action)
    if denied:
        self._raise_access_denied()


def _is_form(request):
    """Whether the call is in the query protocol, of which moto has the parameters alone."""
    return "x-www-form-urlencoded" in request._headers.get("Content-Type", "")


def _body_of(request):
    if _is_form(request):
        return {key: value[0] if isinstance(value, list) else value for key, value in request._data.items()}
    try:
        return json.loads(request._body or "{}")
    except ValueError:
        # A file, or the binary protocol of a service that nobody here may call.
        return {}


def _as_text(document):
    if isinstance(document, dict):
        statements = [s for s in _listed(document["Statement"]) if s is not None]
        return json.dumps(document | {"Statement": statements})
    return document


def _mend():
    IAMRequestBase.check_action_permitted = _check_action_permitted

    # Of a call without a body, parameters of the path were taken for one, and the signature did not match.
    create_request = IAMRequestBase._create_aws_request

    def without_data(self):
        data = self._data
        self._data = data if _is_form(self) else b""
        try:
            return create_request(self)
        finally:
            self._data = data

    IAMRequestBase._create_aws_request = without_data

    # A role's inline policies that come through CloudFormation stay Python dicts where text belongs, and what
    # AWS::NoValue takes out of a list stays there as None.
    put_policy = Role.put_policy
    Role.put_policy = lambda self, name, document: put_policy(self, name, _as_text(document))
    # A log group's ARN ends in :* for CloudFormation, or no policy would reach its streams.
    arn = LogGroup.get_cfn_attribute
    LogGroup.get_cfn_attribute = lambda self, name: arn(self, name) + (":*" if name == "Arn" else "")


_mend()


# ------------------------------------------------------------------------------------------------------ server
class Aws:
    """A moto server in this process, on a free port of this machine. Everything in it is forgotten by `reset`."""

    def __init__(self):
        # Nothing outside of this process may lend us credentials.
        for name in [n for n in os.environ if n.startswith("AWS_")]:
            del os.environ[name]
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.endpoint = f"http://{host}:{port}"

    def reset(self):
        self.enforce(False)
        moto_api_backend.reset()
        decisions.clear()

    @staticmethod
    def enforce(on):
        settings.INITIAL_NO_AUTH_ACTION_COUNT = 0 if on else float("inf")

    def close(self):
        self._server.stop()

    def client(self, service, credentials=None):
        credentials = credentials or Credentials("AKIAOPERATOROPERATOR", "secret", None)
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=credentials.key,
            aws_secret_access_key=credentials.secret,
            aws_session_token=credentials.token,
            config=Config(retries={"max_attempts": 0}),
        )

    def operator(self):
        """Credentials of somebody who may do everything."""
        iam = self.client("iam")
        iam.create_user(UserName="operator")
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        iam.put_user_policy(UserName="operator", PolicyName="all", PolicyDocument=json.dumps(document))
        key = iam.create_access_key(UserName="operator")["AccessKey"]
        return Credentials(key["AccessKeyId"], key["SecretAccessKey"], None)

    def assume(self, role_arn, session):
        """What Lambda does before it starts a function."""
        given = self.client("sts").assume_role(RoleArn=role_arn, RoleSessionName=session)["Credentials"]
        return Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])

    @staticmethod
    def mails():
        return list(ses_backends[ACCOUNT][REGION].sent_messages)


@dataclass(frozen=True)
class Credentials:
    key: str
    secret: str
    token: str | None


def is_allowed(call):
    """Whether `call` gets past the policies, whatever becomes of it then."""
    before, failed = len(decisions), False
    try:
        call()
    except (ClientError, ResponseParserError):
        failed = True
    made = decisions[before:]
    assert made, "nobody was asked whether this is allowed"
    allowed = all(decision.allowed for decision in made)
    assert allowed or failed, "it was denied and happened all the same"
    return allowed
