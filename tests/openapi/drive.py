"""Walks a reset with generated clients. Runs schemathesis against local stacks with different settings, and compares the statuses seen
with the documented ones."""

import contextlib
import hashlib
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import yaml

import generated

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = (ROOT / os.environ.get("CARGO_TARGET_DIR", "target")).resolve()
DOCUMENT = ROOT / "infra/openapi.yaml"
SEED = os.environ.get("REKEY_SEED") or str(random.getrandbits(32))

# Enough for a cold build of the functions on a small machine.
READY_WITHIN_SECONDS = 900

# The limits per IP address count in fixed windows of the clock.
IP_WINDOW_SECONDS = 600

# 503 needs a fault of DynamoDB.
UNREACHABLE = {503}

CHEAP_HASHES = {"ARGON2_MEMORY_KIB": "19456", "ARGON2_ITERATIONS": "2", "ARGON2_LANES": "1"}
SCOPES = {"every": "reset+validate+complete+invite", "invites": "invite", "first": "reset", "last": "complete"}


def limits(limit):
    return {f"LIMIT_{what}": limit for what in ("RESET_PER_IP", "MAIL_PER_ADDRESS", "BAD_TOKEN_PER_IP")}


def api_keys():
    """Four API keys; each key is its own name."""
    return ",".join(f"{key}:{scopes}:{hashlib.sha256(key.encode()).hexdigest()}" for key, scopes in SCOPES.items())


@dataclass
class Run:
    name: str
    phases: str
    examples: int
    """The number of random cases for each operation."""
    key: str = ""
    live: bool = True
    """Whether hooks.py inserts live tokens."""
    password_checks: int = 0
    """The number of passwords to check before the run."""


# The settings of each stack, and the runs against it.
STACKS = [
    # The limit allows 25 password checks without a live token for each dead token.
    (
        {**limits("1"), "API_KEYS": api_keys()},
        [
            Run("throttled", "examples,fuzzing", 30, live=False, password_checks=25),
            Run("throttled, with a key for invitations only", "examples,fuzzing", 10, key="invites", live=False),
        ],
    ),
    (limits("0"), [Run("without API keys", "examples,coverage,fuzzing", 40)]),
    (
        {**limits("0"), "API_KEYS": api_keys(), "REQUIRE_API_KEY": "true"},
        [
            Run("with a key", "examples,coverage,fuzzing", 10, key="every"),
            Run("without the key", "examples,fuzzing", 5, live=False),
            Run("with a key for reset only", "examples,fuzzing", 5, key="first", live=False),
            Run("with a key for complete only", "examples,fuzzing", 5, key="last", live=False),
        ],
    ),
    (
        {**limits("0"), "ORIGIN_SECRETS": hashlib.sha256(b"secret of a CDN").hexdigest()},
        [Run("bypassing CloudFront", "examples,fuzzing", 2, live=False)],
    ),
]


# What runs now: the stacks, and schemathesis.
RUNNING = set()
INTERRUPTED = threading.Event()


@contextlib.contextmanager
def running(command, **options):
    """Starts a process, and always ends it."""
    if INTERRUPTED.is_set():
        raise InterruptedError
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, **options) as process:
        RUNNING.add(process)
        try:
            yield process
        finally:
            RUNNING.discard(process)
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def interrupt(number, _):
    """Ends what runs, and with it the jobs."""
    INTERRUPTED.set()
    for process in list(RUNNING):
        process.terminate()
    sys.exit(128 + number)


def main():
    for interruption in (signal.SIGINT, signal.SIGTERM):
        signal.signal(interruption, interrupt)
    print(f"seed {SEED}: REKEY_SEED={SEED} generates the same cases", flush=True)
    work = TARGET / "openapi"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    seen = work / "seen"
    seen.touch()

    def clients():
        with local_stack(work / "clients", {**limits("0"), "API_KEYS": api_keys()}) as stack:
            return 1 if stack is None else generated.check(stack, DOCUMENT, key="invites")

    def cases(number, settings, runs):
        with local_stack(work / f"stack-{number}", settings) as stack:
            return 1 if stack is None else sum(schemathesis(run, stack, settings, seen) for run in runs)

    # Each mostly waits for another process.
    with ThreadPoolExecutor(3) as pool:
        jobs = [pool.submit(cases, number, *stack) for number, stack in enumerate(STACKS)]
        jobs.append(pool.submit(clients))
    failed = sum(job.result() for job in jobs)
    statuses = defaultdict(Counter)
    for line in seen.read_text().splitlines():
        status, operation = line.split(" ", 1)
        statuses[operation][int(status)] += 1
    documented = documented_statuses()
    print_table(documented, statuses)
    # After a failure, statuses may be missing for that reason.
    if not failed:
        for operation, expected in documented.items():
            for status in sorted(expected - UNREACHABLE - set(statuses[operation])):
                print(f"FAIL  {operation} never answered {status}")
                failed += 1
    total = sum(counter.total() for counter in statuses.values())
    print(f"openapi: {len(documented)} operations, {total} cases, {failed} failed")
    return 1 if failed else 0


