"""Tables of DynamoDB: what CreateTable and UpdateTable refuse and keep, indexes that come and go, and what deployment tools
read of each table.

Sources: DynamoDB API Reference (CreateTable, UpdateTable, PutResourcePolicy), Developer Guide ("Quotas", "Managing global
secondary indexes"), answers of the service as its users report them."""
import json
import uuid

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

import virga_server
from dynamodb_http import call, post, refusal

V = "ValidationException"
INVALID = "One or more parameter values were invalid: "
A1, AB = {"a": "S"}, {"a": "S", "b": "S"}
ONE = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}


def attributes(types):
    return [{"AttributeName": n, "AttributeType": t} for n, t in types.items()]


def keys(*names, types=("HASH", "RANGE")):
    return [{"AttributeName": n, "KeyType": t} for n, t in zip(names, types)]


def units(read, write):
    return {"ReadCapacityUnits": read, "WriteCapacityUnits": write}


def index(name="idx", key=None, **more):
    return {"IndexName": name, "KeySchema": key or keys("b"), "Projection": {"ProjectionType": "ALL"}, **more}


def table_of(types=None, **more):
    body = {"TableName": "t-" + uuid.uuid4().hex[:10], "AttributeDefinitions": attributes(types or A1), "KeySchema": keys("a"),
            "BillingMode": "PAY_PER_REQUEST", **more}
    return {k: v for k, v in body.items() if v is not None}


RANGE = dict(types={"a": "S", "r": "S", "b": "S"}, KeySchema=keys("a", "r"))
LOCAL = keys("a", "b")
REFUSED = [
    (table_of(BillingMode=None),
     INVALID + "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED"),
    (table_of(ProvisionedThroughput=ONE),
     INVALID + "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"),
    (table_of(BillingMode=None, ProvisionedThroughput=units(10**13, 1)),
     "Given value 10000000000000 for ReadCapacityUnits is out of bounds"),
    (table_of(AttributeDefinitions=attributes({"a": "X"})),
     "1 validation error detected: Value 'X' at 'attributeDefinitions.1.member.attributeType' failed to satisfy constraint: "
     "Member must satisfy enum value set: [B, N, S]"),
    (table_of(AttributeDefinitions=attributes({"a": "S"}) * 2), "Attribute Name is duplicated: a"),
    (table_of(AB), INVALID + "Number of attributes in KeySchema does not exactly match number of attributes defined in "
     "AttributeDefinitions"),
    (table_of({"b": "S"}), INVALID + "Some index key attributes are not defined in AttributeDefinitions. Keys: [a], "
     "AttributeDefinitions: [b]"),
    (table_of(KeySchema=keys("a", types=["RANGE"])), "Invalid KeySchema: The first KeySchemaElement is not a HASH key type"),
    (table_of(AB, KeySchema=keys("a", "b", types=["HASH", "HASH"])),
     "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type"),
    (table_of(AB, KeySchema=keys("a", "b", "b", types=["HASH", "RANGE", "RANGE"])),
     "1 validation error detected: Value '[KeySchemaElement(attributeName=a, keyType=HASH), KeySchemaElement(attributeName=b, "
     "keyType=RANGE), KeySchemaElement(attributeName=b, keyType=RANGE)]' at 'keySchema' failed to satisfy constraint: Member "
     "must have length less than or equal to 2"),
    (table_of(LocalSecondaryIndexes=[]), INVALID + "List of LocalSecondaryIndexes is empty"),
    (table_of(GlobalSecondaryIndexes=[]), INVALID + "List of GlobalSecondaryIndexes is empty"),
    (table_of(AB, LocalSecondaryIndexes=[index(key=LOCAL)]),
     INVALID + "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex"),
    (table_of(**RANGE, LocalSecondaryIndexes=[index(key=keys("a"))]),
     INVALID + "Index KeySchema does not have a range key for index: idx"),
    (table_of(**RANGE, LocalSecondaryIndexes=[index(key=keys("b", "a"))]),
     INVALID + "Index KeySchema does not have the same leading hash key as table KeySchema for index: idx. index hash key: b, "
     "table hash key: a"),
    (table_of(**RANGE, LocalSecondaryIndexes=[index(key=LOCAL), index(key=LOCAL)]), INVALID + "Duplicate index name: idx"),
    (table_of(**RANGE, LocalSecondaryIndexes=[index(f"idx{i}", LOCAL) for i in range(6)]),
     INVALID + "Number of LocalSecondaryIndexes exceeds per-table limit of 5"),
    (table_of(AB, GlobalSecondaryIndexes=[index(), index()]), INVALID + "Duplicate index name: idx"),
    (table_of(AB, GlobalSecondaryIndexes=[index(f"idx{i}") for i in range(21)]),
     INVALID + "GlobalSecondaryIndex count exceeds the per-table limit of 20"),
    (table_of(AB, GlobalSecondaryIndexes=[index(Projection={})]), INVALID + "Unknown ProjectionType: null"),
    (table_of(AB, GlobalSecondaryIndexes=[index(Projection={"ProjectionType": "ALL", "NonKeyAttributes": ["x"]})]),
     INVALID + "ProjectionType is ALL, but NonKeyAttributes is specified"),
    (table_of(AB, GlobalSecondaryIndexes=[index(Projection={"ProjectionType": "INCLUDE"})]),
     INVALID + "ProjectionType is INCLUDE, but NonKeyAttributes is not specified"),
    (table_of(AB, GlobalSecondaryIndexes=[index(ProvisionedThroughput=ONE)]),
     INVALID + "ProvisionedThroughput should not be specified for index: idx when BillingMode is PAY_PER_REQUEST"),
    (table_of(AB, BillingMode=None, ProvisionedThroughput=ONE, GlobalSecondaryIndexes=[index()]),
     INVALID + "ProvisionedThroughput is not specified for index: idx"),
    (table_of({**AB, "x": "S"}, GlobalSecondaryIndexes=[index()]),
     INVALID + "Some AttributeDefinitions are not used. AttributeDefinitions: [a, b, x], keys used: [a, b]"),
    (table_of(TableName="ab"), "1 validation error detected: Value 'ab' at 'tableName' failed to satisfy constraint: Member "
     "must have length greater than or equal to 3"),
]


