"""S3 at its edges: refusals and repetitions as AWS answers them, by boto3 and raw HTTP."""
import base64
import hashlib
import http.client
import json
import re
import urllib.error
import urllib.parse
import urllib.request
import uuid

import boto3
import pytest
from botocore.config import Config

from s3_support import new_name, refusal

MIB = 1024 * 1024
AUTHORIZATION = ("AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=" + "0" * 64)


def send(endpoint, method, path, body=None, headers=None, sign=True):
    """(status, headers, {element: text} of an error's document or the body)."""
    where = urllib.parse.urlsplit(endpoint)
    headers = dict(headers or {})
    if sign:
        headers.update({"x-amz-content-sha256": "UNSIGNED-PAYLOAD", "Authorization": AUTHORIZATION, "X-Amz-Date": "20260101T000000Z"})
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=20)
    try:
        connection.request(method, path, body, headers)
        got = connection.getresponse()
        text = got.read()
        if got.status >= 300:
            text = dict(re.findall(r"<(\w+)>([^<]*)</\1>", text.decode()))
        return got.status, {k.lower(): v for k, v in got.getheaders()}, text
    finally:
        connection.close()


def md5_of(text):
    return base64.b64encode(hashlib.md5(text).digest()).decode()


def versioned(s3, bucket):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})


# ---- requests that fit nothing


@pytest.mark.parametrize("method, path, resource", [
    ("PATCH", "/{}/k", "OBJECT"), ("POST", "/{}/k", "OBJECT"), ("PATCH", "/{}", "BUCKET"), ("PUT", "/", "SERVICE"), ("DELETE", "/", "SERVICE")])
def test_methods_that_a_resource_lacks(endpoint, bucket, method, path, resource):
    status, _, error = send(endpoint, method, path.format(bucket), b"x")
    assert (status, error["Code"], error["Method"], error["ResourceType"]) == (405, "MethodNotAllowed", method, resource)


@pytest.mark.parametrize("method, path, resource", [
    ("DELETE", "/{}?acl", "ACL"), ("DELETE", "/{}?versioning", "VERSIONING"), ("DELETE", "/{}?object-lock", "OBJECTLOCK"),
    ("PUT", "/{}?location", "LOCATION"), ("PUT", "/{}?policyStatus", "POLICYSTATUS"), ("GET", "/{}?delete", "DELETE"),
    ("DELETE", "/{}/k?acl", "ACL"), ("DELETE", "/{}/k?legal-hold", "LEGALHOLD"), ("DELETE", "/{}/k?uploads", "UPLOADS"),
    ("PUT", "/{}/k?restore", "RESTORE"), ("PUT", "/{}/k?attributes", "ATTRIBUTES"), ("GET", "/{}/k?restore", "RESTORE"),
    ("POST", "/{}?policy", "BUCKETPOLICY"), ("POST", "/{}/k?tagging", "TAGGING"), ("PATCH", "/{}?versioning", "VERSIONING")])
def test_methods_that_a_sub_resource_lacks_touch_nothing(endpoint, s3, bucket, method, path, resource):
    if "/k" in path:
        s3.put_object(Bucket=bucket, Key="k", Body=b"kept")
    status, _, error = send(endpoint, method, path.format(bucket), b"x")
    assert (status, error["Code"], error["Method"], error["ResourceType"]) == (405, "MethodNotAllowed", method, resource)
    if "/k" in path:
        assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"kept"
    s3.head_bucket(Bucket=bucket)


def test_a_post_to_a_bucket_is_a_form(endpoint, bucket):
    status, _, error = send(endpoint, "POST", f"/{bucket}", b"x")
    assert (status, error["Code"]) == (412, "PreconditionFailed")
    assert error["Condition"] == "Bucket POST must be of the enclosure-type multipart/form-data"


@pytest.mark.parametrize("path, name, message", [
    ("/{}?max-keys=abc", "max-keys", "Provided max-keys not an integer or within integer range"),
    ("/{}?list-type=2&max-keys=2147483648", "max-keys", "Provided max-keys not an integer or within integer range"),
    ("/{}?uploads&max-uploads=", "max-uploads", "Provided max-uploads not an integer or within integer range"),
    ("/{}/k?uploadId=x&max-parts=1.5", "max-parts", "Provided max-parts not an integer or within integer range"),
    ("/{}/k?partNumber=one", "partNumber", "Part number must be an integer between 1 and 10000, inclusive")])
