"""The API, as a caller meets it."""

import json
import os
import ssl
import urllib.error
import urllib.parse
import urllib.request

from .findings import check, fail, ok, warn
from .functions import API_TIMEOUT
from .stack import FUNCTIONS

# Every route of infra/openapi.yaml. A page is asked for as it is; what takes JSON gets {}; what takes a token in the
# query gets none. Each is refused before anything is read or counted, but for /auth/reset/validate, to which no token is
# a dead one. The last two: the status without a key, and where keys are required.
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
    ("POST", "/auth/reset/password-email", 400, 401),
    ("GET", "/auth/reset/validate", 401, 401),
    ("POST", "/auth/reset/validate-password", 400, 401),
    ("POST", "/auth/reset/password", 400, 401),
)

# Well-formed, and nobody's: Rekey's are drawn at random from 62 to the power of 20.
UNKNOWN_TOKEN = "RekeyDoctorUnknown00"
UNKNOWN = {"token": UNKNOWN_TOKEN, "password": "seven quiet otters cross"}
# Those that show that a function reaches its tables. They lack the trailing slash: every path is served both ways.
TOKEN_PROBES = (
    ("GET", f"/organizations/complete-password?token={UNKNOWN_TOKEN}", None, 404, 401),
    ("POST", "/organizations/complete-password", UNKNOWN, 404, 401),
)

# Sent with a GET: where the body arrives, it is refused for what it is.
NOT_JSON = "rekey-doctor"
NO_KEY = "rekey-doctor-has-no-key"

# On every answer of a function; what each must begin with.
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
    """Shows a redirect instead of following it."""

    def redirect_request(self, *_):
        return None


def call(url, method="GET", body=None, key=None):
    """The status and the headers of the answer; a body of text goes as it is. Raises OSError where there is none."""
    request = urllib.request.Request(url, method=method, headers={"User-Agent": "rekey-doctor"})
    if body is not None:
        request.data = (body if isinstance(body, str) else json.dumps(body)).encode()
        request.add_header("Content-Type", "application/json")
    if secret := os.environ.get("REKEY_ORIGIN_SECRET"):
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


def lacking(headers):
    """The security headers that are not as Rekey sends them."""
    return [name for name, start in SECURITY_HEADERS.items() if not headers.get(name, "").startswith(start)]


def probes(keys_required):
    """Calls that a healthy API refuses, or answers with a page: method, path, body, status."""
    for method, path, anonymous, keyed in ROUTES:
        yield method, path, {} if method == "POST" else None, keyed if keys_required else anonymous
    for method, path, body, anonymous, keyed in TOKEN_PROBES:
        yield method, path, body, keyed if keys_required else anonymous


@check("api")
def api_answers(stack):
    base = stack.outputs["ApiUrl"].rstrip("/")
    for method, path, body, expected in probes(stack.requires_keys()):
        shown = f"{method} {path.partition('?')[0]}" + (
            " with an unknown token" if UNKNOWN_TOKEN in f"{path}{body}" else ""
        )
        try:
            status, headers = call(base + path, method, body)
        except OSError as error:
            reason = getattr(error, "reason", error)
            yield fail(
                f"{base} does not answer ({reason})", f"look at its DNS record and certificate; {stack.deploy()}"
            )
            return
        yield judged(stack, shown, status, expected, lacking(headers))


def judged(stack, shown, status, expected, absent):
    if status == 429:
        return warn(
            f"{shown}: 429, throttled", "wait ten minutes; if it stays, look at ThrottlingRate and LimitBadTokenPerIp"
        )
    if len(absent) == len(SECURITY_HEADERS):
        return fail(f"{shown}: {status}, and not from Rekey", not_from_rekey(stack, status))
    if status != expected:
        return fail(f"{shown}: {status} instead of {expected}", read_logs(stack) if status >= 500 else stack.deploy())
    if absent:
        return fail(
            f"{shown}: {status} without a good {', '.join(absent)}",
            "let whatever stands before the API pass headers on",
        )
    return ok(f"{shown}: {status}")


