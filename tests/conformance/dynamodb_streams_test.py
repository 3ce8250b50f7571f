"""DynamoDB Streams through boto3."""

import re
import time
import uuid

import boto3
import pytest
import virga_server
from botocore.config import Config
from botocore.exceptions import ClientError


def clients(endpoint):
    options = dict(endpoint_url=endpoint, region_name="us-east-1", config=Config(retries={"max_attempts": 0}))
    return boto3.client("dynamodb", **options), boto3.client("dynamodbstreams", **options)


@pytest.fixture(scope="module")
def both(endpoint):
    return clients(endpoint)


def create(db, view="NEW_AND_OLD_IMAGES"):
    name = "s-" + uuid.uuid4().hex[:12]
    made = db.create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "N"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": view})["TableDescription"]
    assert made["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": view}
    assert made["LatestStreamArn"] == made["TableArn"] + "/stream/" + made["LatestStreamLabel"]
    return name, made["LatestStreamArn"]


def read(streams, arn):
    out = []
    for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
        iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"],
                                              ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        while iterator:
            got = streams.get_records(ShardIterator=iterator)
            out += got["Records"]
            iterator = got.get("NextShardIterator") if got["Records"] else None
    return out


def refusal(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_records_are_as_aws_documents_them(both):
    db, streams = both
    name, arn = create(db)
    db.put_item(TableName=name, Item={"id": {"N": "101"}, "Message": {"S": "New item!"}})
    db.update_item(TableName=name, Key={"id": {"N": "101"}}, UpdateExpression="SET Message = :m",
                   ExpressionAttributeValues={":m": {"S": "This item has changed"}})
    db.update_item(TableName=name, Key={"id": {"N": "101"}}, UpdateExpression="SET Message = :m",
                   ExpressionAttributeValues={":m": {"S": "This item has changed"}})
    db.delete_item(TableName=name, Key={"id": {"N": "101"}})
    records = read(streams, arn)
    assert [r["eventName"] for r in records] == ["INSERT", "MODIFY", "REMOVE"]
    # The sizes of the Developer Guide's example.
    assert [r["dynamodb"]["SizeBytes"] for r in records] == [26, 59, 38]
    for r in records:
        assert re.fullmatch("[0-9a-f]{32}", r["eventID"])
        assert (r["eventVersion"], r["eventSource"], r["awsRegion"]) == ("1.1", "aws:dynamodb", "us-east-1")
        assert r["dynamodb"]["Keys"] == {"id": {"N": "101"}}
        assert re.fullmatch("[0-9]{21,40}", r["dynamodb"]["SequenceNumber"])
        assert r["dynamodb"]["ApproximateCreationDateTime"].microsecond == 0
        assert "userIdentity" not in r
    assert records[1]["dynamodb"]["OldImage"]["Message"] == {"S": "New item!"}
    assert "OldImage" not in records[0]["dynamodb"] and "NewImage" not in records[2]["dynamodb"]
    numbers = [int(r["dynamodb"]["SequenceNumber"]) for r in records]
    assert numbers == sorted(set(numbers))


def test_transactions_and_batches_are_recorded_item_by_item(both):
    db, streams = both
    name, arn = create(db, "KEYS_ONLY")
    db.batch_write_item(RequestItems={name: [{"PutRequest": {"Item": {"id": {"N": str(i)}}}} for i in range(3)]})
    db.transact_write_items(TransactItems=[
        {"Put": {"TableName": name, "Item": {"id": {"N": "7"}}}},
        {"Delete": {"TableName": name, "Key": {"id": {"N": "1"}}}},
        {"ConditionCheck": {"TableName": name, "Key": {"id": {"N": "2"}}, "ConditionExpression": "attribute_exists(id)"}}])
    with pytest.raises(ClientError):
        db.transact_write_items(TransactItems=[
            {"Put": {"TableName": name, "Item": {"id": {"N": "8"}}}},
            {"ConditionCheck": {"TableName": name, "Key": {"id": {"N": "9"}},
                                "ConditionExpression": "attribute_exists(id)"}}])
    records = read(streams, arn)
    got = [(r["eventName"], r["dynamodb"]["Keys"]["id"]["N"]) for r in records]
    assert sorted(got[:3]) == [("INSERT", "0"), ("INSERT", "1"), ("INSERT", "2")]
    assert sorted(got[3:]) == [("INSERT", "7"), ("REMOVE", "1")]
    assert all("NewImage" not in r["dynamodb"] for r in records)


def test_enable_disable_and_what_stays(both):
    db, streams = both
    name, arn = create(db)
    db.put_item(TableName=name, Item={"id": {"N": "1"}})
    again = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert refusal(db.update_table, TableName=name, StreamSpecification=again) == (
        "ValidationException", f"Table already has an enabled stream: TableName: {name}")
    db.update_table(TableName=name, StreamSpecification={"StreamEnabled": False})
    table = db.describe_table(TableName=name)["Table"]
    assert "StreamSpecification" not in table and table["LatestStreamArn"] == arn
    assert refusal(db.update_table, TableName=name, StreamSpecification={"StreamEnabled": False}) == (
        "ValidationException", f"Table has no stream to disable: TableName: {name}")
    assert streams.describe_stream(StreamArn=arn)["StreamDescription"]["StreamStatus"] == "DISABLED"
    assert len(read(streams, arn)) == 1
    db.update_table(TableName=name, StreamSpecification=again)
    newer = db.describe_table(TableName=name)["Table"]["LatestStreamArn"]
    assert newer != arn
    listed = streams.list_streams(TableName=name)["Streams"]
    assert [s["StreamArn"] for s in listed] == [arn, newer]
    page = streams.list_streams(TableName=name, Limit=1)
    assert page["LastEvaluatedStreamArn"] == arn
    db.delete_table(TableName=name)
    description = streams.describe_stream(StreamArn=newer)["StreamDescription"]
    assert description["StreamStatus"] == "DISABLED" and description["TableName"] == name
    assert description["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}]
    assert len(read(streams, arn)) == 1


def test_refusals(both):
    db, streams = both
    name, arn = create(db)
    missing = arn[:-1] + ("1" if arn[-1] != "1" else "2")
    assert refusal(streams.describe_stream, StreamArn=missing) == (
        "ResourceNotFoundException", f"Requested resource not found: Stream: {missing} not found")
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    other = shard[:-8] + "00000000"
    assert refusal(streams.get_shard_iterator, StreamArn=arn, ShardId=other,
                   ShardIteratorType="LATEST")[0] == "ResourceNotFoundException"
    assert refusal(streams.get_records, ShardIterator="x" * 30)[0] == "ValidationException"
    assert refusal(streams.get_shard_iterator, StreamArn=arn, ShardId=shard,
                   ShardIteratorType="SOMEWHERE")[0] == "ValidationException"
    assert refusal(db.create_table, TableName=name + "x", BillingMode="PAY_PER_REQUEST",
                   AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "N"}],
                   KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                   StreamSpecification={"StreamEnabled": True})[1].endswith(
                       "Table is being created with a stream enabled, UpdateViewType is required")


