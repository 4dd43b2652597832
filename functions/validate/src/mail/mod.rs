//! The mail function: reads orders from the tokens table's stream, finds the accounts, issues reset tokens and sends the mails. No caller
//! reaches it or waits for it, so its timing cannot reveal who has an account.
//!
//! Nor do the mails of a batch reveal anything about each other: all are sent at the same time, and every batch takes the same time.

mod content;
mod dead_letters;
mod mailer;
mod writer;

use std::time::Duration;

use aws_lambda_events::event::dynamodb::{Event, EventRecord};
use aws_lambda_events::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use aws_sdk_dynamodb::Client;
use futures::future::join_all;
use lambda_http::LambdaEvent;
use serde_json::Value;
use shared::aws::Aws;
use shared::clock::{Clock, Timestamp};
use shared::config::{Config, ConfigError};
use shared::language::Languages;
use shared::mail::MailSettings;
use shared::random::Random;
use shared::store::StoreError;
use shared::store::orders::{Claimed, Order, Orders};
use shared::telemetry::{MailOutcome, Telemetry};
use tokio::time::{Instant, sleep_until};

pub use self::dead_letters::DeadLetters;
use self::mailer::DeliveryError;
use self::writer::{Addressee, Recipient, Writer, outcome_for};

/// How long a batch takes at least, whatever is in it. Longer than all its orders take if `DynamoDB` and SES are as fast as usual.
const BATCH_TIME: Duration = Duration::from_secs(1);

/// How often a mail is sent again that SES may have accepted. A second mail harms nobody, a missing one locks a person out.
const MAX_UNCERTAIN_REPEATS: u64 = 2;

/// The function's state, kept between batches.
pub struct MailFunction {
    orders: Orders,
    writer: Writer,
    settings: MailSettings,
    languages: Languages,
    dead_letters: Option<DeadLetters>,
    aws: Aws,
    telemetry: Telemetry,
    clock: Clock,
    random: Random,
    batch_time: Duration,
}

/// What became of an order in this batch.
struct Handled {
    /// For the log. `None` if it was done before.
    outcome: Option<MailOutcome>,
    /// Whether the stream must deliver it again.
    again: bool,
}

impl Handled {
    const fn done(outcome: Option<MailOutcome>) -> Self {
        Self { outcome, again: false }
    }

    const fn again(problem: String) -> Self {
        Self { outcome: Some(MailOutcome::Delayed(problem)), again: true }
    }
}

