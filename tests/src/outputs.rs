//! The log, tables, mails and dead letters of a test, which are searched for secrets when it ends, and for rows that never expire.

use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};

use dynoxide::Database;
use local::dynamodb::TOKENS_TABLE;
use local::ses::Outbox;
use serde_json::json;
use shared::telemetry::write_diagnostics_to;

use crate::leaks::LeakDetector;
use crate::wiring::{DeadLetterQueue, Servers};

/// The outputs of a deployment. When the last clone of its [`World`](crate::World) is dropped, they are searched for every secret
/// that the test has used, whatever the test is about.
pub(crate) struct Outputs {
    pub(crate) leaks: Mutex<LeakDetector>,
    pub(crate) log: Log,
    pub(crate) outbox: Outbox,
    pub(crate) dead_letters: DeadLetterQueue,
    pub(crate) db: Database,
    pub(crate) accounts_table: String,
    pub(crate) _servers: Servers,
}

impl Drop for Outputs {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let leaks = self.leaks.get_mut().expect("leaks");
        self.outbox.messages().iter().for_each(|mail| leaks.add_mail(mail));
        let log = self.log.text() + &diagnostics();
        assert!(leaks.find_in_log(&log).is_empty(), "the log holds {:?}: {log}", leaks.find_in_log(&log));
        for entry in self.dead_letters.entries() {
            assert!(leaks.find_in_log(&entry).is_empty(), "the dead-letter queue holds a secret: {entry}");
        }
        for row in rows(&self.db, TOKENS_TABLE) {
            let held = leaks.find_in_row(&row, !row.contains("\"limit#"));
            assert!(held.is_empty(), "the tokens table holds {held:?}: {row}");
            assert!(row.contains(r#""expires_at":{"N":"#), "DynamoDB would never delete {row}");
        }
        for row in rows(&self.db, &self.accounts_table) {
            let held = leaks.find_in_row(&row, true);
            assert!(held.is_empty(), "the accounts table holds {held:?}: {row}");
        }
    }
}

/// The rows of a table as JSON.
fn rows(db: &Database, table: &str) -> Vec<String> {
    let scan = serde_json::from_value(json!({"TableName": table})).expect("a scan");
    let rows = serde_json::to_value(db.scan(scan).expect("rows")).expect("JSON");
    assert!(rows["LastEvaluatedKey"].is_null(), "the table does not fit into one page of a scan");
    rows["Items"].as_array().expect("rows").iter().map(ToString::to_string).collect()
}

/// The warnings of the SDK and the functions. A process has one `tracing` subscriber, so all worlds share this log.
static DIAGNOSTICS: OnceLock<Log> = OnceLock::new();

fn diagnostics() -> String {
    DIAGNOSTICS.get().map(Log::text).unwrap_or_default()
}

/// Starts to record this process's warnings.
pub(crate) fn record_diagnostics() {
    DIAGNOSTICS.get_or_init(|| {
        let log = Log::default();
        let writer = log.clone();
        write_diagnostics_to(move || writer.clone());
        log
    });
}

/// The functions' log.
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
