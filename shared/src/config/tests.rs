//! The defaults, the bounds, and what an error says.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use proptest::prelude::*;

use super::*;
use crate::language::own::read_directory;
use crate::password::hash::Argon2Cost;
use crate::store::accounts::{Lookup, Template};

/// The configuration, with the parts that only some functions need.
fn read_all(settings: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let config = read(settings)?;
    let _ = (config.accounts()?, config.mail()?, config.reset_link()?);
    Ok(config)
}

fn read(settings: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let mut variables = HashMap::from([
        ("TOKENS_TABLE", "t"),
        ("ACCOUNTS_TABLE", "a"),
        ("MAIL_FROM", "no-reply@example.com"),
    ]);
    variables.extend(settings.iter().copied());
    Config::read(|name| variables.get(name).map(ToString::to_string), read_directory)
}

#[test]
fn the_defaults_are_the_documented_ones() {
    let config = read(&[]).expect("a configuration");
    assert_eq!(config.token_lifetime_seconds, 7200);
    assert_eq!(config.password_policy.min_length, 15);
    assert_eq!(config.hashing, Hashing::Argon2id(Argon2Cost::new(65_536, 3, 4).expect("costs")));
    assert_eq!(
        (config.limits.reset_per_ip, config.limits.mail_per_address, config.limits.bad_token_per_ip),
        (100, 5, 20)
    );
    let accounts = config.accounts().expect("a table");
    assert_eq!((accounts.key.as_str(), accounts.sort_key, accounts.conditions.len()), ("email", None, 0));
    let value = Template::new(Template::EMAIL);
    assert_eq!(accounts.lookup, Lookup::Key { value, sort_value: None });
}

#[test]
fn a_link_may_contain_the_tokens_placeholder() {
    for link in ["https://example.com/new?token={token}", "https://example.com/new/{token}"] {
        assert!(read(&[("RESET_LINK", link)]).is_ok(), "{link}");
    }
}

#[test]
fn variables_lists_every_variable_that_is_read() {
    let asked = RefCell::new(BTreeSet::new());
    let variable = |name: &str| {
        asked.borrow_mut().insert(name.to_owned());
        ["TOKENS_TABLE", "ACCOUNTS_TABLE"]
            .contains(&name)
            .then(|| "t".to_owned())
            .or_else(|| (name == "MAIL_FROM").then(|| "a@b.de".to_owned()))
    };
    let _ =
        Config::read(variable, |_| panic!("without MESSAGES_DIR no file is read")).expect("a configuration");
    assert_eq!(asked.into_inner(), VARIABLES.map(str::to_owned).into());
}

