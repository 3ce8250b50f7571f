"""kill -9 torture of queues: nothing acknowledged is lost, nothing deleted comes back, groups keep their order."""
import concurrent.futures
import os
import random
import tempfile
import time

import boto3
from botocore.config import Config

import virga_server

ROUNDS = int(os.environ.get("VIRGA_KILL_ROUNDS", "20"))
WORKERS = 3


def sqs(server):
    return boto3.client("sqs", endpoint_url=server.endpoint, config=Config(
        retries={"max_attempts": 0}, connect_timeout=5, read_timeout=5))


class Ledger:
    """What the server acknowledged, and what it was asked without an answer."""

    def __init__(self):
        self.sent, self.unsure, self.deleted, self.maybe_deleted = set(), set(), set(), set()


def work_until_killed(server, urls, worker, ledger, numbers):
    """Sends two messages and takes one, over and over, on a standard and on a FIFO queue."""
    client = sqs(server)
    while True:
        for kind, url in urls.items():
            for _ in range(2):
                numbers[worker] += 1
                body = f"{kind}-{worker}-{numbers[worker]:08d}"
                more = {"MessageGroupId": str(worker), "MessageDeduplicationId": body} if kind == "fifo" else {}
                try:
                    client.send_message(QueueUrl=url, MessageBody=body, **more)
                    ledger.sent.add(body)
                except Exception:  # the kill; whether it was kept is not known
                    ledger.unsure.add(body)
                    return
            message = None
            try:
                for message in client.receive_message(QueueUrl=url, VisibilityTimeout=1).get("Messages", []):
                    assert message["Body"] not in ledger.deleted, message["Body"]
                    client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                    ledger.deleted.add(message["Body"])
            except AssertionError:
                raise
            except Exception:
                if message:
                    ledger.maybe_deleted.add(message["Body"])
                return


def drain(client, url):
    """All messages left, in the order of their coming; each is deleted."""
    bodies = []
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        got = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=2).get("Messages", [])
        if not got:
            return bodies
        bodies += [m["Body"] for m in got]
        client.delete_message_batch(QueueUrl=url, Entries=[
            {"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(got)])
    raise AssertionError("the queue does not end")


def test_no_acknowledged_message_is_lost_and_none_comes_back():
    chance = random.Random(20260302)
    ledgers = [Ledger() for _ in range(WORKERS)]
    numbers = [0] * WORKERS
    with tempfile.TemporaryDirectory(prefix="virga-kill-") as data:
        for round_number in range(ROUNDS):
            server = virga_server.Server(data=data)
            server.start()
            try:
                client = sqs(server)
                urls = {"standard": client.create_queue(QueueName="kills")["QueueUrl"],
                        "fifo": client.create_queue(QueueName="kills.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]}
                with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
                    running = [pool.submit(work_until_killed, server, urls, w, ledgers[w], numbers) for w in range(WORKERS)]
                    goal = sum(numbers) + chance.randrange(20, 120)
                    deadline = time.monotonic() + 20
                    while sum(numbers) < goal and time.monotonic() < deadline:
                        concurrent.futures.wait(running, timeout=0.002)
                    server.kill()
                    for task in running:
                        task.result(30)
            finally:
                server.close()
        server = virga_server.Server(data=data)
        server.start()
        try:
            client = sqs(server)
            left = {kind: drain(client, client.get_queue_url(QueueName=name)["QueueUrl"])
                    for kind, name in (("standard", "kills"), ("fifo", "kills.fifo"))}
        finally:
            server.close()

    def together(name):
        return set().union(*(getattr(ledger, name) for ledger in ledgers))

    found = set(left["standard"]) | set(left["fifo"])
    lost = together("sent") - together("deleted") - together("maybe_deleted") - found
    assert not lost, f"acknowledged and lost: {sorted(lost)[:5]}"
    assert not found & together("deleted"), "deleted and back"
    assert found <= together("sent") | together("unsure"), "never sent"
    assert len(found) == len(left["standard"]) + len(left["fifo"]), "received twice"
    for worker in range(WORKERS):
        own = [body for body in left["fifo"] if body.startswith(f"fifo-{worker}-")]
        assert own == sorted(own), "a group out of order"
    assert together("deleted"), "some messages went through"
