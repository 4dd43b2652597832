"""infra/doctor: each of its checks on a healthy stack and on a broken one.

AWS is answered by `Aws` below, in shapes that botocore holds against its own models, and once by moto for what moto knows.
The API is a server of this machine, behind TLS, that answers as the functions do.
"""

import copy
import datetime
import hashlib
import http.server
import importlib.machinery
import importlib.util
import io
import ipaddress
import json
import re
import ssl
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import boto3
import botocore.session
import pytest
import yaml
from botocore.exceptions import EndpointConnectionError
from botocore.validate import validate_parameters
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from moto import mock_aws

ROOT = Path(__file__).resolve().parents[2]
PATH = ROOT / "infra" / "doctor"
REGION, ACCOUNT = "eu-west-1", "123456789012"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:rekey-alarms"
NOW = datetime.datetime(2025, 1, 1, tzinfo=datetime.timezone.utc)
LOGS = {name: f"/aws/lambda/rekey/{name.lower()[:-4]}" for name in ("ResetLogs", "ValidateLogs", "CompleteLogs")}
LOGS["ApiLogs"] = "/aws/vendedlogs/rekey/api"
# Reads each service's description once for all tests.
LOADER = botocore.session.Session().get_component("data_loader")
SECRET = "a-key-in-clear-that-nobody-may-see"


def load():
    # The name has no ending, and what is compiled must not lie in infra.
    loader = importlib.machinery.SourceFileLoader("doctor", str(PATH))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("doctor", loader))
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = written
    return module


doctor = load()


def document(name):
    """A YAML document; CloudFormation's short forms become what they hold."""

    class Loader(yaml.SafeLoader):
        pass

    def plain(loader, _, node):
        construct = {"scalar": loader.construct_scalar, "sequence": loader.construct_sequence}
        return construct.get(node.id, loader.construct_mapping)(node)

    Loader.add_multi_constructor("!", plain)
    return yaml.load((ROOT / "infra" / name).read_text(), Loader)


# ---------------------------------------------------------------------------------------------------------------- AWS


class Aws:
    """A healthy stack, as AWS tells of it: answers by operation, or by operation and what it is asked for."""

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
            "MailIdentityName": "",
        }
        self.outputs = {
            "ApiUrl": api.url,
            "ResetFunctionName": "rekey-reset",
            "ValidateFunctionName": "rekey-validate",
            "CompleteFunctionName": "rekey-complete",
            "TokensTableName": "rekey-tokens",
            "AccountsTable": "rekey-accounts",
            "MailConfigurationSetName": "rekey-mail",
        }
        self.status = "UPDATE_COMPLETE"
        self.resources = {("AWS::Logs::LogGroup", logical): name for logical, name in LOGS.items()}
        self.resources |= {("AWS::CloudWatch::Alarm", f"{n}Alarm"): f"rekey-{n}Alarm-1" for n in ("Mail", "Errors")}
        self.resources[("AWS::Pipes::Pipe", "PasswordResets")] = "rekey-pipe"
        self.variables = {
            "TOKENS_TABLE": "rekey-tokens",
            "ACCOUNTS_TABLE": "rekey-accounts",
            "ACCOUNTS_KEY": "email",
            "ACCOUNTS_EMAIL": "email",
            "ACCOUNTS_EMAIL_INDEX": "",
            "ACCOUNTS_PASSWORD_HASH": "password_hash",
            "ACCOUNTS_PASSWORD_CHANGED_AT": "password_changed_at",
            "TOKEN_LIFETIME_SECONDS": "7200",
            "MAIL_FROM": "no-reply@mail.rekey.dev",
            "MAIL_REPLY_TO": "",
            "MAIL_CONFIGURATION_SET": "rekey-mail",
            "RESET_LINK": "",
            "SERVICE_NAME": "To-do & <Co>",
            "PASSWORD_MIN_LENGTH": "15",
            "ARGON2_MEMORY_KIB": "65536",
            "ARGON2_ITERATIONS": "3",
            "ARGON2_LANES": "4",
            "API_KEYS": f"shop:reset+validate:{hashlib.sha256(b'k').hexdigest()}",
            "REQUIRE_API_KEY": "false",
            "LIMIT_RESET_PER_IP": "20",
            "LIMIT_MAIL_PER_ADDRESS": "5",
            "LIMIT_BAD_TOKEN_PER_IP": "20",
        }
        self.latest = {}  # what $LATEST has otherwise than the live version
        self.live = {  # the live version
            "State": "Active",
            "Runtime": "provided.al2023",
            "Timeout": 28,
            "MemorySize": 256,
            "CodeSha256": "abc",
            "Architectures": ["arm64"],
            "TracingConfig": {"Mode": "Active"},
            "LoggingConfig": {"LogFormat": "JSON"},
        }
        self.alias = {"Name": "live", "FunctionVersion": "7"}
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
            "SuppressionAttributes": {"SuppressedReasons": ["BOUNCE", "COMPLAINT"]},
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
            "SuppressionOptions": {"SuppressedReasons": ["BOUNCE", "COMPLAINT"]},
        }
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
            for (kind, _), name in self.resources.items()
            if kind == "AWS::CloudWatch::Alarm"
        }
        self.subscriptions = {TOPIC: [f"{TOPIC}:1", "PendingConfirmation"]}
        self.pipe = {"Name": "rekey-pipe", "CurrentState": "RUNNING"}
        self.errors = {}  # what AWS answers to an action instead
        self.unknown_to_moto = None  # with moto, what is answered here nevertheless

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
        return known.get(service, "NotFoundException")

    # One method for each operation; nothing means that it does not exist.

    def DescribeStacks(self, asked):
        if asked["StackName"] != "rekey":
            self.errors["cloudformation:DescribeStacks"] = ("ValidationError", "Stack with id x does not exist")
            return None
        stack = {"StackName": "rekey", "CreationTime": NOW, "StackStatus": self.status}
        stack["Parameters"] = [{"ParameterKey": k, "ParameterValue": v} for k, v in self.parameters.items()]
        stack["Outputs"] = [{"OutputKey": k, "OutputValue": v} for k, v in self.outputs.items()]
        return {"Stacks": [stack]}

    def ListStackResources(self, asked):
        listed = [
            {
                "LogicalResourceId": logical,
                "PhysicalResourceId": name,
                "ResourceType": kind,
                "LastUpdatedTimestamp": NOW,
                "ResourceStatus": "CREATE_COMPLETE",
            }
            for (kind, logical), name in self.resources.items()
        ]
        half = len(listed) // 2
        if "NextToken" in asked:
            return {"StackResourceSummaries": listed[half:]}
        return {"StackResourceSummaries": listed[:half], "NextToken": "more"}

    def GetAlias(self, _):
        return self.alias

    def GetFunctionConfiguration(self, asked):
        live = {"FunctionName": asked["FunctionName"], "Environment": {"Variables": self.variables}} | self.live
        if asked["Qualifier"] == "7":
            return live
        return live | self.latest if asked["Qualifier"] == "$LATEST" else None

    def GetFunctionConcurrency(self, asked):
        reserved = self.reserved.get(asked["FunctionName"])
        return {} if reserved is None else {"ReservedConcurrentExecutions": reserved}

    def DescribeTable(self, asked):
        found = self.tables.get(asked["TableName"])
        return found and {"Table": found}

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


