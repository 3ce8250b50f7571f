#!/usr/bin/env python3
"""Measures what the README promises: rates, latencies and server CPU per request, beside peers in the same run.

usage: bench/run.py [--seconds S] [--rounds N] [part ...]     parts: dynamodb, shapes, latency, redis, sqs, start, lambda,
cold, http_api, s3_get, s3_put, s3_large (default: all of these), and ten_million, s3_list, s3_memory, which take
some minutes each
Peers that are not installed are left out and named. Rounds interleave; the table shows medians.
"""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from common import Dynalite, ROOT, cpu_seconds, load, prepare, signed, signed_invoke, table, virga_server, \
    write_requests  # noqa: E402
import cold  # noqa: E402
import dynamodb_shapes  # noqa: E402
import http_api  # noqa: E402
import s3  # noqa: E402



def bench_dynamodb(options, folder):
    rows = {}
    server = virga_server.Server().start()
    peer = Dynalite() if (ROOT / "bench" / "node_modules" / "dynalite").exists() else None
    if peer is None:
        print("dynalite is not installed (npm ci in bench/): left out")
    try:
        pids = [server.process.pid, *virga_server.descendants(server.process.pid)]
        ours = prepare(server.endpoint, folder, "virga")
        theirs = prepare(peer.endpoint, folder, "dynalite") if peer else {}
        for _ in range(options.rounds):
            for kind in ("PutItem", "GetItem"):
                for connections in (64, 256) if kind == "PutItem" else (64,):
                    rows.setdefault(f"virga {kind}, durable, {connections} connections", []).append(
                        load(server.port, ours[kind], connections, options.seconds, pids))
                if peer:
                    rows.setdefault(f"dynalite {kind}, in memory, 64 connections", []).append(
                        load(peer.port, theirs[kind], 64, options.seconds, peer.pids()))
    finally:
        server.close()
        if peer:
            peer.close()
    table("DynamoDB", rows)


def bench_redis(options, folder):
    if not shutil.which("redis-server"):
        print("redis-server is not installed: left out")
        return
    port = virga_server.free_port()
    process = subprocess.Popen(["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder),
                                "--appendonly", "yes", "--appendfsync", "always", "--save", ""],
                               stdout=subprocess.DEVNULL)
    server = virga_server.Server().start()
    rows = {}
    try:
        pids = [server.process.pid, *virga_server.descendants(server.process.pid)]
        ours = prepare(server.endpoint, folder, "virga-redis")
        for _ in range(options.rounds):
            for connections in (64, 256):
                rows.setdefault(f"virga PutItem, signed, durable, {connections} connections", []).append(
                    load(server.port, ours["PutItem"], connections, options.seconds, pids))
                before = cpu_seconds([process.pid])
                count = 30_000
                got = subprocess.run(["redis-benchmark", "-p", str(port), "-c", str(connections), "-n", str(count), "-d", "300",
                                      "-r", "100000", "-t", "set", "--csv"], capture_output=True, text=True, timeout=120)
                fields = [f.strip('"') for f in got.stdout.splitlines()[-1].split(",")]
                rows.setdefault(f"redis SET 300 B, appendfsync always, {connections} connections", []).append({
                    "per_second": float(fields[1]), "cpu_us": (cpu_seconds([process.pid]) - before) * 1e6 / count,
                    "p50_us": float(fields[4]) * 1000, "p99_us": float(fields[6]) * 1000})
    finally:
        server.close()
        process.terminate()
        process.wait()
    table("Durable writes beside Redis", rows)


RECEIPT_SIZE = 48  # of Virga's receipt handles


def bench_sqs(options, folder):
    """Cycles of SendMessage, ReceiveMessage, DeleteMessage over one queue, each answered when it is on disk."""
    import boto3
    rows = {}
    server = virga_server.Server().start()
    try:
        client = boto3.client("sqs", endpoint_url=server.endpoint, region_name="us-east-1", aws_access_key_id="test",
                              aws_secret_access_key="test")
        url = client.create_queue(QueueName="bench")["QueueUrl"]
        steps = [("SendMessage", {"MessageBody": "x" * 200}), ("ReceiveMessage", {}),
                 ("DeleteMessage", {"ReceiptHandle": "@" * RECEIPT_SIZE})]
        path = folder / "sqs"
        write_requests(path, [signed(server.endpoint, name, {"QueueUrl": url, **more}, "sqs", "AmazonSQS")
                              for name, more in steps])
        pids = [server.process.pid, *virga_server.descendants(server.process.pid)]
        for _ in range(options.rounds):
            for connections in (64, 256):
                got = load(server.port, path, connections, options.seconds, pids, "cycle")
                rows.setdefault(f"virga send, receive, delete; {connections} connections", []).append(got)
    finally:
        server.close()
    table("SQS, calls of whole cycles, durable", rows)


