//! The accounts table, Rekey's own or the operator's. Rekey reads the key, the address, the time of the last password change, the locale,
//! [`PROFILE`] and one attribute if the operator requires it. It writes only the password hash and the time of change, and reads the hash
//! only to verify that write.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, Update};
use serde_json::{Map, Value};

use super::changed_at::ChangedAt;
use super::{Item, StoreError, number, string};
use crate::clock::Timestamp;
use crate::email::EmailAddress;
use crate::language::Language;
use crate::password::hash::PasswordHash;

/// The attributes that Unleash's clients read besides the address.
pub const PROFILE: [&str; 3] = ["id", "name", "role"];

/// The accounts table and its attributes. The key of Rekey's own table is the address; an operator's table may use other names.
#[derive(Clone, Debug)]
pub struct AccountsTable {
    /// The table's name.
    pub name: String,
    /// The partition key.
    pub key: String,
    /// The attribute that holds the address, in lower case.
    pub email: String,
    /// An index whose partition key is [`Self::email`]. Required unless that is the table's partition key.
    pub email_index: Option<String>,
    /// The attribute for the PHC string.
    pub password_hash: String,
    /// The attribute for the time of the last password change.
    pub password_changed_at: String,
    /// The attribute that holds the language for mails, such as `de-AT`.
    pub locale: String,
    /// The attribute that an account must have, if any.
    pub required: Option<RequiredAttribute>,
}

/// An attribute that must have a certain value. Excludes disabled accounts, for example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequiredAttribute {
    /// The name.
    pub name: String,
    /// The value. `true`, `false` and integers also match a Boolean or a number.
    pub value: String,
}

/// What a reset token stores of its account, as it was when the token was issued. Holds an address, so it has no `Debug`.
#[derive(Clone, PartialEq)]
pub struct AccountSnapshot {
    /// The account's key in the accounts table.
    pub(super) key: AttributeValue,
    /// The address as stored, where mail goes.
    pub(super) address: String,
    /// The time of the last password change exactly as stored; `None` if the attribute is absent.
    pub(super) changed_at: Option<AttributeValue>,
}