class Http:
    def __init__(self, status_code):
        self.status_code = status_code


def table(name, key, **indexes):
    described = {"TableName": name, "TableStatus": "ACTIVE", "KeySchema": hash_key(key)}
    listed = [
        {"IndexName": index, "IndexStatus": "ACTIVE", "KeySchema": hash_key(attribute), "Projection": projection}
        for index, (attribute, projection) in indexes.items()
    ]
    return described | ({"GlobalSecondaryIndexes": listed} if listed else {})


def hash_key(name):
    return [{"AttributeName": name, "KeyType": "HASH"}]


# ---------------------------------------------------------------------------------------------------------------- API


class Api:
    """Answers as the functions do to what does no harm; `broken` changes an answer."""

    HEADERS = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
        "X-Content-Type-Options": "nosniff",
    }

    def __init__(self, certificate=None):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_port
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.restore()

    def restore(self):
        self.keys_required, self.broken, self.seen = False, lambda path, status, headers: (status, headers), []

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def status(self, method, path, query, body):
        path = path.rstrip("/") + ("" if path.startswith("/auth/") else "/")
        operation = PATHS.get(path, {}).get(method.lower())
        if operation is None:
            return None
        if method == "GET" and not query and "security" in operation or path == PAGE and method == "GET" and not query:
            return 404 if self.keys_required else 200
        if self.keys_required or path == "/auth/reset/validate":
            return 401
        return 404 if "token" in query or "token" in (body or {}) else 400

    def _handler(api):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                path, _, query = self.path.partition("?")
                body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "null")
                api.seen.append((self.command, self.path, body))
                status, headers = api.status(self.command, path, query, body), api.HEADERS
                if status is None:
                    status, headers = 404, {}
                status, headers = api.broken(path, status, dict(headers))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_POST = do_GET

            def log_message(self, *_):
                pass

        return Handler


PATHS = document("openapi.yaml")["paths"]
PAGE = "/organizations/complete-password/"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of this machine, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.timezone.utc)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(signed.public_bytes(pem) + private)
    return path


@pytest.fixture(scope="module")
def server(certificate):
    api = Api(certificate)
    yield api
    api.close()


@pytest.fixture(scope="module")
def plain_server():
    api = Api()
    yield api
    api.close()


