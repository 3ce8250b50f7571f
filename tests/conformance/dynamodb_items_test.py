"""Items of DynamoDB: what updates return, what calls consume, how pages end, and the parameters from before expressions.

Sources: DynamoDB API Reference, Developer Guide ("Read and write operations", "Paginating table query results", "Legacy
conditional parameters"), answers of the service as its users report them."""
import uuid

import pytest

from dynamodb_http import call, refusal

V = "ValidationException"
INVALID = "One or more parameter values were invalid: "


@pytest.fixture(scope="module")
def table(endpoint):
    """Keys a (S) and r (N); g (S) is the key of the global index "by-g" and the range key of the local index "a-by-g"."""
    name = "items-" + uuid.uuid4().hex[:8]
    call(endpoint, "CreateTable", TableName=name, BillingMode="PAY_PER_REQUEST",
         AttributeDefinitions=[{"AttributeName": n, "AttributeType": t} for n, t in (("a", "S"), ("r", "N"), ("g", "S"))],
         KeySchema=[{"AttributeName": "a", "KeyType": "HASH"}, {"AttributeName": "r", "KeyType": "RANGE"}],
         GlobalSecondaryIndexes=[{"IndexName": "by-g", "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                                  "Projection": {"ProjectionType": "KEYS_ONLY"}}],
         LocalSecondaryIndexes=[{"IndexName": "a-by-g", "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"},
                                                                      {"AttributeName": "g", "KeyType": "RANGE"}],
                                 "Projection": {"ProjectionType": "KEYS_ONLY"}}])
    yield name
    call(endpoint, "DeleteTable", TableName=name)


def key(a, r=1):
    return {"a": {"S": a}, "r": {"N": str(r)}}


def n(value):
    return {"N": str(value)}


UPDATED = [  # expression, values, UPDATED_OLD, UPDATED_NEW; None: no Attributes at all
    ("SET m.x = :v", {":v": n(9)}, {"m": {"M": {"x": n(1)}}}, {"m": {"M": {"x": n(9)}}}),
    ("SET m.z = :v", {":v": n(9)}, None, {"m": {"M": {"z": n(9)}}}),
    ("SET l[1] = :v", {":v": n(9)}, {"l": {"L": [n(1)]}}, {"l": {"L": [n(9)]}}),
    ("SET l[7] = :v", {":v": n(9)}, None, None),
    ("SET c = c - :v, q = c", {":v": n(1)}, {"c": n(5)}, {"c": n(4), "q": n(5)}),
    ("SET q = (c + :v)", {":v": n("0.5")}, None, {"q": n("5.5")}),
    ("SET q = if_not_exists(nope, :v), w = if_not_exists(c, :v)", {":v": n(0)}, None, {"q": n(0), "w": n(5)}),
    ("SET l[0] = l[1], l[1] = l[0]", None, {"l": {"L": [n(0), n(1)]}}, {"l": {"L": [n(1), n(0)]}}),
    ("SET l = list_append(l, :v)", {":v": {"L": [n(3)]}}, {"l": {"L": [n(0), n(1), n(2)]}},
     {"l": {"L": [n(0), n(1), n(2), n(3)]}}),
    ("SET c = :v", {":v": n("1.00")}, {"c": n(5)}, {"c": n(1)}),
    ("REMOVE l[0]", None, {"l": {"L": [n(0)]}}, None),
    ("REMOVE m.x, c", None, {"m": {"M": {"x": n(1)}}, "c": n(5)}, None),
    ("REMOVE nope", None, None, None),
    ("ADD c :v", {":v": n("1.5")}, {"c": n(5)}, {"c": n("6.5")}),
    ("ADD q :v", {":v": n(1)}, None, {"q": n(1)}),
    ("ADD s :v", {":v": {"SS": ["b", "c"]}}, {"s": {"SS": ["a", "b"]}}, {"s": {"SS": ["a", "b", "c"]}}),
    ("DELETE s :v", {":v": {"SS": ["a", "z"]}}, {"s": {"SS": ["a", "b"]}}, {"s": {"SS": ["b"]}}),
    ("DELETE s :v", {":v": {"SS": ["a", "b"]}}, {"s": {"SS": ["a", "b"]}}, None),
    ("DELETE nope :v", {":v": {"SS": ["a"]}}, None, None),
]


