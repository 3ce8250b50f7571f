"""S3's signatures as strict mode checks them: headers, chunks, links of both versions, forms."""
import json
import os
import re
import urllib.error
import urllib.request
import uuid

import boto3
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

import virga_server
from s3_support import new_bucket

ACCOUNT = "111122223333"
ROOT = {"id": "AKIACONFIGUREDROOT01", "secret": "root-secret"}
CONFIG = {"auth": "strict", "account-id": ACCOUNT, "accounts": [{"id": ACCOUNT, "access_keys": [ROOT]}]}
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    config = tmp_path_factory.mktemp("strict") / "virga.json"
    config.write_text(json.dumps(CONFIG))
    with virga_server.Server("--auth", "strict", "--account-id", ACCOUNT, env={"VIRGA_CONFIG": str(config)}) as running:
        yield running


def make(server, secret=ROOT["secret"], **config):
    return boto3.client("s3", endpoint_url=server.endpoint, region_name="us-east-1", aws_access_key_id=ROOT["id"],
                        aws_secret_access_key=secret, config=Config(retries={"max_attempts": 0}, **config))


@pytest.fixture
def bucket(server):
    return new_bucket(make(server))


def fetch(link, method="GET", data=None):
    try:
        with urllib.request.urlopen(urllib.request.Request(link, data=data, method=method), timeout=10) as got:
            return got.status, got.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@pytest.mark.parametrize("key", ["k", "a b+c/ü", "a//b", "a/../b", "~*'()!"])
@pytest.mark.parametrize("size", [0, 100, 3 * MIB])
def test_signed_requests(server, bucket, key, size):
    s3, data = make(server), os.urandom(size)
    s3.put_object(Bucket=bucket, Key=key, Body=data, Metadata={"a": "b  c"})
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == data
    with pytest.raises(ClientError) as caught:
        make(server, "wrong").put_object(Bucket=bucket, Key=key, Body=b"other")
    assert caught.value.response["Error"]["Code"] == "SignatureDoesNotMatch"
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == data


def test_a_body_that_is_not_what_was_signed_changes_nothing(server, bucket):
    url = f"{server.endpoint}/{bucket}/k"
    request = AWSRequest("PUT", url, data=b"signed")
    S3SigV4Auth(Credentials(ROOT["id"], ROOT["secret"]), "s3", "us-east-1").add_auth(request)
    sent = urllib.request.Request(url, data=b"forged", method="PUT", headers=dict(request.headers.items()))
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(sent, timeout=10)
    assert caught.value.code == 400 and b"XAmzContentSHA256Mismatch" in caught.value.read()
    with pytest.raises(ClientError):
        make(server).get_object(Bucket=bucket, Key="k")


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_links(server, bucket, version):
    make(server).put_object(Bucket=bucket, Key="a b/ü", Body=b"content")
    params = {"Bucket": bucket, "Key": "a b/ü", "ResponseContentType": "text/x"}
    assert fetch(make(server, signature_version=version).generate_presigned_url("get_object", Params=params)) == (200, b"content")
    status, body = fetch(make(server, "wrong", signature_version=version).generate_presigned_url("get_object", Params=params))
    assert status == 403 and b"<Code>SignatureDoesNotMatch</Code>" in body
    if version == "s3":  # the other's signers refuse to make such a link
        old = make(server, signature_version=version).generate_presigned_url("get_object", Params=params, ExpiresIn=-10)
        status, body = fetch(old)
        assert status == 403 and b"<Message>Request has expired</Message>" in body
    other = make(server, signature_version=version).generate_presigned_url("get_object", Params=params)
    assert fetch(other.replace("a%20b", "a%20c"))[0] == 403


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_forms(server, bucket, version):
    def upload(secret):
        post = make(server, secret, signature_version=version).generate_presigned_post(bucket, "k")
        boundary = uuid.uuid4().hex
        body = b"".join(f'--{boundary}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'.encode() for k, v in post["fields"].items())
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\ncontent\r\n--{boundary}--\r\n'.encode()
        request = urllib.request.Request(f"{server.endpoint}/{bucket}", data=body, method="POST",
                                         headers={"Content-Type": f"multipart/form-data; boundary={boundary}"})
        try:
            return urllib.request.urlopen(request, timeout=10).status
        except urllib.error.HTTPError as error:
            return error.code

    assert upload(ROOT["secret"]) == 204
    assert make(server).get_object(Bucket=bucket, Key="k")["Body"].read() == b"content"
    assert upload("wrong") == 403


def test_nobody_reads_without_a_signature(server, bucket):
    make(server).put_object(Bucket=bucket, Key="k", Body=b"x")
    status, body = fetch(f"{server.endpoint}/{bucket}/k")
    assert status == 403 and b"<Code>AccessDenied</Code>" in body


def error_of(answer):
    """(status, code, message)"""
    status, text = answer
    part = lambda name: re.search(rf"<{name}>([^<]*)", text.decode())[1]
    return status, part("Code"), part("Message")


def test_all_of_s3s_headers_are_signed(server, bucket):
    """Whoever is given a link must not add to what it does."""
    link = make(server, signature_version="s3v4").generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "k"})
    request = urllib.request.Request(link, b"x", {"x-amz-meta-mine": "1", "Content-Type": ""}, method="PUT")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=10)
    text = caught.value.read()
    assert error_of((caught.value.code, text)) == (
        403, "AccessDenied", "There were headers present in the request which were not signed")
    assert b"<HeadersNotSigned>x-amz-meta-mine</HeadersNotSigned>" in text
    assert fetch(link, "PUT", b"x")[0] == 200


@pytest.mark.parametrize("header, told", [
    ("", (403, "AccessDenied", "Access Denied")),
    ("Bearer abc", (400, "InvalidArgument", "Unsupported Authorization Type")),
    ("abc", (400, "InvalidArgument", "Authorization header is invalid -- one and only one ' ' (space) required"))])
def test_what_is_no_signature_says_so(server, bucket, header, told):
    request = urllib.request.Request(f"{server.endpoint}/{bucket}/k", headers={"Authorization": header})
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=10)
    assert error_of((caught.value.code, caught.value.read())) == told
