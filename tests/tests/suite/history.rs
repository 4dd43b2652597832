//! Random histories against a model of the rules. Concurrent clients open requests, order mails and complete; the owner
//! changes the password elsewhere; time passes, also past expiry. Each answer is checked against a small model: tokens work
//! once, expire, and are superseded by a change of the password.
//!
//! `REKEY_SEED=n` replays one history; a failure prints its seed.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use fastrand::Rng;
use futures::StreamExt as _;
use futures::future::join_all;
use tests::size;
use tests::world::completion;
use tests::{NO_LIMITS, Request, World, reset_token_in};

const ACCOUNTS: [&str; 3] = ["mrbailey@projectthanos.com", "jweir@projectthanos.com", "some@one.com"];
const LIFETIME_MILLIS: u64 = 7_200_000;
const ROUNDS: usize = 30;

/// The model's state of a token.
#[derive(Clone, Debug)]
struct Issued {
    account: usize,
    at: u64,
    used: bool,
}

/// The model's state.
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

/// One action of a round.
enum Action {
    Mail(String),
    Check(String),
    Complete(String, String),
    ForgedComplete(String),
    OwnerChanges(usize),
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_concurrent_histories_keep_the_rules() {
    let seeds: Vec<u64> = match size::seed() {
        Some(seed) => vec![seed],
        None => (0..size::count("random histories", 4, 40) as u64).collect(),
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
        let actions: Vec<Action> =
            (0..random.usize(1..8)).filter_map(|n| random_action(&model, &mut random, round, n)).collect();
        run_round(&world, &mut model, actions).await;
        let pause = random.choice([1, 1, 30, 61, 61, 600, 3600, 7199, 7200]).unwrap_or(1);
        world.advance(pause);
        for (account, address) in ACCOUNTS.iter().enumerate() {
            if let Some(password) = &model.passwords[account] {
                assert!(world.has_password(address, password).await, "the last acknowledged password is set");
            }
        }
    }
}

fn random_action(model: &Model, random: &mut Rng, round: usize, number: usize) -> Option<Action> {
    Some(match random.u8(0..10) {
        0..=3 => Action::Mail(Model::pick(&model.requests, random)?.0),
        4..=5 => Action::Check(Model::pick(&model.resets, random)?.0),
        6..=7 => Action::Complete(
            Model::pick(&model.resets, random)?.0,
            format!("round {round} of walrus {number}"),
        ),
        8 => Action::ForgedComplete(Model::pick(&model.requests, random)?.0),
        _ => Action::OwnerChanges(random.usize(0..ACCOUNTS.len())),
    })
}

/// Performs `actions` concurrently, and checks each answer against the model.
async fn run_round(world: &World, model: &mut Model, actions: Vec<Action>) {
    let now = world.now();
    let mails_before = world.outbox.messages().len();
    let statuses = join_all(actions.iter().map(|action| perform(world, action))).await;
    world.settle().await;

    let owners: Vec<usize> = actions
        .iter()
        .filter_map(|action| if let Action::OwnerChanges(account) = action { Some(*account) } else { None })
        .collect();
    for account in 0..ACCOUNTS.len() {
        let completions = actions.iter().zip(&statuses).filter_map(|(action, status)| match action {
            Action::Complete(token, password) if model.resets[token].account == account => {
                Some((token, password, *status))
            }
            _ => None,
        });
        let completions: Vec<_> = completions.collect();
        let live: Vec<_> =
            completions.iter().filter(|(token, ..)| model.is_live(&model.resets[*token], now)).collect();
        let winners: Vec<_> = completions.iter().filter(|(.., status)| *status == 204).collect();
        assert!(completions.iter().all(|(.., status)| [204, 404].contains(status)), "{completions:?}");
        assert!(winners.len() <= 1, "at most one succeeds: {completions:?}");
        assert!(
            winners.iter().all(|winner| live.contains(winner)),
            "only a live token succeeds: {completions:?} {model:?}"
        );
        if !owners.contains(&account) {
            assert_eq!(
                winners.len(),
                usize::from(!live.is_empty()),
                "a live token succeeds: {completions:?} {model:?}"
            );
        }
    }

    for (action, status) in actions.iter().zip(&statuses) {
        let changing = |account: usize| {
            owners.contains(&account)
                || actions.iter().any(
                    |action| matches!(action, Action::Complete(token, _) if model.resets[token].account == account),
                )
        };
        match action {
            Action::Mail(token) => {
                let unexpired = (model.requests[token].at + LIFETIME_MILLIS) / 1000 > now / 1000;
                assert!(if unexpired { [204, 429].contains(status) } else { *status == 404 }, "{status}");
            }
            Action::Check(token) => {
                let issued = &model.resets[token];
                let expected = if model.is_live(issued, now) { 204 } else { 404 };
                assert!(
                    *status == expected || (changing(issued.account) && *status == 404),
                    "{status} {issued:?}"
                );
            }
            Action::ForgedComplete(_) => assert_eq!(*status, 404, "a request token sets no password"),
            Action::Complete(..) | Action::OwnerChanges(_) => {}
        }
    }
    update(world, model, &actions, &statuses, mails_before, now);
}

/// Updates the model after a round.
fn update(
    world: &World,
    model: &mut Model,
    actions: &[Action],
    statuses: &[u64],
    mails_before: usize,
    now: u64,
) {
    for (action, status) in actions.iter().zip(statuses) {
        if let (Action::Complete(token, password), 204) = (action, status) {
            let issued = model.resets.get_mut(token).expect("a token");
            issued.used = true;
            model.passwords[issued.account] = Some(password.clone());
            model.changed_at[issued.account] = Some(now);
        }
        if let Action::OwnerChanges(account) = action {
            model.changed_at[*account] = Some(now);
        }
    }
    let new = world.outbox.messages().len() - mails_before;
    for mail in world.outbox.messages().iter().take(new).filter(|mail| mail.subject.starts_with("Set a new"))
    {
        let account = ACCOUNTS.iter().position(|address| *address == mail.to).expect("an account");
        let token = reset_token_in(mail);
        assert!(!model.resets.contains_key(&token), "no token is issued twice");
        // The mails were sent after the round, so later than what changed in it.
        let at = model.changed_at[account].map_or(now, |changed| now.max(changed + 1));
        model.resets.insert(token, Issued { account, at, used: false });
    }
}

async fn perform(world: &World, action: &Action) -> u64 {
    let check = |token: &str| Request::get("/organizations/complete-password/").query("token", token);
    match action {
        Action::Mail(token) | Action::Check(token) => world.send_only(check(token)).await.status(),
        Action::Complete(token, password) => world.send_only(completion(token, password)).await.status(),
        Action::ForgedComplete(token) => {
            world.send_only(completion(token, "forged beyond recall")).await.status()
        }
        Action::OwnerChanges(account) => {
            let now = AttributeValue::N(world.now().to_string());
            world.set_attribute(ACCOUNTS[*account], "password_changed_at", now).await;
            0
        }
    }
}
