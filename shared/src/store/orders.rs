//! Orders of mails: the outbox. An order is written in the transaction that it follows from, the table's stream hands it to the
//! mail function, and it stands until SES has taken its mail or refused it for good. It never holds a token.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::ProvideErrorMetadata as _;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_dynamo::AttributeValue as Recorded;

use super::accounts::Account;
use super::limits::{Limits, MailCounter, Throttled};
use super::requests::ResetRequest;
use super::transaction::{Cancellation, transact};
use super::{StoreError, is_unexpired, number, row, string, unexpired};
use crate::clock::Timestamp;
use crate::email::EmailAddress;
use crate::language::Language;
use crate::mail::{LinkBase, MailKind};
use crate::random::{Random, RandomError};

/// How the keys of orders begin; the filter of the stream's mapping knows it too.
const PREFIX: &str = "order#";

/// Seconds for which a claim keeps others off: longer than its holder takes from there to the answer of SES, or to give up (4 to claim,
/// 4 to store the token, 4 to be answered). A mail is as late after a kill.
const CLAIM_SECONDS: u64 = 30;

/// Seconds for which the notice of a changed password is of use. A stream keeps its records as long.
const NOTICE_SECONDS: u64 = 86_400;

/// The name of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderId(String);

impl OrderId {
    fn generate(random: &Random) -> Result<Self, RandomError> {
        Ok(Self(BASE64_URL_SAFE_NO_PAD.encode(random.bytes::<16>()?)))
    }

    /// The name, for the log. It proves nothing.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn pk(&self) -> String {
        format!("{PREFIX}{}", self.0)
    }
}

/// An order, as the stream brings it. Holds an address, so it has no `Debug`.
#[derive(Clone)]
pub struct Order {
    /// Its name.
    pub id: OrderId,
    /// Which mail.
    pub kind: MailKind,
    /// Of a reset: the address that somebody typed. Of a notice: the account's, where the mail goes.
    pub address: String,
    /// When the request was opened that it answers, where there is one.
    pub requested_at: Option<Timestamp>,
    /// Where the link leads, unless that is configured.
    pub link: Option<LinkBase>,
    /// The language of the person whose call it follows from, where it is known.
    pub language: Option<Language>,
    /// Of a notice: the account's key.
    pub account: Option<AttributeValue>,
    /// When it was placed.
    pub ordered_at: Timestamp,
    /// When its mail is of no use any more, in seconds since the epoch.
    expires_at: u64,
}

impl Order {
    /// Whether a record with the key `keys` is about an order.
    #[must_use]
    pub fn is_one(keys: &HashMap<String, Recorded>) -> bool {
        matches!(keys.get("pk"), Some(Recorded::S(pk)) if pk.starts_with(PREFIX))
    }

    /// The order in the new `image` of a record. None if it cannot be read.
    #[must_use]
    pub fn from_image(image: &HashMap<String, Recorded>) -> Option<Self> {
        let text = |name: &str| match image.get(name) {
            Some(Recorded::S(text)) => Some(text.clone()),
            _ => None,
        };
        let whole = |name: &str| match image.get(name) {
            Some(Recorded::N(number)) => number.parse().ok(),
            _ => None,
        };
        Some(Self {
            id: OrderId(text("pk")?.strip_prefix(PREFIX)?.to_owned()),
            kind: MailKind::from_name(&text("kind")?)?,
            address: text("address")?,
            requested_at: whole("requested_at").map(Timestamp::from_millis),
            link: text("link").map(LinkBase::from_text),
            language: text("language").and_then(|code| Language::from_code(&code)),
            account: image.get("account").and_then(key),
            ordered_at: Timestamp::from_millis(whole("ordered_at")?),
            expires_at: whole("expires_at")?,
        })
    }

    /// Whether its mail is of no use any more.
    #[must_use]
    pub const fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at <= now.as_seconds()
    }
}

/// A mail with a reset token that is to be ordered.
#[derive(Clone, Copy)]
pub struct NewOrder<'a> {
    /// The address that somebody typed.
    pub address: &'a EmailAddress,
    /// The request that it answers, where there is one.
    pub request: Option<&'a ResetRequest>,
    /// Where the link leads, unless that is configured.
    pub link: Option<&'a LinkBase>,
    /// The person's language, where it is known.
    pub language: Option<Language>,
}

/// The right to send the mail of one order, for a while.
#[derive(Debug)]
pub struct Claim {
    order: OrderId,
    holder: String,
    until: Timestamp,
}

/// Why an order could not be claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotClaimed {
    /// Its mail was sent, or failed for good.
    Done,
    /// Somebody else is sending it, or died doing so.
    Held,
    /// It has expired, and is perhaps deleted.
    Expired,
}

/// Why no order was placed.
#[derive(Debug)]
pub enum NotPlaced {
    /// Another call of the same request was faster; read the request again.
    Overtaken,
    /// The address had enough mails.
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
    /// Orders in `table`; those of resets are of use for `lifetime_seconds`.
    #[must_use]
    pub fn new(client: Client, table: String, lifetime_seconds: u64) -> Self {
        Self { client, table, lifetime_seconds }
    }

