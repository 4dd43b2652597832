//! Runs the three functions under `cargo lambda watch`: installs it if it is missing, builds the functions first, and ends all
//! child processes however the stack itself ends.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, ChildStdin, Command};
use tokio::signal::unix::{SignalKind, signal};

/// The version that is installed from `PyPI` if `cargo lambda` is missing.
const CARGO_LAMBDA: &str = "1.9.2";

/// The packages of the functions.
const FUNCTIONS: [&str; 3] = ["reset", "validate", "complete"];

/// The argument that makes this program run as a [`guard`].
pub const GUARD: &str = "guard-of-cargo-lambda";

/// The functions, and how to run them.
#[derive(Clone, Debug)]
pub struct Functions {
    /// The workspace's root directory.
    pub root: PathBuf,
    /// The directory for build output and tools.
    pub target: PathBuf,
    /// The API's port on 127.0.0.1.
    pub port: u16,
    /// Whether to build with `--release`.
    pub release: bool,
    /// The file with their environment variables.
    pub env_file: PathBuf,
}

impl Functions {
    /// Builds the functions, so that the first request need not wait for the build.
    ///
    /// # Errors
    ///
    /// One line that says what failed; the compiler has printed the reason.
    pub async fn build(&self) -> Result<()> {
        // The same command as `cargo lambda watch` uses: `--bin` unifies the features of the whole workspace.
        let mut arguments: Vec<&OsStr> = vec!["build".as_ref()];
        arguments.extend(FUNCTIONS.iter().flat_map(|name| ["--bin".as_ref(), OsStr::new(name)]));
        arguments.extend(self.release.then_some(OsStr::new("--release")));
        let Guarded { mut guard, input } = self.guarded("cargo".as_ref(), &arguments, Stdio::inherit)?;
        let status = guard.wait().await?;
        drop(input);
        ensure!(status.success(), "the functions do not compile; see cargo's messages above");
        Ok(())
    }

    /// Starts `cargo lambda watch`.
    pub async fn start(&self) -> Result<Guarded> {
        let watch = self.cargo_lambda().await?;
        let port = self.port.to_string();
        let mut arguments: Vec<&OsStr> =
            ["lambda", "watch", "--invoke-address", "127.0.0.1", "--invoke-port", &port]
                .map(OsStr::new)
                .into();
        arguments.extend([OsStr::new("--env-file"), self.env_file.as_os_str()]);
        arguments.extend(self.release.then_some(OsStr::new("--release")));
        self.guarded(watch.as_os_str(), &arguments, Stdio::piped)
    }

    /// Starts `program` under a [`guard`].
    fn guarded(&self, program: &OsStr, arguments: &[&OsStr], output: fn() -> Stdio) -> Result<Guarded> {
        let this_program = std::env::current_exe().context("this program's own path is unknown")?;
        let mut command = Command::new(this_program);
        remove_cargo_variables(&mut command);
        let mut guard = command
            .arg(GUARD)
            .arg(program)
            .args(arguments)
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", &self.target)
            .stdin(Stdio::piped())
            .stdout(output())
            .stderr(output())
            // Ctrl-C signals the terminal's foreground process group. The guard must not get it; the end of its input tells it to stop.
            .process_group(0)
            .spawn()
            .with_context(|| format!("{} cannot be started", program.display()))?;
        // Take it, because waiting for a child closes the child's stdin.
        let input = guard.stdin.take().context("a guard has no input")?;
        Ok(Guarded { guard, input })
    }

    /// The path of `cargo-lambda`: the installed one, or one from `PyPI` under the target directory.
    async fn cargo_lambda(&self) -> Result<PathBuf> {
        let installed = Command::new("cargo-lambda").args(["lambda", "--version"]).output().await;
        if installed.is_ok_and(|output| output.status.success()) {
            return Ok(PathBuf::from("cargo-lambda"));
        }
        let tools = self.target.join(format!("tools/cargo-lambda-{CARGO_LAMBDA}"));
        let binary = tools.join("bin/cargo-lambda");
        if !binary.exists() {
            install_cargo_lambda(&tools).await?;
        }
        Ok(binary)
    }
}

/// A program under a [`guard`], which ends the program when `input` is dropped.
pub struct Guarded {
    /// The guard. It ends when the program ends, with exit code 0 or 1.
    pub guard: Child,
    /// The guard's standard input.
    pub input: ChildStdin,
}

/// Removes the variables that an outer `cargo run` or `cargo test` has set from `command`'s environment. With them, the inner cargo
/// would run build scripts again.
pub fn remove_cargo_variables(command: &mut Command) {
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

/// Installs it without its dependency zig (471 MB), which only cross-compiling needs.
async fn install_cargo_lambda(tools: &Path) -> Result<()> {
    let package = format!("cargo-lambda=={CARGO_LAMBDA}");
    let missing =
        || format!("cargo-lambda is missing, and python3's pip could not install it: install {package}");
    let output = Command::new("python3")
        .args(["-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check", "--target"])
        .arg(tools)
        .arg(&package)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .with_context(missing)?;
    if !output.status.success() {
        let messages = String::from_utf8_lossy(&output.stderr);
        return Err(anyhow!(messages.lines().last().unwrap_or("no message").to_owned()).context(missing()));
    }
    Ok(())
}

/// Runs `command` until it ends or standard input is closed, then kills its process group. Killing the parent closes that input
/// too. Returns only on failure, since the group includes this process.
pub async fn guard(command: &[String]) -> Result<Infallible> {
    let [program, arguments @ ..] = command else { bail!("the guard needs a command") };
    let child = Command::new(program).args(arguments).stdin(Stdio::null()).spawn();
    let mut child = child.with_context(|| format!("{program} cannot be started"))?;
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let mut input = tokio::io::stdin();
    let mut byte = [0];
    tokio::select! {
        status = child.wait() => {
            // Do not return: the runtime would wait for its thread that still reads standard input.
            std::process::exit(i32::from(!status.is_ok_and(|status| status.success())));
        }
        _ = input.read(&mut byte) => {}
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
    let _ = tokio::time::timeout(Duration::from_secs(3), child.wait()).await;
    // Kill what is left of the group, including this process.
    let _ = rustix::process::kill_process_group(rustix::process::getpgrp(), rustix::process::Signal::KILL);
    bail!("the process group could not be killed")
}

/// Writes `variables` to `path`, one per line, for `cargo lambda watch --env-file`.
pub fn write_env_file(path: &Path, variables: &BTreeMap<&str, String>) -> Result<()> {
    let lines: Vec<String> =
        variables.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    std::fs::write(path, lines.join("\n") + "\n")
        .with_context(|| format!("{} cannot be written", path.display()))
}

/// Escapes `value` for double quotes in an environment file.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\$")
}
