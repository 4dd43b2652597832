//! A mail says from what it was asked for, in closed words. That a `User-Agent` reaches neither a row nor the log is checked after every test.

use serde_json::json;
use tests::errors::{COMPLETE, RESET, UNLEASH_MAIL, VALIDATE};
use tests::world::completion;
use tests::{KNOWN, PASSWORD, Request, UNKNOWN, World, reset_token_in};

const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36";
const SAFARI: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                      Version/26.0 Mobile/15E148 Safari/604.1";
/// SHA-256 of `s3cret`.
const BEHIND_CLOUDFRONT: [(&str, &str); 2] = [
    ("ORIGIN_SECRETS", "1ec1c26b50d5d3c58d9583181af8076655fe00756bf7285940ba3670f99fcba0"),
    ("RESET_LINK", "https://example.com/new"),
];
const SECRET: (&str, &str) = ("x-origin-secret", "s3cret");
const VIEWER_COUNTRY: &str = "cloudfront-viewer-country";

fn with(request: Request, headers: &[(&str, &str)]) -> Request {
    headers.iter().fold(request, |request, (name, value)| request.header(name, value))
}

/// The lines that the newest mail has after its date.
fn seen(world: &World) -> String {
    let mail = world.last_mail();
    let (_, after_date) = mail.text.split_once(" UTC\n").expect("a date");
    let lines: Vec<&str> = after_date.lines().take_while(|line| !line.is_empty()).collect();
    for line in &lines {
        assert!(mail.html.contains(&format!("<br>{line}")), "{line} is not in {}", mail.html);
    }
    lines.join("; ")
}

/// What the reset mail says of a caller who opens a request with the first `headers`, and has it mailed with the second.
async fn said(world: &World, opening: &[(&str, &str)], mailing: &[(&str, &str)]) -> String {
    let token = world.request_token_with(KNOWN, opening).await;
    let mailing = with(Request::post(VALIDATE, &json!({"token": token})), mailing);
    assert_eq!(world.send(mailing).await.status(), 204);
    seen(world)
}

#[tokio::test]
async fn the_reset_mail_says_which_browser_and_system_asked() {
    let world = World::with(&[("LIMIT_MAIL_PER_ADDRESS", "0")]).await;
    let (chrome, safari) = ([("user-agent", CHROME)], [("user-agent", SAFARI)]);
    assert_eq!(
        said(&world, &chrome, &safari).await,
        "Device: Chrome, Windows",
        "whoever opened the request asked"
    );
    assert_eq!(said(&world, &[], &safari).await, "Device: Safari, iOS");
    assert_eq!(said(&world, &[("user-agent", "curl/8.14.1")], &[]).await, "");
    assert_eq!(said(&world, &[], &[]).await, "");
    let one_step = with(Request::post(UNLEASH_MAIL, &json!({"email": KNOWN})), &safari);
    assert_eq!(world.send(one_step).await.status(), 200);
    assert_eq!(seen(&world), "Device: Safari, iOS");
}

#[tokio::test]
async fn the_notice_says_what_the_password_was_changed_with() {
    let world = World::new().await;
    assert_eq!(said(&world, &[("user-agent", CHROME)], &[]).await, "Device: Chrome, Windows");
    let token = reset_token_in(&world.last_mail());
    let completion = with(completion(&token, PASSWORD), &[("user-agent", SAFARI), ("accept-language", "de")]);
    assert_eq!(world.send(completion).await.status(), 204);
    assert_eq!(seen(&world), "Gerät: Safari, iOS");
}

#[tokio::test]
async fn a_strangers_text_never_reaches_a_mail() {
    let world = World::with(&[("LIMIT_MAIL_PER_ADDRESS", "0")]).await;
    let long = format!("Mozilla/5.0 (Windows NT 10.0) {}", "Chrome/1 (".repeat(800));
    for (user_agent, expected) in [
        ("Visit https://evil.example (Windows NT 10.0) now", "Device: Windows"),
        ("Mozilla/5.0 (iPhone; <a href=//evil.example>) Evil/1 Version/26.0 Safari/604.1", "Device: iOS"),
        ("Chrome, Windows\u{202e}", ""),
        ("Chrome\r\nDevice: evil.example", ""),
        (&long, "Device: Windows"),
    ] {
        let headers = [("user-agent", user_agent), (VIEWER_COUNTRY, "DE")];
        assert_eq!(said(&world, &headers, &headers).await, expected, "{user_agent}");
        let mail = world.last_mail();
        assert!(![mail.subject, mail.text, mail.html].concat().contains("evil"), "{user_agent}");
    }
}

