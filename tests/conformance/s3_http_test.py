"""S3's addresses, links and wire forms: raw HTTP beside boto3."""
import base64
import hashlib
import http.client
import os
import re
import socket
import subprocess
import threading
import urllib.parse
import urllib.request
import uuid

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

import virga_server

MIB = 1024 * 1024


def send(endpoint, method, path, body=None, headers=None, host=None, sign=True):
    """A signed request with the path exactly as given; (status, headers, body)."""
    where = urllib.parse.urlsplit(endpoint)
    headers = dict(headers or {})
    if sign:
        headers.setdefault("x-amz-content-sha256", "UNSIGNED-PAYLOAD")
        headers["Authorization"] = ("AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, "
                                    "SignedHeaders=host, Signature=" + "0" * 64)
        headers["X-Amz-Date"] = "20260101T000000Z"
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=20)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", host or where.netloc)
        for name, value in headers.items():
            connection.putheader(name, value)
        if body is not None and "Content-Length" not in headers and "Transfer-Encoding" not in headers:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        got = connection.getresponse()
        return got.status, {k.lower(): v for k, v in got.getheaders()}, got.read()
    finally:
        connection.close()


def test_errors_are_s3s_documents(endpoint, bucket):
    status, headers, body = send(endpoint, "GET", f"/{bucket}/no%20such")
    assert status == 404 and headers["content-type"] == "application/xml" and headers["server"] == "AmazonS3"
    text = body.decode()
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code>'
                           "<Message>The specified key does not exist.</Message><Key>no such</Key><RequestId>")
    assert text.endswith(f"<HostId>{headers['x-amz-id-2']}</HostId></Error>")
    status, headers, body = send(endpoint, "HEAD", f"/{bucket}/none")
    assert status == 404 and body == b""
    assert b"<Code>MethodNotAllowed</Code>" in send(endpoint, "PATCH", f"/{bucket}")[2]


@pytest.mark.parametrize("host", ["{}.s3.localhost", "{}.s3.us-east-1.amazonaws.com", "{}.localhost",
                                  "{}.s3-us-west-2.amazonaws.com", "{}.s3.localhost.localstack.cloud"])
def test_the_bucket_may_be_in_the_host(endpoint, bucket, host):
    host = host.format(bucket)
    assert send(endpoint, "PUT", "/a/b", b"x", host=host)[0] == 200
    assert send(endpoint, "GET", "/a/b", host=host)[2] == b"x"
    assert send(endpoint, "GET", f"/{bucket}/a/b")[2] == b"x"
    assert send(endpoint, "GET", f"/{bucket}/a/b", host="s3.us-east-1.amazonaws.com")[2] == b"x"


def test_what_clients_may_get_wrong(endpoint, bucket):
    def code(*args, **kwargs):
        status, _, body = send(endpoint, *args, **kwargs)
        return status, re.search(rb"<Code>(.*?)</Code>", body).group(1).decode()

    assert code("PUT", f"/{bucket}/k") == (411, "MissingContentLength")
    assert code("GET", f"/{bucket}/a%zz") == (400, "InvalidURI")
    assert code("PUT", f"/{bucket}/k", b"1\r\nx\r\n0\r\n\r\n", {"Transfer-Encoding": "chunked"}) == (501, "NotImplemented")
    assert code("PUT", f"/{bucket}/k", b"x", {"x-amz-content-sha256": "0" * 64}) == (400, "XAmzContentSHA256Mismatch")
    assert code("PUT", f"/{bucket}/k", b"x", {"x-amz-content-sha256": "junk"}) == (400, "InvalidArgument")
    assert code("PUT", f"/{bucket}/k", b"", {"x-amz-checksum-crc32": "junk"}) == (400, "InvalidRequest")
    two = {"x-amz-checksum-crc32": "AAAAAA==", "x-amz-checksum-sha1": "AAAA"}
    assert code("PUT", f"/{bucket}/k", b"", two) == (400, "InvalidRequest")
    assert code("POST", f"/{bucket}?delete", b"<Delete/>") == (400, "InvalidRequest")
    digest = base64.b64encode(hashlib.md5(b"<oops").digest()).decode()
    assert code("POST", f"/{bucket}?delete", b"<oops", {"Content-MD5": digest}) == (400, "MalformedXML")
    assert code("POST", f"/{bucket}?delete", b"<other", {"Content-MD5": digest}) == (400, "BadDigest")
    assert code("GET", f"/{bucket}/k") == (404, "NoSuchKey")