@pytest.mark.parametrize("body,message", REFUSED, ids=[str(i) for i in range(len(REFUSED))])
def test_tables_that_create_table_refuses(endpoint, body, message):
    assert refusal(endpoint, "CreateTable", body) == (V, message)


@pytest.fixture
def made(endpoint):
    """Makes tables and drops them."""
    names = []

    def make(**body):
        description = call(endpoint, "CreateTable", **table_of(**body))["TableDescription"]
        names.append(description["TableName"])
        return description

    yield make
    for name in names:
        call(endpoint, "UpdateTable", TableName=name, DeletionProtectionEnabled=False)
        call(endpoint, "DeleteTable", TableName=name)


def described(endpoint, name):
    return call(endpoint, "DescribeTable", TableName=name)["Table"]


def test_the_settings_of_a_table_come_back(endpoint, made):
    name = made(types=AB, GlobalSecondaryIndexes=[index(OnDemandThroughput={"MaxReadRequestUnits": 5})],
                OnDemandThroughput={"MaxReadRequestUnits": 10, "MaxWriteRequestUnits": 20},
                WarmThroughput={"ReadUnitsPerSecond": 15000}, SSESpecification={"Enabled": True, "SSEType": "KMS"},
                TableClass="STANDARD_INFREQUENT_ACCESS", DeletionProtectionEnabled=True)["TableName"]
    table = described(endpoint, name)
    assert table["OnDemandThroughput"] == {"MaxReadRequestUnits": 10, "MaxWriteRequestUnits": 20}
    assert table["WarmThroughput"] == {"ReadUnitsPerSecond": 15000, "WriteUnitsPerSecond": 4000, "Status": "ACTIVE"}
    assert table["SSEDescription"]["Status"] == "ENABLED" and table["SSEDescription"]["SSEType"] == "KMS"
    assert table["SSEDescription"]["KMSMasterKeyArn"].startswith("arn:aws:kms:us-east-1:000000000000:key/")
    assert table["TableClassSummary"]["TableClass"] == "STANDARD_INFREQUENT_ACCESS"
    assert table["DeletionProtectionEnabled"] is True
    assert table["ProvisionedThroughput"] == {"NumberOfDecreasesToday": 0, "ReadCapacityUnits": 0, "WriteCapacityUnits": 0}
    found, = table["GlobalSecondaryIndexes"]
    assert found["OnDemandThroughput"] == {"MaxReadRequestUnits": 5}
    assert found["IndexArn"] == table["TableArn"] + "/index/idx"
    assert refusal(endpoint, "DeleteTable", {"TableName": name}) == (
        V, "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.")
    assert refusal(endpoint, "UpdateTable", {"TableName": name, "WarmThroughput": {"ReadUnitsPerSecond": 14000}}) == (
        V, INVALID + "Requested ReadUnitsPerSecond for WarmThroughput for table is lower than current WarmThroughput, "
        "decreasing WarmThroughput is not supported")


