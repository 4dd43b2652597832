//! Finds an account by its address: look-up → candidate rows → those that count → exactly one.

use aws_sdk_dynamodb::types::AttributeValue;

use super::{Account, AccountKey, Accounts, Lookup};
use crate::email::EmailAddress;
use crate::store::{Item, StoreError, string};

/// The most rows that are read for one address. A table with more of them is no table of accounts by address.
const MAX_CANDIDATES: usize = 50;

/// What an address was found to be.
pub enum Found {
    /// One account's.
    Account(Box<Account>),
    /// Nobody's, as far as Rekey can tell.
    Nobody(Nobody),
}

impl Found {
    /// The account, if there is one.
    #[must_use]
    pub fn account(self) -> Option<Account> {
        match self {
            Self::Account(account) => Some(*account),
            Self::Nobody(_) => None,
        }
    }
}

/// Why an address has no account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nobody {
    /// No row has the address.
    NoAccount,
    /// Rows have the address, but do not meet the conditions.
    ConditionsNotMet,
    /// Several accounts have the address: a reset must not choose between them.
    Ambiguous,
}

/// The rows for one spelling of an address.
enum Candidates {
    Keys(Vec<AccountKey>),
    TooMany,
}

impl Accounts {
    /// The account of `address`: by the address in lower case, else as the person typed it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the table could not be read, or the account's time of change is malformed.
    pub async fn find(&self, address: &EmailAddress) -> Result<Found, StoreError> {
        self.find_projected(address, &[]).await
    }

    /// Like [`Self::find`], with the language for mails.
    pub async fn find_with_language(&self, address: &EmailAddress) -> Result<Found, StoreError> {
        self.find_projected(address, &[&self.table.locale]).await
    }

    async fn find_projected(&self, address: &EmailAddress, extra: &[&str]) -> Result<Found, StoreError> {
        let mut nobody = Nobody::NoAccount;
        for spelling in address.spellings() {
            match self.find_spelled(address, spelling, extra).await? {
                Found::Nobody(Nobody::NoAccount) => {}
                Found::Nobody(Nobody::ConditionsNotMet) => nobody = Nobody::ConditionsNotMet,
                found => return Ok(found),
            }
        }
        Ok(Found::Nobody(nobody))
    }

    async fn find_spelled(
        &self,
        address: &EmailAddress,
        spelling: &str,
        extra: &[&str],
    ) -> Result<Found, StoreError> {
        let keys = match self.candidates(spelling).await? {
            Candidates::Keys(keys) => keys,
            Candidates::TooMany => return Ok(Found::Nobody(Nobody::Ambiguous)),
        };
        let mut found = None;
        let mut nobody = Nobody::NoAccount;
        for key in keys {
            // An index is eventually consistent, and need not have all attributes.
            let Some(item) = self.item(key, extra).await? else { continue };
            if !self.has_address(&item, address) {
                continue;
            }
            nobody = Nobody::ConditionsNotMet;
            if let Some(account) = self.account_in(item)?
                && found.replace(account).is_some()
            {
                return Ok(Found::Nobody(Nobody::Ambiguous));
            }
        }
        Ok(found.map_or(Found::Nobody(nobody), |account| Found::Account(Box::new(account))))
    }

    /// The keys of the rows that the look-up has for `spelling`.
    async fn candidates(&self, spelling: &str) -> Result<Candidates, StoreError> {
        match &self.table.lookup {
            Lookup::Key { value, sort_value } => {
                let partition = string(value.fill(spelling));
                let sort = sort_value.as_ref().map(|sort| string(sort.fill(spelling)));
                Ok(Candidates::Keys(vec![AccountKey { partition, sort }]))
            }
            Lookup::Index { name, key, value } => self.query(name, key, string(value.fill(spelling))).await,
        }
    }

    /// The keys of the rows in the index `index` whose partition key `key` is `value`.
    async fn query(&self, index: &str, key: &str, value: AttributeValue) -> Result<Candidates, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&self.table.name)
            .index_name(index)
            .key_condition_expression("#index = :value")
            .expression_attribute_names("#index", key)
            .expression_attribute_names("#key", &self.table.key)
            .expression_attribute_values(":value", value);
        let query = match &self.table.sort_key {
            Some(sort) => {
                query.projection_expression("#key, #sort").expression_attribute_names("#sort", sort)
            }
            None => query.projection_expression("#key"),
        };
        let mut keys = Vec::new();
        let mut next = None;
        loop {
            let page = query.clone().set_exclusive_start_key(next).send().await;
            let page = page.map_err(|error| StoreError::from_sdk("Query of ACCOUNTS_EMAIL_INDEX", &error))?;
            let items = page.items.unwrap_or_default();
            keys.extend(items.iter().filter_map(|item| AccountKey::of_account(&self.table, item)));
            if keys.len() > MAX_CANDIDATES {
                return Ok(Candidates::TooMany);
            }
            next = page.last_evaluated_key;
            if next.is_none() {
                return Ok(Candidates::Keys(keys));
            }
        }
    }

    /// Whether the stored address of `item` is `address`, in whatever case.
    fn has_address(&self, item: &Item, address: &EmailAddress) -> bool {
        let stored = item.get(&self.table.email).and_then(|stored| stored.as_s().ok());
        stored.and_then(|stored| stored.parse::<EmailAddress>().ok()).as_ref() == Some(address)
    }
}
