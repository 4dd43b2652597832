//! Rate limits: counters in fixed windows, in the tokens table. IP and mail addresses are stored only as SHA-256.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure, Update};

use super::{Item, StoreError, number, number_attribute, string};
use crate::clock::Timestamp;
use crate::email::EmailAddress;
use crate::mail::MailKind;
use crate::source_ip::SourceIp;
use crate::token::Digest;

/// The rate limits. Zero means no limit.
#[derive(Clone, Copy, Debug)]
pub struct LimitSettings {
    /// Reset requests from one IP address in ten minutes.
    pub reset_per_ip: u32,
    /// Mails to one address in an hour, or in a token's lifetime if that is shorter. Unless zero, also at most one per minute.
    pub mail_per_address: u32,
    /// Calls with a dead token from one IP address in ten minutes.
    pub bad_token_per_ip: u32,
}

/// What is counted per IP address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IpLimit {
    /// Reset requests.
    Reset,
    /// Calls with a token that is not live.
    DeadToken,
    /// Password checks without a live token: each costs CPU.
    PasswordCheck,
}

impl IpLimit {
    const fn name(self) -> &'static str {
        match self {
            Self::Reset => "reset-ip",
            Self::DeadToken => "bad-token-ip",
            Self::PasswordCheck => "password-check-ip",
        }
    }

    const fn of(self, settings: &LimitSettings) -> u32 {
        match self {
            Self::Reset => settings.reset_per_ip,
            Self::DeadToken => settings.bad_token_per_ip,
            Self::PasswordCheck => settings.bad_token_per_ip.saturating_mul(PASSWORD_CHECKS_PER_BAD_TOKEN),
        }
    }
}

/// Window of the per-IP limits, in seconds.
const IP_WINDOW: u64 = 600;

/// Window of the per-address mail limit, in seconds. Not longer than a token lives, so a throttled person has a mail whose link works.
const MAIL_WINDOW: u64 = 3600;

/// Shortest time between two mails to one address, in seconds.
const MAIL_INTERVAL: u64 = 60;

/// Password checks without a live token that are allowed per allowed dead token. Unleash's form checks the password at every keystroke:
/// ten people behind one IP address may each type fifty characters at the default limit. Rekey's own page sends its token, and is not counted.
const PASSWORD_CHECKS_PER_BAD_TOKEN: u32 = 25;

/// The limit of a whole /48 is this many times that of a /64 in it.
const SITE_FACTOR: u32 = 10;

/// A limit was exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttled {
    /// Seconds until the caller may try again, at least one.
    pub retry_after: u64,
}

/// The outcome of counting something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// The limit is not exceeded.
    Allowed,
    /// It is.
    Throttled(Throttled),
}

impl Counted {
    /// Nothing, if the limit is not exceeded.
    pub const fn allowed(self) -> Result<(), Throttled> {
        match self {
            Self::Allowed => Ok(()),
            Self::Throttled(throttled) => Err(throttled),
        }
    }
}

/// A counter, stored as one row of the tokens table.
#[derive(Clone, Debug)]
struct Counter {
    pk: String,
    limit: u32,
    window_end: u64,
}

impl Counter {
    fn new(kind: &str, window_seconds: u64, subject: &str, limit: u32, now: Timestamp) -> Self {
        let window = now.as_seconds() / window_seconds;
        Self {
            pk: format!("limit#{kind}#{}#{window}", Digest::of(subject).as_str()),
            limit,
            window_end: (window + 1) * window_seconds,
        }
    }

    fn throttled(&self, now: Timestamp) -> Throttled {
        Throttled { retry_after: self.window_end.saturating_sub(now.as_seconds()).max(1) }
    }
}

/// Counts mails to one address.
#[derive(Clone, Debug)]
pub(super) struct MailCounter(Counter);

impl MailCounter {
    /// Counts one mail in a transaction. The condition fails if the limit is reached or the last mail is too recent; the cancellation
    /// then has the row.
    pub(super) fn increment(&self, table: &str, now: Timestamp) -> Result<Update, StoreError> {
        let latest_allowed = now.as_millis().saturating_sub(MAIL_INTERVAL * 1000);
        Ok(Update::builder()
            .table_name(table)
            .key("pk", string(self.0.pk.clone()))
            .update_expression("ADD hits :one SET last_at = :now, expires_at = :end")
            .condition_expression("attribute_not_exists(pk) OR (hits < :limit AND last_at <= :latest)")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":now", number(now.as_millis()))
            .expression_attribute_values(":latest", number(latest_allowed))
            .expression_attribute_values(":end", number(self.0.window_end))
            .expression_attribute_values(":limit", number(self.0.limit.into()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()?)
    }

    /// Whether the counter's `row` allows another mail, and otherwise how long to wait. The same rule as the condition of
    /// [`Self::increment`].
    pub(super) fn allowance(&self, row: Option<&Item>, now: Timestamp) -> Counted {
        let attribute = |name| row.and_then(|row| number_attribute(row, name).ok());
        let Some(hits) = attribute("hits") else { return Counted::Allowed };
        if hits >= self.0.limit.into() {
            return Counted::Throttled(self.0.throttled(now));
        }
        let waited = attribute("last_at").map(|last_at| now.since(Timestamp::from_millis(last_at)).as_secs());
        match waited.and_then(|waited| MAIL_INTERVAL.checked_sub(waited)) {
            Some(retry_after) if retry_after > 0 => Counted::Throttled(Throttled { retry_after }),
            _ => Counted::Allowed,
        }
    }

    /// How long to wait, given the `row` that made the condition fail.
    pub(super) fn throttled(&self, row: Option<&Item>, now: Timestamp) -> Throttled {
        self.allowance(row, now).allowed().err().unwrap_or_else(|| self.0.throttled(now))
    }
}

/// The rate limits of one deployment.
#[derive(Clone, Debug)]
pub struct Limits {
    client: Client,
    table: String,
    settings: LimitSettings,
}

impl Limits {
    /// The limits in `settings`, counted in `table`.
    #[must_use]
    pub fn new(client: Client, table: String, settings: LimitSettings) -> Self {
        Self { client, table, settings }
    }

