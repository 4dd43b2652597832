//! The three functions under `cargo lambda watch`: fetched where it is not installed, built before it starts,
//! and taken along whichever way the stack ends.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, ChildStdin, Command};
use tokio::signal::unix::{SignalKind, signal};

/// The version that is fetched from `PyPI` where `cargo lambda` is not installed.
const CARGO_LAMBDA: &str = "1.9.2";

/// The packages of the functions.
const FUNCTIONS: [&str; 3] = ["reset", "validate", "complete"];

/// The argument that makes this program a [`guard`].
pub const GUARD: &str = "guard-of-cargo-lambda";

/// How the functions are run.
#[derive(Clone, Debug)]
pub struct Functions {
    /// The workspace.
    pub root: PathBuf,
    /// Where build output and tools go.
    pub target: PathBuf,
    /// Where the API listens, on 127.0.0.1.
    pub port: u16,
    /// Whether they are optimised.
    pub release: bool,
    /// The file with their environment.
    pub env_file: PathBuf,
}

impl Functions {
    /// Builds the functions, so that their first request need not.
    ///
    /// # Errors
    ///
    /// One line that says what failed; the compiler has said why.
    pub async fn build(&self) -> Result<(), String> {
        let mut cargo = self.cargo();
        // As `cargo lambda watch` will build them: `--bin` takes the features of the whole workspace together.
        cargo.arg("build").args(FUNCTIONS.iter().flat_map(|name| ["--bin", name]));
        if self.release {
            cargo.arg("--release");
        }
        let status = cargo.status().await.map_err(|error| format!("cargo cannot be started: {error}"))?;
        if status.success() {
            Ok(())
        } else {
            Err("the functions do not compile; see cargo's messages above".to_owned())
        }
    }

    /// Starts `cargo lambda watch` under a guard, which ends it when the guard's input, the second value, is dropped.
    ///
    /// # Errors
    ///
    /// One line that says what is missing.
    pub async fn start(&self) -> Result<(Child, ChildStdin), String> {
        let watch = self.cargo_lambda().await?;
        let me = std::env::current_exe()
            .map_err(|error| format!("this program's own path is unknown: {error}"))?;
        let mut guard = Command::new(me);
        forget_outer_cargo(&mut guard);
        guard
            .arg(GUARD)
            .arg(watch)
            .args([
                "lambda",
                "watch",
                "--invoke-address",
                "127.0.0.1",
                "--invoke-port",
                &self.port.to_string(),
            ])
            .arg("--env-file")
            .arg(&self.env_file)
            .args(self.release.then_some("--release"))
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", &self.target)
            .stdin(Stdio::piped())
            // Ctrl-C goes to the terminal's foreground group; the guard hears of the end through its input.
            .process_group(0);
        let mut guard = guard.spawn().map_err(|error| format!("the functions cannot be started: {error}"))?;
        // Taken out: waiting for a child closes the input that it still has.
        let input = guard.stdin.take().ok_or("the functions' guard has no input")?;
        Ok((guard, input))
    }

    /// `cargo-lambda`: the installed one, or one from `PyPI` under the target directory.
    async fn cargo_lambda(&self) -> Result<PathBuf, String> {
        let installed = Command::new("cargo-lambda").args(["lambda", "--version"]).output().await;
        if installed.is_ok_and(|output| output.status.success()) {
            return Ok(PathBuf::from("cargo-lambda"));
        }
        let tools = self.target.join(format!("tools/cargo-lambda-{CARGO_LAMBDA}"));
        let binary = tools.join("bin/cargo-lambda");
        if !binary.exists() {
            fetch(&tools).await?;
        }
        Ok(binary)
    }

    fn cargo(&self) -> Command {
        let mut cargo = Command::new("cargo");
        forget_outer_cargo(&mut cargo);
        cargo.current_dir(&self.root).env("CARGO_TARGET_DIR", &self.target).stdin(Stdio::null());
        cargo
    }
}

/// What `cargo run` tells this program of itself would make build scripts of the inner cargo run again.
fn forget_outer_cargo(command: &mut Command) {
    let outer = [
        "CARGO_PKG_",
        "CARGO_MANIFEST_",
        "CARGO_BIN_",
        "CARGO_CRATE_NAME",
        "CARGO_PRIMARY_PACKAGE",
        "OUT_DIR",
    ];
    for (name, _) in std::env::vars_os() {
        if outer.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
}

/// Without its dependency zig (471 MB), which only cross-compiling needs.
async fn fetch(tools: &Path) -> Result<(), String> {
    let package = format!("cargo-lambda=={CARGO_LAMBDA}");
    let missing = |problem: String| {
        format!(
            "cargo-lambda is not installed and cannot be fetched with python3's pip: {problem}; install {package}"
        )
    };
    let output = Command::new("python3")
        .args(["-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check", "--target"])
        .arg(tools)
        .arg(&package)
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(|error| missing(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    let messages = String::from_utf8_lossy(&output.stderr);
    Err(missing(messages.lines().last().unwrap_or("no message").to_owned()))
}

/// Runs `command` until it ends or the standard input does, then ends all of its process group. A parent that is killed
/// closes that input without having to do anything.
///
/// # Errors
///
/// One line if the command cannot be started or ends by itself.
pub async fn guard(command: &[String]) -> Result<(), String> {
    let [program, arguments @ ..] = command else { return Err("nothing to guard".to_owned()) };
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .spawn()
        .map_err(|error| format!("{program} cannot be started: {error}"))?;
    let mut input = tokio::io::stdin();
    let mut byte = [0];
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| error.to_string())?;
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    tokio::select! {
        status = child.wait() => {
            let status = status.map_err(|error| error.to_string())?;
            return Err(format!("cargo lambda watch ended by itself ({status})"));
        }
        _ = input.read(&mut byte) => {}
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    end(&mut child).await;
    Ok(())
}

async fn end(child: &mut Child) {
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
    if tokio::time::timeout(Duration::from_secs(3), child.wait()).await.is_err() {
        let _ = child.kill().await;
    }
    // Whatever is left of the group, this process included, goes at once.
    let _ = rustix::process::kill_process_group(rustix::process::getpgrp(), rustix::process::Signal::KILL);
}

/// Writes `variables` to `path`, a line each, for `cargo lambda watch --env-file`.
///
/// # Errors
///
/// One line that says what failed.
pub fn write_env_file(path: &Path, variables: &BTreeMap<&str, String>) -> Result<(), String> {
    let lines: Vec<String> = variables.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
    std::fs::write(path, lines.join("\n") + "\n")
        .map_err(|error| format!("{} cannot be written: {error}", path.display()))
}
