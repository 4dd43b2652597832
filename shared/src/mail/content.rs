//! Renders the mails as text and HTML.

use askama::Template;
use secrecy::{ExposeSecret as _, SecretString};

use crate::branding::Branding;
use crate::clock::Timestamp;
use crate::device::{Browser, Device, System};
use crate::language::{Language, Messages};

/// A mail, ready to send. Holds an address and perhaps a token, so it has no `Debug`.
#[derive(Clone)]
pub struct Mail {
    /// The kind, for the log.
    pub kind: MailKind,
    /// The recipient: the address as stored in the account, if there is one.
    pub to: String,
    /// The subject, one line.
    pub subject: String,
    /// The text body.
    pub text: SecretString,
    /// The HTML body.
    pub html: SecretString,
}

/// The mails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailKind {
    /// "Set a new password".
    Reset,
    /// "Your password was changed".
    Changed,
    /// "Set your password", for an account that has none yet.
    Invite,
    /// "No account has this address".
    Unknown,
}

impl MailKind {
    /// The name in orders and in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::Changed => "changed",
            Self::Invite => "invite",
            Self::Unknown => "unknown",
        }
    }

    /// The kind of the order with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Reset, Self::Changed, Self::Invite].into_iter().find(|kind| kind.name() == name)
    }
}

/// What a mail is, in another language than its own.
struct Explanation {
    language: Language,
    text: String,
}

#[derive(Template)]
#[template(path = "reset_mail.txt")]
struct ResetText<'a> {
    say: &'a Messages,
    brand: &'a Branding,
    link: &'a str,
    lifetime: &'a str,
    seen: &'a [String],
    explained: Option<&'a Explanation>,
}

#[derive(Template)]
#[template(path = "reset_mail.html")]
struct ResetHtml<'a> {
    say: &'a Messages,
    brand: &'a Branding,
    link: &'a str,
    lifetime: &'a str,
    seen: &'a [String],
    explained: Option<&'a Explanation>,
}

#[derive(Template)]
#[template(path = "changed_mail.txt")]
struct ChangedText<'a> {
    say: &'a Messages,
    brand: &'a Branding,
    seen: &'a [String],
    new_link_page: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "changed_mail.html")]
struct ChangedHtml<'a> {
    say: &'a Messages,
    brand: &'a Branding,
    seen: &'a [String],
    new_link_page: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "invite_mail.txt")]
struct InviteText<'a> {
    say: &'a Messages,
    brand: &'a Branding,
    link: &'a str,
    lifetime: &'a str,
}

#[derive(Template)]
#[template(path = "invite_mail.html")]
struct InviteHtml<'a> {
    say: &'a Messages,
    brand: &'a Branding,
    link: &'a str,
    lifetime: &'a str,
}

#[derive(Template)]
#[template(path = "unknown_mail.txt")]
struct UnknownText<'a> {
    say: &'a Messages,
    brand: &'a Branding,
}

#[derive(Template)]
#[template(path = "unknown_mail.html")]
struct UnknownHtml<'a> {
    say: &'a Messages,
    brand: &'a Branding,
}

/// The values in "set a new password".
#[derive(Clone, Copy)]
pub struct ResetMail<'a> {
    /// The account's stored address.
    pub to: &'a str,
    /// The language.
    pub language: Language,
    /// In which other language the mail says in one line what it is: [`Self::language`] may be a stranger's choice.
    pub explained_in: Option<Language>,
    /// The operator's branding.
    pub branding: &'a Branding,
    /// The link with the token.
    pub link: &'a SecretString,
    /// When the reset was requested.
    pub requested_at: Timestamp,
    /// The device that it was requested with.
    pub device: Device,
    /// How long the link works, in seconds.
    pub lifetime_seconds: u64,
}

impl ResetMail<'_> {
    /// Renders the mail.
    ///
    /// # Errors
    ///
    /// [`askama::Error`] if a template fails, which only running out of memory can cause.
    pub fn render(&self) -> Result<Mail, askama::Error> {
        let (count, unit) = lifetime(self.lifetime_seconds);
        let say = &messages(self.language, self.branding, self.requested_at).with("count", count);
        let (brand, link, lifetime) = (self.branding, self.link.expose_secret(), &*say.say(unit));
        let explained = self.explained_in.map(|language| Explanation {
            language,
            text: messages(language, self.branding, self.requested_at).say("reset-asked"),
        });
        let (seen, explained) = (&*seen(say, self.device), explained.as_ref());
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
pub struct ChangedMail<'a> {
    /// The account's stored address.
    pub to: &'a str,
    /// The language.
    pub language: Language,
    /// The operator's branding.
    pub branding: &'a Branding,
    /// When the password was changed.
    pub changed_at: Timestamp,
    /// The device that it was changed with.
    pub device: Device,
    /// The page that asks for a new link, for a person who did not change it.
    pub new_link_page: Option<&'a str>,
}

