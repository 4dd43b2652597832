//! The whole-system tests that run in this process. One binary: it links once, and the tests wait side by side.

#![recursion_limit = "256"]

mod accounts;
mod agreement;
mod batches;
mod breached;
mod contention;
mod contract;
mod costs;
mod devices;
mod diagnostics;
mod faults;
mod history;
mod hostile;
mod house;
mod invites;
mod journeys;
mod keys;
mod languages;
mod mail_faults;
mod origin;
mod outbox;
mod own_words;
mod people;
mod rule_4;
mod rule_5;
mod rules;
mod throttles;
mod unknown;
