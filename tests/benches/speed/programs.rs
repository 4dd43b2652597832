//! The programs that are measured: the functions, a bare `lambda_http`, and the same step in Python and in Node.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::thread::{CpuSet, sched_setaffinity};
use serde_json::{Value, json};
use tests::environment::Environment;
use tests::stack::{cargo, target_directory};
use tests::{Answer, KNOWN, NO_LIMITS, Request, World, variables};
use tokio::process::Command;
use tokio::sync::mpsc;

use crate::endpoint::Endpoint;

const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/speed");
const NODE_PACKAGES: [&str; 2] = ["@aws-sdk/client-dynamodb@3.1162.0", "esbuild@0.28.2"];

/// A program, and an event for it that makes it call AWS.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) name: &'static str,
    pub(crate) command: Vec<String>,
    pub(crate) event: Value,
}

impl Program {
    fn new(name: &'static str, command: &[&Path], event: Value) -> Self {
        let command = command.iter().map(|part| part.display().to_string()).collect();
        Self { name, command, event }
    }

    /// Starts it with its AWS at `endpoint`, on the second CPU: the first is this benchmark's.
    pub(crate) async fn start(&self, endpoint: &Endpoint, before: &[&str]) -> Environment {
        let url = endpoint.url.as_str();
        let roots = endpoint.roots.display().to_string();
        let own = [("SSL_CERT_FILE", &*roots), ("AWS_CA_BUNDLE", &roots), ("NODE_EXTRA_CA_CERTS", &roots)];
        self.start_with(url, &own, before, Some(1)).await
    }

    /// The answer of `environment`, which runs this program.
    pub(crate) async fn call(&self, environment: &Environment, event: Value) -> Answer {
        let answer = tokio::time::timeout(Duration::from_mins(1), environment.call(event)).await;
        answer.ok().flatten().unwrap_or_else(|| panic!("{} does not answer", self.name))
    }

    /// Starts it with its AWS at `url`, on one CPU or on all, by the command `before` where there is one.
    pub(crate) async fn start_with(
        &self,
        url: &str,
        own: &[(&str, &str)],
        before: &[&str],
        cpu: Option<usize>,
    ) -> Environment {
        let mut words = before.iter().copied().chain(self.command.iter().map(String::as_str));
        let mut command = Command::new(words.next().expect("a program"));
        command.args(words).env_clear().envs(variables(&NO_LIMITS)).envs(own.iter().copied());
        let aws = ["AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SESV2", "AWS_ENDPOINT_URL_SQS"];
        command.envs(aws.map(|name| (name, url)));
        command.envs([("AWS_REGION", "eu-west-1"), ("AWS_DEFAULT_REGION", "eu-west-1")]);
        command.envs([("AWS_ACCESS_KEY_ID", "local"), ("AWS_SECRET_ACCESS_KEY", "local")]);
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        // A process inherits the CPUs of the thread that starts it.
        run_on(cpu);
        let (log, mut lines) = mpsc::unbounded_channel::<String>();
        let environment = Environment::run(command, &log).await;
        run_on(Some(0));
        // A program that nobody listens to may stop at its next line.
        tokio::spawn(async move { while lines.recv().await.is_some() {} });
        environment
    }
}

/// Keeps this thread on one CPU, or lets it have all.
pub(crate) fn run_on(cpu: Option<usize>) {
    let mut set = CpuSet::new();
    let cpus = std::thread::available_parallelism().map_or(1, usize::from).max(2);
    (0..cpus).filter(|n| cpu.is_none_or(|cpu| cpu == *n)).for_each(|n| set.set(n));
    // A machine of one CPU has no second.
    let _ = sched_setaffinity(None, &set);
}

/// The functions as they are deployed, and a `lambda_http` that says hello.
pub(crate) async fn functions() -> Vec<Program> {
    let mut path = OsString::from(environment("infra", "sam", "requirements-sam.txt").await);
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    // Two builds: cargo-lambda does not take binaries and examples together. The first is the one of `sam build`, so CI compiles it once.
    for what in
        [&["--bin=reset", "--bin=validate", "--bin=complete"][..], &["--example=hello", "--example=argon2id"]]
    {
        let mut cargo = cargo();
        cargo.env("PATH", &path).args(["lambda", "build", "--release", "--locked", "--quiet"]).args(what);
        assert!(cargo.status().await.expect("cargo").success(), "{what:?} do not compile");
    }
    let token = "T".repeat(20);
    let dead = Request::get("/organizations/complete-password/").query("token", &token).event();
    let body = json!({"token": token, "password": tests::PASSWORD});
    let completion = Request::post("/organizations/complete-password/", &body).event();
    let opening = Request::post("/organizations/reset-password/", &json!({"email": KNOWN})).event();
    vec![
        Program::new("hello", &[&release("hello")], opening.clone()),
        Program::new("reset", &[&release("reset")], opening),
        Program::new("validate", &[&release("validate")], dead),
        Program::new("complete", &[&release("complete")], completion),
        Program::new("mail", &[&release("validate")], order().await),
    ]
}

