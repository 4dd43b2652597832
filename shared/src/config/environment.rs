//! Reads and checks environment variables. An error names the variable and does not quote its value.

use std::fmt::Display;
use std::io;
use std::ops::RangeInclusive;
use std::str::FromStr;

use lambda_http::http::Uri;

use super::ConfigError;
use crate::api_key::ApiKeys;
use crate::branding::Branding;
use crate::email::EmailAddress;
use crate::language::own::File;
use crate::language::{Language, Languages};
use crate::mail::{LinkBase, MailSettings, Mailbox, ParseMailboxError};
use crate::origin::{OriginSecrets, OriginSecretsError};
use crate::password::hash::{Argon2Cost, Argon2CostError, Hashing};

pub(super) struct Environment<'a>(pub(super) &'a dyn Fn(&str) -> Option<String>);

impl Environment<'_> {
    pub(super) fn optional(&self, variable: &'static str) -> Result<Option<String>, ConfigError> {
        let value = (self.0)(variable).filter(|value| !value.is_empty());
        match value {
            // A line break in the sender or the service's name would allow header injection.
            Some(value) if value.chars().any(char::is_control) => {
                Err(config_error(variable, "must not contain control characters"))
            }
            value => Ok(value),
        }
    }

    pub(super) fn required(&self, variable: &'static str) -> Result<String, ConfigError> {
        self.optional(variable)?.ok_or_else(|| config_error(variable, "is not set"))
    }

    pub(super) fn text(&self, variable: &'static str, default: &str) -> Result<String, ConfigError> {
        Ok(self.optional(variable)?.unwrap_or_else(|| default.to_owned()))
    }

    pub(super) fn number<N>(
        &self,
        variable: &'static str,
        default: N,
        range: RangeInclusive<N>,
    ) -> Result<N, ConfigError>
    where
        N: FromStr + PartialOrd + Display,
    {
        let Some(text) = self.optional(variable)? else { return Ok(default) };
        match text.parse() {
            Ok(number) if range.contains(&number) => Ok(number),
            _ => Err(config_error(
                variable,
                format!("must be a whole number from {} to {}", range.start(), range.end()),
            )),
        }
    }

    /// False by default.
    pub(super) fn flag(&self, variable: &'static str) -> Result<bool, ConfigError> {
        self.text(variable, "false")?.parse().map_err(|_| config_error(variable, "must be true or false"))
    }

    /// `None` without `MAIL_FROM`: only one function sends mails.
    pub(super) fn mail(&self) -> Result<Option<MailSettings>, ConfigError> {
        let Some(from) = self.optional("MAIL_FROM")? else { return Ok(None) };
        let reply_to = self.optional("MAIL_REPLY_TO")?;
        Ok(Some(MailSettings {
            from: mailbox("MAIL_FROM", &from)?,
            reply_to: reply_to.map(|text| mailbox("MAIL_REPLY_TO", &text)).transpose()?,
            configuration_set: self.optional("MAIL_CONFIGURATION_SET")?,
        }))
    }

    pub(super) fn reset_link(&self) -> Result<Option<LinkBase>, ConfigError> {
        const VARIABLE: &str = "RESET_LINK";
        let Some(link) = self.optional(VARIABLE)? else { return Ok(None) };
        if !is_link_base(&link) {
            return Err(config_error(
                VARIABLE,
                "must be an https:// address without a fragment (Rekey appends #token=…), in which {token} may stand once, in the \
                 path or the query",
            ));
        }
        if is_hosted_page_with_query(&link) {
            return Err(config_error(
                VARIABLE,
                "is Rekey's own page with {token} in the query: that page reads the token from the fragment, so leave {token} out",
            ));
        }
        Ok(Some(LinkBase::from_text(link)))
    }

    pub(super) fn branding(&self) -> Result<Branding, ConfigError> {
        let color = self.optional("BRAND_COLOR")?;
        let color = color.map(|text| text.parse()).transpose();
        Ok(Branding {
            service_name: self.text("SERVICE_NAME", "Rekey")?,
            color: color.map_err(|error| config_error("BRAND_COLOR", format!("{error}")))?,
            logo_url: self.link("LOGO_URL", is_https, "must be an https:// address")?,
            sign_in_link: self.link("SIGN_IN_LINK", is_https, "must be an https:// address")?,
            support_link: self.link(
                "SUPPORT_LINK",
                |link| is_https(link) || is_mailto(link),
                "must be an https:// address, or mailto: and an e-mail address",
            )?,
        })
    }

    fn link(
        &self,
        variable: &'static str,
        is_valid: impl Fn(&str) -> bool,
        problem: &str,
    ) -> Result<Option<String>, ConfigError> {
        let link = self.optional(variable)?;
        if link.as_deref().is_none_or(is_valid) { Ok(link) } else { Err(config_error(variable, problem)) }
    }

    /// The languages that are compiled in, and those in `MESSAGES_DIR`, which `directory` reads.
    pub(super) fn languages(
        &self,
        directory: impl Fn(&str) -> io::Result<Vec<File>>,
    ) -> Result<Languages, ConfigError> {
        const VARIABLE: &str = "MESSAGES_DIR";
        let Some(path) = self.optional(VARIABLE)? else { return Ok(Languages::default()) };
        let files =
            directory(&path).map_err(|error| config_error(VARIABLE, format!("cannot be read: {error}")))?;
        Languages::default().with_own(files).map_err(|problem| config_error(VARIABLE, problem))
    }

    pub(super) fn default_language(&self, languages: Languages) -> Result<Language, ConfigError> {
        const VARIABLE: &str = "DEFAULT_LOCALE";
        let codes = || languages.all().map(Language::code).collect::<Vec<_>>().join(", ");
        languages.from_locale(&self.text(VARIABLE, "en")?).ok_or_else(|| {
            config_error(VARIABLE, format!("must be one of the languages that are there: {}", codes()))
        })
    }

    pub(super) fn hashing(&self) -> Result<Hashing, ConfigError> {
        let cost = self.number("BCRYPT_COST", 12, 10..=16)?;
        let argon2 = self.argon2()?;
        match self.text("PASSWORD_HASH", "argon2id")?.as_str() {
            "argon2id" => Ok(Hashing::Argon2id(argon2)),
            "bcrypt" => Ok(Hashing::Bcrypt { cost }),
            _ => Err(config_error("PASSWORD_HASH", "must be argon2id or bcrypt")),
        }
    }

    /// The base to which a prefix is appended, with a slash at its end.
    pub(super) fn breached_passwords(&self) -> Result<Option<String>, ConfigError> {
        const VARIABLE: &str = "BREACHED_PASSWORDS";
        let Some(url) = self.optional(VARIABLE)? else { return Ok(None) };
        let is_plain = !url.contains(['?', '#', '@']);
        if is_plain && url.parse().is_ok_and(|uri| is_secure(&uri)) {
            Ok(Some(format!("{}/", url.trim_end_matches('/'))))
        } else {
            let problem =
                "must be an https:// address without a query, such as https://api.pwnedpasswords.com/range/";
            Err(config_error(VARIABLE, problem))
        }
    }

    /// Default: the second option that RFC 9106 section 4 recommends, 64 MiB, 3 iterations and 4 lanes.
    fn argon2(&self) -> Result<Argon2Cost, ConfigError> {
        let memory_kib = self.number("ARGON2_MEMORY_KIB", 65_536, 0..=4_194_304)?;
        let iterations = self.number("ARGON2_ITERATIONS", 3, 0..=1_000)?;
        let lanes = self.number("ARGON2_LANES", 4, 1..=255)?;
        Argon2Cost::new(memory_kib, iterations, lanes).map_err(|error| {
            let variable = match error {
                Argon2CostError::TooLittleMemory => "ARGON2_MEMORY_KIB",
                Argon2CostError::TooFewIterations => "ARGON2_ITERATIONS",
                Argon2CostError::OutOfRange => "ARGON2_LANES",
            };
            config_error(variable, error.to_string())
        })
    }

    pub(super) fn origin_secrets(&self) -> Result<OriginSecrets, ConfigError> {
        let text = self.text("ORIGIN_SECRETS", "")?;
        text.parse().map_err(|error: OriginSecretsError| config_error("ORIGIN_SECRETS", error.to_string()))
    }

    pub(super) fn api_keys(&self) -> Result<ApiKeys, ConfigError> {
        let keys: ApiKeys = self
            .text("API_KEYS", "")?
            .parse()
            .map_err(|error| config_error("API_KEYS", format!("is malformed: {error}")))?;
        let required = self.flag("REQUIRE_API_KEY")?;
        if required && keys.is_empty() {
            return Err(config_error(
                "REQUIRE_API_KEY",
                "is true, but API_KEYS holds no key: nobody could call",
            ));
        }
        Ok(keys.required(required))
    }
}

