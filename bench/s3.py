"""S3 beside nginx serving the same bytes, s3rver, PutItem, and what the disk and the digests allow: parts of run.py.

Peers that are not installed are left out and named. Rounds interleave; tables show medians, the last column what we want to reach.
"""
import hashlib
import http.client
import os
import shutil
import socket
import statistics
import subprocess
import threading
import time
import urllib.request

import boto3
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

import common
from common import virga_server

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
BUCKET = "bench"
NUMBER_PLACE = "##########"  # where `load … number=N` writes a request's running number


def signed(endpoint, method, path, body=b"", key="test", headers=None):
    """One request as bytes, signed as an SDK signs it: with its payload's SHA-256."""
    host = endpoint.split("//")[1]
    request = AWSRequest(method, endpoint + path, data=body, headers={"Host": host, **(headers or {})})
    request.context["payload_signing_enabled"] = True
    S3SigV4Auth(Credentials(key, key), "s3", "us-east-1").add_auth(request)
    head = "".join(f"{k}: {v}\r\n" for k, v in request.headers.items() if k.lower() != "content-length")
    length = f"Content-Length: {len(body)}\r\n" if method != "GET" else ""
    return f"{method} {path} HTTP/1.1\r\n{head}{length}\r\n".encode() + body


def prepared(endpoint, raw):
    """The same as urllib has it."""
    head, body = raw.split(b"\r\n\r\n", 1)
    first, *lines = head.decode().split("\r\n")
    method, path, _ = first.split(" ")
    return urllib.request.Request(endpoint + path, data=body if method != "GET" else None, method=method,
                                  headers=dict(line.split(": ", 1) for line in lines))


def send(endpoint, raw):
    urllib.request.urlopen(prepared(endpoint, raw), timeout=120).read()


def wait_for_port(port, seconds=20):
    deadline = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def ratio_table(rows):
    """Rows of (what, figure, the figure to reach or None)."""
    print("\n| what | measured | reach |\n|---|---|---|")
    for what, figure, reach in rows:
        print(f"| {what} | {figure:.2f} | {'' if reach is None else reach} |")


class Nginx:
    """One worker, files by sendfile, no log: what a static file costs at least."""

    def __init__(self, folder):
        self.port = virga_server.free_port()
        self.root = folder / "www"
        self.root.mkdir()
        config = folder / "nginx.conf"
        config.write_text(
            f"daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;\n"
            "events { worker_connections 1024; }\n"
            "http { sendfile on; tcp_nopush on; access_log off; keepalive_requests 100000000;\n"
            f"client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;"
            f" uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;\n"
            f"server {{ listen 127.0.0.1:{self.port}; root {self.root}; }} }}\n")
        os.chmod(folder, 0o755)
        self.process = subprocess.Popen(["nginx", "-e", f"{folder}/error.log", "-c", str(config)], stderr=subprocess.DEVNULL)
        wait_for_port(self.port)

    def pids(self):
        return [self.process.pid, *virga_server.descendants(self.process.pid)]

    def close(self):
        self.process.terminate()
        self.process.wait()


