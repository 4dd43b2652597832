"""infra/doctor on the accounts table of an operator, before the deployment and after it: the examples of infra/ACCOUNTS.md, and each finding."""

import json

import boto3
import pytest
from doctor_checks import main as doctor
from doctor_checks import rows
from moto import mock_aws

from accounts_page import PAGE, blocks, section
from doctor_aws import REGION, key_schema

ADDRESS, ARGON2ID, BCRYPT = "ann@example.com", "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$dGFn", "$2b$10$" + "a" * 53
TIME = "2026-11-28T05:33:00.123Z"
# The table of each example: its key, its index, and the keys of a row.
EXAMPLES = {
    "plain": (["email"], None, {}),
    "id and index": (["id"], ["email"], {"id": "u-1"}),
    "PK/SK and index": (["PK", "SK"], ["email"], {"PK": "USER#1", "SK": "PROFILE"}),
    "single table with GSI1": (
        ["PK", "SK"],
        ["GSI1PK", "GSI1SK"],
        {"PK": "USER#1", "SK": "USER#1", "GSI1PK": f"EMAIL#{ADDRESS}", "GSI1SK": "USER#1"},
    ),
    "key made from the address": (["PK", "SK"], None, {"PK": f"USER#{ADDRESS}", "SK": "PROFILE"}),
    "ElectroDB": (
        ["pk", "sk"],
        ["gsi1pk", "gsi1sk"],
        {"pk": "$app#userid_1", "sk": "$user_1", "gsi1pk": f"$app#email_{ADDRESS}", "gsi1sk": "$user_1", "__edb_e__": "user"},
    ),
    "a separate credentials table": (["login"], None, {"login": ADDRESS, "secret": ARGON2ID, "rotated": TIME}),
}


@pytest.fixture
def moto(monkeypatch):
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    with mock_aws():
        session = boto3.Session("testing", "testing", region_name=REGION)
        monkeypatch.setattr(doctor, "open_session", lambda *_: session)
        yield session.client("dynamodb")


def value(python):
    if python is None:
        return {"NULL": True}
    if isinstance(python, bool):
        return {"BOOL": python}
    return {"N": str(python)} if isinstance(python, int) else {"S": python}


def create(moto, keys, index=None, items=(), types=None, **more):
    names = dict.fromkeys([*keys, *(index or [])])
    if index:
        projection = {"ProjectionType": "KEYS_ONLY"}
        more["GlobalSecondaryIndexes"] = [{"IndexName": "by-address", "KeySchema": key_schema(*index), "Projection": projection}]
    moto.create_table(
        TableName="people",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=key_schema(*keys),
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": (types or {}).get(name, "S")} for name in names],
        **more,
    )
    for item in items:
        moto.put_item(TableName="people", Item={name: value(content) for name, content in item.items()})


@pytest.fixture
def examine(tmp_path, capsys):
    """Writes a parameters file, runs the doctor, and returns its status and findings: (check, level, what, todo)."""

    def run(text):
        file = tmp_path / "dev.parameters.yaml"
        file.write_text(text)
        status = doctor.main(["--parameters", str(file), "--json"])
        printed = capsys.readouterr()
        assert ADDRESS not in printed.out + printed.err and BCRYPT not in printed.out
        found = json.loads(printed.out)["findings"] if printed.out else []
        return status, [(f["check"], f["level"], f["what"], f["todo"]) for f in found]

    return run


def bad(findings):
    return [finding for finding in findings if finding[1] != "ok"]


def row(**more):
    return {"email": ADDRESS, "password_hash": ARGON2ID, "password_changed_at": 1_700_000_000_123} | more


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_doctor_finds_nothing_wrong_with_an_example_of_the_page(moto, examine, name):
    keys, index, item = EXAMPLES[name]
    own = {} if "login" in item else row()
    create(moto, keys, index, [own | item])
    (parameters,) = blocks("yaml", section(name))
    status, findings = examine(parameters)
    assert (status, bad(findings)) == (0, []), findings
    assert {f[0] for f in findings} == {check for check, _, _ in doctor.findings.BEFORE}


