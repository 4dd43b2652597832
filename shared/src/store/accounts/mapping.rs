//! How the operator's accounts are stored: the names of table, keys and attributes, and how a row is found by an address.

use super::condition::Condition;
use crate::language::Languages;

/// The accounts table, Rekey's own or the operator's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountsTable {
    /// The table's name.
    pub name: String,
    /// The partition key.
    pub key: String,
    /// The sort key, if the table has one.
    pub sort_key: Option<String>,
    /// How rows are found by an address.
    pub lookup: Lookup,
    /// The attribute that holds the plain address, where mail goes.
    pub email: String,
    /// The attribute for the password's hash.
    pub password_hash: String,
    /// The attribute for the time of the last password change.
    pub password_changed_at: String,
    /// The attribute that holds the language for mails, such as `de-AT`.
    pub locale: String,
    /// The languages that it may hold.
    pub languages: Languages,
    /// What a row must be to count as an account.
    pub conditions: Vec<Condition>,
}

/// How rows are found by an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// By the table's key, which is made from the address.
    Key {
        /// The partition key's value.
        value: Template,
        /// The sort key's value, if the table has one.
        sort_value: Option<Template>,
    },
    /// By an index. It may have a sort key of its own.
    Index {
        /// The index's name.
        name: String,
        /// Its partition key.
        key: String,
        /// That key's value.
        value: Template,
    },
}

/// A key's value in which [`Self::EMAIL`] stands for the address, such as `EMAIL#{email}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(String);

impl Template {
    /// Stands for the address.
    pub const EMAIL: &str = "{email}";

    /// A template. Any text is one.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether the value depends on the address.
    #[must_use]
    pub fn has_email(&self) -> bool {
        self.0.contains(Self::EMAIL)
    }

    /// The value for `address`.
    pub(super) fn fill(&self, address: &str) -> String {
        self.0.replace(Self::EMAIL, address)
    }
}
