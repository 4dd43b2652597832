"""Whole resets through the three functions, as far as they come."""

import itertools
import json
import re
import time

from botocore.exceptions import ClientError

from sets import SECRET

PASSWORD = "correct horse battery staple"
_number = itertools.count(1)


class Stopped(Exception):
    """A step that did not succeed."""


def _expect(step, answer, status):
    if answer[0] != status:
        raise Stopped(f"{step}: {answer}")
    return answer[1]


def _newcomer(deployment):
    """An account and an IP address that no limit knows yet."""
    number = next(_number)
    address = f"ada{number}@example.org"
    deployment.add_account(address)
    return address, f"198.51.{number // 250}.{number % 250}"


def _deliver(deployment, again=False):
    try:
        deployment.deliver_again() if again else deployment.deliver()
    except ClientError as denied:
        raise Stopped(f"the stream: {denied}") from None
    except AssertionError as problem:
        raise Stopped(f"the mail function: {problem}") from None


def _mail(deployment, address, subject):
    """The mail's body, once what is ordered was delivered."""
    _deliver(deployment)
    for mail in deployment.aws.mails():
        if mail.destinations["ToAddresses"] == [address] and mail.subject.startswith(subject):
            if mail.source != deployment.parameters["MailFrom"]:
                raise Stopped(f"mail from {mail.source}")
            return mail.body
    raise Stopped(f"no mail {subject!r}")


def _token(deployment, address):
    """The reset token in the mail to `address`, from a link that leads where it should."""
    base = re.escape(deployment.variables["mail"]["RESET_LINK"])
    body = _mail(deployment, address, "Set a new password")
    link = re.search(rf'{base}#token=(\w+)', body)
    if not link:
        raise Stopped("no link to the page")
    return link[1]


def _check_password(deployment, address, before):
    after = deployment.account(address)
    password_hash = after.pop(deployment.parameters["AccountsPasswordHash"])["S"]
    changed_at = int(after.pop(deployment.parameters["AccountsPasswordChangedAt"])["N"])
    if not password_hash.startswith("$argon2id$") or abs(changed_at / 1000 - time.time()) > 60 or after != before:
        raise Stopped(f"the account is {after}")


def walk(deployment):
    """The three documented steps, and a look at the password before the last. Raises `Stopped` at the first that fails."""
    _walk(deployment)


def walk_unanswered(deployment):
    """The same, while DynamoDB does each transaction and fails to say so, for longer than it is asked again."""
    _walk(deployment, losing=30)


def _walk(deployment, losing=0):
    def transaction():
        deployment.aws.losing_next(losing)

    reset, validate, complete = map(deployment.function, ("reset", "validate", "complete"))
    address, ip = _newcomer(deployment)
    before = deployment.account(address)
    opened = _expect("reset", reset.call("POST", "/organizations/reset-password/", {"email": address}, ip=ip), 200)
    token = json.loads(opened)["reset_token"]
    path = "/organizations/complete-password/"
    transaction()
    _expect("order", validate.call("GET", path, {"email": address}, query=f"token={token}", ip=ip), 204)
    transaction()
    reset_token = _token(deployment, address)
    mails = len(deployment.aws.mails())
    _deliver(deployment, again=True)
    if len(deployment.aws.mails()) != mails:
        raise Stopped("a second mail")
    _expect("validate", validate.call("GET", path, query=f"token={reset_token}", ip=ip), 204)
    _expect("judge", complete.call("POST", "/auth/reset/validate-password", {"password": PASSWORD}, ip=ip), 200)
    transaction()
    _expect("complete", complete.call("POST", path, {"token": reset_token, "password": PASSWORD}, ip=ip), 204)
    deployment.aws.losing_next(0)
    _check_password(deployment, address, before)
    _mail(deployment, address, "Your password")


def walk_aside(deployment):
    """What else the functions do: Unleash's routes, refusals, addresses without an account or not to be served, keys."""
    reset, validate, complete = map(deployment.function, ("reset", "validate", "complete"))
    address, ip = _newcomer(deployment)
    before = deployment.account(address)
    _expect("unleash mail", validate.call("POST", "/auth/reset/password-email", {"email": address}, ip=ip), 200)
    token = _token(deployment, address)
    shown = _expect("unleash token", validate.call("GET", "/auth/reset/validate", query=f"token={token}", ip=ip), 200)
    if json.loads(shown)["email"] != address or json.loads(shown)["name"] != "Ada":
        raise Stopped(shown)
    body = {"token": token, "password": PASSWORD}
    _expect("unleash password", complete.call("POST", "/auth/reset/password", body, ip=ip), 200)
    _check_password(deployment, address, before)

    nobody = {"email": f"nobody-{address}"}
    opened = _expect("reset", reset.call("POST", "/api/organizations/reset-password", nobody, ip=ip), 200)
    query = f"token={json.loads(opened)['reset_token']}"
    _expect("nobody", validate.call("GET", "/api/organizations/complete-password", query=query, ip=ip), 204)
    path = "/organizations/complete-password"
    _expect("used token", complete.call("POST", path, body, ip=ip), 404)
    _expect("dead token", validate.call("GET", path, query="token=aaaaaaaaaaaaaaaaaaaa", ip=ip), 404)
    _expect("forgot page", reset.call("GET", "/organizations/reset-password", ip=ip), 200)
    _expect("choose page", validate.call("GET", path, ip=ip), 200)
    banned = f"banned-{address}"
    if deployment.parameters["AccountsRequiredAttribute"]:
        deployment.add_account(banned, served=False)
    _expect("banned", validate.call("POST", "/auth/reset/password-email", {"email": banned}, ip=ip), 200)
    _deliver(deployment)
    for unserved in (nobody["email"], banned):
        if [mail for mail in deployment.aws.mails() if mail.destinations["ToAddresses"] == [unserved]]:
            raise Stopped("a mail to nobody")
    if deployment.parameters["ApiKeys"]:
        _walk_trusted(deployment, address, nobody["email"])


def _walk_trusted(deployment, known, unknown):
    """A back end with a key is told whether there is an account."""
    reset, validate = deployment.function("reset"), deployment.function("validate")
    for address, status in ((known, 204), (unknown, 404)):
        opened = _expect("trusted", reset.call("POST", "/organizations/reset-password", {"email": address}, key=SECRET), 200)
        query = f"token={json.loads(opened)['reset_token']}"
        asked = validate.call("GET", "/organizations/complete-password", {"email": address}, query=query, key=SECRET)
        if asked[0] == 429:
            # The address had its one mail of this minute; whether it has an account was asked before.
            continue
        _expect("trusted order", asked, status)


def walk_lost(deployment):
    """A mail fails for good, for an account whose time of change cannot be read: it ends in the queue."""
    validate = deployment.function("validate")
    address, ip = _newcomer(deployment)
    deployment.spoil_account(address)
    before = deployment.lost()
    _expect("order", validate.call("POST", "/auth/reset/password-email", {"email": address}, ip=ip), 200)
    _deliver(deployment)
    if deployment.lost() != before + 1:
        raise Stopped("no entry in the queue of lost mails")


WALKS = (walk, walk_aside, walk_lost, walk_unanswered)
