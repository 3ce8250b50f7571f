"""S3's objects as boto3, the AWS CLI and plain HTTP see them."""
import base64
import datetime
import hashlib
import os

import pytest
from botocore.exceptions import ClientError

import s3_support


def refusal(call, **arguments):
    return s3_support.refusal(call, **arguments)[1:]


def test_buckets_come_and_go(s3):
    name = s3_support.new_name()
    assert s3.create_bucket(Bucket=name)["Location"] == "/" + name
    assert s3.head_bucket(Bucket=name)["ResponseMetadata"]["HTTPHeaders"]["x-amz-bucket-region"] == "us-east-1"
    assert name in [b["Name"] for b in s3.list_buckets()["Buckets"]]
    s3.delete_bucket(Bucket=name)
    assert refusal(s3.head_bucket, Bucket=name) == ("404", "Not Found")
    with pytest.raises(ClientError) as caught:
        s3.delete_bucket(Bucket=name)
    assert caught.value.response["Error"] == {
        "Code": "NoSuchBucket", "Message": "The specified bucket does not exist", "BucketName": name}


def test_bucket_names_belong_to_one_account(client, s3, bucket):
    other = client("s3", aws_access_key_id="222222222222", aws_secret_access_key="x")
    assert refusal(other.create_bucket, Bucket=bucket)[0] == "BucketAlreadyExists"
    assert refusal(s3.create_bucket, Bucket="not_legal")[0] == "InvalidBucketName"


MIB = 1024 * 1024


def error_of(call, **kwargs):
    with pytest.raises(ClientError) as caught:
        call(**kwargs)
    return caught.value.response


def md5_hex(data):
    return hashlib.md5(data).hexdigest()


def test_put_and_get(s3, bucket):
    put = s3.put_object(Bucket=bucket, Key="a/b", Body=b"hello", ContentType="text/plain", Metadata={"Colour": "blue"},
                        CacheControl="max-age=1", ContentEncoding="gzip", ContentDisposition="attachment")
    assert put["ETag"] == '"5d41402abc4b2a76b9719d911017c592"' and put["ServerSideEncryption"] == "AES256"
    assert "VersionId" not in put
    got = s3.get_object(Bucket=bucket, Key="a/b")
    assert got["Body"].read() == b"hello" and got["ContentLength"] == 5 and got["AcceptRanges"] == "bytes"
    assert got["ContentType"] == "text/plain" and got["Metadata"] == {"colour": "blue"} and got["ETag"] == put["ETag"]
    assert got["ContentEncoding"] == "gzip" and got["CacheControl"] == "max-age=1"
    head = s3.head_object(Bucket=bucket, Key="a/b")
    assert head["ContentLength"] == 5 and head["LastModified"] == got["LastModified"]
    headers = head["ResponseMetadata"]["HTTPHeaders"]
    assert headers["server"] == "AmazonS3" and len(headers["x-amz-request-id"]) == 16
    assert s3.put_object(Bucket=bucket, Key="plain", Body=b"")["ETag"] == '"d41d8cd98f00b204e9800998ecf8427e"'
    assert s3.get_object(Bucket=bucket, Key="plain")["ContentType"] == "binary/octet-stream"


