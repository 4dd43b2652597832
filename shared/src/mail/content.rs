//! What the mails say, as text and as HTML.

use askama::Template;
use secrecy::{ExposeSecret as _, SecretString};

use crate::clock::Timestamp;

/// A mail, ready to send. Holds an address and perhaps a token, so it has no `Debug`.
#[derive(Clone)]
pub struct Mail {
    /// Which one it is, for the log.
    pub kind: MailKind,
    /// The address as stored in the account.
    pub to: String,
    /// The subject, one line.
    pub subject: String,
    /// The plain text.
    pub text: SecretString,
    /// The same as HTML.
    pub html: SecretString,
}

/// The two mails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailKind {
    /// "Set a new password".
    Reset,
    /// "Your password was changed".
    Changed,
}

impl MailKind {
    /// The kind's name, in orders and in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::Changed => "changed",
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Reset, Self::Changed].into_iter().find(|kind| kind.name() == name)
    }
}

#[derive(Template)]
#[template(path = "reset_mail.txt")]
struct ResetText<'a> {
    service: &'a str,
    link: &'a str,
    lifetime: &'a str,
}

#[derive(Template)]
#[template(path = "reset_mail.html")]
struct ResetHtml<'a> {
    service: &'a str,
    link: &'a str,
    lifetime: &'a str,
}

#[derive(Template)]
#[template(path = "changed_mail.txt")]
struct ChangedText<'a> {
    service: &'a str,
    when: &'a str,
}

#[derive(Template)]
#[template(path = "changed_mail.html")]
struct ChangedHtml<'a> {
    service: &'a str,
    when: &'a str,
}

/// What goes into "set a new password".
#[derive(Clone, Copy)]
pub struct ResetMail<'a> {
    /// The account's stored address.
    pub to: &'a str,
    /// The service's name.
    pub service: &'a str,
    /// The link that carries the token.
    pub link: &'a SecretString,
    /// How long the link works, in seconds.
    pub lifetime_seconds: u64,
}

impl ResetMail<'_> {
    /// The mail.
    ///
    /// # Errors
    ///
    /// [`askama::Error`] if a template fails, which only running out of memory brings about.
    pub fn render(&self) -> Result<Mail, askama::Error> {
        let (service, link) = (self.service, self.link.expose_secret());
        let lifetime = &in_words(self.lifetime_seconds);
        Ok(Mail {
            kind: MailKind::Reset,
            to: self.to.to_owned(),
            subject: format!("Set a new password for {service}"),
            text: ResetText { service, link, lifetime }.render()?.into(),
            html: ResetHtml { service, link, lifetime }.render()?.into(),
        })
    }
}

/// "Your password was changed", to the account's stored address `to`.
///
/// # Errors
///
/// As [`ResetMail::render`].
pub fn changed_mail(to: &str, service: &str, at: Timestamp) -> Result<Mail, askama::Error> {
    let when = &utc(at);
    Ok(Mail {
        kind: MailKind::Changed,
        to: to.to_owned(),
        subject: format!("Your password for {service} was changed"),
        text: ChangedText { service, when }.render()?.into(),
        html: ChangedHtml { service, when }.render()?.into(),
    })
}

fn in_words(seconds: u64) -> String {
    let (count, unit) = match seconds {
        s if s % 3600 == 0 => (s / 3600, "hour"),
        s => (s / 60, "minute"),
    };
    if count == 1 { format!("1 {unit}") } else { format!("{count} {unit}s") }
}

fn utc(at: Timestamp) -> String {
    let seconds = i64::try_from(at.as_seconds()).unwrap_or_default();
    time::OffsetDateTime::from_unix_timestamp(seconds).map_or_else(
        |_| "just now".to_owned(),
        |t| format!("{} {} {} at {:02}:{:02} UTC", t.day(), t.month(), t.year(), t.hour(), t.minute()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(mail: &Mail) -> String {
        format!(
            "Subject: {}\n\n{}\n--- html ---\n{}",
            mail.subject,
            mail.text.expose_secret(),
            mail.html.expose_secret()
        )
    }

    #[test]
    fn set_a_new_password() {
        let link = SecretString::from("https://example.com/complete/#token=TTTTTTTTTTTTTTTTTTTT");
        let mail =
            ResetMail { to: "ann@example.com", service: "Ann & Co", link: &link, lifetime_seconds: 7200 };
        insta::assert_snapshot!(whole(&mail.render().expect("a mail")));
    }

    #[test]
    fn your_password_was_changed() {
        let mail = changed_mail("ann@example.com", "Ann & Co", Timestamp::from_millis(1_800_000_000_000));
        insta::assert_snapshot!(whole(&mail.expect("a mail")));
    }

    #[test]
    fn lifetimes_are_told_in_words() {
        assert_eq!(
            [3600, 7200, 900, 60, 5400].map(in_words),
            ["1 hour", "2 hours", "15 minutes", "1 minute", "90 minutes"]
        );
    }
}
