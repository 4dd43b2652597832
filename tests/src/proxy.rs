//! A proxy between the functions and `DynamoDB` or SES that injects faults of networks and services: closed connections, hangs,
//! errors, lost answers, delays, garbage. Emulators do not have these faults.

use std::collections::BTreeSet;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::wiring::{Servers, listen};

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
    /// The work waits until [`Proxy::during`] lets it go on, then is done and answered.
    Held,
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
    /// All faults that need nobody to end them.
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

    /// Whether the functions try again after it, so that once is not enough to make a call fail.
    #[must_use]
    pub const fn is_retried(self) -> bool {
        !matches!(self, Self::Denied | Self::Garbage)
    }
}

/// The numbers of the calls that get a fault. The next call has the number 0.
pub type Calls = Range<u64>;

/// All calls from now on.
pub const EVERY: Calls = 0..u64::MAX;

/// Only the call number `call`.
#[must_use]
pub const fn nth(call: u64) -> Calls {
    call..call + 1
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
    /// The call, and its idempotency token if it is a transaction.
    fn parse(request: &[u8]) -> (Self, Option<String>) {
        let text = String::from_utf8_lossy(request);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let target = head.lines().find_map(|line| line.strip_prefix("x-amz-target: DynamoDB_20120810."));
        let operation = target.unwrap_or_default().to_owned();
        let named = body.split("\"TableName\":\"").skip(1).filter_map(|rest| rest.split('"').next());
        let json: Value = serde_json::from_str(body).unwrap_or_default();
        let call = Self {
            tables: named.map(str::to_owned).collect(),
            reads: usize::from(operation == "GetItem" || operation == "Query"),
            writes: match operation.as_str() {
                "PutItem" | "UpdateItem" | "DeleteItem" => 1,
                _ => 2 * json["TransactItems"].as_array().map_or(0, Vec::len),
            },
            operation,
        };
        (call, json["ClientRequestToken"].as_str().map(str::to_owned))
    }
}

/// The proxy. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Proxy(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    faults: Vec<(Fault, Calls)>,
    is_holding: bool,
    /// The number of all calls until now. The calls in `faults` are counted as it is.
    count: u64,
    calls: Vec<Call>,
    contention: Option<Duration>,
    hold: Duration,
    idempotency_tokens: Vec<String>,
    /// The idempotency token of the transaction in progress.
    in_transaction: Option<String>,
}

impl Proxy {
    /// A proxy to `upstream`, and its endpoint.
    pub(crate) async fn start(upstream: &str, servers: &mut Servers) -> (Self, String) {
        let (listener, endpoint) = listen().await;
        let upstream = upstream.trim_start_matches("http://").to_owned();
        let proxy = Self::default();
        let clone = proxy.clone();
        servers.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (proxy, upstream) = (clone.clone(), upstream.clone());
                tokio::spawn(async move { proxy.serve(client, &upstream).await });
            }
        });
        (proxy, endpoint)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("a state")
    }

    /// Injects `fault` into `calls`. Of several faults for one call the first counts.
    pub fn inject(&self, fault: Fault, calls: Calls) {
        let mut state = self.state();
        let (start, end) = (state.count + calls.start, state.count.saturating_add(calls.end));
        state.faults.push((fault, start..end));
    }

    /// Stops injecting faults, and forgets the calls.
    pub fn disarm(&self) {
        let mut state = self.state();
        state.faults.clear();
        state.calls.clear();
    }

    /// Injects `fault` into the call number `call` (0 is the first) of `work`, and runs `meanwhile` once that call has come. Disarms at the end.
    pub async fn during<W, M>(
        &self,
        call: u64,
        fault: Fault,
        work: impl Future<Output = W>,
        meanwhile: impl Future<Output = M>,
    ) -> (W, M) {
        self.inject(fault, nth(call));
        self.state().is_holding = true;
        let until = self.state().count + call;
        let reached = async {
            while self.state().count <= until {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let outcome = tokio::join!(work, async {
            tokio::time::timeout(Duration::from_secs(20), reached).await.expect("a call");
            let outcome = meanwhile.await;
            self.state().is_holding = false;
            outcome
        });
        self.disarm();
        outcome
    }

    /// From now on a transaction takes the time `each`, and concurrent ones conflict with it, as `DynamoDB`'s do on the same item.
    pub fn contend(&self, each: Duration) {
        self.state().contention = Some(each);
    }

    /// From now on the answer to a transaction is delayed by `answer` after the work is done.
    pub fn hold(&self, answer: Duration) {
        self.state().hold = answer;
    }

    /// The operations since the last [`Self::disarm`], in order.
    #[must_use]
    pub fn operations(&self) -> Vec<String> {
        self.calls().into_iter().map(|call| call.operation).collect()
    }

    /// The calls since the last [`Self::disarm`], in order.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// The idempotency tokens of all transactions, repeats included.
    #[must_use]
    pub fn idempotency_tokens(&self) -> Vec<String> {
        self.state().idempotency_tokens.clone()
    }

    /// Records a call; returns its fault.
    fn record(&self, call: Call, token: Option<&String>) -> Option<Fault> {
        let mut state = self.state();
        state.idempotency_tokens.extend(token.cloned());
        state.calls.push(call);
        let number = state.count;
        state.count += 1;
        state.faults.iter().find(|(_, calls)| calls.contains(&number)).map(|(fault, _)| *fault)
    }

    async fn serve(&self, mut client: TcpStream, upstream: &str) -> io::Result<()> {
        loop {
            let Some(request) = read_message(&mut client).await? else { return Ok(()) };
            let (call, transaction) = Call::parse(&request);
            let operation = call.operation.clone();
            match self.record(call, transaction.as_ref()) {
                Some(Fault::Conflict | Fault::ConflictWithFailedCondition) if transaction.is_none() => {}
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
                Some(Fault::Held) => {
                    while self.state().is_holding {
                        tokio::time::sleep(Duration::from_millis(2)).await;
                    }
                }
                Some(fault) => {
                    client.write_all(&answer(fault, &operation)).await?;
                    continue;
                }
                None => {}
            }
            let Some(token) = transaction else {
                client.write_all(&forward(&request, upstream).await?).await?;
                continue;
            };
            let answer = self.transact(&request, token, upstream).await?;
            let hold = self.state().hold;
            tokio::time::sleep(hold).await;
            client.write_all(&answer).await?;
        }
    }

    /// Forwards the transaction with this idempotency token, unless it conflicts with the one in progress.
    async fn transact(&self, request: &[u8], token: String, upstream: &str) -> io::Result<Vec<u8>> {
        let contention = self.state().contention;
        let Some(each) = contention else { return forward(request, upstream).await };
        {
            let mut state = self.state();
            if let Some(other) = &state.in_transaction {
                let is_repeat = *other == token;
                let in_progress =
                    || error("400 Bad Request", "TransactionInProgressException", "").into_bytes();
                return Ok(if is_repeat { in_progress() } else { answer(Fault::Conflict, "") });
            }
            state.in_transaction = Some(token);
        }
        tokio::time::sleep(each).await;
        let answer = forward(request, upstream).await;
        self.state().in_transaction = None;
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
