//! Warnings of the SDK and the functions are searched too.

use tests::World;

/// No other test uses this address: all tests of a process share its warnings.
const LEAKED: &str = "leaked-to-a-warning@example.com";

#[tokio::test]
#[should_panic(expected = "the log holds")]
async fn rule_1_the_search_after_every_test_finds_an_address_in_a_warning() {
    let world = World::new().await;
    world.request_token(LEAKED).await;
    tracing::warn!(address = LEAKED, "leaked");
}
