//! One isolated deployment: its own engine, mails, clock and log.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use aws_sdk_dynamodb::Client;
use complete::Complete;
use dynoxide::Database;
use lambda_http::{Context, LambdaEvent};
use local::ses::{Message, Outbox};
use local::stream::{Batch, Mapping};
use reset::Reset;
use serde_json::{Value, json};
use shared::function::respond;
use shared::telemetry::Telemetry;
use validate::{MailFunction, Validate};

use crate::builder::Builder;
use crate::contract::{self, FunctionName, OPERATIONS};
use crate::errors::{COMPLETE, RESET};
use crate::event::{Answer, Request};
use crate::leaks::LeakDetector;
use crate::outputs::Outputs;
use crate::proxy::{Fault, Proxy};
use crate::{KNOWN, PASSWORD};

/// A deployment. Cheap to clone; clones share everything. When the last one is dropped, the log, the tables and the dead letters are
/// searched for every secret and address that the test used, and the test fails if one leaked.
#[derive(Clone)]
pub struct World {
    pub(crate) functions: Arc<Functions>,
    pub(crate) stream: Arc<tokio::sync::Mutex<Mapping>>,
    pub(crate) clock: Arc<AtomicU64>,
    pub(crate) drawn: Arc<Mutex<Vec<Vec<u8>>>>,
    pub(crate) proxy: Option<Proxy>,
    pub(crate) outputs: Arc<Outputs>,
    /// The mails that SES accepted.
    pub outbox: Outbox,
    /// A client of the engine, which bypasses the proxy.
    pub dynamodb: Client,
}

pub(crate) struct Functions {
    pub(crate) reset: (Arc<Reset>, Telemetry),
    pub(crate) validate: (Arc<Validate>, Telemetry),
    pub(crate) complete: (Arc<Complete>, Telemetry),
    pub(crate) mail: Arc<MailFunction>,
}

impl World {
    /// A deployment that the builder describes.
    #[must_use]
    pub fn builder<'a>() -> Builder<'a> {
        Builder::default()
    }

    /// A deployment with the default settings, but with hashes at the lowest allowed cost.
    pub async fn new() -> Self {
        Self::builder().start().await
    }

    /// A deployment with `settings`.
    pub async fn with(settings: &[(&str, &str)]) -> Self {
        Self::builder().settings(settings).start().await
    }

    /// The proxy in front of the faulty service.
    #[must_use]
    pub fn proxy(&self) -> &Proxy {
        self.proxy.as_ref().expect("a faulty service")
    }

    /// The tables, for a second deployment on them.
    #[must_use]
    pub fn tables(&self) -> Database {
        self.outputs.db.clone()
    }

    /// All random bytes that the functions have drawn.
    #[must_use]
    pub fn drawn(&self) -> Vec<Vec<u8>> {
        self.drawn.lock().expect("bytes").clone()
    }

    /// Sends `request` to the function of its route, then delivers the mail orders in the stream.
    pub async fn send(&self, request: Request) -> Answer {
        let answer = self.send_only(request).await;
        self.settle().await;
        answer
    }

    /// Sends `request`, and leaves mail orders in the stream.
    pub async fn send_only(&self, request: Request) -> Answer {
        self.add_secrets(&request);
        let key = (request.method.clone(), contract::bare(&request.path));
        let routes = contract::routes();
        let served =
            routes.iter().find(|(_, method, path)| *method == key.0 && contract::bare(path) == key.1);
        let answer = self
            .send_to(served.map_or(FunctionName::Reset, |(function, ..)| *function), request.event())
            .await;
        if let Some(operation) = OPERATIONS.get(&key) {
            let documented = operation.statuses.contains(&answer.status());
            assert!(
                documented,
                "infra/openapi.yaml does not document this answer to {request:?}: {answer:?}"
            );
        }
        answer
    }

    /// Adds the secrets in `request` to those that are searched for at the end. [`Self::send_only`] does this itself.
    pub fn add_secrets(&self, request: &Request) {
        self.leaks().add_request(request);
    }

