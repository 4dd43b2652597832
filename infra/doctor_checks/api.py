"""Checks of the API, from outside."""

import json
import ssl
import urllib.error
import urllib.parse
import urllib.request

from .findings import check, fail, ok, warn
from .functions import API_TIMEOUT
from .stack import FUNCTIONS

# Every route of infra/openapi.yaml: method, path, the status without a key, and the status if keys are required. A POST sends {},
# a GET no query. Each call except the pages is refused before anything is read or counted, but for /auth/reset/validate, which
# treats a missing token as a dead one.
ROUTES = (
    ("GET", "/organizations/reset-password/", 200, 404),
    ("POST", "/organizations/reset-password/", 400, 401),
    ("POST", "/timp/organizations/reset-password/", 400, 401),
    ("POST", "/api/organizations/reset-password/", 400, 401),
    ("GET", "/organizations/complete-password/", 200, 404),
    ("GET", "/timp/organizations/complete-password/", 400, 401),
    ("GET", "/api/organizations/complete-password/", 400, 401),
    ("POST", "/organizations/complete-password/", 400, 401),
    ("POST", "/timp/organizations/complete-password/", 400, 401),
    ("POST", "/api/organizations/complete-password/", 400, 401),
    ("POST", "/organizations/validate-password-reset/", 400, 401),
    ("POST", "/organizations/invite/", 401, 401),
    ("POST", "/auth/reset/password-email", 400, 401),
    ("GET", "/auth/reset/validate", 401, 401),
    ("POST", "/auth/reset/validate-password", 400, 401),
    ("POST", "/auth/reset/password", 400, 401),
)

# Well-formed, but never issued: Rekey draws tokens at random from 62 to the power of 20.
UNKNOWN_TOKEN = "RekeyDoctorUnknown00"
UNKNOWN = {"token": UNKNOWN_TOKEN, "password": "seven quiet otters cross"}
# These show that a function reaches its tables. They lack the trailing slash: every path is served with and without it.
TOKEN_PROBES = (
    ("GET", f"/organizations/complete-password?token={UNKNOWN_TOKEN}", None, 404, 401),
    ("POST", "/organizations/complete-password", UNKNOWN, 404, 401),
)

# Sent as the body of a GET: if it arrives, the answer is 415.
NOT_JSON = "rekey-doctor"
NO_KEY = "rekey-doctor-has-no-key"

# The headers on every answer of a function, and how each must begin.
SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=",
    "X-Content-Type-Options": "nosniff",
}
PLAIN_PORT = 80


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """Returns a redirect instead of following it."""

    def redirect_request(self, *_):
        return None


def call(url, method="GET", body=None, key=None, secret=None):
    """Returns the status and the headers of the answer. A string body is sent unchanged. Raises OSError without an answer."""
    request = urllib.request.Request(url, method=method, headers={"User-Agent": "rekey-doctor"})
    if body is not None:
        request.data = (body if isinstance(body, str) else json.dumps(body)).encode()
        request.add_header("Content-Type", "application/json")
    if secret:
        request.add_header("X-Origin-Secret", secret)
    if key:
        request.add_header("Authorization", f"Bearer {key}")
    opener = urllib.request.build_opener(NoRedirects, urllib.request.HTTPSHandler(context=ssl.create_default_context()))
    try:
        with opener.open(request, timeout=API_TIMEOUT + 5) as answer:
            return answer.status, answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers


def call_api(stack, path, method="GET", body=None, key=None):
    """Calls the API where the doctor checks it, with the origin secret if that address needs it."""
    return call(stack.url + path, method, body, key, stack.origin_secret)


def bad_security_headers(headers):
    """The security headers that are missing or differ from Rekey's."""
    return [name for name, start in SECURITY_HEADERS.items() if not headers.get(name, "").startswith(start)]


def probes(keys_required):
    """The calls, and the status that a healthy API answers: method, path, body, status."""
    for method, path, anonymous, keyed in ROUTES:
        yield method, path, {} if method == "POST" else None, keyed if keys_required else anonymous
    for method, path, body, anonymous, keyed in TOKEN_PROBES:
        yield method, path, body, keyed if keys_required else anonymous


@check("api")
def api_answers(stack):
    for method, path, body, expected in probes(stack.requires_keys()):
        shown = f"{method} {path.partition('?')[0]}" + (
            " with an unknown token" if UNKNOWN_TOKEN in f"{path}{body}" else ""
        )
        try:
            status, headers = call_api(stack, path, method, body)
        except OSError as error:
            reason = getattr(error, "reason", error)
            yield fail(
                f"{stack.url} does not answer ({reason})", f"check its DNS record and certificate; {stack.deploy()}"
            )
            return
        absent = bad_security_headers(headers)
        yield check_answer(stack, shown, status, expected, absent)
        if lacks_secret(stack, status, absent):
            return


def lacks_secret(stack, status, absent):
    """Whether Rekey, not a firewall, refuses a call for its origin."""
    return status == 403 and len(absent) < len(SECURITY_HEADERS) and bool(stack.variable("ORIGIN_SECRETS"))


