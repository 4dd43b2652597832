//! One log line per call and one per mail, as JSON in `CloudWatch`'s embedded metric format: one line is both log and metrics. No
//! field can hold a token, a password or an address.

use std::fmt;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use metrique::emf::Emf;
use metrique::unit::{Count, Millisecond};
use metrique::unit_of_work::metrics;
use metrique::writer::{AnyEntrySink as _, BoxEntrySink, FormatExt as _, sink::FlushImmediately};
use metrique::{CloseValue, InflectableEntry, RootEntry};

use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::clock::{Clock, Timestamp};

/// The namespace of every metric.
pub const NAMESPACE: &str = "Rekey";

/// The event of a call. Metrics: `Calls`, `Latency` and `ColdStarts`, by `Stack` and `Function`, and by these and `Outcome`.
#[metrics(emf::dimension_sets = [["Stack", "Function"], ["Stack", "Function", "Outcome"]], rename_all = "PascalCase")]
#[derive(Debug)]
pub struct CallEvent {
    #[metrics(timestamp)]
    timestamp: SystemTime,
    #[metrics(name = "level")]
    level: &'static str,
    stack: Arc<str>,
    function: &'static str,
    /// What was done, or the `code` of the error.
    pub outcome: &'static str,
    /// The route's method.
    pub method: &'static str,
    /// The route as documented, not the path as sent.
    pub route: &'static str,
    /// The HTTP status. A string, so that it is a property and not a metric.
    pub status: String,
    /// Lambda's request id.
    request_id: String,
    /// API Gateway's request id.
    gateway_request_id: Option<String>,
    /// The name of the API key, if the call has one.
    pub caller: Option<String>,
    /// The internal error, for operators. Callers never see it.
    pub error: Option<String>,
    #[metrics(unit = Count)]
    calls: u64,
    #[metrics(unit = Count)]
    cold_starts: u64,
    #[metrics(unit = Millisecond)]
    latency: Duration,
}

/// The event of an order. Metrics: `Mails`, `MailLatency` (the call of SES) and `MailDelay` (from the order until SES accepted the mail),
/// by `Stack` and `Function`, and by these and `MailOutcome`.
#[metrics(emf::dimension_sets = [["Stack", "Function"], ["Stack", "Function", "MailOutcome"]], rename_all = "PascalCase")]
#[derive(Debug)]
struct MailEvent {
    #[metrics(timestamp)]
    timestamp: SystemTime,
    #[metrics(name = "level")]
    level: &'static str,
    stack: Arc<str>,
    function: &'static str,
    mail_outcome: &'static str,
    /// `reset`, `changed` or `invite`; of a mail that says that an address has no account, why it has none.
    mail_kind: &'static str,
    /// The order's id.
    order: String,
    /// Lambda's request id.
    request_id: String,
    /// SES's id of the mail.
    message_id: Option<String>,
    error: Option<String>,
    #[metrics(unit = Count)]
    mails: u64,
    #[metrics(unit = Millisecond)]
    mail_latency: Option<Duration>,
    #[metrics(unit = Millisecond)]
    mail_delay: Option<Duration>,
}

/// A password was accepted although a server of breached passwords did not say whether it is one. Metric: `BreachChecksFailed`, by `Stack`
/// and `Function`.
#[metrics(emf::dimension_sets = [["Stack", "Function"]], rename_all = "PascalCase")]
#[derive(Debug)]
struct BreachCheckFailed {
    #[metrics(timestamp)]
    timestamp: SystemTime,
    #[metrics(name = "level")]
    level: &'static str,
    stack: Arc<str>,
    function: &'static str,
    error: String,
    #[metrics(unit = Count)]
    breach_checks_failed: u64,
}

/// The outcome of an attempt to send an order's mail.
#[derive(Debug)]
pub enum MailOutcome {
    /// SES accepted the mail.
    Sent {
        /// SES's id of the mail.
        message_id: String,
        /// How long SES took.
        latency: Duration,
        /// The time since it was ordered.
        delay: Duration,
    },
    /// No row has the address.
    NoAccount,
    /// Rows have the address, but do not meet `ACCOUNTS_CONDITIONS`.
    ConditionsNotMet,
    /// Several accounts have the address.
    Ambiguous,
    /// The attempt failed and will be repeated. Holds the reason, without the address.
    Delayed(String),
    /// The mail failed permanently. Holds the reason, without the address.
    Failed(String),
}

impl MailOutcome {
    /// The outcome's name in the log and the metrics.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Sent { .. } => "sent",
            Self::NoAccount => "no_account",
            Self::ConditionsNotMet => "conditions_not_met",
            Self::Ambiguous => "ambiguous",
            Self::Delayed(_) => "delayed",
            Self::Failed(_) => "failed",
        }
    }

    const fn level(&self) -> &'static str {
        match self {
            Self::Sent { .. } | Self::NoAccount | Self::ConditionsNotMet => "INFO",
            Self::Delayed(_) | Self::Ambiguous => "WARN",
            Self::Failed(_) => "ERROR",
        }
    }
}

