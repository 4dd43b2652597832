"""The SAM application as CloudFormation sees it: transformed by SAM's own translator, resolved for given parameters, with the resources of
its parts (nested stacks) in place of the stacks.

Needs no AWS. References to resources stay unresolved, because they have no values before a deployment.
"""

import copy
import functools
import logging
import os
import re
from pathlib import Path

from cfnlint.config import ConfigMixIn
from cfnlint.runner import Runner
from samtranslator.translator.transform import transform as sam_transform
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).resolve().parents[2]
INFRA = ROOT / "infra"
PATH = INFRA / "template.yaml"
# The nested stacks' templates.
PARTS = ("sender.yaml", "events.yaml", "monitoring.yaml")

REGION, ACCOUNT, STACK, PARTITION = "eu-west-1", "123456789012", "rekey", "aws"
PSEUDO = {
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::StackName": STACK,
    "AWS::StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{STACK}/d3b07384-d113-4956-a5cc-19b3f3ff8b4e",
    "AWS::Partition": PARTITION,
    "AWS::URLSuffix": "amazonaws.com",
}
# The location of the code after `sam package`.
CODE_BUCKET, CODE_KEY = "rekey-code", "function.zip"

NO_VALUE = object()


def lint(file):
    """What cfn-lint says about a template: nothing if it accepts it."""
    found = Runner(ConfigMixIn(regions=[REGION], templates=[str(file)])).run()
    return "\n".join(f"{match.rule.id} {match.message}" for match in found)


@functools.cache
def source(name="template.yaml"):
    """A template as written. Cached: do not modify the result."""
    return yaml_parse((INFRA / name).read_text())


def variables_of_the_code():
    code = (ROOT / "shared/src/config/mod.rs").read_text()
    return re.findall(r'"(\w+)"', re.search(r"VARIABLES: \[&str; \d+\] = \[(.*?)\]", code, re.DOTALL)[1])


def parameters(**given):
    """All parameters: the given ones, otherwise the defaults; MailFrom, which has none, gets a value."""
    declared = source()["Parameters"]
    unknown = given.keys() - declared.keys()
    assert not unknown, f"no such parameters: {unknown}"
    defaults = {name: str(p["Default"]) for name, p in declared.items() if "Default" in p}
    return defaults | {"MailFrom": "no-reply@example.com"} | given


def invalid(values):
    """The parameters whose type, pattern or range rejects their value."""
    return {name for name, declared in source()["Parameters"].items() if not _fits(declared, values[name])}


def _fits(declared, value):
    if "AllowedValues" in declared and value not in map(str, declared["AllowedValues"]):
        return False
    if declared["Type"] == "Number":
        return value.isdigit() and int(declared.get("MinValue", 0)) <= int(value) <= int(declared.get("MaxValue", value))
    # fullmatch, not match: CloudFormation's patterns are anchored, but Python's $ also matches before a final line break.
    pattern = declared.get("AllowedPattern")
    return len(value) <= int(declared.get("MaxLength", 4096)) and (not pattern or bool(re.fullmatch(pattern, value)))


def broken_rules(values):
    """The messages of the rules that these parameters violate."""
    messages = []
    for rule in source()["Rules"].values():
        if "RuleCondition" not in rule or _holds(rule["RuleCondition"], values, {}):
            messages += [a["AssertDescription"] for a in rule["Assertions"] if not _holds(a["Assert"], values, {})]
    return messages


def transform(values, template=None):
    """The template after SAM's transform, still with conditions and parameters."""
    template = copy.deepcopy(template or source())
    template["Globals"]["Function"].pop("CodeUri")
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = f"s3://{CODE_BUCKET}/{CODE_KEY}"
    # The translator reads the region from here. Without this loader it would ask IAM for the ARNs of managed policies.
    os.environ["AWS_DEFAULT_REGION"] = REGION
    logging.getLogger("samtranslator").setLevel(logging.ERROR)
    return sam_transform(template, values, _ManagedPolicies())


class _ManagedPolicies:
    @staticmethod
    def load():
        return {"AWSLambdaBasicExecutionRole": f"arn:{PARTITION}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"}


def resolve(values, transformed=None):
    """The application resolved for one set of parameters: only what is created, without parameters, rules and conditions."""
    root = _resolved(transformed or transform(values), values)
    outputs = {}
    for name, stack in list(root["Resources"].items()):
        if stack["Type"] == "AWS::CloudFormation::Stack":
            del root["Resources"][name]
            part = resolve_part(stack["Properties"]["TemplateURL"], stack["Properties"]["Parameters"], name)
            assert not root["Resources"].keys() & part["Resources"].keys()
            # Its parameters refer to resources of the root, and to other stacks' outputs.
            root["Resources"] |= part["Resources"]
            outputs |= {(name, f"Outputs.{key}"): output["Value"] for key, output in part["Outputs"].items()}
    return _with_outputs(root, outputs)


