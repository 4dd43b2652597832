//! Warm calls on the real engine with few and with many rows, and completions at Lambda's memory sizes.

use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

use dynoxide::{AttributeValue, Database, ImportOptions};
use local::dynamodb::{ACCOUNTS_TABLE, TOKENS_TABLE, create_tables};
use serde_json::{Value, json};
use shared::token::Token;
use tests::{PASSWORD, Request, median};
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::programs::Program;
use crate::share::Share;
use crate::table::{Goal, Report, begin_table, milliseconds, row, short};

/// The calls are made in so many rounds, each with every size, so that what disturbs the machine disturbs every size.
const ROUNDS: usize = 50;

/// An engine with so many accounts, and a live reset token for each.
struct Engine {
    url: String,
    rows: usize,
}

impl Engine {
    async fn with(rows: usize) -> Self {
        let db = Database::memory().expect("an engine");
        create_tables(&db).expect("tables");
        #[expect(clippy::disallowed_methods, reason = "the functions under test read the system's clock")]
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_millis();
        let text = |text: String| AttributeValue::S(text);
        for from in (0..rows).step_by(10_000) {
            let (mut tokens, mut accounts) = (Vec::new(), Vec::new());
            for n in from..rows.min(from + 10_000) {
                let digest = Token::parse(token(n)).expect("a token").digest();
                accounts.push(HashMap::from([("email".to_owned(), text(address(n)))]));
                tokens.push(HashMap::from([
                    ("pk".to_owned(), text(format!("reset#{}", digest.as_str()))),
                    ("account".to_owned(), text(address(n))),
                    ("address".to_owned(), text(address(n))),
                    ("issued_at".to_owned(), AttributeValue::N(now.to_string())),
                    ("expires_at".to_owned(), AttributeValue::N("4102444800".to_owned())),
                ]));
            }
            db.import_items(TOKENS_TABLE, tokens, ImportOptions::default()).expect("tokens");
            db.import_items(ACCOUNTS_TABLE, accounts, ImportOptions::default()).expect("accounts");
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(dynoxide::server::serve_on(listener, db));
        Self { url, rows }
    }
}

fn token(n: usize) -> String {
    format!("T{n:019}")
}

fn address(n: usize) -> String {
    format!("person{n}@example.com")
}

/// The `n`th call: of every function one that goes all its way, but for the hash.
fn event(name: &str, n: usize) -> Value {
    let path = "/organizations/complete-password/";
    match name {
        "validate" => Request::get(path).query("token", &token(n)).event(),
        "complete" => Request::post(path, &json!({"token": token(n), "password": "short"})).event(),
        _ => Request::post("/organizations/reset-password/", &json!({"email": address(n)})).event(),
    }
}

/// CPU time of a call, and calls a second one after another, by the number of rows.
pub(crate) async fn sizes(
    report: &mut Report,
    programs: &[Program],
    sizes: &[usize],
    calls: usize,
    counts: bool,
) {
    let title = format!(
        "Warm: {calls} calls one after another, CPU milliseconds of the function for each, and calls a second"
    );
    let mut columns = vec!["function".to_owned()];
    columns.extend(sizes.iter().map(|rows| format!("{rows} tokens and accounts")));
    columns.extend(["× hello".to_owned(), "most to least × hello, by size".to_owned()]);
    begin_table(&title, &columns.iter().map(String::as_str).collect::<Vec<_>>());
    let (mut engines, mut hello) = (Vec::new(), Vec::new());
    for rows in sizes {
        engines.push(Engine::with(*rows).await);
    }
    for program in programs.iter().filter(|program| program.name != "mail") {
        let mut environments = Vec::new();
        for engine in &engines {
            environments.push((
                engine,
                program.start_with(&engine.url, &[], &[], Some(1)).await,
                Vec::new(),
                Vec::new(),
            ));
        }
        for round in 0..ROUNDS {
            for (engine, environment, cpu, wall) in &mut environments {
                let (before, started) = (environment.cpu(), Instant::now());
                for n in 0..calls / ROUNDS {
                    let person = (round * 7919 + n * 104_729) % engine.rows;
                    let answer = program.call(environment, event(program.name, person)).await;
                    let status = answer.response["statusCode"].as_u64().expect("a status");
                    assert!([200, 204, 422].contains(&status), "{}: {}", program.name, answer.response);
                }
                #[expect(clippy::cast_precision_loss, reason = "some hundreds")]
                let each = (calls / ROUNDS) as f64;
                cpu.push(milliseconds(environment.cpu().saturating_sub(before)) / each);
                wall.push(each / started.elapsed().as_secs_f64());
            }
        }
        let cpu: Vec<f64> = environments.iter().map(|(_, _, cpu, _)| median(cpu.clone())).collect();
        let mut row_cells = vec![program.name.to_owned()];
        for ((_, environment, _, wall), cpu) in environments.iter().zip(&cpu) {
            row_cells.push(format!("{} ms, {}/s", short(*cpu), short(median(wall.clone()))));
            environment.kill().await;
        }
        if hello.is_empty() {
            // It never asks for a row: what it shows by size is the machine's.
            hello.clone_from(&cpu);
            row_cells.extend(["1.00".to_owned(), String::new()]);
        } else {
            let times: Vec<f64> = cpu.iter().zip(&hello).map(|(cpu, hello)| cpu / hello).collect();
            let (least, most) = (
                times.iter().copied().fold(f64::INFINITY, f64::min),
                times.iter().copied().fold(0.0, f64::max),
            );
            row_cells.push(short(median(times)));
            let what = format!("{}, by size", program.name);
            row_cells.push(report.check(&what, most / least, &Goal::AtMost(1.1), counts));
        }
        row(&row_cells);
    }
}

/// Lambda's price of a gigabyte-second on arm64 in us-east-1, in dollars (<https://aws.amazon.com/lambda/pricing/>, read in November 2026).
const DOLLARS_PER_GIGABYTE_SECOND: f64 = 0.000_013_333_4;

/// What a whole completion takes and costs at each size.
pub(crate) async fn completions(complete: &Program, times: usize) {
    let engine = Engine::with(1000).await;
    begin_table(
        "A completion (argon2id at 64 MiB, t = 3, p = 4)",
        &["memory, MB", "CPUs", "milliseconds", "GB-seconds", "dollars for a million"],
    );
    let mut next = 0;
    let costs = [("ARGON2_MEMORY_KIB", "65536"), ("ARGON2_ITERATIONS", "3"), ("ARGON2_LANES", "4")];
    for megabytes in [1024, 1769, 3538] {
        let share = Share::of(megabytes);
        let cpu = (megabytes <= 1769).then_some(1);
        let environment = complete.start_with(&engine.url, &costs, &[], cpu).await;
        environment.asked().await;
        share.hold(environment.pid);
        let mut samples = Vec::new();
        for _ in 0..times {
            let body = json!({"token": token(next), "password": PASSWORD});
            next += 1;
            let event = Request::post("/organizations/complete-password/", &body).event();
            let started = Instant::now();
            let answer = complete.call(&environment, event).await;
            samples.push(milliseconds(started.elapsed()));
            assert_eq!(answer.status(), 204, "{answer:?}");
        }
        environment.kill().await;
        let took = median(samples);
        let gigabyte_seconds = f64::from(megabytes) / 1024.0 * took / 1000.0;
        row(&[
            megabytes.to_string(),
            short(f64::from(megabytes) / 1769.0),
            short(took),
            short(gigabyte_seconds),
            short(gigabyte_seconds * 1e6 * DOLLARS_PER_GIGABYTE_SECOND),
        ]);
    }
}
