"""AWS's answers about a healthy stack, for the tests of infra/doctor. botocore's models validate their shapes."""

import copy
import datetime
import hashlib
import json

import boto3
import botocore.session
from botocore.validate import validate_parameters
from doctor_checks.functions import VARIABLES, needed

REGION, ACCOUNT = "eu-west-1", "123456789012"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:rekey-alarms"
NOW = datetime.datetime(2025, 1, 1, tzinfo=datetime.timezone.utc)
LOGS = {name: f"/aws/lambda/rekey/{name.lower()[:-4]}" for name in ("ResetLogs", "ValidateLogs", "CompleteLogs", "MailLogs")}
LOGS["ApiLogs"] = "/aws/vendedlogs/rekey/api"
# One loader for all tests, so that each service model is read once.
LOADER = botocore.session.Session().get_component("data_loader")
MAPPING = "8f6c2a3e-3f1b-4f0f-9c53-6d5b0a0e7a11"
# Ids of nested stacks. Real ones are ARNs, with slashes.
MONITORING, EVENTS = "rekey-Monitoring-1", "rekey-Events-1"
LOST = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/rekey-LostMails-1"


class Aws:
    """A fake AWS with a healthy stack: one method for each operation."""

    def __init__(self, api):
        self.asked = set()
        self.api = api
        self.parameters = {
            "MailFrom": "no-reply@mail.rekey.dev",
            "AccountsTableName": "",
            "CompleteConcurrency": "10",
            "LogRetentionDays": "90",
            "PublishPasswordResets": "true",
            "RequireApiKey": "false",
            "ServiceName": "To-do & <Co>",
        }
        self.outputs = {
            "ApiUrl": api.url,
            "ResetFunctionName": "rekey-reset",
            "ValidateFunctionName": "rekey-validate",
            "CompleteFunctionName": "rekey-complete",
            "MailFunctionName": "rekey-mail",
            "LostMailsUrl": LOST,
            "TokensTableName": "rekey-tokens",
            "AccountsTable": "rekey-accounts",
            "MailConfigurationSetName": "rekey-mail",
        }
        self.status = "UPDATE_COMPLETE"
        self.resources = {("AWS::Logs::LogGroup", logical): name for logical, name in LOGS.items()}
        stacks = {"Monitoring": MONITORING, "Events": EVENTS}
        self.resources |= {("AWS::CloudFormation::Stack", logical): stack for logical, stack in stacks.items()}
        # The resources of the nested stacks, by the stack's id.
        alarms = {("AWS::CloudWatch::Alarm", f"{n}Alarm"): f"rekey-{n}Alarm-1" for n in ("Mail", "Failures")}
        self.nested = {
            MONITORING: alarms,
            EVENTS: {("AWS::Pipes::Pipe", "PasswordResets"): "rekey-pipe"},
        }
        self.variables = {
            "TOKENS_TABLE": "rekey-tokens",
            "ACCOUNTS_TABLE": "rekey-accounts",
            "ACCOUNTS_KEY": "email",
            "ACCOUNTS_EMAIL": "email",
            "ACCOUNTS_EMAIL_INDEX": "",
            "ACCOUNTS_PASSWORD_HASH": "password_hash",
            "ACCOUNTS_PASSWORD_CHANGED_AT": "password_changed_at",
            "ACCOUNTS_SORT_KEY": "",
            "ACCOUNTS_KEY_VALUE": "",
            "ACCOUNTS_SORT_KEY_VALUE": "",
            "ACCOUNTS_EMAIL_INDEX_KEY": "",
            "ACCOUNTS_EMAIL_INDEX_VALUE": "",
            "ACCOUNTS_CONDITIONS": "",
            "ORIGIN_SECRETS": "",
            "TOKEN_LIFETIME_SECONDS": "7200",
            "MAIL_FROM": "no-reply@mail.rekey.dev",
            "MAIL_REPLY_TO": "",
            "MAIL_UNKNOWN": "false",
            "INVITE_LIFETIME_SECONDS": "604800",
            "BREACHED_PASSWORDS": "",
            "MAIL_CONFIGURATION_SET": "rekey-mail",
            "RESET_LINK": "",
            "SERVICE_NAME": "To-do & <Co>",
            "DEFAULT_LOCALE": "en",
            "MESSAGES_DIR": "",
            "BRAND_COLOR": "",
            "LOGO_URL": "",
            "SIGN_IN_LINK": "",
            "SUPPORT_LINK": "mailto:help@todo-and-co.org",
            "ACCOUNTS_LOCALE": "locale",
            "PASSWORD_MIN_LENGTH": "15",
            "ARGON2_MEMORY_KIB": "65536",
            "ARGON2_ITERATIONS": "3",
            "ARGON2_LANES": "4",
            "PASSWORD_HASH": "argon2id",
            "BCRYPT_COST": "12",
            "API_KEYS": f"shop:reset+validate:{hashlib.sha256(b'k').hexdigest()}",
            "REQUIRE_API_KEY": "false",
            "LIMIT_RESET_PER_IP": "20",
            "LIMIT_MAIL_PER_ADDRESS": "5",
            "LIMIT_BAD_TOKEN_PER_IP": "20",
            "DEAD_LETTER_QUEUE_URL": LOST,
            "STACK_NAME": "rekey",
        }
        self.own_variables = {}  # by function, where they differ
        self.deployed = {
            "State": "Active",
            "LastUpdateStatus": "Successful",
            "Runtime": "provided.al2023",
            "Timeout": 28,
            "MemorySize": 256,
            "CodeSha256": "abc",
            "Architectures": ["arm64"],
            "LoggingConfig": {"LogFormat": "JSON"},
        }
        self.code = {}  # by function, where it differs
        self.reserved = {"rekey-complete": 10}
        self.tables = {
            "rekey-tokens": table("rekey-tokens", "pk"),
            "rekey-accounts": table("rekey-accounts", "email") | {"DeletionProtectionEnabled": True},
        }
        self.ttl = {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}
        self.recovery = "ENABLED"
        self.account = {
            "ProductionAccessEnabled": True,
            "SendingEnabled": True,
            "EnforcementStatus": "HEALTHY",
            "SendQuota": {"Max24HourSend": 50000.0, "MaxSendRate": 14.0, "SentLast24Hours": 12.0},
            "SuppressionAttributes": {"SuppressedReasons": ["BOUNCE"]},
        }
        self.identities = {
            "rekey.dev": {
                "IdentityType": "DOMAIN",
                "VerifiedForSendingStatus": True,
                "VerificationStatus": "SUCCESS",
                "DkimAttributes": {"SigningEnabled": True, "Status": "SUCCESS", "Tokens": ["t1", "t2", "t3"]},
                "MailFromAttributes": {
                    "MailFromDomain": "bounce.rekey.dev",
                    "MailFromDomainStatus": "SUCCESS",
                    "BehaviorOnMxFailure": "USE_DEFAULT_VALUE",
                },
            }
        }
        self.mail_set = {
            "ConfigurationSetName": "rekey-mail",
            "DeliveryOptions": {"TlsPolicy": "REQUIRE"},
            "SendingOptions": {"SendingEnabled": True},
            "SuppressionOptions": {"SuppressedReasons": ["BOUNCE"]},
            "ReputationOptions": {"ReputationMetricsEnabled": True},
        }
        self.mappings = [{"UUID": MAPPING, "State": "Enabled", "LastProcessingResult": "OK"}]
        self.ages = [900.0, 700.0]  # ages of orders in ms, newest first
        self.lost = "0"  # entries in the dead-letter queue; None if it does not exist
        self.destinations = [{"Name": "cloudwatch", "Enabled": True, "MatchingEventTypes": ["SEND", "BOUNCE"]}]
        self.retention = dict.fromkeys(LOGS.values(), 90)
        self.alarms = {
            name: {
                "AlarmName": name,
                "AlarmDescription": "What to do about it.",
                "ActionsEnabled": True,
                "AlarmActions": [TOPIC],
                "StateValue": "OK",
            }
            for name in alarms.values()
        }
        self.subscriptions = {TOPIC: [f"{TOPIC}:1", "PendingConfirmation"]}
        self.pipe = {"Name": "rekey-pipe", "CurrentState": "RUNNING"}
        self.errors = {}  # errors to answer, by action
        self.unknown_to_moto = None  # with moto: the services and actions that are answered here

    def session(self, *_):
        session = botocore.session.Session()
        session.register_component("data_loader", LOADER)
        session.set_credentials("testing", "testing")
        session.set_config_variable("region", REGION)
        session.register("before-parameter-build", self._remember)
        session.register("before-call", self._answer)
        return boto3.Session(botocore_session=session, region_name=REGION)

    def _remember(self, params, context, **_):
        context["asked"] = params

    def _answer(self, model, context, **_):
        service = model.service_model.service_name
        action = f"{service.replace('sesv2', 'ses')}:{model.name}"
        self.asked.add(action)
        problem = self.errors.get(action)
        if isinstance(problem, Exception):
            raise problem
        if problem is None and self.unknown_to_moto is not None and not {service, action} & self.unknown_to_moto:
            return None
        answer = None if problem else getattr(self, model.name)(context["asked"])
        if answer is None:
            code, message = problem or (self.missing(service), "not there")
            answer = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 400}}
            return Http(400), answer
        answer = copy.deepcopy(answer)
        validate_parameters(answer, model.output_shape)
        return Http(200), answer | {"ResponseMetadata": {"HTTPStatusCode": 200}}

    @staticmethod
    def missing(service):
        known = {"dynamodb": "ResourceNotFoundException", "lambda": "ResourceNotFoundException", "sns": "NotFound"}
        known["sqs"] = "AWS.SimpleQueueService.NonExistentQueue"
        return known.get(service, "NotFoundException")

    # One method for each operation. None means that the resource does not exist.

    def DescribeStacks(self, asked):
        if asked["StackName"] != "rekey":
            self.errors["cloudformation:DescribeStacks"] = ("ValidationError", "Stack with id x does not exist")
            return None
        stack = {"StackName": "rekey", "CreationTime": NOW, "StackStatus": self.status}
        stack["Parameters"] = [{"ParameterKey": k, "ParameterValue": v} for k, v in self.parameters.items()]
        stack["Outputs"] = [{"OutputKey": k, "OutputValue": v} for k, v in self.outputs.items()]
        return {"Stacks": [stack]}

    def ListStackResources(self, asked):
        resources = self.resources if asked["StackName"] == "rekey" else self.nested[asked["StackName"]]
        listed = [
            {
                "LogicalResourceId": logical,
                "PhysicalResourceId": name,
                "ResourceType": kind,
                "LastUpdatedTimestamp": NOW,
                "ResourceStatus": "CREATE_COMPLETE",
            }
            for (kind, logical), name in resources.items()
        ]
        half = len(listed) // 2
        if "NextToken" in asked:
            return {"StackResourceSummaries": listed[half:]}
        return {"StackResourceSummaries": listed[:half], "NextToken": "more"}

    def GetFunctionConfiguration(self, asked):
        name = asked["FunctionName"]
        if self.deployed is None:
            return None
        variables = {variable: self.variables[variable] for variable in needed(name.partition("-")[2]) if variable in self.variables}
        variables |= self.own_variables.get(name, {}) | {v: self.variables[v] for v in self.variables.keys() - VARIABLES.keys()}
        described = {"FunctionName": name, "Environment": {"Variables": variables}} | self.deployed
        return described | ({"CodeSha256": self.code[name]} if name in self.code else {})

    def GetFunctionConcurrency(self, asked):
        reserved = self.reserved.get(asked["FunctionName"])
        return {} if reserved is None else {"ReservedConcurrentExecutions": reserved}

    def DescribeTable(self, asked):
        found = self.tables.get(asked["TableName"])
        return found and {"Table": found}

    def Scan(self, _):
        return {"Items": [], "Count": 0}

    def DescribeTimeToLive(self, _):
        return {"TimeToLiveDescription": self.ttl}

    def DescribeContinuousBackups(self, _):
        description = {"PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": self.recovery}}
        return {"ContinuousBackupsDescription": {"ContinuousBackupsStatus": "ENABLED"} | description}

    def GetAccount(self, _):
        return self.account

    def GetEmailIdentity(self, asked):
        return self.identities.get(asked["EmailIdentity"])

    def GetConfigurationSet(self, _):
        return self.mail_set

    def GetConfigurationSetEventDestinations(self, _):
        return self.mail_set and {"EventDestinations": self.destinations}

    def DescribeLogGroups(self, asked):
        found = [(name, days) for name, days in self.retention.items() if name.startswith(asked["logGroupNamePrefix"])]
        listed = [{"logGroupName": name} | ({"retentionInDays": days} if days else {}) for name, days in found]
        return {"logGroups": listed}

    def DescribeAlarms(self, asked):
        return {"MetricAlarms": [alarm for name, alarm in self.alarms.items() if name in asked["AlarmNames"]]}

    def ListSubscriptionsByTopic(self, asked):
        arns = self.subscriptions.get(asked["TopicArn"])
        if arns is None:
            return None
        if len(arns) > 1 and "NextToken" not in asked:
            return {"Subscriptions": [{"SubscriptionArn": arns[0]}], "NextToken": "more"}
        return {"Subscriptions": [{"SubscriptionArn": arn} for arn in arns[1 if "NextToken" in asked else 0 :]]}

    def DescribePipe(self, _):
        return self.pipe

    def ListEventSourceMappings(self, _):
        return {"EventSourceMappings": self.mappings}

    def GetMetricData(self, asked):
        (query,) = asked["MetricDataQueries"]
        return {"MetricDataResults": [{"Id": query["Id"], "Values": self.ages}]}

    def GetQueueAttributes(self, asked):
        (name,) = asked["AttributeNames"]
        return self.lost and {"Attributes": {name: self.lost}}


class Http:
    def __init__(self, status_code):
        self.status_code = status_code


def table(name, key, **indexes):
    attributes = [{"AttributeName": name, "AttributeType": "S"} for name in (key, *(n for a, _ in indexes.values() for n in a.split("+")))]
    described = {"TableName": name, "TableStatus": "ACTIVE", "KeySchema": key_schema(key), "AttributeDefinitions": attributes}
    listed = [
        {"IndexName": index, "IndexStatus": "ACTIVE", "KeySchema": key_schema(*attribute.split("+")), "Projection": projection}
        for index, (attribute, projection) in indexes.items()
    ]
    return described | ({"GlobalSecondaryIndexes": listed} if listed else {})


def key_schema(*names):
    return [{"AttributeName": name, "KeyType": kind} for name, kind in zip(names, ("HASH", "RANGE"))]


def run(doctor, capsys, *arguments):
    """Runs the doctor. Returns its exit status and its findings: (check, level, what, todo)."""
    status = doctor.main(["--stack", "rekey", "--json", *arguments])
    printed = capsys.readouterr().out
    findings = json.loads(printed)["findings"] if printed else []
    return status, [(f["check"], f["level"], f["what"], f["todo"]) for f in findings]