#[test]
fn an_error_names_the_variable_and_does_not_quote_its_value() {
    for (variable, value) in [
        ("TOKENS_TABLE", ""),
        ("ACCOUNTS_TABLE", ""),
        ("MAIL_FROM", ""),
        ("MAIL_FROM", "nobody-q7"),
        ("MAIL_FROM", "a@b.de\r\nBcc: q7@b.de"),
        ("MAIL_FROM", "Example q7@b.de"),
        ("MAIL_REPLY_TO", "q7"),
        ("TOKEN_LIFETIME_SECONDS", "q7"),
        ("TOKEN_LIFETIME_SECONDS", "59"),
        ("TOKEN_LIFETIME_SECONDS", "86401"),
        ("INVITE_LIFETIME_SECONDS", "3599"),
        ("INVITE_LIFETIME_SECONDS", "2592001"),
        ("MAIL_UNKNOWN", "yes-q7"),
        ("PASSWORD_MIN_LENGTH", "7"),
        ("PASSWORD_MIN_LENGTH", "129"),
        ("ARGON2_MEMORY_KIB", "19455"),
        ("ARGON2_ITERATIONS", "1"),
        ("ARGON2_LANES", "0"),
        ("ARGON2_MEMORY_KIB", "4194305"),
        ("ARGON2_ITERATIONS", "1001"),
        ("ARGON2_LANES", "256"),
        ("LIMIT_RESET_PER_IP", "1000001"),
        ("LIMIT_MAIL_PER_ADDRESS", "1000001"),
        ("LIMIT_BAD_TOKEN_PER_IP", "1000001"),
        ("API_KEYS", "q7"),
        ("REQUIRE_API_KEY", "yes-q7"),
        ("REQUIRE_API_KEY", "true"),
        ("LIMIT_RESET_PER_IP", "-1"),
        ("LIMIT_MAIL_PER_ADDRESS", "many-q7"),
        ("LIMIT_BAD_TOKEN_PER_IP", "1.5"),
        ("RESET_LINK", "http://example.com/q7"),
        ("RESET_LINK", "https://example.com/#q7"),
        ("RESET_LINK", "javascript:q7"),
        ("RESET_LINK", "https://:1/q7"),
        ("RESET_LINK", "http://localhost.q7.example/"),
        ("RESET_LINK", "https://example.com@q7.example/"),
        ("RESET_LINK", "https://{token}.q7.example/"),
        ("RESET_LINK", "https://example.com/?a={token}&q7={token}"),
        ("RESET_LINK", "https://example.com/?q7={Token}"),
        ("ACCOUNTS_PASSWORD_HASH", "email"),
        ("ACCOUNTS_LOCALE", "password_hash"),
        ("DEFAULT_LOCALE", "q7"),
        ("MESSAGES_DIR", "/q7"),
        ("MESSAGES_DIR", concat!(env!("CARGO_MANIFEST_DIR"), "/src")),
        ("BRAND_COLOR", "red-q7"),
        ("BRAND_COLOR", "#1a4fq7"),
        ("SIGN_IN_LINK", "http://q7.example/"),
        ("SIGN_IN_LINK", "mailto:q7@example.com"),
        ("SUPPORT_LINK", "javascript:q7"),
        ("SUPPORT_LINK", "mailto:q7"),
        ("SUPPORT_LINK", "mailto:q7@example.com?subject=a"),
        ("SUPPORT_LINK", "mailto:q7%40@example.com"),
        ("LOGO_URL", "http://q7.example/logo.png"),
        ("LOGO_URL", "https://:1/q7.png"),
        ("LOGO_URL", "https://q7.example/a;b"),
        ("LOGO_URL", "https://q7.example/a,b"),
        ("LOGO_URL", "https://q7.example/a b"),
        ("LOGO_URL", "https://q7.example/a'b"),
        ("LOGO_URL", "https://me@q7.example/a"),
        ("LOGO_URL", "data:image/png;base64,q7"),
        ("ORIGIN_SECRETS", "q7"),
        ("ACCOUNTS_CONDITIONS", "=q7"),
        ("ACCOUNTS_CONDITIONS", "q7,"),
        ("ACCOUNTS_CONDITIONS", "!,q7"),
        ("ACCOUNTS_CONDITIONS", "q7.a=b"),
        ("ACCOUNTS_CONDITIONS", "!q7[0]"),
        ("ACCOUNTS_SORT_KEY", "q7"),
        ("ACCOUNTS_SORT_KEY_VALUE", "q7"),
        ("ACCOUNTS_KEY_VALUE", "q7"),
        ("ACCOUNTS_KEY_VALUE", "q7#{Email}"),
        ("ACCOUNTS_EMAIL_INDEX_VALUE", "q7#{email}"),
        ("ACCOUNTS_EMAIL_INDEX_KEY", "q7"),
        ("ACCOUNTS_KEY", "q7.id"),
        ("ACCOUNTS_SORT_KEY", "q7[0]"),
        ("ACCOUNTS_EMAIL", "profile.q7"),
        ("ACCOUNTS_PASSWORD_HASH", "q7.hash"),
        ("ACCOUNTS_PASSWORD_CHANGED_AT", "q7]"),
        ("ACCOUNTS_LOCALE", "q7.locale"),
        ("ACCOUNTS_LOCALE", "password_changed_at"),
        ("PASSWORD_HASH", "q7"),
        ("PASSWORD_HASH", "BCRYPT-q7"),
        ("BCRYPT_COST", "9"),
        ("BCRYPT_COST", "17"),
        ("BREACHED_PASSWORDS", "q7.example/range/"),
        ("BREACHED_PASSWORDS", "http://q7.example/range/"),
        ("BREACHED_PASSWORDS", "http://127.0.0.1.q7.example/range/"),
        ("BREACHED_PASSWORDS", "http://127.0.0.1@q7.example/range/"),
        ("BREACHED_PASSWORDS", "https://q7.example/range/?add-padding=true"),
        ("BREACHED_PASSWORDS", "https://q7.example/range/#a"),
        ("BREACHED_PASSWORDS", "https://:1/q7"),
        ("RESET_LINK", "https://q7.example/organizations/complete-password?token={token}"),
        ("RESET_LINK", "https://q7.example/organizations/complete-password/?a=b&token={token}"),
    ] {
        let message = read_all(&[(variable, value)]).expect_err(variable).to_string();
        assert!(message.starts_with(&format!("environment variable {variable} ")), "{message}");
        assert!(!message.contains("q7"), "{message}");
    }
}

