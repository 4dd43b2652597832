//! The outbox: orders for mails. An order is written in the same transaction as the change that causes it. The table's stream delivers it
//! to the mail function, which claims it, sends the mail and stores the outcome. An order never holds a token.

mod claim;

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_dynamo::AttributeValue as StreamValue;

use super::accounts::{Account, AccountKey};
use super::asked::Asked;
use super::limits::{Counted, Limits, MailCounter, Throttled};
use super::requests::{MayMail, ResetRequest};
use super::transaction::{Cancellation, Transacted, transact};
use super::{Item, StoreError, get_unexpired, number, number_attribute, string, string_attribute};
use crate::clock::Timestamp;
use crate::email::EmailAddress;
use crate::language::Languages;
use crate::mail::{LinkBase, MailKind};
use crate::random::{Random, RandomError};

pub use claim::{Claim, Claimed};

/// Prefix of the keys of orders. The filter of the event source mapping in the SAM template has it too.
const PREFIX: &str = "order#";

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
    /// For a notice: the account's address. Otherwise the address in the call.
    pub address: String,
    /// The link's base, unless `RESET_LINK` is set.
    pub link: Option<LinkBase>,
    /// What is known of the caller.
    pub asked: Asked,
    /// For a notice: the account's key.
    pub account: Option<AccountKey>,
    /// When it was created.
    pub ordered_at: Timestamp,
}

impl Order {
    /// Whether a stream record with these `keys` is an order's.
    #[must_use]
    pub fn has_keys(keys: &HashMap<String, StreamValue>) -> bool {
        matches!(keys.get("pk"), Some(StreamValue::S(pk)) if pk.starts_with(PREFIX))
    }

    /// The order in the new `image` of a stream record. `None` if it is malformed.
    #[must_use]
    pub fn from_image(image: serde_dynamo::Item, languages: Languages) -> Option<Self> {
        let item: Item = image.into();
        Some(Self {
            id: OrderId(string_attribute(&item, "pk").ok()?.strip_prefix(PREFIX)?.to_owned()),
            kind: MailKind::from_name(&string_attribute(&item, "kind").ok()?)?,
            address: string_attribute(&item, "address").ok()?,
            link: string_attribute(&item, "link").ok().map(LinkBase::from_text),
            asked: Asked::from_item(&item, languages),
            account: AccountKey::from_item(&item),
            ordered_at: Timestamp::from_millis(number_attribute(&item, "ordered_at").ok()?),
        })
    }
}

/// An order for a mail with a reset token that is not stored yet.
#[derive(Clone, Copy)]
pub struct NewOrder<'a> {
    /// Which mail.
    pub kind: MailKind,
    /// How long its token will live, in seconds.
    pub lifetime_seconds: u64,
    /// The address in the call.
    pub address: &'a EmailAddress,
    /// The reset request, if there is one.
    pub request: Option<&'a ResetRequest>,
    /// The link's base, unless `RESET_LINK` is set.
    pub link: Option<&'a LinkBase>,
    /// What is known of the caller.
    pub asked: Asked,
}

/// The outcome of ordering a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// The mail is ordered.
    Ordered,
    /// The request's last mail was ordered a moment ago.
    JustMailed,
    /// The request has had its mails, or the address's limit is reached.
    Throttled(Throttled),
    /// The request has expired.
    RequestExpired,
}

/// The writes of the transaction that orders a mail.
#[derive(Clone, Copy, PartialEq)]
enum Write {
    Order,
    MailCounter,
    Request,
}

/// The orders in the tokens table.
#[derive(Clone, Debug)]
pub struct Orders {
    client: Client,
    table: String,
}

