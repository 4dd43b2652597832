"""Checks of rows of the accounts table. They report counts and names of attributes, never a value."""

import collections
import functools
import re

from .findings import check, fail, ok, warn
from .mapping import Mapping, present

# How many accounts are read, and how many rows at the most to find them: in a single table, most rows are of another kind.
MAX_ACCOUNTS, MAX_ROWS = 200, 2_000

ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
HASHES = {
    "argon2id": re.compile(r"\$argon2id\$"),
    "argon2, but not argon2id": re.compile(r"\$argon2"),
    "bcrypt": re.compile(r"\$2[abxy]?\$[0-9]{2}\$"),
    "scrypt": re.compile(r"\$?(scrypt|s0|7)[$:]"),
    "PBKDF2": re.compile(r"\$?pbkdf2", re.IGNORECASE),
}
UNKNOWN = "unknown"

# As in shared/src/store/accounts/changed_at.rs.
SECONDS_END = 100_000_000_000
MILLISECONDS_END = SECONDS_END * 1000
ISO = re.compile(
    r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?"
    r"(Z|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?)?"
)
EDITED = re.compile(r"(last)?(updated|modified|edited|seen|login)(at|on|date|time)?|updatetime|lastupdate|mtime")

# Names, in lower case without separators, of attributes that say that an account is not in use.
GONE = re.compile(r"(is)?(soft)?(deleted|removed|archived|disabled|suspended|banned|blocked|deactivated|closed|inactive)(at|on|date|time)?")
USED = re.compile(r"(is)?(active|enabled)")
STATUS = re.compile(r"((account|user)?(status|state)|lifecycle(state)?)")
NOT_IN_USE = re.compile(
    r"(soft)?(deleted|removed|archived|disabled|inactive|suspended|banned|blocked|deactivated|closed|pending|unconfirmed|unverified|invited)",
    re.IGNORECASE,
)
FALSE = ("", "0", "false", "no", "n")


class Sample:
    """Rows of the accounts table."""

    def __init__(self, target):
        self.mapping = Mapping(target)
        self.read, self.with_address, self.is_all = [], [], False
        more = {}
        while len(self.with_address) < MAX_ACCOUNTS and len(self.read) < MAX_ROWS:
            page = target.ask("dynamodb", "scan", TableName=target.accounts_table(), Limit=MAX_ACCOUNTS, **more)
            self.read += page["Items"]
            self.with_address += [row for row in page["Items"] if self.address(row)]
            if "LastEvaluatedKey" not in page:
                self.is_all = True
                break
            more = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
        del self.with_address[MAX_ACCOUNTS:]
        self.counted = [row for row in self.with_address if self.mapping.is_counted(row)]

    def address(self, row):
        """The stored address, if the row has one."""
        stored = row.get(self.mapping.email, {}).get("S", "")
        return stored if ADDRESS.fullmatch(stored.strip()) else None

    def having(self, matches):
        """The names of the attributes, most frequent first, of which some value in the rows matches."""
        names = collections.Counter(n for row in self.read for n, value in row.items() if matches(value.get("S", "")))
        return ", ".join(name for name, _ in names.most_common(5))


@functools.lru_cache(maxsize=1)
def sample_of(target):
    return Sample(target)


def rows_check(name):
    """A check of the rows that count as accounts. Without any, the check `rows` says why."""

    def register(function):
        @check(name, before=True)
        @functools.wraps(function)
        def run(target):
            sample = sample_of(target) if target.accounts_table() else None
            if sample and sample.counted:
                yield from function(sample)
            else:
                yield ok("there are no accounts to look at")

        return run

    return register


def of(number, sample):
    return f"{number} of {len(sample.counted)} accounts"