def test_encryption_settings_that_are_refused(endpoint, made):
    name = made()["TableName"]
    for wrong, message in (({"SSEType": "AES256"}, "SSEType AES256 is not supported"),
                           ({"KMSMasterKeyId": "alias/mine"}, "SSEType KMS is required if KMSMasterKeyId is specified"),
                           ({"Enabled": False, "SSEType": "KMS"}, "SSEType can not be specified if Enabled is false"),
                           ({"Enabled": False, "KMSMasterKeyId": "x"}, "KMSMasterKeyId can not be specified if Enabled is false")):
        encryption = {"Enabled": True, **wrong}
        assert refusal(endpoint, "CreateTable", table_of(SSESpecification=encryption)) == (V, INVALID + message)
        assert refusal(endpoint, "UpdateTable", {"TableName": name, "SSESpecification": encryption}) == (V, INVALID + message)
    for unchanged in ({}, {"Enabled": False}):
        assert refusal(endpoint, "UpdateTable", {"TableName": name, "SSESpecification": unchanged}) == (
            V, INVALID + "Table is already encrypted by default")


def test_changes_that_stand_alone(endpoint, made):
    name = made()["TableName"]
    alone = " must be the only operation in the request"
    for body, message in (
            ({"SSESpecification": {"Enabled": True}, "DeletionProtectionEnabled": True}, "Server-Side Encryption modification" + alone),
            ({"TableClass": "STANDARD", "DeletionProtectionEnabled": True}, "TableClass modification" + alone),
            ({"DeletionProtectionEnabled": True, "BillingMode": "PAY_PER_REQUEST"}, "DeletionProtection modification" + alone),
            ({"WarmThroughput": {"ReadUnitsPerSecond": 13000}, "BillingMode": "PAY_PER_REQUEST"}, "WarmThroughput" + alone),
            ({"OnDemandThroughput": {"MaxReadRequestUnits": 1}, "StreamSpecification": {"StreamEnabled": False}},
             "OnDemandThroughput can only be combined with BillingMode in an UpdateTable request"),
            ({"BillingMode": "PAY_PER_REQUEST", "GlobalSecondaryIndexUpdates": []}, "List of GlobalSecondaryIndexUpdates is empty"),
            ({"GlobalSecondaryIndexUpdates": [{"Create": index(), "Delete": {"IndexName": "idx"}}]},
             "Only one global secondary index action is allowed per GlobalSecondaryIndexUpdate object")):
        assert refusal(endpoint, "UpdateTable", {"TableName": name, **body}) == (V, INVALID + message)
    for nothing in ({}, {"GlobalSecondaryIndexUpdates": []}, {"AttributeDefinitions": attributes(A1)}):
        assert refusal(endpoint, "UpdateTable", {"TableName": name, **nothing}) == (
            V, "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates, "
            "SSESpecification, ReplicaUpdates, MultiAccountReplicaReady, ReplicaTransitRoleArn, MultiRegionConsistency, "
            "DeletionProtectionEnabled, OnDemandThroughput, WarmThroughput or TableClass is required")


def test_maximums_of_on_demand_tables_merge(endpoint, made):
    name = made()["TableName"]

    def update(**limits):
        shown = call(endpoint, "UpdateTable", TableName=name, OnDemandThroughput=limits)["TableDescription"]
        assert shown["TableStatus"] == "ACTIVE"
        return shown.get("OnDemandThroughput"), described(endpoint, name).get("OnDemandThroughput")

    both = {"MaxReadRequestUnits": 1000, "MaxWriteRequestUnits": 500}
    assert update(**both) == (both, both)
    assert update(MaxReadRequestUnits=2000)[1] == {"MaxReadRequestUnits": 2000, "MaxWriteRequestUnits": 500}
    assert update(MaxReadRequestUnits=-1) == ({"MaxReadRequestUnits": -1, "MaxWriteRequestUnits": 500}, {"MaxWriteRequestUnits": 500})
    assert update(MaxWriteRequestUnits=-1) == ({"MaxWriteRequestUnits": -1}, None)
    message = "Requested MaxWriteRequestUnits for OnDemandThroughput for table is outside of valid range"
    for wrong in (0, -2):
        assert refusal(endpoint, "UpdateTable", {"TableName": name, "OnDemandThroughput": {"MaxWriteRequestUnits": wrong}}) == (
            V, INVALID + message)
    for wrong in (0, -1):
        assert refusal(endpoint, "CreateTable", table_of(OnDemandThroughput={"MaxWriteRequestUnits": wrong})) == (V, INVALID + message)
    provisioned = dict(BillingMode=None, ProvisionedThroughput=ONE)
    assert refusal(endpoint, "CreateTable", table_of(OnDemandThroughput={"MaxReadRequestUnits": 5}, **provisioned)) == (
        V, INVALID + "MaxReadRequestUnits for OnDemandThroughput cannot be specified when table BillingMode is PROVISIONED.")
    assert refusal(endpoint, "UpdateTable", {"TableName": made(**provisioned)["TableName"],
                                             "OnDemandThroughput": {"MaxReadRequestUnits": 5}}) == (
        V, INVALID + "MaxReadRequestUnits for OnDemandThroughput cannot be specified when the table BillingMode is PROVISIONED")


