"""HTTP API -> Python -> DynamoDB with boto3, stage by stage, beside workerd's bare answer."""
import http.client
import io
import pathlib
import socket
import statistics
import subprocess
import time
import zipfile

from common import ROOT, item, virga_server

WORKERD = ROOT / "bench/node_modules/@cloudflare/workerd-linux-64/bin/workerd"
WORKER = "addEventListener('fetch', e => e.respondWith(new Response(JSON.stringify({name: 'Ada'}))))"
CONFIG = """using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (serviceWorkerScript = embed "worker.js", compatibilityDate = "2024-01-01"))],
  sockets = [(name = "http", address = "127.0.0.1:%d", http = (), service = "main")]
);
"""

# Answers what its own stages took, in microseconds.
READER = """import time
import boto3
from decimal import Decimal
table = boto3.resource('dynamodb').Table('bench')
def handler(event, context):
    begin = time.perf_counter_ns()
    item = table.get_item(Key={'pk': 'user#00000001'})['Item']
    return {'statusCode': 200, 'headers': {'x-get-us': str((time.perf_counter_ns() - begin) // 1000)}, 'body': item['name']}
"""
BARE = "def handler(event, context):\n    return {'statusCode': 200, 'body': 'Ada'}\n"


def calls(port, path, seconds):
    """One connection, one request after the other: microseconds of each, and of the read that the function reports."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    whole, reads = [], []
    for _ in range(20):  # warm
        connection.request("GET", path)
        connection.getresponse().read()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        begin = time.perf_counter_ns()
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        whole.append((time.perf_counter_ns() - begin) / 1000)
        if answer.status != 200:
            raise SystemExit(f"{path}: {answer.status} {body[:200]}")
        if answer.getheader("x-get-us"):
            reads.append(int(answer.getheader("x-get-us")))
    return statistics.median(whole), statistics.median(reads) if reads else None


class Workerd:
    def __init__(self, folder):
        self.port = virga_server.free_port()
        (folder / "worker.js").write_text(WORKER)
        (folder / "config.capnp").write_text(CONFIG % self.port)
        self.process = subprocess.Popen([str(WORKERD), "serve", str(folder / "config.capnp")],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise SystemExit("workerd did not start")
                time.sleep(0.02)

    def close(self):
        self.process.terminate()
        self.process.wait()


def deploy(endpoint, name, source):
    """A function behind an API of its own; its path below the endpoint."""
    import boto3
    make = lambda service: boto3.client(service, endpoint_url=endpoint, region_name="us-east-1",  # noqa: E731
                                        aws_access_key_id="test", aws_secret_access_key="test")
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as package:
        package.writestr("app.py", source)
    arn = make("lambda").create_function(
        FunctionName=name, Runtime="python3.12", Handler="app.handler", Role="arn:aws:iam::000000000000:role/r",
        Timeout=20, MemorySize=512, Code={"ZipFile": data.getvalue()})["FunctionArn"]
    api = make("apigatewayv2").create_api(Name=name, ProtocolType="HTTP", Target=arn)["ApiId"]
    dynamodb = make("dynamodb")
    if "bench" not in dynamodb.list_tables()["TableNames"]:
        dynamodb.create_table(TableName="bench", BillingMode="PAY_PER_REQUEST",
                              AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
                              KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}])
        dynamodb.put_item(TableName="bench", Item=item(1))
    return f"/_aws/execute-api/{api}/"


def bench_http_api(options, folder):
    rows = {}
    server = virga_server.Server().start()
    workerd = Workerd(pathlib.Path(folder)) if WORKERD.exists() else None
    try:
        bare, reader = deploy(server.endpoint, "bare", BARE), deploy(server.endpoint, "reader", READER)
        for _ in range(options.rounds):
            if workerd:
                rows.setdefault("workerd, bare answer", []).append(calls(workerd.port, "/", options.seconds)[0])
            rows.setdefault("health page: client, loopback, door", []).append(
                calls(server.port, "/_virga/health", options.seconds)[0])
            rows.setdefault("HTTP API -> Python, bare answer", []).append(calls(server.port, bare, options.seconds)[0])
            whole, read = calls(server.port, reader, options.seconds)
            rows.setdefault("HTTP API -> Python -> GetItem with boto3", []).append(whole)
            rows.setdefault("of that: get_item inside the function", []).append(read)
    finally:
        server.close()
        if workerd:
            workerd.close()
    print("\n### HTTP API -> Python -> DynamoDB, one connection of Python's http.client\n")
    print("| what | p50 us |\n|---|---|")
    for what, medians in rows.items():
        print(f"| {what} | {statistics.median(medians):.0f} |")
    if not workerd:
        print("\nworkerd is not installed: left out")
