"""infra/deployer-policy.json: enough to deploy, change and delete the stack with any set of parameters, and no more.

moto's CloudFormation does not check permissions. What a resource type needs is in CloudFormation's schemas, which list the actions of
each type's handlers; handlers.json is a copy of these lists.
"""

import json
import pathlib

import pytest

import template
from policies import Policies, Request
from sets import SETS
from resolved import resolved
from test_template import lint

POLICY = json.loads((template.ROOT / "infra" / "deployer-policy.json").read_text())
HANDLERS = json.loads(pathlib.Path(__file__).with_name("handlers.json").read_text())["types"]

# Actions of the handlers for properties that the template does not set. Without a name: all actions of the service.
UNUSED = """
    dynamodb AssociateTableReplica BatchWriteItem CreateTableReplica DeleteItem DeleteResourcePolicy DescribeImport
        DisableKinesisStreamingDestination EnableKinesisStreamingDestination GetItem ImportTable PutItem PutResourcePolicy Query Scan
        UpdateContributorInsights UpdateItem UpdateKinesisStreamingDestination
    cloudformation SetStackPolicy UpdateTerminationProtection
    ec2
    elasticfilesystem
    events PutPermission RemovePermission
    firehose
    iam AttachGroupPolicy AttachUserPolicy DetachGroupPolicy DetachUserPolicy
    kinesis
    lambda DeleteFunctionCodeSigningConfig GetCodeSigningConfig PassCapacityProvider PublishVersion
        PutFunctionCodeSigningConfig PutFunctionRecursionConfig PutFunctionScalingConfig PutRuntimeManagementConfig
    logs DeleteDataProtectionPolicy DeleteIndexPolicy DeleteResourcePolicy DeleteRetentionPolicy PutBearerTokenAuthentication
        PutDataProtectionPolicy PutIndexPolicy PutLogGroupDeletionProtection
    s3
    s3files
    ses PutConfigurationSetArchivingOptions PutConfigurationSetTrackingOptions PutConfigurationSetVdmOptions
        PutEmailIdentityConfigurationSetAttributes
    sns PutDataProtectionPolicy
"""
# By type: unused, though other types need the action.
UNUSED_BY = {
    "AWS::CloudFormation::Stack": "iam PassRole",
    "AWS::DynamoDB::Table": "iam CreateServiceLinkedRole \n logs \n kms ListAliases",
    "AWS::Events::EventBus": "kms",
    "AWS::Lambda::EventSourceMapping": "kms",
    "AWS::Lambda::Function": "kms",
    "AWS::Logs::LogGroup": "logs CreateLogDelivery DescribeResourcePolicies PutResourcePolicy",
    "AWS::Pipes::Pipe": "iam CreateServiceLinkedRole \n kms \n logs",
    "AWS::SNS::Subscription": "iam",
    "AWS::SNS::Topic": "iam",
}
# What the schemas do not say. A stage delivers its access logs; the first domain of an account needs a role of API Gateway; Route 53's
# record sets have no handlers; CloudFormation ends the update of a nested stack if that of its root fails.
NOT_LISTED = {
    "AWS::CloudFormation::Stack": "cloudformation CancelUpdateStack ContinueUpdateRollback DescribeStackEvents ListStackResources",
    "AWS::ApiGatewayV2::Api": "apigateway TagResource UntagResource",
    "AWS::ApiGatewayV2::DomainName": "apigateway TagResource UntagResource \n iam CreateServiceLinkedRole",
    "AWS::ApiGatewayV2::Stage": """logs CreateLogDelivery DeleteLogDelivery DescribeLogGroups DescribeResourcePolicies GetLogDelivery
        ListLogDeliveries PutResourcePolicy UpdateLogDelivery""",
    "AWS::Lambda::Function": "lambda GetFunctionConcurrency ListTags",
    "AWS::Lambda::EventSourceMapping": "lambda ListEventSourceMappings",
    "AWS::Route53::RecordSetGroup": "route53 ChangeResourceRecordSets GetChange GetHostedZone ListResourceRecordSets",
    "AWS::SES::ConfigurationSet": "ses ListTagsForResource",
    "AWS::Pipes::Pipe": "pipes ListTagsForResource",
    "AWS::DynamoDB::Table": "kms GenerateDataKey ReEncryptFrom ReEncryptTo",
}


def actions(lines):
    for line in lines.replace("\n        ", " ").splitlines():
        service, *names = line.split() or [None]
        yield from (f"{service}:{name}" for name in names or ["*"] if service)


