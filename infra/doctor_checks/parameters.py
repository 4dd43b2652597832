"""A parameters file, read as sam reads it, and what it says about a stack that does not exist yet."""

import re
from pathlib import Path

from .stack import Aws, Unusable, is_on, parameter_of

LINE = re.compile(r"(?P<key>[A-Za-z0-9]+|\"[A-Za-z0-9]+\"|'[A-Za-z0-9]+')[ ]*:(?:[ \t]+(?P<value>.*))?")
QUOTED = re.compile(r'"((?:[^"\\]|\\["\\/])*)"|' r"'((?:[^']|'')*)'")
COMMENT = r"(?:[ \t]+#.*)?[ \t]*"
# A plain value may not begin with what has a meaning in YAML.
PLAIN = re.compile(r"(?![-?:](?:[ \t]|$))[^\s\[\]{},#&*!|>'\"%@`](?:(?!: |:$|[ \t]#).)*")


class Unreadable(ValueError):
    """What sam would read otherwise, or refuse."""


def read(text):
    """The parameters of a file with one `Name: value` on each line."""
    values, last = {}, None
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        line = line.rstrip()
        if not line or line.lstrip().startswith("#") or (line == "---" and not values):
            continue
        found, item = LINE.fullmatch(line), re.fullmatch(r"[ ]*-[ ]+(.*)", line)
        try:
            if found:
                last = found["key"].strip("\"'")
                if last in values:
                    raise Unreadable("a name for the second time")
                values[last] = value_of(found["value"] or "")
            elif item and isinstance(values.get(last), (list, type(None))) and last:
                values[last] = [*(values[last] or []), value_of(item[1])]
            else:
                raise Unreadable("no Name: value")
        except Unreadable as problem:
            raise Unusable(f"line {number} of the parameters file: {problem}") from None
    return {name: as_text(value) for name, value in values.items()}


def value_of(text):
    """A value of YAML: a text, a list, or None."""
    text = text.strip()
    if not text or text.startswith("#"):
        return None
    if listed := re.fullmatch(rf"\[(.*)\]{COMMENT}", text):
        parts = [part[0].strip() for part in re.finditer(r"(?:\"[^\"]*\"|'[^']*'|[^,\"'])+", listed[1])]
        return [value_of(part) for part in parts]
    if quoted := re.fullmatch(rf"(?:{QUOTED.pattern}){COMMENT}", text):
        double, single = quoted[1], quoted[2]
        return re.sub(r"\\(.)", r"\1", double) if double is not None else single.replace("''", "'")
    plain = re.fullmatch(rf"({PLAIN.pattern}){COMMENT}", text)
    if not plain:
        raise Unreadable("put the value in quotes")
    value = plain[1].rstrip()
    if value in ("~", "null", "Null", "NULL"):
        return None
    if value.lower() in ("true", "false") and value in (value.lower(), value.capitalize(), value.upper()):
        return value.capitalize()
    if re.fullmatch(r"[-+]?[0-9]+", value):
        return str(int(value))
    if re.fullmatch(r"[-+]?([0-9]*\.[0-9]+|[0-9]+\.?)([eE][-+]?[0-9]+)?", value):
        raise Unreadable("YAML makes another number of it; put the value in quotes")
    return value


def as_text(value):
    if isinstance(value, list):
        return ",".join(part.strip() for part in value if part)
    # sam takes one more pair of quotes away.
    value = value or ""
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value


class Planned(Aws):
    """The stack that a parameters file will make."""

    def __init__(self, session, path, profile=None):
        super().__init__(session, str(path), profile)
        try:
            self.parameters = read(Path(path).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as problem:
            raise Unusable(f"cannot read {path}: {getattr(problem, 'strerror', None) or 'it is not UTF-8'}") from None

    def variable(self, name, default="", function=None):
        """The value of a variable of the functions."""
        return self.parameters.get(parameter_of(name)) or default

    def accounts_table(self):
        return self.parameters.get("AccountsTableName", "")

    def publishes(self):
        return is_on(self.parameters.get("PublishPasswordResets", ""))

    def deploy(self):
        return f"change {self.name}"
