//! A flood of the largest and strangest input that API Gateway lets through does not make a function's process grow.

use serde_json::json;
use tests::fleet::{Fleet, Pool};
use tests::world::completion;
use tests::{PASSWORD, Request, UNKNOWN};

/// Two of the largest bodies: what an allocator may need more, depending on what it put where.
const SLACK: u64 = 12 * 1024 * 1024;
const CALLS: usize = 240;

/// Bodies of up to six megabytes, the most that Lambda hands over.
fn hostile(path: &str) -> Vec<Request> {
    let post =
        |body: String| Request::new("POST", path).header("content-type", "application/json").body(body);
    vec![
        post(format!(r#"{{"email":"{}"}}"#, "a".repeat(5_000_000))),
        post("[".repeat(16_000)),
        post(format!(r#"{{"email":[{}1]}}"#, "[1],".repeat(4_000))),
        post((0..1_500).map(|n| (n.to_string(), n)).collect::<serde_json::Value>().to_string()),
        post(json!({"email": UNKNOWN, "token": "Z".repeat(16_000), "password": "x"}).to_string()),
        Request::new("POST", path).body(vec![0xff; 4_000_000]),
        Request::get(path).query("token", &"Z".repeat(100_000)),
        completion(&"Z".repeat(20), PASSWORD),
    ]
}

async fn stays_small(pool: &Pool, path: &str) {
    let requests = hostile(path);
    let environment = pool.take().await;
    let mut after_a_third = 0;
    for number in 0..CALLS {
        let answer = environment.call(requests[number % requests.len()].event()).await.expect("an answer");
        assert!(answer.status() < 500, "{answer:?}");
        if number + 1 == CALLS / 3 {
            after_a_third = environment.peak_memory();
        }
    }
    let peak = environment.peak_memory();
    assert!(peak < after_a_third + SLACK, "{path}: {after_a_third} bytes grew to {peak}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_does_not_make_a_process_grow() {
    let fleet = Fleet::start(1).await;
    stays_small(&fleet.reset, "/organizations/reset-password/").await;
    stays_small(&fleet.validate, "/organizations/validate-password-reset/").await;
    stays_small(&fleet.complete, "/organizations/complete-password/").await;
}
