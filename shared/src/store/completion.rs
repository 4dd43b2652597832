//! The transaction that completes a reset: delete the reset token, set the hash and the time of change, order the notice.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::TransactWriteItem;

use super::StoreError;
use super::accounts::{Account, Accounts};
use super::asked::Asked;
use super::orders::Orders;
use super::resets::StoredReset;
use super::transaction::{Transacted, transact};
use crate::clock::Timestamp;
use crate::password::hash::PasswordHash;
use crate::random::Random;

/// The outcome of a completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completed {
    /// The password is set.
    PasswordSet,
    /// Another call consumed the token, or the account changed, after the token was checked.
    NoLongerLive,
}

/// The writes of the transaction.
#[derive(Clone, Copy, PartialEq)]
enum Write {
    Token,
    Account,
    Notice,
}

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

    /// Consumes `reset` and sets `hash` as the password of `account`. `asked` is the caller: the notice says from where, and is in
    /// their language unless the account has its own. Of
    /// concurrent calls for one account, exactly one succeeds, even if `DynamoDB`'s response to it was lost.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the outcome is unknown. The caller may retry with the same token.
    pub async fn run(
        &self,
        reset: &StoredReset,
        account: &Account,
        hash: &PasswordHash,
        asked: Asked,
        now: Timestamp,
        random: &Random,
    ) -> Result<Completed, StoreError> {
        let consume = reset.consume(&self.tokens_table, now)?;
        let change = account.next_changed_at(now, reset.issued_at);
        let set = self.accounts.set_password(account, hash, &change)?;
        let notice = self.orders.put_notice(account, &change.to_text(), asked, now, random)?;
        let writes = vec![
            (Write::Token, TransactWriteItem::builder().delete(consume).build()),
            (Write::Account, TransactWriteItem::builder().update(set).build()),
            (Write::Notice, TransactWriteItem::builder().put(notice).build()),
        ];
        // The salt is random: if this hash is stored, this call stored it.
        let verify = self.accounts.has_password(account, hash);
        match transact(&self.client, writes, random, verify).await? {
            Transacted::Applied => Ok(Completed::PasswordSet),
            Transacted::Cancelled(cancellation)
                if [Write::Token, Write::Account]
                    .iter()
                    .any(|write| cancellation.condition_failed(*write)) =>
            {
                Ok(Completed::NoLongerLive)
            }
            Transacted::Cancelled(cancellation) => Err(cancellation.into_error()),
        }
    }
}
