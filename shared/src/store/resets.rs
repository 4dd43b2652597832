//! Reset tokens: stored for every mail that is asked for, whether or not the address has an account.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem};

use super::accounts::Account;
use super::limits::{Counter, Limits, Throttled};
use super::requests::ResetRequest;
use super::transaction::{Cancellation, transact};
use super::{Item, StoreError, number, number_of, string, text_of, unexpired};
use crate::clock::Timestamp;
use crate::email::EmailAddress;
use crate::random::Random;
use crate::token::{Digest, ResetToken};

/// A stored, unexpired reset token. Whether it is live depends on its account too.
#[derive(Clone, Debug)]
pub struct StoredReset {
    digest: Digest,
    /// The account's key, as the accounts table has it.
    pub(super) account_key: AttributeValue,
    /// The account's address when the mail was asked for.
    pub(super) address: String,
    /// When it was issued.
    pub issued_at: Timestamp,
}

impl StoredReset {
    /// Consumes the token, as part of a transaction that fails if somebody has done so.
    pub(super) fn consume(&self, table: &str, now: Timestamp) -> Result<Delete, StoreError> {
        Delete::builder()
            .table_name(table)
            .key("pk", string(pk(&self.digest)))
            .condition_expression("attribute_exists(pk) AND expires_at > :now_s")
            .expression_attribute_values(":now_s", number(now.as_seconds()))
            .build()
            .map_err(|error| StoreError::new("Delete", error.to_string()))
    }

    fn from_item(digest: Digest, item: &Item) -> Result<Self, StoreError> {
        Ok(Self {
            digest,
            account_key: item
                .get("account")
                .cloned()
                .ok_or_else(|| StoreError::new("read", "a reset row has no account"))?,
            address: text_of(item, "address")?,
            issued_at: Timestamp::from_millis(number_of(item, "issued_at")?),
        })
    }
}

/// Why no reset token was issued.
#[derive(Debug)]
pub enum NotIssued {
    /// Another call of the same request was faster; read the request again.
    Overtaken,
    /// The address had enough mails.
    Throttled(Throttled),
}

/// The reset tokens in the tokens table.
#[derive(Clone, Debug)]
pub struct Resets {
    client: Client,
    table: String,
    lifetime_seconds: u64,
    limits: Limits,
}

impl Resets {
    /// Reset tokens in `table` that live for `lifetime_seconds`, issued as often as `limits` allow.
    #[must_use]
    pub fn new(client: Client, table: String, lifetime_seconds: u64, limits: Limits) -> Self {
        Self { client, table, lifetime_seconds, limits }
    }

    /// The token under `digest`, unless it is unknown, used or expired.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it could not be read.
    pub async fn find(&self, digest: &Digest, now: Timestamp) -> Result<Option<StoredReset>, StoreError> {
        let item = unexpired(&self.client, &self.table, pk(digest), now).await?;
        item.map(|item| StoredReset::from_item(digest.clone(), &item)).transpose()
    }

    /// Stores `token`, counts the mail against its address and, where it answers a `request`, against that: all in one
    /// transaction, so that a failure leaves no limit used up and no mail half-claimed. The same writes happen
    /// where `account` is `None`; that token is for nobody.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it could not be stored.
    pub async fn issue(
        &self,
        token: &ResetToken,
        address: &EmailAddress,
        account: Option<&Account>,
        request: Option<&ResetRequest>,
        now: Timestamp,
        random: &Random,
    ) -> Result<Result<(), NotIssued>, StoreError> {
        let counters = self.limits.mail_counters(address.as_str(), now);
        let row = self.row(token, address, account, now)?;
        let mut writes = vec![TransactWriteItem::builder().put(row).build()];
        for counter in &counters {
            writes.push(TransactWriteItem::builder().update(counter.hit_below_limit(&self.table)?).build());
        }
        if let Some(request) = request {
            writes.push(TransactWriteItem::builder().update(request.claim_mail(&self.table, now)?).build());
        }
        // A token that is stored was claimed, and its mail must leave.
        let digest = token.0.digest();
        let was_done = async { Ok(self.find(&digest, now).await?.is_some()) };
        match transact(&self.client, writes, random, was_done).await? {
            Ok(()) => Ok(Ok(())),
            Err(cancellation) => why_not(&cancellation, &counters, now)
                .map_or_else(|| Err(cancellation.into_error()), |reason| Ok(Err(reason))),
        }
    }

    fn row(
        &self,
        token: &ResetToken,
        address: &EmailAddress,
        account: Option<&Account>,
        now: Timestamp,
    ) -> Result<Put, StoreError> {
        let nobody = string(address.as_str());
        Put::builder()
            .table_name(&self.table)
            .item("pk", string(pk(&token.0.digest())))
            .item("account", account.map_or(nobody, |account| account.key.clone()))
            .item("address", string(account.map_or(address.as_str(), |account| account.address.as_str())))
            .item("issued_at", number(now.as_millis()))
            .item("expires_at", number(now.plus_seconds(self.lifetime_seconds).as_seconds()))
            .build()
            .map_err(|error| StoreError::new("Put", error.to_string()))
    }
}

/// The order of the writes: the row, a counter each, the request's claim. Whoever was overtaken is told so before
/// he is told that he is throttled: the winner's mail is the one that used the limit up.
fn why_not(cancellation: &Cancellation, counters: &[Counter], now: Timestamp) -> Option<NotIssued> {
    if cancellation.condition_failed(counters.len() + 1) {
        return Some(NotIssued::Overtaken);
    }
    let throttled = counters.iter().enumerate().filter(|(index, _)| cancellation.condition_failed(index + 1));
    let longest =
        throttled.map(|(_, counter)| counter.throttled(now)).max_by_key(|throttled| throttled.retry_after);
    longest.map(NotIssued::Throttled)
}

fn pk(digest: &Digest) -> String {
    format!("reset#{}", digest.as_str())
}
