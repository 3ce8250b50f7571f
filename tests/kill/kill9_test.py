"""kill -9 torture over the real binary: what was acknowledged is there after every restart."""
import concurrent.futures
import os
import random
import tempfile
import time

import boto3
from botocore.config import Config

import virga_server

ROUNDS = int(os.environ.get("VIRGA_KILL_ROUNDS", "20"))
WRITERS = 4


def dynamodb(server):
    return boto3.client("dynamodb", endpoint_url=server.endpoint, config=Config(
        retries={"max_attempts": 0}, connect_timeout=5, read_timeout=5))


def write_until_killed(server, writer, acknowledged, counters):
    """Counts up in one item and puts new ones; notes only what was answered."""
    client = dynamodb(server)
    while True:
        number = counters[writer] + 1
        try:
            client.transact_write_items(TransactItems=[
                {"Put": {"TableName": "kills", "Item": {"pk": {"S": f"w{writer}"}, "sk": {"N": str(number)}}}},
                {"Put": {"TableName": "kills", "Item": {"pk": {"S": f"copy{writer}"}, "sk": {"N": str(number)}}}}])
        except Exception:  # the kill; whether this one was written is not known
            counters[writer] = number
            return
        counters[writer] = number
        acknowledged[writer].add(number)


def sort_keys(client, pk):
    found = set()
    for page in client.get_paginator("query").paginate(
            TableName="kills", KeyConditionExpression="pk = :p", ExpressionAttributeValues={":p": {"S": pk}},
            ConsistentRead=True):
        found |= {int(item["sk"]["N"]) for item in page["Items"]}
    return found


def test_no_acknowledged_write_is_lost_and_no_transaction_is_torn():
    chance = random.Random(20260301)
    acknowledged = [set() for _ in range(WRITERS)]
    counters = [0] * WRITERS
    with tempfile.TemporaryDirectory(prefix="virga-kill-") as data:
        for round_number in range(ROUNDS):
            server = virga_server.Server(data=data)
            server.start()
            try:
                client = dynamodb(server)
                if round_number == 0:
                    client.create_table(
                        TableName="kills", BillingMode="PAY_PER_REQUEST",
                        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"},
                                              {"AttributeName": "sk", "AttributeType": "N"}],
                        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"},
                                   {"AttributeName": "sk", "KeyType": "RANGE"}])
                for writer in range(WRITERS):
                    found = sort_keys(client, f"w{writer}")
                    lost = acknowledged[writer] - found
                    assert not lost, f"round {round_number}: acknowledged and lost: {sorted(lost)[:5]}"
                    assert found == sort_keys(client, f"copy{writer}"), f"round {round_number}: a torn transaction"
                with concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
                    running = [pool.submit(write_until_killed, server, w, acknowledged, counters)
                               for w in range(WRITERS)]
                    before = sum(map(len, acknowledged))
                    goal = before + chance.randrange(20, 120)
                    deadline = time.monotonic() + 20
                    while sum(map(len, acknowledged)) < goal and time.monotonic() < deadline:
                        concurrent.futures.wait(running, timeout=0.002)
                    server.kill()
                    for task in running:
                        task.result(30)
            finally:
                server.close()
    assert all(acknowledged), "every writer had acknowledged writes"
