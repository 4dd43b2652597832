//! Throttles: counters in fixed windows, kept in the tokens table. Subjects are stored as SHA-256 alone.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure, Update};

use super::{Item, StoreError, number, number_of, string};
use crate::api_key::Caller;
use crate::clock::Timestamp;
use crate::config::LimitSettings;
use crate::email::EmailAddress;
use crate::token::Digest;

/// What is counted by IP address in ten minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Reset,
    BadToken,
    PasswordCheck,
}

impl What {
    const fn name(self) -> &'static str {
        match self {
            Self::Reset => "reset-ip",
            Self::BadToken => "bad-token-ip",
            Self::PasswordCheck => "password-check-ip",
        }
    }
}

/// Seconds in which calls are counted by IP address.
const IP_WINDOW: u64 = 600;

/// Seconds in which mails are counted by address, unless a token lives shorter: so whoever is throttled has a mail whose link works.
const MAIL_WINDOW: u64 = 3600;

/// Seconds between two mails to one address.
const MAIL_PAUSE: u64 = 60;

/// Passwords checked without a token, for each dead token that is allowed. Unleash's form has the password checked at every keystroke:
/// ten people behind one address who each type three passwords of a hundred characters stay below it.
const CHECKS_FOR_ONE_BAD_TOKEN: u32 = 200;

/// Too often; the window ends in so many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttled {
    /// Seconds until the window ends, at least one.
    pub retry_after: u64,
}

/// One counter: a row of the tokens table.
#[derive(Clone, Debug)]
struct Counter {
    pk: String,
    limit: u32,
    window_end: u64,
}

impl Counter {
    fn new(what: &str, window_seconds: u64, subject: &str, limit: u32, now: Timestamp) -> Self {
        let window = now.as_seconds() / window_seconds;
        Self {
            pk: format!("limit#{what}#{}#{window}", Digest::of(subject).as_str()),
            limit,
            window_end: (window + 1) * window_seconds,
        }
    }

    fn throttled(&self, now: Timestamp) -> Throttled {
        Throttled { retry_after: self.window_end.saturating_sub(now.as_seconds()).max(1) }
    }
}

/// The counter of mails to one address.
#[derive(Clone, Debug)]
pub(super) struct MailCounter(Counter);

impl MailCounter {
    /// One more mail, as part of a transaction that fails if there were enough of them, or one just now. That failure tells the row.
    pub(super) fn hit_below_limit(&self, table: &str, now: Timestamp) -> Result<Update, StoreError> {
        let pause_ago = now.as_millis().saturating_sub(MAIL_PAUSE * 1000);
        Ok(Update::builder()
            .table_name(table)
            .key("pk", string(self.0.pk.clone()))
            .update_expression("ADD hits :one SET last_at = :now, expires_at = :end")
            .condition_expression("attribute_not_exists(pk) OR (hits < :limit AND last_at <= :pause_ago)")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":now", number(now.as_millis()))
            .expression_attribute_values(":pause_ago", number(pause_ago))
            .expression_attribute_values(":end", number(self.0.window_end))
            .expression_attribute_values(":limit", number(self.0.limit.into()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()?)
    }

    /// How long to wait, by the `row` that did not let another mail through.
    pub(super) fn throttled(&self, row: Option<&Item>, now: Timestamp) -> Throttled {
        let of = |name| row.and_then(|row| number_of(row, name).ok());
        let (hits, last_at) = (of("hits"), of("last_at").map(Timestamp::from_millis));
        match last_at {
            Some(last_at) if hits.is_some_and(|hits| hits < self.0.limit.into()) => {
                Throttled { retry_after: MAIL_PAUSE.saturating_sub(now.since(last_at).as_secs()).max(1) }
            }
            _ => self.0.throttled(now),
        }
    }
}

/// The throttles of one deployment.
#[derive(Clone, Debug)]
pub struct Limits {
    client: Client,
    table: String,
    settings: LimitSettings,
}

impl Limits {
    /// Throttles of `settings`, counted in `table`.
    #[must_use]
    pub fn new(client: Client, table: String, settings: LimitSettings) -> Self {
        Self { client, table, settings }
    }

    /// Counts a reset request of `caller` from `ip`. A trusted caller speaks for all of its users from one address,
    /// so it is not counted.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it could not be counted.
    pub async fn count_reset(
        &self,
        caller: &Caller,
        ip: &str,
        now: Timestamp,
    ) -> Result<Result<(), Throttled>, StoreError> {
        self.count(What::Reset, self.settings.reset_per_ip, caller, ip, now).await
    }

    /// Counts a dead token that `caller` presented from `ip`. Only dead ones are counted, and only they are throttled: what others do
    /// from the same address costs a live token nothing. A trusted caller is not counted.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it could not be counted.
    pub async fn count_dead_token(
        &self,
        caller: &Caller,
        ip: &str,
        now: Timestamp,
    ) -> Result<Result<(), Throttled>, StoreError> {
        self.count(What::BadToken, self.settings.bad_token_per_ip, caller, ip, now).await
    }

    /// Counts a password that `caller` has checked without a live token from `ip`: that costs us CPU.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it could not be counted.
    pub async fn count_password_check(
        &self,
        caller: &Caller,
        ip: &str,
        now: Timestamp,
    ) -> Result<Result<(), Throttled>, StoreError> {
        let limit = self.settings.bad_token_per_ip.saturating_mul(CHECKS_FOR_ONE_BAD_TOKEN);
        self.count(What::PasswordCheck, limit, caller, ip, now).await
    }

    /// The counter that a mail to `address` must pass, inside the transaction that orders it, where there is a limit. Tokens live for
    /// `lifetime_seconds`.
    pub(super) fn mail_counter(
        &self,
        address: &EmailAddress,
        lifetime_seconds: u64,
        now: Timestamp,
    ) -> Option<MailCounter> {
        let (limit, window) = (self.settings.mail_per_address, MAIL_WINDOW.min(lifetime_seconds));
        (limit > 0).then(|| MailCounter(Counter::new("mail", window, address.as_str(), limit, now)))
    }

    async fn count(
        &self,
        what: What,
        limit: u32,
        caller: &Caller,
        ip: &str,
        now: Timestamp,
    ) -> Result<Result<(), Throttled>, StoreError> {
        if limit == 0 || matches!(caller, Caller::Trusted(_)) {
            return Ok(Ok(()));
        }
        let counter = Counter::new(what.name(), IP_WINDOW, ip, limit, now);
        let hits = self.add(&counter).await?;
        Ok(if hits > counter.limit { Err(counter.throttled(now)) } else { Ok(()) })
    }

    /// One more hit. A retry whose first answer was lost counts twice: better one try less than one too many.
    async fn add(&self, counter: &Counter) -> Result<u32, StoreError> {
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
        let hits = output.attributes.as_ref().map(|row| number_of(row, "hits")).transpose()?;
        Ok(hits.and_then(|hits| u32::try_from(hits).ok()).unwrap_or(u32::MAX))
    }
}