def test_warm_throughput_in_answers(endpoint, made):
    assert "WarmThroughput" not in made()
    assert made(WarmThroughput={"ReadUnitsPerSecond": 12001})["WarmThroughput"] == {
        "ReadUnitsPerSecond": 12001, "WriteUnitsPerSecond": 4000, "Status": "UPDATING"}
    head = INVALID + "Requested ReadUnitsPerSecond for WarmThroughput for table is lower than "
    cold = {"ReadUnitsPerSecond": 1, "WriteUnitsPerSecond": 1}
    assert refusal(endpoint, "CreateTable", table_of(WarmThroughput=cold)) == (
        V, head + "initial throughput for OnDemand. See: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/"
        "on-demand-capacity-mode.html#on-demand-capacity-mode-initial")
    assert refusal(endpoint, "CreateTable", table_of(BillingMode=None, ProvisionedThroughput=units(9, 9), WarmThroughput=cold)) == (
        V, head + "ReadCapacityUnits of ProvisionedThroughput")
    name = made(BillingMode=None, ProvisionedThroughput=units(3, 3))["TableName"]
    call(endpoint, "UpdateTable", TableName=name, ProvisionedThroughput=units(1, 1))
    assert described(endpoint, name)["WarmThroughput"] == {"ReadUnitsPerSecond": 3, "WriteUnitsPerSecond": 3, "Status": "ACTIVE"}
    call(endpoint, "UpdateTable", TableName=name, BillingMode="PAY_PER_REQUEST")
    call(endpoint, "UpdateTable", TableName=name, BillingMode="PROVISIONED", ProvisionedThroughput=ONE)
    table = described(endpoint, name)
    assert table["WarmThroughput"]["ReadUnitsPerSecond"] == 12000
    assert {"BillingMode", "LastUpdateToPayPerRequestDateTime"} == set(table["BillingModeSummary"])


def test_throughput_past_the_quota(endpoint, made):
    name = made(BillingMode=None, ProvisionedThroughput=ONE)["TableName"]
    message = ("The requested {}, 40001, is above the per table maximum for the account in us-east-1. Per table maximum: 40000. Refer "
               "to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits.")
    too_much = table_of(BillingMode=None, ProvisionedThroughput=units(40001, 1))
    assert refusal(endpoint, "CreateTable", too_much) == ("LimitExceededException", message.format("ReadCapacityUnits"))
    assert refusal(endpoint, "UpdateTable", {"TableName": name, "ProvisionedThroughput": units(1, 40001)}) == (
        "LimitExceededException", message.format("WriteCapacityUnits"))


