//! Every secret and every address that a test has used, to be looked for in what it leaves behind.

use std::collections::BTreeSet;

use local::ses::Message;
use serde_json::Value;
use shared::email::EmailAddress;

use crate::event::{Answer, Request};
use crate::reset_token_in;

/// Shorter texts stand in a log by chance; the shortest secret that matters, a token, has twenty characters.
const SHORTEST: usize = 10;

/// What must not be found.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    secrets: BTreeSet<String>,
    addresses: BTreeSet<String>,
}

impl Evidence {
    /// Remembers the tokens, passwords, keys and addresses in `request`.
    pub fn learn_request(&mut self, request: &Request) {
        let in_body = request.body_json().unwrap_or_default();
        let fields = in_body.as_object().into_iter().flatten();
        let texts = fields.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)));
        for (name, text) in texts.chain(request.queries()) {
            match name {
                "email" => self.learn_address(text),
                "token" | "password" => self.learn_secret(text),
                _ => {}
            }
        }
        if let Some(authorization) = request.header_value("authorization") {
            let key = authorization.split_whitespace().next_back().unwrap_or_default();
            self.learn_secret(key);
        }
    }

    /// Remembers the request token in `answer`.
    pub fn learn_answer(&mut self, answer: &Answer) {
        let body = answer.response["body"].as_str().and_then(|body| serde_json::from_str::<Value>(body).ok());
        if let Some(token) = body.as_ref().and_then(|body| body["reset_token"].as_str()) {
            self.learn_secret(token);
        }
    }

    /// Remembers the reset token in `mail`, and whom it went to.
    pub fn learn_mail(&mut self, mail: &Message) {
        if mail.text.contains("token=") {
            self.learn_secret(&reset_token_in(mail));
        }
        self.learn_address(&mail.to);
    }

    /// A password may be an address; then it is as secret as addresses are.
    fn learn_secret(&mut self, text: &str) {
        if text.parse::<EmailAddress>().is_ok() {
            self.learn_address(text);
        } else if text.len() >= SHORTEST {
            self.secrets.insert(text.to_owned());
        }
    }

    /// Takes over what `other` has learnt.
    pub fn extend(&mut self, other: Self) {
        self.secrets.extend(other.secrets);
        self.addresses.extend(other.addresses);
    }

    fn learn_address(&mut self, text: &str) {
        if text.len() >= SHORTEST {
            self.addresses.insert(text.to_owned());
        }
    }

    /// The secrets and addresses in a log.
    #[must_use]
    pub fn in_log<'a>(&'a self, log: &str) -> Vec<&'a str> {
        // Some addresses of hostile tests are words of ours; what matters of one is where its mail would go.
        let addresses = self.addresses.iter().filter(|address| address.contains('@'));
        self.secrets.iter().chain(addresses).filter(|text| stands_in(log, text)).map(String::as_str).collect()
    }

    /// The secrets in a row of a table, and the addresses where `may_hold_addresses` is false.
    #[must_use]
    pub fn in_row<'a>(&'a self, row: &str, may_hold_addresses: bool) -> Vec<&'a str> {
        if may_hold_addresses {
            self.secrets.iter().filter(|text| stands_in(row, text)).map(String::as_str).collect()
        } else {
            self.in_log(row)
        }
    }
}

/// Whether `text` stands in `json`, as it is or escaped.
fn stands_in(json: &str, text: &str) -> bool {
    let escaped = Value::from(text).to_string();
    json.contains(text) || json.contains(escaped.trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whatever_a_request_and_its_answer_hold_is_found_again() {
        let mut evidence = Evidence::default();
        let body =
            json!({"email": "person@example.com", "token": "T".repeat(20), "password": "a quiet lamp"});
        let request = Request::post("/", &body).query("token", &"Q".repeat(20));
        evidence.learn_request(&request.header("Authorization", "Bearer key-of-a-backend"));
        let body = json!({"reset_token": "R".repeat(20)}).to_string();
        evidence.learn_answer(&Answer { response: json!({"statusCode": 200, "body": body}) });

        let secrets = [
            "T".repeat(20),
            "Q".repeat(20),
            "R".repeat(20),
            "a quiet lamp".into(),
            "key-of-a-backend".into(),
        ];
        for secret in &secrets {
            let text = format!("{{\"x\":\"{secret}\"}}");
            assert_eq!(evidence.in_log(&text), [secret]);
            assert_eq!(evidence.in_row(&text, true), [secret]);
        }
        assert_eq!(evidence.in_log("to person@example.com"), ["person@example.com"]);
        assert_eq!(evidence.in_row("person@example.com", false), ["person@example.com"]);
        assert!(evidence.in_row("person@example.com", true).is_empty());
        assert!(evidence.in_log("nothing").is_empty());

        evidence.learn_request(&Request::post("/", &json!({"password": "a \"quoted\"\nlamp"})));
        assert_eq!(evidence.in_log(&json!({"x": "so: a \"quoted\"\nlamp."}).to_string()).len(), 1);
    }
}
