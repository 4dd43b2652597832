//! Kills the functions' processes under load, at random moments: before, during and after the answer. Afterwards every account has
//! the password of its last acknowledged completion, or of an unacknowledged one; every mailed token that was not used or superseded
//! still works; and every order has its mail, with at most one extra for each kill of the mail function.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;
use tests::contract::FunctionName;

use tokio::time::Instant;

use aws_sdk_dynamodb::types::AttributeValue;
use fastrand::Rng;
use futures::future::join_all;
use local::dynamodb::{ACCOUNTS_TABLE, TOKENS_TABLE};
use serde_json::json;
use shared::token::Digest;
use tests::fleet::Fleet;
use tests::size;
use tests::tables::{hash_of, verifies};
use tests::world::completion;
use tests::{Answer, Request, reset_token_in};

const ACCOUNTS: usize = 12;
const ENVIRONMENTS: usize = 6;

/// Counts of what happened.
#[derive(Debug, Default)]
struct Counts {
    /// How many kills there should be.
    wanted: u32,
    kills: AtomicU32,
    /// Calls of *reset*, *validate* and *complete* whose process died before it answered.
    unanswered: [AtomicU32; 3],
    /// Completions that were done, but whose process died before it answered.
    done_and_unanswered: AtomicU32,
    /// Calls that were answered 503 because the machine was busy.
    unavailable: AtomicU32,
}

impl Counts {
    /// Whether there were enough kills, in every function and in completions between write and answer. When a kill hits depends on the
    /// machine, so there may be up to four times as many.
    fn suffice(&self) -> bool {
        let kills = count(&self.kills);
        let hit = self.unanswered.iter().all(|unanswered| count(unanswered) >= self.wanted / 30)
            && count(&self.done_and_unanswered) >= self.wanted / 100;
        kills >= self.wanted && (hit || kills >= 4 * self.wanted)
    }
}

fn increment(counter: &AtomicU32) {
    counter.fetch_add(1, Ordering::Relaxed);
}

fn count(counter: &AtomicU32) -> u32 {
    counter.load(Ordering::Relaxed)
}

/// A person who resets their password repeatedly.
struct Person<'a> {
    fleet: &'a Fleet,
    counts: &'a Counts,
    address: String,
    random: Rng,
    /// Mailed tokens that may still work, oldest first.
    tokens: Vec<String>,
    mails_read: usize,
    acknowledged: Option<String>,
    /// Tokens and passwords of later completions that got no answer.
    unacknowledged: Vec<(String, String)>,
    completions: u32,
}

impl Person<'_> {
    /// Sends `request`, and kills the process half of the time. A 503 leaves the outcome unknown, like a missing answer.
    async fn call(&mut self, function: FunctionName, request: &Request) -> Option<Answer> {
        let pool = self.fleet.pool(function);
        let answer = if self.random.bool() {
            Some(pool.call(request).await)
        } else {
            let answer = pool.call_and_kill(request, self.random.f64() * 1.5).await;
            increment(&self.counts.kills);
            if answer.is_none() {
                increment(&self.counts.unanswered[function as usize]);
            }
            answer
        };
        if answer.as_ref().is_some_and(|answer| answer.status() == 503) {
            increment(&self.counts.unavailable);
            return None;
        }
        answer
    }

    async fn run(&mut self) {
        while !self.counts.suffice() {
            self.request_mail().await;
            if self.random.u8(0..3) > 0 && !self.tokens.is_empty() {
                self.complete().await;
            }
        }
        // So that there are live tokens to check at the end.
        self.request_mail().await;
    }

    async fn request_mail(&mut self) {
        let open = Request::post("/organizations/reset-password/", &json!({"email": self.address}));
        let Some(opened) = self.call(FunctionName::Reset, &open).await else { return };
        assert_eq!(opened.status(), 200, "{opened:?}");
        let token = opened.json()["reset_token"].as_str().expect("a token").to_owned();
        let ask = Request::get("/organizations/complete-password/").query("token", &token);
        // If the mail is already ordered, a second attempt orders no other.
        for _ in 0..2 {
            let Some(asked) = self.call(FunctionName::Validate, &ask).await else { continue };
            assert_eq!(asked.status(), 204, "{asked:?}");
            break;
        }
        self.read_mails().await;
    }

    /// Waits briefly for new mails, and takes their tokens.
    async fn read_mails(&mut self) {
        for _ in 0..20 {
            let fresh = self.mailed().split_off(self.mails_read);
            if !fresh.is_empty() {
                self.mails_read += fresh.len();
                self.tokens.extend(fresh);
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// All tokens that were mailed to this person, oldest first.
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
                    increment(&self.counts.done_and_unanswered);
                }
                self.unacknowledged.push((token, password));
            }
            Some(answer) if answer.status() == 204 => {
                self.tokens.clear();
                self.unacknowledged.clear();
                self.acknowledged = Some(password);
            }
            Some(answer) => {
                assert_eq!(answer.status(), 404, "{answer:?}");
                assert!(!is_live(self.fleet, &self.address, &token).await, "a live token was refused");
                self.tokens.retain(|known| *known != token);
            }
        }
        self.check_password().await;
    }

    /// Asserts that the hash is that of the acknowledged password, or of an unacknowledged one whose token is used, and that a used token
    /// has set its password.
    async fn check_password(&self) {
        let used_before = self.unacknowledged_and_used().await;
        let account = row(self.fleet, ACCOUNTS_TABLE, "email", &self.address).await.expect("an account");
        let used_after = self.unacknowledged_and_used().await;
        let has = |password: &String| hash_of(&account).is_some_and(|hash| verifies(&hash, password));
        let what =
            || format!("{} {:?} {:?} {account:?}", self.address, self.acknowledged, self.unacknowledged);
        if let Some((token, _)) = self.unacknowledged.iter().find(|(_, password)| has(password)) {
            assert!(used_after.contains(token), "a password was set, but its token is not used: {}", what());
        } else {
            assert_eq!(hash_of(&account).is_some(), self.acknowledged.is_some(), "{}", what());
            assert!(self.acknowledged.iter().all(has), "an acknowledged password is lost: {}", what());
            assert!(used_before.is_empty(), "a token is used, but its password is not set: {}", what());
        }
    }

    async fn unacknowledged_and_used(&self) -> Vec<String> {
        let mut used = Vec::new();
        for (token, _) in &self.unacknowledged {
            if stored(self.fleet, token).await.is_none() {
                used.push(token.clone());
            }
        }
        used
    }
}

