"""When the alarms go to ALARM, and when not, with 5, 100 and 100,000 resets a day, by CloudWatch's documented rules.

The functions' metrics come from lines that the functions wrote (lines.py), repeated at the times of the simulation. Those of Lambda, API
Gateway, SQS, SES and the pipe are generated. If AWS's documentation leaves something open, an expected alarm must occur with each
reading, and an unexpected one with none.
"""

import random

import pytest

from cloudwatch import Alarm, Metrics
from lines import samples
from resolved import resources

pytestmark = [pytest.mark.functions, pytest.mark.xdist_group("lines")]

MINUTE, HOUR, DAY = 60, 3600, 86400
# The simulation begins at a full day, so that a day before it is possible.
BEGIN = 20 * DAY
RATES = (5, 100, 100_000)
# At the highest rate, the calls of a minute are one sample with a count; three hours are enough.
SPAN = {5: DAY, 100: DAY, 100_000: 3 * HOUR}
# The calls of one reset.
CALLS = [
    ("reset", "page_shown"),
    ("reset", "request_opened"),
    ("validate", "mail_requested"),
    ("validate", "page_shown"),
    ("validate", "token_live"),
    ("complete", "password_set"),
]
FAILURES = ("crash", "unavailable")


@pytest.fixture(scope="module")
def alarms():
    return {name: Alarm(alarm) for name, alarm in resources("events published", "AWS::CloudWatch::Alarm").items()}


@pytest.fixture
def simulation(lines):
    return Simulation(lines)


def arrivals(rate, begin=BEGIN, span=None, seed=1):
    """The times of resets, and how many start at each."""
    chance, end = random.Random(seed), begin + (span or SPAN[rate])
    if rate > 1440:
        return [(at, round(rate / 1440)) for at in range(begin, end, MINUTE)]
    interval = DAY // rate
    return [(at + chance.randrange(interval), 1) for at in range(begin, end, interval)]


class Simulation:
    """The metrics of calls and mails."""

    def __init__(self, lines):
        self.lines, self.metrics = lines, Metrics()

    def write(self, at, function, outcome, times=1, **other):
        """The metrics of a line that the function wrote; `other` replaces values, such as Latency."""
        for sample in samples(self.lines[function, outcome]):
            self.metrics.add(at, sample.namespace, sample.metric, other.get(sample.metric, sample.value), times, **sample.dimensions)

    def call(self, at, function, outcome, times=1, **other):
        """A call through the API; `crash` is one that writes no line, such as a time-out."""
        self.gateway(at, times, fails=outcome == "crash" or self.lines[function, outcome]["Status"] >= "500")
        if outcome != "crash":
            self.write(at, function, outcome, times, **other)

    def gateway(self, at, times=1, fails=False):
        self.metrics.add(at, "AWS/ApiGateway", "Count", 1, times, ApiId="Api")
        if fails:
            # Without failures there are no data points.
            self.metrics.add(at, "AWS/ApiGateway", "5xx", 1, times, ApiId="Api")

    def mail(self, at, outcome="sent", times=1, age=900):
        """A run of the mail function for an order of that age, in milliseconds."""
        self.metrics.add(at, "AWS/Lambda", "Invocations", 1, times, FunctionName="MailFunction")
        self.metrics.add(at, "AWS/Lambda", "IteratorAge", age, times, FunctionName="MailFunction")
        if outcome != "crash":
            self.write(at, "mail", outcome, times, MailDelay=age)

    def publish(self, at, times=1, fails=False):
        for metric in ("Invocations", *(["ExecutionFailed"] if fails else [])):
            self.metrics.add(at, "AWS/EventBridge/Pipes", metric, 1, times, PipeName="PasswordResets")

    def reset(self, at, times=1, without=(), **other):
        """A reset; `without` some of "mail" and "event"."""
        for function, outcome in CALLS:
            self.call(at, function, outcome, times, **other)
        if "mail" not in without:
            self.mail(at, times=2 * times)
        if "event" not in without:
            self.publish(at, times)

    def resets(self, people, **other):
        for at, times in people:
            self.reset(at, times, **other)


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
def test_no_alarm_without_failures(alarms, simulation, rate):
    simulation.resets(arrivals(rate))
    assert alarms_between(alarms, simulation.metrics, BEGIN, BEGIN + SPAN[rate]) == set()


def test_no_alarm_in_a_quiet_night(alarms, simulation):
    simulation.resets(arrivals(100, BEGIN - DAY))
    assert alarms_between(alarms, simulation.metrics, BEGIN, BEGIN + DAY) == set()


@pytest.mark.parametrize("fails", FAILURES)
@pytest.mark.parametrize("rate", [5, 100])
def test_no_alarm_for_a_single_failure_at_night(alarms, simulation, rate, fails):
    simulation.resets(arrivals(rate, BEGIN - DAY))
    simulation.call(BEGIN + 3 * HOUR, "reset", fails)
    simulation.mail(BEGIN + 4 * HOUR, "delayed", age=30_000)
    simulation.mail(BEGIN + 4 * HOUR + MINUTE, age=58_000)
    simulation.publish(BEGIN + 5 * HOUR, fails=True)
    simulation.publish(BEGIN + 5 * HOUR + 1)
    assert alarms_between(alarms, simulation.metrics, BEGIN, BEGIN + DAY, MINUTE * 2) == set()