impl MailFunction {
    /// The function, configured by `config`. It gets its SES clients from `aws`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if a variable that only this function needs is missing.
    pub fn new(
        config: &Config,
        dynamodb: Client,
        aws: Aws,
        dead_letters: Option<DeadLetters>,
        telemetry: Telemetry,
        clock: Clock,
        random: Random,
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            orders: Orders::new(dynamodb.clone(), config.tokens_table.clone()),
            writer: Writer::new(config, dynamodb, clock.clone(), random.clone())?,
            settings: config.mail()?,
            languages: config.languages,
            dead_letters,
            aws,
            telemetry,
            clock,
            random,
            batch_time: BATCH_TIME,
        })
    }

    /// Sets how long a batch takes at least.
    #[must_use]
    pub fn with_batch_time(self, batch_time: Duration) -> Self {
        Self { batch_time, ..self }
    }

    /// Sends the mails of the batch in `event` and returns its `batchItemFailures`.
    ///
    /// # Errors
    ///
    /// If the event is not a batch of stream records.
    pub async fn respond(&self, event: LambdaEvent<Value>) -> Result<Value, lambda_http::Error> {
        let batch = serde_json::from_value(event.payload).map_err(|_| "the event is no batch of records")?;
        let response = Box::pin(self.deliver_batch(batch, &event.context.request_id)).await;
        Ok(serde_json::to_value(response)?)
    }

    /// Lambda retries every record from the first failed one on. Those that were sent are done then.
    async fn deliver_batch(&self, batch: Event, request_id: &str) -> DynamoDbEventResponse {
        let end = Instant::now() + self.batch_time;
        let ses = self.aws.ses();
        let orders = batch.records.into_iter().filter(is_new_order);
        let handled = orders.map(|record| self.deliver_record(record, &ses, request_id));
        let mut response = DynamoDbEventResponse::default();
        for failed in join_all(handled).await.into_iter().flatten() {
            let mut failure = DynamoDbBatchItemFailure::default();
            failure.item_identifier = Some(failed);
            response.batch_item_failures.push(failure);
        }
        sleep_until(end).await;
        response
    }

    /// Returns the record's sequence number if it must be delivered again.
    async fn deliver_record(
        &self,
        record: EventRecord,
        ses: &aws_sdk_sesv2::Client,
        request_id: &str,
    ) -> Option<String> {
        let Some(order) = Order::from_image(record.change.new_image, self.languages) else {
            let problem = "the order cannot be read".to_owned();
            self.add_dead_letter(&record.event_id, "unknown", None, &problem).await;
            self.telemetry.mail("unknown", &record.event_id, request_id, MailOutcome::Failed(problem));
            return None;
        };
        let addressee = self.writer.addressee(&order).await;
        let kind = addressee.as_ref().map_or(order.kind.name(), |addressee| addressee.kind(&order));
        let handled = self.handle(&order, addressee, ses).await;
        if let Some(outcome) = handled.outcome {
            self.telemetry.mail(kind, order.id.as_str(), request_id, outcome);
        }
        record.change.sequence_number.filter(|_| handled.again)
    }

    /// Claims the order and sends its mail. Nothing is claimed if there is nobody to write to.
    async fn handle(
        &self,
        order: &Order,
        addressee: Result<Addressee, DeliveryError>,
        ses: &aws_sdk_sesv2::Client,
    ) -> Handled {
        let recipient = match addressee {
            Ok(Addressee::Nobody(nobody)) => return Handled::done(Some(outcome_for(nobody))),
            Ok(Addressee::Somebody(recipient)) => Ok(recipient),
            Err(DeliveryError::NotSent(problem)) => return Handled::again(problem),
            Err(permanent) => Err(permanent),
        };
        let claim = match self.orders.claim(order, self.clock.now(), &self.random).await {
            Ok(Claimed::Yes(claim)) => claim,
            Ok(Claimed::Done) => return Handled::done(None),
            Ok(Claimed::Held) => return Handled::again("another process holds the claim".to_owned()),
            Ok(Claimed::Expired) => return self.give_up(order).await,
            Ok(Claimed::Gone) => {
                tracing::warn!(order = order.id.as_str(), "ignored an order whose row is gone");
                return Handled::done(None);
            }
            Err(error) => return Handled::again(error.to_string()),
        };
        let delivered = match recipient {
            Ok(recipient) => self.deliver(order, &recipient, ses).await,
            Err(error) => Err(error),
        };
        let (problem, is_uncertain) = match delivered {
            Ok(sent) => {
                log_failure(self.orders.finish(&claim, "sent").await, "store that an order's mail was sent");
                return Handled::done(Some(sent));
            }
            Err(DeliveryError::NotSent(problem)) => (problem, false),
            Err(DeliveryError::Uncertain(problem)) if claim.uncertain_attempts < MAX_UNCERTAIN_REPEATS => {
                (problem, true)
            }
            Err(DeliveryError::Uncertain(problem) | DeliveryError::Permanent(problem)) => {
                self.add_dead_letter_of(order, &problem).await;
                log_failure(self.orders.finish(&claim, "failed").await, "store that an order has failed");
                return Handled::done(Some(MailOutcome::Failed(problem)));
            }
        };
        log_failure(self.orders.release(&claim, is_uncertain).await, "release a claim, which will expire");
        Handled::again(problem)
    }

    async fn give_up(&self, order: &Order) -> Handled {
        let problem = "expired before it could be sent".to_owned();
        self.add_dead_letter_of(order, &problem).await;
        log_failure(self.orders.give_up(order).await, "store that an expired order has failed");
        Handled::done(Some(MailOutcome::Failed(problem)))
    }

    /// Writes the mail and sends it.
    async fn deliver(
        &self,
        order: &Order,
        recipient: &Recipient,
        ses: &aws_sdk_sesv2::Client,
    ) -> Result<MailOutcome, DeliveryError> {
        let mail = self.writer.write(order, recipient).await?;
        let started = Instant::now();
        let message_id = mailer::send(ses, &self.settings, &mail).await?;
        let delay = self.clock.now().since(order.ordered_at);
        Ok(MailOutcome::Sent { message_id, latency: started.elapsed(), delay })
    }

    async fn add_dead_letter_of(&self, order: &Order, problem: &str) {
        self.add_dead_letter(order.id.as_str(), order.kind.name(), Some(order.ordered_at), problem).await;
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

/// A mail's outcome that could not be stored decides only what the next delivery does.
fn log_failure(result: Result<(), StoreError>, action: &'static str) {
    if let Err(error) = result {
        tracing::warn!(%error, "could not {action}");
    }
}
