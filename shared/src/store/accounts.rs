//! The accounts: Rekey's own table or the operator's. Rekey reads the key, the address, the time of the last
//! change and perhaps one attribute that the operator requires; it writes the password hash and that time, and touches nothing else.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, Update};
use serde_json::{Map, Value};

use super::changed_at::ChangedAt;
use super::{Item, StoreError, number, string};
use crate::clock::Timestamp;
use crate::config::{AccountsTable, RequiredAttribute};
use crate::email::EmailAddress;
use crate::language::Language;
use crate::password::hash::PasswordHash;

/// What Unleash's clients are told of an account besides its address.
pub const PROFILE: [&str; 3] = ["id", "name", "role"];

/// An account as it was seen once: what a reset token keeps of it. Holds an address, so it has no `Debug`.
#[derive(Clone, PartialEq)]
pub struct SeenAccount {
    /// The account's key, as the accounts table has it.
    pub(super) key: AttributeValue,
    /// The address as stored, where mail goes.
    pub(super) address: String,
    /// The time of the last change of password exactly as stored, absence included.
    pub(super) changed_at: Option<AttributeValue>,
}

/// A row of the accounts table.
#[derive(Clone)]
pub struct Account {
    pub(super) seen: SeenAccount,
    changed_at: Option<ChangedAt>,
    language: Option<Language>,
    attributes: Item,
}

impl Account {
    /// Whether the password last changed before `issued_at`.
    #[must_use]
    pub fn changed_before(&self, issued_at: Timestamp) -> bool {
        self.changed_at.is_none_or(|changed| issued_at > changed.latest())
    }

    /// Whether the password changed after `since`, as far as the clock that stands at `now` can know. Rekey itself rounds a time in
    /// seconds up; any other time that lies ahead is the work of a clock that is wrong, and says nothing.
    #[must_use]
    pub fn changed_after(&self, since: Timestamp, now: Timestamp) -> bool {
        let changed = self.changed_at.map(ChangedAt::earliest);
        changed.is_some_and(|changed| changed > since && changed <= now.plus_seconds(1))
    }

    /// The earliest time that a token issued at `now` may carry: whatever the clock said that the row's time is from, the token
    /// is the younger one.
    #[must_use]
    pub fn issue_time(&self, now: Timestamp) -> Timestamp {
        self.changed_at.map_or(now, |changed| now.max(changed.latest().plus_millis(1)))
    }

    /// The address as stored, where mail goes.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.seen.address
    }

    /// The address, parsed; the operator's row may hold anything.
    #[must_use]
    pub fn email(&self) -> Option<EmailAddress> {
        self.seen.address.parse().ok()
    }

    /// The language in which the person is written to, where the account says so and [`Accounts::find_to_mail`] found it.
    #[must_use]
    pub const fn language(&self) -> Option<Language> {
        self.language
    }

    /// The attribute `name` as JSON, where it is text, a number, a truth value, a list or a map.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<Value> {
        self.attributes.get(name).and_then(to_json)
    }

    /// The number that a completion at `at` by a token of `issued_at` writes as the time of change.
    pub(super) fn next_change(&self, at: Timestamp, issued_at: Timestamp) -> u64 {
        ChangedAt::next(self.changed_at, at.max(issued_at))
    }

    /// The account in `item`. None where it lacks a key, an address of text or what the operator requires.
    fn from_item(table: &AccountsTable, item: Item) -> Result<Option<Self>, UnreadableTime> {
        let Some(key) = item.get(&table.key).cloned() else { return Ok(None) };
        let Some(Ok(address)) = item.get(&table.email).map(AttributeValue::as_s) else { return Ok(None) };
        if table.required.as_ref().is_some_and(|required| !required.is_met_by(item.get(&required.name))) {
            return Ok(None);
        }
        let stored = item.get(&table.password_changed_at).cloned();
        let changed_at = match &stored {
            None | Some(AttributeValue::Null(_)) => None,
            Some(AttributeValue::N(number)) => ChangedAt::parse(number).map(Some).ok_or(UnreadableTime)?,
            Some(_) => return Err(UnreadableTime),
        };
        let seen = SeenAccount { key, address: address.clone(), changed_at: stored };
        let language = table.language_in(&item);
        Ok(Some(Self { seen, changed_at, language, attributes: item }))
    }
}

impl AccountsTable {
    fn language_in(&self, item: &Item) -> Option<Language> {
        item.get(&self.locale)
            .and_then(|value| value.as_s().ok())
            .and_then(|locale| Language::from_locale(locale))
    }
}

