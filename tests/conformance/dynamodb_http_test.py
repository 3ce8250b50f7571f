"""DynamoDB's endpoint on the wire: requests that no SDK sends, and the envelope of every answer.

Source of the texts: answers of the service as its users report them."""
import gzip
import http.client
import json
import urllib.parse
import uuid
import zlib

import pytest

import virga_server
from dynamodb_http import AUTHORIZATION, HEADERS, call, post

S = "com.amazon.coral.service#SerializationException"
NOT_A_CALL = b"<UnknownOperationException/>\n"


def answer(endpoint, body, operation="GetItem", **headers):
    status, _, text = post(endpoint, operation, body, headers)
    document = json.loads(text)
    return status, document["__type"], document.get("Message")


BODIES = [
    (b"", None), (b"{", None), (b"23", None), (b'{"TableName":"abc" "Key":{}}', None),
    (b'{"TableName":23}', "NUMBER_VALUE cannot be converted to String"),
    (b'{"TableName":1.5}', "DECIMAL_VALUE cannot be converted to String"),
    (b'{"TableName":true}', "TRUE_VALUE cannot be converted to String"),
    (b'{"TableName":false}', "FALSE_VALUE cannot be converted to String"),
    (b'{"TableName":[]}', "Unrecognized collection type class java.lang.String"),
    (b'{"TableName":{}}', "Start of structure or map found where not expected"),
    (b'{"Key":"x"}', "Unexpected field type"),
    (b'{"Key":[]}', "Unrecognized collection type java.util.Map<java.lang.String, "
     "com.amazonaws.dynamodb.v20120810.AttributeValue>"),
    (b'{"Key":{"a":"x"}}', "Unexpected value type in payload"),
    (b'{"Key":{"a":[]}}', "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue"),
    (b'{"Key":{"a":{"S":1}}}', "NUMBER_VALUE cannot be converted to String"),
    (b'{"Key":{"a":{"N":1}}}', "NUMBER_VALUE cannot be converted to String"),
    (b'{"Key":{"a":{"BOOL":"x"}}}', "Unexpected token received from parser"),
    (b'{"Key":{"a":{"SS":"x"}}}', "Unexpected field type"),
    (b'{"Key":{"a":{"SS":[1]}}}', "NUMBER_VALUE cannot be converted to String"),
    (b'{"Key":{"a":{"B":"abc"}}}', "Base64 encoded length is expected a multiple of 4 bytes but found: 3"),
    (b'{"Key":{"a":{"B":1}}}', "only base-64-encoded strings are convertible to bytes"),
    (b'{"ConsistentRead":1}', "NUMBER_VALUE cannot be converted to Boolean"),
    (b'{"AttributesToGet":"x"}', "Unexpected field type"),
    (b'{"AttributesToGet":[1]}', "NUMBER_VALUE cannot be converted to String"),
]


@pytest.mark.parametrize("body,message", BODIES, ids=[b.decode() or "empty" for b, _ in BODIES])
def test_bodies_that_do_not_decode(endpoint, body, message):
    assert answer(endpoint, body) == (400, S, message)


def test_absent_values_are_violations(endpoint):
    for body in (b"{}", b'{"TableName":null,"Key":null}'):
        status, _, text = post(endpoint, "GetItem", body)
        assert (status, json.loads(text)) == (400, {
            "__type": "com.amazon.coral.validate#ValidationException",
            "message": "2 validation errors detected: Value null at 'tableName' failed to satisfy constraint: Member must not be "
                       "null; Value null at 'key' failed to satisfy constraint: Member must not be null"})


def test_every_answer_has_its_checksum_and_request_id(endpoint):
    for operation, body in (("ListTables", {}), ("GetItem", b"{"), ("Nope", {}), ("DescribeTable", {"TableName": "none"})):
        _, headers, text = post(endpoint, operation, body)
        assert int(headers["x-amz-crc32"]) == zlib.crc32(text)
        assert len(headers["x-amzn-requestid"]) == 52 and headers["content-type"] == "application/x-amz-json-1.0"


def test_targets_and_signatures(endpoint):
    unknown = (400, "com.amazon.coral.service#UnknownOperationException", None)
    for target in ("DynamoDB_20120810.Nope", "DynamoDB_20120810", "ListTables", ""):
        assert answer(endpoint, {}, **{"X-Amz-Target": target}) == unknown
    _, _, text = post(endpoint, "ListTables", {}, {"Authorization": "x"})
    assert json.loads(text) == {"__type": "com.amazon.coral.service#MissingAuthenticationTokenException",
                                "message": "Request is missing Authentication Token"}


