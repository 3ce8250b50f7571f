"""DynamoDB through boto3: what an unmodified SDK sees. Any boto3 from Debian's 1.26 on."""

import threading
import uuid
from decimal import Decimal

import boto3
import pytest
from boto3.dynamodb.conditions import Attr, Key
from botocore.config import Config
from botocore.exceptions import ClientError


@pytest.fixture(scope="module")
def options(endpoint):
    return dict(endpoint_url=endpoint, region_name="us-east-1", config=Config(retries={"max_attempts": 0}))


@pytest.fixture(scope="module")
def client(options):
    return boto3.client("dynamodb", **options)


@pytest.fixture(scope="module")
def resource(options):
    return boto3.resource("dynamodb", **options)


@pytest.fixture
def table(client, resource):
    """A table of S hash key id and N range key r with an index on g, deleted afterwards."""
    name = "t-" + uuid.uuid4().hex[:12]
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}, {"AttributeName": "r", "AttributeType": "N"},
                              {"AttributeName": "g", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "r", "KeyType": "RANGE"}],
        GlobalSecondaryIndexes=[{"IndexName": "by-g", "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                                 "Projection": {"ProjectionType": "ALL"}}],
    )
    client.get_waiter("table_exists").wait(TableName=name)
    yield resource.Table(name)
    client.delete_table(TableName=name)


def refusal(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_every_type_comes_back_as_it_went(table):
    item = {
        "id": "types", "r": Decimal("1"), "text": "ünïcode \u2028 \"quoted\"", "number": Decimal("-1.5E-10"),
        "bytes": b"\x00\xff", "yes": True, "nothing": None, "list": [1, "two", [Decimal("3.5")]],
        "map": {"nested": {"deep": [{"x": "y"}]}}, "strings": {"a", "b"}, "numbers": {Decimal(1), Decimal("2.5")},
        "binaries": {b"a", b"b"}, "empty": "",
    }
    table.put_item(Item=item)
    got = table.get_item(Key={"id": "types", "r": 1}, ConsistentRead=True)["Item"]
    assert got["bytes"].value == b"\x00\xff"
    assert {b.value for b in got.pop("binaries")} == item.pop("binaries")
    got["bytes"] = got["bytes"].value
    assert got == item


def test_a_condition_that_fails_is_its_own_exception(client, table):
    table.put_item(Item={"id": "1", "r": 1}, ConditionExpression=Attr("id").not_exists())
    with pytest.raises(client.exceptions.ConditionalCheckFailedException) as caught:
        table.put_item(Item={"id": "1", "r": 1}, ConditionExpression=Attr("id").not_exists())
    assert caught.value.response["Error"]["Message"] == "The conditional request failed"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_counters_do_not_lose_updates(options, table):
    def add():
        mine = boto3.resource("dynamodb", **options).Table(table.name)
        for _ in range(25):
            mine.update_item(Key={"id": "counter", "r": 0}, UpdateExpression="ADD hits :one",
                             ExpressionAttributeValues={":one": 1})
    threads = [threading.Thread(target=add) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert table.get_item(Key={"id": "counter", "r": 0})["Item"]["hits"] == 100


def test_update_returns_what_is_asked_for(table):
    table.put_item(Item={"id": "u", "r": 0, "a": {"b": [1, 2, 3]}, "c": 1})
    got = table.update_item(Key={"id": "u", "r": 0}, UpdateExpression="SET a.b[1] = :x, c = c + :one REMOVE a.b[0]",
                            ExpressionAttributeValues={":x": "two", ":one": 1}, ReturnValues="ALL_NEW")
    assert got["Attributes"]["a"] == {"b": ["two", 3]}
    assert got["Attributes"]["c"] == 2
    old = table.update_item(Key={"id": "u", "r": 0}, UpdateExpression="SET c = :x", ExpressionAttributeValues={":x": 9},
                            ReturnValues="UPDATED_OLD")
    assert old["Attributes"] == {"c": 2}


def test_query_pages_and_orders(table):
    with table.batch_writer() as batch:
        for n in range(60):
            batch.put_item(Item={"id": "q", "r": n - 30, "g": "even" if n % 2 == 0 else "odd"})
    seen, start = [], {}
    while True:
        page = table.query(KeyConditionExpression=Key("id").eq("q") & Key("r").between(-10, 10), Limit=7,
                           ScanIndexForward=False, **start)
        seen += [int(i["r"]) for i in page["Items"]]
        if "LastEvaluatedKey" not in page:
            break
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    assert seen == list(range(10, -11, -1))
    odd = table.query(IndexName="by-g", KeyConditionExpression=Key("g").eq("odd"))
    assert odd["Count"] == 30
    filtered = table.query(KeyConditionExpression=Key("id").eq("q"), FilterExpression=Attr("g").eq("odd") & Attr("r2").not_exists())
    assert (filtered["Count"], filtered["ScannedCount"]) == (30, 60)


def test_scan_segments_cover_the_table_once(client, table):
    with table.batch_writer() as batch:
        for n in range(80):
            batch.put_item(Item={"id": f"s{n}", "r": 1})
    found = []
    for segment in range(4):
        pages = client.get_paginator("scan").paginate(TableName=table.name, Segment=segment, TotalSegments=4,
                                                      PaginationConfig={"PageSize": 9})
        for page in pages:
            found += [i["id"]["S"] for i in page["Items"]]
    assert len(found) == 80 and len(set(found)) == 80


def test_transactions_are_all_or_nothing(client, table):
    put = {"Put": {"TableName": table.name, "Item": {"id": {"S": "t1"}, "r": {"N": "1"}}}}
    check = {"ConditionCheck": {"TableName": table.name, "Key": {"id": {"S": "t2"}, "r": {"N": "1"}},
                                "ConditionExpression": "attribute_exists(id)"}}
    with pytest.raises(client.exceptions.TransactionCanceledException) as caught:
        client.transact_write_items(TransactItems=[put, check])
    assert [r["Code"] for r in caught.value.response["CancellationReasons"]] == ["None", "ConditionalCheckFailed"]
    assert "Item" not in table.get_item(Key={"id": "t1", "r": 1})
    client.transact_write_items(TransactItems=[put])
    got = client.transact_get_items(TransactItems=[{"Get": {"TableName": table.name, "Key": put["Put"]["Item"]}}])
    assert got["Responses"][0]["Item"]["id"] == {"S": "t1"}


def test_batches(client, table):
    requests = [{"PutRequest": {"Item": {"id": {"S": f"b{n}"}, "r": {"N": "0"}}}} for n in range(25)]
    assert client.batch_write_item(RequestItems={table.name: requests})["UnprocessedItems"] == {}
    keys = [{"id": {"S": f"b{n}"}, "r": {"N": "0"}} for n in range(30)]
    got = client.batch_get_item(RequestItems={table.name: {"Keys": keys, "ConsistentRead": True}}, ReturnConsumedCapacity="TOTAL")
    assert len(got["Responses"][table.name]) == 25
    assert got["ConsumedCapacity"][0]["CapacityUnits"] == 30


def test_capacity_is_told(client, table):
    key = {"id": {"S": "cap"}, "r": {"N": "0"}}
    put = client.put_item(TableName=table.name, Item={**key, "g": {"S": "x"}, "v": {"S": "x" * 2000}},
                          ReturnConsumedCapacity="INDEXES")["ConsumedCapacity"]
    assert put["CapacityUnits"] == 4 and put["Table"]["CapacityUnits"] == 2
    assert put["GlobalSecondaryIndexes"]["by-g"]["CapacityUnits"] == 2
    get = client.get_item(TableName=table.name, Key=key, ReturnConsumedCapacity="TOTAL")["ConsumedCapacity"]
    assert get == {"TableName": table.name, "CapacityUnits": 0.5}


def test_refusals_have_awss_words(client, table):
    assert refusal(client.get_item, TableName="no-such-table", Key={"id": {"S": "1"}}) == (
        "ResourceNotFoundException", "Requested resource not found")
    assert refusal(client.describe_table, TableName="no-such-table") == (
        "ResourceNotFoundException", "Requested resource not found: Table: no-such-table not found")
    assert refusal(client.get_item, TableName=table.name, Key={"id": {"S": "1"}}) == (
        "ValidationException", "The provided key element does not match the schema")
    assert refusal(client.put_item, TableName=table.name, Item={"id": {"S": "1"}}) == (
        "ValidationException", "One or more parameter values were invalid: Missing the key r in the item")
    item = {"id": {"S": "1"}, "r": {"N": "1"}}
    assert refusal(client.put_item, TableName=table.name, Item={**item, "n": {"N": "abc"}}) == (
        "ValidationException", "The parameter cannot be converted to a numeric value: abc")
    assert refusal(client.put_item, TableName=table.name, Item={**item, "s": {"SS": []}}) == (
        "ValidationException", "One or more parameter values were invalid: An string set  may not be empty")
    assert refusal(client.put_item, TableName=table.name, Item=item, ConditionExpression="size(a)") == (
        "ValidationException", "Invalid ConditionExpression: The function is not allowed to be used this way in an "
        "expression; function: size")
    assert refusal(client.update_item, TableName=table.name, Key=item, UpdateExpression="SET id = :x",
                   ExpressionAttributeValues={":x": {"S": "2"}}) == (
        "ValidationException", "One or more parameter values were invalid: Cannot update attribute id. This attribute is part "
        "of the key")
    assert refusal(client.put_item, TableName=table.name, Item=item, ConditionExpression="#a = :b",
                   ExpressionAttributeNames={"#a": "x", "#c": "y"}, ExpressionAttributeValues={":b": {"S": "z"}}) == (
        "ValidationException", "Value provided in ExpressionAttributeNames unused in expressions: keys: {#c}")


def test_several_violations_share_one_message(client, table):
    code, message = refusal(client.put_item, TableName=table.name, Item={"id": {"S": "1"}, "r": {"N": "1"}},
                            ReturnValues="HI", ReturnConsumedCapacity="THERE")
    assert code == "ValidationException"
    assert message.startswith("2 validation errors detected: ")
    assert "Member must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]" in message
    assert "Member must satisfy enum value set: [INDEXES, TOTAL, NONE]" in message


def test_tables_are_described_tagged_and_listed(client, table):
    described = client.describe_table(TableName=table.name)["Table"]
    assert described["TableStatus"] == "ACTIVE"
    assert described["ProvisionedThroughput"]["ReadCapacityUnits"] == 0
    assert described["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    table.put_item(Item={"id": "1", "r": 1})
    assert client.describe_table(TableName=table.name)["Table"]["ItemCount"] == 1
    client.tag_resource(ResourceArn=described["TableArn"], Tags=[{"Key": "team", "Value": "blue"}])
    assert client.list_tags_of_resource(ResourceArn=described["TableArn"])["Tags"] == [{"Key": "team", "Value": "blue"}]
    client.untag_resource(ResourceArn=described["TableArn"], TagKeys=["team"])
    assert client.list_tags_of_resource(ResourceArn=described["TableArn"])["Tags"] == []
    names = [n for p in client.get_paginator("list_tables").paginate(PaginationConfig={"PageSize": 1}) for n in p["TableNames"]]
    assert table.name in names and names == sorted(names)
    assert client.describe_time_to_live(TableName=table.name)["TimeToLiveDescription"] == {"TimeToLiveStatus": "DISABLED"}
    backups = client.describe_continuous_backups(TableName=table.name)["ContinuousBackupsDescription"]
    assert backups["ContinuousBackupsStatus"] == "ENABLED"


def test_an_index_can_be_added_and_dropped(client, table):
    for n in range(5):
        table.put_item(Item={"id": f"i{n}", "r": 1, "h": "same"})
    client.update_table(
        TableName=table.name, AttributeDefinitions=[{"AttributeName": "h", "AttributeType": "S"}],
        GlobalSecondaryIndexUpdates=[{"Create": {"IndexName": "by-h", "KeySchema": [{"AttributeName": "h", "KeyType": "HASH"}],
                                                 "Projection": {"ProjectionType": "KEYS_ONLY"}}}])
    indexes = client.describe_table(TableName=table.name)["Table"]["GlobalSecondaryIndexes"]
    assert {i["IndexName"]: i["IndexStatus"] for i in indexes} == {"by-g": "ACTIVE", "by-h": "ACTIVE"}
    assert table.query(IndexName="by-h", KeyConditionExpression=Key("h").eq("same"))["Count"] == 5
    client.update_table(TableName=table.name, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by-h"}}])
    assert refusal(table.query, IndexName="by-h", KeyConditionExpression=Key("h").eq("same"))[1] == (
        "The table does not have the specified index: by-h")


def test_legacy_parameters_still_work(client, table):
    key = {"id": {"S": "old"}, "r": {"N": "1"}}
    client.put_item(TableName=table.name, Item={**key, "n": {"N": "1"}}, Expected={"id": {"Exists": False}})
    client.update_item(TableName=table.name, Key=key, AttributeUpdates={"n": {"Action": "ADD", "Value": {"N": "2"}}},
                       Expected={"n": {"ComparisonOperator": "LT", "AttributeValueList": [{"N": "2"}]}})
    got = client.query(TableName=table.name, KeyConditions={"id": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "old"}]}},
                       QueryFilter={"n": {"ComparisonOperator": "GE", "AttributeValueList": [{"N": "3"}]}},
                       AttributesToGet=["n"])
    assert got["Items"] == [{"n": {"N": "3"}}]
