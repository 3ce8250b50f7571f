"""What every client meets before any service does: routing, identity, envelopes, refusals."""
import http.client
import json
import re
import urllib.parse
import zlib

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

import virga_server

LIST_TABLES = {"X-Amz-Target": "DynamoDB_20120810.ListTables", "Content-Type": "application/x-amz-json-1.0"}


def send(endpoint, method="POST", path="/", headers=None, body=b""):
    """One raw request; (status, headers in lower case, body)."""
    url = urllib.parse.urlsplit(endpoint)
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=20)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        got = connection.getresponse()
        return got.status, {k.lower(): v for k, v in got.getheaders()}, got.read()
    finally:
        connection.close()


def signed(endpoint, service, headers, body=b"", method="POST", path="/", region="us-east-1", key="test"):
    request = AWSRequest(method, endpoint + path, data=body, headers={
        **headers, "Host": urllib.parse.urlsplit(endpoint).netloc})
    SigV4Auth(Credentials(key, "test"), service, region).add_auth(request)
    return dict(request.headers.items())


def dynamodb(endpoint, target, body, **kwargs):
    headers = {**LIST_TABLES, "X-Amz-Target": target}
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return send(endpoint, headers=signed(endpoint, "dynamodb", headers, body, **kwargs), body=body)


def test_an_answer_carries_date_request_id_and_checksum(endpoint):
    status, headers, body = dynamodb(endpoint, "DynamoDB_20120810.ListTables", {})
    assert status == 200
    assert headers["content-type"] == "application/x-amz-json-1.0"
    assert re.fullmatch(r"[A-Z0-9]{52}", headers["x-amzn-requestid"])
    assert int(headers["x-amz-crc32"]) == zlib.crc32(body)
    assert headers["date"].endswith(" GMT")


def test_an_unknown_operation_is_named_as_the_service_does(endpoint):
    status, headers, body = dynamodb(endpoint, "DynamoDB_20120810.MakeCoffee", {})
    assert status == 400
    assert json.loads(body)["__type"] == "com.amazon.coral.service#UnknownOperationException"


def test_malformed_json_is_a_serialization_exception(endpoint):
    status, headers, body = dynamodb(endpoint, "DynamoDB_20120810.ListTables", b"{")
    assert status == 400
    assert json.loads(body)["__type"] == "com.amazon.coral.service#SerializationException"


def test_an_unsigned_request_is_missing_its_token(endpoint):
    status, headers, body = send(endpoint, headers=LIST_TABLES, body=b"{}")
    assert status == 400
    assert json.loads(body)["__type"] == "com.amazon.coral.service#MissingAuthenticationTokenException"
    assert json.loads(body)["message"] == "Request is missing Authentication Token"


def test_incomplete_signatures_list_what_is_missing(endpoint):
    status, headers, body = send(endpoint, headers={
        **LIST_TABLES, "X-Amz-Date": "20260301T120000Z",
        "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260301/us-east-1/dynamodb/aws4_request"}, body=b"{}")
    assert status == 400
    document = json.loads(body)
    assert document["__type"] == "com.amazon.coral.service#IncompleteSignatureException"
    assert "'Signature'" in document["message"] and "'SignedHeaders'" in document["message"]


def test_spaces_after_commas_are_optional_in_the_authorization_header(endpoint):
    headers = signed(endpoint, "dynamodb", LIST_TABLES, b"{}")
    headers["Authorization"] = headers["Authorization"].replace(", ", ",")
    assert send(endpoint, headers=headers, body=b"{}")[0] == 200


def test_a_service_without_a_model_is_named(endpoint):
    headers = signed(endpoint, "quantumledger", {"Content-Type": "application/json"})
    status, _, body = send(endpoint, headers=headers)
    assert status == 501
    assert b"quantumledger" in body and b"NotImplemented" in body


@pytest.mark.parametrize("service,operation", [
    ("kms", "list_keys"), ("sns", "list_topics"), ("cloudformation", "list_stacks"), ("route53", "list_hosted_zones"),
    ("scheduler", "list_schedules"), ("ecr", "describe_repositories"), ("secretsmanager", "list_secrets"),
    ("kinesis", "list_streams"), ("cloudwatch", "list_metrics"), ("apigateway", "get_rest_apis"),
    ("stepfunctions", "list_activities")])
def test_what_is_not_there_says_so_in_every_protocol(client, service, operation):
    with pytest.raises(ClientError) as e:
        getattr(client(service), operation)()
    assert e.value.response["Error"]["Code"].startswith("NotImplemented")
    assert service in e.value.response["Error"]["Message"]
    assert e.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_regions_are_separate_and_accounts_follow_a_12_digit_key(endpoint):
    def tables(region, key="test"):
        return boto3.client("dynamodb", endpoint_url=endpoint, region_name=region, aws_access_key_id=key,
                            aws_secret_access_key="x", config=Config(retries={"max_attempts": 0}))
    tables("eu-central-1", "123456789012").create_table(
        TableName="here", BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "a", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "a", "KeyType": "HASH"}])
    assert tables("eu-central-1", "123456789012").list_tables()["TableNames"] == ["here"]
    assert tables("eu-central-1").list_tables()["TableNames"] == []
    assert tables("us-west-1", "123456789012").list_tables()["TableNames"] == []
    arn = tables("eu-central-1", "123456789012").describe_table(TableName="here")["Table"]["TableArn"]
    assert arn == "arn:aws:dynamodb:eu-central-1:123456789012:table/here"
    tables("eu-central-1", "123456789012").delete_table(TableName="here")


def test_a_foreign_page_cannot_drive_the_server(endpoint):
    headers = signed(endpoint, "dynamodb", LIST_TABLES, b"{}")
    assert send(endpoint, headers={**headers, "Origin": "https://evil.example"}, body=b"{}")[0] == 403
    assert send(endpoint, headers={**headers, "Origin": "http://localhost:3000"}, body=b"{}")[0] == 200


def test_the_admin_endpoint_refuses_rebound_names(endpoint):
    assert send(endpoint, "GET", "/_virga/health")[0] == 200
    assert send(endpoint, "GET", "/_virga/health", {"Host": "evil.example"})[0] == 403


def test_health_info_metrics_and_log_level(endpoint):
    assert json.loads(send(endpoint, "GET", "/_virga/health")[2])["status"] == "ok"
    assert json.loads(send(endpoint, "GET", "/_localstack/health")[2])["services"]["dynamodb"] == "running"
    assert b"virga_request_duration_seconds_count" in send(endpoint, "GET", "/_virga/metrics")[2]
    assert send(endpoint, "PUT", "/_virga/log-level", body=b'{"level": "nonsense"}')[0] == 400
    assert json.loads(send(endpoint, "GET", "/_virga/log-level")[2])["level"] in ("debug", "info", "warn", "error")
    assert send(endpoint, "GET", "/_virga/nothing")[0] == 404


@pytest.mark.parametrize("options", [(), ("--memory",)])
def test_sigterm_ends_the_server_in_order(options):
    with virga_server.Server(*options) as server:
        assert server.get("/_virga/health")[0] == 200
        assert server.terminate() == 0


def test_no_internal_failures_so_far(endpoint):
    metrics = send(endpoint, "GET", "/_virga/metrics")[2].decode()
    assert "\nvirga_internal_failures_total 0\n" in metrics
