#![doc = include_str!("../README.md")]

pub mod api_key;
pub mod aws;
pub mod clock;
pub mod config;
pub mod dead_letters;
pub mod email;
pub mod function;
pub mod http;
pub mod mail;
pub mod origin;
pub mod password;
pub mod random;
pub mod store;
pub mod telemetry;
pub mod token;
