#!/bin/sh
# Tests the two pages and the inbox in Debian's Chromium, and some of it in Debian's Firefox, with Playwright and axe-core, against local
# stacks. Needs Rust, Python and Node 20, and the network for apt, npm, pip and crates the first time.
#
#   [REKEY_SCREENSHOTS=directory] tests/browser/run.sh [part of a file's name] [Playwright's options]
set -eu
cd "$(dirname "$0")"
sh browsers.sh
[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --silent
# The same command as `local` builds the functions with, so that no stack waits for another's build.
(cd ../.. && cargo build --quiet --locked --bin local && cargo build --quiet --locked --bin reset --bin validate --bin complete)
# exec, so that signals reach Playwright, which ends what it started.
exec node_modules/.bin/playwright test "$@"
