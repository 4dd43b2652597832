//! Renders the mails as text and HTML.

#[cfg(test)]
mod tests;

use askama::Template;
use secrecy::{ExposeSecret as _, SecretString};
use shared::branding::Branding;
use shared::clock::Timestamp;
use shared::device::{Browser, Device, System};
use shared::language::{Language, Messages};
use shared::mail::MailKind;

/// A mail, ready to send. Holds an address and perhaps a token, so it has no `Debug`.
#[derive(Clone)]
pub(super) struct Mail {
    /// The kind, for the log.
    pub(super) kind: MailKind,
    /// The recipient: the address as stored in the account, if there is one.
    pub(super) to: String,
    /// The subject, one line.
    pub(super) subject: String,
    /// The text body.
    pub(super) text: SecretString,
    /// The HTML body.
    pub(super) html: SecretString,
}

/// What a mail is, in another language than its own.
struct Explanation {
    language: Language,
    text: String,
}

impl Explanation {
    /// The message `id` in `language`.
    fn new(language: Language, id: &str, branding: &Branding) -> Self {
        Self { language, text: Messages::new(language).with_service(&branding.service_name).say(id) }
    }
}

/// The templates of a mail's two forms, which have the same values.
macro_rules! templates {
    ($text:ident($text_path:literal), $html:ident($html_path:literal) { $($field:ident: $type:ty),+ $(,)? }) => {
        #[derive(Template)]
        #[template(path = $text_path)]
        struct $text<'a> { $($field: $type),+ }

        #[derive(Template)]
        #[template(path = $html_path)]
        struct $html<'a> { $($field: $type),+ }
    };
}

templates! {
    ResetText("reset_mail.txt"), ResetHtml("reset_mail.html") {
        say: &'a Messages,
        brand: &'a Branding,
        link: &'a str,
        lifetime: &'a str,
        seen: &'a [String],
        explained: Option<&'a Explanation>,
    }
}

templates! {
    ChangedText("changed_mail.txt"), ChangedHtml("changed_mail.html") {
        say: &'a Messages,
        brand: &'a Branding,
        seen: &'a [String],
        new_link_page: Option<&'a str>,
    }
}

templates! {
    InviteText("invite_mail.txt"), InviteHtml("invite_mail.html") {
        say: &'a Messages,
        brand: &'a Branding,
        link: &'a str,
        lifetime: &'a str,
    }
}

templates! {
    UnknownText("unknown_mail.txt"), UnknownHtml("unknown_mail.html") {
        say: &'a Messages,
        brand: &'a Branding,
        explained: Option<&'a Explanation>,
    }
}

/// The values in "set a new password".
#[derive(Clone, Copy)]
pub(super) struct ResetMail<'a> {
    /// The account's stored address.
    pub(super) to: &'a str,
    /// The language.
    pub(super) language: Language,
    /// In which other language the mail says in one line what it is: [`Self::language`] may be a stranger's choice.
    pub(super) explained_in: Option<Language>,
    /// The operator's branding.
    pub(super) branding: &'a Branding,
    /// The link with the token.
    pub(super) link: &'a SecretString,
    /// When the reset was requested.
    pub(super) requested_at: Timestamp,
    /// The device that it was requested with.
    pub(super) device: Device,
    /// How long the link works, in seconds.
    pub(super) lifetime_seconds: u64,
}

impl ResetMail<'_> {
    /// Renders the mail. A template fails only if memory runs out.
    pub(super) fn render(&self) -> Result<Mail, askama::Error> {
        let (count, unit) = lifetime(self.lifetime_seconds);
        let say = &messages(self.language, self.branding, self.requested_at).with("count", count);
        let brand = self.branding;
        let link = self.link.expose_secret();
        let lifetime = &*say.say(unit);
        let explained = self.explained_in.map(|language| Explanation::new(language, "reset-asked", brand));
        let explained = explained.as_ref();
        let seen = &*seen(say, self.device);
        Ok(Mail {
            kind: MailKind::Reset,
            to: self.to.to_owned(),
            subject: say.say("reset-subject"),
            text: ResetText { say, brand, link, lifetime, seen, explained }.render()?.into(),
            html: ResetHtml { say, brand, link, lifetime, seen, explained }.render()?.into(),
        })
    }
}

