//! Chromium, and what must be true of every state of a page: axe finds nothing, the page's policy refused nothing, and nothing is
//! wider than the screen, in light and dark, wide and narrow.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chromiumoxide::cdp::browser_protocol::emulation::{
    MediaFeature, SetDeviceMetricsOverrideParams, SetScriptExecutionDisabledParams,
};
use chromiumoxide::cdp::browser_protocol::network::{
    EmulateNetworkConditionsByRuleParams, EnableParams, Headers, NetworkConditions, SetExtraHttpHeadersParams,
};
use chromiumoxide::page::ScreenshotParams;
use chromiumoxide::{Browser, BrowserConfig, Page};
use futures::StreamExt as _;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::stack::target_directory;

/// The version of axe-core (npm) that judges the pages.
const AXE: &str = "4.14.1";

/// Keeps what a page's policy refuses, from before its first line.
const WATCH_POLICY: &str = "window.refused = []; addEventListener('securitypolicyviolation', e => window.refused.push(`${e.violatedDirective} ${e.blockedURI}`));";

/// The rules of WCAG 2.2 A and AA, and axe's best practices.
const RUN_AXE: &str = "axe.run().then(found => JSON.stringify(found.violations.map(v => `${v.id}: ${v.nodes.map(n => n.html + ' ' + n.failureSummary).join('; ')}`)))";

/// A running Chromium.
pub struct Chromium {
    browser: Browser,
    axe: String,
}

impl Chromium {
    /// Starts Chromium with a fresh profile.
    pub async fn launch() -> Self {
        let profile = std::env::temp_dir().join(format!("rekey-browser-{}", std::process::id()));
        let config = BrowserConfig::builder()
            .chrome_executable("/usr/bin/chromium")
            .no_sandbox()
            .args(["--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync"])
            .user_data_dir(profile)
            .build()
            .expect("a configuration");
        let (browser, mut events) = Browser::launch(config).await.expect("Chromium");
        tokio::spawn(async move { while events.next().await.is_some() {} });
        Self { browser, axe: axe().await }
    }

    /// A tab of a person who reads `language`, at `url`.
    pub async fn tab(&self, language: &str, url: &str) -> Tab {
        let page = self.browser.new_page("about:blank").await.expect("a page");
        page.execute(EnableParams::default()).await.expect("the network's events");
        let headers = Headers::new(json!({"Accept-Language": language}));
        page.execute(SetExtraHttpHeadersParams::new(headers)).await.expect("a header");
        page.evaluate_on_new_document(WATCH_POLICY).await.expect("a script");
        let tab = Tab { page, axe: self.axe.clone() };
        tab.resize(1000).await;
        tab.go(url).await;
        tab
    }

    /// Ends it.
    pub async fn close(mut self) {
        self.browser.close().await.expect("an end");
    }
}

/// A tab.
pub struct Tab {
    page: Page,
    axe: String,
}

impl Tab {
    /// Opens `url`.
    pub async fn go(&self, url: &str) {
        self.page.goto(url).await.expect("a page");
    }

    /// The text that `script` returns, or promises.
    pub async fn evaluate(&self, script: &str) -> String {
        self.page.evaluate(script).await.expect("a result").into_value().expect("a text")
    }

