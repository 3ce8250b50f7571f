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


@pytest.fixture(scope="module")
def bound():
    """A server with a listener that speaks DynamoDB only; its URL."""
    port = virga_server.free_port()
    with virga_server.Server("--memory", "--listen", f"dynamodb=127.0.0.1:{port}"):
        yield f"http://127.0.0.1:{port}"


def test_a_listener_of_one_service_answers_as_its_own_endpoint(bound):
    status, headers, body = send(bound, "GET", "/")
    assert (status, body) == (200, b"healthy: dynamodb.us-east-1.amazonaws.com ")
    assert int(headers["x-amz-crc32"]) == zlib.crc32(body)
    for method, path in (("PUT", "/"), ("DELETE", "/"), ("GET", "/nowhere"), ("POST", "/nowhere"), ("GET", "/_virga/health")):
        assert send(bound, method, path)[::2] == (404, b"<UnknownOperationException/>\n")
    headers = signed(bound, "dynamodb", {**LIST_TABLES, "Content-Type": "text/plain"}, b"{}")
    assert send(bound, headers=headers, body=b"{}")[0] == 404
    headers = signed(bound, "dynamodb", {**LIST_TABLES, "X-Amz-Target": "AmazonSQS.ListQueues"}, b"{}")
    status, _, body = send(bound, headers=headers, body=b"{}")
    assert status == 400 and json.loads(body)["__type"].endswith("#UnknownOperationException")
    headers = signed(bound, "dynamodb", {**LIST_TABLES, "Content-Type": "application/json"}, b"{}")
    assert send(bound, headers=headers, body=b"{}")[0] == 200
    status, headers, _ = send(bound, "OPTIONS", "/", {"Origin": "http://localhost:1", "Access-Control-Request-Headers": "x-amz-target"})
    assert status == 200 and headers["access-control-allow-headers"] == "x-amz-target"


def test_a_listener_of_one_service_refuses_what_is_too_large(bound):
    assert send(bound, headers={**LIST_TABLES, "Content-Length": str(17 << 20)})[0] == 413


def test_a_listener_of_an_unknown_service_is_refused_at_start():
    with pytest.raises(RuntimeError, match="there is no such service"):
        virga_server.Server("--memory", "--listen", "dynamo=127.0.0.1:1").start()


@pytest.mark.parametrize("service,call,code", [("ec2", "describe_regions", "NotImplemented"), ("rds", "describe_db_instances", "NotImplemented"),
                                               ("glue", "get_databases", "NotImplemented"), ("cloudfront", "list_distributions", "NotImplemented")])
def test_clients_of_services_that_are_not_here_can_read_the_answer(client, service, call, code):
    with pytest.raises(ClientError) as e:
        getattr(client(service), call)()
    assert e.value.response["Error"]["Code"] == code
    assert service in e.value.response["Error"]["Message"]


def test_visitors_see_what_is_here(endpoint):
    status, headers, body = send(endpoint, "GET", "/", {"Accept": "text/html"})
    assert status == 200 and headers["content-type"].startswith("text/html") and b"/_virga/health" in body
    status, headers, body = send(endpoint, "GET", "/")
    assert status == 200 and b"AWS_ENDPOINT_URL=" + endpoint.encode() in body
    assert send(endpoint, "HEAD", "/")[0] == 200


def test_init_scripts_run_before_ready(tmp_path):
    scripts = tmp_path / "ready.d"
    scripts.mkdir()
    (scripts / "20_second.py").write_text(
        "import boto3, os\n"
        "c = boto3.client('dynamodb', endpoint_url=os.environ['AWS_ENDPOINT_URL'])\n"
        "assert c.describe_table(TableName='first')\n"
        "c.delete_table(TableName='first')\n")
    first = scripts / "10_first.sh"
    first.write_text("#!/bin/sh\nexec /usr/bin/python3 -c \"import boto3, os; boto3.client('dynamodb', endpoint_url=os.environ['AWS_ENDPOINT_URL'])"
                     ".create_table(TableName='first', BillingMode='PAY_PER_REQUEST', KeySchema=[{'AttributeName': 'k', 'KeyType': 'HASH'}],"
                     " AttributeDefinitions=[{'AttributeName': 'k', 'AttributeType': 'S'}])\"\n")
    first.chmod(0o755)
    (scripts / "30_fails.sh").write_text("exit 3\n")
    (scripts / "notes.txt").write_text("left alone")
    with virga_server.Server("--memory", "--init-dir", str(scripts), env={"PATH": "/usr/bin:/bin"}) as server:
        state = json.loads(server.get("/_localstack/init")[1])
        assert state["completed"]["READY"] is True
        assert [(s["name"], s["state"]) for s in state["scripts"]] == [
            ("10_first.sh", "SUCCESSFUL"), ("20_second.py", "SUCCESSFUL"), ("30_fails.sh", "ERROR")]


def test_a_missing_init_folder_is_refused_at_start(tmp_path):
    with pytest.raises(RuntimeError, match="there is no folder"):
        virga_server.Server("--memory", "--init-dir", str(tmp_path / "none")).start()


def test_variables_of_other_local_clouds_are_mapped_or_reported():
    with virga_server.Server("--memory", env={"PERSISTENCE": "1", "DEBUG": "1", "LAMBDA_KEEPALIVE_MS": "1", "LAMBDA_DOCKER_FLAGS": "", "GATEWAY_LISTEN": "127.0.0.1:0"}) as server:
        log = server.log_text()
        assert json.loads(server.get("/_virga/log-level")[1])["level"] == "debug"
    for said in ("PERSISTENCE=1", "DEBUG is read as", "LAMBDA_KEEPALIVE_MS is read as",
                 "LAMBDA_DOCKER_FLAGS not mapped", "GATEWAY_LISTEN is read as"):
        assert said in log


def test_the_server_is_reached_over_ipv6():
    port = virga_server.free_port()
    with virga_server.Server("--memory", "--listen", f"[::1]:{port}"):
        assert send(f"http://[::1]:{port}", "GET", "/_virga/health", {"Host": f"[::1]:{port}"})[0] == 200


def test_parameters_without_effect_are_logged_once():
    with virga_server.Server("--memory") as server:
        logs = boto3.client("logs", endpoint_url=server.endpoint)
        for name in ("a", "b"):
            logs.create_log_group(logGroupName=name, kmsKeyId="arn:aws:kms:us-east-1:000000000000:key/x")
        assert server.log_text().count("parameter_without_effect") == 1