@pytest.mark.parametrize("size", [0, 1, 4096, 4097, 70_000, MIB, MIB + 1, 7 * MIB + 3])
def test_every_size_comes_back(s3, bucket, size):
    data = os.urandom(size)
    assert s3.put_object(Bucket=bucket, Key="k", Body=data)["ETag"] == f'"{md5_hex(data)}"'
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == data
    if size:
        got = s3.get_object(Bucket=bucket, Key="k", Range=f"bytes={size // 3}-")
        assert got["Body"].read() == data[size // 3:]
        assert got["ContentRange"] == f"bytes {size // 3}-{size - 1}/{size}"
        assert got["ResponseMetadata"]["HTTPStatusCode"] == 206


@pytest.mark.parametrize("key", ["a+b c", "ü/é", "a//b", "/lead", "trail/", "a%2Fb", "x?y=z&w", "q'\"<>&", "..", "a/../b", "./c", "~-_.!*()", "k" * 1024])
def test_keys_are_bytes(s3, bucket, key):
    s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
    s3.delete_object(Bucket=bucket, Key=key)
    assert refusal(s3.get_object, Bucket=bucket, Key=key) == ("NoSuchKey", "The specified key does not exist.")


def test_refusals_name_what_they_mean(s3, bucket):
    got = error_of(s3.get_object, Bucket=bucket, Key="none")
    assert got["Error"] == {"Code": "NoSuchKey", "Message": "The specified key does not exist.", "Key": "none"}
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 404
    assert refusal(s3.head_object, Bucket=bucket, Key="none") == ("404", "Not Found")
    assert refusal(s3.get_object, Bucket=bucket + "x", Key="none")[0] == "NoSuchBucket"
    assert refusal(s3.put_object, Bucket=bucket + "x", Key="none", Body=b"x" * 100_000)[0] == "NoSuchBucket"
    too_long = error_of(s3.put_object, Bucket=bucket, Key="k" * 1025, Body=b"")["Error"]
    assert too_long["Code"] == "KeyTooLongError" and too_long["MaxSizeAllowed"] == "1024" and too_long["Size"] == "1025"
    assert refusal(s3.put_object, Bucket=bucket, Key="m", Body=b"", Metadata={"k": "v" * 2048})[0] == "MetadataTooLarge"
    assert refusal(s3.get_object, Bucket=bucket, Key="k", VersionId="junk")[0] == "InvalidArgument"
    assert refusal(s3.put_object, Bucket=bucket, Key="k", StorageClass="COLD")[0] == "InvalidStorageClass"
    s3.delete_object(Bucket=bucket, Key="none")


def test_ranges(s3, bucket):
    data = bytes(range(100))
    s3.put_object(Bucket=bucket, Key="k", Body=data)

    def read(text):
        got = s3.get_object(Bucket=bucket, Key="k", Range=text)
        return got["ResponseMetadata"]["HTTPStatusCode"], got["Body"].read(), got.get("ContentRange")

    assert read("bytes=0-9") == (206, data[:10], "bytes 0-9/100")
    assert read("bytes=-5") == (206, data[-5:], "bytes 95-99/100")
    assert read("bytes=-500") == (206, data, "bytes 0-99/100")
    assert read("bytes=90-500") == (206, data[90:], "bytes 90-99/100")
    for ignored in ("bytes=9-0", "bytes=0-1,3-4", "lines=0-1", "bytes=x-"):
        assert read(ignored) == (200, data, None)
    for bad in ("bytes=100-", "bytes=-0"):
        got = error_of(s3.get_object, Bucket=bucket, Key="k", Range=bad)
        assert got["ResponseMetadata"]["HTTPStatusCode"] == 416 and got["Error"]["ActualObjectSize"] == "100"
        assert got["Error"]["Code"] == "InvalidRange" and got["Error"]["RangeRequested"] == bad
    assert s3.head_object(Bucket=bucket, Key="k", Range="bytes=0-9")["ContentLength"] == 10
    whole = s3.get_object(Bucket=bucket, Key="k", PartNumber=1)
    assert whole["ContentRange"] == "bytes 0-99/100" and "PartsCount" not in whole


def test_conditional_reads(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ETag"]
    past = datetime.datetime(2001, 1, 1, tzinfo=datetime.timezone.utc)
    future = datetime.datetime(2100, 1, 1, tzinfo=datetime.timezone.utc)
    assert refusal(s3.get_object, Bucket=bucket, Key="k", IfMatch='"other"')[0] == "PreconditionFailed"
    assert error_of(s3.get_object, Bucket=bucket, Key="k", IfMatch='"other"')["Error"]["Condition"] == "If-Match"
    got = error_of(s3.get_object, Bucket=bucket, Key="k", IfNoneMatch=etag)
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 304 and got["ResponseMetadata"]["HTTPHeaders"]["etag"] == etag
    assert refusal(s3.head_object, Bucket=bucket, Key="k", IfModifiedSince=future)[0] == "304"
    assert refusal(s3.get_object, Bucket=bucket, Key="k", IfUnmodifiedSince=past)[0] == "PreconditionFailed"
    s3.get_object(Bucket=bucket, Key="k", IfMatch=etag, IfUnmodifiedSince=past)
    s3.get_object(Bucket=bucket, Key="k", IfNoneMatch='"other"', IfModifiedSince=future)


def test_delete_objects(s3, bucket):
    for key in ("a", "b"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    got = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a"}, {"Key": "none"}]})
    assert [d["Key"] for d in got["Deleted"]] == ["a", "none"] and "Errors" not in got
    assert "Deleted" not in s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "b"}], "Quiet": True})
    bad = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "b", "VersionId": "junk"}]})["Errors"][0]
    assert bad["Code"] == "InvalidArgument" and bad["Key"] == "b"
    many = {"Objects": [{"Key": str(i)} for i in range(1001)]}
    assert refusal(s3.delete_objects, Bucket=bucket, Delete=many)[0] == "MalformedXML"
    s3.delete_bucket(Bucket=bucket)


