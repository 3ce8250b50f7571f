"""Objects of archive classes: what they refuse, and how RestoreObject brings them back for some days."""
import datetime
import json
import urllib.request

import boto3
import pytest
from botocore.config import Config

import virga_server
from s3_support import new_bucket, refusal

DAY_MS = 86_400_000


def test_a_restored_object_can_be_read(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"cold", StorageClass="GLACIER")
    assert refusal(s3.get_object, Bucket=bucket, Key="k")[:2] == (403, "InvalidObjectState")
    assert "Restore" not in s3.head_object(Bucket=bucket, Key="k")

    def restore(days):
        answer = s3.restore_object(Bucket=bucket, Key="k", RestoreRequest={"Days": days, "GlacierJobParameters": {"Tier": "Bulk"}})
        return answer["ResponseMetadata"]["HTTPStatusCode"]

    assert restore(2) == 202  # accepted; a repeated one is done at once
    first = s3.head_object(Bucket=bucket, Key="k")
    assert first["Restore"].startswith('ongoing-request="false", expiry-date="') and first["StorageClass"] == "GLACIER"
    until = datetime.datetime.strptime(first["Restore"].split('"')[3], "%a, %d %b %Y %H:%M:%S GMT")
    assert (until.hour, until.minute, until.second) == (0, 0, 0)
    answer = s3.get_object(Bucket=bucket, Key="k")
    assert answer["Body"].read() == b"cold" and answer["Restore"] == first["Restore"]
    assert restore(5) == 200
    assert s3.head_object(Bucket=bucket, Key="k")["Restore"] != first["Restore"]
    s3.copy_object(Bucket=bucket, Key="warm", CopySource={"Bucket": bucket, "Key": "k"}, StorageClass="STANDARD")
    assert s3.get_object(Bucket=bucket, Key="warm")["Body"].read() == b"cold"
    s3.put_object(Bucket=bucket, Key="k", Body=b"new", StorageClass="GLACIER")  # another object
    assert refusal(s3.get_object, Bucket=bucket, Key="k")[:2] == (403, "InvalidObjectState")


def test_what_cannot_be_restored(s3, bucket):
    s3.put_object(Bucket=bucket, Key="warm", Body=b"x")
    s3.put_object(Bucket=bucket, Key="deep", Body=b"x", StorageClass="DEEP_ARCHIVE")

    def told(key, **request):
        return refusal(s3.restore_object, Bucket=bucket, Key=key, RestoreRequest=request)[:2]

    assert told("warm", Days=1) == (403, "InvalidObjectState")
    assert told("nowhere", Days=1) == (404, "NoSuchKey")
    assert told("deep", Days=0) == (400, "InvalidArgument")
    assert told("deep", Tier="Standard") == (400, "MalformedXML")
    assert told("deep", Days=1, Tier="Expedited") == (400, "InvalidArgument")
    assert told("deep", Days=1, Tier="Soon") == (400, "MalformedXML")
    assert told("deep", Type="SELECT", Tier="Standard") == (501, "NotImplemented")
    assert refusal(s3.restore_object, Bucket=bucket, Key="deep")[:2] == (400, "MalformedXML")


def test_versions_are_restored_by_themselves(s3, bucket):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    old = s3.put_object(Bucket=bucket, Key="k", Body=b"1", StorageClass="GLACIER")["VersionId"]
    s3.put_object(Bucket=bucket, Key="k", Body=b"2", StorageClass="GLACIER")
    s3.restore_object(Bucket=bucket, Key="k", VersionId=old, RestoreRequest={"Days": 1})
    assert s3.get_object(Bucket=bucket, Key="k", VersionId=old)["Body"].read() == b"1"
    assert refusal(s3.get_object, Bucket=bucket, Key="k")[:2] == (403, "InvalidObjectState")
    marker = s3.delete_object(Bucket=bucket, Key="k")["VersionId"]
    assert refusal(s3.restore_object, Bucket=bucket, Key="k", VersionId=marker, RestoreRequest={"Days": 1})[:2] == (
        405, "MethodNotAllowed")


def test_listings_tell_of_restorations_when_asked(s3, bucket):
    if "OptionalObjectAttributes" not in s3.meta.service_model.operation_model("ListObjectsV2").input_shape.members:
        pytest.skip("this botocore does not know OptionalObjectAttributes")
    for key, storage_class in (("a", "GLACIER"), ("b", "GLACIER"), ("c", "STANDARD")):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x", StorageClass=storage_class)
    s3.restore_object(Bucket=bucket, Key="a", RestoreRequest={"Days": 1})
    listed = s3.list_objects_v2(Bucket=bucket, OptionalObjectAttributes=["RestoreStatus"])["Contents"]
    assert listed[0]["RestoreStatus"]["IsRestoreInProgress"] is False and "RestoreExpiryDate" in listed[0]["RestoreStatus"]
    assert listed[1]["RestoreStatus"] == {"IsRestoreInProgress": False} and "RestoreStatus" not in listed[2]
    assert "RestoreStatus" not in s3.list_objects_v2(Bucket=bucket)["Contents"][0]


def test_a_restoration_is_announced(client, s3, bucket):
    sqs = client("sqs")
    url = sqs.create_queue(QueueName=bucket)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", StorageClass="GLACIER")
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={
        "QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectRestore:*"]}]})
    s3.restore_object(Bucket=bucket, Key="k", RestoreRequest={"Days": 1})
    seen = {}
    for _ in range(10):
        for message in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=2, MaxNumberOfMessages=10).get("Messages", []):
            for record in json.loads(message["Body"]).get("Records", []):
                seen[record["eventName"]] = record
        if len(seen) == 2:
            break
    assert set(seen) == {"ObjectRestore:Post", "ObjectRestore:Completed"}
    data = seen["ObjectRestore:Completed"]["glacierEventData"]["restoreEventData"]
    assert data["lifecycleRestoreStorageClass"] == "GLACIER" and data["lifecycleRestorationExpiryTime"].endswith("T00:00:00.000Z")
    assert "glacierEventData" not in seen["ObjectRestore:Post"]


def test_a_restoration_ends():
    with virga_server.Server("--memory") as server:
        s3 = boto3.client("s3", endpoint_url=server.endpoint, config=Config(retries={"max_attempts": 0}))
        bucket = new_bucket(s3)
        s3.put_object(Bucket=bucket, Key="k", Body=b"cold", StorageClass="GLACIER")
        s3.restore_object(Bucket=bucket, Key="k", RestoreRequest={"Days": 1})
        assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"cold"
        body = json.dumps({"step_ms": 3 * DAY_MS}).encode()
        urllib.request.urlopen(urllib.request.Request(f"{server.endpoint}/_virga/clock", body, method="POST"), timeout=10)
        assert refusal(s3.get_object, Bucket=bucket, Key="k")[:2] == (403, "InvalidObjectState")
        assert "Restore" not in s3.head_object(Bucket=bucket, Key="k")
