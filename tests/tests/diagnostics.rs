//! Warnings of the SDK and the functions are searched too. This test has its own file, because its warning would fail every other test
//! in the same process.

use tests::{KNOWN, World};

#[tokio::test]
#[should_panic(expected = "the log holds")]
async fn rule_1_the_search_after_every_test_finds_an_address_in_a_warning() {
    let world = World::new().await;
    world.request_token(KNOWN).await;
    tracing::warn!(address = KNOWN, "leaked");
}