def test_numbers_that_are_none(endpoint, bucket, path, name, message):
    status, _, error = send(endpoint, "GET", path.format(bucket))
    assert (status, error["Code"], error["ArgumentName"], error["Message"]) == (400, "InvalidArgument", name, message)


@pytest.mark.parametrize("query", ["partNumber=1", "uploadId=x"])
def test_half_a_part_s_address_is_no_object(endpoint, s3, bucket, query):
    s3.put_object(Bucket=bucket, Key="k", Body=b"whole")
    status, _, error = send(endpoint, "PUT", f"/{bucket}/k?{query}", b"part")
    assert (status, error["Code"]) == (400, "InvalidArgument")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"whole"


def test_a_canned_list_needs_no_checksum(endpoint, s3, bucket):
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
    assert send(endpoint, "PUT", f"/{bucket}?acl", headers={"x-amz-acl": "private"})[0] == 200
    assert send(endpoint, "PUT", f"/{bucket}?tagging", b"<Tagging/>")[2]["Code"] == "InvalidRequest"


def test_redirects_begin_with_what_they_may(s3, bucket):
    assert refusal(s3.put_object, Bucket=bucket, Key="k", Body=b"", WebsiteRedirectLocation="elsewhere")[:2] == (400, "InvalidRedirectLocation")
    s3.put_object(Bucket=bucket, Key="k", Body=b"", WebsiteRedirectLocation="/elsewhere")
    assert s3.head_object(Bucket=bucket, Key="k")["WebsiteRedirectLocation"] == "/elsewhere"


def test_a_public_access_block_says_something(s3, bucket):
    assert refusal(s3.put_public_access_block, Bucket=bucket, PublicAccessBlockConfiguration={}) == (
        400, "InvalidRequest", "Must specify at least one configuration.")


def test_one_s_own_bucket_elsewhere_is_taken(s3, bucket):
    assert refusal(s3.create_bucket, Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})[:2] == (
        409, "BucketAlreadyOwnedByYou")


def test_an_acl_of_a_version_of_no_form(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    assert refusal(s3.get_object_acl, Bucket=bucket, Key="k", VersionId="abc")[:2] == (400, "InvalidArgument")


# ---- multipart uploads


def upload_two(s3, bucket, key):
    upload = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    parts = []
    for number, body in ((1, b"a" * 5 * MIB), (2, b"b")):
        etag = s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=body)["ETag"]
        parts.append({"PartNumber": number, "ETag": etag})
    return {"Bucket": bucket, "Key": key, "UploadId": upload, "MultipartUpload": {"Parts": parts}}


def test_a_repeated_completion_is_answered_again(s3, bucket):
    versioned(s3, bucket)
    request = upload_two(s3, bucket, "k")
    first = s3.complete_multipart_upload(**request)
    again = s3.complete_multipart_upload(**request)
    first.pop("ResponseMetadata"), again.pop("ResponseMetadata")
    assert first == again and first["VersionId"]
    s3.put_object(Bucket=bucket, Key="k", Body=b"newer")
    assert s3.complete_multipart_upload(**request)["VersionId"] == first["VersionId"]
    assert len(s3.list_object_versions(Bucket=bucket)["Versions"]) == 2
    s3.delete_object(Bucket=bucket, Key="k", VersionId=first["VersionId"])
    assert refusal(s3.complete_multipart_upload, **request)[:2] == (404, "NoSuchUpload")


def test_an_account_that_uploads_shows_as_its_owner(s3, bucket):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    owner = s3.list_buckets()["Owner"]["ID"]
    parts = s3.list_parts(Bucket=bucket, Key="k", UploadId=upload)
    [line] = s3.list_multipart_uploads(Bucket=bucket)["Uploads"]
    assert parts["Initiator"]["ID"] == parts["Owner"]["ID"] == line["Initiator"]["ID"] == line["Owner"]["ID"] == owner


