//! Reads the tokens table's stream as Lambda's event source mapping does: delivers only mail orders, in batches, and retries a
//! batch from the first record that failed.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;
use std::time::Duration;

use dynoxide::{Database, DynoxideError};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::dynamodb::{TOKENS_TABLE, parsed};

/// As in the SAM template.
const BATCH_SIZE: usize = 10;

/// The SAM template has two. A batch takes a second, and with so many nobody who tries a reset by hand waits for another one's.
const LANES: usize = 100;

/// The polling interval. Lambda polls four times a second.
const POLL: Duration = Duration::from_millis(20);

/// The delay before a failed batch is delivered again.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// An event source mapping: a position in the stream, and the orders before it that were not delivered yet, in one lane.
pub struct Mapping {
    db: Database,
    arn: String,
    shard: String,
    position: Option<String>,
    lane: Lane,
}

/// An inserted order.
struct Record {
    number: String,
    /// The position before it.
    previous: Option<String>,
    content: Value,
}

/// A batch of inserted orders.
pub struct Batch {
    /// The event for the mail function.
    pub event: Value,
    numbers: Vec<String>,
}

/// Orders that are delivered one batch after the other.
#[derive(Default)]
struct Lane {
    waiting: VecDeque<Record>,
    is_busy: bool,
}

impl Lane {
    fn next_batch(&self) -> Option<Batch> {
        let records = || self.waiting.iter().take(BATCH_SIZE);
        let contents: Vec<&Value> = records().map(|record| &record.content).collect();
        let numbers = records().map(|record| record.number.clone()).collect();
        (!contents.is_empty()).then(|| Batch { event: json!({"Records": contents}), numbers })
    }

    /// Removes the records of `batch` up to the first that `answer` reports as failed. Returns whether all succeeded.
    fn acknowledge(&mut self, batch: &Batch, answer: Option<&Value>) -> bool {
        let failures = answer.and_then(|answer| answer["batchItemFailures"].as_array());
        let done = failures.map_or(0, |failures| {
            let failed =
                |number: &String| failures.iter().any(|failure| failure["itemIdentifier"] == **number);
            match batch.numbers.iter().position(failed) {
                Some(first) => first,
                None if failures.is_empty() => batch.numbers.len(),
                // Lambda treats an unknown item identifier as a failure of the whole batch.
                None => 0,
            }
        });
        self.waiting.drain(..done);
        done == batch.numbers.len()
    }
}

impl Mapping {
    /// A mapping that starts after `position`, or at the beginning of the stream.
    pub fn open(db: Database, position: Option<String>) -> Result<Self, DynoxideError> {
        let streams = db.list_streams(parsed(json!({"TableName": TOKENS_TABLE}))?)?;
        let missing =
            || DynoxideError::ResourceNotFoundException("the tokens table has no stream".to_owned());
        let arn = streams.streams.into_iter().next().ok_or_else(missing)?.stream_arn;
        let stream = db.describe_stream(parsed(json!({"StreamArn": arn}))?)?;
        let shard = stream.stream_description.shards.into_iter().next().ok_or_else(missing)?.shard_id;
        Ok(Self { db, arn, shard, position, lane: Lane::default() })
    }

    /// The next batch of orders, if there are any.
    pub fn next_batch(&mut self) -> Result<Option<Batch>, DynoxideError> {
        let records = self.read()?;
        self.lane.waiting.extend(records);
        Ok(self.lane.next_batch())
    }

    /// Moves past `batch`, or to the first record that `answer` reports as failed. Does not move if there is no answer. Returns
    /// whether the whole batch succeeded.
    pub fn acknowledge(&mut self, batch: &Batch, answer: Option<&Value>) -> bool {
        self.lane.acknowledge(batch, answer)
    }

    /// The orders that were inserted since the last call.
    fn read(&mut self) -> Result<Vec<Record>, DynoxideError> {
        let from = match &self.position {
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
        let mut orders = Vec::new();
        for record in found.records {
            let number = record.dynamodb.sequence_number.clone();
            let content = serde_json::to_value(record)
                .map_err(|error| DynoxideError::SerializationException(error.to_string()))?;
            let previous = self.position.replace(number.clone());
            if content["eventName"] == "INSERT" && key(&content).starts_with("order#") {
                orders.push(Record { number, previous, content });
            }
        }
        Ok(orders)
    }

    /// Delivers batches in many lanes with `invoke`, which returns the mail function's answer, and saves in `file` where to start next time.
    /// Never returns.
    pub async fn run<I, A>(mut self, file: &Path, invoke: I)
    where
        I: Fn(Value) -> A,
        A: Future<Output = Option<Value>> + Send + 'static,
    {
        let mut lanes: Vec<Lane> = (0..LANES).map(|_| Lane::default()).collect();
        let mut deliveries = JoinSet::new();
        loop {
            for record in self.read().unwrap_or_default() {
                lanes[lane_of(&record)].waiting.push_back(record);
            }
            for (index, lane) in lanes.iter_mut().enumerate().filter(|(_, lane)| !lane.is_busy) {
                if let Some(batch) = lane.next_batch() {
                    lane.is_busy = true;
                    let answer = invoke(batch.event.clone());
                    deliveries.spawn(async move { (index, batch, answer.await) });
                }
            }
            tokio::select! {
                Some(Ok((index, batch, answer))) = deliveries.join_next(), if !deliveries.is_empty() => {
                    lanes[index].is_busy = false;
                    if !lanes[index].acknowledge(&batch, answer.as_ref()) {
                        tokio::time::sleep(RETRY_AFTER).await;
                    }
                }
                () = tokio::time::sleep(POLL) => {}
            }
            let oldest =
                lanes.iter().filter_map(|lane| lane.waiting.front()).min_by(|a, b| a.number.cmp(&b.number));
            if let Some(position) = oldest.map_or(&self.position, |record| &record.previous) {
                let _ = std::fs::write(file, position);
            }
        }
    }
}

fn key(content: &Value) -> &str {
    content["dynamodb"]["Keys"]["pk"]["S"].as_str().unwrap_or_default()
}

/// Lambda, too, chooses by the hash of the key.
fn lane_of(record: &Record) -> usize {
    let mut hasher = DefaultHasher::new();
    key(&record.content).hash(&mut hasher);
    usize::try_from(hasher.finish() % LANES as u64).unwrap_or_default()
}
