//! Retries a transaction until its outcome is known.

use std::future::Future;
use std::time::Duration;

use aws_sdk_dynamodb::config::Builder;
use aws_sdk_dynamodb::config::retry::{RetryConfig, RetryPartition, TokenBucket};
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

/// Attempts of a transaction that conflicts with another one on the same item, or is throttled.
const CONFLICT_ATTEMPTS: u32 = 6;

/// How long the SDK retries a transaction without a response, under one idempotency token. A retry more than five seconds after the first
/// attempt makes `DynamoDB` finish it (API reference, `TransactionInProgressException`). With a shorter timeout, a transaction could
/// be reported as failed and succeed a moment later.
const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(7);

/// The outcome of a transaction, whose writes have the names `N`.
pub(super) enum Transacted<N> {
    /// All writes are done.
    Applied,
    /// None is.
    Cancelled(Cancellation<N>),
}

/// Applies all of `writes`, or none and returns the reasons. `verify` checks whether they were applied. It is called if no response came,
/// and if conditions fail on a retry: an earlier attempt of the same call may have changed the items.
///
/// # Errors
///
/// [`StoreError`] if there was no response in time and `verify` does not find the writes.
pub(super) async fn transact<N: Copy + PartialEq>(
    client: &Client,
    writes: Vec<(N, TransactWriteItem)>,
    random: &Random,
    verify: impl Future<Output = Result<bool, StoreError>>,
) -> Result<Transacted<N>, StoreError> {
    let (names, writes): (Vec<N>, Vec<TransactWriteItem>) = writes.into_iter().unzip();
    // The same for all attempts, so that DynamoDB applies the transaction once. Generated here because the SDK would use a generator
    // that it seeds in the process.
    let idempotency_token = BASE64_URL_SAFE_NO_PAD.encode(random.bytes::<24>()?);
    for attempt in 1.. {
        let call = client.transact_write_items().set_transact_items(Some(writes.clone()));
        let call = call.client_request_token(&idempotency_token);
        let Err(error) = call.customize().config_override(retry_config()).send().await else { break };
        let Some(cancellation) = Cancellation::from_error(&names, &error) else {
            let error = StoreError::from_sdk(OPERATION, &error);
            return if verify.await.unwrap_or(false) { Ok(Transacted::Applied) } else { Err(error) };
        };
        // Checked first: next to a conflict, the other reasons are incomplete.
        if cancellation.is_retryable() {
            if attempt == CONFLICT_ATTEMPTS {
                return Err(cancellation.into_error());
            }
            back_off(attempt, random).await;
            continue;
        }
        let done = attempt > 1 && verify.await?;
        return Ok(if done { Transacted::Applied } else { Transacted::Cancelled(cancellation) });
    }
    Ok(Transacted::Applied)
}

/// The SDK retries until [`TRANSACTION_TIMEOUT`], instead of three times, and without the retry quota that it shares between all calls of a
/// process: a few transactions without a response would use that up.
fn retry_config() -> Builder {
    let retries = RetryConfig::standard()
        .with_max_attempts(20)
        .with_initial_backoff(Duration::from_millis(50))
        .with_max_backoff(Duration::from_secs(1));
    let partition = RetryPartition::custom("transactions").token_bucket(TokenBucket::unlimited()).build();
    Config::builder()
        .retry_config(retries)
        .retry_partition(partition)
        .timeout_config(dynamodb_timeouts(TRANSACTION_TIMEOUT))
}

/// Why a transaction was cancelled. One entry per write: its name, the code, and the item as it was, if the write asked for it.
pub(super) struct Cancellation<N>(Vec<(N, String, Option<Item>)>);

impl<N: Copy + PartialEq> Cancellation<N> {
    /// The reasons in `error`, if it is a cancellation. `DynamoDB` lists them in the order of the writes.
    fn from_error<R>(names: &[N], error: &SdkError<TransactWriteItemsError, R>) -> Option<Self> {
        let TransactWriteItemsError::TransactionCanceledException(cancelled) = error.as_service_error()?
        else {
            return None;
        };
        let reasons = names.iter().zip(cancelled.cancellation_reasons());
        Some(Self(
            reasons
                .map(|(name, reason)| {
                    (*name, reason.code().unwrap_or("None").to_owned(), reason.item().cloned())
                })
                .collect(),
        ))
    }

    /// Whether the condition of `write` failed.
    pub(super) fn condition_failed(&self, write: N) -> bool {
        self.0.iter().any(|(name, code, _)| *name == write && code == "ConditionalCheckFailed")
    }

    /// The item of `write` as it was when its condition failed.
    pub(super) fn item(&self, write: N) -> Option<&Item> {
        self.0.iter().find(|(name, ..)| *name == write)?.2.as_ref()
    }

    /// Whether the transaction conflicted with another write or was throttled, so that a retry may succeed.
    fn is_retryable(&self) -> bool {
        self.0.iter().any(|(_, code, _)| {
            ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"]
                .contains(&code.as_str())
        })
    }

    pub(super) fn into_error(self) -> StoreError {
        let codes: Vec<&str> = self.0.iter().map(|(_, code, _)| code.as_str()).collect();
        StoreError::unavailable(OPERATION, format!("transaction cancelled: {}", codes.join(", ")))
    }
}

/// Waits longer with each attempt, with jitter, so that calls that conflicted do not conflict again.
async fn back_off(attempt: u32, random: &Random) {
    let [jitter] = random.bytes().unwrap_or([128]);
    let millis = u64::from(attempt) * 20 + u64::from(jitter) / 4;
    tokio::time::sleep(Duration::from_millis(millis)).await;
}
