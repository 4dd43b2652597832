"""How the accounts are stored, as the functions read it from the same parameters (shared/src/config/accounts.rs)."""

import re

NO_EMAIL = "has no {email}: every address would find the same row"
EMAIL = "{email}"
# A condition: name=value, name!=value, name or !name.
CONDITION = re.compile(r"(?P<absent>!?)(?P<name>[^!=]+)(?:(?P<differs>!?)=(?P<value>.+))?", re.DOTALL)


class Condition:
    """What a row must be to count as an account."""

    def __init__(self, text):
        found = CONDITION.fullmatch(text.strip())
        if not found or (found["absent"] and found["value"]) or not found["name"].strip():
            raise ValueError(text)
        self.name, self.value = found["name"].strip(), found["value"]
        self.is_negated = bool(found["absent"] or found["differs"])

    def is_met_by(self, row):
        """Whether the row, in DynamoDB's JSON, meets it. NULL counts as absent."""
        stored = present(row, self.name)
        return (stored is not None if self.value is None else stored in self._values()) != self.is_negated

    def _values(self):
        values = [{"S": self.value}]
        if self.value in ("true", "false"):
            values.append({"BOOL": self.value == "true"})
        if re.fullmatch(r"[+-]?[0-9]+", self.value):
            values.append({"N": str(int(self.value))})
        return values


def present(row, name):
    """The attribute's value, in DynamoDB's JSON. None if it is absent or NULL."""
    stored = row.get(name)
    return None if stored is None or "NULL" in stored else stored


class Mapping:
    """The parameters of the accounts, of a stack or of a file."""

    def __init__(self, target):
        def of(name, default=""):
            return target.variable(f"ACCOUNTS_{name}", default)

        self.is_own = bool(target.parameters.get("AccountsTableName"))
        self.email, self.key, self.sort_key = of("EMAIL", "email"), of("KEY", "email"), of("SORT_KEY")
        self.index, self.given_index_key, self.index_value = of("EMAIL_INDEX"), of("EMAIL_INDEX_KEY"), of("EMAIL_INDEX_VALUE")
        self.index_key = self.given_index_key or self.email
        self.key_value, self.sort_value = of("KEY_VALUE"), of("SORT_KEY_VALUE")
        self.password_hash, self.changed_at = of("PASSWORD_HASH", "password_hash"), of("PASSWORD_CHANGED_AT", "password_changed_at")
        self.locale = of("LOCALE", "locale")
        self.hashing = target.variable("PASSWORD_HASH", "argon2id", function="complete")
        self.readable = [name.strip() for name in target.parameters.get("AccountsConditionAttributes", "").split(",") if name.strip()]
        self.conditions, self.bad_conditions = [], []
        for text in filter(None, [of("CONDITIONS")]):
            for part in text.split(","):
                try:
                    self.conditions.append(Condition(part))
                except ValueError:
                    self.bad_conditions.append(part)

    def is_counted(self, row):
        return all(condition.is_met_by(row) for condition in self.conditions)

    def finds(self, row, address):
        """Whether the look-up for `address` leads to the row."""
        if self.index:
            return row.get(self.index_key) == filled(self.index_value, address)
        sort = not self.sort_key or row.get(self.sort_key) == filled(self.sort_value, address)
        return sort and row.get(self.key) == filled(self.key_value, address)

    def problems(self):
        """What the functions would refuse, and what their roles would not let them read: (what, how to mend it)."""
        return [*self._of_table(), *self._of_lookup(), *self._of_conditions(), *self._of_written()]

    def _of_table(self):
        # The table that the stack creates has the key email, and no index.
        for parameter, is_set in (("AccountsKey", self.key != "email"), ("AccountsSortKey", self.sort_key), ("AccountsEmailIndex", self.index)):
            if is_set and not self.is_own:
                yield f"{parameter} is set, but AccountsTableName is not", "set AccountsTableName to the name of your table"

    def _of_lookup(self):
        if self.index:
            for parameter, value in (("AccountsKeyValue", self.key_value), ("AccountsSortKeyValue", self.sort_value)):
                if value:
                    yield f"{parameter} is set, but so is AccountsEmailIndex", f"remove {parameter}, or AccountsEmailIndex"
            if self.index_value and EMAIL not in self.index_value:
                yield f"AccountsEmailIndexValue {NO_EMAIL}", 'set AccountsEmailIndexValue to a text with it: "EMAIL#{email}"'
            return
        for parameter, value in (("AccountsEmailIndexKey", self.given_index_key), ("AccountsEmailIndexValue", self.index_value)):
            if value:
                yield f"{parameter} is set, but AccountsEmailIndex is not", "set AccountsEmailIndex to the name of the index"
        if self.sort_value and not self.sort_key:
            yield "AccountsSortKeyValue is set, but AccountsSortKey is not", "set AccountsSortKey to the name of the sort key"
        elif self.sort_key and not self.sort_value:
            yield (
                "AccountsSortKey is set, but neither AccountsEmailIndex nor AccountsSortKeyValue is",
                "set AccountsEmailIndex to an index of the address, or AccountsSortKeyValue to the sort key of an account's row",
            )
        if not self.key_value and self.key != self.email:
            yield (
                f"the key {self.key} is not the address ({self.email}), and neither AccountsEmailIndex nor AccountsKeyValue is set",
                "set AccountsEmailIndex to an index of the address, or AccountsKeyValue to how the key is made from it",
            )
        if self.key_value and EMAIL not in self.key_value and EMAIL not in self.sort_value:
            yield f"AccountsKeyValue {NO_EMAIL}", 'set AccountsKeyValue to a text with it: "USER#{email}"'

    def _of_conditions(self):
        if self.bad_conditions:
            yield (
                f"AccountsConditions: {len(self.bad_conditions)} of its parts is no condition",
                "separate name=value, name!=value, name (present) and !name (absent) by commas, the whole in quotes",
            )
        named = list(dict.fromkeys(condition.name for condition in self.conditions))
        missing = [name for name in named if name not in self.readable]
        if missing:
            yield (
                f"AccountsConditionAttributes lacks {', '.join(missing)}: the roles may not read it, so nobody would get a mail",
                f"set AccountsConditionAttributes: {','.join(named)}",
            )

    def _of_written(self):
        written = (self.password_hash, self.changed_at)
        keys = [self.key, self.sort_key, self.email, *([self.index_key] if self.index else [])]
        if written[0] == written[1] or any(name in written for name in keys):
            yield (
                "AccountsPasswordHash and AccountsPasswordChangedAt must differ from each other, from the keys and from AccountsEmail",
                "set each to the attribute that it is",
            )
        if self.locale in written:
            yield "AccountsLocale is an attribute that Rekey writes", "set AccountsLocale to the attribute with the person's language"
        attributes = {
            "AccountsKey": self.key,
            "AccountsSortKey": self.sort_key,
            "AccountsEmail": self.email,
            "AccountsEmailIndexKey": self.given_index_key,
            "AccountsPasswordHash": self.password_hash,
            "AccountsPasswordChangedAt": self.changed_at,
            "AccountsLocale": self.locale,
            "AccountsConditions": "".join(condition.name for condition in self.conditions),
        }
        for parameter, name in attributes.items():
            if re.search(r"[.\[\]]", name):
                yield f"{parameter} is a path into an attribute", "name an attribute of the row itself: no dot and no bracket"


def filled(value, address):
    """A key's value for the address, in DynamoDB's JSON."""
    return {"S": (value or EMAIL).replace(EMAIL, address)}
