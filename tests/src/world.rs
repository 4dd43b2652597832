//! One isolated deployment: its own engine, mails, clock and log.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, UNIX_EPOCH};

use aws_sdk_dynamodb::Client;
use complete::Complete;
use dynoxide::Database;
use lambda_http::{Context, LambdaEvent};
use local::ses::{Message, Outbox};
use local::stream::{Batch, Mapping};
use reset::Reset;
use serde_json::{Value, json};
use shared::clock::Clock;
use shared::dead_letters::DeadLetters;
use shared::function::respond;
use shared::http::routes::{FunctionName, ROUTES};
use shared::random::Random;
use shared::telemetry::Telemetry;
use validate::{MailFunction, Validate};

use crate::contract::{self, Operation};
use crate::event::{Answer, Request};
use crate::evidence::Evidence;
use crate::proxy::Proxy;
use crate::traces::{Log, Traces, keep_diagnostics};
use crate::wiring::{
    Served, aws, config, demo_database, endpoint, listen, outbox, serve, serve_ses, serve_sqs,
};
use crate::{KNOWN, NO_LIMITS, PASSWORD};

/// Where the test clock starts: in milliseconds since the epoch, at the beginning of an hour.
const START: u64 = 1_800_003_600_000;

/// A deployment. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct World {
    functions: Arc<Functions>,
    stream: Arc<tokio::sync::Mutex<Mapping>>,
    clock: Arc<AtomicU64>,
    pub(crate) traces: Arc<Traces>,
    /// The mails that SES took.
    pub outbox: Outbox,
    /// The engine, past every function.
    pub dynamodb: Client,
    operations: Arc<BTreeMap<(String, String), Operation>>,
}

struct Functions {
    reset: (Arc<Reset>, Telemetry),
    validate: (Arc<Validate>, Telemetry),
    complete: (Arc<Complete>, Telemetry),
    mail: Arc<MailFunction>,
}

impl World {
    /// A deployment with the defaults, but for hashes that are as cheap as may be.
    pub async fn new() -> Self {
        Self::with(&[]).await
    }

    /// A deployment with these settings, on Rekey's own accounts table with the demo accounts.
    pub async fn with(settings: &[(&str, &str)]) -> Self {
        Self::on(demo_database(), settings).await
    }

    /// A deployment on the tables of `db`.
    pub async fn on(db: Database, settings: &[(&str, &str)]) -> Self {
        let (dynamodb, served) = serve(db.clone()).await;
        Self::behind(db, &dynamodb, settings, vec![served]).await
    }

    /// A deployment with these settings whose `DynamoDB` is behind a proxy that can be told to misbehave.
    pub async fn behind_a_proxy(settings: &[(&str, &str)]) -> (Self, Proxy) {
        let db = demo_database();
        let (upstream, served) = serve(db.clone()).await;
        let (proxy, dynamodb, proxy_served) = Proxy::start(&upstream).await;
        let mut world = Self::behind(db, &dynamodb, settings, vec![served, proxy_served]).await;
        // The test itself looks past the proxy.
        world.dynamodb = aws(&upstream).dynamodb();
        (world, proxy)
    }

    /// A deployment whose `DynamoDB` takes every connection and never says a word.
    pub async fn behind_a_silent_dynamodb() -> Self {
        let silent = listen().await;
        let dynamodb = endpoint(&silent);
        let served = Served::new(async move {
            let mut held = Vec::new();
            while let Ok((connection, _)) = silent.accept().await {
                held.push(connection);
            }
        });
        Self::behind(demo_database(), &dynamodb, &[], vec![served]).await
    }

    /// A deployment without limits whose SES is behind a proxy that can be told to misbehave.
    pub async fn with_ses_behind_a_proxy() -> (Self, Proxy) {
        let db = demo_database();
        let (outbox, ses, ses_served) = serve_ses().await;
        let (proxy, ses, proxy_served) = Proxy::start(&ses).await;
        let (dynamodb, served) = serve(db.clone()).await;
        let served = vec![served, ses_served, proxy_served];
        (Self::between(db, &dynamodb, &ses, outbox, &NO_LIMITS, served).await, proxy)
    }

