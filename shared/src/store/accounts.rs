//! The accounts: Rekey's own table or the operator's. Rekey reads the key, the address and the time of the last
//! change, and writes the password hash and that time; it touches nothing else.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, Update};
use serde_json::{Map, Value};

use super::resets::StoredReset;
use super::{Item, StoreError, string};
use crate::clock::Timestamp;
use crate::config::AccountsTable;
use crate::email::EmailAddress;
use crate::password_hash::PasswordHash;

/// Numbers below this are seconds since the epoch (until the year 5138), from it on milliseconds (since 1973), up to
/// [`MILLIS_END`]; beyond that they would be micro- or nanoseconds, which are refused.
const SECONDS_END: u64 = 100_000_000_000;
const MILLIS_END: u64 = SECONDS_END * 1000;

/// What Unleash's clients are told of an account besides its address.
pub const PROFILE: [&str; 3] = ["id", "name", "role"];

/// A row of the accounts table.
#[derive(Clone)]
pub struct Account {
    pub(super) key: AttributeValue,
    /// The address as stored, where mail goes.
    pub address: String,
    changed_at: Option<ChangedAt>,
    attributes: Item,
}

/// When the password last changed, with the number that the table holds for it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ChangedAt {
    stored: String,
    /// The last millisecond that the stored number can mean.
    latest: Timestamp,
    in_seconds: bool,
}

impl ChangedAt {
    fn parse(stored: &str) -> Option<Self> {
        let whole = stored.split('.').next().unwrap_or_default();
        let number: u64 = whole.parse().ok().filter(|number| *number < MILLIS_END)?;
        let in_seconds = number < SECONDS_END;
        // "12:00:00" may have been 12:00:00.999: a token of that second is older than the change for all we know.
        let latest = if in_seconds { number * 1000 + 999 } else { number };
        Some(Self { stored: stored.to_owned(), latest: Timestamp::from_millis(latest), in_seconds })
    }
}

impl Account {
    /// Whether a token issued at `issued_at` outlived the account's last change of password.
    #[must_use]
    pub fn honours(&self, issued_at: Timestamp) -> bool {
        self.changed_at.as_ref().is_none_or(|changed| issued_at > changed.latest)
    }

    /// The address, parsed; the operator's row may hold anything.
    #[must_use]
    pub fn email(&self) -> Option<EmailAddress> {
        self.address.parse().ok()
    }

    /// The attribute `name` as JSON, where it is text, a number, a truth value, a list or a map.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<Value> {
        self.attributes.get(name).and_then(to_json)
    }

    fn from_item(table: &AccountsTable, item: Item) -> Result<Option<Self>, StoreError> {
        let Some(key) = item.get(&table.key).cloned() else { return Ok(None) };
        let Some(Ok(address)) = item.get(&table.email).map(AttributeValue::as_s) else { return Ok(None) };
        let changed_at = match item.get(&table.password_changed_at) {
            None | Some(AttributeValue::Null(_)) => None,
            Some(AttributeValue::N(stored)) => {
                ChangedAt::parse(stored).map(Some).ok_or_else(unreadable_time)?
            }
            Some(_) => return Err(unreadable_time()),
        };
        Ok(Some(Self { key, address: address.clone(), changed_at, attributes: item }))
    }
}

