"""When the alarms ring, and when they do not: with 5, 100 and 100,000 resets a day, by CloudWatch's documented rules.

What the metrics say is made up here, as the functions, Lambda, API Gateway and SQS would say it. Where the documentation leaves
something open, an alarm that must ring does so under each reading, and one that must not does so under none.
"""

import random

import pytest

from cloudwatch import READINGS, Alarm, Metrics
from resolved import resources
from template import STACK

MINUTE, HOUR, DAY = 60, 3600, 86400
# The simulation begins at a full day, with a day before it.
BEGIN = 20 * DAY
RATES = (5, 100, 100_000)
# Many calls in a minute are fed as one sample that counts for all; a few hours of them are enough.
SPAN = {5: DAY, 100: DAY, 100_000: 3 * HOUR}
# What one reset calls: a page and the request, the order, a page and the look, the completion.
CALLS = {"reset": 2, "validate": 3, "complete": 1}
USUAL = {"reset": 20, "validate": 30, "complete": 450}


@pytest.fixture(scope="module")
def alarms():
    return {name: Alarm(alarm) for name, alarm in resources("default", "AWS::CloudWatch::Alarm").items()}


def arrivals(rate, begin=BEGIN, span=None, seed=1):
    """When people reset, and how many at once."""
    chance, end = random.Random(seed), begin + (span or SPAN[rate])
    if rate > 1440:
        return [(at, round(rate / 1440)) for at in range(begin, end, MINUTE)]
    interval = DAY // rate
    return [(at + chance.randrange(interval), 1) for at in range(begin, end, interval)]


class World:
    """Feeds what is measured of calls and mails."""

    def __init__(self):
        self.metrics = Metrics()

    def call(self, at, function, times=1, fails=None, latency=None):
        """`fails` is None, `crash` (or time-out), or `unavailable` (answered 503)."""
        logical, add = f"{function.capitalize()}Function", self.metrics.add
        errors = int(fails == "crash")
        add(at, "AWS/Lambda", "Invocations", 1, times, FunctionName=logical)
        add(at, "AWS/Lambda", "Errors", errors, times, FunctionName=logical)
        version = {"Resource": logical, "ExecutedVersion": f"{logical}Version.Version"}
        add(at, "AWS/Lambda", "Errors", errors, times, FunctionName=logical, **version)
        if function == "mail":
            return
        add(at, "AWS/ApiGateway", "Count", 1, times, ApiId="Api")
        if fails:
            # Without failures there are no data points.
            add(at, "AWS/ApiGateway", "5xx", 1, times, ApiId="Api")
        if fails != "crash":
            add(at, "Rekey", "Latency", latency or USUAL[function], times, Stack=STACK, Function=function)
            outcome = fails or "done"
            add(at, "Rekey", "Calls", 1, times, Stack=STACK, Function=function, Outcome=outcome)

    def mail(self, at, outcome="sent", times=1, delay=900):
        add, of = self.metrics.add, {"Stack": STACK, "Function": "mail"}
        add(at, "Rekey", "Mails", 1, times, **of, MailOutcome=outcome)
        add(at, "AWS/Lambda", "IteratorAge", delay, times, FunctionName="MailFunction")
        if outcome == "sent":
            add(at, "Rekey", "MailDelay", delay, times, **of)

    def lost(self, at, depth):
        self.metrics.add(at, "AWS/SQS", "ApproximateNumberOfMessagesVisible", depth, QueueName="LostMails.QueueName")

    def resets(self, people, latency=None):
        """All goes well."""
        for at, times in people:
            for function, calls in CALLS.items():
                self.call(at, function, calls * times, latency=latency)
            self.call(at, "mail", 2 * times)
            self.mail(at, times=2 * times)


def ringing(alarms, metrics, begin, end, step=15 * MINUTE):
    """The alarms that ring by some reading, at some time."""

    def times(alarm):
        # Between two ends of its periods nothing changes.
        return sorted({at - at % alarm.period for at in range(begin, end + 1, step)})

    return {name for name, alarm in alarms.items() if any(alarm.rings_ever(metrics, at) for at in times(alarm))}