def test_no_alarm_for_rare_failures_at_a_high_rate(alarms, simulation):
    people = arrivals(100_000)
    simulation.resets(people)
    for at, _ in people[::100]:
        simulation.call(at, "validate", "unavailable")
    assert alarms_between(alarms, simulation.metrics, BEGIN, BEGIN + SPAN[100_000], 5 * MINUTE) == set()


# ---------------------------------------------------------------------------------------------------------- outages
OUTAGES = [
    (100_000, "FailuresAlarm", 5 * MINUTE),
    (100, "HourFailuresAlarm", 90 * MINUTE),
    (100, "DayFailuresAlarm", 4 * HOUR),
    (5, "DayFailuresAlarm", DAY),
]


@pytest.mark.parametrize("fails", FAILURES)
@pytest.mark.parametrize("function", ["reset", "validate", "complete"])
@pytest.mark.parametrize(("rate", "name", "seconds"), OUTAGES)
def test_an_outage_of_a_function_sets_off_an_alarm(alarms, simulation, rate, name, seconds, function, fails):
    simulation.resets(arrivals(rate, BEGIN - SPAN[rate]))
    for at, times in arrivals(rate):
        # People get as far as the failing function, and do not try again.
        for earlier, outcome in CALLS:
            if earlier == function:
                break
            simulation.call(at, earlier, outcome, times)
        simulation.call(at, function, fails, times)
    assert_alarm_within(alarms, name, simulation, seconds)


@pytest.mark.parametrize(("rate", "name", "seconds"), OUTAGES)
def test_an_outage_between_api_gateway_and_the_functions_sets_off_an_alarm(alarms, simulation, rate, name, seconds):
    for at, times in arrivals(rate):
        simulation.gateway(at, times, fails=True)
    assert_alarm_within(alarms, name, simulation, seconds)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(("outcome", "seconds"), [("delayed", 30), ("crash", 45)])
def test_mails_that_ses_delays_and_a_mail_function_that_crashes_set_off_the_backlog_alarm(alarms, simulation, rate, outcome, seconds):
    first = arrivals(rate)[0][0]
    # Lambda retries the same orders.
    for at in range(first, first + HOUR, seconds):
        simulation.mail(at, outcome, age=(at - first) * 1000)
    assert_alarm_within(alarms, "MailBacklogAlarm", simulation, first - BEGIN + 6 * MINUTE)


@pytest.mark.parametrize(("rate", "seconds"), [(100_000, HOUR), (100, 90 * MINUTE), (5, DAY)])
def test_a_mapping_that_is_off_sets_off_an_alarm(alarms, simulation, rate, seconds):
    simulation.resets(arrivals(rate, BEGIN - SPAN[rate]))
    simulation.resets(arrivals(rate), without=["mail"])
    assert_alarm_within(alarms, "MailStoppedAlarm", simulation, seconds)


def test_no_alarm_if_mails_are_processed_in_the_quarter_of_an_hour_after_their_orders(alarms, simulation):
    for begin in (BEGIN + HOUR, BEGIN + 5 * HOUR):
        simulation.call(begin - 1, "validate", "mail_requested")
        simulation.mail(begin + 1)
    assert "MailStoppedAlarm" not in alarms_between(alarms, simulation.metrics, BEGIN, BEGIN + DAY)


@pytest.mark.parametrize("rate", RATES)
def test_mails_that_ses_refuses_set_off_an_alarm_within_minutes(alarms, simulation, rate):
    people = arrivals(rate)
    for depth, (at, times) in enumerate(people, 1):
        simulation.mail(at, "failed", times)
        simulation.metrics.add(at + MINUTE, "AWS/SQS", "ApproximateNumberOfMessagesVisible", depth, QueueName="LostMails.QueueName")
    assert_alarm_within(alarms, "LostMailsAlarm", simulation, people[0][0] - BEGIN + 15 * MINUTE)
    # Also if the queue refuses the entries.
    if rate < 1440:
        assert_alarm_within(alarms, "DayFailuresAlarm", simulation, DAY)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("fails", ["is stopped", "may not publish"])
def test_a_pipe_that_publishes_nothing_sets_off_an_alarm(alarms, simulation, rate, fails):
    simulation.resets(arrivals(rate, BEGIN - SPAN[rate]))
    for at, times in arrivals(rate):
        simulation.reset(at, times, without=["event"])
        if fails == "may not publish":
            simulation.publish(at, times, fails=True)
    assert_alarm_within(alarms, "PasswordResetsStuckAlarm", simulation, SPAN[rate])


