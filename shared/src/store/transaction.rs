//! Transactions, seen through: repeated while they meet others, and believed only after a look where their answer was lost.

use std::future::Future;
use std::time::Duration;

use aws_sdk_dynamodb::config::Builder;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::TransactWriteItem;
use aws_sdk_dynamodb::{Client, Config};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::{Item, StoreError};
use crate::aws::dynamodb_timeouts;
use crate::random::Random;

const OPERATION: &str = "TransactWriteItems";

/// Tries of a transaction that meets another one on the same item.
const CONFLICT_ATTEMPTS: u32 = 6;

/// How long a transaction whose answer is lost is asked for again, under one idempotency token. A repeat more than five seconds after
/// the first one has `DynamoDB` finish it (API reference, `TransactionInProgressException`); a shorter wait could say "not done" of what
/// is done a moment later.
const SEEN_THROUGH: Duration = Duration::from_secs(7);

/// Does all of `writes`, or none of them and says why. `verify` looks whether they are done: it is asked where the answer was lost, and
/// where an earlier try of this very call may be what the conditions of the next one met.
///
/// # Errors
///
/// [`StoreError`] if `DynamoDB` did not say in time, and a look shows nothing.
pub(super) async fn transact(
    client: &Client,
    writes: Vec<TransactWriteItem>,
    random: &Random,
    verify: impl Future<Output = Result<bool, StoreError>>,
) -> Result<Result<(), Cancellation>, StoreError> {
    // One for all tries: what an earlier one did is then no second time done, nor refused. Drawn here since the SDK would take one
    // from a generator that it seeds in the process.
    let idempotency_token = BASE64_URL_SAFE_NO_PAD.encode(random.bytes::<24>()?);
    for attempt in 1.. {
        let call = client.transact_write_items().set_transact_items(Some(writes.clone()));
        let call = call.client_request_token(&idempotency_token);
        let Err(error) = call.customize().config_override(patience()).send().await else { break };
        let Some(cancellation) = Cancellation::of(&error) else {
            let error = StoreError::from_sdk(OPERATION, &error);
            return if verify.await.unwrap_or(false) { Ok(Ok(())) } else { Err(error) };
        };
        // Before anything else: beside a conflict, the other reasons are not the whole truth.
        if cancellation.is_passing() {
            if attempt == CONFLICT_ATTEMPTS {
                return Err(cancellation.into_error());
            }
            back_off(attempt, random).await;
            continue;
        }
        let done = attempt > 1 && verify.await?;
        return Ok(if done { Ok(()) } else { Err(cancellation) });
    }
    Ok(Ok(()))
}

/// The SDK repeats under one idempotency token until the time is up, and not just thrice.
fn patience() -> Builder {
    let retries = RetryConfig::standard()
        .with_max_attempts(20)
        .with_initial_backoff(Duration::from_millis(50))
        .with_max_backoff(Duration::from_secs(1));
    Config::builder().retry_config(retries).timeout_config(dynamodb_timeouts(SEEN_THROUGH))
}

/// Why a transaction was cancelled, one entry an item: the code, and the item as it was where the write asked for that.
pub(super) struct Cancellation(Vec<(String, Option<Item>)>);

impl Cancellation {
    /// The reasons in `error`, if it is a cancellation.
    fn of<R>(error: &SdkError<TransactWriteItemsError, R>) -> Option<Self> {
        let TransactWriteItemsError::TransactionCanceledException(cancelled) = error.as_service_error()?
        else {
            return None;
        };
        let reasons = cancelled.cancellation_reasons().iter();
        Some(Self(
            reasons
                .map(|reason| (reason.code().unwrap_or("None").to_owned(), reason.item().cloned()))
                .collect(),
        ))
    }

    /// Whether the condition of the item at `index` did not hold.
    pub(super) fn condition_failed(&self, index: usize) -> bool {
        self.0.get(index).is_some_and(|(code, _)| code == "ConditionalCheckFailed")
    }

    /// The item at `index` as it was when its condition did not hold.
    pub(super) fn item(&self, index: usize) -> Option<&Item> {
        self.0.get(index)?.1.as_ref()
    }

    /// Whether another write was under way, or capacity short: the same call may succeed in a moment.
    fn is_passing(&self) -> bool {
        self.0.iter().any(|(code, _)| {
            ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"]
                .contains(&code.as_str())
        })
    }

    pub(super) fn into_error(self) -> StoreError {
        let codes: Vec<&str> = self.0.iter().map(|(code, _)| code.as_str()).collect();
        StoreError::new(OPERATION, format!("transaction cancelled: {}", codes.join(", ")))
    }
}

/// Waits a little longer each time, and as long as chance wants, so that those who collided once part ways.
async fn back_off(attempt: u32, random: &Random) {
    let [jitter] = random.bytes().unwrap_or([128]);
    let millis = u64::from(attempt) * 20 + u64::from(jitter) / 4;
    tokio::time::sleep(Duration::from_millis(millis)).await;
}
