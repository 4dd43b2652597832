"""When the alarms go to ALARM, and when not, with 5, 100 and 100,000 resets a day, by CloudWatch's documented rules.

The tests generate the metrics that the functions, Lambda, API Gateway and SQS would emit. If the documentation leaves something open,
an expected alarm must occur with each reading, and an unexpected one with none.
"""

import random

import pytest

from cloudwatch import Alarm, Metrics
from resolved import resources
from template import STACK

MINUTE, HOUR, DAY = 60, 3600, 86400
# The simulation begins at a full day, so that a day before it is possible.
BEGIN = 20 * DAY
RATES = (5, 100, 100_000)
# At the highest rate, the calls of a minute are one sample with a count; three hours are enough.
SPAN = {5: DAY, 100: DAY, 100_000: 3 * HOUR}
# The calls of one reset: a page and the request; the order, a page and the check; the completion.
CALLS = {"reset": 2, "validate": 3, "complete": 1}
USUAL = {"reset": 20, "validate": 30, "complete": 450}


def alarms_of(name, notifying):
    """The alarms of a set of parameters: those that notify somebody, or those for CodeDeploy."""
    found = resources(name, "AWS::CloudWatch::Alarm").items()
    return {logical: Alarm(alarm) for logical, alarm in found if bool(alarm.get("AlarmActions")) is notifying}


@pytest.fixture(scope="module")
def alarms():
    return alarms_of("default", notifying=True)


@pytest.fixture(scope="module")
def version_alarms():
    return alarms_of("default", notifying=False)


def arrivals(rate, begin=BEGIN, span=None, seed=1):
    """The times of resets, and how many start at each."""
    chance, end = random.Random(seed), begin + (span or SPAN[rate])
    if rate > 1440:
        return [(at, round(rate / 1440)) for at in range(begin, end, MINUTE)]
    interval = DAY // rate
    return [(at + chance.randrange(interval), 1) for at in range(begin, end, interval)]


class Simulation:
    """Generates the metrics of calls and mails."""

    def __init__(self):
        self.metrics = Metrics()

    def call(self, at, function, times=1, fails=None, latency=None):
        """`fails` is None, `crash` (or a time-out), or `unavailable` (answered 503)."""
        logical, add = f"{function.capitalize()}Function", self.metrics.add
        errors = int(fails == "crash")
        add(at, "AWS/Lambda", "Invocations", 1, times, FunctionName=logical)
        add(at, "AWS/Lambda", "Errors", errors, times, FunctionName=logical)
        version = {"Resource": f"{logical}:live", "ExecutedVersion": f"{logical}Version.Version"}
        add(at, "AWS/Lambda", "Errors", errors, times, FunctionName=logical, **version)
        if function == "mail":
            return
        add(at, "AWS/ApiGateway", "Count", 1, times, ApiId="Api")
        if fails:
            # Without failures there are no data points.
            add(at, "AWS/ApiGateway", "5xx", 1, times, ApiId="Api")
        if fails == "unavailable":
            self.failure(at, function, times)
        if fails != "crash":
            add(at, "Rekey", "Latency", latency or USUAL[function], times, Stack=STACK, Function=function)
            outcome = fails or "done"
            add(at, "Rekey", "Calls", 1, times, Stack=STACK, Function=function, Outcome=outcome)

    def failure(self, at, function, times=1, version=None):
        version = version or f"{function.capitalize()}FunctionVersion.Version"
        self.metrics.add(at, "Rekey", "Failures", 1, times, Stack=STACK, Function=function, Version=version)

    def order(self, at, times=1):
        self.metrics.add(at, "Rekey", "Calls", 1, times, Stack=STACK, Function="validate", Outcome="mail_requested")

    def mail(self, at, outcome="sent", times=1, delay=900):
        add, of = self.metrics.add, {"Stack": STACK, "Function": "mail"}
        add(at, "Rekey", "Mails", 1, times, **of, MailOutcome=outcome)
        add(at, "AWS/Lambda", "IteratorAge", delay, times, FunctionName="MailFunction")
        if outcome == "sent":
            add(at, "Rekey", "MailDelay", delay, times, **of)
        if outcome == "delayed":
            self.failure(at, "mail", times)

    def lost(self, at, depth):
        self.metrics.add(at, "AWS/SQS", "ApproximateNumberOfMessagesVisible", depth, QueueName="LostMails.QueueName")

    def resets(self, people, latency=None):
        """Successful resets."""
        for at, times in people:
            for function, calls in CALLS.items():
                self.call(at, function, calls * times, latency=latency)
            self.order(at, times)
            self.call(at, "mail", 2 * times)
            self.mail(at, times=2 * times)


