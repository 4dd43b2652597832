"""infra/doctor: a healthy stack, the calls that it makes, and what it does when a call fails.

doctor_aws.py answers for AWS. The API is a local server with TLS that answers as the functions do.
"""

import hashlib
import json
import re
import subprocess
import sys

import pytest
from botocore.exceptions import EndpointConnectionError
from doctor_checks import main as doctor

import template
from doctor_api import PATHS, ROOT, document
from doctor_aws import LOGS, REGION, run
from sets import TRUE

PATH = ROOT / "infra" / "doctor"
SECRET = "a-key-in-clear-that-must-not-be-printed"


def test_a_healthy_stack_passes_every_check(aws, capsys):
    status, findings = run(doctor, capsys)
    assert [f for f in findings if f[1] != "ok"] == []
    assert {f[0] for f in findings} == {name for name, _, _ in doctor.findings.CHECKS}
    assert status == 0


# -------------------------------------------------------------------------------------------------- calls that fail


@pytest.mark.parametrize("action", [p for p in doctor.PERMISSIONS if p != "cloudformation:DescribeStacks"])
def test_a_denied_call_is_a_warning_that_names_the_permission(aws, capsys, action):
    aws.errors[action] = ("AccessDeniedException", "who are you?")
    status, findings = run(doctor, capsys)
    warnings = [f for f in findings if f[1] == "warn"]
    assert warnings and all(f"{action} is denied" in f[2] and action in f[3] for f in warnings), findings
    assert status == 0


def test_a_failed_call_is_a_warning(aws, capsys):
    aws.errors["ses:GetAccount"] = ("TooManyRequestsException", "slow down")
    aws.errors["sns:ListSubscriptionsByTopic"] = EndpointConnectionError(endpoint_url="https://sns")
    status, findings = run(doctor, capsys)
    warnings = {f[2] for f in findings if f[1] != "ok"}
    assert warnings == {
        "cannot check: ses:GetAccount failed (TooManyRequestsException)",
        "cannot check: sns:ListSubscriptionsByTopic failed (EndpointConnectionError)",
    }
    assert status == 0


def test_a_bug_in_the_doctor_is_a_warning(aws, capsys):
    del aws.deployed["Timeout"]
    status, findings = run(doctor, capsys)
    assert ("function", "warn", "cannot check: KeyError in function_state", "report this as a bug in infra/doctor") in findings
    assert status == 0


def test_it_only_reads_and_lists_its_permissions(aws, capsys):
    run(doctor, capsys)
    assert aws.asked == set(doctor.PERMISSIONS)
    assert all(re.match(r"[a-z]+:(Describe|Get|List|Scan)", action) for action in aws.asked)
    with pytest.raises(SystemExit) as ended:
        doctor.main(["--help"])
    printed = capsys.readouterr().out
    assert ended.value.code == 0 and all(action in printed for action in doctor.PERMISSIONS)


# ------------------------------------------------------------------------------------------------------ exit status 2


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (("ValidationError", "Stack with id rekey does not exist"), "there is no stack rekey"),
        (("AccessDenied", "no"), "cloudformation:DescribeStacks"),
        (EndpointConnectionError(endpoint_url="https://cloudformation"), "cannot be reached"),
    ],
    ids=["no_stack", "denied", "no_network"],
)
def test_without_a_stack_it_prints_the_reason_and_exits_with_2(aws, capsys, error, said):
    aws.errors["cloudformation:DescribeStacks"] = error
    assert doctor.main(["--stack", "rekey"]) == 2
    printed = capsys.readouterr()
    assert said in printed.err and printed.out == ""


def test_a_stack_that_is_not_rekey_exits_with_2(aws, capsys):
    aws.outputs = {"ApiUrl": aws.api.url}
    assert doctor.main(["--stack", "rekey"]) == 2
    assert "not a Rekey stack" in capsys.readouterr().err


def test_a_stack_whose_creation_failed_is_a_failure(aws, capsys):
    aws.outputs, aws.status = {}, "ROLLBACK_COMPLETE"
    status, findings = run(doctor, capsys)
    assert (status, [f[:2] for f in findings]) == (1, [("stack", "FAIL")])


