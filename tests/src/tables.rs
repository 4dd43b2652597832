//! Access to a deployment's tables, past the functions.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use local::dynamodb::{ACCOUNTS_TABLE, TOKENS_TABLE};

use crate::world::World;

type Item = HashMap<String, AttributeValue>;

impl World {
    /// The account whose attribute `key_name` is `key`.
    pub async fn account_by(&self, key_name: &str, key: &str) -> Option<Item> {
        let get = self.dynamodb.get_item().table_name(&self.outputs.accounts_table);
        get.key(key_name, AttributeValue::S(key.to_owned())).send().await.expect("a read").item
    }

    /// The account of `address` in Rekey's own table.
    pub async fn account(&self, address: &str) -> Item {
        self.account_by("email", address).await.expect("an account")
    }

    /// Whether the stored hash of `address` verifies `password`.
    pub async fn has_password(&self, address: &str, password: &str) -> bool {
        hash_of(&self.account(address).await).is_some_and(|hash| verifies(&hash, password))
    }

    /// Sets an attribute of an account, as the operator's application would; `None` removes it.
    pub async fn set_attribute(&self, address: &str, name: &str, value: impl Into<Option<AttributeValue>>) {
        let value = value.into();
        let expression = if value.is_some() { "SET #name = :value" } else { "REMOVE #name" };
        let update = self.dynamodb.update_item().table_name(ACCOUNTS_TABLE);
        let update = update.key("email", AttributeValue::S(address.to_owned()));
        let update = update.update_expression(expression).expression_attribute_names("#name", name);
        let values = value.map(|value| [(":value".to_owned(), value)].into());
        update.set_expression_attribute_values(values).send().await.expect("a write");
    }

    /// Every row of the tokens table, by key.
    pub async fn token_rows(&self) -> BTreeMap<String, Item> {
        let scan = self.dynamodb.scan().table_name(TOKENS_TABLE).send().await.expect("a scan");
        scan.items.into_iter().flatten().map(|row| (row["pk"].as_s().expect("a key").clone(), row)).collect()
    }

    /// Deletes a row of the tokens table, as DynamoDB's TTL does at some time after its expiry.
    pub async fn delete_token_row(&self, key: &str) {
        let delete = self.dynamodb.delete_item().table_name(TOKENS_TABLE);
        delete.key("pk", AttributeValue::S(key.to_owned())).send().await.expect("a delete");
    }
}

/// The PHC string of an account.
#[must_use]
pub fn hash_of(account: &Item) -> Option<String> {
    account.get("password_hash")?.as_s().ok().cloned()
}

/// Whether `hash`, a PHC string, verifies `password`.
#[must_use]
pub fn verifies(hash: &str, password: &str) -> bool {
    use argon2::PasswordVerifier as _;
    let hash = argon2::PasswordHash::new(hash).expect("a PHC string");
    argon2::Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()
}