def alarms_between(alarms, metrics, begin, end, step=15 * MINUTE):
    """The alarms that are in ALARM by any reading, at any of the times."""

    def times(alarm):
        # The state changes only at the end of a period.
        return sorted({at - at % alarm.period for at in range(begin, end + 1, step)})

    return {name for name, alarm in alarms.items() if any(alarm.may_be_in_alarm(metrics, at) for at in times(alarm))}


def assert_alarm_within(alarms, name, simulation, seconds):
    """Asserts that the alarm is OK at first, and goes to ALARM in time."""
    assert not alarms[name].may_be_in_alarm(simulation.metrics, BEGIN)
    waited = alarms[name].seconds_to_alarm(simulation.metrics, BEGIN, BEGIN + seconds)
    assert waited is not None, f"{name} stays OK"


# ------------------------------------------------------------------------------------------------------- no alarms
@pytest.mark.parametrize("rate", RATES)
def test_no_alarm_without_failures(alarms, rate):
    simulation = Simulation()
    simulation.resets(arrivals(rate))
    assert alarms_between(alarms, simulation.metrics, BEGIN, BEGIN + SPAN[rate]) == set()


def test_no_alarm_in_a_night_without_calls(alarms):
    simulation = Simulation()
    simulation.resets(arrivals(100, BEGIN - DAY))
    assert alarms_between(alarms, simulation.metrics, BEGIN, BEGIN + DAY) == set()


@pytest.mark.parametrize("fails", ["crash", "unavailable"])
@pytest.mark.parametrize("rate", [5, 100])
def test_no_alarm_for_a_single_failure_at_night(alarms, rate, fails):
    simulation = Simulation()
    simulation.resets(arrivals(rate, BEGIN - DAY))
    simulation.call(BEGIN + 3 * HOUR, "reset", fails=fails)
    simulation.mail(BEGIN + 4 * HOUR, "delayed", delay=30_000)
    simulation.mail(BEGIN + 4 * HOUR + MINUTE, delay=58_000)
    assert alarms_between(alarms, simulation.metrics, BEGIN, BEGIN + DAY, MINUTE * 2) == set()


def test_no_alarm_for_rare_failures_at_a_high_rate(alarms):
    simulation = Simulation()
    people = arrivals(100_000)
    simulation.resets(people)
    for at, _ in people[::100]:
        simulation.call(at, "validate", fails="unavailable")
    assert alarms_between(alarms, simulation.metrics, BEGIN, BEGIN + SPAN[100_000], 5 * MINUTE) == set()


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
def test_an_outage_of_a_function_sets_off_its_alarm(alarms, rate, name, seconds, function, fails):
    simulation = Simulation()
    simulation.resets(arrivals(rate, BEGIN - SPAN[rate]))
    for at, times in arrivals(rate):
        # People get as far as the failing function, and do not try again.
        for earlier in list(CALLS)[: list(CALLS).index(function)]:
            simulation.call(at, earlier, CALLS[earlier] * times)
        simulation.call(at, function, times, fails)
    assert_alarm_within(alarms, name.format(function.capitalize()), simulation, seconds)


@pytest.mark.parametrize("rate", RATES)
def test_an_outage_between_api_gateway_and_the_functions_sets_off_an_alarm(alarms, rate):
    simulation = Simulation()
    for at, times in arrivals(rate):
        simulation.metrics.add(at, "AWS/ApiGateway", "Count", 1, times, ApiId="Api")
        simulation.metrics.add(at, "AWS/ApiGateway", "5xx", 1, times, ApiId="Api")
    name = "ApiErrorsAlarm" if rate > 1440 else "DayFailuresAlarm"
    assert_alarm_within(alarms, name, simulation, 5 * MINUTE if rate > 1440 else DAY)