@pytest.mark.parametrize("expression,values,old,new", UPDATED, ids=[f"{i}-{c[0]}" for i, c in enumerate(UPDATED)])
def test_updates_return_what_they_touched(endpoint, table, expression, values, old, new):
    for mode, expected in (("UPDATED_OLD", old), ("UPDATED_NEW", new)):
        call(endpoint, "PutItem", TableName=table, Item={
            **key("u"), "m": {"M": {"x": n(1), "y": n(2)}}, "l": {"L": [n(0), n(1), n(2)]}, "s": {"SS": ["a", "b"]}, "c": n(5)})
        body = {"TableName": table, "Key": key("u"), "UpdateExpression": expression, "ReturnValues": mode}
        if values:
            body["ExpressionAttributeValues"] = values
        assert call(endpoint, "UpdateItem", **body).get("Attributes") == expected


def consumed(endpoint, operation, mode="INDEXES", **body):
    used = call(endpoint, operation, ReturnConsumedCapacity=mode, **body)["ConsumedCapacity"]
    for one in used if isinstance(used, list) else [used]:
        del one["TableName"]
    return used


def units(count):
    return {"CapacityUnits": count}


def test_what_writes_consume(endpoint, table):
    big = {**key("w"), "g": {"S": "x"}, "v": {"S": "y" * 3000}}

    def put(item, **more):
        return consumed(endpoint, "PutItem", TableName=table, Item=item, **more)

    assert put(big) == {"CapacityUnits": 5, "Table": units(3), "LocalSecondaryIndexes": {"a-by-g": units(1)},
                        "GlobalSecondaryIndexes": {"by-g": units(1)}}
    assert put(big) == {"CapacityUnits": 3, "Table": units(3)}
    # The larger of both items; an index key that changes is a deletion and a put.
    assert put({**key("w"), "g": {"S": "z"}}) == {
        "CapacityUnits": 7, "Table": units(3), "LocalSecondaryIndexes": {"a-by-g": units(2)},
        "GlobalSecondaryIndexes": {"by-g": units(2)}}
    assert put({**key("w"), "g": {"S": "z"}, "v": {"S": "1"}}, mode="TOTAL") == units(1)
    assert consumed(endpoint, "DeleteItem", TableName=table, Key=key("w"))["CapacityUnits"] == 3
    assert consumed(endpoint, "DeleteItem", TableName=table, Key=key("w")) == {"CapacityUnits": 1, "Table": units(1)}
    batch = [{"PutRequest": {"Item": {**key("w"), "g": {"S": "x"}}}}, {"PutRequest": {"Item": key("w", 2)}}]
    assert consumed(endpoint, "BatchWriteItem", RequestItems={table: batch}) == [
        {"CapacityUnits": 4, "Table": units(2), "LocalSecondaryIndexes": {"a-by-g": units(1)},
         "GlobalSecondaryIndexes": {"by-g": units(1)}}]


