"""What sam itself does: infra/deployer-policy.json allows each call that it makes to deploy, change and delete a stack with a nested stack,
and it deploys the files of infra/package as they are.

sam runs against moto, with small stacks. What CloudFormation then does with the deployer's permissions is in test_deployer.py.
"""

import json
import os
import shutil
import subprocess
from urllib.parse import urlsplit

import pytest
from moto.iam.access_control import IAMRequestBase
from samtranslator.yaml_helper import yaml_parse

import aws as cloud
import template
from policies import ACCOUNT, Policies, Request
from template import REGION
from test_deployer import POLICY
from test_package import package

STACK = "rekey-dev"
MANAGED = "aws-sam-cli-managed-default"


@pytest.fixture
def calls(monkeypatch):
    """The calls that were made, in place of moto's check: (action, resource)."""
    made = []

    def record(self, resource):
        stack = (self._data or {}).get("StackName", [""])[0]
        if self._action.startswith("cloudformation:"):
            resource = stack if stack.startswith("arn:") else f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{stack}/1"
        made.append((self._action, resource))

    server = cloud.Aws()
    server.reset()
    monkeypatch.setattr(IAMRequestBase, "check_action_permitted", record)
    yield server, made
    server.reset()
    server.close()


def sam(server, credentials, folder, *arguments):
    installed = os.environ.get("REKEY_SAM")
    assert installed, "run tests/infra/run.sh, which installs sam and names it in REKEY_SAM"
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
        # moto reads a template from S3 only at this name.
        "AWS_ENDPOINT_URL": f"http://localhost:{urlsplit(server.endpoint).port}",
        "AWS_ACCESS_KEY_ID": credentials.key,
        "AWS_SECRET_ACCESS_KEY": credentials.secret,
        "AWS_DEFAULT_REGION": REGION,
        "SAM_CLI_TELEMETRY": "0",
    }
    return subprocess.run([installed, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


def test_the_policy_allows_sams_own_calls(calls, tmp_path):
    server, made = calls
    operator = server.operator()
    server.enforce(True)
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 30}}
    part = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "part.json"}}
    (tmp_path / "template.json").write_text(json.dumps({"Resources": {"Part": part}}))
    (tmp_path / "part.json").write_text(json.dumps({"Resources": {"Queue": queue}}))
    deploy = ["deploy", "--template-file", "template.json", "--stack-name", STACK, "--resolve-s3", "--no-confirm-changeset", "--tags", "app=rekey"]

    # The first time, sam creates a bucket in a stack of its own. moto loses the tags and outputs of a stack from a change set, so sam
    # gives up. Create the stack again, with both.
    assert "missing Tags" in sam(server, operator, tmp_path, *deploy).stderr
    of_sam, client = list(made), server.client("cloudformation", operator)
    body = client.get_template(StackName=MANAGED)["TemplateBody"]
    client.delete_stack(StackName=MANAGED)
    client.create_stack(StackName=MANAGED, Tags=[{"Key": "ManagedStackSource", "Value": "AwsSamCli"}], TemplateBody=json.dumps(body))
    (outputs,) = [stack["Outputs"] for stack in client.describe_stacks(StackName=MANAGED)["Stacks"]]
    bucket = next(output["OutputValue"] for output in outputs if output["OutputKey"] == "SourceBucket")
    made[:] = of_sam

    # With a nested stack; with a change in it; without it, since sam delete does not take moto's URL of a child for one of S3.
    for root, timeout in (({"Part": part}, 30), ({"Part": part}, 60), ({"Queue": queue}, 60)):
        queue["Properties"]["VisibilityTimeout"] = timeout
        (tmp_path / "template.json").write_text(json.dumps({"Resources": root}))
        (tmp_path / "part.json").write_text(json.dumps({"Resources": {"Queue": queue}}))
        deployed = sam(server, operator, tmp_path, *deploy)
        assert "Successfully created/updated stack" in deployed.stdout, deployed
    deleted = sam(server, operator, tmp_path, "delete", "--stack-name", STACK, "--no-prompts", "--s3-bucket", bucket)
    assert deleted.returncode == 0, deleted

    policies = Policies([POLICY])
    assert {"cloudformation:ExecuteChangeSet", "cloudformation:DeleteStack", "s3:PutObject"} <= {action for action, _ in made}
    assert {call for call in made if not policies.allow(Request(*call))} == set()


def test_the_files_of_a_package_deploy_as_they_are(calls, tmp_path):
    server, _ = calls
    operator = server.operator()
    server.client("s3", operator).create_bucket(Bucket="packages", CreateBucketConfiguration={"LocationConstraint": REGION})
    (tmp_path / "template.yaml").write_text(package.packaged((template.INFRA / "template.yaml").read_text(), "arm64"))
    for part in package.PARTS:
        shutil.copy(template.INFRA / part, tmp_path)
    for binary in package.BINARIES:
        (tmp_path / "bootstrap").write_bytes(binary.encode())
        package.pack(tmp_path / "bootstrap", tmp_path / f"{binary}.zip")
    files = ["--template-file", "template.yaml", "--output-template-file", "out.yaml"]
    done = sam(server, operator, tmp_path, "package", *files, "--s3-bucket", "packages")
    assert done.returncode == 0, done
    uploaded = yaml_parse((tmp_path / "out.yaml").read_text())["Resources"]

    def content(url):
        return server.client("s3", operator).get_object(Bucket="packages", Key=url.rsplit("/", 1)[1])["Body"].read()

    parts = {r["Properties"]["TemplateURL"] for r in uploaded.values() if r["Type"] == "AWS::CloudFormation::Stack"}
    sent = [yaml_parse(content(url).decode())["Resources"].keys() for url in parts]
    assert sorted(map(sorted, sent)) == sorted(sorted(template.source(part)["Resources"]) for part in template.PARTS)
    for function, binary in {"Reset": "reset", "Validate": "validate", "Complete": "complete", "Mail": "validate"}.items():
        code = uploaded[f"{function}Function"]["Properties"]["CodeUri"]
        assert content(code) == (tmp_path / f"{binary}.zip").read_bytes()
    assert template.lint(tmp_path / "out.yaml") == ""