def test_copy(s3, bucket):
    s3.put_object(Bucket=bucket, Key="from here", Body=b"data", Metadata={"a": "1"}, ContentType="text/css", Tagging="t=1")
    done = s3.copy_object(Bucket=bucket, Key="to", CopySource={"Bucket": bucket, "Key": "from here"})
    assert done["CopyObjectResult"]["ETag"] == f'"{md5_hex(b"data")}"'
    got = s3.get_object(Bucket=bucket, Key="to")
    assert got["Body"].read() == b"data" and got["Metadata"] == {"a": "1"} and got["ContentType"] == "text/css"
    assert s3.get_object_tagging(Bucket=bucket, Key="to")["TagSet"] == [{"Key": "t", "Value": "1"}]
    itself = {"Bucket": bucket, "Key": "to"}
    assert refusal(s3.copy_object, Bucket=bucket, Key="to", CopySource=itself)[0] == "InvalidRequest"
    s3.copy_object(Bucket=bucket, Key="to", CopySource=itself, MetadataDirective="REPLACE", Metadata={"b": "2"})
    assert s3.head_object(Bucket=bucket, Key="to")["Metadata"] == {"b": "2"}
    assert refusal(s3.copy_object, Bucket=bucket, Key="x", CopySource=f"{bucket}/none")[0] == "NoSuchKey"
    assert refusal(s3.copy_object, Bucket=bucket, Key="x", CopySource=itself, CopySourceIfMatch="no")[0] == "PreconditionFailed"
    assert refusal(s3.copy_object, Bucket=bucket, Key="x", CopySource="nothing")[0] == "InvalidArgument"


def test_tags(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"", Tagging="a=1&b=x%20y")
    assert s3.get_object(Bucket=bucket, Key="k")["TagCount"] == 2
    s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": [{"Key": "c", "Value": "3"}]})
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [{"Key": "c", "Value": "3"}]
    s3.delete_object_tagging(Bucket=bucket, Key="k")
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == []
    eleven = {"TagSet": [{"Key": str(i), "Value": ""} for i in range(11)]}
    assert refusal(s3.put_object_tagging, Bucket=bucket, Key="k", Tagging=eleven)[0] == "BadRequest"
    twice = {"TagSet": [{"Key": "a", "Value": ""}, {"Key": "a", "Value": ""}]}
    assert refusal(s3.put_object_tagging, Bucket=bucket, Key="k", Tagging=twice)[0] == "InvalidTag"
    assert refusal(s3.put_object, Bucket=bucket, Key="k", Tagging="a=1&a=2")[0] == "InvalidArgument"


def multipart(s3, bucket, key, parts, **kwargs):
    upload = s3.create_multipart_upload(Bucket=bucket, Key=key, **kwargs)["UploadId"]
    done = []
    for number, data in enumerate(parts, 1):
        got = s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=data)
        done.append({"PartNumber": number, "ETag": got["ETag"]})
    return upload, done


