//! The outbox: an order is written in the transaction that causes it, and stays until its mail was sent or failed permanently, whatever
//! happens to the mail function, the stream, `DynamoDB` and SES.

use std::time::Duration;

use anyhow::{bail, ensure};
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use tests::errors::COMPLETE;
use tests::proxy::{Calls, EVERY, Fault};
use tests::step::with_every_fault_at_every_call;
use tests::world::completion;
use tests::{KNOWN, NO_LIMITS, OTHER_PASSWORD, PASSWORD, Request, Service, World, reset_token_in};
use tokio::time::Instant;

/// Longer than a claim lasts, in seconds.
const CLAIM_LAPSED: u64 = 31;

/// The two kinds of order.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Reset,
    Notice,
}

impl Kind {
    const ALL: [Self; 2] = [Self::Reset, Self::Notice];

    /// The number of `DynamoDB` calls that the mail function makes for an order.
    const fn calls(self) -> u64 {
        match self {
            // The account, the claim, the token, and the outcome.
            Self::Reset => 4,
            // The language, the claim and the outcome.
            Self::Notice => 3,
        }
    }

    /// Places an order of this kind, and leaves it in the stream.
    async fn order(self, world: &World) {
        match self {
            Self::Reset => {
                let token = world.request_token(KNOWN).await;
                let asked = Request::get(COMPLETE).query("token", &token);
                assert_eq!(world.send_only(asked).await.status(), 204);
            }
            Self::Notice => {
                let token = world.reset_token(KNOWN).await;
                assert_eq!(world.send_only(completion(&token, PASSWORD)).await.status(), 204);
            }
        }
    }

    /// The mails of this kind, newest first.
    fn mails(self, world: &World) -> Vec<local::ses::Message> {
        let is_notice = |mail: &local::ses::Message| mail.subject.contains("was changed");
        let mails = world.outbox.messages().into_iter();
        mails.filter(|mail| is_notice(mail) == matches!(self, Self::Notice)).collect()
    }

    /// Whether the newest mail works.
    async fn works(self, world: &World) -> bool {
        match (self, self.mails(world).first()) {
            (Self::Reset, Some(mail)) => {
                world.complete(&reset_token_in(mail), OTHER_PASSWORD).await.status() == 204
            }
            (Self::Notice, mail) => mail.is_some(),
            (Self::Reset, None) => false,
        }
    }
}

/// Delivers the stream until it is empty, and lets claims lapse in between.
async fn settle_with_retries(world: &World) -> anyhow::Result<()> {
    for _ in 0..3 {
        if world.settle().await {
            return Ok(());
        }
        world.advance(CLAIM_LAPSED);
    }
    bail!("the order is still in the stream")
}

#[tokio::test]
async fn the_mail_function_makes_the_expected_number_of_calls() {
    for kind in Kind::ALL {
        let world = World::builder().faulty(Service::DynamoDb).start().await;
        kind.order(&world).await;
        world.proxy().disarm();
        assert!(world.settle().await);
        let operations = world.proxy().operations();
        assert_eq!(operations.len() as u64, kind.calls(), "{kind:?} {operations:?}");
    }
}

