//! The parts of a deployment: configuration, engine, SES and SQS endpoints, and the SDK's configuration.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::SystemTime;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use dynoxide::Database;
use local::dynamodb::{ACCOUNTS_TABLE, TOKENS_TABLE};
use local::ses::Outbox;
use serde_json::{Value, json};
use shared::aws::{Aws, Https};
use shared::config::Config;
use shared::language::own::read_directory;
use shared::random::Random;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// The entries of the dead-letter queue. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeadLetterQueue {
    entries: Arc<Mutex<Vec<String>>>,
    is_refusing: Arc<AtomicBool>,
}

impl DeadLetterQueue {
    pub(crate) fn entries(&self) -> Vec<String> {
        self.entries.lock().expect("entries").clone()
    }

    /// Whether it refuses entries from now on.
    pub(crate) fn refuse(&self, is_refusing: bool) {
        self.is_refusing.store(is_refusing, Ordering::Relaxed);
    }
}

/// The verified sender.
const SENDER: &str = "no-reply@rekey.example";

/// The tests' configuration, with `settings` on top.
#[must_use]
pub fn config(settings: &[(&str, &str)]) -> Config {
    let variables = variables(settings);
    let variable = |name: &str| variables.get(name).map(ToString::to_string);
    Config::read(variable, read_directory).expect("a configuration")
}

/// The environment variables of [`config`].
#[must_use]
pub fn variables<'a>(settings: &[(&'a str, &'a str)]) -> HashMap<&'a str, &'a str> {
    let mut variables = HashMap::from([
        ("TOKENS_TABLE", TOKENS_TABLE),
        ("ACCOUNTS_TABLE", ACCOUNTS_TABLE),
        ("MAIL_FROM", SENDER),
        ("ARGON2_MEMORY_KIB", "19456"),
        ("ARGON2_ITERATIONS", "2"),
        ("ARGON2_LANES", "1"),
    ]);
    variables.extend(settings.iter().copied());
    variables
}

/// Rekey's tables with the demo accounts.
pub(crate) fn demo_database() -> Database {
    let db = Database::memory().expect("an engine");
    local::dynamodb::create_tables(&db).expect("tables");
    local::dynamodb::add_demo_accounts(&db).expect("accounts");
    db
}

/// Servers in the background, which stop when this is dropped. Tests start hundreds of them, and the number of open files is limited.
pub(crate) type Servers = JoinSet<()>;

/// Serves `db`; returns its endpoint. Expired items stay, because the functions must not rely on their deletion.
pub(crate) async fn serve(db: Database, servers: &mut Servers) -> String {
    let (listener, endpoint) = listen().await;
    servers.spawn(dynoxide::server::serve_on(listener, db));
    endpoint
}

/// Serves SES; returns its outbox and its endpoint.
#[expect(clippy::disallowed_methods, reason = "mails have the system's time, which no test reads")]
pub(crate) async fn serve_ses(servers: &mut Servers) -> (Outbox, String) {
    let outbox = Outbox::new(SENDER, SystemTime::now);
    let endpoint = serve_router(outbox.clone().router(), servers).await;
    (outbox, endpoint)
}

/// Serves SQS; returns the dead-letter queue and its endpoint.
pub(crate) async fn serve_sqs(servers: &mut Servers) -> (DeadLetterQueue, String) {
    let entries = DeadLetterQueue::default();
    let send_message = |State(entries): State<DeadLetterQueue>, body: String| async move {
        let request: Value = serde_json::from_str(&body).expect("a request");
        if entries.is_refusing.load(Ordering::Relaxed) {
            let problem = json!({"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "by plan"});
            return (StatusCode::BAD_REQUEST, Json(problem));
        }
        let body = request["MessageBody"].as_str().expect("a body").to_owned();
        entries.entries.lock().expect("entries").push(body);
        (StatusCode::OK, Json(json!({"MessageId": "local", "MD5OfMessageBody": ""})))
    };
    let router = Router::new().route("/", post(send_message)).with_state(entries.clone());
    let endpoint = serve_router(router, servers).await;
    (entries, endpoint)
}

/// Serves `router`; returns its endpoint.
pub(crate) async fn serve_router(router: Router, servers: &mut Servers) -> String {
    let (listener, endpoint) = listen().await;
    servers.spawn(async move {
        let _ = axum::serve(listener, router).await;
    });
    endpoint
}

/// A free port, and its endpoint.
pub(crate) async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    (listener, endpoint)
}

/// One for all tests: to decode the root certificates takes a debug build longer than the rest of a deployment's start.
pub(crate) static HTTPS: LazyLock<Https> = LazyLock::new(|| Https::new().expect("root certificates"));

/// Everything of AWS's at `endpoint`.
pub(crate) fn aws(endpoint: &str) -> Aws {
    let endpoint = endpoint.to_owned();
    let variables = move |name: &str| match name {
        "AWS_REGION" => Some("eu-west-1".to_owned()),
        "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("local".to_owned()),
        "AWS_ENDPOINT_URL" => Some(endpoint.clone()),
        _ => None,
    };
    Aws::read(HTTPS.clone(), variables).expect("AWS")
}

/// The operating system's randomness, recorded in `drawn`.
pub(crate) fn recorded(drawn: Arc<Mutex<Vec<Vec<u8>>>>) -> Random {
    let system = Random::operating_system();
    Random::new(move |bytes| {
        bytes.iter_mut().try_for_each(|byte| system.bytes().map(|[random]| *byte = random))?;
        drawn.lock().expect("bytes").push(bytes.to_vec());
        Ok(())
    })
}