impl ChangedMail<'_> {
    /// Renders the mail.
    ///
    /// # Errors
    ///
    /// As [`ResetMail::render`].
    pub fn render(&self) -> Result<Mail, askama::Error> {
        let (say, brand) = (&messages(self.language, self.branding, self.changed_at), self.branding);
        let (seen, new_link_page) = (&*seen(say, self.device), self.new_link_page);
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
pub struct InviteMail<'a> {
    /// The account's stored address.
    pub to: &'a str,
    /// The language.
    pub language: Language,
    /// The operator's branding.
    pub branding: &'a Branding,
    /// The link with the token.
    pub link: &'a SecretString,
    /// When the account was invited.
    pub invited_at: Timestamp,
    /// How long the link works, in seconds.
    pub lifetime_seconds: u64,
}

impl InviteMail<'_> {
    /// Renders the mail.
    ///
    /// # Errors
    ///
    /// As [`ResetMail::render`].
    pub fn render(&self) -> Result<Mail, askama::Error> {
        let (count, unit) = lifetime(self.lifetime_seconds);
        let say = &messages(self.language, self.branding, self.invited_at).with("count", count);
        let (brand, link, lifetime) = (self.branding, self.link.expose_secret(), &*say.say(unit));
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
pub struct UnknownMail<'a> {
    /// The address in the call.
    pub to: &'a str,
    /// The language.
    pub language: Language,
    /// The operator's branding.
    pub branding: &'a Branding,
    /// When a reset was requested.
    pub requested_at: Timestamp,
}

