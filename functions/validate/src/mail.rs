//! The mail function: it takes the orders from the tokens table's stream, finds the accounts, issues the reset tokens and sends. No
//! caller reaches it or waits for it, so nothing that it does can tell a stranger who has an account.

use std::sync::Arc;
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
use shared::mail::{ChangedMail, LinkBase, Mail, MailKind, NotSent, ResetMail};
use shared::random::Random;
use shared::store::StoreError;
use shared::store::accounts::{Account, Accounts};
use shared::store::orders::{Claim, NotClaimed, Order, Orders};
use shared::store::resets::Resets;
use shared::telemetry::{MailOutcome, Telemetry};
use shared::token::{ResetToken, Token};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

/// No further order of a batch is begun after this long: an order takes seven calls of 4 s at the most, and the function is ended after
/// 60 s.
const BATCH_BUDGET: Duration = Duration::from_secs(25);

/// How long a batch is held that is to be tried again. Lambda delivers it again at once, and SES counts its rate by the second.
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

/// What is to be tried again.
enum TryAgain {
    /// This order, when its claim has lapsed.
    ThisOne,
    /// This order and all after it: `DynamoDB` or SES does not serve anybody at the moment.
    AllFromHere,
}

/// Why an order's mail was not sent.
enum Undelivered {
    /// Try again, and say why in the log.
    Later(TryAgain, String),
    /// Never. The claim, where there is one, is to be ended.
    Never(Option<Claim>, String),
    /// There is nobody to write to.
    NoAccount,
    /// It was sent before, or failed for good.
    Done,
}

impl From<StoreError> for Undelivered {
    fn from(error: StoreError) -> Self {
        Self::Later(TryAgain::AllFromHere, error.to_string())
    }
}

impl From<NotClaimed> for Undelivered {
    fn from(reason: NotClaimed) -> Self {
        match reason {
            NotClaimed::Done => Self::Done,
            NotClaimed::Held => Self::Later(TryAgain::ThisOne, "somebody else holds the claim".to_owned()),
            NotClaimed::Expired => Self::Never(None, "expired before it could be sent".to_owned()),
        }
    }
}

impl MailFunction {
    /// The function as `config` has it, which reaches SES as `aws` says.
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

    /// The same, with another pause before a batch is answered that is to be tried again.
    #[must_use]
    pub fn with_retry_pause(self, retry_pause: Duration) -> Self {
        Self { retry_pause, ..self }
    }

    /// Delivers the batch in `event` and answers which records are to be delivered again.
    ///
    /// # Errors
    ///
    /// If the event is no batch of records, or the delivery panicked. What it tripped over, which may hold an address, stays out.
    pub async fn respond(self: &Arc<Self>, event: LambdaEvent<Value>) -> Result<Value, lambda_http::Error> {
        let batch = serde_json::from_value(event.payload).map_err(|_| "the event is no batch of records")?;
        let (mail, request_id) = (Arc::clone(self), event.context.request_id);
        let mut delivery = JoinSet::new();
        delivery.spawn(async move { mail.deliver(batch, &request_id).await });
        let answer = delivery.join_next().await.and_then(Result::ok).ok_or("the delivery panicked")?;
        Ok(serde_json::to_value(answer)?)
    }

    /// One after another, so that whoever ends this process ends it in the middle of one mail at the most.
    async fn deliver(&self, batch: Event, request_id: &str) -> DynamoDbEventResponse {
        let (started, ses) = (Instant::now(), self.aws.ses());
        let mut again = DynamoDbEventResponse::default();
        for record in batch.records.into_iter().filter(is_order) {
            let failed = if started.elapsed() < BATCH_BUDGET {
                self.deliver_one(&record, &ses, request_id).await
            } else {
                Some(TryAgain::AllFromHere)
            };
            if failed.is_some() {
                let mut failure = DynamoDbBatchItemFailure::default();
                failure.item_identifier = record.change.sequence_number;
                again.batch_item_failures.push(failure);
            }
            // Lambda delivers again whatever comes after the first record that failed.
            if matches!(failed, Some(TryAgain::AllFromHere)) {
                break;
            }
        }
        if !again.batch_item_failures.is_empty() {
            sleep(self.retry_pause).await;
        }
        again
    }