def resolve_part(name, given, logical="Part"):
    """A part's template, resolved for the parameters that its stack has in the root."""
    template = source(name)
    declared = template["Parameters"]
    assert given.keys() == declared.keys(), f"{name}: {given.keys() ^ declared.keys()}"
    assert not [p for p, v in given.items() if isinstance(v, str) and v not in declared[p].get("AllowedValues", [v])]
    lists = {p: _as_list(given[p]) for p in given if declared[p]["Type"] == "CommaDelimitedList"}
    # Names that AWS generates begin with the root's.
    return _resolved(template, given | lists, {"AWS::StackName": f"{STACK}-{logical}-1EXAMPLE"})


def _as_list(value):
    if isinstance(value, str):
        return value.split(",")
    separator, items = value["Fn::Join"]
    assert separator == ","
    return items


def _with_outputs(value, outputs):
    if isinstance(value, list):
        return [_with_outputs(item, outputs) for item in value]
    if not isinstance(value, dict):
        return value
    at = value.get("Fn::GetAtt")
    at = tuple(at) if isinstance(at, list) else tuple(at.split(".", 1)) if at else None
    if at in outputs:
        return _with_outputs(outputs[at], outputs)
    return {key: _with_outputs(item, outputs) for key, item in value.items()}


def _resolved(template, values, pseudo=()):
    resolver = _Resolver(values | dict(pseudo), template.get("Conditions", {}))
    kept = {"AWSTemplateFormatVersion": template["AWSTemplateFormatVersion"]}
    for section in ("Resources", "Outputs"):
        kept[section] = {
            name: resolver({key: value for key, value in entry.items() if key != "Condition"})
            for name, entry in template[section].items()
            if "Condition" not in entry or resolver.holds(entry["Condition"])
        }
    return kept


class _Resolver:
    def __init__(self, values, conditions):
        self.values = PSEUDO | values
        self.conditions = conditions

    def holds(self, condition):
        return _holds(self.conditions[condition], self.values, self.conditions)

    def __call__(self, value):
        if isinstance(value, list):
            return [item for item in map(self, value) if item is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            name, argument = next(iter(value.items()))
            if name == "Ref":
                return NO_VALUE if argument == "AWS::NoValue" else self.values.get(argument, value)
            intrinsic = getattr(self, name.replace("Fn::", "_").lower(), None) if name.startswith("Fn::") else None
            if intrinsic:
                return intrinsic(argument)
        pairs = ((key, self(item)) for key, item in value.items())
        return {key: item for key, item in pairs if item is not NO_VALUE}

    def _if(self, argument):
        condition, then, otherwise = argument
        return self(then if self.holds(condition) else otherwise)

    def _sub(self, argument):
        text, own = (argument, {}) if isinstance(argument, str) else argument
        known = self.values | self(own)
        left = {}

        def fill(match):
            name = match[1]
            if isinstance(known.get(name), str):
                return known[name]
            if name in known:
                left[name] = known[name]
            return match[0]

        text = re.sub(r"\$\{([^!}]+)\}", fill, text)
        if left:
            return {"Fn::Sub": [text, left]}
        return {"Fn::Sub": text} if "${" in text else text

    def _join(self, argument):
        separator, parts = argument[0], self(argument[1])
        if isinstance(parts, list) and all(isinstance(part, str) for part in parts):
            return separator.join(parts)
        return {"Fn::Join": [separator, parts]}

    def _split(self, argument):
        text = self(argument[1])
        return text.split(argument[0]) if isinstance(text, str) else {"Fn::Split": [argument[0], text]}

    def _select(self, argument):
        items = self(argument[1])
        return items[int(argument[0])] if isinstance(items, list) else {"Fn::Select": [argument[0], items]}


def _holds(condition, values, conditions):
    name, argument = next(iter(condition.items()))
    if name == "Condition":
        return _holds(conditions[argument], values, conditions)
    if name == "Fn::Equals":
        left, right = (values[side["Ref"]] if isinstance(side, dict) else str(side) for side in argument)
        return left == right
    if name == "Fn::Contains":
        return values[argument[1]["Ref"]] in argument[0]
    results = (_holds(part, values, conditions) for part in argument)
    if name == "Fn::Not":
        return not next(results)
    return {"Fn::And": all, "Fn::Or": any}[name](results)


def references(value):
    """The logical ids that `value` refers to, with the attribute (None for Ref)."""
    if isinstance(value, list):
        return {found for item in value for found in references(item)}
    if not isinstance(value, dict):
        return set()
    found = set()
    for key, item in value.items():
        if key == "Ref":
            found.add((item, None))
        elif key == "Fn::GetAtt":
            parts = item if isinstance(item, list) else item.split(".", 1)
            found.add((parts[0], parts[1]))
        elif key == "Fn::Sub":
            text, own = (item, {}) if isinstance(item, str) else item
            names = set(re.findall(r"\$\{([^!}]+)\}", text)) - own.keys()
            found |= {tuple(name.split(".", 1)) if "." in name else (name, None) for name in names}
            found |= references(own)
        elif key == "DependsOn":
            found |= {(name, None) for name in ([item] if isinstance(item, str) else item)}
        else:
            found |= references(item)
    return found


def dangling(resolved):
    """References of a resolved template to resources that it does not create."""
    return {name for name, _ in references(resolved)} - resolved["Resources"].keys() - PSEUDO.keys()
