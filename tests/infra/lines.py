"""The log lines that the functions write, from real processes: what CloudWatch makes metrics of (EMF)."""

import dataclasses
import json

import aws as cloud
import sets
from deployment import Deployment
from journey import PASSWORD, walk, walk_failed_mail, walk_other_calls

# Nobody listens there.
NOWHERE = "http://127.0.0.1:1"


def written():
    """Every line of complete resets, and of calls, mails and checks that fail, by function and outcome."""
    server = cloud.Aws()
    deployment = Deployment(server, sets.of("default"))
    try:
        for journey in (walk, walk_other_calls, walk_failed_mail):
            journey(deployment)
        _fail(deployment)
        lines = [line for function in deployment.functions() for line in function.lines]
    finally:
        deployment.close()
        server.close()
    events = [event for event in map(json.loads, lines) if "_aws" in event]
    return {(event["Function"], event.get("Outcome") or event.get("MailOutcome")): event for event in events}


def _fail(deployment):
    """Calls without DynamoDB, a mail without SES, and a check without an answer about breached passwords."""
    without = deployment.started_with(AWS_ENDPOINT_URL_DYNAMODB=NOWHERE)
    token = {"token": "aaaaaaaaaaaaaaaaaaaa"}
    for name, path, body in (
        ("reset", "/organizations/reset-password", {"email": "ada@example.org"}),
        ("validate", "/organizations/validate-password-reset", token),
        ("complete", "/organizations/complete-password", token | {"password": PASSWORD}),
    ):
        status, _ = without(name).call("POST", path, body)
        assert status == 503, (name, status)
    deployment.add_account("late@example.org")
    deployment.function("validate").call("POST", "/auth/reset/password-email", {"email": "late@example.org"})
    without_ses = deployment.started_with(AWS_ENDPOINT_URL_SESV2=NOWHERE)
    assert without_ses("mail").run({"Records": deployment.orders()})["batchItemFailures"]
    without_list = deployment.started_with(BREACHED_PASSWORDS=f"{NOWHERE}/range/")
    status, _ = without_list("complete").call("POST", "/auth/reset/validate-password", {"password": PASSWORD})
    assert status == 200, status


@dataclasses.dataclass(frozen=True)
class Sample:
    """One value of one metric."""

    namespace: str
    metric: str
    value: float
    dimensions: dict


def samples(line):
    """The samples of a line, for each of its sets of dimensions, by the specification of EMF."""
    for directive in line["_aws"]["CloudWatchMetrics"]:
        for metric in directive["Metrics"]:
            if metric["Name"] in line:
                for names in directive["Dimensions"]:
                    dimensions = {name: line[name] for name in names}
                    yield Sample(directive["Namespace"], metric["Name"], line[metric["Name"]], dimensions)
