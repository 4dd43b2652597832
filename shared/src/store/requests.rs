//! Reset requests: *reset* opens them, *validate* counts each mail in them.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{ReturnValuesOnConditionCheckFailure, Update};

use super::asked::Asked;
use super::{
    Item, StoreError, get_unexpired, is_unexpired, number, number_attribute, string, string_attribute,
};
use crate::clock::Timestamp;
use crate::email::EmailAddress;
use crate::language::Languages;
use crate::token::{Digest, RequestToken};

/// A repeat within this many seconds after a mail succeeds but sends none, since clients may retry.
pub const RESEND_INTERVAL_SECONDS: u64 = 60;

/// Maximum number of mails for one request.
pub const MAX_MAILS: u64 = 3;

/// A stored, unexpired reset request.
#[derive(Clone, Debug)]
pub struct ResetRequest {
    digest: Digest,
    languages: Languages,
    /// The address that it was opened for. It may have no account.
    pub address: EmailAddress,
    /// What is known of the caller who opened it.
    pub asked: Asked,
    expires_at: u64,
    mails: u64,
    last_mail_at: Option<Timestamp>,
}

/// Whether another mail may be ordered for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MayMail {
    /// Yes.
    Yes,
    /// No: the last one was ordered less than [`RESEND_INTERVAL_SECONDS`] ago.
    JustMailed,
    /// No: [`MAX_MAILS`] were ordered.
    LimitReached {
        /// Seconds until the request expires.
        retry_after: u64,
    },
}

impl ResetRequest {
    /// Whether another mail may be sent at `now`.
    #[must_use]
    pub fn may_mail(&self, now: Timestamp) -> MayMail {
        match self.last_mail_at {
            Some(last) if now.since(last).as_secs() < RESEND_INTERVAL_SECONDS => MayMail::JustMailed,
            _ if self.mails >= MAX_MAILS => {
                MayMail::LimitReached { retry_after: self.expires_at.saturating_sub(now.as_seconds()).max(1) }
            }
            _ => MayMail::Yes,
        }
    }

    /// Counts one more mail in a transaction. The condition is the rule of [`Self::may_mail`]; if it fails, the cancellation has the row.
    pub(super) fn count_mail(&self, table: &str, now: Timestamp) -> Result<Update, StoreError> {
        let latest_allowed = now.as_millis().saturating_sub(RESEND_INTERVAL_SECONDS * 1000);
        Ok(Update::builder()
            .table_name(table)
            .key("pk", string(pk(&self.digest)))
            .update_expression("ADD mails :one SET last_mail_at = :now")
            .condition_expression(
                "expires_at > :now_s AND mails < :max AND (attribute_not_exists(last_mail_at) OR last_mail_at <= :latest)",
            )
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":max", number(MAX_MAILS))
            .expression_attribute_values(":latest", number(latest_allowed))
            .expression_attribute_values(":now", number(now.as_millis()))
            .expression_attribute_values(":now_s", number(now.as_seconds()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()?)
    }

    /// The request in the `row` that made the condition of [`Self::count_mail`] fail, unless it has expired.
    pub(super) fn reread(&self, row: Option<&Item>, now: Timestamp) -> Result<Option<Self>, StoreError> {
        match row {
            Some(row) if is_unexpired(row, now)? => {
                Self::from_item(self.digest.clone(), row, self.languages).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn from_item(digest: Digest, item: &Item, languages: Languages) -> Result<Self, StoreError> {
        Ok(Self {
            digest,
            languages,
            address: string_attribute(item, "address")?
                .parse()
                .map_err(|_| StoreError::invalid_row("a request row has a malformed address"))?,
            asked: Asked::from_item(item, languages),
            expires_at: number_attribute(item, "expires_at")?,
            mails: number_attribute(item, "mails")?,
            last_mail_at: number_attribute(item, "last_mail_at").ok().map(Timestamp::from_millis),
        })
    }
}

/// The reset requests in the tokens table.
#[derive(Clone, Debug)]
pub struct Requests {
    client: Client,
    table: String,
    lifetime_seconds: u64,
    languages: Languages,
}

impl Requests {
    /// Requests in `table` that live for `lifetime_seconds`.
    #[must_use]
    pub fn new(client: Client, table: String, lifetime_seconds: u64, languages: Languages) -> Self {
        Self { client, table, lifetime_seconds, languages }
    }

    /// Stores a request for `address`, whether or not it has an account.
    pub async fn open(
        &self,
        token: &RequestToken,
        address: &EmailAddress,
        asked: Asked,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("pk", string(pk(&token.0.digest())))
            .item("address", string(address.typed().unwrap_or(address.as_str())))
            .item("issued_at", number(now.as_millis()))
            .item("expires_at", number(now.plus_seconds(self.lifetime_seconds).as_seconds()))
            .item("mails", number(0));
        let put = asked.attributes().fold(put, |put, (name, value)| put.item(name, value));
        put.send().await.map(drop).map_err(|error| StoreError::from_sdk("PutItem", &error))
    }

    /// The request with `digest`, unless it is unknown or expired.
    pub async fn find(&self, digest: &Digest, now: Timestamp) -> Result<Option<ResetRequest>, StoreError> {
        let item = get_unexpired(&self.client, &self.table, pk(digest), now).await?;
        item.map(|item| ResetRequest::from_item(digest.clone(), &item, self.languages)).transpose()
    }
}

fn pk(digest: &Digest) -> String {
    format!("request#{}", digest.as_str())
}
