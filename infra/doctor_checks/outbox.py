"""Checks of the outbox: whether mail orders are processed."""

import datetime

from .findings import check, fail, ok, warn

# An order that waits longer is late.
LATE_MS = 60_000
LOOK_BACK = datetime.timedelta(minutes=15)


@check("orders")
def orders_are_processed(stack):
    name = stack.function_name("mail")
    listed = stack.ask("lambda", "list_event_source_mappings", FunctionName=name)["EventSourceMappings"]
    if not listed:
        yield fail(f"{name} reads no stream, so no mail is sent", stack.deploy())
    for mapping in listed:
        state, last = mapping.get("State", "unknown"), mapping.get("LastProcessingResult", "")
        if state not in ("Enabled", "Enabling", "Updating", "Creating"):
            enable = stack.aws(f"lambda update-event-source-mapping --uuid {mapping['UUID']} --enabled")
            yield fail(f"{name} no longer reads the stream ({state}); orders wait, for at most a day", enable)
        elif last.startswith("PROBLEM"):
            logs = stack.aws(f"logs tail /aws/lambda/{stack.name}/mail --since 1h")
            yield fail(f"{name}: Lambda cannot deliver orders ({last})", f"read the newest error: {logs}")
        else:
            yield ok(f"{name} reads the stream ({state})")
    yield oldest_order(stack, name)


def oldest_order(stack, name):
    now = datetime.datetime.now(datetime.timezone.utc)
    metric = {
        "Namespace": "AWS/Lambda",
        "MetricName": "IteratorAge",
        "Dimensions": [{"Name": "FunctionName", "Value": name}],
    }
    query = {"Id": "age", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Maximum"}}
    answer = stack.ask(
        "cloudwatch", "get_metric_data", MetricDataQueries=[query], StartTime=now - LOOK_BACK, EndTime=now
    )
    # Newest first.
    ages = [age for result in answer["MetricDataResults"] for age in result["Values"]]
    if not ages:
        return ok("no mail order in the last 15 minutes")
    if ages[0] > LATE_MS:
        errors = stack.aws(f"logs tail /aws/lambda/{stack.name}/mail --since 1h --filter-pattern delayed")
        return fail(f"mail orders are {ages[0] / 1000:,.0f} s old when they are processed", f"read why: {errors}")
    if max(ages) > LATE_MS:
        return warn(
            f"mail orders were up to {max(ages) / 1000:,.0f} s old in the last 15 minutes",
            "they are processed in time again; check the sending rate (quota)",
        )
    return ok(f"mail orders are {ages[0] / 1000:,.1f} s old when they are processed")


@check("lost")
def no_mail_is_lost(stack):
    queue, name = stack.outputs["LostMailsUrl"], "ApproximateNumberOfMessages"
    missing = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")
    answer = stack.ask("sqs", "get_queue_attributes", missing, QueueUrl=queue, AttributeNames=[name])
    if answer is None:
        yield fail("the queue of lost mails does not exist", stack.deploy())
        return
    waiting = int(answer.get("Attributes", {}).get(name, 0))
    if waiting:
        read = stack.aws(f"sqs receive-message --queue-url {queue} --visibility-timeout 0")
        purge = stack.aws(f"sqs purge-queue --queue-url {queue}")
        yield fail(f"{waiting} mails failed permanently", f"read the entries: {read}; fix the cause, then: {purge}")
    else:
        yield ok("no mail failed permanently")
