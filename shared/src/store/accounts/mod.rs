//! The accounts table, Rekey's own or the operator's. Rekey reads the key, the address, the time of the last password change, the locale,
//! [`PROFILE`] and the attributes of the conditions. It writes only the password's hash and the time of change, and reads the hash
//! only to verify that write.

mod changed_at;
mod condition;
mod find;
mod mapping;

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, Update};
use serde_json::{Map, Value};

use self::changed_at::ChangedAt;
use super::{Item, StoreError, string};
use crate::clock::Timestamp;
use crate::email::EmailAddress;
use crate::language::Language;
use crate::password::hash::PasswordHash;

pub use condition::{Condition, ParseConditionError};
pub use find::{Found, Nobody};
pub use mapping::{AccountsTable, Lookup, Template};

/// The attributes that Unleash's clients read besides the address.
pub const PROFILE: [&str; 3] = ["id", "name", "role"];

/// The key of a row, both parts.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountKey {
    partition: AttributeValue,
    sort: Option<AttributeValue>,
}

/// What rows of the tokens table call the parts of an account's key.
const PARTITION: &str = "account";
const SORT: &str = "account_sort";

impl AccountKey {
    /// The key in a row of the accounts table or an index of it.
    fn of_account(table: &AccountsTable, item: &Item) -> Option<Self> {
        let sort = match &table.sort_key {
            Some(name) => Some(item.get(name)?.clone()),
            None => None,
        };
        Some(Self { partition: item.get(&table.key)?.clone(), sort })
    }

    /// What a row of the tokens table stores of it.
    pub(super) fn attributes(&self) -> impl Iterator<Item = (&'static str, AttributeValue)> + use<> {
        let sort = self.sort.clone().map(|sort| (SORT, sort));
        [(PARTITION, self.partition.clone())].into_iter().chain(sort)
    }

    /// The key in a row of the tokens table.
    pub(super) fn from_item(item: &Item) -> Option<Self> {
        Some(Self { partition: item.get(PARTITION)?.clone(), sort: item.get(SORT).cloned() })
    }

    /// The key's attributes in the accounts table.
    fn names(self, table: &AccountsTable) -> HashMap<String, AttributeValue> {
        let sort = table.sort_key.clone().zip(self.sort);
        [(table.key.clone(), self.partition)].into_iter().chain(sort).collect()
    }
}

/// What a reset token stores of its account, as it was when the token was issued. Holds an address, so it has no `Debug`.
#[derive(Clone, PartialEq)]
pub struct AccountSnapshot {
    /// The account's key in the accounts table.
    pub(super) key: AccountKey,
    /// The address as stored, where mail goes.
    pub(super) address: String,
    /// The time of the last password change exactly as stored; `None` if the attribute is absent.
    pub(super) changed_at: Option<AttributeValue>,
}

/// A row of the accounts table that counts as an account.
#[derive(Clone)]
pub struct Account {
    pub(super) snapshot: AccountSnapshot,
    changed_at: Option<ChangedAt>,
    language: Option<Language>,
    attributes: Item,
}

impl Account {
    /// Whether the password last changed before `issued_at`.
    #[must_use]
    pub fn changed_before(&self, issued_at: Timestamp) -> bool {
        self.changed_at.as_ref().is_none_or(|changed| changed.is_before(issued_at))
    }

    /// The `issued_at` of a token that is issued at `now`: always later than the stored time of change, even if that lies in the future.
    #[must_use]
    pub fn issue_time(&self, now: Timestamp) -> Timestamp {
        self.changed_at.as_ref().map_or(now, |changed| now.max(changed.latest().plus_millis(1)))
    }

    /// The address as stored, where mail goes.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.snapshot.address
    }

    /// The address, parsed. `None` if it is malformed: the operator's row may hold anything.
    #[must_use]
    pub fn email(&self) -> Option<EmailAddress> {
        self.snapshot.address.parse().ok()
    }

    /// The language for mails. Only [`Accounts::find_with_language`] reads it.
    #[must_use]
    pub const fn language(&self) -> Option<Language> {
        self.language
    }

    /// The attribute `name` as JSON, if it is a string, a number, a Boolean, a list or a map.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<Value> {
        self.attributes.get(name).and_then(to_json)
    }

    /// The time of change to write for a completion at `at` with a token of `issued_at`.
    pub(super) fn next_changed_at(&self, at: Timestamp, issued_at: Timestamp) -> Change {
        Change(ChangedAt::next(self.changed_at.as_ref(), at.max(issued_at)))
    }
}

