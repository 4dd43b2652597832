//! The outbox: orders for mails. An order is written in the same transaction as the change that causes it. The table's stream delivers it
//! to the mail function, which claims it, sends the mail and stores the outcome. An order never holds a token.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::ProvideErrorMetadata as _;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_dynamo::AttributeValue as StreamValue;

use super::accounts::Account;
use super::limits::{Limits, MailCounter, Throttled};
use super::requests::ResetRequest;
use super::transaction::{Cancellation, transact};
use super::{StoreError, get_row, get_unexpired, is_unexpired, number, string};
use crate::clock::Timestamp;
use crate::email::EmailAddress;
use crate::language::Language;
use crate::mail::{LinkBase, MailKind};
use crate::random::{Random, RandomError};

/// Prefix of the keys of orders. The filter of the event source mapping in the SAM template has it too.
const PREFIX: &str = "order#";

/// How long a claim lasts, in seconds. Longer than its holder takes to finish: at most 4 s each to claim, to store the token, for SES, for
/// the dead letter and to store the outcome. If the holder is killed, the mail is delayed by up to this time.
const CLAIM_SECONDS: u64 = 30;

/// How long a mail may be sent after its order, in seconds. The stream keeps its records for 24 hours, and Lambda gives them up
/// an hour earlier: before that, the mail function itself reports the mail as failed.
const MAX_ORDER_SECONDS: u64 = 22 * 3600;

/// The id of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderId(String);

impl OrderId {
    fn generate(random: &Random) -> Result<Self, RandomError> {
        Ok(Self(BASE64_URL_SAFE_NO_PAD.encode(random.bytes::<16>()?)))
    }

    /// The id, for the log. It is no secret.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn pk(&self) -> String {
        format!("{PREFIX}{}", self.0)
    }
}

/// An order from the stream. Holds an address, so it has no `Debug`.
#[derive(Clone)]
pub struct Order {
    /// The id.
    pub id: OrderId,
    /// Which mail.
    pub kind: MailKind,
    /// For a reset: the address in the request. For a notice: the account's address.
    pub address: String,
    /// When the reset request was opened, if there is one.
    pub requested_at: Option<Timestamp>,
    /// The link's base, unless `RESET_LINK` is set.
    pub link: Option<LinkBase>,
    /// The language of the caller, if known.
    pub language: Option<Language>,
    /// For a notice: the account's key.
    pub account: Option<AttributeValue>,
    /// When it was created.
    pub ordered_at: Timestamp,
    /// In seconds since the epoch.
    expires_at: u64,
}

impl Order {
    /// Whether a stream record with these `keys` is an order's.
    #[must_use]
    pub fn has_keys(keys: &HashMap<String, StreamValue>) -> bool {
        matches!(keys.get("pk"), Some(StreamValue::S(pk)) if pk.starts_with(PREFIX))
    }

    /// The order in the new `image` of a stream record. `None` if it is malformed.
    #[must_use]
    pub fn from_image(image: &HashMap<String, StreamValue>) -> Option<Self> {
        let text = |name: &str| match image.get(name) {
            Some(StreamValue::S(text)) => Some(text.clone()),
            _ => None,
        };
        let integer = |name: &str| match image.get(name) {
            Some(StreamValue::N(number)) => number.parse().ok(),
            _ => None,
        };
        Some(Self {
            id: OrderId(text("pk")?.strip_prefix(PREFIX)?.to_owned()),
            kind: MailKind::from_name(&text("kind")?)?,
            address: text("address")?,
            requested_at: integer("requested_at").map(Timestamp::from_millis),
            link: text("link").map(LinkBase::from_text),
            language: text("language").and_then(|code| Language::from_code(&code)),
            account: image.get("account").and_then(table_key),
            ordered_at: Timestamp::from_millis(integer("ordered_at")?),
            expires_at: integer("expires_at")?,
        })
    }

    /// Whether it is too late to send the mail.
    #[must_use]
    pub const fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at <= now.as_seconds()
    }
}

/// An order for a reset mail that is not stored yet.
#[derive(Clone, Copy)]
pub struct NewOrder<'a> {
    /// The address in the request.
    pub address: &'a EmailAddress,
    /// The reset request, if there is one.
    pub request: Option<&'a ResetRequest>,
    /// The link's base, unless `RESET_LINK` is set.
    pub link: Option<&'a LinkBase>,
    /// The caller's language, if known.
    pub language: Option<Language>,
}

/// The exclusive right to send the mail of one order, for `CLAIM_SECONDS`.
#[derive(Debug)]
pub struct Claim {
    order: OrderId,
    holder: String,
    until: Timestamp,
}

