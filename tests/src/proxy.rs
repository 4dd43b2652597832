//! A proxy between the functions and `DynamoDB` or SES that injects faults of networks and services: closed connections, hangs,
//! errors, lost answers, delays, garbage. Emulators do not have these faults.

use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::wiring::{BackgroundServer, endpoint, listen};

const TRANSACTION: &str = "TransactWriteItems";

/// A fault of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection is closed after the request was read; nothing was done.
    ConnectionClosed,
    /// There is never an answer; nothing was done.
    Hang,
    /// An internal error of the service (500); nothing was done.
    InternalError,
    /// The service throttles (retryable); nothing was done.
    Throttled,
    /// The same with the error code that SES documents for its quotas (400).
    ThrottlingException,
    /// Access is denied (400); nothing was done.
    Denied,
    /// The work is done, but the answer is lost.
    AnswerLost,
    /// The work is delayed, then done and answered.
    Delay(Duration),
    /// The work is delayed, then done, but never answered.
    Late(Duration),
    /// The answer does not come from the service.
    Garbage,
    /// Another transaction uses the same item (only transactions; other calls pass).
    Conflict,
    /// The same, and the other transaction has also made a condition fail.
    ConflictWithFailedCondition,
}

impl Fault {
    /// All faults.
    pub const ALL: [Self; 12] = [
        Self::ConnectionClosed,
        Self::Hang,
        Self::InternalError,
        Self::Throttled,
        Self::ThrottlingException,
        Self::Denied,
        Self::AnswerLost,
        Self::Delay(Duration::from_millis(300)),
        Self::Late(Duration::from_secs(2)),
        Self::Garbage,
        Self::Conflict,
        Self::ConflictWithFailedCondition,
    ];
}

/// The calls that get a fault.
#[derive(Clone, Debug)]
struct Plan {
    first: u64,
    times: u64,
    /// In this order; the last one repeats.
    faults: Vec<Fault>,
}

impl Plan {
    fn fault(&self, call: u64) -> Option<Fault> {
        let since = call.checked_sub(self.first).filter(|since| *since < self.times)?;
        let index = usize::try_from(since).unwrap_or(usize::MAX).min(self.faults.len() - 1);
        Some(self.faults[index])
    }
}

impl Fault {
    /// Whether the functions try again after it, so that once is not enough to make a call fail.
    #[must_use]
    pub const fn is_retried(self) -> bool {
        !matches!(self, Self::Denied | Self::Garbage)
    }
}

/// A call that the proxy received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// `DynamoDB`'s name of the operation; empty for SES, of which the functions use one operation.
    pub operation: String,
    /// The tables in the request.
    pub tables: BTreeSet<String>,
    /// The read units for rows below 4 KB, by DynamoDB's documentation: one for a consistent read.
    pub reads: usize,
    /// The write units for rows below 1 KB: one, or two inside a transaction.
    pub writes: usize,
}

impl Call {
    fn parse(request: &[u8]) -> Self {
        let operation = operation(request);
        let text = String::from_utf8_lossy(request);
        let body = text.split("\r\n\r\n").nth(1).and_then(|body| serde_json::from_str::<Value>(body).ok());
        let items = body.as_ref().and_then(|body| body["TransactItems"].as_array()).map_or(0, Vec::len);
        let named = text.split("\"TableName\":\"").skip(1);
        Self {
            tables: named.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect(),
            reads: usize::from(operation == "GetItem" || operation == "Query"),
            writes: match operation.as_str() {
                "PutItem" | "UpdateItem" | "DeleteItem" => 1,
                _ => 2 * items,
            },
            operation,
        }
    }
}

/// The proxy. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Proxy {
    plan: Arc<Mutex<Option<Plan>>>,
    /// The number of calls since the proxy was armed.
    count: Arc<AtomicU64>,
    calls: Arc<Mutex<Vec<Call>>>,
    contention: Arc<Mutex<Option<Duration>>>,
    hold: Arc<Mutex<Duration>>,
    idempotency_tokens: Arc<Mutex<Vec<String>>>,
    /// The idempotency token of the transaction in progress.
    in_transaction: Arc<Mutex<Option<String>>>,
}