def test_upload_keys_are_encoded_as_other_keys(endpoint, s3, bucket):
    s3.create_multipart_upload(Bucket=bucket, Key="a b/ü+c")
    status, _, body = send(endpoint, "GET", f"/{bucket}?uploads&encoding-type=url")
    assert status == 200 and b"<Key>a+b/%C3%BC%2Bc</Key>" in body


# ---- copies


def test_sources_that_cannot_be_copied(s3, bucket):
    versioned(s3, bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    marker = s3.delete_object(Bucket=bucket, Key="k")["VersionId"]
    copy = {"Bucket": bucket, "Key": "to"}
    assert refusal(s3.copy_object, **copy, CopySource={"Bucket": bucket, "Key": "k"})[:2] == (404, "NoSuchKey")
    assert refusal(s3.copy_object, **copy, CopySource={"Bucket": bucket, "Key": "k", "VersionId": marker}) == (
        400, "InvalidRequest", "The source of a copy request may not specifically refer to a delete marker by version id.")
    s3.put_object(Bucket=bucket, Key="cold", Body=b"x", StorageClass="DEEP_ARCHIVE")
    assert refusal(s3.copy_object, **copy, CopySource={"Bucket": bucket, "Key": "cold"})[:2] == (403, "InvalidObjectState")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="m")["UploadId"]
    assert refusal(s3.upload_part_copy, Bucket=bucket, Key="m", UploadId=upload, PartNumber=1,
                   CopySource={"Bucket": bucket, "Key": "k", "VersionId": marker})[:2] == (400, "InvalidRequest")


# ---- deletions


def test_conditional_deletions(endpoint, s3, bucket):
    versioned(s3, bucket)
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    etag, version = put["ETag"], put["VersionId"]

    def delete(key, **headers):
        status, _, error = send(endpoint, "DELETE", f"/{bucket}/{key}", headers={k.replace("_", "-"): v for k, v in headers.items()})
        return (status, error["Code"]) if error else status

    assert delete("none", If_Match="*") == (404, "NoSuchKey")
    assert delete("none", If_Match=etag) == (404, "NoSuchKey")
    assert delete("k", If_Match='"other"') == (412, "PreconditionFailed")
    assert delete("k", x_amz_if_match_size="1") == (501, "NotImplemented")
    assert delete(f"k?versionId={version}", If_Match=etag) == (501, "NotImplemented")
    assert delete("k", If_Match=etag) == 204
    assert delete("k", If_Match=etag) == (404, "NoSuchKey")  # a marker is no object
    assert delete("none") == 204


def test_a_deletion_without_a_key_deletes_nothing(endpoint, s3, bucket):
    body = b"<Delete><Object><Key></Key></Object></Delete>"
    status, _, error = send(endpoint, "POST", f"/{bucket}?delete", body, {"Content-MD5": md5_of(body)})
    assert (status, error["Code"]) == (400, "MalformedXML")


