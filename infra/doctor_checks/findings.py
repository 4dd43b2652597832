"""Findings, and the list of all checks."""

OK, WARN, FAIL = "ok", "warn", "FAIL"

CHECKS = []


def check(name, each=(None,)):
    """Registers a check: a generator of findings (level, what was found, what to do)."""

    def register(function):
        CHECKS.append((name, each, function))
        return function

    return register


def ok(what):
    return (OK, what, "")


def warn(what, todo):
    return (WARN, what, todo)


def fail(what, todo):
    return (FAIL, what, todo)
