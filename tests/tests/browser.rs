//! The two pages and the inbox in headless Chromium: from the forgotten password to the new one, and every way in which that can go
//! wrong.

use std::collections::BTreeMap;

use rustix::process::Signal;
use serde_json::{Value, json};
use shared::clock::Timestamp;
use shared::language::{Language, Messages};
use tests::PASSWORD;
use tests::browser::{Chromium, Tab, json_from};
use tests::stack::Stack;

const NICK: &str = "nick@dobaretailer.com";
const SOMEBODY: &str = "some@one.com";

fn forgot(stack: &Stack) -> String {
    format!("{}/organizations/reset-password/", stack.api)
}

fn choose(stack: &Stack, token: &str) -> String {
    format!("{}/organizations/complete-password/#token={token}", stack.api)
}

/// The link in the newest of `count` mails.
async fn link(stack: &Stack, count: usize) -> String {
    let mail = stack.mails(count).await.remove(0);
    let link = mail["html"].as_str().expect("HTML").split("href=\"").nth(1).expect("a link");
    link.split('"').next().expect("a link").to_owned()
}

async fn verdict(tab: &Tab, text: &str) {
    tab.until("document.querySelector('#verdict').textContent", text).await;
}

#[tokio::test]
#[ignore = "needs Chromium, as Debian's package has it; run with --ignored (.ci/run installs it and does)"]
async fn a_person_goes_from_the_forgotten_password_to_the_new_one_whatever_comes_between() {
    let mut stack = Stack::start(&[
        ("SIGN_IN_LINK", "https://example.com/sign-in"),
        ("SUPPORT_LINK", "mailto:help@example.com"),
    ])
    .await;
    let chromium = Chromium::launch().await;
    a_mail_is_asked_for(&stack, &chromium).await;
    let used = a_password_is_chosen(&stack, &chromium).await;
    a_dead_link_leads_to_a_new_one(&stack, &chromium, &used).await;
    a_lost_connection_loses_nothing(&stack, &chromium).await;
    without_javascript_the_pages_say_so(&stack, &chromium).await;
    in_arabic_from_right_to_left(&stack, &chromium).await;
    the_inbox_shows_the_mails(&stack, &chromium).await;
    chromium.close().await;
    stack.end(Signal::TERM).await;
}

async fn a_mail_is_asked_for(stack: &Stack, chromium: &Chromium) {
    let tab = chromium.tab("en", &forgot(stack)).await;
    tab.shows("form").await;
    assert_eq!(tab.evaluate("document.activeElement.id").await, "email");
    tab.inspect("forgot").await;

    tab.send("#email", "nobody").await;
    tab.says("Please enter an email address").await;
    assert_eq!(tab.evaluate("document.activeElement.id").await, "email", "focus goes to the error");
    tab.inspect("forgot-invalid").await;

    tab.send("#email", NICK).await;
    tab.says("an email with a link is on its way").await;
    assert_eq!(tab.evaluate("document.activeElement.id").await, "status");
    tab.until("document.querySelector('#wait').textContent", "You can send it again in ").await;
    assert_eq!(tab.evaluate("String(document.querySelector('form button').disabled)").await, "true");
    tab.inspect("forgot-sent").await;

    // A minute later the request has had all its mails (so says the answer here): the page opens another.
    tab.evaluate(
        "performance.now = () => 1e9; window.calls = []; window.fetch = (real => (url, init) => { \
         calls.push(new URL(url, location).pathname.split('/')[2]); const answer = {status: 429, headers: {'Retry-After': '7000'}}; \
         return calls.length === 1 ? Promise.resolve(new Response('{}', answer)) : real(url, init); })(window.fetch); ''",
    )
    .await;
    tab.until("String(document.querySelector('form button').disabled)", "false").await;
    tab.send("#email", NICK).await;
    tab.says("Too many attempts. Please try again in ").await;
    assert_eq!(
        tab.evaluate("calls.join()").await,
        "validate-password-reset,reset-password,validate-password-reset"
    );

    // Another address need not wait; this one is throttled since a new page knows nothing of the first mail.
    tab.fill("#email", "else@example.com").await;
    tab.until("String(document.querySelector('form button').disabled)", "false").await;
    let tab = chromium.tab("en", &forgot(stack)).await;
    tab.shows("form").await;
    tab.send("#email", NICK).await;
    tab.says("Too many attempts. Please try again in ").await;
    tab.inspect("forgot-throttled").await;
}

