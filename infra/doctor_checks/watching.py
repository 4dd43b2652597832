"""Checks of logs, alarms, and the events for other systems."""

import re

from .findings import check, fail, ok, warn
from .stack import is_on


@check("logs")
def log_groups(stack):
    groups = stack.resources().get("AWS::Logs::LogGroup", {})
    for logical in ("ResetLogs", "ValidateLogs", "CompleteLogs", "MailLogs", "ApiLogs"):
        name = groups.get(logical)
        if not name:
            yield fail(f"the stack has no log group {logical}", stack.deploy())
            continue
        listed = stack.ask("logs", "describe_log_groups", logGroupNamePrefix=name)["logGroups"]
        found = next((group for group in listed if group["logGroupName"] == name), None)
        days = stack.parameters.get("LogRetentionDays", "90")
        todo = stack.aws(f"logs put-retention-policy --log-group-name {name} --retention-in-days {days}")
        if found is None:
            yield fail(
                f"log group {name} does not exist",
                stack.aws(f"logs create-log-group --log-group-name {name}") + f" && {todo}",
            )
        elif "retentionInDays" not in found:
            yield fail(f"log group {name} has no retention period", todo)
        elif str(found["retentionInDays"]) != days:
            yield warn(f"log group {name}: the retention is {found['retentionInDays']} days, not {days}", todo)
        else:
            yield ok(f"log group {name}: the retention is {days} days")


@check("alarms")
def alarms_notify(stack):
    for name, alarm in alarms(stack).items():
        if alarm is None:
            yield fail(f"alarm {name} does not exist", stack.deploy())
        elif not alarm.get("ActionsEnabled"):
            yield fail(
                f"alarm {name}: its actions are switched off",
                stack.aws(f"cloudwatch enable-alarm-actions --alarm-names {name}"),
            )
        elif not topics_of(alarm):
            yield fail(f"alarm {name}: it notifies no SNS topic", stack.deploy())
        elif alarm["StateValue"] == "ALARM":
            yield fail(f"alarm {name} is in ALARM", alarm.get("AlarmDescription") or "CloudWatch console > Alarms")
        else:
            yield ok(f"alarm {name} is {alarm['StateValue']}")


@check("topic")
def topics_have_subscribers(stack):
    topics = sorted({topic for alarm in alarms(stack).values() if alarm for topic in topics_of(alarm)})
    if not topics:
        yield fail("no alarm notifies an SNS topic", stack.deploy())
    for topic in topics:
        subscriptions = subscribed(stack, topic)
        todo = stack.aws(f"sns subscribe --topic-arn {topic} --protocol email --notification-endpoint YOUR_ADDRESS")
        if subscriptions is None:
            yield fail(
                f"topic {topic} does not exist", f"deploy with a valid or an empty AlarmTopicArn; {stack.deploy()}"
            )
        elif any(arn.startswith("arn:") for arn in subscriptions):
            yield ok(f"topic {topic}: {sum(arn.startswith('arn:') for arn in subscriptions)} confirmed subscription(s)")
        elif subscriptions:
            yield fail(
                f"topic {topic}: no subscription is confirmed",
                f"follow the link in the mail from AWS Notifications; to get it again: {todo}",
            )
        else:
            yield fail(f"topic {topic}: nobody is subscribed", f"{todo}, or deploy with AlarmEmail")


def alarms(stack):
    """Every alarm of the stack, by name; None if it does not exist."""
    names = sorted(stack.resources().get("AWS::CloudWatch::Alarm", {}).values())
    if not names:
        return {"(of the stack)": None}
    found = stack.ask("cloudwatch", "describe_alarms", AlarmNames=names, AlarmTypes=["MetricAlarm"], MaxRecords=100)
    by_name = {alarm["AlarmName"]: alarm for alarm in found["MetricAlarms"]}
    return {name: by_name.get(name) for name in names}


def topics_of(alarm):
    return [action for action in alarm.get("AlarmActions", []) if re.match(r"arn:[\w-]+:sns:", action)]


def subscribed(stack, topic):
    """The ARNs of the topic's subscriptions; None if the topic does not exist."""
    arns, more = [], {}
    while True:
        page = stack.ask(
            "sns", "list_subscriptions_by_topic", ("NotFound", "NotFoundException"), TopicArn=topic, **more
        )
        if page is None:
            return None
        arns += [subscription["SubscriptionArn"] for subscription in page["Subscriptions"]]
        if not page.get("NextToken"):
            return arns
        more = {"NextToken": page["NextToken"]}


@check("events")
def password_resets_are_published(stack):
    if not is_on(stack.parameters.get("PublishPasswordResets", "false")):
        yield ok("no events are published (PublishPasswordResets)")
        return
    name = stack.resources().get("AWS::Pipes::Pipe", {}).get("PasswordResets", "PasswordResets")
    pipe = stack.ask("pipes", "describe_pipe", ("NotFoundException",), Name=name)
    if pipe is None:
        yield fail(f"pipe {name} does not exist, so other systems do not end sessions", stack.deploy())
    elif pipe["CurrentState"] in ("RUNNING", "STARTING", "CREATING", "UPDATING"):
        yield ok(f"pipe {name} is {pipe['CurrentState']}")
    else:
        reason = pipe.get("StateReason", "no reason given")
        yield fail(f"pipe {name} is {pipe['CurrentState']} ({reason})", stack.aws(f"pipes start-pipe --name {name}"))