/// Why an order could not be claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotClaimed {
    /// Its mail was sent, or failed permanently.
    Done,
    /// Another process holds the claim, or died holding it.
    Held,
    /// It has expired. The row may be deleted.
    Expired,
}

/// Why an order was not created.
#[derive(Debug)]
pub enum NotCreated {
    /// Another call counted a mail in the same request first; read the request again.
    Conflict,
    /// The address's mail limit is reached.
    Throttled(Throttled),
}

/// The orders in the tokens table.
#[derive(Clone, Debug)]
pub struct Orders {
    client: Client,
    table: String,
    lifetime_seconds: u64,
}

impl Orders {
    /// Orders in `table`. Those of reset mails expire after `lifetime_seconds`, but no later than notices.
    #[must_use]
    pub fn new(client: Client, table: String, lifetime_seconds: u64) -> Self {
        Self { client, table, lifetime_seconds }
    }

    /// Stores `order` and counts its mail for the address and for the request, if there is one. This is one transaction, so a failure
    /// neither counts nor orders a mail. Does not look the account up.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it could not be stored.
    pub async fn create(
        &self,
        order: NewOrder<'_>,
        limits: &Limits,
        now: Timestamp,
        random: &Random,
    ) -> Result<Result<(), NotCreated>, StoreError> {
        let id = OrderId::generate(random)?;
        let counter = limits.mail_counter(order.address, self.lifetime_seconds, now);
        let put = self.put_reset(&id, order, now)?;
        let mut writes = vec![TransactWriteItem::builder().put(put).build()];
        if let Some(counter) = &counter {
            writes.push(TransactWriteItem::builder().update(counter.increment(&self.table, now)?).build());
        }
        if let Some(request) = order.request {
            writes.push(TransactWriteItem::builder().update(request.count_mail(&self.table, now)?).build());
        }
        let verify = async { Ok(get_unexpired(&self.client, &self.table, id.pk(), now).await?.is_some()) };
        match transact(&self.client, writes, random, verify).await? {
            Ok(()) => Ok(Ok(())),
            Err(cancellation) => not_created_reason(&cancellation, counter.as_ref(), now)
                .map_or_else(|| Err(cancellation.into_error()), |reason| Ok(Err(reason))),
        }
    }

    fn put_reset(&self, id: &OrderId, order: NewOrder<'_>, now: Timestamp) -> Result<Put, StoreError> {
        let NewOrder { address, request, link, language } = order;
        let mut put = Put::builder()
            .table_name(&self.table)
            .item("pk", string(id.pk()))
            .item("kind", string(MailKind::Reset.name()))
            .item("address", string(address.as_str()))
            .item("ordered_at", number(now.as_millis()))
            .item(
                "expires_at",
                number(now.plus_seconds(self.lifetime_seconds.min(MAX_ORDER_SECONDS)).as_seconds()),
            );
        if let Some(request) = request {
            put = put.item("requested_at", number(request.issued_at.as_millis()));
        }
        if let Some(link) = link {
            put = put.item("link", string(link.as_str()));
        }
        if let Some(language) = language {
            put = put.item("language", string(language.code()));
        }
        Ok(put.build()?)
    }

    /// Orders the notice that the password of `account` was changed, in the transaction that changes it. The `EventBridge` pipe that
    /// publishes events reads `account` and `changed_at` from this row.
    pub(super) fn put_notice(
        &self,
        account: &Account,
        changed_at: u64,
        language: Option<Language>,
        now: Timestamp,
        random: &Random,
    ) -> Result<Put, StoreError> {
        let mut put = Put::builder()
            .table_name(&self.table)
            .item("pk", string(OrderId::generate(random)?.pk()))
            .item("kind", string(MailKind::Changed.name()))
            .item("address", string(account.address()))
            .item("account", account.snapshot.key.clone())
            .item("changed_at", number(changed_at))
            .item("ordered_at", number(now.as_millis()))
            .item("expires_at", number(now.plus_seconds(MAX_ORDER_SECONDS).as_seconds()));
        if let Some(language) = language {
            put = put.item("language", string(language.code()));
        }
        Ok(put.build()?)
    }

