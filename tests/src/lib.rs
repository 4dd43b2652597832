//! The harness of the whole-system tests: calls the functions' handlers with API Gateway events, on the in-process
//! `DynamoDB` engine and SES endpoint, with a clock that the test controls.

#![expect(clippy::missing_panics_doc, reason = "a harness panics so that a test fails")]

pub mod builder;
pub mod contract;
pub mod environment;
pub mod errors;
pub mod event;
pub mod fleet;
pub mod leaks;
mod outputs;
pub mod proxy;
pub mod range;
pub mod size;
pub mod stack;
pub mod step;
pub mod tables;
mod wiring;
pub mod world;

pub use builder::Service;
pub use event::{Answer, Gateway, Request};
pub use wiring::{config, variables};
pub use world::{World, reset_token_in, token_in_link};

/// A password that the policy accepts.
pub const PASSWORD: &str = "crux_is_awesome";
/// Another password that the policy accepts.
pub const OTHER_PASSWORD: &str = "correct horse battery staple";
/// The address of a demo account.
pub const KNOWN: &str = "mrbailey@projectthanos.com";
/// An address without an account, as long as [`KNOWN`].
pub const UNKNOWN: &str = "mrnobody@projectthanos.com";
/// Settings without any limit.
pub const NO_LIMITS: [(&str, &str); 3] =
    [("LIMIT_RESET_PER_IP", "0"), ("LIMIT_MAIL_PER_ADDRESS", "0"), ("LIMIT_BAD_TOKEN_PER_IP", "0")];

/// The median of the benchmarks' `samples`.
#[must_use]
pub fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}
