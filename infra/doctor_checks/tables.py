"""Checks of the two tables."""

from .findings import check, fail, ok, warn


@check("tokens")
def tokens_table(stack):
    name = stack.outputs["TokensTableName"]
    table = described_table(stack, name)
    if table is None:
        yield fail(f"table {name} does not exist", stack.deploy())
        return
    yield from active(stack, name, table)
    if key_of(table) != ["pk"]:
        yield fail(f"table {name}: its key is {' and '.join(key_of(table))}, not pk", stack.deploy())
    if stack.variable("TOKENS_TABLE", name) != name:
        yield fail(f"table {name}: the functions use another one", stack.deploy())


@check("ttl")
def tokens_expire(stack):
    name = stack.outputs["TokensTableName"]
    answer = stack.ask("dynamodb", "describe_time_to_live", ("ResourceNotFoundException",), TableName=name)
    ttl = (answer or {}).get("TimeToLiveDescription", {})
    status, attribute = ttl.get("TimeToLiveStatus", "DISABLED"), ttl.get("AttributeName", "expires_at")
    todo = stack.aws(
        f"dynamodb update-time-to-live --table-name {name} --time-to-live-specification Enabled=true,AttributeName=expires_at"
    )
    if attribute != "expires_at":
        yield fail(
            f"table {name}: TTL is on {attribute}, not on expires_at", f"disable it, and an hour later: {todo}"
        )
    elif status == "ENABLED":
        yield ok(f"table {name}: TTL is enabled on expires_at")
    elif status == "ENABLING":
        yield warn(f"table {name}: TTL is being enabled", "wait an hour, then run this again")
    else:
        yield fail(f"table {name}: TTL is {status}, so expired tokens and hashes of IP addresses are never deleted", todo)


@check("accounts")
def accounts_table(stack):
    name = stack.outputs["AccountsTable"]
    table = described_table(stack, name)
    if table is None:
        yield fail(
            f"table {name} does not exist in {stack.region}", "create it, or deploy with a valid AccountsTableName"
        )
        return
    yield from active(stack, name, table)
    if stack.variable("ACCOUNTS_TABLE", name) != name:
        yield fail(f"table {name}: the functions use another one", stack.deploy())
    key, email = stack.variable("ACCOUNTS_KEY", "email"), stack.variable("ACCOUNTS_EMAIL", "email")
    index = stack.variable("ACCOUNTS_EMAIL_INDEX")
    if key_of(table) != [key]:
        yield fail(
            f"table {name}: its key is {' and '.join(key_of(table))}, not {key}",
            "deploy with the table's key as AccountsKey; a table with a sort key cannot be used",
        )
    else:
        yield ok(f"table {name}: its key is {key}")
    if index:
        yield check_index(name, table, index, email)
    elif key != email:
        yield fail(
            f"table {name}: its key is {key}, and there is no index on {email}", "deploy with AccountsEmailIndex"
        )


def check_index(name, table, index, email):
    indexes = table.get("GlobalSecondaryIndexes", [])
    found = next((i for i in indexes if i["IndexName"] == index), None)
    what = f"table {name}, index {index}"
    if found is None:
        known = ", ".join(i["IndexName"] for i in indexes) or "none"
        return fail(
            f"{what}: does not exist (the table has: {known})", "create it, or deploy with a valid AccountsEmailIndex"
        )
    if len(key_of(found)) > 1:
        return fail(
            f"{what}: it has a sort key, {key_of(found)[1]}, which Rekey's policies do not allow",
            "create an index whose only key is the address, and deploy with its name",
        )
    if key_of(found)[0] != email:
        return fail(
            f"{what}: its partition key is {key_of(found)[0]}, not {email}",
            "deploy with an index on the address, or with a valid AccountsEmail",
        )
    if found.get("IndexStatus", "ACTIVE") != "ACTIVE":
        return warn(f"{what}: is {found['IndexStatus']}", "wait until it is ACTIVE")
    return ok(f"{what}: its partition key is {email}")


@check("backup")
def accounts_are_backed_up(stack):
    name = stack.outputs["AccountsTable"]
    if stack.parameters.get("AccountsTableName"):
        yield ok(f"table {name} is yours, and so are its backups")
        return
    answer = stack.ask("dynamodb", "describe_continuous_backups", ("TableNotFoundException",), TableName=name)
    backups = (answer or {}).get("ContinuousBackupsDescription", {}).get("PointInTimeRecoveryDescription", {})
    if backups.get("PointInTimeRecoveryStatus") == "ENABLED":
        yield ok(f"table {name}: point-in-time recovery is enabled")
    else:
        yield fail(
            f"table {name}: point-in-time recovery is disabled",
            stack.aws(
                f"dynamodb update-continuous-backups --table-name {name}"
                " --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true"
            ),
        )
    if (described_table(stack, name) or {}).get("DeletionProtectionEnabled"):
        yield ok(f"table {name}: deletion protection is enabled")
    else:
        yield fail(
            f"table {name}: deletion protection is disabled",
            stack.aws(f"dynamodb update-table --table-name {name} --deletion-protection-enabled"),
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
