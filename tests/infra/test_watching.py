"""Alarms and the dashboard use metrics that the functions write. test_alarms.py tests when an alarm goes to ALARM."""

import json
import re

import pytest

import template
from cloudwatch import plain
from lines import samples
from resolved import resources
from sets import of

pytestmark = [pytest.mark.functions, pytest.mark.xdist_group("lines")]

# The dimensions of AWS's own metrics.
OF_AWS = {
    "AWS/ApiGateway": [{"ApiId"}],
    "AWS/DynamoDB": [{"TableName"}, {"TableName", "Operation"}],
    "AWS/EventBridge/Pipes": [{"PipeName"}],
    "AWS/Lambda": [{"FunctionName"}],
    "AWS/SES": [{"ses:configuration-set"}],
    "AWS/SQS": [{"QueueName"}],
}


def of_alarms(name):
    """The metrics that alarms use: namespace, metric, dimensions."""
    for alarm in resources(name, "AWS::CloudWatch::Alarm").values():
        single = [alarm] if "MetricName" in alarm else []
        for metric in single + [m["MetricStat"]["Metric"] for m in alarm.get("Metrics", []) if "MetricStat" in m]:
            yield metric["Namespace"], metric["MetricName"], {d["Name"]: plain(d["Value"]) for d in metric["Dimensions"]}


def dashboard(name):
    (properties,) = resources(name, "AWS::CloudWatch::Dashboard").values()
    body, names = properties["DashboardBody"]["Fn::Sub"]
    for variable, value in names.items():
        if isinstance(value, dict) and "Fn::Join" in value:
            separator, parts = value["Fn::Join"]
            value = separator.join(plain(part) for part in parts)
        body = body.replace(f"${{{variable}}}", plain(value))
    assert "${" not in body
    return [entry for widget in json.loads(body)["widgets"] for entry in widget["properties"]["metrics"]]


def test_the_alarms_use_metrics_that_the_functions_write(name, lines):
    written = {(s.namespace, s.metric, *sorted(s.dimensions.items())) for line in lines.values() for s in samples(line)}
    ours = [metric for metric in of_alarms(name) if metric[0] not in OF_AWS]
    assert len(ours) >= 7
    for namespace, metric, dimensions in ours:
        # Stack separates the stacks of an account.
        assert dimensions["Stack"] == template.STACK
        assert (namespace, metric, *sorted(dimensions.items())) in written


def test_the_dashboard_finds_all_metrics_that_the_functions_write(name, lines):
    written = {(s.namespace, s.metric, *sorted(s.dimensions)) for line in lines.values() for s in samples(line)}
    found, searches = set(), 0
    for entry in dashboard(name):
        if isinstance(entry[0], dict):
            search = re.fullmatch(r"SEARCH\('\{([\w/,]+)\} (.*)', '(Sum|p\d\d)', 300\)", entry[0]["expression"])
            (namespace, *names), terms = search[1].split(","), dict(re.findall(r'(\w+)=(\("[^)]*"\)|"[^"]*")', search[2]))
            searches += 1
            metrics = re.findall(r'"([^"]+)"', terms.pop("MetricName"))
            # Everything else in the search is a dimension's exact value.
            assert terms.keys() <= set(names) and set(names) in OF_AWS.get(namespace, [set(names)])
            if namespace not in OF_AWS:
                assert terms == {"Stack": f'"{template.STACK}"'}
                found |= {(namespace, metric, *sorted(names)) for metric in metrics}
            else:
                assert len(re.findall(r'"([^"]+)"', terms[names[0]])) == {"FunctionName": 4, "TableName": 2}[names[0]]
        else:
            namespace, metric, *rest = [part for part in entry if isinstance(part, str)]
            assert set(rest[::2]) in OF_AWS[namespace], entry
    assert searches >= 8 and found <= written
    # Of each metric, the series with the most dimensions or that of the function.
    assert {metric for _, metric, *_ in written} == {metric for _, metric, *_ in found}


def test_lambda_passes_the_lines_with_metrics_on(lines):
    """By a line's level. Lambda takes a line without one for INFO."""
    levels = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"]
    for function in resources("default", "AWS::Lambda::Function").values():
        lowest = levels.index(function["LoggingConfig"]["ApplicationLogLevel"])
        assert all(levels.index(line["level"]) >= lowest for line in lines.values())
    assert {line["level"] for line in lines.values()} == {"INFO", "WARN", "ERROR"}


def test_every_alarm_notifies_the_topic_and_says_what_to_do(name):
    alarms = resources(name, "AWS::CloudWatch::Alarm")
    topic = of(name)["AlarmTopicArn"] or {"Ref": "AlarmTopic"}
    for logical, alarm in alarms.items():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [topic], logical
        assert alarm["TreatMissingData"] == "notBreaching", logical
        assert len(alarm["AlarmDescription"]) > 80, logical
    failures = {"FailuresAlarm", "HourFailuresAlarm", "DayFailuresAlarm", "SlowAlarm", "BadTokensAlarm"}
    mails = {"MailBacklogAlarm", "MailStoppedAlarm", "LostMailsAlarm", "ReputationAlarm"}
    events = {"PasswordResetsLostAlarm", "PasswordResetsStuckAlarm"} if of(name)["PublishPasswordResets"] == "true" else set()
    assert alarms.keys() == failures | mails | events


def test_only_cloudwatch_of_this_account_may_publish_to_the_topic(name):
    topics, policies = resources(name, "AWS::SNS::Topic"), resources(name, "AWS::SNS::TopicPolicy")
    assert topics.keys() == (set() if of(name)["AlarmTopicArn"] else {"AlarmTopic"})
    for topic in topics.values():
        assert isinstance(topic["DisplayName"], str) and len(topic["DisplayName"]) <= 100
    assert list(policies.values()) == [
        {
            "Topics": [{"Ref": "AlarmTopic"}],
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "cloudwatch.amazonaws.com"},
                        "Action": "sns:Publish",
                        "Resource": {"Ref": "AlarmTopic"},
                        "Condition": {"StringEquals": {"aws:SourceAccount": template.ACCOUNT}},
                    }
                ],
            },
        }
    ] * len(topics)
    subscribed = resources(name, "AWS::SNS::Subscription").values()
    assert [s["Endpoint"] for s in subscribed] == [address for address in [of(name)["AlarmEmail"]] if address]
