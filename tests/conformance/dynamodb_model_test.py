"""Every operation of DynamoDB and its Streams, held against the model: what is missing, wrongly typed or out of bounds is
refused and named; a good request's answer has the model's members, types and values and no others.

Operations that are not there yet answer NotImplemented naming themselves, whatever they are sent."""
import json
import pathlib
import re
import uuid

import pytest

from dynamodb_http import post

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVICES = {name: json.loads((ROOT / "models" / f"{name}.json").read_text()) for name in ("dynamodb", "dynamodbstreams")}
# Limits that the service tells in its own words: see tests/conformance/dynamodb_refusals_test.py.
OWN_LIMITS = set(json.loads((ROOT / "models/overlays/dynamodb.json").read_text())["own_limits"])
OPERATIONS = [(service, operation) for service, model in SERVICES.items() for operation in model["operations"]]
LONGEST = 70_000  # no longer text is sent to pass a bound


def send(endpoint, service, operation, body):
    status, _, text = post(endpoint, operation, body, {"X-Amz-Target": f"{SERVICES[service]['target_prefix']}.{operation}"})
    return status, json.loads(text) if text else {}


def code_of(answer):
    return answer["__type"].split("#")[-1]


def message_of(answer):
    return answer.get("message", answer.get("Message", ""))


def lower(name):
    return name[0].lower() + name[1:]


def shape_of(service, name):
    return SERVICES[service]["shapes"].get(name, {"type": name})


def input_shape(service, operation):
    return shape_of(service, SERVICES[service]["operations"][operation].get("input") or "structure")


