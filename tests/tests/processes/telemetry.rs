//! What the functions' processes really write: one line a call, which is also its metrics, and nothing of a panic but its place.

use std::time::Duration;

use serde_json::{Value, json};
use shared::telemetry::init_diagnostics;
use tests::fleet::Fleet;
use tests::{KNOWN, Request};
use tokio::process::Command;

/// The lines of one function.
fn lines_of(log: &str, function: &str) -> Vec<Value> {
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).expect("every line is JSON"));
    lines.filter(|line| line["Function"] == function).collect()
}

#[tokio::test]
async fn a_call_writes_one_line_with_its_metrics() {
    let fleet = Fleet::start(1).await;
    let open = Request::post("/organizations/reset-password/", &json!({"email": KNOWN}));
    let mut took = Vec::new();
    for _ in 0..3 {
        let started = tokio::time::Instant::now();
        assert_eq!(fleet.reset.call(&open).await.status(), 200);
        took.push(started.elapsed());
    }
    let mail = Request::post("/auth/reset/password-email", &json!({"email": KNOWN}));
    assert_eq!(fleet.validate.call(&mail).await.status(), 200);
    assert_eq!(fleet.deliver_next_batch(None).await, Some(true));
    let log = fleet.log().await;

    let calls = lines_of(&log, "reset");
    assert_eq!(calls.len(), 3, "{log}");
    for (number, (line, took)) in calls.iter().zip(took).enumerate() {
        assert_eq!(line["ColdStarts"], u64::from(number == 0), "{line}");
        // The proxy in front of DynamoDB is a few hops away on this machine: a call cannot take no time.
        let latency = Duration::from_secs_f64(line["Latency"].as_f64().expect("a number") / 1000.0);
        assert!(latency > Duration::from_micros(100) && latency <= took, "{latency:?} of {took:?}");
        assert_eq!(
            (&line["Calls"], &line["Outcome"], &line["Status"], &line["level"]),
            (&json!(1), &json!("request_opened"), &json!("200"), &json!("INFO"))
        );
        assert_eq!(
            (&line["Method"], &line["Route"]),
            (&json!("POST"), &json!("/organizations/reset-password/"))
        );
        let metrics = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(metrics["Namespace"], "Rekey");
        assert_eq!(metrics["Dimensions"], json!([["Stack", "Function"], ["Stack", "Function", "Outcome"]]));
        let mut units: Vec<(&str, &str)> = Vec::new();
        for metric in metrics["Metrics"].as_array().expect("metrics") {
            units.push((metric["Name"].as_str().expect("a name"), metric["Unit"].as_str().expect("a unit")));
        }
        units.sort_unstable();
        assert_eq!(units, [("Calls", "Count"), ("ColdStarts", "Count"), ("Latency", "Milliseconds")]);
    }
    let mails = lines_of(&log, "mail");
    assert_eq!(mails.len(), 1, "{log}");
    let (mail, metrics) = (&mails[0], &mails[0]["_aws"]["CloudWatchMetrics"][0]);
    assert_eq!(
        (&mail["MailOutcome"], &mail["MailKind"], &mail["Mails"]),
        (&json!("sent"), &json!("reset"), &json!(1))
    );
    assert!(mail["MailDelay"].as_f64() > Some(0.0) && mail["MailLatency"].as_f64() > Some(0.0), "{mail}");
    assert_eq!(metrics["Dimensions"], json!([["Stack", "Function"], ["Stack", "Function", "MailOutcome"]]));
}

/// Run by the next test as a process of its own: the hook and the subscriber are the process's.
#[test]
#[ignore = "panics: another test runs it"]
fn panics_with_a_secret() {
    init_diagnostics();
    panic!("the password is {}", "correct horse battery staple");
}

#[tokio::test]
async fn rule_1_a_panic_is_logged_without_its_message() {
    let mut child = Command::new(std::env::current_exe().expect("a path"));
    child.args(["--ignored", "--exact", "--nocapture", "telemetry::panics_with_a_secret"]);
    let output = child.output().await.expect("a process");
    assert!(!output.status.success());
    let written =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let line = written.lines().find(|line| line.contains("panicked")).expect("a line");
    let line: Value = serde_json::from_str(line).expect("JSON");
    assert_eq!((&line["level"], &line["fields"]["message"]), (&json!("ERROR"), &json!("panicked")));
    assert!(line["fields"]["location"].as_str().is_some_and(|at| at.contains("telemetry.rs:")), "{line}");
    assert!(!written.contains("correct horse") && !written.contains("the password is"), "{written}");
}