@pytest.mark.parametrize("rate", RATES)
def test_delayed_mails_set_off_the_backlog_alarm_within_minutes(alarms, rate):
    simulation = Simulation()
    first = arrivals(rate)[0][0]
    # Lambda retries the same orders.
    for at in range(first, first + HOUR, 30):
        simulation.call(at, "mail")
        simulation.mail(at, "delayed", delay=(at - first) * 1000)
    assert_alarm_within(alarms, "MailBacklogAlarm", simulation, first - BEGIN + 6 * MINUTE)


@pytest.mark.parametrize("rate", RATES)
def test_a_crashing_mail_function_sets_off_an_alarm_within_20_minutes(alarms, rate):
    simulation = Simulation()
    first = arrivals(rate)[0][0]
    for at in range(first, first + HOUR, 45):
        simulation.call(at, "mail", fails="crash")
    assert_alarm_within(alarms, "MailFailingAlarm", simulation, first - BEGIN + 20 * MINUTE)


@pytest.mark.parametrize(("rate", "seconds"), [(100_000, HOUR), (100, 90 * MINUTE), (5, DAY)])
def test_a_mail_function_that_never_runs_sets_off_an_alarm(alarms, rate, seconds):
    simulation = Simulation()
    simulation.resets(arrivals(rate, BEGIN - SPAN[rate]))
    for at, times in arrivals(rate):
        simulation.order(at, times)
    assert_alarm_within(alarms, "MailStoppedAlarm", simulation, seconds)


def test_no_alarm_if_mails_are_processed_in_the_quarter_of_an_hour_after_their_orders(alarms):
    simulation = Simulation()
    for begin in (BEGIN + HOUR, BEGIN + 5 * HOUR):
        simulation.order(begin - 1)
        simulation.call(begin + 1, "mail")
        simulation.mail(begin + 1)
    assert "MailStoppedAlarm" not in alarms_between(alarms, simulation.metrics, BEGIN, BEGIN + DAY)


@pytest.mark.parametrize("rate", RATES)
def test_a_pipe_that_stops_sets_off_an_alarm_and_one_that_runs_does_not(rate):
    alarms = {"PasswordResetsStoppedAlarm": alarms_of("events published", notifying=True)["PasswordResetsStoppedAlarm"]}
    running, stopped = Simulation(), Simulation()
    for at, times in arrivals(rate):
        for simulation in (running, stopped):
            completed = {"Stack": STACK, "Function": "complete", "Outcome": "password_set"}
            simulation.metrics.add(at, "Rekey", "Calls", 1, times, **completed)
        running.metrics.add(at + 1, "AWS/EventBridge/Pipes", "Invocations", 1, times, PipeName="PasswordResets")
    assert alarms_between(alarms, running.metrics, BEGIN, BEGIN + SPAN[rate]) == set()
    assert_alarm_within(alarms, "PasswordResetsStoppedAlarm", stopped, SPAN[rate])


def test_a_mail_function_that_crashes_at_a_high_rate_sets_off_an_alarm_within_5_minutes(alarms):
    simulation = Simulation()
    for at, times in arrivals(100_000):
        simulation.call(at, "mail", times, fails="crash")
    assert_alarm_within(alarms, "MailErrorsAlarm", simulation, 5 * MINUTE)


@pytest.mark.parametrize("rate", RATES)
def test_mails_that_fail_permanently_set_off_an_alarm_within_minutes(alarms, rate):
    simulation = Simulation()
    people = arrivals(rate)
    for depth, (at, times) in enumerate(people, 1):
        simulation.mail(at, "failed", times)
        simulation.lost(at + MINUTE, depth)
    first = people[0][0] - BEGIN
    assert_alarm_within(alarms, "LostMailsAlarm", simulation, first + 15 * MINUTE)
    if rate > 1440:
        assert_alarm_within(alarms, "MailFailuresAlarm", simulation, 10 * MINUTE)
    else:
        assert_alarm_within(alarms, "DayFailuresAlarm", simulation, DAY)


