#!/bin/sh
# Checks the service against its document: schemathesis drives every operation of infra/openapi.yaml on the local stack. Needs Rust,
# Python, and the network for pip and crates the first time.
#
#   [REKEY_SEED=number] tests/openapi/run.sh
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
tools=$root/target/tools
export PYTHONDONTWRITEBYTECODE=1

# The environment of one requirements file, named after its contents: a changed pin makes a new one.
environment() {
    venv=$tools/$1-$(cksum <"$here/$2" | cut -d ' ' -f 1)
    if [ ! -e "$venv/complete" ]; then
        rm -rf "$venv"
        { python3 -m venv "$venv" && "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/$2" \
            && touch "$venv/complete"; } >&2 || return 1
    fi
    echo "$venv/bin"
}

bin=$(environment openapi requirements.txt) || exit 2
cd "$root" || exit 2
cargo build --quiet --bin local --locked || exit 2
# In place of this shell, so that signals reach the one that must end the stack.
exec "$bin/python" "$here/drive.py"
