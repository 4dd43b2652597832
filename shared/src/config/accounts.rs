//! Reads how the operator's accounts are stored. Half a mapping is refused: it would find nobody, and say nothing.

use super::ConfigError;
use super::environment::{Environment, config_error};
use crate::language::Languages;
use crate::store::accounts::{AccountsTable, Condition, Lookup, ParseConditionError, Template};

impl Environment<'_> {
    /// The accounts table. `None` without `ACCOUNTS_TABLE`: not every function reads accounts.
    pub(super) fn accounts(&self, languages: Languages) -> Result<Option<AccountsTable>, ConfigError> {
        let Some(name) = self.optional("ACCOUNTS_TABLE")? else { return Ok(None) };
        let email = self.attribute("ACCOUNTS_EMAIL", "email")?;
        let key = self.attribute("ACCOUNTS_KEY", "email")?;
        let sort_key = self.optional_attribute("ACCOUNTS_SORT_KEY")?;
        let table = AccountsTable {
            lookup: self.lookup(&key, sort_key.as_deref(), &email)?,
            name,
            key,
            sort_key,
            email,
            password_hash: self.attribute("ACCOUNTS_PASSWORD_HASH", "password_hash")?,
            password_changed_at: self.attribute("ACCOUNTS_PASSWORD_CHANGED_AT", "password_changed_at")?,
            locale: self.attribute("ACCOUNTS_LOCALE", "locale")?,
            languages,
            conditions: self.conditions()?,
        };
        check_written(&table)?;
        Ok(Some(table))
    }

    fn lookup(&self, key: &str, sort_key: Option<&str>, email: &str) -> Result<Lookup, ConfigError> {
        let key_value = self.optional("ACCOUNTS_KEY_VALUE")?.map(Template::new);
        let sort_value = self.optional("ACCOUNTS_SORT_KEY_VALUE")?.map(Template::new);
        let index = self.optional("ACCOUNTS_EMAIL_INDEX")?;
        let index_key = self.optional_attribute("ACCOUNTS_EMAIL_INDEX_KEY")?;
        let index_value = self.optional("ACCOUNTS_EMAIL_INDEX_VALUE")?.map(Template::new);
        let Some(index) = index else {
            for (variable, is_set) in [
                ("ACCOUNTS_EMAIL_INDEX_KEY", index_key.is_some()),
                ("ACCOUNTS_EMAIL_INDEX_VALUE", index_value.is_some()),
            ] {
                if is_set {
                    return Err(config_error(
                        variable,
                        "is set, but ACCOUNTS_EMAIL_INDEX is not: name the index",
                    ));
                }
            }
            return key_lookup((key, key_value), (sort_key, sort_value), email);
        };
        for (variable, is_set) in
            [("ACCOUNTS_KEY_VALUE", key_value.is_some()), ("ACCOUNTS_SORT_KEY_VALUE", sort_value.is_some())]
        {
            if is_set {
                return Err(config_error(
                    variable,
                    "is set, but so is ACCOUNTS_EMAIL_INDEX: accounts are found by their key or by an index, not by both",
                ));
            }
        }
        let value = index_value.unwrap_or_else(|| Template::new(Template::EMAIL));
        if !value.has_email() {
            return Err(config_error("ACCOUNTS_EMAIL_INDEX_VALUE", NO_EMAIL));
        }
        Ok(Lookup::Index { name: index, key: index_key.unwrap_or_else(|| email.to_owned()), value })
    }

    fn conditions(&self) -> Result<Vec<Condition>, ConfigError> {
        const VARIABLE: &str = "ACCOUNTS_CONDITIONS";
        let Some(text) = self.optional(VARIABLE)? else { return Ok(Vec::new()) };
        let conditions = text.split(',').map(|condition| condition.trim().parse());
        let conditions: Result<Vec<Condition>, ParseConditionError> = conditions.collect();
        let conditions = conditions.map_err(|error| config_error(VARIABLE, error.to_string()))?;
        if conditions.iter().any(|condition| is_path(&condition.name)) {
            return Err(config_error(VARIABLE, NOT_A_PATH));
        }
        Ok(conditions)
    }

    fn attribute(&self, variable: &'static str, default: &str) -> Result<String, ConfigError> {
        Ok(self.optional_attribute(variable)?.unwrap_or_else(|| default.to_owned()))
    }

    fn optional_attribute(&self, variable: &'static str) -> Result<Option<String>, ConfigError> {
        let name = self.optional(variable)?;
        if name.as_deref().is_some_and(is_path) { Err(config_error(variable, NOT_A_PATH)) } else { Ok(name) }
    }
}

const NO_EMAIL: &str = "has no {email}: every address would find the same row";
const NOT_A_PATH: &str = "must be the name of an attribute, not a path into one: no dot and no bracket";

/// A look-up without an index.
fn key_lookup(
    (key, value): (&str, Option<Template>),
    (sort_key, sort_value): (Option<&str>, Option<Template>),
    email: &str,
) -> Result<Lookup, ConfigError> {
    if sort_key.is_none() && sort_value.is_some() {
        return Err(config_error(
            "ACCOUNTS_SORT_KEY_VALUE",
            "is set, but ACCOUNTS_SORT_KEY is not: name the sort key",
        ));
    }
    if sort_key.is_some() && sort_value.is_none() {
        return Err(config_error(
            "ACCOUNTS_SORT_KEY",
            "is set, but neither ACCOUNTS_EMAIL_INDEX nor ACCOUNTS_SORT_KEY_VALUE is: say how a row is found by an address",
        ));
    }
    if value.is_none() && key != email {
        return Err(config_error(
            "ACCOUNTS_EMAIL_INDEX",
            "is not set, but accounts are not keyed by their address (ACCOUNTS_KEY differs from ACCOUNTS_EMAIL): name an index whose \
             partition key has the address, or set ACCOUNTS_KEY_VALUE to how the key is made from it",
        ));
    }
    let value = value.unwrap_or_else(|| Template::new(Template::EMAIL));
    if !value.has_email() && !sort_value.as_ref().is_some_and(Template::has_email) {
        return Err(config_error("ACCOUNTS_KEY_VALUE", NO_EMAIL));
    }
    Ok(Lookup::Key { value, sort_value })
}

/// Whether DynamoDB would read `name` as a path in an expression, as other tools do.
fn is_path(name: &str) -> bool {
    name.contains(['.', '[', ']'])
}

/// The attributes that Rekey writes must be no others that it reads.
fn check_written(table: &AccountsTable) -> Result<(), ConfigError> {
    let written = [&table.password_hash, &table.password_changed_at];
    let index_key = match &table.lookup {
        Lookup::Index { key, .. } => Some(key),
        Lookup::Key { .. } => None,
    };
    let mut others = [&table.key, &table.email].into_iter().chain(&table.sort_key).chain(index_key);
    if written[0] == written[1] || others.any(|name| written.contains(&name)) {
        return Err(config_error(
            "ACCOUNTS_PASSWORD_HASH",
            "and ACCOUNTS_PASSWORD_CHANGED_AT must differ from each other, from the keys of table and index and from ACCOUNTS_EMAIL",
        ));
    }
    if written.contains(&&table.locale) {
        return Err(config_error(
            "ACCOUNTS_LOCALE",
            "must differ from ACCOUNTS_PASSWORD_HASH and ACCOUNTS_PASSWORD_CHANGED_AT",
        ));
    }
    Ok(())
}
