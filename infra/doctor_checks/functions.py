"""The stack itself, and its functions: what runs, and with which settings."""

import re

from .findings import check, fail, ok, warn
from .stack import FUNCTIONS, parameter_of

RUNTIME = "provided.al2023"
# API Gateway gives up then.
API_TIMEOUT = 30

# The functions' variables: None for free text, a range for a number, else a pattern. Empty means the default.
NAME = r"[A-Za-z0-9_.-]{3,255}"
ATTRIBUTE = r"[A-Za-z_][A-Za-z0-9_-]{0,254}"
ADDRESS = r"[^@\s<>]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+"
API_KEY = r"[A-Za-z0-9._-]+:(reset|validate|complete)(\+(reset|validate|complete))*:[0-9A-Fa-f]{64}"
VARIABLES = {
    "TOKENS_TABLE": NAME,
    "ACCOUNTS_TABLE": NAME,
    "ACCOUNTS_KEY": ATTRIBUTE,
    "ACCOUNTS_EMAIL": ATTRIBUTE,
    "ACCOUNTS_EMAIL_INDEX": NAME,
    "ACCOUNTS_PASSWORD_HASH": ATTRIBUTE,
    "ACCOUNTS_PASSWORD_CHANGED_AT": ATTRIBUTE,
    "ACCOUNTS_REQUIRED_ATTRIBUTE": f"{ATTRIBUTE}=[^\\x00-\\x1f\\x7f]{{1,256}}",
    "TOKEN_LIFETIME_SECONDS": (60, 86_400),
    "MAIL_FROM": f'{ADDRESS}|"[^"]{{1,64}}" <{ADDRESS}>',
    "MAIL_REPLY_TO": ADDRESS,
    "MAIL_CONFIGURATION_SET": r"[A-Za-z0-9_-]{1,64}",
    "RESET_LINK": r"https://[^\s#<>\"]+",
    "SERVICE_NAME": None,
    "PASSWORD_MIN_LENGTH": (8, 128),
    "ARGON2_MEMORY_KIB": (19_456, 4_194_304),
    "ARGON2_ITERATIONS": (2, 1_000),
    "ARGON2_LANES": (1, 255),
    "API_KEYS": f"{API_KEY}(,{API_KEY})*",
    "REQUIRE_API_KEY": "true|false",
    "ORIGIN_SECRETS": "[0-9A-Fa-f]{64}(,[0-9A-Fa-f]{64})?",
    "LIMIT_RESET_PER_IP": (0, 1_000_000),
    "LIMIT_MAIL_PER_ADDRESS": (0, 1_000_000),
    "LIMIT_BAD_TOKEN_PER_IP": (0, 1_000_000),
    "DEAD_LETTER_QUEUE_URL": r"https://sqs\.[a-z0-9-]+\.[a-z.]+/[0-9]{12}/[A-Za-z0-9_-]{1,80}",
    "STACK_NAME": r"[A-Za-z][A-Za-z0-9-]{0,127}",
}
REQUIRED = ("TOKENS_TABLE", "ACCOUNTS_TABLE", "MAIL_FROM", "DEAD_LETTER_QUEUE_URL", "STACK_NAME")
# What the stack sets without a parameter.
UNPARAMETERED = ("TOKENS_TABLE", "DEAD_LETTER_QUEUE_URL", "STACK_NAME")
PLACEHOLDER = re.compile(
    r"\$\{|\{\{|change[-_ ]?me|replace[-_ ]?me|placeholder|your[-_]?domain|^(todo|tbd|fixme|x{3,})$|"
    # Names that RFC 2606 keeps for examples.
    r"[@./]example\.(com|net|org)\b|\.(example|test|invalid)(?=[/:?]|$)",
    re.IGNORECASE,
)
# The SHA-256 of no text at all: what `printf %s "$KEY" | sha256sum` gives where KEY is not set.
EMPTY_DIGEST = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

# Of a function's configuration, what a version must share with $LATEST. Variables are compared one by one.
SETTINGS = (
    "CodeSha256",
    "Handler",
    "Runtime",
    "Role",
    "MemorySize",
    "Timeout",
    "Architectures",
    "TracingConfig",
    "LoggingConfig",
)


@check("stack")
def stack_status(stack):
    what = f"stack {stack.name} is {stack.status}"
    if stack.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"):
        yield ok(what)
    elif stack.status == "UPDATE_ROLLBACK_COMPLETE":
        yield warn(f"{what}: the last deployment was rolled back", events(stack))
    elif stack.status.endswith("_IN_PROGRESS"):
        yield warn(what, "wait for the deployment to end, then run this again")
    else:
        yield fail(what, events(stack))


def events(stack):
    why = stack.aws(f"cloudformation describe-stack-events --stack-name {stack.name}")
    return f"read why: {why}; then {stack.deploy()}"