/// Delivers the stream until it is empty and `is_over` is set.
async fn deliver_stream(fleet: &Fleet, is_over: &AtomicBool) {
    loop {
        let ending = is_over.load(Ordering::Relaxed);
        match fleet.deliver_next_batch(None).await {
            None if ending => return,
            Some(true) => {}
            None | Some(false) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

/// Asserts that every order was sent or, if `may_be_superseded`, dropped because the password changed. Returns the number of surplus
/// mails.
async fn check_orders(fleet: &Fleet, log: &str, may_be_superseded: bool) -> usize {
    let rows = fleet.dynamodb.scan().table_name(TOKENS_TABLE).into_paginator().items().send();
    let rows: Vec<Row> = rows.collect::<Result<_, _>>().await.expect("rows");
    let mut sent = 0;
    for row in rows {
        let Some(order) = row["pk"].as_s().expect("a key").strip_prefix("order#") else { continue };
        let lines = || log.lines().filter(|line| line.contains(&format!("\"Order\":\"{order}\"")));
        let is_sent = row.get("outcome") == Some(&AttributeValue::S("sent".to_owned()));
        let is_dropped =
            may_be_superseded && lines().any(|line| line.contains("\"MailOutcome\":\"no_account\""));
        assert!(is_sent || is_dropped, "{row:?}: {:?}", lines().collect::<Vec<_>>());
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

/// Whether the tables say that `token` is live: stored, and issued after the last change.
async fn is_live(fleet: &Fleet, address: &str, token: &str) -> bool {
    let number = |row: &Row, name: &str| Some(row.get(name)?.as_n().ok()?.parse::<u64>().expect("a number"));
    let Some(stored) = stored(fleet, token).await else { return false };
    let account = row(fleet, ACCOUNTS_TABLE, "email", address).await.expect("an account");
    stored.get("changed_at") == account.get("password_changed_at")
        && number(&stored, "issued_at") > number(&account, "password_changed_at")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_lose_no_password_token_or_mail() {
    let wanted = u32::try_from(size::count("kills of the functions", 50, 300)).expect("a number");
    let fleet = Fleet::start(ENVIRONMENTS).await;
    let counts = Counts { wanted, ..Counts::default() };
    let mut people = Vec::new();
    for number in 0..ACCOUNTS {
        let address = format!("person{number}@example.com");
        let put = fleet.dynamodb.put_item().table_name(ACCOUNTS_TABLE);
        put.item("email", AttributeValue::S(address.clone())).send().await.expect("a write");
        people.push(Person {
            fleet: &fleet,
            counts: &counts,
            address,
            random: Rng::with_seed(number as u64),
            tokens: Vec::new(),
            mails_read: 0,
            acknowledged: None,
            unacknowledged: Vec::new(),
            completions: 0,
        });
    }
    let is_over = AtomicBool::new(false);
    let run = async {
        join_all(people.iter_mut().map(Person::run)).await;
        is_over.store(true, Ordering::Relaxed);
    };
    tokio::join!(run, deliver_stream(&fleet, &is_over));

    let (mut mails, mut live_at_end, mut completions, mut acknowledged) = (0, 0, 0, 0);
    for person in &people {
        person.check_password().await;
        let mut live = Vec::new();
        for token in person.mailed() {
            let expected = if is_live(&fleet, &person.address, &token).await { 204 } else { 404 };
            let check = Request::get("/organizations/complete-password/").query("token", &token);
            assert_eq!(fleet.validate.call(&check).await.status(), expected, "{}", person.address);
            live.extend((expected == 204).then_some(token));
        }
        // The first completion supersedes the other tokens.
        for (index, token) in live.iter().enumerate() {
            let last = completion(token, "the end of the walrus");
            let expected = if index == 0 { 204 } else { 404 };
            assert_eq!(fleet.complete.call(&last).await.status(), expected, "{}", person.address);
        }
        mails += person.mailed().len();
        live_at_end += live.len();
        completions += person.completions;
        acknowledged += u32::from(person.acknowledged.is_some());
    }
    drop(people);
    deliver_stream(&fleet, &is_over).await;
    let log = fleet.log().await;
    assert_eq!(check_orders(&fleet, &log, true).await, 0, "no surplus mail");
    let (lines, leaks) = fleet.end().await;
    let log = lines.join("\n");
    assert!(log.contains("\"Outcome\":\"password_set\""), "{log:.400}");
    assert!(leaks.find_in_log(&log).is_empty(), "the log holds {:?}", leaks.find_in_log(&log));
    println!(
        "{counts:?}; {completions} completions attempted, at least one acknowledged for {acknowledged} people; {mails} mails with a \
         token, of which {live_at_end} were live at the end"
    );
    let kills = count(&counts.kills);
    assert!(kills < 4 * wanted && live_at_end > 0 && acknowledged > 0, "{counts:?}");
    assert!(count(&counts.unavailable) < kills / 10, "{counts:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_10_kills_of_the_mail_function_lose_no_mail() {
    let wanted = size::count("kills of the mail function", 6, 30);
    let fleet = Fleet::start(1).await;
    let mut random = Rng::with_seed(1);
    let order = async |number: usize| {
        let address = format!("person{number}@example.com");
        let put = fleet.dynamodb.put_item().table_name(ACCOUNTS_TABLE);
        put.item("email", AttributeValue::S(address.clone())).send().await.expect("a write");
        let mail = Request::post("/auth/reset/password-email", &json!({"email": address}));
        assert_eq!(fleet.validate.call(&mail).await.status(), 200);
    };
    for number in 0..40 {
        order(number).await;
    }
    // The first batch is not killed: it determines the usual duration.
    assert_eq!(fleet.deliver_next_batch(None).await, Some(true));
    let first = fleet.outbox.messages();
    for mail in &first {
        let set = completion(&reset_token_in(mail), &format!("a walrus of {}", mail.to));
        assert_eq!(fleet.complete.call(&set).await.status(), 204);
    }
    let (mut kills, mut orders, started) = (0, 40, Instant::now());
    let mut is_slow = false;
    loop {
        // A kill after the answer is none: then the usual duration is out of date, and the next call measures it.
        let kill_after = (kills < wanted && !is_slow).then(|| random.f64());
        match fleet.deliver_next_batch(kill_after).await {
            None if kills == wanted => break,
            None => {
                order(orders).await;
                orders += 1;
            }
            Some(is_acknowledged) => {
                is_slow = is_acknowledged && kill_after.is_some();
                kills += usize::from(!is_acknowledged && kill_after.is_some());
            }
        }
        assert!(started.elapsed() < Duration::from_mins(4), "the stream does not become empty");
    }
    let log = fleet.log().await;
    let surplus = check_orders(&fleet, &log, false).await;
    println!(
        "{kills} kills, {orders} people, {surplus} surplus mails, {} mails, {:?}",
        fleet.outbox.messages().len(),
        started.elapsed()
    );
    assert!(surplus <= kills, "at most one surplus mail for each kill");
    let (lines, leaks) = fleet.end().await;
    assert!(leaks.find_in_log(&lines.join("\n")).is_empty());
}