@pytest.mark.parametrize("name", [name for name, (_, index, _) in EXAMPLES.items() if index])
def test_an_index_that_is_missing_is_named_with_the_command_that_makes_it(moto, examine, name):
    keys, index, item = EXAMPLES[name]
    create(moto, keys, None, [row() | item])
    (parameters,) = blocks("yaml", section(name))
    status, findings = examine(parameters)
    ((check, level, what, todo),) = bad(findings)
    assert (status, check, level) == (1, "accounts", "FAIL") and "does not exist" in what
    command = todo.partition("make it: ")[2]
    assert command.startswith("aws dynamodb update-table --table-name people")
    arguments = command.partition("--global-secondary-index-updates '")[2].partition("'")[0]
    update_with(moto, json.loads(arguments), f"AttributeName={index[0]},AttributeType=S" in command and index[:1])
    assert bad(examine(parameters)[1]) == []


def test_the_commands_of_the_page_make_its_indexes(moto, examine):
    commands = [block for block in blocks("sh") if "update-table" in block]
    for command, name in zip(commands, ("id and index", "single table with GSI1"), strict=True):
        keys, index, item = EXAMPLES[name]
        create(moto, keys, None, [row() | item])
        assert all(f"AttributeName={attribute},AttributeType=S" in command for attribute in index)
        update_with(moto, json.loads(command.partition("--global-secondary-index-updates '")[2].partition("'")[0]), index)
        assert bad(examine(blocks("yaml", section(name))[0])[1]) == []
        moto.delete_table(TableName="people")


def update_with(moto, updates, attributes):
    definitions = [{"AttributeName": name, "AttributeType": "S"} for name in attributes]
    moto.update_table(TableName="people", AttributeDefinitions=definitions, GlobalSecondaryIndexUpdates=updates)


OWN = "AccountsTableName: people\n"
ID = OWN + "AccountsKey: id\n"
INDEXED = ID + "AccountsEmailIndex: by-address\n"
PAIR = OWN + "AccountsKey: PK\nAccountsSortKey: SK\n"
GSI1 = PAIR + 'AccountsEmailIndex: by-address\nAccountsEmailIndexKey: GSI1PK\nAccountsEmailIndexValue: "EMAIL#{email}"\n'

# Half a mapping, and a part of the finding and of what mends it.
HALVES = [
    (ID, "the key id is not the address", "set AccountsEmailIndex"),
    (PAIR + 'AccountsKeyValue: "{email}"\n', "neither AccountsEmailIndex nor AccountsSortKeyValue", "set AccountsEmailIndex"),
    (OWN + "AccountsSortKeyValue: PROFILE\n", "AccountsSortKey is not", "set AccountsSortKey"),
    (OWN + "AccountsEmailIndexKey: GSI1PK\n", "AccountsEmailIndex is not", "set AccountsEmailIndex"),
    (OWN + 'AccountsEmailIndexValue: "EMAIL#{email}"\n', "AccountsEmailIndex is not", "set AccountsEmailIndex"),
    (OWN + "AccountsKeyValue: USER\n", "AccountsKeyValue has no {email}", "USER#{email}"),
    (INDEXED + "AccountsEmailIndexValue: EMAIL\n", "AccountsEmailIndexValue has no {email}", "EMAIL#{email}"),
    (INDEXED + 'AccountsKeyValue: "{email}"\n', "AccountsKeyValue is set, but so is", "remove"),
    (INDEXED + 'AccountsSortKey: SK\nAccountsSortKeyValue: "X"\n', "AccountsSortKeyValue is set, but so is", "remove"),
    ("AccountsKey: id\nAccountsEmailIndex: by-address\n", "AccountsTableName is not", "set AccountsTableName"),
    (OWN + "AccountsPasswordHash: email\n", "must differ", "set each"),
    (OWN + "AccountsPasswordHash: a\nAccountsPasswordChangedAt: a\n", "must differ", "set each"),
    (OWN + "AccountsLocale: password_hash\n", "AccountsLocale", "set AccountsLocale"),
    (OWN + "AccountsPasswordHash: credentials.hash\n", "is a path", "no dot"),
    (OWN + 'AccountsConditions: "!deleted_at,status=active"\nAccountsConditionAttributes: status\n', "lacks deleted_at:", "deleted_at,status"),
    (OWN + 'AccountsConditions: "status="\n', "1 of its parts is no condition", "!name"),
    (OWN + 'AccountsConditions: "!!a,!b=c, ,=d"\n', "4 of its parts", "!name"),
]


