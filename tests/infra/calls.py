"""Calls to try with a function's credentials, by name. Only their authorization matters, not their result."""

import json

from aws import ACCOUNT, REGION

# Keys of the tokens table by kind of row, and one of an unknown kind.
KINDS = {
    "request": "request#x",
    "reset": "reset#x",
    "order": "order#x",
    "limit reset-ip": "limit#reset-ip#x",
    "limit bad-token-ip": "limit#bad-token-ip#x",
    "limit password-check-ip": "limit#password-check-ip#x",
    "limit mail": "limit#mail#x",
    "warm-up": "warm-up",
    "other": "other#x",
}

# An address without an account.
NOBODY = "nobody@example.org"

# The other attributes of a valid row: whoever may put these can order a mail or create a reset token.
COMMON = {"address": {"S": NOBODY}, "account": {"S": "x"}, "changed_at": {"N": "1"}, "expires_at": {"N": "1"}}
ROWS = {
    "order": COMMON | {"kind": {"S": "changed"}, "ordered_at": {"N": "1"}},
    "reset": COMMON | {"issued_at": {"N": "1"}},
}


def dynamodb(deployment):
    """All operations on the two tables and the index: name -> call on a DynamoDB client."""
    tokens, accounts = deployment.tokens, deployment.accounts
    calls = {"ListTables": lambda c: c.list_tables()}
    for kind, value in KINDS.items():
        calls |= _on_row(f"tokens {kind}", tokens, {"pk": {"S": value}}, ROWS.get(kind, {}))
    calls |= _on_row("accounts", accounts, deployment.key_of(NOBODY))
    calls |= _reads_of_accounts(deployment) | _updates_of_accounts(deployment)
    calls |= _on_table("tokens", tokens) | _on_table("accounts", accounts)
    if index := deployment.parameters["AccountsEmailIndex"]:
        calls["Scan index"] = lambda c: c.scan(TableName=accounts, IndexName=index)
    return calls


def projections(deployment):
    """The attributes of account reads, by name: those that Rekey reads, and those that it must not read."""
    p = deployment.parameters
    keys = [*deployment.key_of(NOBODY)]
    own = [*keys, p["AccountsEmail"], p["AccountsPasswordChangedAt"]]
    own += p["AccountsConditionAttributes"].split(",") if p["AccountsConditions"] else []
    return {
        "own": own,
        "key": keys,
        "own and profile": [*own, "id", "name", "role"],
        "own and hash": [*own, p["AccountsPasswordHash"]],
        "own and phone": [*own, "phone"],
        "own and language": [*own, p["AccountsLocale"]],
        "hash": [p["AccountsPasswordHash"]],
    }


def _reads_of_accounts(d):
    """Reads of the whole row and of some attributes, by key and by address."""
    p = d.parameters
    row = {"TableName": d.accounts, "Key": d.key_of(NOBODY)}
    calls = {}

    def by_address(value=(p["AccountsEmailIndexValue"] or "{email}").replace("{email}", NOBODY), **more):
        return lambda c: _query(c, d.accounts, p["AccountsEmailIndexKey"] or p["AccountsEmail"], value, **more)

    elsewhere = row["Key"] | {p["AccountsKey"]: {"S": "ORG#acme"}}
    names = {f"#a{at}": name for at, name in enumerate(projections(d)["own"])}
    of = {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names}
    calls["GetItem other row of the accounts"] = lambda c, of=of: c.get_item(TableName=d.accounts, Key=elsewhere, **of)

    index = {"IndexName": p["AccountsEmailIndex"]} if p["AccountsEmailIndex"] else None
    for what, attributes in projections(d).items():
        names = {f"#a{at}": name for at, name in enumerate(dict.fromkeys(attributes))}
        of = {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names}
        calls[f"GetItem accounts of {what}"] = lambda c, of=of: c.get_item(**row, **of)
        calls[f"TransactGetItems accounts of {what}"] = lambda c, of=of: c.transact_get_items(TransactItems=[{"Get": row | of}])
        legacy = list(dict.fromkeys(attributes))
        calls[f"GetItem accounts AttributesToGet {what}"] = lambda c, legacy=legacy: c.get_item(**row, AttributesToGet=legacy)
        if index:
            calls[f"Query index of {what}"] = by_address(**index, **of)
    if index:
        calls["Query index"] = by_address(**index)
        for select in ("ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES", "COUNT"):
            calls[f"Query index Select {select}"] = by_address(**index, Select=select)
        calls["Query other index"] = by_address(IndexName="by-name")
        of = {"ProjectionExpression": "#key", "ExpressionAttributeNames": {"#key": p["AccountsKey"]}}
        calls["Query index elsewhere"] = by_address("ORG#acme", **index, **of)
    return calls


