//! The mail function: reads orders from the tokens table's stream, finds the accounts, issues reset tokens and sends the mails. No caller
//! reaches it or waits for it, so its timing cannot reveal who has an account.

use std::time::Duration;

use aws_lambda_events::event::dynamodb::{Event, EventRecord};
use aws_lambda_events::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use aws_sdk_dynamodb::Client;
use lambda_http::LambdaEvent;
use serde_json::Value;
use shared::aws::Aws;
use shared::branding::Branding;
use shared::clock::{Clock, Timestamp};
use shared::config::{Config, MailSettings};
use shared::dead_letters::DeadLetters;
use shared::language::Language;
use shared::mail::{ChangedMail, LinkBase, Mail, MailKind, ResetMail, SendError};
use shared::random::Random;
use shared::store::StoreError;
use shared::store::accounts::{Account, Accounts};
use shared::store::orders::{Claim, NotClaimed, Order, Orders};
use shared::store::resets::Resets;
use shared::telemetry::{MailOutcome, Telemetry};
use shared::token::{ResetToken, Token};
use tokio::time::{Instant, sleep};

/// After this long, no further order of a batch is started. An order takes at most seven calls of 4 s, and the function's timeout is 60 s.
const BATCH_BUDGET: Duration = Duration::from_secs(25);

/// How long to wait before reporting failures: Lambda retries a batch at once, and SES limits the rate per second.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// The function's state, kept between batches.
pub struct MailFunction {
    accounts: Accounts,
    orders: Orders,
    resets: Resets,
    settings: MailSettings,
    branding: Branding,
    default_language: Language,
    dead_letters: Option<DeadLetters>,
    lifetime_seconds: u64,
    aws: Aws,
    telemetry: Telemetry,
    clock: Clock,
    random: Random,
    retry_pause: Duration,
}

/// Which records of a batch to retry.
enum Retry {
    /// This record: another process holds the claim.
    ThisRecord,
    /// This record and all after it: `DynamoDB` or SES is unavailable.
    FromThisRecord,
}

/// Why a mail was not sent. The texts are for the log.
enum DeliveryError {
    /// May succeed later.
    Retryable(Retry, String),
    /// Cannot succeed. The claim, if there is one, must be finished.
    Permanent(Option<Claim>, String),
    /// There is no account to write to.
    NoAccount,
    /// It was sent before, or failed permanently.
    AlreadyDone,
}

impl From<StoreError> for DeliveryError {
    fn from(error: StoreError) -> Self {
        Self::Retryable(Retry::FromThisRecord, error.to_string())
    }
}

impl From<NotClaimed> for DeliveryError {
    fn from(reason: NotClaimed) -> Self {
        match reason {
            NotClaimed::Done => Self::AlreadyDone,
            NotClaimed::Held => {
                Self::Retryable(Retry::ThisRecord, "another process holds the claim".to_owned())
            }
            NotClaimed::Expired => Self::Permanent(None, "expired before it could be sent".to_owned()),
        }
    }
}

impl MailFunction {
    /// The function, configured by `config`. It gets its SES clients from `aws`.
    #[must_use]
    pub fn new(
        config: &Config,
        dynamodb: Client,
        aws: Aws,
        dead_letters: Option<DeadLetters>,
        telemetry: Telemetry,
        clock: Clock,
        random: Random,
    ) -> Self {
        let (table, lifetime_seconds) = (config.tokens_table.clone(), config.token_lifetime_seconds);
        Self {
            orders: Orders::new(dynamodb.clone(), table.clone(), lifetime_seconds),
            resets: Resets::new(dynamodb.clone(), table, lifetime_seconds),
            accounts: Accounts::new(dynamodb, config.accounts.clone()),
            settings: config.mail.clone(),
            branding: config.branding.clone(),
            default_language: config.default_language,
            dead_letters,
            lifetime_seconds,
            aws,
            telemetry,
            clock,
            random,
            retry_pause: RETRY_PAUSE,
        }
    }

    /// Sets the pause before failures are reported.
    #[must_use]
    pub fn with_retry_pause(self, retry_pause: Duration) -> Self {
        Self { retry_pause, ..self }
    }

