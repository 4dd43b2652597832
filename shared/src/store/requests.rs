//! Reset requests: *reset* opens them, *validate* counts each mail in them.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::Update;

use super::{Item, StoreError, get_unexpired, number, number_attribute, string, string_attribute};
use crate::clock::Timestamp;
use crate::email::EmailAddress;
use crate::language::Language;
use crate::token::{Digest, RequestToken};

/// A repeat within this many seconds after a mail succeeds but sends none, since clients may retry.
pub const RESEND_INTERVAL_SECONDS: u64 = 60;

/// Maximum number of mails for one request.
pub const MAX_MAILS: u64 = 3;

/// A stored, unexpired reset request.
#[derive(Clone, Debug)]
pub struct ResetRequest {
    digest: Digest,
    /// The address that it was opened for. It may have no account.
    pub address: EmailAddress,
    /// When it was opened.
    pub issued_at: Timestamp,
    /// The language of the person who opened it, if known.
    pub language: Option<Language>,
    expires_at: u64,
    mails: u64,
    last_mail_at: Option<Timestamp>,
}

/// Whether another mail may be sent for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Yes.
    Due,
    /// No: the last one was ordered less than [`RESEND_INTERVAL_SECONDS`] ago.
    JustMailed,
    /// No: [`MAX_MAILS`] were ordered.
    LimitReached {
        /// Seconds until the request expires.
        retry_after: u64,
    },
}

impl ResetRequest {
    /// The digest of the request's token.
    #[must_use]
    pub const fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Whether another mail may be sent at `now`.
    #[must_use]
    pub fn repeat(&self, now: Timestamp) -> Repeat {
        match self.last_mail_at {
            Some(last) if now.since(last).as_secs() < RESEND_INTERVAL_SECONDS => Repeat::JustMailed,
            _ if self.mails >= MAX_MAILS => {
                Repeat::LimitReached { retry_after: self.expires_at.saturating_sub(now.as_seconds()).max(1) }
            }
            _ => Repeat::Due,
        }
    }

    /// Counts one more mail in a transaction. The condition fails if another call has counted one since the request was read.
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
            address: string_attribute(item, "address")?
                .parse()
                .map_err(|_| StoreError::new("read", "a request row has a malformed address"))?,
            issued_at: Timestamp::from_millis(number_attribute(item, "issued_at")?),
            language: string_attribute(item, "language").ok().and_then(|code| Language::from_code(&code)),
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
}

impl Requests {
    /// Requests in `table` that live for `lifetime_seconds`.
    #[must_use]
    pub fn new(client: Client, table: String, lifetime_seconds: u64) -> Self {
        Self { client, table, lifetime_seconds }
    }

    /// Stores a request for `address`, whether or not it has an account.
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

    /// The request with `digest`, unless it is unknown or expired.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it could not be read.
    pub async fn find(&self, digest: &Digest, now: Timestamp) -> Result<Option<ResetRequest>, StoreError> {
        let item = get_unexpired(&self.client, &self.table, pk(digest), now).await?;
        item.map(|item| ResetRequest::from_item(digest.clone(), &item)).transpose()
    }
}

fn pk(digest: &Digest) -> String {
    format!("request#{}", digest.as_str())
}
