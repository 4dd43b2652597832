//! The transaction that completes a reset: delete the reset token, set the hash and the time of change, order the notice.

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

/// Another call consumed the token, or the account changed, after the token was checked.
#[derive(Debug, PartialEq, Eq)]
pub struct NoLongerLive;

/// Writes the transaction.
#[derive(Clone, Debug)]
pub struct Completion {
    client: Client,
    tokens_table: String,
    accounts: Accounts,
    orders: Orders,
}

impl Completion {
    /// Consumes tokens in `tokens_table` and sets passwords in `accounts`.
    #[must_use]
    pub fn new(client: Client, tokens_table: String, accounts: Accounts, orders: Orders) -> Self {
        Self { client, tokens_table, accounts, orders }
    }

    /// Consumes `reset` and sets `hash` as the password of `account`. The notice is in `language` unless the account has its own. Of
    /// concurrent calls for one account, exactly one succeeds, even if `DynamoDB`'s response to it was lost.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the outcome is unknown. The caller may retry with the same token.
    pub async fn complete(
        &self,
        reset: &StoredReset,
        account: &Account,
        hash: &PasswordHash,
        language: Option<Language>,
        now: Timestamp,
        random: &Random,
    ) -> Result<Result<(), NoLongerLive>, StoreError> {
        let consume = reset.consume(&self.tokens_table, now)?;
        let changed_at = account.next_changed_at(now, reset.issued_at);
        let set = self.accounts.set_password(account, hash, changed_at)?;
        let notice = self.orders.put_notice(account, changed_at, language, now, random)?;
        let writes = vec![
            TransactWriteItem::builder().delete(consume).build(),
            TransactWriteItem::builder().update(set).build(),
            TransactWriteItem::builder().put(notice).build(),
        ];
        // The salt is random: if this hash is stored, this call stored it.
        let verify = self.accounts.has_password(account, hash);
        match transact(&self.client, writes, random, verify).await? {
            Ok(()) => Ok(Ok(())),
            Err(cancellation) if cancellation.condition_failed(0) || cancellation.condition_failed(1) => {
                Ok(Err(NoLongerLive))
            }
            Err(cancellation) => Err(cancellation.into_error()),
        }
    }
}
