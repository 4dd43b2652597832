//! A team's own accounts table: made from what the AWS CLI prints of it, and compared with the variables before the stack is ready.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};
use dynoxide::Database;
use serde_json::{Value, json};

use crate::dynamodb::parsed;

/// Makes the table in `schema`, what `aws dynamodb describe-table` prints, anew, with the rows in `items`, what `aws dynamodb scan` prints.
/// Returns its name.
///
/// # Errors
///
/// One line that says which flag or file is wrong.
pub fn load(db: &Database, schema: &Path, items: Option<&Path>) -> Result<String> {
    let name = make_table(db, schema).with_context(|| format!("--accounts-schema {}", schema.display()))?;
    if let Some(items) = items {
        add_rows(db, &name, items).with_context(|| format!("--accounts-items {}", items.display()))?;
    }
    Ok(name)
}

fn make_table(db: &Database, schema: &Path) -> Result<String> {
    let described = read(schema)?;
    let table = described.get("Table").unwrap_or(&described);
    let name = table["TableName"].as_str().context(
        "it has no TableName; it must be what `aws dynamodb describe-table --table-name NAME` prints",
    )?;
    if db.get_table_metadata(name)?.is_some() {
        db.delete_table(parsed(json!({"TableName": name}))?)?;
    }
    db.create_table(parsed(creation(table))?)?;
    Ok(name.to_owned())
}

fn add_rows(db: &Database, table: &str, items: &Path) -> Result<()> {
    let scanned = read(items)?;
    let rows = scanned["Items"]
        .as_array()
        .context("it has no Items; it must be what `aws dynamodb scan --table-name NAME` prints")?;
    for (number, row) in (1..).zip(rows) {
        let put = parsed(json!({"TableName": table, "Item": row}));
        // Only the kind of the error: its text may hold the row, which is people's data.
        put.and_then(|put| db.put_item(put)).map_err(|error| {
            let error = format!("{error:?}");
            let kind = error.split(['(', ' ']).next().unwrap_or_default();
            anyhow!("row {number} does not fit into the table ({kind})")
        })?;
    }
    Ok(())
}

fn read(file: &Path) -> Result<Value> {
    serde_json::from_str(&std::fs::read_to_string(file)?).context("it is no JSON")
}

/// The request that creates a described table: its keys and its indexes.
fn creation(table: &Value) -> Value {
    let mut request = json!({
        "TableName": table["TableName"], "KeySchema": table["KeySchema"], "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": table["AttributeDefinitions"],
    });
    for kind in ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"] {
        if let Some(indexes) = table[kind].as_array().filter(|indexes| !indexes.is_empty()) {
            let keep = |index: &Value| json!({"IndexName": index["IndexName"], "KeySchema": index["KeySchema"], "Projection": index["Projection"]});
            request[kind] = indexes.iter().map(keep).collect();
        }
    }
    request
}

/// Compares the table that the `variables` name with what they say of it.
///
/// # Errors
///
/// One line that names the variable that does not fit.
pub fn check(db: &Database, variables: &BTreeMap<&'static str, String>) -> Result<()> {
    let variable =
        |name: &str, default: &str| variables.get(name).cloned().unwrap_or_else(|| default.to_owned());
    let name = variable("ACCOUNTS_TABLE", "");
    let described = parsed(json!({"TableName": name})).and_then(|request| db.describe_table(request));
    let Ok(described) = described else {
        bail!(
            "ACCOUNTS_TABLE names the table {name}, which is not here: make it with --accounts-schema, or leave the variable unset"
        );
    };
    let described = serde_json::to_value(described)?;
    let table = &described["Table"];
    let email = variable("ACCOUNTS_EMAIL", "email");
    let (key, sort_key) = (variable("ACCOUNTS_KEY", "email"), variable("ACCOUNTS_SORT_KEY", ""));
    let [has_key, has_sort_key] = keys(&table["KeySchema"]);
    if key != has_key {
        bail!("ACCOUNTS_KEY is {key}, but the partition key of the table {name} is {has_key}");
    }
    if sort_key != has_sort_key {
        let shown = |name: &str| if name.is_empty() { "none".to_owned() } else { name.to_owned() };
        let (key, has_key) = (shown(&sort_key), shown(&has_sort_key));
        bail!("ACCOUNTS_SORT_KEY is {key}, but the sort key of the table {name} is {has_key}");
    }
    let index = variable("ACCOUNTS_EMAIL_INDEX", "");
    if index.is_empty() {
        return Ok(());
    }
    let indexes = ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"].map(|kind| table[kind].as_array());
    let mut indexes = indexes.into_iter().flatten().flatten();
    let Some(found) = indexes.find(|found| found["IndexName"] == index) else {
        bail!("ACCOUNTS_EMAIL_INDEX is {index}, but the table {name} has no such index");
    };
    let index_key = variable("ACCOUNTS_EMAIL_INDEX_KEY", &email);
    let [has_index_key, _] = keys(&found["KeySchema"]);
    if index_key != has_index_key {
        bail!(
            "ACCOUNTS_EMAIL_INDEX_KEY is {index_key}, but the partition key of the index {index} is {has_index_key}"
        );
    }
    Ok(())
}

/// The names of partition key and sort key; empty without one.
fn keys(schema: &Value) -> [String; 2] {
    ["HASH", "RANGE"].map(|kind| {
        let keys = schema.as_array().into_iter().flatten();
        let found = keys.filter(|key| key["KeyType"] == kind).find_map(|key| key["AttributeName"].as_str());
        found.unwrap_or_default().to_owned()
    })
}
