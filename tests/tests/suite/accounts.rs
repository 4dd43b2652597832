//! Resets on the tables that teams have: every shape of key, index, address, time and state that an account may have.

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use tests::tables::verifies;
use tests::{KNOWN, NO_LIMITS, OTHER_PASSWORD, PASSWORD, Request, Service, World, reset_token_in};

use crate::people::{PEOPLE, Shape, shape, shapes, tables};

type Row = HashMap<String, AttributeValue>;

/// A deployment on a table of this `shape` with these rows.
async fn world(shape: &Shape, rows: &[Value], more: &[(&str, &str)]) -> World {
    let builder = World::builder().tables(tables(&shape.table, rows));
    builder.settings(&NO_LIMITS).settings(&[PEOPLE]).settings(&shape.settings).settings(more).start().await
}

/// All rows of the table.
async fn rows(world: &World) -> Vec<Row> {
    let scan = world.dynamodb.scan().table_name("people").send().await.expect("rows");
    scan.items.unwrap_or_default()
}

/// Orders a mail for `address`, and returns the outcome in the mail function's log.
async fn outcome(world: &World, address: &str) -> String {
    let token = world.request_token(address).await;
    assert_eq!(world.validate(&token).await.status(), 204);
    let log = world.log();
    let line = log.lines().rfind(|line| line.contains("MailOutcome\":")).expect("a line");
    serde_json::from_str::<Value>(line).expect("JSON")["MailOutcome"].as_str().expect("an outcome").to_owned()
}

#[tokio::test]
async fn a_whole_reset_on_every_shape_changes_two_attributes_of_one_row() {
    for shape in shapes() {
        let world = world(&shape, std::slice::from_ref(&shape.row), &[]).await;
        let before = rows(&world).await.remove(0);
        let (token, second) = (world.reset_token(KNOWN).await, world.reset_token(KNOWN).await);
        assert_eq!(world.validate(&second).await.status(), 204, "{}", shape.name);
        assert_eq!(world.complete(&token, PASSWORD).await.status(), 204, "{}", shape.name);
        assert_eq!(world.complete(&second, PASSWORD).await.status(), 404, "superseded: {}", shape.name);
        let after = rows(&world).await;
        let [after] = &after[..] else { panic!("{}: {after:?}", shape.name) };
        let setting = |name: &str, default: &'static str| {
            shape.settings.iter().find(|(variable, _)| *variable == name).map_or(default, |(_, value)| *value)
        };
        let hash = setting("ACCOUNTS_PASSWORD_HASH", "password_hash");
        let changed_at = setting("ACCOUNTS_PASSWORD_CHANGED_AT", "password_changed_at");
        assert!(verifies(after[hash].as_s().expect("a hash"), PASSWORD), "{}", shape.name);
        let mut untouched = after.clone();
        untouched.retain(|name, _| ![hash, changed_at].contains(&name.as_str()));
        let mut expected = before.clone();
        expected.retain(|name, _| ![hash, changed_at].contains(&name.as_str()));
        assert_eq!(untouched, expected, "{}", shape.name);
        match before.get(changed_at) {
            None => assert_eq!(after[changed_at], AttributeValue::N(world.now().to_string())),
            Some(_) => {
                assert_eq!(after[changed_at], AttributeValue::S("2027-01-15T09:00:00.000Z".to_owned()));
            }
        }
        let notices =
            world.outbox.messages().into_iter().filter(|mail| mail.subject.contains("changed")).count();
        assert_eq!(notices, 1, "{}", shape.name);
    }
}

#[test]
fn the_examples_of_the_page_are_these_shapes() {
    let page = include_str!("../../../infra/ACCOUNTS.md");
    let mut walked = 0;
    for shape in shapes() {
        let Some((_, section)) = page.split_once(&format!("\n### {}\n", shape.name)) else { continue };
        let yaml =
            section.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("parameters");
        let mut given: Vec<(String, String)> = yaml.lines().filter_map(variable).collect();
        let expected = shape.settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut expected: Vec<_> =
            [("ACCOUNTS_TABLE_NAME".to_owned(), "people".to_owned())].into_iter().chain(expected).collect();
        expected.sort();
        given.sort();
        assert_eq!(given, expected, "{}", shape.name);
        walked += 1;
    }
    assert_eq!(walked, 7);
}

