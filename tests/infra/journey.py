"""Whole resets through the three functions, as far as they come."""

import itertools
import json
import re
import time

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


def _mail(deployment, address, subject):
    """The mail's body. It leaves after the reply, so it may take a moment."""
    for _ in range(100):
        for mail in deployment.aws.mails():
            if mail.destinations["ToAddresses"] == [address] and mail.subject.startswith(subject):
                if mail.source != deployment.parameters["MailFrom"]:
                    raise Stopped(f"mail from {mail.source}")
                return mail.body
        time.sleep(0.02)
    raise Stopped(f"no mail {subject!r}")


def _check_password(deployment, address, before):
    after = deployment.account(address)
    password_hash = after.pop(deployment.parameters["AccountsPasswordHash"])["S"]
    changed_at = int(after.pop(deployment.parameters["AccountsPasswordChangedAt"])["N"])
    if not password_hash.startswith("$argon2id$") or abs(changed_at / 1000 - time.time()) > 60 or after != before:
        raise Stopped(f"the account is {after}")


def walk(deployment):
    """The three documented steps, and a look at the password before the last. Raises `Stopped` at the first that fails."""
    reset, validate, complete = map(deployment.function, ("reset", "validate", "complete"))
    address, ip = _newcomer(deployment)
    before = deployment.account(address)
    opened = _expect("reset", reset.call("POST", "/organizations/reset-password/", {"email": address}, ip=ip), 200)
    token = json.loads(opened)["reset_token"]
    path = "/organizations/complete-password/"
    _expect("mail", validate.call("GET", path, {"email": address}, query=f"token={token}", ip=ip), 204)
    link = re.search(r'https://[^"<\s]+#token=(\w+)', _mail(deployment, address, "Set a new password"))
    base = deployment.variables["validate"]["RESET_LINK"]
    if not link[0].startswith(base or "https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/"):
        raise Stopped(f"link {link[0]}")
    _expect("validate", validate.call("GET", path, query=f"token={link[1]}", ip=ip), 204)
    _expect("judge", complete.call("POST", "/auth/reset/validate-password", {"password": PASSWORD}, ip=ip), 200)
    _expect("complete", complete.call("POST", path, {"token": link[1], "password": PASSWORD}, ip=ip), 204)
    _check_password(deployment, address, before)
    _mail(deployment, address, "Your password")


def walk_aside(deployment):
    """What else the functions do: Unleash's routes, refusals, addresses without an account."""
    reset, validate, complete = map(deployment.function, ("reset", "validate", "complete"))
    address, ip = _newcomer(deployment)
    before = deployment.account(address)
    _expect("unleash mail", validate.call("POST", "/auth/reset/password-email", {"email": address}, ip=ip), 200)
    token = re.search(r"#token=(\w+)", _mail(deployment, address, "Set a new password"))[1]
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
    for function in (reset, validate, complete):
        function.idle()
    if [mail for mail in deployment.aws.mails() if mail.destinations["ToAddresses"] == [nobody["email"]]]:
        raise Stopped("a mail to nobody")