ARN = "arn:aws:{}:eu-west-1:123456789012:{}"
API_TAGS = "arn:aws:apigateway:eu-west-1::/tags/arn%3Aaws%3Aapigateway%3Aeu-west-1%3A%3A%2Fapis%2Fabc"
# With the default RolePath, and with another.
ROLES = [f"arn:aws:iam::123456789012:role/{path}rekey-dev-ResetRole-x" for path in ("", "apps/")]
# The resources of each type, whose names begin with the stack's name: CloudFormation generates them.
RESOURCES = {
    "AWS::ApiGatewayV2::Api": ["arn:aws:apigateway:eu-west-1::/apis", "arn:aws:apigateway:eu-west-1::/apis/abc", API_TAGS],
    "AWS::ApiGatewayV2::ApiMapping": "arn:aws:apigateway:eu-west-1::/domainnames/reset.example.com/apimappings",
    "AWS::ApiGatewayV2::DomainName": [
        "arn:aws:apigateway:eu-west-1::/domainnames",
        "arn:aws:apigateway:eu-west-1::/domainnames/reset.example.com",
        API_TAGS,
    ],
    "AWS::ApiGatewayV2::Stage": "arn:aws:apigateway:eu-west-1::/apis/abc/stages",
    "AWS::CloudFormation::Stack": ARN.format("cloudformation", "stack/rekey-dev-Monitoring-x/0b1c"),
    # The names of what is in a nested stack begin with that stack's name, and so with the root's.
    "AWS::CloudWatch::Alarm": ARN.format("cloudwatch", "alarm:rekey-dev-Monitoring-x-SlowAlarm-y"),
    "AWS::CloudWatch::Dashboard": "arn:aws:cloudwatch::123456789012:dashboard/rekey-dev",
    "AWS::DynamoDB::Table": ARN.format("dynamodb", "table/rekey-dev-TokensTable-x"),
    "AWS::Events::EventBus": ARN.format("events", "event-bus/rekey-dev-password-resets"),
    "AWS::IAM::ManagedPolicy": [f"arn:aws:iam::123456789012:policy/{path}rekey-dev-KeyAccess-x" for path in ("", "apps/")],
    "AWS::IAM::Role": ROLES,
    "AWS::Lambda::EventSourceMapping": ARN.format("lambda", "event-source-mapping:0b1c"),
    "AWS::Lambda::Function": ARN.format("lambda", "function:rekey-dev-Reset-x"),
    "AWS::Lambda::Permission": ARN.format("lambda", "function:rekey-dev-Reset-x"),
    "AWS::Logs::LogGroup": [ARN.format("logs", f"log-group:{name}") for name in ("/aws/lambda/rekey-dev/reset", "/aws/vendedlogs/rekey-dev/api")],
    "AWS::Pipes::Pipe": [ARN.format("pipes", f"pipe/{name}-x") for name in ("PasswordResets", "rekey-dev-Events-x-PasswordResets")],
    "AWS::Route53::RecordSetGroup": "arn:aws:route53:::hostedzone/Z1",
    "AWS::SNS::Subscription": ARN.format("sns", "rekey-dev-Monitoring-x-AlarmTopic-y"),
    "AWS::SNS::Topic": ARN.format("sns", "rekey-dev-Monitoring-x-AlarmTopic-y"),
    "AWS::SNS::TopicPolicy": ARN.format("sns", "rekey-dev-Monitoring-x-AlarmTopic-y"),
    "AWS::SQS::Queue": ARN.format("sqs", "rekey-dev-LostMails-x"),
    # IAM knows no names of these.
    "AWS::SES::ConfigurationSet": "*",
    "AWS::SES::ConfigurationSetEventDestination": "*",
    "AWS::SES::EmailIdentity": "*",
}
# Actions that IAM does not restrict to a resource.
UNSCOPED = """
    cloudwatch DescribeAlarms
    lambda ListEventSourceMappings
    logs CreateLogDelivery DeleteLogDelivery DescribeLogGroups DescribeResourcePolicies GetLogDelivery ListLogDeliveries PutResourcePolicy
        UpdateLogDelivery
"""
# Actions on something other than the type's resource.
ELSEWHERE = {
    **dict.fromkeys(actions(UNSCOPED), "*"),
    "iam:PassRole": ROLES,
    "iam:AttachRolePolicy": ROLES,
    "iam:DetachRolePolicy": ROLES,
    "iam:CreateServiceLinkedRole": "arn:aws:iam::123456789012:role/aws-service-role/ops.apigateway.amazonaws.com/AWSServiceRoleForAPIGateway",
    "route53:GetChange": "arn:aws:route53:::change/C1",
    "lambda:GetLayerVersion": ARN.format("lambda", "layer:words:3"),
}
PASSED_TO = {"AWS::Lambda::Function": "lambda", "AWS::Pipes::Pipe": "pipes"}
# Statements for sam itself.
OF_SAM = {"Stacks", "Transform", "TemplatesOfNoStack", "Artefacts"}