def test_multipart(s3, bucket):
    parts = [os.urandom(5 * MIB), os.urandom(5 * MIB), b"tail"]
    upload, done = multipart(s3, bucket, "k", parts, Metadata={"m": "1"}, ContentType="text/html")
    listed = s3.list_parts(Bucket=bucket, Key="k", UploadId=upload, MaxParts=2)
    assert [p["PartNumber"] for p in listed["Parts"]] == [1, 2] and listed["IsTruncated"]
    rest = s3.list_parts(Bucket=bucket, Key="k", UploadId=upload, PartNumberMarker=listed["NextPartNumberMarker"])
    assert [p["Size"] for p in rest["Parts"]] == [4] and not rest["IsTruncated"]
    assert [u["UploadId"] for u in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == [upload]
    assert refusal(s3.get_object, Bucket=bucket, Key="k")[0] == "NoSuchKey"
    finish = {"Bucket": bucket, "Key": "k", "UploadId": upload}
    assert refusal(s3.complete_multipart_upload, **finish, MultipartUpload={"Parts": done[::-1]})[0] == "InvalidPartOrder"
    wrong = [dict(done[0], ETag='"00"')]
    assert refusal(s3.complete_multipart_upload, **finish, MultipartUpload={"Parts": wrong})[0] == "InvalidPart"
    got = s3.complete_multipart_upload(**finish, MultipartUpload={"Parts": done})
    digests = b"".join(hashlib.md5(p).digest() for p in parts)
    assert got["ETag"] == f'"{md5_hex(digests)}-3"' and got["Bucket"] == bucket and got["Key"] == "k"
    assert got["Location"].endswith(f"/{bucket}/k")
    read = s3.get_object(Bucket=bucket, Key="k")
    assert read["Body"].read() == b"".join(parts) and read["Metadata"] == {"m": "1"} and read["ContentType"] == "text/html"
    second = s3.get_object(Bucket=bucket, Key="k", PartNumber=2)
    assert second["PartsCount"] == 3 and second["Body"].read() == parts[1]
    across = s3.get_object(Bucket=bucket, Key="k", Range=f"bytes={5 * MIB - 3}-{5 * MIB + 2}")
    assert across["Body"].read() == parts[0][-3:] + parts[1][:3]
    assert refusal(s3.get_object, Bucket=bucket, Key="k", PartNumber=4)[0] == "InvalidPartNumber"
    assert refusal(s3.upload_part, **finish, PartNumber=1, Body=b"")[0] == "NoSuchUpload"
    attributes = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["ETag", "ObjectParts", "ObjectSize", "StorageClass"])
    assert attributes["ObjectParts"]["TotalPartsCount"] == 3 and attributes["ObjectSize"] == 10 * MIB + 4
    assert attributes["ETag"] == got["ETag"].strip('"') and attributes["StorageClass"] == "STANDARD"
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


def test_multipart_refusals(s3, bucket):
    upload, done = multipart(s3, bucket, "k", [b"small", b"last"])
    finish = {"Bucket": bucket, "Key": "k", "UploadId": upload}
    small = error_of(s3.complete_multipart_upload, **finish, MultipartUpload={"Parts": done})["Error"]
    assert small["Code"] == "EntityTooSmall" and small["MinSizeAllowed"] == "5242880" and small["PartNumber"] == "1"
    assert refusal(s3.upload_part, **finish, PartNumber=10001, Body=b"")[0] == "InvalidArgument"
    assert refusal(s3.complete_multipart_upload, **finish, MultipartUpload={"Parts": []})[0] == "MalformedXML"
    s3.abort_multipart_upload(**finish)
    assert refusal(s3.abort_multipart_upload, **finish)[0] == "NoSuchUpload"
    assert refusal(s3.list_parts, **finish)[0] == "NoSuchUpload"


def test_part_copy(s3, bucket):
    data = os.urandom(6 * MIB)
    s3.put_object(Bucket=bucket, Key="from", Body=data)
    upload = s3.create_multipart_upload(Bucket=bucket, Key="to")["UploadId"]
    finish = {"Bucket": bucket, "Key": "to", "UploadId": upload}
    one = s3.upload_part_copy(**finish, PartNumber=1, CopySource=f"{bucket}/from")["CopyPartResult"]
    two = s3.upload_part_copy(**finish, PartNumber=2, CopySource=f"{bucket}/from", CopySourceRange="bytes=10-19")["CopyPartResult"]
    assert two["ETag"] == f'"{md5_hex(data[10:20])}"'
    assert refusal(s3.upload_part_copy, **finish, PartNumber=3, CopySource=f"{bucket}/from",
                   CopySourceRange=f"bytes=0-{6 * MIB}")[0] == "InvalidArgument"
    s3.complete_multipart_upload(**finish, MultipartUpload={"Parts": [
        {"PartNumber": 1, "ETag": one["ETag"]}, {"PartNumber": 2, "ETag": two["ETag"]}]})
    assert s3.get_object(Bucket=bucket, Key="to")["Body"].read() == data + data[10:20]


