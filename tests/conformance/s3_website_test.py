"""Buckets as websites, by raw HTTP to {bucket}.s3-website….

Sources: S3 User Guide, "Hosting a static website using Amazon S3" and the pages below it."""
import http.client
import json
import re
import urllib.parse

import pytest

from s3_support import new_bucket

PUBLIC = {"BlockPublicAcls": False, "IgnorePublicAcls": False, "BlockPublicPolicy": False, "RestrictPublicBuckets": False}
SITE = {"IndexDocument": {"Suffix": "index.html"}, "ErrorDocument": {"Key": "error.html"}}


def visit(endpoint, bucket, path="/", method="GET", host="s3-website.localhost", headers=None):
    """(status, headers, body) of a visit to a bucket's website."""
    where = urllib.parse.urlsplit(endpoint)
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=20)
    try:
        connection.request(method, path, headers={"Host": f"{bucket}.{host}:{where.port}", **(headers or {})})
        got = connection.getresponse()
        return got.status, {k.lower(): v for k, v in got.getheaders()}, got.read().decode()
    finally:
        connection.close()


def publish(s3, bucket, actions=("s3:GetObject", "s3:ListBucket")):
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=PUBLIC)
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": list(actions),
         "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]}]}))


@pytest.fixture
def site(s3):
    bucket = new_bucket(s3)
    publish(s3, bucket)
    s3.put_bucket_website(Bucket=bucket, WebsiteConfiguration=SITE)
    for key, text in (("index.html", "home"), ("docs/index.html", "docs"), ("error.html", "oops"), ("a b.txt", "ab")):
        s3.put_object(Bucket=bucket, Key=key, Body=text.encode(), ContentType="text/html" if key.endswith("html") else "text/plain")
    yield bucket
    for one in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
        s3.delete_object(Bucket=bucket, Key=one["Key"])
    s3.delete_bucket(Bucket=bucket)


@pytest.mark.parametrize("host", ["s3-website.localhost", "s3-website-us-east-1.amazonaws.com", "s3-website.eu-central-1.amazonaws.com",
                                  "s3-website.us-east-1.localhost.localstack.cloud"])
def test_index_documents(endpoint, site, host):
    status, headers, body = visit(endpoint, site, host=host)
    assert (status, body, headers["content-type"], headers["server"]) == (200, "home", "text/html", "AmazonS3")
    assert visit(endpoint, site, "/docs/", host=host)[2] == "docs"
    assert visit(endpoint, site, "/a%20b.txt?v=1", host=host)[2] == "ab"


def test_folders_get_their_slash(endpoint, s3, site):
    status, headers, body = visit(endpoint, site, "/docs")
    assert (status, headers["location"], body) == (302, "/docs/", "")
    assert visit(endpoint, site, "/docs?q=1")[1]["location"] == "/docs/?q=1"
    publish(s3, site, ["s3:GetObject"])  # who may not list is told 403 for what is not there
    assert visit(endpoint, site, "/docs")[0] == 302 and visit(endpoint, site, "/nothing")[0] == 403


def test_reads_are_conditional_and_partial(endpoint, site):
    _, headers, _ = visit(endpoint, site)
    assert visit(endpoint, site, headers={"If-None-Match": headers["etag"]})[::2] == (304, "")
    assert visit(endpoint, site, headers={"If-Modified-Since": headers["last-modified"]})[0] == 304
    assert visit(endpoint, site, headers={"Range": "bytes=1-2"})[::2] == (206, "om")
    status, headers, body = visit(endpoint, site, method="HEAD")
    assert (status, headers["content-length"], body) == (200, "4", "")


def test_errors_show_the_error_document(endpoint, s3, site):
    status, headers, body = visit(endpoint, site, "/nothing/here")
    assert (status, body, headers["content-type"]) == (404, "oops", "text/html")
    assert headers["x-amz-error-code"] == "NoSuchKey" and headers["x-amz-error-detail-key"] == "nothing/here"
    s3.delete_object(Bucket=site, Key="error.html")
    status, headers, body = visit(endpoint, site, "/<x>")
    assert status == 404 and headers["content-type"] == "text/html; charset=utf-8"
    assert "<title>404 Not Found</title>" in body and "<li>Code: NoSuchKey</li>" in body and "<li>Key: &lt;x&gt;</li>" in body
    assert "An Error Occurred While Attempting to Retrieve a Custom Error Document" in body and "<li>Key: error.html</li>" in body


