"""Checks of the accounts table and its index against the parameters."""

from .findings import check, fail, ok, warn
from .mapping import Mapping


@check("mapping", before=True)
def mapping_is_whole(target):
    """Half a mapping is refused when a function starts."""
    mapping = Mapping(target)
    problems = mapping.problems()
    yield from (fail(what, todo) for what, todo in problems)
    if not problems:
        yield ok("the parameters of the accounts fit together")


@check("accounts", before=True)
def accounts_table(target):
    name = target.accounts_table()
    if not name:
        yield ok("AccountsTableName is not set: the stack creates a table, whose key is email")
        return
    table = described_table(target, name)
    if table is None:
        yield fail(
            f"table {name} does not exist in {target.region}", "create it, or set AccountsTableName or --region to those of your table"
        )
        return
    yield from active(target, name, table)
    if target.variable("ACCOUNTS_TABLE", name) != name:
        yield fail(f"table {name}: the functions use another one", target.deploy())
    mapping = Mapping(target)
    yield from check_keys(name, table, mapping)
    yield from check_key_types(target, name, table, mapping)
    if mapping.index:
        yield from check_index(target, name, table, mapping)
    yield from check_encryption(target, name, table)


def check_keys(name, table, mapping):
    key, *sort = key_of(table)
    if key != mapping.key:
        yield fail(f"table {name}: its partition key is {key}, not {mapping.key}", f"set AccountsKey: {key}")
    if sort and not mapping.sort_key:
        yield fail(f"table {name}: it has a sort key, {sort[0]}, and AccountsSortKey is not set", f"set AccountsSortKey: {sort[0]}")
    elif sort and sort[0] != mapping.sort_key:
        yield fail(f"table {name}: its sort key is {sort[0]}, not {mapping.sort_key}", f"set AccountsSortKey: {sort[0]}")
    elif mapping.sort_key and not sort:
        yield fail(f"table {name}: it has no sort key, but AccountsSortKey is {mapping.sort_key}", "remove AccountsSortKey")
    if key_of(table) == [mapping.key, *filter(None, [mapping.sort_key])]:
        yield ok(f"table {name}: its key is {' and '.join(key_of(table))}")


def check_key_types(target, name, table, mapping):
    types = {a["AttributeName"]: a["AttributeType"] for a in table["AttributeDefinitions"]}
    for attribute, parameter in zip(key_of(table), ("AccountsKeyType", "AccountsSortKeyType")):
        given = target.parameters.get(parameter) or "S"
        if types.get(attribute, "S") != given and target.publishes():
            yield fail(
                f"table {name}: {attribute} is of the type {types[attribute]}, but {parameter} is {given}, so events would lack it",
                f"set {parameter}: {types[attribute]}",
            )
    if mapping.index:
        return
    for attribute in key_of(table):
        if types.get(attribute, "S") != "S":
            yield fail(
                f"table {name}: {attribute} is of the type {types[attribute]}: no address is such a key",
                "set AccountsEmailIndex to an index of the address",
            )


def check_index(target, name, table, mapping):
    index, key = mapping.index, mapping.index_key
    indexes = table.get("GlobalSecondaryIndexes", [])
    found = next((i for i in indexes if i["IndexName"] == index), None)
    what = f"table {name}, index {index}"
    if found is None:
        known = ", ".join(f"{i['IndexName']} of {' and '.join(key_of(i))}" for i in indexes) or "none"
        yield fail(
            f"{what}: does not exist (the table has: {known})",
            f"set AccountsEmailIndex to one of them, or make it: {create_index(target, name, index, key)}",
        )
        return
    partition = key_of(found)[0]
    types = {a["AttributeName"]: a["AttributeType"] for a in table["AttributeDefinitions"]}
    if partition != key:
        yield fail(
            f"{what}: its partition key is {partition}, not {key}",
            f"set AccountsEmailIndexKey: {partition} (and AccountsEmailIndexValue, unless it is the plain address), or name another index",
        )
    elif types.get(partition, "S") != "S":
        yield fail(f"{what}: {partition} is of the type {types[partition]}: no address is such a key", "name another index")
    elif found.get("IndexStatus", "ACTIVE") != "ACTIVE":
        yield warn(f"{what}: is {found['IndexStatus']}", "wait until it is ACTIVE")
    else:
        yield ok(f"{what}: its partition key is {partition}")


def create_index(target, name, index, key):
    """The command for a table with on-demand capacity."""
    update = f'[{{"Create":{{"IndexName":"{index}","KeySchema":[{{"AttributeName":"{key}","KeyType":"HASH"}}],"Projection":{{"ProjectionType":"KEYS_ONLY"}}}}}}]'
    return target.aws(
        f"dynamodb update-table --table-name {name} --attribute-definitions AttributeName={key},AttributeType=S"
        f" --global-secondary-index-updates '{update}'"
    )


def check_encryption(target, name, table):
    used, given = table.get("SSEDescription", {}).get("KMSMasterKeyArn"), target.parameters.get("AccountsKmsKeyArn")
    if given and used != given:
        yield fail(
            f"table {name}: it is not encrypted with AccountsKmsKeyArn", f"set AccountsKmsKeyArn: {used}" if used else "remove AccountsKmsKeyArn"
        )
    elif used and not given:
        yield warn(
            f"table {name}: it is encrypted with a KMS key, and AccountsKmsKeyArn is not set",
            f"unless it is the key of the alias aws/dynamodb, set AccountsKmsKeyArn: {used}",
        )


def described_table(stack, name):
    answer = stack.ask("dynamodb", "describe_table", ("ResourceNotFoundException",), TableName=name)
    return answer and answer["Table"]


def active(stack, name, table):
    status = table["TableStatus"]
    if status in ("ACTIVE", "UPDATING"):
        yield ok(f"table {name} is {status}")
    else:
        yield fail(f"table {name} is {status}", f"DynamoDB console > Tables > {name}: read why")


def key_of(described):
    """The names of the key attributes, the partition key first."""
    schema = sorted(described["KeySchema"], key=lambda part: part["KeyType"] != "HASH")
    return [part["AttributeName"] for part in schema]
