//! A flood of the largest and most unusual input that API Gateway accepts does not increase a process's memory.

use futures::future::join_all;
use serde_json::json;
use tests::environment::Environment;
use tests::fleet::Fleet;
use tests::size;
use tests::world::completion;
use tests::{PASSWORD, Request, UNKNOWN};

/// Half the memory of *reset* and *validate* in the SAM template. No call here makes *complete* hash.
const MAX_MEMORY: u64 = 128 * 1024 * 1024;

/// Unusual requests with bodies of up to `longest` bytes.
fn hostile(path: &str, longest: usize) -> Vec<Request> {
    let post =
        |body: String| Request::new("POST", path).header("content-type", "application/json").body(body);
    vec![
        post(format!(r#"{{"email":"{}"}}"#, "a".repeat(longest - 20))),
        post("[".repeat(longest)),
        post(format!(r#"{{"email":[{}1]}}"#, "[1],".repeat(longest / 4 - 5))),
        post((0..longest / 12).map(|n| (n.to_string(), n)).collect::<serde_json::Value>().to_string()),
        post(json!({"email": UNKNOWN, "token": "Z".repeat(longest / 2), "password": "x"}).to_string()),
        Request::new("POST", path).body(vec![0xff; longest / 4 * 3]),
        Request::get(path).query("token", &"Z".repeat(longest)),
        completion(&"Z".repeat(20), PASSWORD),
    ]
}

/// Makes `calls` calls, and compares the memory after a third of them with the memory after all.
async fn flood(environment: &Environment, path: &str, longest: usize, calls: usize, slack: u64) {
    let events: Vec<_> = hostile(path, longest).iter().map(Request::event).collect();
    let mut after_a_third = 0;
    for number in 0..calls {
        let answer = environment.call(events[number % events.len()].clone()).await.expect("an answer");
        assert!(answer.status() < 500, "{answer:?}");
        if number == calls / 3 {
            after_a_third = environment.peak_memory();
        }
    }
    let peak = environment.peak_memory();
    assert!(
        peak < after_a_third + slack && peak < MAX_MEMORY,
        "{path}: {calls} calls of {longest} bytes: {after_a_third} bytes of memory, then {peak}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_does_not_increase_the_memory_of_a_process() {
    let calls = size::count("calls in a flood", 150, 2_000);
    let huge_calls = size::count("calls in a flood of 5 MB each", 20, 60);
    let fleet = Fleet::start(1).await;
    let functions = [
        (&fleet.reset, "/organizations/reset-password/"),
        (&fleet.validate, "/organizations/validate-password-reset/"),
        (&fleet.complete, "/organizations/complete-password/"),
    ];
    let floods = functions.map(async |(pool, path)| {
        let environment = pool.take().await;
        // The largest bodies that are parsed: a leak of any byte per call would show.
        flood(&environment, path, 16 * 1024, calls, 1024 * 1024).await;
        // Nearly the largest bodies that Lambda passes on. The slack is larger, because the allocator's behaviour varies.
        flood(&environment, path, 5_000_000, huge_calls, 16 * 1024 * 1024).await;
    });
    join_all(floods).await;
}
