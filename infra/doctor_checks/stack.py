"""The deployed stack, as AWS describes it."""

import functools
import os

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

FUNCTIONS = ("reset", "validate", "complete", "mail")
# The outputs of infra/template.yaml that the checks use.
OUTPUTS = (
    "AccountsTable",
    "ApiUrl",
    "CompleteFunctionName",
    "LostMailsUrl",
    "MailConfigurationSetName",
    "MailFunctionName",
    "ResetFunctionName",
    "TokensTableName",
    "ValidateFunctionName",
)

DENIED = ("AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation")


class Unanswered(Exception):
    """A call of AWS failed. Its arguments: the permission that the call needs, and what happened."""


class Unusable(Exception):
    """The stack cannot be checked."""


def parameter_of(variable):
    """The template's parameter for a variable."""
    return {"ACCOUNTS_TABLE": "AccountsTableName"}.get(variable) or "".join(w.capitalize() for w in variable.split("_"))


def is_on(value):
    """Whether a switch is on, as a parameters file may say it."""
    return value.lower() in ("true", "yes")


class Aws:
    """AWS, as the operator's credentials see it. Answers that several checks need are cached."""

    def __init__(self, session, name, profile):
        self.session, self.name, self.profile, self.region = session, name, profile, session.region_name

    @functools.cache
    def client(self, service):
        config = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "max_attempts": 3})
        return self.session.client(service, config=config)

    def ask(self, service, method, missing=(), **arguments):
        """Calls AWS. Returns None if the error code is in `missing`, which means that the resource does not exist."""
        client = self.client(service)
        prefix = {"sesv2": "ses"}.get(service, service)
        permission = f"{prefix}:{client.meta.method_to_api_mapping[method]}"
        try:
            return getattr(client, method)(**arguments)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in missing:
                return None
            verb = "is denied" if code in DENIED else f"failed ({code})"
            raise Unanswered(permission, verb) from None
        except BotoCoreError as error:
            raise Unanswered(permission, f"failed ({type(error).__name__})") from None

    def aws(self, command):
        """A command for the operator to run."""
        profile = f" --profile {self.profile}" if self.profile else ""
        return f"aws {command} --region {self.region}{profile}"


class Stack(Aws):
    """The deployed stack."""

    def __init__(self, session, name, profile=None, url=None):
        super().__init__(session, name, profile)
        described = self._describe()
        self.status = described["StackStatus"]
        self.parameters = {p["ParameterKey"]: p.get("ParameterValue", "") for p in described.get("Parameters", [])}
        self.outputs = {o["OutputKey"]: o["OutputValue"] for o in described.get("Outputs", [])}
        # Where the API is called: through CloudFront, if its URL is given. Only a call of the API's own address needs the origin secret.
        self.is_called_elsewhere = url is not None
        self.url = (url or self.outputs.get("ApiUrl", "")).rstrip("/")
        self.origin_secret = None if url else os.environ.get("REKEY_ORIGIN_SECRET")

    def _describe(self):
        try:
            return self.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"][0]
        except ClientError as error:
            problem = error.response["Error"]
            if problem["Code"] == "ValidationError" and "does not exist" in problem.get("Message", ""):
                raise Unusable(
                    f"there is no stack {self.name} in {self.region}: see `aws cloudformation list-stacks`"
                ) from None
            raise Unusable(
                f"the stack cannot be described ({problem['Code']}): this needs cloudformation:DescribeStacks"
            ) from None
        except BotoCoreError as error:
            raise Unusable(f"AWS cannot be reached: {error}") from None

    @functools.cache
    def resources(self):
        """The physical ids of the resources of the stack and of its nested stacks, by type and logical id."""
        found, stacks = {}, [self.name]
        for name in stacks:
            for resource in self._listed(name):
                names = found.setdefault(resource["ResourceType"], {})
                names[resource["LogicalResourceId"]] = physical = resource.get("PhysicalResourceId", "")
                if resource["ResourceType"] == "AWS::CloudFormation::Stack" and physical:
                    stacks.append(physical)
        return found

    def _listed(self, name):
        more = {}
        while True:
            page = self.ask("cloudformation", "list_stack_resources", StackName=name, **more)
            yield from page["StackResourceSummaries"]
            if "NextToken" not in page:
                return
            more = {"NextToken": page["NextToken"]}

    def function_name(self, function):
        return self.outputs[f"{function.capitalize()}FunctionName"]

    @functools.cache
    def configuration(self, function):
        missing, name = ("ResourceNotFoundException",), self.function_name(function)
        return self.ask("lambda", "get_function_configuration", missing, FunctionName=name)

    def variables(self, function="validate"):
        return (self.configuration(function) or {}).get("Environment", {}).get("Variables", {})

    def variable(self, name, default="", function="validate"):
        """The function's variable or, if that cannot be read, its parameter."""
        try:
            value = self.variables(function).get(name)
        except Unanswered:
            value = None
        return value or self.parameters.get(parameter_of(name)) or default

    def publishes(self):
        return is_on(self.parameters.get("PublishPasswordResets", ""))

    def requires_keys(self):
        return is_on(self.variable("REQUIRE_API_KEY"))

    def deploy(self):
        return "in infra: sam build && sam deploy, with the --config-env of this stack"

    def accounts_table(self):
        return self.outputs["AccountsTable"]