@pytest.fixture
def aws(server, plain_server, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setattr(doctor, "PLAIN_PORT", 1)  # nobody listens there
    for api in (server, plain_server):
        api.restore()
    aws = Aws(server)
    aws.plain = plain_server
    monkeypatch.setattr(doctor, "open_session", aws.session)
    return aws


def run(capsys, *arguments):
    """The exit status, and what was found: (check, level, what, todo)."""
    status = doctor.main(["--stack", "rekey", "--json", *arguments])
    printed = capsys.readouterr().out
    findings = json.loads(printed)["findings"] if printed else []
    return status, [(f["check"], f["level"], f["what"], f["todo"]) for f in findings]


# -------------------------------------------------------------------------------------------------- healthy and broken


def test_a_healthy_stack_passes_every_check(aws, capsys):
    status, findings = run(capsys)
    assert [f for f in findings if f[1] != "ok"] == []
    assert {f[0] for f in findings} == {name for name, _, _ in doctor.CHECKS}
    assert status == 0


def change(path, value):
    """A change of `aws`: attributes and keys, separated by slashes."""

    def apply(aws, _):
        *way, last = path.split("/")
        place = aws
        for step in way:
            place = place[step] if isinstance(place, dict) else getattr(place, step)
        if isinstance(place, dict):
            place[last] = value
        else:
            setattr(place, last, value)

    return apply


def drop(path, key):
    return lambda aws, _: getattr(aws, path).pop(key)


def answers(where, new_status=None, without=()):
    """The API answers otherwise at `where`."""

    def apply(aws, _):
        def broken(path, status, headers):
            if path.rstrip("/") != where.rstrip("/"):
                return status, headers
            kept = {name: value for name, value in headers.items() if name not in without}
            return new_status or status, kept

        aws.api.broken = broken

    return apply


def both(*changes):
    return lambda *world: [apply(*world) for apply in changes]


def own_accounts(**other):
    """An accounts table of the operator's, keyed by user_id, with an index on the address."""

    def apply(aws, _):
        projection = other.get("projection", {"ProjectionType": "ALL"})
        aws.parameters["AccountsTableName"] = aws.outputs["AccountsTable"] = "people"
        aws.tables["people"] = table("people", other.get("key", "user_id"), by_email=(other.get("by", "email"), projection))
        aws.variables |= {"ACCOUNTS_TABLE": "people", "ACCOUNTS_KEY": "user_id", "ACCOUNTS_EMAIL_INDEX": "by_email"}

    return apply


def address_identity(verified):
    identity = {"IdentityType": "EMAIL_ADDRESS", "VerifiedForSendingStatus": verified, "VerificationStatus": "PENDING"}
    return change("identities", {"no-reply@mail.rekey.dev": identity})


def plain_http(aws, monkeypatch):
    monkeypatch.setattr(doctor, "PLAIN_PORT", aws.plain.port)


def redirecting_http(aws, monkeypatch):
    plain_http(aws, monkeypatch)
    aws.plain.broken = lambda path, *_: (301, {"Location": aws.api.url + path})


def unsafe_url(aws, _):
    aws.outputs["ApiUrl"] = aws.plain.url


def untrusted(_, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")


ALL_HEADERS = tuple(Api.HEADERS)
IDENTITY = "identities/rekey.dev"
ALARM = "rekey-MailAlarm-1"

# The check, what is broken, the level, a part of what is then said, and a part of what to do.
BROKEN = [
    ("stack", change("status", "UPDATE_ROLLBACK_FAILED"), "FAIL", "UPDATE_ROLLBACK_FAILED", "describe-stack-events"),
    ("stack", change("status", "UPDATE_ROLLBACK_COMPLETE"), "warn", "rolled back", "sam deploy"),
    ("stack", change("status", "UPDATE_IN_PROGRESS"), "warn", "UPDATE_IN_PROGRESS", "wait"),
    ("function", change("alias", None), "FAIL", "no alias live", "sam deploy"),
    ("function", change("alias/FunctionVersion", "8"), "FAIL", "points to 8", "sam deploy"),
    ("function", change("alias/FunctionVersion", "$LATEST"), "FAIL", "no version", "sam deploy"),
    ("function", change("alias/RoutingConfig", {"AdditionalVersionWeights": {"8": 0.1}}), "warn", "version 8", "canary"),
    ("function", change("live/State", "Failed"), "FAIL", "is Failed", "sam deploy"),
    ("function", change("live/State", "Inactive"), "warn", "asleep", "call it"),
    ("function", change("live/Runtime", "provided.al2"), "FAIL", "provided.al2,", "sam deploy"),
    ("function", change("live/Timeout", 30), "FAIL", "30 s", "Timeout: 28"),
    ("drift", change("latest", {"MemorySize": 512, "Timeout": 27}), "FAIL", "MemorySize, Timeout", "by hand"),
    ("drift", change("latest", {"Environment": {"Variables": {}}}), "FAIL", "API_KEYS", "sam deploy"),
    ("concurrency", change("reserved", {}), "FAIL", "no calls at once are reserved, not 10", "sam deploy"),
    ("concurrency", change("reserved", {"rekey-complete": 3}), "FAIL", "3 calls at once are reserved, not 10", "sam"),
    ("concurrency", change("reserved/rekey-reset", 0), "FAIL", "switches it off", "delete-function-concurrency"),
    (
        "concurrency",
        both(change("reserved", {}), change("parameters/CompleteConcurrency", "0")),
        "warn",
        "no ceiling",
        "Concurrent executions",
    ),
    ("variables", drop("variables", "SERVICE_NAME"), "FAIL", "SERVICE_NAME is not set", "ServiceName"),
    ("variables", change("variables/MAIL_FROM", ""), "FAIL", "MAIL_FROM is not set", "MailFrom"),
    ("variables", change("variables/MAIL_FROM", "no-reply@example.com"), "FAIL", "MAIL_FROM holds a placeholder", ""),
    ("variables", change("variables/RESET_LINK", "https://my.test/set"), "FAIL", "RESET_LINK holds a placeholder", ""),
    ("variables", change("variables/RESET_LINK", "${ResetLink}"), "FAIL", "RESET_LINK holds a placeholder", "ResetLink"),
    ("variables", change("variables/RESET_LINK", "http://rekey.dev/"), "FAIL", "RESET_LINK is malformed", "ResetLink"),
    ("variables", change("variables/ACCOUNTS_TABLE", "TODO"), "FAIL", "ACCOUNTS_TABLE holds", "AccountsTableName"),
    ("variables", change("variables/ARGON2_ITERATIONS", "1"), "FAIL", "ARGON2_ITERATIONS is malformed", "Argon2Iter"),
    ("variables", change("variables/API_KEYS", SECRET), "FAIL", "API_KEYS is malformed", "ApiKeys"),
    ("variables", change("variables/API_KEYS", f"a:reset:{hashlib.sha256(b'').hexdigest()}"), "FAIL", "an empty key", ""),
    ("variables", change("variables/REQUIRE_API_KEY", "true"), "FAIL", "RESET_LINK is empty", "ResetLink"),
    ("variables", change("variables/ACCOUNTS_KEY", "user_id"), "FAIL", "ACCOUNTS_EMAIL_INDEX is empty", "AccountsEma"),
    ("variables", change("variables/AWS_ENDPOINT_URL", "https://x.dev"), "warn", "AWS_ENDPOINT_URL", "take it out"),
    ("variables", change("live/Environment", {"Error": {"ErrorCode": "X"}}), "warn", "cannot be read", "kms:Decrypt"),
    ("api", answers("/auth/reset/password", 404, ALL_HEADERS), "FAIL", "not from Rekey", "does not know the route"),
    ("api", answers("/auth/reset/password", 503, ALL_HEADERS), "FAIL", "not from Rekey", "logs tail"),
    ("api", answers("/auth/reset/password", 403, ALL_HEADERS), "FAIL", "not from Rekey", "firewall"),
    ("api", answers("/auth/reset/password", 503), "FAIL", "503 instead of 400", "logs tail"),
    ("api", answers("/auth/reset/password", 200), "FAIL", "200 instead of 400", "sam deploy"),
    ("api", answers("/auth/reset/password", 429), "warn", "throttled", "wait"),
    ("api", answers(PAGE, without=["Referrer-Policy"]), "FAIL", "without a good Referrer-Policy", "pass headers on"),
    ("api", untrusted, "FAIL", "does not answer", "certificate"),
    ("api", answers("/nowhere"), "ok", "GET /organizations/reset-password/: 200", ""),
    ("tls", plain_http, "FAIL", "serves the API", "HTTPS only"),
    ("tls", redirecting_http, "ok", "answers 301 and serves nothing", ""),
    ("tls", unsafe_url, "FAIL", "begins with http://", "sam deploy"),
    ("tokens", drop("tables", "rekey-tokens"), "FAIL", "does not exist", "sam deploy"),
    ("tokens", change("tables/rekey-tokens", table("rekey-tokens", "id")), "FAIL", "its key is id, not pk", "sam deploy"),
    ("tokens", change("tables/rekey-tokens/TableStatus", "ARCHIVED"), "FAIL", "ARCHIVED", "DynamoDB console"),
    ("tokens", change("variables/TOKENS_TABLE", "others"), "FAIL", "use another one", "sam deploy"),
    ("ttl", change("ttl", {"TimeToLiveStatus": "DISABLED"}), "FAIL", "TTL is DISABLED", "update-time-to-live"),
    ("ttl", change("ttl/TimeToLiveStatus", "ENABLING"), "warn", "being enabled", "wait"),
    ("ttl", change("ttl/AttributeName", "ttl"), "FAIL", "TTL is on ttl", "AttributeName=expires_at"),
    ("accounts", drop("tables", "rekey-accounts"), "FAIL", "does not exist", "AccountsTableName"),
    ("accounts", change("variables/ACCOUNTS_TABLE", "others"), "FAIL", "use another one", "sam deploy"),
    ("accounts", own_accounts(), "ok", "index by_email: its partition key is email", ""),
    ("accounts", own_accounts(key="id"), "FAIL", "its key is id, not user_id", "AccountsKey"),
    ("accounts", own_accounts(by="name"), "FAIL", "its partition key is name, not email", "AccountsEmail"),
    (
        "accounts",
        own_accounts(projection={"ProjectionType": "KEYS_ONLY"}),
        "FAIL",
        "does not project password_changed_at",
        "create an index",
    ),
    (
        "accounts",
        both(own_accounts(), change("variables/ACCOUNTS_EMAIL_INDEX", "by_mail")),
        "FAIL",
        "by_mail: does not exist (there are: by_email)",
        "AccountsEmailIndex",
    ),
    (
        "accounts",
        both(own_accounts(), change("variables/ACCOUNTS_EMAIL_INDEX", "")),
        "FAIL",
        "no index on email",
        "AccountsEmailIndex",
    ),
    ("backup", change("recovery", "DISABLED"), "FAIL", "point-in-time recovery is disabled", "update-continuous-backups"),
    ("backup", change("tables/rekey-accounts/DeletionProtectionEnabled", False), "FAIL", "delete it", "update-table"),
    ("backup", own_accounts(), "ok", "is yours", ""),
    ("ses", change("account/ProductionAccessEnabled", False), "FAIL", "sandbox", "Request production access"),
    ("ses", change("account/SendingEnabled", False), "FAIL", "switched off", "put-account-sending-attributes"),
    ("ses", change("account/EnforcementStatus", "PROBATION"), "warn", "under review", "Reputation"),
    ("quota", change("account/SendQuota/SentLast24Hours", 50000.0), "FAIL", "used up", "Service Quotas"),
    ("quota", change("account/SendQuota/SentLast24Hours", 41000.0), "warn", "82 %", "Service Quotas"),
    ("quota", change("account/SendQuota/Max24HourSend", -1.0), "ok", "no quota", ""),
    ("identity", change("identities", {}), "FAIL", "no identity", "MailIdentity"),
    ("identity", change(f"{IDENTITY}/VerifiedForSendingStatus", False), "FAIL", "not verified", "DKIM records"),
    ("identity", address_identity(False), "FAIL", "not verified (PENDING)", "follow the link"),
    ("identity", address_identity(True), "ok", "no-reply@mail.rekey.dev is verified", ""),
    ("dkim", change(f"{IDENTITY}/DkimAttributes/Status", "PENDING"), "FAIL", "PENDING", "t1._domainkey.rekey.dev CNAME"),
    ("dkim", change(f"{IDENTITY}/DkimAttributes/SigningEnabled", False), "FAIL", "does not sign", "--signing-enabled"),
    ("dkim", change("identities", {}), "FAIL", "no identity", "verify"),
    ("dkim", address_identity(True), "ok", "no DKIM of its own", ""),
    ("mail-from", change(f"{IDENTITY}/MailFromAttributes/MailFromDomainStatus", "FAILED"), "warn", "FAILED", " MX 10 "),
    (
        "mail-from",
        change(
            f"{IDENTITY}/MailFromAttributes",
            {
                "MailFromDomain": "b.rekey.dev",
                "MailFromDomainStatus": "PENDING",
                "BehaviorOnMxFailure": "REJECT_MESSAGE",
            },
        ),
        "FAIL",
        "mail is refused",
        " MX 10 ",
    ),
    ("mail-from", change(f"{IDENTITY}/MailFromAttributes/MailFromDomain", ""), "warn", "SPF", "mail-from-attributes"),
    ("mail-from", change("identities", {}), "FAIL", "no identity", "verify"),
    ("mail-set", change("mail_set", None), "FAIL", "does not exist", "MailConfigurationSet"),
    ("mail-set", change("mail_set/DeliveryOptions", {"TlsPolicy": "OPTIONAL"}), "FAIL", "in clear", "--tls-policy REQUIRE"),
    ("mail-set", change("mail_set/SendingOptions", {"SendingEnabled": False}), "FAIL", "switched off", "--sending-enabled"),
    (
        "mail-set",
        change("mail_set/SuppressionOptions", {"SuppressedReasons": ["BOUNCE"]}),
        "FAIL",
        "COMPLAINT suppresses no",
        "put-configuration-set-suppression-options",
    ),
    ("mail-set", drop("mail_set", "SuppressionOptions"), "ok", "bounces and complaints", ""),
    ("mail-set", change("variables/MAIL_CONFIGURATION_SET", "other"), "FAIL", "use another one", "sam deploy"),
    (
        "tracking",
        change("destinations", [{"Name": "x", "Enabled": True, "MatchingEventTypes": ["CLICK"]}]),
        "FAIL",
        "x counts opens or clicks",
        "take OPEN and CLICK out",
    ),
    ("logs", drop("retention", LOGS["ApiLogs"]), "FAIL", "api does not exist", "create-log-group"),
    ("logs", drop("resources", ("AWS::Logs::LogGroup", "ResetLogs")), "FAIL", "no log group ResetLogs", "sam deploy"),
    ("logs", change("retention", dict.fromkeys(LOGS.values())), "FAIL", "for ever", "put-retention-policy"),
    ("logs", change("retention", dict.fromkeys(LOGS.values(), 7)), "warn", "7 days, not 90", "--retention-in-days 90"),
    ("alarms", drop("alarms", ALARM), "FAIL", "does not exist", "sam deploy"),
    ("alarms", change(f"alarms/{ALARM}/ActionsEnabled", False), "FAIL", "switched off", "enable-alarm-actions"),
    ("alarms", change(f"alarms/{ALARM}/AlarmActions", []), "FAIL", "no SNS topic", "sam deploy"),
    ("alarms", change(f"alarms/{ALARM}/StateValue", "ALARM"), "FAIL", "rings", "What to do about it."),
    ("alarms", change("resources", {}), "FAIL", "does not exist", "sam deploy"),
    ("topic", change("subscriptions", {}), "FAIL", "does not exist", "AlarmTopicArn"),
    ("topic", change("subscriptions", {TOPIC: []}), "FAIL", "nobody", "sns subscribe"),
    ("topic", change("subscriptions", {TOPIC: ["PendingConfirmation"]}), "FAIL", "no subscription is confirmed", "follow"),
    ("topic", change("alarms", {}), "FAIL", "no alarm tells", "sam deploy"),
    ("events", change("pipe/CurrentState", "STOPPED"), "FAIL", "STOPPED", "start-pipe"),
    ("events", change("pipe", None), "FAIL", "does not exist", "sam deploy"),
    ("events", change("parameters/PublishPasswordResets", "false"), "ok", "no events", ""),
]


@pytest.mark.parametrize(("name", "breaking", "level", "what", "todo"), BROKEN, ids=lambda x: x if isinstance(x, str) else "")
def test_what_is_broken_is_found_and_comes_with_what_to_do(aws, capsys, monkeypatch, name, breaking, level, what, todo):
    breaking(aws, monkeypatch)
    monkeypatch.setattr(doctor, "CHECKS", [check for check in doctor.CHECKS if check[0] == name])
    status, findings = run(capsys)
    found = [f for f in findings if f[0] == name and f[1] == level and what in f[2] and todo in f[3]]
    assert found, findings
    assert all(f[3] for f in findings if f[1] != "ok")
    assert status == (1 if any(f[1] == "FAIL" for f in findings) else 0)


def test_every_check_is_seen_to_fail():
    failing = {name for name, _, level, _, _ in BROKEN if level == "FAIL"}
    assert failing == {name for name, _, _ in doctor.CHECKS}


# ------------------------------------------------------------------------------------------------------- what AWS hides


@pytest.mark.parametrize("action", [p for p in doctor.PERMISSIONS if p != "cloudformation:DescribeStacks"])
def test_what_is_denied_is_a_warning_that_names_the_permission(aws, capsys, action):
    aws.errors[action] = ("AccessDeniedException", "who are you?")
    status, findings = run(capsys)
    warnings = [f for f in findings if f[1] == "warn"]
    assert warnings and all(f"{action} is denied" in f[2] and action in f[3] for f in warnings), findings
    assert status == 0


def test_what_fails_is_a_warning_too(aws, capsys):
    aws.errors["ses:GetAccount"] = ("TooManyRequestsException", "slow down")
    aws.errors["sns:ListSubscriptionsByTopic"] = EndpointConnectionError(endpoint_url="https://sns")
    status, findings = run(capsys)
    warnings = {f[2] for f in findings if f[1] != "ok"}
    assert warnings == {
        "cannot look: ses:GetAccount failed (TooManyRequestsException)",
        "cannot look: sns:ListSubscriptionsByTopic failed (EndpointConnectionError)",
    }
    assert status == 0


def test_a_fault_of_its_own_is_a_warning(aws, capsys):
    aws.alias = {"Name": "live"}
    status, findings = run(capsys)
    assert ("function", "warn", "cannot look: KeyError in function_state", "report this as a fault of infra/doctor") in findings
    assert status == 0


def test_it_only_reads_and_says_all_that_it_needs(aws, capsys):
    run(capsys)
    assert aws.asked == set(doctor.PERMISSIONS)
    assert all(re.match(r"[a-z]+:(Describe|Get|List)", action) for action in aws.asked)
    with pytest.raises(SystemExit) as ended:
        doctor.main(["--help"])
    printed = capsys.readouterr().out
    assert ended.value.code == 0 and all(action in printed for action in doctor.PERMISSIONS)


# ---------------------------------------------------------------------------------------------------- could not look


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (("ValidationError", "Stack with id rekey does not exist"), "there is no stack rekey"),
        (("AccessDenied", "no"), "cloudformation:DescribeStacks"),
        (EndpointConnectionError(endpoint_url="https://cloudformation"), "cannot be asked"),
    ],
    ids=["no_stack", "denied", "no_network"],
)
def test_without_a_stack_it_says_why_and_ends_with_2(aws, capsys, error, said):
    aws.errors["cloudformation:DescribeStacks"] = error
    assert doctor.main(["--stack", "rekey"]) == 2
    printed = capsys.readouterr()
    assert said in printed.err and printed.out == ""