def _query(client, table, attribute, value, **more):
    return client.query(
        TableName=table,
        KeyConditionExpression="#k = :k",
        ExpressionAttributeNames={"#k": attribute} | more.pop("ExpressionAttributeNames", {}),
        ExpressionAttributeValues={":k": {"S": value}},
        **more,
    )


def _on_row(what, table, row, attributes=()):
    at = {"TableName": table}
    key, typed = next(iter(row.items()))
    (value,) = typed.values()
    full = row | dict(attributes)
    update = at | {"Key": row, "UpdateExpression": "SET hits = :v", "ExpressionAttributeValues": {":v": {"N": "1"}}}
    check = at | {"Key": row, "ConditionExpression": f"attribute_exists({key})"}
    writes = {"Put": at | {"Item": full}, "Update": update, "Delete": at | {"Key": row}, "ConditionCheck": check}
    calls = {
        "GetItem": lambda c: c.get_item(**at, Key=row),
        "PutItem": lambda c: c.put_item(**at, Item=full),
        "UpdateItem": lambda c: c.update_item(**update),
        "DeleteItem": lambda c: c.delete_item(**at, Key=row),
        "Query": lambda c: _query(c, table, key, value),
        "BatchGetItem": lambda c: c.batch_get_item(RequestItems={table: {"Keys": [row]}}),
        "BatchWriteItem Put": lambda c: c.batch_write_item(RequestItems={table: [{"PutRequest": {"Item": full}}]}),
        "BatchWriteItem Delete": lambda c: c.batch_write_item(RequestItems={table: [{"DeleteRequest": {"Key": row}}]}),
        "TransactGetItems": lambda c: c.transact_get_items(TransactItems=[{"Get": at | {"Key": row}}]),
    }
    for kind, item in writes.items():
        calls[f"TransactWriteItems {kind}"] = lambda c, k=kind, i=item: c.transact_write_items(TransactItems=[{k: i}])
    return {f"{name} {what}": call for name, call in calls.items()}


def _on_table(what, table):
    arn, at = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}", {"TableName": table}
    calls = {
        "Scan": lambda c: c.scan(**at),
        "DescribeTable": lambda c: c.describe_table(**at),
        "UpdateTable": lambda c: c.update_table(**at, BillingMode="PAY_PER_REQUEST"),
        "DeleteTable": lambda c: c.delete_table(**at),
        "UpdateTimeToLive": lambda c: c.update_time_to_live(
            **at, TimeToLiveSpecification={"Enabled": False, "AttributeName": "expires_at"}
        ),
        "UpdateContinuousBackups": lambda c: c.update_continuous_backups(
            **at, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False}
        ),
        "CreateBackup": lambda c: c.create_backup(**at, BackupName="mine"),
        "ExportTableToPointInTime": lambda c: c.export_table_to_point_in_time(TableArn=arn, S3Bucket="mine"),
        "RestoreTableToPointInTime": lambda c: c.restore_table_to_point_in_time(
            SourceTableName=table, TargetTableName="mine", UseLatestRestorableTime=True
        ),
        "PutResourcePolicy": lambda c: c.put_resource_policy(ResourceArn=arn, Policy="{}"),
        "TagResource": lambda c: c.tag_resource(ResourceArn=arn, Tags=[{"Key": "a", "Value": "b"}]),
    }
    statements = {
        "Select": f'SELECT * FROM "{table}"',
        "Insert": f"INSERT INTO \"{table}\" VALUE {{'pk': 'request#x'}}",
        "Update": f"UPDATE \"{table}\" SET hits = 1 WHERE pk = 'request#x'",
        "Delete": f"DELETE FROM \"{table}\" WHERE pk = 'request#x'",
    }
    for verb, statement in statements.items():
        one = [{"Statement": statement}]
        calls[f"ExecuteStatement {verb}"] = lambda c, s=statement: c.execute_statement(Statement=s)
        calls[f"BatchExecuteStatement {verb}"] = lambda c, s=one: c.batch_execute_statement(Statements=s)
        calls[f"ExecuteTransaction {verb}"] = lambda c, s=one: c.execute_transaction(TransactStatements=s)
    return {f"{name} {what}": call for name, call in calls.items()}