def test_customer_keys_encrypt(s3_tls_free, bucket):
    s3 = s3_tls_free
    key = os.urandom(32)
    sse = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": key}
    data = os.urandom(100_001)
    put = s3.put_object(Bucket=bucket, Key="k", Body=data, **sse)
    assert put["SSECustomerAlgorithm"] == "AES256" and "ServerSideEncryption" not in put
    assert put["ETag"] != f'"{md5_hex(data)}"'
    assert s3.get_object(Bucket=bucket, Key="k", **sse)["Body"].read() == data
    assert s3.get_object(Bucket=bucket, Key="k", Range="bytes=70001-70050", **sse)["Body"].read() == data[70001:70051]
    assert refusal(s3.get_object, Bucket=bucket, Key="k")[0] == "InvalidRequest"
    assert refusal(s3.get_object, Bucket=bucket, Key="k", SSECustomerAlgorithm="AES256", SSECustomerKey=os.urandom(32))[0] == "AccessDenied"
    s3.copy_object(Bucket=bucket, Key="open", CopySource=f"{bucket}/k", CopySourceSSECustomerAlgorithm="AES256",
                   CopySourceSSECustomerKey=key)
    assert s3.get_object(Bucket=bucket, Key="open")["Body"].read() == data


@pytest.fixture
def s3_tls_free(s3):
    """SSE-C over plain HTTP, which botocore itself would allow only with TLS."""
    return s3


def test_kms_is_reported(s3, bucket):
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId="1234abcd")
    assert put["ServerSideEncryption"] == "aws:kms" and put["SSEKMSKeyId"].endswith(":key/1234abcd")
    assert s3.head_object(Bucket=bucket, Key="k")["SSEKMSKeyId"] == put["SSEKMSKeyId"]
    assert refusal(s3.put_object, Bucket=bucket, Key="k", Body=b"", ServerSideEncryption="rot13")[0] == "InvalidArgument"


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "SHA1", "SHA256"])
def test_checksums(s3, bucket, algorithm):
    if algorithm == "CRC32C" and not has_crt():
        pytest.skip("this botocore computes CRC32C with a library that is not here")
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"123456789", ChecksumAlgorithm=algorithm)
    member = "Checksum" + algorithm
    expected = {"CRC32": base64.b64encode(bytes.fromhex("cbf43926")).decode(),
                "CRC32C": base64.b64encode(bytes.fromhex("e3069283")).decode(),
                "SHA1": base64.b64encode(hashlib.sha1(b"123456789").digest()).decode(),
                "SHA256": base64.b64encode(hashlib.sha256(b"123456789").digest()).decode()}[algorithm]
    assert put[member] == expected
    assert s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")[member] == expected
    assert member not in s3.head_object(Bucket=bucket, Key="k")
    attributes = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["Checksum"])
    assert attributes["Checksum"][member] == expected
    wrong = base64.b64encode(b"\0" * len(base64.b64decode(expected))).decode()
    assert refusal(s3.put_object, Bucket=bucket, Key="k", Body=b"x", **{member: wrong})[0] == "BadDigest"
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"123456789"


def has_crt():
    try:
        import awscrt  # noqa: F401
        return True
    except ImportError:
        return False


def test_content_md5(s3, bucket):
    right = base64.b64encode(hashlib.md5(b"x").digest()).decode()
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", ContentMD5=right)
    assert refusal(s3.put_object, Bucket=bucket, Key="k", Body=b"y", ContentMD5=right)[0] == "BadDigest"
    assert refusal(s3.put_object, Bucket=bucket, Key="k", Body=b"y", ContentMD5="junk")[0] == "InvalidDigest"
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"


def version(s3, bucket, status="Enabled"):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})


