//! One wide event for each call and one for each mail, as JSON lines in `CloudWatch`'s embedded metric format: the
//! log and the metrics are the same line. No field of an event can hold a token, a password or an address.

use std::fmt;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use metrique::RootEntry;
use metrique::emf::Emf;
use metrique::unit::{Count, Millisecond};
use metrique::unit_of_work::metrics;
use metrique::writer::{AnyEntrySink as _, BoxEntrySink, FormatExt as _, sink::FlushImmediately};

use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::clock::{Clock, Timestamp};

/// The namespace of every metric.
pub const NAMESPACE: &str = "Rekey";

/// What became of a call. Metrics: `Calls`, `Latency` and `ColdStarts`, by `Stack` and `Function`, and by these and `Outcome`.
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
    /// The route as documented, never the path as sent.
    pub route: &'static str,
    /// Digits, as text: a dimension or a property, never a sum.
    pub status: String,
    /// Lambda's request id.
    request_id: String,
    /// API Gateway's request id.
    gateway_request_id: Option<String>,
    /// The name of the API key, where one came along.
    pub caller: Option<String>,
    /// What failed inside, for operators; callers never see it.
    pub error: Option<String>,
    #[metrics(unit = Count)]
    calls: u64,
    #[metrics(unit = Count)]
    cold_starts: u64,
    #[metrics(unit = Millisecond)]
    latency: Duration,
}

/// What became of an order. Metrics: `Mails`, `MailLatency` (SES's part) and `MailDelay` (from the order until SES took the mail), by
/// `Stack` and `Function`, and by these and `MailOutcome`.
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
    /// `reset` or `changed`.
    mail_kind: &'static str,
    /// The order's name.
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

/// What became of an order.
#[derive(Debug)]
pub enum MailOutcome {
    /// SES took the mail.
    Sent {
        /// SES's id of it.
        message_id: String,
        /// How long SES took.
        latency: Duration,
        /// How long ago it was ordered.
        delay: Duration,
    },
    /// There was nobody to write to.
    NoAccount,
    /// It will be tried again; the text says why it had to be.
    Delayed(String),
    /// It failed for good; the text says why, without the address.
    Failed(String),
}

impl MailOutcome {
    const fn name(&self) -> &'static str {
        match self {
            Self::Sent { .. } => "sent",
            Self::NoAccount => "no_account",
            Self::Delayed(_) => "delayed",
            Self::Failed(_) => "failed",
        }
    }

    const fn level(&self) -> &'static str {
        match self {
            Self::Sent { .. } | Self::NoAccount => "INFO",
            Self::Delayed(_) => "WARN",
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
    /// Telemetry of `function` in the deployment `stack`, a line an event, into `output`; in production the standard output.
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

    /// An event that begins now.
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
        event.level = if event.error.is_some() { "ERROR" } else { "INFO" };
        self.sink.append_any(RootEntry::new(metrique::CloseValue::close(event)));
    }

    /// Writes what became of the order `order` of a mail of `kind`, in the call `request_id`.
    pub fn mail(&self, kind: &'static str, order: &str, request_id: &str, outcome: MailOutcome) {
        let (mail_outcome, level) = (outcome.name(), outcome.level());
        let (message_id, mail_latency, mail_delay, error) = match outcome {
            MailOutcome::Sent { message_id, latency, delay } => {
                (Some(message_id), Some(latency), Some(delay), None)
            }
            MailOutcome::NoAccount => (None, None, None, None),
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
        self.sink.append_any(RootEntry::new(metrique::CloseValue::close(event)));
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

/// Sends diagnostics to the standard output. Of a panic only the location is logged: its message may quote what it tripped over.
pub fn init_diagnostics() {
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(location, "panicked");
    }));
    write_diagnostics_to(std::io::stdout);
}

/// Sends diagnostics of the functions, the runtime and the SDK to `writer` as JSON, warnings and errors only: below that
/// the SDK prints whole requests, and no variable of the environment may switch that on.
pub fn write_diagnostics_to(writer: impl for<'w> MakeWriter<'w> + Send + Sync + 'static) {
    let lines = tracing_subscriber::fmt::layer().json().without_time().with_current_span(false);
    let lines = lines.with_writer(writer);
    // The runtime warns of one thing alone: that one environment serves one call at a time, which is how it is meant.
    let levels =
        Targets::new().with_default(LevelFilter::WARN).with_target("lambda_runtime", LevelFilter::ERROR);
    tracing_subscriber::registry().with(lines.with_filter(levels)).init();
}
