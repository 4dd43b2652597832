//! Sends mails through SES and classifies its errors.

use std::error::Error;
use std::iter::successors;

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::{BuildError, DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message, MessageHeader, MessageTag};
use secrecy::{ExposeSecret as _, SecretString};

use super::{LinkBase, Mail};

/// The settings of mails.
#[derive(Clone, Debug)]
pub struct MailSettings {
    /// The sender, an identity verified with SES.
    pub from: String,
    /// The `Reply-To` address, if not the sender.
    pub reply_to: Option<String>,
    /// The SES configuration set.
    pub configuration_set: Option<String>,
    /// The link's base. `None` means the hosted page at the API's default endpoint.
    pub reset_link: Option<LinkBase>,
}

/// Why a mail was not sent. The texts are for the log and contain no address.
#[derive(Debug)]
pub enum SendError {
    /// SES certainly did not accept the mail, for a temporary reason that affects every mail.
    Retryable(String),
    /// SES refused this mail permanently, or may have accepted it. It is not sent again: two such mails would worry the reader.
    Permanent(String),
}

/// Sends `mail` with one call of SES. Returns SES's message id.
///
/// # Errors
///
/// [`SendError`].
pub async fn send(client: &Client, settings: &MailSettings, mail: &Mail) -> Result<String, SendError> {
    let permanent = |error: BuildError| SendError::Permanent(error.to_string());
    let content = content(mail).map_err(permanent)?;
    // SES includes the tag in its events. Allowed are letters, digits, _ and -.
    let tag = MessageTag::builder().name("rekey-mail").value(mail.kind.name()).build().map_err(permanent)?;
    let sent = client
        .send_email()
        .from_email_address(&settings.from)
        .set_reply_to_addresses(settings.reply_to.clone().map(|address| vec![address]))
        .set_configuration_set_name(settings.configuration_set.clone())
        .destination(Destination::builder().to_addresses(&mail.to).build())
        .content(content)
        .email_tags(tag)
        .send()
        .await;
    match sent {
        Ok(output) => Ok(output.message_id.unwrap_or_default()),
        Err(error) if is_retryable(&error, &settings.from) => Err(SendError::Retryable(problem(&error))),
        Err(error) => Err(SendError::Permanent(problem(&error))),
    }
}

/// Whether no request was sent, or SES refuses all mails of this account at the moment. Not after a timeout, a broken connection or an
/// internal error of SES: the mail may have been accepted.
fn is_retryable(error: &SdkError<SendEmailError>, sender: &str) -> bool {
    match error {
        SdkError::ConstructionFailure(_) => true,
        SdkError::DispatchFailure(failure) => {
            failure.as_connector_error().is_some_and(|error| failed_to_connect(error))
        }
        SdkError::ServiceError(service) => {
            use SendEmailError::{
                AccountSuspendedException, LimitExceededException, MailFromDomainNotVerifiedException,
                MessageRejected, NotFoundException, SendingPausedException, TooManyRequestsException,
            };
            match service.err() {
                AccountSuspendedException(_)
                | LimitExceededException(_)
                | MailFromDomainNotVerifiedException(_)
                | NotFoundException(_)
                | SendingPausedException(_)
                | TooManyRequestsException(_) => true,
                MessageRejected(rejected) => {
                    rejected.message().is_some_and(|message| names(message, bare_address(sender)))
                }
                // Access denied, bad credentials and throttling of the account are not variants of `SendEmailError`.
                other => {
                    [403, 429].contains(&service.raw().status().as_u16())
                        || is_denied_or_throttled(other.code())
                }
            }
        }
        _ => false,
    }
}

/// SES's documentation of quotas names `ThrottlingException`, its API reference `TooManyRequestsException`.
fn is_denied_or_throttled(code: Option<&str>) -> bool {
    code.is_some_and(|code| code.starts_with("AccessDenied") || code.contains("Throttl"))
}

/// Whether SES's `message` lists `sender` among the identities that are not verified. An unverified sender affects every mail, a
/// recipient (in the sandbox) only this one. Compares whole addresses: a recipient's may contain the sender's.
fn names(message: &str, sender: &str) -> bool {
    let mut words = message.split(|c: char| c.is_whitespace() || [',', '<', '>', '"'].contains(&c));
    words.any(|word| word.trim_end_matches('.').eq_ignore_ascii_case(sender))
}

/// The address in `"Name" <address>`.
fn bare_address(sender: &str) -> &str {
    sender.rsplit_once('<').map_or(sender, |(_, address)| address.trim_end_matches('>'))
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
    use super::*;
    use crate::mail::MailKind;

    #[test]
    fn only_the_whole_address_of_the_sender_is_the_sender() {
        let listed = |identities: &str| {
            let message = format!(
                "Email address is not verified. The following identities failed the check in region EU-WEST-1: {identities}"
            );
            names(&message, "no-reply@example.com")
        };
        let alone = ["no-reply@example.com", "\"Shop, Inc\" <no-reply@example.com>", "No-Reply@Example.com."];
        assert!(alone.into_iter().all(listed));
        assert!(listed("ann@example.org, no-reply@example.com"));
        for recipient in
            ["h_no-reply@example.com", "no-reply@example.com.au", "a.no-reply@example.com", "ann@example.org"]
        {
            assert!(!listed(recipient), "{recipient}");
        }
    }

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
}