def test_only_reads(endpoint, site):
    for method in ("PUT", "POST", "DELETE"):
        status, _, body = visit(endpoint, site, "/index.html", method)
        assert status == 405 and "<li>Code: MethodNotAllowed</li>" in body and f"<li>Method: {method}</li>" in body


def test_there_has_to_be_a_website(endpoint, s3, bucket):
    status, headers, body = visit(endpoint, bucket)
    assert status == 404 and "<li>Code: NoSuchWebsiteConfiguration</li>" in body and f"<li>BucketName: {bucket}</li>" in body
    assert headers["x-amz-error-code"] == "NoSuchWebsiteConfiguration"
    assert "<li>Code: NoSuchBucket</li>" in visit(endpoint, bucket + "-no")[2]
    s3.put_bucket_website(Bucket=bucket, WebsiteConfiguration=SITE)
    assert visit(endpoint, bucket)[0] == 403  # visitors are anonymous: nothing is public by itself


def test_redirects(endpoint, s3, site):
    s3.put_object(Bucket=site, Key="moved", Body=b"", WebsiteRedirectLocation="/docs/")
    assert visit(endpoint, site, "/moved")[0] == 301 and visit(endpoint, site, "/moved")[1]["location"] == "/docs/"
    s3.put_bucket_website(Bucket=site, WebsiteConfiguration={**SITE, "RoutingRules": [
        {"Condition": {"KeyPrefixEquals": "old/"}, "Redirect": {"ReplaceKeyPrefixWith": "docs/"}},
        {"Condition": {"HttpErrorCodeReturnedEquals": "404"},
         "Redirect": {"HostName": "example.com", "Protocol": "https", "HttpRedirectCode": "302", "ReplaceKeyPrefixWith": "x/"}}]})
    port = urllib.parse.urlsplit(endpoint).port
    status, headers, _ = visit(endpoint, site, "/old/a%20b?q=1")
    assert (status, headers["location"]) == (301, f"http://{site}.s3-website.localhost:{port}/docs/a%20b?q=1")
    status, headers, _ = visit(endpoint, site, "/none")
    assert (status, headers["location"]) == (302, "https://example.com/x/none")
    s3.put_bucket_website(Bucket=site, WebsiteConfiguration={"RedirectAllRequestsTo": {"HostName": "example.org"}})
    status, headers, _ = visit(endpoint, site, "/docs/?a=b")
    assert (status, headers["location"]) == (301, "http://example.org/docs/?a=b")


def test_visitors_of_other_origins(endpoint, s3, site):
    s3.put_bucket_cors(Bucket=site, CORSConfiguration={"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["https://a.example"]}]})
    _, headers, body = visit(endpoint, site, headers={"Origin": "https://a.example"})
    assert body == "home" and headers["access-control-allow-origin"] == "https://a.example"
    assert "access-control-allow-origin" not in visit(endpoint, site, headers={"Origin": "https://b.example"})[1]
    asked = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
    status, headers, _ = visit(endpoint, site, method="OPTIONS", headers=asked)
    assert status == 200 and headers["access-control-allow-methods"] == "GET"
    assert visit(endpoint, site, method="OPTIONS", headers={**asked, "Access-Control-Request-Method": "PUT"})[0] == 403


def test_policies_see_who_visits(endpoint, s3, site):
    policy = json.loads(s3.get_bucket_policy(Bucket=site)["Policy"])
    policy["Statement"][0]["Condition"] = {"StringLike": {"aws:Referer": "http://friend.example/*"}, "IpAddress": {"aws:SourceIp": "127.0.0.1"}}
    s3.put_bucket_policy(Bucket=site, Policy=json.dumps(policy))
    assert visit(endpoint, site, headers={"Referer": "http://friend.example/page"})[0] == 200
    status, _, body = visit(endpoint, site)
    assert status == 403 and re.search("<h1>403 Forbidden</h1>", body)
