//! The local stack: a `DynamoDB` engine and an SES endpoint in process, and the three functions under
//! `cargo lambda watch`. The whole-system tests use only the first two.

pub mod accounts;
pub mod breached;
pub mod dynamodb;
pub mod functions;
pub mod log;
pub mod mail_function;
pub mod ses;
pub mod stream;

/// The variables that `local` passes from its own environment to the functions.
pub const SETTINGS: [&str; 43] = [
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