def test_tags_that_are_refused(endpoint, made):
    arn = made()["TableArn"]
    for tags, message in (
            ([("aws:x", "")], "Tag Key cannot be prefixed with aws:, Key: aws:x"),
            ([("x", "1"), ("x", "2")], "Duplicate Tag Keys provided as input: Duplicate Tag Key found x"),
            ([("a,b", "")], "The Tag Key provided is invalid, Key: a,b"),
            ([("a", "50%")], "The Tag Value provided is invalid, Value: 50%"),
            ([(str(i), "") for i in range(51)], "Number of Tags exceed the current limit for the provided ResourceArn")):
        listed = [{"Key": k, "Value": v} for k, v in tags]
        assert refusal(endpoint, "TagResource", {"ResourceArn": arn, "Tags": listed}) == (V, message)
        assert refusal(endpoint, "CreateTable", table_of(Tags=listed)) == (V, message)
    call(endpoint, "TagResource", ResourceArn=arn, Tags=[{"Key": "ä b+-=._:/@1", "Value": "ok"}])
    assert refusal(endpoint, "TagResource", {"ResourceArn": arn, "Tags": [{"Key": str(i), "Value": ""} for i in range(50)]}) == (
        V, "Number of Tags exceed the current limit for the provided ResourceArn")
    for wrong, message in (
            ("xxx", INVALID + "ARNs must start with 'arn:': xxx"),
            ("arn:aws:s3:::x", INVALID + "Provided Arn is not a DynamoDB resource arn: arn:aws:s3:::x"),
            (arn + "/index/i", INVALID + "Invalid resource arn provided, only table or stream is accepted. Provided resource arn: "
             f"{arn}/index/i"),
            (arn.replace("us-east-1", "eu-west-1"),
             "Invalid TableArn: Invalid ResourceArn provided as input " + arn.replace("us-east-1", "eu-west-1"))):
        assert refusal(endpoint, "ListTagsOfResource", {"ResourceArn": wrong}) == (V, message)


def test_a_table_has_at_most_twenty_global_indexes(endpoint, made):
    indexes = [index(f"idx-{i}") for i in range(21)]
    message = "GlobalSecondaryIndex count exceeds the per-table limit of 20"
    assert refusal(endpoint, "CreateTable", table_of(AB, GlobalSecondaryIndexes=indexes)) == (V, INVALID + message)
    name = made(types=AB, GlobalSecondaryIndexes=indexes[:20])["TableName"]
    assert refusal(endpoint, "UpdateTable", {"TableName": name, "AttributeDefinitions": attributes(AB),
                                             "GlobalSecondaryIndexUpdates": [{"Create": indexes[20]}]}) == (
        "LimitExceededException", "Subscriber limit exceeded: Number of global secondary indexes exceeds per-table limit of 20")


def test_throughput_counts_its_decreases(endpoint, made):
    name = made(BillingMode=None, ProvisionedThroughput=units(6, 6))["TableName"]
    assert refusal(endpoint, "UpdateTable", {"TableName": name, "ProvisionedThroughput": units(6, 6)}) == (
        V, "The provisioned throughput for the table will not change. The requested value equals the current value. Current "
        "ReadCapacityUnits provisioned for the table: 6. Requested ReadCapacityUnits: 6. Current WriteCapacityUnits provisioned "
        "for the table: 6. Requested WriteCapacityUnits: 6. Refer to the Amazon DynamoDB Developer Guide for current limits and "
        "how to request higher limits.")
    for read in (5, 4, 3, 2):
        shown = call(endpoint, "UpdateTable", TableName=name, ProvisionedThroughput=units(read, 6))["TableDescription"]
        # The answer still has what was before.
        assert shown["TableStatus"] == "UPDATING" and shown["ProvisionedThroughput"]["NumberOfDecreasesToday"] == 5 - read
        assert shown["ProvisionedThroughput"]["ReadCapacityUnits"] == read + 1
        assert described(endpoint, name)["ProvisionedThroughput"]["NumberOfDecreasesToday"] == 6 - read
    code, message = refusal(endpoint, "UpdateTable", {"TableName": name, "ProvisionedThroughput": units(1, 6)})
    assert code == "LimitExceededException" and message.startswith(
        "Subscriber limit exceeded: Provisioned throughput decreases are limited within a given UTC day. After the first 4 "
        "decreases, each subsequent decrease in the same UTC day can be performed at most once every 3600 seconds. Number of "
        "decreases today: 4. Last decrease at ")
    call(endpoint, "UpdateTable", TableName=name, ProvisionedThroughput=units(9, 9))
    table = described(endpoint, name)
    assert table["TableStatus"] == "ACTIVE" and table["ProvisionedThroughput"]["ReadCapacityUnits"] == 9
    assert {"LastIncreaseDateTime", "LastDecreaseDateTime"} <= set(table["ProvisionedThroughput"])


