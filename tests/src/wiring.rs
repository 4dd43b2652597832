//! What a deployment is wired from: configuration, engine, SES, and the SDK's clients for both.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use dynoxide::Database;
use local::dynamodb::{ACCOUNTS_TABLE, TOKENS_TABLE};
use local::ses::Outbox;
use serde_json::{Value, json};
use shared::aws::Aws;
use shared::config::Config;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What the dead-letter queue holds. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeadLetterBox(Arc<Mutex<Vec<String>>>);

impl DeadLetterBox {
    pub(crate) fn entries(&self) -> Vec<String> {
        self.0.lock().expect("entries").clone()
    }
}

/// The sender that SES has verified.
const SENDER: &str = "no-reply@rekey.example";

/// The configuration with `settings` over the tests' own.
pub(crate) fn config(settings: &[(&str, &str)]) -> Config {
    let variables = variables(settings);
    Config::read(|name| variables.get(name).map(ToString::to_string)).expect("a configuration")
}

/// The environment variables of the same.
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

/// A server in the background. It listens until this is dropped: a test makes hundreds of them, and a process may have so many
/// files open.
#[derive(Debug)]
pub(crate) struct Served(JoinHandle<()>);

impl Served {
    pub(crate) fn new(server: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(server))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Serves `db` at the endpoint. Expired items stay: the functions must not count on their deletion.
pub(crate) async fn serve(db: Database) -> (String, Served) {
    let listener = listen().await;
    (endpoint(&listener), Served::new(dynoxide::server::serve_on(listener, db)))
}

/// An empty outbox.
#[expect(clippy::disallowed_methods, reason = "mails carry the time of the machine; no test reads it")]
pub(crate) fn outbox() -> Outbox {
    Outbox::new(SENDER, SystemTime::now)
}

/// Serves SES: its mails and its endpoint.
pub(crate) async fn serve_ses() -> (Outbox, String, Served) {
    let outbox = outbox();
    let (endpoint, served) = serve_router(outbox.clone().router()).await;
    (outbox, endpoint, served)
}

/// Serves SQS: the entries of the dead-letter queue, and its endpoint.
pub(crate) async fn serve_sqs() -> (DeadLetterBox, String, Served) {
    let entries = DeadLetterBox::default();
    let send_message = |State(entries): State<DeadLetterBox>, body: String| async move {
        let request: Value = serde_json::from_str(&body).expect("a request");
        entries.0.lock().expect("entries").push(request["MessageBody"].as_str().expect("a body").to_owned());
        Json(json!({"MessageId": "local", "MD5OfMessageBody": ""}))
    };
    let (endpoint, served) =
        serve_router(Router::new().route("/", post(send_message)).with_state(entries.clone())).await;
    (entries, endpoint, served)
}

/// Serves `router` at the endpoint.
pub(crate) async fn serve_router(router: Router) -> (String, Served) {
    let listener = listen().await;
    let endpoint = endpoint(&listener);
    let served = Served::new(async move {
        let _ = axum::serve(listener, router).await;
    });
    (endpoint, served)
}

pub(crate) async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a port")
}

pub(crate) fn endpoint(listener: &TcpListener) -> String {
    format!("http://{}", listener.local_addr().expect("an address"))
}

/// Everything of AWS's at `endpoint`.
pub(crate) fn aws(endpoint: &str) -> Aws {
    let endpoint = endpoint.to_owned();
    let variables = move |name: &str| match name {
        "AWS_REGION" => Some("eu-west-1".to_owned()),
        "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("local".to_owned()),
        "AWS_ENDPOINT_URL" => Some(endpoint.clone()),
        _ => None,
    };
    Aws::read(variables).expect("AWS")
}