@dataclass
class Stack:
    api: str
    mail: str
    directory: pathlib.Path
    log: pathlib.Path


@contextlib.contextmanager
def local_stack(directory, settings):
    """Starts a new stack, and always ends it. Yields None if it does not start."""
    directory.mkdir()
    log = directory / "log"
    api, dynamodb, mail = free_ports(3)
    ports = ["--api-port", api, "--dynamodb-port", dynamodb, "--mail-port", mail]
    command = [TARGET / "debug/local", *map(str, ports), "--data-dir", directory / "data"]
    environment = {**os.environ, **CHEAP_HASHES, **settings}
    with log.open("wb") as output, running(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT) as process:
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while process.poll() is None and time.monotonic() < deadline and not is_ready(log):
            time.sleep(0.2)
        if is_ready(log):
            yield Stack(f"http://127.0.0.1:{api}", f"http://127.0.0.1:{mail}", directory, log)
        else:
            print("FAIL  the local stack does not start")
            print_log(log)
            yield None


def free_ports(count):
    with contextlib.ExitStack() as opened:
        sockets = [opened.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def check_password(stack):
    body = json.dumps({"password": "short"}).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{stack.api}/auth/reset/validate-password", body, headers)
    try:
        urllib.request.urlopen(request, timeout=30).close()
    except urllib.error.HTTPError as answer:
        answer.close()


def wait_for_window():
    """Waits for the next window of the per-IP limits if this one ends soon: checks that are counted in one window must not have their
    answer in the next."""
    left = IP_WINDOW_SECONDS - time.time() % IP_WINDOW_SECONDS
    if left < 120:
        time.sleep(left)


def schemathesis(run, stack, settings, seen):
    """Executes `run`; returns the number of failures."""
    report = stack.directory / "report.json"
    report.unlink(missing_ok=True)
    command = [pathlib.Path(sys.executable).with_name("st"), "--config-file", HERE / "schemathesis.toml", "run", DOCUMENT]
    command += ["--no-color", "--url", stack.api, "--seed", SEED, "--report", "json", "--report-json-path", report]
    command += ["--phases", run.phases, "--max-examples", str(run.examples)]
    if run.key:
        command += ["--header", f"Authorization: Bearer {run.key}"]
    environment = {
        "SCHEMATHESIS_HOOKS": str(HERE / "hooks.py"),
        "HYPOTHESIS_STORAGE_DIRECTORY": str(stack.directory / "hypothesis"),
        "REKEY_API": stack.api,
        "REKEY_MAIL": stack.mail,
        "REKEY_SEEN": str(seen),
        "REKEY_KEY": run.key,
        "REKEY_KEYS_REQUIRED": settings.get("REQUIRE_API_KEY", "false"),
        "REKEY_LIVE": "true" if run.live else "false",
        "no_proxy": "127.0.0.1",
    }
    if run.password_checks:
        wait_for_window()
    for _ in range(run.password_checks):
        check_password(stack)
    started = time.monotonic()
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "errors": "replace"}
    with running(command, cwd=stack.directory, env={**os.environ, **environment}, **options) as process:
        output, _ = process.communicate()
    seconds = round(time.monotonic() - started)
    if process.returncode == 0:
        cases = json.loads(report.read_text())["test_cases"]["generated"]
        print(f"ok    {run.name}: {cases} cases in {seconds} s", flush=True)
        return 0
    print(f"FAIL  {run.name}, after {seconds} s:\n{output}")
    print_log(stack.log)
    found = json.loads(report.read_text())["test_cases"]["unique_failures"] if report.exists() else 0
    return max(found, 1)


def is_ready(log):
    return any(line.startswith("ready ") for line in lines(log))


def lines(log):
    return log.read_text(errors="replace").splitlines()


def print_log(log):
    print("The end of the stack's log:", *lines(log)[-40:], sep="\n", flush=True)


def documented_statuses():
    """The statuses of each operation, as `METHOD /path`."""
    paths = yaml.safe_load(DOCUMENT.read_text())["paths"]
    return {
        f"{method.upper()} {path}": set(map(int, operation["responses"]))
        for path, operations in paths.items()
        for method, operation in operations.items()
    }


def print_table(documented, statuses):
    """Prints how often each operation answered each status; 0 if a documented status was not seen."""
    columns = sorted(set().union(*documented.values(), *statuses.values()))
    width = max(map(len, documented)) + 1
    print(" " * width, *(f"{status:>5}" for status in columns), sep="")
    for operation, expected in documented.items():
        counts = statuses[operation]
        cells = (str(counts[status]) if status in counts or status in expected else "" for status in columns)
        print(f"{operation:<{width}}", *(f"{cell:>5}" for cell in cells), sep="")


if __name__ == "__main__":
    sys.exit(main())