    /// Sends the mails of the batch in `event` and returns its `batchItemFailures`.
    ///
    /// # Errors
    ///
    /// If the event is not a batch of stream records.
    pub async fn respond(&self, event: LambdaEvent<Value>) -> Result<Value, lambda_http::Error> {
        let batch = serde_json::from_value(event.payload).map_err(|_| "the event is no batch of records")?;
        let response = Box::pin(self.deliver(batch, &event.context.request_id)).await;
        Ok(serde_json::to_value(response)?)
    }

    /// Sends one mail at a time: a process that is killed then interrupts at most one.
    async fn deliver(&self, batch: Event, request_id: &str) -> DynamoDbEventResponse {
        let (started, ses) = (Instant::now(), self.aws.ses());
        let mut response = DynamoDbEventResponse::default();
        for record in batch.records.into_iter().filter(is_new_order) {
            let retry = if started.elapsed() < BATCH_BUDGET {
                self.deliver_record(&record, &ses, request_id).await
            } else {
                Some(Retry::FromThisRecord)
            };
            if retry.is_some() {
                let mut failure = DynamoDbBatchItemFailure::default();
                failure.item_identifier = record.change.sequence_number;
                response.batch_item_failures.push(failure);
            }
            // Lambda retries every record from the first failed one on.
            if matches!(retry, Some(Retry::FromThisRecord)) {
                break;
            }
        }
        if !response.batch_item_failures.is_empty() {
            sleep(self.retry_pause).await;
        }
        response
    }

    async fn deliver_record(
        &self,
        record: &EventRecord,
        ses: &aws_sdk_sesv2::Client,
        request_id: &str,
    ) -> Option<Retry> {
        let Some(order) = Order::from_image(&record.change.new_image) else {
            let problem = "the order cannot be read".to_owned();
            self.add_dead_letter(&record.event_id, "unknown", None, &problem).await;
            self.telemetry.mail("unknown", &record.event_id, request_id, MailOutcome::Failed(problem));
            return None;
        };
        let (outcome, retry) = match self.send(&order, ses).await {
            Ok((claim, sent)) => {
                self.finish(&claim, "sent").await;
                (sent, None)
            }
            Err(DeliveryError::NoAccount) => (MailOutcome::NoAccount, None),
            Err(DeliveryError::Retryable(retry, problem)) => (MailOutcome::Delayed(problem), Some(retry)),
            Err(DeliveryError::AlreadyDone) => return None,
            Err(DeliveryError::Permanent(claim, problem)) => {
                let ordered_at = Some(order.ordered_at);
                self.add_dead_letter(order.id.as_str(), order.kind.name(), ordered_at, &problem).await;
                if let Some(claim) = claim {
                    self.finish(&claim, "failed").await;
                }
                (MailOutcome::Failed(problem), None)
            }
        };
        self.telemetry.mail(order.kind.name(), order.id.as_str(), request_id, outcome);
        retry
    }

    /// Claims the order, writes its mail and sends it.
    async fn send(
        &self,
        order: &Order,
        ses: &aws_sdk_sesv2::Client,
    ) -> Result<(Claim, MailOutcome), DeliveryError> {
        if order.is_expired(self.clock.now()) {
            return Err(self.orders.not_claimed_reason(order, self.clock.now()).await?.into());
        }
        let (account, language) = match order.kind {
            MailKind::Reset => {
                let account = self.account_of(order).await?;
                let language = account.language();
                (Some(account), language)
            }
            MailKind::Changed => (None, self.language_of_notice(order).await),
        };
        let language = language.or(order.language).unwrap_or(self.default_language);
        let claim = self.claim(order).await?;
        let mail = match self.render(order, account.as_ref(), language).await {
            Ok(mail) => mail,
            Err(DeliveryError::Permanent(None, problem)) => {
                return Err(DeliveryError::Permanent(Some(claim), problem));
            }
            Err(other) => {
                self.release(&claim).await;
                return Err(other);
            }
        };
        let started = Instant::now();
        match shared::mail::send(ses, &self.settings, &mail).await {
            Ok(message_id) => {
                let delay = self.clock.now().since(order.ordered_at);
                Ok((claim, MailOutcome::Sent { message_id, latency: started.elapsed(), delay }))
            }
            Err(SendError::Retryable(problem)) => {
                self.release(&claim).await;
                Err(DeliveryError::Retryable(Retry::FromThisRecord, problem))
            }
            Err(SendError::Permanent(problem)) => Err(DeliveryError::Permanent(Some(claim), problem)),
        }
    }