impl RequiredAttribute {
    /// The attribute values that mean the configured text: it, and the number or truth value that is written so.
    fn values(&self) -> Vec<AttributeValue> {
        let mut values = vec![string(self.value.clone())];
        values.extend(self.value.parse().ok().map(AttributeValue::Bool));
        values.extend(self.value.parse::<i64>().ok().map(|number| AttributeValue::N(number.to_string())));
        values
    }

    fn is_met_by(&self, value: Option<&AttributeValue>) -> bool {
        value.is_some_and(|value| self.values().contains(value))
    }
}

/// An account's time of change is none. Taking such a row for one that never changed would honour every old token.
#[derive(Debug, thiserror::Error)]
#[error(
    "an account's ACCOUNTS_PASSWORD_CHANGED_AT is not a number of milliseconds or seconds since the epoch"
)]
pub struct UnreadableTime;

impl From<UnreadableTime> for StoreError {
    fn from(error: UnreadableTime) -> Self {
        Self::new("read", error.to_string())
    }
}

/// The accounts of one deployment.
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

    /// The account whose stored address is `address`. None where an operator's index holds several: a reset must not choose
    /// between two people.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it could not be read; [`UnreadableTime`] if it was, and its time of change makes no sense.
    pub async fn find(
        &self,
        address: &EmailAddress,
    ) -> Result<Result<Option<Account>, UnreadableTime>, StoreError> {
        self.find_with(address, &[]).await
    }

    /// The same with the language in which the person is written to.
    ///
    /// # Errors
    ///
    /// As [`Self::find`].
    pub async fn find_to_mail(
        &self,
        address: &EmailAddress,
    ) -> Result<Result<Option<Account>, UnreadableTime>, StoreError> {
        self.find_with(address, &[&self.table.locale]).await
    }

    /// The language in which the person is written to whose account has this key.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it could not be read.
    pub async fn language(&self, key: AttributeValue) -> Result<Option<Language>, StoreError> {
        let item = self.item(key, &[&self.table.locale]).await?;
        Ok(item.and_then(|item| self.table.language_in(&item)))
    }

    async fn find_with(
        &self,
        address: &EmailAddress,
        more: &[&str],
    ) -> Result<Result<Option<Account>, UnreadableTime>, StoreError> {
        let key = match &self.table.email_index {
            None => Some(string(address.as_str())),
            Some(index) => self.only_key_in(index, address).await?,
        };
        let Some(key) = key else { return Ok(Ok(None)) };
        let item = self.item(key, more).await?;
        let account = item.map_or(Ok(None), |item| Account::from_item(&self.table, item));
        // An index lags behind its table: the row may have moved to another address.
        Ok(account.map(|account| account.filter(|account| account.seen.address == address.as_str())))
    }

    /// The key alone: an index tells the rest late.
    async fn only_key_in(
        &self,
        index: &str,
        address: &EmailAddress,
    ) -> Result<Option<AttributeValue>, StoreError> {
        let output = self
            .client
            .query()
            .table_name(&self.table.name)
            .index_name(index)
            .key_condition_expression("#address = :address")
            .projection_expression("#key")
            .expression_attribute_names("#address", &self.table.email)
            .expression_attribute_names("#key", &self.table.key)
            .expression_attribute_values(":address", string(address.as_str()))
            .limit(2)
            .send()
            .await
            .map_err(|error| StoreError::from_sdk("Query of ACCOUNTS_EMAIL_INDEX", &error))?;
        let only = <[Item; 1]>::try_from(output.items.unwrap_or_default()).ok();
        Ok(only.and_then(|[mut item]| item.remove(&self.table.key)))
    }

    /// The account that was `seen` when a token was issued at `issued_at`, if the token still counts: the account exists, has the
    /// address that the token was mailed to, and its password has not changed since.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it could not be read, or its time of change makes no sense.
    pub async fn current(
        &self,
        seen: &SeenAccount,
        issued_at: Timestamp,
    ) -> Result<Option<Account>, StoreError> {
        self.current_with(seen, issued_at, &[]).await
    }

    /// The same with the attributes of [`PROFILE`], where they exist.
    ///
    /// # Errors
    ///
    /// As [`Self::current`].
    pub async fn current_profile(
        &self,
        seen: &SeenAccount,
        issued_at: Timestamp,
    ) -> Result<Option<Account>, StoreError> {
        self.current_with(seen, issued_at, &PROFILE).await
    }

    async fn current_with(
        &self,
        seen: &SeenAccount,
        issued_at: Timestamp,
        more: &[&str],
    ) -> Result<Option<Account>, StoreError> {
        let item = self.item(seen.key.clone(), more).await?;
        let account = item.map_or(Ok(None), |item| Account::from_item(&self.table, item))?;
        Ok(account.filter(|account| account.seen == *seen && account.changed_before(issued_at)))
    }

    /// Whether the stored hash of `account` is `hash` now.
    pub(super) async fn has_password(
        &self,
        account: &Account,
        hash: &PasswordHash,
    ) -> Result<bool, StoreError> {
        let item = self.item(account.seen.key.clone(), &[&self.table.password_hash]).await?;
        let stored = item.as_ref().and_then(|item| item.get(&self.table.password_hash));
        Ok(stored == Some(&string(hash.expose_secret())))
    }

    /// The row under `key`: of it the key, the address, the time of change, the required attribute and `more`.
    async fn item(&self, key: AttributeValue, more: &[&str]) -> Result<Option<Item>, StoreError> {
        let (projection, names) = self.projection(more);
        let output = self
            .client
            .get_item()
            .table_name(&self.table.name)
            .key(&self.table.key, key)
            .projection_expression(projection)
            .set_expression_attribute_names(Some(names))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| StoreError::from_sdk("GetItem", &error))?;
        Ok(output.item)
    }

    /// Never the whole row: it holds the hash, and the roles may not read that. Each name once, since `DynamoDB` refuses a
    /// projection that overlaps.
    fn projection(&self, more: &[&str]) -> (String, HashMap<String, String>) {
        let own = [&self.table.key, &self.table.email, &self.table.password_changed_at].map(String::as_str);
        let required = self.table.required.as_ref().map(|required| required.name.as_str());
        let names: BTreeSet<&str> = own.into_iter().chain(required).chain(more.iter().copied()).collect();
        let names: HashMap<String, String> = names
            .into_iter()
            .enumerate()
            .map(|(index, name)| (format!("#a{index}"), name.to_owned()))
            .collect();
        let placeholders: Vec<&str> = names.keys().map(String::as_str).collect();
        (placeholders.join(", "), names)
    }

    /// Sets the password and `changed_at`, as part of a transaction that fails if the account is gone, has another address, lacks what
    /// the operator requires, or had its password changed since it was read.
    pub(super) fn set_password(
        &self,
        account: &Account,
        hash: &PasswordHash,
        changed_at: u64,
    ) -> Result<Update, StoreError> {
        let mut update = Update::builder()
            .table_name(&self.table.name)
            .key(&self.table.key, account.seen.key.clone())
            .update_expression("SET #hash = :hash, #changed = :changed")
            .expression_attribute_names("#hash", &self.table.password_hash)
            .expression_attribute_names("#changed", &self.table.password_changed_at)
            .expression_attribute_names("#email", &self.table.email)
            .expression_attribute_values(":hash", string(hash.expose_secret()))
            .expression_attribute_values(":changed", number(changed_at))
            .expression_attribute_values(":email", string(account.seen.address.clone()));
        let mut condition = "#email = :email AND ".to_owned();
        match account.seen.changed_at.clone() {
            // Of two absent attributes neither equals the other.
            None => condition += "attribute_not_exists(#changed)",
            Some(seen) => {
                condition += "#changed = :seen";
                update = update.expression_attribute_values(":seen", seen);
            }
        }
        if let Some(required) = &self.table.required {
            let values = required.values();
            let places: Vec<String> = (0..values.len()).map(|index| format!(":required{index}")).collect();
            condition.extend([" AND #required IN (", &places.join(", "), ")"]);
            update = update.expression_attribute_names("#required", &required.name);
            for (place, value) in places.into_iter().zip(values) {
                update = update.expression_attribute_values(place, value);
            }
        }
        update
            .condition_expression(condition)
            .build()
            .map_err(|error| StoreError::new("Update", error.to_string()))
    }
}

fn to_json(value: &AttributeValue) -> Option<Value> {
    match value {
        AttributeValue::S(text) => Some(Value::from(text.as_str())),
        AttributeValue::N(number) => serde_json::from_str(number).ok(),
        AttributeValue::Bool(truth) => Some(Value::from(*truth)),
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
    fn a_required_attribute_may_be_text_a_number_or_a_truth_value() {
        let required = |value: &str| RequiredAttribute { name: "n".to_owned(), value: value.to_owned() };
        assert!(required("active").is_met_by(Some(&string("active"))));
        assert!(required("true").is_met_by(Some(&AttributeValue::Bool(true))));
        assert!(required("1").is_met_by(Some(&AttributeValue::N("1".to_owned()))));
        assert!(!required("active").is_met_by(Some(&string("banned"))));
        assert!(!required("true").is_met_by(Some(&AttributeValue::Bool(false))));
        assert!(!required("active").is_met_by(None));
    }
}
