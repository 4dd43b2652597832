"""Checks of the tokens table, and of the backups of the accounts table."""

from .findings import check, fail, ok, warn
from .schema import active, described_table, key_of


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