def test_what_reads_consume(endpoint, table):
    call(endpoint, "PutItem", TableName=table, Item={**key("read"), "g": {"S": "reads"}, "v": {"S": "y" * 9000}})
    get = {"TableName": table, "Key": key("read"), "ProjectionExpression": "a"}
    assert consumed(endpoint, "GetItem", "TOTAL", **get) == units(1.5)
    assert consumed(endpoint, "GetItem", "TOTAL", ConsistentRead=True, **get) == units(3)
    assert consumed(endpoint, "GetItem", TableName=table, Key=key("absent")) == {"CapacityUnits": 0.5, "Table": units(0.5)}
    query = {"TableName": table, "KeyConditionExpression": "a = :v", "ExpressionAttributeValues": {":v": {"S": "read"}}}
    assert consumed(endpoint, "Query", Select="COUNT", **query) == {"CapacityUnits": 1.5, "Table": units(1.5)}
    assert consumed(endpoint, "Query", IndexName="a-by-g", **query) == {
        "CapacityUnits": 0.5, "Table": units(0), "LocalSecondaryIndexes": {"a-by-g": units(0.5)}}
    # What a local index lacks is read from the table.
    assert consumed(endpoint, "Query", IndexName="a-by-g", Select="ALL_ATTRIBUTES", **query) == {
        "CapacityUnits": 2, "Table": units(1.5), "LocalSecondaryIndexes": {"a-by-g": units(0.5)}}
    query = {"TableName": table, "IndexName": "by-g", "KeyConditionExpression": "g = :v",
             "ExpressionAttributeValues": {":v": {"S": "reads"}}}
    assert consumed(endpoint, "Query", **query) == {
        "CapacityUnits": 0.5, "Table": units(0), "GlobalSecondaryIndexes": {"by-g": units(0.5)}}
    assert consumed(endpoint, "BatchGetItem", RequestItems={table: {"Keys": [key("read"), key("absent")]}}) == [
        {"CapacityUnits": 2, "Table": units(2)}]


def test_what_transactions_consume(endpoint, table):
    def both(kind, count):
        return {"CapacityUnits": count, kind: count}

    call(endpoint, "PutItem", TableName=table, Item=key("t-check"))
    write = {"TransactItems": [
        {"Put": {"TableName": table, "Item": {**key("t"), "g": {"S": "x"}, "v": {"S": "y" * 1500}}}},
        {"ConditionCheck": {"TableName": table, "Key": key("t-check"), "ConditionExpression": "attribute_exists(a)"}}],
        "ClientRequestToken": uuid.uuid4().hex}
    w = "WriteCapacityUnits"
    assert consumed(endpoint, "TransactWriteItems", **write) == [
        {**both(w, 8), "Table": both(w, 6), "LocalSecondaryIndexes": {"a-by-g": both(w, 1)},
         "GlobalSecondaryIndexes": {"by-g": both(w, 1)}}]
    # The same token again: nothing is written, what was written is read.
    r = "ReadCapacityUnits"
    assert consumed(endpoint, "TransactWriteItems", **write) == [{**both(r, 4), "Table": both(r, 4)}]
    assert consumed(endpoint, "TransactWriteItems", "TOTAL", **write) == [both(r, 4)]
    body = {**write, "TransactItems": write["TransactItems"][:1]}
    assert refusal(endpoint, "TransactWriteItems", body) == (
        "IdempotentParameterMismatchException",
        "The provided client token is already in use for a request with different parameters")
    read = [{"Get": {"TableName": table, "Key": key(k)}} for k in ("t", "absent")]
    assert consumed(endpoint, "TransactGetItems", TransactItems=read) == [{**both(r, 4), "Table": both(r, 4)}]


def test_a_table_is_named_as_the_request_names_it(endpoint, table):
    arn = f"arn:aws:dynamodb:us-east-1:000000000000:table/{table}"
    for name in (table, arn):
        used = call(endpoint, "PutItem", TableName=name, Item=key("arn"), ReturnConsumedCapacity="TOTAL")["ConsumedCapacity"]
        assert used == {"TableName": name, "CapacityUnits": 1}
        got = call(endpoint, "BatchGetItem", RequestItems={name: {"Keys": [key("arn")]}}, ReturnConsumedCapacity="TOTAL")
        assert got["Responses"] == {name: [key("arn")]} and got["ConsumedCapacity"][0]["TableName"] == name
        used = call(endpoint, "TransactGetItems", TransactItems=[{"Get": {"TableName": name, "Key": key("arn")}}],
                    ReturnConsumedCapacity="TOTAL")["ConsumedCapacity"]
        assert [u["TableName"] for u in used] == [name]


