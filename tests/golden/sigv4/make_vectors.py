#!/usr/bin/env python3
"""Makes vectors.json: requests signed by botocore, with the canonical request and string to sign it computed.

The cases follow the names of AWS's published SigV4 test suite where there is one of that kind, and add what S3, presigned
links and session tokens need. Run with an interpreter that has botocore >= 1.40; the file is committed, no build runs this.
"""
import datetime
import hashlib
import json
import os
import urllib.parse

import botocore.auth as auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

NOW = datetime.datetime(2015, 8, 30, 12, 36, 0, tzinfo=datetime.timezone.utc)
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
for module in (auth,):
    module.get_current_datetime = lambda remove_tzinfo=True: NOW.replace(tzinfo=None) if remove_tzinfo else NOW

HOST = "example.amazonaws.com"
CASES = []


def case(name, method="GET", url="/", headers=None, body="", service="service", region="us-east-1", kind="header",
         token=None, payload=None):
    CASES.append(dict(name=name, method=method, url=url, headers=headers or [], body=body, service=service, region=region,
                      kind=kind, token=token, payload=payload))


case("get-vanilla")
case("post-vanilla", "POST")
case("get-vanilla-query", url="/?Param1=value1")
case("get-vanilla-query-order-key", url="/?Param2=value2&Param1=value1")
case("get-vanilla-query-order-value", url="/?Param1=value2&Param1=Value1")
case("get-vanilla-empty-query-key", url="/?Param1=")
case("get-vanilla-query-unreserved", url="/?-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz="
     "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
case("get-vanilla-utf8-query", url="/?%E1%88%B4=bar")
case("get-unreserved", url="/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
case("get-utf8", url="/%E1%88%B4")
case("get-space-normalized", url="/example%20space/")
case("get-slash-normalized", url="//")
case("get-slashes-normalized", url="//example//")
case("get-slash-dot-slash-normalized", url="/./")
case("get-slash-pointless-dot-normalized", url="/./example")
case("get-relative-normalized", url="/example/..")
case("get-relative-relative-normalized", url="/example1/example2/../..")
case("get-header-value-trim", headers=[("My-Header1", " value1"), ("My-Header2", ' "a   b   c"')])
case("get-header-value-order", headers=[("My-Header1", "value4,value1,value3,value2")])
case("post-header-key-case", "POST", headers=[("My-Header1", "VALUE1")])
case("post-x-www-form-urlencoded", "POST", headers=[("Content-Type", "application/x-www-form-urlencoded")],
     body="Param1=value1")
case("post-x-www-form-urlencoded-parameters", "POST",
     headers=[("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")], body="Param1=value1")
case("post-sts-token", "POST", token="AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQW==")
case("dynamodb-get-item", "POST", headers=[("Content-Type", "application/x-amz-json-1.0"),
                                           ("X-Amz-Target", "DynamoDB_20120810.GetItem")],
     body='{"TableName":"t","Key":{"id":{"S":"1"}}}', service="dynamodb", region="eu-central-1")
case("sts-get-caller-identity", "POST", headers=[("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")],
     body="Action=GetCallerIdentity&Version=2011-06-15", service="sts")
case("lambda-invoke-arn-in-path", "POST",
     url="/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Af/invocations?Qualifier=%24LATEST",
     body="{}", service="lambda")
case("execute-api-encoded-slash", url="/stage/a%2Fb/c%25d?x=a%2Bb%20c", service="execute-api")
case("s3-get-object", url="/bucket/photos/Jan/sample.jpg", service="s3", kind="s3")
case("s3-key-with-odd-characters", url="/bucket/a%20b%2Bc%3Dd%26e%27f/%C3%BC//./..%25", service="s3", kind="s3")
case("s3-list-prefix", url="/bucket?list-type=2&prefix=a%2Fb&delimiter=%2F&max-keys=1", service="s3", kind="s3")
case("s3-subresource", url="/bucket/key?uploads", method="POST", service="s3", kind="s3")
case("s3-put-hashed", "PUT", url="/bucket/key", headers=[("Content-Type", "text/plain"), ("x-amz-meta-a", "b  c")],
     body="Welcome to Amazon S3.", service="s3", kind="s3")
case("s3-put-unsigned", "PUT", url="/bucket/key", body="anything", service="s3", kind="s3", payload="UNSIGNED-PAYLOAD")
case("s3-put-unsigned-trailer", "PUT", url="/bucket/key", service="s3", kind="s3",
     headers=[("x-amz-trailer", "x-amz-checksum-crc32"), ("x-amz-decoded-content-length", "3"), ("Content-Encoding", "aws-chunked")],
     payload="STREAMING-UNSIGNED-PAYLOAD-TRAILER")
case("s3-presigned-get", url="/bucket/a%20b?versionId=1", service="s3", kind="s3-query")
case("s3-presigned-get-token", url="/bucket/key", service="s3", kind="s3-query", token="tok/en+=")
case("s3-presigned-put", "PUT", url="/bucket/key", service="s3", kind="s3-query")
case("sts-presigned", url="/?Action=GetCallerIdentity&Version=2011-06-15", headers=[("x-k8s-aws-id", "cluster")],
     service="sts", kind="query")


def main():
    out = []
    for c in CASES:
        host = HOST
        headers = {}
        for name, value in c["headers"]:
            headers[name] = value
        request = AWSRequest(method=c["method"], url="https://" + host + c["url"], headers=headers, data=c["body"])
        credentials = Credentials("AKIDEXAMPLE", SECRET, c["token"])
        args = (credentials, c["service"], c["region"])
        signer = {
            "header": lambda: auth.SigV4Auth(*args),
            "query": lambda: auth.SigV4QueryAuth(*args, expires=60),
            "s3": lambda: auth.S3SigV4Auth(*args),
            "s3-query": lambda: auth.S3SigV4QueryAuth(*args, expires=900),
        }[c["kind"]]()
        if c["payload"]:
            signer.payload = lambda request, p=c["payload"]: p
        captured = {}
        original_canonical, original_string = signer.canonical_request, signer.string_to_sign

        def canonical(request, f=original_canonical):
            captured["canonical_request"] = f(request)
            return captured["canonical_request"]

        def string(request, cr, f=original_string):
            captured["string_to_sign"] = f(request, cr)
            return captured["string_to_sign"]

        signer.canonical_request, signer.string_to_sign = canonical, string
        signer.add_auth(request)
        parts = urllib.parse.urlsplit(request.url)
        target = request.url.split(host, 1)[1] or "/"
        head = "%s %s HTTP/1.1\r\nHost: %s\r\n" % (c["method"], target, host)
        for name, value in request.headers.items():
            if isinstance(value, bytes):
                value = value.decode()
            head += "%s: %s\r\n" % (name, value)
        payload = captured["canonical_request"].rsplit("\n", 1)[1]
        out.append({"name": c["name"], "service": c["service"], "region": c["region"], "head": head + "\r\n",
                    "body_sha256": hashlib.sha256(c["body"].encode()).hexdigest(), "payload_hash": payload,
                    "canonical_request": captured["canonical_request"], "string_to_sign": captured["string_to_sign"]})
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "vectors.json")
    with open(path, "w") as f:
        json.dump({"secret": SECRET, "time": "20150830T123600Z", "vectors": out}, f, indent=1)
        f.write("\n")
    print(len(out), "vectors")


main()