def check_answer(stack, shown, status, expected, absent):
    if status == 429:
        return warn(
            f"{shown}: 429, throttled", "wait ten minutes; if it persists, check ThrottlingRate and LimitBadTokenPerIp"
        )
    if lacks_secret(stack, status, absent):
        return fail(
            f"{shown}: 403, without the right origin secret",
            "pass --url with CloudFront's URL, or set REKEY_ORIGIN_SECRET; if that URL answers so, compare CloudFront's secret",
        )
    if len(absent) == len(SECURITY_HEADERS):
        return fail(f"{shown}: {status}, not from Rekey", not_from_rekey(stack, status))
    if status != expected:
        return fail(f"{shown}: {status} instead of {expected}", read_logs(stack) if status >= 500 else stack.deploy())
    if absent:
        return fail(
            f"{shown}: {status}, but these headers are missing or wrong: {', '.join(absent)}",
            "let what is in front of the API pass headers on",
        )
    return ok(f"{shown}: {status}")


def not_from_rekey(stack, status):
    if status == 404:
        return f"API Gateway does not know the route; {stack.deploy()}"
    if status >= 500:
        return f"the function did not run or ran too long; {read_logs(stack)}"
    return "something in front of the API answers (a firewall, CloudFront, another site): check what the name resolves to"


def read_logs(stack):
    return (
        "read the newest error: "
        + stack.aws(f"logs tail /aws/lambda/{stack.name}/FUNCTION --since 1h")
        + f" ({', '.join(FUNCTIONS)})"
    )


@check("get-body")
def get_bodies_arrive(stack):
    shown = "GET /organizations/complete-password/ with a body"
    if stack.requires_keys():
        yield ok(f"{shown}: not tried, since keys are required")
        return
    path = f"/organizations/complete-password/?token={UNKNOWN_TOKEN}"
    todo = "have callers pass the address as a query parameter, or use POST /organizations/validate-password-reset/"
    try:
        status, headers = call_api(stack, path, "GET", NOT_JSON)
    except OSError as error:
        yield warn(f"{shown}: no answer ({getattr(error, 'reason', error)})", todo)
        return
    if len(bad_security_headers(headers)) == len(SECURITY_HEADERS):
        yield warn(f"{shown}: {status}, not from Rekey: something in front of the API refuses it", todo)
    elif status == 404:
        yield warn(f"{shown}: 404, so the body was dropped on the way", todo)
    else:
        yield check_answer(stack, shown, status, 415, bad_security_headers(headers))


@check("slash")
def paths_are_served_with_and_without_a_slash(stack):
    keys = stack.requires_keys()
    for path in ("/organizations/reset-password", "/organizations/reset-password/"):
        shown = f"GET {path}"
        try:
            status, headers = call_api(stack, path)
        except OSError as error:
            yield fail(f"{shown}: no answer ({getattr(error, 'reason', error)})", "see the check api")
            return
        yield check_answer(stack, shown, status, 404 if keys else 200, bad_security_headers(headers))


@check("keys")
def unknown_keys_get_401(stack):
    if not stack.variable("API_KEYS"):
        yield ok("there are no API keys")
        return
    shown, path = "POST /organizations/reset-password/ with an unknown key", "/organizations/reset-password/"
    try:
        status, headers = call_api(stack, path, "POST", {}, NO_KEY)
    except OSError as error:
        yield fail(f"{shown}: no answer ({getattr(error, 'reason', error)})", "see the check api")
        return
    renamed = next((name for name in headers if name.lower().endswith("remapped-www-authenticate")), None)
    if status != 401:
        yield check_answer(stack, shown, status, 401, bad_security_headers(headers))
    elif headers.get("WWW-Authenticate"):
        yield ok(f"{shown}: 401 with WWW-Authenticate")
    else:
        yield warn(
            f"{shown}: 401 without WWW-Authenticate" + (f", which arrived as {renamed}" if renamed else ""),
            "callers should rely on the status and the code api_key_unknown, which both arrive",
        )


@check("origin")
def calls_that_bypass_cloudfront_are_refused(stack):
    if not stack.variable("ORIGIN_SECRETS"):
        if stack.is_called_elsewhere:
            yield fail("OriginSecrets is not set, so calls may bypass what is in front of the API", stack.deploy())
        else:
            yield ok("there are no origin secrets")
        return
    shown = "a call that bypasses CloudFront"
    try:
        status, _ = call(stack.outputs["ApiUrl"].rstrip("/") + "/organizations/reset-password/")
    except OSError as error:
        yield warn(f"{shown}: no answer ({getattr(error, 'reason', error)})", "try it from a network that reaches the API")
        return
    yield ok(f"{shown}: 403") if status == 403 else fail(f"{shown}: {status} instead of 403", stack.deploy())


@check("tls")
def api_requires_https(stack):
    url = urllib.parse.urlsplit(stack.url)
    if url.scheme != "https":
        yield fail(f"the API's URL begins with {url.scheme}://", stack.deploy())
        return
    plain = f"http://{url.hostname}:{PLAIN_PORT}"
    try:
        status, headers = call(f"{plain}/organizations/reset-password/")
    except OSError:
        yield ok(f"{plain} does not answer")
        return
    if status < 300 or len(bad_security_headers(headers)) < len(SECURITY_HEADERS):
        yield fail(
            f"{plain} serves the API",
            "in CloudFront, set the viewer protocol policy to HTTPS only; elsewhere, close port 80",
        )
    else:
        yield ok(f"{plain} answers {status} without the API")