async fn a_password_is_chosen(stack: &Stack, chromium: &Chromium) -> String {
    let link = link(stack, 1).await;
    let tab = chromium.tab("en", &forgot(stack)).await;
    tab.evaluate(&format!("sessionStorage.setItem('rekey-address', '{NICK}'); ''")).await;
    tab.go(&link).await;
    tab.shows("form").await;
    let page = format!("{}/organizations/complete-password/", stack.api);
    assert_eq!(tab.evaluate("location.href").await, page, "the token is gone from the address");
    assert_eq!(tab.evaluate("document.activeElement.id").await, "password");
    assert_eq!(tab.evaluate("document.querySelector('#username').value").await, NICK);
    tab.inspect("choose").await;

    tab.fill("#password", "passwordpassword").await;
    verdict(&tab, "too easy to guess").await;
    tab.click("#show").await;
    tab.inspect("choose-verdict").await;
    tab.click("#show").await;
    tab.fill("#password", PASSWORD).await;
    verdict(&tab, "This password is good").await;
    tab.inspect("choose-fine").await;

    tab.send("#password", "short").await;
    tab.says("at least 15 characters").await;
    assert_eq!(tab.evaluate("document.activeElement.id").await, "password");
    tab.inspect("choose-refused").await;

    tab.offline(true).await;
    tab.send("#password", PASSWORD).await;
    tab.says("We could not reach the service").await;
    assert_eq!(tab.evaluate("document.querySelector('#password').value").await, PASSWORD, "nothing is lost");
    tab.inspect("choose-offline").await;
    tab.offline(false).await;

    // Twice at once: the second must not find the token dead.
    tab.evaluate(
        "document.querySelector('form').requestSubmit(); document.querySelector('form').requestSubmit(); ''",
    )
    .await;
    tab.says("Your new password is set").await;
    tab.shows("#sign-in a").await;
    assert_eq!(tab.evaluate("String(sessionStorage.length)").await, "0");
    tab.inspect("choose-done").await;
    assert_eq!(stack.mails(2).await[0]["subject"], "Your password for Rekey was changed");
    link
}

async fn a_dead_link_leads_to_a_new_one(stack: &Stack, chromium: &Chromium, used: &str) {
    let tab = chromium.tab("en", used).await;
    tab.says("no longer works").await;
    tab.inspect("choose-dead").await;
    // A second link in the same tab.
    tab.evaluate("location.hash = 'token=AAAAAAAAAAAAAAAAAAAA'; ''").await;
    tab.until("location.hash", "").await;
    tab.says("no longer works").await;
    tab.click("#again a").await;
    tab.until("location.pathname", "/organizations/reset-password/").await;

    let tab = chromium.tab("en", &choose(stack, "")).await;
    tab.says("Please open the link in your email again").await;
    tab.inspect("choose-no-link").await;
    // Dead tokens are throttled: in a whole window of the limit no later than after twenty.
    let body = json!({"token": "AAAAAAAAAAAAAAAAAAAA"});
    let mut attempts = 0..41;
    while stack.post("/organizations/validate-password-reset/", &body).await.status() != 429 {
        attempts.next().expect("throttled");
    }
    tab.go("about:blank").await;
    tab.go(&choose(stack, "AAAAAAAAAAAAAAAAAAAA")).await;
    tab.says("Too many attempts").await;
    tab.inspect("choose-throttled").await;
}

async fn a_lost_connection_loses_nothing(stack: &Stack, chromium: &Chromium) {
    let tab = chromium.tab("en", &forgot(stack)).await;
    tab.shows("form").await;
    tab.offline(true).await;
    tab.send("#email", SOMEBODY).await;
    tab.says("We could not reach the service").await;
    tab.inspect("forgot-offline").await;
    tab.offline(false).await;
    tab.click("form button").await;
    tab.says("an email with a link is on its way").await;
    let link = link(stack, 3).await;

    let tab = chromium.tab("en", &choose(stack, "")).await;
    tab.says("Please open the link").await;
    tab.offline(true).await;
    let fragment = link.split('#').nth(1).expect("a fragment").to_owned();
    tab.evaluate(&format!("location.hash = '{fragment}'; ''")).await;
    tab.says("We could not reach the service").await;
    tab.inspect("choose-check-offline").await;
    tab.offline(false).await;
    tab.click("#retry").await;
    tab.shows("form").await;
}