/// The values in "your password was changed".
#[derive(Clone, Copy)]
pub(super) struct ChangedMail<'a> {
    /// The account's stored address.
    pub(super) to: &'a str,
    /// The language.
    pub(super) language: Language,
    /// The operator's branding.
    pub(super) branding: &'a Branding,
    /// When the password was changed.
    pub(super) changed_at: Timestamp,
    /// The device that it was changed with.
    pub(super) device: Device,
    /// The page that asks for a new link, for a person who did not change it.
    pub(super) new_link_page: Option<&'a str>,
}

impl ChangedMail<'_> {
    /// Renders the mail.
    pub(super) fn render(&self) -> Result<Mail, askama::Error> {
        let brand = self.branding;
        let say = &messages(self.language, brand, self.changed_at);
        let seen = &*seen(say, self.device);
        let new_link_page = self.new_link_page;
        Ok(Mail {
            kind: MailKind::Changed,
            to: self.to.to_owned(),
            subject: say.say("changed-subject"),
            text: ChangedText { say, brand, seen, new_link_page }.render()?.into(),
            html: ChangedHtml { say, brand, seen, new_link_page }.render()?.into(),
        })
    }
}

/// The values in "set your password".
#[derive(Clone, Copy)]
pub(super) struct InviteMail<'a> {
    /// The account's stored address.
    pub(super) to: &'a str,
    /// The language.
    pub(super) language: Language,
    /// The operator's branding.
    pub(super) branding: &'a Branding,
    /// The link with the token.
    pub(super) link: &'a SecretString,
    /// When the account was invited.
    pub(super) invited_at: Timestamp,
    /// How long the link works, in seconds.
    pub(super) lifetime_seconds: u64,
}

impl InviteMail<'_> {
    /// Renders the mail.
    pub(super) fn render(&self) -> Result<Mail, askama::Error> {
        let (count, unit) = lifetime(self.lifetime_seconds);
        let say = &messages(self.language, self.branding, self.invited_at).with("count", count);
        let brand = self.branding;
        let link = self.link.expose_secret();
        let lifetime = &*say.say(unit);
        Ok(Mail {
            kind: MailKind::Invite,
            to: self.to.to_owned(),
            subject: say.say("invite-subject"),
            text: InviteText { say, brand, link, lifetime }.render()?.into(),
            html: InviteHtml { say, brand, link, lifetime }.render()?.into(),
        })
    }
}

/// The values in "no account has this address".
#[derive(Clone, Copy)]
pub(super) struct UnknownMail<'a> {
    /// The address in the call.
    pub(super) to: &'a str,
    /// The language.
    pub(super) language: Language,
    /// As in [`ResetMail`].
    pub(super) explained_in: Option<Language>,
    /// The operator's branding.
    pub(super) branding: &'a Branding,
    /// When a reset was requested.
    pub(super) requested_at: Timestamp,
}

impl UnknownMail<'_> {
    /// Renders the mail.
    pub(super) fn render(&self) -> Result<Mail, askama::Error> {
        let brand = self.branding;
        let say = &messages(self.language, brand, self.requested_at);
        let explained = self.explained_in.map(|language| Explanation::new(language, "unknown-what", brand));
        let explained = explained.as_ref();
        Ok(Mail {
            kind: MailKind::Unknown,
            to: self.to.to_owned(),
            subject: say.say("unknown-subject"),
            text: UnknownText { say, brand, explained }.render()?.into(),
            html: UnknownHtml { say, brand, explained }.render()?.into(),
        })
    }
}

/// How long a link works: the number, and the message with its unit.
const fn lifetime(seconds: u64) -> (u64, &'static str) {
    match seconds {
        seconds if seconds > 86_400 && seconds % 86_400 == 0 => (seconds / 86_400, "reset-days"),
        seconds if seconds % 3_600 == 0 => (seconds / 3_600, "reset-hours"),
        seconds => (seconds / 60, "reset-minutes"),
    }
}

fn messages(language: Language, branding: &Branding, when: Timestamp) -> Messages {
    Messages::new(language).with_service(&branding.service_name).with_date("when", when)
}

/// What is known of `device`, a line each.
fn seen(say: &Messages, device: Device) -> Vec<String> {
    let words = [device.browser.map(Browser::name), device.system.map(System::name)];
    let words: Vec<&str> = words.into_iter().flatten().collect();
    let named = (!words.is_empty()).then(|| say.say_of("mail-device", "device", &words.join(", ")));
    let country = device.country.and_then(|country| say.country(country.code()));
    let country = country.map(|name| say.say_of("mail-country", "country", name));
    named.into_iter().chain(country).collect()
}
