//! Collects every secret and address that a test uses, and searches logs and rows for them.

use std::collections::BTreeSet;

use local::ses::Message;
use serde_json::Value;
use shared::email::EmailAddress;

use crate::event::{Answer, Request};
use crate::reset_token_in;

/// Shorter texts may be in a log by chance. The shortest secret that matters, a token, has twenty characters.
const MIN_LENGTH: usize = 10;

/// The secrets and addresses of a test.
#[derive(Clone, Debug, Default)]
pub struct LeakDetector {
    secrets: BTreeSet<String>,
    addresses: BTreeSet<String>,
}

impl LeakDetector {
    /// Adds the tokens, passwords, keys and addresses in `request`, and its `User-Agent`.
    pub fn add_request(&mut self, request: &Request) {
        let in_body = request.body_json().unwrap_or_default();
        let fields = in_body.as_object().into_iter().flatten();
        let texts = fields.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)));
        for (name, text) in texts.chain(request.queries()) {
            match name {
                "email" => self.add_address(text),
                "token" | "password" => self.add_secret(text),
                _ => {}
            }
        }
        if let Some(user_agent) = request.header_value("user-agent") {
            self.add_secret(user_agent);
        }
        if let Some(authorization) = request.header_value("authorization") {
            let key = authorization.split_whitespace().next_back().unwrap_or_default();
            self.add_secret(key);
        }
    }

    /// Adds the request token in `answer`.
    pub fn add_answer(&mut self, answer: &Answer) {
        let body = answer.response["body"].as_str().and_then(|body| serde_json::from_str::<Value>(body).ok());
        if let Some(token) = body.as_ref().and_then(|body| body["reset_token"].as_str()) {
            self.add_secret(token);
        }
    }

    /// Adds the reset token in `mail` and its recipient.
    pub fn add_mail(&mut self, mail: &Message) {
        if mail.text.contains("token=") {
            self.add_secret(&reset_token_in(mail));
        }
        self.add_address(&mail.to);
    }

    /// A password may be an address. It is then treated as an address.
    fn add_secret(&mut self, text: &str) {
        if text.parse::<EmailAddress>().is_ok() {
            self.add_address(text);
        } else if text.len() >= MIN_LENGTH {
            self.secrets.insert(text.to_owned());
        }
    }

    /// Adds everything in `other`.
    pub fn extend(&mut self, other: Self) {
        self.secrets.extend(other.secrets);
        self.addresses.extend(other.addresses);
    }

    fn add_address(&mut self, text: &str) {
        if text.len() >= MIN_LENGTH {
            self.addresses.insert(text.to_owned());
        }
    }

    /// The secrets and addresses that `log` contains.
    #[must_use]
    pub fn find_in_log<'a>(&'a self, log: &str) -> Vec<&'a str> {
        // Some invalid addresses of the hostile tests are ordinary words that the log may contain.
        let addresses = self.addresses.iter().filter(|address| address.contains('@'));
        self.secrets.iter().chain(addresses).filter(|text| is_in(log, text)).map(String::as_str).collect()
    }

    /// The secrets that `row` contains, and the addresses unless `may_have_addresses`.
    #[must_use]
    pub fn find_in_row<'a>(&'a self, row: &str, may_have_addresses: bool) -> Vec<&'a str> {
        if may_have_addresses {
            self.secrets.iter().filter(|text| is_in(row, text)).map(String::as_str).collect()
        } else {
            self.find_in_log(row)
        }
    }
}

/// Whether `json` contains `text`, unchanged or escaped.
fn is_in(json: &str, text: &str) -> bool {
    let escaped = Value::from(text).to_string();
    json.contains(text) || json.contains(escaped.trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_of_a_request_and_its_answer_are_found() {
        let mut leaks = LeakDetector::default();
        let body =
            json!({"email": "person@example.com", "token": "T".repeat(20), "password": "a quiet lamp"});
        let request = Request::post("/", &body).query("token", &"Q".repeat(20));
        leaks.add_request(&request.header("Authorization", "Bearer key-of-a-backend"));
        let body = json!({"reset_token": "R".repeat(20)}).to_string();
        leaks.add_answer(&Answer { response: json!({"statusCode": 200, "body": body}) });

        let secrets = [
            "T".repeat(20),
            "Q".repeat(20),
            "R".repeat(20),
            "a quiet lamp".into(),
            "key-of-a-backend".into(),
        ];
        for secret in &secrets {
            let text = format!("{{\"x\":\"{secret}\"}}");
            assert_eq!(leaks.find_in_log(&text), [secret]);
            assert_eq!(leaks.find_in_row(&text, true), [secret]);
        }
        assert_eq!(leaks.find_in_log("to person@example.com"), ["person@example.com"]);
        assert_eq!(leaks.find_in_row("person@example.com", false), ["person@example.com"]);
        assert!(leaks.find_in_row("person@example.com", true).is_empty());
        assert!(leaks.find_in_log("nothing").is_empty());

        leaks.add_request(&Request::post("/", &json!({"password": "a \"quoted\"\nlamp"})));
        assert_eq!(leaks.find_in_log(&json!({"x": "so: a \"quoted\"\nlamp."}).to_string()).len(), 1);
    }
}
