//! Invitations: a trusted caller has an account set its first password.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;
use tests::{Answer, KNOWN, OTHER_PASSWORD, PASSWORD, Request, UNKNOWN, World, reset_token_in};

const DAY: u64 = 86_400;

/// SHA-256 of `s3cret`.
const DIGEST: &str = "1ec1c26b50d5d3c58d9583181af8076655fe00756bf7285940ba3670f99fcba0";

fn key_for(scopes: &str) -> String {
    format!("crm:{scopes}:{DIGEST}")
}

/// A deployment with a key for invitations.
async fn inviting() -> World {
    World::with(&[("API_KEYS", &key_for("invite"))]).await
}

async fn invite(world: &World, address: &str, authorization: &str) -> Answer {
    let request = Request::post("/organizations/invite/", &json!({"email": address}));
    world.send(request.header("authorization", authorization)).await
}

#[tokio::test]
async fn an_invited_account_sets_its_first_password_within_seven_days() {
    let world = inviting().await;
    for attribute in ["password_hash", "password_changed_at"] {
        world.set_attribute(KNOWN, attribute, None).await;
    }
    assert_eq!(invite(&world, KNOWN, "Bearer s3cret").await.status(), 204);
    let mail = world.last_mail();
    assert_eq!((&*mail.to, &*mail.subject), (KNOWN, "Set your Rekey password"));
    assert!(mail.text.contains("valid for 7 days"), "{}", mail.text);
    assert_eq!(world.outbox.messages().len(), 1);
    let token = reset_token_in(&mail);
    world.advance(7 * DAY - 60);
    assert_eq!(world.validate(&token).await.status(), 204);
    assert_eq!(world.complete(&token, PASSWORD).await.status(), 204);
    assert!(world.has_password(KNOWN, PASSWORD).await);
    assert_eq!(world.complete(&token, OTHER_PASSWORD).await.status(), 404);
}

#[tokio::test]
async fn an_invitation_has_a_lifetime_of_its_own() {
    let key = key_for("invite");
    let world = World::with(&[("API_KEYS", &key), ("INVITE_LIFETIME_SECONDS", "3600")]).await;
    assert_eq!(invite(&world, KNOWN, "s3cret").await.status(), 204);
    let invited = reset_token_in(&world.last_mail());
    let asked = world.reset_token(KNOWN).await;
    world.advance(3600);
    assert_eq!(world.complete(&invited, PASSWORD).await.status(), 404);
    assert_eq!(world.complete(&asked, PASSWORD).await.status(), 204, "a reset's token lives for two hours");
    let world = inviting().await;
    assert_eq!(invite(&world, KNOWN, "s3cret").await.status(), 204);
    let invited = reset_token_in(&world.last_mail());
    world.advance(7 * DAY);
    assert_eq!(world.complete(&invited, PASSWORD).await.status(), 404);
}

#[tokio::test]
async fn a_change_of_the_password_ends_an_invitation() {
    let world = inviting().await;
    assert_eq!(invite(&world, KNOWN, "s3cret").await.status(), 204);
    let invited = reset_token_in(&world.last_mail());
    world.reset_known().await;
    assert_eq!(world.complete(&invited, OTHER_PASSWORD).await.status(), 404);
    assert!(world.has_password(KNOWN, PASSWORD).await);
}

#[tokio::test]
async fn nobody_invites_without_a_key_for_invitations() {
    for (keys, authorization, status, code) in [
        ("", "", 401, "api_key_missing"),
        ("", "Bearer s3cret", 401, "api_key_missing"),
        (&*key_for("invite"), "", 401, "api_key_missing"),
        (&key_for("invite"), "Bearer wrong", 401, "api_key_unknown"),
        (&key_for("reset+validate+complete"), "Bearer s3cret", 403, "scope_missing"),
    ] {
        let world = World::with(&[("API_KEYS", keys)]).await;
        // The same for every address.
        for address in [KNOWN, UNKNOWN, "nobody"] {
            let refused = invite(&world, address, authorization).await;
            assert_eq!((refused.status(), &refused.json()["code"]), (status, &json!(code)), "{address}");
        }
        assert!(world.outbox.messages().is_empty());
    }
    // And such a key does nothing else.
    let world = inviting().await;
    let open = Request::post("/organizations/reset-password/", &json!({"email": KNOWN}));
    assert_eq!(world.send(open.header("authorization", "s3cret")).await.status(), 403);
}

#[tokio::test]
async fn an_address_without_an_account_is_not_invited() {
    let (key, conditions) = (key_for("invite"), ("ACCOUNTS_CONDITIONS", "!deleted_at"));
    let world = World::with(&[("API_KEYS", &key), ("MAIL_UNKNOWN", "true"), conditions]).await;
    let refused = invite(&world, UNKNOWN, "s3cret").await;
    assert_eq!((refused.status(), &refused.json()["code"]), (404, &json!("account_unknown")));
    let malformed = invite(&world, "nobody", "s3cret").await;
    assert_eq!((malformed.status(), &malformed.json()["errors"][0]["pointer"]), (400, &json!("#/email")));
    // Nor one whose account is deleted before the mail is sent.
    let request = Request::post("/organizations/invite/", &json!({"email": KNOWN}));
    assert_eq!(world.send_only(request.header("authorization", "s3cret")).await.status(), 204);
    world.set_attribute(KNOWN, "deleted_at", AttributeValue::N("1".to_owned())).await;
    world.settle().await;
    assert!(world.outbox.messages().is_empty());
}

#[tokio::test]
async fn invitations_are_limited_and_counted_apart_from_a_strangers_resets() {
    let world = inviting().await;
    for _ in 0..5 {
        world.reset_token(KNOWN).await;
        world.advance(60);
    }
    for _ in 0..5 {
        assert_eq!(invite(&world, KNOWN, "s3cret").await.status(), 204);
        assert_eq!(invite(&world, KNOWN, "s3cret").await.status(), 429, "one a minute");
        world.advance(60);
    }
    assert_eq!(invite(&world, KNOWN, "s3cret").await.status(), 429);
    assert_eq!(world.outbox.messages().len(), 10);
}
