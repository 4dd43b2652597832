//! The dead-letter queue for mails that failed permanently. An entry has the order's id, and no address or token.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{DisplayErrorContext, ProvideErrorMetadata as _};
use serde_json::json;
use shared::clock::Timestamp;

/// The dead-letter queue.
#[derive(Clone, Debug)]
pub struct DeadLetters {
    client: Client,
    queue_url: String,
}

impl DeadLetters {
    /// The queue at `queue_url`.
    #[must_use]
    pub fn new(client: Client, queue_url: String) -> Self {
        Self { client, queue_url }
    }

    /// Adds an entry for a mail of `kind` with the order id `order`. A failure is only logged: the mail has failed either way.
    pub async fn add(&self, order: &str, kind: &'static str, ordered_at: Option<Timestamp>, problem: &str) {
        let ordered_at = ordered_at.map(Timestamp::as_millis);
        let entry = json!({"order": order, "kind": kind, "ordered_at": ordered_at, "problem": problem});
        let sent =
            self.client.send_message().queue_url(&self.queue_url).message_body(entry.to_string()).send();
        if let Err(error) = sent.await {
            let problem = error.code().map_or_else(|| DisplayErrorContext(&error).to_string(), str::to_owned);
            tracing::error!(order, problem, "could not add an entry to the dead-letter queue");
        }
    }
}
