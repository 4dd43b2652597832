"""What *validate* does for an unknown token, in Python: one read of the tokens table, and an answer. A Lambda runtime of a few lines."""

import http.client
import json
import os

import boto3

dynamodb = boto3.client("dynamodb")
runtime = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
while True:
    runtime.request("GET", "/2018-06-01/runtime/invocation/next")
    response = runtime.getresponse()
    if response.status != 200:
        break
    event, request_id = json.load(response), response.getheader("lambda-runtime-aws-request-id")
    item = dynamodb.get_item(TableName=os.environ["TOKENS_TABLE"], Key={"pk": {"S": "request#unknown"}}).get("Item")
    answer = json.dumps({"statusCode": 200 if item else 404, "body": event["rawPath"]})
    runtime.request("POST", f"/2018-06-01/runtime/invocation/{request_id}/response", body=answer)
    runtime.getresponse().read()
