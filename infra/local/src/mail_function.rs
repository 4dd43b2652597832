//! Runs the mail function as Lambda does: *validate*'s binary in an environment of its own. Under `cargo lambda watch` each function is one
//! process, so a batch, which takes a second, would keep callers of *validate* waiting.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::process::{ChildStderr, ChildStdout, Command};
use tokio::sync::mpsc;

/// The time-out of the function in the SAM template.
const TIMEOUT: Duration = Duration::from_mins(1);

/// The mail function.
#[derive(Clone, Debug)]
pub struct MailFunction {
    /// *validate*'s binary. Each batch runs the newest one.
    pub program: PathBuf,
    /// Its environment variables.
    pub variables: BTreeMap<&'static str, String>,
}

/// Lambda's runtime API for one event.
struct RuntimeApi {
    event: Mutex<Option<String>>,
    answer: mpsc::Sender<Option<Value>>,
}

impl MailFunction {
    /// The answer to `event`, or `None` if the process ends or does not answer. `print` gets its output.
    pub async fn invoke(self, event: Value, print: impl FnOnce(ChildStdout, ChildStderr)) -> Option<Value> {
        let (answer, mut answers) = mpsc::channel(1);
        let api = Arc::new(RuntimeApi { event: Mutex::new(Some(event.to_string())), answer });
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(failure))
            .with_state(api);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.ok()?;
        let address = listener.local_addr().ok()?.to_string();
        let server = tokio::spawn(axum::serve(listener, router).into_future());
        let mut child = Command::new(self.program)
            .env_clear()
            .envs(self.variables)
            .env("AWS_LAMBDA_RUNTIME_API", address)
            .envs([("AWS_LAMBDA_FUNCTION_NAME", "mail"), ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")])
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .ok()?;
        print(child.stdout.take()?, child.stderr.take()?);
        let answer = tokio::select! {
            answer = answers.recv() => answer.flatten(),
            _ = child.wait() => None,
            () = tokio::time::sleep(TIMEOUT) => None,
        };
        server.abort();
        answer
    }
}

async fn next(State(api): State<Arc<RuntimeApi>>) -> impl IntoResponse {
    let event = api.event.lock().unwrap_or_else(PoisonError::into_inner).take();
    // There is only one: the process waits for another until it is killed.
    let Some(event) = event else { return std::future::pending().await };
    let headers = [
        ("lambda-runtime-aws-request-id", "local"),
        ("lambda-runtime-deadline-ms", "4102444800000"),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:123456789012:function:mail"),
    ];
    (headers, event).into_response()
}

async fn response(State(api): State<Arc<RuntimeApi>>, body: String) -> StatusCode {
    let _ = api.answer.send(serde_json::from_str(&body).ok()).await;
    StatusCode::ACCEPTED
}

async fn failure(State(api): State<Arc<RuntimeApi>>) -> StatusCode {
    let _ = api.answer.send(None).await;
    StatusCode::ACCEPTED
}
