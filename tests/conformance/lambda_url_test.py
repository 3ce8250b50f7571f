"""Function URLs: their configuration by boto3, their data plane by bare HTTP."""
import base64
import http.client
import json
import urllib.parse

import pytest

from lambda_support import aws, function, refused  # noqa: F401 (fixtures)

ECHO = "def handler(event, context):\n    return event\n"


def fetch(url, method="GET", body=None, headers=None, host=None):
    """Status, headers (as they came) and body."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    try:
        target = parts.path + ("?" + parts.query if parts.query else "")
        connection.request(method, target, body, {**(headers or {}), **({"Host": host} if host else {})})
        got = connection.getresponse()
        return got.status, got.headers, got.read()
    finally:
        connection.close()


def make_url(aws, name, **more):
    return aws.create_function_url_config(FunctionName=name, AuthType="NONE", **more)


def test_configuration_is_kept_changed_listed_and_deleted(aws, function):
    name = function()
    made = make_url(aws, name, Cors={"AllowOrigins": ["*"], "MaxAge": 5})
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    assert (made["FunctionArn"], made["AuthType"]) == (arn, "NONE")
    assert made.get("InvokeMode", "BUFFERED") == "BUFFERED"  # old boto3 does not know it
    assert made["Cors"] == {"AllowOrigins": ["*"], "MaxAge": 5}
    assert "exists for this Lambda function" in refused(lambda: make_url(aws, name), "ResourceConflictException")
    got = aws.get_function_url_config(FunctionName=name)
    assert got["FunctionUrl"] == made["FunctionUrl"] and got["LastModifiedTime"] == made["CreationTime"]
    changed = aws.update_function_url_config(FunctionName=name, Cors={"AllowOrigins": ["https://a.example"]})
    assert changed["Cors"] == {"AllowOrigins": ["https://a.example"]} and changed["FunctionUrl"] == made["FunctionUrl"]
    listed = aws.list_function_url_configs(FunctionName=name)["FunctionUrlConfigs"]
    assert [one["FunctionUrl"] for one in listed] == [made["FunctionUrl"]]
    aws.delete_function_url_config(FunctionName=name)
    refused(lambda: aws.get_function_url_config(FunctionName=name), "ResourceNotFoundException")
    refused(lambda: aws.delete_function_url_config(FunctionName=name), "ResourceNotFoundException")
    assert fetch(made["FunctionUrl"])[0] == 404


def test_an_unknown_function_has_no_url(aws):
    refused(lambda: make_url(aws, "no-such-function"), "ResourceNotFoundException")


def test_the_function_sees_the_request(aws, function):
    url = make_url(aws, function(ECHO))["FunctionUrl"]
    status, headers, body = fetch(url + "a%20b/c?x=1&x=2&y=%C3%BC", "POST", "{\"k\": 1}",
                                  {"Content-Type": "application/json", "Cookie": "one=1; two=2", "X-Own": "v"})
    event = json.loads(body)
    assert status == 200 and headers["Content-Type"] == "application/json"
    assert event["version"] == "2.0" and event["routeKey"] == "$default"
    assert event["rawPath"] == "/a b/c" and event["rawQueryString"] == "x=1&x=2&y=%C3%BC"
    assert event["queryStringParameters"] == {"x": "1,2", "y": "ü"}
    assert event["cookies"] == ["one=1", "two=2"] and event["headers"]["x-own"] == "v"
    assert event["body"] == "{\"k\": 1}" and event["isBase64Encoded"] is False
    context = event["requestContext"]
    assert context["http"]["method"] == "POST" and context["http"]["path"] == "/a b/c"
    assert context["accountId"] == "anonymous" and context["stage"] == "$default"
    assert context["requestId"] == headers["x-amzn-RequestId"]


def test_binary_bodies_travel_as_base64(aws, function):
    url = make_url(aws, function(ECHO))["FunctionUrl"]
    event = json.loads(fetch(url, "PUT", b"\x00\xff", {"Content-Type": "application/octet-stream"})[2])
    assert event["isBase64Encoded"] is True and base64.b64decode(event["body"]) == b"\x00\xff"
    answers = make_url(aws, function(
        "import base64\ndef handler(event, context):\n    return {'statusCode': 201, 'headers': {'Content-Type': 'image/x'},"
        " 'cookies': ['a=1', 'b=2'], 'isBase64Encoded': True, 'body': base64.b64encode(bytes([0, 255])).decode()}\n"))
    status, headers, body = fetch(answers["FunctionUrl"])
    assert (status, body, headers["Content-Type"]) == (201, b"\x00\xff", "image/x")
    assert headers.get_all("Set-Cookie") == ["a=1", "b=2"]


def test_a_failing_function_is_a_bad_gateway(aws, function):
    url = make_url(aws, function("def handler(event, context):\n    raise ValueError('no')\n"))["FunctionUrl"]
    status, _, body = fetch(url)
    assert status == 502 and b"Internal Server Error" in body


def test_the_host_form_and_aliases(aws, function, endpoint):
    name = function("def handler(event, context):\n    return context.function_version\n")
    aws.publish_version(FunctionName=name)
    aws.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    made = make_url(aws, name, Qualifier="live")
    assert made["FunctionArn"].endswith(f":{name}:live")
    assert fetch(made["FunctionUrl"])[2] == b"1"
    url_id = made["FunctionUrl"].rstrip("/").rpartition("/")[2]
    assert fetch(endpoint + "/p", host=url_id + ".lambda-url.us-east-1.localhost")[2] == b"1"
    refused(lambda: make_url(aws, name, Qualifier="1"), "ValidationException")


def test_cors_is_answered_from_the_configuration(aws, function):
    url = make_url(aws, function("def handler(event, context):\n    return {'statusCode': 200, 'headers':"
                                 " {'Access-Control-Allow-Origin': 'https://own.example'}, 'body': ''}\n"),
                   Cors={"AllowOrigins": ["https://a.example"], "AllowMethods": ["GET"], "AllowHeaders": ["x-a"],
                         "AllowCredentials": True, "ExposeHeaders": ["x-b"], "MaxAge": 60})["FunctionUrl"]
    asked = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
    status, headers, _ = fetch(url, "OPTIONS", headers=asked)
    assert status == 200 and headers["Access-Control-Allow-Origin"] == "https://a.example"
    assert headers["Access-Control-Allow-Methods"] == "GET" and headers["Access-Control-Max-Age"] == "60"
    _, headers, _ = fetch(url, headers={"Origin": "https://a.example"})
    assert headers["Access-Control-Allow-Origin"] == "https://a.example"
    assert headers["Access-Control-Expose-Headers"] == "x-b" and headers["Access-Control-Allow-Credentials"] == "true"
    _, headers, _ = fetch(url, headers={"Origin": "https://b.example"})
    assert headers["Access-Control-Allow-Origin"] is None