async fn without_javascript_the_pages_say_so(stack: &Stack, chromium: &Chromium) {
    let tab = chromium.tab("en", "about:blank").await;
    for (url, name) in [(forgot(stack), "forgot"), (choose(stack, "AAAAAAAAAAAAAAAAAAAA"), "choose")] {
        tab.javascript(false).await;
        tab.go(&url).await;
        assert!(tab.evaluate("document.body.innerText").await.contains("This page needs JavaScript."));
        assert_eq!(tab.evaluate("String(document.querySelector('form').checkVisibility())").await, "false");
        // axe needs it; what is said without it would then be hidden.
        tab.javascript(true).await;
        tab.evaluate(
            "for (const n of document.querySelectorAll('noscript')) n.replaceWith(...n.childNodes); ''",
        )
        .await;
        tab.inspect(&format!("{name}-no-script")).await;
    }
}

async fn in_arabic_from_right_to_left(stack: &Stack, chromium: &Chromium) {
    let tab = chromium.tab("ar-EG,ar;q=0.9,en;q=0.5", &forgot(stack)).await;
    tab.shows("form").await;
    assert_eq!(tab.evaluate("getComputedStyle(document.querySelector('main')).direction").await, "rtl");
    tab.inspect("forgot-ar").await;
    tab.send("#email", "jweir@projectthanos.com").await;
    tab.says("إذا كان هناك حساب بهذا العنوان").await;
    tab.inspect("forgot-sent-ar").await;
    let mail = stack.mails(4).await.remove(0);
    assert_eq!(mail["subject"], "إعادة تعيين كلمة المرور لحسابك في Rekey", "the language of the request");
    tab.go(&link(stack, 4).await).await;
    tab.shows("form").await;
    tab.fill("#password", "passwordpassword").await;
    verdict(&tab, "سهلة التخمين").await;
    tab.inspect("choose-ar").await;
}

async fn the_inbox_shows_the_mails(stack: &Stack, chromium: &Chromium) {
    let tab = chromium.tab("en", &stack.mail).await;
    tab.shows("#mail").await;
    tab.inspect("inbox-ar").await;
    tab.click("nav li:last-child button").await;
    tab.until("document.querySelector('#subject').textContent", "Reset your Rekey password").await;
    tab.inspect("inbox-html").await;
    let inner = "document.querySelector('iframe').srcdoc";
    assert!(tab.evaluate(inner).await.contains("ses:no-track"));
    for name in ["text", "source"] {
        tab.click(&format!("#tab-{name}")).await;
        tab.shows("#panel pre").await;
        tab.inspect(&format!("inbox-{name}")).await;
    }
    tab.click("#clear").await;
    tab.until("document.querySelector('#count').textContent", "0 mails").await;
    tab.inspect("inbox-empty").await;
}

/// Twelve days of a year, one in each month, in UTC.
const DAYS: [u64; 12] = [
    1_798_790_700,
    1_802_714_700,
    1_803_877_500,
    1_806_555_900,
    1_810_000_000,
    1_811_826_300,
    1_815_000_000,
    1_818_000_000,
    1_820_000_000,
    1_823_000_000,
    1_825_500_000,
    1_828_915_200,
];

#[tokio::test]
#[ignore = "needs Chromium, as Debian's package has it; run with --ignored (.ci/run installs it and does)"]
async fn dates_are_written_as_the_browser_writes_them() {
    let chromium = Chromium::launch().await;
    let tab = chromium.tab("en", "about:blank").await;
    let codes: Vec<&str> = Language::all().map(Language::code).collect();
    // British English has the day first, and most Arabic readers know Western digits. The option `hourCycle` changes the date in zh-Hant.
    let script = format!(
        "JSON.stringify(Object.fromEntries({}.map(code => [code, {}.map(at => new Intl.DateTimeFormat(({{en: 'en-GB-u', ar: 'ar-u-nu-latn'}}[code] ?? code + '-u') + '-hc-h23', \
         {{dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC'}}).format(at * 1000))])))",
        json!(codes),
        json!(DAYS)
    );
    let expected: BTreeMap<String, Vec<String>> =
        serde_json::from_value::<Value>(json_from(&tab, &script).await)
            .and_then(serde_json::from_value)
            .expect("dates");
    for language in Language::all() {
        for (at, expected) in DAYS.iter().zip(&expected[language.code()]) {
            let date =
                Messages::new(language).with_date("when", Timestamp::from_millis(at * 1000)).say("date");
            let expected: String =
                expected.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
            // CLDR has the plural for one o'clock in Spanish.
            let expected = match language.code() {
                "es" => format!("{} UTC", expected.replace("a las 1:", "a la 1:")),
                "ja" => format!("{expected}（UTC）"),
                _ => format!("{expected} UTC"),
            };
            assert_eq!(date, expected, "{}", language.code());
        }
    }
    chromium.close().await;
}