    /// Waits until `script` returns `text`, or something that contains it.
    pub async fn until(&self, script: &str, text: &str) {
        let mut said = String::new();
        for _ in 0..300 {
            // While another page opens there is nothing to ask.
            if let Ok(result) = self.page.evaluate(script).await {
                said = result.into_value().expect("a text");
                if said.contains(text) {
                    return;
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{script} says {said:?} and not {text:?}");
    }

    /// Waits until the page's status line says something that contains `text`.
    pub async fn says(&self, text: &str) {
        self.until("document.querySelector('[role=status]')?.textContent ?? ''", text).await;
    }

    /// Waits until `selector` is there to be seen.
    pub async fn shows(&self, selector: &str) {
        self.until(
            &format!("String(document.querySelector('{selector}')?.checkVisibility() === true)"),
            "true",
        )
        .await;
    }

    /// Types `text` into `field`, in place of what is there.
    pub async fn fill(&self, field: &str, text: &str) {
        self.evaluate(&format!("document.querySelector('{field}').value = ''; ''")).await;
        let field = self.page.find_element(field).await.expect("a field");
        field.click().await.expect("a click").type_str(text).await.expect("typed");
    }

    /// The same, and Enter.
    pub async fn send(&self, field: &str, text: &str) {
        self.fill(field, text).await;
        let field = self.page.find_element(field).await.expect("a field");
        field.press_key("Enter").await.expect("sent");
    }

    /// Clicks on `selector`.
    pub async fn click(&self, selector: &str) {
        let element = self.page.find_element(selector).await.expect("something to click on");
        element.click().await.expect("a click");
    }

    /// Cuts the connection, or restores it.
    pub async fn offline(&self, is_offline: bool) {
        let everywhere = NetworkConditions::new("", 0.0, -1.0, -1.0);
        let network = EmulateNetworkConditionsByRuleParams::builder()
            .offline(is_offline)
            .matched_network_condition(everywhere)
            .build()
            .expect("a network");
        self.page.execute(network).await.expect("another network");
    }

    /// Switches JavaScript on or off for what is opened next.
    pub async fn javascript(&self, is_on: bool) {
        self.page.execute(SetScriptExecutionDisabledParams::new(!is_on)).await.expect("a switch");
    }

    /// Judges the state that the page is in, and takes pictures of it where `REKEY_SCREENSHOTS` names a directory.
    pub async fn inspect(&self, state: &str) {
        let refused = self.evaluate("String(window.refused ?? '')").await;
        assert_eq!(refused, "", "{state}: the policy refused something of the page's own");
        self.page.evaluate(self.axe.as_str()).await.expect("axe");
        for scheme in ["light", "dark"] {
            let feature = MediaFeature::new("prefers-color-scheme", scheme);
            self.page.emulate_media_features(vec![feature]).await.expect("a colour scheme");
            for width in [1000, 320] {
                self.resize(width).await;
                let faults = self.evaluate(RUN_AXE).await;
                assert_eq!(faults, "[]", "{state}, {scheme}, {width} px");
                let wide = self.evaluate("String(document.documentElement.scrollWidth)").await;
                assert!(wide.parse::<u32>().is_ok_and(|wide| wide <= width), "{state}: {wide} of {width} px");
                self.picture(&format!("{state}-{scheme}-{width}")).await;
            }
        }
        self.resize(1000).await;
        // What axe itself was refused.
        self.evaluate("window.refused = []; ''").await;
    }

    async fn resize(&self, width: u32) {
        let size = SetDeviceMetricsOverrideParams::new(width, 760, 1.0, false);
        self.page.execute(size).await.expect("a size");
    }

    async fn picture(&self, name: &str) {
        let Some(directory) = std::env::var_os("REKEY_SCREENSHOTS").map(PathBuf::from) else { return };
        let options = ScreenshotParams::builder().full_page(true).build();
        self.page.save_screenshot(options, directory.join(format!("{name}.png"))).await.expect("a picture");
    }
}

/// The source of axe-core, fetched from npm once.
async fn axe() -> String {
    let target = target_directory();
    let directory = target.join(format!("tools/axe-core-{AXE}"));
    let source = directory.join("node_modules/axe-core/axe.min.js");
    if !source.exists() {
        fetch(&directory).await;
    }
    // Of its own value, which is large, nothing is to come back.
    std::fs::read_to_string(source).expect("axe-core") + ";''"
}

async fn fetch(directory: &Path) {
    std::fs::create_dir_all(directory).expect("a directory");
    let package = format!("axe-core@{AXE}");
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-save", "--ignore-scripts", "--silent", "--prefix"])
        .arg(directory)
        .arg(package);
    assert!(npm.status().await.expect("npm").success(), "npm could not fetch axe-core");
}

/// The value that `script` returns as JSON.
///
/// # Panics
///
/// If it returns no JSON.
pub async fn json_from(tab: &Tab, script: &str) -> Value {
    serde_json::from_str(&tab.evaluate(script).await).expect("JSON")
}
