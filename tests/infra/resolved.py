"""The resolved template for each set of parameters."""

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


def statements(name, role, policy=None):
    policies = resources(name, "AWS::IAM::Role")[f"{role}Role"]["Policies"]
    return [s for p in policies if policy in (None, p["PolicyName"]) for s in p["PolicyDocument"]["Statement"]]


def listed(value):
    return value if isinstance(value, list) else [value]
