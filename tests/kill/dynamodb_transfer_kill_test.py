"""kill -9 in the midst of exports and imports: after the restart each of them ends, with all of its items."""
import gzip
import json
import tempfile
import time

import boto3
from botocore.config import Config

import virga_server

ITEMS = 6000
SECONDS_MAX = 120


def clients(server):
    make = lambda service: boto3.client(service, endpoint_url=server.endpoint, region_name="us-east-1",
                                        config=Config(retries={"max_attempts": 0}, connect_timeout=5, read_timeout=30))
    return make("dynamodb"), make("s3")


def until_over(describe):
    deadline = time.monotonic() + SECONDS_MAX
    while time.monotonic() < deadline:
        description = describe()
        if description.get("ExportStatus", description.get("ImportStatus")) != "IN_PROGRESS":
            return description
        time.sleep(0.1)
    raise AssertionError("still in progress")


def test_exports_and_imports_survive_a_kill():
    keys = {"AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST"}
    with tempfile.TemporaryDirectory(prefix="virga-kill-") as data:
        with virga_server.Server(data=data) as server:
            db, s3 = clients(server)
            s3.create_bucket(Bucket="transfers")
            lines = "\n".join(json.dumps({"Item": {"id": {"S": f"k{i}"}, "v": {"S": "x" * 200}}}) for i in range(ITEMS))
            for part in range(3):
                s3.put_object(Bucket="transfers", Key=f"in/{part}", Body=lines)
            imported = db.import_table(S3BucketSource={"S3Bucket": "transfers", "S3KeyPrefix": "in/"}, InputFormat="DYNAMODB_JSON",
                                       TableCreationParameters={"TableName": "table", **keys})["ImportTableDescription"]
            server.kill()
            server.start()
            db, s3 = clients(server)
            done = until_over(lambda: db.describe_import(ImportArn=imported["ImportArn"])["ImportTableDescription"])
            assert done["ImportStatus"] == "COMPLETED", done
            assert done["ImportedItemCount"] == 3 * ITEMS
            assert db.describe_table(TableName="table")["Table"]["ItemCount"] == ITEMS

            recovery = db.update_continuous_backups(
                TableName="table", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
            assert recovery
            arn = db.describe_table(TableName="table")["Table"]["TableArn"]
            export = db.export_table_to_point_in_time(TableArn=arn, S3Bucket="transfers")["ExportDescription"]
            server.kill()
            server.start()
            db, s3 = clients(server)
            db.put_item(TableName="table", Item={"id": {"S": "later"}})  # not in what is exported
            done = until_over(lambda: db.describe_export(ExportArn=export["ExportArn"])["ExportDescription"])
            assert done["ExportStatus"] == "COMPLETED", done
            files = s3.list_objects_v2(Bucket="transfers", Prefix=done["ExportManifest"].replace("manifest-summary.json", "data/"))
            found = []
            for file in files["Contents"]:
                packed = s3.get_object(Bucket="transfers", Key=file["Key"])["Body"].read()
                found += [json.loads(line)["Item"]["id"]["S"] for line in gzip.decompress(packed).splitlines()]
            assert len(found) == ITEMS == done["ItemCount"] and set(found) == {f"k{i}" for i in range(ITEMS)}
