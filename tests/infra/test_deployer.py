"""infra/deployer-policy.json: enough to deploy, change and delete the stack with any set of parameters, and no more.

moto's CloudFormation does not check permissions, so the needed actions of each resource type are listed here, from `handlers` in
CloudFormation's schema of the type.
"""

import json

import pytest

import template
from policies import Policies, Request
from sets import SETS
from resolved import resolved
from test_template import lint

POLICY = json.loads((template.ROOT / "infra" / "deployer-policy.json").read_text())
TAGS = ("TagResource", "UntagResource", "ListTagsForResource")
ROLE = """iam AttachRolePolicy CreateRole DeleteRole DeleteRolePermissionsBoundary DeleteRolePolicy DetachRolePolicy GetRole GetRolePolicy
    ListAttachedRolePolicies ListRolePolicies PutRolePermissionsBoundary PutRolePolicy TagRole UntagRole UpdateAssumeRolePolicy
    UpdateRole PassRole"""
FUNCTION = """lambda CreateFunction DeleteFunction GetFunction GetFunctionConfiguration UpdateFunctionCode UpdateFunctionConfiguration
    GetFunctionCodeSigningConfig GetRuntimeManagementConfig PutFunctionConcurrency DeleteFunctionConcurrency GetFunctionConcurrency
    TagResource UntagResource ListTags"""
TABLE = """dynamodb CreateTable DeleteTable DescribeTable UpdateTable DescribeTimeToLive UpdateTimeToLive DescribeContinuousBackups
    UpdateContinuousBackups DescribeContributorInsights DescribeKinesisStreamingDestination ListTagsOfResource TagResource
    UntagResource"""
SET = """ses CreateConfigurationSet DeleteConfigurationSet GetConfigurationSet PutConfigurationSetDeliveryOptions
    PutConfigurationSetReputationOptions PutConfigurationSetSendingOptions PutConfigurationSetSuppressionOptions TagResource
    UntagResource ListTagsForResource"""
IDENTITY = """ses CreateEmailIdentity DeleteEmailIdentity GetEmailIdentity PutEmailIdentityDkimSigningAttributes
    PutEmailIdentityFeedbackAttributes PutEmailIdentityMailFromAttributes TagResource UntagResource ListTagsForResource"""
GROUP = """codedeploy CreateDeploymentGroup DeleteDeploymentGroup GetDeploymentGroup UpdateDeploymentGroup TagResource UntagResource
    ListTagsForResource"""
# An update of the alias shifts traffic with CodeDeploy.
SHIFT = "codedeploy CreateDeployment GetDeployment GetDeploymentConfig GetApplicationRevision RegisterApplicationRevision StopDeployment"
LOGS = """logs CreateLogGroup DeleteLogGroup DescribeLogGroups PutRetentionPolicy AssociateKmsKey DisassociateKmsKey TagResource UntagResource
    ListTagsForResource"""
DELIVERY = """logs CreateLogDelivery DeleteLogDelivery DescribeResourcePolicies GetLogDelivery ListLogDeliveries PutResourcePolicy
    UpdateLogDelivery"""
API = "apigateway GET POST PUT PATCH DELETE"

