"""DynamoDB's JSON protocol by hand: what no SDK would send, and answers as they are on the wire."""
import http.client
import json
import urllib.parse

AUTHORIZATION = ("AWS4-HMAC-SHA256 Credential=test/20260301/us-east-1/dynamodb/aws4_request, "
                 "SignedHeaders=host;x-amz-date;x-amz-target, Signature=abc")
HEADERS = {"Content-Type": "application/x-amz-json-1.0", "Authorization": AUTHORIZATION, "X-Amz-Date": "20260301T120000Z"}


def post(endpoint, operation, body, headers=None):
    """(status, headers, body as bytes) of one call."""
    url = urllib.parse.urlparse(endpoint)
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=30)
    try:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection.request("POST", "/", data, {**HEADERS, "X-Amz-Target": "DynamoDB_20120810." + operation, **(headers or {})})
        answer = connection.getresponse()
        return answer.status, dict((k.lower(), v) for k, v in answer.getheaders()), answer.read()
    finally:
        connection.close()


def call(endpoint, operation, **parameters):
    """The answer's document; asserts that it is a good one."""
    status, _, body = post(endpoint, operation, parameters)
    assert status == 200, body
    return json.loads(body) if body else {}


def refusal(endpoint, operation, body):
    """(error's name, message) of a call that must be refused with 400."""
    status, _, text = post(endpoint, operation, body)
    answer = json.loads(text)
    assert status == 400, (status, answer)
    return answer["__type"].split("#")[1], answer.get("message", answer.get("Message"))
