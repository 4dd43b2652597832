"""Complete resets through the functions."""

import itertools
import json
import re
import time

from botocore.exceptions import ClientError

from functions import NAMES
from sets import SECRET

PASSWORD = "correct horse battery staple"
_number = itertools.count(1)


class Stopped(Exception):
    """A step failed."""


def _expect(step, answer, status):
    if answer[0] != status:
        raise Stopped(f"{step}: {answer}")
    return answer[1]


def _new_account(deployment):
    """A new account's address, and an IP address that no limit has counted yet."""
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


def _mails_to(deployment, address):
    return [mail for mail in deployment.aws.mails() if mail.destinations["ToAddresses"] == [address]]


def _mail(deployment, address, subject):
    """Delivers the orders, and returns the mail's body."""
    _deliver(deployment)
    for mail in _mails_to(deployment, address):
        if mail.subject.startswith(subject):
            if mail.source != deployment.parameters["MailFrom"]:
                raise Stopped(f"mail from {mail.source}")
            return mail.body
    raise Stopped(f"no mail {subject!r}")


def _token(deployment, address):
    """The reset token in the mail to `address`, from a link to the configured page."""
    base = re.escape(deployment.variables["mail"]["RESET_LINK"])
    body = _mail(deployment, address, "Reset your ")
    link = re.search(rf'{base}#token=(\w+)', body)
    if not link:
        raise Stopped("no link to the page")
    return link[1]


def _check_password(deployment, address, before):
    after = deployment.account(address)
    password_hash = after.pop(deployment.parameters["AccountsPasswordHash"])["S"]
    changed_at = int(after.pop(deployment.parameters["AccountsPasswordChangedAt"])["N"])
    prefix = {"argon2id": "$argon2id$", "bcrypt": "$2b$12$"}[deployment.parameters["PasswordHash"]]
    if not password_hash.startswith(prefix) or abs(changed_at / 1000 - time.time()) > 60 or after != before:
        raise Stopped(f"the account is {after}")


def walk(deployment, losing=0):
    """The three documented steps, with a check of the token and the password before the last. Raises `Stopped` if a step fails. DynamoDB
    executes each step's first `losing` transactions, but their answers are lost."""

    def lose_answers():
        deployment.aws.losing_next(losing)

    reset, validate, complete = map(deployment.function, ("reset", "validate", "complete"))
    address, ip = _new_account(deployment)
    before = deployment.account(address)
    opened = _expect("reset", reset.call("POST", "/organizations/reset-password/", {"email": address}, ip=ip), 200)
    token = json.loads(opened)["reset_token"]
    path = "/organizations/complete-password/"
    lose_answers()
    _expect("order", validate.call("GET", path, {"email": address}, query=f"token={token}", ip=ip), 204)
    lose_answers()
    reset_token = _token(deployment, address)
    _deliver(deployment, again=True)
    if len(_mails_to(deployment, address)) != 1:
        raise Stopped("a second mail")
    _expect("validate", validate.call("GET", path, query=f"token={reset_token}", ip=ip), 204)
    _expect("check password", complete.call("POST", "/auth/reset/validate-password", {"password": PASSWORD}, ip=ip), 200)
    lose_answers()
    _expect("complete", complete.call("POST", path, {"token": reset_token, "password": PASSWORD}, ip=ip), 204)
    deployment.aws.losing_next(0)
    _check_password(deployment, address, before)
    _mail(deployment, address, "Your password")


def walk_other_calls(deployment):
    """Everything else: Unleash's routes, errors, addresses without an active account, API keys."""
    reset, validate, complete = map(deployment.function, ("reset", "validate", "complete"))
    address, ip = _new_account(deployment)
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
    if deployment.parameters["AccountsConditions"]:
        deployment.add_account(banned, is_active=False)
    _expect("banned", validate.call("POST", "/auth/reset/password-email", {"email": banned}, ip=ip), 200)
    _deliver(deployment)
    for address_without_mail in (nobody["email"], banned):
        if _mails_to(deployment, address_without_mail):
            raise Stopped(f"a mail to {address_without_mail}")
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
            # The address had its one mail of this minute. The account was looked up before that.
            continue
        _expect("trusted order", asked, status)


def walk_failed_mail(deployment):
    """The mail to an account with an invalid time of change fails permanently, and gets an entry in the dead-letter queue."""
    validate = deployment.function("validate")
    address, ip = _new_account(deployment)
    deployment.damage_account(address)
    before = deployment.lost()
    _expect("order", validate.call("POST", "/auth/reset/password-email", {"email": address}, ip=ip), 200)
    _deliver(deployment)
    if deployment.lost() != before + 1:
        raise Stopped("no entry in the dead-letter queue")


def start(deployment):
    """The read with which each function warms up when it starts. A function ignores its failure, so this makes the same call."""
    for function in NAMES:
        try:
            client = deployment.client("dynamodb", function)
            client.get_item(TableName=deployment.tokens, Key={"pk": {"S": "warm-up"}}, ConsistentRead=True)
        except ClientError as denied:
            raise Stopped(f"{function} does not warm up: {denied}") from None


def walk_from_ipv6(deployment):
    """A request and dead tokens from an IPv6 address, of which the /48 is counted too."""
    reset, validate, complete = map(deployment.function, ("reset", "validate", "complete"))
    ip, path = f"2001:db8:{next(_number):x}::9", "/organizations/complete-password"
    _expect("reset", reset.call("POST", "/organizations/reset-password", {"email": "nobody@example.org"}, ip=ip), 200)
    _expect("dead token", validate.call("GET", path, query="token=aaaaaaaaaaaaaaaaaaaa", ip=ip), 404)
    body = {"token": "aaaaaaaaaaaaaaaaaaaa", "password": PASSWORD}
    _expect("dead token", complete.call("POST", path, body, ip=ip), 404)


def walk_with_lost_answers(deployment):
    """More answers are lost than the functions retry."""
    walk(deployment, losing=30)


WALKS = (start, walk, walk_other_calls, walk_failed_mail, walk_from_ipv6, walk_with_lost_answers)