def _updates_of_accounts(d):
    """Updates of accounts, inside and outside a transaction, by the attributes that they set and check."""
    p = d.parameters
    password_hash, changed_at, email = p["AccountsPasswordHash"], p["AccountsPasswordChangedAt"], p["AccountsEmail"]
    base = {"TableName": d.accounts, "Key": d.key_of(NOBODY)}

    def update(expression, condition=None, names=()):
        item = base | {"UpdateExpression": expression, "ExpressionAttributeValues": {":v": {"S": "x"}}}
        item |= {"ExpressionAttributeNames": {f"#{n}": n for n in names}} if names else {}
        return item | ({"ConditionExpression": condition} if condition else {})

    both = update("SET #h = :v, #c = :v") | {"ExpressionAttributeNames": {"#h": password_hash, "#c": changed_at}}
    both_if = both | {"ConditionExpression": "#e = :v"}
    both_if["ExpressionAttributeNames"] = both["ExpressionAttributeNames"] | {"#e": email}
    updates = {
        "sets hash and time": both,
        "sets hash and time if address": both_if,
        "sets hash": update(f"SET {password_hash} = :v"),
        "sets hash if condition": update(f"SET {password_hash} = :v", "#status = :v", names=["status"]),
        "sets role": update("SET #role = :v", names=["role"]),
        "sets hash and role": update(f"SET {password_hash} = :v, #role = :v", names=["role"]),
        "removes role": update(f"SET {password_hash} = :v REMOVE #role", names=["role"]),
        "sets hash if role": update(f"SET {password_hash} = :v", "#role = :v", names=["role"]),
        "sets part of profile": update(f"SET {password_hash} = :v, profile.admin = :v"),
    }
    calls = {}
    for what, item in updates.items():
        calls[f"TransactWriteItems Update {what}"] = lambda c, i=item: c.transact_write_items(TransactItems=[{"Update": i}])
    for returned in ("NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"):
        calls[f"UpdateItem sets hash and time returning {returned}"] = lambda c, r=returned: c.update_item(**both, ReturnValues=r)
    return calls


def mail(deployment):
    """Mails with several senders, and other operations of SES: name -> call on a client factory."""
    sender = deployment.parameters["MailFrom"]
    own = deployment.variables["mail"]["MAIL_CONFIGURATION_SET"]
    to = {"ToAddresses": ["bob@example.org"]}
    simple = {"Simple": {"Subject": {"Data": "s"}, "Body": {"Text": {"Data": "t"}}}}
    raw = {"Raw": {"Data": f"From: {sender}\nTo: bob@example.org\n\nt".encode()}}

    def send(content=simple, **more):
        call = {"FromEmailAddress": sender, "Destination": to, "Content": content} | more
        return lambda client: client("sesv2").send_email(**call)

    message = {"Subject": {"Data": "s"}, "Body": {"Text": {"Data": "t"}}}
    return {
        "SendEmail": send(),
        "SendEmail own set": send(ConfigurationSetName=own),
        "SendEmail other set": send(ConfigurationSetName="marketing"),
        "SendEmail other sender": send(FromEmailAddress="ceo@example.com"),
        "SendEmail other domain": send(FromEmailAddress="ceo@elsewhere.example"),
        "SendEmail raw": send(raw),
        "SendEmail v1": lambda client: client("ses").send_email(Source=sender, Destination=to, Message=message),
        "SendEmail v1 other sender": lambda client: client("ses").send_email(
            Source="ceo@example.com", Destination=to, Message=message
        ),
        "SendRawEmail v1": lambda client: client("ses").send_raw_email(RawMessage=raw["Raw"]),
        "CreateEmailIdentity": lambda client: client("sesv2").create_email_identity(EmailIdentity="evil.example"),
        "DeleteEmailIdentity": lambda client: client("sesv2").delete_email_identity(EmailIdentity="example.com"),
        "DeleteConfigurationSet": lambda client: client("sesv2").delete_configuration_set(ConfigurationSetName=own),
        "ListEmailIdentities": lambda client: client("sesv2").list_email_identities(),
    }