/// A time of change that a completion writes.
pub(super) struct Change(ChangedAt);

impl Change {
    /// As text, in the row's own format.
    pub(super) fn to_text(&self) -> String {
        match self.0.to_attribute() {
            AttributeValue::S(text) | AttributeValue::N(text) => text,
            // A time is one of the two.
            _ => String::new(),
        }
    }
}

/// The accounts table's client.
#[derive(Clone, Debug)]
pub struct Accounts {
    client: Client,
    table: AccountsTable,
}

impl Accounts {
    /// The accounts in `table`.
    #[must_use]
    pub fn new(client: Client, table: AccountsTable) -> Self {
        Self { client, table }
    }

    /// The language for mails to the account with this key.
    pub async fn language(&self, key: AccountKey) -> Result<Option<Language>, StoreError> {
        let item = self.item(key, &[&self.table.locale]).await?;
        Ok(item.and_then(|item| self.language_in(&item)))
    }

    fn language_in(&self, item: &Item) -> Option<Language> {
        let locale = item.get(&self.table.locale)?.as_s().ok()?;
        self.table.languages.from_locale(locale)
    }

    /// The account in `item`. `None` if it lacks the key or a string address, or does not meet the conditions.
    fn account_in(&self, item: Item) -> Result<Option<Account>, StoreError> {
        let Some(key) = AccountKey::of_account(&self.table, &item) else { return Ok(None) };
        let Some(Ok(address)) = item.get(&self.table.email).map(AttributeValue::as_s) else {
            return Ok(None);
        };
        if !self.table.conditions.iter().all(|condition| condition.is_met_by(&item)) {
            return Ok(None);
        }
        let stored = item.get(&self.table.password_changed_at).cloned();
        let changed_at = ChangedAt::parse(stored.as_ref())?;
        let snapshot = AccountSnapshot { key, address: address.clone(), changed_at: stored };
        Ok(Some(Account { snapshot, changed_at, language: self.language_in(&item), attributes: item }))
    }

    /// The account of `snapshot`, if a token issued for it at `issued_at` is still valid: the account exists, meets the conditions, has the
    /// address that the token was mailed to, and its password has not changed since.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it could not be read, or its time of change is malformed.
    pub async fn current(
        &self,
        snapshot: &AccountSnapshot,
        issued_at: Timestamp,
    ) -> Result<Option<Account>, StoreError> {
        self.current_projected(snapshot, issued_at, &[]).await
    }

    /// Like [`Self::current`], with the attributes of [`PROFILE`] that exist.
    pub async fn current_with_profile(
        &self,
        snapshot: &AccountSnapshot,
        issued_at: Timestamp,
    ) -> Result<Option<Account>, StoreError> {
        self.current_projected(snapshot, issued_at, &PROFILE).await
    }

    async fn current_projected(
        &self,
        snapshot: &AccountSnapshot,
        issued_at: Timestamp,
        extra: &[&str],
    ) -> Result<Option<Account>, StoreError> {
        let item = self.item(snapshot.key.clone(), extra).await?;
        let account = item.map_or(Ok(None), |item| self.account_in(item))?;
        Ok(account.filter(|account| account.snapshot == *snapshot && account.changed_before(issued_at)))
    }

    /// Whether the stored hash of `account` is `hash`.
    pub(super) async fn has_password(
        &self,
        account: &Account,
        hash: &PasswordHash,
    ) -> Result<bool, StoreError> {
        let item = self.item(account.snapshot.key.clone(), &[&self.table.password_hash]).await?;
        let stored = item.as_ref().and_then(|item| item.get(&self.table.password_hash));
        Ok(stored == Some(&string(hash.expose_secret())))
    }