def rings_within(alarms, name, world, seconds):
    """Asserts that it rings in time, and was silent before."""
    assert not alarms[name].rings_ever(world.metrics, BEGIN)
    waited = alarms[name].first_ring(world.metrics, BEGIN, BEGIN + seconds)
    assert waited is not None, f"{name} is silent"


# ----------------------------------------------------------------------------------------------------- all is well
@pytest.mark.parametrize("rate", RATES)
def test_nothing_rings_while_all_is_well(alarms, rate):
    world = World()
    world.resets(arrivals(rate))
    assert ringing(alarms, world.metrics, BEGIN, BEGIN + SPAN[rate]) == set()


def test_nothing_rings_in_a_night_without_calls(alarms):
    world = World()
    world.resets(arrivals(100, BEGIN - DAY))
    assert ringing(alarms, world.metrics, BEGIN, BEGIN + DAY) == set()


@pytest.mark.parametrize("fails", ["crash", "unavailable"])
@pytest.mark.parametrize("rate", [5, 100])
def test_a_single_failure_in_a_quiet_night_rings_nothing_but_a_versions_crash(alarms, rate, fails):
    world = World()
    world.resets(arrivals(rate, BEGIN - DAY))
    world.call(BEGIN + 3 * HOUR, "reset", fails=fails)
    world.mail(BEGIN + 4 * HOUR, "delayed", delay=30_000)
    world.mail(BEGIN + 4 * HOUR + MINUTE, delay=58_000)
    # CodeDeploy alone acts on those, and only while it deploys.
    versions = {"ResetVersionAlarm"} if fails == "crash" else set()
    assert ringing(alarms, world.metrics, BEGIN, BEGIN + DAY, MINUTE * 2) == versions


def test_one_failure_in_a_hundred_thousand_rings_nothing(alarms):
    world = World()
    people = arrivals(100_000)
    world.resets(people)
    for at, _ in people[::100]:
        world.call(at, "validate", fails="unavailable")
    assert ringing(alarms, world.metrics, BEGIN, BEGIN + SPAN[100_000], 5 * MINUTE) == set()


# ---------------------------------------------------------------------------------------------------------- outages
@pytest.mark.parametrize("fails", ["crash", "unavailable"])
@pytest.mark.parametrize("function", ["reset", "validate", "complete"])
@pytest.mark.parametrize(
    ("rate", "name", "seconds"),
    [
        (100_000, "{}ErrorsAlarm", 5 * MINUTE),
        (100, "{}FailingAlarm", 90 * MINUTE),
        (100, "DayFailuresAlarm", 4 * HOUR),
        (5, "DayFailuresAlarm", DAY),
    ],
)
def test_an_outage_of_a_function_rings(alarms, rate, name, seconds, function, fails):
    world = World()
    world.resets(arrivals(rate, BEGIN - SPAN[rate]))
    for at, times in arrivals(rate):
        # People come as far as the function that fails, and try no second time.
        for earlier in list(CALLS)[: list(CALLS).index(function)]:
            world.call(at, earlier, CALLS[earlier] * times)
        world.call(at, function, times, fails)
    rings_within(alarms, name.format(function.capitalize()), world, seconds)


@pytest.mark.parametrize("rate", RATES)
def test_an_outage_of_the_way_to_the_functions_rings(alarms, rate):
    world = World()
    for at, times in arrivals(rate):
        world.metrics.add(at, "AWS/ApiGateway", "Count", 1, times, ApiId="Api")
        world.metrics.add(at, "AWS/ApiGateway", "5xx", 1, times, ApiId="Api")
    name = "ApiErrorsAlarm" if rate > 1440 else "DayFailuresAlarm"
    rings_within(alarms, name, world, 5 * MINUTE if rate > 1440 else DAY)


@pytest.mark.parametrize("rate", RATES)
def test_mail_that_ses_does_not_take_rings_within_minutes_of_the_first(alarms, rate):
    world = World()
    first = arrivals(rate)[0][0]
    # Lambda tries the same orders again and again.
    for at in range(first, first + HOUR, 30):
        world.call(at, "mail")
        world.mail(at, "delayed", delay=(at - first) * 1000)
    rings_within(alarms, "MailBacklogAlarm", world, first - BEGIN + 6 * MINUTE)


