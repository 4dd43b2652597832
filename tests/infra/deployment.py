"""Deploys the transformed template into moto, whose CloudFormation evaluates parameters and conditions."""

import copy
import json

from doctor_aws import key_schema
from functions import API_ID, NAMES, Function, archive
from template import CODE_BUCKET, CODE_KEY, PSEUDO, REGION, STACK, references, resolve, transform

# The types that are deployed. The rest (API, nested stacks, ...) does not affect the functions' permissions. `Deployment.deliver` replaces
# the event source mapping.
KEPT = {"AWS::DynamoDB::Table", "AWS::IAM::Role", "AWS::Lambda::Function", "AWS::Logs::LogGroup", "AWS::SQS::Queue"}


def deployable(transformed):
    """The template with only the kept resources; references to others become names of nonexistent resources."""
    template = copy.deepcopy(transformed)
    resources = template["Resources"]
    kept = {name for name, resource in resources.items() if resource["Type"] in KEPT}
    template["Resources"] = {name: resources[name] for name in kept}
    for section in ("Outputs", "Rules", "Metadata"):
        template.pop(section, None)
    for resource in template["Resources"].values():
        resource.pop("Metadata", None)
    gone = {n for n, _ in references(template["Resources"])} - kept - PSEUDO.keys() - template["Parameters"].keys()
    return _without(template, gone - {"AWS::NoValue"}), kept


def _without(value, gone):
    if isinstance(value, list):
        return [_without(item, gone) for item in value]
    if isinstance(value, dict):
        if value.get("Ref") in gone:
            return API_ID if value["Ref"] == "Api" else f"{STACK}-{value['Ref']}"
        if "Fn::GetAtt" in value and value["Fn::GetAtt"][0] in gone:
            return f"{STACK}-{value['Fn::GetAtt'][0]}"
        # moto fails on ${...} with an unknown name.
        if "Fn::Sub" in value and isinstance(value["Fn::Sub"], str) and "${Api}" in value["Fn::Sub"]:
            return {"Fn::Sub": value["Fn::Sub"].replace("${Api}", API_ID)}
        return {key: _without(item, gone) for key, item in value.items()}
    return value


def orders_of(resolved):
    """The filter patterns of the mail function's event source mapping."""
    (mapping,) = [r for r in resolved["Resources"].values() if r["Type"] == "AWS::Lambda::EventSourceMapping"]
    return [json.loads(f["Pattern"]) for f in mapping["Properties"]["FilterCriteria"]["Filters"]]


def _matches(pattern, value):
    """Lambda's filter rules that the template uses: equality and prefix."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(key in value and _matches(rule, value[key]) for key, rule in pattern.items())
    return any(value.startswith(rule["prefix"]) if isinstance(rule, dict) else value == rule for rule in pattern)


def _as_event(record):
    """The record as Lambda passes it on, with the time as a number."""
    described = record["dynamodb"]
    created = described["ApproximateCreationDateTime"].timestamp()
    return record | {"dynamodb": described | {"ApproximateCreationDateTime": created}}


def create_stack(cloudformation, template, parameters):
    """Creates the stack; returns its resources' physical ids by logical ids."""
    cloudformation.create_stack(
        StackName=STACK,
        TemplateBody=json.dumps(template, default=str),
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
        Capabilities=["CAPABILITY_IAM"],
    )
    (stack,) = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE", stack
    listed = cloudformation.list_stack_resources(StackName=STACK)["StackResourceSummaries"]
    return {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in listed}


