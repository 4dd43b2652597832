//! Reset tokens. The mail function stores one for each mail, only for accounts that exist.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::Delete;

use super::accounts::{Account, AccountKey, AccountSnapshot};
use super::{Item, StoreError, get_unexpired, number, number_attribute, string, string_attribute};
use crate::clock::Timestamp;
use crate::token::{Digest, ResetToken};

/// A stored, unexpired reset token. It is live if its account is unchanged too.
#[derive(Clone)]
pub struct StoredReset {
    digest: Digest,
    /// The account as it was when the token was issued.
    pub account: AccountSnapshot,
    /// When it was issued.
    pub issued_at: Timestamp,
}

impl StoredReset {
    /// Deletes the token in a transaction. The condition fails if another call has consumed it, or it has expired.
    pub(super) fn consume(&self, table: &str, now: Timestamp) -> Result<Delete, StoreError> {
        Ok(Delete::builder()
            .table_name(table)
            .key("pk", string(pk(&self.digest)))
            // Also false if the row does not exist: a comparison with a missing attribute is false.
            .condition_expression("expires_at > :now_s")
            .expression_attribute_values(":now_s", number(now.as_seconds()))
            .build()?)
    }

    fn from_item(digest: Digest, item: &Item) -> Result<Self, StoreError> {
        Ok(Self {
            digest,
            account: AccountSnapshot {
                key: AccountKey::from_item(item)
                    .ok_or_else(|| StoreError::invalid_row("a reset row has no account"))?,
                address: string_attribute(item, "address")?,
                changed_at: item.get("changed_at").cloned(),
            },
            issued_at: Timestamp::from_millis(number_attribute(item, "issued_at")?),
        })
    }
}

/// The reset tokens in the tokens table.
#[derive(Clone, Debug)]
pub struct Resets {
    client: Client,
    table: String,
}

impl Resets {
    /// Reset tokens in `table`.
    #[must_use]
    pub const fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// The token with `digest`, unless it is unknown, used or expired.
    pub async fn find(&self, digest: &Digest, now: Timestamp) -> Result<Option<StoredReset>, StoreError> {
        let item = get_unexpired(&self.client, &self.table, pk(digest), now).await?;
        item.map(|item| StoredReset::from_item(digest.clone(), &item)).transpose()
    }

    /// Stores `token`, which lives for `lifetime_seconds`, with a snapshot of `account`.
    pub async fn issue(
        &self,
        token: &ResetToken,
        account: &Account,
        lifetime_seconds: u64,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let AccountSnapshot { key, address, changed_at } = account.snapshot.clone();
        let mut put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("pk", string(pk(&token.0.digest())))
            .item("address", string(address))
            .item("issued_at", number(account.issue_time(now).as_millis()))
            .item("expires_at", number(now.plus_seconds(lifetime_seconds).as_seconds()));
        for (name, value) in key.attributes().chain(changed_at.map(|changed_at| ("changed_at", changed_at))) {
            put = put.item(name, value);
        }
        put.send().await.map(drop).map_err(|error| StoreError::from_sdk("PutItem", &error))
    }
}

fn pk(digest: &Digest) -> String {
    format!("reset#{}", digest.as_str())
}
