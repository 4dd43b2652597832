"""The resolved application for each set of parameters."""

import json

import template
from sets import of

# The functions behind the API, and the mail function, which reads the stream.
CALLED = ("Reset", "Validate", "Complete")
FUNCTIONS = (*CALLED, "Mail")
_resolved = {}


def resolved(name):
    if name not in _resolved:
        _resolved[name] = template.resolve(of(name))
    return _resolved[name]


def resources(name, kind):
    return {n: r["Properties"] for n, r in resolved(name)["Resources"].items() if r["Type"] == kind}


def role_of(name, function):
    return resources(name, "AWS::IAM::Role")[f"{function}Role"]


def statements(name, function, on=""):
    """The statements of a function's own policy; with `on`, those whose resource contains it."""
    (policy,) = role_of(name, function)["Policies"]
    return [s for s in policy["PolicyDocument"]["Statement"] if on in json.dumps(s["Resource"])]


def listed(value):
    return value if isinstance(value, list) else [value]
