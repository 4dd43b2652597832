"""infra/doctor on a stack in moto, as far as moto supports it."""

import json

import boto3
import pytest
from doctor_checks import main as doctor
from moto import mock_aws

from doctor_aws import LOGS, REGION, key_schema, run
from functions import archive

ALARM = "rekey-MailAlarm-1"


@pytest.fixture
def moto(aws):
    """The same stack in moto, except what moto does not support: SES accounts, pipes, and the resources of a stack."""
    with mock_aws():
        session = boto3.Session("testing", "testing", region_name=REGION)
        deploy(aws, session)
        aws.unknown_to_moto = {"sesv2", "pipes", "sqs", "cloudformation:ListStackResources"}
        aws.unknown_to_moto |= {"lambda:ListEventSourceMappings", "cloudwatch:GetMetricData"}
        yield session


def deploy(aws, session):
    dynamodb, functions = session.client("dynamodb"), session.client("lambda")
    for name, key in (("rekey-tokens", "pk"), ("rekey-accounts", "email")):
        dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=key_schema(key),
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
            DeletionProtectionEnabled=True,
        )
        dynamodb.update_continuous_backups(
            TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
    enabled = {"AttributeName": "expires_at", "Enabled": True}
    dynamodb.update_time_to_live(TableName="rekey-tokens", TimeToLiveSpecification=enabled)
    trust = {"Version": "2012-10-17", "Statement": []}
    role = session.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    for name in doctor.functions.FUNCTIONS:
        functions.create_function(
            FunctionName=f"rekey-{name}",
            Runtime=doctor.functions.RUNTIME,
            Handler="bootstrap",
            Role=role,
            Timeout=28,
            Code={"ZipFile": archive()},
            Environment={"Variables": aws.variables},
        )
    functions.put_function_concurrency(FunctionName="rekey-complete", ReservedConcurrentExecutions=10)
    topic = session.client("sns").create_topic(Name="rekey-alarms")["TopicArn"]
    session.client("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint="ops@rekey.dev")
    for name in LOGS.values():
        session.client("logs").create_log_group(logGroupName=name)
        session.client("logs").put_retention_policy(logGroupName=name, retentionInDays=90)
    for name in aws.alarms:
        session.client("cloudwatch").put_metric_alarm(
            AlarmName=name,
            Namespace="Rekey",
            MetricName="Mails",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
            AlarmActions=[topic],
        )
    template = {
        "Parameters": {name: {"Type": "String"} for name in aws.parameters},
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {name: {"Value": value} for name, value in aws.outputs.items()},
    }
    session.client("cloudformation").create_stack(
        StackName="rekey",
        TemplateBody=json.dumps(template),
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in aws.parameters.items()],
    )


def test_a_healthy_stack_in_moto_passes(moto, capsys):
    status, findings = run(doctor, capsys)
    assert [f for f in findings if f[1] != "ok"] == [] and status == 0


def test_faults_of_a_stack_in_moto_are_found(moto, aws, capsys):
    disabled = {"AttributeName": "expires_at", "Enabled": False}
    moto.client("dynamodb").update_time_to_live(TableName="rekey-tokens", TimeToLiveSpecification=disabled)
    moto.client("dynamodb").update_continuous_backups(
        TableName="rekey-accounts", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False}
    )
    changed = aws.variables | {"SERVICE_NAME": "Other"}
    moto.client("lambda").update_function_configuration(FunctionName="rekey-reset", Environment={"Variables": changed})
    moto.client("lambda").delete_function_concurrency(FunctionName="rekey-complete")
    moto.client("logs").delete_retention_policy(logGroupName=LOGS["ApiLogs"])
    moto.client("cloudwatch").set_alarm_state(AlarmName=ALARM, StateValue="ALARM", StateReason="a test")
    status, findings = run(doctor, capsys)
    assert {f[0] for f in findings if f[1] == "FAIL"} == {"ttl", "backup", "drift", "concurrency", "logs", "alarms"}
    assert status == 1


def test_a_stack_that_moto_does_not_have_exits_with_2(moto, capsys):
    assert doctor.main(["--stack", "nobody-s"]) == 2
    assert "there is no stack nobody-s" in capsys.readouterr().err
