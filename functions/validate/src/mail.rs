//! The mail function: it takes the orders from the tokens table's stream, finds the accounts, issues the reset tokens and sends. No
//! caller reaches it or waits for it, so nothing that it does can tell a stranger who has an account.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use lambda_http::LambdaEvent;
use lambda_http::aws_lambda_events::event::dynamodb::{Event, EventRecord};
use lambda_http::aws_lambda_events::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use serde_json::Value;
use shared::clock::{Clock, Timestamp};
use shared::config::{Config, MailSettings};
use shared::dead_letters::DeadLetters;
use shared::mail::{LinkBase, Mail, MailKind, NotSent, ResetMail, changed_mail};
use shared::random::Random;
use shared::store::StoreError;
use shared::store::accounts::{Account, Accounts};
use shared::store::orders::{Claim, NotClaimed, Order, Orders};
use shared::store::resets::Resets;
use shared::telemetry::{MailOutcome, Telemetry};
use shared::token::{ResetToken, Token};
use shared::{SdkConfig, aws};
use tokio::time::{Instant, sleep};

/// No further order of a batch is begun after this long: an order takes 25 s at the most, and the function is ended after 60.
const BATCH_BUDGET: Duration = Duration::from_secs(30);

/// How long a batch is held that is to be tried again. Lambda delivers it again at once, and SES counts its rate by the second.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// The function's state, kept between batches.
pub struct MailFunction {
    accounts: Accounts,
    orders: Orders,
    resets: Resets,
    settings: MailSettings,
    dead_letters: Option<DeadLetters>,
    lifetime_seconds: u64,
    sdk: SdkConfig,
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

impl MailFunction {
    /// The function as `config` has it, which reaches SES as `sdk` says.
    #[must_use]
    pub fn new(
        config: &Config,
        dynamodb: Client,
        sdk: SdkConfig,
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
            dead_letters,
            lifetime_seconds,
            sdk,
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
    /// If the event is no batch of records.
    pub async fn respond(&self, event: LambdaEvent<Value>) -> Result<Value, lambda_http::Error> {
        let batch: Event = serde_json::from_value(event.payload)?;
        Ok(serde_json::to_value(self.deliver(batch, &event.context.request_id).await)?)
    }

    /// One after another, so that whoever ends this process ends it in the middle of one mail at the most.
    async fn deliver(&self, batch: Event, request_id: &str) -> DynamoDbEventResponse {
        let (started, ses) = (Instant::now(), aws::ses(&self.sdk));
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
            return Err(Undelivered::Never(None, "expired before it could be sent".to_owned()));
        }
        let account = match order.kind {
            MailKind::Reset => Some(self.account_of(order).await?.ok_or(Undelivered::NoAccount)?),
            MailKind::Changed => None,
        };
        let claim = self.claim(order).await?;
        let mail = match self.write(order, account.as_ref()).await {
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

    /// The account that a reset was ordered for. A request from before the last change of password is dead: it finds nobody.
    async fn account_of(&self, order: &Order) -> Result<Option<Account>, StoreError> {
        let Ok(address) = order.address.parse() else { return Ok(None) };
        let account = self.accounts.find(&address).await?;
        let since = order.requested_at;
        Ok(account.filter(|account| since.is_none_or(|since| account.changed_before(since))))
    }

    async fn claim(&self, order: &Order) -> Result<Claim, Undelivered> {
        match self.orders.claim(order, self.clock.now(), &self.random).await? {
            Ok(claim) => Ok(claim),
            Err(NotClaimed::Done) => Err(Undelivered::Done),
            Err(NotClaimed::Held) => {
                Err(Undelivered::Later(TryAgain::ThisOne, "somebody else holds the claim".to_owned()))
            }
            Err(NotClaimed::Expired) => {
                Err(Undelivered::Never(None, "expired before it could be sent".to_owned()))
            }
        }
    }

    /// The mail: for an account, with a reset token that is stored by then.
    async fn write(&self, order: &Order, account: Option<&Account>) -> Result<Mail, Undelivered> {
        let never = |problem: String| Undelivered::Never(None, problem);
        let service = &self.settings.service_name;
        let Some(account) = account else {
            let mail = changed_mail(&order.address, service, order.ordered_at);
            return mail.map_err(|error| never(error.to_string()));
        };
        let configured = self.settings.reset_link.as_ref().or(order.link.as_ref());
        let base: &LinkBase = configured.ok_or_else(|| never("RESET_LINK is not set".to_owned()))?;
        let token = Token::generate(&self.random).map_err(StoreError::from)?;
        let token = ResetToken(token);
        self.resets.issue(&token, account, self.clock.now()).await?;
        let (link, lifetime_seconds) = (base.with(&token), self.lifetime_seconds);
        let mail = ResetMail { to: account.address(), service, link: &link, lifetime_seconds };
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
    record.event_name == "INSERT" && Order::is_one(&record.change.keys)
}
