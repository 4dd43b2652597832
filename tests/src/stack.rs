//! Runs the local stack as a user does: its binary, with the functions under `cargo lambda watch`.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use local::functions::remove_cargo_variables;
use reqwest::Client;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

/// Enough for a cold build of the functions on a small machine.
const READY_WITHIN: Duration = Duration::from_mins(10);

/// A running stack on its own ports.
pub struct Stack {
    child: Child,
    lines: mpsc::UnboundedReceiver<String>,
    seen: Vec<String>,
    /// The API's address.
    pub api: String,
    /// The mail endpoint's address.
    pub mail: String,
    /// The ports: API, `DynamoDB`, mail.
    pub ports: [u16; 3],
    /// An HTTP client.
    pub http: Client,
}

impl Stack {
    /// Builds and starts a stack with `settings` and `flags`, and waits until it is ready.
    pub async fn start(settings: &[(&str, &str)], flags: &[&str]) -> Self {
        let mut stack = Self::launch(free_ports().await, settings, flags).await;
        let ready = stack.line_that_starts_with("ready ").await;
        assert_eq!(ready, Some(format!("ready {}", stack.api)), "{}", stack.output());
        stack
    }

    /// The same on `ports`, without waiting.
    pub async fn launch(ports: [u16; 3], settings: &[(&str, &str)], flags: &[&str]) -> Self {
        build(&["local"]).await;
        let target = target_directory();
        let data = target.join(format!("local-tests/{}", ports[0]));
        let mut command = Command::new(target.join("debug/local"));
        remove_cargo_variables(&mut command);
        command
            .args(["--api-port", &ports[0].to_string(), "--dynamodb-port", &ports[1].to_string()])
            .args(["--mail-port", &ports[2].to_string(), "--data-dir"])
            .arg(&data)
            .args(flags)
            .env("CARGO_TARGET_DIR", &target)
            .envs(settings.iter().copied());
        let (sender, lines) = mpsc::unbounded_channel();
        let child = spawn(&mut command, &sender);
        let address = |port: u16| format!("http://127.0.0.1:{port}");
        let http = Client::builder().timeout(Duration::from_mins(1)).build().expect("a client");
        Self { child, lines, seen: Vec::new(), api: address(ports[0]), mail: address(ports[2]), ports, http }
    }

    /// The next line that starts with `prefix`, or `None` if the stack ends first.
    pub async fn line_that_starts_with(&mut self, prefix: &str) -> Option<String> {
        let found = async {
            while let Some(line) = self.lines.recv().await {
                self.seen.push(line.clone());
                if line.starts_with(prefix) {
                    return Some(line);
                }
            }
            None
        };
        tokio::time::timeout(READY_WITHIN, found).await.expect("an answer in time")
    }

    /// The output that was read so far.
    #[must_use]
    pub fn output(&self) -> String {
        self.seen.join("\n")
    }

    /// Posts JSON to the API.
    pub async fn post(&self, path: &str, body: &Value) -> reqwest::Response {
        self.http.post(format!("{}{path}", self.api)).json(body).send().await.expect("an answer")
    }

    /// Waits until there are `count` mails; returns all, newest first.
    pub async fn mails(&self, count: usize) -> Vec<Value> {
        for _ in 0..100 {
            let mails = self.http.get(format!("{}/messages", self.mail)).send().await.expect("an answer");
            let mails: Vec<Value> = mails.json().await.expect("mails");
            if mails.len() >= count {
                return mails;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("fewer than {count} mails came");
    }

    /// Sends `signal` and waits. Returns the exit code, or `None` if a signal killed the stack.
    pub async fn end(&mut self, signal: Signal) -> Option<i32> {
        let pid = self.child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)).expect("a process");
        kill_process(pid, signal).expect("a signal");
        self.wait().await
    }

    /// Waits until the stack ends. Returns the exit code, or `None` if a signal killed it.
    pub async fn wait(&mut self) -> Option<i32> {
        let waited = tokio::time::timeout(Duration::from_mins(1), self.child.wait()).await;
        while let Ok(line) = self.lines.try_recv() {
            self.seen.push(line);
        }
        waited.expect("an end").expect("a status").code()
    }
}

/// Three ports that are free now.
pub async fn free_ports() -> [u16; 3] {
    let mut listeners = Vec::new();
    for _ in 0..3 {
        listeners.push(tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port"));
    }
    [0, 1, 2].map(|index: usize| listeners[index].local_addr().expect("an address").port())
}

/// The command lines of running processes that contain `text`.
pub async fn processes_with(text: &str) -> Vec<String> {
    let output = Command::new("ps").args(["-eo", "args="]).output().await.expect("ps");
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    lines.lines().filter(|line| line.contains(text)).map(str::to_owned).collect()
}

/// Builds `programs`.
pub async fn build(programs: &[&str]) {
    let mut command = cargo();
    command.args(["build", "--quiet", "--locked"]);
    for program in programs {
        command.args(["--bin", program]);
    }
    assert!(command.status().await.expect("cargo").success(), "{programs:?} do not compile");
}

/// The target directory of this test.
#[must_use]
pub fn target_directory() -> PathBuf {
    let this_test = std::env::current_exe().expect("a path");
    this_test.ancestors().nth(3).expect("target/debug/deps/test").to_owned()
}

/// A cargo that works in this workspace and its target directory.
#[must_use]
pub fn cargo() -> Command {
    let mut cargo = Command::new("cargo");
    remove_cargo_variables(&mut cargo);
    cargo.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).env("CARGO_TARGET_DIR", target_directory());
    cargo
}

/// Starts `command`. The lines of its output go to `lines`.
pub(crate) fn spawn(command: &mut Command, lines: &mpsc::UnboundedSender<String>) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().expect("a program");
    forward(child.stdout.take().expect("an output"), lines.clone());
    forward(child.stderr.take().expect("an output"), lines.clone());
    child
}

fn forward(output: impl AsyncRead + Send + Unpin + 'static, sender: mpsc::UnboundedSender<String>) {
    tokio::spawn(async move {
        let mut lines = BufReader::new(output).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
}
