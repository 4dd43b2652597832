"""Generates a client in Python and one in TypeScript from the document, and walks resets with each."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import yaml

CLIENTS = pathlib.Path(__file__).resolve().parent / "clients"
BIN = pathlib.Path(sys.executable).parent


class Failure(Exception):
    """A client that could not be generated, or does not work."""


def check(stack, document, key):
    """Returns the number of clients that fail. `key` is an API key for invitations."""
    paths = yaml.safe_load(document.read_text())["paths"]
    operations = {
        operation["operationId"]: f"{method.upper()} {path}" for path, item in paths.items() for method, operation in item.items()
    }
    failed = 0
    for name, client in (("openapi-python-client", python), ("openapi-typescript", typescript)):
        directory = stack.directory / name
        directory.mkdir()
        try:
            client(document, directory, operations, (stack.api, stack.mail, key))
            print(f"ok    {name}: a client with all {len(operations)} operations, each called", flush=True)
        except Failure as failure:
            print(f"FAIL  {name}: {failure}", flush=True)
            failed += 1
    return failed


def python(document, directory, operations, arguments):
    generate = [BIN / "openapi-python-client", "generate", "--path", document, "--meta", "none", "--fail-on-warning"]
    run([*generate, "--output-path", directory / "rekey"], directory)
    called = run([sys.executable, CLIENTS / "walk.py", *arguments], directory, PYTHONPATH=str(directory))
    require(set(json.loads(called)), set(operations))


def typescript(document, directory, operations, arguments):
    for name in ("package.json", "tsconfig.json", "walk.ts"):
        shutil.copy(CLIENTS / name, directory)
    (directory / "node_modules").symlink_to(CLIENTS / "node_modules")
    tools = directory / "node_modules/.bin"
    run([tools / "openapi-typescript", document, "-o", "rekey.ts"], directory)
    _, _, types = (directory / "rekey.ts").read_text().partition("export interface operations {")
    require(set(re.findall(r"^    (\w+): \{", types, re.MULTILINE)), set(operations))
    run([tools / "tsc"], directory)
    called = run(["node", "walk.js", *arguments], directory)
    require(set(json.loads(called)), set(operations.values()))


def run(command, directory, **variables):
    """Returns what `command` prints. A warning is a failure."""
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "no_proxy": "127.0.0.1", **variables}
    done = subprocess.run(
        command, cwd=directory, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode != 0 or done.stderr.strip():
        raise Failure(f"{pathlib.Path(command[0]).name} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def require(found, expected):
    if found != expected:
        raise Failure(f"left out: {sorted(expected - found)}, unexpected: {sorted(found - expected)}")
