//! Every status of every route, as in the README's table.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use tests::contract::{FunctionName, routes};
use tests::errors::{
    COMPLETE, RESET, UNLEASH_CHECK, UNLEASH_MAIL, UNLEASH_SET, UNLEASH_VALIDATE, VALIDATE, assert_error,
};
use tests::{KNOWN, OTHER_PASSWORD, PASSWORD, Request, UNKNOWN, World};

/// A well-formed body for each `POST`.
pub(crate) fn bodies() -> [(&'static str, Value); 6] {
    let token = "T".repeat(20);
    [
        (RESET, json!({"email": KNOWN})),
        (VALIDATE, json!({"token": token})),
        (COMPLETE, json!({"token": token, "password": PASSWORD})),
        (UNLEASH_MAIL, json!({"email": KNOWN})),
        (UNLEASH_CHECK, json!({"password": OTHER_PASSWORD})),
        (UNLEASH_SET, json!({"token": token, "password": OTHER_PASSWORD})),
    ]
}

#[tokio::test]
async fn every_answer_has_the_security_headers() {
    let world = World::new().await;
    for request in [
        Request::get(RESET),
        Request::get(COMPLETE),
        Request::post(RESET, &json!({"email": KNOWN})),
        Request::post(RESET, &json!({})),
        Request::get("/nowhere"),
        Request::post(UNLEASH_SET, &json!({})),
    ] {
        let answer = world.send(request).await;
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("strict-transport-security", "max-age=63072000"),
        ] {
            assert_eq!(answer.header(name), Some(value));
        }
        assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"));
        let is_page = answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
        let policy = answer.header("content-security-policy").expect("a policy");
        let expected = if is_page {
            "default-src 'none'; script-src ; style-src ; connect-src 'self'; base-uri 'none'; form-action 'none'; \
             frame-ancestors 'none'; require-trusted-types-for 'script'"
        } else {
            "default-src 'none'; frame-ancestors 'none'"
        };
        // The tests of the pages compare the hashes.
        let mut parts = policy.split("'sha256-");
        let mut masked = parts.next().unwrap_or_default().to_owned();
        masked.extend(parts.filter_map(|part| Some(part.split_once('\'')?.1)));
        assert_eq!(masked, expected);
        for (name, value) in [
            ("cross-origin-opener-policy", "same-origin"),
            ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
            ("vary", "accept-language"),
        ] {
            assert_eq!(answer.header(name), is_page.then_some(value), "{name}");
        }
    }
}

#[tokio::test]
async fn status_400_for_missing_ill_typed_and_ill_formed_fields() {
    let world = World::with(&[("LIMIT_RESET_PER_IP", "0")]).await;
    for (path, good) in bodies() {
        for field in good.as_object().expect("an object").keys() {
            let name = match (path.starts_with("/auth/"), field.as_str()) {
                (false, _) => "invalid_request",
                (true, "password") => "PasswordUndefinedError",
                (true, _) => "BadDataError",
            };
            for bad in [json!(null), json!(1), json!(["a@b.de"]), json!({"a": "b"}), json!(true)] {
                let mut body = good.clone();
                body[field] = bad;
                let answer = world.send(Request::post(path, &body)).await;
                assert_error(path, &answer, 400, name);
                let (list, expected) = if path.starts_with("/auth/") {
                    ("details", json!([{"message": format!("#/{field} must be a string")}]))
                } else {
                    ("errors", json!([{"pointer": format!("#/{field}"), "detail": "must be a string"}]))
                };
                assert_eq!(answer.json()[list], expected);
                assert!(answer.text().contains(&format!("#/{field} must be a string.")), "{answer:?}");
            }
            let mut body = good.clone();
            body.as_object_mut().expect("an object").remove(field);
            assert_error(path, &world.send(Request::post(path, &body)).await, 400, name);
        }
        let name = if path.starts_with("/auth/") { "BadDataError" } else { "invalid_request" };
        for body in ["[]", "\"x\"", "null", "{\"email\":\"a@b.de\",\"email\":\"c@d.ef\"}"] {
            let request = Request::new("POST", path).header("content-type", "application/json").body(body);
            assert_error(path, &world.send(request).await, 400, name);
        }
    }
    for email in ["", "nobody", "a@b", "аnn@example.com", "a@b.de\r\nBcc: c@d.ef", "a\u{0}@b.de"] {
        for path in [RESET, UNLEASH_MAIL] {
            let answer = world.send(Request::post(path, &json!({"email": email}))).await;
            assert_eq!(answer.status(), 400, "{email:?}");
            assert!(email.is_empty() || !answer.text().contains(email), "the address is not echoed");
        }
    }
    assert!(world.outbox.messages().is_empty());
}

fn json_body(request: Request, body: &str) -> Request {
    request.header("content-type", "application/json").body(body)
}

