"""infra/doctor: each of its checks on a stack with one fault."""

import hashlib

import pytest
from doctor_checks import api, findings
from doctor_checks import main as doctor

from doctor_api import PAGE, Api
from doctor_aws import LOGS, MAPPING, MONITORING, TOPIC, run, table
from test_doctor_accounts import FINDINGS

SECRET = "a-key-in-clear-that-must-not-be-printed"


def change(path, value):
    """Sets a value in `aws`; the path consists of attributes and keys, separated by slashes."""

    def apply(aws, _):
        *parents, last = path.split("/")
        target = aws
        for name in parents:
            target = target[name] if isinstance(target, dict) else getattr(target, name)
        if isinstance(target, dict):
            target[last] = value
        else:
            setattr(target, last, value)

    return apply


def drop(path, key):
    return lambda aws, _: getattr(aws, path).pop(key)


def answers(where, new_status=None, without=(), exactly=False, renamed=""):
    """Changes the API's answer at the path `where`, with and without a final slash unless `exactly`."""

    def apply(aws, _):
        def broken(path, status, headers):
            if path != where and (exactly or path.rstrip("/") != where.rstrip("/")):
                return status, headers
            kept = {name: value for name, value in headers.items() if name not in without}
            kept |= {renamed + name: headers[name] for name in without if renamed and name in headers}
            return new_status or status, kept

        aws.api.broken = broken

    return apply


def both(*changes):
    return lambda *world: [apply(*world) for apply in changes]


def own_accounts(**other):
    """The operator's own accounts table, with the key user_id and an index on the address."""

    def apply(aws, _):
        projection = other.get("projection", {"ProjectionType": "ALL"})
        aws.parameters["AccountsTableName"] = aws.outputs["AccountsTable"] = "people"
        aws.tables["people"] = table("people", other.get("key", "user_id"), by_email=(other.get("by", "email"), projection))
        aws.variables |= {"ACCOUNTS_TABLE": "people", "ACCOUNTS_KEY": "user_id", "ACCOUNTS_EMAIL_INDEX": "by_email"}

    return apply


def address_identity(verified):
    identity = {"IdentityType": "EMAIL_ADDRESS", "VerifiedForSendingStatus": verified, "VerificationStatus": "PENDING"}
    return change("identities", {"no-reply@mail.rekey.dev": identity})


def plain_http(aws, monkeypatch):
    monkeypatch.setattr(api, "PLAIN_PORT", aws.plain.port)


def redirecting_http(aws, monkeypatch):
    plain_http(aws, monkeypatch)
    aws.plain.broken = lambda path, *_: (301, {"Location": aws.api.url + path})


def unsafe_url(aws, _):
    aws.outputs["ApiUrl"] = aws.plain.url