/// A row of the accounts table.
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
        self.changed_at.is_none_or(|changed| changed.is_before(issued_at))
    }

    /// The `issued_at` of a token that is issued at `now`: always later than the stored time of change, even if that lies in the future.
    #[must_use]
    pub fn issue_time(&self, now: Timestamp) -> Timestamp {
        self.changed_at.map_or(now, |changed| now.max(changed.latest().plus_millis(1)))
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
    pub(super) fn next_changed_at(&self, at: Timestamp, issued_at: Timestamp) -> u64 {
        ChangedAt::next(self.changed_at, at.max(issued_at))
    }

    /// The account in `item`. `None` if it lacks the key, a string address or the required attribute.
    fn from_item(table: &AccountsTable, item: Item) -> Result<Option<Self>, StoreError> {
        let Some(key) = item.get(&table.key).cloned() else { return Ok(None) };
        let Some(Ok(address)) = item.get(&table.email).map(AttributeValue::as_s) else { return Ok(None) };
        if table.required.as_ref().is_some_and(|required| !required.is_met_by(item.get(&required.name))) {
            return Ok(None);
        }
        let stored = item.get(&table.password_changed_at).cloned();
        let changed_at = match &stored {
            None | Some(AttributeValue::Null(_)) => None,
            Some(AttributeValue::N(number)) => {
                ChangedAt::parse(number).map(Some).ok_or_else(invalid_changed_at)?
            }
            Some(_) => return Err(invalid_changed_at()),
        };
        let snapshot = AccountSnapshot { key, address: address.clone(), changed_at: stored };
        let language = table.language_in(&item);
        Ok(Some(Self { snapshot, changed_at, language, attributes: item }))
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
    /// The attribute values that match the configured text: the string, and the Boolean or number with the same spelling.
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

/// An account's time of change is malformed. Treating it as absent would make old tokens valid.
fn invalid_changed_at() -> StoreError {
    StoreError::invalid_row(
        "an account's ACCOUNTS_PASSWORD_CHANGED_AT is not a number of milliseconds or seconds since the epoch",
    )
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

    /// The account whose stored address is `address`. `None` if the operator's index has several: a reset must not choose between two
    /// people.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the table could not be read, or the time of change is malformed.
    pub async fn find(&self, address: &EmailAddress) -> Result<Option<Account>, StoreError> {
        self.find_projected(address, &[]).await
    }

    /// Like [`Self::find`], with the language for mails.
    ///
    /// # Errors
    ///
    /// As [`Self::find`].
    pub async fn find_with_language(&self, address: &EmailAddress) -> Result<Option<Account>, StoreError> {
        self.find_projected(address, &[&self.table.locale]).await
    }

    /// The language for mails to the account with this key.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it could not be read.
    pub async fn language(&self, key: AttributeValue) -> Result<Option<Language>, StoreError> {
        let item = self.item(key, &[&self.table.locale]).await?;
        Ok(item.and_then(|item| self.table.language_in(&item)))
    }

    async fn find_projected(
        &self,
        address: &EmailAddress,
        extra: &[&str],
    ) -> Result<Option<Account>, StoreError> {
        let key = match &self.table.email_index {
            None => Some(string(address.as_str())),
            Some(index) => self.query_unique_key(index, address).await?,
        };
        let Some(key) = key else { return Ok(None) };
        let item = self.item(key, extra).await?;
        let account = item.map_or(Ok(None), |item| Account::from_item(&self.table, item))?;
        // An index is eventually consistent: the row's address may have changed.
        Ok(account.filter(|account| account.snapshot.address == address.as_str()))
    }

    /// The key of the only row with `address`. Reads no other attribute: an index is eventually consistent.
    async fn query_unique_key(
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
        let item = <[Item; 1]>::try_from(output.items.unwrap_or_default()).ok();
        Ok(item.and_then(|[mut item]| item.remove(&self.table.key)))
    }

    /// The account of `snapshot`, if a token issued for it at `issued_at` is still valid: the account exists, has the address that the
    /// token was mailed to, and its password has not changed since.
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
    ///
    /// # Errors
    ///
    /// As [`Self::current`].
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
        let account = item.map_or(Ok(None), |item| Account::from_item(&self.table, item))?;
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

    /// The row with `key`: its key, address, time of change, required attribute and `extra`.
    async fn item(&self, key: AttributeValue, extra: &[&str]) -> Result<Option<Item>, StoreError> {
        let (projection, names) = self.projection(extra);
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

    /// Never the whole row: the roles may read only the attributes that they need. Each name once: `DynamoDB` refuses a projection with
    /// overlapping paths.
    fn projection(&self, extra: &[&str]) -> (String, HashMap<String, String>) {
        let own = [&self.table.key, &self.table.email, &self.table.password_changed_at].map(String::as_str);
        let required = self.table.required.as_ref().map(|required| required.name.as_str());
        let names: BTreeSet<&str> = own.into_iter().chain(required).chain(extra.iter().copied()).collect();
        let names: HashMap<String, String> = names
            .into_iter()
            .enumerate()
            .map(|(index, name)| (format!("#a{index}"), name.to_owned()))
            .collect();
        let projection: Vec<&str> = names.keys().map(String::as_str).collect();
        (projection.join(", "), names)
    }

    /// Sets the password and `changed_at` in a transaction. The condition fails if the account is gone, has another address, lacks the
    /// required attribute, or had its password changed since it was read.
    pub(super) fn set_password(
        &self,
        account: &Account,
        hash: &PasswordHash,
        changed_at: u64,
    ) -> Result<Update, StoreError> {
        let mut update = Update::builder()
            .table_name(&self.table.name)
            .key(&self.table.key, account.snapshot.key.clone())
            .update_expression("SET #hash = :hash, #changed = :changed")
            .expression_attribute_names("#hash", &self.table.password_hash)
            .expression_attribute_names("#changed", &self.table.password_changed_at)
            .expression_attribute_names("#email", &self.table.email)
            .expression_attribute_values(":hash", string(hash.expose_secret()))
            .expression_attribute_values(":changed", number(changed_at))
            .expression_attribute_values(":email", string(account.snapshot.address.clone()));
        let mut condition = "#email = :email AND ".to_owned();
        match account.snapshot.changed_at.clone() {
            // In DynamoDB, an absent attribute does not equal another absent one.
            None => condition += "attribute_not_exists(#changed)",
            Some(seen) => {
                condition += "#changed = :seen";
                update = update.expression_attribute_values(":seen", seen);
            }
        }
        if let Some(required) = &self.table.required {
            let values = required.values();
            let placeholders: Vec<String> =
                (0..values.len()).map(|index| format!(":required{index}")).collect();
            condition.extend([" AND #required IN (", &placeholders.join(", "), ")"]);
            update = update.expression_attribute_names("#required", &required.name);
            for (placeholder, value) in placeholders.into_iter().zip(values) {
                update = update.expression_attribute_values(placeholder, value);
            }
        }
        update.condition_expression(condition).build().map_err(StoreError::from)
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
    fn a_required_attribute_may_be_a_string_a_number_or_a_boolean() {
        let required = |value: &str| RequiredAttribute { name: "n".to_owned(), value: value.to_owned() };
        assert!(required("active").is_met_by(Some(&string("active"))));
        assert!(required("true").is_met_by(Some(&AttributeValue::Bool(true))));
        assert!(required("1").is_met_by(Some(&AttributeValue::N("1".to_owned()))));
        assert!(!required("active").is_met_by(Some(&string("banned"))));
        assert!(!required("true").is_met_by(Some(&AttributeValue::Bool(false))));
        assert!(!required("active").is_met_by(None));
    }

    #[test]
    fn attributes_become_json() {
        let list = AttributeValue::L(vec![AttributeValue::Bool(true), AttributeValue::Null(true), number(7)]);
        assert_eq!(to_json(&list), Some(serde_json::json!([true, 7])));
    }
}
