//! Malicious input: events damaged at any place, look-alike addresses, header injection. The fuzz targets in `shared/fuzz` attack
//! only the parsers, but faster.

use fastrand::Rng;
use serde_json::{Value, json};
use shared::http::event::is_stream;
use tests::contract::FunctionName;
use tests::errors::{COMPLETE, RESET, UNLEASH_MAIL, UNLEASH_VALIDATE, VALIDATE, assert_error};
use tests::size;
use tests::world::completion;
use tests::{Answer, Gateway, KNOWN, NO_LIMITS, OTHER_PASSWORD, Request, World};

/// A deployment that does not derive the link's base from the event.
async fn world() -> World {
    let mut settings = NO_LIMITS.to_vec();
    settings.push(("RESET_LINK", "https://example.com/new"));
    World::with(&settings).await
}

/// Requests that succeed, or fail only because of a dead token, with the function of each.
async fn requests(world: &World) -> Vec<(FunctionName, Request)> {
    let request_token = world.request_token(KNOWN).await;
    let reset_token = world.reset_token(KNOWN).await;
    let dead = "Z".repeat(20);
    let requests = vec![
        (
            FunctionName::Reset,
            Request::post(RESET, &json!({"email": KNOWN}))
                .header(
                    "user-agent",
                    "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
                )
                .header("cloudfront-viewer-country", "DE"),
        ),
        (FunctionName::Reset, Request::get(RESET)),
        (FunctionName::Validate, Request::get(COMPLETE).query("token", &request_token).query("email", KNOWN)),
        (FunctionName::Validate, Request::post(VALIDATE, &json!({"token": reset_token, "email": KNOWN}))),
        (FunctionName::Validate, Request::post(UNLEASH_MAIL, &json!({"email": KNOWN}))),
        (FunctionName::Validate, Request::get(UNLEASH_VALIDATE).query("token", &reset_token)),
        (FunctionName::Complete, completion(&dead, OTHER_PASSWORD)),
    ];
    for (_, request) in &requests {
        world.add_secrets(request);
    }
    requests
}

/// Collects the JSON pointers of all values in `value`.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                pointers(element, &format!("{at}/{index}"), found);
            }
        }
        Value::Object(entries) => {
            for (name, entry) in entries {
                pointers(entry, &format!("{at}/{name}"), found);
            }
        }
        _ => {}
    }
}

fn hostile_value(random: &mut Rng) -> Value {
    let texts = [
        "",
        " ",
        "\0",
        "\r\nSet-Cookie: a=b",
        "\u{202e}",
        "%",
        "%zz",
        "%ff%fe",
        "a=b&a=c&token=x&token=y",
        "//",
        "/../..",
        "{\"token\":\"x\",\"token\":\"y\"}",
        "[[[[",
        "{\"email\":\"\\ud800\"}",
        "null",
        "AA==",
        "!!!!",
        "999.999.999.999",
        "::",
        "POST",
        "Bearer",
        "Bearer  ",
        "application/json",
        "text/plain",
        "é",
        "\u{1f600}",
    ];
    match random.u8(0..8) {
        0 => Value::Null,
        1 => json!(random.bool()),
        2 => json!(random.i64(..)),
        3 => json!([random.u8(..), {"a": []}]),
        4 => json!({"token": {"x": [1]}, "http": [], "length": 3}),
        5 => json!(random.choice(["A", "<", "é", "%"]).expect("a text").repeat(random.usize(0..40_000))),
        6 => json!((0..random.usize(0..60)).map(|_| random.char(..)).collect::<String>()),
        _ => json!(random.choice(texts)),
    }
}

