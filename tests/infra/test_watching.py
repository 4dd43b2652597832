"""Alarms and the dashboard use the metrics that the code emits. test_alarms.py tests when an alarm goes to ALARM."""

import json
import re

import template
from resolved import CALLED, FUNCTIONS, resources
from sets import of


def emitted():
    """The metrics that the code emits: metric -> sets of dimensions."""
    text = (template.ROOT / "shared/src/telemetry.rs").read_text()
    assert 'NAMESPACE: &str = "Rekey"' in text
    metrics = {}
    for head, fields in re.findall(r"dimension_sets = (\[\s*\[.*?\]\s*\]).*?\n(?:pub )?struct \w+ \{(.*?)\n\}", text, re.DOTALL):
        dimensions = {tuple(d) for d in json.loads(head)}
        for field in re.findall(r"#\[metrics\(unit = \w+\)\]\s+(\w+):", fields):
            metrics["".join(part.capitalize() for part in field.split("_"))] = dimensions
    assert metrics.keys() == {"Calls", "ColdStarts", "Latency", "Mails", "MailLatency", "MailDelay", "Failures"}
    return metrics


def errors():
    text = (template.ROOT / "shared/src/http/problem.rs").read_text()
    codes = re.search(r"const fn code\(.*?\n    \}", text, re.DOTALL)[0]
    return set(re.findall(r'=> "(\w+)"', codes))


def outcomes(function):
    found = set()
    for file in (template.ROOT / "functions" / function / "src").glob("*.rs"):
        found |= set(re.findall(r'Success::new\(\s*"(\w+)"', file.read_text()))
    assert found, function
    return found | errors()


def mail_outcomes():
    text = (template.ROOT / "shared/src/telemetry.rs").read_text()
    named = re.search(r"impl MailOutcome \{.*?fn name\(.*?\n    \}", text, re.DOTALL)[0]
    return set(re.findall(r'Self::\w+[^\n]*? => "(\w+)"', named))


def watched(name):
    """The metrics that an alarm or the dashboard uses: namespace, metric, dimensions."""
    for alarm in resources(name, "AWS::CloudWatch::Alarm").values():
        single = [alarm] if "MetricName" in alarm else []
        for metric in single + [m["MetricStat"]["Metric"] for m in alarm.get("Metrics", []) if "MetricStat" in m]:
            yield metric["Namespace"], metric["MetricName"], {d["Name"]: d["Value"] for d in metric["Dimensions"]}
    (dashboard,) = resources(name, "AWS::CloudWatch::Dashboard").values()
    body = dashboard["DashboardBody"]["Fn::Sub"]
    for widget in json.loads(body if isinstance(body, str) else body[0])["widgets"]:
        for metric in widget["properties"]["metrics"]:
            namespace, metric_name, *rest = [part for part in metric if isinstance(part, str)]
            yield namespace, metric_name, dict(zip(rest[::2], rest[1::2], strict=True))


def test_alarms_and_dashboard_use_metrics_that_the_code_emits(name):
    metrics = emitted()
    ours = [(metric, dimensions) for namespace, metric, dimensions in watched(name) if namespace == "Rekey"]
    assert len(ours) > 20
    for metric, dimensions in ours:
        assert tuple(dimensions) in metrics[metric], (metric, dimensions)
        # Failures of another stack must not set off these alarms or roll back a deployment.
        assert dimensions["Stack"] in (template.STACK, {"Ref": "AWS::StackName"}), dimensions
        function = dimensions["Function"]
        assert metric == "Failures" or (function == "mail") is metric.startswith("Mail"), (metric, dimensions)
        if "Outcome" in dimensions:
            assert dimensions["Outcome"] in outcomes(function), dimensions
        if "MailOutcome" in dimensions:
            assert dimensions["MailOutcome"] in mail_outcomes(), dimensions


def test_every_error_and_every_mail_outcome_is_on_the_dashboard():
    shown = [d for namespace, _, d in watched("default") if namespace == "Rekey"]
    assert errors() <= {d.get("Outcome") for d in shown}
    assert mail_outcomes() == {d["MailOutcome"] for d in shown if "MailOutcome" in d}
    done = {"request_opened", "mail_requested", "token_live", "password_set"}
    assert done <= {d.get("Outcome") for d in shown}


def test_every_alarm_but_the_versions_notifies_the_topic_and_has_a_description(name):
    alarms = resources(name, "AWS::CloudWatch::Alarm")
    topic = of(name)["AlarmTopicArn"] or {"Ref": "AlarmTopic"}
    for logical, alarm in alarms.items():
        # Only CodeDeploy acts on the alarms of single versions.
        notified = [] if logical.endswith("VersionAlarm") else [topic]
        assert alarm.get("AlarmActions", []) == alarm.get("OKActions", []) == notified, logical
        assert alarm["TreatMissingData"] == "notBreaching", logical
        assert len(alarm["AlarmDescription"]) > 80, logical
    watches = {
        *[f"{f}{kind}Alarm" for f in FUNCTIONS for kind in ("Errors", "Failing", "Version")],
        *[f"{f}{kind}Alarm" for f in CALLED for kind in ("Latency", "Slow")],
        *["ApiErrorsAlarm", "DayFailuresAlarm", "MailFailuresAlarm", "BounceRateAlarm", "ComplaintRateAlarm", "ThrottlesAlarm"],
        *["MailDelayAlarm", "MailBacklogAlarm", "MailStoppedAlarm", "LostMailsAlarm"],
        *["DynamoDbErrorsAlarm", "DynamoDbThrottlesAlarm", "BadTokensAlarm"],
    }
    events = {"PasswordResetsLostAlarm", "PasswordResetsStuckAlarm", "PasswordResetsStoppedAlarm"}
    assert alarms.keys() == watches | (events if of(name)["PublishPasswordResets"] == "true" else set())
