"""Calls every operation through the Python client that openapi-python-client generates as the package `rekey`, and prints their ids.

    walk.py API MAIL KEY
"""

import importlib
import json
import pkgutil
import re
import sys
import time

import httpx
import rekey.api
from rekey import AuthenticatedClient, Client
from rekey.models import (
    EmailOnly,
    LiveResetToken,
    OptionalEmailOnly,
    PasswordAndOptionalToken,
    PasswordProblemCode,
    Problem,
    ProblemCode,
    TokenAndOptionalEmail,
    TokenAndPassword,
    UnleashError,
    UnleashTokenUser,
)

API, MAIL, KEY = sys.argv[1:]
EMAIL, PASSWORD = "mrbailey@projectthanos.com", "seven quiet otters cross"
MODULES = {name.rpartition(".")[2]: name for _, name, _ in pkgutil.walk_packages(rekey.api.__path__, "rekey.api.")}

anonymous = Client(API, raise_on_unexpected_status=True)
trusted = AuthenticatedClient(API, token=KEY, raise_on_unexpected_status=True)
called = set()


def call(operation, status, client=anonymous, **arguments):
    """Calls the operation with this id; returns its parsed answer, which must have this `status`."""
    called.add(operation)
    module = importlib.import_module(MODULES[re.sub(r"(?=[A-Z])", "_", operation).lower()])
    answer = module.sync_detailed(client=client, **arguments)
    assert answer.status_code == status, (operation, answer)
    return answer.parsed


def tokens():
    """The reset tokens that were mailed, newest first."""
    mails = httpx.get(f"{MAIL}/messages").json()
    found = (re.search(r"#token=(\w{20})", mail["text"]) for mail in mails if mail["to"] == EMAIL)
    return [match[1] for match in found if match]


def mailed(order):
    """The token in the mail that `order` has sent."""
    before = tokens()
    order()
    deadline = time.monotonic() + 20
    while len(tokens()) == len(before) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(tokens()) > len(before), "no mail"
    return tokens()[0]


def reset(open_request, validate, set_password, address):
    request = call(open_request, 200, body=EmailOnly(EMAIL)).reset_token
    token = mailed(lambda: call(validate, 204, token=request, **address))
    call(validate, 204, token=token)
    live = call("validateTokenInBody", 200, body=TokenAndOptionalEmail(token))
    assert isinstance(live, LiveResetToken) and live.email == EMAIL
    refused = call(set_password, 422, body=TokenAndPassword(token, "short"))
    assert refused.errors[0].code is PasswordProblemCode.PASSWORD_TOO_SHORT
    call(set_password, 204, body=TokenAndPassword(token, PASSWORD))
    dead = call(set_password, 404, body=TokenAndPassword(token, PASSWORD))
    assert isinstance(dead, Problem) and dead.code is ProblemCode.TOKEN_NOT_LIVE


reset("openResetRequest", "validateTokenOrShowPage", "setPassword", {"email": EMAIL})
reset("openResetRequestTimp", "validateTokenTimp", "setPasswordTimp", {"body": OptionalEmailOnly(EMAIL)})
reset("openResetRequestApi", "validateTokenApi", "setPasswordApi", {})

token = mailed(lambda: call("unleashRequestMail", 200, body=EmailOnly(EMAIL)))
user = call("unleashValidateToken", 200, token=token)
assert isinstance(user, UnleashTokenUser) and user.email == EMAIL
refused = call("unleashValidatePassword", 400, body=PasswordAndOptionalToken("short", token))
assert isinstance(refused, UnleashError) and refused.details[0].errors[0].code is PasswordProblemCode.PASSWORD_TOO_SHORT
call("unleashValidatePassword", 200, body=PasswordAndOptionalToken(PASSWORD, token))
call("unleashSetPassword", 200, body=TokenAndPassword(token, PASSWORD))

call("invite", 401, body=EmailOnly(EMAIL))

token = mailed(lambda: call("invite", 204, client=trusted, body=EmailOnly(EMAIL)))
call("setPassword", 204, body=TokenAndPassword(token, PASSWORD))

for page in ("showForgotPage", "validateTokenOrShowPage"):
    assert call(page, 200).startswith("<!doctype html>"), page

print(json.dumps(sorted(called)))
