"""Streamed answers: what a function writes reaches its caller while it runs, through Invoke and through URLs; signed URLs."""
import http.client
import json
import urllib.parse
import uuid

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from lambda_support import aws, function  # noqa: F401 (fixtures)

# Writes its first part, waits until the bucket that the event names is there, writes the rest.
PATIENT = """
const http = require('http');
const status = (url) => new Promise((resolve, reject) =>
  http.get(url, (answer) => { answer.resume(); resolve(answer.statusCode); }).on('error', reject));
exports.handler = awslambda.streamifyResponse(async (event, stream) => {
  const asked = event.queryStringParameters || event;
  if (asked.head) {
    stream = awslambda.HttpResponseStream.from(stream, {
      statusCode: 201, headers: { 'Content-Type': 'text/plain', 'X-Own': 'yes' }, cookies: ['a=1', 'b=2'] });
  } else {
    stream.setContentType('text/plain');
  }
  stream.write('first;');
  while (await status(`${process.env.AWS_ENDPOINT_URL}/${asked.bucket}`) === 404) await new Promise((r) => setTimeout(r, 20));
  if (asked.fail) throw new TypeError('broken');
  stream.write('second');
  stream.end();
});
"""


@pytest.fixture(scope="module")
def s3(client):
    return client("s3")


@pytest.fixture
def patient(function):
    return function(PATIENT, file="app.js", Runtime="nodejs18.x", Timeout=20)


def call_raw(endpoint, method, path, body):
    """One signed call of Lambda's API, for members that old boto3 does not know."""
    request = AWSRequest(method, endpoint + path, data=json.dumps(body),
                         headers={"Content-Type": "application/json"})
    SigV4Auth(Credentials("test", "test"), "lambda", "us-east-1").add_auth(request)
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(endpoint).netloc, timeout=30)
    connection.request(method, path, request.data, dict(request.headers))
    answer = connection.getresponse()
    got = json.loads(answer.read())
    connection.close()
    assert answer.status < 300, got
    return got


def open_url(url, headers=None, **query):
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    connection.request("GET", parts.path + "?" + urllib.parse.urlencode(query), headers=headers or {})
    return connection.getresponse()


def stream_url(endpoint, name, auth="NONE"):
    return call_raw(endpoint, "POST", f"/2021-10-31/functions/{name}/url",
                    {"AuthType": auth, "InvokeMode": "RESPONSE_STREAM"})["FunctionUrl"]


def new_bucket():
    return "b-" + uuid.uuid4().hex[:12]


def test_chunks_leave_while_the_function_runs(aws, s3, patient):
    if not hasattr(aws, "invoke_with_response_stream"):
        pytest.skip("this boto3 does not know InvokeWithResponseStream")
    bucket = new_bucket()
    got = aws.invoke_with_response_stream(FunctionName=patient, Payload=json.dumps({"bucket": bucket}))
    assert got["ResponseStreamContentType"] == "text/plain" and got["ExecutedVersion"] == "$LATEST"
    events = iter(got["EventStream"])
    assert next(events) == {"PayloadChunk": {"Payload": b"first;"}}
    s3.create_bucket(Bucket=bucket)  # only now it can go on
    rest = list(events)
    assert b"".join(e["PayloadChunk"]["Payload"] for e in rest[:-1]) == b"second"
    assert "ErrorCode" not in rest[-1]["InvokeComplete"]


def test_an_error_after_the_beginning_stands_at_the_end(aws, s3, patient):
    if not hasattr(aws, "invoke_with_response_stream"):
        pytest.skip("this boto3 does not know InvokeWithResponseStream")
    bucket = new_bucket()
    s3.create_bucket(Bucket=bucket)
    got = aws.invoke_with_response_stream(FunctionName=patient, Payload=json.dumps({"bucket": bucket, "fail": 1}))
    events = list(got["EventStream"])
    assert events[0] == {"PayloadChunk": {"Payload": b"first;"}}
    complete = events[-1]["InvokeComplete"]
    assert complete["ErrorCode"] == "Unhandled" and json.loads(complete["ErrorDetails"])["errorType"] == "TypeError"
    again = aws.invoke(FunctionName=patient, Payload=json.dumps({"bucket": bucket}))
    assert again["Payload"].read() == b"first;second"


def test_a_url_streams(endpoint, s3, patient):
    url = stream_url(endpoint, patient)
    bucket = new_bucket()
    answer = open_url(url, bucket=bucket)
    assert answer.status == 200 and answer.headers["Content-Type"] == "text/plain"
    assert answer.read(6) == b"first;"
    s3.create_bucket(Bucket=bucket)
    assert answer.read() == b"second"


def test_a_url_streams_with_a_head(endpoint, s3, patient):
    url = stream_url(endpoint, patient)
    bucket = new_bucket()
    answer = open_url(url, bucket=bucket, head=1)
    assert answer.status == 201 and answer.headers["X-Own"] == "yes" and answer.headers["Content-Type"] == "text/plain"
    assert answer.headers.get_all("Set-Cookie") == ["a=1", "b=2"]
    assert answer.read(6) == b"first;"
    s3.create_bucket(Bucket=bucket)
    assert answer.read() == b"second"


def test_a_url_that_fails_on_the_way_is_cut_off(endpoint, s3, patient):
    url = stream_url(endpoint, patient)
    bucket = new_bucket()
    answer = open_url(url, bucket=bucket, fail=1)
    assert answer.read(6) == b"first;"
    s3.create_bucket(Bucket=bucket)
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        answer.read()
    assert open_url(url, bucket=bucket).read() == b"first;second"


def test_a_large_answer_waits_for_its_reader(endpoint, function):
    parts = 96
    name = function("exports.handler = awslambda.streamifyResponse(async (event, stream) => {\n"
                    "  const { once } = require('events');\n"
                    f"  for (let i = 0; i < {parts}; i++)\n"
                    "    if (!stream.write(Buffer.alloc(262144, 97 + i % 26))) await once(stream, 'drain');\n"
                    "  stream.end();\n});\n", file="app.js", Runtime="nodejs18.x", Timeout=20)
    answer = open_url(stream_url(endpoint, name))
    assert answer.headers["Content-Type"] == "application/octet-stream"
    for i in range(parts):
        assert answer.read(262144) == bytes([97 + i % 26]) * 262144
    assert answer.read() == b""


def test_a_handler_that_does_not_stream_answers_a_streaming_url(endpoint, function):
    name = function("def handler(event, context):\n    return {'statusCode': 404}\n")
    answer = open_url(stream_url(endpoint, name))
    assert answer.status == 200 and json.loads(answer.read()) == {"statusCode": 404}


def test_a_signed_url_knows_its_caller(endpoint, function):
    url = stream_url(endpoint, function(), auth="AWS_IAM")
    refused = open_url(url)
    assert refused.status == 403 and json.loads(refused.read()) == {"Message": "Forbidden"}
    request = AWSRequest("GET", url + "?a=1")
    SigV4Auth(Credentials("123456789012", "secret"), "lambda", "us-east-1").add_auth(request)
    event = json.loads(open_url(url, headers=dict(request.headers), a=1).read())
    context = event["requestContext"]
    assert context["accountId"] == "123456789012" and context["authentication"] is None
    iam = context["authorizer"]["iam"]
    assert iam["accessKey"] == "123456789012" and iam["userArn"] == "arn:aws:iam::123456789012:root"
    assert iam["cognitoIdentity"] is None and iam["principalOrgId"] is None
