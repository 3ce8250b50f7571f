"""Time to live through boto3, on a clock that the test moves."""

import json
import time
import urllib.request

import boto3
import pytest
import virga_server
from botocore.config import Config
from botocore.exceptions import ClientError

NOON = 1772366400  # 2026-03-01T12:00:00Z


def client(server):
    return boto3.client("dynamodb", endpoint_url=server.endpoint, region_name="us-east-1",
                        config=Config(retries={"max_attempts": 0}))


def clock(server, **change):
    request = urllib.request.Request(server.endpoint + "/_virga/clock", json.dumps(change).encode(), method="POST")
    urllib.request.urlopen(request, timeout=5).close()


@pytest.fixture(scope="module")
def server():
    with virga_server.Server() as one:
        yield one


def create(db, name):
    db.create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}, {"AttributeName": "g", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[{"IndexName": "by-g", "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                                 "Projection": {"ProjectionType": "ALL"}}])


def ttl(db, name, enabled=True, attribute="end"):
    return db.update_time_to_live(TableName=name, TimeToLiveSpecification={"Enabled": enabled, "AttributeName": attribute})


def put(db, name, id, end):
    db.put_item(TableName=name, Item={"id": {"S": id}, "g": {"S": "g"}, "end": end})


def ids(db, name, **more):
    return {i["id"]["S"] for i in db.scan(TableName=name, **more)["Items"]}


def wait_for(what, wanted):
    """The deletion runs beside requests: looks until it is done."""
    deadline = time.monotonic() + 20
    while what() != wanted and time.monotonic() < deadline:
        time.sleep(0.02)
    assert what() == wanted


def refusal(call, *arguments, **named):
    with pytest.raises(ClientError) as caught:
        call(*arguments, **named)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_states_and_refusals(server):
    db = client(server)
    create(db, "states")
    assert db.describe_time_to_live(TableName="states")["TimeToLiveDescription"] == {"TimeToLiveStatus": "DISABLED"}
    assert refusal(ttl, db, "states", False) == ("ValidationException", "TimeToLive is already disabled")
    assert ttl(db, "states")["TimeToLiveSpecification"] == {"Enabled": True, "AttributeName": "end"}
    assert db.describe_time_to_live(TableName="states")["TimeToLiveDescription"] == {
        "TimeToLiveStatus": "ENABLED", "AttributeName": "end"}
    assert refusal(ttl, db, "states") == ("ValidationException", "TimeToLive is already enabled")
    assert refusal(ttl, db, "states", True, "other") == (
        "ValidationException", "TimeToLive is active on a different AttributeName: current AttributeName is end")
    ttl(db, "states", False)
    ttl(db, "states", True, "other")
    assert refusal(ttl, db, "nowhere")[0] == "ResourceNotFoundException"
    assert refusal(db.describe_time_to_live, TableName="nowhere") == (
        "ResourceNotFoundException", "Requested resource not found: Table: nowhere not found")


def test_items_go_in_their_second_with_their_index_entries(server):
    db = client(server)
    clock(server, freeze="2026-03-01T12:00:00Z")
    create(db, "expiring")
    put(db, "expiring", "before", {"N": str(NOON + 10)})
    ttl(db, "expiring")
    put(db, "expiring", "soon", {"N": str(NOON + 10)})
    put(db, "expiring", "later", {"N": str(NOON + 3600)})
    put(db, "expiring", "fraction", {"N": str(NOON + 10) + ".5"})
    put(db, "expiring", "text", {"S": str(NOON + 10)})
    put(db, "expiring", "ancient", {"N": str(NOON - 6 * 365 * 86400)})
    put(db, "expiring", "moved", {"N": str(NOON + 10)})
    db.update_item(TableName="expiring", Key={"id": {"S": "moved"}}, UpdateExpression="SET #e = :e",
                   ExpressionAttributeNames={"#e": "end"}, ExpressionAttributeValues={":e": {"N": str(NOON + 3600)}})
    everything = {"before", "soon", "later", "fraction", "text", "ancient", "moved"}
    assert ids(db, "expiring") == everything
    clock(server, freeze="2026-03-01T12:00:11Z")
    left = everything - {"before", "soon", "fraction"}
    wait_for(lambda: ids(db, "expiring"), left)
    assert ids(db, "expiring", IndexName="by-g") == left
    assert db.describe_table(TableName="expiring")["Table"]["ItemCount"] == len(left)
    clock(server, freeze="2026-03-01T13:00:01Z")
    wait_for(lambda: ids(db, "expiring"), {"text", "ancient"})


def test_an_expiry_survives_a_crash():
    with virga_server.Server() as server:
        db = client(server)
        now = int(time.time())
        create(db, "kept")
        ttl(db, "kept")
        put(db, "kept", "a", {"N": str(now + 3600)})
        put(db, "kept", "b", {"N": str(now + 7200)})
        server.kill()
        server.start()
        assert ids(db, "kept") == {"a", "b"}
        clock(server, step_ms=3700 * 1000)
        wait_for(lambda: ids(db, "kept"), {"b"})


def test_with_aws_windows_a_change_keeps_others_out():
    with virga_server.Server("--lifecycle-delay", "2s") as server:
        db = client(server)
        clock(server, freeze="2026-03-01T12:00:00Z")
        create(db, "slow")
        assert refusal(db.describe_time_to_live, TableName="slow") == (
            "ValidationException",
            "Cannot describe time to live while table is in CREATING state: Current table state is CREATING")
        clock(server, freeze="2026-03-01T12:00:10Z")
        ttl(db, "slow")
        assert db.describe_time_to_live(TableName="slow")["TimeToLiveDescription"]["TimeToLiveStatus"] == "ENABLING"
        clock(server, freeze="2026-03-01T12:10:00Z")
        assert db.describe_time_to_live(TableName="slow")["TimeToLiveDescription"]["TimeToLiveStatus"] == "ENABLED"
        assert refusal(ttl, db, "slow", False) == (
            "ValidationException", "Time to live has been modified multiple times within a fixed interval")
        clock(server, freeze="2026-03-01T14:00:00Z")
        ttl(db, "slow", False)
