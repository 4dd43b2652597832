#!/bin/sh
# Checks the infrastructure: linters, `sam build`, then the tests in this directory on the build artefacts. Needs Rust, Python, and the
# network for pip the first time. Needs no AWS account.
#
#   tests/infra/run.sh [arguments for pytest]
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
template=$root/infra/template.yaml
passed=0
failed=0

# Nothing here may call AWS or wait for instance metadata. sam needs a region, but no account.
unset AWS_PROFILE AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
export AWS_DEFAULT_REGION=eu-west-1 AWS_EC2_METADATA_DISABLED=true SAM_CLI_TELEMETRY=0 PYTHONDONTWRITEBYTECODE=1

. "$here/../python.sh"

check() {
    name=$1
    shift
    log=$(mktemp)
    if "$@" >"$log" 2>&1; then
        passed=$((passed + 1))
        echo "ok    $name"
    else
        failed=$((failed + 1))
        echo "FAIL  $name"
        cat "$log"
    fi
    rm -f "$log"
}

tests=$(environment infra requirements.txt) || exit 2
sam=$(environment sam requirements-sam.txt) || exit 2
checkov=$(environment checkov requirements-checkov.txt) || exit 2

check "cfn-lint on the SAM template" "$tests/cfn-lint" -r "$AWS_DEFAULT_REGION" -- "$template"
check "sam validate --lint" "$sam/sam" validate --lint --template "$template"
check "samconfig.toml" "$sam/python" "$here/samconfig.py"
check "checkov" "$checkov/checkov" --file "$template" --file "$root/infra/cloudfront.yaml" --framework cloudformation --skip-download --compact --quiet

# Builds for x86_64: arm64 would be cross-compiled, for which CI has no target.
build() {
    (cd "$root/infra" && PATH="$sam:$PATH" "$sam/sam" build --parameter-overrides Architecture=x86_64) || return 1
    for name in Reset Validate Complete Mail; do
        [ -x "$root/infra/.aws-sam/build/${name}Function/bootstrap" ] || { echo "no bootstrap of $name"; return 1; }
    done
}
check "sam build" build
export REKEY_ARTEFACTS=$root/infra/.aws-sam/build REKEY_SAM=$sam/sam

results=$(mktemp)
(cd "$here" && "$tests/python" -m pytest -q -n 4 --dist worksteal -p no:cacheprovider --junitxml="$results" "$@")
status=$?
# From pytest's report: the number of tests, and of those that did not pass.
total=$(sed -n 's/.*<testsuite [^>]*tests="\([0-9]*\)".*/\1/p' "$results")
bad=$(sed -n 's/.*<testsuite [^>]*errors="\([0-9]*\)" failures="\([0-9]*\)" skipped="\([0-9]*\)".*/\1 + \2 + \3/p' "$results")
rm -f "$results"
bad=$((${bad:-1}))
passed=$((passed + ${total:-0} - bad))
failed=$((failed + bad))
# pytest may also fail without a failed test, such as when it finds none.
[ "$status" -eq 0 ] || [ "$bad" -gt 0 ] || failed=$((failed + 1))
echo "infra: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
