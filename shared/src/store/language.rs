//! The language of a caller, in the rows of requests and orders.

use aws_sdk_dynamodb::types::AttributeValue;

use super::{Item, string};
use crate::api_key::Caller;
use crate::language::Language;

/// The language that a caller asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AskedLanguage {
    /// The language.
    pub language: Language,
    /// Whether the caller is known to speak for the person: it has an API key, or a reset token. Anybody else may be a stranger, who chooses
    /// in which language the person gets a mail.
    pub is_trusted: bool,
}

impl AskedLanguage {
    /// The language that `caller` asked for, if it asked for one.
    #[must_use]
    pub fn of(caller: &Caller, language: Option<Language>) -> Option<Self> {
        language.map(|language| Self { language, is_trusted: matches!(caller, Caller::Trusted(_)) })
    }

    /// What a row stores of it.
    pub(super) fn attributes(self) -> [(&'static str, AttributeValue); 2] {
        [
            ("language", string(self.language.code())),
            ("language_trusted", AttributeValue::Bool(self.is_trusted)),
        ]
    }

    /// The language in a row, if it has one that is supported.
    pub(super) fn from_item(item: &Item) -> Option<Self> {
        let language = Language::from_code(item.get("language")?.as_s().ok()?)?;
        Some(Self { language, is_trusted: item.get("language_trusted") == Some(&AttributeValue::Bool(true)) })
    }
}
