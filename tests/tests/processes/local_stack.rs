//! `cargo run -p local`, with the functions under `cargo lambda watch`.

use std::collections::HashMap;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};
use tests::contract::file;
use tests::stack::{Stack, free_ports, processes_with};
use tests::{OTHER_PASSWORD, token_in_link};
use tokio::process::Command;

/// Not the password in the greeting, because the output must not contain this one.
const PASSWORD: &str = "wandering teapot galaxy";

fn token_in(mail: &Value) -> String {
    token_in_link(mail["text"].as_str().expect("a text"))
}

#[tokio::test]
async fn the_documented_clients_reset_passwords_and_sigterm_leaves_nothing_running() {
    let _shared = crate::CPUS.read().await;
    let mut stack = Stack::start(&[("SERVICE_NAME", "Local Test")]).await;

    // The "organizations" API: the address in a text/plain JSON body.
    let opened =
        stack.post("/organizations/reset-password/", &json!({"email": "mrbailey@projectthanos.com"})).await;
    assert_eq!(opened.status(), 200);
    let request_token =
        opened.json::<Value>().await.expect("JSON")["reset_token"].as_str().expect("a token").to_owned();
    let url = format!("{}/api/organizations/complete-password/?token={request_token}", stack.api);
    let body = r#"{"email":"mrbailey@projectthanos.com"}"#;
    let mailed =
        stack.http.get(url).header("Content-Type", "text/plain").body(body).send().await.expect("an answer");
    assert_eq!(mailed.status(), 204);
    let mail = stack.mails(1).await.remove(0);
    assert_eq!(mail["subject"], "Reset your Local Test password", "settings reach the functions");
    assert!(mail["html"].as_str().is_some_and(|html| {
        html.contains(&format!("{}/organizations/complete-password/#token=", stack.api))
    }));
    let body = json!({"token": token_in(&mail), "password": PASSWORD});
    assert_eq!(stack.post("/organizations/complete-password/", &body).await.status(), 204);
    assert_eq!(
        stack.post("/organizations/complete-password/", &body).await.status(),
        404,
        "a token works once"
    );
    assert_eq!(stack.mails(2).await[0]["subject"], "Your password for Local Test was changed");

    // Unleash's API.
    assert_eq!(
        stack.post("/auth/reset/password-email", &json!({"email": "some@one.com"})).await.status(),
        200
    );
    let token = token_in(&stack.mails(3).await[0]);
    let body = json!({"token": token, "password": OTHER_PASSWORD});
    assert_eq!(stack.post("/auth/reset/password", &body).await.status(), 200);

    // SES rejects an unverified sender, and the inbox can be emptied.
    let forged = json!({"FromEmailAddress": "x@y.zz", "Destination": {"ToAddresses": ["a@b.de"]}, "Content": {"Simple": {}}});
    let refused =
        stack.http.post(format!("{}/v2/email/outbound-emails", stack.mail)).json(&forged).send().await;
    assert_eq!(refused.expect("an answer").status(), 400);
    let emptied = stack.http.delete(format!("{}/messages", stack.mail)).send().await.expect("an answer");
    assert_eq!(emptied.status(), 204);
    assert!(stack.mails(0).await.is_empty());

    let port = stack.ports[0].to_string();
    assert_eq!(stack.end(Signal::TERM).await, Some(0), "{}", stack.output());
    assert_eq!(processes_with(&format!("--invoke-port {port}")).await, [""; 0]);
    let log = stack.output();
    for secret in [PASSWORD, OTHER_PASSWORD, &request_token, &token] {
        assert!(!log.contains(secret), "the output contains {secret}");
    }
}

/// The commands of the README's reset and what it shows as their output.
fn documented_commands() -> Vec<(String, String)> {
    let readme = file("README.md");
    let blocks = readme.split("```console\n").skip(1).map(|rest| rest.split("```").next().expect("a block"));
    let lines: Vec<&str> = blocks.flat_map(str::lines).map(str::trim).collect();
    lines
        .join("\n")
        .replace("\\\n", "")
        .split("$ ")
        .skip(1)
        .map(|part| part.split_once('\n').expect("a line"))
        .map(|(command, output)| (command.to_owned(), output.trim().to_owned()))
        .collect()
}

/// The tokens in `text`.
fn tokens_in(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words.filter(|word| word.len() == 20).map(str::to_owned).collect()
}

#[tokio::test]
async fn the_commands_of_the_readme_do_what_it_shows() {
    let _shared = crate::CPUS.read().await;
    let stack = Stack::start(&[]).await;
    let (api, mail) = (stack.api.trim_start_matches("http://"), stack.mail.trim_start_matches("http://"));
    let here = |text: &str| text.replace("127.0.0.1:9000", api).replace("127.0.0.1:8025", mail);
    let mut tokens: HashMap<String, String> = HashMap::new();
    let commands = documented_commands();
    assert_eq!(commands.len(), 4);
    for (command, shown) in commands {
        let mut command = here(&command);
        for (documented, real) in &tokens {
            command = command.replace(documented, real);
        }
        // The mail follows the response.
        for attempt in 0.. {
            let output = Command::new("sh").args(["-c", &command]).output().await.expect("a shell");
            let printed = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            let (documented, real) = (tokens_in(&shown), tokens_in(&printed));
            let mut expected = here(&shown);
            for (documented, real) in documented.iter().zip(&real) {
                expected = expected.replace(documented, real);
            }
            if printed.starts_with(&expected) {
                tokens.extend(documented.into_iter().zip(real));
                break;
            }
            assert!(attempt < 50, "{command} prints {printed}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

#[tokio::test]
async fn sigkill_leaves_nothing_running() {
    let _shared = crate::CPUS.read().await;
    let mut stack = Stack::start(&[]).await;
    let port = stack.ports[0].to_string();
    assert!(!processes_with(&format!("--invoke-port {port}")).await.is_empty());
    stack.end(Signal::KILL).await;
    for _ in 0..100 {
        if processes_with(&format!("--invoke-port {port}")).await.is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{:?}", processes_with(&format!("--invoke-port {port}")).await);
}

#[tokio::test]
async fn a_port_in_use_is_one_error_line_and_exit_code_1() {
    let _shared = crate::CPUS.read().await;
    let ports = free_ports().await;
    for (index, flag) in ["--api-port", "--dynamodb-port", "--mail-port"].into_iter().enumerate() {
        let _taken = tokio::net::TcpListener::bind(("127.0.0.1", ports[index])).await.expect("a port");
        let mut stack = Stack::launch(ports, &[]).await;
        assert_eq!(stack.line_that_starts_with("error: ").await.map(|line| line.contains(flag)), Some(true));
        assert_eq!(stack.wait().await, Some(1));
    }
}

#[tokio::test]
async fn an_invalid_setting_is_named_and_ends_the_stack() {
    let _shared = crate::CPUS.read().await;
    let ports = free_ports().await;
    let mut stack = Stack::launch(ports, &[("PASSWORD_MIN_LENGTH", "3")]).await;
    let line = stack.line_that_starts_with("error: ").await.unwrap_or_default();
    assert_eq!(stack.wait().await, Some(1), "{line}");
    assert!(
        stack.output().contains("PASSWORD_MIN_LENGTH must be a whole number from 8 to 128"),
        "{}",
        stack.output()
    );
    assert!(processes_with(&format!("--invoke-port {}", ports[0])).await.is_empty());
}
