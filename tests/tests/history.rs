//! Random histories against a model of the rules. Several clients at once open requests, have mails sent and complete; the owner
//! changes the password elsewhere; time passes, also past expiry. What each call answered is checked against a small model:
//! single use, supersession, expiry, no resurrection.
//!
//! `REKEY_SEED=n` replays one history; a failure prints its seed.

#![recursion_limit = "256"]

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use fastrand::Rng;
use futures::StreamExt as _;
use futures::future::join_all;
use tests::world::completion;
use tests::{NO_LIMITS, Request, World, reset_token_in};

const ACCOUNTS: [&str; 3] = ["mrbailey@projectthanos.com", "jweir@projectthanos.com", "some@one.com"];
const LIFETIME_MILLIS: u64 = 7_200_000;
const ROUNDS: usize = 30;
const HISTORIES: u64 = 40;

/// What the model knows of a token.
#[derive(Clone, Debug)]
struct Issued {
    account: usize,
    at: u64,
    used: bool,
}

/// What the model knows of everything.
#[derive(Debug, Default)]
struct Model {
    requests: BTreeMap<String, Issued>,
    resets: BTreeMap<String, Issued>,
    changed_at: [Option<u64>; ACCOUNTS.len()],
    passwords: [Option<String>; ACCOUNTS.len()],
}

impl Model {
    fn is_live(&self, issued: &Issued, now: u64) -> bool {
        let unexpired = (issued.at + LIFETIME_MILLIS) / 1000 > now / 1000;
        unexpired && !issued.used && self.changed_at[issued.account].is_none_or(|changed| issued.at > changed)
    }

    fn pick(tokens: &BTreeMap<String, Issued>, random: &mut Rng) -> Option<(String, Issued)> {
        random
            .choice(tokens.iter().collect::<Vec<_>>())
            .map(|(token, issued)| (token.clone(), issued.clone()))
    }
}