fn mailbox(variable: &'static str, text: &str) -> Result<Mailbox, ConfigError> {
    text.parse().map_err(|error: ParseMailboxError| config_error(variable, error.to_string()))
}

/// Whether `link` is an `https` URL (or `http` on localhost) without a fragment, with at most one `{token}`, after the host.
fn is_link_base(link: &str) -> bool {
    // Other braces would be a misspelled placeholder.
    let without_token = link.replacen(LinkBase::TOKEN, "", 1);
    let Ok(uri) = link.replacen(LinkBase::TOKEN, "T", 1).parse::<Uri>() else { return false };
    let is_token_after_host = link
        .find(LinkBase::TOKEN)
        .is_none_or(|at| link.match_indices('/').nth(2).is_some_and(|(path, _)| at > path));
    is_secure(&uri) && is_token_after_host && !without_token.contains(['#', '@', '"', '<', '>', '{', '}'])
}

/// Whether `uri` is an `https` URL, or `http` on this machine.
fn is_secure(uri: &Uri) -> bool {
    match (uri.scheme_str(), uri.host()) {
        (Some("https"), Some(host)) => !host.is_empty(),
        (Some("http"), Some(host)) => ["127.0.0.1", "localhost", "[::1]"].contains(&host),
        _ => false,
    }
}

/// Whether `link` is the page that Rekey serves, with the token where only its API reads one.
fn is_hosted_page_with_query(link: &str) -> bool {
    let Some((page, query)) = link.split_once('?') else { return false };
    page.trim_end_matches('/').ends_with("/organizations/complete-password")
        && query.contains(LinkBase::TOKEN)
}

/// Whether `link` is an `https` URL that needs no escaping in HTML and in Content-Security-Policy: it has no quotation marks and none of
/// the header's separators.
fn is_https(link: &str) -> bool {
    let is_plain = !link.contains(['"', '\'', '<', '>', '\\', '@', ';', ',', ' ']);
    is_plain && link.starts_with("https:") && link.parse().is_ok_and(|uri| is_secure(&uri))
}

/// Whether `link` is a `mailto:` URL with one address and no header fields.
fn is_mailto(link: &str) -> bool {
    link.strip_prefix("mailto:")
        .is_some_and(|address| address.parse::<EmailAddress>().is_ok() && !address.contains(['?', '&', '%']))
}

pub(super) fn config_error(variable: &'static str, problem: impl Into<String>) -> ConfigError {
    ConfigError { variable, problem: problem.into() }
}
