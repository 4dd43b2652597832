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
use shared::telemetry::Telemetry;
use validate::{MailFunction, Validate};

use crate::contract::{self, Operation};
use crate::event::{Answer, Request};
use crate::leaks::LeakDetector;
use crate::outputs::{Log, Outputs, record_diagnostics};
use crate::proxy::{Fault, Proxy};
use crate::wiring::{
    BackgroundServer, aws, config, demo_database, endpoint, listen, outbox, recorded, serve, serve_ses,
    serve_sqs,
};
use crate::{KNOWN, NO_LIMITS, PASSWORD};

/// The start of the test clock, in milliseconds since the epoch: the beginning of an hour.
const START: u64 = 1_800_003_600_000;

/// A deployment. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct World {
    functions: Arc<Functions>,
    stream: Arc<tokio::sync::Mutex<Mapping>>,
    clock: Arc<AtomicU64>,
    drawn: Arc<Mutex<Vec<Vec<u8>>>>,
    pub(crate) outputs: Arc<Outputs>,
    /// The mails that SES accepted.
    pub outbox: Outbox,
    /// A client of the engine.
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
    /// A deployment with the default settings, but with hashes at the lowest allowed cost.
    pub async fn new() -> Self {
        Self::with(&[]).await
    }

    /// A deployment with `settings`, on Rekey's own accounts table with the demo accounts.
    pub async fn with(settings: &[(&str, &str)]) -> Self {
        Self::on(demo_database(), settings).await
    }

    /// Rekey's own tables, with the demo accounts.
    #[must_use]
    pub fn tables() -> Database {
        demo_database()
    }

    /// A deployment on the tables of `db`.
    pub async fn on(db: Database, settings: &[(&str, &str)]) -> Self {
        let (dynamodb, server) = serve(db.clone()).await;
        Self::with_endpoint(db, &dynamodb, settings, vec![server]).await
    }

    /// A deployment with `settings` whose `DynamoDB` is behind a fault-injecting proxy.
    pub async fn behind_a_proxy(settings: &[(&str, &str)]) -> (Self, Proxy) {
        Self::on_behind_a_proxy(demo_database(), settings).await
    }

    /// The same on the tables of `db`.
    pub async fn on_behind_a_proxy(db: Database, settings: &[(&str, &str)]) -> (Self, Proxy) {
        let (upstream, server) = serve(db.clone()).await;
        let (proxy, dynamodb, proxy_server) = Proxy::start(&upstream).await;
        let mut world = Self::with_endpoint(db, &dynamodb, settings, vec![server, proxy_server]).await;
        // The test itself bypasses the proxy.
        world.dynamodb = aws(&upstream).dynamodb();
        (world, proxy)
    }

    /// A deployment whose `DynamoDB` accepts connections and never answers.
    pub async fn with_a_hanging_dynamodb() -> Self {
        let hanging = listen().await;
        let dynamodb = endpoint(&hanging);
        let server = BackgroundServer::new(async move {
            let mut held = Vec::new();
            while let Ok((connection, _)) = hanging.accept().await {
                held.push(connection);
            }
        });
        Self::with_endpoint(demo_database(), &dynamodb, &[], vec![server]).await
    }

    /// A deployment without limits whose SES is behind a fault-injecting proxy.
    pub async fn with_ses_behind_a_proxy() -> (Self, Proxy) {
        let db = demo_database();
        let (outbox, ses, ses_server) = serve_ses().await;
        let (proxy, ses, proxy_server) = Proxy::start(&ses).await;
        let (dynamodb, server) = serve(db.clone()).await;
        let server = vec![server, ses_server, proxy_server];
        (Self::with_endpoints(db, &dynamodb, &ses, outbox, &NO_LIMITS, server).await, proxy)
    }

    /// A deployment without limits whose SES is at `endpoint`, where the test may serve the outbox.
    pub async fn with_ses_at(endpoint: &str) -> Self {
        let db = demo_database();
        let (dynamodb, server) = serve(db.clone()).await;
        Self::with_endpoints(db, &dynamodb, endpoint, outbox(), &NO_LIMITS, vec![server]).await
    }

    /// A deployment on `db`, whose endpoint is `dynamodb`.
    async fn with_endpoint(
        db: Database,
        dynamodb: &str,
        settings: &[(&str, &str)],
        mut servers: Vec<BackgroundServer>,
    ) -> Self {
        let (outbox, ses, server) = serve_ses().await;
        servers.push(server);
        Self::with_endpoints(db, dynamodb, &ses, outbox, settings, servers).await
    }

    /// A deployment with these endpoints of `DynamoDB` and SES.
    async fn with_endpoints(
        db: Database,
        dynamodb: &str,
        ses: &str,
        outbox: Outbox,
        settings: &[(&str, &str)],
        mut servers: Vec<BackgroundServer>,
    ) -> Self {
        record_diagnostics();
        let config = config(settings);
        let accounts_table = config.accounts().expect("a table").name;
        let (dead_letters, sqs, server) = serve_sqs().await;
        servers.push(server);
        let https = aws(dynamodb).https();
        let (dynamodb, ses) = (aws(dynamodb).dynamodb(), aws(ses));
        let millis = Arc::new(AtomicU64::new(START));
        let now = Arc::clone(&millis);
        let clock = Clock::new(move || UNIX_EPOCH + Duration::from_millis(now.load(Ordering::Relaxed)));
        let log = Log::default();
        let drawn = Arc::<Mutex<Vec<Vec<u8>>>>::default();
        let random = recorded(Arc::clone(&drawn));
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
        let reset = Reset::new(config.clone(), dynamodb.clone(), clock.clone(), random.clone());
        let region = "eu-west-1".to_owned();
        let validate = Validate::new(config.clone(), dynamodb.clone(), region, clock.clone(), random.clone());
        let complete =
            Complete::new(config, dynamodb.clone(), https, telemetry("complete"), clock.clone(), random);
        let functions = Functions {
            reset: (Arc::new(reset), telemetry("reset")),
            validate: (Arc::new(validate.expect("a function")), telemetry("validate")),
            complete: (Arc::new(complete.expect("a function")), telemetry("complete")),
            mail: Arc::new(mail.expect("a function").with_batch_time(Duration::ZERO)),
        };
        let stream = Mapping::open(db.clone(), None).expect("a stream");
        Self {
            functions: Arc::new(functions),
            stream: Arc::new(tokio::sync::Mutex::new(stream)),
            clock: millis,
            drawn,
            outputs: Arc::new(Outputs {
                leaks: Mutex::default(),
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
        let route = ROUTES.iter().find(|route| route.method == key.0 && contract::bare(route.path) == key.1);
        let answer =
            self.send_to(route.map_or(FunctionName::Reset, |route| route.function), request.event()).await;
        if let Some(operation) = self.operations.get(&key) {
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

    /// Calls the mail function with `event`.
    pub async fn deliver(&self, event: &Value) -> Value {
        self.try_to_deliver(event).await.expect("an answer")
    }

    /// The same, for an event that may be invalid.
    ///
    /// # Errors
    ///
    /// Errors of the mail function.
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
        let mut request = Request::post("/organizations/reset-password/", &json!({"email": address}));
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
        self.send(Request::get("/organizations/complete-password/").query("token", token)).await
    }

    /// Opens a request for `address`, orders its mail and returns the reset token from the mail.
    pub async fn reset_token(&self, address: &str) -> String {
        let token = self.request_token(address).await;
        let asked = Request::get("/organizations/complete-password/").query("token", &token);
        let answer = self.prepare(asked).await;
        assert_eq!(answer.status(), 204, "{answer:?}");
        reset_token_in(&self.last_mail())
    }

    /// Completes with `token` and `password`.
    pub async fn complete(&self, token: &str, password: &str) -> Answer {
        self.send(completion(token, password)).await
    }

    /// Completes with `token`, and runs `change` after the account was read, while the password is hashed: `proxy` delays the transaction.
    pub async fn complete_while(
        &self,
        proxy: &Proxy,
        token: &str,
        change: impl Future<Output = ()>,
    ) -> Answer {
        proxy.arm(Fault::Delay(Duration::from_millis(500)), 2, 1);
        let (answer, ()) = tokio::join!(self.complete(token, PASSWORD), async {
            tokio::time::timeout(Duration::from_secs(20), proxy.reached(2)).await.expect("a transaction");
            change.await;
        });
        proxy.disarm();
        answer
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
