//! The tokens table's stream, read as Lambda's event source mapping reads it: orders alone, in batches, each delivered again from the
//! first record that failed.

use std::path::Path;
use std::time::Duration;

use dynoxide::{Database, DynoxideError};
use serde_json::{Value, json};

use crate::dynamodb::{TOKENS_TABLE, parsed};

/// The SAM template has ten lanes of one order each; this machine has one process, and so one lane of ten.
const BATCH_SIZE: usize = 10;

/// How often the stream is looked at. Lambda does so four times a second.
const POLL: Duration = Duration::from_millis(20);

/// How long a batch that failed is left alone.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// A place in the stream. What lies before it was delivered.
pub struct Mapping {
    db: Database,
    arn: String,
    shard: String,
    checkpoint: Option<String>,
}

/// Some inserted orders.
pub struct Batch {
    /// The event for the mail function.
    pub event: Value,
    /// Before each record: where to go on if that one fails.
    before: Vec<(String, Option<String>)>,
    end: String,
}

impl Mapping {
    /// The place behind `checkpoint`, or the beginning of the stream.
    ///
    /// # Errors
    ///
    /// The engine's.
    pub fn open(db: Database, checkpoint: Option<String>) -> Result<Self, DynoxideError> {
        let streams = db.list_streams(parsed(json!({"TableName": TOKENS_TABLE}))?)?;
        let missing =
            || DynoxideError::ResourceNotFoundException("the tokens table has no stream".to_owned());
        let arn = streams.streams.into_iter().next().ok_or_else(missing)?.stream_arn;
        let stream = db.describe_stream(parsed(json!({"StreamArn": arn}))?)?;
        let shard = stream.stream_description.shards.into_iter().next().ok_or_else(missing)?.shard_id;
        Ok(Self { db, arn, shard, checkpoint })
    }

    /// The next orders, if there are any.
    ///
    /// # Errors
    ///
    /// The engine's.
    pub fn next_batch(&mut self) -> Result<Option<Batch>, DynoxideError> {
        let from = match &self.checkpoint {
            None => {
                json!({"StreamArn": self.arn, "ShardId": self.shard, "ShardIteratorType": "TRIM_HORIZON"})
            }
            Some(after) => json!({
                "StreamArn": self.arn, "ShardId": self.shard,
                "ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": after,
            }),
        };
        let iterator = self.db.get_shard_iterator(parsed(from)?)?.shard_iterator;
        let found = self.db.get_records(parsed(json!({"ShardIterator": iterator}))?)?;
        let (mut records, mut before, mut end) = (Vec::new(), Vec::new(), None);
        for record in found.records {
            let last = end.replace(record.dynamodb.sequence_number.clone());
            let record = serde_json::to_value(record)
                .map_err(|error| DynoxideError::SerializationException(error.to_string()))?;
            let key = record["dynamodb"]["Keys"]["pk"]["S"].as_str().unwrap_or_default();
            if record["eventName"] == "INSERT" && key.starts_with("order#") {
                before.push((end.clone().unwrap_or_default(), last.or_else(|| self.checkpoint.clone())));
                records.push(record);
            }
            if records.len() == BATCH_SIZE {
                break;
            }
        }
        let Some(end) = end else { return Ok(None) };
        if records.is_empty() {
            self.checkpoint = Some(end);
            return Ok(None);
        }
        Ok(Some(Batch { event: json!({"Records": records}), before, end }))
    }

    /// Goes on behind `batch`, or at the first record that `answer` names as failed; stays where it is where the function gave none.
    /// Whether all went well.
    pub fn acknowledge(&mut self, batch: &Batch, answer: Option<&Value>) -> bool {
        let Some(failures) = answer.and_then(|answer| answer["batchItemFailures"].as_array()) else {
            return false;
        };
        let failed = |number: &str| failures.iter().any(|failure| failure["itemIdentifier"] == number);
        let first = batch.before.iter().find(|(number, _)| failed(number));
        self.checkpoint = match first {
            Some((_, before)) => before.clone(),
            // Lambda takes a name that it does not know for the failure of the whole batch.
            None if !failures.is_empty() => return false,
            None => Some(batch.end.clone()),
        };
        first.is_none()
    }

    /// Plays the stream to the function behind `invoke`, a URL of Lambda's, and keeps its place in `file`. Never ends.
    pub async fn play(mut self, invoke: &str, file: &Path) {
        let client = reqwest::Client::new();
        loop {
            let Ok(Some(batch)) = self.next_batch() else {
                tokio::time::sleep(POLL).await;
                continue;
            };
            let answer = match client.post(invoke).json(&batch.event).send().await {
                Ok(response) => response.json::<Value>().await.ok(),
                Err(_) => None,
            };
            if !self.acknowledge(&batch, answer.as_ref()) {
                tokio::time::sleep(RETRY_AFTER).await;
            }
            if let Some(checkpoint) = &self.checkpoint {
                let _ = std::fs::write(file, checkpoint);
            }
        }
    }
}