    /// Counts a call from `ip` against `kind`.
    pub async fn count(&self, kind: IpLimit, ip: &SourceIp, now: Timestamp) -> Result<Counted, StoreError> {
        let limit = kind.of(&self.settings);
        if limit == 0 {
            return Ok(Counted::Allowed);
        }
        let own = Counter::new(kind.name(), IP_WINDOW, &ip.own, limit, now);
        let Some(site) = &ip.site else { return self.hit(&own, now).await };
        let site = Counter::new(kind.name(), IP_WINDOW, site, limit.saturating_mul(SITE_FACTOR), now);
        // A throttled call writes one counter at most, so that of the /48 is read first. Calls at the same time may exceed it by their number.
        let (counted, site_hits) = tokio::join!(self.hit(&own, now), self.hits(&site));
        if counted? != Counted::Allowed {
            return Ok(Counted::Throttled(own.throttled(now)));
        }
        if site_hits? >= site.limit {
            return Ok(Counted::Throttled(site.throttled(now)));
        }
        self.hit(&site, now).await
    }

    /// The counter of mails to `address`, for the transaction that orders one. `None` without a limit. Tokens live for
    /// `lifetime_seconds`. Invitations are counted apart, so that no stranger's resets keep one back.
    pub(super) fn mail_counter(
        &self,
        kind: MailKind,
        address: &EmailAddress,
        lifetime_seconds: u64,
        now: Timestamp,
    ) -> Option<MailCounter> {
        let limit = self.settings.mail_per_address;
        let window = MAIL_WINDOW.min(lifetime_seconds);
        let name = if kind == MailKind::Invite { "mail#invite" } else { "mail" };
        (limit > 0).then(|| MailCounter(Counter::new(name, window, address.as_str(), limit, now)))
    }

    /// Whether `counter` allows another mail now. A read before the transaction, which would cost eight times as much to be cancelled.
    pub(super) async fn mail_allowance(
        &self,
        counter: Option<&MailCounter>,
        now: Timestamp,
    ) -> Result<Counted, StoreError> {
        let Some(counter) = counter else { return Ok(Counted::Allowed) };
        Ok(counter.allowance(self.read(&counter.0).await?.as_ref(), now))
    }

    /// Adds one hit, and compares the count with the limit.
    async fn hit(&self, counter: &Counter, now: Timestamp) -> Result<Counted, StoreError> {
        let hits = self.increment(counter).await?;
        Ok(if hits > counter.limit { Counted::Throttled(counter.throttled(now)) } else { Counted::Allowed })
    }

    /// The count so far. An eventually consistent read, which costs half as much: the hit that follows counts.
    async fn hits(&self, counter: &Counter) -> Result<u32, StoreError> {
        let row = self.read(counter).await?;
        let hits = row.as_ref().map(|row| number_attribute(row, "hits")).transpose()?;
        Ok(hits.map_or(0, |hits| u32::try_from(hits).unwrap_or(u32::MAX)))
    }

    async fn read(&self, counter: &Counter) -> Result<Option<Item>, StoreError> {
        let get = self.client.get_item().table_name(&self.table).key("pk", string(counter.pk.clone()));
        let output = get.send().await.map_err(|error| StoreError::from_sdk("GetItem", &error))?;
        Ok(output.item)
    }

    /// Adds one hit and returns the count. A retry by the SDK after a lost response counts twice: the limit errs on the strict side.
    async fn increment(&self, counter: &Counter) -> Result<u32, StoreError> {
        let output = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", string(counter.pk.clone()))
            .update_expression("ADD hits :one SET expires_at = :end")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":end", number(counter.window_end))
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await
            .map_err(|error| StoreError::from_sdk("UpdateItem", &error))?;
        let hits = output.attributes.as_ref().map(|row| number_attribute(row, "hits")).transpose()?;
        Ok(hits.and_then(|hits| u32::try_from(hits).ok()).unwrap_or(u32::MAX))
    }
}
