//! What Rekey keeps in `DynamoDB`. Writes are claims: their conditions decide, never an earlier read. Expiry is
//! tested in every read and condition, since `DynamoDB` deletes expired items only hours later.

pub mod accounts;
mod changed_at;
pub mod completion;
pub mod limits;
pub mod orders;
pub mod requests;
pub mod resets;
mod transaction;

use std::collections::HashMap;
use std::error::Error;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{BuildError, DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::AttributeValue;

use crate::clock::Timestamp;
use crate::random::RandomError;

/// An item as `DynamoDB` gives it.
type Item = HashMap<String, AttributeValue>;

/// `DynamoDB` did not say in time that it did what was asked. Each operation here is one atomic call, which was done or was not.
#[derive(Debug, thiserror::Error)]
#[error("{operation}: {problem}")]
pub struct StoreError {
    operation: &'static str,
    problem: String,
}

impl StoreError {
    fn new(operation: &'static str, problem: impl Into<String>) -> Self {
        Self { operation, problem: problem.into() }
    }

    /// The error's code where `DynamoDB` gave one, and otherwise what the SDK says of the connection. The
    /// service's message stays out: it may quote keys and values.
    fn from_sdk<E, R>(operation: &'static str, error: &SdkError<E, R>) -> Self
    where
        E: Error + ProvideErrorMetadata + 'static,
        R: std::fmt::Debug,
    {
        let problem = match error {
            SdkError::ServiceError(service) => {
                service.err().code().unwrap_or("unknown service error").to_owned()
            }
            // Its text would hold what came back: rows, with addresses and hashes.
            SdkError::ResponseError(_) => "the answer could not be read".to_owned(),
            other => DisplayErrorContext(other).to_string(),
        };
        Self { operation, problem }
    }
}

impl From<RandomError> for StoreError {
    fn from(error: RandomError) -> Self {
        Self::new("random name", error.to_string())
    }
}

impl From<BuildError> for StoreError {
    fn from(error: BuildError) -> Self {
        Self::new("build", error.to_string())
    }
}

/// Opens two connections, which is what a call uses, and runs the code that a call would otherwise run for the first time: for `main.rs`
/// to call before it asks Lambda for an event, since Lambda gives a function the CPU of its memory size only from then on. Reads the row
/// `warm-up`, which does not exist. A failure shows in the first call.
pub async fn warm_up(client: &Client, table: &str) {
    let read = || row(client, table, "warm-up".to_owned());
    let _ = tokio::join!(read(), read());
}

fn string(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// The text attribute `name` of a row of ours.
fn text_of(item: &Item, name: &'static str) -> Result<String, StoreError> {
    item.get(name)
        .and_then(|value| value.as_s().ok())
        .cloned()
        .ok_or_else(|| StoreError::new("read", format!("a token row has no text {name}")))
}

/// The number attribute `name` of a row of ours.
fn number_of(item: &Item, name: &'static str) -> Result<u64, StoreError> {
    item.get(name)
        .and_then(|value| value.as_n().ok())
        .and_then(|number| number.parse().ok())
        .ok_or_else(|| StoreError::new("read", format!("a token row has no number {name}")))
}

/// Whether a token row still counts at `now`.
fn is_unexpired(item: &Item, now: Timestamp) -> Result<bool, StoreError> {
    Ok(number_of(item, "expires_at")? > now.as_seconds())
}

/// The item of the tokens table under `pk`.
async fn row(client: &Client, table: &str, pk: String) -> Result<Option<Item>, StoreError> {
    let get = client.get_item().table_name(table).key("pk", string(pk)).consistent_read(true);
    let output = get.send().await.map_err(|error| StoreError::from_sdk("GetItem", &error))?;
    Ok(output.item)
}

/// The item of the tokens table under `pk`, if it is unexpired.
async fn unexpired(
    client: &Client,
    table: &str,
    pk: String,
    now: Timestamp,
) -> Result<Option<Item>, StoreError> {
    let Some(item) = row(client, table, pk).await? else { return Ok(None) };
    Ok(is_unexpired(&item, now)?.then_some(item))
}