def test_bad_arguments_exit_with_2():
    for arguments in ([], ["--stack"], ["--stack", "rekey", "--fix"], ["--stack", "rekey", "--url", "rekey.dev"]):
        ended = subprocess.run([sys.executable, PATH, *arguments], capture_output=True, text=True)
        assert (ended.returncode, ended.stdout) == (2, ""), arguments
        assert "usage:" in ended.stderr


def test_a_missing_region_or_profile_exits_with_2(monkeypatch, capsys):
    for variable in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    assert doctor.main(["--stack", "rekey"]) == 2
    assert "--region" in capsys.readouterr().err
    assert doctor.main(["--stack", "rekey", "--profile", "nobody"]) == 2
    assert "nobody" in capsys.readouterr().err


def test_without_boto3_it_prints_what_to_install(tmp_path):
    (tmp_path / "boto3.py").write_text("raise ImportError")
    environment = {"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"}
    ended = subprocess.run([sys.executable, PATH, "--stack", "x"], capture_output=True, text=True, env=environment)
    assert (ended.returncode, ended.stderr) == (2, "infra/doctor needs boto3: python3 -m pip install boto3\n")


# ------------------------------------------------------------------------------------------------------------ output


def test_the_text_has_a_line_for_each_finding_and_a_summary(aws, capsys):
    aws.ttl = {"TimeToLiveStatus": "DISABLED"}
    aws.retention = dict.fromkeys(LOGS.values(), 7)
    assert doctor.main(["--stack", "rekey"]) == 1
    lines = capsys.readouterr().out.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("FAIL"))
    assert re.match(r"FAIL +ttl +table rekey-tokens: TTL is DISABLED", lines[at])
    assert lines[at + 1].strip().startswith("-> aws dynamodb update-time-to-live --table-name rekey-tokens")
    assert all(re.match(r"(ok|warn|FAIL) +[a-z-]+ +\S| +-> \S", line) for line in lines[:-1])
    assert re.fullmatch(rf"rekey in {REGION}: \d+ ok, 5 warn, 1 FAIL", lines[-1])


def test_json_output_is_one_document(aws, capsys):
    aws.account["ProductionAccessEnabled"] = False
    assert doctor.main(["--stack", "rekey", "--json"]) == 1
    printed = json.loads(capsys.readouterr().out)
    assert (printed["stack"], printed["region"], printed["count"]["FAIL"]) == ("rekey", REGION, 1)
    assert sum(printed["count"].values()) == len(printed["findings"])
    assert {tuple(finding) for finding in printed["findings"]} == {("check", "level", "what", "todo")}


def test_commands_name_the_region_and_the_profile(aws, capsys):
    aws.ttl = {"TimeToLiveStatus": "DISABLED"}
    _, findings = run(doctor, capsys, "--profile", "prod")
    todo = next(f[3] for f in findings if f[1] == "FAIL")
    assert todo.endswith(f"--region {REGION} --profile prod")


def test_no_value_of_a_variable_is_printed(aws, capsys):
    aws.variables["API_KEYS"] = SECRET
    digest = hashlib.sha256(SECRET.encode()).hexdigest()
    aws.parameters["ApiKeys"] = f"shop:reset:{digest}"
    for arguments in (["--stack", "rekey"], ["--stack", "rekey", "--json"]):
        doctor.main(arguments)
        printed = "".join(capsys.readouterr())
        assert "API_KEYS" in printed and SECRET not in printed and digest not in printed


# --------------------------------------------------------------------------------------------------------------- API