def test_order_per_key_and_places_survive_a_restart():
    with virga_server.Server() as server:
        db, streams = clients(server.endpoint)
        name, arn = create(db)
        for i in range(5):
            db.put_item(TableName=name, Item={"id": {"N": "1"}, "v": {"N": str(i)}})
        shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
        iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        page = streams.get_records(ShardIterator=iterator, Limit=3)
        assert len(page["Records"]) == 3
        server.kill()
        server.start()
        for i in range(5, 8):
            db.put_item(TableName=name, Item={"id": {"N": "1"}, "v": {"N": str(i)}})
        rest = streams.get_records(ShardIterator=page["NextShardIterator"])["Records"]
        assert [r["dynamodb"]["NewImage"]["v"]["N"] for r in rest] == ["3", "4", "5", "6", "7"]


def test_expiries_are_the_services_own(both):
    db, streams = both
    name, arn = create(db)
    db.update_time_to_live(TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "end"})
    db.put_item(TableName=name, Item={"id": {"N": "1"}, "end": {"N": str(int(time.time()) - 10)}})
    deadline = time.monotonic() + 20
    while len(records := read(streams, arn)) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert records[1]["eventName"] == "REMOVE"
    assert records[1]["userIdentity"] == {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}
    assert records[1]["dynamodb"]["OldImage"]["end"] == records[0]["dynamodb"]["NewImage"]["end"]
