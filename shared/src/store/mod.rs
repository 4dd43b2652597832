//! Access to `DynamoDB`. The condition of a write decides, never an earlier read. Every use of a token or an order checks its expiry:
//! `DynamoDB` deletes expired items hours late.

pub mod accounts;
pub mod asked;
pub mod completion;
pub mod limits;
pub mod orders;
pub mod requests;
pub mod resets;
mod transaction;

use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{BuildError, DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::AttributeValue;

use crate::clock::Timestamp;
use crate::random::RandomError;

/// A `DynamoDB` item.
type Item = HashMap<String, AttributeValue>;

/// An operation failed, or its outcome is unknown. Each write is one atomic call, so it was done completely or not at all.
#[derive(Debug, thiserror::Error)]
#[error("{operation}: {problem}")]
pub struct StoreError {
    /// What it means for the next attempt.
    pub kind: StoreErrorKind,
    operation: &'static str,
    problem: String,
}

/// What a [`StoreError`] means for the next attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreErrorKind {
    /// `DynamoDB` did not do it. The next attempt may succeed.
    Unavailable,
    /// A row does not hold what it should. It fails until somebody mends the row.
    InvalidRow,
}

impl StoreError {
    fn unavailable(operation: &'static str, problem: impl Into<String>) -> Self {
        Self { kind: StoreErrorKind::Unavailable, operation, problem: problem.into() }
    }

    fn invalid_row(problem: impl Into<String>) -> Self {
        Self { kind: StoreErrorKind::InvalidRow, operation: "read", problem: problem.into() }
    }

    /// Keeps the error code that `DynamoDB` sent, or else the SDK's description of the connection failure. Drops the service's message, which
    /// may quote keys and values, unless it is known not to.
    fn from_sdk<E, R>(operation: &'static str, error: &SdkError<E, R>) -> Self
    where
        E: Error + ProvideErrorMetadata + 'static,
        R: std::fmt::Debug,
    {
        let problem = match error {
            SdkError::ServiceError(service) => {
                let code = service.err().code().unwrap_or("unknown service error");
                match service.err().message().filter(|message| names_no_value(message)) {
                    Some(message) => format!("{code}: {message}"),
                    None => code.to_owned(),
                }
            }
            // Its text would contain the response: rows, with addresses and hashes.
            SdkError::ResponseError(_) => "the response could not be parsed".to_owned(),
            other => DisplayErrorContext(other).to_string(),
        };
        Self::unavailable(operation, problem)
    }
}

/// Whether a message of `DynamoDB`'s is one of those that tell what is wrong with table, key or index, and quote no value.
fn names_no_value(message: &str) -> bool {
    let known = [
        "The provided key element does not match the schema",
        "The number of conditions on the keys is invalid",
        "Query condition missed key schema element",
        "The table does not have the specified index",
        "Requested resource not found",
        "Cannot do operations on a non-existent table",
        "One or more parameter values were invalid: Condition parameter type does not match schema type",
    ];
    known.iter().any(|known| message.starts_with(known))
}

impl From<RandomError> for StoreError {
    fn from(error: RandomError) -> Self {
        Self::unavailable("random bytes", error.to_string())
    }
}

impl From<BuildError> for StoreError {
    fn from(error: BuildError) -> Self {
        Self::unavailable("build", error.to_string())
    }
}

const WARM_UP_TIMEOUT: Duration = Duration::from_secs(1);

/// Opens a connection and runs the code that a call would otherwise run for the first time. `main.rs` calls it before it asks Lambda for
/// an event, because Lambda limits the CPU to the share of the function's memory size only from then on. Run one for each connection that a
/// call uses at the same time. Reads the row `warm-up`, which does not exist. Gives up after a second, since a caller may be waiting, and
/// ignores a failure: the first call reports it.
pub async fn warm_up(client: &Client, table: &str) {
    let _ = tokio::time::timeout(WARM_UP_TIMEOUT, get_row(client, table, "warm-up".to_owned())).await;
}

fn string(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// The string attribute `name` of a row of the tokens table.
fn string_attribute(item: &Item, name: &'static str) -> Result<String, StoreError> {
    item.get(name)
        .and_then(|value| value.as_s().ok())
        .cloned()
        .ok_or_else(|| StoreError::invalid_row(format!("a row of the tokens table has no string {name}")))
}

/// The number attribute `name` of a row of the tokens table.
fn number_attribute(item: &Item, name: &'static str) -> Result<u64, StoreError> {
    item.get(name)
        .and_then(|value| value.as_n().ok())
        .and_then(|number| number.parse().ok())
        .ok_or_else(|| StoreError::invalid_row(format!("a row of the tokens table has no number {name}")))
}

/// Whether a row of the tokens table is unexpired at `now`.
fn is_unexpired(item: &Item, now: Timestamp) -> Result<bool, StoreError> {
    Ok(number_attribute(item, "expires_at")? > now.as_seconds())
}

/// The row `pk` of the tokens table.
async fn get_row(client: &Client, table: &str, pk: String) -> Result<Option<Item>, StoreError> {
    let get = client.get_item().table_name(table).key("pk", string(pk)).consistent_read(true);
    let output = get.send().await.map_err(|error| StoreError::from_sdk("GetItem", &error))?;
    Ok(output.item)
}

/// The row `pk` of the tokens table, if it is unexpired.
async fn get_unexpired(
    client: &Client,
    table: &str,
    pk: String,
    now: Timestamp,
) -> Result<Option<Item>, StoreError> {
    let Some(item) = get_row(client, table, pk).await? else { return Ok(None) };
    Ok(is_unexpired(&item, now)?.then_some(item))
}