def test_each_object_of_a_deletion_is_judged_by_itself(s3, bucket):
    versioned(s3, bucket)
    for key in ("kept/a", "b"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject", "Resource": f"arn:aws:s3:::{bucket}/kept/*"}]}))
    got = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "kept/a"}, {"Key": "b"}]})
    assert [d["Key"] for d in got["Deleted"]] == ["b"]
    assert [(e["Key"], e["Code"], e["Message"]) for e in got["Errors"]] == [("kept/a", "AccessDenied", "Access Denied")]
    version = s3.list_object_versions(Bucket=bucket, Prefix="kept/")["Versions"][0]["VersionId"]
    got = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "kept/a", "VersionId": version}]})
    assert "Errors" not in got  # another action: s3:DeleteObjectVersion
    s3.delete_bucket_policy(Bucket=bucket)


def test_versions_have_an_action_of_their_own(s3, bucket):
    versioned(s3, bucket)
    version = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["VersionId"]
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Principal": "*", "Action": "s3:GetObjectVersion", "Resource": f"arn:aws:s3:::{bucket}/*"}]}))
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
    assert refusal(s3.get_object, Bucket=bucket, Key="k", VersionId=version)[:2] == (403, "AccessDenied")
    s3.delete_bucket_policy(Bucket=bucket)


def test_policies_may_demand_conditional_writes(endpoint, s3, bucket):
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/*",
        "Condition": {"Null": {"s3:if-none-match": "true"}, "Bool": {"s3:ObjectCreationOperation": "true"}}}]}))
    assert send(endpoint, "PUT", f"/{bucket}/k", b"x")[0] == 403
    assert send(endpoint, "PUT", f"/{bucket}/k", b"x", {"If-None-Match": "*"})[0] == 200
    assert s3.create_multipart_upload(Bucket=bucket, Key="m")["UploadId"]
    s3.delete_bucket_policy(Bucket=bucket)


# ---- links


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_links_end_when_their_maker_said(endpoint, bucket, version):
    s3 = boto3.client("s3", endpoint_url=endpoint, config=Config(signature_version=version))
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    link = urllib.parse.urlsplit(s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"}, ExpiresIn=60))
    path = f"{link.path}?{link.query}"
    assert send(endpoint, "GET", path, sign=False)[0] == 200
    if version == "s3":
        late = re.sub(r"Expires=\d+", "Expires=1500000000", path)
    else:
        late = re.sub(r"X-Amz-Date=\d+T", "X-Amz-Date=20200101T", re.sub(r"%2F\d{8}%2F", "%2F20200101%2F", path))
    status, _, error = send(endpoint, "GET", late, sign=False)
    assert (status, error["Code"], error["Message"]) == (403, "AccessDenied", "Request has expired")


# ---- events


def test_tags_lists_and_forms_are_announced(client, endpoint, s3, bucket):
    sqs = client("sqs")
    url = sqs.create_queue(QueueName="q-" + uuid.uuid4().hex[:12])["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
    s3.delete_public_access_block(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [
        {"QueueArn": arn, "Events": ["s3:ObjectTagging:*", "s3:ObjectAcl:Put", "s3:ObjectCreated:Post"]}]})

    def receive():
        [message] = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10)["Messages"]
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return json.loads(message["Body"])

    assert receive()["Event"] == "s3:TestEvent"
    s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    [record] = receive()["Records"]
    assert (record["eventName"], record["eventVersion"]) == ("ObjectTagging:Put", "2.3")
    assert set(record["s3"]["object"]) == {"key", "eTag"}
    s3.delete_object_tagging(Bucket=bucket, Key="k")
    assert receive()["Records"][0]["eventName"] == "ObjectTagging:Delete"
    s3.put_object_acl(Bucket=bucket, Key="k", ACL="public-read")
    assert receive()["Records"][0]["eventName"] == "ObjectAcl:Put"
    s3.put_object_acl(Bucket=bucket, Key="k", ACL="public-read")  # changes nothing
    post = s3.generate_presigned_post(bucket, "form")
    fields = "".join(f'--BOUND\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in post["fields"].items())
    body = (fields + '--BOUND\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\ndata\r\n--BOUND--\r\n').encode()
    assert send(endpoint, "POST", f"/{bucket}", body, {"Content-Type": "multipart/form-data; boundary=BOUND"}, sign=False)[0] == 204
    [record] = receive()["Records"]
    assert (record["eventName"], record["s3"]["object"]["key"], record["s3"]["object"]["size"]) == ("ObjectCreated:Post", "form", 4)


# ---- names, places, headers


@pytest.mark.parametrize("name", ["a.-b", "a-.b", "a..b", "192.168.5.4", "xn--abc"])
def test_names_that_are_no_host_are_refused(endpoint, name):
    status, _, error = send(endpoint, "PUT", f"/{name}", b"")
    assert (status, error["Code"]) == (400, "InvalidBucketName")


@pytest.mark.parametrize("place", ["the-moon-1", "us-east-1", "xx-nowhere-1"])
def test_buckets_are_made_where_there_is_something(s3, place):
    assert refusal(s3.create_bucket, Bucket=new_name(), CreateBucketConfiguration={"LocationConstraint": place})[:2] == (
        400, "InvalidLocationConstraint")


def test_a_key_is_utf_8(endpoint, bucket):
    status, _, error = send(endpoint, "PUT", f"/{bucket}/%ff", b"x")
    assert (status, error["Code"], error["Message"]) == (400, "InvalidURI", "Couldn't parse the specified URI.")


def test_expires_is_told_as_it_was_written(endpoint, s3, bucket):
    assert send(endpoint, "PUT", f"/{bucket}/k", b"x", {"Expires": "when I say so"})[0] == 200
    assert send(endpoint, "HEAD", f"/{bucket}/k")[1]["expires"] == "when I say so"
    s3.put_object(Bucket=bucket, Key="date", Expires="2030-01-02T03:04:05Z")
    assert send(endpoint, "GET", f"/{bucket}/date")[1]["expires"] == "Wed, 02 Jan 2030 03:04:05 GMT"
    asked = urllib.parse.quote("Thu, 03 Jan 2030 03:04:05 GMT")
    assert send(endpoint, "GET", f"/{bucket}/date?response-expires={asked}")[1]["expires"] == "Thu, 03 Jan 2030 03:04:05 GMT"


def test_reads_do_not_ask_for_encryption(endpoint, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", ServerSideEncryption="aws:kms")
    asked = {"x-amz-server-side-encryption": "aws:kms"}
    status, _, error = send(endpoint, "GET", f"/{bucket}/k", headers=asked)
    assert (status, error["Code"], error["ArgumentName"]) == (400, "InvalidArgument", "x-amz-server-side-encryption")
    assert error["Message"] == "x-amz-server-side-encryption header is not supported for this operation."
    assert send(endpoint, "HEAD", f"/{bucket}/k", headers=asked)[0] == 400


def test_parts_have_the_key_of_their_upload(s3, bucket):
    key = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k", **key)["UploadId"]
    part = {"Bucket": bucket, "Key": "k", "UploadId": upload, "PartNumber": 1, "Body": b"x"}
    assert refusal(s3.upload_part, **part) == (
        400, "InvalidRequest", "The multipart upload initiate requested encryption. Subsequent part requests must include the "
        "appropriate encryption parameters.")
    assert refusal(s3.upload_part, **part, **{**key, "SSECustomerKey": "o" * 32}) == (
        400, "InvalidRequest", "The provided encryption parameters did not match the ones used originally.")
    plain = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    assert refusal(s3.upload_part, **{**part, "UploadId": plain}, **key)[:2] == (400, "InvalidRequest")
    assert s3.upload_part(**part, **key)["SSECustomerAlgorithm"] == "AES256"


@pytest.mark.parametrize("asked, told", [({}, "null"), ({"Access-Control-Request-Method": "FOO"}, "FOO")])
def test_preflights_ask_for_a_method(endpoint, bucket, asked, told):
    status, _, error = send(endpoint, "OPTIONS", f"/{bucket}/k", headers={"Origin": "https://a.example", **asked}, sign=False)
    assert (status, error["Code"], error["Message"]) == (400, "BadRequest", f"Invalid Access-Control-Request-Method: {told}")


# ---- who may


@pytest.fixture
def other(client):
    """Somebody else's account."""
    return client("s3", aws_access_key_id="111122223333", aws_secret_access_key="x")


def allow(s3, bucket, *actions, **condition):
    s3.delete_public_access_block(Bucket=bucket)
    statement = {"Effect": "Allow", "Principal": "*", "Action": list(actions), "Resource": [f"arn:aws:s3:::{bucket}/*"]}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [{**statement, **condition}]}))


def test_policies_see_where_a_reader_comes_from(endpoint, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    allow(s3, bucket, "s3:GetObject", Condition={"StringLike": {"aws:Referer": "https://a.example/*"}})
    for referer, status in ((None, 403), ("https://b.example/", 403), ("https://a.example/page", 200)):
        headers = {"Referer": referer} if referer else {}
        assert send(endpoint, "GET", f"/{bucket}/k", headers=headers, sign=False)[0] == status


def test_policies_see_the_tags_that_a_request_gives(s3, bucket, other):
    allow(s3, bucket, "s3:PutObject", "s3:PutObjectTagging", Condition={
        "StringEquals": {"s3:RequestObjectTag/team": "a"}, "ForAllValues:StringEquals": {"s3:RequestObjectTagKeys": ["team", "cost"]}})
    one = {"Bucket": bucket, "Key": "k"}
    other.put_object(**one, Tagging="team=a&cost=1")
    for tags in ("", "team=b", "team=a&more=1"):
        assert refusal(other.put_object, **one, Tagging=tags)[:2] == (403, "AccessDenied")
    other.put_object_tagging(**one, Tagging={"TagSet": [{"Key": "team", "Value": "a"}]})
    assert refusal(other.put_object_tagging, **one, Tagging={"TagSet": [{"Key": "team", "Value": "b"}]})[1] == "AccessDenied"


def test_policies_see_how_a_request_is_signed(client, s3, bucket, other):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    allow(s3, bucket, "s3:GetObject", Condition={"StringEquals": {"s3:authType": "REST-HEADER", "s3:signatureversion": "AWS4-HMAC-SHA256"}})
    assert other.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
    link = other.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(link, timeout=10)
    assert caught.value.code == 403


def test_policies_name_keys_that_there_are(s3, bucket):
    s3.delete_public_access_block(Bucket=bucket)
    policy = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*",
         "Condition": {"StringEquals": {"s3:colour": "red"}}}]}
    assert refusal(s3.put_bucket_policy, Bucket=bucket, Policy=json.dumps(policy)) == (
        400, "MalformedPolicy", "Policy has an invalid condition key")


def test_a_writer_says_who_may_read_the_new_object(s3, bucket, other):
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
    s3.delete_public_access_block(Bucket=bucket)
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read-write")
    for acl in ("private", "bucket-owner-full-control"):
        other.put_object(Bucket=bucket, Key="k", Body=b"x", ACL=acl)
        readable = acl != "private"
        if readable:
            assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
        else:
            assert refusal(s3.get_object, Bucket=bucket, Key="k")[1] == "AccessDenied"
    s3.put_object(Bucket=bucket, Key="own", Body=b"x")
    assert refusal(other.put_object_acl, Bucket=bucket, Key="own", ACL="public-read")[1] == "AccessDenied"


# ---- documents and header fields


@pytest.mark.parametrize("path", ["?versioning", "?tagging", "?cors", "?logging", "?notification", "?encryption", "/k?tagging"])
def test_configurations_are_documents_of_their_name(endpoint, s3, bucket, path):
    """Nothing is set, or taken away, by an empty body or another document."""
    s3.put_object(Bucket=bucket, Key="k", Body=b"", Tagging="a=b")
    for body, code in ((b"", "MissingRequestBodyError"), (b"<Other/>", "MalformedXML"), (b"<Other", "MalformedXML")):
        status, _, error = send(endpoint, "PUT", f"/{bucket}{path}", body, {"Content-MD5": md5_of(body)})
        assert (status, error["Code"]) == (400, code)
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [{"Key": "a", "Value": "b"}]
    assert send(endpoint, "POST", f"/{bucket}?delete", b"", {"Content-MD5": md5_of(b"")})[2]["Code"] == "MissingRequestBodyError"


def test_times_in_documents_have_milliseconds(endpoint, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    for path, element in ((f"/{bucket}?list-type=2", b"LastModified"), ("/", b"CreationDate")):
        _, _, text = send(endpoint, "GET", path)
        assert re.search(rb"<%s>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z<" % element, text), text


@pytest.mark.parametrize("sent, told", [
    ("plain = text_?", "plain = text_?"),
    ("ÄMÄZÕÑ S3", "=?UTF-8?B?w4PChE3Dg8KEWsODwpXDg8KRIFMz?="),  # S3 User Guide, "Working with object metadata"
    ("=?UTF-8?B?aMOpbGxv?=", "=?UTF-8?Q?h=C3=A9llo?="),
    ("=?UTF-8?Q?only_ascii?=", "only ascii")])
def test_metadata_beyond_ascii_is_mail_safe(endpoint, bucket, sent, told):
    assert send(endpoint, "PUT", f"/{bucket}/k", b"x", {"x-amz-meta-m": sent.encode()})[0] == 200
    assert send(endpoint, "HEAD", f"/{bucket}/k")[1]["x-amz-meta-m"] == told
    assert send(endpoint, "PUT", f"/{bucket}/copy", b"", {"x-amz-copy-source": f"/{bucket}/k"})[0] == 200
    assert send(endpoint, "HEAD", f"/{bucket}/copy")[1]["x-amz-meta-m"] == told
