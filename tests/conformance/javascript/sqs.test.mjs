// The AWS SDK for JavaScript v3 against the server of VIRGA_ENDPOINT. The client checks MD5 sums of what it sends and
// receives by itself.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createRequire } from "node:module";

const require = createRequire(process.env.VIRGA_NODE_SDK + "/");
const { SQSClient, ChangeMessageVisibilityCommand, CreateQueueCommand, DeleteMessageBatchCommand, DeleteMessageCommand,
  DeleteQueueCommand, GetQueueAttributesCommand, GetQueueUrlCommand, PurgeQueueCommand, ReceiveMessageCommand,
  SendMessageBatchCommand, SendMessageCommand, QueueDoesNotExist, ReceiptHandleIsInvalid, EmptyBatchRequest,
  paginateListQueues } = require("@aws-sdk/client-sqs");

const client = new SQSClient({ endpoint: process.env.VIRGA_ENDPOINT, region: "us-east-1", maxAttempts: 1,
  credentials: { accessKeyId: "test", secretAccessKey: "test" } });
let QueueUrl;

before(async () => {
  ({ QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: "javascript" })));
});
after(() => client.send(new DeleteQueueCommand({ QueueUrl })));

test("a message with attributes comes back as it was sent, and is gone when deleted", async () => {
  const MessageAttributes = { text: { DataType: "String", StringValue: "grüße" }, number: { DataType: "Number", StringValue: "1.50" },
    bytes: { DataType: "Binary.raw", BinaryValue: new Uint8Array([0, 255]) } };
  const sent = await client.send(new SendMessageCommand({ QueueUrl, MessageBody: "a\r\n<&>😀", MessageAttributes }));
  const { Messages: [got] } = await client.send(new ReceiveMessageCommand({ QueueUrl, MessageAttributeNames: ["All"],
    MessageSystemAttributeNames: ["All"] }));
  assert.equal(got.MessageId, sent.MessageId);
  assert.equal(got.Body, "a\r\n<&>😀");
  assert.equal(got.MessageAttributes.text.StringValue, "grüße");
  assert.equal(got.MessageAttributes.number.StringValue, "1.50");
  assert.deepEqual([...got.MessageAttributes.bytes.BinaryValue], [0, 255]);
  assert.equal(got.Attributes.ApproximateReceiveCount, "1");
  await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: got.ReceiptHandle }));
  const { Attributes } = await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [
    "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"] }));
  assert.deepEqual(Attributes, { ApproximateNumberOfMessages: "0", ApproximateNumberOfMessagesNotVisible: "0" });
});

test("a batch fails entry by entry", async () => {
  const sent = await client.send(new SendMessageBatchCommand({ QueueUrl, Entries: [
    { Id: "good", MessageBody: "b" }, { Id: "late", MessageBody: "b", DelaySeconds: 901 }] }));
  assert.deepEqual(sent.Successful.map((e) => e.Id), ["good"]);
  assert.deepEqual(sent.Failed.map(({ Id, Code, SenderFault }) => [Id, Code, SenderFault]), [["late", "InvalidParameterValue", true]]);
  const { Messages } = await client.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
  const deleted = await client.send(new DeleteMessageBatchCommand({ QueueUrl,
    Entries: Messages.map((m, i) => ({ Id: String(i), ReceiptHandle: m.ReceiptHandle })) }));
  assert.equal(deleted.Successful.length, Messages.length);
  assert.equal(deleted.Failed, undefined);
});

test("errors are the modelled exceptions", async () => {
  await assert.rejects(client.send(new GetQueueUrlCommand({ QueueName: "no-such" })), (error) =>
    error instanceof QueueDoesNotExist && error.message === "The specified queue does not exist." &&
    error.$metadata.httpStatusCode === 400);
  await assert.rejects(client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: "garbage" })), (error) =>
    error instanceof ReceiptHandleIsInvalid);
  await assert.rejects(client.send(new SendMessageBatchCommand({ QueueUrl, Entries: [] })), (error) => error instanceof EmptyBatchRequest);
  await assert.rejects(client.send(new SendMessageCommand({ QueueUrl, MessageBody: "b", DelaySeconds: 901 })), (error) =>
    error.message === "Value 901 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.");
});

test("a long poll ends with the message that arrives", async () => {
  await client.send(new PurgeQueueCommand({ QueueUrl }));
  const waiting = client.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }));
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: "awaited" }));
  const { Messages: [got] } = await waiting;
  assert.equal(got.Body, "awaited");
  await client.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle: got.ReceiptHandle, VisibilityTimeout: 0 }));
  const { Messages: [again] } = await client.send(new ReceiveMessageCommand({ QueueUrl }));
  assert.equal(again.MessageId, got.MessageId);
});

test("queues are listed page by page", async () => {
  const made = [];
  for (const n of [1, 2, 3]) made.push((await client.send(new CreateQueueCommand({ QueueName: `javascript-list-${n}` }))).QueueUrl);
  const listed = [];
  for await (const page of paginateListQueues({ client, pageSize: 2 }, { QueueNamePrefix: "javascript-list-" })) {
    listed.push(page.QueueUrls);
  }
  assert.deepEqual(listed, [made.slice(0, 2), made.slice(2)]);
  for (const url of made) await client.send(new DeleteQueueCommand({ QueueUrl: url }));
});
