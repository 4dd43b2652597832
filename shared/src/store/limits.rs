//! Throttles: counters in fixed windows, kept in the tokens table. Subjects are stored as SHA-256 alone.

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, Update};
use aws_sdk_dynamodb::{Client, Config};

use super::{StoreError, number, string};
use crate::after_reply::AfterReply;
use crate::api_key::Caller;
use crate::clock::Timestamp;
use crate::config::LimitSettings;
use crate::token::Digest;

/// What is counted, and over how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    ResetPerIp,
    BadTokenPerIp,
    JudgedPerIp,
    MailPerAddressAndHour,
    MailPerAddressAndMinute,
}

impl What {
    const fn name(self) -> &'static str {
        match self {
            Self::ResetPerIp => "reset-ip",
            Self::BadTokenPerIp => "bad-token-ip",
            Self::JudgedPerIp => "judged-ip",
            Self::MailPerAddressAndHour => "mail-hour",
            Self::MailPerAddressAndMinute => "mail-minute",
        }
    }

    const fn window_seconds(self) -> u64 {
        match self {
            Self::ResetPerIp | Self::BadTokenPerIp | Self::JudgedPerIp => 600,
            Self::MailPerAddressAndHour => 3600,
            Self::MailPerAddressAndMinute => 60,
        }
    }
}

/// Too often; the window ends in so many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttled {
    /// Seconds until the window ends, at least one.
    pub retry_after: u64,
}

/// One counter: a row of the tokens table.
#[derive(Clone, Debug)]
pub(super) struct Counter {
    pk: String,
    pub(super) limit: u32,
    window_end: u64,
}

impl Counter {
    fn new(what: What, subject: &str, limit: u32, now: Timestamp) -> Self {
        let window = now.as_seconds() / what.window_seconds();
        Self {
            pk: format!("limit#{}#{}#{window}", what.name(), Digest::of(subject).as_str()),
            limit,
            window_end: (window + 1) * what.window_seconds(),
        }
    }

    pub(super) fn throttled(&self, now: Timestamp) -> Throttled {
        Throttled { retry_after: self.window_end.saturating_sub(now.as_seconds()).max(1) }
    }

    /// One more hit, as part of a transaction that fails if there were enough of them.
    pub(super) fn hit_below_limit(&self, table: &str) -> Result<Update, StoreError> {
        Update::builder()
            .table_name(table)
            .key("pk", string(self.pk.clone()))
            .update_expression("ADD hits :one SET expires_at = :end")
            .condition_expression("attribute_not_exists(hits) OR hits < :limit")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":end", number(self.window_end))
            .expression_attribute_values(":limit", number(self.limit.into()))
            .build()
            .map_err(|error| StoreError::new("Update", error.to_string()))
    }
}

/// A hit on the bad-token counter, which a live token takes back.
#[derive(Clone, Debug)]
pub struct TokenAttempt(Option<Counter>);

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
        let limit = limit_for(caller, self.settings.reset_per_ip);
        self.count(&Counter::new(What::ResetPerIp, ip, limit, now), now).await
    }

    /// Counts the use of a token by `caller` from `ip`, before anybody knows whether it is live: so fifty calls at
    /// once are fifty hits. Give the hit back with [`Self::forgive`] when it was. A trusted caller is not counted.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it could not be counted.
    pub async fn count_token(
        &self,
        caller: &Caller,
        ip: &str,
        now: Timestamp,
    ) -> Result<Result<TokenAttempt, Throttled>, StoreError> {
        let limit = limit_for(caller, self.settings.bad_token_per_ip);
        let counter = Counter::new(What::BadTokenPerIp, ip, limit, now);
        let verdict = self.count(&counter, now).await?;
        Ok(verdict.map(|()| TokenAttempt((counter.limit > 0).then_some(counter))))
    }

    /// Counts a password that `caller` has judged without a token from `ip`: that costs us CPU. Forms ask while somebody
    /// types, so there may be ten times as many as dead tokens.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it could not be counted.
    pub async fn count_judged(
        &self,
        caller: &Caller,
        ip: &str,
        now: Timestamp,
    ) -> Result<Result<(), Throttled>, StoreError> {
        let limit = limit_for(caller, self.settings.bad_token_per_ip.saturating_mul(10));
        self.count(&Counter::new(What::JudgedPerIp, ip, limit, now), now).await
    }

    /// Takes the hit of a live token back, after the reply. Should that fail, the caller has one try less in this
    /// window.
    pub fn forgive(&self, attempt: TokenAttempt, after_reply: &AfterReply) {
        let TokenAttempt(Some(counter)) = attempt else { return };
        let limits = self.clone();
        after_reply.push(async move {
            if let Err(error) = limits.take_back(&counter).await {
                tracing::warn!(%error, "a live token still counts as a bad one");
            }
        });
    }

    /// The counters that a mail to `address` must pass, inside the transaction that claims it.
    pub(super) fn mail_counters(&self, address: &str, now: Timestamp) -> Vec<Counter> {
        let limit = self.settings.mail_per_address;
        if limit == 0 {
            return Vec::new();
        }
        vec![
            Counter::new(What::MailPerAddressAndMinute, address, 1, now),
            Counter::new(What::MailPerAddressAndHour, address, limit, now),
        ]
    }

    async fn count(&self, counter: &Counter, now: Timestamp) -> Result<Result<(), Throttled>, StoreError> {
        if counter.limit == 0 {
            return Ok(Ok(()));
        }
        let hits = self.add(counter).await?;
        Ok(if hits > counter.limit { Err(counter.throttled(now)) } else { Ok(()) })
    }

    /// One more hit. A retry whose first answer was lost counts twice: better one try less than one too many.
    async fn add(&self, counter: &Counter) -> Result<u32, StoreError> {
        let output = self.update(counter, "1").send().await;
        let output = output.map_err(|error| StoreError::from_sdk("UpdateItem", &error))?;
        let hits =
            output.attributes.as_ref().and_then(|item| item.get("hits")).and_then(|value| value.as_n().ok());
        // Below zero only if the row was swept between a hit and its return.
        Ok(hits.and_then(|hits| hits.parse().ok()).unwrap_or(0))
    }

    /// One hit less, tried once: a retry could give back more than was taken.
    async fn take_back(&self, counter: &Counter) -> Result<(), StoreError> {
        let once = Config::builder().retry_config(RetryConfig::disabled());
        let output = self.update(counter, "-1").customize().config_override(once).send().await;
        output.map(drop).map_err(|error| StoreError::from_sdk("UpdateItem", &error))
    }

    fn update(&self, counter: &Counter, hits: &str) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("pk", string(counter.pk.clone()))
            .update_expression("ADD hits :hits SET expires_at = :end")
            .expression_attribute_values(":hits", AttributeValue::N(hits.to_owned()))
            .expression_attribute_values(":end", number(counter.window_end))
            .return_values(ReturnValue::UpdatedNew)
    }
}

const fn limit_for(caller: &Caller, limit: u32) -> u32 {
    match caller {
        Caller::Anonymous => limit,
        Caller::Trusted(_) => 0,
    }
}
