"""The API in the template: its routes are those of the code; throttling, access log, CORS and domain."""

import json
import re

import template
from resolved import resources
from sets import of


def routes_of_the_code():
    found = set()
    for function in ("Reset", "Validate", "Complete"):
        text = (template.ROOT / f"functions/{function.lower()}/src/lib.rs").read_text()
        routes = re.findall(r'Route::(get|post)\(\s*"([^"]+)"', text)
        found |= {(method.upper(), path.rstrip("/"), function) for method, path in routes}
    return found


def routes_of_the_api(name):
    body = resources(name, "AWS::ApiGatewayV2::Api")["Api"]["Body"]
    for path, operations in body["paths"].items():
        for method, operation in operations.items():
            integration = operation["x-amazon-apigateway-integration"]
            assert integration["payloadFormatVersion"] == "2.0"
            yield method.upper(), path, json.dumps(integration["uri"], default=str)


def test_the_api_has_exactly_the_routes_of_the_code(name):
    found = set()
    for method, path, uri in routes_of_the_api(name):
        assert not path.endswith("/"), "SAM silently drops a route with a trailing slash"
        function = re.search(r"\$\{(\w+)Function\.Arn\}", uri)
        assert function, uri
        found.add((method, path, function[1]))
    assert len(found) == 16
    assert found == routes_of_the_code()


def test_each_route_may_call_its_function(name):
    granted = [p["SourceArn"]["Fn::Sub"][0] for p in resources(name, "AWS::Lambda::Permission").values()]
    asked = [f"/{method}{path}" for method, path, _ in routes_of_the_api(name)]
    assert sorted(arn.partition("${__ApiId__}/*")[2] for arn in granted) == sorted(asked)


def test_the_api_throttles_and_logs_no_secret(name):
    (stage,) = resources(name, "AWS::ApiGatewayV2::Stage").values()
    assert stage["DefaultRouteSettings"] == {"ThrottlingRateLimit": "500", "ThrottlingBurstLimit": "1000"}
    # Checks of passwords leave the reserved executions of complete to completions.
    assert stage["RouteSettings"] == {"POST /auth/reset/validate-password": {"ThrottlingRateLimit": 50, "ThrottlingBurstLimit": 100}}
    line = json.loads(stage["AccessLogSettings"]["Format"])
    logged = set(line.values())
    assert "$context.routeKey" in logged
    # The path and the query may contain a token or an address.
    assert not [v for v in logged if re.search(r"path|query|header|authorizer|identity\.(?!sourceIp)", v, re.IGNORECASE)]


def test_cors_allows_only_the_named_origins(name):
    (api,) = resources(name, "AWS::ApiGatewayV2::Api").values()
    cors = api["Body"].get("x-amazon-apigateway-cors")
    origins = of(name)["AllowedOrigins"]
    if not origins:
        assert not cors
        return
    assert cors["allowOrigins"] == origins.split(",")
    assert cors["allowMethods"] == ["GET", "POST"]
    # A front end of the operator's may pass a key, and must see how long to wait.
    assert (cors["allowHeaders"], cors["exposeHeaders"]) == (["content-type", "authorization"], ["retry-after"])
    assert not cors.get("allowCredentials")


def test_with_a_custom_domain_the_api_has_no_other_address(name):
    (api,) = resources(name, "AWS::ApiGatewayV2::Api").values()
    # SAM renders the property as a server without a URL, about which API Gateway warns.
    assert not api.get("FailOnWarnings")
    (server,) = api["Body"]["servers"]
    disabled = {"disableExecuteApiEndpoint": True} if of(name)["DomainName"] else {}
    assert server == {"x-amazon-apigateway-endpoint-configuration": disabled}
    domains = resources(name, "AWS::ApiGatewayV2::DomainName")
    assert len(domains) == bool(of(name)["DomainName"])
    for domain in domains.values():
        (configuration,) = domain["DomainNameConfigurations"]
        assert configuration["SecurityPolicy"] == "TLS_1_2"
        # The AAAA record needs dualstack.
        assert configuration["IpAddressType"] == "dualstack"
