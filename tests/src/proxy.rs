//! A proxy between the functions and `DynamoDB` or SES that does, by plan, what networks and services do: refuse, hang, fail, cut
//! the answer off after the work was done, delay, talk nonsense. No emulator does any of that.

use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::wiring::{Served, endpoint, listen};

const TRANSACTION: &str = "TransactWriteItems";

/// What happens to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection is closed once the call is read; nothing was done.
    Refused,
    /// No answer ever comes; nothing was done.
    Hang,
    /// The service fails inside (500); nothing was done.
    InternalError,
    /// The service is asked too fast (retryable); nothing was done.
    Throttled,
    /// The same by another name, as SES's documentation of its quotas has it (400).
    ThrottlingException,
    /// The service refuses for good (400): an access right that is missing.
    Denied,
    /// The work is done, and the answer lost.
    CutAfterTheWork,
    /// The work is done late by so much, and answered in time.
    Delay(Duration),
    /// The work is done late by so much, when nobody waits for its answer any more.
    Late(Duration),
    /// Something answers that is not the service.
    Garbage,
    /// Another transaction is at the same item (transactions only; other calls pass).
    Conflict,
    /// The same, and what that other one has done so far already fails a condition.
    ConflictHalfWay,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Refused,
        Self::Hang,
        Self::InternalError,
        Self::Throttled,
        Self::ThrottlingException,
        Self::Denied,
        Self::CutAfterTheWork,
        Self::Delay(Duration::from_millis(300)),
        Self::Late(Duration::from_secs(2)),
        Self::Garbage,
        Self::Conflict,
        Self::ConflictHalfWay,
    ];
}

/// Which calls a fault hits.
#[derive(Clone, Debug)]
struct Plan {
    first: u64,
    times: u64,
    /// One after the other, and then the last for what remains.
    faults: Vec<Fault>,
}

impl Plan {
    fn fault(&self, call: u64) -> Option<Fault> {
        let since = call.checked_sub(self.first).filter(|since| *since < self.times)?;
        let index = usize::try_from(since).unwrap_or(usize::MAX).min(self.faults.len() - 1);
        Some(self.faults[index])
    }
}

/// A call that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// `DynamoDB`'s name of the operation; nothing for SES, of which the functions know one.
    pub operation: String,
    /// The tables that it names.
    pub tables: BTreeSet<String>,
    /// The read units that rows below 4 KB cost, by DynamoDB's documentation: one for a consistent read.
    pub reads: usize,
    /// The write units that rows below 1 KB cost: one, and two inside a transaction.
    pub writes: usize,
}

impl Seen {
    fn of(request: &[u8]) -> Self {
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
    calls: Arc<AtomicU64>,
    seen: Arc<Mutex<Vec<Seen>>>,
    contention: Arc<Mutex<Option<Duration>>>,
    hold: Arc<Mutex<Duration>>,
    /// The idempotency token of the transaction under way.
    in_transaction: Arc<Mutex<Option<String>>>,
}

impl Proxy {
    /// A proxy to `upstream`, the endpoint at which it listens, and what keeps it listening.
    pub(crate) async fn start(upstream: &str) -> (Self, String, Served) {
        let listener = listen().await;
        let endpoint = endpoint(&listener);
        let upstream = upstream.trim_start_matches("http://").to_owned();
        let proxy = Self::default();
        let clone = proxy.clone();
        let served = Served::new(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (proxy, upstream) = (clone.clone(), upstream.clone());
                tokio::spawn(async move { proxy.serve(client, &upstream).await });
            }
        });
        (proxy, endpoint, served)
    }

    /// From now on `fault` hits `times` calls, beginning with the one at `first` (0 is the next).
    pub fn arm(&self, fault: Fault, first: u64, times: u64) {
        self.plan(Plan { first, times, faults: vec![fault] });
    }

    /// From now on each of `faults` hits one call, beginning with the one at `first` (0 is the next).
    pub fn arm_each(&self, faults: &[Fault], first: u64) {
        self.plan(Plan { first, times: faults.len() as u64, faults: faults.to_vec() });
    }

    fn plan(&self, plan: Plan) {
        self.calls.store(0, Ordering::SeqCst);
        *self.plan.lock().expect("a plan") = Some(plan);
    }

    /// From now on all is well.
    pub fn disarm(&self) {
        *self.plan.lock().expect("a plan") = None;
        self.seen.lock().expect("calls").clear();
    }

    /// From now on a transaction takes `each` time, and another one that comes meanwhile conflicts with it, as `DynamoDB` has it for
    /// transactions on one item.
    pub fn contend(&self, each: Duration) {
        *self.contention.lock().expect("a duration") = Some(each);
    }

    /// From now on the answer to a transaction is held for so long once the work is done.
    pub fn hold(&self, answer: Duration) {
        *self.hold.lock().expect("a duration") = answer;
    }

    /// The operations called since the last [`Self::disarm`], in order.
    #[must_use]
    pub fn operations(&self) -> Vec<String> {
        self.calls().into_iter().map(|call| call.operation).collect()
    }

    /// The calls since the last [`Self::disarm`], in order.
    #[must_use]
    pub fn calls(&self) -> Vec<Seen> {
        self.seen.lock().expect("calls").clone()
    }

    /// Waits until the call number `call` (0 is the first) since the proxy was armed has come.
    pub async fn reached(&self, call: u64) {
        while self.calls.load(Ordering::SeqCst) <= call {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    async fn serve(&self, mut client: TcpStream, upstream: &str) -> io::Result<()> {
        loop {
            let Some(request) = read_message(&mut client).await? else { return Ok(()) };
            let seen = Seen::of(&request);
            let operation = seen.operation.clone();
            let call = self.calls.fetch_add(1, Ordering::SeqCst);
            self.seen.lock().expect("calls").push(seen);
            let fault = self.plan.lock().expect("a plan").as_ref().and_then(|plan| plan.fault(call));
            match fault {
                Some(Fault::Conflict | Fault::ConflictHalfWay) if operation != TRANSACTION => {}
                Some(Fault::Refused) => return Ok(()),
                Some(Fault::Hang) => {
                    tokio::time::sleep(Duration::from_secs(30)).await;
                    return Ok(());
                }
                Some(Fault::CutAfterTheWork) => {
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
            let answer = self.forward_in_turn(&request, &operation, upstream).await?;
            if operation == TRANSACTION {
                let hold = *self.hold.lock().expect("a duration");
                tokio::time::sleep(hold).await;
            }
            client.write_all(&answer).await?;
        }
    }

    async fn forward_in_turn(&self, request: &[u8], operation: &str, upstream: &str) -> io::Result<Vec<u8>> {
        let contention = *self.contention.lock().expect("a duration");
        let Some(each) = contention.filter(|_| operation == TRANSACTION) else {
            return forward(request, upstream).await;
        };
        let token = idempotency_token(request);
        {
            let mut under_way = self.in_transaction.lock().expect("a transaction");
            if let Some(other) = &*under_way {
                return Ok(if *other == token { in_progress() } else { answer(Fault::Conflict, operation) });
            }
            *under_way = Some(token);
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

/// A whole HTTP/1.1 message with a `Content-Length`, as both sides send them; nothing at the end of the connection.
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

/// What `DynamoDB` says to a repeat of the transaction that is under way.
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
        Fault::ConflictHalfWay => error(
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
