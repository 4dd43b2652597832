//! The one write that matters: consume the reset token, set the hash and the time of change, order the notice. All or nothing.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::TransactWriteItem;

use super::StoreError;
use super::accounts::{Account, Accounts};
use super::orders::Orders;
use super::resets::StoredReset;
use super::transaction::transact;
use crate::clock::Timestamp;
use crate::language::Language;
use crate::password::hash::PasswordHash;
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
    orders: Orders,
}

impl Completion {
    /// Completions of the tokens in `tokens_table` for `accounts`.
    #[must_use]
    pub fn new(client: Client, tokens_table: String, accounts: Accounts, orders: Orders) -> Self {
        Self { client, tokens_table, accounts, orders }
    }

    /// Spends `reset` on setting `hash` as the password of `account`, for a person who reads `language`. Of any number of concurrent calls for one
    /// account, exactly one wins; and a win whose answer was lost is still a win.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if `DynamoDB` did not say; then the token may be tried again.
    pub async fn complete(
        &self,
        reset: &StoredReset,
        account: &Account,
        hash: &PasswordHash,
        language: Option<Language>,
        now: Timestamp,
        random: &Random,
    ) -> Result<Result<(), Lost>, StoreError> {
        let consume = reset.consume(&self.tokens_table, now)?;
        let changed_at = account.next_change(now, reset.issued_at);
        let set = self.accounts.set_password(account, hash, changed_at)?;
        let notice = self.orders.put_notice(account, changed_at, language, now, random)?;
        let writes = vec![
            TransactWriteItem::builder().delete(consume).build(),
            TransactWriteItem::builder().update(set).build(),
            TransactWriteItem::builder().put(notice).build(),
        ];
        // The salt makes this hash nobody else's.
        let verify = self.accounts.has_password(account, hash);
        match transact(&self.client, writes, random, verify).await? {
            Ok(()) => Ok(Ok(())),
            Err(cancellation) if cancellation.condition_failed(0) || cancellation.condition_failed(1) => {
                Ok(Err(Lost))
            }
            Err(cancellation) => Err(cancellation.into_error()),
        }
    }
}
