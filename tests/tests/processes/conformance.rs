//! Black-box tests of any deployed Rekey:
//!
//! ```sh
//! REKEY_URL=https://… REKEY_TEST_ACCOUNT=test@example.com cargo test --workspace --test processes conformance -- --nocapture
//! ```
//!
//! It resets the password of that account, and asks for the mailed token on the terminal. Without `REKEY_URL` it
//! starts the local stack and reads the mails itself. It needs the default limits. It uses up an IP address's limit of dead
//! tokens, so run it at most once in ten minutes.

use std::io::Write as _;

use futures::future::join_all;
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use tests::errors::{COMPLETE, RESET, VALIDATE};
use tests::stack::Stack;
use tests::token_in_link;

/// The deployment under test.
struct Target {
    url: String,
    account: String,
    http: Client,
    local: Option<Stack>,
}

impl Target {
    #[expect(clippy::disallowed_methods, reason = "environment variables select the deployment")]
    async fn find() -> Self {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let http = Client::builder().build().expect("a client");
        if let Some(url) = variable("REKEY_URL") {
            let account = variable("REKEY_TEST_ACCOUNT")
                .expect("set REKEY_TEST_ACCOUNT to an account whose mail you can read");
            return Self { url: url.trim_end_matches('/').to_owned(), account, http, local: None };
        }
        let stack = Stack::start(&[], &[]).await;
        Self {
            url: stack.api.clone(),
            account: "mrbailey@projectthanos.com".to_owned(),
            http,
            local: Some(stack),
        }
    }

    async fn post(&self, path: &str, body: &Value) -> Response {
        self.http.post(format!("{}{path}", self.url)).json(body).send().await.expect("an answer")
    }

    async fn status(&self, path: &str, body: &Value) -> StatusCode {
        self.post(path, body).await.status()
    }

    async fn request_token(&self, address: &str) -> String {
        let answer = self.post(RESET, &json!({"email": address})).await;
        assert_eq!(answer.status(), 200);
        answer.json::<Value>().await.expect("JSON")["reset_token"].as_str().expect("a token").to_owned()
    }

    /// The token in the newest mail.
    async fn mailed_token(&self) -> String {
        if let Some(stack) = &self.local {
            return token_in_link(stack.mails(1).await[0]["text"].as_str().expect("a text"));
        }
        prompt(&format!("Paste the token (after #token=) of the newest mail to {}: ", self.account))
    }
}

#[expect(clippy::print_stdout, reason = "prompts for the token")]
fn prompt(message: &str) -> String {
    print!("{message}");
    std::io::stdout().flush().expect("a terminal");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).expect("an answer");
    line.trim().rsplit("token=").next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_deployment_keeps_the_contract() {
    let target = Target::find().await;

    let page = target.http.get(format!("{}{RESET}", target.url)).send().await.expect("an answer");
    let policy = page
        .headers()
        .get("content-security-policy")
        .and_then(|policy| policy.to_str().ok())
        .unwrap_or_default();
    assert!(page.status() == 404 || policy.contains("default-src 'none'"), "{policy}");
    assert_eq!(target.status(RESET, &json!({})).await, 400);
    assert_eq!(target.status(RESET, &json!({"email": "nobody"})).await, 400);
    assert_eq!(target.status(RESET, &json!({"email": "а@example.com"})).await, 400, "a look-alike letter");
    let not_json = target
        .http
        .post(format!("{}{RESET}", target.url))
        .header("Content-Type", "application/json")
        .body("{")
        .send()
        .await;
    assert_eq!(not_json.expect("an answer").status(), 415);
    assert_eq!(target.status(RESET, &json!({"email": "a@b.de", "padding": "x".repeat(17_000)})).await, 413);
    assert_eq!(
        target.status(COMPLETE, &json!({"token": "Z".repeat(20), "password": "a quiet lamp, a post"})).await,
        404
    );

    // No oracle: the same answers with and without an account.
    let nobody = format!("nobody-{}", target.account);
    let mut seen = Vec::new();
    for address in [&target.account, &nobody] {
        let token = target.request_token(address).await;
        let first = target.post(VALIDATE, &json!({"token": token, "email": address})).await;
        let repeat = target.status(VALIDATE, &json!({"token": token})).await;
        let mut names: Vec<String> = first.headers().keys().map(ToString::to_string).collect();
        names.sort();
        seen.push((first.status(), repeat, names, first.text().await.expect("a body")));
        let body = json!({"token": token, "password": "a quiet lamp, a post"});
        assert_eq!(target.status(COMPLETE, &body).await, 404, "a request token sets no password");
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0].0, 204);

    // Link scanners and refused passwords change nothing. Of concurrent completions one succeeds.
    let token = target.mailed_token().await;
    for _ in 0..3 {
        assert_eq!(
            target.status(VALIDATE, &json!({"token": token})).await,
            200,
            "validating changes nothing"
        );
    }
    assert_eq!(target.status(COMPLETE, &json!({"token": token, "password": "short"})).await, 422);
    let bodies: Vec<Value> =
        (0..10).map(|n| json!({"token": token, "password": format!("a quiet lamp, post {n}")})).collect();
    let statuses = join_all(bodies.iter().map(|body| target.status(COMPLETE, body))).await;
    assert_eq!(statuses.iter().filter(|status| **status == 204).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [204, 404, 429].contains(&status.as_u16())), "{statuses:?}");
    assert_eq!(target.status(VALIDATE, &json!({"token": token})).await, 404, "used");

    // Rotating headers does not avoid the limit of twenty dead tokens. A window of that limit may end meanwhile.
    let mut statuses = Vec::new();
    while statuses.len() < 41 && !statuses.contains(&StatusCode::TOO_MANY_REQUESTS) {
        let call = target
            .http
            .post(format!("{}{VALIDATE}", target.url))
            .header("X-Forwarded-For", format!("203.0.113.{}", statuses.len()));
        let answer = call.json(&json!({"token": "Z".repeat(20)})).send().await.expect("an answer");
        statuses.push(answer.status());
    }
    assert_eq!(statuses.last(), Some(&StatusCode::TOO_MANY_REQUESTS), "{statuses:?}");
}