/// Taking such a row for one that never changed would honour every old token.
fn unreadable_time() -> StoreError {
    StoreError::new(
        "read",
        "an account's ACCOUNTS_PASSWORD_CHANGED_AT is not a number of milliseconds or seconds since the epoch",
    )
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
    /// between two people. None also, but for the log, where the row's time of change cannot be read: an error would tell a
    /// stranger that there is such a row.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it could not be read.
    pub async fn find(&self, address: &EmailAddress) -> Result<Option<Account>, StoreError> {
        let item = match &self.table.email_index {
            None => self.item(string(address.as_str()), &[]).await?,
            Some(index) => self.only_item_in(index, address).await?,
        };
        let account = item.map_or(Ok(None), |item| Account::from_item(&self.table, item));
        Ok(account.unwrap_or_else(|error| {
            tracing::error!(%error, "an account is passed over");
            None
        }))
    }

    async fn only_item_in(&self, index: &str, address: &EmailAddress) -> Result<Option<Item>, StoreError> {
        let (projection, mut names) = self.projection(&[]);
        names.insert("#address".to_owned(), self.table.email.clone());
        let output = self
            .client
            .query()
            .table_name(&self.table.name)
            .index_name(index)
            .key_condition_expression("#address = :address")
            .projection_expression(projection)
            .set_expression_attribute_names(Some(names))
            .expression_attribute_values(":address", string(address.as_str()))
            .limit(2)
            .send()
            .await
            // A ValidationException here means, on AWS, that the index does not project the time of change.
            .map_err(|error| StoreError::from_sdk("Query of ACCOUNTS_EMAIL_INDEX", &error))?;
        Ok(<[Item; 1]>::try_from(output.items.unwrap_or_default()).ok().map(|[item]| item))
    }

    /// The account of `reset`, if the token is still live for it: it exists, has the address that the token was
    /// mailed to, and its password has not changed since.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it could not be read, or its time of change makes no sense.
    pub async fn of_live(&self, reset: &StoredReset) -> Result<Option<Account>, StoreError> {
        self.of_live_with(reset, &[]).await
    }

    /// The same with the attributes of [`PROFILE`], where they exist.
    ///
    /// # Errors
    ///
    /// As [`Self::of_live`].
    pub async fn profile_of_live(&self, reset: &StoredReset) -> Result<Option<Account>, StoreError> {
        self.of_live_with(reset, &PROFILE).await
    }

    async fn of_live_with(&self, reset: &StoredReset, more: &[&str]) -> Result<Option<Account>, StoreError> {
        let item = self.item(reset.account_key.clone(), more).await?;
        let account = item.map_or(Ok(None), |item| Account::from_item(&self.table, item))?;
        Ok(account.filter(|account| account.address == reset.address && account.honours(reset.issued_at)))
    }

    /// Whether the stored hash of `account` is `hash` now.
    pub(super) async fn has_password(
        &self,
        account: &Account,
        hash: &PasswordHash,
    ) -> Result<bool, StoreError> {
        let item = self.item(account.key.clone(), &[&self.table.password_hash]).await?;
        let stored = item.as_ref().and_then(|item| item.get(&self.table.password_hash));
        Ok(stored == Some(&string(hash.expose_secret())))
    }

    /// The row under `key`: of it the key, the address, the time of change and `more`.
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

    /// Never the whole row: it holds the hash, and its size would show in the time of an answer. Each name once, since
    /// `DynamoDB` refuses a projection that overlaps.
    fn projection(&self, more: &[&str]) -> (String, HashMap<String, String>) {
        let own = [&self.table.key, &self.table.email, &self.table.password_changed_at].map(String::as_str);
        let names: BTreeSet<&str> = own.into_iter().chain(more.iter().copied()).collect();
        let names: HashMap<String, String> = names
            .into_iter()
            .enumerate()
            .map(|(index, name)| (format!("#a{index}"), name.to_owned()))
            .collect();
        let placeholders: Vec<&str> = names.keys().map(String::as_str).collect();
        (placeholders.join(", "), names)
    }

    /// Sets the password, as part of a transaction that fails if the account is gone, has another address, or
    /// had its password changed since it was read. Writes the time in the unit that the row has, else in
    /// milliseconds, and never earlier than the token's own.
    pub(super) fn set_password(
        &self,
        account: &Account,
        reset: &StoredReset,
        hash: &PasswordHash,
        now: Timestamp,
    ) -> Result<Update, StoreError> {
        let changed_at = now.max(reset.issued_at);
        let in_seconds = account.changed_at.as_ref().is_some_and(|changed| changed.in_seconds);
        let written = if in_seconds { changed_at.as_seconds() } else { changed_at.as_millis() };
        let unchanged = match &account.changed_at {
            Some(_) => "#changed = :seen",
            None => "(attribute_not_exists(#changed) OR attribute_type(#changed, :null))",
        };
        let seen = match &account.changed_at {
            Some(changed) => (":seen", AttributeValue::N(changed.stored.clone())),
            None => (":null", string("NULL")),
        };
        Update::builder()
            .table_name(&self.table.name)
            .key(&self.table.key, account.key.clone())
            .update_expression("SET #hash = :hash, #changed = :changed")
            .condition_expression(format!("#email = :email AND {unchanged}"))
            .expression_attribute_names("#hash", &self.table.password_hash)
            .expression_attribute_names("#changed", &self.table.password_changed_at)
            .expression_attribute_names("#email", &self.table.email)
            .expression_attribute_values(":hash", string(hash.expose_secret()))
            .expression_attribute_values(":changed", super::number(written))
            .expression_attribute_values(":email", string(account.address.clone()))
            .expression_attribute_values(seen.0, seen.1)
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
    fn a_time_of_change_may_be_in_milliseconds_or_seconds() {
        let millis = ChangedAt::parse("1700000000123").expect("milliseconds");
        assert_eq!((millis.latest, millis.in_seconds), (Timestamp::from_millis(1_700_000_000_123), false));
        let seconds = ChangedAt::parse("1700000000").expect("seconds");
        assert_eq!((seconds.latest, seconds.in_seconds), (Timestamp::from_millis(1_700_000_000_999), true));
        assert_eq!(ChangedAt::parse("1700000000.25").expect("a fraction").latest, seconds.latest);
        for text in ["", "-5", "1e3", "x", "1700000000123456", "99999999999999999999999"] {
            assert_eq!(ChangedAt::parse(text), None, "{text:?}");
        }
    }
}
