"""S3 Object Lock: a bucket's configuration, default retention, what keeps versions."""
import base64
import datetime
import hashlib
import urllib.error
import urllib.request

import pytest

from s3_support import new_bucket, refusal


@pytest.fixture
def bucket(s3):
    return new_bucket(s3, ObjectLockEnabledForBucket=True)


def lock(s3, bucket, mode="GOVERNANCE", **period):
    s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration={
        "ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": mode, **period}}})


def put(s3, bucket, key="k", body=b"x", **more):
    return s3.put_object(Bucket=bucket, Key=key, Body=body, ContentMD5=base64.b64encode(hashlib.md5(body).digest()).decode(), **more)


def days_from_now(when):
    return round((when - datetime.datetime.now(datetime.timezone.utc)).total_seconds() / 86400)


def test_the_configuration_comes_back(s3, bucket):
    assert s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"] == {"ObjectLockEnabled": "Enabled"}
    lock(s3, bucket, "COMPLIANCE", Years=1)
    assert s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"] == {
        "ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Years": 1}}}
    s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"})
    assert "Rule" not in s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]


@pytest.mark.parametrize("configuration, code, message", [
    ({}, "MalformedXML", None),
    ({"ObjectLockEnabled": "Disabled"}, "MalformedXML", None),
    ({"ObjectLockEnabled": "Enabled", "Rule": {}}, "MalformedXML", None),
    ({"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE"}}}, "MalformedXML", None),
    ({"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "NONE", "Days": 1}}}, "MalformedXML", None),
    ({"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1, "Years": 1}}}, "MalformedXML", None),
    ({"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 0}}}, "InvalidArgument",
     "Default retention period must be a positive integer value."),
    ({"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Years": -1}}}, "InvalidArgument",
     "Default retention period must be a positive integer value."),
    ({"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Years": 101}}}, "InvalidArgument", None)])
def test_bad_configurations_are_refused(s3, bucket, configuration, code, message):
    got = refusal(s3.put_object_lock_configuration, Bucket=bucket, ObjectLockConfiguration=configuration)
    assert got[:2] == (400, code) and (message is None or got[2] == message)
    assert s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"] == {"ObjectLockEnabled": "Enabled"}


def test_a_bucket_gets_locks_once_it_has_versions(s3):
    name = new_bucket(s3)
    enabled = {"Bucket": name, "ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}}
    assert refusal(s3.get_object_lock_configuration, Bucket=name)[:2] == (404, "ObjectLockConfigurationNotFoundError")
    assert refusal(s3.put_object_lock_configuration, **enabled)[:2] == (409, "InvalidBucketState")
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object_lock_configuration(**enabled)
    assert s3.get_object_lock_configuration(Bucket=name)["ObjectLockConfiguration"]["ObjectLockEnabled"] == "Enabled"
    assert refusal(s3.put_bucket_versioning, Bucket=name, VersioningConfiguration={"Status": "Suspended"})[:2] == (409, "InvalidBucketState")


def test_new_versions_get_the_buckets_retention(s3, bucket):
    before = put(s3, bucket)["VersionId"]
    lock(s3, bucket, Days=10)
    made = put(s3, bucket)["VersionId"]
    head = s3.head_object(Bucket=bucket, Key="k", VersionId=made)
    assert head["ObjectLockMode"] == "GOVERNANCE" and days_from_now(head["ObjectLockRetainUntilDate"]) == 10
    assert "ObjectLockLegalHoldStatus" not in head
    assert refusal(s3.delete_object, Bucket=bucket, Key="k", VersionId=made) == (
        403, "AccessDenied", "Access Denied because object protected by object lock.")
    s3.delete_object(Bucket=bucket, Key="k", VersionId=before)  # older than the rule
    copied = s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "k"})["VersionId"]
    assert s3.get_object_retention(Bucket=bucket, Key="copy", VersionId=copied)["Retention"]["Mode"] == "GOVERNANCE"
    upload = s3.create_multipart_upload(Bucket=bucket, Key="m")["UploadId"]
    etag = s3.upload_part(Bucket=bucket, Key="m", UploadId=upload, PartNumber=1, Body=b"x",
                          ContentMD5=base64.b64encode(hashlib.md5(b"x").digest()).decode())["ETag"]
    s3.complete_multipart_upload(Bucket=bucket, Key="m", UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})
    assert days_from_now(s3.get_object_retention(Bucket=bucket, Key="m")["Retention"]["RetainUntilDate"]) == 10


