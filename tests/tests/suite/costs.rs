//! Counts the capacity units of a reset, for the prices in infra/COSTS.md.

use tests::{KNOWN, PASSWORD, Service, World};

#[tokio::test]
async fn a_whole_reset_costs_nineteen_write_units_and_ten_reads() {
    let world = World::builder().faulty(Service::DynamoDb).start().await;
    let token = world.reset_token(KNOWN).await;
    // The page checks the token before it asks for a password.
    assert_eq!(world.validate(&token).await.status(), 204);
    assert_eq!(world.complete(&token, PASSWORD).await.status(), 204);
    let calls = world.proxy().calls();
    let (writes, reads) = calls.iter().fold((0, 0), |(w, r), call| (w + call.writes, r + call.reads));
    // One of the reads need not be consistent: half a unit.
    assert_eq!((writes, reads), (19, 10), "{calls:#?}");
    assert_eq!(world.outbox.messages().len(), 2);
}