def chunked(chunks, trailer=""):
    return b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in chunks) + b"0\r\n" + trailer.encode() + b"\r\n"


def test_chunked_bodies_are_checked_to_their_last_byte(endpoint, bucket):
    streaming = {"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "Content-Encoding": "aws-chunked",
                 "x-amz-trailer": "x-amz-checksum-crc32", "x-amz-decoded-content-length": "9"}
    right = "x-amz-checksum-crc32:y/Q5Jg==\r\n"
    status, headers, _ = send(endpoint, "PUT", f"/{bucket}/k", chunked([b"1234", b"56789"], right), streaming)
    assert status == 200 and headers["x-amz-checksum-crc32"] == "y/Q5Jg=="
    status, headers, body = send(endpoint, "GET", f"/{bucket}/k")
    assert body == b"123456789" and "content-encoding" not in headers
    for body, code in ((chunked([b"123456780"], right), b"BadDigest"),
                       (chunked([b"123456789"], "x-amz-checksum-crc32:AAA=\r\n"), b"InvalidRequest"),
                       (chunked([b"123456789"]), b"MalformedTrailerError"),
                       (chunked([b"12345678"], right), b"IncompleteBody")):
        status, _, answer = send(endpoint, "PUT", f"/{bucket}/torn", body, streaming)
        assert status == 400 and b"<Code>" + code + b"</Code>" in answer
    assert send(endpoint, "GET", f"/{bucket}/torn")[0] == 404


def test_continue_is_said_to_those_who_may_send(endpoint, bucket):
    where = urllib.parse.urlsplit(endpoint)

    def ask(path):
        with socket.create_connection((where.hostname, where.port), timeout=20) as s:
            s.sendall((f"PUT {path} HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Length: 5\r\nExpect: 100-continue\r\n"
                       "x-amz-content-sha256: UNSIGNED-PAYLOAD\r\nX-Amz-Date: 20260101T000000Z\r\n"
                       "Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, "
                       "SignedHeaders=host, Signature=" + "0" * 64 + "\r\n\r\n").encode())
            first = s.recv(1000)
            if first.startswith(b"HTTP/1.1 100"):
                s.sendall(b"hello")
                return first, s.recv(4000)
            return first, b""

    first, then = ask(f"/{bucket}/k")
    assert first == b"HTTP/1.1 100 Continue\r\n\r\n" and then.startswith(b"HTTP/1.1 200")
    assert ask(f"/{bucket}-none/k")[0].startswith(b"HTTP/1.1 404")


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_presigned_links(endpoint, bucket, version):
    s3 = boto3.client("s3", endpoint_url=endpoint, config=Config(signature_version=version))
    link = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "a b"}, ExpiresIn=60)
    put = urllib.request.Request(link, data=b"by link", method="PUT")
    assert urllib.request.urlopen(put, timeout=10).status == 200
    params = {"Bucket": bucket, "Key": "a b", "ResponseContentType": "text/x-own", "ResponseContentDisposition": 'attachment; filename="f"'}
    link = s3.generate_presigned_url("get_object", Params=params)
    with urllib.request.urlopen(link, timeout=10) as got:
        assert got.read() == b"by link" and got.headers["Content-Type"] == "text/x-own"
        assert got.headers["Content-Disposition"] == 'attachment; filename="f"'


def test_metadata_of_one_name_is_one_list(s3, endpoint, bucket):
    assert send(endpoint, "PUT", f"/{bucket}/k", b"", {"x-amz-meta-m": "a", "X-Amz-Meta-M": "b"})[0] == 200
    assert s3.head_object(Bucket=bucket, Key="k")["Metadata"] == {"m": "a,b"}


