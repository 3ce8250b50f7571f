// Serves the page, and counts the notes with the AWS SDK for JavaScript v3.
import { readFileSync } from "node:fs";
import { DynamoDBClient, QueryCommand } from "@aws-sdk/client-dynamodb";

const page = readFileSync(new URL("./index.html", import.meta.url), "utf8");
const dynamodb = new DynamoDBClient({});

async function stats() {
  const found = await dynamodb.send(
    new QueryCommand({
      TableName: process.env.TABLE,
      KeyConditionExpression: "book = :book",
      ExpressionAttributeValues: { ":book": { S: "notes" } },
      Select: "COUNT",
    }),
  );
  return { notes: found.Count };
}

export const handler = async (event) => {
  if (event.routeKey === "GET /stats") return stats();
  return { statusCode: 200, headers: { "content-type": "text/html; charset=utf-8" }, body: page };
};
