//! Rekey on one machine: `cargo run -p local`.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Parser;
use dynoxide::Database;
use local::functions::{self, Functions, Guarded};
use local::log::LogFormatter;
use local::mail_function::MailFunction;
use local::stream::Mapping;
use local::{accounts, breached, dynamodb, ses};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::net::TcpListener;
use tokio::process::Child;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

/// Runs Rekey on this machine: DynamoDB, SES and the three functions. The functions get every variable listed in
/// infra/README.md, section "Configuration", that is set in this program's environment.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Port of the API.
    #[arg(long, default_value_t = 9000)]
    api_port: u16,
    /// Port of DynamoDB.
    #[arg(long, default_value_t = 8000)]
    dynamodb_port: u16,
    /// Port of SES and its inbox.
    #[arg(long, default_value_t = 8025)]
    mail_port: u16,
    /// Directory of the database.
    #[arg(long, default_value = "target/local")]
    data_dir: PathBuf,
    /// Makes an accounts table like yours: a file with what `aws dynamodb describe-table` prints.
    #[arg(long, value_name = "FILE")]
    accounts_schema: Option<PathBuf>,
    /// With rows in it: a file with what `aws dynamodb scan` prints.
    #[arg(long, value_name = "FILE", requires = "accounts_schema")]
    accounts_items: Option<PathBuf>,
    /// Run optimised functions.
    #[arg(long)]
    release: bool,
    /// Print the functions' log lines as they are.
    #[arg(long)]
    json: bool,
}

#[tokio::main]
#[expect(clippy::print_stderr, reason = "a command-line program")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.split_first() {
        Some((first, command)) if first == functions::GUARD => {
            functions::guard(command).await.map(|never| match never {})
        }
        _ => run(Arguments::parse()).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<()> {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let target = target_directory(&root)?;
    let data = std::path::absolute(&arguments.data_dir)?;
    std::fs::create_dir_all(&data).with_context(|| format!("cannot create {}", data.display()))?;
    let mut environment = environment(&arguments);

    let dynamodb_listener = bind(arguments.dynamodb_port, "--dynamodb-port").await?;
    let mail_listener = bind(arguments.mail_port, "--mail-port").await?;
    drop(bind(arguments.api_port, "--api-port").await?);

    let file = data.join("dynamodb.sqlite");
    let db = open_database(&file).with_context(|| format!("cannot open the database {}", file.display()))?;
    if let Some(schema) = &arguments.accounts_schema {
        let name = accounts::load(&db, schema, arguments.accounts_items.as_deref())?;
        if variable("ACCOUNTS_TABLE").is_none() {
            environment.insert("ACCOUNTS_TABLE", name);
        }
    }
    accounts::check(&db, &environment)?;
    let checkpoint_file = data.join("stream-checkpoint");
    let checkpoint = std::fs::read_to_string(&checkpoint_file).ok();
    let mapping = Mapping::open(db.clone(), checkpoint)
        .with_context(|| format!("cannot read the stream of {}", dynamodb::TOKENS_TABLE))?;
    tokio::spawn(dynamodb::serve(dynamodb_listener, db));
    #[expect(clippy::disallowed_methods, reason = "the only place in this program that reads the clock")]
    let outbox = ses::Outbox::new(&environment["MAIL_FROM"], SystemTime::now);
    tokio::spawn(axum::serve(mail_listener, outbox.router().merge(breached::router())).into_future());

    let env_file = data.join("env");
    functions::write_env_file(&env_file, &environment)?;
    let profile = if arguments.release { "release" } else { "debug" };
    let program = target.join(profile).join("validate");
    let mails =
        Mails { mapping, checkpoint_file, function: MailFunction { program, variables: environment } };
    let functions =
        Functions { root, target, port: arguments.api_port, release: arguments.release, env_file };

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut running: Option<Guarded> = None;
    let outcome = tokio::select! {
        outcome = serve(&functions, &mut running, &arguments, mails) => outcome,
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
    };
    if let Some(Guarded { mut guard, input }) = running {
        drop(input);
        let _ = tokio::time::timeout(Duration::from_secs(5), guard.wait()).await;
    }
    outcome
}