def test_versions_are_kept_until_each_is_deleted(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"0")
    version(s3, bucket)
    one = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["VersionId"]
    two = s3.put_object(Bucket=bucket, Key="k", Body=b"2" * 9000)["VersionId"]
    assert len(one) == 32 and one != two
    assert s3.get_object(Bucket=bucket, Key="k")["VersionId"] == two
    assert s3.get_object(Bucket=bucket, Key="k", VersionId=one)["Body"].read() == b"1"
    assert s3.get_object(Bucket=bucket, Key="k", VersionId="null")["Body"].read() == b"0"
    marker = s3.delete_object(Bucket=bucket, Key="k")
    assert marker["DeleteMarker"] and marker["VersionId"] not in (one, two)
    gone = error_of(s3.get_object, Bucket=bucket, Key="k")
    headers = gone["ResponseMetadata"]["HTTPHeaders"]
    assert gone["Error"]["Code"] == "NoSuchKey" and headers["x-amz-delete-marker"] == "true"
    assert headers["x-amz-version-id"] == marker["VersionId"]
    of_marker = error_of(s3.get_object, Bucket=bucket, Key="k", VersionId=marker["VersionId"])
    assert of_marker["Error"] == {"Code": "MethodNotAllowed", "Method": "GET", "ResourceType": "DeleteMarker",
                                  "Message": "The specified method is not allowed against this resource."}
    assert refusal(s3.get_object, Bucket=bucket, Key="k", VersionId=one[:-1] + ("A" if one[-1] != "A" else "B"))[0] == "NoSuchVersion"
    listed = s3.list_object_versions(Bucket=bucket)
    assert [v["VersionId"] for v in listed["Versions"]] == [two, one, "null"]
    assert listed["DeleteMarkers"][0]["IsLatest"]
    gone = s3.delete_object(Bucket=bucket, Key="k", VersionId=marker["VersionId"])
    assert gone["DeleteMarker"] and gone["VersionId"] == marker["VersionId"]
    assert s3.get_object(Bucket=bucket, Key="k")["VersionId"] == two
    s3.delete_object(Bucket=bucket, Key="k", VersionId=two)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"1"
    assert refusal(s3.delete_bucket, Bucket=bucket)[0] == "BucketNotEmpty"
    got = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k", "VersionId": one}, {"Key": "k", "VersionId": "null"}]})
    assert len(got["Deleted"]) == 2
    s3.delete_bucket(Bucket=bucket)


def test_suspended_versioning_replaces_the_null_version(s3, bucket):
    version(s3, bucket)
    one = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["VersionId"]
    version(s3, bucket, "Suspended")
    assert s3.put_object(Bucket=bucket, Key="k", Body=b"a")["VersionId"] == "null"
    assert s3.put_object(Bucket=bucket, Key="k", Body=b"b")["VersionId"] == "null"
    assert [v["VersionId"] for v in s3.list_object_versions(Bucket=bucket)["Versions"]] == ["null", one]
    marker = s3.delete_object(Bucket=bucket, Key="k")
    assert marker["DeleteMarker"] and marker["VersionId"] == "null"
    assert [v["VersionId"] for v in s3.list_object_versions(Bucket=bucket)["Versions"]] == [one]
    version(s3, bucket)
    two = s3.put_object(Bucket=bucket, Key="k", Body=b"2")["VersionId"]
    version(s3, bucket, "Suspended")
    s3.put_object(Bucket=bucket, Key="k", Body=b"c")
    assert [v["VersionId"] for v in s3.list_object_versions(Bucket=bucket)["Versions"]] == ["null", two, one]
    assert "DeleteMarkers" not in s3.list_object_versions(Bucket=bucket)


def test_locked_versions_stay(s3):
    bucket = s3_support.new_name()
    s3.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"x", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=until,
                        ContentMD5=base64.b64encode(hashlib.md5(b"x").digest()).decode())
    one = {"Bucket": bucket, "Key": "k", "VersionId": put["VersionId"]}
    assert s3.get_object_retention(**one)["Retention"]["Mode"] == "GOVERNANCE"
    assert refusal(s3.delete_object, **one) == ("AccessDenied", "Access Denied because object protected by object lock.")
    s3.put_object_legal_hold(**one, LegalHold={"Status": "ON"})
    assert s3.get_object_legal_hold(**one)["LegalHold"]["Status"] == "ON"
    assert refusal(s3.delete_object, **one, BypassGovernanceRetention=True)[0] == "AccessDenied"
    s3.put_object_legal_hold(**one, LegalHold={"Status": "OFF"})
    earlier = {"Mode": "GOVERNANCE", "RetainUntilDate": until - datetime.timedelta(hours=1)}
    assert refusal(s3.put_object_retention, **one, Retention=earlier)[0] == "AccessDenied"
    s3.delete_object(Bucket=bucket, Key="k")
    s3.delete_object(**one, BypassGovernanceRetention=True)
    assert refusal(s3.get_object, **one)[0] == "NoSuchVersion"


def test_locks_need_a_bucket_for_them(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    assert refusal(s3.put_object_legal_hold, Bucket=bucket, Key="k", LegalHold={"Status": "ON"})[0] == "InvalidRequest"


def test_a_buckets_default_encryption_is_its_objects(s3, bucket):
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [{
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True}]})
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"")
    assert put["ServerSideEncryption"] == "aws:kms" and put["BucketKeyEnabled"] and ":key/" in put["SSEKMSKeyId"]
    assert s3.put_object(Bucket=bucket, Key="k", Body=b"", ServerSideEncryption="AES256")["ServerSideEncryption"] == "AES256"
