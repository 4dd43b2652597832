"""Evaluates CloudWatch alarms, by the documented rules, on metrics from a test.

Periods are aligned, and a statistic covers the samples in its period. In metric math, arithmetic and comparisons treat a missing
value as 0 if the other operand has one ("Missing values in a time series are treated as 0", in AWS's page on metric math). An alarm
reads more periods than it evaluates (the evaluation range). If the range has enough data points, the alarm evaluates the newest of
them, however old they are; otherwise TreatMissingData fills the rest. That is why an alarm on a sparse metric can be in ALARM long
after the event.

The documentation leaves two things open, so both readings are tried (`READINGS`): how many more periods the range has, and whether
FILL fills a metric without any data point in the whole range.
"""

import functools
import itertools
import math
import re
from collections import defaultdict

from template import references

READINGS = [{"extra": extra, "fills_nothing": fills} for extra, fills in itertools.product((0, 24), (True, False))]


def plain(value):
    """A value in which each reference to a resource is replaced by its logical id and the attribute."""
    if not isinstance(value, dict):
        return str(value)
    ((name, attribute),) = references(value)
    return f"{name}.{attribute}" if attribute else name


class Metrics:
    """Samples by metric: (time in seconds, value, count)."""

    def __init__(self):
        self._samples = defaultdict(list)
        self._known = {}

    def add(self, at, namespace, name, value=1, times=1, **dimensions):
        self._samples[namespace, name, frozenset(dimensions.items())].append((at, value, times))
        self._known.clear()

    def point(self, stat, start):
        """The statistic over the period that begins at `start`; None without samples."""
        metric = stat["Metric"]
        dimensions = frozenset((d["Name"], plain(d["Value"])) for d in metric["Dimensions"])
        key, period = (metric["Namespace"], metric["MetricName"], dimensions), int(stat["Period"])
        if (key, period) not in self._known:
            self._known[key, period] = defaultdict(list)
            for at, value, times in self._samples.get(key, ()):
                self._known[key, period][at - at % period].append((value, times))
        return statistic(self._known[key, period].get(start), stat["Stat"])


def statistic(samples, stat):
    if not samples:
        return None
    if stat == "Sum":
        return sum(value * times for value, times in samples)
    if stat == "SampleCount":
        return sum(times for _, times in samples)
    if stat == "Maximum":
        return max(value for value, _ in samples)
    rank = math.ceil(float(stat.removeprefix("p")) / 100 * sum(times for _, times in samples))
    for value, times in sorted(samples):
        rank -= times
        if rank <= 0:
            return value
    raise AssertionError(stat)


class Series:
    """One metric's value in one period; None without a data point."""

    def __init__(self, value, empty=False):
        self.value, self.empty = value, empty

    def _with(self, other, operation):
        if not isinstance(other, Series):
            return Series(None if self.value is None else operation(self.value, other))
        if self.value is None and other.value is None:
            return Series(None)
        return Series(operation(self.value or 0, other.value or 0))

    def __add__(self, other):
        return self._with(other, lambda a, b: a + b)

    def __mul__(self, other):
        return self._with(other, lambda a, b: a * b)

    def __gt__(self, other):
        return self._with(other, lambda a, b: int(a > b))

    def __ge__(self, other):
        return self._with(other, lambda a, b: int(a >= b))

    def __and__(self, other):
        return self._with(other, lambda a, b: int(bool(a and b)))

    def __or__(self, other):
        return self._with(other, lambda a, b: int(bool(a or b)))

    __rmul__ = __mul__


def if_(condition, then, otherwise):
    if condition.value is None:
        return Series(None)
    chosen = then if condition.value else otherwise
    return chosen if isinstance(chosen, Series) else Series(chosen)


def calculated(expression, series, fills_nothing):
    """The value of a metric math expression; supports only what the template uses."""

    def fill(of, value):
        if of.value is not None or of.empty and not fills_nothing:
            return of
        return Series(value)

    return eval(_compiled(expression), {"__builtins__": {}}, {"IF": if_, "FILL": fill} | series).value


@functools.cache
def _compiled(expression):
    # In Python, & and | have a higher precedence than comparisons.
    assert not re.search(r"[^)] (AND|OR) | (AND|OR) [^(]", expression), f"put each comparison in parentheses: {expression}"
    return compile(expression.replace(" AND ", " & ").replace(" OR ", " | "), expression, "eval")


class Alarm:
    def __init__(self, properties):
        self.properties = properties
        self.metrics = properties.get("Metrics") or [
            {
                "Id": "single",
                "ReturnData": True,
                "MetricStat": {
                    "Metric": {k: properties[k] for k in ("Namespace", "MetricName", "Dimensions")},
                    "Stat": properties.get("Statistic") or properties["ExtendedStatistic"],
                    "Period": properties["Period"],
                },
            }
        ]
        assert properties["TreatMissingData"] == "notBreaching"
        (self.period,) = {int(m["MetricStat"]["Period"]) for m in self.metrics if "MetricStat" in m}
        (self.returned,) = [m for m in self.metrics if m.get("ReturnData", True)]

    def _values(self, metrics, end, periods, fills_nothing):
        """The last `periods` data points before `end`, oldest first."""
        starts = [end - self.period * back for back in range(periods, 0, -1)]
        stats = {m["Id"]: m["MetricStat"] for m in self.metrics if "MetricStat" in m}
        values = {
            name: [metrics.point(stat, start) for start in starts] for name, stat in stats.items()
        }
        if "Expression" not in self.returned:
            return values[self.returned["Id"]]
        empty = {name: all(value is None for value in listed) for name, listed in values.items()}
        return [
            calculated(self.returned["Expression"], {n: Series(v[i], empty[n]) for n, v in values.items()}, fills_nothing)
            for i in range(periods)
        ]

    def is_in_alarm(self, metrics, at, extra, fills_nothing):
        """Whether the alarm is in ALARM after the period before `at` has ended."""
        evaluated = int(self.properties["EvaluationPeriods"])
        end = at - at % self.period
        values = self._values(metrics, end, evaluated + extra, fills_nothing)
        real = [value for value in values if value is not None]
        # The newest real data points. Missing ones are notBreaching.
        newest = real[-evaluated:]
        threshold = float(self.properties["Threshold"])
        is_strict = self.properties["ComparisonOperator"] == "GreaterThanThreshold"
        assert is_strict or self.properties["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
        breaching = sum(value > threshold or not is_strict and value == threshold for value in newest)
        return breaching >= int(self.properties.get("DatapointsToAlarm", evaluated))

    def is_certainly_in_alarm(self, metrics, at):
        """Whether the alarm is in ALARM by every reading."""
        return all(self.is_in_alarm(metrics, at, **reading) for reading in READINGS)

    def may_be_in_alarm(self, metrics, at):
        """Whether the alarm is in ALARM by any reading."""
        return any(self.is_in_alarm(metrics, at, **reading) for reading in READINGS)

    def seconds_to_alarm(self, metrics, begin, end):
        """The seconds from `begin` until the alarm is in ALARM by every reading; None if it is not by `end`."""
        times = range(begin - begin % self.period, end + 1, self.period)
        return next((at - begin for at in times if self.is_certainly_in_alarm(metrics, at)), None)
