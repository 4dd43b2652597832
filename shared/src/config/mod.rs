//! The configuration: environment variables, read once at cold start. A missing or invalid variable stops the start with a message that
//! names it, so that a mistake is found at deployment.

mod accounts;
mod deployed;
mod environment;
#[cfg(test)]
mod tests;

use std::{fmt, io};

pub use self::deployed::is_needed;
use self::environment::{Environment, config_error};
use crate::api_key::ApiKeys;
use crate::branding::Branding;
use crate::language::own::File;
use crate::language::{Language, Languages};
use crate::mail::{LinkBase, MailSettings};
use crate::origin::OriginSecrets;
use crate::password::hash::Hashing;
use crate::password::{self, PasswordPolicy};
use crate::store::accounts::AccountsTable;
use crate::store::limits::LimitSettings;

/// Every variable that [`Config::read`] reads.
pub const VARIABLES: [&str; 43] = [
    "TOKENS_TABLE",
    "ACCOUNTS_TABLE",
    "ACCOUNTS_KEY",
    "ACCOUNTS_SORT_KEY",
    "ACCOUNTS_KEY_VALUE",
    "ACCOUNTS_SORT_KEY_VALUE",
    "ACCOUNTS_EMAIL",
    "ACCOUNTS_EMAIL_INDEX",
    "ACCOUNTS_EMAIL_INDEX_KEY",
    "ACCOUNTS_EMAIL_INDEX_VALUE",
    "ACCOUNTS_PASSWORD_HASH",
    "ACCOUNTS_PASSWORD_CHANGED_AT",
    "ACCOUNTS_CONDITIONS",
    "ACCOUNTS_LOCALE",
    "TOKEN_LIFETIME_SECONDS",
    "INVITE_LIFETIME_SECONDS",
    "MAIL_FROM",
    "MAIL_REPLY_TO",
    "MAIL_CONFIGURATION_SET",
    "MAIL_UNKNOWN",
    "RESET_LINK",
    "SERVICE_NAME",
    "DEFAULT_LOCALE",
    "MESSAGES_DIR",
    "BRAND_COLOR",
    "LOGO_URL",
    "SIGN_IN_LINK",
    "SUPPORT_LINK",
    "PASSWORD_MIN_LENGTH",
    "PASSWORD_HASH",
    "ARGON2_MEMORY_KIB",
    "ARGON2_ITERATIONS",
    "ARGON2_LANES",
    "BCRYPT_COST",
    "BREACHED_PASSWORDS",
    "API_KEYS",
    "REQUIRE_API_KEY",
    "ORIGIN_SECRETS",
    "LIMIT_RESET_PER_IP",
    "LIMIT_MAIL_PER_ADDRESS",
    "LIMIT_BAD_TOKEN_PER_IP",
    "DEAD_LETTER_QUEUE_URL",
    "STACK_NAME",
];

/// The configuration of a function.
#[derive(Clone, Debug)]
pub struct Config {
    /// The tokens table's name.
    pub tokens_table: String,
    /// The accounts table. [`Self::accounts`] for the functions that need it.
    accounts: Option<AccountsTable>,
    /// The lifetime of both kinds of token, in seconds.
    pub token_lifetime_seconds: u64,
    /// The lifetime of a reset token in an invitation, in seconds.
    pub invite_lifetime_seconds: u64,
    /// Whether addresses without an account get a mail that says so.
    pub mails_unknown: bool,
    /// The settings of mails. [`Self::mail`] for the function that sends them.
    mail: Option<MailSettings>,
    /// The base of the links in mails. `None` means the hosted page at the API's default endpoint. Checked by [`Self::reset_link`].
    reset_link: Option<LinkBase>,
    /// The branding of pages and mails.
    pub branding: Branding,
    /// The languages of pages and mails.
    pub languages: Languages,
    /// The language of pages and mails if the person's is unknown or not supported.
    pub default_language: Language,
    /// The password policy.
    pub password_policy: PasswordPolicy,
    /// How passwords are hashed.
    pub hashing: Hashing,
    /// The URL of a server of breached passwords, with a slash at its end.
    pub breached_passwords: Option<String>,
    /// The API keys of trusted callers.
    pub api_keys: ApiKeys,
    /// The secrets that prove that a call came through CloudFront.
    pub origin_secrets: OriginSecrets,
    /// The rate limits.
    pub limits: LimitSettings,
    /// The queue for mails that failed permanently.
    pub dead_letter_queue_url: Option<String>,
    /// The deployment's name, a dimension of its metrics.
    pub stack_name: String,
}