def test_a_request_outweighs_the_buckets_retention(s3, bucket):
    lock(s3, bucket, Days=10)
    until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=2)
    put(s3, bucket, ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=until)
    kept = s3.get_object_retention(Bucket=bucket, Key="k")["Retention"]
    assert kept["Mode"] == "COMPLIANCE" and days_from_now(kept["RetainUntilDate"]) == 2
    put(s3, bucket, "held", ObjectLockLegalHoldStatus="ON")
    head = s3.head_object(Bucket=bucket, Key="held")
    assert (head["ObjectLockMode"], head["ObjectLockLegalHoldStatus"]) == ("GOVERNANCE", "ON")


def test_a_legal_hold_that_nobody_set_is_not_there(s3, bucket):
    put(s3, bucket)
    assert refusal(s3.get_object_legal_hold, Bucket=bucket, Key="k") == (
        404, "NoSuchObjectLockConfiguration", "The specified object does not have a ObjectLock configuration")
    assert "ObjectLockLegalHoldStatus" not in s3.head_object(Bucket=bucket, Key="k")
    for status in ("ON", "OFF"):
        s3.put_object_legal_hold(Bucket=bucket, Key="k", LegalHold={"Status": status})
        assert s3.get_object_legal_hold(Bucket=bucket, Key="k")["LegalHold"]["Status"] == status
        assert s3.head_object(Bucket=bucket, Key="k")["ObjectLockLegalHoldStatus"] == status


def test_compliance_cannot_be_passed_over(s3, bucket):
    made = put(s3, bucket)["VersionId"]
    one = {"Bucket": bucket, "Key": "k", "VersionId": made}
    until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=2)
    s3.put_object_retention(**one, Retention={"Mode": "GOVERNANCE", "RetainUntilDate": until})
    wanted = {"Mode": "COMPLIANCE", "RetainUntilDate": until}
    assert refusal(s3.put_object_retention, **one, Retention=wanted)[1] == "AccessDenied"  # not without passing over the other
    s3.put_object_retention(**one, Retention=wanted, BypassGovernanceRetention=True)
    assert refusal(s3.delete_object, **one, BypassGovernanceRetention=True)[1] == "AccessDenied"
    assert refusal(s3.put_object_retention, **one, BypassGovernanceRetention=True,
                   Retention={"Mode": "GOVERNANCE", "RetainUntilDate": until})[1] == "AccessDenied"
    later = until + datetime.timedelta(days=1)
    s3.put_object_retention(**one, Retention={"Mode": "COMPLIANCE", "RetainUntilDate": later})
    got = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k", "VersionId": made}]}, BypassGovernanceRetention=True)
    assert [e["Code"] for e in got["Errors"]] == ["AccessDenied"] and "Deleted" not in got
    s3.delete_object(Bucket=bucket, Key="k")  # a marker on top is always possible


def test_what_is_locked_comes_with_a_checksum(endpoint, s3, bucket):
    lock(s3, bucket, Days=1)
    headers = {"Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, "
                                "Signature=" + "0" * 64, "X-Amz-Date": "20260101T000000Z", "x-amz-content-sha256": "UNSIGNED-PAYLOAD"}

    def put_bare(path):
        request = urllib.request.Request(f"{endpoint}/{bucket}/{path}", b"x", headers, method="PUT")
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request, timeout=10)
        return caught.value.code, caught.value.read().decode()

    status, text = put_bare("k")
    assert status == 400 and "header is required for Put Object requests with Object Lock parameters" in text
    upload = s3.create_multipart_upload(Bucket=bucket, Key="m")["UploadId"]
    status, text = put_bare(f"m?partNumber=1&uploadId={upload}")
    assert status == 400 and "header is required for Put Part requests with Object Lock parameters" in text
