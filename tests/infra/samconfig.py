"""Reads infra/samconfig.toml as `sam deploy` does, for each stage, with and without the stage's parameters file.

Needs the Python environment that has sam. Prints the problems.
"""

import os
import sys
import tempfile
import tomllib
from pathlib import Path

import click
from samcli.cli.types import CfnParameterOverridesType
from samcli.yamlhelper import yaml_parse

INFRA = Path(__file__).resolve().parents[2] / "infra"


def read(overrides):
    return CfnParameterOverridesType().convert(tuple(overrides), None, None)


def problems():
    stages = tomllib.loads((INFRA / "samconfig.toml").read_text())
    declared = yaml_parse((INFRA / "template.yaml").read_text())["Parameters"]
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


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        # sam reads the file from the current directory.
        os.chdir(folder)
        found = list(problems())
    print("\n".join(found))
    sys.exit(bool(found))
