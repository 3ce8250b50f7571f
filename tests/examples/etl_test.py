"""examples/etl, deployed with the unmodified AWS CLI: every file that was taken has exactly one result, kill -9 or not."""
import json
import os
import subprocess
import tempfile
import threading
import time

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

import virga_server

DEPLOY = virga_server.ROOT / "examples" / "etl" / "deploy.sh"
WAIT_S = 90


def deploy(server):
    got = subprocess.run([str(DEPLOY)], env={**os.environ, "ENDPOINT": server.endpoint}, text=True, capture_output=True,
                         timeout=300)
    assert got.returncode == 0, got.stderr[-3000:] + server.log_text()[-3000:]
    return got.stdout.splitlines()[-1].split()


class Etl:
    def __init__(self, server):
        self.server = server
        self.inbox, self.reports = deploy(server)
        config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}, connect_timeout=5, read_timeout=30)
        self.s3 = boto3.client("s3", endpoint_url=server.endpoint, config=config)
        self.table = boto3.resource("dynamodb", endpoint_url=server.endpoint).Table("etl")

    def put(self, name, amounts):
        body = "customer,amount\n" + "".join(f"c{i},{a}\n" for i, a in enumerate(amounts))
        self.s3.put_object(Bucket=self.inbox, Key="in/" + name, Body=body.encode())

    def summaries(self):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.reports, Prefix="summaries/")
        return {o["Key"].removeprefix("summaries/").removesuffix(".json") for p in pages for o in p.get("Contents", [])}

    def wait_for(self, names):
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end:
            if names <= self.summaries():
                return
            time.sleep(0.1)
        raise AssertionError(f"no result for {sorted(names - self.summaries())}: {self.server.log_text()[-3000:]}")

    def summary(self, name):
        return json.loads(self.s3.get_object(Bucket=self.reports, Key=f"summaries/{name}.json")["Body"].read())

    def rows(self, name):
        from boto3.dynamodb.conditions import Key
        return self.table.query(KeyConditionExpression=Key("file").eq("in/" + name))["Items"]


@pytest.fixture(scope="module")
def etl():
    with tempfile.TemporaryDirectory(prefix="virga-etl-") as data:
        server = virga_server.Server(data=data)
        server.start()
        try:
            yield Etl(server)
        finally:
            server.close()


def test_a_file_becomes_items_and_a_summary(etl):
    etl.put("first file+1.csv", [1, 2.5])
    etl.wait_for({"first file+1.csv"})
    assert etl.summary("first file+1.csv") == {"file": "in/first file+1.csv", "rows": 2, "total": "3.5"}
    assert [(int(r["line"]), r["customer"]) for r in etl.rows("first file+1.csv")] == [(1, "c0"), (2, "c1")]


def test_what_the_filter_leaves_out_is_left_alone(etl):
    etl.s3.put_object(Bucket=etl.inbox, Key="in/readme.txt", Body=b"x")
    etl.s3.put_object(Bucket=etl.inbox, Key="elsewhere/a.csv", Body=b"customer,amount\nc,1\n")
    etl.put("last.csv", [1])
    etl.wait_for({"last.csv"})
    assert not {"readme.txt", "elsewhere/a.csv"} & etl.summaries()


def test_deploying_again_updates_the_code(etl):
    assert deploy(etl.server) == [etl.inbox, etl.reports]
    etl.put("again.csv", [7])
    etl.wait_for({"again.csv"})


def test_every_file_has_one_result_across_kill_9(etl):
    taken = set()

    def put_all(prefix):
        for i in range(30):
            name = f"{prefix}-{i}.csv"
            try:
                etl.put(name, [i, 1])
            except (ClientError, BotoCoreError):
                return  # the server is gone; what was not answered may be there or not
            taken.add(name)

    for round_number in range(3):
        writer = threading.Thread(target=put_all, args=(f"r{round_number}",))
        writer.start()
        enough = len(taken) + 5
        while writer.is_alive() and len(taken) < enough:
            time.sleep(0.01)
        etl.server.kill()
        writer.join()
        etl.server.start()
    etl.put("end.csv", [0])
    etl.wait_for(taken | {"end.csv"})
    for name in taken:
        number = int(name.split("-")[1].removesuffix(".csv"))
        assert etl.summary(name) == {"file": "in/" + name, "rows": 2, "total": str(number + 1)}
        assert len(etl.rows(name)) == 2