def test_a_single_event_that_cannot_be_published_sets_off_an_alarm_within_an_hour(alarms, simulation):
    simulation.reset(BEGIN + 1, without=["event"])
    for at in range(BEGIN + 1, BEGIN + HOUR, 14 * MINUTE):
        simulation.publish(at, fails=True)
    assert_alarm_within(alarms, "PasswordResetsStuckAlarm", simulation, HOUR)


# ------------------------------------------------------------------------------------------- what the services report
SET = {"ses:configuration-set": "ConfigurationSet"}
VISIBLE = "AWS/SQS ApproximateNumberOfMessagesVisible"


@pytest.mark.parametrize(
    ("name", "metric", "dimensions", "quiet", "loud"),
    [
        ("ReputationAlarm", "AWS/SES Reputation.BounceRate", SET, 0.05, 0.051),
        ("ReputationAlarm", "AWS/SES Reputation.ComplaintRate", SET, 0.001, 0.0011),
        ("LostMailsAlarm", VISIBLE, {"QueueName": "LostMails.QueueName"}, 0, 1),
        ("PasswordResetsLostAlarm", VISIBLE, {"QueueName": "PasswordResetsLost.QueueName"}, 0, 1),
        ("MailBacklogAlarm", "AWS/Lambda IteratorAge", {"FunctionName": "MailFunction"}, 120_000, 120_001),
    ],
)
def test_what_a_service_reports_sets_off_its_alarm_at_the_threshold(alarms, name, metric, dimensions, quiet, loud):
    """`quiet` and `loud` are the values of every minute."""
    namespace, _, metric = metric.rpartition(" ")
    for value, expected in ((quiet, set()), (loud, {name})):
        metrics = Metrics()
        for at in range(BEGIN, BEGIN + 3 * HOUR, MINUTE):
            metrics.add(at, namespace, metric, value, **dimensions)
        assert alarms_between(alarms, metrics, BEGIN, BEGIN + 3 * HOUR, 5 * MINUTE) == expected, value


@pytest.mark.parametrize("function", ["validate", "complete"])
def test_many_dead_tokens_set_off_an_alarm(alarms, lines, function):
    for calls, expected in ((99, set()), (100, {"BadTokensAlarm"})):
        simulation = Simulation(lines)
        simulation.call(BEGIN + 1, function, "token_not_live", calls)
        assert alarms_between(alarms, simulation.metrics, BEGIN, BEGIN + HOUR, 5 * MINUTE) == expected


# ------------------------------------------------------------------------------------------------- slow dependencies
@pytest.mark.parametrize("function", ["reset", "validate", "complete"])
@pytest.mark.parametrize(("rate", "seconds"), [(100_000, 4 * HOUR), (100, 5 * HOUR), (5, DAY)])
def test_a_slow_table_sets_off_an_alarm(alarms, simulation, rate, seconds, function):
    simulation.resets(arrivals(rate, BEGIN - SPAN[rate]))
    for at, times in arrivals(rate, span=max(SPAN[rate], seconds)):
        for name, outcome in CALLS:
            simulation.call(at, name, outcome, times, **({"Latency": 5000} if name == function else {}))
    assert_alarm_within(alarms, "SlowAlarm", simulation, seconds)
    assert alarms_between(alarms, simulation.metrics, BEGIN, BEGIN + seconds) - {"MailStoppedAlarm", "PasswordResetsStuckAlarm"} == {"SlowAlarm"}


# --------------------------------------------------------------------------------------------------- after an outage
@pytest.mark.parametrize("rate", RATES)
def test_after_an_outage_all_alarms_return_to_ok(alarms, simulation, rate):
    span = 2 * HOUR if rate > 5 else 16 * HOUR
    for at, times in arrivals(rate, span=span):
        simulation.call(at, "reset", "unavailable", times)
        simulation.mail(at, "delayed", age=200_000)
    over = BEGIN + span
    assert alarms_between(alarms, simulation.metrics, BEGIN, over + HOUR), "there was an outage"
    hour = {n: a for n, a in alarms.items() if a.period < HOUR}
    # There are no more calls: an alarm must return to OK without them.
    assert alarms_between(hour, simulation.metrics, over + 70 * MINUTE, over + 3 * HOUR) == set()
    assert alarms_between(alarms, simulation.metrics, over + 25 * HOUR, over + 26 * HOUR) == set()


def test_no_alarm_depends_on_data_points_that_may_be_missing(alarms):
    for name, alarm in alarms.items():
        # SQS and SES publish their metrics regularly.
        regular = all(m["MetricStat"]["Metric"]["Namespace"] in ("AWS/SQS", "AWS/SES") for m in alarm.metrics if "MetricStat" in m)
        assert regular or "FILL(" in alarm.returned.get("Expression", ""), name
        # The newest period is filled before its data arrive.
        assert regular or int(alarm.properties["EvaluationPeriods"]) > 1, name


def test_there_are_eleven_alarms_for_about_two_dollars(alarms):
    metrics = [m for alarm in alarms.values() for m in alarm.metrics if "MetricStat" in m]
    # $0.10 a month for each metric of an alarm.
    assert (len(alarms), len(metrics)) == (11, 22)