#[test]
fn bounds_are_allowed_and_settings_that_do_not_fit_together_are_named() {
    for (variable, highest) in [
        ("TOKEN_LIFETIME_SECONDS", "86400"),
        ("INVITE_LIFETIME_SECONDS", "2592000"),
        ("PASSWORD_MIN_LENGTH", "128"),
        ("ARGON2_MEMORY_KIB", "4194304"),
        ("ARGON2_ITERATIONS", "1000"),
        ("ARGON2_LANES", "255"),
        ("LIMIT_RESET_PER_IP", "1000000"),
    ] {
        assert!(read(&[(variable, highest)]).is_ok(), "{variable}");
    }
    for url in ["https://example.com/range/", "https://example.com/range", "http://127.0.0.1:8025/range/"] {
        let config = read(&[("BREACHED_PASSWORDS", url)]).expect(url);
        assert!(config.breached_passwords.is_some_and(|url| url.ends_with("/range/")));
    }
    let keys = format!("a:reset:{}", "0".repeat(64));
    let message =
        read_all(&[("REQUIRE_API_KEY", "true"), ("API_KEYS", &keys)]).expect_err("no page").to_string();
    assert!(message.starts_with("environment variable RESET_LINK "), "{message}");
    let message = read_all(&[("ORIGIN_SECRETS", &"0".repeat(64))]).expect_err("no page").to_string();
    assert!(message.starts_with("environment variable RESET_LINK "), "{message}");
    let bcrypt = |min_length| read(&[("PASSWORD_HASH", "bcrypt"), ("PASSWORD_MIN_LENGTH", min_length)]);
    assert!(bcrypt("72").is_ok());
    let message = bcrypt("73").expect_err("no password has both").to_string();
    assert!(message.starts_with("environment variable PASSWORD_MIN_LENGTH "), "{message}");
    let message = read(&[("ACCOUNTS_KEY", "user_id")]).expect_err("no index").to_string();
    assert!(message.contains("ACCOUNTS_EMAIL_INDEX"), "{message}");
}

proptest! {
    #[test]
    fn no_value_of_any_variable_can_panic(
        variable in proptest::sample::select(VARIABLES.to_vec()),
        value in "\\PC{0,80}|[ -~]{0,60}|[0-9]{1,25}|(https?://)?[a-z0-9.:@/?\\[\\]-]{0,40}",
    ) {
        match read(&[(variable, &value)]) {
            Ok(config) => {
                let base = config.reset_link.as_ref().map_or("", LinkBase::as_str);
                prop_assert!(!base.contains(['#', '@', '\r', '\n']));
                prop_assert!(config.mail.is_none_or(|mail| mail.from.as_header().is_ascii()));
            }
            // The error may name another variable that does not fit this one.
            Err(error) => prop_assert!(error.to_string().starts_with("environment variable "), "{error}"),
        }
    }
}
