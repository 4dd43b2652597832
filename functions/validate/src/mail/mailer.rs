//! Sends mails through SES and classifies its errors.

use std::error::Error;
use std::iter::successors;

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::{BuildError, DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message, MessageHeader, MessageTag};
use secrecy::{ExposeSecret as _, SecretString};
use shared::email::with_ascii_domain;
use shared::mail::MailSettings;
use shared::store::{StoreError, StoreErrorKind};

use super::content::Mail;

/// Why a mail was not sent. The texts are for the log and contain no address.
#[derive(Debug)]
pub(super) enum DeliveryError {
    /// Certainly not sent, for a temporary reason that affects every mail.
    NotSent(String),
    /// SES may have accepted the mail: it answered with an error of its own, or not at all.
    Uncertain(String),
    /// This mail cannot be sent, now or later.
    Permanent(String),
}

impl From<StoreError> for DeliveryError {
    fn from(error: StoreError) -> Self {
        match error.kind {
            StoreErrorKind::Unavailable => Self::NotSent(error.to_string()),
            StoreErrorKind::InvalidRow => Self::Permanent(error.to_string()),
        }
    }
}

/// Sends `mail` with one call of SES. Returns SES's message id.
pub(super) async fn send(
    client: &Client,
    settings: &MailSettings,
    mail: &Mail,
) -> Result<String, DeliveryError> {
    let refused = |error: BuildError| DeliveryError::Permanent(error.to_string());
    let content = content(mail).map_err(refused)?;
    // An account may store a domain in its own letters, which SES refuses.
    let to = with_ascii_domain(&mail.to).unwrap_or_else(|| mail.to.as_str().into());
    // SES includes the tag in its events. Allowed are letters, digits, _ and -.
    let tag = MessageTag::builder().name("rekey-mail").value(mail.kind.name()).build().map_err(refused)?;
    let sent = client
        .send_email()
        .from_email_address(settings.from.as_header())
        .set_reply_to_addresses(
            settings.reply_to.as_ref().map(|mailbox| vec![mailbox.as_header().to_owned()]),
        )
        .set_configuration_set_name(settings.configuration_set.clone())
        .destination(Destination::builder().to_addresses(to).build())
        .content(content)
        .email_tags(tag)
        .send()
        .await;
    match sent {
        Ok(output) => Ok(output.message_id.unwrap_or_default()),
        Err(error) => Err(classify(&error, settings.from.address())),
    }
}

/// What `error` says about the mail.
fn classify(error: &SdkError<SendEmailError>, sender: &str) -> DeliveryError {
    let problem = problem(error);
    match error {
        SdkError::ConstructionFailure(_) => DeliveryError::NotSent(problem),
        SdkError::DispatchFailure(failure)
            if failure.as_connector_error().is_some_and(|error| failed_to_connect(error)) =>
        {
            DeliveryError::NotSent(problem)
        }
        SdkError::ServiceError(service) => match service.raw().status().as_u16() {
            status if affects_every_mail(service.err(), status, sender) => DeliveryError::NotSent(problem),
            400..500 => DeliveryError::Permanent(problem),
            _ => DeliveryError::Uncertain(problem),
        },
        _ => DeliveryError::Uncertain(problem),
    }
}

/// Whether SES refuses all mails of this account at the moment, not only this one.
fn affects_every_mail(error: &SendEmailError, status: u16, sender: &str) -> bool {
    use SendEmailError::{
        AccountSuspendedException, LimitExceededException, MailFromDomainNotVerifiedException,
        MessageRejected, NotFoundException, SendingPausedException, TooManyRequestsException,
    };
    match error {
        AccountSuspendedException(_)
        | LimitExceededException(_)
        | MailFromDomainNotVerifiedException(_)
        | NotFoundException(_)
        | SendingPausedException(_)
        | TooManyRequestsException(_) => true,
        // The message lists the identities that are not verified. An unverified sender affects every mail, a recipient only this one.
        MessageRejected(rejected) => {
            rejected.message().is_some_and(|message| names_identity(message, sender))
        }
        // Access denied, bad credentials and throttling of the account are not variants of `SendEmailError`.
        other => [403, 429].contains(&status) || is_denied_or_throttled(other.code()),
    }
}

/// Whether `message` lists `identity`, or its domain, among the identities that are not verified: "Email address is not verified. The
/// following identities failed the check in region EU-WEST-1: no-reply@example.com, …". Whole words: one address may end in another.
fn names_identity(message: &str, identity: &str) -> bool {
    let domain = identity.rsplit_once('@').map_or(identity, |(_, domain)| domain);
    let mut words = message.split(|c: char| c.is_whitespace() || ",;<>\"()".contains(c));
    words.any(|word| {
        let word = word.trim_end_matches('.');
        word.eq_ignore_ascii_case(identity) || word.eq_ignore_ascii_case(domain)
    })
}

/// SES's documentation of quotas names `ThrottlingException`, its API reference `TooManyRequestsException`.
fn is_denied_or_throttled(code: Option<&str>) -> bool {
    code.is_some_and(|code| code.starts_with("AccessDenied") || code.contains("Throttl"))
}