def test_another_stack_is_none_of_its_business(aws, capsys):
    aws.outputs = {"ApiUrl": aws.api.url}
    assert doctor.main(["--stack", "rekey"]) == 2
    assert "not Rekey's" in capsys.readouterr().err


def test_a_stack_that_never_came_up_is_a_failure(aws, capsys):
    aws.outputs, aws.status = {}, "ROLLBACK_COMPLETE"
    status, findings = run(capsys)
    assert (status, [f[:2] for f in findings]) == (1, [("stack", "FAIL")])


def test_bad_arguments_end_with_2():
    for arguments in ([], ["--stack"], ["--stack", "rekey", "--fix"]):
        ended = subprocess.run([sys.executable, PATH, *arguments], capture_output=True, text=True)
        assert (ended.returncode, ended.stdout) == (2, ""), arguments
        assert "usage:" in ended.stderr


def test_a_missing_region_or_profile_ends_with_2(monkeypatch, capsys):
    for variable in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    assert doctor.main(["--stack", "rekey"]) == 2
    assert "--region" in capsys.readouterr().err
    assert doctor.main(["--stack", "rekey", "--profile", "nobody"]) == 2
    assert "nobody" in capsys.readouterr().err


def test_without_boto3_it_says_what_to_install(tmp_path):
    (tmp_path / "boto3.py").write_text("raise ImportError")
    environment = {"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"}
    ended = subprocess.run([sys.executable, PATH, "--stack", "x"], capture_output=True, text=True, env=environment)
    assert (ended.returncode, ended.stderr) == (2, "infra/doctor needs boto3: python3 -m pip install boto3\n")


