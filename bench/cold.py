"""Cold starts as a user's stopwatch sees them: the first Invoke of a function that was just made, through HTTP and
SigV4, beside fork+exec of /bin/true in the same run; beside them the processor time that the function's own code took."""
import http.client
import io
import json
import os
import statistics
import time
import zipfile

from common import virga_server, signed_invoke

ROLE = "arn:aws:iam::000000000000:role/r"
TABLE = "bench-cold"
UNMEASURED = 5  # the first of each function
SPARES_SECONDS = 0.5  # between making a function and calling it: what the one before it has used up stands again

# Milliseconds of processor time: of the function's imports and clients, its first and its second call of a service.
PYTHON = """import time
marks = [time.process_time()]
{imports}
marks.append(time.process_time())
def handler(event, context):
    out = [marks[1] - marks[0]]
    for _ in range(2):
        start = time.process_time()
        {call}
        out.append(time.process_time() - start)
    return [1e3 * x for x in out]
"""
NODE = """const used = () => {{ const u = process.cpuUsage(); return (u.user + u.system) / 1e3; }};
const from = used();
{imports}
const ready = used();
exports.handler = async (event) => {{
  const out = [ready - from];
  for (let i = 0; i < 2; i++) {{
    const start = used();
    {call};
    out.push(used() - start);
  }}
  return out;
}};
"""
NODE_CLIENT = "const { DynamoDBClient, ListTablesCommand } = require('@aws-sdk/client-dynamodb');\n" \
              "const client = new DynamoDBClient({});"
NODE_DOCUMENT = "const { DynamoDBClient } = require('@aws-sdk/client-dynamodb');\n" \
                "const { DynamoDBDocumentClient, GetCommand } = require('@aws-sdk/lib-dynamodb');\n" \
                "const client = DynamoDBDocumentClient.from(new DynamoDBClient({}));"

FUNCTIONS = {
    "Python hello": ("python3.12", PYTHON, "", "pass"),
    "Python, import boto3": ("python3.12", PYTHON, "import boto3", "pass"),
    "Python, client('dynamodb'), get_item": (
        "python3.12", PYTHON, "import boto3\nclient = boto3.client('dynamodb')",
        f"client.get_item(TableName='{TABLE}', Key={{'pk': {{'S': 'a'}}}})"),
    "Python, resource('dynamodb').Table, get_item": (
        "python3.12", PYTHON, f"import boto3\ntable = boto3.resource('dynamodb').Table('{TABLE}')",
        "table.get_item(Key={'pk': 'a'})"),
    "Python, client('s3'), list_buckets": (
        "python3.12", PYTHON, "import boto3\nclient = boto3.client('s3')", "client.list_buckets()"),
    "Python, client('sqs'), list_queues": (
        "python3.12", PYTHON, "import boto3\nclient = boto3.client('sqs')", "client.list_queues()"),
    "Node hello": ("nodejs20.x", NODE, "", ""),
    "Node, DynamoDBClient, ListTables": (
        "nodejs20.x", NODE, NODE_CLIENT, "await client.send(new ListTablesCommand({}))"),
    "Node, DynamoDBDocumentClient, Get": (
        "nodejs20.x", NODE, NODE_DOCUMENT,
        f"await client.send(new GetCommand({{ TableName: '{TABLE}', Key: {{ pk: 'a' }} }}))"),
    "Node, S3Client, ListBuckets": (
        "nodejs20.x", NODE, "const { S3Client, ListBucketsCommand } = require('@aws-sdk/client-s3');\n"
        "const client = new S3Client({});", "await client.send(new ListBucketsCommand({}))"),
}


def package(file, source):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as out:
        out.writestr(file, source)
    return data.getvalue()


def spawn_true():
    start = time.perf_counter()
    os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)
    return 1e3 * (time.perf_counter() - start)


class Connection:
    """One keep-alive connection that sends requests as they stand: what is measured is the server."""

    def __init__(self, port):
        self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.http.connect()

    def ask(self, raw):
        start = time.perf_counter()
        self.http.sock.sendall(raw)
        response = http.client.HTTPResponse(self.http.sock)
        response.begin()
        body = response.read()
        took = 1e3 * (time.perf_counter() - start)
        if response.status != 200 or response.getheader("X-Amz-Function-Error"):
            raise SystemExit(f"{response.status} {body[:2000]}")
        return took, json.loads(body)


def at(values, share):
    return sorted(values)[int(share * (len(values) - 1))]


def bench_cold(options, folder):
    import boto3
    server = virga_server.Server().start()
    keys = {"endpoint_url": server.endpoint, "region_name": "us-east-1", "aws_access_key_id": "test",
            "aws_secret_access_key": "test"}
    rows = []
    try:
        boto3.client("dynamodb", **keys).create_table(
            TableName=TABLE, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}])
        client = boto3.client("lambda", **keys)
        connection = Connection(server.port)
        for title, (runtime, template, imports, call) in FUNCTIONS.items():
            if options.function not in title:
                continue
            file = "app.py" if runtime.startswith("python") else "app.js"
            code = package(file, template.format(imports=imports, call=call))
            true, first, second, inside = [], [], [], []
            for number in range(-UNMEASURED, options.starts):
                name = f"cold-{len(rows)}-{number + UNMEASURED}"
                client.create_function(FunctionName=name, Runtime=runtime, Handler="app.handler", Role=ROLE, Timeout=30,
                                       Code={"ZipFile": code})
                request = signed_invoke(server.endpoint, name, "{}")
                time.sleep(SPARES_SECONDS)
                base = spawn_true()
                took, marks = connection.ask(request)
                again, _ = connection.ask(request)
                client.delete_function(FunctionName=name)
                if number < 0:
                    continue
                true.append(base)
                first.append(took)
                second.append(again)
                inside.append(marks)
            rows.append((title, at(first, .5), at(first, .99), at(first, .5) / at(true, .5), at(second, .5),
                         *(statistics.median(column) for column in zip(*inside))))
    finally:
        server.close()
    print("\n### Cold start, milliseconds\n")
    print("| function | first invoke p50 | p99 | times fork+exec /bin/true | second invoke | CPU: imports and clients | "
          "first call | second call |\n|---|---|---|---|---|---|---|---|")
    for title, *numbers in rows:
        print(f"| {title} | " + " | ".join(f"{x:.2f}" for x in numbers) + " |")
