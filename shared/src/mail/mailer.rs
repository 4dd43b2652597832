//! Sends mails through SES, after the reply.

use std::error::Error;
use std::iter::successors;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::{BuildError, DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::{Instant, sleep, sleep_until};

use super::{Mail, MailKind};
use crate::config::MailSettings;
use crate::random::Random;
use crate::telemetry::{MailOutcome, Telemetry};

/// SES counts its rate by the second.
const REPEAT_AFTER: Duration = Duration::from_millis(1_100);

/// Sends mails. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Mailer {
    client: Client,
    settings: Arc<MailSettings>,
    telemetry: Telemetry,
    random: Random,
    pace: Duration,
    /// Milliseconds that the last mail kept this environment, in whole paces.
    last: Arc<AtomicU64>,
}

impl Mailer {
    /// Almost every `SendEmail` ends within a second.
    pub const PACE: Duration = Duration::from_secs(1);

    /// A mailer that stays busy for a multiple of `pace`, and a little more, whether or not there is anybody to write to. An environment
    /// that were free sooner for an unknown address would tell a stranger, by the next call's cold start, who has an
    /// account.
    #[must_use]
    pub fn new(
        client: Client,
        settings: MailSettings,
        telemetry: Telemetry,
        random: Random,
        pace: Duration,
    ) -> Self {
        Self { client, settings: Arc::new(settings), telemetry, random, pace, last: Arc::default() }
    }

    /// How mails look and leave.
    #[must_use]
    pub fn settings(&self) -> &MailSettings {
        &self.settings
    }

    /// Sends a mail to whoever it concerns, as soon as may be: who gets this one is no secret from the caller.
    pub async fn notify(&self, mail: Result<Mail, askama::Error>, request_id: String) {
        let started = Instant::now();
        let (kind, outcome) = self.attempt(mail).await;
        self.telemetry.mail(kind.name(), &request_id, outcome, started.elapsed());
    }

    /// Sends `mail`, or takes as long as if there were one. What SES refuses is logged and counted; the request token
    /// may ask again.
    pub async fn deliver(&self, mail: Option<Result<Mail, askama::Error>>, request_id: String) {
        let started = Instant::now();
        let was_sent = mail.is_some();
        let (kind, outcome) = match mail {
            None => (MailKind::Reset, MailOutcome::NoAccount),
            Some(mail) => self.attempt(mail).await,
        };
        let took = started.elapsed();
        self.telemetry.mail(kind.name(), &request_id, outcome, took);
        let busy = if was_sent { self.in_whole_paces(took) } else { self.as_long_as_the_last() };
        sleep_until(started + busy + self.jitter()).await;
    }

    /// Up to a sixteenth of a pace. When exactly a timer fires depends a little, by tenths of a millisecond, on what the thread did
    /// before; as few mails as an address gets cannot tell that from chance.
    fn jitter(&self) -> Duration {
        let fraction = self.random.bytes().map_or(u16::MAX / 2, u16::from_ne_bytes);
        self.pace * u32::from(fraction) / (16 * (1 << 16))
    }

    async fn attempt(&self, mail: Result<Mail, askama::Error>) -> (MailKind, MailOutcome) {
        match mail {
            Ok(mail) => {
                (mail.kind, self.send(mail).await.map_or_else(MailOutcome::Failed, MailOutcome::Sent))
            }
            Err(error) => (MailKind::Reset, MailOutcome::Failed(error.to_string())),
        }
    }

    fn in_whole_paces(&self, took: Duration) -> Duration {
        let paces = took.as_millis().div_ceil(self.pace.as_millis().max(1)).max(1);
        let busy = self.pace * u32::try_from(paces).unwrap_or(u32::MAX);
        self.last.store(u64::try_from(busy.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
        busy
    }

    fn as_long_as_the_last(&self) -> Duration {
        self.pace.max(Duration::from_millis(self.last.load(Ordering::Relaxed)))
    }

    async fn send(&self, mail: Mail) -> Result<String, String> {
        let content = content(&mail).map_err(|error| error.to_string())?;
        match self.send_once(&mail, content.clone()).await {
            Err(error) if was_surely_not_sent(&error) => {
                sleep(REPEAT_AFTER).await;
                self.send_once(&mail, content).await.map_err(|error| problem(&error))
            }
            outcome => outcome.map_err(|error| problem(&error)),
        }
    }

    async fn send_once(
        &self,
        mail: &Mail,
        content: EmailContent,
    ) -> Result<String, SdkError<SendEmailError>> {
        let output = self
            .client
            .send_email()
            .from_email_address(&self.settings.from)
            .set_reply_to_addresses(self.settings.reply_to.clone().map(|address| vec![address]))
            .set_configuration_set_name(self.settings.configuration_set.clone())
            .destination(Destination::builder().to_addresses(&mail.to).build())
            .content(content)
            .send()
            .await?;
        Ok(output.message_id.unwrap_or_default())
    }
}

/// A connection that could not be made, or SES's word that it was asked too fast. Neither a time-out nor a connection that broke
/// is one: that mail may be on its way, and a second one would only worry its reader.
fn was_surely_not_sent(error: &SdkError<SendEmailError>) -> bool {
    match error {
        SdkError::DispatchFailure(failure) => {
            failure.as_connector_error().is_some_and(|error| failed_to_connect(error))
        }
        SdkError::ServiceError(service) => service.err().is_too_many_requests_exception(),
        _ => false,
    }
}

fn failed_to_connect(error: &(dyn Error + 'static)) -> bool {
    let mut causes = successors(Some(error), |cause| Error::source(*cause));
    causes.any(|cause| cause.downcast_ref().is_some_and(hyper_util::client::legacy::Error::is_connect))
}

fn content(mail: &Mail) -> Result<EmailContent, BuildError> {
    let utf8 = |text: &str| Content::builder().data(text).charset("UTF-8").build();
    let part = |text: &SecretString| utf8(text.expose_secret());
    let body = Body::builder().text(part(&mail.text)?).html(part(&mail.html)?).build();
    let message = Message::builder().subject(utf8(&mail.subject)?).body(body).build();
    Ok(EmailContent::builder().simple(message).build())
}

/// SES's code, never its message: that one quotes addresses.
fn problem(error: &SdkError<SendEmailError>) -> String {
    match error {
        SdkError::ServiceError(service) => service.err().code().unwrap_or("unknown service error").to_owned(),
        SdkError::ResponseError(_) => "SES answered with something else than an answer".to_owned(),
        other => DisplayErrorContext(other).to_string(),
    }
}