#[tokio::test]
#[should_panic(expected = "the log holds")]
async fn rule_1_the_search_after_every_test_finds_a_user_agent() {
    let world = World::new().await;
    // An outcome, which the log holds.
    let request = Request::get(RESET).header("user-agent", "request_opened");
    world.send(request).await;
    world.request_token(KNOWN).await;
}

#[tokio::test]
async fn a_back_ends_device_is_not_the_persons() {
    // SHA-256 of `s3cret`.
    let keys = format!("crm:reset+validate+complete:{}", BEHIND_CLOUDFRONT[0].1);
    let world = World::with(&[("API_KEYS", &keys), ("LIMIT_MAIL_PER_ADDRESS", "0")]).await;
    let back_end = [("authorization", "Bearer s3cret"), ("user-agent", CHROME)];
    assert_eq!(said(&world, &back_end, &back_end).await, "");
    let token = reset_token_in(&world.last_mail());
    assert_eq!(world.send(with(completion(&token, PASSWORD), &back_end)).await.status(), 204);
    assert_eq!(seen(&world), "");
    world.advance(1);
    assert_eq!(said(&world, &back_end, &[("user-agent", SAFARI)]).await, "Device: Safari, iOS");
}

#[tokio::test]
async fn cloudfronts_country_is_believed_only_behind_cloudfront() {
    let settings = [&BEHIND_CLOUDFRONT[..], &[("LIMIT_MAIL_PER_ADDRESS", "0")]].concat();
    let behind = World::with(&settings).await;
    for (country, expected) in [
        ("DE", "Device: Chrome, Windows; Country or region: Germany"),
        ("de", "Device: Chrome, Windows"),
        ("ZZ", "Device: Chrome, Windows"),
        ("evil", "Device: Chrome, Windows"),
    ] {
        let headers = [SECRET, ("user-agent", CHROME), (VIEWER_COUNTRY, country)];
        assert_eq!(said(&behind, &headers, &headers).await, expected, "{country}");
    }
    let unknown = [SECRET, ("user-agent", "Amazon CloudFront"), (VIEWER_COUNTRY, "BR")];
    assert_eq!(said(&behind, &unknown, &unknown).await, "Country or region: Brazil");

    let world = World::with(&[("LIMIT_MAIL_PER_ADDRESS", "0")]).await;
    let claimed = [SECRET, ("user-agent", CHROME), (VIEWER_COUNTRY, "DE")];
    assert_eq!(said(&world, &claimed, &claimed).await, "Device: Chrome, Windows");
}

#[tokio::test]
async fn rule_5_a_device_shows_in_no_answer_and_takes_the_same_place_for_every_address() {
    let world = World::new().await;
    let mut outcomes = Vec::new();
    for address in [KNOWN, UNKNOWN] {
        let before = world.token_rows().await;
        let opening = with(Request::post(RESET, &json!({"email": address})), &[("user-agent", CHROME)]);
        let opened = world.send_only(opening).await;
        let token = opened.json()["reset_token"].as_str().expect("a token").to_owned();
        let asked = with(Request::get(COMPLETE).query("token", &token), &[("user-agent", SAFARI)]);
        let answer = world.send_only(asked).await.response.to_string();
        let rows = world.token_rows().await;
        let new = rows.into_iter().filter(|(key, _)| key.starts_with("order#") && !before.contains_key(key));
        let device = |row: &std::collections::HashMap<String, _>| {
            ["browser", "system", "country"].map(|name| format!("{:?}", row.get(name)))
        };
        outcomes.push((answer, new.map(|(_, row)| device(&row)).collect::<Vec<_>>()));
    }
    assert_eq!(outcomes[0], outcomes[1]);
    assert!(outcomes[0].1[0][0].contains("Chrome"), "{outcomes:?}");
    world.settle().await;
}