# ------------------------------------------------------------------------------------------------------------ output


def test_the_text_has_a_line_for_each_finding_and_one_that_counts(aws, capsys):
    aws.ttl = {"TimeToLiveStatus": "DISABLED"}
    aws.retention = dict.fromkeys(LOGS.values(), 7)
    assert doctor.main(["--stack", "rekey"]) == 1
    lines = capsys.readouterr().out.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("FAIL"))
    assert re.match(r"FAIL +ttl +table rekey-tokens: TTL is DISABLED", lines[at])
    assert lines[at + 1].strip().startswith("-> aws dynamodb update-time-to-live --table-name rekey-tokens")
    assert all(re.match(r"(ok|warn|FAIL) +[a-z-]+ +\S| +-> \S", line) for line in lines[:-1])
    assert re.fullmatch(rf"rekey in {REGION}: \d+ ok, 4 warn, 1 FAIL", lines[-1])


def test_json_is_one_document(aws, capsys):
    aws.account["ProductionAccessEnabled"] = False
    assert doctor.main(["--stack", "rekey", "--json"]) == 1
    printed = json.loads(capsys.readouterr().out)
    assert (printed["stack"], printed["region"], printed["count"]["FAIL"]) == ("rekey", REGION, 1)
    assert sum(printed["count"].values()) == len(printed["findings"])
    assert {tuple(finding) for finding in printed["findings"]} == {("check", "level", "what", "todo")}


