//! The rules of tests/README.md: each has one or more tests that carry its number.

use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use futures::future::join_all;
use lambda_http::{Context, LambdaEvent};
use serde_json::json;
use shared::api_key::Scope;
use shared::clock::Clock;
use shared::function::{Function, Success, respond};
use shared::gate::Gate;
use shared::http::routes::{Access, Route};
use shared::http::{ApiError, Call};
use shared::telemetry::Telemetry;
use shared::token::Digest;
use tests::errors::{COMPLETE, RESET};
use tests::proxy::{EVERY, Fault};
use tests::tables::hash_of;
use tests::world::completion;
use tests::{KNOWN, PASSWORD, Request, Service, UNKNOWN, World, reset_token_in};

#[tokio::test]
async fn rule_1_nothing_to_steal() {
    let world = World::with(&[("LIMIT_MAIL_PER_ADDRESS", "0")]).await;
    let request = world.request_token(KNOWN).await;
    world.validate(&request).await;
    let reset = reset_token_in(&world.last_mail());
    let nobody = world.request_token(UNKNOWN).await;
    let mut answers = vec![world.validate(&nobody).await];
    for token in [&request, &reset, "not-a-token-but-secret"] {
        answers.push(world.complete(token, "too short 7q").await);
        answers.push(world.send(Request::get(COMPLETE).query("token", token).query("email", UNKNOWN)).await);
        answers.push(
            world
                .send(Request::post(
                    "/auth/reset/password",
                    &json!({"token": token, "password": "too short 7q"}),
                ))
                .await,
        );
    }
    answers.push(world.send(Request::post(RESET, &json!({"email": "not an address 7q"}))).await);
    answers.push(world.complete(&reset, PASSWORD).await);

    let secrets = [request.as_str(), &reset, &nobody, PASSWORD, "too short 7q", "not-a-token-but-secret"];
    let addresses = [KNOWN, UNKNOWN, "not an address 7q"];
    let log = world.log();
    assert!(log.lines().count() >= answers.len(), "every call writes a log line");
    for clear in secrets.iter().chain(&addresses) {
        assert!(!log.contains(clear), "the log contains {clear}");
        for answer in &answers {
            assert!(!answer.response.to_string().contains(clear), "{clear} in {answer:?}");
        }
    }
    let rows = format!("{:?} {:?}", world.token_rows().await, world.account(KNOWN).await);
    for clear in secrets {
        assert!(!rows.contains(clear), "the tables contain {clear}");
    }
    for (key, row) in world.token_rows().await {
        let has_address = format!("{row:?}").contains('@');
        assert_eq!(has_address, !key.starts_with("limit#"), "rows of limits contain no address: {key}");
    }
}

#[tokio::test]
#[should_panic(expected = "the accounts table holds")]
async fn rule_1_the_search_after_every_test_finds_a_token_in_an_account() {
    let world = World::new().await;
    let token = world.reset_token(KNOWN).await;
    world.set_attribute(KNOWN, "note", AttributeValue::S(format!("leaked: {token}"))).await;
}

#[tokio::test]
#[should_panic(expected = "the tokens table holds")]
async fn rule_1_the_search_after_every_test_finds_an_address_in_a_limit() {
    let world = World::new().await;
    world.request_token(KNOWN).await;
    let put = world.dynamodb.put_item().table_name(local::dynamodb::TOKENS_TABLE);
    let put = put.item("pk", AttributeValue::S("limit#x".to_owned()));
    put.item("subject", AttributeValue::S(KNOWN.to_owned())).send().await.expect("a write");
}

#[tokio::test]
#[should_panic(expected = "the log holds")]
async fn rule_1_the_search_after_every_test_finds_a_key_in_the_log() {
    // The log contains the name of a caller's key. Here the name is the key itself.
    let key = "key-of-a-backend";
    let digest = "b8bb4c2e10165728f055f99593a0239b4dc54483a9e4ead3a457059ccaabae25";
    let world = World::with(&[("API_KEYS", &format!("{key}:reset:{digest}"))]).await;
    world.send(Request::post(RESET, &json!({"email": KNOWN})).header("authorization", key)).await;
}

#[tokio::test]
async fn rule_1_links_and_pages_keep_the_token_out_of_urls() {
    let world = World::new().await;
    let token = world.reset_token(KNOWN).await;
    let mail = world.last_mail();
    for part in [&mail.text, &mail.html] {
        assert!(part.contains(&token), "the mail has the link");
        for (at, _) in part.match_indices(&token) {
            assert!(part[..at].ends_with("#token="), "only in the fragment");
        }
    }
    for path in [RESET, COMPLETE] {
        let page = world.send(Request::get(path)).await;
        assert_eq!(page.status(), 200);
        assert!(!page.text().contains("?token") && page.text().contains("no-referrer"));
    }
}