def test_billing_modes_change_with_their_indexes(endpoint, made):
    name = made(types=AB, GlobalSecondaryIndexes=[index()])["TableName"]

    def update(**body):
        return refusal(endpoint, "UpdateTable", {"TableName": name, **body})

    assert update(BillingMode="PROVISIONED") == (
        V, INVALID + "ProvisionedThroughput must be specified when BillingMode is PROVISIONED")
    assert update(BillingMode="PROVISIONED", ProvisionedThroughput=ONE) == (
        V, INVALID + "ProvisionedThroughput must be specified for index: idx")
    throughput = {"IndexName": "idx", "ProvisionedThroughput": units(2, 2)}
    assert update(GlobalSecondaryIndexUpdates=[{"Update": throughput}]) == (
        V, INVALID + "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for index: idx when BillingMode is "
        "PAY_PER_REQUEST")
    call(endpoint, "UpdateTable", TableName=name, BillingMode="PROVISIONED", ProvisionedThroughput=ONE,
         GlobalSecondaryIndexUpdates=[{"Update": throughput}])
    table = described(endpoint, name)
    assert table["BillingModeSummary"]["BillingMode"] == "PROVISIONED"
    assert table["GlobalSecondaryIndexes"][0]["ProvisionedThroughput"]["ReadCapacityUnits"] == 2
    call(endpoint, "UpdateTable", TableName=name, BillingMode="PAY_PER_REQUEST")
    table = described(endpoint, name)
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert table["GlobalSecondaryIndexes"][0]["ProvisionedThroughput"]["ReadCapacityUnits"] == 0


def test_indexes_come_and_go(endpoint, made):
    name = made()["TableName"]
    for n in range(3):
        call(endpoint, "PutItem", TableName=name, Item={"a": {"S": str(n)}, "b": {"S": "x"}} if n else {"a": {"S": "0"}})

    def update(*updates, types=None):
        body = {"TableName": name, "GlobalSecondaryIndexUpdates": list(updates)}
        if types:
            body["AttributeDefinitions"] = attributes(types)
        return body

    create = {"Create": index()}
    assert refusal(endpoint, "UpdateTable", update(create)) == (
        V, INVALID + "AttributeDefinitions is not specified for index: idx")
    assert refusal(endpoint, "UpdateTable", update(create, types={"a": "S"})) == (
        V, INVALID + "Some index key attributes are not defined in AttributeDefinitions. Keys: [b], AttributeDefinitions: [a]")
    assert refusal(endpoint, "UpdateTable", update(create, types={"b": "S", "c": "S"})) == (
        V, INVALID + "Some AttributeDefinitions are not used. AttributeDefinitions: [b, c], keys used: [b]")
    assert refusal(endpoint, "UpdateTable", update({})) == (
        V, INVALID + "One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, "
        "GlobalSecondaryIndexUpdate.Delete must not be null")
    assert refusal(endpoint, "UpdateTable", update({"Delete": {"IndexName": "nope"}})) == (
        "ResourceNotFoundException", "Requested resource not found")
    assert refusal(endpoint, "UpdateTable", update(create, {"Create": index("other")}, types={"b": "S"})) == (
        "LimitExceededException",
        "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table")
    shown = call(endpoint, "UpdateTable", **update(create, types={"b": "S"}))["TableDescription"]
    assert shown["ItemCount"] == 3
    assert [(i["IndexStatus"], i["Backfilling"]) for i in shown["GlobalSecondaryIndexes"]] == [("CREATING", False)]
    found, = described(endpoint, name)["GlobalSecondaryIndexes"]
    assert found["IndexStatus"] == "ACTIVE" and found["ItemCount"] == 2
    assert call(endpoint, "Scan", TableName=name, IndexName="idx")["Count"] == 2
    assert refusal(endpoint, "UpdateTable", update(create, types={"b": "S"})) == (
        V, "Attempting to create an index which already exists")
    shown = call(endpoint, "UpdateTable", **update({"Delete": {"IndexName": "idx"}}))["TableDescription"]
    assert [i["IndexStatus"] for i in shown["GlobalSecondaryIndexes"]] == ["DELETING"]
    table = described(endpoint, name)
    assert "GlobalSecondaryIndexes" not in table and table["AttributeDefinitions"] == attributes(A1)


