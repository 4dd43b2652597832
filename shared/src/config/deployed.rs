//! Which function needs which variable. Lambda takes 4 KB of them for one function, so the SAM template gives it no others.

/// Variables whose names begin so, and the deployed functions that need them. All functions need the others.
const NEEDED_BY: [(&str, &[&str]); 20] = [
    ("ACCOUNTS_", &["validate", "complete", "mail"]),
    ("API_KEYS", &["reset", "validate", "complete"]),
    ("REQUIRE_API_KEY", &["reset", "validate", "complete"]),
    ("ORIGIN_SECRETS", &["reset", "validate", "complete"]),
    ("LIMIT_RESET_PER_IP", &["reset", "validate"]),
    ("LIMIT_MAIL_PER_ADDRESS", &["validate"]),
    ("LIMIT_BAD_TOKEN_PER_IP", &["validate", "complete"]),
    ("PASSWORD_", &["validate", "complete"]),
    ("ARGON2_", &["complete"]),
    ("BCRYPT_", &["complete"]),
    ("BREACHED_PASSWORDS", &["complete"]),
    ("INVITE_LIFETIME_SECONDS", &["validate", "mail"]),
    ("RESET_LINK", &["validate", "mail"]),
    ("MAIL_", &["mail"]),
    ("DEAD_LETTER_QUEUE_URL", &["mail"]),
    ("LOGO_URL", &["reset", "validate"]),
    ("SIGN_IN_LINK", &["reset", "validate"]),
    ("SUPPORT_LINK", &["reset", "validate", "mail"]),
    ("DEFAULT_LOCALE", &["reset", "validate", "mail"]),
    ("BRAND_COLOR", &["reset", "validate", "mail"]),
];

/// Whether the deployed function `name` (`reset`, `validate`, `complete` or `mail`) needs `variable`.
#[must_use]
pub fn is_needed(name: &str, variable: &str) -> bool {
    let row = NEEDED_BY.iter().find(|(prefix, _)| variable.starts_with(prefix));
    row.is_none_or(|(_, functions)| functions.contains(&name))
}