@pytest.mark.parametrize(("text", "what", "todo"), HALVES)
def test_half_a_mapping_is_found(moto, examine, text, what, todo):
    create(moto, ["email"])
    status, findings = examine(text)
    found = [f for f in findings if f[0] == "mapping" and f[1] == "FAIL"]
    assert status == 1 and any(what in f[2] and todo in f[3] for f in found), findings


def table(keys, index=None, items=(), types=None):
    return lambda moto: create(moto, keys, index, items, types)


def people(*items):
    return table(["email"], None, items)


def indexed(*items):
    return table(["id"], ["email"], [{"id": str(number)} | item for number, item in enumerate(items)])


def key_only(**more):
    return {name: content for name, content in row(**more).items() if content != ""}


# A table, a parameters file, and the finding: the check, its level, and parts of what was found and of what mends it.
FINDINGS = [
    (lambda _: None, OWN, "accounts", "FAIL", "table people does not exist", "AccountsTableName"),
    (table(["user_id"], ["email"]), INDEXED, "accounts", "FAIL", "partition key is user_id, not id", "set AccountsKey: user_id"),
    (table(["id", "SK"], ["email"]), INDEXED, "accounts", "FAIL", "it has a sort key, SK", "set AccountsSortKey: SK"),
    (table(["id", "a"], ["email"]), INDEXED + "AccountsSortKey: b\n", "accounts", "FAIL", "sort key is a, not b", "set AccountsSortKey: a"),
    (table(["id"], ["email"]), INDEXED + "AccountsSortKey: b\n", "accounts", "FAIL", "it has no sort key", "remove AccountsSortKey"),
    (table(["id"], ["mail"]), INDEXED, "accounts", "FAIL", "its partition key is mail, not email", "set AccountsEmailIndexKey: mail"),
    (table(["id"], ["email"], types={"email": "N"}), INDEXED, "accounts", "FAIL", "email is of the type N", "another index"),
    (table(["email"], types={"email": "B"}), OWN, "accounts", "FAIL", "email is of the type B", "AccountsEmailIndex"),
    (
        table(["id"], ["email"], types={"id": "N"}),
        INDEXED + "PublishPasswordResets: yes\n",
        "accounts",
        "FAIL",
        "id is of the type N, but AccountsKeyType is S",
        "set AccountsKeyType: N",
    ),
    (
        table(["id"], ["email"]),
        INDEXED + "AccountsKmsKeyArn: arn:aws:kms:eu-west-1:1:key/a\n",
        "accounts",
        "FAIL",
        "not encrypted with AccountsKmsKeyArn",
        "remove",
    ),
    (people(row()), OWN + "AccountsEmail: mail\nAccountsKeyValue: '{email}'\n", "rows", "FAIL", "none has an address in mail", "addresses are in: email"),
    (
        people(row()),
        OWN + "AccountsConditions: type=User\nAccountsConditionAttributes: type\n",
        "rows",
        "FAIL",
        "none meets AccountsConditions",
        "correct",
    ),
    (
        table(["PK", "SK"], ["GSI1PK"], [row(PK="1", SK="1", GSI1PK="USER#" + ADDRESS)]),
        GSI1,
        "rows",
        "FAIL",
        "1 of 1 accounts cannot be found",
        "set AccountsEmailIndexValue",
    ),
    (
        table(["PK", "SK"], ["GSI1PK"], [row(PK="1", SK="1", GSI1PK="EMAIL#" + ADDRESS), row(PK="2", SK="1", GSI1PK="LOCK")]),
        GSI1,
        "rows",
        "warn",
        "1 of 2 accounts cannot be found",
        "AccountsConditions",
    ),
    (people(row(email="Ann@example.com")), OWN, "rows", "warn", "found only if the address is typed exactly", "lower case"),
    (people(key_only(password_hash="")), OWN, "hashes", "FAIL", "no account has a hash in password_hash", "hashes are in: none"),
    (people(key_only(password_hash="", pw=BCRYPT)), OWN, "hashes", "FAIL", "no account has a hash", "hashes are in: pw"),
    (people(row(password_hash=BCRYPT)), OWN, "hashes", "warn", "1 bcrypt; Rekey writes argon2id", "or set PasswordHash: bcrypt"),
    (people(row(password_hash="scrypt:32768:8:1$a$b")), OWN, "hashes", "warn", "1 scrypt; Rekey", "let your login verify argon2id"),
    (people(row(password_hash="pbkdf2_sha256$1$a$b")), OWN, "hashes", "warn", "1 PBKDF2; Rekey", "let your login verify argon2id"),
    (people(row(password_hash="5f4dcc3b5aa765d61d8327deb882cf99")), OWN, "hashes", "warn", "1 unknown; Rekey", "let your login verify"),
    (people(row(password_hash="$argon2i$v=19$m=1$a$b")), OWN, "hashes", "warn", "1 argon2, but not argon2id; Rekey", "verify argon2id"),
    (people(row()), OWN + "PasswordHash: bcrypt\n", "hashes", "warn", "1 argon2id; Rekey writes bcrypt", "let your login verify bcrypt"),
    (people(row(), key_only(email="b@example.com", password_hash="")), OWN, "hashes", "warn", "1 of 2 accounts have no password_hash", "AccountsConditions"),
    (people(row(password_changed_at="yesterday")), OWN, "times", "FAIL", "1 of 1 accounts have a password_changed_at that is no time", "AccountsPasswordChangedAt"),
    (people(row(password_changed_at="1700000000")), OWN, "times", "FAIL", "that is no time", "AccountsPasswordChangedAt"),
    (people(row(password_changed_at=10**14)), OWN, "times", "FAIL", "that is no time", "AccountsPasswordChangedAt"),
    (people(row(), row(email="b@example.com", password_changed_at=TIME)), OWN, "times", "warn", "1 milliseconds, 1 ISO 8601", "one kind"),
    (people(row(updatedAt=TIME)), OWN + "AccountsPasswordChangedAt: updatedAt\n", "times", "warn", "updatedAt looks like a time", "AccountsPasswordChangedAt"),
    (indexed(row(email=" ann@example.com")), INDEXED, "addresses", "warn", "white space", "remove it from email"),
    (indexed(row(email="Ann@example.com")), INDEXED, "addresses", "warn", "capital letters", "lower case"),
    (indexed(row(), row()), INDEXED, "addresses", "warn", "1 addresses are those of several accounts", "AccountsConditions"),
    (people(row(status="deleted")), OWN, "unused", "warn", "1 of 1 accounts look deleted, disabled or pending by status", "a condition on status"),
    (people(row(deletedAt=TIME)), OWN, "unused", "warn", "by deletedAt", 'AccountsConditions: "!deletedAt"'),
    (people(row(is_disabled=True)), OWN, "unused", "warn", "by is_disabled", "AccountsConditions: is_disabled!=true"),
    (people(row(active=False)), OWN, "unused", "warn", "by active", "AccountsConditions: active!=false"),
]