def test_keys_of_several_attributes(endpoint, made):
    types = {"a": "S", "h1": "S", "h2": "N", "r1": "S", "r2": "N"}
    key = keys("h1", "h2", "r1", "r2", types=["HASH", "HASH", "RANGE", "RANGE"])
    name = made(types=types, GlobalSecondaryIndexes=[index(key=key)])["TableName"]
    for n in range(6):
        call(endpoint, "PutItem", TableName=name, Item={"a": {"S": f"i{n}"}, "h1": {"S": "x"}, "h2": {"N": "1"},
                                                        "r1": {"S": "even" if n % 2 == 0 else "odd"}, "r2": {"N": str(n)}})
    call(endpoint, "PutItem", TableName=name, Item={"a": {"S": "sparse"}, "h1": {"S": "x"}, "h2": {"N": "1"}, "r1": {"S": "odd"}})

    def query(condition, **more):
        values = {":h1": {"S": "x"}, ":h2": {"N": "1"}, ":r1": {"S": "odd"}, ":r2": {"N": "3"}}
        return {"TableName": name, "IndexName": "idx", "KeyConditionExpression": condition,
                "ExpressionAttributeValues": {k: v for k, v in values.items() if k in condition}, **more}

    def found(condition, **more):
        return [i["a"]["S"] for i in call(endpoint, "Query", **query(condition, **more))["Items"]]

    both = "h1 = :h1 AND h2 = :h2"
    assert found(both) == ["i0", "i2", "i4", "i1", "i3", "i5"]
    assert found(both, ScanIndexForward=False) == ["i5", "i3", "i1", "i4", "i2", "i0"]
    assert found(both + " AND r1 = :r1 AND r2 >= :r2") == ["i3", "i5"]
    page = call(endpoint, "Query", **query(both, Limit=4))
    assert set(page["LastEvaluatedKey"]) == set(types)
    assert found(both, ExclusiveStartKey=page["LastEvaluatedKey"]) == ["i3", "i5"]
    assert refusal(endpoint, "Query", query("h1 = :h1")) == (V, "Query condition missed key schema element: h2")
    assert refusal(endpoint, "Query", query(both + " AND r2 = :r2")) == (V, "Query condition missed key schema element: r1")
    assert refusal(endpoint, "Query", query(both + " AND r1 > :r1 AND r2 = :r2")) == (V, "Query key condition not supported")


def test_resource_policies_have_revisions(endpoint, made):
    arn = made()["TableArn"]
    missing = ("PolicyNotFoundException", "Resource-based policy not found for the provided ResourceArn")
    policy = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "dynamodb:GetItem", "Resource": arn}]})
    assert refusal(endpoint, "GetResourcePolicy", {"ResourceArn": arn}) == missing
    first = call(endpoint, "PutResourcePolicy", ResourceArn=arn, Policy=policy, ExpectedRevisionId="NO_POLICY")["RevisionId"]
    assert call(endpoint, "PutResourcePolicy", ResourceArn=arn, Policy=policy)["RevisionId"] == first
    assert call(endpoint, "GetResourcePolicy", ResourceArn=arn) == {"Policy": policy, "RevisionId": first}
    for wrong in ("NO_POLICY", "1"):
        assert refusal(endpoint, "PutResourcePolicy",
                       {"ResourceArn": arn, "Policy": policy + " ", "ExpectedRevisionId": wrong}) == missing
    second = call(endpoint, "PutResourcePolicy", ResourceArn=arn, Policy=policy + " ", ExpectedRevisionId=first)["RevisionId"]
    assert second != first
    assert call(endpoint, "DeleteResourcePolicy", ResourceArn=arn)["RevisionId"] == second
    assert call(endpoint, "DeleteResourcePolicy", ResourceArn=arn)["RevisionId"] == ""
    for wrong, message in (("{", "Invalid policy document: This policy contains invalid Json"),
                           (policy + " " * 20480, "Maximum policy size of 20480 bytes exceeded")):
        assert refusal(endpoint, "PutResourcePolicy", {"ResourceArn": arn, "Policy": wrong}) == (V, INVALID + message)
    assert refusal(endpoint, "PutResourcePolicy", {"ResourceArn": arn + "-no", "Policy": policy}) == (
        "ResourceNotFoundException", f"Requested resource not found: ResourcArn: {arn}-no not found")