/// The variable of a line of a parameters file. None for the parameter that sets no variable.
fn variable(line: &str) -> Option<(String, String)> {
    let (parameter, value) = line.split_once(": ").expect("a parameter");
    let value = value.split("  #").next().unwrap_or_default().trim().trim_matches('"');
    let mut name = String::new();
    for letter in parameter.chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    (name != "ACCOUNTS_CONDITION_ATTRIBUTES").then(|| (name, value.to_owned()))
}

#[tokio::test]
async fn the_event_and_the_token_carry_the_whole_key() {
    let shape = shape("binary id, number sort key and an index with a sort key");
    let world = world(&shape, std::slice::from_ref(&shape.row), &[]).await;
    let token = world.reset_token(KNOWN).await;
    let (id, version) = (AttributeValue::B(Blob::new([0, 1, 2])), AttributeValue::N("3".to_owned()));
    let check = |rows: std::collections::BTreeMap<String, Row>, prefix: &str| {
        let found =
            rows.into_iter().filter(|(key, row)| key.starts_with(prefix) && row.contains_key("account"));
        let found: Vec<Row> = found.map(|(_, row)| row).collect();
        assert_eq!(found.len(), 1, "{prefix}");
        assert_eq!((&found[0]["account"], &found[0]["account_sort"]), (&id, &version), "{prefix}");
    };
    check(world.token_rows().await, "reset#");
    assert_eq!(world.complete(&token, PASSWORD).await.status(), 204);
    check(world.token_rows().await, "order#");
}

#[tokio::test]
async fn another_row_with_the_address_keeps_no_mail_back() {
    let base = shape("single table with GSI1");
    let row = |sort: &str, changes: Value| {
        let mut row = base.row.clone();
        row["SK"] = json!({"S": sort});
        row.as_object_mut().expect("a row").extend(changes.as_object().expect("changes").clone());
        row
    };
    let account = row("USER#1", json!({"type": {"S": "User"}, "status": {"S": "active"}}));
    let conditions = "type=User,status!=banned,!deleted_at,confirmed_at";
    let account_confirmed = {
        let mut account = account.clone();
        account["confirmed_at"] = json!({"N": "1700000000"});
        account
    };
    for (name, other) in [
        ("a pending sign-up", row("USER#2", json!({"type": {"S": "User"}, "status": {"S": "pending"}}))),
        ("a lock of the address", row("LOCK", json!({"type": {"S": "Lock"}}))),
        (
            "a deleted user",
            row(
                "USER#3",
                json!({"type": {"S": "User"}, "confirmed_at": {"N": "1"}, "deleted_at": {"S": "2026-01-01"}}),
            ),
        ),
        ("another entity without an address", {
            let mut other = row("ORDER#1", json!({"type": {"S": "User"}, "confirmed_at": {"N": "1"}}));
            other.as_object_mut().expect("a row").remove("email");
            other
        }),
        ("somebody else under the same index key", {
            let mut other = row("USER#4", json!({"type": {"S": "User"}, "confirmed_at": {"N": "1"}}));
            other["email"] = json!({"S": "other@example.com"});
            other
        }),
    ] {
        for rows in [[account_confirmed.clone(), other.clone()], [other.clone(), account_confirmed.clone()]] {
            let world = world(&base, &rows, &[("ACCOUNTS_CONDITIONS", conditions)]).await;
            assert_eq!(outcome(&world, KNOWN).await, "sent", "{name}");
            let token = reset_token_in(&world.last_mail());
            assert_eq!(world.complete(&token, PASSWORD).await.status(), 204, "{name}");
        }
    }
}

#[tokio::test]
async fn exactly_one_row_must_count() {
    let base = shape("single table with GSI1");
    let numbered = |number: usize| {
        let mut row = base.row.clone();
        row["SK"] = json!({"S": format!("USER#{number:03}")});
        row["status"] = json!({"S": if number == 7 { "active" } else { "pending" }});
        row
    };
    let rows: Vec<Value> = (0..50).map(numbered).collect();
    let conditions = [("ACCOUNTS_CONDITIONS", "status=active")];
    assert_eq!(outcome(&world(&base, &rows, &conditions).await, KNOWN).await, "sent", "one of fifty");
    assert_eq!(outcome(&world(&base, &rows[..2], &[]).await, KNOWN).await, "ambiguous");
    assert_eq!(outcome(&world(&base, &rows[..2], &conditions).await, KNOWN).await, "conditions_not_met");
    assert_eq!(outcome(&world(&base, &[], &[]).await, KNOWN).await, "no_account");
    let more: Vec<Value> = (0..51).map(numbered).collect();
    assert_eq!(
        outcome(&world(&base, &more, &conditions).await, KNOWN).await,
        "ambiguous",
        "more than are read"
    );
}

