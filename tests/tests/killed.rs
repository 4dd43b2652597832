//! The functions' processes are killed under load, at random moments of their calls: before, during and after the answer. Afterwards
//! every account has the password of its last acknowledged completion, or of one that nobody acknowledged; every mailed
//! token that was not spent or superseded still works; and every order has its mail, with at most one more for each kill of the mail
//! function.

#![recursion_limit = "256"]

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use aws_sdk_dynamodb::types::AttributeValue;
use fastrand::Rng;
use futures::future::join_all;
use local::dynamodb::{ACCOUNTS_TABLE, TOKENS_TABLE};
use serde_json::json;
use shared::http::routes::FunctionName;
use shared::token::Digest;
use tests::fleet::Fleet;
use tests::tables::{hash_of, verifies};
use tests::world::completion;
use tests::{Answer, Request, reset_token_in};

const KILLS: u32 = 300;
const MAIL_KILLS: usize = 30;
const ACCOUNTS: usize = 12;
const ENVIRONMENTS: usize = 6;

/// What happened so far.
#[derive(Debug, Default)]
struct Seen {
    kills: AtomicU32,
    /// Of *reset*, *validate* and *complete*: calls whose process died before it answered.
    unanswered: [AtomicU32; 3],
    /// Completions that were done and whose process died before it said so.
    done_and_unanswered: AtomicU32,
    /// Calls that a busy machine answered 503.
    unavailable: AtomicU32,
}

fn one_more(counter: &AtomicU32) {
    counter.fetch_add(1, Ordering::Relaxed);
}

fn count(counter: &AtomicU32) -> u32 {
    counter.load(Ordering::Relaxed)
}

/// A person who resets a password over and over.
struct Person<'a> {
    fleet: &'a Fleet,
    seen: &'a Seen,
    address: String,
    random: Rng,
    /// Tokens from mails, oldest first, that may still work.
    tokens: Vec<String>,
    mails_seen: usize,
    acknowledged: Option<String>,
    /// Tokens and passwords of completions since then that died with their process.
    doubtful: Vec<(String, String)>,
    completions: u32,
}

