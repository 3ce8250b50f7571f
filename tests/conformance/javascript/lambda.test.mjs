// The AWS SDK for JavaScript v3 deploys a Node function that uses the same SDK inside, and calls it.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

const require = createRequire(process.env.VIRGA_NODE_SDK + "/");
const { LambdaClient, CreateFunctionCommand, DeleteFunctionCommand, InvokeCommand, waitUntilFunctionActiveV2 } =
  require("@aws-sdk/client-lambda");

const client = new LambdaClient({ endpoint: process.env.VIRGA_ENDPOINT, region: "us-east-1", maxAttempts: 1,
  credentials: { accessKeyId: "test", secretAccessKey: "test" } });
const FunctionName = "javascript-inside";

function zipped(source) {
  const folder = mkdtempSync(join(tmpdir(), "virga-js-"));
  try {
    writeFileSync(join(folder, "index.mjs"), source);
    execFileSync("zip", ["-q", "code.zip", "index.mjs"], { cwd: folder });
    return readFileSync(join(folder, "code.zip"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("a function calls back with its own SDK and its errors have AWS's form", async () => {
  await client.send(new CreateFunctionCommand({ FunctionName, Runtime: "nodejs20.x", Handler: "index.handler",
    Role: "arn:aws:iam::000000000000:role/any", Timeout: 10, Code: { ZipFile: zipped(`
      import { STSClient, GetCallerIdentityCommand } from "@aws-sdk/client-sts";
      export const handler = async (event, context) => {
        if (event.fail) throw new TypeError("as asked");
        const who = await new STSClient({}).send(new GetCallerIdentityCommand({}));
        return { account: who.Account, name: context.functionName, echo: event };
      };`) } }));
  await waitUntilFunctionActiveV2({ client, maxWaitTime: 10 }, { FunctionName });

  const good = await client.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify({ n: 1 }) }));
  assert.equal(good.StatusCode, 200);
  assert.deepEqual(JSON.parse(Buffer.from(good.Payload)), { account: "000000000000", name: FunctionName, echo: { n: 1 } });

  const bad = await client.send(new InvokeCommand({ FunctionName, LogType: "Tail", Payload: JSON.stringify({ fail: true }) }));
  assert.equal(bad.FunctionError, "Unhandled");
  const error = JSON.parse(Buffer.from(bad.Payload));
  assert.equal(error.errorType, "TypeError");
  assert.equal(error.errorMessage, "as asked");
  assert.ok(Array.isArray(error.trace));
  assert.match(Buffer.from(bad.LogResult, "base64").toString(), /REPORT RequestId: /);
  await client.send(new DeleteFunctionCommand({ FunctionName }));
});
