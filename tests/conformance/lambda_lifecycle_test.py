"""Processes of functions as the machine sees them: none before there is a function, none after it was left alone; and what two
environments of one function must not share."""
import pathlib

import boto3
import pytest

import virga_server
from lambda_support import aws, call, clients_of, function, until  # noqa: F401 (fixtures)


@pytest.fixture(scope="module")
def server():
    # The interpreters go after twelve times as long.
    with virga_server.Server("--function-idle", "300ms") as one:
        yield one


@pytest.fixture(scope="module")
def client(server):
    return clients_of(server)


def programs(server):
    """Names of the processes under the server."""
    out = []
    for pid in virga_server.descendants(server.process.pid):
        try:
            out.append(pathlib.Path(f"/proc/{pid}/comm").read_text().strip())
        except OSError:
            pass
    return out


def interpreters(server):
    return [name for name in programs(server) if name.startswith(("python", "node"))]


def inits(server):
    """How many sandboxes have a first process: it bears the name of the launcher that made it."""
    return programs(server).count("virga-launcher") - 1


@pytest.mark.parametrize("runtime, file, source", [
    ("python3.12", "app.py", "def handler(event, context):\n    return 'here'\n"),
    ("nodejs20.x", "app.js", "exports.handler = async () => 'here';\n"),
])
def test_nothing_runs_for_a_function_that_is_left_alone(server, aws, function, runtime, file, source):
    name = function(source, file, Runtime=runtime)
    assert call(aws, name)[1] == "here"
    assert interpreters(server) and inits(server)
    until(lambda: not interpreters(server) and not inits(server), seconds=60)
    assert call(aws, name)[1] == "here"


IDENTITY = """import os, random, secrets, ssl, time, uuid
FIRST = [random.random(), secrets.token_hex(8), str(uuid.uuid4()), ssl.RAND_bytes(8).hex(), os.urandom(8).hex()]
def handler(event, context):
    trace = os.popen('echo $_X_AMZN_TRACE_ID').read().strip()
    return {'first': FIRST, 'stream': context.log_stream_name, 'now': time.time(), 'trace': os.environ['_X_AMZN_TRACE_ID'],
            'of_a_child': trace, 'leftovers': [n for n in os.environ if n.startswith('VIRGA_') and n != 'VIRGA_ENDPOINT_URL']}
"""


def test_environments_share_no_chance_and_no_time(aws, function):
    import time
    name = function(IDENTITY)
    seen = []
    for i in range(3):
        aws.update_function_configuration(FunctionName=name, Description=f"{i}")  # the next invoke starts anew
        seen.append(call(aws, name)[1])
        assert abs(seen[-1]["now"] - time.time()) < 30
        assert seen[-1]["leftovers"] == []
    assert len({one["stream"] for one in seen}) == 3
    for of_one_kind in zip(*(one["first"] for one in seen)):
        assert len(set(of_one_kind)) == 3, of_one_kind


def test_each_invocation_has_its_trace_for_the_processes_it_starts_as_well(aws, function):
    name = function(IDENTITY)
    traces = set()
    for _ in range(3):
        got = call(aws, name)[1]
        assert got["of_a_child"] == got["trace"]
        traces.add(got["trace"])
    assert len(traces) == 3


CLIENTS = """import os, boto3, botocore
def handler(event, context):
    os.environ.update(event.get('environment', {}))
    client = boto3.client(event['service'], **event.get('arguments', {}))
    context = client._endpoint.http_session._manager.connection_pool_kw['ssl_context']
    return {'version': botocore.__version__, 'region': client.meta.region_name, 'endpoint': client.meta.endpoint_url,
            'key': client._request_signer._credentials.access_key, 'mine': os.environ['AWS_ACCESS_KEY_ID'],
            'proxies': client._endpoint.http_session._proxy_config.proxy_url_for('http://elsewhere.example'),
            'verifies': context.verify_mode.name, 'attempts': client.meta.config.retries}
"""


def test_clients_of_the_platforms_sdk_are_the_functions_own(server, aws, function):
    name = function(CLIENTS, Environment={"Variables": {"AWS_MAX_ATTEMPTS": "7"}})
    for service in ("dynamodb", "s3", "kinesis"):
        got = call(aws, name, {"service": service})[1]
        assert got["key"] == got["mine"]
        assert got["region"] == "us-east-1"
        assert got["endpoint"].startswith("http://127.0.0.1:")
        assert got["proxies"] is None
        assert got["attempts"]["total_max_attempts"] == 7
    for proxies in ({"HTTP_PROXY": "http://proxy.example:3128"}, {"http_proxy": "http://proxy.example:3128"}):
        other = function(CLIENTS)
        got = call(aws, other, {"service": "sqs", "environment": proxies, "arguments": {
            "region_name": "eu-west-1", "endpoint_url": "http://elsewhere.example"}})[1]
        assert got["region"] == "eu-west-1"
        assert got["proxies"] == "http://proxy.example:3128"
        assert got["endpoint"] == "http://elsewhere.example"


def test_a_table_is_reached_with_the_sdk_of_either_runtime(server, aws, function):
    boto3.client("dynamodb", endpoint_url=server.endpoint).create_table(
        TableName="pairs", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}])
    python = function("import boto3\ntable = boto3.resource('dynamodb').Table('pairs')\n"
                      "def handler(event, context):\n    table.put_item(Item=event)\n"
                      "    return table.get_item(Key={'k': event['k']})['Item']['v']\n")
    assert call(aws, python, {"k": "a", "v": "1"})[1] == "1"
    if not (virga_server.ROOT / "runtimes/node/sdk/node_modules/@aws-sdk").exists():
        pytest.skip("the SDK for JavaScript is not installed")
    node = function("const { DynamoDBClient } = require('@aws-sdk/client-dynamodb');\n"
                    "const { DynamoDBDocumentClient, GetCommand } = require('@aws-sdk/lib-dynamodb');\n"
                    "const client = DynamoDBDocumentClient.from(new DynamoDBClient({}));\n"
                    "exports.handler = async (event) => ({\n"
                    "  item: (await client.send(new GetCommand({ TableName: 'pairs', Key: { k: event.k } }))).Item,\n"
                    "  region: await client.config.region(), key: (await client.config.credentials()).accessKeyId,\n"
                    "  mine: process.env.AWS_ACCESS_KEY_ID });\n", "app.js", Runtime="nodejs20.x")
    got = call(aws, node, {"k": "a"})[1]
    assert got["item"] == {"k": "a", "v": "1"}
    assert got["region"] == "us-east-1"
    assert got["key"] == got["mine"]
