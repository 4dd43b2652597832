//! Reads the tokens table's stream as Lambda's event source mapping does: delivers only mail orders, in batches, and retries a
//! batch from the first record that failed.

use std::path::Path;
use std::time::Duration;

use dynoxide::{Database, DynoxideError};
use serde_json::{Value, json};

use crate::dynamodb::{TOKENS_TABLE, parsed};

/// The SAM template has a `ParallelizationFactor` of 10 and batches of 1. The local stack has one process, so it uses one batch of 10.
const BATCH_SIZE: usize = 10;

/// The polling interval. Lambda polls four times a second.
const POLL: Duration = Duration::from_millis(20);

/// The delay before a failed batch is delivered again.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// An event source mapping: a position in the stream. Records before it were delivered.
pub struct Mapping {
    db: Database,
    arn: String,
    shard: String,
    checkpoint: Option<String>,
}

/// A batch of inserted orders.
pub struct Batch {
    /// The event for the mail function.
    pub event: Value,
    /// For each record: its sequence number, and the checkpoint to return to if it fails.
    checkpoints: Vec<(String, Option<String>)>,
    end: String,
}

impl Mapping {
    /// A mapping that starts after `checkpoint`, or at the beginning of the stream.
    ///
    /// # Errors
    ///
    /// Errors of the engine.
    pub fn open(db: Database, checkpoint: Option<String>) -> Result<Self, DynoxideError> {
        let streams = db.list_streams(parsed(json!({"TableName": TOKENS_TABLE}))?)?;
        let missing =
            || DynoxideError::ResourceNotFoundException("the tokens table has no stream".to_owned());
        let arn = streams.streams.into_iter().next().ok_or_else(missing)?.stream_arn;
        let stream = db.describe_stream(parsed(json!({"StreamArn": arn}))?)?;
        let shard = stream.stream_description.shards.into_iter().next().ok_or_else(missing)?.shard_id;
        Ok(Self { db, arn, shard, checkpoint })
    }

    /// The next batch of orders, if there are any.
    ///
    /// # Errors
    ///
    /// Errors of the engine.
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
        let (mut records, mut checkpoints, mut end) = (Vec::new(), Vec::new(), None);
        for record in found.records {
            let previous = end.replace(record.dynamodb.sequence_number.clone());
            let record = serde_json::to_value(record)
                .map_err(|error| DynoxideError::SerializationException(error.to_string()))?;
            let key = record["dynamodb"]["Keys"]["pk"]["S"].as_str().unwrap_or_default();
            if record["eventName"] == "INSERT" && key.starts_with("order#") {
                let checkpoint = previous.or_else(|| self.checkpoint.clone());
                checkpoints.push((end.clone().unwrap_or_default(), checkpoint));
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
        Ok(Some(Batch { event: json!({"Records": records}), checkpoints, end }))
    }

    /// Moves past `batch`, or to the first record that `answer` reports as failed. Does not move if there is no answer. Returns
    /// whether the whole batch succeeded.
    pub fn acknowledge(&mut self, batch: &Batch, answer: Option<&Value>) -> bool {
        let Some(failures) = answer.and_then(|answer| answer["batchItemFailures"].as_array()) else {
            return false;
        };
        let failed = |number: &str| failures.iter().any(|failure| failure["itemIdentifier"] == number);
        let first = batch.checkpoints.iter().find(|(number, _)| failed(number));
        self.checkpoint = match first {
            Some((_, checkpoint)) => checkpoint.clone(),
            // Lambda treats an unknown item identifier as a failure of the whole batch.
            None if !failures.is_empty() => return false,
            None => Some(batch.end.clone()),
        };
        first.is_none()
    }

    /// Delivers batches to the function with the invoke URL `invoke`, and saves the checkpoint in `file`. Never returns.
    pub async fn run(mut self, invoke: &str, file: &Path) {
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