#[tokio::test]
async fn status_400_for_contradicting_query_parameters_and_bodies() {
    let world = World::new().await;
    let token = world.request_token(KNOWN).await;
    let get = || Request::get(COMPLETE).query("token", &token);
    for request in [
        get().query("email", "nobody"),
        get().query("email", KNOWN).query("email", KNOWN),
        get().query("token", &token),
        json_body(get().query("email", KNOWN), &json!({"email": UNKNOWN}).to_string()),
        json_body(get(), "[]"),
        json_body(get(), r#"{"email":5}"#),
        Request::get("/api/organizations/complete-password/"),
        Request::get("/timp/organizations/complete-password"),
    ] {
        assert_error(COMPLETE, &world.send(request).await, 400, "invalid_request");
    }
    assert!(world.outbox.messages().is_empty());
}

#[tokio::test]
async fn status_404_or_401_is_the_same_for_every_token_that_is_not_live() {
    let world = World::with(&[("LIMIT_BAD_TOKEN_PER_IP", "0"), ("LIMIT_MAIL_PER_ADDRESS", "0")]).await;
    let used = world.reset_token(KNOWN).await;
    let request = world.request_token(KNOWN).await;
    let superseded = world.reset_token(KNOWN).await;
    world.advance(1);
    assert_eq!(world.complete(&used, PASSWORD).await.status(), 204);
    let expired_account = "jweir@projectthanos.com";
    let (expired_request, expired) =
        (world.request_token(expired_account).await, world.reset_token(expired_account).await);
    world.advance(7200);
    let (unknown, malformed, empty) = ("Z".repeat(20), "no-token".to_owned(), String::new());

    let mut answers = Vec::new();
    for token in [&used, &superseded, &expired, &unknown, &malformed, &empty] {
        answers.push(world.validate(token).await);
        answers.push(world.send(Request::post(VALIDATE, &json!({"token": token}))).await);
        answers.push(world.complete(token, OTHER_PASSWORD).await);
    }
    answers.push(world.validate(&expired_request).await);
    answers.push(world.complete(&request, OTHER_PASSWORD).await);
    for answer in &answers {
        assert_error(COMPLETE, answer, 404, "token_not_live");
        assert_eq!(answer, &answers[0], "all answers are the same");
    }
    for token in [&used, &superseded, &expired, &unknown, &malformed, &empty, &request] {
        let set = world
            .send(Request::post(UNLEASH_SET, &json!({"token": token, "password": OTHER_PASSWORD})))
            .await;
        assert_error(UNLEASH_SET, &set, 401, "InvalidTokenError");
        assert_eq!(set.json()["message"], "Token was not valid");
        let shown = world.send(Request::get(UNLEASH_VALIDATE).query("token", token)).await;
        assert_error(UNLEASH_VALIDATE, &shown, 401, "InvalidTokenError");
    }
    let missing = world.send(Request::get(UNLEASH_VALIDATE)).await;
    assert_error(UNLEASH_VALIDATE, &missing, 401, "InvalidTokenError");
    assert!(world.has_password(KNOWN, PASSWORD).await);
}

#[tokio::test]
async fn status_404_for_another_address_than_that_of_the_request() {
    let world = World::new().await;
    let token = world.request_token(KNOWN).await;
    for other in [UNKNOWN, "jweir@projectthanos.com"] {
        let answer = world.send(Request::get(COMPLETE).query("token", &token).query("email", other)).await;
        assert_error(COMPLETE, &answer, 404, "token_not_live");
    }
    assert!(world.outbox.messages().is_empty());
    assert_eq!(world.validate(&token).await.status(), 204, "the token is still live");
}

#[tokio::test]
async fn status_404_for_an_unknown_route() {
    let world = World::new().await;
    for request in [
        Request::get("/"),
        Request::get("/organizations/reset-password/x"),
        Request::new("PUT", RESET),
        Request::new("DELETE", COMPLETE),
        Request::get(VALIDATE),
        Request::post("/timp/organizations/validate-password-reset/", &json!({})),
    ] {
        for function in FunctionName::ALL {
            assert_error("/", &world.send_to(function, request.event()).await, 404, "not_found");
        }
    }
    // A function answers its own routes only, whatever reaches it.
    for (owner, method, path) in routes() {
        for function in FunctionName::ALL.into_iter().filter(|function| *function != owner) {
            let request = Request::new(method, path).header("content-type", "application/json");
            let answer = world.send_to(function, request.body("{}").event()).await;
            assert_eq!(answer.status(), 404, "{function:?} {method} {path}");
        }
    }
}

#[tokio::test]
async fn status_413_for_a_body_over_16_kib() {
    let world = World::new().await;
    for (path, mut body) in bodies() {
        body["padding"] = json!("x".repeat(16 * 1024));
        let name = if path.starts_with("/auth/") { "BadDataError" } else { "body_too_large" };
        assert_error(path, &world.send(Request::post(path, &body)).await, 413, name);
    }
    let request = Request::get(COMPLETE).query("token", "x").body("x".repeat(20_000));
    assert_error(COMPLETE, &world.send(request).await, 413, "body_too_large");
}

#[tokio::test]
async fn status_415_for_a_body_that_is_not_json() {
    let world = World::new().await;
    for (path, body) in bodies() {
        let name = if path.starts_with("/auth/") { "ContentTypeError" } else { "not_json" };
        let form = Request::new("POST", path)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.to_string());
        assert_error(path, &world.send(form).await, 415, name);
        for bytes in
            [&b"email=a@b.de"[..], b"{", b"\xff\xfe", b"{\"email\":\"\xc0\xaf\"}", b"{\"email\":\"\\ud800\"}"]
        {
            let request = Request::new("POST", path).header("content-type", "application/json").body(bytes);
            assert_error(path, &world.send(request).await, 415, name);
        }
    }
    let get = || Request::get(COMPLETE).query("token", "x");
    for request in [get().header("content-type", "text/html").body("{}"), get().body("{}")] {
        assert_error(COMPLETE, &world.send(request).await, 415, "not_json");
    }
    // Content types that a browser sends cross-origin without a CORS preflight: none, or one of the three safelisted ones.
    for (path, body) in bodies() {
        let name = if path.starts_with("/auth/") { "ContentTypeError" } else { "not_json" };
        for content_type in [None, Some("text/plain"), Some("multipart/form-data; boundary=x")] {
            let request = Request::new("POST", path).body(body.to_string());
            let request = match content_type {
                Some(content_type) => request.header("content-type", content_type),
                None => request,
            };
            assert_error(path, &world.send(request).await, 415, name);
        }
    }
    assert_eq!(
        world.send(Request::new("POST", RESET).body("")).await.status(),
        400,
        "in an empty body all fields are missing"
    );
}

