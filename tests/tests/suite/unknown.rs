//! `MAIL_UNKNOWN`: a person who forgot which address they signed up with is told that this one has no account.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use tests::{KNOWN, PASSWORD, Request, UNKNOWN, World};

const MAILING: (&str, &str) = ("MAIL_UNKNOWN", "true");

/// Orders a mail in one call.
async fn ask(world: &World, address: &str) {
    ask_in(world, address, "en").await;
}

async fn ask_in(world: &World, address: &str, language: &str) {
    let request = Request::post("/auth/reset/password-email", &json!({"email": address}));
    assert_eq!(world.send(request.header("accept-language", language)).await.status(), 200);
}

/// The kinds and outcomes of mails in the log.
fn logged(world: &World) -> Vec<(String, String)> {
    let lines =
        world.log().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect::<Vec<Value>>();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    lines.iter().filter_map(|line| Some((text(&line["MailKind"])?, text(&line["MailOutcome"])?))).collect()
}

#[tokio::test]
async fn an_address_without_an_account_is_told_so_and_nothing_else() {
    let world = World::with(&[MAILING]).await;
    ask(&world, UNKNOWN).await;
    let mail = world.last_mail();
    assert_eq!((&*mail.to, &*mail.subject), (UNKNOWN, "No Rekey account with this address"));
    for body in [&mail.text, &mail.html] {
        assert!(!body.contains("token=") && !body.contains("http"), "{body}");
    }
    assert_eq!(logged(&world), [("no_account".to_owned(), "sent".to_owned())]);
    assert!(world.token_rows().await.keys().all(|key| !key.starts_with("reset#")));
}

#[tokio::test]
async fn in_a_strangers_language_the_operators_says_what_it_is() {
    let world = World::with(&[MAILING]).await;
    ask_in(&world, UNKNOWN, "ko").await;
    let mail = world.last_mail();
    assert!(mail.subject.contains("계정이 없습니다"), "{}", mail.subject);
    for body in [mail.text, mail.html] {
        assert!(body.contains("We found no account with this address."), "{body}");
    }
}

#[tokio::test]
async fn by_default_it_gets_no_mail() {
    let world = World::new().await;
    ask(&world, UNKNOWN).await;
    assert!(world.outbox.messages().is_empty());
    assert_eq!(logged(&world), [("reset".to_owned(), "no_account".to_owned())]);
}

#[tokio::test]
async fn rule_5_every_address_costs_one_call_of_ses() {
    let settings = [MAILING, ("ACCOUNTS_CONDITIONS", "!deleted_at")];
    for (address, kind) in [(KNOWN, "reset"), (UNKNOWN, "no_account"), ("some@one.com", "conditions_not_met")]
    {
        let world = World::with(&settings).await;
        world.set_attribute("some@one.com", "deleted_at", AttributeValue::S("yesterday".to_owned())).await;
        ask(&world, address).await;
        assert_eq!(world.outbox.messages().len(), 1, "{address}");
        assert_eq!(world.last_mail().to, address);
        assert_eq!(logged(&world), [(kind.to_owned(), "sent".to_owned())]);
    }
}

#[tokio::test]
async fn rule_7_the_limits_of_mails_hold_for_addresses_without_an_account() {
    let world = World::with(&[MAILING]).await;
    for address in [UNKNOWN, KNOWN] {
        let request = || Request::post("/auth/reset/password-email", &json!({"email": address}));
        for sent in 1..=5 {
            assert_eq!(world.send(request()).await.status(), 200);
            assert_eq!(world.send(request()).await.status(), 429, "one a minute");
            let mails = world.outbox.messages().iter().filter(|mail| mail.to == address).count();
            assert_eq!(mails, sent, "{address}");
            world.advance(60);
        }
        assert_eq!(world.send(request()).await.status(), 429, "five an hour");
    }
}

#[tokio::test]
async fn the_address_is_written_to_in_lower_case_and_punycode() {
    let world = World::with(&[MAILING]).await;
    ask(&world, "Info@Bücher.example").await;
    assert_eq!(world.last_mail().to, "info@xn--bcher-kva.example");
}

#[tokio::test]
async fn a_mail_that_fails_is_a_dead_letter_as_any_other() {
    let world = World::with(&[MAILING]).await;
    world.outbox.reject(UNKNOWN);
    ask(&world, UNKNOWN).await;
    assert_eq!(logged(&world), [("no_account".to_owned(), "failed".to_owned())]);
    assert_eq!(world.dead_letters().len(), 1);
    // And accounts are reset as ever.
    world.reset_known().await;
    assert!(world.has_password(KNOWN, PASSWORD).await);
}