@pytest.mark.parametrize("rate", RATES)
def test_mails_that_are_sent_late_set_off_an_alarm(alarms, rate):
    simulation = Simulation()
    people = arrivals(rate)
    for at, times in people:
        simulation.mail(at, times=times, delay=90_000)
    assert_alarm_within(alarms, "MailDelayAlarm", simulation, people[0][0] - BEGIN + 5 * MINUTE)


# ------------------------------------------------------------------------------------------- what the services report
FUNCTIONS = [{"FunctionName": f"{name}Function"} for name in ("Reset", "Validate", "Complete", "Mail")]
OPERATIONS = {
    "TokensTable": ("PutItem", "UpdateItem", "GetItem", "TransactWriteItems"),
    "AccountsTable": ("GetItem", "Query", "TransactWriteItems"),
}
ON_TABLES = [{"TableName": table, "Operation": operation} for table, names in OPERATIONS.items() for operation in names]
TABLES = [{"TableName": table} for table in OPERATIONS]
DEAD_TOKENS = [{"Stack": STACK, "Function": name, "Outcome": "token_not_live"} for name in ("validate", "complete")]
SET = [{"ses:configuration-set": "MailConfiguration"}]


@pytest.mark.parametrize(
    ("name", "metric", "series", "quiet", "loud"),
    [
        ("ThrottlesAlarm", "AWS/Lambda Throttles", FUNCTIONS, 0, 1),
        ("DynamoDbErrorsAlarm", "AWS/DynamoDB SystemErrors", ON_TABLES, 4, 5),
        ("DynamoDbThrottlesAlarm", "AWS/DynamoDB ReadThrottleEvents", TABLES, 9, 10),
        ("DynamoDbThrottlesAlarm", "AWS/DynamoDB WriteThrottleEvents", TABLES, 9, 10),
        ("BadTokensAlarm", "Rekey Calls", DEAD_TOKENS, 99, 100),
        ("BounceRateAlarm", "AWS/SES Reputation.BounceRate", SET, 0.05, 0.051),
        ("ComplaintRateAlarm", "AWS/SES Reputation.ComplaintRate", SET, 0.001, 0.0011),
        ("PasswordResetsLostAlarm", "AWS/SQS ApproximateNumberOfMessagesVisible", [{"QueueName": "PasswordResetsLost.QueueName"}], 0, 1),
        ("PasswordResetsStuckAlarm", "AWS/EventBridge/Pipes ExecutionFailed", [{"PipeName": "PasswordResets"}], 0, 1),
    ],
)
def test_what_a_service_reports_sets_off_its_alarm_at_the_threshold(name, metric, series, quiet, loud):
    """`quiet` and `loud` are the values of every five minutes, in one of the `series`."""
    alarms = {name: alarms_of("events published", notifying=True)[name]}
    namespace, _, metric = metric.rpartition(" ")
    for dimensions in series:
        for value, expected in ((quiet, False), (loud, True)):
            metrics = Metrics()
            for at in range(BEGIN, BEGIN + 3 * HOUR, 5 * MINUTE):
                metrics.add(at, namespace, metric, value, **dimensions)
            if expected:
                assert alarms[name].seconds_to_alarm(metrics, BEGIN, BEGIN + 3 * HOUR) is not None, (dimensions, value)
            else:
                assert alarms_between(alarms, metrics, BEGIN, BEGIN + 3 * HOUR, 5 * MINUTE) == set(), (dimensions, value)


# ------------------------------------------------------------------------------------------------- slow dependencies
@pytest.mark.parametrize("function", ["reset", "validate", "complete"])
@pytest.mark.parametrize(
    ("rate", "kind", "seconds"), [(100_000, "Latency", 15 * MINUTE), (100, "Slow", 5 * HOUR), (5, "Slow", DAY)]
)
def test_a_slow_dependency_sets_off_an_alarm(alarms, rate, kind, seconds, function):
    simulation = Simulation()
    simulation.resets(arrivals(rate, BEGIN - SPAN[rate]))
    simulation.resets(arrivals(rate), latency=5000)
    assert_alarm_within(alarms, f"{function.capitalize()}{kind}Alarm", simulation, seconds)


