"""kill -9 over the real binary: an acknowledged object is whole after every restart, another one whole or not there."""
import concurrent.futures
import hashlib
import http.client
import os
import pathlib
import random
import tempfile
import time

import boto3
from botocore.config import Config

import virga_server

ROUNDS = int(os.environ.get("VIRGA_KILL_ROUNDS", "8"))
WRITERS = 8
SIZES = (100, 5_000, 70_000, 900_000, 1_300_000)  # in the record, in packs, in files of their own


def s3(server):
    return boto3.client("s3", endpoint_url=server.endpoint, region_name="us-east-1", aws_access_key_id="test",
                        aws_secret_access_key="test", config=Config(
                            retries={"max_attempts": 0}, connect_timeout=5, read_timeout=10, s3={"addressing_style": "path"}))


def content(key, size):
    return (hashlib.sha256(key.encode()).digest() * (size // 32 + 1))[:size]


def put_until_killed(server, writer, numbers, acknowledged):
    """New objects of all sizes, one after the other; notes only what was answered."""
    client = s3(server)
    for number in numbers:
        size = SIZES[(writer + number) % len(SIZES)] + number
        key = f"{writer}/{number:06d}-{size}"
        try:
            client.put_object(Bucket="kills", Key=key, Body=content(key, size))
        except Exception:  # the kill; whether this one was written is not known
            return
        acknowledged[writer].add(key)


def all_keys(client):
    pages = client.get_paginator("list_objects_v2").paginate(Bucket="kills")
    return {one["Key"] for page in pages for one in page.get("Contents", [])}


def test_acknowledged_objects_are_whole_and_nothing_else_is_left():
    chance = random.Random(20261123)
    acknowledged = [set() for _ in range(WRITERS)]
    with tempfile.TemporaryDirectory(prefix="virga-kill-") as data:
        for round_number in range(ROUNDS):
            server = virga_server.Server(data=data)
            server.start()
            try:
                client = s3(server)
                if round_number == 0:
                    client.create_bucket(Bucket="kills")
                found = all_keys(client)
                lost = set().union(*acknowledged) - found
                assert not lost, f"round {round_number}: acknowledged and lost: {sorted(lost)[:5]}"
                for key in found:
                    size = int(key.rsplit("-", 1)[1])
                    body = client.get_object(Bucket="kills", Key=key)["Body"].read()
                    assert body == content(key, size), f"round {round_number}: {key} is torn"
                # Uploads that the last kill cut short have left no file.
                own_files = sum(int(key.rsplit("-", 1)[1]) > 1 << 20 for key in found)
                assert len(list(pathlib.Path(data).rglob("*.blob"))) == own_files, f"round {round_number}: orphans"
                with concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
                    first = round_number * 1000
                    running = [pool.submit(put_until_killed, server, w, range(first, first + 1000), acknowledged)
                               for w in range(WRITERS)]
                    goal = sum(map(len, acknowledged)) + chance.randrange(10, 60)
                    deadline = time.monotonic() + 20
                    while sum(map(len, acknowledged)) < goal and time.monotonic() < deadline:
                        concurrent.futures.wait(running, timeout=0.002)
                    server.kill()
                    for task in running:
                        task.result(30)
            finally:
                server.close()
    assert all(acknowledged), "every writer had acknowledged objects"


def test_an_upload_cut_short_leaves_nothing():
    with tempfile.TemporaryDirectory(prefix="virga-kill-") as data:
        with virga_server.Server(data=data) as server:
            client = s3(server)
            client.create_bucket(Bucket="kills")
            link = client.generate_presigned_url("put_object", Params={"Bucket": "kills", "Key": "half"})
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
            connection.putrequest("PUT", link.removeprefix(server.endpoint))
            connection.putheader("Content-Length", str(8 << 20))
            connection.endheaders()
            connection.send(bytes(4 << 20))
            deadline = time.monotonic() + 20
            while not any(f.stat().st_size > 2 << 20 for f in pathlib.Path(data).rglob("*.blob")):
                assert time.monotonic() < deadline, "the upload does not reach the disk"
            server.kill()
            connection.close()
        assert list(pathlib.Path(data).rglob("*.blob")) != []
        with virga_server.Server(data=data) as server:
            assert all_keys(s3(server)) == set()
            assert list(pathlib.Path(data).rglob("*.blob")) == []
