//! The whole-system tests that start processes: the functions' binaries, or the local stack.

#![recursion_limit = "256"]

mod conformance;
mod floods;
mod killed;
mod local_stack;
mod own_words;
mod telemetry;

/// What measures memory or kills processes at random moments needs the CPUs to itself: it writes. The others read, and overlap.
static CPUS: tokio::sync::RwLock<()> = tokio::sync::RwLock::const_new(());
