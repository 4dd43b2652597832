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
    let words = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("local-words");
    std::fs::create_dir_all(&words).expect("a directory");
    std::fs::write(words.join("en.ftl"), "mail-greeting = Ahoy,").expect("a file");
    let own_words = words.to_str().expect("UTF-8");
    let mut stack = Stack::start(&[("SERVICE_NAME", "Local Test"), ("MESSAGES_DIR", own_words)], &[]).await;

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
    assert!(
        mail["text"].as_str().is_some_and(|text| text.contains("Ahoy,")),
        "own words reach the mail function"
    );
    assert!(mail["html"].as_str().is_some_and(|html| {
        html.contains(&format!("{}/organizations/complete-password#token=", stack.api))
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
    let stack = Stack::start(&[], &[]).await;
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
    let mut stack = Stack::start(&[], &[]).await;
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
    let ports = free_ports().await;
    for (index, flag) in ["--api-port", "--dynamodb-port", "--mail-port"].into_iter().enumerate() {
        let _taken = tokio::net::TcpListener::bind(("127.0.0.1", ports[index])).await.expect("a port");
        let mut stack = Stack::launch(ports, &[], &[]).await;
        assert_eq!(stack.line_that_starts_with("error: ").await.map(|line| line.contains(flag)), Some(true));
        assert_eq!(stack.wait().await, Some(1));
    }
}

#[tokio::test]
async fn an_invalid_setting_is_named_and_ends_the_stack() {
    let ports = free_ports().await;
    let mut stack = Stack::launch(ports, &[("PASSWORD_MIN_LENGTH", "3")], &[]).await;
    let line = stack.line_that_starts_with("error: ").await.unwrap_or_default();
    assert_eq!(stack.wait().await, Some(1), "{line}");
    assert!(
        stack.output().contains("PASSWORD_MIN_LENGTH must be a whole number from 8 to 128"),
        "{}",
        stack.output()
    );
    assert!(processes_with(&format!("--invoke-port {}", ports[0])).await.is_empty());
}

/// What the AWS CLI prints of a single table with an index, and of its rows.
fn a_teams_table() -> (Value, Value) {
    let key = |name: &str, kind: &str| json!({"AttributeName": name, "KeyType": kind});
    let text = |name: &str| json!({"AttributeName": name, "AttributeType": "S"});
    let schema = json!({"Table": {
        "TableName": "people", "TableStatus": "ACTIVE", "ItemCount": 2, "TableArn": "arn:aws:dynamodb:eu-west-1:1:table/people",
        "KeySchema": [key("PK", "HASH"), key("SK", "RANGE")],
        "AttributeDefinitions": [text("PK"), text("SK"), text("GSI1PK")],
        "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
        "GlobalSecondaryIndexes": [{
            "IndexName": "GSI1", "KeySchema": [key("GSI1PK", "HASH"), key("SK", "RANGE")],
            "Projection": {"ProjectionType": "ALL"}, "IndexStatus": "ACTIVE", "ItemCount": 2
        }],
    }});
    let row = |id: &str, email: &str, status: &str| {
        json!({
            "PK": {"S": id}, "SK": {"S": "PROFILE"}, "GSI1PK": {"S": format!("EMAIL#{email}")}, "email": {"S": email},
            "status": {"S": status}
        })
    };
    let items = json!({
        "Items": [row("USER#1", "ann@example.com", "active"), row("USER#2", "bob@example.com", "deleted")],
        "Count": 2, "ScannedCount": 2, "ConsumedCapacity": null
    });
    (schema, items)
}

const A_TEAMS_SETTINGS: [(&str, &str); 6] = [
    ("ACCOUNTS_KEY", "PK"),
    ("ACCOUNTS_SORT_KEY", "SK"),
    ("ACCOUNTS_EMAIL_INDEX", "GSI1"),
    ("ACCOUNTS_EMAIL_INDEX_KEY", "GSI1PK"),
    ("ACCOUNTS_EMAIL_INDEX_VALUE", "EMAIL#{email}"),
    ("ACCOUNTS_CONDITIONS", "status=active"),
];

#[tokio::test]
async fn a_teams_own_table_is_made_from_what_the_aws_cli_prints() {
    let (schema, items) = a_teams_table();
    let files = [("schema", schema), ("items", items)].map(|(name, content)| {
        let file = std::env::temp_dir().join(format!("rekey-{name}-{}.json", std::process::id()));
        std::fs::write(&file, content.to_string()).expect("a file");
        file.display().to_string()
    });
    let flags = ["--accounts-schema", &files[0], "--accounts-items", &files[1]];
    let stack = Stack::start(&A_TEAMS_SETTINGS, &flags).await;
    for address in ["bob@example.com", "ann@example.com"] {
        let mail = stack.post("/auth/reset/password-email", &json!({"email": address})).await;
        assert_eq!(mail.status(), 200);
    }
    let mails = stack.mails(1).await;
    assert_eq!((mails.len(), &mails[0]["to"]), (1, &json!("ann@example.com")));
    let body = json!({"token": token_in(&mails[0]), "password": PASSWORD});
    assert_eq!(stack.post("/organizations/complete-password", &body).await.status(), 204);

    // A mapping that does not fit ends the stack before it is ready, with the name of the variable.
    for (variable, value) in [
        ("ACCOUNTS_KEY", "id"),
        ("ACCOUNTS_SORT_KEY", ""),
        ("ACCOUNTS_EMAIL_INDEX", "GSI2"),
        ("ACCOUNTS_EMAIL_INDEX_KEY", "GSI2PK"),
        ("ACCOUNTS_TABLE", "nobody"),
    ] {
        let mut settings = A_TEAMS_SETTINGS.to_vec();
        settings.push((variable, value));
        let mut stack = Stack::launch(free_ports().await, &settings, &flags).await;
        let line = stack.line_that_starts_with("error: ").await.unwrap_or_default();
        assert!(line.contains(variable), "{variable}: {}", stack.output());
        assert_eq!(stack.wait().await, Some(1));
    }
    let mut stack = Stack::launch(free_ports().await, &[], &["--accounts-schema", "no-such-file"]).await;
    assert!(stack.line_that_starts_with("error: --accounts-schema").await.is_some(), "{}", stack.output());
    assert_eq!(stack.wait().await, Some(1));
}
