//! What the SDK and the functions warn of is searched too. A file of its own: what this test logs would fail every other one of its process.

use tests::{KNOWN, World};

#[tokio::test]
#[should_panic(expected = "the log holds")]
async fn rule_1_every_test_ends_with_a_search_that_finds_an_address_in_a_warning() {
    let world = World::new().await;
    world.request_token(KNOWN).await;
    tracing::warn!(address = KNOWN, "leaked");
}