@pytest.fixture(scope="module")
def names(endpoint):
    """A table with an item, a stream, a local and a global index; what the requests below speak of."""
    table = "model-" + uuid.uuid4().hex[:8]
    status, made = send(endpoint, "dynamodb", "CreateTable", {
        "TableName": table, "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": n, "AttributeType": "S"} for n in "ab"],
        "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}, {"AttributeName": "b", "KeyType": "RANGE"}],
        "LocalSecondaryIndexes": [{"IndexName": "local", "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"},
                                                                       {"AttributeName": "b", "KeyType": "RANGE"}],
                                   "Projection": {"ProjectionType": "ALL"}}],
        "GlobalSecondaryIndexes": [{"IndexName": "global", "KeySchema": [{"AttributeName": "b", "KeyType": "HASH"}],
                                    "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["c"]}}],
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        "Tags": [{"Key": "k", "Value": "v"}]})
    assert status == 200, made
    item = {"a": {"S": "1"}, "b": {"S": "2"}, "c": {"L": [{"N": "1"}, {"M": {"d": {"SS": ["x"]}}}]}, "e": {"B": "AA=="}}
    assert send(endpoint, "dynamodb", "PutItem", {"TableName": table, "Item": item})[0] == 200
    arn = made["TableDescription"]["TableArn"]
    stream = made["TableDescription"]["LatestStreamArn"]
    assert send(endpoint, "dynamodb", "UpdateContinuousBackups", {
        "TableName": table, "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}})[0] == 200
    backup = send(endpoint, "dynamodb", "CreateBackup", {"TableName": table, "BackupName": "kept"})[1]["BackupDetails"]
    shard = send(endpoint, "dynamodbstreams", "DescribeStream", {"StreamArn": stream})[1]["StreamDescription"]["Shards"][0]
    iterator = send(endpoint, "dynamodbstreams", "GetShardIterator", {
        "StreamArn": stream, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"})[1]["ShardIterator"]
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "dynamodb:GetItem",
                                                      "Resource": arn}]}
    yield {"table": table, "arn": arn, "stream": stream, "shard": shard["ShardId"], "iterator": iterator,
           "backup": backup["BackupArn"], "policy": json.dumps(policy)}
    for made_here in (table, table + "-new", table + "-at", table + "-from"):
        send(endpoint, "dynamodb", "DeleteTable", {"TableName": made_here})
    send(endpoint, "dynamodb", "DeleteBackup", {"BackupArn": backup["BackupArn"]})


KEY = {"a": {"S": "1"}, "b": {"S": "2"}}
NEW_KEY = {"a": {"S": "new"}, "b": {"S": "2"}}
COSTS = {"ReturnConsumedCapacity": "INDEXES"}
SIZES = {"ReturnItemCollectionMetrics": "SIZE"}


# Exports and imports need buckets and time: dynamodb_transfer_test.py has them.
TRANSFERS = {"ExportTableToPointInTime", "DescribeExport", "ImportTable", "DescribeImport"}


# Reads of global tables of the first version, which no account has.
NEVER_FOUND = {"DescribeGlobalTable", "DescribeGlobalTableSettings"}


def good_requests(n):
    """(service, operation, parameters), in an order in which each finds what it speaks of."""
    table, arn = {"TableName": n["table"]}, {"ResourceArn": n["arn"]}
    at_key = f"FROM \"{n['table']}\" WHERE a = '1' AND b = '2'"
    return [(service, operation, parameters) for service, requests in (("dynamodb", [
        ("DescribeEndpoints", {}), ("DescribeLimits", {}), ("ListTables", {}), ("DescribeTable", table),
        ("CreateTable", {"TableName": n["table"] + "-new", "BillingMode": "PAY_PER_REQUEST",
                         "AttributeDefinitions": [{"AttributeName": "a", "AttributeType": "S"}],
                         "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}]}),
        ("UpdateTable", {"TableName": n["table"] + "-new", "BillingMode": "PROVISIONED",
                         "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}}),
        ("DeleteTable", {"TableName": n["table"] + "-new"}),
        ("ListTagsOfResource", arn), ("TagResource", {**arn, "Tags": [{"Key": "l", "Value": ""}]}),
        ("UntagResource", {**arn, "TagKeys": ["l"]}),
        ("PutResourcePolicy", {**arn, "Policy": n["policy"]}), ("GetResourcePolicy", arn), ("DeleteResourcePolicy", arn),
        ("DescribeTimeToLive", table),
        ("UpdateTimeToLive", {**table, "TimeToLiveSpecification": {"Enabled": True, "AttributeName": "t"}}),
        ("DescribeContributorInsights", table), ("ListContributorInsights", table),
        ("DescribeKinesisStreamingDestination", table), ("ListGlobalTables", {}),
        ("GetItem", {**table, **COSTS, "Key": KEY}), ("GetItem", {**table, "Key": NEW_KEY}),
        ("PutItem", {**table, **COSTS, **SIZES, "Item": KEY, "ReturnValues": "ALL_OLD"}),
        ("UpdateItem", {**table, **COSTS, **SIZES, "Key": KEY, "UpdateExpression": "SET c = :c", "ReturnValues": "ALL_NEW",
                        "ExpressionAttributeValues": {":c": {"NS": ["1", "2"]}}}),
        ("Query", {**table, **COSTS, "Limit": 1, "KeyConditionExpression": "a = :a", "ExpressionAttributeValues": {":a": {"S": "1"}}}),
        ("Scan", {**table, **COSTS, "Limit": 1, "IndexName": "global"}), ("Scan", {**table, **COSTS, "Limit": 1, "IndexName": "local"}),
        ("BatchGetItem", {**COSTS, "RequestItems": {n["table"]: {"Keys": [KEY]}}}),
        ("BatchWriteItem", {**COSTS, **SIZES, "RequestItems": {n["table"]: [{"PutRequest": {"Item": NEW_KEY}}]}}),
        ("TransactGetItems", {**COSTS, "TransactItems": [{"Get": {**table, "Key": KEY}}]}),
        ("TransactWriteItems", {**COSTS, **SIZES, "TransactItems": [{"Put": {**table, "Item": KEY}}]}),
        ("ExecuteStatement", {**COSTS, "Statement": "SELECT * " + at_key}),
        ("BatchExecuteStatement", {**COSTS, "Statements": [{"Statement": "SELECT * " + at_key}, {"Statement": "nonsense"}]}),
        ("ExecuteTransaction", {**COSTS, "TransactStatements": [{"Statement": "DELETE " + at_key}]}),
        ("DeleteItem", {**table, **COSTS, **SIZES, "Key": NEW_KEY, "ReturnValues": "ALL_OLD"}),
        ("DescribeContinuousBackups", table),
        ("UpdateContinuousBackups", {**table, "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}}),
        ("DescribeBackup", {"BackupArn": n["backup"]}), ("ListBackups", table),
        ("ListExports", {}), ("ListImports", {}),
        ("CreateBackup", {**table, "BackupName": "one"}),
        ("RestoreTableFromBackup", {"TargetTableName": n["table"] + "-from", "BackupArn": n["backup"]}),
        ("RestoreTableToPointInTime", {"SourceTableName": n["table"], "TargetTableName": n["table"] + "-at",
                                       "UseLatestRestorableTime": True}),
    ]), ("dynamodbstreams", [
        ("ListStreams", {}), ("DescribeStream", {"StreamArn": n["stream"]}),
        ("GetShardIterator", {"StreamArn": n["stream"], "ShardId": n["shard"], "ShardIteratorType": "LATEST"}),
        ("GetRecords", {"ShardIterator": n["iterator"]}),
    ])) for operation, parameters in requests]


def differences(service, name, value, at):
    """What a value of an answer has that its shape has not."""
    shape = shape_of(service, name)
    kind = shape["type"]
    if kind == "structure":
        if not isinstance(value, dict):
            return [f"{at}: no structure"]
        out = [f"{at}.{m}: required" for m in shape.get("required", []) if m not in value]
        for member, inner in value.items():
            reference = shape["members"].get(member)
            out += differences(service, reference["shape"], inner, f"{at}.{member}") if reference else [f"{at}.{member}: unknown"]
        return out
    if kind == "list":
        member = shape["member"]["shape"] if isinstance(shape["member"], dict) else shape["member"]
        return [d for i, inner in enumerate(value) for d in differences(service, member, inner, f"{at}[{i}]")]
    if kind == "map":
        inner_name = shape["value"]["shape"] if isinstance(shape["value"], dict) else shape["value"]
        return [d for key, inner in value.items() for d in differences(service, inner_name, inner, f"{at}[{key}]")]
    types = {"string": str, "blob": str, "boolean": bool, "integer": int, "long": int, "double": (int, float), "timestamp": (int, float)}
    if not isinstance(value, types[kind]) or (kind != "boolean" and isinstance(value, bool)):
        return [f"{at}: {value!r} is no {kind}"]
    if "enum" in shape and value not in shape["enum"]:
        return [f"{at}: {value!r} is not of {shape['enum']}"]
    if "pattern" in shape and not re.fullmatch(shape["pattern"], value):
        return [f"{at}: {value!r} does not match {shape['pattern']}"]
    if name == "PositiveLongObject":
        return []  # AWS answers 0 decreases today, although the model says at least 1
    size = len(value) if isinstance(value, str) else value
    if kind != "timestamp" and kind != "boolean" and not shape.get("min", size) <= size <= shape.get("max", size):
        return [f"{at}: {value!r} is out of bounds"]
    return []


def test_good_answers_are_the_models(endpoint, names):
    seen, found = set(), []
    for service, operation, parameters in good_requests(names):
        status, answer = send(endpoint, service, operation, parameters)
        assert status == 200, (operation, answer)
        output = SERVICES[service]["operations"][operation].get("output")
        found += differences(service, output, answer, operation) if output else list(answer)
        seen.add((service, operation))
        if operation == "CreateBackup":
            send(endpoint, service, "DeleteBackup", {"BackupArn": answer["BackupDetails"]["BackupArn"]})
            seen.add((service, "DeleteBackup"))
    assert found == []
    for service, operation in OPERATIONS:
        if (service, operation) in seen or operation in TRANSFERS:
            continue
        if operation in NEVER_FOUND:
            status, answer = send(endpoint, service, operation, {"GlobalTableName": "never-was"})
            assert status == 400 and code_of(answer) == "GlobalTableNotFoundException", (operation, answer)
            continue
        status, answer = send(endpoint, service, operation, {})
        assert status == 501 and code_of(answer) == "NotImplemented" and operation in message_of(answer), (operation, answer)


@pytest.mark.parametrize("service,operation", OPERATIONS, ids=[o for _, o in OPERATIONS])
def test_bodies_that_are_no_input(endpoint, service, operation):
    """The decoder's refusals come before all others, also before NotImplemented."""
    for body, code in ((b"{", "SerializationException"), (b"[]", "SerializationException"), (b'"x"', "SerializationException")):
        status, answer = send(endpoint, service, operation, body)
        assert status == 501 or (status, code_of(answer)) == (400, code), (body, answer)


def violations(service, operation, good):
    """(parameters, the member's place) for each bound of a top-level member of the input, broken alone."""
    for member, reference in input_shape(service, operation).get("members", {}).items():
        shape = shape_of(service, reference["shape"])
        if reference["shape"] in OWN_LIMITS:
            continue
        wrong = []
        if "enum" in shape:
            wrong.append("NO_SUCH_VALUE")
        elif shape["type"] == "string":
            wrong += [""] if shape.get("min", 0) > 0 else []
            wrong += ["x" * (shape["max"] + 1)] if shape.get("max", LONGEST) < LONGEST else []
        elif shape["type"] in ("integer", "long"):
            wrong += [shape["min"] - 1] if "min" in shape else []
            wrong += [shape["max"] + 1] if "max" in shape else []
        elif shape["type"] == "list":
            wrong += [[]] if shape.get("min", 0) > 0 else []
        for value in wrong:
            yield {**good, member: value}, lower(member)


def test_each_bound_is_told(endpoint, names):
    for service, operation, parameters in good_requests(names):
        for broken, place in violations(service, operation, parameters):
            status, answer = send(endpoint, service, operation, broken)
            assert (status, code_of(answer)) == (400, "ValidationException"), (operation, place, answer)
            assert re.search(rf"\d validation errors? detected: .*'{place}'", message_of(answer), re.S | re.I), (operation, answer)


def test_each_required_member_is_told(endpoint, names):
    for service, operation, parameters in good_requests(names):
        for member in input_shape(service, operation).get("required", []):
            without = {name: value for name, value in parameters.items() if name != member}
            status, answer = send(endpoint, service, operation, without)
            assert (status, code_of(answer), message_of(answer)) == (
                400, "ValidationException",
                f"1 validation error detected: Value null at '{lower(member)}' failed to satisfy constraint: Member must not be "
                "null"), operation


WRONG = {"string": 1, "blob": 1, "boolean": 1, "integer": "x", "long": "x", "double": "x", "timestamp": [], "list": "x", "map": "x",
         "structure": "x"}


def test_each_type_is_told(endpoint, names):
    for service, operation, parameters in good_requests(names):
        for member, reference in input_shape(service, operation).get("members", {}).items():
            wrong = WRONG[shape_of(service, reference["shape"])["type"]]
            status, answer = send(endpoint, service, operation, {**parameters, member: wrong})
            assert (status, code_of(answer)) == (400, "SerializationException"), (operation, member, answer)
