//! Which language a page and a mail are in.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;
use tests::errors::{RESET, UNLEASH_MAIL, VALIDATE};
use tests::{KNOWN, PASSWORD, Request, UNKNOWN, World, reset_token_in};

const GERMAN: &str = "Passwort für Rekey zurücksetzen";
const FRENCH: &str = "Réinitialisez votre mot de passe Rekey";
const ENGLISH: &str = "Reset your Rekey password";

/// The subject of the mail for a request of a person whose browser asks for `language`.
async fn subject(world: &World, language: &str) -> String {
    let token = world.request_token_with(KNOWN, &[("accept-language", language)]).await;
    assert_eq!(world.validate(&token).await.status(), 204);
    world.last_mail().subject
}

async fn set_locale(world: &World, attribute: &str, locale: &str) {
    world.set_attribute(KNOWN, attribute, AttributeValue::S(locale.to_owned())).await;
}

#[tokio::test]
async fn a_mail_is_in_the_language_of_the_account_else_of_the_request_else_the_operators() {
    let settings = [("DEFAULT_LOCALE", "fr"), ("LIMIT_MAIL_PER_ADDRESS", "0")];
    let world = World::with(&settings).await;
    assert_eq!(subject(&world, "nl").await, FRENCH);
    assert_eq!(subject(&world, "nl,de-AT;q=0.8,en;q=0.2").await, GERMAN);
    set_locale(&world, "locale", "en_GB").await;
    assert_eq!(subject(&world, "de").await, ENGLISH);
    set_locale(&world, "locale", "tlh").await;
    assert_eq!(subject(&world, "de").await, GERMAN, "a language that is not there");
}

#[tokio::test]
async fn the_attribute_with_the_persons_language_may_have_another_name() {
    let world = World::with(&[("ACCOUNTS_LOCALE", "speaks")]).await;
    set_locale(&world, "speaks", "de").await;
    assert_eq!(subject(&world, "fr").await, GERMAN);
}

#[tokio::test]
async fn the_notice_follows_the_account_else_the_completion() {
    let world = World::with(&[("LIMIT_MAIL_PER_ADDRESS", "0")]).await;
    for (locale, subject) in [
        (None, "Ihr Passwort für Rekey wurde geändert"),
        (Some("fr"), "Votre mot de passe Rekey a été modifié"),
    ] {
        if let Some(locale) = locale {
            set_locale(&world, "locale", locale).await;
        }
        let token = world.reset_token(KNOWN).await;
        let body = json!({"token": token, "password": PASSWORD});
        let request = Request::post("/organizations/complete-password/", &body);
        assert_eq!(world.send(request.header("accept-language", "de")).await.status(), 204);
        assert_eq!(world.last_mail().subject, subject);
        world.advance(1);
    }
}

#[tokio::test]
async fn a_mail_ordered_in_one_step_is_in_the_language_of_that_call() {
    let world = World::new().await;
    let request = Request::post(UNLEASH_MAIL, &json!({"email": KNOWN})).header("accept-language", "de");
    assert_eq!(world.send(request).await.status(), 200);
    let mail = world.last_mail();
    assert_eq!(mail.subject, GERMAN);
    assert!(mail.html.contains("<html lang=\"de\" dir=\"ltr\">"));
    assert_eq!(world.complete(&reset_token_in(&mail), PASSWORD).await.status(), 204);
}

#[tokio::test]
async fn a_page_is_in_the_first_language_that_is_there() {
    let world = World::with(&[("DEFAULT_LOCALE", "pl")]).await;
    for path in [RESET, "/organizations/complete-password/"] {
        for (header, expected) in [
            ("ar-EG,en;q=0.5", "ar"),
            ("zh-CN", "zh-Hans"),
            ("nl", "pl"),
            ("zh-TW", "zh-Hant"),
            ("pt-AO,en;q=0.5", "pt-PT"),
            ("de-DE-u-mu-celsius", "de"),
            ("de;q=x", "de"),
            ("\u{201c}", "pl"),
            (&"de,".repeat(1000), "de"),
            (&format!("{}de", "nl,".repeat(1000)), "pl"),
        ] {
            let page = world.send(Request::get(path).header("accept-language", header)).await;
            assert_eq!((page.status(), page.header("content-language")), (200, Some(expected)), "{header}");
            assert_eq!(page.header("vary"), Some("accept-language"));
            assert!(page.text().contains(&format!("<html lang=\"{expected}\"")));
        }
    }
}

#[tokio::test]
async fn rule_5_the_language_of_an_account_shows_in_no_answer() {
    let world = World::with(&[("LIMIT_MAIL_PER_ADDRESS", "0")]).await;
    set_locale(&world, "locale", "ja").await;
    let mut answers = Vec::new();
    for address in [KNOWN, UNKNOWN] {
        let token = world.request_token_with(address, &[("accept-language", "de")]).await;
        let request = Request::post(VALIDATE, &json!({"token": token})).header("accept-language", "de");
        answers.push(world.send(request).await.response.to_string());
    }
    assert_eq!(answers[0], answers[1]);
}
