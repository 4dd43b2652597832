// What *validate* does for an unknown token, in Node: one read of the tokens table, and an answer. A Lambda runtime of a few lines.

import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";

const dynamodb = new DynamoDBClient({});
const runtime = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation`;
for (;;) {
  const response = await fetch(`${runtime}/next`);
  if (response.status !== 200) break;
  const [event, id] = [await response.json(), response.headers.get("lambda-runtime-aws-request-id")];
  const key = { pk: { S: "request#unknown" } };
  const { Item } = await dynamodb.send(new GetItemCommand({ TableName: process.env.TOKENS_TABLE, Key: key }));
  const answer = JSON.stringify({ statusCode: Item ? 200 : 404, body: event.rawPath });
  await (await fetch(`${runtime}/${id}/response`, { method: "POST", body: answer })).text();
}