#[tokio::test]
async fn conditions_hold_until_the_password_is_set() {
    let conditions = [("ACCOUNTS_CONDITIONS", "status=active,!deleted_at")];
    let world = World::builder().settings(&conditions).faulty(Service::DynamoDb).start().await;
    let text = |value: &str| AttributeValue::S(value.to_owned());
    assert_eq!(outcome(&world, KNOWN).await, "conditions_not_met");
    for (name, met, unmet) in [
        ("status", Some(text("active")), Some(text("banned"))),
        ("status", Some(text("active")), None),
        ("deleted_at", None, Some(text("2026-11-28"))),
        ("deleted_at", Some(AttributeValue::Null(true)), Some(AttributeValue::N("1".to_owned()))),
    ] {
        let set = |value: &Option<AttributeValue>| world.set_attribute(KNOWN, name, value.clone());
        world.set_attribute(KNOWN, "status", text("active")).await;
        set(&met).await;
        world.advance(61);
        let token = world.reset_token(KNOWN).await;
        set(&unmet).await;
        assert_eq!(world.validate(&token).await.status(), 404, "{name} {unmet:?}");
        assert_eq!(world.complete(&token, PASSWORD).await.status(), 404, "{name} {unmet:?}");
        set(&met).await;
        assert_eq!(world.complete_while(&token, set(&unmet)).await.status(), 404, "{name} {unmet:?}");
        set(&met).await;
        assert_eq!(world.complete(&token, PASSWORD).await.status(), 204, "{name} {met:?}");
        world.set_attribute(KNOWN, "deleted_at", None).await;
        world.advance(3_600);
    }
}

#[tokio::test]
async fn an_account_is_found_in_lower_case_else_as_typed() {
    const TYPED: &str = "Ann.Smith@Example.COM";
    for (name, index_value) in [("id and index", "{email}"), ("single table with GSI1", "EMAIL#{email}")] {
        let shape = shape(name);
        let stored = |spelling: &str| {
            let mut row = shape.row.clone();
            row["email"] = json!({"S": spelling});
            if name != "id and index" {
                row["GSI1PK"] = json!({"S": index_value.replace("{email}", spelling)});
            }
            row
        };
        for (spelling, typed, expected) in [
            (TYPED, TYPED, "sent"),
            (TYPED, "ann.smith@example.com", "no_account"),
            ("ann.smith@example.com", TYPED, "sent"),
            ("ann.smith@example.com", "ANN.SMITH@EXAMPLE.COM", "sent"),
        ] {
            let world = world(&shape, &[stored(spelling)], &[]).await;
            assert_eq!(outcome(&world, typed).await, expected, "{name}: {spelling} asked for as {typed}");
            if expected == "sent" {
                let mail = world.last_mail();
                assert_eq!(mail.to, spelling, "as stored");
                assert_eq!(world.complete(&reset_token_in(&mail), PASSWORD).await.status(), 204);
            }
        }
    }
    // The key is in lower case, the address is stored as typed.
    let shape = shape("key made from the address");
    let mut row = shape.row.clone();
    row["PK"] = json!({"S": "USER#ann.smith@example.com"});
    row["email"] = json!({"S": TYPED});
    let world = world(&shape, &[row], &[]).await;
    assert_eq!(outcome(&world, "ann.smith@example.com").await, "sent");
    assert_eq!(world.last_mail().to, TYPED);
    // Unleash's call keeps what was typed, too.
    let plain = Shape { settings: vec![], ..self::shape("plain") };
    let mut row = plain.row.clone();
    row["email"] = json!({"S": TYPED});
    let world = self::world(&plain, &[row], &[]).await;
    let mail = Request::post("/auth/reset/password-email", &json!({"email": TYPED}));
    assert_eq!(world.send(mail).await.status(), 200);
    assert_eq!(world.last_mail().to, TYPED);
}

