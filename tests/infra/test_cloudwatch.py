"""cloudwatch.py, which evaluates alarms for the other tests."""

import pytest

from cloudwatch import READINGS, Alarm, Metrics


def alarm(expression=None, evaluated=3, needed=None):
    metric = {"Namespace": "N", "MetricName": "m", "Dimensions": []}
    stat = {"Metric": metric, "Stat": "Sum", "Period": 60}
    properties = {"EvaluationPeriods": evaluated, "DatapointsToAlarm": needed or evaluated, "Threshold": 1}
    properties |= {"ComparisonOperator": "GreaterThanOrEqualToThreshold", "TreatMissingData": "notBreaching"}
    listed = [{"Id": "m", "ReturnData": not expression, "MetricStat": stat}]
    listed += [{"Id": "e", "ReturnData": True, "Expression": expression}] if expression else []
    return Alarm(properties | {"Metrics": listed})


def metrics_from(pattern):
    """One data point per minute: `0`, `X` (breaching) or `-` (missing)."""
    metrics = Metrics()
    for minute, mark in enumerate(pattern):
        if mark != "-":
            metrics.add(minute * 60, "N", "m", int(mark == "X"))
    return metrics, 60 * len(pattern)


@pytest.mark.parametrize(
    ("pattern", "needed", "expected"),
    # The tables of AWS's documentation, with an evaluation range of five periods for three evaluation periods.
    [("0-X-X", 3, False), ("-----", 3, False), ("0XXXX", 3, True), ("--X--", 3, False), ("0-X-X", 2, True), ("-X--X", 2, True)],
)
def test_missing_data_are_evaluated_as_aws_documents(pattern, needed, expected):
    metrics, at = metrics_from(pattern)
    assert alarm(needed=needed).is_in_alarm(metrics, at, extra=2, fills_nothing=False) is expected


def test_an_alarm_on_a_sparse_metric_stays_in_alarm_without_fill():
    metrics, at = metrics_from("X" + "-" * 20)
    assert alarm(evaluated=1).may_be_in_alarm(metrics, at)
    assert not alarm("FILL(m, 0)", evaluated=1).may_be_in_alarm(metrics, at)


def test_metric_math_is_evaluated_as_aws_documents():
    metrics, at = metrics_from("X0-")
    for reading in READINGS:
        def value(expression, reading=reading):
            return alarm(expression)._values(metrics, at, 3, reading["fills_nothing"])

        assert value("FILL(m, 7)") == [1, 0, 7]
        assert value("m + m") == [2, 0, None]
        assert value("m + FILL(m, 1)") == [2, 0, 1], "a missing value counts as 0 if the other operand has one"
        assert value("5 * m") == [5, 0, None]
        assert value("IF((FILL(m, 0) >= 1) AND (2 * FILL(m, 0) > FILL(m, 0)), 8, 9)") == [8, 9, 9]
        assert value("IF((FILL(m, 0) > 1) OR (FILL(m, 2) > 1), 8, 9)") == [9, 9, 8]
    empty, at = metrics_from("---")
    assert alarm("FILL(m, 0)")._values(empty, at, 3, True) == [0, 0, 0]
    assert alarm("FILL(m, 0)")._values(empty, at, 3, False) == [None] * 3