/// The stream, and the function that gets its orders.
struct Mails {
    mapping: Mapping,
    checkpoint_file: PathBuf,
    function: MailFunction,
}

impl Mails {
    /// Delivers the orders, and prints the log of the mail function. Never returns.
    async fn deliver(self, formatter: &Arc<Mutex<LogFormatter>>) {
        let invoke = |event| {
            let (function, formatter) = (self.function.clone(), Arc::clone(formatter));
            function.invoke(event, move |stdout, stderr| {
                tokio::spawn(print_log(stdout, Arc::clone(&formatter), None));
                tokio::spawn(print_log(stderr, formatter, None));
            })
        };
        self.mapping.run(&self.checkpoint_file, invoke).await;
    }
}

/// Builds and starts the functions, prints their log, and returns only if they end.
async fn serve(
    functions: &Functions,
    running: &mut Option<Guarded>,
    arguments: &Arguments,
    mails: Mails,
) -> Result<()> {
    functions.build().await?;
    let Guarded { guard, .. } = running.insert(functions.start().await?);
    let inbox = format!("http://127.0.0.1:{}/", arguments.mail_port);
    let formatter =
        Arc::new(Mutex::new(LogFormatter::new(inbox, std::io::stdout().is_terminal(), arguments.json)));
    let outputs: [Option<Box<dyn AsyncRead + Send + Unpin>>; 2] = [
        guard.stdout.take().map(|output| Box::new(output) as _),
        guard.stderr.take().map(|output| Box::new(output) as _),
    ];
    let ended = Arc::new(Notify::new());
    let printers: Vec<_> = outputs
        .into_iter()
        .flatten()
        .map(|output| tokio::spawn(print_log(output, Arc::clone(&formatter), Some(Arc::clone(&ended)))))
        .collect();
    let outcome = watch(guard, &ended, functions, arguments, mails.deliver(&formatter)).await;
    // The functions have ended: print the rest of their log before the error.
    for printer in printers {
        let _ = tokio::time::timeout(Duration::from_secs(2), printer).await;
    }
    let held_back = formatter.lock().map(|mut formatter| formatter.take_held_back().collect::<Vec<_>>());
    for line in held_back.unwrap_or_default() {
        print_line(&line);
    }
    outcome
}

/// Prints the greeting when the functions answer, and returns only if they end.
async fn watch(
    guard: &mut Child,
    ended: &Notify,
    functions: &Functions,
    arguments: &Arguments,
    mails: impl Future<Output = ()>,
) -> Result<()> {
    tokio::select! {
        status = guard.wait() => bail!("the functions did not start ({status:?})"),
        () = ended.notified() => bail!("a function does not start; see its message above"),
        answered = tokio::time::timeout(Duration::from_mins(1), start_functions(functions.port)) => {
            answered.context("the functions do not answer")??;
        }
    }
    greet(arguments);
    tokio::select! {
        status = guard.wait() => bail!("the functions ended ({})", status?),
        () = mails => bail!("the stream is no longer read"),
    }
}

/// Prints the output of the functions and their tools, formatted. Notifies `ended` when `cargo lambda watch` says that a function ended.
async fn print_log(
    output: impl AsyncRead + Unpin,
    formatter: Arc<Mutex<LogFormatter>>,
    ended: Option<Arc<Notify>>,
) {
    let mut output = BufReader::new(output).lines();
    while let Ok(Some(line)) = output.next_line().await {
        let is_end = line.contains("command exited");
        let text = formatter.lock().ok().and_then(|mut formatter| formatter.format(line));
        if let Some(line) = text {
            print_line(&line);
        }
        if let Some(ended) = ended.as_ref().filter(|_| is_end) {
            ended.notify_one();
        }
    }
}

#[expect(clippy::print_stdout, reason = "a command-line program")]
fn print_line(line: &str) {
    println!("{line}");
}