def test_item_collection_metrics(endpoint, table):
    expected = {"ItemCollectionKey": {"a": {"S": "col"}}, "SizeEstimateRangeGB": [0, 1]}
    got = call(endpoint, "PutItem", TableName=table, Item=key("col"), ReturnItemCollectionMetrics="SIZE")
    assert got["ItemCollectionMetrics"] == expected
    got = call(endpoint, "BatchWriteItem", RequestItems={table: [{"DeleteRequest": {"Key": key("col")}}]},
               ReturnItemCollectionMetrics="SIZE")
    assert got["ItemCollectionMetrics"] == {table: [expected]}


def test_pages_end_at_a_mebibyte_and_at_limits(endpoint, table):
    for i in range(12):
        call(endpoint, "PutItem", TableName=table, Item={**key("page", i), "v": {"S": "y" * 100_000}})
    query = {"TableName": table, "KeyConditionExpression": "a = :v", "ExpressionAttributeValues": {":v": {"S": "page"}}}
    page = call(endpoint, "Query", **query)
    assert page["Count"] == 11 and page["LastEvaluatedKey"] == key("page", 10)
    rest = call(endpoint, "Query", ExclusiveStartKey=page["LastEvaluatedKey"], **query)
    assert rest["Count"] == 1 and "LastEvaluatedKey" not in rest
    # Filters and counting change nothing of where a page ends.
    nothing = call(endpoint, "Query", FilterExpression="attribute_exists(nope)", **query)
    assert (nothing["Count"], nothing["ScannedCount"], nothing["LastEvaluatedKey"]) == (0, 11, key("page", 10))
    count = call(endpoint, "Query", Select="COUNT", **query)
    assert (count["Count"], count["LastEvaluatedKey"]) == (11, key("page", 10)) and "Items" not in count
    exact = call(endpoint, "Query", Limit=12, ProjectionExpression="r", **query)
    assert exact["Count"] == 11
    back = call(endpoint, "Query", Limit=5, ScanIndexForward=False, ExclusiveStartKey=key("page", 5), **query)
    assert [i["r"]["N"] for i in back["Items"]] == ["4", "3", "2", "1", "0"] and back["LastEvaluatedKey"] == key("page", 0)
    got = call(endpoint, "BatchGetItem", RequestItems={table: {"Keys": [key("page", i) for i in range(12)]}})
    assert len(got["Responses"][table]) == 12 and got["UnprocessedKeys"] == {}