def test_commands_name_the_region_and_the_profile(aws, capsys):
    aws.ttl = {"TimeToLiveStatus": "DISABLED"}
    _, findings = run(capsys, "--profile", "prod")
    todo = next(f[3] for f in findings if f[1] == "FAIL")
    assert todo.endswith(f"--region {REGION} --profile prod")


def test_no_value_of_a_variable_is_printed(aws, capsys):
    aws.variables["API_KEYS"] = SECRET
    digest = hashlib.sha256(SECRET.encode()).hexdigest()
    aws.latest = {"Environment": {"Variables": aws.variables | {"API_KEYS": f"shop:reset:{digest}"}}}
    for arguments in (["--stack", "rekey"], ["--stack", "rekey", "--json"]):
        doctor.main(arguments)
        printed = "".join(capsys.readouterr())
        assert "API_KEYS" in printed and SECRET not in printed and digest not in printed


# --------------------------------------------------------------------------------------------------------------- API


def test_it_asks_every_route_and_does_no_harm(aws, capsys):
    run(capsys)
    seen = aws.api.seen
    asked = {(method, path) for method, path, _ in seen if path.endswith("/") or path.startswith("/auth")}
    assert asked >= {(method.upper(), path) for path, methods in PATHS.items() for method in methods}
    harmless = (None, {}, doctor.UNKNOWN)
    assert all(body in harmless and "@" not in path and "email=" not in path for _, path, body in seen)
    # The default allows twenty dead tokens in ten minutes.
    dead = [path for _, path, body in seen if doctor.UNKNOWN_TOKEN in f"{path}{body}" or path == "/auth/reset/validate"]
    assert len(dead) == 3


