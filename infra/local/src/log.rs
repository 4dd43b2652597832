//! Formats the functions' log for a person: one line for each call and each mail. The messages of cargo and `cargo lambda` are shown
//! only if something fails.

use std::collections::VecDeque;

use serde_json::Value;

/// The number of held-back lines that are kept, to be printed after a failure.
const MAX_HELD_BACK: usize = 40;

/// Prefixes of routine messages of the tools.
const ROUTINE_PREFIXES: [&str; 8] =
    [" INFO ", " WARN ", "Finished ", "Running ", "Compiling ", "Blocking ", "Building ", "Downloading "];

/// Formats log lines.
#[derive(Clone, Debug)]
pub struct LogFormatter {
    /// The URL of the inbox, printed with each mail.
    pub inbox: String,
    /// Whether to colour lines (the output is a terminal).
    pub colours: bool,
    /// Whether to print lines unchanged.
    pub json: bool,
    held_back: VecDeque<String>,
}

impl LogFormatter {
    /// A formatter that has held nothing back yet.
    #[must_use]
    pub fn new(inbox: String, colours: bool, json: bool) -> Self {
        Self { inbox, colours, json, held_back: VecDeque::new() }
    }

    /// The text to print for `line`, or `None` if the line is held back.
    pub fn format(&mut self, line: String) -> Option<String> {
        if self.json {
            return Some(line);
        }
        match serde_json::from_str::<Value>(&line) {
            Ok(event) if event["MailOutcome"].is_string() => Some(self.mail(&event)),
            Ok(event) if event["Outcome"].is_string() => Some(self.call(&event)),
            _ if ROUTINE_PREFIXES
                .iter()
                .any(|prefix| line.starts_with(prefix) || line.trim_start().starts_with(prefix)) =>
            {
                if self.held_back.len() == MAX_HELD_BACK {
                    self.held_back.pop_front();
                }
                self.held_back.push_back(line);
                None
            }
            _ => Some(line),
        }
    }

    /// Takes the lines that were held back.
    pub fn take_held_back(&mut self) -> impl Iterator<Item = String> {
        self.held_back.drain(..)
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
            "no_account" => "not sent: no matching account".to_owned(),
            outcome => outcome.to_owned(),
        };
        self.coloured(text("level"), format!("mail: {} {what}{}", text("MailKind"), problem(event)))
    }

    /// Colours `line` green, yellow or red by `level`.
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

    fn formatted(line: &str) -> Option<String> {
        LogFormatter::new("http://127.0.0.1:8025/".to_owned(), false, false).format(line.to_owned())
    }

    #[test]
    fn calls_and_mails_are_one_line_each() {
        let call = json!({
            "Method": "POST", "Route": "/organizations/reset-password/", "Status": "200", "Outcome": "request_opened", "Latency": 12.3
        });
        let line = formatted(&call.to_string()).expect("a line");
        assert_eq!(line, "POST /organizations/reset-password/ → 200 request_opened, 12 ms");
        let mail = json!({"MailOutcome": "sent", "MailKind": "reset", "MailDelay": 41.0, "level": "INFO"});
        let line = formatted(&mail.to_string()).expect("a line");
        assert_eq!(line, "mail: reset sent 41 ms after it was ordered → http://127.0.0.1:8025/");
        let failed = json!({"MailOutcome": "failed", "MailKind": "reset", "level": "ERROR", "Error": "MessageRejected"});
        assert_eq!(formatted(&failed.to_string()).expect("a line"), "mail: reset failed (MessageRejected)");
    }

    #[test]
    fn routine_messages_are_held_back_and_everything_else_is_printed() {
        let mut formatter = LogFormatter::new(String::new(), false, false);
        for routine in
            [" INFO starting Runtime server", "    Finished `dev` profile", "   Compiling shared v0.1.0"]
        {
            assert_eq!(formatter.format(routine.to_owned()), None);
        }
        assert_eq!(formatter.take_held_back().count(), 3);
        for message in [
            "error[E0425]: cannot find value",
            "warning: unused variable",
            r#"{"level":"ERROR","fields":{}}"#,
        ] {
            assert_eq!(formatter.format(message.to_owned()), Some(message.to_owned()));
        }
        let json = r#"{"Outcome":"request_opened"}"#;
        assert_eq!(
            LogFormatter::new(String::new(), true, true).format(json.to_owned()),
            Some(json.to_owned())
        );
    }

    #[test]
    fn only_a_terminal_gets_colours() {
        let mail = json!({"MailOutcome": "no_account", "MailKind": "reset", "level": "INFO"}).to_string();
        let coloured = LogFormatter::new(String::new(), true, false).format(mail.clone()).expect("a line");
        assert!(coloured.starts_with("\u{1b}[32m") && coloured.ends_with("\u{1b}[0m"));
        assert!(!formatted(&mail).expect("a line").contains('\u{1b}'));
    }
}