/// Writes events. Cheap to clone.
#[derive(Clone)]
pub struct Telemetry {
    sink: BoxEntrySink,
    clock: Clock,
    stack: Arc<str>,
    function: &'static str,
    warm: Arc<AtomicBool>,
}

impl Telemetry {
    /// Telemetry of `function` in the deployment `stack`. Writes one line per event to `output`, in production the standard output.
    pub fn new(
        function: &'static str,
        stack: &str,
        clock: Clock,
        output: impl Write + Send + Sync + 'static,
    ) -> Self {
        let emf = Emf::builder(NAMESPACE.to_owned(), vec![vec![]]).build().output_to(output);
        Self {
            sink: FlushImmediately::new_boxed(emf),
            clock,
            stack: stack.into(),
            function,
            warm: Arc::default(),
        }
    }

    /// The event of a call that starts now.
    #[must_use]
    pub fn call(&self, request_id: &str, gateway_request_id: Option<&str>) -> CallEvent {
        CallEvent {
            timestamp: system_time(self.clock.now()),
            level: "INFO",
            stack: Arc::clone(&self.stack),
            function: self.function,
            outcome: "unknown",
            method: "unknown",
            route: "unknown",
            status: String::new(),
            request_id: request_id.to_owned(),
            gateway_request_id: gateway_request_id.map(str::to_owned),
            caller: None,
            error: None,
            calls: 1,
            cold_starts: u64::from(!self.warm.swap(true, Ordering::Relaxed)),
            latency: Duration::ZERO,
        }
    }

    /// Writes `event`, which took `latency`.
    pub fn end_call(&self, mut event: CallEvent, latency: Duration) {
        event.latency = latency;
        if event.error.is_some() {
            event.level = "ERROR";
        }
        self.write(event);
    }

    /// Writes the outcome of the order with the id `order`, for a mail of `kind`, in the invocation `request_id`.
    pub fn mail(&self, kind: &'static str, order: &str, request_id: &str, outcome: MailOutcome) {
        let (mail_outcome, level) = (outcome.name(), outcome.level());
        let (message_id, mail_latency, mail_delay, error) = match outcome {
            MailOutcome::Sent { message_id, latency, delay } => {
                (Some(message_id), Some(latency), Some(delay), None)
            }
            MailOutcome::NoAccount | MailOutcome::ConditionsNotMet | MailOutcome::Ambiguous => {
                (None, None, None, None)
            }
            MailOutcome::Delayed(problem) | MailOutcome::Failed(problem) => (None, None, None, Some(problem)),
        };
        let event = MailEvent {
            timestamp: system_time(self.clock.now()),
            level,
            stack: Arc::clone(&self.stack),
            function: "mail",
            mail_outcome,
            mail_kind: kind,
            order: order.to_owned(),
            request_id: request_id.to_owned(),
            message_id,
            error,
            mails: 1,
            mail_latency,
            mail_delay,
        };
        self.write(event);
    }

    /// Writes that a server of breached passwords did not say whether a password is one, with the reason.
    pub fn breach_check_failed(&self, problem: String) {
        self.write(BreachCheckFailed {
            timestamp: system_time(self.clock.now()),
            level: "WARN",
            stack: Arc::clone(&self.stack),
            function: self.function,
            error: problem,
            breach_checks_failed: 1,
        });
    }

    fn write(&self, event: impl CloseValue<Closed: InflectableEntry + Send + 'static>) {
        self.sink.append_any(RootEntry::new(event.close()));
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Telemetry({})", self.function)
    }
}

fn system_time(timestamp: Timestamp) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(timestamp.as_millis())
}

/// Sends diagnostics to the standard output. Of a panic, logs only the location: its message may contain user input.
pub fn init_diagnostics() {
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(location, "panicked");
    }));
    write_diagnostics_to(std::io::stdout);
}

/// Sends diagnostics of the functions, the runtime and the SDK to `writer` as JSON. Warnings and errors only, whatever the environment
/// variables say: at lower levels the SDK logs whole requests.
pub fn write_diagnostics_to(writer: impl for<'w> MakeWriter<'w> + Send + Sync + 'static) {
    let lines = tracing_subscriber::fmt::layer().json().without_time().with_current_span(false);
    let lines = lines.with_writer(writer);
    // The runtime's only warning is that an environment handles one call at a time, which is intended.
    let levels =
        Targets::new().with_default(LevelFilter::WARN).with_target("lambda_runtime", LevelFilter::ERROR);
    tracing_subscriber::registry().with(lines.with_filter(levels)).init();
}
