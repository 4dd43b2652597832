//! The two pages in headless Chromium: from the forgotten password to the new one.

use std::time::Duration;

use chromiumoxide::{Browser, BrowserConfig, Page};
use futures::StreamExt as _;
use serde_json::json;
use tests::PASSWORD;
use tests::stack::Stack;

/// Waits until the page's status line says something that contains `text`.
async fn says(page: &Page, text: &str) {
    let mut said = String::new();
    for _ in 0..200 {
        said = evaluate(page, "document.querySelector('[role=status]')?.textContent ?? ''").await;
        if said.contains(text) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the page says {said:?} and not {text:?}");
}

async fn evaluate(page: &Page, script: &str) -> String {
    page.evaluate(script).await.expect("a result").into_value().expect("a text")
}

async fn fill(page: &Page, field: &str, text: &str) {
    let field = page.find_element(field).await.expect("a field");
    field
        .click()
        .await
        .expect("a click")
        .type_str(text)
        .await
        .expect("typed")
        .press_key("Enter")
        .await
        .expect("sent");
}

async fn picture(page: &Page, name: &str) {
    let Some(directory) = option_env!("REKEY_SCREENSHOTS") else { return };
    let options = chromiumoxide::page::ScreenshotParams::builder().full_page(true).build();
    page.save_screenshot(options, format!("{directory}/{name}.png")).await.expect("a picture");
}

#[tokio::test]
#[ignore = "needs Chromium, as Debian's package has it; run with --ignored (.ci/run installs it and does)"]
async fn a_person_goes_from_the_forgotten_password_to_the_new_one() {
    let stack = Stack::start(&[]).await;
    let config = BrowserConfig::builder()
        .chrome_executable("/usr/bin/chromium")
        .no_sandbox()
        .args(["--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync"])
        .user_data_dir(std::env::temp_dir().join(format!("rekey-browser-{}", stack.ports[0])))
        .build()
        .expect("a configuration");
    let (mut browser, mut events) = Browser::launch(config).await.expect("Chromium");
    tokio::spawn(async move { while events.next().await.is_some() {} });

    let page =
        browser.new_page(format!("{}/organizations/reset-password/", stack.api)).await.expect("a page");
    let refusals = "window.refused = []; addEventListener('securitypolicyviolation', e => window.refused.push(e.violatedDirective)); 'ok'";
    evaluate(&page, refusals).await;
    picture(&page, "forgot").await;
    fill(&page, "#email", "nobody").await;
    says(&page, "Please enter an e-mail address").await;
    evaluate(&page, "document.querySelector('#email').value = ''; 'ok'").await;
    fill(&page, "#email", "nick@dobaretailer.com").await;
    says(&page, "a mail with a link is on its way").await;
    picture(&page, "asked").await;
    assert_eq!(
        evaluate(&page, "String(window.refused)").await,
        "",
        "the policy refused nothing of the page's own"
    );

    let mail = stack.mails(1).await.remove(0);
    let link = mail["html"].as_str().expect("HTML").split("href=\"").nth(1).expect("a link");
    let link = link.split('"').next().expect("a link").to_owned();
    let page = browser.new_page(link.clone()).await.expect("a page");
    let shown = "String(!document.querySelector('form').hidden)";
    for _ in 0..100 {
        if evaluate(&page, shown).await == "true" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(evaluate(&page, shown).await, "true");
    assert_eq!(
        evaluate(&page, "location.href").await,
        format!("{}/organizations/complete-password/", stack.api)
    );
    assert_eq!(evaluate(&page, "document.activeElement.id").await, "password");
    picture(&page, "choose").await;
    fill(&page, "#password", "short").await;
    says(&page, "at least 15 characters").await;
    picture(&page, "refused").await;
    evaluate(&page, "document.querySelector('#password').value = ''; 'ok'").await;
    fill(&page, "#password", PASSWORD).await;
    says(&page, "Your new password is set").await;
    picture(&page, "done").await;
    assert_eq!(stack.mails(2).await[0]["subject"], "Your password for Rekey was changed");

    let page = browser.new_page(link).await.expect("a page");
    says(&page, "does not work any more").await;
    picture(&page, "dead").await;
    let again =
        stack.post("/organizations/complete-password/", &json!({"token": "x", "password": PASSWORD})).await;
    assert_eq!(again.status(), 404);
    browser.close().await.expect("an end");
}
