"""Sets of parameters: typical deployments, contradictions and invalid values."""

import hashlib

from template import parameters

# The API key of a trusted back end, and its entry in ApiKeys.
SECRET = "a-key-for-tests"
KEY = f"shop:reset+validate:{hashlib.sha256(SECRET.encode()).hexdigest()}"
CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/abc"
KMS_KEY = "arn:aws:kms:eu-west-1:123456789012:key/abc-1"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"
LAYER = "arn:aws:lambda:eu-west-1:123456789012:layer:rekey-messages:3"

OWN_TABLE = {
    "AccountsTableName": "users",
    "AccountsKey": "user_id",
    "AccountsEmailIndex": "by-email",
    "AccountsPasswordHash": "pw",
    "AccountsPasswordChangedAt": "pw_at",
    "MailIdentity": "existing",
}

# One table for everything, with an index that finds accounts.
SINGLE_TABLE = {
    "AccountsTableName": "app",
    "AccountsKey": "PK",
    "AccountsSortKey": "SK",
    "AccountsEmailIndex": "GSI1",
    "AccountsEmailIndexKey": "GSI1PK",
    "AccountsEmailIndexValue": "EMAIL#{email}",
    "AccountsConditions": "status=active,!deleted_at",
    "AccountsConditionAttributes": "status,deleted_at",
    "AccountsPasswordHash": "pw",
    "AccountsPasswordChangedAt": "pw_at",
}

SETS = {
    "default": {},
    "own table": OWN_TABLE,
    "single table, trusted callers": SINGLE_TABLE | {"ApiKeys": KEY},
    "key made from the address": {
        "AccountsTableName": "app",
        "AccountsKey": "PK",
        "AccountsSortKey": "SK",
        "AccountsKeyValue": "USER#{email}",
        "AccountsSortKeyValue": "PROFILE",
        "PasswordHash": "bcrypt",
        # SHA-256 of s3cret.
        "OriginSecrets": "1ec1c26b50d5d3c58d9583181af8076655fe00756bf7285940ba3670f99fcba0",
        "ResetLink": "https://reset.example.com/organizations/complete-password",
    },
    "own table, encrypted, events on an existing bus": OWN_TABLE
    | {
        "AccountsKmsKeyArn": KMS_KEY,
        "PublishPasswordResets": "true",
        "AccountsSortKey": "created",
        "AccountsKeyType": "N",
        "AccountsSortKeyType": "B",
        "PasswordResetBus": "default",
    },
    "own table keyed by the address": {"AccountsTableName": "users"},
    "custom domain, verified domain": {
        "DomainName": "reset.example.com",
        "CertificateArn": CERTIFICATE,
        "HostedZoneId": "Z0123456789",
        "MailIdentity": "domain",
        "MailHostedZoneId": "Z99",
        "AlarmEmail": "ops@example.com",
        "BrandColor": "1a4fd6",
        "AllowedOrigins": "https://a.example,https://b.example:8443",
        "Architecture": "x86_64",
        "CompleteConcurrency": "0",
    },
    "keys required, everything existing": {
        "ApiKeys": KEY,
        "RequireApiKey": "true",
        "ResetLink": "https://example.com/new?x=1&token={token}",
        "MailIdentity": "existing",
        "MailConfigurationSet": "mine",
        "MailFromName": "Bücherei 株式会社, Support",
        "OriginSecrets": "a" * 64 + "," + "b" * 64,
        "AlarmTopicArn": TOPIC,
        "MessagesLayerArn": LAYER,
    },
    "events published": {"PublishPasswordResets": "true", "MailUnknown": "yes"},
    "rules of the account": {
        "PublishPasswordResets": "true",
        "KmsKeyArn": KMS_KEY,
        "RolePath": "/apps/rekey/",
        "PermissionsBoundaryArn": "arn:aws:iam::123456789012:policy/boundary",
    },
}

# What a parameters file may say for a switch. sam passes on `True` for an unquoted true.
TRUE, FALSE = ("true", "True", "yes", "Yes"), ("false", "False", "no", "No")

