//! Reset requests: opened by *reset*, claimed by *validate* for each mail.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::Update;

use super::{Item, StoreError, number, number_of, string, text_of, unexpired};
use crate::clock::Timestamp;
use crate::email::EmailAddress;
use crate::language::Language;
use crate::token::{Digest, RequestToken};

/// Within so many seconds after a mail, a repeat sends none: a client may retry.
pub const QUIET_SECONDS: u64 = 60;

/// Mails that one request may order.
pub const MAX_MAILS: u64 = 3;

/// A stored, unexpired reset request.
#[derive(Clone, Debug)]
pub struct ResetRequest {
    digest: Digest,
    /// The address that it was opened for. Nobody knows whether it has an account.
    pub address: EmailAddress,
    /// When it was opened.
    pub issued_at: Timestamp,
    /// The language of the person who opened it, where it is known.
    pub language: Option<Language>,
    expires_at: u64,
    mails: u64,
    last_mail_at: Option<Timestamp>,
}

/// What another mail for a request would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// It may be sent.
    Due,
    /// One has just left.
    JustMailed,
    /// There were as many as there may be; the request expires in so many seconds.
    UsedUp {
        /// Seconds until a fresh request is no stranger than this one.
        retry_after: u64,
    },
}

impl ResetRequest {
    /// What the table knows of the request's token.
    #[must_use]
    pub const fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Whether another mail may leave at `now`.
    #[must_use]
    pub fn repeat(&self, now: Timestamp) -> Repeat {
        match self.last_mail_at {
            Some(last) if now.since(last).as_secs() < QUIET_SECONDS => Repeat::JustMailed,
            _ if self.mails >= MAX_MAILS => {
                Repeat::UsedUp { retry_after: self.expires_at.saturating_sub(now.as_seconds()).max(1) }
            }
            _ => Repeat::Due,
        }
    }

    /// Counts one more mail, as part of a transaction that fails if anybody else did so first.
    pub(super) fn count_mail(&self, table: &str, now: Timestamp) -> Result<Update, StoreError> {
        Ok(Update::builder()
            .table_name(table)
            .key("pk", string(pk(&self.digest)))
            .update_expression("SET mails = :next, last_mail_at = :now")
            .condition_expression("mails = :seen AND expires_at > :now_s")
            .expression_attribute_values(":seen", number(self.mails))
            .expression_attribute_values(":next", number(self.mails + 1))
            .expression_attribute_values(":now", number(now.as_millis()))
            .expression_attribute_values(":now_s", number(now.as_seconds()))
            .build()?)
    }

    fn from_item(digest: Digest, item: &Item) -> Result<Self, StoreError> {
        Ok(Self {
            digest,
            address: text_of(item, "address")?
                .parse()
                .map_err(|_| StoreError::new("read", "a request row's address is none"))?,
            issued_at: Timestamp::from_millis(number_of(item, "issued_at")?),
            language: text_of(item, "language").ok().and_then(|code| Language::from_code(&code)),
            expires_at: number_of(item, "expires_at")?,
            mails: number_of(item, "mails")?,
            last_mail_at: number_of(item, "last_mail_at").ok().map(Timestamp::from_millis),
        })
    }
}

/// The reset requests in the tokens table.
#[derive(Clone, Debug)]
pub struct Requests {
    client: Client,
    table: String,
    lifetime_seconds: u64,
}

impl Requests {
    /// Requests in `table` that live for `lifetime_seconds`.
    #[must_use]
    pub fn new(client: Client, table: String, lifetime_seconds: u64) -> Self {
        Self { client, table, lifetime_seconds }
    }

    /// Opens a request for `address`, whether or not it has an account, by a person who reads `language`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it could not be stored.
    pub async fn open(
        &self,
        token: &RequestToken,
        address: &EmailAddress,
        language: Option<Language>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("pk", string(pk(&token.0.digest())))
            .item("address", string(address.as_str()))
            .item("issued_at", number(now.as_millis()))
            .item("expires_at", number(now.plus_seconds(self.lifetime_seconds).as_seconds()))
            .item("mails", number(0));
        if let Some(language) = language {
            put = put.item("language", string(language.code()));
        }
        put.send().await.map(drop).map_err(|error| StoreError::from_sdk("PutItem", &error))
    }

    /// The request under `digest`, unless it is unknown or expired.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it could not be read.
    pub async fn find(&self, digest: &Digest, now: Timestamp) -> Result<Option<ResetRequest>, StoreError> {
        let item = unexpired(&self.client, &self.table, pk(digest), now).await?;
        item.map(|item| ResetRequest::from_item(digest.clone(), &item)).transpose()
    }
}

fn pk(digest: &Digest) -> String {
    format!("request#{}", digest.as_str())
}