/// With any fault at any call of the mail function, there is finally one mail, and it works.
async fn under_fault(kind: Kind, fault: Fault, calls: Calls) -> anyhow::Result<()> {
    let world = World::builder().faulty(Service::DynamoDb).start().await;
    kind.order(&world).await;
    world.proxy().inject(fault, calls);
    let started = Instant::now();
    world.settle().await;
    let took = started.elapsed();
    ensure!(took <= Duration::from_secs(25), "took {took:?}");
    world.proxy().disarm();
    if let Fault::Late(by) = fault {
        tokio::time::sleep(by).await;
    }
    settle_with_retries(&world).await?;
    let (mails, dead) = (kind.mails(&world).len(), world.dead_letters());
    ensure!(mails == 1 && dead.is_empty(), "{mails} mails, dead letters {dead:?}");
    ensure!(kind.works(&world).await, "the mail does not work");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_10_with_every_fault_at_every_call_of_the_mail_function_one_mail_is_sent() {
    let kinds = Kind::ALL.map(|kind| (kind, kind.calls()));
    let things = "combinations of order, fault and call of the mail function";
    with_every_fault_at_every_call(things, kinds, under_fault).await;
}

/// The number of mails for an order whose first process dies during its call number `call`, after another one took over.
async fn mails_after_death(kind: Kind, world: &World, call: u64) -> usize {
    let before = kind.mails(world).len();
    kind.order(world).await;
    world.deliver_and_die(call).await;
    settle_with_retries(world).await.expect("the next one takes over");
    kind.mails(world).len() - before
}

#[tokio::test]
async fn rule_10_a_process_that_dies_during_any_call_loses_no_mail() {
    for kind in Kind::ALL {
        for call in 0..kind.calls() {
            let world = World::builder().faulty(Service::DynamoDb).start().await;
            let mails = mails_after_death(kind, &world, call).await;
            // Dead after SES accepted the mail and before the outcome was recorded: one extra.
            let expected = if call == kind.calls() - 1 { 2 } else { 1 };
            assert_eq!(mails, expected, "{kind:?}, call {call}");
            assert!(kind.works(&world).await, "{kind:?}, call {call}");
        }
        // Dead during the call to SES, which did not receive it.
        let world = World::builder().settings(&NO_LIMITS).faulty(Service::Ses).start().await;
        assert_eq!(mails_after_death(kind, &world, 0).await, 1, "{kind:?}");
    }
}

#[tokio::test]
async fn a_batch_that_is_delivered_again_sends_no_second_mail() {
    let world = World::new().await;
    for kind in Kind::ALL {
        kind.order(&world).await;
        let batch = world.next_batch().await.expect("a batch");
        for _ in 0..3 {
            assert_eq!(world.deliver(&batch.event).await, json!({"batchItemFailures": []}));
        }
        assert!(world.settle().await);
        assert_eq!(kind.mails(&world).len(), 1);
        world.advance(61);
    }
}

#[tokio::test]
async fn two_processes_with_one_batch_send_one_mail() {
    let world = World::builder().settings(&NO_LIMITS).faulty(Service::Ses).start().await;
    Kind::Reset.order(&world).await;
    let batch = world.next_batch().await.expect("a batch");
    let deliver = || world.deliver(&batch.event);
    let (first, second) = world.proxy().during(0, Fault::Held, deliver(), deliver()).await;
    let number = &batch.event["Records"][0]["dynamodb"]["SequenceNumber"];
    assert_eq!(first, json!({"batchItemFailures": []}));
    assert_eq!(
        second,
        json!({"batchItemFailures": [{"itemIdentifier": number}]}),
        "retried when the claim lapses"
    );
    assert_eq!(deliver().await, first);
    assert_eq!(world.outbox.messages().len(), 1);
}

#[tokio::test]
async fn a_mail_that_ses_rejects_fails_at_once_and_does_not_block_others() {
    let world = World::with(&NO_LIMITS).await;
    let rejected = "jweir@projectthanos.com";
    world.outbox.reject(rejected);
    for address in [rejected, KNOWN, "some@one.com"] {
        let token = world.request_token(address).await;
        assert_eq!(world.send_only(Request::get(COMPLETE).query("token", &token)).await.status(), 204);
    }
    assert!(world.settle().await);
    assert_eq!(world.outbox.messages().len(), 2);
    let [entry] = &world.dead_letters()[..] else { panic!("{:?}", world.dead_letters()) };
    assert_eq!((&entry["kind"], &entry["problem"]), (&json!("reset"), &json!("MessageRejected")));
    // The entry, the log and the row name the order by its id.
    let id = entry["order"].as_str().filter(|id| id.len() == 22).expect("an id of 128 bits");
    assert!(
        world.log().contains(&format!(r#""Order":"{id}""#))
            && world.log().contains(r#""MailOutcome":"failed""#)
    );
    let batch = world.next_batch().await;
    assert!(batch.is_none(), "the stream is empty");
}

#[tokio::test]
async fn a_burst_above_the_ses_sending_rate_is_delayed_and_then_sent() {
    const ORDERS: usize = 200;
    let world = World::builder().settings(&NO_LIMITS).faulty(Service::Ses).start().await;
    for _ in 0..ORDERS {
        let mail = Request::post("/auth/reset/password-email", &json!({"email": KNOWN}));
        assert_eq!(world.send_only(mail).await.status(), 200);
    }
    // In each round SES accepts fourteen mails, then throttles three calls.
    let mut rounds = 0;
    while world.outbox.messages().len() < ORDERS {
        world.proxy().disarm();
        world.proxy().inject(Fault::Throttled, 14..17);
        world.settle().await;
        rounds += 1;
        assert!(rounds < 100, "{} mails", world.outbox.messages().len());
    }
    world.proxy().disarm();
    assert!(world.settle().await);
    assert_eq!(world.outbox.messages().len(), ORDERS, "one mail for each order");
    assert!(world.dead_letters().is_empty());
    assert!(rounds > 10, "SES throttled in only {rounds} rounds");
}

/// The dead letters, and the number of mails, of an order that SES throttled for `seconds`.
async fn after_ses_outage(kind: Kind, seconds: u64) -> (Vec<Value>, usize) {
    let world = World::builder().settings(&NO_LIMITS).faulty(Service::Ses).start().await;
    kind.order(&world).await;
    let before = kind.mails(&world).len();
    world.proxy().inject(Fault::Throttled, EVERY);
    for _ in 0..4 {
        assert!(!world.settle().await, "the order is retried");
        world.advance(seconds / 4);
    }
    let last = world.settle().await;
    world.proxy().disarm();
    assert_eq!(last, !world.dead_letters().is_empty());
    assert!(world.settle().await);
    (world.dead_letters(), kind.mails(&world).len() - before)
}

#[tokio::test]
async fn rule_10_a_mail_is_retried_until_it_expires() {
    for (kind, lifetime) in [(Kind::Reset, 7_200), (Kind::Notice, 79_200)] {
        let (dead, mails) = after_ses_outage(kind, lifetime - 200).await;
        assert_eq!((dead.len(), mails), (0, 1), "{kind:?}");
        let (dead, mails) = after_ses_outage(kind, lifetime).await;
        assert_eq!((dead.len(), mails), (1, 0), "{kind:?}");
        assert_eq!(dead[0]["problem"], "expired before it could be sent", "{kind:?}");
    }
}

#[tokio::test]
async fn rule_2_an_order_that_expires_while_its_account_is_read_is_not_claimed() {
    let world = World::builder().faulty(Service::DynamoDb).start().await;
    Kind::Reset.order(&world).await;
    world.advance(7_199);
    let expiry = async { world.advance(1) };
    let (delivered, ()) = world.proxy().during(0, Fault::Held, world.settle(), expiry).await;
    assert!(delivered && world.outbox.messages().is_empty());
    assert_eq!(world.dead_letters().len(), 1);
}

#[tokio::test]
async fn a_link_that_is_sent_late_works_for_its_full_lifetime() {
    let world = World::new().await;
    Kind::Reset.order(&world).await;
    world.advance(3_600);
    assert!(world.settle().await);
    let token = reset_token_in(&world.last_mail());
    world.advance(7_199);
    assert_eq!(world.complete(&token, PASSWORD).await.status(), 204);
}

#[tokio::test]
async fn an_order_from_before_the_last_change_of_password_sends_a_link_that_works() {
    for is_unleash in [false, true] {
        let world = World::with(&NO_LIMITS).await;
        let token = world.reset_token(KNOWN).await;
        if is_unleash {
            let mail = Request::post("/auth/reset/password-email", &json!({"email": KNOWN}));
            assert_eq!(world.send_only(mail).await.status(), 200);
        } else {
            Kind::Reset.order(&world).await;
        }
        world.advance(1);
        assert_eq!(world.send_only(completion(&token, PASSWORD)).await.status(), 204);
        assert!(world.settle().await);
        assert_eq!((Kind::Reset.mails(&world).len(), Kind::Notice.mails(&world).len()), (2, 1));
        assert!(Kind::Reset.works(&world).await, "issued after the change");
    }
}

#[tokio::test]
async fn a_redelivered_order_whose_mail_was_sent_is_no_dead_letter_after_its_expiry() {
    let world = World::with(&[("TOKEN_LIFETIME_SECONDS", "60")]).await;
    Kind::Reset.order(&world).await;
    let batch = world.next_batch().await.expect("a batch");
    world.deliver(&batch.event).await;
    world.advance(61);
    assert_eq!(world.deliver(&batch.event).await, json!({"batchItemFailures": []}));
    assert_eq!((world.outbox.messages().len(), world.dead_letters().len()), (1, 0));
}

#[tokio::test]
async fn an_invalid_time_of_change_is_a_dead_letter() {
    let world = World::new().await;
    let yesterday = AttributeValue::S("yesterday".to_owned());
    world.set_attribute(KNOWN, "password_changed_at", yesterday).await;
    Kind::Reset.order(&world).await;
    assert!(world.settle().await, "the order does not block others");
    let [entry] = &world.dead_letters()[..] else { panic!("{:?}", world.dead_letters()) };
    assert!(
        entry["problem"].as_str().expect("a problem").contains("ACCOUNTS_PASSWORD_CHANGED_AT"),
        "{entry}"
    );
    assert!(world.log().contains(r#""MailOutcome":"failed""#));
}

#[tokio::test]
async fn an_event_that_is_not_a_batch_is_an_error_without_its_content() {
    let world = World::new().await;
    let event = json!({"Records": [{"eventName": 5, "dynamodb": {"NewImage": {"address": {"S": KNOWN}}}}]});
    let problem = world.try_to_deliver(&event).await.expect_err("no batch").to_string();
    assert_eq!(problem, "the event is no batch of records");
}

#[tokio::test]
async fn mails_are_delayed_until_the_sender_is_verified() {
    let world = World::with(&[("MAIL_FROM", "\"Rekey\" <unverified@rekey.example>")]).await;
    Kind::Reset.order(&world).await;
    assert!(!world.settle().await, "the problem concerns every mail and may be temporary");
    assert!(world.dead_letters().is_empty());
    assert!(world.log().contains(r#""MailOutcome":"delayed""#) && !world.log().contains("unverified@"));
}

#[tokio::test]
async fn records_that_are_not_orders_are_ignored_and_invalid_orders_are_dead_letters() {
    let world = World::new().await;
    let record = |name: &str, pk: &str, number: &str| {
        json!({
            "eventID": "e", "eventName": name, "awsRegion": "eu-west-1", "eventSource": "aws:dynamodb",
            "dynamodb": {
                "Keys": {"pk": {"S": pk}}, "NewImage": {"pk": {"S": pk}, "address": {"S": KNOWN}},
                "SequenceNumber": number, "SizeBytes": 1, "StreamViewType": "NEW_IMAGE"
            }
        })
    };
    let records = [
        record("INSERT", "request#x", "1"),
        record("MODIFY", "order#x", "2"),
        record("REMOVE", "order#x", "3"),
        record("INSERT", "order#x", "4"),
    ];
    let answer = world.deliver(&json!({"Records": records})).await;
    assert_eq!(answer, json!({"batchItemFailures": []}));
    assert_eq!(world.dead_letters().len(), 1);
    assert_eq!(world.dead_letters()[0]["problem"], "the order cannot be read");
    assert_eq!(world.log().matches(r#""MailOutcome":"failed""#).count(), 1);
}