#[tokio::test]
async fn a_damaged_event_is_never_answered_with_a_5xx() {
    let seed = size::seed().unwrap_or(1);
    let mut random = Rng::with_seed(seed);
    let world = world().await;
    let requests = requests(&world).await;
    let gateways = [Gateway::HttpApi, Gateway::RestApi, Gateway::FunctionUrl];
    let mut statuses = std::collections::BTreeMap::<u64, usize>::new();
    for number in 0..size::count("damaged events", 600, 4_000) {
        let (function, request) = random.choice(&requests).expect("a request");
        let gateway = random.choice(gateways).expect("a gateway");
        let mut event = request.clone().through(gateway).event();
        for _ in 0..random.usize(1..4) {
            let mut found = Vec::new();
            pointers(&event, "", &mut found);
            let pointer = random.choice(found).expect("a pointer");
            *event.pointer_mut(&pointer).expect("a value") = hostile_value(&mut random);
        }
        let answer = world.send_to(*function, event.clone()).await;
        assert!(answer.status() < 500, "event {number} of REKEY_SEED={seed}: {answer:?} to {event}");
        *statuses.entry(answer.status()).or_default() += 1;
    }
    world.settle().await;
    for status in [200, 204, 400, 404, 413, 415] {
        assert!(statuses.contains_key(&status), "the damage must cause every status: {statuses:?}");
    }
    let mails = world.outbox.messages();
    assert!(!mails.is_empty() && mails.iter().all(|mail| mail.to == KNOWN), "{} mails", mails.len());
}

#[test]
fn no_call_is_taken_for_a_batch_of_stream_records() {
    for gateway in [Gateway::HttpApi, Gateway::RestApi, Gateway::FunctionUrl] {
        assert!(!is_stream(&Request::get(COMPLETE).through(gateway).event()));
    }
    assert!(!is_stream(&json!({"Records": "x"})) && is_stream(&json!({"Records": []})));
}

#[tokio::test]
async fn a_url_that_grows_when_it_is_encoded_is_answered() {
    let world = world().await;
    let long = "<".repeat(16_000);
    let many = json!(vec![""; 2_000]);
    let (name, stage) = ("k".repeat(4_000), "s".repeat(70_000));
    for gateway in [Gateway::HttpApi, Gateway::RestApi, Gateway::FunctionUrl] {
        for (pointers, value) in [
            (vec!["/path", "/rawPath"], json!(format!("/{long}"))),
            (vec!["/rawQueryString"], json!(long)),
            (vec!["/queryStringParameters", "/multiValueQueryStringParameters"], json!({"token": [long]})),
            (vec!["/queryStringParameters", "/multiValueQueryStringParameters"], json!({"token": many})),
            (vec!["/queryStringParameters", "/multiValueQueryStringParameters"], json!({&name: many})),
            (vec!["/requestContext/stage"], json!(stage)),
        ] {
            let mut event = Request::get(COMPLETE).query("token", "x").through(gateway).event();
            for pointer in pointers {
                if let Some(found) = event.pointer_mut(pointer) {
                    *found = value.clone();
                }
            }
            let answer = world.send_to(FunctionName::Validate, event).await;
            assert!(answer.status() < 500, "{answer:?}");
        }
    }
}

/// `lambda_http` builds the request's URL from them, and panics if it is none.
#[tokio::test]
async fn malformed_headers_for_the_url_are_answered() {
    let world = world().await;
    for gateway in [Gateway::HttpApi, Gateway::RestApi, Gateway::FunctionUrl] {
        for (name, value) in [("host", "a b"), ("x-forwarded-proto", "1:/"), ("x-forwarded-port", "x y")] {
            let request = Request::get(COMPLETE).query("token", "x").header(name, value).through(gateway);
            let answer = world.send(request).await;
            assert_eq!(answer.status(), 404, "{name} {answer:?}");
        }
    }
}

/// An answer, but for the token that it may have: it is another one each time.
fn without_tokens(answer: &Answer) -> Value {
    let mut response = answer.response.clone();
    if let Some(body) = response["body"].as_str().filter(|body| body.contains("reset_token")) {
        response["body"] = json!(body.len());
    }
    response
}

#[tokio::test]
async fn additional_event_fields_change_nothing() {
    let world = world().await;
    for (function, request) in requests(&world).await {
        let event = request.event();
        let plain = world.send_to(function, event.clone()).await;
        let mut more = event;
        for pointer in ["", "/requestContext", "/requestContext/http", "/headers"] {
            let object = more.pointer_mut(pointer).and_then(Value::as_object_mut).expect("an object");
            object.insert("x-unknown".to_owned(), json!({"token": ["x"], "sourceIp": "203.0.113.1"}));
        }
        let answer = world.send_to(function, more).await;
        assert_eq!(without_tokens(&answer), without_tokens(&plain), "{request:?}");
    }
}