/// The page, which calls nobody.
pub(crate) fn page() -> Program {
    let event = Request::get("/organizations/reset-password/").event();
    Program::new("page", &[&release("reset")], event)
}

/// A binary as `sam build` makes it.
fn release(name: &str) -> PathBuf {
    target_directory().join("lambda").join(name).join("bootstrap")
}

/// An order as the stream delivers it, made now.
async fn order() -> Value {
    let world = World::new().await;
    let token = world.request_token(KNOWN).await;
    let request = Request::get("/organizations/complete-password/").query("token", &token);
    assert_eq!(world.send_only(request).await.status(), 204);
    let mut event = world.next_batch().await.expect("an order").event;
    #[expect(clippy::disallowed_methods, reason = "the functions under test read the system's clock")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_millis();
    let image = &mut event["Records"][0]["dynamodb"]["NewImage"];
    image["ordered_at"] = json!({"N": now.to_string()});
    image["requested_at"] = json!({"N": now.to_string()});
    image["expires_at"] = json!({"N": "4102444800"});
    event
}

/// The same step in Python and in Node, installed where they are missing.
pub(crate) async fn peers(event: &Value) -> Vec<Program> {
    let python =
        PathBuf::from(environment("benches/speed", "speed", "requirements.txt").await).join("python");
    let node = target_directory().join("tools/speed-node");
    let bundle = node.join("peer.mjs");
    let prefix = node.display().to_string();
    if !node.join("node_modules/.bin/esbuild").exists() {
        let quiet = ["install", "--silent", "--no-audit", "--no-fund", "--no-save", "--prefix", &prefix];
        output("npm", &[&quiet[..], &NODE_PACKAGES].concat()).await;
    }
    let source = std::fs::read_to_string(format!("{HERE}/peer.mjs")).expect("a file");
    std::fs::write(node.join("source.mjs"), source).expect("a file");
    let esbuild = node.join("node_modules/.bin/esbuild").display().to_string();
    let (from, to) =
        (node.join("source.mjs").display().to_string(), format!("--outfile={}", bundle.display()));
    let banner =
        "--banner:js=import{createRequire}from'module';const require=createRequire(import.meta.url);";
    let flags = ["--bundle", "--minify", "--platform=node", "--format=esm", "--log-level=error", banner];
    output(&esbuild, &[&[from.as_str(), &to][..], &flags].concat()).await;
    vec![
        Program::new("Python, boto3", &[&python, Path::new(&format!("{HERE}/peer.py"))], event.clone()),
        Program::new("Node, SDK v3", &[Path::new("node"), &bundle], event.clone()),
    ]
}

/// Installs a package of Debian's.
pub(crate) async fn install(package: &str) {
    output("sh", &["-c", &format!("apt-get update -qq && apt-get install -y -qq {package}")]).await;
}

/// The directory of the programs that `requirements` of `folder` name, installed where they are missing.
async fn environment(folder: &str, name: &str, requirements: &str) -> String {
    let tests = env!("CARGO_MANIFEST_DIR");
    let install = format!(
        "here={tests}/{folder} root={tests}/..; . {tests}/python.sh; environment {name} {requirements}"
    );
    output("sh", &["-c", &install]).await.trim().to_owned()
}

/// What a program prints.
pub(crate) async fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().await.expect(program);
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// The milliseconds that one argon2id takes here and in the reference library, on one CPU.
pub(crate) async fn argon2id() -> (f64, f64) {
    if !Path::new("/usr/lib/x86_64-linux-gnu/libargon2.so.1").exists() {
        install("libargon2-1").await;
    }
    run_on(Some(1));
    let ours = output(&release("argon2id").display().to_string(), &[]).await;
    let reference = output("python3", &[&format!("{HERE}/argon2id.py")]).await;
    run_on(Some(0));
    (ours.trim().parse().expect("a number"), reference.trim().parse().expect("a number"))
}
