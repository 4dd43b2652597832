"""Checks of the stack's status, and of the functions and their settings."""

import re

from .findings import check, fail, ok, warn
from .stack import FUNCTIONS, is_on, parameter_of

RUNTIME = "provided.al2023"
# API Gateway's integration timeout in seconds.
API_TIMEOUT = 30

# The functions' variables and their form: None for free text, a range for a number, otherwise a pattern. Empty means the default.
NAME = r"[A-Za-z0-9_.-]{3,255}"
ATTRIBUTE = r"[A-Za-z_][A-Za-z0-9_-]{0,254}"
ADDRESS = r"[^@\s<>]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+"
HTTPS = r"https://[!#$%&()*+./0-9:=?A-Z_a-z~-]+"
SCOPE = "(reset|validate|complete|invite)"
API_KEY = rf"[A-Za-z0-9._-]+:{SCOPE}(\+{SCOPE})*:[0-9A-Fa-f]{{64}}"
VARIABLES = {
    "TOKENS_TABLE": NAME,
    "ACCOUNTS_TABLE": NAME,
    "ACCOUNTS_KEY": ATTRIBUTE,
    "ACCOUNTS_SORT_KEY": ATTRIBUTE,
    "ACCOUNTS_KEY_VALUE": None,
    "ACCOUNTS_SORT_KEY_VALUE": None,
    "ACCOUNTS_EMAIL": ATTRIBUTE,
    "ACCOUNTS_EMAIL_INDEX": NAME,
    "ACCOUNTS_EMAIL_INDEX_KEY": ATTRIBUTE,
    "ACCOUNTS_EMAIL_INDEX_VALUE": None,
    "ACCOUNTS_PASSWORD_HASH": ATTRIBUTE,
    "ACCOUNTS_PASSWORD_CHANGED_AT": ATTRIBUTE,
    "ACCOUNTS_LOCALE": ATTRIBUTE,
    "ACCOUNTS_CONDITIONS": r"[^\x00-\x1f\x7f]{1,1024}",
    "TOKEN_LIFETIME_SECONDS": (60, 86_400),
    "INVITE_LIFETIME_SECONDS": (3_600, 2_592_000),
    "MAIL_FROM": f'{ADDRESS}|"[^"]{{1,64}}" <{ADDRESS}>',
    "MAIL_REPLY_TO": ADDRESS,
    "MAIL_CONFIGURATION_SET": r"[A-Za-z0-9_-]{1,64}",
    "MAIL_UNKNOWN": "true|false",
    "RESET_LINK": r"https://[^\s#<>\"]+",
    "SERVICE_NAME": None,
    "DEFAULT_LOCALE": r"[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8}){0,3}",
    "MESSAGES_DIR": r"/\S*",
    "BRAND_COLOR": r"#?[0-9A-Fa-f]{6}",
    "LOGO_URL": HTTPS,
    "SIGN_IN_LINK": HTTPS,
    "SUPPORT_LINK": f"{HTTPS}|mailto:{ADDRESS}",
    "PASSWORD_MIN_LENGTH": (8, 128),
    "PASSWORD_HASH": "argon2id|bcrypt",
    "ARGON2_MEMORY_KIB": (19_456, 4_194_304),
    "ARGON2_ITERATIONS": (2, 1_000),
    "ARGON2_LANES": (1, 255),
    "BCRYPT_COST": (10, 16),
    "BREACHED_PASSWORDS": HTTPS,
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
# How the names of variables begin that not all functions have, and the functions that have them.
NEEDED_BY = {
    "ACCOUNTS_": ("validate", "complete", "mail"),
    "API_KEYS": ("reset", "validate", "complete"),
    "REQUIRE_API_KEY": ("reset", "validate", "complete"),
    "ORIGIN_SECRETS": ("reset", "validate", "complete"),
    "LIMIT_RESET_PER_IP": ("reset", "validate"),
    "LIMIT_MAIL_PER_ADDRESS": ("validate",),
    "LIMIT_BAD_TOKEN_PER_IP": ("validate", "complete"),
    "PASSWORD_": ("validate", "complete"),
    "ARGON2_": ("complete",),
    "BCRYPT_": ("complete",),
    "BREACHED_PASSWORDS": ("complete",),
    "INVITE_LIFETIME_SECONDS": ("validate", "mail"),
    "RESET_LINK": ("validate", "mail"),
    "MAIL_": ("mail",),
    "DEAD_LETTER_QUEUE_URL": ("mail",),
    "LOGO_URL": ("reset", "validate"),
    "SIGN_IN_LINK": ("reset", "validate"),
    "SUPPORT_LINK": ("reset", "validate", "mail"),
    "DEFAULT_LOCALE": ("reset", "validate", "mail"),
    "BRAND_COLOR": ("reset", "validate", "mail"),
}
# Variables that the stack sets without a parameter of that name, and those for which several parameters count.
UNPARAMETERED = ("TOKENS_TABLE", "DEAD_LETTER_QUEUE_URL", "STACK_NAME", "MESSAGES_DIR")
DERIVED = (*UNPARAMETERED, "ACCOUNTS_TABLE", "MAIL_CONFIGURATION_SET", "MAIL_FROM", "RESET_LINK")
SWITCHES = {"REQUIRE_API_KEY", "MAIL_UNKNOWN"}
PLACEHOLDER = re.compile(
    r"\$\{|\{\{|change[-_ ]?me|replace[-_ ]?me|placeholder|your[-_]?domain|^(todo|tbd|fixme|x{3,})$|"
    # Names that RFC 2606 reserves for examples.
    r"[@./]example\.(com|net|org)\b|\.(example|test|invalid)(?=[/:?]|$)",
    re.IGNORECASE,
)
# The SHA-256 of the empty string: what `printf %s "$KEY" | sha256sum` prints if KEY is not set. The functions refuse it.
EMPTY_DIGEST = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

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
    name, deployed = stack.function_name(function), stack.configuration(function)
    if deployed is None:
        yield fail(f"{name}: does not exist", stack.deploy())
        return
    state, update = deployed.get("State", "Active"), deployed.get("LastUpdateStatus", "Successful")
    if state == "Inactive":
        yield warn(f"{name} is Inactive", "call it once; Lambda then activates it")
    elif state != "Active":
        yield fail(f"{name} is {state} ({deployed.get('StateReasonCode', 'no reason given')})", stack.deploy())
    elif update == "Failed":
        reason = deployed.get("LastUpdateStatusReasonCode", "no reason given")
        yield fail(f"{name}: its last update failed ({reason}), so it runs the code before", stack.deploy())
    else:
        yield ok(f"{name} is Active")
    if deployed.get("Runtime") != RUNTIME:
        yield fail(f"{name}: the runtime is {deployed.get('Runtime')}, not {RUNTIME}", stack.deploy())
    else:
        yield ok(f"{name}: the runtime is {RUNTIME}")
    if function == "mail":
        return
    if deployed["Timeout"] >= API_TIMEOUT:
        yield fail(
            f"{name}: its timeout is {deployed['Timeout']} s, but API Gateway's is {API_TIMEOUT} s",
            f"set Timeout: 28; {stack.deploy()}",
        )
    else:
        yield ok(f"{name}: its timeout is {deployed['Timeout']} s, below API Gateway's")


@check("drift", each=FUNCTIONS)
def function_drift(stack, function):
    name, given = stack.function_name(function), stack.variables(function)
    changed = [v for v, value in sorted(parameters_as_variables(stack).items()) if v in given and given[v] != value]
    todo = f"the function was changed by hand; {stack.deploy()}"
    if changed:
        yield fail(f"{name}: differs from the stack's parameters in {', '.join(changed)}", todo)
    elif function == "mail" and code_of(stack, "mail") != code_of(stack, "validate"):
        yield fail(f"{name}: its code is not that of {stack.function_name('validate')}, the same binary", todo)
    else:
        yield ok(f"{name}: its variables are the stack's parameters")


def parameters_as_variables(stack):
    """The values that the stack's parameters give to the variables, where one parameter alone decides."""
    own = {variable: stack.parameters.get(parameter_of(variable)) for variable in VARIABLES.keys() - set(DERIVED)}
    values = {variable: value for variable, value in own.items() if value is not None}
    for switch in SWITCHES & values.keys():
        values[switch] = "true" if is_on(values[switch]) else "false"
    if values.get("BRAND_COLOR") == "default":
        values["BRAND_COLOR"] = ""
    return values


def code_of(stack, function):
    return (stack.configuration(function) or {}).get("CodeSha256")


@check("concurrency", each=FUNCTIONS)
def reserved_concurrency(stack, function):
    name = stack.function_name(function)
    answer = stack.ask("lambda", "get_function_concurrency", ("ResourceNotFoundException",), FunctionName=name)
    reserved = (answer or {}).get("ReservedConcurrentExecutions")
    undo = stack.aws(f"lambda delete-function-concurrency --function-name {name}")
    wanted = stack.parameters.get("CompleteConcurrency", "0")
    if reserved == 0:
        yield fail(f"{name}: a reserved concurrency of 0 switches it off", f"{undo}, or {stack.deploy()}")
    elif function != "complete":
        yield ok(f"{name}: {'no concurrency is reserved' if reserved is None else f'its reserved concurrency is {reserved}'}")
    elif reserved is None and wanted == "0":
        yield warn(
            f"{name}: no concurrency is reserved, so nothing limits what its hashes cost",
            "raise Service Quotas > AWS Lambda > Concurrent executions, then deploy with CompleteConcurrency=10",
        )
    elif str(reserved) != wanted:
        yield fail(
            f"{name}: its reserved concurrency is {reserved or 'none'}, not {wanted} (CompleteConcurrency)", stack.deploy()
        )
    else:
        yield ok(f"{name}: its reserved concurrency is {reserved}")


@check("variables", each=FUNCTIONS)
def function_variables(stack, function):
    """Prints names of variables, never values."""
    name, deployed = stack.function_name(function), stack.configuration(function) or {}
    if "Error" in deployed.get("Environment", {}):
        yield warn(f"{name}: its variables cannot be read", "allow kms:Decrypt on their key to the identity that runs this")
        return
    given = stack.variables(function)
    problems = malformed(given, needed(function))
    for variable in sorted(problems):
        correct = "" if variable in UNPARAMETERED else f"deploy with a valid {parameter_of(variable)}; "
        yield fail(f"{name}: {variable} {problems[variable]}", f"{correct}{stack.deploy()}")
    for variable in sorted(given.keys() - VARIABLES.keys()):
        yield warn(f"{name}: {variable} is not a variable of Rekey", "remove it, unless you know what it is for")
    if not problems:
        yield ok(f"{name}: its {len(needed(function))} variables are well-formed")


def needed(function):
    """The variables that a function has."""
    others = [start for start, functions in NEEDED_BY.items() if function not in functions]
    return [variable for variable in VARIABLES if not variable.startswith(tuple(others))]


def malformed(given, variables):
    """The problems of the given values, by variable."""
    problems = {variable: "is not set" for variable in variables if variable not in given}
    for variable in variables:
        form, value = VARIABLES[variable], given.get(variable, "")
        if not value:
            if variable in REQUIRED:
                problems[variable] = "is not set"
        elif form is not None and PLACEHOLDER.search(value):
            problems[variable] = "contains a placeholder"
        elif not fits(value, form):
            problems[variable] = "is malformed"
        elif variable in ("API_KEYS", "ORIGIN_SECRETS") and EMPTY_DIGEST in value.lower():
            problems[variable] = "contains the SHA-256 of an empty text"
    shortest = given.get("PASSWORD_MIN_LENGTH", "")
    if given.get("PASSWORD_HASH") == "bcrypt" and shortest.isdecimal() and int(shortest) > 72:
        problems.setdefault("PASSWORD_MIN_LENGTH", "is over 72, and bcrypt takes no longer password")
    if given.get("REQUIRE_API_KEY") == "true":
        for variable, why in (
            ("API_KEYS", "nobody could call the API"),
            ("RESET_LINK", "the mails would link to a page that is switched off"),
        ):
            if variable in variables and not given.get(variable):
                problems[variable] = f"is empty while keys are required: {why}"
    return problems


def fits(value, form):
    if isinstance(form, tuple):
        return value.isdecimal() and form[0] <= int(value) <= form[1]
    return form is None or re.fullmatch(form, value) is not None