def bench_start(options, folder):
    def rss(pid):
        with open(f"/proc/{pid}/status") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS:")) / 1024

    first, memory = [], []
    for _ in range(max(5, options.rounds)):
        server = virga_server.Server()
        begin = time.monotonic()
        server.start()
        server.get("/_virga/health")
        first.append((time.monotonic() - begin) * 1000)
        memory.append({p: rss(p) for p in [server.process.pid, *virga_server.descendants(server.process.pid)]})
        server.close()
    binary = shutil.copy(virga_server.BINARY, folder / "virga")
    subprocess.run(["strip", str(binary)], check=True)
    largest = statistics.median(max(m.values()) for m in memory)
    print("\n### Start\n\n| what | measured |\n|---|---|")
    print(f"| process start to first answer, empty store, median | {statistics.median(first):.1f} ms |")
    print(f"| resident memory of the server process, idle | {largest:.1f} MB |")
    print(f"| all processes, idle | {statistics.median(sum(m.values()) for m in memory):.1f} MB |")
    print(f"| stripped binary | {os.path.getsize(binary) / 1e6:.1f} MB |")


FUNCTIONS = {
    "python3.12": ("app.py", "def handler(event, context):\n    return {'statusCode': 200, 'body': event['name']}\n"),
    "nodejs20.x": ("app.js", "exports.handler = async (event) => ({statusCode: 200, body: event.name});\n"),
}


def bench_lambda(options, folder):
    """Warm Invoke through HTTP and SigV4. CPU: of the server process alone, without sandboxes."""
    import boto3
    import io
    import zipfile
    rows = {}
    server = virga_server.Server().start()
    try:
        client = boto3.client("lambda", endpoint_url=server.endpoint, region_name="us-east-1",
                              aws_access_key_id="test", aws_secret_access_key="test")
        # The supervisor's children: the server and the launcher, which names itself.
        pid = next(p for p in virga_server.children(server.process.pid)
                   if pathlib.Path(f"/proc/{p}/comm").read_text() == "virga\n")
        for runtime, (file, source) in FUNCTIONS.items():
            name = "bench-" + runtime.replace(".", "-")
            data = io.BytesIO()
            with zipfile.ZipFile(data, "w") as package:
                package.writestr(file, source)
            client.create_function(FunctionName=name, Runtime=runtime, Handler="app.handler",
                                   Role="arn:aws:iam::000000000000:role/r", Code={"ZipFile": data.getvalue()})
            client.invoke(FunctionName=name, Payload=b'{"name": "Ada"}')
            path = folder / name
            write_requests(path, [signed_invoke(server.endpoint, name, json.dumps({"name": f"Ada {i}"})) for i in range(2000)])
            for _ in range(options.rounds):
                for connections in (1, 4, 16):
                    rows.setdefault(f"Invoke {runtime}, {connections} connections", []).append(
                        load(server.port, path, connections, options.seconds, [pid]))
    finally:
        server.close()
    table("Warm Invoke", rows)


PARTS = {"dynamodb": bench_dynamodb, "shapes": dynamodb_shapes.bench_shapes, "latency": dynamodb_shapes.bench_latency,
         "redis": bench_redis, "sqs": bench_sqs, "start": bench_start, "lambda": bench_lambda, "cold": cold.bench_cold,
         "http_api": http_api.bench_http_api, **s3.PARTS}

# Minutes each: only when named.
LONG_PARTS = {"ten_million": dynamodb_shapes.bench_ten_million, **s3.LONG_PARTS}

def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--starts", type=int, default=100, help="of each function of cold")
    parser.add_argument("--function", default="", help="of cold: only those whose title has this text")
    parser.add_argument("--keys", type=int, default=1_000_000, help="in the bucket that s3_list lists")
    parser.add_argument("--gib", type=float, default=5, help="of the object of s3_memory")
    parser.add_argument("parts", nargs="*", choices=[*PARTS, *LONG_PARTS, []])
    options = parser.parse_args()
    for part in options.parts or PARTS:
        with tempfile.TemporaryDirectory(prefix="virga-bench-") as folder:
            (PARTS | LONG_PARTS)[part](options, pathlib.Path(folder))


if __name__ == "__main__":
    main()
