//! What the functions print, as a person reads it: one line a call, one a mail. What the tools say of themselves stays out unless
//! something fails.

use std::collections::VecDeque;

use serde_json::Value;

/// Lines of the tools that are kept, to be shown when they end in failure.
const KEPT: usize = 40;

/// How lines of the tools begin that say that all is well.
const CHATTER: [&str; 8] =
    [" INFO ", " WARN ", "Finished ", "Running ", "Compiling ", "Blocking ", "Building ", "Downloading "];

/// How lines look.
#[derive(Clone, Debug)]
pub struct Lines {
    /// Where the mails are.
    pub inbox: String,
    /// Whether the output is a terminal.
    pub colours: bool,
    /// Whether lines stay as they are.
    pub json: bool,
    kept: VecDeque<String>,
}

impl Lines {
    /// Lines that name `inbox` beside each mail.
    #[must_use]
    pub fn new(inbox: String, colours: bool, json: bool) -> Self {
        Self { inbox, colours, json, kept: VecDeque::new() }
    }

    /// `line` as it is to be shown, if it is.
    pub fn shown(&mut self, line: String) -> Option<String> {
        if self.json {
            return Some(line);
        }
        match serde_json::from_str::<Value>(&line) {
            Ok(event) if event["MailOutcome"].is_string() => Some(self.mail(&event)),
            Ok(event) if event["Outcome"].is_string() => Some(self.call(&event)),
            _ if CHATTER
                .iter()
                .any(|chatter| line.starts_with(chatter) || line.trim_start().starts_with(chatter)) =>
            {
                if self.kept.len() == KEPT {
                    self.kept.pop_front();
                }
                self.kept.push_back(line);
                None
            }
            _ => Some(line),
        }
    }

    /// What was held back.
    pub fn held_back(&mut self) -> impl Iterator<Item = String> {
        self.kept.drain(..)
    }

    fn call(&self, event: &Value) -> String {
        let text = |name: &str| event[name].as_str().unwrap_or_default();
        let line = format!(
            "{} {} → {} {}, {:.0} ms",
            text("Method"),
            text("Route"),
            text("Status"),
            text("Outcome"),
            event["Latency"].as_f64().unwrap_or_default()
        );
        let is_good = text("Status").starts_with('2');
        let level = if is_good {
            "INFO"
        } else if text("Status").starts_with('5') {
            "ERROR"
        } else {
            "WARN"
        };
        self.coloured(level, line + &problem(event))
    }

    fn mail(&self, event: &Value) -> String {
        let text = |name: &str| event[name].as_str().unwrap_or_default();
        let what = match text("MailOutcome") {
            "sent" => format!(
                "sent {:.0} ms after it was ordered → {}",
                event["MailDelay"].as_f64().unwrap_or_default(),
                self.inbox
            ),
            "no_account" => "is for nobody: there is no account".to_owned(),
            outcome => outcome.to_owned(),
        };
        self.coloured(text("level"), format!("mail: {} {what}{}", text("MailKind"), problem(event)))
    }

    /// Green, yellow or red by `level`.
    fn coloured(&self, level: &str, line: String) -> String {
        let colour = match level {
            "ERROR" => 31,
            "WARN" => 33,
            _ => 32,
        };
        if self.colours { format!("\u{1b}[{colour}m{line}\u{1b}[0m") } else { line }
    }
}

fn problem(event: &Value) -> String {
    event["Error"].as_str().map_or_else(String::new, |error| format!(" ({error})"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(line: &str) -> Option<String> {
        Lines::new("http://127.0.0.1:8025/".to_owned(), false, false).shown(line.to_owned())
    }

    #[test]
    fn a_call_and_a_mail_are_one_line_each() {
        let call = json!({
            "Method": "POST", "Route": "/organizations/reset-password/", "Status": "200", "Outcome": "request_opened", "Latency": 12.3
        });
        let line = shown(&call.to_string()).expect("a line");
        assert_eq!(line, "POST /organizations/reset-password/ → 200 request_opened, 12 ms");
        let mail = json!({"MailOutcome": "sent", "MailKind": "reset", "MailDelay": 41.0, "level": "INFO"});
        let line = shown(&mail.to_string()).expect("a line");
        assert_eq!(line, "mail: reset sent 41 ms after it was ordered → http://127.0.0.1:8025/");
        let failed = json!({"MailOutcome": "failed", "MailKind": "reset", "level": "ERROR", "Error": "MessageRejected"});
        assert_eq!(shown(&failed.to_string()).expect("a line"), "mail: reset failed (MessageRejected)");
    }

    #[test]
    fn chatter_is_held_back_and_everything_else_is_shown() {
        let mut lines = Lines::new(String::new(), false, false);
        for chatter in
            [" INFO starting Runtime server", "    Finished `dev` profile", "   Compiling shared v0.1.0"]
        {
            assert_eq!(lines.shown(chatter.to_owned()), None);
        }
        assert_eq!(lines.held_back().count(), 3);
        for said in [
            "error[E0425]: cannot find value",
            "warning: unused variable",
            r#"{"level":"ERROR","fields":{}}"#,
        ] {
            assert_eq!(lines.shown(said.to_owned()), Some(said.to_owned()));
        }
        let json = r#"{"Outcome":"request_opened"}"#;
        assert_eq!(Lines::new(String::new(), true, true).shown(json.to_owned()), Some(json.to_owned()));
    }

    #[test]
    fn only_a_terminal_gets_colours() {
        let mail = json!({"MailOutcome": "no_account", "MailKind": "reset", "level": "INFO"}).to_string();
        let coloured = Lines::new(String::new(), true, false).shown(mail.clone()).expect("a line");
        assert!(coloured.starts_with("\u{1b}[32m") && coloured.ends_with("\u{1b}[0m"));
        assert!(!shown(&mail).expect("a line").contains('\u{1b}'));
    }
}