def test_where_keys_are_required_it_expects_to_be_turned_away(aws, capsys):
    aws.api.keys_required = True
    aws.variables |= {"REQUIRE_API_KEY": "true", "RESET_LINK": "https://rekey.dev/new-password"}
    status, findings = run(capsys)
    assert [f for f in findings if f[1] != "ok"] == [] and status == 0
    assert any("POST /organizations/reset-password/: 401" in f[2] for f in findings)


def test_an_api_that_does_not_answer_is_asked_once(aws, capsys):
    aws.outputs["ApiUrl"] = "https://127.0.0.1:1"
    status, findings = run(capsys)
    assert [f[1] for f in findings if f[0] == "api"] == ["FAIL"] and status == 1


def test_the_routes_are_those_of_the_openapi_document():
    documented = {(method.upper(), path): o for path, methods in PATHS.items() for method, o in methods.items()}
    assert [r[:2] for r in doctor.ROUTES] == list(dict.fromkeys(r[:2] for r in doctor.ROUTES))
    assert {r[:2] for r in doctor.ROUTES} == documented.keys()
    probes = [*doctor.ROUTES, *((m, f"{p.partition('?')[0]}/", *statuses) for m, p, _, *statuses in doctor.TOKEN_PROBES)]
    for method, path, *statuses in probes:
        assert {str(status) for status in statuses} <= documented[method, path]["responses"].keys(), path


def test_the_headers_are_those_of_the_openapi_document():
    responses = document("openapi.yaml")["components"]["responses"].values()
    assert set.intersection(*(set(response["headers"]) for response in responses)) == doctor.SECURITY_HEADERS.keys()