def not_from_rekey(stack, status):
    if status == 404:
        return f"API Gateway does not know the route; {stack.deploy()}"
    if status >= 500:
        return f"the function did not run or ran too long; {read_logs(stack)}"
    return "something before the API answers (a firewall, CloudFront, another site): look where the name leads"


def read_logs(stack):
    return (
        "read the newest error: "
        + stack.aws(f"logs tail /aws/lambda/{stack.name}/FUNCTION --since 1h")
        + f" ({', '.join(FUNCTIONS)})"
    )


@check("get-body")
def bodies_of_gets_arrive(stack):
    shown = "GET /organizations/complete-password/ with a body"
    if stack.requires_keys():
        yield ok(f"{shown}: not tried, since keys are required")
        return
    path = f"/organizations/complete-password/?token={UNKNOWN_TOKEN}"
    query = "callers there pass the address as a query parameter, or POST /organizations/validate-password-reset/"
    try:
        status, headers = call(stack.outputs["ApiUrl"].rstrip("/") + path, "GET", NOT_JSON)
    except OSError as error:
        yield warn(f"{shown}: no answer ({getattr(error, 'reason', error)})", query)
        return
    if len(lacking(headers)) == len(SECURITY_HEADERS):
        yield warn(f"{shown}: {status}, and not from Rekey: something before the API refuses it", query)
    elif status == 404:
        yield warn(f"{shown}: 404, so the body got lost on the way", query)
    else:
        yield judged(stack, shown, status, 415, lacking(headers))


@check("slash")
def paths_are_served_with_and_without_a_slash(stack):
    base, keys = stack.outputs["ApiUrl"].rstrip("/"), stack.requires_keys()
    for path in ("/organizations/reset-password", "/organizations/reset-password/"):
        shown = f"GET {path}"
        try:
            status, headers = call(base + path)
        except OSError as error:
            yield fail(f"{shown}: no answer ({getattr(error, 'reason', error)})", "see the check api")
            return
        yield judged(stack, shown, status, 404 if keys else 200, lacking(headers))


@check("keys")
def who_has_no_key_is_told_how_to_show_one(stack):
    if not stack.variable("API_KEYS"):
        yield ok("there are no API keys")
        return
    shown, path = "POST /organizations/reset-password/ with a key that is none", "/organizations/reset-password/"
    try:
        status, headers = call(stack.outputs["ApiUrl"].rstrip("/") + path, "POST", {}, NO_KEY)
    except OSError as error:
        yield fail(f"{shown}: no answer ({getattr(error, 'reason', error)})", "see the check api")
        return
    renamed = next((name for name in headers if name.lower().endswith("remapped-www-authenticate")), None)
    if status != 401:
        yield judged(stack, shown, status, 401, lacking(headers))
    elif headers.get("WWW-Authenticate"):
        yield ok(f"{shown}: 401 with WWW-Authenticate")
    else:
        yield warn(
            f"{shown}: 401 without WWW-Authenticate" + (f", which came as {renamed}" if renamed else ""),
            "callers should go by the status and the code api_key_unknown, which both arrive",
        )


@check("tls")
def api_is_not_served_in_clear(stack):
    url = urllib.parse.urlsplit(stack.outputs["ApiUrl"])
    if url.scheme != "https":
        yield fail(f"the API's address begins with {url.scheme}://", stack.deploy())
        return
    plain = f"http://{url.hostname}:{PLAIN_PORT}"
    try:
        status, headers = call(f"{plain}/organizations/reset-password/")
    except OSError:
        yield ok(f"{plain} does not answer")
        return
    if status < 300 or len(lacking(headers)) < len(SECURITY_HEADERS):
        yield fail(
            f"{plain} serves the API",
            "in CloudFront, set the viewer protocol policy to HTTPS only; elsewhere, close port 80",
        )
    else:
        yield ok(f"{plain} answers {status} and serves nothing")
