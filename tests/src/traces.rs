//! What a test leaves behind: its log, its tables and its mails, searched for every secret at its end.

use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};

use dynoxide::Database;
use local::dynamodb::TOKENS_TABLE;
use local::ses::Outbox;
use serde_json::json;
use shared::telemetry::write_diagnostics_to;

use crate::evidence::Evidence;
use crate::wiring::{DeadLetterBox, Served};

/// What a deployment leaves behind. When the last clone of its world goes, and be the test about something else, all of it is
/// searched for every secret that the test has used.
pub(crate) struct Traces {
    pub(crate) evidence: Mutex<Evidence>,
    pub(crate) log: Log,
    pub(crate) outbox: Outbox,
    pub(crate) dead_letters: DeadLetterBox,
    pub(crate) db: Database,
    pub(crate) accounts_table: String,
    pub(crate) _servers: Vec<Served>,
}

impl Drop for Traces {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let evidence = self.evidence.get_mut().expect("evidence");
        self.outbox.messages().iter().for_each(|mail| evidence.learn_mail(mail));
        let log = self.log.text() + &diagnostics();
        assert!(evidence.in_log(&log).is_empty(), "the log holds {:?}: {log}", evidence.in_log(&log));
        for entry in self.dead_letters.entries() {
            assert!(evidence.in_log(&entry).is_empty(), "the dead-letter queue holds a secret: {entry}");
        }
        for row in rows(&self.db, TOKENS_TABLE) {
            let held = evidence.in_row(&row, !row.contains("\"limit#"));
            assert!(held.is_empty(), "the tokens table holds {held:?}: {row}");
        }
        for row in rows(&self.db, &self.accounts_table) {
            let held = evidence.in_row(&row, true);
            assert!(held.is_empty(), "the accounts table holds {held:?}: {row}");
        }
    }
}

/// The rows of a table as JSON.
fn rows(db: &Database, table: &str) -> Vec<String> {
    let scan = serde_json::from_value(json!({"TableName": table})).expect("a scan");
    let rows = serde_json::to_value(db.scan(scan).expect("rows")).expect("JSON");
    assert!(rows["LastEvaluatedKey"].is_null(), "more rows than one page of a scan holds");
    rows["Items"].as_array().expect("rows").iter().map(ToString::to_string).collect()
}

/// What the SDK and the functions warn of: one log for all worlds of a process, as it has one subscriber.
static DIAGNOSTICS: OnceLock<Log> = OnceLock::new();

fn diagnostics() -> String {
    DIAGNOSTICS.get().map(Log::text).unwrap_or_default()
}

/// From now on keeps what this process warns of.
pub(crate) fn keep_diagnostics() {
    DIAGNOSTICS.get_or_init(|| {
        let log = Log::default();
        let writer = log.clone();
        write_diagnostics_to(move || writer.clone());
        log
    });
}

/// What the functions print.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("a log").clone()).expect("text")
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("a log").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