impl Proxy {
    /// A proxy to `upstream`, its endpoint, and its server.
    pub(crate) async fn start(upstream: &str) -> (Self, String, BackgroundServer) {
        let listener = listen().await;
        let endpoint = endpoint(&listener);
        let upstream = upstream.trim_start_matches("http://").to_owned();
        let proxy = Self::default();
        let clone = proxy.clone();
        let server = BackgroundServer::new(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (proxy, upstream) = (clone.clone(), upstream.clone());
                tokio::spawn(async move { proxy.serve(client, &upstream).await });
            }
        });
        (proxy, endpoint, server)
    }

    /// Injects `fault` into `times` calls, starting with the call number `first` (0 is the next).
    pub fn arm(&self, fault: Fault, first: u64, times: u64) {
        self.plan(Plan { first, times, faults: vec![fault] });
    }

    /// Injects each of `faults` into one call, starting with the call number `first` (0 is the next).
    pub fn arm_each(&self, faults: &[Fault], first: u64) {
        self.plan(Plan { first, times: faults.len() as u64, faults: faults.to_vec() });
    }

    fn plan(&self, plan: Plan) {
        self.count.store(0, Ordering::SeqCst);
        *self.plan.lock().expect("a plan") = Some(plan);
    }

    /// Stops injecting faults, and forgets the calls.
    pub fn disarm(&self) {
        *self.plan.lock().expect("a plan") = None;
        self.calls.lock().expect("calls").clear();
    }

    /// From now on a transaction takes the time `each`, and concurrent ones conflict with it, as `DynamoDB`'s do on the same item.
    pub fn contend(&self, each: Duration) {
        *self.contention.lock().expect("a duration") = Some(each);
    }

    /// From now on the answer to a transaction is delayed by `answer` after the work is done.
    pub fn hold(&self, answer: Duration) {
        *self.hold.lock().expect("a duration") = answer;
    }

    /// The operations since the last [`Self::disarm`], in order.
    #[must_use]
    pub fn operations(&self) -> Vec<String> {
        self.calls().into_iter().map(|call| call.operation).collect()
    }

    /// The calls since the last [`Self::disarm`], in order.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().expect("calls").clone()
    }

    /// The idempotency tokens of all transactions, repeats included.
    #[must_use]
    pub fn idempotency_tokens(&self) -> Vec<String> {
        self.idempotency_tokens.lock().expect("tokens").clone()
    }

    /// Waits for the call number `call` (0 is the first) since the proxy was armed.
    pub async fn reached(&self, call: u64) {
        while self.count.load(Ordering::SeqCst) <= call {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    async fn serve(&self, mut client: TcpStream, upstream: &str) -> io::Result<()> {
        loop {
            let Some(request) = read_message(&mut client).await? else { return Ok(()) };
            let call = Call::parse(&request);
            let operation = call.operation.clone();
            let number = self.count.fetch_add(1, Ordering::SeqCst);
            self.calls.lock().expect("calls").push(call);
            if operation == TRANSACTION {
                self.idempotency_tokens.lock().expect("tokens").push(idempotency_token(&request));
            }
            let fault = self.plan.lock().expect("a plan").as_ref().and_then(|plan| plan.fault(number));
            match fault {
                Some(Fault::Conflict | Fault::ConflictWithFailedCondition) if operation != TRANSACTION => {}
                Some(Fault::ConnectionClosed) => return Ok(()),
                Some(Fault::Hang) => {
                    tokio::time::sleep(Duration::from_secs(30)).await;
                    return Ok(());
                }
                Some(Fault::AnswerLost) => {
                    forward(&request, upstream).await?;
                    return Ok(());
                }
                Some(Fault::Late(by)) => {
                    tokio::time::sleep(by).await;
                    forward(&request, upstream).await?;
                    tokio::time::sleep(Duration::from_secs(30)).await;
                    return Ok(());
                }
                Some(Fault::Delay(by)) => tokio::time::sleep(by).await,
                Some(fault) => {
                    client.write_all(&answer(fault, &operation)).await?;
                    continue;
                }
                None => {}
            }
            let answer = self.forward_or_conflict(&request, &operation, upstream).await?;
            if operation == TRANSACTION {
                let hold = *self.hold.lock().expect("a duration");
                tokio::time::sleep(hold).await;
            }
            client.write_all(&answer).await?;
        }
    }

    /// Forwards the request, unless it conflicts with the transaction in progress.
    async fn forward_or_conflict(
        &self,
        request: &[u8],
        operation: &str,
        upstream: &str,
    ) -> io::Result<Vec<u8>> {
        let contention = *self.contention.lock().expect("a duration");
        let Some(each) = contention.filter(|_| operation == TRANSACTION) else {
            return forward(request, upstream).await;
        };
        let token = idempotency_token(request);
        {
            let mut current = self.in_transaction.lock().expect("a transaction");
            if let Some(other) = &*current {
                return Ok(if *other == token { in_progress() } else { answer(Fault::Conflict, operation) });
            }
            *current = Some(token);
        }
        tokio::time::sleep(each).await;
        let answer = forward(request, upstream).await;
        *self.in_transaction.lock().expect("a transaction") = None;
        answer
    }
}

async fn forward(request: &[u8], upstream: &str) -> io::Result<Vec<u8>> {
    let mut server = TcpStream::connect(upstream).await?;
    server.write_all(request).await?;
    read_message(&mut server).await?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

/// Reads one HTTP/1.1 message with a `Content-Length`, as both sides send them. Returns `None` at the end of the connection.
async fn read_message(stream: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    let mut message = Vec::new();
    let mut chunk = [0; 8192];
    loop {
        if let Some(head) = message.windows(4).position(|window| window == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&message[..head]).to_ascii_lowercase();
            let length = text
                .lines()
                .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())
                .unwrap_or(0);
            if message.len() >= head + 4 + length {
                return Ok(Some(message));
            }
        }
        let count = stream.read(&mut chunk).await?;
        if count == 0 {
            return Ok(None);
        }
        message.extend_from_slice(&chunk[..count]);
    }
}