# Contradictory parameters, each with a part of the rule's message.
CONTRADICTIONS = [
    ("AccountsKey", {"AccountsKey": "user_id", "AccountsEmailIndex": "by-email"}),
    ("AccountsEmailIndex", {"AccountsEmailIndex": "by-email"}),
    ("AccountsKmsKeyArn", {"AccountsKmsKeyArn": KMS_KEY}),
    ("AccountsKeyType", {"AccountsKeyType": "N"}),
    ("AccountsSortKey, AccountsKeyValue", {"AccountsSortKey": "SK", "AccountsSortKeyValue": "x"}),
    ("AccountsKeyValue and", {"AccountsKeyValue": "USER#{email}"}),
    ("AccountsEmailIndex must name", {"AccountsTableName": "users", "AccountsKey": "user_id"}),
    ("need AccountsEmailIndex", {"AccountsTableName": "users", "AccountsEmailIndexKey": "GSI1PK"}),
    ("need AccountsEmailIndex", {"AccountsTableName": "users", "AccountsEmailIndexValue": "EMAIL#{email}"}),
    ("not by both", OWN_TABLE | {"AccountsKeyValue": "USER#{email}"}),
    ("not by both", OWN_TABLE | {"AccountsSortKey": "SK", "AccountsSortKeyValue": "PROFILE"}),
    ("AccountsSortKey needs", {"AccountsTableName": "users", "AccountsSortKey": "SK"}),
    ("AccountsSortKeyValue needs", {"AccountsTableName": "users", "AccountsSortKeyValue": "PROFILE"}),
    ("the names in it", OWN_TABLE | {"AccountsConditions": "status=active"}),
    ("must be two attributes", {"AccountsPasswordHash": "x", "AccountsPasswordChangedAt": "x"}),
    ("must differ", {"AccountsPasswordHash": "email"}),
    ("must differ", {"AccountsPasswordChangedAt": "email"}),
    ("must differ", OWN_TABLE | {"AccountsPasswordHash": "user_id"}),
    ("must differ", OWN_TABLE | {"AccountsPasswordChangedAt": "user_id"}),
    ("AccountsLocale must differ", {"AccountsLocale": "password_hash"}),
    ("nobody could call", {"RequireApiKey": "true", "ResetLink": "https://example.com/new"}),
    ("switches the pages off", {"RequireApiKey": "true", "ApiKeys": KEY}),
    ("under CloudFront's name", {"OriginSecrets": "a" * 64}),
    ("DomainName needs", {"DomainName": "reset.example.com"}),
    ("CertificateArn has no effect", {"CertificateArn": CERTIFICATE}),
    ("HostedZoneId has no effect", {"HostedZoneId": "Z1"}),
    ("MailHostedZoneId", {"MailHostedZoneId": "Z1"}),
    ("while PublishPasswordResets is false", {"PasswordResetBus": "default"}),
    ("your own topic", {"AlarmEmail": "ops@example.com", "AlarmTopicArn": TOPIC}),
]

# Invalid values, by parameter.
MALFORMED = {
    "MailFrom": ["", "a@b", "A@b.de", "x <a@b.de>", "a@b.de\n", "a@b.de,c@d.e", "*@b.de", "a?@b.de", "${a}@b.de"],
    "ResetLink": ["http://a.b", "https://a.b/#x", 'https://a.b/"', "https://a b", "javascript:x", "https://a.b/?t={t}"],
    "AccountsConditions": ["a\nb", "a" * 513],
    "AccountsConditionAttributes": ["a b", "a.b", "a,", "a, b", "*"],
    "AccountsSortKey": ["a.b", "a*", "a b"],
    "AccountsEmailIndexKey": ["a.b", "a*"],
    "AccountsKeyValue": ["a\nb"],
    "PasswordHash": ["", "scrypt"],
    "BcryptCost": ["9", "17"],
    "AllowedOrigins": ["*", "https://a.b/", "https://a.b, https://c.d", "http://evil.example", "https://a.b,*"],
    "ApiKeys": ["x", "a:reset:zz", "a:all:" + "a" * 64, KEY + ","],
    "ServiceName": ["", "a\nb"],
    "AccountsTableName": ["ab", "arn:aws:dynamodb:eu-west-1:123456789012:table/users", "users/index/x", "*"],
    "AccountsEmailIndex": ["*", "a/b"],
    "AccountsKey": ["", "a.b", "a*", "a b"],
    "AccountsKmsKeyArn": ["*", "arn:aws:kms:eu-west-1:123456789012:alias/x"],
    "PasswordResetBus": ["*"],
    "PermissionsBoundaryArn": ["*", "boundary", "arn:aws:iam::123456789012:role/x"],
    "RolePath": ["", "rekey", "/rekey", "/a b/"],
    "KmsKeyArn": ["*", "arn:aws:kms:eu-west-1:123456789012:alias/x"],
    "MailConfigurationSet": ["*", "a b"],
    "TokenLifetimeSeconds": ["59", "86401", "1h", ""],
    "PasswordMinLength": ["7", "129"],
    "Argon2MemoryKib": ["19455"],
    "Argon2Iterations": ["1"],
    "Architecture": ["arm"],
    "CompleteMemory": ["512"],
    "RequireApiKey": ["", "1", "required", "truE"],
    "MailUnknown": ["", "1", "on"],
    "InviteLifetimeSeconds": ["3599", "2592001", "7d"],
    "BreachedPasswords": ["http://a.b/range/", "a.b/range/", "https://a.b", "https://a.b/?q=", "https://a.b/#x", "https://me@a.b/"],
    "PublishPasswordResets": ["", "always"],
    "MailLanes": ["0", "11"],
    "ThrottlingRate": ["0"],
    "OriginSecrets": ["s3cret", "a" * 63, ",".join(["a" * 64] * 3)],
    "DefaultLocale": ["", "e", "de DE", "de;"],
    "MessagesLayerArn": ["messages", LAYER.removesuffix(":3"), LAYER + "\n", LAYER.replace("layer", "function"), "*"],
    # An unquoted #1a4fd6 is empty, an unquoted 000000 is 0.
    "BrandColor": ["", "0", "red", "#12345", "##1a4fd", "#1a4fd6;", "Default"],
    "LogoUrl": ["http://a.b/c.png", "https://a.b/c;d", "https://a.b/'", "data:image/png,x"],
    "SignInLink": ["http://a.b", "javascript:x", 'https://a.b/"', "mailto:a@b.de"],
    "SupportLink": ["http://a.b", "javascript:x", "mailto:a", "mailto:a@b.de?bcc=c@d.ef"],
    "AccountsLocale": ["", "a.b", "a*", "a b"],
    "MailFromName": ['A "B" C', "a\nb", "a\\b", "A <a@b.de>", "a" * 65],
}


def of(name):
    return parameters(**SETS[name])
