"""infra/package: everything but the builds. That two builds give the same binaries is tested by hand, since it takes two cold builds."""

import importlib.machinery
import importlib.util
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

import yaml

import template

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOADER = importlib.machinery.SourceFileLoader("package", str(ROOT / "infra/package"))
package = importlib.util.module_from_spec(importlib.util.spec_from_loader("package", LOADER))
LOADER.exec_module(package)

SOURCE = (ROOT / "infra/template.yaml").read_text()


class Loader(yaml.SafeLoader):
    """Reads a CloudFormation short form, such as !Ref, as its name and its text."""


Loader.add_multi_constructor("!", lambda loader, suffix, node: (suffix, str(node.value)))


def test_the_packaged_template_differs_only_in_code_location_and_architecture():
    source, packaged = (yaml.load(text, Loader) for text in (SOURCE, package.packaged(SOURCE, "x86_64")))
    zips = {}
    for name, resource in packaged["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            zips[name] = resource["Properties"].pop("CodeUri")
            metadata = source["Resources"][name].pop("Metadata")
            assert metadata == {"BuildMethod": "rust-cargolambda", "BuildProperties": {"Binary": zips[name].removesuffix(".zip")}}
    assert zips.keys() == {f"{name}Function" for name in ("Reset", "Validate", "Complete", "Mail")}
    assert source["Globals"]["Function"].pop("CodeUri") == ".."
    assert packaged["Parameters"]["Architecture"].pop("Default") == "x86_64"
    assert source["Parameters"]["Architecture"].pop("Default") == "arm64"
    assert packaged == source


def test_the_packaged_templates_pass_the_linter(tmp_path):
    file = tmp_path / "template.yaml"
    file.write_text(package.packaged(SOURCE, "arm64"))
    for part in package.PARTS:
        shutil.copy(template.INFRA / part, tmp_path)
    assert package.PARTS == template.PARTS and template.lint(file) == ""


def test_a_zip_contains_one_executable_and_is_reproducible(tmp_path):
    archives = []
    for number in range(2):
        folder = tmp_path / str(number)
        folder.mkdir()
        bootstrap = folder / "bootstrap"
        bootstrap.write_bytes(b"\x7fELF" + b"rekey" * 1000)
        bootstrap.touch()
        archives.append(folder / "reset.zip")
        package.pack(bootstrap, archives[-1])
    assert archives[0].read_bytes() == archives[1].read_bytes()
    with zipfile.ZipFile(archives[0]) as archive:
        (entry,) = archive.infolist()
        assert (entry.filename, entry.external_attr >> 16, entry.date_time[0]) == ("bootstrap", 0o100755, 1980)
        assert archive.read(entry) == bootstrap.read_bytes()


# Stands in for cargo-cyclonedx, whose documents differ on each run.
CARGO = """#!{python}
import json, os, sys, uuid
root = os.path.dirname(sys.argv[sys.argv.index("--manifest-path") + 1])
for folder in ("functions/reset", "functions/validate", "functions/complete", "shared"):
    written = {{"serialNumber": str(uuid.uuid4()), "metadata": {{"timestamp": str(os.getpid())}}, "purl": root + "/" + folder}}
    json.dump(written, open(os.path.join(root, folder, "sbom.json"), "w"))
"""


def test_a_package_holds_checked_files_that_do_not_depend_on_place_or_time(tmp_path, monkeypatch):
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "cargo").write_text(CARGO.format(python=sys.executable))
    (tools / "cargo").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    sums = []
    for place in ("here", "elsewhere"):
        root = tmp_path / place
        for folder in ("functions/reset", "functions/validate", "functions/complete", "shared", "infra"):
            (root / folder).mkdir(parents=True)
            (root / folder / "bootstrap").write_text(folder)
        for name in ("template.yaml", *package.PARTS):
            shutil.copy(template.INFRA / name, root / "infra")
        monkeypatch.setattr(package, "ROOT", root)
        monkeypatch.setattr(package, "build", lambda _, root=root: {n: root / "functions" / n / "bootstrap" for n in package.BINARIES})
        monkeypatch.setattr(sys, "argv", ["package", "--output", str(root / "out")])
        package.main()
        assert not list(root.glob("**/sbom.json"))
        checked = subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=root / "out", capture_output=True, text=True)
        assert checked.returncode == 0, checked.stderr
        assert {p.name for p in (root / "out").iterdir()} == {
            "SHA256SUMS",
            "template.yaml",
            *package.PARTS,
            *[f"{name}.{end}" for name in package.BINARIES for end in ("zip", "cdx.json")],
        }
        sums.append((root / "out/SHA256SUMS").read_text())
    assert sums[0] == sums[1]


def test_the_documented_workflow_installs_the_tested_versions():
    documented = re.search(r"run: pip install (.+)", (ROOT / "infra/README.md").read_text())[1].split()
    tested = (ROOT / "tests/infra/requirements-sam.txt").read_text().split("\n")
    assert documented == [line for line in tested if line and not line.startswith("#")]
