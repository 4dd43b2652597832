//! Reset tokens: stored by the mail function for every mail, and only for accounts that exist.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::Delete;

use super::accounts::{Account, SeenAccount};
use super::{Item, StoreError, number, number_of, string, text_of, unexpired};
use crate::clock::Timestamp;
use crate::token::{Digest, ResetToken};

/// A stored, unexpired reset token. Whether it is live depends on its account too.
#[derive(Clone)]
pub struct StoredReset {
    digest: Digest,
    /// The account as it was when the token was issued.
    pub account: SeenAccount,
    /// When it was issued.
    pub issued_at: Timestamp,
}

impl StoredReset {
    /// Consumes the token, as part of a transaction that fails if somebody has done so.
    pub(super) fn consume(&self, table: &str, now: Timestamp) -> Result<Delete, StoreError> {
        Ok(Delete::builder()
            .table_name(table)
            .key("pk", string(pk(&self.digest)))
            .condition_expression("attribute_exists(pk) AND expires_at > :now_s")
            .expression_attribute_values(":now_s", number(now.as_seconds()))
            .build()?)
    }

    fn from_item(digest: Digest, item: &Item) -> Result<Self, StoreError> {
        let key = item.get("account").cloned();
        Ok(Self {
            digest,
            account: SeenAccount {
                key: key.ok_or_else(|| StoreError::new("read", "a reset row has no account"))?,
                address: text_of(item, "address")?,
                changed_at: item.get("changed_at").cloned(),
            },
            issued_at: Timestamp::from_millis(number_of(item, "issued_at")?),
        })
    }
}

/// The reset tokens in the tokens table.
#[derive(Clone, Debug)]
pub struct Resets {
    client: Client,
    table: String,
    lifetime_seconds: u64,
}

impl Resets {
    /// Reset tokens in `table` that live for `lifetime_seconds`.
    #[must_use]
    pub fn new(client: Client, table: String, lifetime_seconds: u64) -> Self {
        Self { client, table, lifetime_seconds }
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

    /// Stores `token` for `account` as it is now.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it could not be stored.
    pub async fn issue(
        &self,
        token: &ResetToken,
        account: &Account,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let SeenAccount { key, address, changed_at } = account.seen.clone();
        let mut put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("pk", string(pk(&token.0.digest())))
            .item("account", key)
            .item("address", string(address))
            .item("issued_at", number(account.issue_time(now).as_millis()))
            .item("expires_at", number(now.plus_seconds(self.lifetime_seconds).as_seconds()));
        if let Some(changed_at) = changed_at {
            put = put.item("changed_at", changed_at);
        }
        put.send().await.map(drop).map_err(|error| StoreError::from_sdk("PutItem", &error))
    }
}

fn pk(digest: &Digest) -> String {
    format!("reset#{}", digest.as_str())
}