    async fn deliver_one(
        &self,
        record: &EventRecord,
        ses: &aws_sdk_sesv2::Client,
        request_id: &str,
    ) -> Option<TryAgain> {
        let Some(order) = Order::from_image(&record.change.new_image) else {
            let problem = "the order cannot be read".to_owned();
            self.bury(&record.event_id, "unknown", None, &problem).await;
            self.telemetry.mail("unknown", &record.event_id, request_id, MailOutcome::Failed(problem));
            return None;
        };
        let (outcome, again) = match self.attempt(&order, ses).await {
            Ok((claim, sent)) => {
                self.finish(&claim, "sent").await;
                (sent, None)
            }
            Err(Undelivered::NoAccount) => (MailOutcome::NoAccount, None),
            Err(Undelivered::Later(again, problem)) => (MailOutcome::Delayed(problem), Some(again)),
            Err(Undelivered::Done) => return None,
            Err(Undelivered::Never(claim, problem)) => {
                let ordered_at = Some(order.ordered_at);
                self.bury(order.id.as_str(), order.kind.name(), ordered_at, &problem).await;
                if let Some(claim) = claim {
                    self.finish(&claim, "failed").await;
                }
                (MailOutcome::Failed(problem), None)
            }
        };
        self.telemetry.mail(order.kind.name(), order.id.as_str(), request_id, outcome);
        again
    }

    /// Claims the order, writes its mail and sends it.
    async fn attempt(
        &self,
        order: &Order,
        ses: &aws_sdk_sesv2::Client,
    ) -> Result<(Claim, MailOutcome), Undelivered> {
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
        let mail = match self.write(order, account.as_ref(), language).await {
            Ok(mail) => mail,
            Err(Undelivered::Never(None, problem)) => return Err(Undelivered::Never(Some(claim), problem)),
            Err(other) => {
                self.release(&claim).await;
                return Err(other);
            }
        };
        let asked = Instant::now();
        match shared::mail::send(ses, &self.settings, &mail).await {
            Ok(message_id) => {
                let delay = self.clock.now().since(order.ordered_at);
                Ok((claim, MailOutcome::Sent { message_id, latency: asked.elapsed(), delay }))
            }
            Err(NotSent::NotTaken(problem)) => {
                self.release(&claim).await;
                Err(Undelivered::Later(TryAgain::AllFromHere, problem))
            }
            Err(NotSent::Final(problem)) => Err(Undelivered::Never(Some(claim), problem)),
        }
    }

    /// The account that a reset was ordered for. A change of password ends what was asked for before it: then there is nobody.
    async fn account_of(&self, order: &Order) -> Result<Account, Undelivered> {
        let Ok(address) = order.address.parse() else { return Err(Undelivered::NoAccount) };
        let account = self.accounts.find_with_language(&address).await?;
        let account = account.map_err(|error| Undelivered::Never(None, error.to_string()))?;
        let is_current = |account: &Account| match order.requested_at {
            Some(requested_at) => account.changed_before(requested_at),
            None => !account.changed_after(order.ordered_at, self.clock.now()),
        };
        account.filter(is_current).ok_or(Undelivered::NoAccount)
    }

    /// The language of the account that a notice is about. A notice in another language is better than a late one.
    async fn language_of_notice(&self, order: &Order) -> Option<Language> {
        let language = self.accounts.language(order.account.clone()?).await;
        language.unwrap_or_else(|error| {
            tracing::warn!(%error, "a notice's language is not known");
            None
        })
    }

    async fn claim(&self, order: &Order) -> Result<Claim, Undelivered> {
        let claim = self.orders.claim(order, self.clock.now(), &self.random).await?;
        claim.map_err(Undelivered::from)
    }

    /// The mail: for an account, with a reset token that is stored by then.
    async fn write(
        &self,
        order: &Order,
        account: Option<&Account>,
        language: Language,
    ) -> Result<Mail, Undelivered> {
        let never = |problem: String| Undelivered::Never(None, problem);
        let branding = &self.branding;
        let Some(account) = account else {
            let mail = ChangedMail { to: &order.address, language, branding, changed_at: order.ordered_at };
            return mail.render().map_err(|error| never(error.to_string()));
        };
        let configured = self.settings.reset_link.as_ref().or(order.link.as_ref());
        let base: &LinkBase = configured.ok_or_else(|| never("RESET_LINK is not set".to_owned()))?;
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
        mail.render().map_err(|error| never(error.to_string()))
    }

    async fn finish(&self, claim: &Claim, outcome: &'static str) {
        if let Err(error) = self.orders.finish(claim, outcome).await {
            tracing::warn!(%error, outcome, "an order is not marked as done");
        }
    }

    async fn release(&self, claim: &Claim) {
        if let Err(error) = self.orders.release(claim).await {
            tracing::warn!(%error, "a claim was not given back and has to lapse");
        }
    }

    async fn bury(&self, order: &str, kind: &'static str, ordered_at: Option<Timestamp>, problem: &str) {
        if let Some(queue) = &self.dead_letters {
            queue.add(order, kind, ordered_at, problem).await;
        }
    }
}

/// The stream's mapping lets inserted orders alone through. Where it does not, nothing else is taken for one.
fn is_order(record: &EventRecord) -> bool {
    record.event_name == "INSERT" && Order::has_keys(&record.change.keys)
}
