//! Known breached passwords (`BREACHED_PASSWORDS`): what is sent, what is refused, and that nothing elsewhere stops a reset.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use tests::range::{Plan, RangeServer};
use tests::{KNOWN, OTHER_PASSWORD, PASSWORD, Request, World};
use tokio::time::Instant;

/// A deployment that asks a server with this plan, and has a live token.
async fn asking(plan: Plan) -> (RangeServer, World, String) {
    let server = RangeServer::start(plan).await;
    let world = World::with(&[("BREACHED_PASSWORDS", &server.url)]).await;
    let token = world.reset_token(KNOWN).await;
    (server, world, token)
}

fn check(token: Option<&str>, password: &str) -> Request {
    let mut body = json!({"password": password});
    if let Some(token) = token {
        body["token"] = json!(token);
    }
    Request::post("/auth/reset/validate-password", &body)
}

/// The log lines about checks that failed.
fn failures(world: &World) -> Vec<Value> {
    let lines =
        world.log().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect::<Vec<Value>>();
    lines.into_iter().filter(|line| line["BreachChecksFailed"].is_number()).collect()
}

#[tokio::test]
async fn a_breached_password_is_refused_with_its_own_code_while_typing_and_on_completion() {
    let (_server, world, token) = asking(Plan::Lists(PASSWORD, 1)).await;
    for token in [Some(&*token), None] {
        let checked = world.send(check(token, PASSWORD)).await;
        assert_eq!(checked.status(), 400);
        assert_eq!(checked.json()["details"][0]["errors"], json!([{"code": "password_breached"}]));
    }
    let refused = world.complete(&token, PASSWORD).await;
    assert_eq!((refused.status(), &refused.json()["errors"][0]["code"]), (422, &json!("password_breached")));
    let unleash = Request::post("/auth/reset/password", &json!({"token": token, "password": PASSWORD}));
    let refused = world.send(unleash).await;
    assert_eq!((refused.status(), &refused.json()["name"]), (400, &json!("OwaspValidationError")));
    // The token is not used up.
    assert_eq!(world.complete(&token, OTHER_PASSWORD).await.status(), 204);
    assert!(failures(&world).is_empty());
}

#[tokio::test]
async fn the_server_learns_five_digits_and_only_of_what_the_policy_accepts() {
    let (server, world, token) = asking(Plan::Lists(PASSWORD, 0)).await;
    for password in ["short", "passwordpassword", KNOWN] {
        assert_eq!(world.send(check(Some(&token), password)).await.status(), 400);
    }
    assert_eq!(world.complete(&"x".repeat(20), PASSWORD).await.status(), 404, "no live token");
    assert!(server.take_asked().is_empty());
    // A count of 0 is padding.
    assert_eq!(world.complete(&token, PASSWORD).await.status(), 204);
    // printf crux_is_awesome | sha1sum
    assert_eq!(server.take_asked(), ["6C861 true"]);
}

#[tokio::test]
async fn without_an_answer_the_password_passes_and_is_counted() {
    let garbage = "<html>please wait</html>";
    for plan in [
        Plan::Hangs,
        Plan::Stalls,
        Plan::Floods,
        Plan::Redirects,
        Plan::Says(StatusCode::OK, garbage),
        Plan::Says(StatusCode::NOT_FOUND, ""),
        Plan::Says(StatusCode::SERVICE_UNAVAILABLE, ""),
        Plan::Says(StatusCode::TOO_MANY_REQUESTS, garbage),
    ] {
        let (_server, world, token) = asking(plan.clone()).await;
        let started = Instant::now();
        assert_eq!(world.complete(&token, PASSWORD).await.status(), 204, "{plan:?}");
        assert!(started.elapsed() < Duration::from_secs(10), "{plan:?}");
        let failures = failures(&world);
        assert_eq!(failures.len(), 1, "{plan:?}");
        let failure = &failures[0];
        assert_eq!((&failure["BreachChecksFailed"], &failure["level"]), (&json!(1), &json!("WARN")));
        assert_eq!((&failure["Stack"], &failure["Function"]), (&json!("tests"), &json!("complete")));
        assert!(failure["Error"].is_string(), "{failure}");
    }
}

#[tokio::test]
async fn a_server_that_is_gone_stops_nobody() {
    let (server, world, token) = asking(Plan::Lists(PASSWORD, 1)).await;
    drop(server);
    assert_eq!(world.send(check(Some(&token), PASSWORD)).await.status(), 200);
    assert_eq!(world.complete(&token, PASSWORD).await.status(), 204);
    assert_eq!(failures(&world).len(), 2);
}

/// Such checks need no token, and each would take an execution of *complete* for a second.
#[tokio::test]
async fn while_the_server_hangs_checks_without_a_token_do_not_wait_for_it() {
    let (server, world, token) = asking(Plan::Hangs).await;
    assert_eq!(world.send(check(None, PASSWORD)).await.status(), 200);
    assert_eq!(server.take_asked().len(), 1);
    server.plan(Plan::Lists(PASSWORD, 1));
    assert_eq!(world.send(check(None, PASSWORD)).await.status(), 200);
    assert!(server.take_asked().is_empty());
    assert_eq!(failures(&world).len(), 2);
    // With a token it is asked again at once.
    assert_eq!(world.send(check(Some(&token), PASSWORD)).await.status(), 400);
    assert_eq!(world.complete(&token, PASSWORD).await.status(), 422);
}