@check("rows", before=True)
def rows_are_accounts(target):
    name = target.accounts_table()
    if not name:
        yield ok("the table does not exist yet")
        return
    sample, email = sample_of(target), sample_of(target).mapping.email
    if not sample.read:
        yield ok(f"table {name} has no rows yet")
        return
    what = f"table {name}: of {len(sample.read)} rows"
    if not sample.with_address:
        elsewhere = sample.having(ADDRESS.fullmatch)
        todo = f"set AccountsEmail to the attribute with the address (addresses are in: {elsewhere or 'none'})"
        if elsewhere or sample.is_all:
            yield fail(f"{what}, none has an address in {email}", todo)
        else:
            yield warn(f"{what}, none has an address in {email}: accounts may be rare in it", todo)
        return
    if not sample.counted:
        yield fail(f"{what}, {len(sample.with_address)} have an address, but none meets AccountsConditions", "correct AccountsConditions")
        return
    yield ok(f"{what}, {len(sample.with_address)} have an address in {email}, and {len(sample.counted)} of these meet the conditions")
    yield from lookup_finds(sample)


def lookup_finds(sample):
    mapping, ways = sample.mapping, collections.Counter()
    for row in sample.counted:
        stored = row[mapping.email]["S"]
        lower = stored.strip().lower()
        ways["lower" if mapping.finds(row, lower) else "typed" if mapping.finds(row, stored) else "not"] += 1
    if mapping.index:
        parameter, keys = "AccountsEmailIndexValue", mapping.index_key
    elif mapping.sort_key:
        parameter, keys = "AccountsKeyValue and AccountsSortKeyValue", f"{mapping.key} and {mapping.sort_key}"
    else:
        parameter, keys = "AccountsKeyValue", mapping.key
    if ways["not"] == len(sample.counted):
        yield fail(
            f"{of(ways['not'], sample)} cannot be found: {keys} is not made from {mapping.email} as the parameters say",
            f"set {parameter} to how your application makes {keys} from the address",
        )
    elif ways["not"]:
        yield warn(
            f"{of(ways['not'], sample)} cannot be found: their {keys} is not made from {mapping.email} as the parameters say",
            f"correct these rows, or {parameter}; if they are no accounts, sort them out with AccountsConditions",
        )
    if ways["typed"]:
        yield warn(
            f"{of(ways['typed'], sample)} are found only if the address is typed exactly as it is stored",
            f"store {keys} in lower case; {mapping.email} may stay as it is if it is another attribute",
        )
    if ways["lower"] == len(sample.counted):
        yield ok(f"the look-up finds all {ways['lower']} by {keys}")


@rows_check("hashes")
def hashes_are_verified_by_the_login(sample):
    name, hashing = sample.mapping.password_hash, sample.mapping.hashing
    kinds = collections.Counter(kind_of_hash(row[name]) for row in sample.counted if present(row, name))
    having = sum(kinds.values())
    if not having:
        elsewhere = sample.having(lambda text: kind_of_hash({"S": text}) != UNKNOWN)
        yield fail(
            f"no account has a hash in {name}", f"set AccountsPasswordHash to the attribute that your login reads (hashes are in: {elsewhere or 'none'})"
        )
        return
    if having < len(sample.counted):
        yield warn(
            f"{of(len(sample.counted) - having, sample)} have no {name}; a reset gives them a password",
            f'if they must sign in otherwise, add {name} to AccountsConditions and to AccountsConditionAttributes',
        )
    listed = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    others = kinds.keys() - {hashing}
    if not others:
        yield ok(f"hashes in {name}: {listed}")
        return
    instead = ", or set PasswordHash: bcrypt" if others == {"bcrypt"} else ""
    yield warn(
        f"hashes in {name}: {listed}; Rekey writes {hashing}",
        f"let your login verify {hashing} too, before Rekey goes live (ACCOUNTS.md){instead}",
    )


def kind_of_hash(value):
    text = value.get("S", "")
    return next((kind for kind, pattern in HASHES.items() if pattern.match(text)), UNKNOWN)