impl UnknownMail<'_> {
    /// Renders the mail.
    ///
    /// # Errors
    ///
    /// As [`ResetMail::render`].
    pub fn render(&self) -> Result<Mail, askama::Error> {
        let (say, brand) = (&messages(self.language, self.branding, self.requested_at), self.branding);
        Ok(Mail {
            kind: MailKind::Unknown,
            to: self.to.to_owned(),
            subject: say.say("unknown-subject"),
            text: UnknownText { say, brand }.render()?.into(),
            html: UnknownHtml { say, brand }.render()?.into(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Country;
    use crate::language::Languages;

    fn branding(service_name: &str) -> Branding {
        Branding {
            service_name: service_name.to_owned(),
            color: None,
            logo_url: None,
            sign_in_link: None,
            support_link: Some("mailto:help@example.com".to_owned()),
        }
    }

    fn device() -> Device {
        Device {
            browser: Some(Browser::Chrome),
            system: Some(System::Windows),
            country: Country::from_code("DE"),
        }
    }

    fn mails(language: &str, service_name: &str) -> [Mail; 4] {
        mails_from(device(), language, service_name)
    }

    fn mails_from(device: Device, language: &str, service_name: &str) -> [Mail; 4] {
        let link = SecretString::from("https://example.com/complete/#token=TTTTTTTTTTTTTTTTTTTT");
        let (to, branding) = ("ann@example.com", &branding(service_name));
        let language = Languages::default().from_code(language).expect("a language");
        let at = Timestamp::from_millis(1_800_000_000_000);
        let reset = ResetMail {
            to,
            language,
            explained_in: None,
            branding,
            link: &link,
            requested_at: at,
            device,
            lifetime_seconds: 7200,
        };
        let new_link_page = Some("https://example.com/organizations/reset-password");
        let changed = ChangedMail { to, language, branding, changed_at: at, device, new_link_page };
        let lifetime_seconds = 604_800;
        let invite = InviteMail { to, language, branding, link: &link, invited_at: at, lifetime_seconds };
        let unknown = UnknownMail { to, language, branding, requested_at: at };
        [reset.render(), changed.render(), invite.render(), unknown.render()]
            .map(|mail| mail.expect("a mail"))
    }

    fn source(mail: &Mail) -> String {
        format!(
            "Subject: {}\n\n{}\n--- html ---\n{}",
            mail.subject,
            mail.text.expose_secret(),
            mail.html.expose_secret()
        )
    }

    #[test]
    fn the_mails_in_english() {
        let [reset, changed, invite, unknown] = mails("en", "Ann & Co");
        insta::assert_snapshot!("set_a_new_password", source(&reset));
        insta::assert_snapshot!("your_password_was_changed", source(&changed));
        insta::assert_snapshot!("set_your_password", source(&invite));
        insta::assert_snapshot!("no_account_has_this_address", source(&unknown));
    }

    #[test]
    fn the_mails_in_arabic() {
        let [reset, changed, ..] = mails("ar", "7-Eleven");
        insta::assert_snapshot!("set_a_new_password_in_arabic", source(&reset));
        insta::assert_snapshot!("your_password_was_changed_in_arabic", source(&changed));
    }

    #[test]
    fn the_mails_as_text_in_every_language() {
        let texts = Languages::default().all().flat_map(|language| {
            mails(language.code(), "Ann & Co").map(|mail| {
                format!("=== {}: {}\n\n{}\n", language.code(), mail.subject, mail.text.expose_secret())
            })
        });
        insta::assert_snapshot!("the_mails_as_text", texts.collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn what_is_not_known_of_a_device_is_not_said() {
        let nobody = Device::default();
        let country = Country::from_code("ZZ");
        for (device, expected) in [
            (nobody, None),
            (Device { country, ..nobody }, None),
            (Device { system: Some(System::Ios), country, ..nobody }, Some("Device: iOS\n")),
            (
                Device { country: Country::from_code("AG"), ..nobody },
                Some("Country or region: Antigua & Barbuda\n"),
            ),
        ] {
            for mail in &mails_from(device, "en", "Ann")[..2] {
                let text = mail.text.expose_secret();
                let after_date = text.split_once("UTC\n").expect("a date").1;
                assert!(after_date.starts_with(&format!("{}\n", expected.unwrap_or_default())), "{text}");
                assert_eq!(
                    mail.html.expose_secret().matches("UTC<br>").count(),
                    usize::from(expected.is_some())
                );
                assert!(!mail.html.expose_secret().contains("& Barbuda"), "names are escaped");
            }
        }
    }

    #[test]
    fn a_lifetime_is_in_the_largest_unit_that_fits() {
        for (seconds, expected) in [
            (60, (1, "reset-minutes")),
            (5_400, (90, "reset-minutes")),
            (7_200, (2, "reset-hours")),
            (86_400, (24, "reset-hours")),
            (90_000, (25, "reset-hours")),
            (172_800, (2, "reset-days")),
        ] {
            assert_eq!(lifetime(seconds), expected, "{seconds}");
        }
    }

    #[test]
    fn korean_breaks_between_words_only() {
        for language in Languages::default().all() {
            for mail in mails(language.code(), "Ann") {
                let is_korean = language.code() == "ko";
                assert_eq!(mail.html.expose_secret().contains("word-break:keep-all"), is_korean);
            }
        }
    }

    #[test]
    fn a_mail_for_a_front_end_of_the_operators_links_to_no_page_of_rekey() {
        let branding = &branding("Ann");
        let (to, language) = ("ann@example.com", Language::english());
        let changed_at = Timestamp::from_millis(1_800_000_000_000);
        let device = Device::default();
        let mail = ChangedMail { to, language, branding, changed_at, device, new_link_page: None }.render();
        let mail = mail.expect("a mail");
        assert!(!source(&mail).contains("Request a new password\n"));
        assert!(!source(&mail).contains("https://"));
    }

    #[test]
    fn markup_in_the_services_name_is_escaped_in_every_language() {
        for language in Languages::default().all() {
            for mail in mails(language.code(), "<script>alert('x')</script>\"") {
                let html = mail.html.expose_secret();
                assert!(
                    !html.contains("<script") && html.contains("&#60;script&#62;"),
                    "{}",
                    language.code()
                );
                assert!(mail.subject.contains("<script>alert('x')</script>\""), "{}", language.code());
            }
        }
    }

    #[test]
    fn text_and_html_have_the_same_content() {
        for language in Languages::default().all() {
            for mail in mails(language.code(), "Ann") {
                let html = mail.html.expose_secret();
                for line in mail.text.expose_secret().lines().filter(|line| !line.is_empty()) {
                    let line = line.replace('\'', "&#39;");
                    assert!(html.contains(&line), "{}: {line}", language.code());
                }
            }
        }
    }
}