def untrusted(_, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")


def keys_required(aws, _):
    aws.api.keys_required = True
    aws.variables["REQUIRE_API_KEY"] = aws.parameters["RequireApiKey"] = "true"


ALL_HEADERS = tuple(Api.HEADERS)
IDENTITY = "identities/rekey.dev"
ALARM = "rekey-MailAlarm-1"

# The check, the fault, the level, a part of the finding, and a part of what to do.
BROKEN = [
    ("stack", change("status", "UPDATE_ROLLBACK_FAILED"), "FAIL", "UPDATE_ROLLBACK_FAILED", "describe-stack-events"),
    ("stack", change("status", "UPDATE_ROLLBACK_COMPLETE"), "warn", "rolled back", "sam deploy"),
    ("stack", change("status", "UPDATE_IN_PROGRESS"), "warn", "UPDATE_IN_PROGRESS", "wait"),
    ("function", change("deployed", None), "FAIL", "does not exist", "sam deploy"),
    ("function", change("deployed/State", "Failed"), "FAIL", "is Failed", "sam deploy"),
    ("function", change("deployed/State", "Inactive"), "warn", "is Inactive", "call it"),
    ("function", change("deployed/LastUpdateStatus", "Failed"), "FAIL", "runs the code before", "sam deploy"),
    ("function", change("deployed/Runtime", "provided.al2"), "FAIL", "provided.al2,", "sam deploy"),
    ("function", change("deployed/Timeout", 30), "FAIL", "30 s", "Timeout: 28"),
    ("drift", change("parameters/ServiceName", "Shop"), "FAIL", "in SERVICE_NAME", "by hand"),
    ("drift", change("own_variables", {"rekey-reset": {"REQUIRE_API_KEY": "true"}}), "FAIL", "rekey-reset: differs", "sam deploy"),
    ("drift", change("code", {"rekey-mail": "def"}), "FAIL", "not that of rekey-validate", "sam deploy"),
    ("concurrency", change("reserved", {}), "FAIL", "reserved concurrency is none, not 10", "sam deploy"),
    ("concurrency", change("reserved", {"rekey-complete": 3}), "FAIL", "reserved concurrency is 3, not 10", "sam"),
    ("concurrency", change("reserved/rekey-reset", 0), "FAIL", "switches it off", "delete-function-concurrency"),
    (
        "concurrency",
        both(change("reserved", {}), change("parameters/CompleteConcurrency", "0")),
        "warn",
        "no concurrency is reserved",
        "Concurrent executions",
    ),
    ("variables", drop("variables", "SERVICE_NAME"), "FAIL", "SERVICE_NAME is not set", "ServiceName"),
    ("variables", change("variables/ORIGIN_SECRETS", "s3cret"), "FAIL", "ORIGIN_SECRETS", "OriginSecrets"),
    ("variables", change("variables/MAIL_FROM", "Example no-reply@mail.rekey.dev"), "FAIL", "MAIL_FROM", "MailFrom"),
    ("variables", change("variables/MAIL_FROM", ""), "FAIL", "MAIL_FROM is not set", "MailFrom"),
    ("variables", change("variables/DEAD_LETTER_QUEUE_URL", ""), "FAIL", "DEAD_LETTER_QUEUE_URL is not set", "in infra: sam"),
    ("variables", change("variables/ACCOUNTS_EMAIL_INDEX_KEY", "a.b"), "FAIL", "ACCOUNTS_EMAIL_INDEX_KEY is malformed", "AccountsEmailIndexKey"),
    ("variables", change("variables/MAIL_FROM", "no-reply@example.com"), "FAIL", "MAIL_FROM contains a placeholder", ""),
    ("variables", change("variables/RESET_LINK", "https://my.test/set"), "FAIL", "RESET_LINK contains a placeholder", ""),
    ("variables", change("variables/RESET_LINK", "${ResetLink}"), "FAIL", "RESET_LINK contains a placeholder", "ResetLink"),
    ("variables", change("variables/RESET_LINK", "http://rekey.dev/"), "FAIL", "RESET_LINK is malformed", "ResetLink"),
    ("variables", change("variables/ACCOUNTS_TABLE", "TODO"), "FAIL", "ACCOUNTS_TABLE contains", "AccountsTableName"),
    ("variables", change("variables/ARGON2_ITERATIONS", "1"), "FAIL", "ARGON2_ITERATIONS is malformed", "Argon2Iter"),
    ("variables", change("variables/API_KEYS", SECRET), "FAIL", "API_KEYS is malformed", "ApiKeys"),
    ("variables", change("variables/API_KEYS", f"a:reset:{hashlib.sha256(b'').hexdigest()}"), "FAIL", "an empty text", ""),
    ("variables", change("variables/ORIGIN_SECRETS", hashlib.sha256(b"").hexdigest()), "FAIL", "an empty text", "OriginSecrets"),
    ("variables", change("variables/REQUIRE_API_KEY", "true"), "FAIL", "RESET_LINK is empty", "ResetLink"),
    ("variables", change("variables/PASSWORD_HASH", "md5"), "FAIL", "PASSWORD_HASH is malformed", "PasswordHash"),
    (
        "variables",
        both(change("variables/PASSWORD_HASH", "bcrypt"), change("variables/PASSWORD_MIN_LENGTH", "100")),
        "FAIL",
        "PASSWORD_MIN_LENGTH is over 72",
        "PasswordMinLength",
    ),
    ("mapping", change("variables/ACCOUNTS_SORT_KEY_VALUE", "PROFILE"), "FAIL", "AccountsSortKey is not", "set AccountsSortKey"),
    ("mapping", change("variables/ACCOUNTS_CONDITIONS", "!deleted"), "FAIL", "lacks deleted", "AccountsConditionAttributes: deleted"),
    ("variables", change("variables/AWS_ENDPOINT_URL", "https://x.dev"), "warn", "AWS_ENDPOINT_URL", "remove it"),
    ("variables", change("deployed/Environment", {"Error": {"ErrorCode": "X"}}), "warn", "cannot be read", "kms:Decrypt"),
    ("api", answers("/auth/reset/password", 404, ALL_HEADERS), "FAIL", "not from Rekey", "does not know the route"),
    ("api", answers("/auth/reset/password", 503, ALL_HEADERS), "FAIL", "not from Rekey", "logs tail"),
    ("api", answers("/auth/reset/password", 403, ALL_HEADERS), "FAIL", "not from Rekey", "firewall"),
    ("api", answers("/auth/reset/password", 503), "FAIL", "503 instead of 400", "logs tail"),
    ("api", answers("/auth/reset/password", 200), "FAIL", "200 instead of 400", "sam deploy"),
    ("api", answers("/auth/reset/password", 429), "warn", "throttled", "wait"),
    ("api", answers(PAGE, without=["Referrer-Policy"]), "FAIL", "missing or wrong: Referrer-Policy", "pass headers on"),
    ("api", untrusted, "FAIL", "does not answer", "certificate"),
    ("api", answers("/nowhere"), "ok", "GET /organizations/reset-password/: 200", ""),
    ("tls", plain_http, "FAIL", "serves the API", "HTTPS only"),
    ("tls", redirecting_http, "ok", "answers 301 without the API", ""),
    ("tls", unsafe_url, "FAIL", "begins with http://", "sam deploy"),
    ("tokens", drop("tables", "rekey-tokens"), "FAIL", "does not exist", "sam deploy"),
    ("tokens", change("tables/rekey-tokens", table("rekey-tokens", "id")), "FAIL", "its key is id, not pk", "sam deploy"),
    ("tokens", change("tables/rekey-tokens/TableStatus", "ARCHIVED"), "FAIL", "ARCHIVED", "DynamoDB console"),
    ("tokens", change("variables/TOKENS_TABLE", "others"), "FAIL", "use another one", "sam deploy"),
    ("ttl", change("ttl", {"TimeToLiveStatus": "DISABLED"}), "FAIL", "TTL is DISABLED", "update-time-to-live"),
    ("ttl", change("ttl/TimeToLiveStatus", "ENABLING"), "warn", "being enabled", "wait"),
    ("ttl", change("ttl/AttributeName", "ttl"), "FAIL", "TTL is on ttl", "AttributeName=expires_at"),
    ("accounts", drop("tables", "rekey-accounts"), "FAIL", "does not exist", "AccountsTableName"),
    ("accounts", change("variables/ACCOUNTS_TABLE", "others"), "FAIL", "use another one", "sam deploy"),
    ("accounts", own_accounts(), "ok", "index by_email: its partition key is email", ""),
    ("accounts", own_accounts(key="id"), "FAIL", "its partition key is id, not user_id", "set AccountsKey: id"),
    ("accounts", own_accounts(by="name"), "FAIL", "its partition key is name, not email", "AccountsEmail"),
    ("accounts", own_accounts(by="email+created"), "ok", "index by_email: its partition key is email", ""),
    ("accounts", own_accounts(projection={"ProjectionType": "KEYS_ONLY"}), "ok", "its partition key is email", ""),
    (
        "accounts",
        both(own_accounts(), change("variables/ACCOUNTS_EMAIL_INDEX", "by_mail")),
        "FAIL",
        "by_mail: does not exist (the table has: by_email of email)",
        "AccountsEmailIndex",
    ),
    ("mapping", both(own_accounts(), change("variables/ACCOUNTS_EMAIL_INDEX", "")), "FAIL", "user_id is not the address", "set AccountsEmailIndex"),
    ("backup", change("recovery", "DISABLED"), "FAIL", "point-in-time recovery is disabled", "update-continuous-backups"),
    ("backup", change("tables/rekey-accounts/DeletionProtectionEnabled", False), "FAIL", "deletion protection is disabled", "update-table"),
    ("backup", own_accounts(), "ok", "is yours", ""),
    ("ses", change("account/ProductionAccessEnabled", False), "FAIL", "sandbox", "Request production access"),
    ("ses", change("account/SendingEnabled", False), "FAIL", "switched off", "put-account-sending-attributes"),
    ("ses", change("account/EnforcementStatus", "PROBATION"), "warn", "under review", "Reputation"),
    ("quota", change("account/SendQuota/SentLast24Hours", 50000.0), "FAIL", "used up", "Service Quotas"),
    ("quota", change("account/SendQuota/SentLast24Hours", 41000.0), "warn", "82 %", "Service Quotas"),
    ("quota", change("account/SendQuota/Max24HourSend", -1.0), "ok", "no daily quota", ""),
    ("identity", change("identities", {}), "FAIL", "is not an identity", "MailIdentity"),
    ("identity", change(f"{IDENTITY}/VerifiedForSendingStatus", False), "FAIL", "not verified", "DKIM records"),
    ("identity", address_identity(False), "FAIL", "not verified (PENDING)", "follow the link"),
    ("identity", address_identity(True), "ok", "no-reply@mail.rekey.dev is verified", ""),
    ("dkim", change(f"{IDENTITY}/DkimAttributes/Status", "PENDING"), "FAIL", "PENDING", "t1._domainkey.rekey.dev CNAME"),
    ("dkim", change(f"{IDENTITY}/DkimAttributes/SigningEnabled", False), "FAIL", "signing is disabled", "--signing-enabled"),
    ("dkim", change("identities", {}), "FAIL", "no identity", "verify"),
    ("dkim", address_identity(True), "ok", "no DKIM of its own", ""),
    ("mail-from", change(f"{IDENTITY}/MailFromAttributes/MailFromDomainStatus", "FAILED"), "warn", "FAILED", " MX 10 "),
    (
        "mail-from",
        change(
            f"{IDENTITY}/MailFromAttributes",
            {
                "MailFromDomain": "b.rekey.dev",
                "MailFromDomainStatus": "PENDING",
                "BehaviorOnMxFailure": "REJECT_MESSAGE",
            },
        ),
        "FAIL",
        "SES rejects mail",
        " MX 10 ",
    ),
    ("mail-from", change(f"{IDENTITY}/MailFromAttributes/MailFromDomain", ""), "warn", "SPF", "mail-from-attributes"),
    ("mail-from", change("identities", {}), "FAIL", "no identity", "verify"),
    ("mail-set", change("mail_set", None), "FAIL", "does not exist", "MailConfigurationSet"),
    ("mail-set", change("mail_set/DeliveryOptions", {"TlsPolicy": "OPTIONAL"}), "FAIL", "without TLS", "--tls-policy REQUIRE"),
    ("mail-set", change("mail_set/SendingOptions", {"SendingEnabled": False}), "FAIL", "switched off", "--sending-enabled"),
    (
        "mail-set",
        change("mail_set/SuppressionOptions", {"SuppressedReasons": ["BOUNCE", "COMPLAINT"]}),
        "warn",
        "marks a mail as spam",
        "--suppressed-reasons BOUNCE",
    ),
    ("mail-set", change("mail_set/SuppressionOptions", {"SuppressedReasons": []}), "FAIL", "not suppressed after bounces", "BOUNCE"),
    ("mail-set", drop("mail_set", "SuppressionOptions"), "ok", "bounces only", ""),
    ("mail-set", change("variables/MAIL_CONFIGURATION_SET", "other"), "FAIL", "use another one", "sam deploy"),
    (
        "tracking",
        change("destinations", [{"Name": "x", "Enabled": True, "MatchingEventTypes": ["CLICK"]}]),
        "FAIL",
        "x tracks opens or clicks",
        "remove OPEN and CLICK",
    ),
    ("logs", drop("retention", LOGS["ApiLogs"]), "FAIL", "api does not exist", "create-log-group"),
    ("logs", drop("resources", ("AWS::Logs::LogGroup", "ResetLogs")), "FAIL", "no log group ResetLogs", "sam deploy"),
    ("logs", change("retention", dict.fromkeys(LOGS.values())), "FAIL", "no retention period", "put-retention-policy"),
    ("logs", change("retention", dict.fromkeys(LOGS.values(), 7)), "warn", "7 days, not 90", "--retention-in-days 90"),
    ("alarms", drop("alarms", ALARM), "FAIL", "does not exist", "sam deploy"),
    ("alarms", change(f"alarms/{ALARM}/ActionsEnabled", False), "FAIL", "switched off", "enable-alarm-actions"),
    ("alarms", change(f"alarms/{ALARM}/AlarmActions", []), "FAIL", "no SNS topic", "sam deploy"),
    ("alarms", change(f"alarms/{ALARM}/StateValue", "ALARM"), "FAIL", "is in ALARM", "What to do about it."),
    ("alarms", change(f"nested/{MONITORING}", {}), "FAIL", "does not exist", "sam deploy"),
    ("topic", change("subscriptions", {}), "FAIL", "does not exist", "AlarmTopicArn"),
    ("topic", change("subscriptions", {TOPIC: []}), "FAIL", "nobody", "sns subscribe"),
    ("topic", change("subscriptions", {TOPIC: ["PendingConfirmation"]}), "FAIL", "no subscription is confirmed", "follow"),
    ("topic", change("alarms", {}), "FAIL", "no alarm notifies", "sam deploy"),
    ("get-body", answers(PAGE, 404), "warn", "the body was dropped", "as a query parameter"),
    ("get-body", answers(PAGE, 403, ALL_HEADERS), "warn", "403, not from Rekey", "as a query parameter"),
    ("get-body", answers(PAGE, 503), "FAIL", "503 instead of 415", "logs tail"),
    ("get-body", keys_required, "ok", "not tried", ""),
    ("slash", answers("/organizations/reset-password", 404, ALL_HEADERS, exactly=True), "FAIL", "reset-password: 404, not", "know the"),
    ("slash", answers("/organizations/reset-password/", 404, ALL_HEADERS, exactly=True), "FAIL", "reset-password/: 404, not", "know"),
    ("origin", change("variables/ORIGIN_SECRETS", "0" * 64), "FAIL", "bypasses CloudFront: 200 instead of 403", "sam deploy"),
    ("origin", both(change("variables/ORIGIN_SECRETS", "0" * 64), change("outputs/ApiUrl", "https://127.0.0.1:1")), "warn", "no answer", "network"),
    ("keys", answers("/organizations/reset-password", without=["WWW-Authenticate"]), "warn", "without WWW-Auth", "status"),
    (
        "keys",
        answers("/organizations/reset-password", without=["WWW-Authenticate"], renamed="x-amzn-Remapped-"),
        "warn",
        "which arrived as x-amzn-Remapped-WWW-Authenticate",
        "rely on the status",
    ),
    ("keys", answers("/organizations/reset-password", 200), "FAIL", "200 instead of 401", "sam deploy"),
    ("keys", change("variables/API_KEYS", ""), "ok", "no API keys", ""),
    ("orders", change("mappings", []), "FAIL", "reads no stream", "sam deploy"),
    ("orders", change("mappings", [{"UUID": MAPPING, "State": "Disabled"}]), "FAIL", "no longer reads the stream (Disabled)", "--enabled"),
    (
        "orders",
        change("mappings", [{"UUID": MAPPING, "State": "Enabled", "LastProcessingResult": "PROBLEM: Function call failed"}]),
        "FAIL",
        "cannot deliver orders",
        "logs tail",
    ),
    ("orders", change("ages", [240_000.0, 180_000.0]), "FAIL", "240 s old", "read why"),
    ("orders", change("ages", [900.0, 180_000.0]), "warn", "up to 180 s old", "sending rate"),
    ("orders", change("ages", []), "ok", "no mail order", ""),
    ("lost", change("lost", "3"), "FAIL", "3 mails failed permanently", "receive-message"),
    ("lost", change("lost", None), "FAIL", "does not exist", "sam deploy"),
    ("reputation", drop("mail_set", "ReputationOptions"), "FAIL", "has no data", "--reputation-metrics-enabled"),
    ("events", change("pipe/CurrentState", "STOPPED"), "FAIL", "STOPPED", "start-pipe"),
    ("events", change("pipe", None), "FAIL", "does not exist", "sam deploy"),
    ("events", change("parameters/PublishPasswordResets", "false"), "ok", "no events", ""),
]


@pytest.mark.parametrize(("name", "fault", "level", "what", "todo"), BROKEN, ids=lambda x: x if isinstance(x, str) else "")
def test_a_fault_is_found_with_what_to_do(aws, capsys, monkeypatch, name, fault, level, what, todo):
    fault(aws, monkeypatch)
    monkeypatch.setattr(findings, "CHECKS", [check for check in findings.CHECKS if check[0] == name])
    status, found_all = run(doctor, capsys)
    found = [f for f in found_all if f[0] == name and f[1] == level and what in f[2] and todo in f[3]]
    assert found, found_all
    assert all(f[3] for f in found_all if f[1] != "ok")
    assert status == (1 if any(f[1] == "FAIL" for f in found_all) else 0)


def test_every_check_has_a_fault_that_makes_it_fail():
    failing = {name for name, _, level, _, _ in BROKEN if level == "FAIL"}
    # Those of rows are tested with rows: addresses and unused accounts are warnings.
    assert failing | {check for _, _, check, *_ in FINDINGS} == {name for name, _, _ in findings.CHECKS}
