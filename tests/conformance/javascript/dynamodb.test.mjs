// The AWS SDK for JavaScript v3, plain client and DocumentClient, against the server of VIRGA_ENDPOINT.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createRequire } from "node:module";

const require = createRequire(process.env.VIRGA_NODE_SDK + "/");
const { DynamoDBClient, CreateTableCommand, DeleteTableCommand, waitUntilTableExists, ConditionalCheckFailedException } =
  require("@aws-sdk/client-dynamodb");
const { DynamoDBDocumentClient, PutCommand, GetCommand, QueryCommand, UpdateCommand, TransactWriteCommand } =
  require("@aws-sdk/lib-dynamodb");

const client = new DynamoDBClient({ endpoint: process.env.VIRGA_ENDPOINT, region: "us-east-1", maxAttempts: 1,
  credentials: { accessKeyId: "test", secretAccessKey: "test" } });
const documents = DynamoDBDocumentClient.from(client);
const TableName = "javascript";

test("the document client reads back what it wrote", async () => {
  const made = await client.send(new CreateTableCommand({ TableName, BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }, { AttributeName: "sk", AttributeType: "N" }],
    KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }, { AttributeName: "sk", KeyType: "RANGE" }] }));
  assert.equal(made.TableDescription.TableStatus, "CREATING");
  await waitUntilTableExists({ client, maxWaitTime: 5, minDelay: 1, maxDelay: 1 }, { TableName });

  const Item = { pk: "a", sk: 1, list: [1, "two", null, true], map: { deep: { n: 1.5 } }, tags: new Set(["x", "y"]),
    bytes: new Uint8Array([1, 2, 255]) };
  await documents.send(new PutCommand({ TableName, Item }));
  const got = await documents.send(new GetCommand({ TableName, Key: { pk: "a", sk: 1 }, ConsistentRead: true }));
  assert.deepEqual(got.Item, Item);
});

test("a failed condition is the modelled exception, with the item when asked for", async () => {
  await assert.rejects(
    documents.send(new PutCommand({ TableName, Item: { pk: "a", sk: 1 }, ConditionExpression: "attribute_not_exists(pk)",
      ReturnValuesOnConditionCheckFailure: "ALL_OLD" })),
    (error) => error instanceof ConditionalCheckFailedException && error.Item.pk.S === "a" &&
      error.message === "The conditional request failed");
});

test("update, query with a page key, and a transaction", async () => {
  for (let sk = 2; sk <= 5; sk++) await documents.send(new PutCommand({ TableName, Item: { pk: "a", sk } }));
  const updated = await documents.send(new UpdateCommand({ TableName, Key: { pk: "a", sk: 2 }, ReturnValues: "ALL_NEW",
    UpdateExpression: "SET #n = if_not_exists(#n, :zero) + :one", ExpressionAttributeNames: { "#n": "count" },
    ExpressionAttributeValues: { ":zero": 0, ":one": 1 } }));
  assert.equal(updated.Attributes.count, 1);

  const seen = [];
  let ExclusiveStartKey;
  do {
    const page = await documents.send(new QueryCommand({ TableName, KeyConditionExpression: "pk = :p AND sk > :s", Limit: 2,
      ExpressionAttributeValues: { ":p": "a", ":s": 1 }, ScanIndexForward: false, ExclusiveStartKey }));
    seen.push(...page.Items.map((item) => item.sk));
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey);
  assert.deepEqual(seen, [5, 4, 3, 2]);

  await assert.rejects(
    documents.send(new TransactWriteCommand({ TransactItems: [
      { Put: { TableName, Item: { pk: "t", sk: 1 } } },
      { ConditionCheck: { TableName, Key: { pk: "none", sk: 1 }, ConditionExpression: "attribute_exists(pk)" } }] })),
    (error) => error.name === "TransactionCanceledException" &&
      error.CancellationReasons.map((r) => r.Code).join() === "None,ConditionalCheckFailed");
  const absent = await documents.send(new GetCommand({ TableName, Key: { pk: "t", sk: 1 } }));
  assert.equal(absent.Item, undefined);
});

test("wrong input is refused with the service's own words", async () => {
  await assert.rejects(documents.send(new GetCommand({ TableName: "no-such-table", Key: { pk: "a" } })),
    { name: "ResourceNotFoundException", message: "Requested resource not found" });
  await client.send(new DeleteTableCommand({ TableName }));
});