    /// Places `order`, counts it against its address and, where it answers a request, against that: all in one transaction, so that a failure leaves no limit used up and no mail half-ordered. Nobody looks whether the
    /// address has an account.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it could not be stored.
    pub async fn place(
        &self,
        order: NewOrder<'_>,
        limits: &Limits,
        now: Timestamp,
        random: &Random,
    ) -> Result<Result<(), NotPlaced>, StoreError> {
        let id = OrderId::generate(random)?;
        let counter = limits.mail_counter(order.address, self.lifetime_seconds, now);
        let put = self.put_reset(&id, order, now)?;
        let mut writes = vec![TransactWriteItem::builder().put(put).build()];
        if let Some(counter) = &counter {
            writes.push(
                TransactWriteItem::builder().update(counter.hit_below_limit(&self.table, now)?).build(),
            );
        }
        if let Some(request) = order.request {
            writes.push(TransactWriteItem::builder().update(request.count_mail(&self.table, now)?).build());
        }
        let verify = async { Ok(unexpired(&self.client, &self.table, id.pk(), now).await?.is_some()) };
        match transact(&self.client, writes, random, verify).await? {
            Ok(()) => Ok(Ok(())),
            Err(cancellation) => why_not(&cancellation, counter.as_ref(), now)
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
            .item("expires_at", number(now.plus_seconds(self.lifetime_seconds).as_seconds()));
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

    /// Orders the notice that the password of `account` was changed, as part of the transaction that does so. The pipe that
    /// publishes events reads the key and the new time of change, `changed_at`, in this row.
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
            .item("account", account.seen.key.clone())
            .item("changed_at", number(changed_at))
            .item("ordered_at", number(now.as_millis()))
            .item("expires_at", number(now.plus_seconds(NOTICE_SECONDS).as_seconds()));
        if let Some(language) = language {
            put = put.item("language", string(language.code()));
        }
        Ok(put.build()?)
    }

    /// Claims `order`: whoever holds the claim, and nobody else, may send its mail.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if `DynamoDB` did not say.
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
            // The SDK repeats a call whose answer was lost: it then meets its own claim.
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
            Err(error) if condition_failed(error.code()) => Ok(Err(self.why_not_claimed(order, now).await?)),
            Err(error) => Err(StoreError::from_sdk("UpdateItem", &error)),
        }
    }

    /// Why `order` cannot be claimed.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if `DynamoDB` did not say.
    pub async fn why_not_claimed(&self, order: &Order, now: Timestamp) -> Result<NotClaimed, StoreError> {
        // Expired or not: what was sent before it expired is done.
        Ok(match row(&self.client, &self.table, order.id.pk()).await? {
            Some(row) if row.contains_key("outcome") => NotClaimed::Done,
            // A row that lost its expiry would otherwise hold its lane up for a day.
            Some(row) if is_unexpired(&row, now).unwrap_or(false) => NotClaimed::Held,
            Some(_) | None => NotClaimed::Expired,
        })
    }

    /// Gives `claim` back, so that the order can be claimed at once.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if that could not be written; the claim then lapses by itself.
    pub async fn release(&self, claim: &Claim) -> Result<(), StoreError> {
        let update = self.held(claim).update_expression("REMOVE claimed_by, claimed_until");
        update.send().await.map(drop).map_err(|error| StoreError::from_sdk("UpdateItem", &error))
    }

    /// Writes down what became of the order.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if that could not be written.
    pub async fn finish(&self, claim: &Claim, outcome: &'static str) -> Result<(), StoreError> {
        let update = self
            .held(claim)
            .update_expression("SET outcome = :outcome REMOVE claimed_by, claimed_until")
            .expression_attribute_values(":outcome", string(outcome));
        match update.send().await {
            // A repeat of the SDK's after a lost answer meets its own work.
            Err(error) if !condition_failed(error.code()) => Err(StoreError::from_sdk("UpdateItem", &error)),
            _ => Ok(()),
        }
    }

    /// A write that only the holder of `claim` may do.
    fn held(&self, claim: &Claim) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("pk", string(claim.order.pk()))
            .condition_expression("claimed_by = :holder")
            .expression_attribute_values(":holder", string(claim.holder.clone()))
    }
}

/// A key of a table, which is text, a number or bytes, as a request has it.
fn key(value: &Recorded) -> Option<AttributeValue> {
    Some(match value {
        Recorded::S(text) => AttributeValue::S(text.clone()),
        Recorded::N(number) => AttributeValue::N(number.clone()),
        Recorded::B(bytes) => AttributeValue::B(Blob::new(bytes.clone())),
        _ => return None,
    })
}

fn condition_failed(code: Option<&str>) -> bool {
    code == Some("ConditionalCheckFailedException")
}

/// The order of the writes: the order, the counter if there is one, the request. Whoever was overtaken is told so before they are told
/// that they are throttled: the winner's mail is the one that used the limit up.
fn why_not(cancellation: &Cancellation, counter: Option<&MailCounter>, now: Timestamp) -> Option<NotPlaced> {
    let of_request = 1 + usize::from(counter.is_some());
    if cancellation.condition_failed(of_request) {
        return Some(NotPlaced::Overtaken);
    }
    let counter = counter.filter(|_| cancellation.condition_failed(1))?;
    Some(NotPlaced::Throttled(counter.throttled(cancellation.item(1), now)))
}