def needed(kind):
    unused = {*actions(UNUSED), *actions(UNUSED_BY.get(kind, ""))}
    of_handlers = [a for a in HANDLERS.get(kind, ()) if not {a, f"{a.partition(':')[0]}:*"} & unused]
    return {*of_handlers, *actions(NOT_LISTED.get(kind, ""))}


def requests(kind, action):
    """The action on each resource that the type may need it for."""
    context = {}
    if action == "iam:PassRole":
        context = {"iam:PassedToService": [f"{PASSED_TO[kind]}.amazonaws.com"]}
    elif action == "iam:CreateServiceLinkedRole":
        context = {"iam:AWSServiceName": ["ops.apigateway.amazonaws.com"]}
    elif action.startswith("kms:"):
        context = {"kms:ViaService": ["dynamodb.eu-west-1.amazonaws.com"]}
    resources = ELSEWHERE.get(action, RESOURCES[kind])
    return [Request(action, resource, (context,)) for resource in ([resources] if isinstance(resources, str) else resources)]


@pytest.mark.parametrize("kind", RESOURCES)
def test_the_policy_allows_to_create_change_and_delete_each_type(kind):
    policies = Policies([POLICY])
    asked = [request for action in sorted(needed(kind)) for request in requests(kind, action)]
    assert not [(request.action, request.resource) for request in asked if not policies.allow(request)]


def test_the_types_are_exactly_those_of_the_application():
    made = {r["Type"] for name in SETS for r in resolved(name)["Resources"].values()}
    assert made | {"AWS::CloudFormation::Stack"} == RESOURCES.keys()
    assert made - HANDLERS.keys() == {"AWS::Route53::RecordSetGroup"}


def test_the_policy_allows_no_other_actions():
    all_needed = set().union(*map(needed, RESOURCES))
    for statement in POLICY["Statement"]:
        if statement["Sid"] not in OF_SAM:
            assert set(statement["Action"]) <= all_needed, (statement["Sid"], set(statement["Action"]) - all_needed)
        assert not [action for action in statement["Action"] if "*" in action]


def test_the_policy_denies_other_stacks_and_roles_of_other_services():
    policies = Policies([POLICY])
    assert not policies.allow(Request("iam:PassRole", ROLES[0], ({"iam:PassedToService": ["ec2.amazonaws.com"]},)))
    linked = ({"iam:AWSServiceName": ["ecs.amazonaws.com"]},)
    assert not policies.allow(Request("iam:CreateServiceLinkedRole", "arn:aws:iam::1:role/aws-service-role/ecs.amazonaws.com/E", linked))
    for action, resource in (
        ("iam:PutRolePolicy", "arn:aws:iam::123456789012:role/admin"),
        ("lambda:UpdateFunctionCode", ARN.format("lambda", "function:shop")),
        ("lambda:TagResource", ARN.format("lambda", "function:shop")),
        ("dynamodb:DeleteTable", ARN.format("dynamodb", "table/users")),
        ("dynamodb:GetItem", ARN.format("dynamodb", "table/rekey-dev-TokensTable-x")),
        ("kms:Decrypt", ARN.format("kms", "key/1")),
        ("cloudformation:DeleteStack", ARN.format("cloudformation", "stack/shop/1")),
    ):
        assert not policies.allow(Request(action, resource)), (action, resource)


def test_the_policys_actions_exist_and_it_fits_into_a_role(tmp_path):
    wrapped = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": POLICY}}
    said = lint({"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"Deployer": wrapped}}, tmp_path / "policy.json")
    # A role's inline policies may have 10,240 characters, a managed policy fewer (W3037).
    invalid = [line for line in said.splitlines() if "W3037" in line or "not a valid action" in line.lower()]
    # IAM's reference does not list apigateway's TagResource and UntagResource, but the service requires them (aws-amplify/amplify-cli#12316).
    assert [line for line in invalid if "tagresource' is not one of ['addcertificatetodomain'" not in line] == [], said
    assert len(json.dumps(POLICY, separators=(",", ":"))) <= 10_240
