#!/bin/sh
# Tests the local stack against infra/openapi.yaml with schemathesis, and with clients that are generated from it. Needs Rust, Python,
# Node 20, and the network for pip, npm and crates the first time.
#
#   [REKEY_SEED=number] tests/openapi/run.sh
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
export PYTHONDONTWRITEBYTECODE=1

. "$here/../python.sh"

bin=$(environment openapi requirements.txt) || exit 2
cd "$here/clients" || exit 2
[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --silent || exit 2
cd "$root" || exit 2
cargo build --quiet --bin local --locked || exit 2
# exec, so that signals reach drive.py, which ends the stack.
exec "$bin/python" "$here/drive.py"