#[tokio::test]
async fn callers_without_a_source_ip_share_one_limit() {
    for gateway in [Gateway::HttpApi, Gateway::RestApi] {
        let world = World::new().await;
        let without_ip =
            || Request::get(COMPLETE).query("token", &"Z".repeat(20)).through(gateway).from_ip(None);
        for _ in 0..20 {
            assert_eq!(world.send(without_ip()).await.status(), 404);
        }
        assert_error(COMPLETE, &world.send(without_ip()).await, 429, "throttled");
        assert_eq!(
            world.send(without_ip().from_ip(Some("198.51.100.1"))).await.status(),
            404,
            "callers with an IP address are counted separately"
        );
    }
}

#[tokio::test]
async fn rule_6_a_look_alike_address_sends_no_mail() {
    let world = World::with(&NO_LIMITS).await;
    let look_alikes = [
        "mrba\u{131}ley@projectthanos.com",  // ı, whose capital is I
        "mrbailey@projectthano\u{17f}.com",  // ſ, whose capital is S
        "mrbailey@projecttha\u{ff4e}os.com", // ｎ, which normalises to n
        "mrb\u{430}iley@projectthanos.com",  // Cyrillic а
        "mrbailey@project\u{200b}thanos.com",
        "mrbailey@projectthanos.com\0",
        "mrbailey@projectthanos.com.",
        "mrbailey@projectthanos.com\r\nBcc: thief@example.com",
        "mrbailey@projectthanos.com,thief@example.com",
        "mrbailey@projectthanos.com thief@example.com",
        "\"mrbailey\"@projectthanos.com",
        "<mrbailey@projectthanos.com>",
        "mrbailey(comment)@projectthanos.com",
        "thief@example.com@projectthanos.com",
    ];
    for address in look_alikes {
        let opened = world.send(Request::post(RESET, &json!({"email": address}))).await;
        assert_error(RESET, &opened, 400, "invalid_request");
        let mailed = world.send(Request::post(UNLEASH_MAIL, &json!({"email": address}))).await;
        assert_error(UNLEASH_MAIL, &mailed, 400, "BadDataError");
        let token = world.request_token(KNOWN).await;
        let asked = world.send(Request::get(COMPLETE).query("token", &token).query("email", address)).await;
        assert_error(COMPLETE, &asked, 400, "invalid_request");
    }
    // A domain with a Cyrillic а is a domain of its own, in Punycode: nobody's here.
    let order = json!({"email": "mrbailey@projectth\u{430}nos.com"});
    assert_eq!(world.send(Request::post(UNLEASH_MAIL, &order)).await.status(), 200);
    // Addresses that some mail providers treat as the same are different addresses here.
    for address in
        ["mr.bailey@projectthanos.com", "mrbailey+x@projectthanos.com", "mrbailey@www.projectthanos.com"]
    {
        let token = world.request_token(address).await;
        assert_eq!(world.validate(&token).await.status(), 204);
    }
    assert!(world.outbox.messages().is_empty());
    // Case does not matter.
    let token = world.request_token("MrBailey@ProjectThanos.COM").await;
    assert_eq!(world.validate(&token).await.status(), 204);
    assert_eq!(world.last_mail().to, KNOWN);
}

#[tokio::test]
async fn input_does_not_reach_the_headers_of_an_answer() {
    let world = world().await;
    let token = "x\r\nSet-Cookie: a=b";
    for request in [
        Request::get(COMPLETE).query("token", token).header("host", "evil.example"),
        Request::get(UNLEASH_VALIDATE).query("token", token).header("x-forwarded-host", "evil.example"),
        Request::post(VALIDATE, &json!({"token": token})).header("origin", "https://evil.example"),
        Request::post(RESET, &json!({"email": token})).header("authorization", token),
    ] {
        let answer = world.send(request).await;
        let headers = answer.response["headers"].to_string();
        assert!(!headers.contains("evil") && !headers.to_lowercase().contains("cookie"), "{headers}");
        assert_eq!(answer.response["cookies"].as_array().map(Vec::len), Some(0));
    }
}