    fn leaks(&self) -> MutexGuard<'_, LeakDetector> {
        self.outputs.leaks.lock().expect("leaks")
    }

    /// Calls `function` with `event`.
    pub async fn send_to(&self, function: FunctionName, event: Value) -> Answer {
        let event = lambda_event(event);
        let Functions { reset, validate, complete, .. } = &*self.functions;
        let response = match function {
            FunctionName::Reset => respond(Arc::clone(&reset.0), reset.1.clone(), event).await,
            FunctionName::Validate => respond(Arc::clone(&validate.0), validate.1.clone(), event).await,
            FunctionName::Complete => respond(Arc::clone(&complete.0), complete.1.clone(), event).await,
        };
        let answer = Answer { response: response.expect("a response") };
        let mut leaks = self.leaks();
        leaks.add_answer(&answer);
        if answer.status() >= 400 {
            let text = answer.response.to_string();
            assert!(leaks.find_in_log(&text).is_empty(), "an error contains a secret: {text}");
        }
        answer
    }

    /// Delivers the stream to the mail function until the stream is empty or a batch must be retried. Returns whether it is empty.
    pub async fn settle(&self) -> bool {
        let mut stream = self.stream.lock().await;
        while let Some(batch) = stream.next_batch().expect("records") {
            let answer = self.deliver(&batch.event).await;
            if !stream.acknowledge(&batch, Some(&answer)) {
                return false;
            }
        }
        true
    }

    /// The next batch in the stream, without removing it.
    pub async fn next_batch(&self) -> Option<Batch> {
        self.stream.lock().await.next_batch().expect("records")
    }

    /// Moves past `batch`, which the mail function answered with `answer`. Returns whether the whole batch succeeded.
    pub async fn acknowledge(&self, batch: &Batch, answer: &Value) -> bool {
        self.stream.lock().await.acknowledge(batch, Some(answer))
    }

    /// Delivers the next batch to a process that dies during its call number `call` (0 is the first) to the faulty service.
    pub async fn deliver_and_die(&self, call: u64) {
        let batch = self.next_batch().await.expect("a batch");
        let world = self.clone();
        let process = tokio::spawn(async move { world.deliver(&batch.event).await });
        let death = process.abort_handle();
        let (killed, ()) = self.proxy().during(call, Fault::Hang, process, async { death.abort() }).await;
        assert!(killed.is_err(), "the call was still in progress");
    }

    /// Calls the mail function with `event`.
    pub async fn deliver(&self, event: &Value) -> Value {
        self.try_to_deliver(event).await.expect("an answer")
    }

    /// The same, for an event that may be invalid.
    pub async fn try_to_deliver(&self, event: &Value) -> Result<Value, lambda_http::Error> {
        self.functions.mail.respond(lambda_event(event.clone())).await
    }

    /// The entries of the dead-letter queue.
    #[must_use]
    pub fn dead_letters(&self) -> Vec<Value> {
        let entries = self.outputs.dead_letters.entries();
        entries.iter().map(|entry| serde_json::from_str(entry).expect("JSON")).collect()
    }

    /// Makes the dead-letter queue refuse entries, or take them again.
    pub fn refuse_dead_letters(&self, is_refusing: bool) {
        self.outputs.dead_letters.refuse(is_refusing);
    }

    /// Opens a request for `address` and returns its token.
    pub async fn request_token(&self, address: &str) -> String {
        self.request_token_with(address, &[]).await
    }

    /// The same with `headers`.
    pub async fn request_token_with(&self, address: &str, headers: &[(&str, &str)]) -> String {
        let mut request = Request::post(RESET, &json!({"email": address}));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let answer = self.prepare(request).await;
        assert_eq!(answer.status(), 200, "{answer:?}");
        answer.json()["reset_token"].as_str().expect("a token").to_owned()
    }

    /// Sends a request that only prepares a test: where the machine is too busy to answer in time, up to five times.
    async fn prepare(&self, request: Request) -> Answer {
        for _ in 0..4 {
            let answer = self.send(request.clone()).await;
            if answer.status() != 503 {
                return answer;
            }
        }
        self.send(request).await
    }

    /// Sends `token` to *validate*.
    pub async fn validate(&self, token: &str) -> Answer {
        self.send(Request::get(COMPLETE).query("token", token)).await
    }

    /// Opens a request for `address`, orders its mail and returns the reset token from the mail.
    pub async fn reset_token(&self, address: &str) -> String {
        let token = self.request_token(address).await;
        let asked = Request::get(COMPLETE).query("token", &token);
        let answer = self.prepare(asked).await;
        assert_eq!(answer.status(), 204, "{answer:?}");
        reset_token_in(&self.last_mail())
    }

    /// Completes with `token` and `password`.
    pub async fn complete(&self, token: &str, password: &str) -> Answer {
        self.send(completion(token, password)).await
    }

    /// Completes with `token`, and runs `change` after the account was read: the proxy holds the transaction.
    pub async fn complete_while(&self, token: &str, change: impl Future<Output = ()>) -> Answer {
        self.proxy().during(2, Fault::Held, self.complete(token, PASSWORD), change).await.0
    }

    /// A whole reset of the account [`KNOWN`].
    pub async fn reset_known(&self) {
        let token = self.reset_token(KNOWN).await;
        assert_eq!(self.complete(&token, PASSWORD).await.status(), 204);
    }

    /// The newest mail.
    #[must_use]
    pub fn last_mail(&self) -> Message {
        self.outbox.messages().into_iter().next().expect("a mail")
    }

    /// Moves the clock.
    pub fn advance(&self, seconds: u64) {
        self.clock.fetch_add(seconds * 1000, Ordering::Relaxed);
    }

    /// The clock, in milliseconds.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.clock.load(Ordering::Relaxed)
    }

    /// The functions' log so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.outputs.log.text()
    }
}

fn lambda_event(event: Value) -> LambdaEvent<Value> {
    let mut context = Context::default();
    "lambda-request".clone_into(&mut context.request_id);
    LambdaEvent::new(event, context)
}

/// The request that completes a reset.
#[must_use]
pub fn completion(token: &str, password: &str) -> Request {
    Request::post(COMPLETE, &json!({"token": token, "password": password}))
}

/// The reset token in a mail.
#[must_use]
pub fn reset_token_in(mail: &Message) -> String {
    token_in_link(&mail.text)
}

/// The reset token in the link in the text of a mail, in its fragment or its query.
#[must_use]
pub fn token_in_link(text: &str) -> String {
    text.split("token=").nth(1).expect("a link")[..20].to_owned()
}