def test_one_slow_call_in_fifty_sets_off_an_alarm_only_at_a_high_rate(alarms):
    for rate, expected in ((100_000, True), (100, False)):
        simulation = Simulation()
        people = arrivals(rate)
        simulation.resets(people)
        for at, times in people if rate > 1440 else people[::50]:
            simulation.call(at, "reset", max(1, times // 25), latency=5000)
        found = alarms_between(alarms, simulation.metrics, BEGIN, BEGIN + SPAN[rate])
        assert found == ({"ResetLatencyAlarm"} if expected else set())


# --------------------------------------------------------------------------------------------------- after an outage
@pytest.mark.parametrize("rate", RATES)
def test_after_an_outage_all_alarms_return_to_ok(alarms, rate):
    simulation = Simulation()
    for at, times in arrivals(rate, span=2 * HOUR if rate > 5 else 16 * HOUR):
        simulation.call(at, "reset", times, "unavailable")
        simulation.mail(at, "delayed", delay=200_000)
    over = BEGIN + (2 * HOUR if rate > 5 else 16 * HOUR)
    assert alarms_between(alarms, simulation.metrics, BEGIN, over + HOUR), "there was an outage"
    hour = {n: a for n, a in alarms.items() if a.period < HOUR}
    # There are no more calls: an alarm must return to OK without them.
    assert alarms_between(hour, simulation.metrics, over + 70 * MINUTE, over + 3 * HOUR) == set()
    assert alarms_between(alarms, simulation.metrics, over + 25 * HOUR, over + 26 * HOUR) == set()


# ------------------------------------------------------------------------------------------------------ deployments
@pytest.mark.parametrize("fails", ["crash", "unavailable"])
@pytest.mark.parametrize("function", CALLS)
def test_one_failure_of_the_new_version_sets_off_its_alarm(version_alarms, function, fails):
    simulation = Simulation()
    simulation.call(BEGIN + 10, function, fails=fails)
    assert_alarm_within(version_alarms, f"{function.capitalize()}VersionAlarm", simulation, 4 * MINUTE)
    assert len(alarms_between(version_alarms, simulation.metrics, BEGIN, BEGIN + HOUR, MINUTE)) == 1


def test_a_mail_that_the_new_version_delays_sets_off_its_alarm_and_one_that_fails_for_good_does_not(version_alarms):
    simulation = Simulation()
    simulation.mail(BEGIN + 10, "delayed")
    assert_alarm_within(version_alarms, "MailVersionAlarm", simulation, 4 * MINUTE)
    simulation = Simulation()
    simulation.mail(BEGIN + 10, "failed")
    assert alarms_between(version_alarms, simulation.metrics, BEGIN, BEGIN + HOUR, MINUTE) == set()


def test_failures_of_an_old_version_set_off_no_versions_alarm(version_alarms):
    simulation = Simulation()
    old = {"FunctionName": "CompleteFunction", "Resource": "CompleteFunction:live", "ExecutedVersion": "6"}
    for at in range(BEGIN, BEGIN + HOUR, MINUTE):
        simulation.metrics.add(at, "AWS/Lambda", "Errors", 1, **old)
        simulation.failure(at, "complete", version="6")
    assert alarms_between(version_alarms, simulation.metrics, BEGIN, BEGIN + HOUR, MINUTE) == set()


def test_no_alarm_depends_on_data_points_that_may_be_missing(alarms, version_alarms):
    for name, alarm in (alarms | version_alarms).items():
        # SQS and SES publish their metrics regularly.
        regular = all(m["MetricStat"]["Metric"]["Namespace"] in ("AWS/SQS", "AWS/SES") for m in alarm.metrics if "MetricStat" in m)
        assert regular or "FILL(" in alarm.returned.get("Expression", ""), name
        # The newest period is filled before its data arrive.
        assert regular or int(alarm.properties["EvaluationPeriods"]) > 1, name