    /// A deployment whose SES is to be at `endpoint`, where the test may serve the outbox or not.
    pub async fn with_ses_at(endpoint: &str) -> Self {
        let db = demo_database();
        let (dynamodb, served) = serve(db.clone()).await;
        Self::between(db, &dynamodb, endpoint, outbox(), &NO_LIMITS, vec![served]).await
    }

    /// A deployment that reaches `db` at `dynamodb`.
    async fn behind(
        db: Database,
        dynamodb: &str,
        settings: &[(&str, &str)],
        mut servers: Vec<Served>,
    ) -> Self {
        let (outbox, ses, served) = serve_ses().await;
        servers.push(served);
        Self::between(db, dynamodb, &ses, outbox, settings, servers).await
    }

    /// The same, and SES at `ses`.
    async fn between(
        db: Database,
        dynamodb: &str,
        ses: &str,
        outbox: Outbox,
        settings: &[(&str, &str)],
        mut servers: Vec<Served>,
    ) -> Self {
        keep_diagnostics();
        let config = config(settings);
        let accounts_table = config.accounts.name.clone();
        let (dead_letters, sqs, served) = serve_sqs().await;
        servers.push(served);
        let (dynamodb, ses) = (aws(dynamodb).dynamodb(), aws(ses));
        let millis = Arc::new(AtomicU64::new(START));
        let hands = Arc::clone(&millis);
        let clock = Clock::new(move || UNIX_EPOCH + Duration::from_millis(hands.load(Ordering::Relaxed)));
        let (log, random) = (Log::default(), Random::operating_system());
        let telemetry = |name| Telemetry::new(name, "tests", clock.clone(), log.clone());

        let queue = DeadLetters::new(aws(&sqs).sqs(), format!("{sqs}/lost-mails"));
        let mail = MailFunction::new(
            &config,
            dynamodb.clone(),
            ses,
            Some(queue),
            telemetry("mail"),
            clock.clone(),
            random.clone(),
        );
        let reset =
            Reset::new(config.clone(), dynamodb.clone(), clock.clone(), random.clone()).expect("reset");
        let region = "eu-west-1".to_owned();
        let validate = Validate::new(config.clone(), dynamodb.clone(), region, clock.clone(), random.clone());
        let validate = validate.expect("validate");
        let complete = Complete::new(config, dynamodb.clone(), clock.clone(), random);
        let functions = Functions {
            reset: (Arc::new(reset), telemetry("reset")),
            validate: (Arc::new(validate), telemetry("validate")),
            complete: (Arc::new(complete), telemetry("complete")),
            mail: Arc::new(mail.with_retry_pause(Duration::ZERO)),
        };
        let stream = Mapping::open(db.clone(), None).expect("a stream");
        Self {
            functions: Arc::new(functions),
            stream: Arc::new(tokio::sync::Mutex::new(stream)),
            clock: millis,
            traces: Arc::new(Traces {
                evidence: Mutex::default(),
                log,
                outbox: outbox.clone(),
                dead_letters,
                db,
                accounts_table,
                _servers: servers,
            }),
            outbox,
            dynamodb,
            operations: Arc::new(contract::operations()),
        }
    }

    /// Sends `request` to the function that has its route, and has the mails sent that it orders.
    pub async fn send(&self, request: Request) -> Answer {
        let answer = self.send_only(request).await;
        self.settle().await;
        answer
    }

    /// Sends `request` and leaves the orders of mails in the stream.
    pub async fn send_only(&self, request: Request) -> Answer {
        self.learn(&request);
        let key = (request.method.clone(), contract::bare(&request.path));
        let route = ROUTES.iter().find(|route| route.method == key.0 && contract::bare(route.path) == key.1);
        let answer =
            self.send_to(route.map_or(FunctionName::Reset, |route| route.function), request.event()).await;
        if let Some(operation) = self.operations.get(&key) {
            let documented = operation.statuses.contains(&answer.status());
            assert!(documented, "infra/openapi.yaml does not know of this answer to {request:?}: {answer:?}");
        }
        answer
    }

