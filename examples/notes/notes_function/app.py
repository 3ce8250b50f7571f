"""The notes API: one function behind an HTTP API, one DynamoDB table."""
import base64
import json
import os
import time
import uuid

import boto3
from boto3.dynamodb.conditions import Key

table = boto3.resource("dynamodb").Table(os.environ["TABLE"])

# All notes share one partition, ordered by their creation time: the page shows them newest first.
BOOK = "notes"
TEXT_MAX = 2000


def answer(status, body=None):
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json"},
        "body": "" if body is None else json.dumps(body),
    }


def body_of(event):
    body = event.get("body") or ""
    if event.get("isBase64Encoded"):
        body = base64.b64decode(body).decode()
    return json.loads(body)


def list_notes(event):
    found = table.query(KeyConditionExpression=Key("book").eq(BOOK), ScanIndexForward=False, Limit=100)
    return answer(200, {"notes": [{"id": n["id"], "text": n["text"]} for n in found["Items"]]})


def create_note(event):
    try:
        text = body_of(event)["text"]
    except (ValueError, KeyError, TypeError):
        return answer(400, {"message": 'the body is a JSON object with a "text"'})
    if not isinstance(text, str) or not text.strip() or len(text) > TEXT_MAX:
        return answer(400, {"message": f"text is 1 to {TEXT_MAX} characters"})
    note_id = f"{int(time.time() * 1000):013d}-{uuid.uuid4().hex[:8]}"
    table.put_item(
        Item={"book": BOOK, "id": note_id, "text": text},
        ConditionExpression="attribute_not_exists(id)",
    )
    return answer(201, {"id": note_id, "text": text})


def get_note(event):
    found = table.get_item(Key={"book": BOOK, "id": event["pathParameters"]["id"]}).get("Item")
    if found is None:
        return answer(404, {"message": "no such note"})
    return answer(200, {"id": found["id"], "text": found["text"]})


def delete_note(event):
    table.delete_item(Key={"book": BOOK, "id": event["pathParameters"]["id"]})
    return answer(204)


ROUTES = {
    "GET /notes": list_notes,
    "POST /notes": create_note,
    "GET /notes/{id}": get_note,
    "DELETE /notes/{id}": delete_note,
}


def handler(event, context):
    return ROUTES[event["routeKey"]](event)