@pytest.mark.parametrize(("prepare", "text", "check", "level", "what", "todo"), FINDINGS)
def test_a_problem_of_the_table_is_found_with_the_parameter_that_mends_it(moto, examine, prepare, text, check, level, what, todo):
    prepare(moto)
    status, findings = examine(text)
    assert any(f[:2] == (check, level) and what in f[2] and todo in f[3] for f in findings), findings
    assert status == any(f[1] == "FAIL" for f in findings)


# Rows and tables that are as they should be.
CLEAN = [
    (people(row()), OWN),
    (people(row(password_changed_at=TIME)), OWN),
    (people(row(password_changed_at=1_700_000_000)), OWN),
    (people(key_only(password_changed_at="")), OWN),
    (people(row(password_changed_at=None)), OWN),
    (people(row(password_hash=BCRYPT)), OWN + "PasswordHash: bcrypt\n"),
    (people(row(deletedAt=None, active=True, is_disabled=False, status="active")), OWN),
    (people(row(), row(email="b@example.com", status="deleted")), OWN + "AccountsConditions: status!=deleted\nAccountsConditionAttributes: status\n"),
    (people(row(), row(email="b@example.com", deletedAt=1)), OWN + 'AccountsConditions: "!deletedAt"\nAccountsConditionAttributes: deletedAt\n'),
    (
        people(row(), key_only(email="b@example.com", password_hash="")),
        OWN + "AccountsConditions: password_hash\nAccountsConditionAttributes: password_hash\n",
    ),
    (people(row(active=True), row(email="b@example.com", active=False)), OWN + "AccountsConditions: active=true\nAccountsConditionAttributes: active\n"),
    (people(row(version=1), row(email="b@example.com", version=2, closed="yes")), OWN + "AccountsConditions: version=1\nAccountsConditionAttributes: version\n"),
    (people(), OWN),
    (table(["PK", "SK"], ["GSI1PK"], [row(PK="1", SK="1", GSI1PK="EMAIL#" + ADDRESS, email="Ann@example.com")]), GSI1),
    (lambda _: None, "MailFrom: no-reply@example.com\n"),
    (table(["id"], ["email"], [row(id=1)], {"id": "N"}), INDEXED),
    (table(["id"], ["email"], [row(id=1)], {"id": "N"}), INDEXED + "PublishPasswordResets: yes\nAccountsKeyType: N\n"),
]