    /// The row with `key`: its key, address, time of change, the attributes of the conditions and `extra`.
    async fn item(&self, key: AccountKey, extra: &[&str]) -> Result<Option<Item>, StoreError> {
        let (projection, names) = self.projection(extra);
        let output = self
            .client
            .get_item()
            .table_name(&self.table.name)
            .set_key(Some(key.names(&self.table)))
            .projection_expression(projection)
            .set_expression_attribute_names(Some(names))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| StoreError::from_sdk("GetItem of ACCOUNTS_TABLE", &error))?;
        Ok(output.item)
    }

    /// Never the whole row: the roles may read only the attributes that they need. Each name once: `DynamoDB` refuses a projection with
    /// overlapping paths.
    fn projection(&self, extra: &[&str]) -> (String, HashMap<String, String>) {
        let table = &self.table;
        let own = [&table.key, &table.email, &table.password_changed_at].into_iter().chain(&table.sort_key);
        let conditions = table.conditions.iter().map(|condition| &condition.name);
        let own = own.chain(conditions).map(String::as_str);
        let names: BTreeSet<&str> = own.chain(extra.iter().copied()).collect();
        let names: HashMap<String, String> = names
            .into_iter()
            .enumerate()
            .map(|(index, name)| (format!("#a{index}"), name.to_owned()))
            .collect();
        let projection: Vec<&str> = names.keys().map(String::as_str).collect();
        (projection.join(", "), names)
    }

    /// Sets the password and the time of change in a transaction. The condition fails if the account is gone, has another address, does not
    /// meet the conditions, or had its password changed since it was read.
    pub(super) fn set_password(
        &self,
        account: &Account,
        hash: &PasswordHash,
        change: &Change,
    ) -> Result<Update, StoreError> {
        let mut update = Update::builder()
            .table_name(&self.table.name)
            .set_key(Some(account.snapshot.key.clone().names(&self.table)))
            .update_expression("SET #hash = :hash, #changed = :changed")
            .expression_attribute_names("#hash", &self.table.password_hash)
            .expression_attribute_names("#changed", &self.table.password_changed_at)
            .expression_attribute_names("#email", &self.table.email)
            .expression_attribute_values(":hash", string(hash.expose_secret()))
            .expression_attribute_values(":changed", change.0.to_attribute())
            .expression_attribute_values(":email", string(account.snapshot.address.clone()));
        let mut conditions = vec!["#email = :email".to_owned()];
        match account.snapshot.changed_at.clone() {
            // In DynamoDB, an absent attribute does not equal another absent one.
            None => conditions.push("attribute_not_exists(#changed)".to_owned()),
            Some(seen) => {
                conditions.push("#changed = :seen".to_owned());
                update = update.expression_attribute_values(":seen", seen);
            }
        }
        for (index, condition) in self.table.conditions.iter().enumerate() {
            let (name, prefix) = (format!("#c{index}"), format!(":c{index}"));
            let (expression, values) = condition.expression(&name, &prefix);
            conditions.push(expression);
            update = update.expression_attribute_names(name, &condition.name);
            for (placeholder, value) in values {
                update = update.expression_attribute_values(placeholder, value);
            }
        }
        Ok(update.condition_expression(conditions.join(" AND ")).build()?)
    }
}

fn to_json(value: &AttributeValue) -> Option<Value> {
    match value {
        AttributeValue::S(text) => Some(Value::from(text.as_str())),
        AttributeValue::N(number) => serde_json::from_str(number).ok(),
        AttributeValue::Bool(value) => Some(Value::from(*value)),
        AttributeValue::L(items) => Some(items.iter().filter_map(to_json).collect()),
        AttributeValue::M(map) => {
            let entries = map.iter().filter_map(|(name, value)| Some((name.clone(), to_json(value)?)));
            Some(Value::Object(entries.collect::<Map<String, Value>>()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_become_json() {
        let number = AttributeValue::N("7".to_owned());
        let list = AttributeValue::L(vec![AttributeValue::Bool(true), AttributeValue::Null(true), number]);
        assert_eq!(to_json(&list), Some(serde_json::json!([true, 7])));
    }
}