def test_it_calls_every_route_and_changes_nothing(aws, capsys):
    run(doctor, capsys)
    seen = aws.api.seen
    asked = {(method, path) for method, path, _ in seen if path.endswith("/") or path.startswith("/auth")}
    assert asked >= {(method.upper(), path) for path, methods in PATHS.items() for method in methods}
    harmless = (None, {}, doctor.api.UNKNOWN, doctor.api.NOT_JSON)
    assert all(body in harmless and "@" not in path and "email=" not in path for _, path, body in seen)
    # The default limit is twenty dead tokens in ten minutes. A body that is not JSON is refused before the token is looked up.
    dead = [
        path
        for _, path, body in seen
        if body != doctor.api.NOT_JSON
        and (doctor.api.UNKNOWN_TOKEN in f"{path}{body}" or path == "/auth/reset/validate")
    ]
    assert len(dead) == 3


def test_if_keys_are_required_it_expects_401(aws, capsys):
    aws.api.keys_required = True
    aws.parameters["RequireApiKey"] = "true"
    aws.variables |= {"REQUIRE_API_KEY": "true", "RESET_LINK": "https://rekey.dev/new-password"}
    status, findings = run(doctor, capsys)
    assert [f for f in findings if f[1] != "ok"] == [] and status == 0
    assert any("POST /organizations/reset-password/: 401" in f[2] for f in findings)


def test_behind_cloudfront_it_sends_the_origin_secret_or_calls_another_url(aws, capsys, monkeypatch):
    secret = "the-origin-secret"
    aws.api.origin_secret = secret
    aws.variables |= {"ORIGIN_SECRETS": hashlib.sha256(secret.encode()).hexdigest(), "RESET_LINK": "https://rekey.dev/new-password"}
    status, findings = run(doctor, capsys)
    (failed,) = [f for f in findings if f[0] == "api"]
    assert status == 1 and "REKEY_ORIGIN_SECRET" in failed[3] and "--url" in failed[3]
    for name in ("get-body", "slash"):
        assert any(f[:2] == (name, "FAIL") and f[3] == failed[3] for f in findings), name
    assert ("origin", "ok", "a call that bypasses CloudFront: 403", "") in findings

    monkeypatch.setenv("REKEY_ORIGIN_SECRET", secret)
    monkeypatch.setattr(doctor.api, "PLAIN_PORT", aws.plain.port)
    aws.plain.broken = lambda *_: (301, {})
    status, findings = run(doctor, capsys)
    assert [f for f in findings if f[1] != "ok"] == [] and status == 0
    # Nobody else may see the secret.
    assert aws.plain.secrets == {None}

    # With --url, the output ApiUrl is only called to see that it refuses the call, and nobody gets the secret.
    aws.api.restore()
    aws.plain.restore()
    aws.outputs["ApiUrl"] = aws.plain.url
    aws.plain.origin_secret = secret
    monkeypatch.setattr(doctor.api, "PLAIN_PORT", 1)
    status, findings = run(doctor, capsys, "--url", aws.api.url + "/")
    assert [f for f in findings if f[1] != "ok"] == [] and status == 0
    aws.plain.origin_secret = None
    status, findings = run(doctor, capsys, "--url", aws.api.url)
    assert [f[:3] for f in findings if f[1] != "ok"] == [("origin", "FAIL", "a call that bypasses CloudFront: 200 instead of 403")]
    assert aws.api.secrets == aws.plain.secrets == {None}
    aws.variables["ORIGIN_SECRETS"] = ""
    status, findings = run(doctor, capsys, "--url", aws.api.url)
    assert [f[:2] for f in findings if f[1] != "ok"] == [("origin", "FAIL")]


def test_a_403_of_a_firewall_is_not_taken_for_a_missing_origin_secret(aws, capsys):
    aws.variables |= {"ORIGIN_SECRETS": "0" * 64, "RESET_LINK": "https://rekey.dev/new-password"}
    aws.api.broken = lambda *_: (403, {})
    _, findings = run(doctor, capsys)
    found = [f for f in findings if f[0] == "api"]
    assert len(found) > 10 and all("403, not from Rekey" in f[2] and "firewall" in f[3] for f in found)


def test_an_api_that_does_not_answer_is_called_once(aws, capsys):
    aws.outputs["ApiUrl"] = "https://127.0.0.1:1"
    status, findings = run(doctor, capsys)
    assert [f[1] for f in findings if f[0] == "api"] == ["FAIL"] and status == 1


