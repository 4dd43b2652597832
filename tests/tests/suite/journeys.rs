//! Complete resets by each kind of caller.

use aws_sdk_dynamodb::types::AttributeValue;
use insta::assert_snapshot;
use serde_json::{Value, json};
use tests::errors::{UNLEASH_CHECK, UNLEASH_MAIL, UNLEASH_SET, UNLEASH_VALIDATE};
use tests::tables::verifies;
use tests::{Gateway, KNOWN, OTHER_PASSWORD, PASSWORD, Request, Service, World, reset_token_in};

use crate::people::{PEOPLE, shape, table, tables};

#[tokio::test]
async fn a_forgotten_password_is_reset_in_three_steps() {
    let world = World::new().await;
    let opened = world.send(Request::post("/organizations/reset-password/", &json!({"email": KNOWN}))).await;
    assert_snapshot!(opened, @r#"200 {"reset_token":"TOKEN"}"#);
    let request_token = opened.json()["reset_token"].as_str().expect("a token").to_owned();
    assert!(world.outbox.messages().is_empty(), "opening a request sends no mail");

    assert_snapshot!(world.validate(&request_token).await, @"204");
    let mail = world.last_mail();
    assert_eq!((mail.to.as_str(), mail.from.as_str()), (KNOWN, "no-reply@rekey.example"));
    let reset_token = reset_token_in(&mail);
    assert_ne!(reset_token, request_token);

    assert_snapshot!(world.complete(&reset_token, PASSWORD).await, @"204");
    assert!(world.has_password(KNOWN, PASSWORD).await);
    let changed = world.last_mail();
    assert_snapshot!(format!("{}: {}", changed.to, changed.subject), @"mrbailey@projectthanos.com: Your password for Rekey was changed");
    assert!(!changed.text.contains("token"), "the notice contains no secret");
    assert_snapshot!(world.complete(&reset_token, OTHER_PASSWORD).await, @r#"404 {"code":"token_not_live","detail":"The token is not live: it is unknown, expired, used or superseded. Start a new reset.","status":404,"title":"Not Found","type":"about:blank"}"#);
}

#[tokio::test]
async fn the_senders_name_is_in_any_letters_and_the_notice_leads_to_a_new_link() {
    let settings = [
        ("MAIL_FROM", "\"Bücherei\" <no-reply@rekey.example>"),
        ("RESET_LINK", "https://a.example/organizations/complete-password/"),
    ];
    let world = World::with(&settings).await;
    let reset_token = world.reset_token(KNOWN).await;
    assert_eq!(world.complete(&reset_token, PASSWORD).await.status(), 204);
    let notice = world.last_mail();
    assert_eq!(notice.from, "=?UTF-8?B?QsO8Y2hlcmVp?= <no-reply@rekey.example>");
    assert!(notice.text.ends_with("https://a.example/organizations/reset-password"), "{}", notice.text);
    assert!(notice.html.contains("href=\"https://a.example/organizations/reset-password\""));
}

#[tokio::test]
async fn every_gateway_and_every_documented_path_works() {
    for gateway in [Gateway::HttpApi, Gateway::RestApi, Gateway::FunctionUrl] {
        for prefix in ["", "/timp", "/api"] {
            for slash in ["", "/"] {
                let world = World::new().await;
                let path = |name: &str| format!("{prefix}/organizations/{name}{slash}");
                let send = |request: Request| world.send(request.through(gateway));
                let opened = send(Request::post(&path("reset-password"), &json!({"email": KNOWN}))).await;
                let token = opened.json()["reset_token"].as_str().expect("a token").to_owned();
                let mailed = send(
                    Request::get(&path("complete-password")).query("token", &token).query("email", KNOWN),
                )
                .await;
                assert_eq!(mailed.status(), 204, "{gateway:?} {prefix} {mailed:?}");
                let reset_token = reset_token_in(&world.last_mail());
                let body = json!({"token": reset_token, "password": PASSWORD});
                assert_eq!(send(Request::post(&path("complete-password"), &body)).await.status(), 204);
                assert!(world.has_password(KNOWN, PASSWORD).await);
            }
        }
    }
}

#[tokio::test]
async fn the_address_may_be_in_the_query_in_a_json_or_text_body_or_missing() {
    let path = "/api/organizations/complete-password/";
    let body = json!({"email": KNOWN.to_uppercase()}).to_string();
    for request in [
        Request::get(path),
        Request::get(path).query("email", KNOWN),
        Request::get(path).header("content-type", "text/plain").body(body.clone()),
        Request::get(path).header("content-type", "application/json").body(body.clone()),
        Request::get(path).query("email", KNOWN).header("content-type", "text/plain").body(body),
    ] {
        let world = World::new().await;
        let token = world.request_token(KNOWN).await;
        let answer = world.send(request.query("token", &token)).await;
        assert_eq!(answer.status(), 204, "{answer:?}");
        assert_eq!(world.outbox.messages().len(), 1);
    }
}

#[tokio::test]
async fn white_space_around_an_address_is_dropped() {
    let world = World::new().await;
    let opened = Request::post("/organizations/reset-password/", &json!({"email": format!("  {KNOWN}\r\n")}));
    let opened = world.send(opened).await;
    let token = opened.json()["reset_token"].as_str().expect("a token").to_owned();
    let asked = Request::get("/organizations/complete-password/").query("token", &token);
    assert_eq!(world.send(asked.query("email", &format!("{KNOWN} "))).await.status(), 204);
    assert_eq!(world.last_mail().to, KNOWN);
}

#[tokio::test]
async fn a_token_may_be_in_the_body() {
    let world = World::new().await;
    let token = world.request_token(KNOWN).await;
    let path = "/organizations/validate-password-reset/";
    assert_snapshot!(world.send(Request::post(path, &json!({"token": token, "email": KNOWN}))).await, @"204");
    let reset_token = reset_token_in(&world.last_mail());
    let checked = world.send(Request::post(path, &json!({"token": reset_token}))).await;
    assert_snapshot!(checked, @r#"200 {"email":"mrbailey@projectthanos.com"}"#);
    assert_snapshot!(world.validate(&reset_token).await, @"204");
    assert_snapshot!(world.send(Request::post(path, &json!({"token": "x"}))).await, @r#"404 {"code":"token_not_live","detail":"The token is not live: it is unknown, expired, used or superseded. Start a new reset.","status":404,"title":"Not Found","type":"about:blank"}"#);
}

#[tokio::test]
async fn unleash_clients_reset_a_password() {
    let world = World::new().await;
    let role = AttributeValue::M([("name".to_owned(), AttributeValue::S("Editor".to_owned()))].into());
    world.set_attribute(KNOWN, "role", role).await;
    let mailed = world.send(Request::post(UNLEASH_MAIL, &json!({"email": KNOWN}))).await;
    assert_snapshot!(mailed, @"200");
    let token = reset_token_in(&world.last_mail());

    let shown = world.send(Request::get(UNLEASH_VALIDATE).query("token", &token)).await;
    assert_snapshot!(shown, @r#"200 {"createdBy":null,"email":"mrbailey@projectthanos.com","id":1,"name":"Mr Bailey","role":{"id":null,"name":"Editor","type":null},"token":"TOKEN"}"#);
    assert_eq!(shown.json()["token"], token);

    let check = Request::post(UNLEASH_CHECK, &json!({"password": OTHER_PASSWORD}));
    assert_snapshot!(world.send(check).await, @"200");

    let set = || Request::post(UNLEASH_SET, &json!({"token": token, "password": OTHER_PASSWORD}));
    assert_snapshot!(world.send(set()).await, @"200");
    assert!(world.has_password(KNOWN, OTHER_PASSWORD).await);
    assert_snapshot!(world.send(set()).await, @r#"401 {"code":"token_not_live","details":[{"message":"Token was not valid"}],"id":"lambda-request","message":"Token was not valid","name":"InvalidTokenError"}"#);
}

#[tokio::test]
async fn the_same_request_token_orders_up_to_three_mails() {
    let world = World::new().await;
    let token = world.request_token(KNOWN).await;
    assert_eq!(world.validate(&token).await.status(), 204);
    world.advance(59);
    assert_eq!(world.validate(&token).await.status(), 204);
    assert_eq!(world.outbox.messages().len(), 1, "a repeat within a minute sends no mail");
    for mails in 2..=3 {
        world.advance(61);
        assert_eq!(world.validate(&token).await.status(), 204);
        assert_eq!(world.outbox.messages().len(), mails);
    }
    world.advance(61);
    let refused = world.validate(&token).await;
    assert_snapshot!(refused, @r#"429 {"code":"throttled","detail":"Too many attempts. Try again in 6958 seconds.","status":429,"title":"Too Many Requests","type":"about:blank"}"#);
    assert!(refused.retry_after().is_some_and(|seconds| seconds <= 7200));
    assert_eq!(world.outbox.messages().len(), 3);
}

#[tokio::test]
async fn a_mail_that_ses_rejects_is_logged_and_can_be_ordered_again() {
    let world = World::new().await;
    world.outbox.reject(KNOWN);
    let token = world.request_token(KNOWN).await;
    assert_eq!(world.validate(&token).await.status(), 204, "the answer is the same");
    assert!(world.outbox.messages().is_empty());
    let log = world.log();
    assert!(log.contains(r#""MailOutcome":"failed""#) && log.contains("MessageRejected"), "{log}");
    assert!(!log.contains(KNOWN), "SES's error message contains addresses");
    world.advance(61);
    assert_eq!(world.validate(&token).await.status(), 204);
}

#[tokio::test]
async fn in_the_operators_own_table_only_the_two_password_attributes_change() {
    let row = json!({
        "user_id": {"S": "u-1"}, "mail": {"S": KNOWN}, "pw": {"S": "old"}, "pw_at": {"N": "1700000000"},
        "plan": {"S": "gold"}
    });
    let settings = [
        ("ACCOUNTS_KEY", "user_id"),
        ("ACCOUNTS_EMAIL", "mail"),
        ("ACCOUNTS_EMAIL_INDEX", "by-address"),
        ("ACCOUNTS_PASSWORD_HASH", "pw"),
        ("ACCOUNTS_PASSWORD_CHANGED_AT", "pw_at"),
    ];
    let mut table = table(&["user_id"], Some(&["mail"]));
    table["GlobalSecondaryIndexes"][0]["Projection"] =
        json!({"ProjectionType": "INCLUDE", "NonKeyAttributes": ["pw_at"]});
    let world =
        World::builder().tables(tables(&table, &[row])).settings(&[PEOPLE]).settings(&settings).start().await;
    let token = world.reset_token(KNOWN).await;
    let second = world.request_token(KNOWN).await;
    assert_eq!(world.complete(&token, PASSWORD).await.status(), 204);

    let row = world.account_by("user_id", "u-1").await.expect("a row");
    assert!(verifies(row["pw"].as_s().expect("a hash"), PASSWORD));
    let seconds = (world.now() / 1000).to_string();
    assert_eq!(row["pw_at"], AttributeValue::N(seconds), "the time is written in the unit of the row");
    assert_eq!(row["plan"], AttributeValue::S("gold".to_owned()));
    assert_eq!(row.len(), 5);
    world.advance(61);
    let mails = world.outbox.messages().len();
    world.validate(&second).await;
    assert_eq!(
        world.outbox.messages().len(),
        mails + 1,
        "a request from before the change sends a mail, too"
    );

    world.advance(61);
    // The account's address changes after a link was sent to the old one.
    let token = world.reset_token(KNOWN).await;
    let update =
        world.dynamodb.update_item().table_name("people").key("user_id", AttributeValue::S("u-1".to_owned()));
    let moved = update
        .update_expression("SET mail = :new")
        .expression_attribute_values(":new", AttributeValue::S("new@one.com".to_owned()));
    moved.send().await.expect("a write");
    assert_eq!(world.complete(&token, PASSWORD).await.status(), 404);
}

/// A deployment on a team's table with an account for each of `ids`, all with the same address.
async fn with_people(ids: &[&str]) -> World {
    let rows: Vec<Value> = ids.iter().map(|id| json!({"id": {"S": id}, "email": {"S": KNOWN}})).collect();
    let shape = shape("id and index");
    let builder = World::builder().tables(tables(&shape.table, &rows)).faulty(Service::DynamoDb);
    builder.settings(&[PEOPLE]).settings(&shape.settings).start().await
}

#[tokio::test]
async fn an_address_with_two_accounts_gets_no_mail() {
    let world = with_people(&["1", "2"]).await;
    let token = world.request_token(KNOWN).await;
    assert_eq!(world.validate(&token).await.status(), 204);
    assert!(world.outbox.messages().is_empty());
}

#[tokio::test]
async fn rule_6_the_transaction_requires_the_address_that_was_read() {
    let world = with_people(&["1"]).await;
    let token = world.reset_token(KNOWN).await;
    let text = |value: &str| AttributeValue::S(value.to_owned());
    let update = world.dynamodb.update_item().table_name("people").key("id", text("1"));
    let update = update.update_expression("SET email = :new");
    let update = update.expression_attribute_values(":new", text("new@one.com")).send();
    let moved = async { drop(update.await.expect("a write")) };
    assert_eq!(world.complete_while(&token, moved).await.status(), 404);
    assert!(!world.account_by("id", "1").await.expect("a row").contains_key("password_hash"));
}

#[tokio::test]
async fn the_link_points_to_the_configured_page_or_to_the_apis_own() {
    let world = World::with(&[("RESET_LINK", "https://example.com/new-password")]).await;
    let token = world.reset_token(KNOWN).await;
    assert!(world.last_mail().text.contains(&format!("https://example.com/new-password#token={token}\n")));

    // Unleash's front end reads the token from the query.
    let world = World::with(&[("RESET_LINK", "https://example.com/reset-password?token={token}")]).await;
    let token = world.request_token(KNOWN).await;
    assert_eq!(world.validate(&token).await.status(), 204);
    let text = world.last_mail().text;
    let token =
        text.split("https://example.com/reset-password?token=").nth(1).expect("a link")[..20].to_owned();
    assert!(!text.contains('#'), "{text}");
    let set = Request::post(UNLEASH_SET, &json!({"token": token, "password": PASSWORD}));
    assert_eq!(world.send(set).await.status(), 200);

    for (gateway, base) in [
        (Gateway::HttpApi, "https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"),
        (Gateway::RestApi, "https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/prod"),
        (Gateway::FunctionUrl, "https://a1b2c3d4e5.lambda-url.eu-west-1.on.aws"),
    ] {
        let world = World::new().await;
        let request = Request::post(UNLEASH_MAIL, &json!({"email": KNOWN})).through(gateway);
        assert_eq!(world.send(request.header("host", "evil.example")).await.status(), 200);
        let mail = world.last_mail();
        assert!(
            mail.text.contains(&format!("{base}/organizations/complete-password#token=")),
            "{}",
            mail.text
        );
    }
}