# The actions and their resource, by type. Names that CloudFormation generates begin with the stack's name.
ARN = "arn:aws:{}:eu-west-1:123456789012:{}"
NEEDED = {
    "AWS::ApiGatewayV2::Api": [(API, "arn:aws:apigateway:eu-west-1::/apis/abc")],
    "AWS::ApiGatewayV2::ApiMapping": [(API, "arn:aws:apigateway:eu-west-1::/domainnames/reset.example.com/apimappings")],
    "AWS::ApiGatewayV2::DomainName": [(API, "arn:aws:apigateway:eu-west-1::/domainnames/reset.example.com")],
    "AWS::ApiGatewayV2::Stage": [(API, "arn:aws:apigateway:eu-west-1::/apis/abc/stages"), (DELIVERY, "*")],
    "AWS::AppConfig::Application": [(["appconfig", "CreateApplication", "DeleteApplication", "GetApplication", "UpdateApplication", *TAGS], "*")],
    "AWS::AppConfig::ConfigurationProfile": [
        ([f"appconfig {verb}ConfigurationProfile" for verb in ("Create", "Delete", "Get", "Update")], "*")
    ],
    "AWS::AppConfig::HostedConfigurationVersion": [
        ([f"appconfig {verb}HostedConfigurationVersion" for verb in ("Create", "Delete", "Get")], "*"),
        ("appconfig ListHostedConfigurationVersions", "*"),
    ],
    "AWS::CloudWatch::Alarm": [
        (["cloudwatch", "PutMetricAlarm", "DeleteAlarms", *TAGS], ARN.format("cloudwatch", "alarm:rekey-dev-ResetErrorsAlarm-x")),
        ("cloudwatch DescribeAlarms", "*"),
    ],
    "AWS::CloudWatch::Dashboard": [
        ("cloudwatch PutDashboard DeleteDashboards GetDashboard", "arn:aws:cloudwatch::123456789012:dashboard/rekey-dev")
    ],
    "AWS::CodeDeploy::Application": [
        ("codedeploy CreateApplication DeleteApplication GetApplication", ARN.format("codedeploy", "application:rekey-dev-App-x"))
    ],
    "AWS::CodeDeploy::DeploymentGroup": [(GROUP, ARN.format("codedeploy", "deploymentgroup:rekey-dev-App-x/rekey-dev-Group-x"))],
    "AWS::DynamoDB::Table": [(TABLE, ARN.format("dynamodb", "table/rekey-dev-TokensTable-x"))],
    "AWS::Events::EventBus": [
        (["events", "CreateEventBus", "DeleteEventBus", "DescribeEventBus", *TAGS], ARN.format("events", "event-bus/rekey-dev-password-resets"))
    ],
    "AWS::IAM::Role": [(ROLE, "arn:aws:iam::123456789012:role/rekey-dev-ResetRole-x"), (ROLE, "arn:aws:iam::123456789012:role/apps/rekey-dev-x")],
    "AWS::Lambda::Alias": [
        ("lambda CreateAlias DeleteAlias GetAlias UpdateAlias GetProvisionedConcurrencyConfig", ARN.format("lambda", "function:rekey-dev-Reset-x")),
        (SHIFT, ARN.format("codedeploy", "deploymentgroup:rekey-dev-App-x/rekey-dev-Group-x")),
    ],
    "AWS::Lambda::EventSourceMapping": [
        ([f"lambda {verb}EventSourceMapping" for verb in ("Create", "Delete", "Get", "Update")], "*"),
        ("lambda ListEventSourceMappings", "*"),
    ],
    "AWS::Lambda::Function": [(FUNCTION, ARN.format("lambda", "function:rekey-dev-Reset-x"))],
    "AWS::Lambda::Permission": [("lambda AddPermission RemovePermission", ARN.format("lambda", "function:rekey-dev-Reset-x:live"))],
    "AWS::Lambda::Version": [("lambda PublishVersion ListVersionsByFunction", ARN.format("lambda", "function:rekey-dev-Reset-x"))],
    "AWS::Logs::LogGroup": [(LOGS.replace(" DescribeLogGroups", ""), ARN.format("logs", "log-group:/aws/lambda/rekey-dev/reset")), ("logs DescribeLogGroups", "*")],
    "AWS::Pipes::Pipe": [(["pipes", "CreatePipe", "DeletePipe", "DescribePipe", "UpdatePipe", *TAGS], ARN.format("pipes", "pipe/PasswordResets-x"))],
    "AWS::Route53::RecordSetGroup": [
        ("route53 ChangeResourceRecordSets GetHostedZone ListResourceRecordSets", "arn:aws:route53:::hostedzone/Z1"),
        ("route53 GetChange", "arn:aws:route53:::change/C1"),
    ],
    "AWS::SES::ConfigurationSet": [(SET, "*")],
    "AWS::SES::ConfigurationSetEventDestination": [
        ([f"ses {verb}ConfigurationSetEventDestination" for verb in ("Create", "Delete", "Update")], "*"),
        ("ses GetConfigurationSetEventDestinations", "*"),
    ],
    "AWS::SES::EmailIdentity": [(IDENTITY, "*")],
    "AWS::SNS::Subscription": [("sns Subscribe Unsubscribe GetSubscriptionAttributes ListSubscriptionsByTopic", ARN.format("sns", "rekey-dev-AlarmTopic-x"))],
    "AWS::SNS::Topic": [
        (["sns", "CreateTopic", "DeleteTopic", "GetTopicAttributes", "SetTopicAttributes", "GetDataProtectionPolicy", *TAGS], ARN.format("sns", "rekey-dev-AlarmTopic-x"))
    ],
    "AWS::SNS::TopicPolicy": [("sns SetTopicAttributes", ARN.format("sns", "rekey-dev-AlarmTopic-x"))],
    "AWS::SQS::Queue": [
        ("sqs CreateQueue DeleteQueue GetQueueAttributes GetQueueUrl SetQueueAttributes ListQueueTags TagQueue UntagQueue", ARN.format("sqs", "rekey-dev-LostMails-x"))
    ],
}
# Statements for sam itself, and for a customer managed key.
OF_SAM = {"Stacks", "Transform", "TemplatesOfNoStack", "Artefacts", "KeyOfTheTables"}


