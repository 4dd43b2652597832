"""Evaluates IAM policies: the requests that a call makes, by the Service Authorization Reference, and whether policies allow them.

If AWS's documentation leaves open the value of a condition key, all readings are tried: see `_contexts`. The functions must work
with each reading, and what must be denied must be denied with each.
"""

import fnmatch
import re
from dataclasses import dataclass, field

from moto.core import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.ses.models import ses_backends

from template import REGION

ACCOUNT = DEFAULT_ACCOUNT_ID


# ---------------------------------------------------------------------------------------------------- policies
class Policies:
    """Identity policies without permissions boundaries: allows a request that matches an Allow and no Deny."""

    def __init__(self, documents):
        self.statements = [s for document in documents for s in listed(document["Statement"])]

    def allow(self, request):
        return all(self.readings(request))

    def readings(self, request):
        return [self._decide(request, context) for context in request.contexts]

    def _decide(self, request, context):
        matching = [s for s in self.statements if _matches(s, request, context)]
        return any(s["Effect"] == "Allow" for s in matching) and all(s["Effect"] == "Allow" for s in matching)


@dataclass(frozen=True)
class Request:
    """One action on one resource, with every reading of its condition keys (key: list of values)."""

    action: str
    resource: str
    contexts: tuple = field(default=({},), hash=False)


def listed(value):
    return value if isinstance(value, list) else [value]


def _glob(pattern, value, fold=False):
    # Brackets are special in fnmatch, but not in policies.
    pattern = pattern.replace("[", "[[]")
    return fnmatch.fnmatchcase(value.lower(), pattern.lower()) if fold else fnmatch.fnmatchcase(value, pattern)


def _matches(statement, request, context):
    # NotAction, NotResource and Principal are not supported: a policy that uses one must fail a test, not pass it.
    assert statement.keys() <= {"Sid", "Effect", "Action", "Resource", "Condition"}, statement
    return (
        any(_glob(pattern, request.action, fold=True) for pattern in listed(statement["Action"]))
        and any(_glob(pattern, request.resource) for pattern in listed(statement["Resource"]))
        and all(
            _condition(operator, context.get(key), listed(expected))
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
        # ForAllValues is true without any values.
        return if_exists or quantifier == "ForAllValues"
    matches = [any(compare(pattern, value) for pattern in expected) for value in values]
    if quantifier == "ForAllValues":
        return all(matches)
    if quantifier == "ForAnyValue":
        return any(matches)
    assert len(values) == 1, f"{operator} on several values"
    return matches[0]


# ------------------------------------------------------------------------------------ the requests of a call
def requests_of(action, body):
    """The requests that IAM authorizes when `action` is called with `body`."""
    action = _NAMES.get(action, action)
    service, operation = action.split(":")
    if service == "dynamodb":
        return list(_dynamodb(operation, body))
    if service == "ses":
        return list(_ses(operation, body))
    if service == "logs" and "logStreamName" in body:
        group, stream = body["logGroupName"], body["logStreamName"]
        return [Request(action, f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:log-stream:{stream}")]
    if service == "sqs" and "QueueUrl" in body:
        return [Request(action, f"arn:aws:sqs:{REGION}:{ACCOUNT}:{body['QueueUrl'].rsplit('/', 1)[1]}")]
    return [Request(action, "*")]


# moto's names of actions that differ from IAM's.
_NAMES = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "monitoring:PutMetricData": "cloudwatch:PutMetricData",
    "xray:TraceSegments": "xray:PutTraceSegments",
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
        # A transaction has no action of its own: IAM authorizes each of its items.
        items = [(kind, item) for entry in body["TransactItems"] for kind, item in entry.items()]
        tables = {item["TableName"] for _, item in items}
        keys = {t: [k for _, i in items if i["TableName"] == t for k in _leading_keys(i)] for t in tables}
        for kind, item in items:
            contexts = _contexts(_ITEM_ACTIONS[kind], item, keys[item["TableName"]], operation)
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
    elif operation in ("DescribeStream", "GetShardIterator", "GetRecords"):
        # An iterator begins with the ARN of its stream.
        stream = body.get("StreamArn") or body["ShardIterator"].partition("|")[0]
        yield Request(f"dynamodb:{operation}", stream)
    elif operation == "ListStreams":
        yield Request("dynamodb:ListStreams", _table(body.get("TableName", "*")) + "/stream/*")
    elif "TableName" in body:
        resource = _table(body["TableName"]) + (f"/index/{body['IndexName']}" if "IndexName" in body else "")
        yield Request(f"dynamodb:{operation}", resource, _contexts(operation, body, _leading_keys(body), None))
    else:
        yield Request(f"dynamodb:{operation}", body.get("ResourceArn", "*"))


_READS = ("GetItem", "Query", "Scan")


def _contexts(action, item, keys_of_call, enclosing):
    """The documentation leaves three things open: whether an item of a transaction has its own leading keys or those of all items
    on its table, whether dynamodb:ReturnValues is present if the call does not set it, and whether dynamodb:Select is present on
    reads that do not set it. Returns all combinations."""
    context = {"dynamodb:Attributes": sorted(_attributes(item))}
    if enclosing:
        context["dynamodb:EnclosingOperation"] = [enclosing]
    own = _leading_keys(item)
    key, value = ("dynamodb:Select", _selected(item)) if action in _READS else ("dynamodb:ReturnValues", "NONE")
    named = item.get(key.partition(":")[2])
    contexts = []
    for keys in [own] if own == keys_of_call else [own, keys_of_call]:
        with_keys = context | ({"dynamodb:LeadingKeys": keys} if keys else {})
        contexts += [with_keys | {key: [named]}] if named else [with_keys, with_keys | {key: [value]}]
    return tuple(contexts)


def _selected(item):
    """The default value of `Select`."""
    if "ProjectionExpression" in item or "AttributesToGet" in item:
        return "SPECIFIC_ATTRIBUTES"
    return "ALL_PROJECTED_ATTRIBUTES" if "IndexName" in item else "ALL_ATTRIBUTES"


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
    """The top-level attributes that a call names in its key or item and in all expressions."""
    names = set(item.get("Key", {})) | set(item.get("Item", {})) | set(item.get("AttributesToGet", []))
    for expression in ("UpdateExpression", "ConditionExpression", "ProjectionExpression", "KeyConditionExpression", "FilterExpression"):
        text = re.sub(_FUNCTIONS, " ", re.sub(r":\w+", " ", _named(item, expression)))
        names |= {word for word in re.findall(r"[A-Za-z_][\w-]*", text) if word not in _WORDS}
    return names


def _ses(operation, body):
    sender = body.get("FromEmailAddress") or body.get("Source", "")
    # SES v2 has one operation for all kinds of mail, but raw mail has its own action.
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
    # In the sandbox, SES also authorizes the recipients' identities.
    for recipient in body.get("Destination", {}).get("ToAddresses", []):
        yield Request(action, f"{arn}:identity/{recipient}", context)
    if body.get("ConfigurationSetName"):
        yield Request(action, f"{arn}:configuration-set/{body['ConfigurationSetName']}", context)