fn operation(request: &[u8]) -> String {
    let head = String::from_utf8_lossy(request);
    let target = head.lines().find_map(|line| line.strip_prefix("x-amz-target: DynamoDB_20120810."));
    target.unwrap_or_default().to_owned()
}

fn idempotency_token(request: &[u8]) -> String {
    let text = String::from_utf8_lossy(request);
    let body = text.split("\r\n\r\n").nth(1).unwrap_or_default();
    let body: Value = serde_json::from_str(body).expect("a transaction");
    body["ClientRequestToken"].as_str().expect("an idempotency token").to_owned()
}

/// `DynamoDB`'s answer to a repeat of the transaction that is in progress.
fn in_progress() -> Vec<u8> {
    error("400 Bad Request", "TransactionInProgressException", "").into_bytes()
}

fn error(status: &str, kind: &str, more: &str) -> String {
    let body = format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{kind}","message":"by plan"{more}}}"#);
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn answer(fault: Fault, operation: &str) -> Vec<u8> {
    match fault {
        Fault::InternalError => error("500 Internal Server Error", "InternalServerError", ""),
        Fault::Throttled if operation.is_empty() => {
            error("429 Too Many Requests", "TooManyRequestsException", "")
        }
        Fault::Throttled => error("400 Bad Request", "ProvisionedThroughputExceededException", ""),
        Fault::ThrottlingException => error("400 Bad Request", "ThrottlingException", ""),
        Fault::Denied => error("400 Bad Request", "AccessDeniedException", ""),
        Fault::ConflictWithFailedCondition => error(
            "400 Bad Request",
            "TransactionCanceledException",
            r#","CancellationReasons":[{"Code":"ConditionalCheckFailed"},{"Code":"TransactionConflict"}]"#,
        ),
        Fault::Conflict => error(
            "400 Bad Request",
            "TransactionCanceledException",
            r#","CancellationReasons":[{"Code":"None"},{"Code":"TransactionConflict","Message":"by plan"}]"#,
        ),
        _ => "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 20\r\n\r\n<h1>captive wifi</h1"
            .to_owned(),
    }
    .into_bytes()
}