/// A variable is missing or invalid. The message names it and does not quote its value.
#[derive(thiserror::Error)]
#[error("environment variable {variable} {problem}")]
pub struct ConfigError {
    variable: &'static str,
    problem: String,
}

/// The same as `Display`: Rust prints the `Debug` form of an error that `main` returns.
impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Config {
    /// Reads the configuration with `variable`, in production `std::env::var`, and with `directory` the files of a directory, in production
    /// [`read_directory`](crate::language::own::read_directory). An empty variable counts as absent: `CloudFormation` cannot omit one.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for the first variable that is missing or invalid.
    pub fn read(
        variable: impl Fn(&str) -> Option<String>,
        directory: impl Fn(&str) -> io::Result<Vec<File>>,
    ) -> Result<Self, ConfigError> {
        let env = Environment(&variable);
        let hashing = env.hashing()?;
        let languages = env.languages(directory)?;
        Ok(Self {
            tokens_table: env.required("TOKENS_TABLE")?,
            accounts: env.accounts(languages)?,
            token_lifetime_seconds: env.number("TOKEN_LIFETIME_SECONDS", 7200, 60..=86_400)?,
            invite_lifetime_seconds: env.number("INVITE_LIFETIME_SECONDS", 604_800, 3_600..=2_592_000)?,
            mails_unknown: env.flag("MAIL_UNKNOWN")?,
            mail: env.mail()?,
            reset_link: env.reset_link()?,
            branding: env.branding()?,
            languages,
            default_language: env.default_language(languages)?,
            password_policy: PasswordPolicy {
                min_length: env.number(
                    "PASSWORD_MIN_LENGTH",
                    15,
                    8..=password::max_length(hashing.is_bcrypt()),
                )?,
                service_name: env.text("SERVICE_NAME", "Rekey")?,
                is_bcrypt: hashing.is_bcrypt(),
            },
            hashing,
            breached_passwords: env.breached_passwords()?,
            api_keys: env.api_keys()?,
            origin_secrets: env.origin_secrets()?,
            limits: LimitSettings {
                reset_per_ip: env.number("LIMIT_RESET_PER_IP", 100, 0..=1_000_000)?,
                mail_per_address: env.number("LIMIT_MAIL_PER_ADDRESS", 5, 0..=1_000_000)?,
                bad_token_per_ip: env.number("LIMIT_BAD_TOKEN_PER_IP", 20, 0..=1_000_000)?,
            },
            dead_letter_queue_url: env.optional("DEAD_LETTER_QUEUE_URL")?,
            stack_name: env.text("STACK_NAME", "rekey")?,
        })
    }

    /// The accounts table.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if `ACCOUNTS_TABLE` is not set.
    pub fn accounts(&self) -> Result<AccountsTable, ConfigError> {
        self.accounts.clone().ok_or_else(|| config_error("ACCOUNTS_TABLE", "is not set"))
    }

    /// The settings of mails.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if `MAIL_FROM` is not set.
    pub fn mail(&self) -> Result<MailSettings, ConfigError> {
        self.mail.clone().ok_or_else(|| config_error("MAIL_FROM", "is not set"))
    }

    /// The base of the links in mails, if it is not the hosted page.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if it would be the hosted page, and nobody could open that.
    pub fn reset_link(&self) -> Result<Option<LinkBase>, ConfigError> {
        let problem = match (
            &self.reset_link,
            self.api_keys.are_required(),
            self.origin_secrets.are_required(),
        ) {
            (Some(_), ..) | (None, false, false) => return Ok(self.reset_link.clone()),
            (None, true, _) => {
                "is not set, but REQUIRE_API_KEY is true: the hosted page, to which mails would link, is then switched off"
            }
            (None, false, true) => {
                "is not set, but ORIGIN_SECRETS is: mails would link past CloudFront to the API's own address, which then refuses"
            }
        };
        Err(config_error("RESET_LINK", problem))
    }
}