/// Calls each function once: `cargo lambda watch` starts a function on its first request, and never answers if the function
/// cannot start. The functions are built by now, and start within a second.
async fn start_functions(port: u16) -> Result<()> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(20)).build()?;
    let base = format!("http://127.0.0.1:{port}");
    let calls = [
        (client.get(format!("{base}/organizations/reset-password/")), [200, 403, 404]),
        (client.get(format!("{base}/organizations/complete-password/")), [200, 403, 404]),
        (client.post(format!("{base}/auth/reset/validate-password")), [400, 401, 403]),
    ];
    for (call, expected) in calls {
        let status = loop {
            match call.try_clone().context("a call cannot be repeated")?.send().await {
                Ok(response) => break response.status().as_u16(),
                Err(error) if error.is_connect() => tokio::time::sleep(Duration::from_millis(100)).await,
                Err(_) => bail!("a function does not start; see its message above"),
            }
        };
        ensure!(expected.contains(&status), "a function answers with status {status}; see its message above");
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a command-line program")]
fn greet(arguments: &Arguments) {
    let api = format!("http://127.0.0.1:{}", arguments.api_port);
    let mail = format!("http://127.0.0.1:{}", arguments.mail_port);
    let (account, _) = dynamodb::DEMO_ACCOUNTS[0];
    println!(
        "
Open   {api}/organizations/reset-password/   to forget a password
       {mail}/   to read the mails
       http://127.0.0.1:{}   is DynamoDB

Or with curl (the second token is in the mail):

  curl -H 'Content-Type: application/json' -d '{{\"email\":\"{account}\"}}' {api}/organizations/reset-password/
  curl -i '{api}/organizations/complete-password/?token=REQUEST_TOKEN&email={account}'
  curl {mail}/messages
  curl -i -H 'Content-Type: application/json' -d '{{\"token\":\"RESET_TOKEN\",\"password\":\"crux_is_awesome\"}}' {api}/organizations/complete-password/

ready {api}",
        arguments.dynamodb_port
    );
}

async fn bind(port: u16, flag: &str) -> Result<TcpListener> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await;
    listener.with_context(|| format!("cannot use port {port}: choose another with {flag}"))
}

fn open_database(file: &Path) -> Result<Database> {
    let db = Database::new(&file.to_string_lossy())?;
    dynamodb::create_tables(&db)?;
    dynamodb::add_demo_accounts(&db)?;
    Ok(db)
}

/// Cargo's target directory, which `CARGO_TARGET_DIR` may change.
fn target_directory(root: &Path) -> Result<PathBuf> {
    let target = variable("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    Ok(std::path::absolute(target)?)
}

/// The functions' environment: the local endpoints, fake AWS credentials, and the variables in [`local::SETTINGS`].
fn environment(arguments: &Arguments) -> BTreeMap<&'static str, String> {
    let api = format!("http://127.0.0.1:{}", arguments.api_port);
    let mut variables = BTreeMap::from([
        ("AWS_ACCESS_KEY_ID", "local".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
        ("AWS_SESSION_TOKEN", String::new()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_ENDPOINT_URL_DYNAMODB", format!("http://127.0.0.1:{}", arguments.dynamodb_port)),
        ("AWS_ENDPOINT_URL_SESV2", format!("http://127.0.0.1:{}", arguments.mail_port)),
        ("STACK_NAME", "local".to_owned()),
        ("TOKENS_TABLE", dynamodb::TOKENS_TABLE.to_owned()),
        ("ACCOUNTS_TABLE", dynamodb::ACCOUNTS_TABLE.to_owned()),
        ("MAIL_FROM", "no-reply@rekey.example".to_owned()),
        ("RESET_LINK", format!("{api}/organizations/complete-password")),
    ]);
    variables.extend(local::SETTINGS.iter().filter_map(|name| Some((*name, variable(name)?))));
    // The functions run in another directory.
    if let Some(Ok(path)) = variables.get("MESSAGES_DIR").map(std::path::absolute) {
        variables.insert("MESSAGES_DIR", path.display().to_string());
    }
    variables
}

#[expect(clippy::disallowed_methods, reason = "the only place in this program that reads the environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