@pytest.mark.parametrize("rate", RATES)
def test_a_mail_function_that_crashes_rings_within_a_quarter_of_an_hour_of_the_first_order(alarms, rate):
    world = World()
    first = arrivals(rate)[0][0]
    for at in range(first, first + HOUR, 45):
        world.call(at, "mail", fails="crash")
    rings_within(alarms, "MailFailingAlarm", world, first - BEGIN + 20 * MINUTE)


def test_a_mail_function_that_crashes_for_many_rings_at_once(alarms):
    world = World()
    for at, times in arrivals(100_000):
        world.call(at, "mail", times, fails="crash")
    rings_within(alarms, "MailErrorsAlarm", world, 5 * MINUTE)


@pytest.mark.parametrize("rate", RATES)
def test_mail_that_fails_for_good_rings_within_minutes_of_the_first(alarms, rate):
    world = World()
    people = arrivals(rate)
    for depth, (at, times) in enumerate(people, 1):
        world.mail(at, "failed", times)
        world.lost(at + MINUTE, depth)
    first = people[0][0] - BEGIN
    rings_within(alarms, "LostMailsAlarm", world, first + 15 * MINUTE)
    if rate > 1440:
        rings_within(alarms, "MailFailuresAlarm", world, 10 * MINUTE)


@pytest.mark.parametrize("rate", RATES)
def test_mail_that_leaves_late_rings(alarms, rate):
    world = World()
    people = arrivals(rate)
    for at, times in people:
        world.mail(at, times=times, delay=90_000)
    rings_within(alarms, "MailDelayAlarm", world, people[0][0] - BEGIN + 5 * MINUTE)


# ------------------------------------------------------------------------------------------------- slow dependencies
@pytest.mark.parametrize("function", ["reset", "validate", "complete"])
@pytest.mark.parametrize(
    ("rate", "kind", "seconds"), [(100_000, "Latency", 15 * MINUTE), (100, "Slow", 5 * HOUR), (5, "Slow", DAY)]
)
def test_a_slow_dependency_rings(alarms, rate, kind, seconds, function):
    world = World()
    world.resets(arrivals(rate, BEGIN - SPAN[rate]))
    world.resets(arrivals(rate), latency=5000)
    rings_within(alarms, f"{function.capitalize()}{kind}Alarm", world, seconds)