impl Person<'_> {
    /// Calls, and in half of the cases has the process killed. A 503 says that nothing is known, like no answer at all.
    async fn call(&mut self, function: FunctionName, request: &Request) -> Option<Answer> {
        let pool = self.fleet.pool(function);
        let answer = if self.random.bool() {
            Some(pool.call(request).await)
        } else {
            let answer = pool.call_and_kill(request, self.random.f64() * 1.5).await;
            one_more(&self.seen.kills);
            if answer.is_none() {
                one_more(&self.seen.unanswered[function as usize]);
            }
            answer
        };
        if answer.as_ref().is_some_and(|answer| answer.status() == 503) {
            one_more(&self.seen.unavailable);
            return None;
        }
        answer
    }

    async fn live(&mut self) {
        while count(&self.seen.kills) < KILLS {
            self.have_a_mail_sent().await;
            if self.random.u8(0..3) > 0 && !self.tokens.is_empty() {
                self.complete().await;
            }
        }
        // Whoever was interrupted tries once more, so that there is something left to check.
        self.have_a_mail_sent().await;
    }

    async fn have_a_mail_sent(&mut self) {
        let open = Request::post("/organizations/reset-password/", &json!({"email": self.address}));
        let Some(opened) = self.call(FunctionName::Reset, &open).await else { return };
        assert_eq!(opened.status(), 200, "{opened:?}");
        let token = opened.json()["reset_token"].as_str().expect("a token").to_owned();
        let ask = Request::get("/organizations/complete-password/").query("token", &token);
        // A second try finds the mail ordered, and brings no second one.
        for _ in 0..2 {
            let Some(asked) = self.call(FunctionName::Validate, &ask).await else { continue };
            assert_eq!(asked.status(), 204, "{asked:?}");
            break;
        }
        self.read_mails().await;
    }

    /// Takes the tokens of new mails, for which it waits a moment: a mail may be late.
    async fn read_mails(&mut self) {
        for _ in 0..20 {
            let fresh = self.mailed().split_off(self.mails_seen);
            if !fresh.is_empty() {
                self.mails_seen += fresh.len();
                self.tokens.extend(fresh);
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// All tokens that were ever mailed to this person, oldest first.
    fn mailed(&self) -> Vec<String> {
        let mails = self.fleet.outbox.messages();
        let mine = mails.iter().rev().filter(|mail| mail.to == self.address && mail.text.contains("#token="));
        mine.map(reset_token_in).collect()
    }

    async fn complete(&mut self) {
        let token = self.random.choice(self.tokens.clone()).expect("a token");
        self.completions += 1;
        let password = format!("walrus number {} of {}", self.completions, self.address);
        match self.call(FunctionName::Complete, &completion(&token, &password)).await {
            None => {
                if stored(self.fleet, &token).await.is_none() {
                    one_more(&self.seen.done_and_unanswered);
                }
                self.doubtful.push((token, password));
            }
            Some(answer) if answer.status() == 204 => {
                self.tokens.clear();
                self.doubtful.clear();
                self.acknowledged = Some(password);
            }
            Some(answer) => {
                assert_eq!(answer.status(), 404, "{answer:?}");
                assert!(!is_live(self.fleet, &self.address, &token).await, "a live token was refused");
                self.tokens.retain(|known| *known != token);
            }
        }
        self.has_a_password_that_was_asked_for().await;
    }

    /// The hash is that of the acknowledged password, or of a doubtful one whose token is spent. A spent token has set its password.
    async fn has_a_password_that_was_asked_for(&self) {
        let spent_before = self.doubtful_and_spent().await;
        let account = row(self.fleet, ACCOUNTS_TABLE, "email", &self.address).await.expect("an account");
        let spent_after = self.doubtful_and_spent().await;
        let has = |password: &String| hash_of(&account).is_some_and(|hash| verifies(&hash, password));
        let what = || format!("{} {:?} {:?} {account:?}", self.address, self.acknowledged, self.doubtful);
        if let Some((token, _)) = self.doubtful.iter().find(|(_, password)| has(password)) {
            assert!(spent_after.contains(token), "a password was set and its token not spent: {}", what());
        } else {
            assert_eq!(hash_of(&account).is_some(), self.acknowledged.is_some(), "{}", what());
            assert!(self.acknowledged.iter().all(has), "an acknowledged password is gone: {}", what());
            assert!(spent_before.is_empty(), "a token is spent and no password set: {}", what());
        }
    }

    async fn doubtful_and_spent(&self) -> Vec<String> {
        let mut spent = Vec::new();
        for (token, _) in &self.doubtful {
            if stored(self.fleet, token).await.is_none() {
                spent.push(token.clone());
            }
        }
        spent
    }
}

/// Plays the stream until `is_over` and it is empty.
async fn play(fleet: &Fleet, is_over: &AtomicBool) {
    loop {
        let ending = is_over.load(Ordering::Relaxed);
        match fleet.play(None).await {
            None if ending => return,
            Some(true) => {}
            None | Some(false) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

/// Every order has its mail or, where `may_be_superseded`, was ended by a change of password; and how many mails came that no order
/// accounts for.
async fn one_mail_for_each_order(fleet: &Fleet, log: &str, may_be_superseded: bool) -> usize {
    let rows = fleet.dynamodb.scan().table_name(TOKENS_TABLE).into_paginator().items().send();
    let rows: Vec<Row> = rows.collect::<Result<_, _>>().await.expect("rows");
    let mut sent = 0;
    for row in rows {
        let Some(order) = row["pk"].as_s().expect("a key").strip_prefix("order#") else { continue };
        let lines = || log.lines().filter(|line| line.contains(&format!("\"Order\":\"{order}\"")));
        let is_sent = row.get("outcome") == Some(&AttributeValue::S("sent".to_owned()));
        let nobody = may_be_superseded && lines().any(|line| line.contains("\"MailOutcome\":\"no_account\""));
        assert!(is_sent || nobody, "{row:?}: {:?}", lines().collect::<Vec<_>>());
        assert!(
            is_sent || row["kind"] == AttributeValue::S("reset".to_owned()),
            "a notice was lost: {row:?}"
        );
        sent += usize::from(is_sent);
    }
    fleet.outbox.messages().len() - sent
}

type Row = std::collections::HashMap<String, AttributeValue>;

async fn row(fleet: &Fleet, table: &str, key: &str, value: &str) -> Option<Row> {
    let get = fleet.dynamodb.get_item().table_name(table).key(key, AttributeValue::S(value.to_owned()));
    get.consistent_read(true).send().await.expect("a read").item
}

async fn stored(fleet: &Fleet, token: &str) -> Option<Row> {
    row(fleet, TOKENS_TABLE, "pk", &format!("reset#{}", Digest::of(token).as_str())).await
}

/// By the tables: stored, and issued after the last change.
async fn is_live(fleet: &Fleet, address: &str, token: &str) -> bool {
    let number = |row: &Row, name: &str| Some(row.get(name)?.as_n().ok()?.parse::<u64>().expect("a number"));
    let Some(stored) = stored(fleet, token).await else { return false };
    let account = row(fleet, ACCOUNTS_TABLE, "email", address).await.expect("an account");
    stored.get("changed_at") == account.get("password_changed_at")
        && number(&stored, "issued_at") > number(&account, "password_changed_at")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_hundred_kills_lose_no_password_and_no_token() {
    let fleet = Fleet::start(ENVIRONMENTS).await;
    let seen = Seen::default();
    let mut people = Vec::new();
    for number in 0..ACCOUNTS {
        let address = format!("person{number}@example.com");
        let put = fleet.dynamodb.put_item().table_name(ACCOUNTS_TABLE);
        put.item("email", AttributeValue::S(address.clone())).send().await.expect("a write");
        people.push(Person {
            fleet: &fleet,
            seen: &seen,
            address,
            random: Rng::with_seed(number as u64),
            tokens: Vec::new(),
            mails_seen: 0,
            acknowledged: None,
            doubtful: Vec::new(),
            completions: 0,
        });
    }
    let is_over = AtomicBool::new(false);
    let live = async {
        join_all(people.iter_mut().map(Person::live)).await;
        is_over.store(true, Ordering::Relaxed);
    };
    tokio::join!(live, play(&fleet, &is_over));

    let (mut mails, mut still_worked, mut completions, mut acknowledged) = (0, 0, 0, 0);
    for person in &people {
        person.has_a_password_that_was_asked_for().await;
        let mut live = Vec::new();
        for token in person.mailed() {
            let expected = if is_live(&fleet, &person.address, &token).await { 204 } else { 404 };
            let look = Request::get("/organizations/complete-password/").query("token", &token);
            assert_eq!(fleet.validate.call(&look).await.status(), expected, "{}", person.address);
            live.extend((expected == 204).then_some(token));
        }
        // The first of them completes, which ends the others.
        for (index, token) in live.iter().enumerate() {
            let last = completion(token, "the end of the walrus");
            let expected = if index == 0 { 204 } else { 404 };
            assert_eq!(fleet.complete.call(&last).await.status(), expected, "{}", person.address);
        }
        mails += person.mailed().len();
        still_worked += live.len();
        completions += person.completions;
        acknowledged += u32::from(person.acknowledged.is_some());
    }
    drop(people);
    play(&fleet, &is_over).await;
    let log = fleet.log().await;
    assert_eq!(one_mail_for_each_order(&fleet, &log, true).await, 0, "and no second one");
    let (lines, evidence) = fleet.end().await;
    let log = lines.join("\n");
    assert!(log.contains("\"Outcome\":\"password_set\""), "{log:.400}");
    assert!(evidence.in_log(&log).is_empty(), "the log holds {:?}", evidence.in_log(&log));
    println!(
        "{seen:?}; {completions} completions tried, of {acknowledged} people one acknowledged; {mails} mails with a token, of which \
         {still_worked} still worked at the end"
    );
    // The kills hit what they are for.
    assert!(seen.unanswered.iter().all(|unanswered| count(unanswered) >= 10), "{seen:?}");
    assert!(count(&seen.done_and_unanswered) >= 3 && still_worked > 0 && acknowledged > 0, "{seen:?}");
    assert!(count(&seen.unavailable) < KILLS / 10, "{seen:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_10_thirty_kills_of_the_mail_function_lose_no_mail() {
    let fleet = Fleet::start(1).await;
    let mut random = Rng::with_seed(1);
    for number in 0..40 {
        let address = format!("person{number}@example.com");
        let put = fleet.dynamodb.put_item().table_name(ACCOUNTS_TABLE);
        put.item("email", AttributeValue::S(address.clone())).send().await.expect("a write");
        let mail = Request::post("/auth/reset/password-email", &json!({"email": address}));
        assert_eq!(fleet.validate.call(&mail).await.status(), 200);
    }
    // The first batch lives: the others are killed by its time.
    assert_eq!(fleet.play(None).await, Some(true));
    let first = fleet.outbox.messages();
    for mail in &first {
        let set = completion(&reset_token_in(mail), &format!("a walrus of {}", mail.to));
        assert_eq!(fleet.complete.call(&set).await.status(), 204);
    }
    let (mut kills, started) = (0, Instant::now());
    loop {
        let kill_after = (kills < MAIL_KILLS).then(|| random.f64());
        kills += usize::from(kill_after.is_some());
        if fleet.play(kill_after).await.is_none() {
            break;
        }
        assert!(started.elapsed() < Duration::from_mins(4), "the stream does not come to its end");
    }
    let log = fleet.log().await;
    let twice = one_mail_for_each_order(&fleet, &log, false).await;
    println!(
        "{kills} kills, {twice} mails twice, {} mails, {:?}",
        fleet.outbox.messages().len(),
        started.elapsed()
    );
    assert_eq!(kills, MAIL_KILLS, "there was something to kill to the end");
    assert!(twice <= kills, "at most one more mail for each kill");
    let (lines, evidence) = fleet.end().await;
    assert!(evidence.in_log(&lines.join("\n")).is_empty());
}
