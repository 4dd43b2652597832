//! `DynamoDB` in process: the engine dynoxide, which implements the real protocol, with Rekey's two tables.

use std::time::Duration;

use dynoxide::{Database, DynoxideError};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// The tokens table of the local stack.
pub const TOKENS_TABLE: &str = "rekey-tokens";
/// The accounts table of the local stack.
pub const ACCOUNTS_TABLE: &str = "rekey-accounts";

/// The demo accounts: address and name.
pub const DEMO_ACCOUNTS: [(&str, &str); 5] = [
    ("mrbailey@projectthanos.com", "Mr Bailey"),
    ("jweir@projectthanos.com", "J. Weir"),
    ("user@someretailer.com", "User"),
    ("nick@dobaretailer.com", "Nick"),
    ("some@one.com", "Some One"),
];

/// Creates the table `name` with the partition key `key`, if it does not exist.
pub fn create_table(db: &Database, name: &str, key: &str) -> Result<(), DynoxideError> {
    if db.get_table_metadata(name)?.is_some() {
        return Ok(());
    }
    let request = json!({
        "TableName": name,
        "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    });
    db.create_table(parsed(request)?).map(drop)
}

/// Creates Rekey's two tables if they do not exist. The tokens table gets a TTL and a stream.
pub fn create_tables(db: &Database) -> Result<(), DynoxideError> {
    let is_new = db.get_table_metadata(TOKENS_TABLE)?.is_none();
    create_table(db, TOKENS_TABLE, "pk")?;
    if is_new {
        let ttl = json!({
            "TableName": TOKENS_TABLE,
            "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": true},
        });
        db.update_time_to_live(parsed(ttl)?)?;
    }
    let streams = db.list_streams(parsed(json!({"TableName": TOKENS_TABLE}))?)?;
    if streams.streams.is_empty() {
        let stream = json!({
            "TableName": TOKENS_TABLE,
            "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"},
        });
        db.update_table(parsed(stream)?)?;
    }
    create_table(db, ACCOUNTS_TABLE, "email")
}

/// Adds the demo accounts that do not exist yet.
pub fn add_demo_accounts(db: &Database) -> Result<(), DynoxideError> {
    for (id, (email, name)) in (1_u32..).zip(DEMO_ACCOUNTS) {
        let put = json!({
            "TableName": ACCOUNTS_TABLE,
            "Item": {"email": {"S": email}, "name": {"S": name}, "id": {"N": id.to_string()}},
            "ConditionExpression": "attribute_not_exists(email)",
        });
        match db.put_item(parsed(put)?) {
            Ok(_) | Err(DynoxideError::ConditionalCheckFailedException(..)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Serves `db` on `listener`, and deletes expired items every second: the engine does so only on request.
pub async fn serve(listener: TcpListener, db: Database) {
    let sweeper = db.clone();
    tokio::spawn(async move {
        let mut every_second = tokio::time::interval(Duration::from_secs(1));
        loop {
            every_second.tick().await;
            let db = sweeper.clone();
            let _ = tokio::task::spawn_blocking(move || db.sweep_ttl()).await;
        }
    });
    dynoxide::server::serve_on(listener, db).await;
}

/// Parses a request of the engine from the protocol's JSON.
pub(crate) fn parsed<T: serde::de::DeserializeOwned>(request: Value) -> Result<T, DynoxideError> {
    serde_json::from_value(request).map_err(|error| DynoxideError::SerializationException(error.to_string()))
}
