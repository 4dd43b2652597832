//! The operator's own words: files in `MESSAGES_DIR`. What is wrong with a file is tested in `shared`.

use std::path::PathBuf;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;
use tests::contract::file;
use tests::errors::{COMPLETE, RESET, UNLEASH_MAIL};
use tests::world::completion;
use tests::{KNOWN, PASSWORD, Request, World, reset_token_in};

/// A directory with files of messages.
struct Words(PathBuf);

impl Words {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("words-{name}"));
        std::fs::create_dir_all(&directory).expect("a directory");
        for (name, text) in files {
            std::fs::write(directory.join(name), text).expect("a file");
        }
        Self(directory)
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("UTF-8")
    }
}

impl Drop for Words {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).expect("a directory");
    }
}

/// Dutch, with two messages that are not English's.
fn dutch() -> String {
    let subject = ("Reset your { $service } password", "Nieuw wachtwoord voor { $service }");
    let english = file("shared/languages/en.ftl").replace(subject.0, subject.1);
    english
        .replace("Your password for { $service } was changed", "Uw wachtwoord voor { $service } is gewijzigd")
}

#[tokio::test]
async fn pages_and_mails_have_the_operators_words_and_languages() {
    let ours = "forgot-title = No password, no problem\nreset-button = Let me in\n";
    let words = Words::new("pages", &[("en.ftl", ours), ("nl.ftl", &dutch()), ("README", "not read")]);
    let world = World::with(&[("MESSAGES_DIR", words.path()), ("LIMIT_MAIL_PER_ADDRESS", "0")]).await;
    let page = world.send(Request::get(RESET)).await;
    assert!(page.text().contains("No password, no problem"), "{}", page.text());
    assert!(page.text().contains("Email address"), "the others are Rekey's");
    let page = world.send(Request::get(COMPLETE).header("accept-language", "nl-BE,en;q=0.5")).await;
    assert_eq!(page.header("content-language"), Some("nl"));

    // The language takes the whole way through the rows of the request and of both orders.
    let token = world.request_token_with(KNOWN, &[("accept-language", "nl")]).await;
    assert_eq!(world.validate(&token).await.status(), 204);
    let mail = world.last_mail();
    assert_eq!(mail.subject, "Nieuw wachtwoord voor Rekey");
    let explained = "Somebody, hopefully you, asked for a new password for your Rekey account.";
    assert_eq!(
        mail.text.matches(explained).count(),
        2,
        "a stranger's language is explained in the operator's"
    );
    let completion = completion(&reset_token_in(&mail), PASSWORD).header("accept-language", "nl");
    assert_eq!(world.send(completion).await.status(), 204);
    assert_eq!(world.last_mail().subject, "Uw wachtwoord voor Rekey is gewijzigd");

    assert_eq!(world.send(Request::post(UNLEASH_MAIL, &json!({"email": KNOWN}))).await.status(), 200);
    assert!(world.last_mail().text.contains("Let me in"));
    world.set_attribute(KNOWN, "locale", AttributeValue::S("nl_NL".to_owned())).await;
    assert_eq!(world.send(Request::post(UNLEASH_MAIL, &json!({"email": KNOWN}))).await.status(), 200);
    assert_eq!(world.last_mail().subject, "Nieuw wachtwoord voor Rekey");
}

#[tokio::test]
async fn a_new_language_may_be_the_operators_own() {
    let words = Words::new("default", &[("nl.ftl", &dutch())]);
    let world = World::with(&[("MESSAGES_DIR", words.path()), ("DEFAULT_LOCALE", "nl-NL")]).await;
    world.reset_token(KNOWN).await;
    assert_eq!(world.last_mail().subject, "Nieuw wachtwoord voor Rekey");
}

#[tokio::test]
async fn own_words_cannot_bring_markup_into_pages_or_mails() {
    // What a file may hold is escaped like all messages, and the service's name in it.
    let ours = "forgot-title = \"{ $service }\" 'x'\nreset-asked = \"{ $service }\" 'x'\n";
    let words = Words::new(
        "markup",
        &[("en.ftl", &ours.replace("forgot-title = \"{ $service }\"", "forgot-title = \"S\""))],
    );
    let settings = [("MESSAGES_DIR", words.path()), ("SERVICE_NAME", "<b>Ann</b>")];
    let world = World::with(&settings).await;
    let page = world.send(Request::get(RESET)).await;
    assert!(page.text().contains("&#34;S&#34; &#39;x&#39;"), "{}", page.text());
    world.reset_token(KNOWN).await;
    assert!(world.last_mail().html.contains("&#34;&#60;b&#62;Ann&#60;/b&#62;&#34; &#39;x&#39;"));
}