def actions(listed):
    if isinstance(listed, str):
        service, *names = listed.split()
        return {f"{service}:{name}" for name in names}
    if " " in listed[0]:
        return {entry.replace(" ", ":") for entry in listed}
    return {f"{listed[0]}:{name}" for name in listed[1:]}


@pytest.mark.parametrize("kind", NEEDED)
def test_the_policy_allows_to_create_change_and_delete_each_type(kind):
    policies = Policies([POLICY])
    for listed, resource in NEEDED[kind]:
        for action in actions(listed):
            context = {"iam:PassedToService": ["lambda.amazonaws.com"]} if action == "iam:PassRole" else {}
            assert policies.allow(Request(action, resource, (context,))), (action, resource)


def test_the_list_has_exactly_the_types_of_the_template():
    made = {r["Type"] for name in SETS for r in resolved(name)["Resources"].values()}
    assert made == NEEDED.keys()


def test_the_policy_allows_no_other_actions():
    needed = {action for entries in NEEDED.values() for listed, _ in entries for action in actions(listed)}
    for statement in POLICY["Statement"]:
        if statement["Sid"] not in OF_SAM:
            assert set(statement["Action"]) <= needed, (statement["Sid"], set(statement["Action"]) - needed)
        assert not [action for action in statement["Action"] if "*" in action]


def test_the_policy_denies_other_stacks_and_roles_of_other_services():
    policies = Policies([POLICY])
    role = "arn:aws:iam::123456789012:role/rekey-dev-x"
    assert not policies.allow(Request("iam:PassRole", role, ({"iam:PassedToService": ["ec2.amazonaws.com"]},)))
    for action, resource in (
        ("iam:PutRolePolicy", "arn:aws:iam::123456789012:role/admin"),
        ("lambda:UpdateFunctionCode", ARN.format("lambda", "function:shop")),
        ("dynamodb:DeleteTable", ARN.format("dynamodb", "table/users")),
        ("dynamodb:GetItem", ARN.format("dynamodb", "table/rekey-dev-TokensTable-x")),
        ("cloudformation:DeleteStack", ARN.format("cloudformation", "stack/shop/1")),
    ):
        assert not policies.allow(Request(action, resource)), (action, resource)


def test_the_policys_actions_exist_and_it_fits_into_a_role(tmp_path):
    wrapped = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": POLICY}}
    said = lint({"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"Deployer": wrapped}}, tmp_path / "policy.json")
    # A role's inline policies may have 10,240 characters, a managed policy fewer (W3037).
    assert [line for line in said.splitlines() if "W3037" in line or "not a valid action" in line.lower()] == [], said
    assert len(json.dumps(POLICY, separators=(",", ":"))) <= 10_240