fn failed_to_connect(error: &(dyn Error + 'static)) -> bool {
    let mut causes = successors(Some(error), |cause| Error::source(*cause));
    causes.any(|cause| cause.downcast_ref().is_some_and(hyper_util::client::legacy::Error::is_connect))
}

fn content(mail: &Mail) -> Result<EmailContent, BuildError> {
    let utf8 = |text: &str| Content::builder().data(text).charset("UTF-8").build();
    let part = |text: &SecretString| utf8(text.expose_secret());
    let body = Body::builder().text(part(&mail.text)?).html(part(&mail.html)?).build();
    // RFC 3834 section 5: prevents automatic replies.
    let automatic = MessageHeader::builder().name("Auto-Submitted").value("auto-generated").build()?;
    let message = Message::builder().subject(utf8(&mail.subject)?).body(body).headers(automatic).build();
    Ok(EmailContent::builder().simple(message).build())
}

/// The error code. Not SES's message: it quotes addresses.
fn problem(error: &SdkError<SendEmailError>) -> String {
    match error {
        SdkError::ServiceError(service) => service.err().code().unwrap_or("unknown service error").to_owned(),
        SdkError::ResponseError(_) => "SES's response could not be parsed".to_owned(),
        other => DisplayErrorContext(other).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_sesv2::config::http::HttpResponse;
    use aws_sdk_sesv2::error::ErrorMetadata;
    use aws_sdk_sesv2::types::error as errors;
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;
    use shared::mail::MailKind;

    use SendEmailError::{
        AccountSuspendedException, BadRequestException, LimitExceededException,
        MailFromDomainNotVerifiedException, MessageRejected, NotFoundException, SendingPausedException,
        TooManyRequestsException,
    };

    use super::*;

    #[test]
    fn a_mail_says_that_a_machine_sent_it() {
        let mail = Mail {
            kind: MailKind::Reset,
            to: "ann@example.com".to_owned(),
            subject: "Subject".to_owned(),
            text: "Text".into(),
            html: "<p>Text</p>".into(),
        };
        let content = content(&mail).expect("a mail");
        let headers = content.simple().map(Message::headers).unwrap_or_default();
        let headers: Vec<_> = headers.iter().map(|header| (header.name(), header.value())).collect();
        assert_eq!(headers, [("Auto-Submitted", "auto-generated")]);
    }

    const SENDER: &str = "no-reply@example.com";

    fn answered(status: u16, error: SendEmailError) -> DeliveryError {
        let status = StatusCode::try_from(status).expect("a status");
        classify(&SdkError::service_error(error, HttpResponse::new(status, SdkBody::empty())), SENDER)
    }

    fn unknown(code: &str) -> SendEmailError {
        SendEmailError::generic(ErrorMetadata::builder().code(code).build())
    }

    fn rejected(identities: &str) -> SendEmailError {
        let message = format!(
            "Email address is not verified. The following identities failed the check in region EU-WEST-1: {identities}"
        );
        MessageRejected(errors::MessageRejected::builder().message(message).build())
    }

    #[test]
    fn what_ses_refuses_for_every_mail_at_the_moment_is_sent_later() {
        for (status, error) in [
            (400, AccountSuspendedException(errors::AccountSuspendedException::builder().build())),
            (400, LimitExceededException(errors::LimitExceededException::builder().build())),
            (
                400,
                MailFromDomainNotVerifiedException(
                    errors::MailFromDomainNotVerifiedException::builder().build(),
                ),
            ),
            (404, NotFoundException(errors::NotFoundException::builder().build())),
            (400, SendingPausedException(errors::SendingPausedException::builder().build())),
            (429, TooManyRequestsException(errors::TooManyRequestsException::builder().build())),
            (400, unknown("ThrottlingException")),
            (429, unknown("anything")),
            (403, unknown("InvalidClientTokenId")),
            (400, unknown("AccessDeniedException")),
            (400, rejected("no-reply@example.com")),
            (400, rejected("person@example.org, No-Reply@Example.com")),
            (400, rejected("\"Rekey\" <no-reply@example.com>")),
            (400, rejected("example.com")),
        ] {
            let text = format!("{error:?}");
            assert!(matches!(answered(status, error), DeliveryError::NotSent(_)), "{status} {text}");
        }
    }

    #[test]
    fn what_ses_refuses_for_one_mail_has_failed() {
        for (status, error) in [
            (400, BadRequestException(errors::BadRequestException::builder().build())),
            (400, unknown("ValidationException")),
            (400, rejected("person@example.org")),
            // Addresses that end in the sender's, or have its domain.
            (400, rejected("h_no-reply@example.com")),
            (400, rejected("no-reply@example.com.evil.example")),
            (400, rejected("person@example.com")),
            (400, MessageRejected(errors::MessageRejected::builder().build())),
        ] {
            let text = format!("{error:?}");
            assert!(matches!(answered(status, error), DeliveryError::Permanent(_)), "{status} {text}");
        }
    }

    #[test]
    fn what_ses_may_have_accepted_is_uncertain() {
        for status in [500, 502, 503, 504] {
            assert!(matches!(
                answered(status, unknown("InternalServiceErrorException")),
                DeliveryError::Uncertain(_)
            ));
        }
        assert!(matches!(answered(200, unknown("not JSON")), DeliveryError::Uncertain(_)));
        let timeout = SdkError::<SendEmailError>::timeout_error("no answer");
        assert!(matches!(classify(&timeout, SENDER), DeliveryError::Uncertain(_)));
        let broken = SdkError::dispatch_failure(ConnectorError::io("broken".into()));
        assert!(matches!(classify(&broken, SENDER), DeliveryError::Uncertain(_)));
        let unsent = SdkError::construction_failure("no credentials");
        assert!(matches!(classify(&unsent, SENDER), DeliveryError::NotSent(_)));
    }
}
