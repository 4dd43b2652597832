//! The mails as a person reads them.

use shared::device::Country;
use shared::language::Languages;

use super::*;

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
    let unknown = UnknownMail { to, language, explained_in: None, branding, requested_at: at };
    [reset.render(), changed.render(), invite.render(), unknown.render()].map(|mail| mail.expect("a mail"))
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
            assert_eq!(mail.html.expose_secret().matches("UTC<br>").count(), usize::from(expected.is_some()));
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
            assert!(!html.contains("<script") && html.contains("&#60;script&#62;"), "{}", language.code());
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
