"""Checks a deployed Rekey from outside, or your accounts table before the deployment, and says how to fix each problem.

It only reads: it changes nothing in AWS, sends no mail, opens no reset and prints no secret. Of the accounts table it reads at most 2,000
rows until 200 have an address, and prints counts and names of attributes, never a value. The API refuses its calls, except
those for the pages. Three of them send a dead token, which counts towards LimitBadTokenPerIp for this machine, and one sends an
unknown key.

Exit status: 0 without a FAIL, 1 with one, 2 if it could not check the stack.
"""

import argparse
import json
import sys

import boto3
from botocore.exceptions import BotoCoreError

# Each module registers its checks; the import order is the order of the checks.
from . import findings, functions, api, tables, schema, rows, mail, outbox, watching  # noqa: F401, I001
from .findings import FAIL, OK, WARN, warn
from .parameters import Planned
from .stack import OUTPUTS, Stack, Unanswered, Unusable

# All permissions that the doctor needs.
PERMISSIONS = (
    "cloudformation:DescribeStacks",
    "cloudformation:ListStackResources",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:GetMetricData",
    "dynamodb:DescribeContinuousBackups",
    "dynamodb:DescribeTable",
    "dynamodb:DescribeTimeToLive",
    "dynamodb:Scan",
    "lambda:GetFunctionConcurrency",
    "lambda:GetFunctionConfiguration",
    "lambda:ListEventSourceMappings",
    "logs:DescribeLogGroups",
    "pipes:DescribePipe",
    "ses:GetAccount",
    "ses:GetConfigurationSet",
    "ses:GetConfigurationSetEventDestinations",
    "ses:GetEmailIdentity",
    "sns:ListSubscriptionsByTopic",
    "sqs:GetQueueAttributes",
)


def examine(stack, checks):
    """Runs the checks and yields their findings: (check, level, what was found, what to do)."""
    reported = set()
    for name, each, function in checks:
        for item in each:
            for finding in run_check(function, stack, item):
                # A missing permission gives the same warning for each function: report it once.
                if (name, finding) not in reported:
                    reported.add((name, finding))
                    yield (name, *finding)


def run_check(function, stack, item):
    """Yields the check's findings, and a warning if it cannot finish."""
    try:
        yield from function(stack) if item is None else function(stack, item)
    except Unanswered as problem:
        permission, verb = problem.args
        todo = (
            f"allow {permission} to the identity that runs this"
            if verb == "is denied"
            else f"run this again; it needs {permission}"
        )
        yield warn(f"cannot check: {permission} {verb}", todo)
    except Exception as problem:  # A bug in the doctor must not look like a problem of the stack.
        yield warn(
            f"cannot check: {type(problem).__name__} in {function.__name__}", "report this as a bug in infra/doctor"
        )


def open_session(region, profile):
    return boto3.Session(region_name=region, profile_name=profile)


def open_stack(arguments):
    try:
        session = open_session(arguments.region, arguments.profile)
    except BotoCoreError as error:
        raise Unusable(str(error)) from None
    if not session.region_name:
        raise Unusable("no region: pass --region")
    if arguments.parameters:
        return Planned(session, arguments.parameters, arguments.profile)
    return Stack(session, arguments.stack, arguments.profile, arguments.url)


def findings_of(stack):
    if isinstance(stack, Planned):
        return examine(stack, findings.BEFORE)
    if all(output in stack.outputs for output in OUTPUTS):
        return examine(stack, findings.CHECKS)
    if stack.status.endswith("COMPLETE") and "ROLLBACK" not in stack.status and "DELETE" not in stack.status:
        raise Unusable(f"stack {stack.name} is not a Rekey stack: it lacks Rekey's outputs")
    # Its creation failed or is in progress.
    return (("stack", *finding) for finding in functions.stack_status(stack))


def https(url):
    if not url.startswith("https://"):
        raise argparse.ArgumentTypeError("must begin with https://")
    return url


def arguments_of(argv):
    parser = argparse.ArgumentParser(
        prog="infra/doctor",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="If the stack has OriginSecrets, pass --url, or set REKEY_ORIGIN_SECRET to the secret to call the API directly.\n\n"
        "It calls only these AWS actions:\n  " + "\n  ".join(PERMISSIONS),
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--stack", help="the stack's name, such as rekey-prod")
    what.add_argument("--parameters", metavar="FILE", help="before the deployment: compare your accounts table with this parameters file")
    parser.add_argument("--region", help="its region, if not that of your profile")
    parser.add_argument("--profile", help="your profile in ~/.aws")
    parser.add_argument("--url", type=https, help="call the API here instead of at its own address, such as https://reset.example.com")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser.parse_args(argv)


def main(argv=None):
    arguments = arguments_of(argv)
    found = []
    try:
        stack = open_stack(arguments)
        for finding in findings_of(stack):
            found.append(finding)
            if not arguments.json:
                show(*finding)
    except Unusable as problem:
        print(f"infra/doctor: {problem}", file=sys.stderr)
        return 2
    count = {level: sum(finding[1] == level for finding in found) for level in (OK, WARN, FAIL)}
    if arguments.json:
        listed = [dict(zip(("check", "level", "what", "todo"), finding)) for finding in found]
        print(json.dumps({"stack": stack.name, "region": stack.region, "count": count, "findings": listed}, indent=2))
    else:
        print(f"{stack.name} in {stack.region}: " + ", ".join(f"{count[level]} {level}" for level in count))
    return 1 if count[FAIL] else 0


def show(name, level, what, todo):
    print(f"{level:<5}{name:<12}{what}", flush=True)
    if todo:
        print(f"{'':<17}-> {todo}", flush=True)