def test_one_slow_call_in_fifty_rings_only_where_it_is_many(alarms):
    for rate, rings in ((100_000, True), (100, False)):
        world = World()
        people = arrivals(rate)
        world.resets(people)
        for at, times in people if rate > 1440 else people[::50]:
            world.call(at, "reset", max(1, times // 25), latency=5000)
        found = ringing(alarms, world.metrics, BEGIN, BEGIN + SPAN[rate])
        assert found == ({"ResetLatencyAlarm"} if rings else set())


# --------------------------------------------------------------------------------------------------------- afterwards
@pytest.mark.parametrize("rate", RATES)
def test_after_an_outage_they_fall_silent(alarms, rate):
    world = World()
    for at, times in arrivals(rate, span=2 * HOUR if rate > 5 else 16 * HOUR):
        world.call(at, "reset", times, "unavailable")
        world.mail(at, "delayed", delay=200_000)
    over = BEGIN + (2 * HOUR if rate > 5 else 16 * HOUR)
    assert ringing(alarms, world.metrics, BEGIN, over + HOUR), "there was an outage"
    hour = {n: a for n, a in alarms.items() if a.period < HOUR}
    # Nobody calls any more: what rings must not wait for a call to fall silent.
    assert ringing(hour, world.metrics, over + 70 * MINUTE, over + 3 * HOUR) == set()
    assert ringing(alarms, world.metrics, over + 25 * HOUR, over + 26 * HOUR) == set()


def test_a_new_versions_crashes_ring_for_codedeploy_and_an_old_ones_do_not(alarms):
    world = World()
    world.call(BEGIN + 10, "complete", fails="crash")
    rings_within(alarms, "CompleteVersionAlarm", world, 4 * MINUTE)
    world = World()
    old = {"FunctionName": "CompleteFunction", "Resource": "CompleteFunction", "ExecutedVersion": "6"}
    for at in range(BEGIN, BEGIN + HOUR, MINUTE):
        world.metrics.add(at, "AWS/Lambda", "Errors", 1, **old)
    assert "CompleteVersionAlarm" not in ringing(alarms, world.metrics, BEGIN, BEGIN + HOUR, MINUTE)


def test_no_alarm_hangs_on_data_points_that_may_be_missing(alarms):
    for name, alarm in alarms.items():
        # SQS and SES publish theirs regularly.
        regular = all(m["MetricStat"]["Metric"]["Namespace"] in ("AWS/SQS", "AWS/SES") for m in alarm.metrics if "MetricStat" in m)
        assert regular or "FILL(" in alarm.returned.get("Expression", ""), name
        # The newest period is filled before its data arrive.
        assert regular or int(alarm.of["EvaluationPeriods"]) > 1, name


# --------------------------------------------------------------------------------------------------- the judge himself
def alarm(expression=None, evaluated=3, needed=None):
    metric = {"Namespace": "N", "MetricName": "m", "Dimensions": []}
    stat = {"Metric": metric, "Stat": "Sum", "Period": 60}
    properties = {"EvaluationPeriods": evaluated, "DatapointsToAlarm": needed or evaluated, "Threshold": 1}
    properties |= {"ComparisonOperator": "GreaterThanOrEqualToThreshold", "TreatMissingData": "notBreaching"}
    listed = [{"Id": "m", "ReturnData": not expression, "MetricStat": stat}]
    listed += [{"Id": "e", "ReturnData": True, "Expression": expression}] if expression else []
    return Alarm(properties | {"Metrics": listed})


def fed(pattern):
    """A data point a minute: `0`, `X` for one that breaches, `-` for none."""
    metrics = Metrics()
    for minute, mark in enumerate(pattern):
        if mark != "-":
            metrics.add(minute * 60, "N", "m", int(mark == "X"))
    return metrics, 60 * len(pattern)


@pytest.mark.parametrize(
    ("pattern", "needed", "rings"),
    # As in the tables of AWS's documentation, with an evaluation range of five for three periods.
    [("0-X-X", 3, False), ("-----", 3, False), ("0XXXX", 3, True), ("--X--", 3, False), ("0-X-X", 2, True), ("-X--X", 2, True)],
)
def test_missing_data_are_judged_as_aws_documents_it(pattern, needed, rings):
    metrics, at = fed(pattern)
    assert alarm(needed=needed).rings(metrics, at, extra=2, fills_nothing=False) is rings


def test_a_sparse_metric_rings_long_after_unless_it_is_filled():
    metrics, at = fed("X" + "-" * 20)
    assert alarm(evaluated=1).rings_ever(metrics, at)
    assert not alarm("FILL(m, 0)", evaluated=1).rings_ever(metrics, at)


def test_metric_math_is_judged_as_aws_documents_it():
    metrics, at = fed("X0-")
    for reading in READINGS:
        def value(expression, reading=reading):
            return alarm(expression)._values(metrics, at, 3, reading["fills_nothing"])

        assert value("FILL(m, 7)") == [1, 0, 7]
        assert value("m + m") == [2, 0, None]
        assert value("m + FILL(m, 1)") == [2, 0, 1], "missing beside a value counts as 0"
        assert value("5 * m") == [5, 0, None]
        assert value("IF(FILL(m, 0) >= 1 AND 2 * FILL(m, 0) > FILL(m, 0), 8, 9)") == [8, 9, 9]
    empty, at = fed("---")
    assert alarm("FILL(m, 0)")._values(empty, at, 3, True) == [0, 0, 0]
    assert alarm("FILL(m, 0)")._values(empty, at, 3, False) == [None] * 3
