"""Reads infra/samconfig.toml and parameters files as `sam deploy` does: for each stage, for the file in infra/README.md, and for other things
that people write.

Needs the Python environment that has sam. Prints the problems.
"""

import os
import re
import sys
import tempfile
import tomllib
from pathlib import Path

import click
from samcli.cli.types import CfnParameterOverridesType

import template

sys.path.insert(0, str(template.INFRA))
from accounts_page import blocks  # noqa: E402
from doctor_checks import parameters as doctors  # noqa: E402

# A line of a parameters file, and the value of the variable that it sets; None if the template refuses it, with its own words.
WRITTEN = [
    ("RequireApiKey: true", "true"),
    ("RequireApiKey: True", "true"),
    ("RequireApiKey: yes", "true"),
    ('RequireApiKey: "yes"', "true"),
    ("RequireApiKey: no", "false"),
    ("RequireApiKey: false", "false"),
    ("RequireApiKey:", None),
    ("RequireApiKey: 1", None),
    ("BrandColor: #1a4fd6", None),
    ("BrandColor:", None),
    ("BrandColor: 000000", None),
    ("BrandColor: 123e45", None),
    ('BrandColor: "#1a4fd6"', "#1a4fd6"),
    ('BrandColor: "000000"', "000000"),
    ("BrandColor: 1a4fd6", "1a4fd6"),
    ("BrandColor: default", ""),
    ("PasswordMinLength: 20", "20"),
    ("PasswordMinLength: 20.5", None),
    ("DefaultLocale: no", "no"),
    ("AccountsLocale: language", "language"),
    ("AccountsKey: y", "y"),
    ('ServiceName: "Shop #1"', "Shop #1"),
    ("LogoUrl: https://example.com/a.png#b", "https://example.com/a.png#b"),
]
KEY = {"ApiKeys": "shop:reset:" + "a" * 64, "ResetLink": "https://example.com/new"}


def read(overrides):
    return CfnParameterOverridesType().convert(tuple(overrides), None, None)


def read_text(text):
    Path("one.parameters.yaml").write_text(text)
    return read(["file://one.parameters.yaml"])


def of_stages():
    stages = tomllib.loads((template.INFRA / "samconfig.toml").read_text())
    declared = template.source()["Parameters"]
    needed = {name for name, parameter in declared.items() if "Default" not in parameter}
    for stage in ("dev", "prod"):
        deploy, build = (stages[stage][command]["parameters"] for command in ("deploy", "build"))
        file = Path(f"{stage}.parameters.yaml")
        try:
            read(deploy["parameter_overrides"])
            yield f"{stage} deploys without {file}"
        except click.BadParameter as problem:
            if str(file) not in str(problem):
                yield f"{stage}: without its file, sam reports: {problem}"
        file.write_text("MailFrom: no-reply@example.com\nLogRetentionDays: 30\nArchitecture: x86_64\n")
        given = read(deploy["parameter_overrides"])
        if given.keys() - declared.keys():
            yield f"{stage} has no parameters {given.keys() - declared.keys()}"
        if needed - given.keys():
            yield f"{stage} lacks {needed - given.keys()}"
        if str(given["LogRetentionDays"]) != "30":
            yield f"{stage}: its file does not override samconfig.toml"
        if read(build["parameter_overrides"])["Architecture"] != given["Architecture"]:
            yield f"{stage} builds for another architecture than it deploys"
        if "template_file" in deploy:
            yield f"{stage} would upload the sources"
        if stage == "dev" and deploy["confirm_changeset"]:
            yield "dev asks for confirmation"


def of_the_readme():
    documented = re.search(r"```yaml\n(MailFrom: .*?)```", (template.INFRA / "README.md").read_text(), re.DOTALL)[1]
    given = template.parameters(**read_text(documented))
    yield from (f"the file in README.md: {name} is refused" for name in template.invalid(given))
    yield from (f"the file in README.md: {message}" for message in template.broken_rules(given))
    variables = variables_of(given)
    expected = {"SERVICE_NAME": "Shop #1", "BRAND_COLOR": "1a4fd6", "ACCOUNTS_TABLE": "users", "ACCOUNTS_EMAIL_INDEX": "by-email"}
    yield from (f"the file in README.md sets {n} to {variables[n]}" for n, value in expected.items() if variables[n] != value)
    created = template.resolve(given)["Resources"]
    if "PasswordResets" not in created or len(created["Api"]["Properties"]["Body"]["x-amazon-apigateway-cors"]["allowOrigins"]) != 2:
        yield "the file in README.md publishes no events, or allows not its two origins"


def of_other_lines():
    for line, expected in WRITTEN:
        name = line.partition(":")[0]
        given = template.parameters(**{"MailFrom": "a@b.de"} | KEY | read_text(line))
        refused = template.invalid(given) == {name}
        variable = "_".join(re.findall("[A-Z][a-z0-9]*", name)).upper()
        if refused != (expected is None):
            yield f"{line}: {'refused' if refused else 'accepted'} as {given[name]!r}"
        elif not refused and variables_of(given)[variable] != expected:
            yield f"{line}: {variable} is {variables_of(given)[variable]!r}"


def as_the_doctor_reads_them():
    """infra/doctor reads a file as sam does, or refuses it."""
    lines = [line for line, _ in WRITTEN]
    lines += ["A: [x, 'y, z', ]", "A: 'it''s'", 'A: "x \\" y"', "A: ~", "A: x # note", "A: x#y", 'A: "#x"  # note', "A: -x", "A: a!=b", "A: $x", "A: 007"]
    lines += ["A:\n  - x\n  - y", "A: x\n\n# note\nB: y", "---\nA: x", "A: 'True'", "A: \"'x'\"", "A: x: y", "A: !x", "A: {email}", "A: [x", "A: 'x", "A: 1\nA: 2"]
    for text in [*lines, *blocks("yaml"), *blocks("yaml", (template.INFRA / "README.md").read_text())]:
        if text.startswith("on:"):
            continue
        try:
            expected = read_text(text)
        except Exception:  # whatever sam raises
            expected = None
        try:
            found = doctors.read(text)
        except doctors.Unusable:
            found = None
        if found != expected and not (found is None and expected):
            yield f"{text!r}: the doctor reads {found}, sam {expected}"
        if found is None and expected and text in blocks("yaml"):
            yield f"{text!r}: the doctor cannot read it"


def variables_of(given):
    """The variables of all functions."""
    resolved = template.resolve(given)["Resources"]
    functions = [resolved[f"{name}Function"] for name in ("Reset", "Validate", "Complete", "Mail")]
    return {name: value for function in functions for name, value in function["Properties"]["Environment"]["Variables"].items()}



if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        # sam reads the file from the current directory.
        os.chdir(folder)
        found = [*of_stages(), *of_the_readme(), *of_other_lines(), *as_the_doctor_reads_them()]
    print("\n".join(found))
    sys.exit(bool(found))
