//! The one write that matters: consume the reset token, set the hash, set the time of change. All or nothing.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::TransactWriteItem;

use super::accounts::{Account, Accounts};
use super::resets::StoredReset;
use super::{CONFLICT_ATTEMPTS, Cancellation, StoreError, back_off};
use crate::clock::Timestamp;
use crate::password_hash::PasswordHash;
use crate::random::Random;

/// The token was consumed, or died, since it was found live: another call won.
#[derive(Debug, PartialEq, Eq)]
pub struct Lost;

/// Writes completions.
#[derive(Clone, Debug)]
pub struct Completion {
    client: Client,
    tokens_table: String,
    accounts: Accounts,
}

impl Completion {
    /// Completions of the tokens in `tokens_table` for `accounts`.
    #[must_use]
    pub fn new(client: Client, tokens_table: String, accounts: Accounts) -> Self {
        Self { client, tokens_table, accounts }
    }

    /// Spends `reset` on setting `hash` as the password of `account`. Of any number of concurrent calls for one
    /// account, exactly one wins. The SDK's retries carry one idempotency token, so a win whose answer was lost is
    /// still a win.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if `DynamoDB` did not say; then the token may be tried again.
    pub async fn complete(
        &self,
        reset: &StoredReset,
        account: &Account,
        hash: &PasswordHash,
        now: Timestamp,
        random: &Random,
    ) -> Result<Result<(), Lost>, StoreError> {
        let consume = reset.consume(&self.tokens_table, now)?;
        let set = self.accounts.set_password(account, reset, hash, now)?;
        let writes = vec![
            TransactWriteItem::builder().delete(consume).build(),
            TransactWriteItem::builder().update(set).build(),
        ];
        for attempt in 1.. {
            let outcome =
                self.client.transact_write_items().set_transact_items(Some(writes.clone())).send().await;
            let Err(error) = outcome else { break };
            let Some(cancellation) = Cancellation::of(&error) else {
                let error = StoreError::from_sdk("TransactWriteItems", &error);
                // Perhaps only the answer was lost. The salt makes this hash nobody else's.
                let won = self.accounts.has_password(account, hash).await.unwrap_or(false);
                return if won { Ok(Ok(())) } else { Err(error) };
            };
            if cancellation.condition_failed(0) || cancellation.condition_failed(1) {
                // An earlier attempt of this very call may have won, its answer lost and its repeat in conflict with it.
                let won = attempt > 1 && self.accounts.has_password(account, hash).await?;
                return Ok(if won { Ok(()) } else { Err(Lost) });
            }
            if !cancellation.is_passing() || attempt == CONFLICT_ATTEMPTS {
                return Err(cancellation.into_error("TransactWriteItems"));
            }
            back_off(attempt, random).await;
        }
        Ok(Ok(()))
    }
}
