"""What the measuring programs share: requests as an SDK signs them, the load generator, peers, tables."""
import json
import os
import pathlib
import statistics
import struct
import subprocess
import sys
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
import virga_server  # noqa: E402

from botocore.auth import SigV4Auth  # noqa: E402
from botocore.awsrequest import AWSRequest  # noqa: E402
from botocore.credentials import Credentials  # noqa: E402

LOAD = ROOT / "build" / "bench" / "load"
TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat") as f:
            fields = f.read().rsplit(") ", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICK


def signed(endpoint, target, body, service="dynamodb", prefix="DynamoDB_20120810"):
    """One JSON request as bytes, signed as an SDK signs it."""
    host = endpoint.split("//")[1]
    request = AWSRequest("POST", endpoint + "/", data=json.dumps(body), headers={
        "Host": host, "X-Amz-Target": f"{prefix}.{target}", "Content-Type": "application/x-amz-json-1.0"})
    SigV4Auth(Credentials("test", "test"), service, "us-east-1").add_auth(request)
    text = json.dumps(body)
    head = "".join(f"{k}: {v}\r\n" for k, v in request.headers.items())
    return f"POST / HTTP/1.1\r\n{head}Content-Length: {len(text)}\r\n\r\n{text}".encode()


def signed_invoke(endpoint, function, body):
    """One Invoke request as bytes, signed as an SDK signs it."""
    path = f"/2015-03-31/functions/{function}/invocations"
    request = AWSRequest("POST", endpoint + path, data=body, headers={"Host": endpoint.split("//")[1]})
    SigV4Auth(Credentials("test", "test"), "lambda", "us-east-1").add_auth(request)
    head = "".join(f"{k}: {v}\r\n" for k, v in request.headers.items())
    return f"POST {path} HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


def call(endpoint, target, body):
    raw = signed(endpoint, target, body).decode()
    head, text = raw.split("\r\n\r\n", 1)
    headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
    question = urllib.request.Request(endpoint + "/", data=text.encode(), headers=headers)
    return json.loads(urllib.request.urlopen(question, timeout=30).read() or "null")


def item(number):
    """About 300 bytes of JSON."""
    return {"pk": {"S": f"user#{number:08d}"}, "name": {"S": "Ada Lovelace"}, "age": {"N": str(number % 90)},
            "mail": {"S": f"ada{number}@example.com"}, "tags": {"SS": ["a", "b", "c"]}, "note": {"S": "x" * 120}}


def write_requests(path, requests):
    with open(path, "wb") as f:
        for r in requests:
            f.write(struct.pack("<I", len(r)) + r)


def load(port, path, connections, seconds, pids, *more):
    before = cpu_seconds(pids)
    got = subprocess.run([str(LOAD), "127.0.0.1", str(port), str(path), str(connections), str(seconds), *more],
                         capture_output=True, text=True, timeout=seconds + 60)
    if got.returncode:
        raise SystemExit(got.stdout + got.stderr)
    result = json.loads(got.stdout)
    result["cpu_us"] = (cpu_seconds(pids) - before) * 1e6 / result["requests"]
    return result


class Dynalite:
    def __init__(self):
        self.port = virga_server.free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        binary = ROOT / "bench" / "node_modules" / ".bin" / "dynalite"
        self.process = subprocess.Popen([str(binary), "--port", str(self.port), "--createTableMs", "0"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                call(self.endpoint, "ListTables", {})
                return
            except OSError:
                pass
        raise SystemExit("dynalite did not start")

    def pids(self):
        return [self.process.pid, *virga_server.descendants(self.process.pid)]

    def close(self):
        self.process.terminate()
        self.process.wait()


def prepare(endpoint, folder, name, count=8000):
    call(endpoint, "CreateTable", {"TableName": "bench", "BillingMode": "PAY_PER_REQUEST",
                                   "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                                   "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}]})
    time.sleep(1)  # a peer's table may still be creating
    paths = {}
    puts = [signed(endpoint, "PutItem", {"TableName": "bench", "Item": item(i)}) for i in range(count)]
    gets = [signed(endpoint, "GetItem", {"TableName": "bench", "Key": {"pk": item(i)["pk"]}}) for i in range(count)]
    for kind, requests in (("PutItem", puts), ("GetItem", gets)):
        paths[kind] = folder / f"{name}-{kind}"
        write_requests(paths[kind], requests)
    return paths


def table(title, rows):
    print(f"\n### {title}\n")
    print("| what | per second | CPU us per request | p50 us | p99 us |\n|---|---|---|---|---|")
    for what, results in rows.items():
        mid = {k: statistics.median(r[k] for r in results) for k in ("per_second", "cpu_us", "p50_us", "p99_us")}
        print(f"| {what} | {mid['per_second']:.0f} | {mid['cpu_us']:.1f} | {mid['p50_us']:.0f} | {mid['p99_us']:.0f} |")