@pytest.mark.parametrize(("prepare", "text"), CLEAN)
def test_what_is_as_it_should_be_is_not_reported(moto, examine, prepare, text):
    prepare(moto)
    assert bad(examine(text)[1]) == []


def test_it_reads_until_it_has_enough_accounts_and_not_the_whole_table(moto, examine, monkeypatch):
    monkeypatch.setattr(rows, "MAX_ACCOUNTS", 3)
    monkeypatch.setattr(rows, "MAX_ROWS", 12)
    items = [{"id": f"order-{number}"} for number in range(20)]
    create(moto, ["id"], ["email"], items)
    status, findings = examine(INDEXED)
    assert status == 0 and [f[:3] for f in bad(findings)] == [
        ("rows", "warn", "table people: of 12 rows, none has an address in email: accounts may be rare in it")
    ]
    monkeypatch.setattr(rows, "MAX_ROWS", 200)
    for number in range(30):
        item = row(id=f"u-{number}", email=f"a{number}@example.com")
        moto.put_item(TableName="people", Item={name: value(content) for name, content in item.items()})
    (found,) = [f[2] for f in examine(INDEXED)[1] if f[0] == "rows" and "have an address" in f[2]]
    assert "3 have an address in email, and 3 of these meet the conditions" in found


def test_a_table_with_a_key_of_its_own_needs_its_parameter(moto, examine):
    create(moto, ["email"], None, [row()], SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": "k"})
    arn = moto.describe_table(TableName="people")["Table"]["SSEDescription"]["KMSMasterKeyArn"]
    ((check, level, what, todo),) = bad(examine(OWN)[1])
    assert (check, level) == ("accounts", "warn") and f"AccountsKmsKeyArn: {arn}" in todo
    assert bad(examine(OWN + f"AccountsKmsKeyArn: {arn}\n")[1]) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("AccountsConditions: !deleted\n", "line 1 of the parameters file: put the value in quotes"),
        ("A: 1\n\nAccountsEmailIndexValue: {email}\n", "line 3 of the parameters file: put the value in quotes"),
        ("A: b: c\n", "put the value in quotes"),
        ("A: 1\nA: 2\n", "line 2 of the parameters file: a name for the second time"),
        ("just text\n", "no Name: value"),
    ],
)
def test_a_parameters_file_that_sam_would_refuse_exits_with_2(moto, tmp_path, capsys, text, said):
    file = tmp_path / "dev.parameters.yaml"
    file.write_text(text)
    assert doctor.main(["--parameters", str(file)]) == 2
    printed = capsys.readouterr()
    assert said in printed.err and printed.out == ""
    assert doctor.main(["--parameters", str(tmp_path / "none.yaml")]) == 2


def test_every_example_of_the_page_names_parameters_of_the_template():
    import template

    declared = template.source()["Parameters"].keys()
    used = {line.partition(":")[0] for block in blocks("yaml") for line in block.splitlines()}
    assert used <= declared and len(used) > 10, used - declared
    assert all(f"`{outcome}`" in PAGE for outcome in ("sent", "no_account", "conditions_not_met", "ambiguous", "delayed", "failed"))