#[tokio::test]
async fn a_domain_that_is_stored_in_its_own_letters_is_found_as_typed() {
    const STORED: &str = "Info@bücher.example";
    const PUNYCODE: &str = "info@xn--bcher-kva.example";
    for name in ["plain", "id and index", "single table with GSI1", "key made from the address"] {
        let shape = shape(name);
        let stored = |spelling: &str| -> Value {
            serde_json::from_str(&shape.row.to_string().replace(KNOWN, spelling)).expect("a row")
        };
        for (spelling, typed, expected) in [
            (STORED, STORED, "sent"),
            (STORED, PUNYCODE, "no_account"),
            (STORED, "info@bücher.example", "no_account"),
            (PUNYCODE, STORED, "sent"),
            (PUNYCODE, "INFO@BÜCHER.example", "sent"),
        ] {
            let world = world(&shape, &[stored(spelling)], &[]).await;
            assert_eq!(outcome(&world, typed).await, expected, "{name}: {spelling} asked for as {typed}");
            if expected != "sent" {
                continue;
            }
            // SES takes domains in Punycode only.
            let to = if spelling == STORED { "Info@xn--bcher-kva.example" } else { PUNYCODE };
            let mail = world.last_mail();
            assert_eq!(mail.to, to, "{name}");
            assert_eq!(world.complete(&reset_token_in(&mail), PASSWORD).await.status(), 204, "{name}");
            let notice = world.last_mail();
            assert_eq!((&*notice.to, notice.subject.contains("changed")), (to, true), "{name}");
        }
    }
}

#[tokio::test]
async fn a_wrong_mapping_says_what_is_wrong_and_no_value() {
    let shape = shape("PK/SK and index");
    for (settings, problem) in [
        (
            vec![("ACCOUNTS_KEY", "PK"), ("ACCOUNTS_KEY_VALUE", "USER#{email}")],
            "The provided key element does not match the schema",
        ),
        (
            vec![("ACCOUNTS_KEY", "PK"), ("ACCOUNTS_SORT_KEY", "SK"), ("ACCOUNTS_EMAIL_INDEX", "no-such")],
            "index",
        ),
    ] {
        let shape = Shape { settings, ..self::shape(shape.name) };
        let world = world(&shape, std::slice::from_ref(&shape.row), &[]).await;
        let token = world.request_token(KNOWN).await;
        let asked = Request::get("/organizations/complete-password/").query("token", &token);
        assert_eq!(world.send_only(asked).await.status(), 204);
        assert!(!world.settle().await, "it waits until somebody mends the mapping");
        assert!(world.log().contains(problem), "{}", world.log());
    }
}

#[tokio::test]
async fn a_trusted_caller_is_told_that_no_account_counts() {
    let key = "back-end:validate:b8bb4c2e10165728f055f99593a0239b4dc54483a9e4ead3a457059ccaabae25";
    let world = World::with(&[("API_KEYS", key), ("ACCOUNTS_CONDITIONS", "!deleted_at")]).await;
    let ask = async || {
        let token = world.request_token(KNOWN).await;
        let asked = Request::get("/organizations/complete-password/").query("token", &token);
        world.send(asked.header("authorization", "key-of-a-backend")).await.status()
    };
    assert_eq!(ask().await, 204);
    world.set_attribute(KNOWN, "deleted_at", AttributeValue::N("1".to_owned())).await;
    assert_eq!(ask().await, 404);
}

#[tokio::test]
async fn with_bcrypt_a_login_that_verifies_bcrypt_takes_the_new_password() {
    let world =
        World::with(&[("PASSWORD_HASH", "bcrypt"), ("BCRYPT_COST", "10"), ("LIMIT_MAIL_PER_ADDRESS", "0")])
            .await;
    let token = world.reset_token(KNOWN).await;
    for (password, code) in [
        (
            "a quiet lamp, a post, a sofa and an unread newspaper on the window sill!!",
            "password_too_many_bytes",
        ),
        ("a quiet lamp, a p\u{0}ost", "password_contains_nul"),
    ] {
        let refused = world.complete(&token, password).await;
        assert_eq!((refused.status(), &refused.json()["errors"][0]["code"]), (422, &json!(code)));
    }
    assert_eq!(world.complete(&token, OTHER_PASSWORD).await.status(), 204);
    let hash = world.account(KNOWN).await["password_hash"].as_s().expect("a hash").clone();
    assert!(hash.starts_with("$2b$10$") && bcrypt::verify(OTHER_PASSWORD, &hash).expect("a hash"), "{hash}");
}