class Deployment:
    """A stack whose functions run with their roles' credentials, with IAM enforced."""

    def __init__(self, aws, parameters, transformed=None):
        aws.reset()
        self.aws, self.parameters = aws, parameters
        self._functions = {}
        operator = aws.operator()
        self.iam, self.dynamodb = aws.client("iam", operator), aws.client("dynamodb", operator)
        template, self.kept = deployable(transformed or transform(parameters))
        self.filters = orders_of(resolve(parameters, transformed))
        self._upload_code(aws.client("s3", operator))
        self._create_prerequisites(aws.client("sesv2", operator))
        self.physical = create_stack(aws.client("cloudformation", operator), template, parameters)
        lambdas = aws.client("lambda", operator)
        self.roles, self.variables, self.credentials = {}, {}, {}
        for name in NAMES:
            deployed = lambdas.get_function_configuration(FunctionName=self.physical[f"{name.capitalize()}Function"])
            self.roles[name] = deployed["Role"].rsplit("/", 1)[1]
            # moto does not convert the value of a Number parameter to text.
            self.variables[name] = {k: str(v) for k, v in deployed["Environment"]["Variables"].items()}
            self.credentials[name] = aws.assume(deployed["Role"], name)
        self.tokens = self.variables["reset"]["TOKENS_TABLE"]
        self.accounts = self.variables["complete"]["ACCOUNTS_TABLE"]
        self.stream = self.dynamodb.describe_table(TableName=self.tokens)["Table"]["LatestStreamArn"]
        self._seen, self.delivered = set(), []
        self.queue = aws.client("sqs", operator)
        self.ses = aws.client("sesv2", operator)
        aws.enforce(True)

    def function(self, name):
        """The running function; started on first use."""
        if name not in self._functions:
            self._functions[name] = Function(name, self.variables[name], self.credentials[name], self.aws.endpoint)
        return self._functions[name]

    def functions(self):
        return list(self._functions.values())

    def started_with(self, **variables):
        """Starts other processes of functions, with other variables."""

        def start(name):
            started = Function(name, self.variables[name], self.credentials[name], self.aws.endpoint, **variables)
            self._functions[name, *variables] = started
            return started

        return start

    def client(self, service, function):
        """A client with the credentials of a function's role. Waits until the functions are idle, so that all calls are the client's."""
        for running in self._functions.values():
            running.idle()
        return self.aws.client(service, self.credentials[function])

    def deliver(self):
        """Acts as Lambda: reads the stream with the mail function's role, delivers the orders, and retries those that it reports as failed."""
        orders = self.orders()
        self.delivered += orders
        self._run(orders)

    def orders(self):
        """The new records of the stream that pass the filter."""
        records = [_as_event(record) for record in self._read() if record["eventID"] not in self._seen]
        self._seen |= {record["eventID"] for record in records}
        return [record for record in records if any(_matches(f, record) for f in self.filters)]

    def _read(self):
        """Reads the whole stream from its beginning, because moto's iterators are wrong after a transaction was rolled back."""
        streams = self.aws.client("dynamodbstreams", self.credentials["mail"])
        (shard,) = streams.describe_stream(StreamArn=self.stream)["StreamDescription"]["Shards"]
        at = {"StreamArn": self.stream, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
        iterator = streams.get_shard_iterator(**at)["ShardIterator"]
        while (answer := streams.get_records(ShardIterator=iterator))["Records"]:
            yield from answer["Records"]
            iterator = answer["NextShardIterator"]

    def deliver_again(self):
        """Delivers the last orders again, because Lambda delivers at least once."""
        self._run(self.delivered[-10:])

    def _run(self, records):
        for _ in range(3):
            if not records:
                return
            failures = self.function("mail").run({"Records": records})["batchItemFailures"]
            again = {failure["itemIdentifier"] for failure in failures}
            records = [record for record in records if record["dynamodb"]["SequenceNumber"] in again]
        raise AssertionError(f"not delivered: {records} {self.function('mail').lines[-3:]}")

    def lost(self):
        """The number of entries in the dead-letter queue."""
        url = self.variables["mail"]["DEAD_LETTER_QUEUE_URL"]
        name = "ApproximateNumberOfMessages"
        return int(self.queue.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name])

    def close(self):
        for function in self._functions.values():
            function.close()
        self.aws.enforce(False)

    def add_account(self, address, is_active=True):
        """Puts an account with additional attributes, which meets the conditions if `is_active`."""
        p, row = self.parameters, {"role": "admin", "name": "Ada"}
        if p["AccountsConditions"]:
            row["status"] = "active" if is_active else "banned"
        if p["AccountsEmailIndexKey"]:
            row[p["AccountsEmailIndexKey"]] = p["AccountsEmailIndexValue"].replace("{email}", address)
        row[p["AccountsEmail"]] = address
        item = {name: {"S": value} for name, value in row.items()} | self.key_of(address)
        self.dynamodb.put_item(TableName=self.accounts, Item=item)

    def damage_account(self, address):
        """Writes an invalid time of change."""
        self.dynamodb.update_item(
            TableName=self.accounts,
            Key=self.key_of(address),
            UpdateExpression="SET #at = :at",
            ExpressionAttributeNames={"#at": self.parameters["AccountsPasswordChangedAt"]},
            ExpressionAttributeValues={":at": {"S": "yesterday"}},
        )

    def key_of(self, address):
        """The account's key, as the operator's application made it."""
        p = self.parameters
        made = "user-{email}" if p["AccountsEmailIndex"] else p["AccountsKeyValue"] or "{email}"
        key = {p["AccountsKey"]: {"S": made.replace("{email}", address)}}
        return key | ({p["AccountsSortKey"]: {"S": p["AccountsSortKeyValue"] or "PROFILE"}} if p["AccountsSortKey"] else {})

    def account(self, address):
        return self.dynamodb.get_item(TableName=self.accounts, Key=self.key_of(address))["Item"]

    def _upload_code(self, s3):
        s3.create_bucket(Bucket=CODE_BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_object(Bucket=CODE_BUCKET, Key=CODE_KEY, Body=archive())

    def _create_prerequisites(self, ses):
        """Creates what operators have before they deploy, and what the removed resources would create."""
        given = self.parameters
        sender = given["MailFrom"]
        identity = sender if given["MailIdentity"] == "address" else sender.split("@")[1]
        ses.create_email_identity(EmailIdentity=identity)
        if not given["AccountsTableName"]:
            return
        keys = [name for name in (given["AccountsKey"], given["AccountsSortKey"]) if name]
        index_key = given["AccountsEmailIndexKey"] or given["AccountsEmail"]
        projection = {"ProjectionType": "KEYS_ONLY"}
        index = {"IndexName": given["AccountsEmailIndex"], "KeySchema": key_schema(index_key), "Projection": projection}
        defined = {*keys, index_key} if given["AccountsEmailIndex"] else set(keys)
        self.dynamodb.create_table(
            TableName=given["AccountsTableName"],
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in sorted(defined)],
            KeySchema=key_schema(*keys),
            **({"GlobalSecondaryIndexes": [index]} if given["AccountsEmailIndex"] else {}),
        )