def test_the_routes_are_those_of_the_openapi_document():
    documented = {(method.upper(), path): o for path, methods in PATHS.items() for method, o in methods.items()}
    assert [r[:2] for r in doctor.api.ROUTES] == list(dict.fromkeys(r[:2] for r in doctor.api.ROUTES))
    assert {r[:2] for r in doctor.api.ROUTES} == documented.keys()
    probes = [*doctor.api.ROUTES, *((m, f"{p.partition('?')[0]}/", *statuses) for m, p, _, *statuses in doctor.api.TOKEN_PROBES)]
    for method, path, *statuses in probes:
        assert {str(status) for status in statuses} <= documented[method, path]["responses"].keys(), path


def test_the_headers_are_those_of_the_openapi_document():
    responses = document("openapi.yaml")["components"]["responses"].values()
    assert set.intersection(*(set(response["headers"]) for response in responses)) == doctor.api.SECURITY_HEADERS.keys()


def test_the_variables_are_those_of_the_functions():
    assert set(template.variables_of_the_code()) == doctor.functions.VARIABLES.keys()
    deployed = (ROOT / "shared" / "src" / "config" / "deployed.rs").read_text()
    rows = re.findall(r'\("(\w+)", &\[([^\]]*)\]\)', deployed)
    assert {start: tuple(re.findall(r"\w+", functions)) for start, functions in rows} == doctor.functions.NEEDED_BY


def test_the_resources_and_outputs_are_those_of_the_application():
    root = template.source()
    assert set(doctor.OUTPUTS) <= root["Outputs"].keys()
    kinds = {(r["Type"], name) for part in ("template.yaml", *template.PARTS) for name, r in template.source(part)["Resources"].items()}
    assert kinds >= {("AWS::Logs::LogGroup", name) for name in LOGS} | {("AWS::Pipes::Pipe", "PasswordResets")}
    assert kinds >= {("AWS::Serverless::Function", f"{name.capitalize()}Function") for name in doctor.functions.FUNCTIONS}
    common = root["Globals"]["Function"]
    assert common["Runtime"] == doctor.functions.RUNTIME and common["Timeout"] < doctor.functions.API_TIMEOUT
    ours = {doctor.functions.parameter_of(variable) for variable in doctor.functions.VARIABLES.keys() - set(doctor.functions.UNPARAMETERED)}
    assert ours <= root["Parameters"].keys()
    # The other variables are references to their own parameters.
    for function in doctor.functions.FUNCTIONS:
        properties = root["Resources"][f"{function.capitalize()}Function"]["Properties"]
        given = common["Environment"]["Variables"] | properties["Environment"]["Variables"]
        own = {name for name in given if given[name] == {"Ref": doctor.functions.parameter_of(name)} and given[name]["Ref"] in root["Parameters"]}
        assert given.keys() - own <= {*doctor.functions.DERIVED, *doctor.functions.SWITCHES, "BRAND_COLOR"}


def test_a_switch_and_a_colour_as_a_parameters_file_may_say_them_are_no_drift(aws, capsys):
    needed = {"REQUIRE_API_KEY": "true", "RESET_LINK": "https://rekey.dev/new-password"}
    aws.api.keys_required = True
    for word in TRUE:
        aws.parameters |= {"RequireApiKey": word, "MailUnknown": word, "PublishPasswordResets": word, "BrandColor": "default"}
        aws.variables |= needed | {"MAIL_UNKNOWN": "true"}
        _, findings = run(doctor, capsys)
        assert [f for f in findings if f[1] != "ok"] == []
        assert any("pipe rekey-pipe is RUNNING" in f[2] for f in findings)
    aws.parameters["BrandColor"] = "1a4fd6"
    _, findings = run(doctor, capsys)
    drift = {f[2] for f in findings if f[0] == "drift" and f[1] == "FAIL"}
    assert drift == {f"rekey-{name}: differs from the stack's parameters in BRAND_COLOR" for name in ("reset", "validate", "mail")}
