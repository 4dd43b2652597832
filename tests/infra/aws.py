"""A local AWS: moto's server, with policies enforced as AWS documents it.

moto's own enforcement checks only the action: it uses the resource `*` for every call to DynamoDB and SES, gives condition keys no
values, and treats a condition that is not met as a denial. So policies.py determines what a call requests and whether policies allow
it. moto checks signatures and credentials, and does everything after the decision.
"""

import json
import logging
import os
import threading
from dataclasses import dataclass

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError
from moto import settings
from moto.core.exceptions import JsonRESTError
from moto.dynamodb.responses import DynamoHandler
from moto.iam.access_control import IAMRequestBase
from moto.iam.models import Role
from moto.logs.models import LogGroup
from moto.moto_api._internal import moto_api_backend
from moto.server import ThreadedMotoServer
from moto.ses.models import ses_backends

from policies import ACCOUNT, Policies, Request, requests_of
from template import REGION


# ---------------------------------------------------------------------------------------------- fixes for moto
class Denied(JsonRESTError):
    """Access denied, as services with a JSON protocol answer it. moto answers in XML, which their SDKs cannot parse."""

    code = 400

    def __init__(self, who, what):
        super().__init__("AccessDeniedException", f"{who} is not authorized to perform {what}")


@dataclass(frozen=True)
class Decision:
    role: str
    request: Request
    allowed: bool
    # Whether at least one reading of the documentation allows it.
    possible: bool


# All decisions on calls of roles, in order.
decisions = []


def _check_action_permitted(self, _resource):
    """Replaces moto's own check."""
    if self._action == "sts:GetCallerIdentity":
        return
    body = _body_of(self)
    documents = [json.loads(p["policy_document"] if isinstance(p, dict) else p) for p in self._access_key.collect_policies()]
    policies = Policies(documents)
    denied = None
    for request in requests_of(self._action, body):
        readings = policies.readings(request)
        allowed = all(readings)
        if hasattr(self._access_key, "_owner_role_name"):
            role = self._access_key._owner_role_name
            decisions.append(Decision(role, request, allowed, any(readings)))
        denied = denied or (None if allowed else request)
    if denied and "json" in self._headers.get("Content-Type", ""):
        raise Denied(self._access_key.arn, denied.action)
    if denied:
        self._raise_access_denied()


def _is_form(request):
    """Whether the call uses the query protocol, for which moto has only the parameters."""
    return "x-www-form-urlencoded" in request._headers.get("Content-Type", "")


def _body_of(request):
    if _is_form(request):
        return {key: value[0] if isinstance(value, list) else value for key, value in request._data.items()}
    try:
        return json.loads(request._body or "{}")
    except ValueError:
        # A file, or the binary protocol of a service that no role here may call.
        return {}


class AnswerLost(JsonRESTError):
    """DynamoDB did the work, but its answer was lost."""

    code = 500

    def __init__(self):
        super().__init__("InternalServerError", "a test drops this answer")


def _lose_answers():
    """Makes DynamoDB execute the next `Aws.losing` transactions and answer with an error. Also makes transactions idempotent, as AWS's
    are: a function repeats a call whose answer is late, perhaps while moto still works on the first.
    """
    transact, done, one_at_a_time = DynamoHandler.transact_write_items, {}, threading.Lock()

    def lossy(self):
        token = self.body.get("ClientRequestToken")
        with one_at_a_time:
            answer = done.get(token) or transact(self)
            if token:
                done[token] = answer
        if Aws.losing:
            Aws.losing -= 1
            raise AnswerLost
        return answer

    DynamoHandler.transact_write_items = lossy


def _as_text(document):
    if isinstance(document, dict):
        return json.dumps(_without_none(document))
    return document


def _without_none(value):
    if isinstance(value, list):
        return [_without_none(item) for item in value if item is not None]
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items()}
    return value


def _patch_moto():
    IAMRequestBase.check_action_permitted = _check_action_permitted

    # For a call without a body, moto used path parameters as the body, so the signature did not match.
    create_request = IAMRequestBase._create_aws_request

    def without_data(self):
        data = self._data
        self._data = data if _is_form(self) else b""
        try:
            return create_request(self)
        finally:
            self._data = data

    IAMRequestBase._create_aws_request = without_data

    # In a role's inline policies from CloudFormation, moto leaves Python dicts instead of text, and None in lists instead of
    # AWS::NoValue.
    put_policy = Role.put_policy
    Role.put_policy = lambda self, name, document: put_policy(self, name, _as_text(document))
    # CloudFormation's ARN of a log group ends in :*, so that policies match its streams.
    arn = LogGroup.get_cfn_attribute
    LogGroup.get_cfn_attribute = lambda self, name: arn(self, name) + (":*" if name == "Arn" else "")


_patch_moto()
_lose_answers()


# ------------------------------------------------------------------------------------------------------ server
class Aws:
    """A moto server in this process, on a free port. `reset` deletes everything in it."""

    # The number of next transactions whose answers are lost.
    losing = 0

    def __init__(self):
        # Use no credentials from the environment.
        for name in [n for n in os.environ if n.startswith("AWS_")]:
            del os.environ[name]
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.endpoint = f"http://{host}:{port}"

    def reset(self):
        self.enforce(False)
        Aws.losing = 0
        moto_api_backend.reset()
        decisions.clear()

    @staticmethod
    def losing_next(transactions):
        Aws.losing = transactions

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
        """Credentials of a user with all permissions."""
        iam = self.client("iam")
        iam.create_user(UserName="operator")
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        iam.put_user_policy(UserName="operator", PolicyName="all", PolicyDocument=json.dumps(document))
        key = iam.create_access_key(UserName="operator")["AccessKey"]
        return Credentials(key["AccessKeyId"], key["SecretAccessKey"], None)

    def assume(self, role_arn, session):
        """Assumes a role, as Lambda does before it starts a function."""
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
    """Whether the policies allow `call`, whether or not it then succeeds."""
    before, failed = len(decisions), False
    try:
        call()
    except (ClientError, ResponseParserError):
        failed = True
    made = decisions[before:]
    assert made, "the call was not authorized at all"
    allowed = all(decision.allowed for decision in made)
    assert allowed or failed, "the call was denied, but succeeded"
    possible = all(decision.possible for decision in made)
    assert allowed == possible, f"the decision depends on the reading of AWS's documentation: {made}"
    return allowed
