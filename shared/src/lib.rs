//! What the three functions of Rekey share: the values they trust (addresses, tokens, passwords), the
//! `DynamoDB` stores, the mails, the HTTP contract, the configuration and the telemetry.
//!
//! Nothing here reads the environment, the system's clock or a global generator: `main.rs` of each
//! function does, and passes them in.

pub mod api_key;
pub mod aws;
pub mod clock;
pub mod config;
pub mod dead_letters;
pub mod email;
pub mod function;
pub mod http;
pub mod mail;
pub mod password;
pub mod password_hash;
pub mod random;
pub mod store;
pub mod telemetry;
pub mod token;

pub use aws_config::SdkConfig;