def test_content_types(endpoint):
    for good in ("application/x-amz-json-1.0", "application/json", "application/x-amz-json-1.0; charset=utf-8"):
        assert post(endpoint, "ListTables", {}, {"Content-Type": good})[0] == 200


def test_compressed_bodies(endpoint):
    status, _, text = post(endpoint, "ListTables", gzip.compress(b'{"Limit":1}'), {"Content-Encoding": "gzip"})
    assert status == 200 and "TableNames" in json.loads(text)


def test_larger_answers_go_out_compressed_when_asked(endpoint):
    name = "gzip-" + uuid.uuid4().hex[:8]
    call(endpoint, "CreateTable", TableName=name, BillingMode="PAY_PER_REQUEST",
         AttributeDefinitions=[{"AttributeName": "a", "AttributeType": "S"}], KeySchema=[{"AttributeName": "a", "KeyType": "HASH"}])
    item = {"a": {"S": "1"}, "text": {"S": "words " * 30_000}}
    call(endpoint, "PutItem", TableName=name, Item=item)
    get = {"TableName": name, "Key": {"a": {"S": "1"}}}
    for accepted in ("gzip", "deflate, gzip;q=0.5", "GZIP"):
        _, headers, body = post(endpoint, "GetItem", get, {"Accept-Encoding": accepted})
        assert headers["content-encoding"] == "gzip" and int(headers["x-amz-crc32"]) == zlib.crc32(body)
        assert len(body) < 20_000 and json.loads(gzip.decompress(body)) == {"Item": item}
    for refused in ("identity", "br", "gzip;q=0", ""):
        _, headers, body = post(endpoint, "GetItem", get, {"Accept-Encoding": refused})
        assert "content-encoding" not in headers and json.loads(body) == {"Item": item}
        assert int(headers["x-amz-crc32"]) == zlib.crc32(body)
    small = post(endpoint, "DescribeLimits", {}, {"Accept-Encoding": "gzip"})
    assert "content-encoding" not in small[1] and json.loads(small[2])
    call(endpoint, "DeleteTable", TableName=name)


def test_a_body_of_more_than_16_mb_is_refused_not_cut_off(endpoint):
    body = json.dumps({"TableName": "abc", "Item": {"a": {"S": "x" * (17 << 20)}}}).encode()
    status, _, text = post(endpoint, "PutItem", body)
    assert status == 413 and json.loads(text)["__type"].endswith("#RequestEntityTooLarge")


def test_a_connection_outlives_refusals(endpoint):
    url = urllib.parse.urlparse(endpoint)
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=20)
    connection.connect()
    socket = connection.sock
    for body, target, status in ((b"{", "ListTables", 400), (b"{}", "Nope", 400), (b"{}", "ListTables", 200), (b"", "ListTables", 400)):
        headers = {**HEADERS, "X-Amz-Target": "DynamoDB_20120810." + target}
        connection.request("POST", "/", body, headers)
        got = connection.getresponse()
        got.read()
        assert got.status == status and connection.sock is socket
    connection.close()


def test_a_listener_of_its_own():
    port = virga_server.free_port()
    with virga_server.Server("--memory", "--listen", f"dynamodb=127.0.0.1:{port}"):
        def request(method, path="/", body=None, **headers):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            connection.request(method, path, body, headers)
            got = connection.getresponse()
            out = got.status, got.read()
            connection.close()
            return out

        signed = {"X-Amz-Target": "DynamoDB_20120810.ListTables", "Authorization": AUTHORIZATION, "X-Amz-Date": "20260301T120000Z",
                  "Content-Type": "application/x-amz-json-1.0"}
        assert request("GET") == (200, b"healthy: dynamodb.us-east-1.amazonaws.com ")
        assert request("POST", body=b"{}", **signed) == (200, b'{"TableNames":[]}')
        for method, path in (("PUT", "/"), ("DELETE", "/"), ("OPTIONS", "/"), ("POST", "/elsewhere")):
            assert request(method, path, b"{}", **signed) == (404, NOT_A_CALL)
        assert request("POST", body=b"{}", **{**signed, "Content-Type": "text/plain"}) == (404, NOT_A_CALL)
        status, body = request("POST", body=b"{}", **{**signed, "X-Amz-Target": "Logs_20140328.DescribeLogGroups"})
        assert status == 400 and json.loads(body)["__type"].endswith("#UnknownOperationException")