    /// Remembers what `request` holds, for the search at the end; [`Self::send_only`] does so by itself.
    pub fn learn(&self, request: &Request) {
        self.evidence().learn_request(request);
    }

    fn evidence(&self) -> MutexGuard<'_, Evidence> {
        self.traces.evidence.lock().expect("evidence")
    }

    /// Hands `event` to `function`, whatever it is.
    pub async fn send_to(&self, function: FunctionName, event: Value) -> Answer {
        let event = lambda_event(event);
        let Functions { reset, validate, complete, .. } = &*self.functions;
        let response = match function {
            FunctionName::Reset => respond(Arc::clone(&reset.0), reset.1.clone(), event).await,
            FunctionName::Validate => respond(Arc::clone(&validate.0), validate.1.clone(), event).await,
            FunctionName::Complete => respond(Arc::clone(&complete.0), complete.1.clone(), event).await,
        };
        let answer = Answer { response: response.expect("a response") };
        let mut evidence = self.evidence();
        evidence.learn_answer(&answer);
        if answer.status() >= 400 {
            let text = answer.response.to_string();
            assert!(evidence.in_log(&text).is_empty(), "a refusal repeats a secret: {text}");
        }
        answer
    }

    /// Plays the stream to the mail function until it is empty, or a batch is to be tried again. Whether it is empty.
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

    /// The next batch in the stream, which stays there.
    pub async fn next_batch(&self) -> Option<Batch> {
        self.stream.lock().await.next_batch().expect("records")
    }

    /// Hands `event` to the mail function.
    pub async fn deliver(&self, event: &Value) -> Value {
        self.try_to_deliver(event).await.expect("an answer")
    }

    /// The same, for an event that may be refused.
    ///
    /// # Errors
    ///
    /// The mail function's.
    pub async fn try_to_deliver(&self, event: &Value) -> Result<Value, lambda_http::Error> {
        self.functions.mail.respond(lambda_event(event.clone())).await
    }

    /// What the dead-letter queue holds.
    #[must_use]
    pub fn dead_letters(&self) -> Vec<Value> {
        let entries = self.traces.dead_letters.entries();
        entries.iter().map(|entry| serde_json::from_str(entry).expect("JSON")).collect()
    }

    /// Opens a request for `address` and returns its token.
    pub async fn request_token(&self, address: &str) -> String {
        self.request_token_with(address, &[]).await
    }

    /// The same with these headers.
    pub async fn request_token_with(&self, address: &str, headers: &[(&str, &str)]) -> String {
        let mut request = Request::post("/organizations/reset-password/", &json!({"email": address}));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let answer = self.send(request).await;
        assert_eq!(answer.status(), 200, "{answer:?}");
        answer.json()["reset_token"].as_str().expect("a token").to_owned()
    }

    /// Presents `token` to *validate*.
    pub async fn validate(&self, token: &str) -> Answer {
        self.send(Request::get("/organizations/complete-password/").query("token", token)).await
    }

    /// Opens a request for `address`, has it mailed and returns the reset token from the mail.
    pub async fn reset_token(&self, address: &str) -> String {
        let token = self.request_token(address).await;
        let answer = self.validate(&token).await;
        assert_eq!(answer.status(), 204, "{answer:?}");
        reset_token_in(&self.last_mail())
    }

    /// Completes with `token` and `password`.
    pub async fn complete(&self, token: &str, password: &str) -> Answer {
        self.send(completion(token, password)).await
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

    /// What the functions printed so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.traces.log.text()
    }
}

fn lambda_event(event: Value) -> LambdaEvent<Value> {
    let mut context = Context::default();
    "lambda-request".clone_into(&mut context.request_id);
    LambdaEvent::new(event, context)
}

/// A completion.
#[must_use]
pub fn completion(token: &str, password: &str) -> Request {
    Request::post("/organizations/complete-password/", &json!({"token": token, "password": password}))
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