/// One call of a round.
enum Act {
    Mail(String),
    Check(String),
    Complete(String, String),
    ForgedComplete(String),
    OwnerChanges(usize),
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_concurrent_histories_keep_the_rules() {
    let seeds = match option_env!("REKEY_SEED") {
        Some(seed) => vec![seed.parse().expect("a number")],
        None => (0..HISTORIES).collect(),
    };
    let histories = seeds.into_iter().map(async |seed| (seed, tokio::spawn(history(seed)).await));
    let mut histories = futures::stream::iter(histories).buffer_unordered(3);
    while let Some((seed, outcome)) = histories.next().await {
        assert!(outcome.is_ok(), "REKEY_SEED={seed}: {outcome:?}");
    }
}

async fn history(seed: u64) {
    let mut random = Rng::with_seed(seed);
    let world = World::with(&NO_LIMITS).await;
    let mut model = Model::default();
    for round in 0..ROUNDS {
        for (account, address) in ACCOUNTS.iter().enumerate() {
            if random.bool() {
                let token = world.request_token(address).await;
                model.requests.insert(token, Issued { account, at: world.now(), used: false });
            }
        }
        let acts: Vec<Act> =
            (0..random.usize(1..8)).filter_map(|n| act(&model, &mut random, round, n)).collect();
        play(&world, &mut model, acts).await;
        let pause = random.choice([1, 1, 30, 61, 61, 600, 3600, 7199, 7200]).unwrap_or(1);
        world.advance(pause);
        for (account, address) in ACCOUNTS.iter().enumerate() {
            if let Some(password) = &model.passwords[account] {
                assert!(world.has_password(address, password).await, "the last acknowledged password holds");
            }
        }
    }
}

fn act(model: &Model, random: &mut Rng, round: usize, number: usize) -> Option<Act> {
    Some(match random.u8(0..10) {
        0..=3 => Act::Mail(Model::pick(&model.requests, random)?.0),
        4..=5 => Act::Check(Model::pick(&model.resets, random)?.0),
        6..=7 => {
            Act::Complete(Model::pick(&model.resets, random)?.0, format!("round {round} of walrus {number}"))
        }
        8 => Act::ForgedComplete(Model::pick(&model.requests, random)?.0),
        _ => Act::OwnerChanges(random.usize(0..ACCOUNTS.len())),
    })
}

/// Plays `acts` at once and holds each answer against the model.
async fn play(world: &World, model: &mut Model, acts: Vec<Act>) {
    let now = world.now();
    let mails_before = world.outbox.messages().len();
    let statuses = join_all(acts.iter().map(|act| perform(world, act))).await;
    world.settle().await;

    let owners: Vec<usize> = acts
        .iter()
        .filter_map(|act| if let Act::OwnerChanges(account) = act { Some(*account) } else { None })
        .collect();
    for account in 0..ACCOUNTS.len() {
        let tries = acts.iter().zip(&statuses).filter_map(|(act, status)| match act {
            Act::Complete(token, password) if model.resets[token].account == account => {
                Some((token, password, *status))
            }
            _ => None,
        });
        let tries: Vec<_> = tries.collect();
        let live: Vec<_> =
            tries.iter().filter(|(token, ..)| model.is_live(&model.resets[*token], now)).collect();
        let winners: Vec<_> = tries.iter().filter(|(.., status)| *status == 204).collect();
        assert!(tries.iter().all(|(.., status)| [204, 404].contains(status)), "{tries:?}");
        assert!(winners.len() <= 1, "at most one wins: {tries:?}");
        assert!(
            winners.iter().all(|winner| live.contains(winner)),
            "only a live token wins: {tries:?} {model:?}"
        );
        if !owners.contains(&account) {
            assert_eq!(
                winners.len(),
                usize::from(!live.is_empty()),
                "a live token wins: {tries:?} {model:?}"
            );
        }
    }

    for (act, status) in acts.iter().zip(&statuses) {
        let changing = |account: usize| {
            owners.contains(&account)
                || acts.iter().any(
                    |act| matches!(act, Act::Complete(token, _) if model.resets[token].account == account),
                )
        };
        match act {
            Act::Mail(token) => {
                let unexpired = (model.requests[token].at + LIFETIME_MILLIS) / 1000 > now / 1000;
                assert!(if unexpired { [204, 429].contains(status) } else { *status == 404 }, "{status}");
            }
            Act::Check(token) => {
                let issued = &model.resets[token];
                let expected = if model.is_live(issued, now) { 204 } else { 404 };
                assert!(
                    *status == expected || (changing(issued.account) && *status == 404),
                    "{status} {issued:?}"
                );
            }
            Act::ForgedComplete(_) => assert_eq!(*status, 404, "a request token sets no password"),
            Act::Complete(..) | Act::OwnerChanges(_) => {}
        }
    }
    learn(world, model, &acts, &statuses, mails_before, now);
}

/// What the model knows after a round.
fn learn(world: &World, model: &mut Model, acts: &[Act], statuses: &[u64], mails_before: usize, now: u64) {
    for (act, status) in acts.iter().zip(statuses) {
        if let (Act::Complete(token, password), 204) = (act, status) {
            let issued = model.resets.get_mut(token).expect("a token");
            issued.used = true;
            model.passwords[issued.account] = Some(password.clone());
            model.changed_at[issued.account] = Some(now);
        }
        if let Act::OwnerChanges(account) = act {
            model.changed_at[*account] = Some(now);
        }
    }
    let new = world.outbox.messages().len() - mails_before;
    for mail in world.outbox.messages().iter().take(new).filter(|mail| mail.subject.starts_with("Set a new"))
    {
        let account = ACCOUNTS.iter().position(|address| *address == mail.to).expect("an account");
        let token = reset_token_in(mail);
        assert!(!model.resets.contains_key(&token), "no token is issued twice");
        model.resets.insert(token, Issued { account, at: now, used: false });
    }
}

async fn perform(world: &World, act: &Act) -> u64 {
    let check = |token: &str| Request::get("/organizations/complete-password/").query("token", token);
    match act {
        Act::Mail(token) | Act::Check(token) => world.send_only(check(token)).await.status(),
        Act::Complete(token, password) => world.send_only(completion(token, password)).await.status(),
        Act::ForgedComplete(token) => {
            world.send_only(completion(token, "forged beyond recall")).await.status()
        }
        Act::OwnerChanges(account) => {
            let now = AttributeValue::N(world.now().to_string());
            world.set_attribute(ACCOUNTS[*account], "password_changed_at", now).await;
            0
        }
    }
}