#[tokio::test]
async fn rule_2_expiry_is_checked_not_awaited() {
    let world = World::new().await;
    let (request, other) = (world.request_token(KNOWN).await, "jweir@projectthanos.com");
    let reset = world.reset_token(other).await;
    world.advance(7199);
    assert_eq!(world.validate(&reset).await.status(), 204);
    world.advance(1);
    assert!(world.token_rows().await.len() >= 2, "the engine has not deleted them");
    for (token, status) in [(&request, 404), (&reset, 404)] {
        assert_eq!(world.validate(token).await.status(), status);
        assert_eq!(world.complete(token, PASSWORD).await.status(), 404);
    }
    assert!(!world.has_password(other, PASSWORD).await);
}

#[tokio::test]
async fn rule_2_a_token_that_expires_while_its_password_is_hashed_is_refused() {
    for is_deleted in [false, true] {
        let world = World::builder().faulty(Service::DynamoDb).start().await;
        let token = world.reset_token(KNOWN).await;
        world.advance(7_199);
        // The token is read, then the account: the token expires meanwhile, and DynamoDB may have deleted it by then.
        let expiry = async {
            if is_deleted {
                world.delete_token_row(&format!("reset#{}", Digest::of(&token).as_str())).await;
            } else {
                world.advance(1);
            }
        };
        let completion = world.complete(&token, PASSWORD);
        let (answer, ()) = world.proxy().during(1, Fault::Held, completion, expiry).await;
        assert_eq!(answer.status(), 404, "the transaction checks the expiry again (deleted: {is_deleted})");
        assert!(!world.account(KNOWN).await.contains_key("password_hash"));
    }
}

#[tokio::test]
async fn rule_3_all_or_nothing_of_fifty_completions_exactly_one_wins() {
    let world = World::with(&[("LIMIT_BAD_TOKEN_PER_IP", "0")]).await;
    let token = world.reset_token(KNOWN).await;
    let password = |index: usize| format!("{PASSWORD} number {index}");
    let calls = (0..50).map(|index| {
        let (world, request) = (world.clone(), completion(&token, &password(index)));
        tokio::spawn(async move { world.send_only(request).await.status() })
    });
    let statuses: Vec<u64> =
        join_all(calls).await.into_iter().map(|status| status.expect("an answer")).collect();
    world.settle().await;
    let winners: Vec<usize> = (0..50).filter(|index| statuses[*index] == 204).collect();
    assert_eq!(winners.len(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [204, 404].contains(status)), "{statuses:?}");
    assert!(world.has_password(KNOWN, &password(winners[0])).await);
    let notices = world.outbox.messages().iter().filter(|mail| mail.subject.contains("was changed")).count();
    assert_eq!(notices, 1);
}

#[tokio::test]
async fn rule_3_of_many_live_tokens_of_one_account_exactly_one_wins() {
    let world = World::with(&[("LIMIT_MAIL_PER_ADDRESS", "0")]).await;
    let mut tokens = Vec::new();
    for _ in 0..10 {
        tokens.push(world.reset_token(KNOWN).await);
    }
    let calls = tokens.iter().map(|token| {
        let (world, request) = (world.clone(), completion(token, PASSWORD));
        tokio::spawn(async move { world.send_only(request).await.status() })
    });
    let mut statuses: Vec<u64> =
        join_all(calls).await.into_iter().map(|status| status.expect("an answer")).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [&[204][..], &[404; 9]].concat());
}

#[tokio::test]
async fn rule_6_mail_goes_home() {
    let world = World::new().await;
    let typed = KNOWN.to_uppercase();
    let opened = world.send(Request::post(RESET, &json!({"email": typed}))).await;
    let token = opened.json()["reset_token"].as_str().expect("a token").to_owned();
    let mut request = Request::get(COMPLETE).query("token", &token).query("email", &typed);
    for header in
        ["host", "x-forwarded-host", "x-forwarded-proto", "x-original-host", "forwarded", "origin", "referer"]
    {
        request = request.header(header, "evil.example");
    }
    assert_eq!(world.send(request).await.status(), 204);
    let mail = world.last_mail();
    assert_eq!(mail.to, KNOWN, "to the stored address, not the typed one");
    assert!(!mail.text.contains("evil") && !mail.html.contains("evil"));
}

