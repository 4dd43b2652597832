//! A team's own accounts table: made from what the AWS CLI prints of it, and compared with the variables before the stack is ready.

use std::collections::BTreeMap;
use std::path::Path;

use dynoxide::{Database, DynoxideError};
use serde_json::{Value, json};

use crate::dynamodb::parsed;

/// Makes the table in `schema`, what `aws dynamodb describe-table` prints, anew, with the rows in `items`, what `aws dynamodb scan` prints.
/// Returns its name.
///
/// # Errors
///
/// One line that says which flag or file is wrong.
pub fn load(db: &Database, schema: &Path, items: Option<&Path>) -> Result<String, String> {
    let described = read(schema, "--accounts-schema")?;
    let table = described.get("Table").unwrap_or(&described);
    let wrong = |problem: &str| format!("--accounts-schema {}: {problem}", schema.display());
    let name = table["TableName"].as_str().ok_or_else(|| {
        wrong("it has no TableName; it must be what `aws dynamodb describe-table --table-name NAME` prints")
    })?;
    let failed = |error: DynoxideError| wrong(&format!("{error:?}"));
    if db.get_table_metadata(name).map_err(failed)?.is_some() {
        let delete = parsed(json!({"TableName": name})).map_err(failed)?;
        db.delete_table(delete).map_err(failed)?;
    }
    db.create_table(parsed(creation(table)).map_err(failed)?).map_err(failed)?;
    if let Some(items) = items {
        let scanned = read(items, "--accounts-items")?;
        let wrong = |problem: &str| format!("--accounts-items {}: {problem}", items.display());
        let rows = scanned["Items"].as_array().ok_or_else(|| {
            wrong("it has no Items; it must be what `aws dynamodb scan --table-name NAME` prints")
        })?;
        for (number, row) in rows.iter().enumerate() {
            let put = parsed(json!({"TableName": name, "Item": row}));
            // Not the row: it holds people's data.
            put.and_then(|put| db.put_item(put)).map_err(|error| {
                let kind = format!("{error:?}");
                wrong(&format!(
                    "row {} does not fit into the table ({})",
                    number + 1,
                    kind.split(['(', ' ']).next().unwrap_or_default()
                ))
            })?;
        }
    }
    Ok(name.to_owned())
}

fn read(file: &Path, flag: &str) -> Result<Value, String> {
    let text =
        std::fs::read_to_string(file).map_err(|error| format!("{flag} {}: {error}", file.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{flag} {}: it is no JSON: {error}", file.display()))
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
pub fn check(db: &Database, variables: &BTreeMap<&'static str, String>) -> Result<(), String> {
    let variable =
        |name: &str, default: &str| variables.get(name).cloned().unwrap_or_else(|| default.to_owned());
    let name = variable("ACCOUNTS_TABLE", "");
    let request = parsed(json!({"TableName": name})).map_err(|error| format!("{error:?}"))?;
    let Ok(described) = db.describe_table(request) else {
        return Err(format!(
            "ACCOUNTS_TABLE names the table {name}, which is not here: make it with --accounts-schema, or leave the variable unset"
        ));
    };
    let described = serde_json::to_value(described).map_err(|error| error.to_string())?;
    let table = &described["Table"];
    let email = variable("ACCOUNTS_EMAIL", "email");
    let (key, sort_key) = (variable("ACCOUNTS_KEY", "email"), variable("ACCOUNTS_SORT_KEY", ""));
    let [has_key, has_sort_key] = keys(&table["KeySchema"]);
    if key != has_key {
        return Err(format!("ACCOUNTS_KEY is {key}, but the partition key of the table {name} is {has_key}"));
    }
    if sort_key != has_sort_key {
        let shown = |name: &str| if name.is_empty() { "none".to_owned() } else { name.to_owned() };
        return Err(format!(
            "ACCOUNTS_SORT_KEY is {}, but the sort key of the table {name} is {}",
            shown(&sort_key),
            shown(&has_sort_key)
        ));
    }
    let index = variable("ACCOUNTS_EMAIL_INDEX", "");
    if index.is_empty() {
        return Ok(());
    }
    let indexes = ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"].map(|kind| table[kind].as_array());
    let mut indexes = indexes.into_iter().flatten().flatten();
    let Some(found) = indexes.find(|found| found["IndexName"] == index) else {
        return Err(format!("ACCOUNTS_EMAIL_INDEX is {index}, but the table {name} has no such index"));
    };
    let index_key = variable("ACCOUNTS_EMAIL_INDEX_KEY", &email);
    let [has_index_key, _] = keys(&found["KeySchema"]);
    if index_key != has_index_key {
        return Err(format!(
            "ACCOUNTS_EMAIL_INDEX_KEY is {index_key}, but the partition key of the index {index} is {has_index_key}"
        ));
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
