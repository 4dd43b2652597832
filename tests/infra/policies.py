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
        effects = {s["Effect"] for s in self.statements if _matches(s, request, context)}
        return effects == {"Allow"}


@dataclass(frozen=True)
class Request:
    """One action on one resource, with every reading of its condition keys (key: list of values)."""

    action: str
    resource: str
    contexts: tuple = field(default=({},), hash=False)


def listed(value):
    return value if isinstance(value, list) else [value]


def _like(value, pattern):
    # Brackets are special in fnmatch, but not in policies.
    return fnmatch.fnmatchcase(value, pattern.replace("[", "[[]"))


def _matches(statement, request, context):
    # NotAction, NotResource and Principal are not supported: a policy that uses one must fail a test, not pass it.
    assert statement.keys() <= {"Sid", "Effect", "Action", "Resource", "Condition"}, statement
    # The names of actions are in any case.
    if not any(_like(request.action.lower(), pattern.lower()) for pattern in listed(statement["Action"])):
        return False
    if not any(_like(request.resource, pattern) for pattern in listed(statement["Resource"])):
        return False
    for operator, keys in statement.get("Condition", {}).items():
        for key, expected in keys.items():
            if not _condition(operator, context.get(key), listed(expected)):
                return False
    return True


def _condition(operator, values, expected):
    quantifier, _, name = operator.rpartition(":")
    if values is None:
        # ForAllValues is true without any values.
        return name.endswith("IfExists") or quantifier == "ForAllValues"
    name = name.removesuffix("IfExists")
    if name == "StringEquals":
        matches = [value in expected for value in values]
    else:
        assert name == "StringLike", operator
        matches = [any(_like(value, pattern) for pattern in expected) for value in values]
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
        yield from _transaction(operation, body["TransactItems"])
    elif operation == "BatchGetItem":
        for table, request in body["RequestItems"].items():
            yield _batch(operation, table, request["Keys"])
    elif operation == "BatchWriteItem":
        for table, writes in body["RequestItems"].items():
            requests = [request for write in writes for request in write.values()]
            yield _batch(operation, table, [request.get("Item") or request["Key"] for request in requests])
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


def _transaction(operation, entries):
    """A transaction has no action of its own: IAM authorizes each of its items."""
    items = [(kind, item) for entry in entries for kind, item in entry.items()]
    keys_by_table = {}
    for _, item in items:
        keys_by_table.setdefault(item["TableName"], []).extend(_leading_keys(item))
    for kind, item in items:
        action, table = _ITEM_ACTIONS[kind], item["TableName"]
        yield Request(f"dynamodb:{action}", _table(table), _contexts(action, item, keys_by_table[table], operation))


def _batch(operation, table, rows):
    keys = []
    for row in rows:
        keys += _values_of_key(table, row)
    return Request(f"dynamodb:{operation}", _table(table), ({"dynamodb:LeadingKeys": keys},))


def _contexts(action, item, keys_of_call, enclosing):
    """The documentation leaves three things open: whether an item of a transaction has its own leading keys or those of all items
    on its table, whether dynamodb:ReturnValues is present if the call does not set it, and whether dynamodb:Select is present on
    reads that do not set it. Returns all combinations."""
    context = {"dynamodb:Attributes": sorted(_attributes(item))}
    if enclosing:
        context["dynamodb:EnclosingOperation"] = [enclosing]

    if action in ("GetItem", "Query", "Scan"):
        name, default = "Select", _selected(item)
    else:
        name, default = "ReturnValues", "NONE"
    if name in item:
        options = [{f"dynamodb:{name}": [item[name]]}]
    else:
        options = [{}, {f"dynamodb:{name}": [default]}]

    readings_of_keys = [_leading_keys(item)]
    if keys_of_call not in readings_of_keys:
        readings_of_keys.append(keys_of_call)

    contexts = []
    for keys in readings_of_keys:
        for option in options:
            with_keys = {"dynamodb:LeadingKeys": keys} if keys else {}
            contexts.append(context | with_keys | option)
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
    for candidate in known.global_indexes:
        if candidate.name == index:
            return candidate.schema[0]["AttributeName"]
    return None


def _values_of_key(table, row):
    value = row.get(_partition_key(table))
    return list(value.values()) if value else []


def _leading_keys(item):
    if "KeyConditionExpression" in item:
        name = _partition_key(item["TableName"], item.get("IndexName"))
        if name is None:
            return []
        found = re.search(rf"(?<![\w#]){re.escape(name)}\s*=\s*(:\w+)", _named(item, "KeyConditionExpression"))
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
    identity = domain if domain in verified and sender not in verified else sender
    context = ({"ses:FromAddress": [sender]},)
    arn = f"arn:aws:ses:{REGION}:{ACCOUNT}"
    yield Request(action, f"{arn}:identity/{identity}", context)
    # In the sandbox, SES also authorizes the recipients' identities.
    for recipient in body.get("Destination", {}).get("ToAddresses", []):
        yield Request(action, f"{arn}:identity/{recipient}", context)
    if body.get("ConfigurationSetName"):
        yield Request(action, f"{arn}:configuration-set/{body['ConfigurationSetName']}", context)