class S3rver:
    def __init__(self, folder):
        self.port = virga_server.free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        binary = common.ROOT / "bench" / "node_modules" / ".bin" / "s3rver"
        self.process = subprocess.Popen([str(binary), "-a", "127.0.0.1", "-p", str(self.port), "-d", str(folder / "s3rver"),
                                         "--silent", "--configure-bucket", BUCKET],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for_port(self.port)

    def pids(self):
        return [self.process.pid, *virga_server.descendants(self.process.pid)]

    def close(self):
        self.process.terminate()
        self.process.wait()


def make_bucket(server):
    send(server.endpoint, signed(server.endpoint, "PUT", f"/{BUCKET}"))


def all_pids(server):
    return [server.process.pid, *virga_server.descendants(server.process.pid)]


def ratio(rows, one, other, column):
    return statistics.median(a[column] / b[column] for a, b in zip(rows[one], rows[other]))


def bench_get(options, folder):
    """GetObject, signed, beside nginx."""
    if not shutil.which("nginx"):
        print("nginx is not installed: left out")
        return
    rows, ratios = {}, []
    with virga_server.Server() as server:
        peer = Nginx(folder)
        try:
            make_bucket(server)
            for name, size, wanted in (("4 KiB", 4 * KIB, 1.6), ("64 KiB", 64 * KIB, None), ("1 MiB", MIB, 1.15)):
                content = os.urandom(size)
                file = name.replace(" ", "-")
                (peer.root / file).write_bytes(content)
                send(server.endpoint, signed(server.endpoint, "PUT", f"/{BUCKET}/{file}", content))
                ours, theirs = folder / f"virga-{file}", folder / f"nginx-{file}"
                common.write_requests(ours, [signed(server.endpoint, "GET", f"/{BUCKET}/{file}")])
                common.write_requests(theirs, [f"GET /{file} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()])
                one, other = f"virga GetObject {name}", f"nginx {name}"
                for _ in range(options.rounds):
                    rows.setdefault(one, []).append(common.load(server.port, ours, 16, options.seconds, all_pids(server)))
                    rows.setdefault(other, []).append(common.load(peer.port, theirs, 16, options.seconds, peer.pids()))
                ratios.append((f"CPU, GetObject {name} / nginx", ratio(rows, one, other, "cpu_us"), wanted))
        finally:
            peer.close()
    common.table("S3: GetObject, 16 connections", rows)
    ratio_table(ratios)


def bench_put(options, folder):
    """Small objects, durable when answered, beside s3rver and PutItem."""
    rows, ratios = {}, []
    installed = (common.ROOT / "bench" / "node_modules" / "s3rver").exists()
    if not installed:
        print("s3rver is not installed (npm ci in bench/): left out")
    with virga_server.Server() as server:
        peer = S3rver(folder) if installed else None
        try:
            make_bucket(server)
            items = common.prepare(server.endpoint, folder, "virga")["PutItem"]
            paths = {}
            for size in (4 * KIB, 64 * KIB):
                paths[size] = folder / f"put-{size}"
                common.write_requests(paths[size], [
                    signed(server.endpoint, "PUT", f"/{BUCKET}/{i:05d}", os.urandom(size)) for i in range(512)])
            if peer:
                theirs = folder / "put-s3rver"
                common.write_requests(theirs, [
                    signed(peer.endpoint, "PUT", f"/{BUCKET}/{i:05d}", os.urandom(4 * KIB), key="S3RVER") for i in range(512)])
            for _ in range(options.rounds):
                def add(what, got):
                    rows.setdefault(what, []).append(got)
                add("virga PutObject 4 KiB", common.load(server.port, paths[4 * KIB], 64, options.seconds, all_pids(server)))
                add("virga PutItem", common.load(server.port, items, 64, options.seconds, all_pids(server)))
                add("virga PutObject 64 KiB", common.load(server.port, paths[64 * KIB], 64, options.seconds, all_pids(server)))
                if peer:
                    add("s3rver PutObject 4 KiB, not durable",
                        common.load(peer.port, theirs, 64, options.seconds, peer.pids()))
            ratios.append(("CPU, PutObject 4 KiB / PutItem",
                           ratio(rows, "virga PutObject 4 KiB", "virga PutItem", "cpu_us"), 1.3))
            if peer:
                ratios.append(("rate, PutObject 4 KiB / s3rver, at least",
                               ratio(rows, "virga PutObject 4 KiB", "s3rver PutObject 4 KiB, not durable", "per_second"), 20))
        finally:
            if peer:
                peer.close()
    common.table("S3: PutObject, durable, 64 connections", rows)
    ratio_table(ratios)


def disk_seconds(folder, content):
    """A new file of this content, synced: its bytes and its name."""
    path = folder / "disk"
    begin = time.monotonic()
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    view = memoryview(content)
    for at in range(0, len(view), MIB):
        os.write(fd, view[at:at + MIB])
    os.fdatasync(fd)
    os.close(fd)
    parent = os.open(folder, os.O_RDONLY)
    os.fsync(parent)
    os.close(parent)
    taken = time.monotonic() - begin
    path.unlink()
    return taken


def digest_seconds(content):
    begin = time.monotonic()
    hashlib.sha256(content).digest()
    hashlib.md5(content).digest()
    return time.monotonic() - begin


def bench_large(options, folder):
    """One upload of 64 MiB beside what the disk writes and what SHA-256 and MD5 one after the other take."""
    content = os.urandom(64 * MIB)
    columns = {"virga PutObject": [], "disk: write and sync": [], "SHA-256, then MD5": []}
    with virga_server.Server(data=str(folder / "data")) as server:
        make_bucket(server)
        request = prepared(server.endpoint, signed(server.endpoint, "PUT", f"/{BUCKET}/large", content))
        for _ in range(max(5, options.rounds)):
            begin = time.monotonic()
            urllib.request.urlopen(request, timeout=120).read()
            columns["virga PutObject"].append(time.monotonic() - begin)
            columns["disk: write and sync"].append(disk_seconds(folder, content))
            columns["SHA-256, then MD5"].append(digest_seconds(content))
    print("\n### S3: PutObject 64 MiB, durable, one connection\n\n| what | MB/s |\n|---|---|")
    for what, seconds in columns.items():
        print(f"| {what} | {64 * MIB / 1e6 / statistics.median(seconds):.0f} |")
    rates = [max(disk, digests) / ours for ours, disk, digests in zip(*columns.values())]
    ratio_table([("rate, PutObject / the slower of disk and digests, at least", statistics.median(rates), 0.85)])


def bench_list(options, folder):
    """ListObjectsV2, 1,000 of `--keys` keys, somewhere in the middle."""
    rows = {}
    with virga_server.Server(data=str(folder / "data")) as server:
        make_bucket(server)
        path = folder / "keys"
        template = signed(server.endpoint, "PUT", f"/{BUCKET}/photos/{NUMBER_PLACE}.jpg")  # open mode: not compared
        common.write_requests(path, [template])
        begin = time.monotonic()
        common.load(server.port, path, 256, 900, all_pids(server), f"number={options.keys}")
        print(f"{options.keys} keys in {time.monotonic() - begin:.0f} s")
        for name, query in (("all", ""), ("with a delimiter", "&delimiter=%2F&prefix=photos%2F")):
            pages = folder / name.replace(" ", "-")
            common.write_requests(pages, [
                signed(server.endpoint, "GET", f"/{BUCKET}?list-type=2{query}&start-after=photos%2F{i:010d}.jpg")
                for i in range(0, options.keys - 1000, max(1, (options.keys - 1000) // 97))])
            for _ in range(options.rounds):
                rows.setdefault(f"1,000 of {options.keys}, {name}", []).append(
                    common.load(server.port, pages, 1, options.seconds, all_pids(server)))
    common.table("S3: ListObjectsV2, one connection", rows)
    first = next(iter(rows.values()))
    ratio_table([("ms per page", statistics.median(r["p50_us"] for r in first) / 1000, 3)])


def resident_mib(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/status") as f:
            total += next((int(line.split()[1]) for line in f if line.startswith("VmRSS:")), 0)
    return total / 1024


class Peak:
    """How much more memory the processes hold meanwhile, at most, than before."""

    def __init__(self, pids):
        self.pids, self.growth, self.over = pids, 0, threading.Event()

    def __enter__(self):
        self.first = resident_mib(self.pids)
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def watch(self):
        while not self.over.wait(0.05):
            self.growth = max(self.growth, resident_mib(self.pids) - self.first)

    def __exit__(self, *exc):
        self.over.set()
        self.thread.join()


def bench_memory(options, folder):
    """What an object of `--gib` GiB, in and out, adds to the server's resident memory."""
    size, piece = int(options.gib * GIB), os.urandom(MIB)
    with virga_server.Server(data=str(folder / "data")) as server:
        make_bucket(server)
        client = boto3.client("s3", endpoint_url=server.endpoint, region_name="us-east-1", aws_access_key_id="test",
                              aws_secret_access_key="test")
        where = {"Bucket": BUCKET, "Key": "huge"}
        sent, received = hashlib.md5(), hashlib.md5()

        def pieces():
            for at in range(0, size, MIB):
                part = piece[:min(MIB, size - at)]
                sent.update(part)
                yield part

        with Peak(all_pids(server)) as peak_in:
            link = client.generate_presigned_url("put_object", where)
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
            connection.request("PUT", link.removeprefix(server.endpoint), body=pieces(), headers={"Content-Length": str(size)})
            answer = connection.getresponse()
            assert answer.status == 200, answer.read()
            assert answer.headers["ETag"] == f'"{sent.hexdigest()}"'
        with Peak(all_pids(server)) as peak_out:
            for part in client.get_object(**where)["Body"].iter_chunks(MIB):
                received.update(part)
        assert received.digest() == sent.digest()
    ratio_table([(f"MiB of memory, {options.gib:g} GiB in", peak_in.growth, 64),
                 (f"MiB of memory, {options.gib:g} GiB out", peak_out.growth, 64)])


PARTS = {"s3_get": bench_get, "s3_put": bench_put, "s3_large": bench_large}
LONG_PARTS = {"s3_list": bench_list, "s3_memory": bench_memory}
