"""Checks a deployed Rekey from outside, and says what to do about what is wrong.

It only reads: it changes nothing in AWS, sends no mail, opens no reset and prints no secret. The calls that it sends to
the API are refused; three of them present a dead token, which counts towards LimitBadTokenPerIp for this machine, and one
a key that is none.

Exit status: 0 without a FAIL, 1 with one, 2 if it could not look.
"""

import argparse
import json
import sys

import boto3
from botocore.exceptions import BotoCoreError

# Each registers its checks, in the order in which they are made.
from . import findings, functions, api, tables, mail, outbox, watching  # noqa: F401, I001
from .findings import FAIL, OK, WARN, warn
from .stack import OUTPUTS, Stack, Unanswered, Unusable

# Whoever runs this needs these, and nothing else.
PERMISSIONS = (
    "cloudformation:DescribeStacks",
    "cloudformation:ListStackResources",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:GetMetricData",
    "dynamodb:DescribeContinuousBackups",
    "dynamodb:DescribeTable",
    "dynamodb:DescribeTimeToLive",
    "lambda:GetAlias",
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


def examine(stack):
    """Every finding of every check, as it comes: (check, level, what was looked at, what to do)."""
    told = set()
    for name, each, function in findings.CHECKS:
        for item in each:
            for finding in answered(function, stack, item):
                # What cannot be asked for one function can be asked for none.
                if (name, finding) not in told:
                    told.add((name, finding))
                    yield (name, *finding)


def answered(function, stack, item):
    """What the check finds, and a warning where it cannot look any further."""
    try:
        yield from function(stack) if item is None else function(stack, item)
    except Unanswered as problem:
        permission, verb = problem.args
        todo = (
            f"allow {permission} to whoever runs this"
            if verb == "is denied"
            else f"run this again; it needs {permission}"
        )
        yield warn(f"cannot look: {permission} {verb}", todo)
    except Exception as problem:  # A flaw of this script must not look like one of the stack's.
        yield warn(
            f"cannot look: {type(problem).__name__} in {function.__name__}", "report this as a fault of infra/doctor"
        )


def open_session(region, profile):
    return boto3.Session(region_name=region, profile_name=profile)


def open_stack(arguments):
    try:
        session = open_session(arguments.region, arguments.profile)
    except BotoCoreError as error:
        raise Unusable(str(error)) from None
    if not session.region_name:
        raise Unusable("no region: say --region")
    return Stack(session, arguments.stack, arguments.profile)


def findings_of(stack):
    if all(output in stack.outputs for output in OUTPUTS):
        return examine(stack)
    if stack.status.endswith("COMPLETE") and "ROLLBACK" not in stack.status and "DELETE" not in stack.status:
        raise Unusable(f"stack {stack.name} is not Rekey's: it lacks its outputs")
    # It never came up, or is on its way.
    return (("stack", *finding) for finding in functions.stack_status(stack))


def arguments_of(argv):
    parser = argparse.ArgumentParser(
        prog="infra/doctor",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Where the stack has OriginSecrets, set REKEY_ORIGIN_SECRET to the secret, or the API refuses the doctor too.\n\n"
        "It calls these actions of AWS and no others:\n  " + "\n  ".join(PERMISSIONS),
    )
    parser.add_argument("--stack", required=True, help="the stack's name, such as rekey-prod")
    parser.add_argument("--region", help="its region, if not that of your profile")
    parser.add_argument("--profile", help="your profile in ~/.aws")
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