    /// Claims `order`. Only the holder of the claim may send its mail.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the outcome is unknown.
    pub async fn claim(
        &self,
        order: &Order,
        now: Timestamp,
        random: &Random,
    ) -> Result<Result<Claim, NotClaimed>, StoreError> {
        let holder = BASE64_URL_SAFE_NO_PAD.encode(random.bytes::<16>()?);
        let claim = Claim { order: order.id.clone(), holder, until: now.plus_seconds(CLAIM_SECONDS) };
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", string(claim.order.pk()))
            .update_expression("SET claimed_by = :holder, claimed_until = :until")
            // `claimed_by = :holder`: the SDK retries after a lost response, and then finds its own claim.
            .condition_expression(
                "expires_at > :now_s AND attribute_not_exists(outcome) AND \
                 (attribute_not_exists(claimed_by) OR claimed_by = :holder OR claimed_until <= :now)",
            )
            .expression_attribute_values(":holder", string(claim.holder.clone()))
            .expression_attribute_values(":until", number(claim.until.as_millis()))
            .expression_attribute_values(":now", number(now.as_millis()))
            .expression_attribute_values(":now_s", number(now.as_seconds()));
        match update.send().await {
            Ok(_) => Ok(Ok(claim)),
            Err(error) if condition_failed(error.code()) => {
                Ok(Err(self.not_claimed_reason(order, now).await?))
            }
            Err(error) => Err(StoreError::from_sdk("UpdateItem", &error)),
        }
    }

    /// Why `order` cannot be claimed.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it could not be read.
    pub async fn not_claimed_reason(&self, order: &Order, now: Timestamp) -> Result<NotClaimed, StoreError> {
        // The outcome comes before the expiry: an order that was finished and has expired since is done.
        Ok(match get_row(&self.client, &self.table, order.id.pk()).await? {
            Some(row) if row.contains_key("outcome") => NotClaimed::Done,
            // A row without an expiry counts as expired: otherwise it would block its shard for a day.
            Some(row) if is_unexpired(&row, now).unwrap_or(false) => NotClaimed::Held,
            Some(_) | None => NotClaimed::Expired,
        })
    }

    /// Releases `claim`, so that the order can be claimed again at once.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it could not be written. The claim then expires by itself.
    pub async fn release(&self, claim: &Claim) -> Result<(), StoreError> {
        let update = self.update_as_holder(claim).update_expression("REMOVE claimed_by, claimed_until");
        update.send().await.map(drop).map_err(|error| StoreError::from_sdk("UpdateItem", &error))
    }

    /// Stores the order's `outcome` and ends the claim.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it could not be written.
    pub async fn finish(&self, claim: &Claim, outcome: &'static str) -> Result<(), StoreError> {
        let update = self
            .update_as_holder(claim)
            .update_expression("SET outcome = :outcome REMOVE claimed_by, claimed_until")
            .expression_attribute_values(":outcome", string(outcome));
        match update.send().await {
            // The SDK retries after a lost response. The claim is gone then, because the first attempt succeeded.
            Err(error) if !condition_failed(error.code()) => Err(StoreError::from_sdk("UpdateItem", &error)),
            _ => Ok(()),
        }
    }

    /// An update that succeeds only for the holder of `claim`.
    fn update_as_holder(&self, claim: &Claim) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("pk", string(claim.order.pk()))
            .condition_expression("claimed_by = :holder")
            .expression_attribute_values(":holder", string(claim.holder.clone()))
    }
}

/// A table's key, which is a string, a number or binary, as the SDK's type.
fn table_key(value: &StreamValue) -> Option<AttributeValue> {
    Some(match value {
        StreamValue::S(text) => AttributeValue::S(text.clone()),
        StreamValue::N(number) => AttributeValue::N(number.clone()),
        StreamValue::B(bytes) => AttributeValue::B(Blob::new(bytes.clone())),
        _ => return None,
    })
}

fn condition_failed(code: Option<&str>) -> bool {
    code == Some("ConditionalCheckFailedException")
}

/// The indexes are those of [`Orders::create`]: the order, the counter if there is one, the request. A conflict comes before throttling:
/// the mail of the call that came first is the one that reached the limit.
fn not_created_reason(
    cancellation: &Cancellation,
    counter: Option<&MailCounter>,
    now: Timestamp,
) -> Option<NotCreated> {
    let request_index = 1 + usize::from(counter.is_some());
    if cancellation.condition_failed(request_index) {
        return Some(NotCreated::Conflict);
    }
    let counter = counter.filter(|_| cancellation.condition_failed(1))?;
    Some(NotCreated::Throttled(counter.throttled(cancellation.item(1), now)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_accounts_key_may_be_a_string_a_number_or_binary() {
        for (streamed, key) in [
            (StreamValue::S("a".to_owned()), Some(AttributeValue::S("a".to_owned()))),
            (StreamValue::N("7".to_owned()), Some(AttributeValue::N("7".to_owned()))),
            (StreamValue::B(vec![1]), Some(AttributeValue::B(Blob::new([1])))),
            (StreamValue::Bool(true), None),
        ] {
            assert_eq!(table_key(&streamed), key);
        }
    }
}
