"""A deleted stack can be deployed again with its kept accounts table, as infra/README.md describes: tested in moto."""

import pytest

import aws as cloud
import sets
from deployment import Deployment, create_stack, deployable
from template import STACK, broken_rules, invalid, parameters, transform


@pytest.fixture
def aws():
    server = cloud.Aws()
    yield server
    server.close()


@pytest.mark.parametrize("kept", [True, False], ids=["with_the_old_accounts", "with_a_new_table"])
def test_a_deleted_stack_can_be_deployed_again(aws, kept):
    first = Deployment(aws, sets.of("default"))
    first.add_account("ada@example.org")
    before = first.account("ada@example.org")
    aws.enforce(False)
    cloudformation, lambdas, dynamodb = map(aws.client, ("cloudformation", "lambda", "dynamodb"))
    cloudformation.delete_stack(StackName=STACK)
    # Only the accounts table is left; orders, tokens and logs are deleted.
    assert dynamodb.list_tables()["TableNames"] == [first.accounts]
    assert not lambdas.list_functions()["Functions"]
    assert not aws.client("logs").describe_log_groups()["logGroups"]
    assert first.account("ada@example.org") == before

    # The SES identity was kept too.
    given = parameters(MailIdentity="existing", **({"AccountsTableName": first.accounts} if kept else {}))
    assert not invalid(given) and not broken_rules(given)
    template, _ = deployable(transform(given))
    physical = create_stack(cloudformation, template, given)
    assert ("AccountsTable" in physical) is not kept
    for function in ("Validate", "Complete", "Mail"):
        deployed = lambdas.get_function_configuration(FunctionName=physical[f"{function}Function"])
        table = deployed["Environment"]["Variables"]["ACCOUNTS_TABLE"]
        assert (table == first.accounts) is kept
    assert first.account("ada@example.org") == before