#[tokio::test]
async fn status_422_or_400_for_a_password_that_the_policy_refuses() {
    let world = World::with(&[("SERVICE_NAME", "Wonderwidget"), ("LIMIT_MAIL_PER_ADDRESS", "0")]).await;
    let token = world.reset_token(KNOWN).await;
    let long = "x1Y z".repeat(26);
    let guessable = "password_guessable";
    for (weak, code) in [
        ("", "password_too_short"),
        ("short", "password_too_short"),
        ("passwordpassword", guessable),
        ("aaaaaaaaaaaaaaaaaaaa", guessable),
        ("mrbailey@projectthanos.com", guessable),
        ("Wonderwidget2026", guessable),
        (&long, "password_too_long"),
    ] {
        let refused = world.complete(&token, weak).await;
        assert_error(COMPLETE, &refused, 422, "password_refused");
        let error = &refused.json()["errors"][0];
        assert_eq!((&error["code"], error["advice"].is_string()), (&json!(code), code == guessable));
        let set = world.send(Request::post(UNLEASH_SET, &json!({"token": token, "password": weak}))).await;
        assert_error(UNLEASH_SET, &set, 400, "OwaspValidationError");
        assert!(set.json()["details"][0]["validationErrors"][0].is_string());
        let check = json!({"password": weak, "token": token});
        let checked = world.send(Request::post(UNLEASH_CHECK, &check)).await;
        assert_error(UNLEASH_CHECK, &checked, 400, "OwaspValidationError");
        assert_eq!(checked.json()["details"], set.json()["details"], "one password gets one verdict");
    }
    // Without a live token the check does not know the account.
    for body in [json!({"password": KNOWN}), json!({"password": KNOWN, "token": "Z".repeat(20)})] {
        assert_eq!(world.send(Request::post(UNLEASH_CHECK, &body)).await.status(), 200);
    }
    let ill_typed = json!({"password": OTHER_PASSWORD, "token": 1});
    let refused = world.send(Request::post(UNLEASH_CHECK, &ill_typed)).await;
    assert_error(UNLEASH_CHECK, &refused, 400, "BadDataError");
    // On Unleash's route the password is checked before the token.
    let both_bad = world.send(Request::post(UNLEASH_SET, &json!({"token": "x", "password": "short"}))).await;
    assert_error(UNLEASH_SET, &both_bad, 400, "OwaspValidationError");
    assert_error(COMPLETE, &world.complete("x", "short").await, 404, "token_not_live");
}

#[tokio::test]
async fn status_503_for_an_invalid_time_of_change_and_the_token_stays_live() {
    let world = World::new().await;
    let token = world.reset_token(KNOWN).await;
    // An invalid time of change must not be treated as "never changed".
    world.set_attribute(KNOWN, "password_changed_at", AttributeValue::S("yesterday".to_owned())).await;
    assert_error(COMPLETE, &world.complete(&token, PASSWORD).await, 503, "unavailable");
    let set = world.send(Request::post(UNLEASH_SET, &json!({"token": token, "password": PASSWORD}))).await;
    assert_error(UNLEASH_SET, &set, 503, "InternalError");
    assert!(
        world.log().contains("ACCOUNTS_PASSWORD_CHANGED_AT is neither a number"),
        "the log names the problem"
    );
    world.set_attribute(KNOWN, "password_changed_at", None).await;
    assert_eq!(world.complete(&token, PASSWORD).await.status(), 204);
}
