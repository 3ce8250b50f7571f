"""S3's lifecycle rules: the configuration, what answers say of it, and what happens at midnight."""
import datetime
import json
import time
import urllib.request

import boto3
import pytest
from botocore.config import Config

import virga_server
from s3_support import new_bucket, refusal

DAY_MS = 86_400_000


def rules(*given):
    return {"LifecycleConfiguration": {"Rules": [{"Status": "Enabled", **rule} for rule in given]}}


def test_a_configuration_comes_back(s3, bucket):
    given = [
        {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 400},
         "Transitions": [{"Days": 30, "StorageClass": "STANDARD_IA"}, {"Days": 90, "StorageClass": "GLACIER"}],
         "NoncurrentVersionExpiration": {"NoncurrentDays": 7, "NewerNoncurrentVersions": 3}},
        {"ID": "by tag", "Status": "Disabled", "Filter": {"And": {"Prefix": "a", "Tags": [{"Key": "k", "Value": "v"}]}},
         "Expiration": {"Date": datetime.datetime(2030, 1, 1, tzinfo=datetime.timezone.utc)}},
        {"ID": "uploads", "Status": "Enabled", "Filter": {}, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}}]
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": given})
    got = [{**rule, "Filter": rule.get("Filter", {})} for rule in s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]]
    assert got == given
    s3.delete_bucket_lifecycle(Bucket=bucket)
    assert refusal(s3.get_bucket_lifecycle_configuration, Bucket=bucket) == (
        404, "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist")


def test_rules_without_a_name_get_one(s3, bucket):
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, **rules(
        {"Prefix": "a", "Expiration": {"Days": 1}}, {"Prefix": "b", "Expiration": {"Days": 1}}))
    one, other = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert one["ID"] and other["ID"] and one["ID"] != other["ID"] and one["Prefix"] == "a"


@pytest.mark.parametrize("rule, code", [
    ({"Prefix": "", "Expiration": {"Days": 0}}, "InvalidArgument"),
    ({"Prefix": "", "Expiration": {"Days": 1}, "ID": "a" * 256}, "InvalidArgument"),
    ({"Prefix": "", "Expiration": {"Days": 1}, "Status": "enabled"}, "MalformedXML"),
    ({"Expiration": {"Days": 1}}, "MalformedXML"),
    ({"Prefix": ""}, "InvalidRequest"),
    ({"Prefix": "", "Expiration": {"Date": datetime.datetime(2030, 1, 1, 1)}}, "InvalidArgument"),
    ({"Prefix": "", "Transitions": [{"Days": 1, "StorageClass": "STANDARD_IA"}]}, "InvalidArgument"),
    ({"Filter": {"Tag": {"Key": "a", "Value": "b"}}, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}}, "InvalidRequest")])
def test_bad_rules_are_refused(s3, bucket, rule, code):
    assert refusal(s3.put_bucket_lifecycle_configuration, Bucket=bucket, **rules(rule))[:2] == (400, code)
    assert refusal(s3.get_bucket_lifecycle_configuration, Bucket=bucket)[0] == 404


def test_names_of_rules_are_different(s3, bucket):
    one = {"ID": "a", "Prefix": "a", "Expiration": {"Days": 1}}
    assert refusal(s3.put_bucket_lifecycle_configuration, Bucket=bucket, **rules(one, {**one, "Prefix": "b"})) == (
        400, "InvalidArgument", "Rule ID must be unique. Found same ID for more than one rule")


def test_answers_say_when_an_object_ends(s3, bucket):
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, **rules({"ID": "soon", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 1}}))
    told = s3.put_object(Bucket=bucket, Key="tmp/a", Body=b"x")["Expiration"]
    made = s3.head_object(Bucket=bucket, Key="tmp/a")
    end = (made["LastModified"] + datetime.timedelta(days=2)).strftime("%a, %d %b %Y 00:00:00 GMT")
    assert told == made["Expiration"] == f'expiry-date="{end}", rule-id="soon"'
    assert s3.get_object(Bucket=bucket, Key="tmp/a")["Expiration"] == told
    assert s3.copy_object(Bucket=bucket, Key="tmp/b", CopySource=f"{bucket}/tmp/a")["Expiration"] == told
    assert "Expiration" not in s3.put_object(Bucket=bucket, Key="a", Body=b"x")


def test_midnights_bring_what_the_rules_say():
    with virga_server.Server("--memory") as server:
        s3 = boto3.client("s3", endpoint_url=server.endpoint, config=Config(retries={"max_attempts": 0}))

        def pass_days(count):
            body = json.dumps({"step_ms": count * DAY_MS}).encode()
            urllib.request.urlopen(urllib.request.Request(f"{server.endpoint}/_virga/clock", body, method="POST"), timeout=10)

        def until(condition):
            deadline = time.monotonic() + 20
            while not condition():
                assert time.monotonic() < deadline
                time.sleep(0.05)

        def keys(bucket):
            return [o["Key"] for o in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]

        plain, kept = new_bucket(s3), new_bucket(s3)
        s3.put_bucket_versioning(Bucket=kept, VersioningConfiguration={"Status": "Enabled"})
        s3.put_bucket_lifecycle_configuration(Bucket=plain, **rules(
            {"ID": "e", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 3}},
            {"ID": "t", "Filter": {"Tag": {"Key": "keep", "Value": "no"}}, "Expiration": {"Days": 3}},
            {"ID": "m", "Filter": {"Prefix": "big"}, "Transitions": [{"Days": 1, "StorageClass": "GLACIER_IR"}]},
            {"ID": "u", "Filter": {}, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 3}}))
        s3.put_bucket_lifecycle_configuration(Bucket=kept, **rules(
            {"ID": "e", "Filter": {}, "Expiration": {"Days": 3}, "NoncurrentVersionExpiration": {"NoncurrentDays": 5}},
            {"ID": "m", "Filter": {}, "Expiration": {"ExpiredObjectDeleteMarker": True}}))
        for key in ("tmp/a", "tmp/b", "stays"):
            s3.put_object(Bucket=plain, Key=key, Body=b"x")
        s3.put_object(Bucket=plain, Key="tagged", Body=b"x", Tagging="keep=no")
        s3.put_object(Bucket=plain, Key="big", Body=bytes(128 * 1024))
        s3.create_multipart_upload(Bucket=plain, Key="upload")
        s3.put_object(Bucket=kept, Key="k", Body=b"x")

        pass_days(2)
        until(lambda: s3.head_object(Bucket=plain, Key="big").get("StorageClass") == "GLACIER_IR")
        assert keys(plain) == ["big", "stays", "tagged", "tmp/a", "tmp/b"] and keys(kept) == ["k"]
        pass_days(2)
        until(lambda: keys(plain) == ["big", "stays"])
        until(lambda: "Uploads" not in s3.list_multipart_uploads(Bucket=plain))
        until(lambda: keys(kept) == [])
        versions = s3.list_object_versions(Bucket=kept)
        assert len(versions["Versions"]) == 1 and versions["DeleteMarkers"][0]["IsLatest"]
        pass_days(6)
        until(lambda: "Versions" not in s3.list_object_versions(Bucket=kept))
        pass_days(1)
        until(lambda: "DeleteMarkers" not in s3.list_object_versions(Bucket=kept))
        assert s3.get_object(Bucket=plain, Key="stays")["Body"].read() == b"x"