impl Orders {
    /// Orders in `table`.
    #[must_use]
    pub const fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Stores `order` and counts its mail for the address and for the request, if there is one. This is one transaction, so whoever is
    /// counted gets the mail, and a failure neither counts nor orders one. Does not look the account up.
    pub async fn create(
        &self,
        order: NewOrder<'_>,
        limits: &Limits,
        now: Timestamp,
        random: &Random,
    ) -> Result<Created, StoreError> {
        if let Some(refusal) = order.request.and_then(|request| refusal(request.may_mail(now))) {
            return Ok(refusal);
        }
        let counter = limits.mail_counter(order.kind, order.address, order.lifetime_seconds, now);
        // The transaction has the same condition, but to be cancelled costs as much as to succeed.
        if let Counted::Throttled(throttled) = limits.mail_allowance(counter.as_ref(), now).await? {
            return Ok(Created::Throttled(throttled));
        }
        let id = OrderId::generate(random)?;
        let put = self.put(&id, order, now)?;
        let mut writes = vec![(Write::Order, TransactWriteItem::builder().put(put).build())];
        if let Some(counter) = &counter {
            let count = counter.increment(&self.table, now)?;
            writes.push((Write::MailCounter, TransactWriteItem::builder().update(count).build()));
        }
        if let Some(request) = order.request {
            let count = request.count_mail(&self.table, now)?;
            writes.push((Write::Request, TransactWriteItem::builder().update(count).build()));
        }
        let verify = async { Ok(get_unexpired(&self.client, &self.table, id.pk(), now).await?.is_some()) };
        match transact(&self.client, writes, random, verify).await? {
            Transacted::Applied => Ok(Created::Ordered),
            Transacted::Cancelled(cancellation) => {
                refused(cancellation, order.request, counter.as_ref(), now)
            }
        }
    }

    /// The order expires with its token, but no later than notices.
    fn put(&self, id: &OrderId, order: NewOrder<'_>, now: Timestamp) -> Result<Put, StoreError> {
        let lifetime = order.lifetime_seconds.min(MAX_ORDER_SECONDS);
        let mut row =
            item(id, order.kind, order.address.typed().unwrap_or(order.address.as_str()), order.asked, now);
        row.insert("expires_at".to_owned(), number(now.plus_seconds(lifetime).as_seconds()));
        if let Some(link) = order.link {
            row.insert("link".to_owned(), string(link.as_str()));
        }
        Ok(Put::builder().table_name(&self.table).set_item(Some(row)).build()?)
    }

    /// Orders the notice that the password of `account` was changed, in the transaction that changes it. The `EventBridge` pipe that
    /// publishes events reads the account's key and `changed_at` from this row.
    pub(super) fn put_notice(
        &self,
        account: &Account,
        changed_at: &str,
        asked: Asked,
        now: Timestamp,
        random: &Random,
    ) -> Result<Put, StoreError> {
        let id = OrderId::generate(random)?;
        let mut row = item(&id, MailKind::Changed, account.address(), asked, now);
        row.insert("expires_at".to_owned(), number(now.plus_seconds(MAX_ORDER_SECONDS).as_seconds()));
        row.extend(account.snapshot.key.attributes().map(|(name, value)| (name.to_owned(), value)));
        row.insert("changed_at".to_owned(), string(changed_at));
        Ok(Put::builder().table_name(&self.table).set_item(Some(row)).build()?)
    }
}

/// What the rows of all orders hold.
fn item(id: &OrderId, kind: MailKind, address: &str, asked: Asked, now: Timestamp) -> Item {
    let own = [
        ("pk", string(id.pk())),
        ("kind", string(kind.name())),
        ("address", string(address)),
        ("ordered_at", number(now.as_millis())),
    ];
    let all = own.into_iter().chain(asked.attributes());
    all.map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Why a request gets no further mail now, if it gets none.
const fn refusal(may_mail: MayMail) -> Option<Created> {
    match may_mail {
        MayMail::Yes => None,
        MayMail::JustMailed => Some(Created::JustMailed),
        MayMail::LimitReached { retry_after } => Some(Created::Throttled(Throttled { retry_after })),
    }
}

/// Why the transaction was cancelled. The request comes before the address: the mail that reached the address's limit may be the request's.
fn refused(
    cancellation: Cancellation<Write>,
    request: Option<&ResetRequest>,
    counter: Option<&MailCounter>,
    now: Timestamp,
) -> Result<Created, StoreError> {
    if let Some(request) = request.filter(|_| cancellation.condition_failed(Write::Request)) {
        let refusal = match request.reread(cancellation.item(Write::Request), now)? {
            None => Some(Created::RequestExpired),
            Some(request) => refusal(request.may_mail(now)),
        };
        return refusal.ok_or_else(|| cancellation.into_error());
    }
    match counter.filter(|_| cancellation.condition_failed(Write::MailCounter)) {
        Some(counter) => {
            Ok(Created::Throttled(counter.throttled(cancellation.item(Write::MailCounter), now)))
        }
        None => Err(cancellation.into_error()),
    }
}
