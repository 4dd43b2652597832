"""Hooks for schemathesis: live tokens, the size limit, and errors that the schemas cannot express."""

import json
import os
import re
import time
from itertools import cycle

import requests
import schemathesis

API, MAIL = os.environ["REKEY_API"], os.environ["REKEY_MAIL"]
KEY, KEYS_REQUIRED = os.environ["REKEY_KEY"], os.environ["REKEY_KEYS_REQUIRED"] == "true"
LIVE = os.environ["REKEY_LIVE"] == "true"
SEEN = os.environ["REKEY_SEEN"]

# The account of the reset tokens. No case uses its address, so no other reset supersedes them.
ACCOUNT = "nick@dobaretailer.com"
# The addresses of requests in cases without an address.
ADDRESSES = cycle(["some@one.com", "user@someretailer.com"])

# The account of all invitations, so that its limit is reached.
INVITED = "some@one.com"

# schemathesis's codes of the failures that are dropped below.
NEGATIVE_ACCEPTED, POSITIVE_REJECTED = "ST201", "ST202"


class Tokens:
    """Gets live tokens as a client does."""

    def __init__(self):
        self.http = requests.Session()
        if KEY:
            self.http.headers["Authorization"] = f"Bearer {KEY}"
        self.reset = None

    def reset_token(self):
        """A reset token that was not used yet."""
        if self.reset is None:
            before = len(self.links())
            token = self.open(ACCOUNT)
            answer = self.http.post(f"{API}/organizations/validate-password-reset/", json={"token": token}, timeout=30)
            answer.raise_for_status()
            deadline = time.monotonic() + 10
            while len(self.links()) == before and time.monotonic() < deadline:
                time.sleep(0.02)
            self.reset = self.links()[0]
        return self.reset

    def open(self, address):
        """A request token for `address`; None if the address is invalid."""
        answer = self.http.post(f"{API}/organizations/reset-password/", json={"email": address}, timeout=30)
        return answer.json().get("reset_token")

    def links(self):
        """The tokens mailed to ACCOUNT, newest first. Notices of a changed password have none."""
        mails = requests.get(f"{MAIL}/messages", timeout=30).json()
        found = (re.search(r"#token=(\w{20})", mail["text"]) for mail in mails if mail["to"] == ACCOUNT)
        return [match[1] for match in found if match]


TOKENS = Tokens()


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Adds the media type `text/plain`, which the document gives in words only. The document covers every deployment: if keys are
    required, removes the anonymous alternative, so that the check `ignored_auth` applies to every operation."""
    content = raw_schema["components"]["requestBodies"]["OptionalEmail"]["content"]
    content["text/plain"] = {"schema": {"type": "string"}, "examples": {"address": {"value": '{"email":"ada@example.com"}'}}}
    if KEYS_REQUIRED:
        raw_schema["security"].remove({})


@schemathesis.hook
def before_add_examples(context, examples):
    """Adds bodies that are too large, which a schema cannot express."""
    for example in examples[:]:
        if isinstance(example.body, dict):
            body = {**example.body, "padding": "x" * 16 * 1024}
            examples.append(context.operation.Case(query=example.query, body=body, media_type=example.media_type))


@schemathesis.hook
def filter_body(context, body):
    """Drops bodies that are not UTF-8: `cargo lambda watch` itself answers them with 500, because its events have JSON as text. The
    Rust tests cover them, as base64 in events."""
    try:
        return not isinstance(body, bytes) or body.decode() is not None
    except UnicodeDecodeError:
        return False


@schemathesis.hook
def before_call(context, case, kwargs):
    """Replaces the document's example tokens with live ones, and its address with an account's where none must have a token, without
    modifying the examples, which cases share."""
    body = fields_of(case.body)
    if KEY and case.path == "/organizations/invite/" and body == {"email": "ada@example.com"}:
        case.body = {"email": INVITED}
    if not LIVE:
        return
    address = next((fields["email"] for fields in (case.query, body) if isinstance(fields.get("email"), str)), None)
    if live := live_token(case.query, address):
        case.query = {**case.query, "token": live}
    if live := live_token(body, address):
        body = {**body, "token": live}
        case.body = json.dumps(body) if isinstance(case.body, str) else body


def live_token(fields, address):
    match fields.get("token"):
        case "ExampleRequestToken1":
            return TOKENS.open(address or next(ADDRESSES))
        case "ExampleResetToken123":
            return TOKENS.reset_token()


@schemathesis.hook
def after_call(context, case, response):
    """Records the status for the table, and drops a reset token that was used."""
    with open(SEEN, "a") as seen:
        seen.write(f"{response.status_code} {context.operation.label}\n")
    body = fields_of(case.body)
    if response.status_code < 300 and "password" in body and body.get("token") == TOKENS.reset:
        TOKENS.reset = None


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Drops failures that are by design."""
    reasons = (page, text_is_not_json, addresses_differ, password_refused)
    return not any(reason(failure.code, response) for reason in reasons)


def page(code, response):
    """Without a token the answer is the page, even with an invalid address in the query."""
    is_page = response.headers.get("content-type") == ["text/html; charset=utf-8"]
    return code == NEGATIVE_ACCEPTED and is_page and "token=" not in response.request.url


def text_is_not_json(code, response):
    """A `text/plain` body must be a JSON object, which the schema says only in words."""
    is_text = response.request.headers.get("Content-Type") == "text/plain"
    return code == POSITIVE_REJECTED and is_text and not fields_of(response.request.body)


def addresses_differ(code, response):
    """The address in the query and the one in the body must be equal, but each has its own schema."""
    return code == POSITIVE_REJECTED and b"differs from the address in the body" in response.content


def password_refused(code, response):
    """A schema cannot say whether a password is easy to guess."""
    return code == POSITIVE_REJECTED and (
        b'"code":"password_refused"' in response.content or b'"name":"OwaspValidationError"' in response.content
    )


def fields_of(body):
    """The fields of a JSON object, given as a dict or as text; empty for anything else."""
    if isinstance(body, (str, bytes)):
        try:
            body = json.loads(body)
        except ValueError:
            return {}
    return body if isinstance(body, dict) else {}
