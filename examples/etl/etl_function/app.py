"""Turns CSV files in a bucket into items of a table and a summary beside them.

Runs for every object that arrives. An event may come twice: everything is written under names made of the object's own, so
that a second time changes nothing.
"""
import csv
import decimal
import io
import json
import os
import urllib.parse

import boto3

s3 = boto3.client("s3")
table = boto3.resource("dynamodb").Table(os.environ["TABLE"])


def handler(event, context):
    for record in event["Records"]:
        bucket = record["s3"]["bucket"]["name"]
        key = urllib.parse.unquote_plus(record["s3"]["object"]["key"])
        load(bucket, key)


def load(bucket, key):
    text = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    total = decimal.Decimal(0)
    with table.batch_writer() as batch:
        for line, row in enumerate(rows, start=1):
            amount = decimal.Decimal(row["amount"])
            total += amount
            batch.put_item(Item={"file": key, "line": line, "customer": row["customer"], "amount": amount})
    summary = {"file": key, "rows": len(rows), "total": str(total)}
    s3.put_object(Bucket=os.environ["REPORTS"], Key=f"summaries/{key.removeprefix('in/')}.json", Body=json.dumps(summary),
                  ContentType="application/json")
