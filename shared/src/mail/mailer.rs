//! Sends mails through SES, and tells what a failure means.

use std::error::Error;
use std::iter::successors;

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::{BuildError, DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message, MessageHeader, MessageTag};
use secrecy::{ExposeSecret as _, SecretString};

use super::Mail;
use crate::config::MailSettings;

/// Why a mail was not sent. The texts are for the log and hold no address.
#[derive(Debug)]
pub enum NotSent {
    /// SES surely did not take it, for a reason that concerns every mail and may pass: try again.
    NotTaken(String),
    /// SES refused this mail for good, or may have taken it: a second one would only worry its reader.
    Final(String),
}

/// Hands `mail` to SES once, and returns SES's id of it.
///
/// # Errors
///
/// [`NotSent`].
pub async fn send(client: &Client, settings: &MailSettings, mail: &Mail) -> Result<String, NotSent> {
    let unsendable = |error: BuildError| NotSent::Final(error.to_string());
    let content = content(mail).map_err(unsendable)?;
    // Comes back in SES's events. SES takes letters, digits, _ and - alone.
    let tag = MessageTag::builder().name("rekey-mail").value(mail.kind.name()).build().map_err(unsendable)?;
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
        Err(error) if was_surely_not_taken(&error, &settings.from) => Err(NotSent::NotTaken(problem(&error))),
        Err(error) => Err(NotSent::Final(problem(&error))),
    }
}

/// Whether no request left, or SES said that it takes no mail of ours at the moment. Neither a time-out nor a connection that broke is
/// that, nor an error inside SES: such a mail may be on its way.
fn was_surely_not_taken(error: &SdkError<SendEmailError>, sender: &str) -> bool {
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
                // The message names the identities that are not verified. A recipient's concerns this mail alone.
                MessageRejected(rejected) => {
                    rejected.message().is_some_and(|message| message.contains(bare_address(sender)))
                }
                // Denied access, bad credentials and the throttling of the whole account stand in no list of SES's.
                other => {
                    [403, 429].contains(&service.raw().status().as_u16())
                        || is_denied_or_throttled(other.code())
                }
            }
        }
        _ => false,
    }
}

/// The documentation of SES's quotas has `ThrottlingException` where its API has `TooManyRequestsException`.
fn is_denied_or_throttled(code: Option<&str>) -> bool {
    code.is_some_and(|code| code.starts_with("AccessDenied") || code.contains("Throttl"))
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
    // RFC 3834 section 5: nobody's absence is to be answered to a machine.
    let automatic = MessageHeader::builder().name("Auto-Submitted").value("auto-generated").build()?;
    let message = Message::builder().subject(utf8(&mail.subject)?).body(body).headers(automatic).build();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::MailKind;

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
