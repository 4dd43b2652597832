"""Findings, and the list of all checks."""

OK, WARN, FAIL = "ok", "warn", "FAIL"

CHECKS = []
# The checks of the accounts, which need no stack.
BEFORE = []


def check(name, each=(None,), before=False):
    """Registers a check: a generator of findings (level, what was found, what to do). `before`: also without a stack."""

    def register(function):
        CHECKS.append((name, each, function))
        if before:
            BEFORE.append((name, each, function))
        return function

    return register


def ok(what):
    return (OK, what, "")


def warn(what, todo):
    return (WARN, what, todo)


def fail(what, todo):
    return (FAIL, what, todo)
