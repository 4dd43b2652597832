//! One machine's AWS: a `DynamoDB` engine and an SES endpoint in process, and the three functions under
//! `cargo lambda watch`. The whole-system tests use the first two alone.

pub mod dynamodb;
pub mod functions;
pub mod ses;