def elsewhere(deployment, function):
    """Calls to other services that an intruder would try: name -> call on a client factory."""
    role, physical = deployment.roles[function], deployment.physical
    other = next(name for name in deployment.roles if name != function)
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
    name = physical[f"{function.capitalize()}Function"]
    own_logs, other_logs = physical[f"{function.capitalize()}Logs"], physical[f"{other.capitalize()}Logs"]
    event = [{"timestamp": 1, "message": "m"}]
    lost, stream = deployment.variables["mail"]["DEAD_LETTER_QUEUE_URL"], deployment.stream

    def put_events(group):
        return lambda c: c("logs").put_log_events(logGroupName=group, logStreamName="s", logEvents=event)

    return {
        "sts AssumeRole": lambda c: c("sts").assume_role(
            RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{deployment.roles[other]}", RoleSessionName="intruder"
        ),
        "iam ListRoles": lambda c: c("iam").list_roles(),
        "iam PutRolePolicy": lambda c: c("iam").put_role_policy(RoleName=role, PolicyName="x", PolicyDocument=policy),
        "iam CreateUser": lambda c: c("iam").create_user(UserName="intruder"),
        "lambda Invoke": lambda c: c("lambda").invoke(FunctionName=name),
        "lambda GetFunctionConfiguration": lambda c: c("lambda").get_function_configuration(FunctionName=name),
        "lambda UpdateFunctionCode": lambda c: c("lambda").update_function_code(FunctionName=name, ZipFile=b"x"),
        "lambda UpdateFunctionConfiguration": lambda c: c("lambda").update_function_configuration(FunctionName=name),
        "s3 ListBuckets": lambda c: c("s3").list_buckets(),
        "s3 GetObject": lambda c: c("s3").get_object(Bucket="rekey-code", Key="function.zip"),
        "s3 PutObject": lambda c: c("s3").put_object(Bucket="rekey-code", Key="function.zip", Body=b"x"),
        "sns Publish": lambda c: c("sns").publish(TopicArn=f"arn:aws:sns:{REGION}:{ACCOUNT}:t", Message="m"),
        "sqs ListQueues": lambda c: c("sqs").list_queues(),
        "sqs SendMessage lost": lambda c: c("sqs").send_message(QueueUrl=lost, MessageBody="m"),
        "sqs ReceiveMessage lost": lambda c: c("sqs").receive_message(QueueUrl=lost),
        "sqs PurgeQueue lost": lambda c: c("sqs").purge_queue(QueueUrl=lost),
        "sqs SendMessage other": lambda c: c("sqs").send_message(QueueUrl=f"{lost}-other", MessageBody="m"),
        "streams DescribeStream": lambda c: c("dynamodbstreams").describe_stream(StreamArn=stream),
        "streams GetShardIterator": lambda c: c("dynamodbstreams").get_shard_iterator(
            StreamArn=stream, ShardId="shardId-00000001541626099285-f35f62ef", ShardIteratorType="TRIM_HORIZON"
        ),
        "streams GetRecords": lambda c: c("dynamodbstreams").get_records(ShardIterator=f"{stream}|1|AAAA"),
        "streams GetRecords other": lambda c: c("dynamodbstreams").get_records(
            ShardIterator=stream.replace(deployment.tokens, "other") + "|1|AAAA"
        ),
        # Directly, not through DynamoDB, also if the table has the operator's key.
        "kms Decrypt": lambda c: c("kms").decrypt(CiphertextBlob=b"x", KeyId="abc-1"),
        "secretsmanager ListSecrets": lambda c: c("secretsmanager").list_secrets(),
        "ssm GetParameter": lambda c: c("ssm").get_parameter(Name="x"),
        "cloudformation DescribeStacks": lambda c: c("cloudformation").describe_stacks(),
        "events PutEvents": lambda c: c("events").put_events(Entries=[{"Source": "rekey", "DetailType": "PasswordReset", "Detail": "{}"}]),
        "cloudwatch PutMetricData": lambda c: c("cloudwatch").put_metric_data(Namespace="Rekey", MetricData=[{"MetricName": "m"}]),
        "logs CreateLogStream own": lambda c: c("logs").create_log_stream(logGroupName=own_logs, logStreamName="s"),
        "logs PutLogEvents own": put_events(own_logs),
        "logs CreateLogStream other": lambda c: c("logs").create_log_stream(logGroupName=other_logs, logStreamName="s"),
        "logs PutLogEvents other": put_events(other_logs),
        "logs GetLogEvents own": lambda c: c("logs").get_log_events(logGroupName=own_logs, logStreamName="s"),
        "logs DeleteLogGroup own": lambda c: c("logs").delete_log_group(logGroupName=own_logs),
        "xray PutTraceSegments": lambda c: c("xray").put_trace_segments(TraceSegmentDocuments=["{}"]),
    }