EXPECTED = [  # of an attribute that is not there
    ({"Value": {"S": "x"}}, None), ({"Exists": False}, True), ({"ComparisonOperator": "NULL"}, True),
    ({"ComparisonOperator": "NOT_NULL"}, None),
    ({"ComparisonOperator": "NE", "AttributeValueList": [{"S": "x"}]}, True),
    ({"ComparisonOperator": "IN", "AttributeValueList": [{"S": "x"}, {"S": "y"}]}, None),
    ({"Exists": True}, INVALID + "Value must be provided when Exists is true for Attribute: zz"),
    ({}, INVALID + "Value must be provided when Exists is null for Attribute: zz"),
    ({"Exists": False, "Value": {"S": "x"}}, INVALID + "Value cannot be used when Exists is false for Attribute: zz"),
    ({"ComparisonOperator": "EQ"},
     INVALID + "Value or AttributeValueList must be used with ComparisonOperator: EQ for Attribute: zz"),
    ({"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "a"}, {"S": "b"}]},
     INVALID + "Invalid number of argument(s) for the EQ ComparisonOperator"),
    ({"ComparisonOperator": "NULL", "AttributeValueList": [{"S": "a"}]},
     INVALID + "Invalid number of argument(s) for the NULL ComparisonOperator"),
    ({"ComparisonOperator": "BETWEEN", "AttributeValueList": [n(2), n(1)]},
     "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound"),
    ({"ComparisonOperator": "BETWEEN", "AttributeValueList": [n(2), {"S": "1"}]},
     INVALID + "AttributeValues inside AttributeValueList must be of same type"),
    ({"ComparisonOperator": "BEGINS_WITH", "AttributeValueList": [n(2)]},
     INVALID + "ComparisonOperator BEGINS_WITH is not valid for N AttributeValue type"),
    ({"ComparisonOperator": "LT", "AttributeValueList": [{"SS": ["2"]}]},
     INVALID + "ComparisonOperator LT is not valid for SS AttributeValue type"),
    ({"ComparisonOperator": "EQ", "Exists": True, "AttributeValueList": [{"S": "2"}]},
     INVALID + "Exists and ComparisonOperator cannot be used together for Attribute: zz"),
    ({"AttributeValueList": [{"S": "2"}]},
     INVALID + "AttributeValueList can only be used with a ComparisonOperator for Attribute: zz"),
    ({"Value": {"S": "1"}, "AttributeValueList": [{"S": "2"}], "ComparisonOperator": "EQ"},
     INVALID + "Value and AttributeValueList cannot be used together for Attribute: zz"),
]


@pytest.mark.parametrize("condition,result", EXPECTED, ids=[str(i) for i in range(len(EXPECTED))])
def test_expected(endpoint, table, condition, result):
    body = {"TableName": table, "Item": key("e"), "Expected": {"zz": condition}}
    if result is True:
        call(endpoint, "PutItem", **body)
    elif result is None:
        assert refusal(endpoint, "PutItem", body) == ("ConditionalCheckFailedException", "The conditional request failed")
    else:
        assert refusal(endpoint, "PutItem", body) == (V, result)


def test_attribute_updates(endpoint, table):
    call(endpoint, "PutItem", TableName=table, Item={**key("au"), "c": n(5), "s": {"SS": ["a", "b"]}, "l": {"L": [n(0)]}})

    def update(updates, **more):
        return {"TableName": table, "Key": key("au"), "AttributeUpdates": updates, **more}

    got = call(endpoint, "UpdateItem", **update({
        "c": {"Value": n(1), "Action": "ADD"}, "x": {"Value": {"S": "1"}}, "s": {"Value": {"SS": ["a"]}, "Action": "DELETE"},
        "l": {"Value": {"L": [n(1)]}, "Action": "ADD"}, "nope": {"Action": "DELETE"}}, ReturnValues="ALL_NEW"))
    assert got["Attributes"] == {**key("au"), "c": n(6), "x": {"S": "1"}, "s": {"SS": ["b"]}, "l": {"L": [n(0), n(1)]}}
    for updates, message in (
            ({"x": {"Value": {"S": "1"}, "Action": "ADD"}}, INVALID + "ADD action is not supported for the type S"),
            ({"x": {"Value": {"S": "1"}, "Action": "DELETE"}},
             INVALID + "DELETE action with value is not supported for the type S"),
            ({"x": {"Action": "PUT"}}, INVALID + "Only DELETE action is allowed when no attribute value is specified"),
            ({"x": {"Value": n(1), "Action": "ADD"}}, "Type mismatch for attribute to update"),
            ({"a": {"Value": {"S": "1"}}}, INVALID + "Cannot update attribute a. This attribute is part of the key")):
        assert refusal(endpoint, "UpdateItem", update(updates)) == (V, message)


def test_key_conditions_and_filters(endpoint, table):
    for i in range(4):
        call(endpoint, "PutItem", TableName=table, Item={**key("kc", i), "v": n(i)})

    def compare(operator, *values):
        return {"ComparisonOperator": operator, "AttributeValueList": list(values)}

    partition = {"a": compare("EQ", {"S": "kc"})}

    def query(conditions, **more):
        return {"TableName": table, "KeyConditions": conditions, **more}

    def found(conditions, **more):
        return [i["r"]["N"] for i in call(endpoint, "Query", **query(conditions, **more))["Items"]]

    assert found({**partition, "r": compare("BETWEEN", n(1), n(2))}) == ["1", "2"]
    assert found(partition, QueryFilter={"v": compare("GE", n(2))}) == ["2", "3"]
    assert found(partition, QueryFilter={"v": compare("LT", n(1)), "r2": compare("NOT_NULL")}, ConditionalOperator="OR") == ["0"]
    assert found(partition, FilterExpression="v = :v", ExpressionAttributeValues={":v": n(3)}) == ["3"]
    for conditions, more, message in (
            ({}, {}, "Conditions can be of length 1 or 2 only"),
            ({"a": compare("EQ", n(1))}, {}, INVALID + "Condition parameter type does not match schema type"),
            ({**partition, "r": compare("NE", n(1))}, {}, "Attempted conditional constraint is not an indexable operation"),
            ({**partition, "zz": compare("EQ", n(1))}, {}, "Query condition missed key schema element: r"),
            (partition, {"QueryFilter": {"r": compare("EQ", n(1))}},
             "QueryFilter can only contain non-primary key attributes: Primary key attribute: r"),
            (partition, {"ConditionalOperator": "OR"}, "ConditionalOperator cannot be used without Filter or Expected"),
            (partition, {"KeyConditionExpression": "a = :v", "ExpressionAttributeValues": {":v": n(1)}},
             "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: "
             "{KeyConditions} Expression parameters: {KeyConditionExpression}")):
        assert refusal(endpoint, "Query", query(conditions, **more)) == (V, message)


def test_numbers_come_back_normal(endpoint, table):
    for given, kept in (("1.0", "1"), ("-0", "0"), ("00012", "12"), ("1E3", "1000"), ("+5", "5"), ("0.10", "0.1"), (".5", "0.5"),
                        ("1E-3", "0.001"), ("123456789012345678901234567890.12345678", "123456789012345678901234567890.12345678"),
                        ("0e999999999999", "0")):
        call(endpoint, "PutItem", TableName=table, Item={**key("num"), "v": {"N": given}})
        assert call(endpoint, "GetItem", TableName=table, Key=key("num"))["Item"]["v"] == {"N": kept}


def test_many_clauses_are_not_many_operators(endpoint, table):
    # Assignments are no operators. Source: Developer Guide, "Quotas", expression parameters.
    clauses = ",".join(f"k{i}=:v" for i in range(400))
    call(endpoint, "UpdateItem", TableName=table, Key=key("many"), UpdateExpression="SET " + clauses,
         ExpressionAttributeValues={":v": n(1)})
    assert len(call(endpoint, "GetItem", TableName=table, Key=key("many"))["Item"]) == 402


def test_batches_and_transactions_as_large_as_they_may_be(endpoint):
    """Large items with change records and an index that carries them whole."""
    name = "large-" + uuid.uuid4().hex[:8]
    call(endpoint, "CreateTable", TableName=name, BillingMode="PAY_PER_REQUEST",
         AttributeDefinitions=[{"AttributeName": a, "AttributeType": "S"} for a in "ag"],
         KeySchema=[{"AttributeName": "a", "KeyType": "HASH"}],
         GlobalSecondaryIndexes=[{"IndexName": "by-g", "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                                  "Projection": {"ProjectionType": "ALL"}}],
         StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"})
    items = [{"a": {"S": str(i)}, "g": {"S": "g"}, "text": {"S": "x" * 399_000}} for i in range(25)]
    for _ in range(2):
        got = call(endpoint, "BatchWriteItem", RequestItems={name: [{"PutRequest": {"Item": item}} for item in items]})
        assert got["UnprocessedItems"] == {}
    assert call(endpoint, "DescribeTable", TableName=name)["Table"]["ItemCount"] == 25
    puts = [{"Put": {"TableName": name, "Item": item}} for item in items]
    for _ in range(2):
        call(endpoint, "TransactWriteItems", TransactItems=puts[:10])
    gets = [{"Get": {"TableName": name, "Key": {"a": item["a"]}}} for item in items]
    assert len(call(endpoint, "TransactGetItems", TransactItems=gets[:10])["Responses"]) == 10
    for operation, actions in (("TransactWriteItems", puts), ("TransactGetItems", gets)):
        assert refusal(endpoint, operation, {"TransactItems": actions[:11]}) == (
            V, "The aggregate size of the items in the transaction cannot exceed 4 MB")
    got = call(endpoint, "BatchGetItem", RequestItems={name: {"Keys": [{"a": item["a"]} for item in items]}})
    assert len(got["Responses"][name]) == 25 and got["UnprocessedKeys"] == {}
    call(endpoint, "DeleteTable", TableName=name)