def test_conditional_writes(s3, endpoint, bucket):
    status, headers, _ = send(endpoint, "PUT", f"/{bucket}/k", b"1", {"If-None-Match": "*"})
    assert status == 200
    status, _, body = send(endpoint, "PUT", f"/{bucket}/k", b"2", {"If-None-Match": "*"})
    assert status == 412 and b"<Condition>If-None-Match</Condition>" in body
    assert send(endpoint, "PUT", f"/{bucket}/k", b"2", {"If-Match": headers["etag"]})[0] == 200
    assert send(endpoint, "PUT", f"/{bucket}/k", b"3", {"If-Match": headers["etag"]})[0] == 412
    assert send(endpoint, "PUT", f"/{bucket}/none", b"3", {"If-Match": headers["etag"]})[0] == 404
    assert send(endpoint, "PUT", f"/{bucket}/k", b"3", {"If-None-Match": headers["etag"]})[0] == 501
    assert send(endpoint, "GET", f"/{bucket}/k")[2] == b"2"


def test_of_many_who_would_be_first_one_is(endpoint, bucket):
    answers = []

    def one(n):
        answers.append(send(endpoint, "PUT", f"/{bucket}/first", b"%d" % n, {"If-None-Match": "*"})[0])

    threads = [threading.Thread(target=one, args=(n,)) for n in range(8)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert sorted(answers) == [200] + [412] * 7


def test_other_accounts_expectations(s3, bucket):
    with pytest.raises(ClientError) as caught:
        s3.put_object(Bucket=bucket, Key="k", Body=b"", ExpectedBucketOwner="999999999999")
    assert caught.value.response["Error"]["Code"] == "AccessDenied"


def test_composite_and_whole_checksums_of_parts(endpoint, s3, bucket):
    first, last = os.urandom(5 * MIB), b"end"
    for headers, wanted in (({"x-amz-checksum-algorithm": "SHA256"}, "COMPOSITE"),
                            ({"x-amz-checksum-algorithm": "CRC32", "x-amz-checksum-type": "FULL_OBJECT"}, "FULL_OBJECT")):
        algorithm = headers["x-amz-checksum-algorithm"]
        name = "x-amz-checksum-" + algorithm.lower()

        def digest(data):
            if algorithm == "SHA256":
                return hashlib.sha256(data).digest()
            import zlib
            return zlib.crc32(data).to_bytes(4, "big")

        body = send(endpoint, "POST", f"/{bucket}/k?uploads", b"", headers)[2].decode()
        upload = urllib.parse.quote(re.search("<UploadId>(.*?)</UploadId>", body).group(1))
        listed = ""
        for number, data in ((1, first), (2, last)):
            value = base64.b64encode(digest(data)).decode()
            status, got, _ = send(endpoint, "PUT", f"/{bucket}/k?partNumber={number}&uploadId={upload}", data, {name: value})
            assert status == 200 and got[name] == value
            listed += f"<Part><PartNumber>{number}</PartNumber><ETag>{got['etag']}</ETag><Checksum{algorithm}>{value}</Checksum{algorithm}></Part>"
        done = send(endpoint, "POST", f"/{bucket}/k?uploadId={upload}",
                    f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode())
        assert done[0] == 200, done
        if wanted == "COMPOSITE":
            expected = base64.b64encode(digest(digest(first) + digest(last))).decode() + "-2"
        else:
            expected = base64.b64encode(digest(first + last)).decode()
        _, got, _ = send(endpoint, "HEAD", f"/{bucket}/k", headers={"x-amz-checksum-mode": "ENABLED"})
        assert got[name] == expected and got["x-amz-checksum-type"] == wanted


def test_objects_have_a_checksum_even_if_nobody_asked(endpoint, bucket):
    status, headers, _ = send(endpoint, "PUT", f"/{bucket}/k", b"123456789")
    assert headers["x-amz-checksum-crc64nvme"] == base64.b64encode(bytes.fromhex("ae8b14860a799888")).decode()
    _, headers, _ = send(endpoint, "HEAD", f"/{bucket}/k", headers={"x-amz-checksum-mode": "ENABLED"})
    assert headers["x-amz-checksum-type"] == "FULL_OBJECT" and "x-amz-checksum-crc64nvme" in headers


def test_an_aborted_upload_leaves_nothing(endpoint, bucket):
    where = urllib.parse.urlsplit(endpoint)
    with socket.create_connection((where.hostname, where.port), timeout=20) as s:
        s.sendall((f"PUT /{bucket}/torn HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Length: {8 * MIB}\r\n"
                   "x-amz-content-sha256: UNSIGNED-PAYLOAD\r\nX-Amz-Date: 20260101T000000Z\r\n"
                   "Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, "
                   "SignedHeaders=host, Signature=" + "0" * 64 + "\r\n\r\n").encode())
        s.sendall(b"x" * (3 * MIB))
    assert send(endpoint, "GET", f"/{bucket}/torn")[0] == 404


def test_the_command_line(endpoint, bucket, tmp_path):
    def aws(*args):
        env = {**os.environ, "AWS_ENDPOINT_URL": endpoint}
        return subprocess.run(["aws", "--endpoint-url", endpoint, "s3", *args], env=env, capture_output=True, text=True, timeout=100, check=True).stdout

    (tmp_path / "d" / "sub").mkdir(parents=True)
    (tmp_path / "d" / "large").write_bytes(os.urandom(9 * MIB))
    (tmp_path / "d" / "sub" / "ü small").write_text("hello")
    aws("cp", "--recursive", str(tmp_path / "d"), f"s3://{bucket}/p/")
    aws("cp", f"s3://{bucket}/p/large", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == (tmp_path / "d" / "large").read_bytes()
    assert aws("cp", f"s3://{bucket}/p/sub/ü small", "-") == "hello"
    link = aws("presign", f"s3://{bucket}/p/sub/ü small").strip()
    assert urllib.request.urlopen(link, timeout=10).read() == b"hello"
    aws("rm", f"s3://{bucket}/p/large")
    assert send(endpoint, "GET", f"/{bucket}/p/large")[0] == 404


def test_a_killed_server_keeps_what_it_acknowledged(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    acknowledged, stop = {}, threading.Event()
    with virga_server.Server(data=data) as server:
        def client():
            return boto3.client("s3", endpoint_url=server.endpoint, config=Config(retries={"max_attempts": 0}, read_timeout=10))

        client().create_bucket(Bucket="kept-bucket")

        def writer(n):
            s3 = client()
            for i in range(10_000):
                if stop.is_set():
                    return
                key, body = f"{n}/{i}", os.urandom((100, 5000, 90_000, 2 * MIB)[i % 4])
                try:
                    s3.put_object(Bucket="kept-bucket", Key=key, Body=body)
                    acknowledged[key] = hashlib.md5(body).hexdigest()
                except Exception:  # the server is gone
                    return

        threads = [threading.Thread(target=writer, args=(n,)) for n in range(4)]
        [t.start() for t in threads]
        while len(acknowledged) < 60 and any(t.is_alive() for t in threads):
            threads[0].join(0.01)
        server.kill()
        stop.set()
        [t.join() for t in threads]
        assert len(acknowledged) >= 60
        server.start()
        s3 = client()
        for key, digest in acknowledged.items():
            got = s3.get_object(Bucket="kept-bucket", Key=key)
            assert hashlib.md5(got["Body"].read()).hexdigest() == digest == got["ETag"].strip('"')
        # What was under way is there as a whole or not at all.
        for n in range(4):
            for i in range(len(acknowledged)):
                key = f"{n}/{i}"
                if key in acknowledged:
                    continue
                try:
                    got = s3.get_object(Bucket="kept-bucket", Key=key)
                    assert hashlib.md5(got["Body"].read()).hexdigest() == got["ETag"].strip('"')
                except ClientError as error:
                    assert error.response["Error"]["Code"] == "NoSuchKey"


def test_a_large_object_needs_little_memory(tmp_path):
    size = 512 * MIB
    (tmp_path / "data").mkdir()
    with virga_server.Server(data=tmp_path / "data") as server:
        def resident():
            pids = [server.process.pid, *virga_server.descendants(server.process.pid)]
            total = 0
            for pid in pids:
                with open(f"/proc/{pid}/status") as f:
                    total += sum(int(line.split()[1]) for line in f if line.startswith("VmHWM"))
            return total // 1024

        assert send(server.endpoint, "PUT", "/large-bucket", b"")[0] == 200
        before = resident()

        class Zeros:
            left = size

            def read(self, count=MIB):
                count = min(count, self.left)
                self.left -= count
                return bytes(count)

        status, headers, _ = send(server.endpoint, "PUT", "/large-bucket/k", Zeros(), {"Content-Length": str(size)})
        assert status == 200 and headers["etag"].strip('"') == hashlib.md5(bytes(size)).hexdigest()
        got = boto3.client("s3", endpoint_url=server.endpoint).get_object(Bucket="large-bucket", Key="k")
        assert sum(len(piece) for piece in got["Body"].iter_chunks(MIB)) == size
        assert resident() - before < 64


def form(fields, content, name="file.txt"):
    """(content type, body) of a browser's upload."""
    boundary = uuid.uuid4().hex
    out = b""
    for key, value in fields.items():
        out += f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
    out += (f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            "Content-Type: text/plain\r\n\r\n").encode() + content + f"\r\n--{boundary}--\r\n".encode()
    return f"multipart/form-data; boundary={boundary}", out


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_browsers_upload_with_a_policy(endpoint, bucket, version):
    s3 = boto3.client("s3", endpoint_url=endpoint, config=Config(signature_version=version))
    post = s3.generate_presigned_post(bucket, "up/${filename}", Fields={"Cache-Control": "no-cache", "x-amz-meta-m": "1é"}, Conditions=[
        {"Cache-Control": "no-cache"}, {"x-amz-meta-m": "1é"}, ["content-length-range", 2, 300_000]])
    assert post["url"].rstrip("/").endswith(bucket) or bucket in post["url"]

    def send_form(content, **changes):
        kind, body = form({**post["fields"], **changes}, content)
        return send(endpoint, "POST", f"/{bucket}", body, {"Content-Type": kind}, sign=False)

    data = os.urandom(200_000)
    status, headers, body = send_form(data)
    assert (status, body) == (204, b"") and headers["etag"] == f'"{hashlib.md5(data).hexdigest()}"'
    assert headers["location"].endswith(f"/{bucket}/up/file.txt")
    got = s3.get_object(Bucket=bucket, Key="up/file.txt")
    assert got["Body"].read() == data and got["Metadata"] == {"m": "=?UTF-8?B?McOp?="} and got["ContentType"] == "text/plain" and got["CacheControl"] == "no-cache"
    assert b"<Code>EntityTooLarge</Code>" in send_form(b"x" * 300_001)[2]
    assert b"<Code>EntityTooSmall</Code>" in send_form(b"x")[2]
    status, _, body = send_form(data, **{"Cache-Control": "max-age=1"})
    assert status == 403 and b"Invalid according to Policy: Policy Condition failed" in body
    status, _, body = send_form(data, **{"x-amz-meta-extra": "1"})
    assert status == 403 and b"Extra input fields: x-amz-meta-extra" in body
    status, _, body = send_form(data, key="elsewhere")
    assert status == 403
    for name in [n for n in post["fields"] if n.lower() in ("awsaccesskeyid", "policy", "signature", "x-amz-signature")]:
        kind, body = form({k: v for k, v in post["fields"].items() if k != name}, data)
        status, _, body = send(endpoint, "POST", f"/{bucket}", body, {"Content-Type": kind}, sign=False)
        assert status == 400 and f"must contain a field named '{name}'".encode().lower() in body.lower()
    del post["fields"]["key"]
    assert b"<ArgumentName>key</ArgumentName>" in send_form(data)[2]
    assert b"MalformedPOSTRequest" in send(endpoint, "POST", f"/{bucket}", b"junk", {
        "Content-Type": "multipart/form-data; boundary=x"}, sign=False)[2]