    /// The account of an order for a reset mail. [`DeliveryError::NoAccount`] also if its password changed after the reset was requested.
    async fn account_of(&self, order: &Order) -> Result<Account, DeliveryError> {
        let Ok(address) = order.address.parse() else { return Err(DeliveryError::NoAccount) };
        let account = self.accounts.find_with_language(&address).await?;
        let account = account.map_err(|error| DeliveryError::Permanent(None, error.to_string()))?;
        let now = self.clock.now();
        let is_current = |account: &Account| match order.requested_at {
            Some(requested_at) => account.may_have_mail(requested_at, now),
            None => !account.changed_after(order.ordered_at, now),
        };
        account.filter(is_current).ok_or(DeliveryError::NoAccount)
    }

    /// The language of the notice's account. `None` if it cannot be read: a notice in another language is better than a late one.
    async fn language_of_notice(&self, order: &Order) -> Option<Language> {
        let language = self.accounts.language(order.account.clone()?).await;
        language.unwrap_or_else(|error| {
            tracing::warn!(%error, "could not read the language of a notice's account");
            None
        })
    }

    async fn claim(&self, order: &Order) -> Result<Claim, DeliveryError> {
        let claim = self.orders.claim(order, self.clock.now(), &self.random).await?;
        claim.map_err(DeliveryError::from)
    }

    /// Renders the mail: with `account` a reset mail, for which it stores a reset token, otherwise a notice.
    async fn render(
        &self,
        order: &Order,
        account: Option<&Account>,
        language: Language,
    ) -> Result<Mail, DeliveryError> {
        let permanent = |problem: String| DeliveryError::Permanent(None, problem);
        let branding = &self.branding;
        let Some(account) = account else {
            let new_link_page = self.settings.reset_link.as_ref().and_then(LinkBase::new_link_page);
            let new_link_page = new_link_page.as_deref();
            let (to, changed_at) = (&order.address, order.ordered_at);
            let mail = ChangedMail { to, language, branding, changed_at, new_link_page };
            return mail.render().map_err(|error| permanent(error.to_string()));
        };
        let configured = self.settings.reset_link.as_ref().or(order.link.as_ref());
        let base: &LinkBase = configured.ok_or_else(|| permanent("RESET_LINK is not set".to_owned()))?;
        let token = Token::generate(&self.random).map_err(StoreError::from)?;
        let token = ResetToken(token);
        self.resets.issue(&token, account, self.clock.now()).await?;
        let mail = ResetMail {
            to: account.address(),
            language,
            branding,
            link: &base.with(&token),
            requested_at: order.requested_at.unwrap_or(order.ordered_at),
            lifetime_seconds: self.lifetime_seconds,
        };
        mail.render().map_err(|error| permanent(error.to_string()))
    }

    async fn finish(&self, claim: &Claim, outcome: &'static str) {
        if let Err(error) = self.orders.finish(claim, outcome).await {
            tracing::warn!(%error, outcome, "could not store an order's outcome");
        }
    }

    async fn release(&self, claim: &Claim) {
        if let Err(error) = self.orders.release(claim).await {
            tracing::warn!(%error, "could not release a claim; it will expire");
        }
    }

    async fn add_dead_letter(
        &self,
        order: &str,
        kind: &'static str,
        ordered_at: Option<Timestamp>,
        problem: &str,
    ) {
        if let Some(queue) = &self.dead_letters {
            queue.add(order, kind, ordered_at, problem).await;
        }
    }
}

/// The filter of the event source mapping passes only inserted orders. This check does not rely on it.
fn is_new_order(record: &EventRecord) -> bool {
    record.event_name == "INSERT" && Order::has_keys(&record.change.keys)
}