@check("function", each=FUNCTIONS)
def function_state(stack, function):
    name, alias = stack.function_name(function), stack.alias(function)
    if alias is None:
        yield fail(f"{name}: there is no alias live", stack.deploy())
        return
    version = alias["FunctionVersion"]
    live = stack.live(function)
    if live is None or version == "$LATEST":
        yield fail(f"{name}: the alias live points to {version}, which is no version", stack.deploy())
        return
    yield ok(f"{name}: the alias live points to version {version}")
    others = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
    if others:
        yield warn(
            f"{name}: version {', '.join(sorted(others))} takes a share of the calls",
            f"a canary is under way; if it is stuck: {stack.aws('deploy list-deployments')}",
        )
    state = live.get("State", "Active")
    if state == "Inactive":
        yield warn(f"{name}: version {version} is asleep", "call it once; Lambda wakes it")
    elif state != "Active":
        yield fail(
            f"{name}: version {version} is {state} ({live.get('StateReasonCode', 'no reason given')})", stack.deploy()
        )
    else:
        yield ok(f"{name}: version {version} is Active")
    if live.get("Runtime") != RUNTIME:
        yield fail(f"{name}: the runtime is {live.get('Runtime')}, not {RUNTIME}", stack.deploy())
    else:
        yield ok(f"{name}: the runtime is {RUNTIME}")
    if function == "mail":
        return
    if live["Timeout"] >= API_TIMEOUT:
        yield fail(
            f"{name}: may run {live['Timeout']} s, but the API gives up after {API_TIMEOUT} s",
            f"set Timeout: 28; {stack.deploy()}",
        )
    else:
        yield ok(f"{name}: ends after {live['Timeout']} s, before the API gives up")


@check("drift", each=FUNCTIONS)
def function_drift(stack, function):
    name, live, latest = stack.function_name(function), stack.live(function), stack.configuration(function, "$LATEST")
    if live is None or latest is None:
        yield fail(f"{name}: there are not both a live version and $LATEST to compare", stack.deploy())
        return
    changed = [setting for setting in SETTINGS if live.get(setting) != latest.get(setting)]
    before, now = (c.get("Environment", {}).get("Variables", {}) for c in (live, latest))
    changed += [variable for variable in sorted({*before, *now}) if before.get(variable) != now.get(variable)]
    if changed:
        yield fail(
            f"{name}: $LATEST differs from the live version in {', '.join(changed)}",
            f"somebody changed the function by hand, or a deployment stopped half-way; {stack.deploy()}",
        )
    else:
        yield ok(f"{name}: the live version is $LATEST")


@check("concurrency", each=FUNCTIONS)
def reserved_concurrency(stack, function):
    name = stack.function_name(function)
    answer = stack.ask("lambda", "get_function_concurrency", ("ResourceNotFoundException",), FunctionName=name)
    reserved = (answer or {}).get("ReservedConcurrentExecutions")
    undo = stack.aws(f"lambda delete-function-concurrency --function-name {name}")
    asked = stack.parameters.get("CompleteConcurrency", "0")
    if reserved == 0:
        yield fail(f"{name}: a reserved concurrency of 0 switches it off", f"{undo}, or {stack.deploy()}")
    elif function != "complete":
        yield ok(f"{name}: {'shares the account concurrency' if reserved is None else f'{reserved} calls at once'}")
    elif reserved is None and asked == "0":
        yield warn(
            f"{name}: has no ceiling, so nothing bounds what its hashes cost",
            "raise Service Quotas > AWS Lambda > Concurrent executions, then deploy with CompleteConcurrency=10",
        )
    elif str(reserved) != asked:
        yield fail(
            f"{name}: {reserved or 'no'} calls at once are reserved, not {asked} (CompleteConcurrency)", stack.deploy()
        )
    else:
        yield ok(f"{name}: {reserved} calls at once at the most")


@check("variables", each=FUNCTIONS)
def function_variables(stack, function):
    """Names variables and never quotes one."""
    name, live = stack.function_name(function), stack.live(function) or {}
    if "Error" in live.get("Environment", {}):
        yield warn(f"{name}: its variables cannot be read", "allow kms:Decrypt on their key to whoever runs this")
        return
    given = stack.variables(function)
    problems = malformed(given)
    for variable in sorted(problems):
        good = "" if variable in UNPARAMETERED else f"deploy with a good {parameter_of(variable)}; "
        yield fail(f"{name}: {variable} {problems[variable]}", f"{good}{stack.deploy()}")
    for variable in sorted(given.keys() - VARIABLES.keys()):
        yield warn(f"{name}: {variable} is no variable of Rekey's", "take it out, unless you know what it is for")
    if not problems:
        yield ok(f"{name}: its {len(VARIABLES)} variables are well-formed")


def malformed(given):
    """What is wrong, by variable."""
    problems = {variable: "is not set" for variable in VARIABLES if variable not in given}
    for variable, form in VARIABLES.items():
        value = given.get(variable, "")
        if not value:
            if variable in REQUIRED:
                problems[variable] = "is not set"
        elif form is not None and PLACEHOLDER.search(value):
            problems[variable] = "holds a placeholder"
        elif not fits(value, form):
            problems[variable] = "is malformed"
        elif variable == "API_KEYS" and EMPTY_DIGEST in value.lower():
            problems[variable] = "holds the SHA-256 of an empty key"
    if given.get("REQUIRE_API_KEY") == "true":
        for variable, why in (
            ("API_KEYS", "nobody could call"),
            ("RESET_LINK", "the mails would lead to a page that is off"),
        ):
            if not given.get(variable):
                problems[variable] = f"is empty while keys are required: {why}"
    if not given.get("ACCOUNTS_EMAIL_INDEX") and given.get("ACCOUNTS_KEY") != given.get("ACCOUNTS_EMAIL"):
        problems["ACCOUNTS_EMAIL_INDEX"] = "is empty, but the accounts are not keyed by their address"
    return problems


def fits(value, form):
    if isinstance(form, tuple):
        return value.isdecimal() and form[0] <= int(value) <= form[1]
    return form is None or re.fullmatch(form, value) is not None
