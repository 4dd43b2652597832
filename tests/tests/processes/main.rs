//! The whole-system tests that start processes: the functions' binaries, or the local stack.

#![recursion_limit = "256"]

mod conformance;
mod floods;
mod killed;
mod local_stack;
mod own_words;
mod telemetry;