#[tokio::test]
async fn rule_7_no_lever_argon2_runs_only_for_live_tokens() {
    // The salt is the first that a completion draws.
    let world = World::with(&[("LIMIT_MAIL_PER_ADDRESS", "0"), ("LIMIT_BAD_TOKEN_PER_IP", "0")]).await;
    let request = world.request_token(KNOWN).await;
    let superseded = world.reset_token(KNOWN).await;
    world.advance(1);
    world.set_attribute(KNOWN, "password_changed_at", AttributeValue::N(world.now().to_string())).await;
    let weak = world.reset_token("jweir@projectthanos.com").await;
    let before = world.drawn().len();
    for token in [&request, &superseded, &"Z".repeat(20), "malformed"] {
        assert_eq!(world.complete(token, PASSWORD).await.status(), 404);
    }
    assert_eq!(world.complete(&weak, "weak").await.status(), 422);
    assert_eq!(world.drawn().len(), before, "nothing was drawn, so nothing was hashed");
    assert_eq!(world.complete(&weak, PASSWORD).await.status(), 204);
    let hash = hash_of(&world.account("jweir@projectthanos.com").await).expect("a hash");
    let salt = BASE64_STANDARD_NO_PAD.decode(hash.split('$').nth(4).expect("a salt")).expect("base64");
    assert_eq!(world.drawn()[before], salt, "for a live token a salt is drawn");
}

#[tokio::test]
async fn rule_8_a_refused_password_costs_nothing() {
    let world = World::new().await;
    let token = world.reset_token(KNOWN).await;
    for weak in ["short", "passwordpassword", ""] {
        assert_eq!(world.complete(&token, weak).await.status(), 422);
    }
    assert_eq!(world.complete(&token, PASSWORD).await.status(), 204);
}

#[tokio::test]
async fn rule_9_parse_then_trust() {
    let world = World::with(&[("LIMIT_RESET_PER_IP", "0")]).await;
    let deep = format!(r#"{{"email":{}1{}}}"#, "[".repeat(5_000), "]".repeat(5_000));
    for body in [
        r#"["a@b.de"]"#.to_owned(),
        r#"{"email":{"$ne":null}}"#.to_owned(),
        r#"{"email":"a@b.de","email":"c@d.ef"}"#.to_owned(),
        r#"{"email":"a@b.de\u0000"}"#.to_owned(),
        r#"{"email":"a@b.de\r\nBcc: x@y.z"}"#.to_owned(),
        r#"{"email":"аnn@example.com"}"#.to_owned(),
        deep,
        format!(r#"{{"email":"{}@b.de"}}"#, "a".repeat(1_000_000)),
    ] {
        let answer = world
            .send(Request::new("POST", RESET).header("content-type", "application/json").body(body))
            .await;
        assert!((400..500).contains(&answer.status()), "{answer:?}");
    }
}

#[tokio::test]
async fn rule_11_every_wait_has_an_end() {
    let world = World::builder().faulty(Service::DynamoDb).start().await;
    world.proxy().inject(Fault::Hang, EVERY);
    let started = tokio::time::Instant::now();
    let requests = [
        Request::post(RESET, &json!({"email": KNOWN})),
        Request::get(COMPLETE).query("token", &"Z".repeat(20)),
        completion(&"Z".repeat(20), PASSWORD),
        Request::post("/auth/reset/password-email", &json!({"email": KNOWN})),
        Request::get("/auth/reset/validate").query("token", &"Z".repeat(20)),
    ];
    let answers = join_all(requests.map(|request| world.send_only(request))).await;
    for answer in answers {
        assert_eq!(answer.status(), 503, "{answer:?}");
        assert!(answer.retry_after().is_some());
    }
    assert!(started.elapsed().as_secs() < 20, "API Gateway would have timed out");
}

/// A function that waits for something without a time-out of its own.
struct Hanging(Gate);

impl Function for Hanging {
    type Endpoint = ();

    const ROUTES: &'static [Route<()>] = &[Route::post(RESET, Access::Anyone(Scope::Reset), ())];

    fn gate(&self) -> &Gate {
        &self.0
    }

    async fn call(&self, (): (), _: &Call) -> Result<Success, ApiError> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn rule_11_a_function_answers_after_twenty_seconds_whatever_it_waits_for() {
    let clock = Clock::new(|| std::time::UNIX_EPOCH);
    let gate = Gate::new(&tests::config(&[]), World::new().await.dynamodb.clone(), clock.clone());
    let telemetry = Telemetry::new("reset", "tests", clock, std::io::sink());
    let function = Arc::new(Hanging(gate));
    let event = LambdaEvent::new(Request::post(RESET, &json!({"email": KNOWN})).event(), Context::default());
    let started = tokio::time::Instant::now();
    let response = respond(function, telemetry, event).await.expect("a response");
    assert_eq!(response["statusCode"], 503);
    // API Gateway gives up after 29 s.
    assert!((19..25).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
}