def test_strict_mode_weighs_a_tables_policy(tmp_path):
    from strict_test import ACCOUNT, ADMIN, CONFIG  # its accounts and keys

    (tmp_path / "virga.json").write_text(json.dumps(CONFIG))
    with virga_server.Server("--memory", "--auth", "strict", "--account-id", ACCOUNT,
                             env={"VIRGA_CONFIG": str(tmp_path / "virga.json")}) as server:
        def signed(key, operation, **body):
            request = AWSRequest("POST", server.endpoint + "/", {
                "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810." + operation}, json.dumps(body))
            SigV4Auth(Credentials(key["id"], key["secret"]), "dynamodb", "us-east-1").add_auth(request)
            status, _, text = post(server.endpoint, operation, request.body, dict(request.headers))
            return status, json.loads(text)

        iam = boto3.client("iam", endpoint_url=server.endpoint, region_name="us-east-1", aws_access_key_id=ADMIN["id"],
                           aws_secret_access_key=ADMIN["secret"])
        user = iam.create_user(UserName="reader")["User"]["Arn"]
        made = iam.create_access_key(UserName="reader")["AccessKey"]
        reader = {"id": made["AccessKeyId"], "secret": made["SecretAccessKey"]}
        body = table_of()
        status, answer = signed(ADMIN, "CreateTable", **body)
        assert status == 200, answer
        arn = answer["TableDescription"]["TableArn"]
        get = {"TableName": body["TableName"], "Key": {"a": {"S": "x"}}}
        status, answer = signed(reader, "GetItem", **get)
        assert status == 400 and answer["__type"].endswith("#AccessDeniedException")
        policy = {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": user}, "Action": "dynamodb:GetItem", "Resource": arn}]}
        assert signed(ADMIN, "PutResourcePolicy", ResourceArn=arn, Policy=json.dumps(policy))[0] == 200
        assert signed(reader, "GetItem", **get) == (200, {})
        assert signed(reader, "PutItem", TableName=body["TableName"], Item=get["Key"])[0] == 400


def test_what_deployment_tools_read_of_every_table(endpoint, made):
    table = made()
    name = table["TableName"]
    assert call(endpoint, "DescribeContributorInsights", TableName=name)["ContributorInsightsStatus"] == "DISABLED"
    assert call(endpoint, "ListContributorInsights")["ContributorInsightsSummaries"] == []
    assert call(endpoint, "DescribeKinesisStreamingDestination", TableName=name) == {
        "TableName": name, "KinesisDataStreamDestinations": []}
    assert call(endpoint, "ListTagsOfResource", ResourceArn=table["TableArn"])["Tags"] == []
    assert call(endpoint, "DescribeTimeToLive", TableName=name)["TimeToLiveDescription"]["TimeToLiveStatus"] == "DISABLED"
    assert call(endpoint, "ListGlobalTables") == {"GlobalTables": []}
    for operation in ("DescribeGlobalTable", "DescribeGlobalTableSettings"):
        assert refusal(endpoint, operation, {"GlobalTableName": name}) == (
            "GlobalTableNotFoundException", f"Global table with name: '{name}' does not exist.")
    assert call(endpoint, "DescribeLimits")["TableMaxReadCapacityUnits"] == 40000
    for operation in ("DescribeContributorInsights", "DescribeKinesisStreamingDestination", "DescribeTable", "DeleteTable"):
        assert refusal(endpoint, operation, {"TableName": "no-such-table"}) == (
            "ResourceNotFoundException", "Requested resource not found: Table: no-such-table not found")


def test_tags(endpoint, made):
    arn = made(Tags=[{"Key": "k", "Value": "v"}])["TableArn"]
    call(endpoint, "TagResource", ResourceArn=arn, Tags=[{"Key": "k", "Value": "w"}, {"Key": "l", "Value": ""}])
    call(endpoint, "UntagResource", ResourceArn=arn, TagKeys=["absent"])
    assert call(endpoint, "ListTagsOfResource", ResourceArn=arn)["Tags"] == [{"Key": "k", "Value": "w"}, {"Key": "l", "Value": ""}]
    assert refusal(endpoint, "TagResource", {"ResourceArn": arn, "Tags": []})[0] == V
    assert refusal(endpoint, "TagResource", {"ResourceArn": arn, "Tags": [{"Key": "aws:x", "Value": ""}]})[0] == V
    assert refusal(endpoint, "ListTagsOfResource", {"ResourceArn": arn + "-no"}) == (
        "ResourceNotFoundException", f"Requested resource not found: ResourcArn: {arn}-no not found")


def test_windows_of_the_lifecycle(tmp_path):
    with virga_server.Server("--memory", "--lifecycle-delay", "60s") as server:
        body = table_of()
        name = body["TableName"]
        call(server.endpoint, "CreateTable", **body)
        assert described(server.endpoint, name)["TableStatus"] == "CREATING"
        assert refusal(server.endpoint, "PutItem", {"TableName": name, "Item": {"a": {"S": "x"}}}) == (
            "ResourceNotFoundException", "Requested resource not found")
        assert refusal(server.endpoint, "DeleteTable", {"TableName": name}) == (
            "ResourceInUseException",
            f"Attempt to change a resource which is still in use: Table is being created: {name}")
        assert refusal(server.endpoint, "CreateTable", body) == ("ResourceInUseException", f"Table already exists: {name}")
