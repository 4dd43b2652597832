//! What is the same on every machine: sizes, calls, and instructions.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;
use tests::stack::target_directory;

use crate::endpoint::{Endpoint, Seen};
use crate::programs::{Program, install, output};
use crate::table::{Goal, Report, begin_table, row, short};

/// The counts of the last recorded run.
const RECORDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/speed/instructions.json");

const MEBIBYTE: f64 = 1_048_576.0;

/// Bytes of the binaries and of their zips, and the most memory that a process had after a hundred calls.
pub(crate) async fn sizes(report: &mut Report, programs: &[Program], endpoint: &Endpoint, is_quick: bool) {
    begin_table("Size and memory", &["function", "bootstrap, MB", "zip, MB", "peak resident memory, MiB"]);
    let zip = "import sys, zipfile, io; b = io.BytesIO(); z = zipfile.ZipFile(b, 'w', zipfile.ZIP_DEFLATED, compresslevel=9); \
               z.write(sys.argv[1]); z.close(); print(len(b.getvalue()))";
    // zxcvbn's word lists and regular expressions are 2 MB of *complete*, and half of its zip.
    let goals = [(0.0, 0.0), (4.5, 2.03), (5.3, 2.35), (7.45, 3.3)];
    for (program, (most, most_zipped)) in programs.iter().zip(goals) {
        let name = program.name;
        let binary = &program.command[0];
        #[expect(clippy::cast_precision_loss, reason = "a few megabytes")]
        let bytes = std::fs::metadata(binary).expect("a binary").len() as f64 / 1e6;
        let zipped =
            output("python3", &["-c", zip, binary]).await.trim().parse::<f64>().expect("a number") / 1e6;
        let environment = program.start(endpoint, &[]).await;
        for _ in 0..100 {
            program.call(&environment, program.event.clone()).await;
        }
        #[expect(clippy::cast_precision_loss, reason = "a few megabytes")]
        let memory = environment.peak_memory() as f64 / MEBIBYTE;
        environment.kill().await;
        if name == "hello" {
            row(&[name.to_owned(), short(bytes), short(zipped), short(memory)]);
            continue;
        }
        let cells = [
            name.to_owned(),
            report.check(&format!("{name}, MB"), bytes, &Goal::AtMost(most), true),
            report.check(&format!("{name}, MB zipped"), zipped, &Goal::AtMost(most_zipped), true),
            report.check(&format!("{name}, MiB"), memory, &Goal::AtMost(8.0), !is_quick),
        ];
        row(&cells);
    }
}

/// Calls, new connections and bytes of a start with its first call, and of a call after that.
pub(crate) async fn calls(report: &mut Report, programs: &[Program], endpoint: &Endpoint) {
    begin_table(
        "Calls to AWS (a start reads a row that does not exist, once for each connection)",
        &[
            "function",
            "start and first call: calls",
            "connections",
            "bytes",
            "second call: calls",
            "connections",
            "bytes",
        ],
    );
    let since = |before: Seen, now: Seen| Seen {
        calls: now.calls - before.calls,
        connections: now.connections - before.connections,
        bytes: now.bytes - before.bytes,
    };
    for program in programs.iter().filter(|program| program.name != "hello") {
        let before = endpoint.seen();
        let environment = program.start(endpoint, &[]).await;
        program.call(&environment, program.event.clone()).await;
        let between = endpoint.seen();
        program.call(&environment, program.event.clone()).await;
        let (cold, warm) = (since(before, between), since(between, endpoint.seen()));
        environment.kill().await;
        let name = program.name;
        let [cold_calls, cold_connections, cold_bytes] =
            [cold.calls, cold.connections, cold.bytes].map(|n| n.to_string());
        // The mail function has a new connection to SES for each batch.
        #[expect(clippy::cast_precision_loss, reason = "a few")]
        let connections = report.check(
            &format!("{name}, connections"),
            warm.connections as f64,
            &Goal::AtMost(if name == "mail" { 1.0 } else { 0.0 }),
            true,
        );
        let (calls, bytes) = (warm.calls.to_string(), warm.bytes.to_string());
        row(&[name.to_owned(), cold_calls, cold_connections, cold_bytes, calls, connections, bytes]);
    }
}

/// Instructions of one warm call, by callgrind: those of many calls less those of few. `record` writes them down.
pub(crate) async fn instructions(
    report: &mut Report,
    programs: &[Program],
    endpoint: &Endpoint,
    record: bool,
) {
    if !Path::new("/usr/bin/valgrind").exists() {
        install("valgrind").await;
    }
    let recorded: BTreeMap<String, f64> = std::fs::read_to_string(RECORDED)
        .ok()
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    begin_table("Instructions of one warm call", &["function", "thousands", "of what is recorded"]);
    let mut counted = BTreeMap::new();
    for program in programs {
        let name = program.name;
        // A batch of mails takes a second.
        let (few, more) = if name == "mail" { (4_u32, 10_u32) } else { (20, 100) };
        let least = collected(program, endpoint, few).await;
        let each = (collected(program, endpoint, few + more).await - least) / f64::from(more);
        counted.insert(name, each.round());
        let cell = match recorded.get(name) {
            Some(before) => {
                report.check(&format!("{name}, instructions"), each / before, &Goal::AtMost(1.05), true)
            }
            None => "new".to_owned(),
        };
        row(&[name.to_owned(), short(each / 1000.0), cell]);
    }
    if record {
        let text = serde_json::to_string_pretty(&json!(counted)).expect("JSON");
        std::fs::write(RECORDED, text + "\n").expect("a file");
    }
}

async fn collected(program: &Program, endpoint: &Endpoint, calls: u32) -> f64 {
    let file = target_directory().join(format!("callgrind-{}-{calls}", program.name));
    let out = format!("--callgrind-out-file={}", file.display());
    let environment = program.start(endpoint, &["valgrind", "--tool=callgrind", "-q", &out]).await;
    for _ in 0..calls {
        let answer = program.call(&environment, program.event.clone()).await.response;
        assert!(answer["statusCode"] != 503, "{answer}");
    }
    environment.end().await;
    let text = std::fs::read_to_string(&file).expect("callgrind's file");
    std::fs::remove_file(&file).expect("callgrind's file");
    let total =
        text.lines().find_map(|line| line.strip_prefix("totals: ").or(line.strip_prefix("summary: ")));
    total.expect("a total").trim().parse().expect("a number")
}
