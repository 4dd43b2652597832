#!/bin/sh
# Checks the infrastructure: linters, `sam build`, and the tests in this directory on the build artefacts. Needs Rust, Python, and the
# network for uv or pip the first time. Needs no AWS account.
#
#   tests/infra/run.sh [arguments for pytest]
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
passed=0
failed=0

# Nothing here may call AWS or wait for instance metadata. sam needs a region, but no account.
unset AWS_PROFILE AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
export AWS_DEFAULT_REGION=eu-west-1 AWS_EC2_METADATA_DISABLED=true SAM_CLI_TELEMETRY=0

. "$here/../python.sh"
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

# Builds for x86_64: arm64 would be cross-compiled, for which CI has no target.
build() {
    (cd "$root/infra" && PATH="$sam:$PATH" "$sam/sam" build --parameter-overrides Architecture=x86_64) || return 1
    for name in Reset Validate Complete Mail; do
        [ -x "$root/infra/.aws-sam/build/${name}Function/bootstrap" ] || { echo "no bootstrap of $name"; return 1; }
    done
    for part in Sender Events Monitoring; do
        grep -q "TemplateURL: $part/template.yaml" "$root/infra/.aws-sam/build/template.yaml" || { echo "no stack $part"; return 1; }
    done
}

# The build takes longest, and most of the rest needs no compiler: they run side by side. Each one's output goes to a file.
begin() {
    "$1" >"$logs/$1" 2>&1 &
    echo $! >"$logs/$1.pid"
}

end() {
    if wait "$(cat "$logs/$2.pid")"; then
        passed=$((passed + 1))
        echo "ok    $1"
    else
        failed=$((failed + 1))
        echo "FAIL  $1"
        cat "$logs/$2"
    fi
}

templates="template.yaml sender.yaml events.yaml monitoring.yaml cloudfront.yaml"
cfn_lint() { (cd "$root/infra" && "$tests/cfn-lint" -r "$AWS_DEFAULT_REGION" -- $templates); }
sam_lint() { "$sam/sam" validate --lint --template "$root/infra/template.yaml"; }
samconfig() { "$sam/python" "$here/samconfig.py"; }
scan() { (cd "$root/infra" && "$checkov/checkov" --config-file "$here/checkov.yaml" $(printf -- '--file %s ' $templates)); }

sam=$(environment sam requirements-sam.txt) || exit 2
begin build
tests=$(environment infra requirements.txt) || exit 2
checkov=$(environment checkov requirements-checkov.txt) || exit 2
export REKEY_SAM="$sam/sam"

for linter in cfn_lint sam_lint samconfig scan; do
    begin "$linter"
done

# Runs the tests that need the functions, or those that do not, in some processes. pytest exits with 5 if none is selected, and may also
# fail without a failed test.
run() {
    selected=$1 processes=$2
    shift 2
    (cd "$here" && "$tests/python" -m pytest -q -n "$processes" --dist loadgroup -p no:cacheprovider --junitxml="$logs/results" -m "$selected" "$@")
    status=$?
    total=$(sed -n 's/.*<testsuite [^>]*tests="\([0-9]*\)".*/\1/p' "$logs/results")
    bad=$(sed -n 's/.*<testsuite [^>]*errors="\([0-9]*\)" failures="\([0-9]*\)" skipped="\([0-9]*\)".*/\1 + \2 + \3/p' "$logs/results")
    bad=$((${bad:-1}))
    passed=$((passed + ${total:-0} - bad))
    failed=$((failed + bad))
    case $status in 0 | 5) ;; *) [ "$bad" -gt 0 ] || failed=$((failed + 1)) ;; esac
}

run "not functions" 2 "$@"
end "cfn-lint" cfn_lint
end "sam validate --lint" sam_lint
end "samconfig.toml" samconfig
end "checkov" scan
end "sam build" build
export REKEY_ARTEFACTS="$root/infra/.aws-sam/build"
# They mostly wait for functions that try again.
run "functions" 4 "$@"
echo "infra: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
