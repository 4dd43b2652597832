"""The code of infra/ACCOUNTS.md that verifies passwords, on hashes that Rekey wrote and on one of another bcrypt."""

import json
import subprocess
import sys

import bcrypt
import pytest

from accounts_page import blocks, section
from template import INFRA

ROOT = INFRA.parent
PASSWORD, LONG = "correct horse battery staple", "correct horse battery staple " * 4
PACKAGES = ("@node-rs/argon2@2.2.1", "bcryptjs@3.0.3")
CALL = """
const [stored, password] = JSON.parse(process.argv[2]);
console.log(await isPassword(stored ?? undefined, password));
"""


def output(command, **options):
    ended = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def hashes():
    """Rekey's argon2id, Rekey's bcrypt, and a bcrypt hash of an account that never reset."""
    output(["cargo", "build", "--quiet", "--workspace", "--example", "hash"], cwd=ROOT)
    written = output([ROOT / "target" / "debug" / "examples" / "hash", PASSWORD]).splitlines()
    assert [one[:9] for one in written] == ["$argon2id", "$2b$12$" + written[1][7:9]]
    return [*written, bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(10)).decode()]


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    folder = tmp_path_factory.mktemp("node")
    (folder / "package.json").write_text('{"type": "module"}')
    output(["npm", "install", "--silent", "--no-audit", "--no-fund", *PACKAGES], cwd=folder)
    (code,) = blocks("js", section("Node"))
    (folder / "login.js").write_text(code + CALL)
    return lambda stored, password: json.loads(output(["node", "login.js", json.dumps([stored, password])], cwd=folder))


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    (code,) = blocks("python", section("Python"))
    file = tmp_path_factory.mktemp("python") / "login.py"
    file.write_text(code + "\n\nimport json, sys\nprint(json.dumps(is_password(*json.loads(sys.argv[1]))))\n")
    return lambda stored, password: json.loads(output([sys.executable, file, json.dumps([stored, password])]))


@pytest.mark.xdist_group("logins")
@pytest.mark.parametrize("language", ["node", "python"])
def test_a_login_takes_new_and_old_hashes_and_only_the_right_password(request, hashes, language):
    is_password = request.getfixturevalue(language)
    for stored in hashes:
        assert is_password(stored, PASSWORD) is True, stored
        assert is_password(stored, PASSWORD + "!") is False, stored
        assert is_password(stored, LONG) is False, stored
    assert is_password(None, PASSWORD) is False