@rows_check("times")
def times_can_be_read(sample):
    name = sample.mapping.changed_at
    kinds = collections.Counter(kind_of_time(row.get(name)) for row in sample.counted)
    listed = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    if kinds["other"]:
        yield fail(
            f"{of(kinds['other'], sample)} have a {name} that is no time: their resets fail",
            "set AccountsPasswordChangedAt to an attribute of its own, or make it a number of seconds or milliseconds or ISO 8601 text",
        )
    written = kinds.keys() - {"none", "other"}
    if len(written) > 1:
        yield warn(f"times in {name}: {listed}", "let your application write one kind; Rekey writes each row's own")
    elif written or not kinds["other"]:
        yield ok(f"times in {name}: {listed}" + ("" if written else "; Rekey will write milliseconds"))
    if EDITED.fullmatch(plain(name)):
        yield warn(
            f"{name} looks like a time that other changes move, and each of them ends the open resets",
            "set AccountsPasswordChangedAt to an attribute that only a new password changes",
        )


def kind_of_time(value):
    if value is None or "NULL" in value:
        return "none"
    if "N" in value:
        whole = value["N"].partition(".")[0]
        if not re.fullmatch("[0-9]+", whole) or int(whole) >= MILLISECONDS_END:
            return "other"
        return "none" if int(whole) == 0 else "seconds" if int(whole) < SECONDS_END else "milliseconds"
    return "ISO 8601" if ISO.fullmatch(value.get("S", "")) else "other"


@rows_check("addresses")
def addresses_are_plain(sample):
    stored = [row[sample.mapping.email]["S"] for row in sample.counted]
    spaced = sum(address != address.strip() for address in stored)
    if spaced:
        yield warn(f"{of(spaced, sample)} have an address with white space around it", f"remove it from {sample.mapping.email} and from the keys")
    capital = [row for row, address in zip(sample.counted, stored) if address != address.lower()]
    as_typed = sum(not sample.mapping.finds(row, row[sample.mapping.email]["S"].strip().lower()) for row in capital)
    if as_typed:
        yield warn(
            f"{of(as_typed, sample)} have an address with capital letters, and a key that is not in lower case",
            "make the key or the index in lower case; otherwise they are found only as typed (see rows)",
        )
    elif capital:
        yield ok(f"{of(len(capital), sample)} have an address with capital letters, and are found in lower case")
    times = collections.Counter(address.strip().lower() for address in stored)
    twice = sum(count > 1 for count in times.values())
    if twice:
        yield warn(
            f"{twice} addresses are those of several accounts, which get no mail (log: ambiguous)",
            "sort out the rows that are no accounts with AccountsConditions, or merge them",
        )
    if not (spaced or capital or twice):
        yield ok("all addresses are in lower case, without white space, and of one account each")


@rows_check("unused")
def unused_accounts_are_sorted_out(sample):
    found = collections.Counter(name for row in sample.counted for name, value in row.items() if says_unused(name, value))
    for name, count in found.most_common():
        condition = f'"!{name}"' if GONE.fullmatch(plain(name)) else f"a condition on {name}, such as {name}=VALUE with the value of accounts in use"
        if name_is_boolean(sample, name):
            condition = f"{name}!=true" if GONE.fullmatch(plain(name)) else f"{name}!=false"
        yield warn(
            f"{of(count, sample)} look deleted, disabled or pending by {name}, and would get a mail and a new password",
            f"add to AccountsConditions: {condition}; and to AccountsConditionAttributes: {name}",
        )
    if not found:
        yield ok("no account looks deleted, disabled or pending")


def says_unused(name, value):
    """Whether an attribute says that the account is not in use."""
    ((kind, content),) = value.items()
    if kind not in ("S", "N", "BOOL"):
        return False
    text = str(content).strip().lower()
    if GONE.fullmatch(plain(name)):
        return text not in FALSE
    if USED.fullmatch(plain(name)):
        return text in FALSE
    return bool(STATUS.fullmatch(plain(name)) and NOT_IN_USE.fullmatch(text))


def name_is_boolean(sample, name):
    return any("BOOL" in row.get(name, {}) for row in sample.counted)


def plain(name):
    return re.sub(r"[^a-z]", "", name.lower())