def test_the_variables_are_those_of_the_functions():
    source = (ROOT / "shared" / "src" / "config.rs").read_text()
    listed = re.search(r"VARIABLES: \[&str; \d+\] = \[(.*?)\]", source, re.DOTALL)[1]
    assert set(re.findall(r'"(\w+)"', listed)) == doctor.VARIABLES.keys()


def test_what_it_looks_for_is_what_the_template_has():
    template = document("template.yaml")
    assert set(doctor.OUTPUTS) <= template["Outputs"].keys()
    kinds = {(resource["Type"], name) for name, resource in template["Resources"].items()}
    assert kinds >= {("AWS::Logs::LogGroup", name) for name in LOGS} | {("AWS::Pipes::Pipe", "PasswordResets")}
    assert kinds >= {("AWS::Serverless::Function", f"{name.capitalize()}Function") for name in doctor.FUNCTIONS}
    common = template["Globals"]["Function"]
    assert (common["Runtime"], common["AutoPublishAlias"]) == (doctor.RUNTIME, "live")
    assert common["Timeout"] < doctor.API_TIMEOUT
    ours = {doctor.parameter_of(variable) for variable in doctor.VARIABLES} - {"TokensTable"}
    assert ours <= template["Parameters"].keys()


# -------------------------------------------------------------------------------------------------------------- moto


@pytest.fixture
def moto(aws):
    """The same stack in moto, but for what moto does not know: accounts of SES, pipes, and alarms that are a stack's."""
    with mock_aws():
        session = boto3.Session("testing", "testing", region_name=REGION)
        deploy(aws, session)
        aws.unknown_to_moto = {"sesv2", "pipes", "cloudformation:ListStackResources"}
        yield session


def deploy(aws, session):
    dynamodb, functions = session.client("dynamodb"), session.client("lambda")
    for name, key in (("rekey-tokens", "pk"), ("rekey-accounts", "email")):
        dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=hash_key(key),
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
            DeletionProtectionEnabled=True,
        )
        dynamodb.update_continuous_backups(
            TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
    enabled = {"AttributeName": "expires_at", "Enabled": True}
    dynamodb.update_time_to_live(TableName="rekey-tokens", TimeToLiveSpecification=enabled)
    trust = {"Version": "2012-10-17", "Statement": []}
    role = session.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    for name in doctor.FUNCTIONS:
        functions.create_function(
            FunctionName=f"rekey-{name}",
            Runtime=doctor.RUNTIME,
            Handler="bootstrap",
            Role=role,
            Timeout=28,
            Code={"ZipFile": archive()},
            Environment={"Variables": aws.variables},
        )
        version = functions.publish_version(FunctionName=f"rekey-{name}")["Version"]
        functions.create_alias(FunctionName=f"rekey-{name}", Name="live", FunctionVersion=version)
    functions.put_function_concurrency(FunctionName="rekey-complete", ReservedConcurrentExecutions=10)
    topic = session.client("sns").create_topic(Name="rekey-alarms")["TopicArn"]
    session.client("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint="ops@rekey.dev")
    for name in LOGS.values():
        session.client("logs").create_log_group(logGroupName=name)
        session.client("logs").put_retention_policy(logGroupName=name, retentionInDays=90)
    for name in aws.alarms:
        session.client("cloudwatch").put_metric_alarm(
            AlarmName=name,
            Namespace="Rekey",
            MetricName="Mails",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
            AlarmActions=[topic],
        )
    template = {
        "Parameters": {name: {"Type": "String"} for name in aws.parameters},
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {name: {"Value": value} for name, value in aws.outputs.items()},
    }
    session.client("cloudformation").create_stack(
        StackName="rekey",
        TemplateBody=json.dumps(template),
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in aws.parameters.items()],
    )


def archive():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zipped:
        zipped.writestr("bootstrap", "")
    return file.getvalue()


def test_moto_s_stack_is_healthy(moto, capsys):
    status, findings = run(capsys)
    assert [f for f in findings if f[1] != "ok"] == [] and status == 0


def test_moto_s_stack_is_broken(moto, capsys):
    disabled = {"AttributeName": "expires_at", "Enabled": False}
    moto.client("dynamodb").update_time_to_live(TableName="rekey-tokens", TimeToLiveSpecification=disabled)
    moto.client("dynamodb").update_continuous_backups(
        TableName="rekey-accounts", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False}
    )
    moto.client("lambda").update_function_configuration(FunctionName="rekey-reset", Timeout=29)
    moto.client("lambda").delete_function_concurrency(FunctionName="rekey-complete")
    moto.client("logs").delete_retention_policy(logGroupName=LOGS["ApiLogs"])
    moto.client("cloudwatch").set_alarm_state(AlarmName=ALARM, StateValue="ALARM", StateReason="a test")
    status, findings = run(capsys)
    assert {f[0] for f in findings if f[1] == "FAIL"} == {"ttl", "backup", "drift", "concurrency", "logs", "alarms"}
    assert status == 1


def test_moto_has_no_other_stack(moto, capsys):
    assert doctor.main(["--stack", "nobody-s"]) == 2
    assert "there is no stack nobody-s" in capsys.readouterr().err
