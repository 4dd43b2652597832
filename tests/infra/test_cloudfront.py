"""infra/cloudfront.yaml: what must pass through CloudFront, and what must not."""

import re

from doctor_api import ROOT, document

TEMPLATE = document("cloudfront.yaml")
PROPERTIES = {name: resource["Properties"] for name, resource in TEMPLATE["Resources"].items()}
DISTRIBUTION = PROPERTIES["Distribution"]["DistributionConfig"]
CACHE = PROPERTIES["Keys"]["CachePolicyConfig"]
KEY = CACHE["ParametersInCacheKeyAndForwardedToOrigin"]
FORWARDED = PROPERTIES["Headers"]["OriginRequestPolicyConfig"]


def headers(config):
    assert config["HeaderBehavior"] == "whitelist"
    return {name.lower() for name in config["Headers"]}


def test_the_headers_that_the_functions_read_arrive_and_host_does_not():
    source = (ROOT / "shared/src/http/event.rs").read_text()
    listed = re.search(r"const HEADERS: \[&str; \d+\] =\s*\[(.*?)\]", source, re.DOTALL)[1]
    # Of the constants in the list, one is the secret's header.
    read = set(re.findall(r'"([a-z-]+)"', listed)) | set(re.findall(r'const VIEWER_[A-Z]+: &str = "(.*)"', source))
    of_cors = {"origin", "access-control-request-headers", "access-control-request-method"}
    assert headers(FORWARDED["HeadersConfig"]) | headers(KEY["HeadersConfig"]) == read | of_cors
    # CloudFront rejects an origin request policy with this header.
    assert headers(KEY["HeadersConfig"]) == {"authorization"}
    (origin,) = DISTRIBUTION["Origins"]
    (secret,) = origin["OriginCustomHeaders"]
    assert secret == {"HeaderName": "X-Origin-Secret", "HeaderValue": "OriginSecret"}
    assert TEMPLATE["Parameters"]["OriginSecret"]["NoEcho"] is True


def test_every_call_reaches_the_origin_once_over_tls():
    behavior = DISTRIBUTION["DefaultCacheBehavior"]
    assert {"GET", "POST", "OPTIONS"} <= set(behavior["AllowedMethods"])
    assert behavior["ViewerProtocolPolicy"] == DISTRIBUTION["Origins"][0]["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"
    assert (behavior["CachePolicyId"], behavior["OriginRequestPolicyId"]) == ("Keys", "Headers")
    assert FORWARDED["QueryStringsConfig"] == {"QueryStringBehavior": "all"}
    # With a MinTTL of 0, CloudFront neither stores nor shares an answer with Cache-Control: no-store, except errors.
    assert CACHE["MinTTL"] == 0
    # CloudFront accepts headers in a cache key only with a greater MaxTTL.
    assert CACHE["MaxTTL"] > 0
    assert KEY["QueryStringsConfig"] == {"QueryStringBehavior": "all"}
    stored = {response["ErrorCode"] for response in DISTRIBUTION["CustomErrorResponses"] if response["ErrorCachingMinTTL"] == 0}
    assert stored >= {404, 405, 414, 500, 501, 502, 503, 504}


def test_the_firewall_is_a_switch_that_refuses_an_address_and_keeps_no_samples():
    assert TEMPLATE["Parameters"]["CallsPerAddress"]["Default"] == 0
    assert TEMPLATE["Resources"]["WebAcl"]["Condition"] == "CreatesWebAcl"
    assert DISTRIBUTION["WebACLId"] == ["CreatesWebAcl", "WebAcl.Arn", ["HasWebAcl", "WebAclArn", "AWS::NoValue"]]
    firewall = PROPERTIES["WebAcl"]
    assert (firewall["Scope"], firewall["DefaultAction"]) == ("CLOUDFRONT", {"Allow": {}})
    for rule, seconds, limit in zip(firewall["Rules"], (300, 60), ("CallsPerAddress", "CallsPerAddressAndMinute"), strict=True):
        assert rule["Statement"] == {"RateBasedStatement": {"AggregateKeyType": "IP", "EvaluationWindowSec": seconds, "Limit": limit}}
        assert rule["Action"]["Block"]["CustomResponse"]["ResponseCode"] == 429
    # A sample would hold the query, which can be a token or an address.
    assert not [v for v in (firewall, *firewall["Rules"]) if v["VisibilityConfig"]["SampledRequestsEnabled"]]
