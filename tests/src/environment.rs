//! A Lambda execution environment: a function's binary as a process with its own runtime API. Unlike with `cargo lambda watch`, a
//! test can kill it at any moment and knows which call was lost.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use serde_json::Value;
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::event::Answer;
use crate::stack::{spawn, target_directory};
use crate::wiring::{Servers, serve_router};

type Invocation = (Value, oneshot::Sender<Value>);

/// A process that serves one function, one call at a time.
pub struct Environment {
    child: Mutex<Child>,
    /// The process.
    pub pid: u32,
    /// When it was started.
    pub started: Instant,
    invocations: mpsc::Sender<Invocation>,
    is_dead: watch::Sender<bool>,
    runtime_api: Arc<RuntimeApi>,
    _servers: Servers,
}

/// The runtime API's state for one call at a time.
struct RuntimeApi {
    waiting: Mutex<mpsc::Receiver<Invocation>>,
    current: Mutex<Option<oneshot::Sender<Value>>>,
    asked: watch::Sender<Option<Instant>>,
    call_started: watch::Sender<Option<Instant>>,
}

impl Environment {
    /// Starts the binary of `function` with `variables` and nothing else in its environment. Its output goes to `log`.
    pub async fn start(
        function: &str,
        variables: &[(String, String)],
        log: &mpsc::UnboundedSender<String>,
    ) -> Self {
        let mut command = Command::new(target_directory().join("debug").join(function));
        command.env_clear().envs(variables.iter().cloned());
        Self::run(command, log).await
    }

    /// Starts `command`, a program that asks the runtime API for events. Its log goes to `log`.
    pub async fn run(mut command: Command, log: &mpsc::UnboundedSender<String>) -> Self {
        let (invocations, waiting) = mpsc::channel(1);
        let runtime_api = Arc::new(RuntimeApi {
            waiting: Mutex::new(waiting),
            current: Mutex::default(),
            asked: watch::Sender::new(None),
            call_started: watch::Sender::new(None),
        });
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .with_state(Arc::clone(&runtime_api));
        let mut servers = Servers::new();
        let address = serve_router(router, &mut servers).await;
        command
            .env("AWS_LAMBDA_RUNTIME_API", address.trim_start_matches("http://"))
            .env("AWS_LAMBDA_FUNCTION_NAME", "rekey")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256");
        let started = Instant::now();
        let child = spawn(&mut command, log);
        let pid = child.id().expect("a process");
        Self {
            child: Mutex::new(child),
            pid,
            started,
            invocations,
            is_dead: watch::Sender::new(false),
            runtime_api,
            _servers: servers,
        }
    }

    /// The answer to `event`, or `None` if the process was killed before it answered.
    pub async fn call(&self, event: Value) -> Option<Answer> {
        let (reply, answered) = oneshot::channel();
        self.runtime_api.call_started.send_replace(None);
        let mut is_dead = self.is_dead.subscribe();
        let answered = async {
            self.invocations.send((event, reply)).await.ok()?;
            answered.await.ok()
        };
        tokio::select! {
            biased;
            response = answered => response.map(|response| Answer { response }),
            _ = is_dead.wait_for(|is_dead| *is_dead) => None,
        }
    }

    /// When the process first asked for a call: it has started.
    pub async fn asked(&self) -> Instant {
        let mut asked = self.runtime_api.asked.subscribe();
        asked.wait_for(Option::is_some).await.expect("a runtime API").expect("a time")
    }

    /// Tells the process that there will be no more calls, and waits for its end.
    pub async fn end(self) {
        drop(self.invocations);
        self.child.into_inner().wait().await.expect("an end");
    }

    /// The CPU time of the process until now, all threads together.
    #[must_use]
    pub fn cpu(&self) -> Duration {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.pid)).expect("a process");
        let nanoseconds = threads.filter_map(|thread| {
            let statistics = std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
            statistics.split(' ').next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(nanoseconds.sum())
    }

    /// The time at which the process received the current or last call.
    pub async fn call_started(&self) -> Instant {
        let mut call_started = self.runtime_api.call_started.subscribe();
        let since = call_started.wait_for(Option::is_some).await.expect("a runtime API");
        since.expect("a time")
    }

    /// Kills the process (SIGKILL).
    pub async fn kill(&self) {
        self.child.lock().await.kill().await.expect("a process");
        self.is_dead.send_replace(true);
    }

    /// The process's peak memory in bytes.
    #[must_use]
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).expect("a process");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a line");
        peak.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
    }
}

async fn next(State(api): State<Arc<RuntimeApi>>) -> impl IntoResponse {
    api.asked.send_if_modified(|asked| asked.is_none() && asked.replace(Instant::now()).is_none());
    let headers = [
        ("lambda-runtime-aws-request-id", "lambda-request"),
        ("lambda-runtime-deadline-ms", "4102444800000"),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-west-1:123456789012:function:f"),
    ];
    let Some((event, reply)) = api.waiting.lock().await.recv().await else {
        // Without the headers of a call, the runtime gives up and the process ends.
        return StatusCode::GONE.into_response();
    };
    *api.current.lock().await = Some(reply);
    api.call_started.send_replace(Some(Instant::now()));
    (headers, event.to_string()).into_response()
}

async fn response(State(api): State<Arc<RuntimeApi>>, body: String) -> StatusCode {
    let response = serde_json::from_str(&body).expect("a response");
    if let Some(reply) = api.current.lock().await.take() {
        let _ = reply.send(response);
    }
    StatusCode::ACCEPTED
}
