//! The tables that teams have: the shapes of infra/ACCOUNTS.md, and others.

use std::collections::BTreeMap;

use dynoxide::Database;
use serde_json::{Value, json};
use tests::KNOWN;

/// One table of a team's.
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    pub(crate) table: Value,
    /// The row of the account of [`KNOWN`].
    pub(crate) row: Value,
    pub(crate) settings: Vec<(&'static str, &'static str)>,
}

/// The setting that names the table.
pub(crate) const PEOPLE: (&str, &str) = ("ACCOUNTS_TABLE", "people");

/// Rekey's tables, and a team's own with these rows.
pub(crate) fn tables(table: &Value, rows: &[Value]) -> Database {
    let db = Database::memory().expect("an engine");
    local::dynamodb::create_tables(&db).expect("tables");
    db.create_table(serde_json::from_value(table.clone()).expect("a request")).expect("a table");
    for row in rows {
        let put = json!({"TableName": "people", "Item": row});
        db.put_item(serde_json::from_value(put).expect("a request")).expect("a row");
    }
    db
}

/// A table named `people`, perhaps with the index `by-address`. The names of key attributes end in their type, if it is not a string.
pub(crate) fn table(keys: &[&str], index: Option<&[&str]>) -> Value {
    let parts = |attribute: &str| {
        let (name, kind) = attribute.split_once(':').unwrap_or((attribute, "S"));
        (name.to_owned(), kind.to_owned())
    };
    let schema = |keys: &[&str]| -> Value {
        let keys = keys.iter().map(|attribute| parts(attribute).0).zip(["HASH", "RANGE"]);
        keys.map(|(name, kind)| json!({"AttributeName": name, "KeyType": kind})).collect()
    };
    let attributes: BTreeMap<String, String> =
        keys.iter().chain(index.unwrap_or_default()).map(|attribute| parts(attribute)).collect();
    let definitions =
        attributes.iter().map(|(name, kind)| json!({"AttributeName": name, "AttributeType": kind}));
    let mut table = json!({
        "TableName": "people", "BillingMode": "PAY_PER_REQUEST", "KeySchema": schema(keys),
        "AttributeDefinitions": definitions.collect::<Value>(),
    });
    if let Some(index) = index {
        let projection = json!({"ProjectionType": "KEYS_ONLY"});
        table["GlobalSecondaryIndexes"] =
            json!([{"IndexName": "by-address", "KeySchema": schema(index), "Projection": projection}]);
    }
    table
}

/// The shapes of infra/ACCOUNTS.md, by the titles of its examples, and those that differ in the type of a key.
pub(crate) fn shapes() -> Vec<Shape> {
    let index = ("ACCOUNTS_EMAIL_INDEX", "by-address");
    vec![
        Shape {
            name: "plain",
            table: table(&["email"], None),
            row: json!({"email": {"S": KNOWN}, "plan": {"S": "gold"}}),
            settings: vec![],
        },
        Shape {
            name: "id and index",
            table: table(&["id"], Some(&["email"])),
            row: json!({"id": {"S": "u-1"}, "email": {"S": KNOWN}}),
            settings: vec![("ACCOUNTS_KEY", "id"), index],
        },
        Shape {
            name: "number id and index",
            table: table(&["id:N"], Some(&["mail"])),
            row: json!({"id": {"N": "17"}, "mail": {"S": KNOWN}}),
            settings: vec![("ACCOUNTS_KEY", "id"), ("ACCOUNTS_EMAIL", "mail"), index],
        },
        Shape {
            name: "binary id, number sort key and an index with a sort key",
            table: table(&["id:B", "version:N"], Some(&["email", "id:B"])),
            row: json!({"id": {"B": "AAEC"}, "version": {"N": "3"}, "email": {"S": KNOWN}}),
            settings: vec![("ACCOUNTS_KEY", "id"), ("ACCOUNTS_SORT_KEY", "version"), index],
        },
        Shape {
            name: "PK/SK and index",
            table: table(&["PK", "SK"], Some(&["email"])),
            row: json!({"PK": {"S": "USER#1"}, "SK": {"S": "PROFILE"}, "email": {"S": KNOWN}}),
            settings: vec![("ACCOUNTS_KEY", "PK"), ("ACCOUNTS_SORT_KEY", "SK"), index],
        },
        Shape {
            name: "single table with GSI1",
            table: table(&["PK", "SK"], Some(&["GSI1PK", "GSI1SK"])),
            row: json!({
                "PK": {"S": "USER#1"}, "SK": {"S": "USER#1"}, "GSI1PK": {"S": format!("EMAIL#{KNOWN}")}, "GSI1SK": {"S": "USER#1"},
                "email": {"S": KNOWN}
            }),
            settings: vec![
                ("ACCOUNTS_KEY", "PK"),
                ("ACCOUNTS_SORT_KEY", "SK"),
                index,
                ("ACCOUNTS_EMAIL_INDEX_KEY", "GSI1PK"),
                ("ACCOUNTS_EMAIL_INDEX_VALUE", "EMAIL#{email}"),
            ],
        },
        Shape {
            name: "key made from the address",
            table: table(&["PK", "SK"], None),
            row: json!({"PK": {"S": format!("USER#{KNOWN}")}, "SK": {"S": "PROFILE"}, "email": {"S": KNOWN}}),
            settings: vec![
                ("ACCOUNTS_KEY", "PK"),
                ("ACCOUNTS_SORT_KEY", "SK"),
                ("ACCOUNTS_KEY_VALUE", "USER#{email}"),
                ("ACCOUNTS_SORT_KEY_VALUE", "PROFILE"),
            ],
        },
        Shape {
            name: "ElectroDB",
            table: table(&["pk", "sk"], Some(&["gsi1pk", "gsi1sk"])),
            row: json!({
                "pk": {"S": "$app#userid_1"}, "sk": {"S": "$user_1"}, "gsi1pk": {"S": format!("$app#email_{KNOWN}")},
                "gsi1sk": {"S": "$user_1"}, "email": {"S": KNOWN}, "__edb_e__": {"S": "user"}
            }),
            settings: vec![
                ("ACCOUNTS_KEY", "pk"),
                ("ACCOUNTS_SORT_KEY", "sk"),
                index,
                ("ACCOUNTS_EMAIL_INDEX_KEY", "gsi1pk"),
                ("ACCOUNTS_EMAIL_INDEX_VALUE", "$app#email_{email}"),
                ("ACCOUNTS_CONDITIONS", "__edb_e__=user"),
            ],
        },
        Shape {
            name: "a separate credentials table",
            table: table(&["login"], None),
            row: json!({"login": {"S": KNOWN}, "secret": {"S": "old"}, "rotated": {"S": "2026-11-28T05:33:00.123Z"}}),
            settings: vec![
                ("ACCOUNTS_KEY", "login"),
                ("ACCOUNTS_EMAIL", "login"),
                ("ACCOUNTS_PASSWORD_HASH", "secret"),
                ("ACCOUNTS_PASSWORD_CHANGED_AT", "rotated"),
            ],
        },
    ]
}

/// The shape with this name.
pub(crate) fn shape(name: &str) -> Shape {
    shapes().into_iter().find(|shape| shape.name == name).expect("a shape")
}
