"""What DynamoDB refuses, and with which words: requests with their error's name and whole message.

Sources of the texts: DynamoDB API Reference and Developer Guide ("Quotas", "Expressions"), and answers of the service as
its users report them."""
import json
import uuid

import pytest

from dynamodb_http import call, post, refusal

V = "ValidationException"
INVALID = "One or more parameter values were invalid: "
NOT_VALID = "One or more parameter values are not valid. "
KEY = {"a": {"S": "x"}, "r": {"N": "1"}}
TOO_DEEP = ("Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported "
            "limit")


@pytest.fixture(scope="module")
def table(endpoint):
    """Keys a (S) and r (N); g (S) is a key of the global index "by-g" and of the local index "a-by-g"."""
    name = "refusals-" + uuid.uuid4().hex[:8]
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


def nested(levels, value=None):
    value = value or {"S": "x"}
    for _ in range(levels):
        value = {"L": [value]}
    return value


def names(text):
    """Names of a parametrised list: its operations and a number."""
    return [f"{i}-{case[0] if isinstance(case[0], str) else 'case'}"[:40] for i, case in enumerate(text)]


ITEMS = [
    ({"a": {"S": "x"}}, INVALID + "Missing the key r in the item"),
    ({}, INVALID + "Missing the key a in the item"),
    ({"a": {"N": "1"}, "r": {"N": "1"}}, INVALID + "Type mismatch for key a expected: S actual: N"),
    ({"a": {"S": ""}, "r": {"N": "1"}},
     NOT_VALID + "The AttributeValue for a key attribute cannot contain an empty string value. Key: a"),
    ({"a": {"S": "x" * 2049}, "r": {"N": "1"}},
     INVALID + "Size of hashkey has exceeded the maximum size limit of2048 bytes"),
    ({**KEY, "g": {"N": "1"}}, INVALID + "Type mismatch for Index Key g Expected: S Actual: N IndexName: a-by-g"),
    ({**KEY, "g": {"NULL": True}}, INVALID + "Type mismatch for Index Key g Expected: S Actual: NULL IndexName: a-by-g"),
    ({**KEY, "g": {"S": ""}},
     NOT_VALID + "A value specified for a secondary index key is not supported. The AttributeValue for a key attribute "
     "cannot contain an empty string value. IndexName: a-by-g, IndexKey: g"),
    ({**KEY, "b": {}}, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"),
    ({**KEY, "b": {"S": "a", "N": "1"}},
     "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"),
    ({**KEY, "b": {"SS": []}}, INVALID + "An string set  may not be empty"),
    ({**KEY, "b": {"NS": []}}, INVALID + "An number set  may not be empty"),
    ({**KEY, "b": {"BS": []}}, INVALID + "Binary sets should not be empty"),
    ({**KEY, "b": {"SS": ["a", "b", "a"]}}, INVALID + "Input collection [a, b, a] contains duplicates."),
    ({**KEY, "b": {"NS": ["1", "1.0"]}}, "Input collection contains duplicates"),
    ({**KEY, "b": {"BS": ["YQ==", "YQ=="]}}, INVALID + "Input collection [YQ==, YQ==]of type BS contains duplicates."),
    ({**KEY, "b": {"SS": ["a", None]}}, INVALID + "An string set may not have a null string as a member"),
    ({**KEY, "b": {"NULL": False}}, INVALID + "Null attribute value types must have the value of true"),
    ({**KEY, "b": {"N": ""}}, "The parameter cannot be converted to a numeric value"),
    ({**KEY, "b": {"N": " 1"}}, "The parameter cannot be converted to a numeric value:  1"),
    ({**KEY, "b": {"N": "0x1"}}, "The parameter cannot be converted to a numeric value: 0x1"),
    ({**KEY, "b": {"N": "NaN"}}, "The parameter cannot be converted to a numeric value: NaN"),
    ({**KEY, "b": {"N": "1" * 39}}, "Attempting to store more than 38 significant digits in a Number"),
    ({**KEY, "b": {"N": "1e126"}},
     "Number overflow. Attempting to store a number with magnitude larger than supported range"),
    ({**KEY, "b": {"N": "-1e999999999999999"}},
     "Number overflow. Attempting to store a number with magnitude larger than supported range"),
    ({**KEY, "b": {"N": "1e-131"}},
     "Number underflow. Attempting to store a number with magnitude smaller than supported range"),
    ({**KEY, "b": nested(32)}, TOO_DEEP),
    ({**KEY, "": {"S": "1"}}, "Empty attribute name"),
    ({**KEY, "m": {"M": {"": {"S": "1"}}}}, "Empty attribute name"),
    ({**KEY, "x" * 65536: {"S": "1"}},
     "1 validation error detected: Attribute name is too large, must be less than 65536 bytes"),
    ({**KEY, "m": {"M": {"x" * 65536: {"S": "1"}}}},
     "1 validation error detected: Attribute name is too large, must be less than 65536 bytes"),
    ({**KEY, "b": {"S": "x" * 409600}}, "Item size has exceeded the maximum allowed size"),
]


@pytest.mark.parametrize("item,message", ITEMS, ids=names(ITEMS))
def test_items_that_put_item_refuses(endpoint, table, item, message):
    assert refusal(endpoint, "PutItem", {"TableName": table, "Item": item}) == (V, message)


def test_what_is_just_within_the_limits(endpoint, table):
    for item in ({**KEY, "b": nested(31)}, {**KEY, "x" * 65535: {"S": "1"}}, {"a": {"S": "x" * 2048}, "r": {"N": "1"}},
                 {**KEY, "b": {"N": "9" * 38}}, {**KEY, "b": {"N": "9.9999999999999999999999999999999999999E+125"}},
                 {**KEY, "b": {"N": "-1E-130"}}, {**KEY, "b": {"SS": [""]}}, {**KEY, "b": {"S": ""}, "c": {"B": ""}},
                 # 4 bytes of keys with a number of 2, 1 byte of name
                 {**KEY, "b": {"S": "x" * (409600 - 2 - 3 - 1)}}):
        call(endpoint, "PutItem", TableName=table, Item=item)
        call(endpoint, "DeleteItem", TableName=table, Key={k: item[k] for k in ("a", "r")})
    assert refusal(endpoint, "PutItem", {"TableName": table, "Item": {**KEY, "b": {"S": "x" * (409600 - 5)}}}) == (
        V, "Item size has exceeded the maximum allowed size")


S1, N1 = {":v": {"S": "1"}}, {":v": {"N": "1"}}
CONDITIONS = [  # expression, values, message
    ("", None, "The expression can not be empty;"),
    ("b", None, 'Syntax error; token: "<EOF>", near: "b"'),
    ("b =", None, 'Syntax error; token: "<EOF>", near: "="'),
    ("b = 1", None, 'Syntax error; token: "1", near: "= 1"'),
    ("b IN ()", None, 'Syntax error; token: ")", near: "()"'),
    ("b = :v", None, "An expression attribute value used in expression is not defined; attribute value: :v"),
    ("#b = :v", S1, "An expression attribute name used in the document path is not defined; attribute name: #b"),
    ("name = :v", S1, "Attribute name is a reserved keyword; reserved keyword: name"),
    ("size(b)", None, "The function is not allowed to be used this way in an expression; function: size"),
    ("attribute_exists(b) = :v", S1,
     "The function is not allowed to be used this way in an expression; function: attribute_exists"),
    ("foo(b) = :v", S1, "Invalid function name; function: foo"),
    ("begins_with(b)", None, "Incorrect number of operands for operator or function; operator or function: begins_with, "
     "number of operands: 1"),
    ("begins_with(b, :v)", N1, "Incorrect operand type for operator or function; operator or function: begins_with, "
     "operand type: N"),
    ("attribute_exists(:v)", S1, "Operator or function requires a document path; operator or function: attribute_exists"),
    ("attribute_type(b, :v)", {":v": {"S": "X"}},
     "Invalid attribute type name found; type: X, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}"),
    ("attribute_type(b, :v)", N1,
     "Incorrect operand type for operator or function; operator or function: attribute_type, operand type: N"),
    ("size(:v) = :v", N1, "Incorrect operand type for operator or function; operator or function: size, operand type: N"),
    ("b < :v", {":v": {"SS": ["1"]}},
     "Incorrect operand type for operator or function; operator or function: <, operand type: SS"),
    ("b = b", None, "The first operand must be distinct from the remaining operands for this operator or function; "
     "operator: =, first operand: [b]"),
    ("b BETWEEN :x AND :y", {":x": {"N": "2"}, ":y": {"N": "1"}},
     "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: "
     "AttributeValue: {N:2}, upper bound operand: AttributeValue: {N:1}"),
    ("b BETWEEN :x AND :y", {":x": {"N": "2"}, ":y": {"S": "1"}},
     "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: "
     "{N:2}, upper bound operand: AttributeValue: {S:1}"),
    ("((b = :v))", S1, "The expression has redundant parentheses;"),
    ("b[99999999999] = :v", S1, "List index is not within the allowable range; index: [99999999999]"),
    ("b" + ".c" * 32 + " = :v", S1, "The document path has too many nesting elements; nesting levels: 33"),
    (" OR ".join(["b=:v"] * 151), S1, "The expression contains too many operators; operator count: 301"),
    ("b IN (" + ",".join(f":v{i}" for i in range(101)) + ")", {f":v{i}": {"S": "1"} for i in range(101)},
     "The IN operator is provided with too many operands; number of operands: 101"),
]


@pytest.mark.parametrize("expression,values,message", CONDITIONS, ids=names(CONDITIONS))
def test_condition_expressions(endpoint, table, expression, values, message):
    body = {"TableName": table, "Item": KEY, "ConditionExpression": expression}
    if values:
        body["ExpressionAttributeValues"] = values
    assert refusal(endpoint, "PutItem", body) == (V, "Invalid ConditionExpression: " + message)


UPDATES = [
    ("", None, "The expression can not be empty;"),
    ("SET", None, 'Syntax error; token: "<EOF>", near: "SET"'),
    ("FOO b", None, 'Syntax error; token: "FOO", near: "FOO b"'),
    ("SET b = :v SET c = :v", S1, 'The "SET" section can only be used once in an update expression;'),
    ("SET b = :v, b = :v", S1, "Two document paths overlap with each other; must remove or rewrite one of these paths; "
     "path one: [b], path two: [b]"),
    ("SET b.c = :v, b = :v", S1, "Two document paths overlap with each other; must remove or rewrite one of these paths; "
     "path one: [b, c], path two: [b]"),
    ("SET b[0].c = :v, b.d = :v", S1, "Two document paths conflict with each other; must remove or rewrite one of these "
     "paths; path one: [b, [0], c], path two: [b, d]"),
    ("ADD b :v", S1, "Incorrect operand type for operator or function; operator: ADD, operand type: STRING"),
    ("DELETE b :v", N1, "Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER"),
    ("SET b = list_append(:v, :v)", N1,
     "Incorrect operand type for operator or function; operator or function: list_append, operand type: N"),
    ("SET b = if_not_exists(:v, :v)", N1,
     "Operator or function requires a document path; operator or function: if_not_exists"),
    ("SET b = b + :v", S1, "Incorrect operand type for operator or function; operator or function: +, operand type: S"),
    ("SET b = size(b)", None, "Invalid function name; function: size"),
    ("SET b = :w", S1, "An expression attribute value used in expression is not defined; attribute value: :w"),
]


@pytest.mark.parametrize("expression,values,message", UPDATES, ids=names(UPDATES))
def test_update_expressions(endpoint, table, expression, values, message):
    body = {"TableName": table, "Key": KEY, "UpdateExpression": expression}
    if values:
        body["ExpressionAttributeValues"] = values
    assert refusal(endpoint, "UpdateItem", body) == (V, "Invalid UpdateExpression: " + message)


UPDATES_OF_ITEMS = [  # refused once the item is known
    ("SET a = :v", S1, INVALID + "Cannot update attribute a. This attribute is part of the key"),
    ("REMOVE r", None, INVALID + "Cannot update attribute r. This attribute is part of the key"),
    ("SET b = nope", None, "The provided expression refers to an attribute that does not exist in the item"),
    ("SET nope.c = :v", S1, "The document path provided in the update expression is invalid for update"),
    ("SET nope[0] = :v", S1, "The document path provided in the update expression is invalid for update"),
    ("SET b = :v + s", N1, "An operand in the update expression has an incorrect data type"),
    ("ADD s :v", N1, "An operand in the update expression has an incorrect data type"),
    ("SET b = :v + :v", {":v": {"N": "9e125"}},
     "Number overflow. Attempting to store a number with magnitude larger than supported range"),
    ("SET b = :v - :w", {":v": {"N": "1E-100"}, ":w": {"N": "1"}},
     "Attempting to store more than 38 significant digits in a Number"),
    ("SET g = :v", {":v": {"S": ""}},
     NOT_VALID + "The update expression attempted to update a secondary index key to a value that is not supported. The "
     "AttributeValue for a key attribute cannot contain an empty string value."),
    ("SET l[0] = :v", {":v": nested(31)}, TOO_DEEP),
    ("SET b = :v", {":v": nested(32)}, TOO_DEEP),
    ("SET b = :v", {":v": {"S": "x" * 409600}}, "Item size to update has exceeded the maximum allowed size"),
]


@pytest.mark.parametrize("expression,values,message", UPDATES_OF_ITEMS, ids=names(UPDATES_OF_ITEMS))
def test_updates_against_the_item(endpoint, table, expression, values, message):
    call(endpoint, "PutItem", TableName=table, Item={**KEY, "s": {"S": "text"}, "l": {"L": [{"S": "0"}]}})
    body = {"TableName": table, "Key": KEY, "UpdateExpression": expression}
    if values:
        body["ExpressionAttributeValues"] = values
    assert refusal(endpoint, "UpdateItem", body) == (V, message)


def test_an_empty_name_behind_a_placeholder(endpoint, table):
    assert refusal(endpoint, "GetItem", {"TableName": table, "Key": KEY, "ProjectionExpression": "#n",
                                         "ExpressionAttributeNames": {"#n": ""}}) == (
        V, "ExpressionAttributeNames contains invalid value: Empty attribute name for key #n")


def test_expressions_of_more_than_4096_bytes(endpoint, table):
    def too_long(head, tail=""):
        return head + "x" * (4097 - len(head) - len(tail)) + tail

    size = "Expression size has exceeded the maximum allowed size;"
    assert refusal(endpoint, "UpdateItem", {"TableName": table, "Key": KEY, "UpdateExpression": too_long("REMOVE ")}) == (
        V, "1 validation error detected: Invalid UpdateExpression: " + size)
    assert refusal(endpoint, "PutItem", {"TableName": table, "Item": KEY,
                                         "ConditionExpression": too_long("attribute_exists(", ")")}) == (
        V, "1 validation error detected: Invalid ConditionExpression: " + size)
    assert refusal(endpoint, "GetItem", {"TableName": table, "Key": KEY, "ProjectionExpression": too_long("")}) == (
        V, "Invalid ProjectionExpression: " + size)
    assert refusal(endpoint, "Query", {"TableName": table, "KeyConditionExpression": "a = :v",
                                       "ExpressionAttributeValues": S1, "FilterExpression": too_long("attribute_exists(", ")")}) == (
        V, "Invalid FilterExpression: " + size)
    assert refusal(endpoint, "Scan", {"TableName": table, "FilterExpression": too_long("attribute_exists(", ")")}) == (
        V, "Invalid FilterExpression: " + size + " expression size: 4097")
    call(endpoint, "GetItem", TableName=table, Key=KEY, ProjectionExpression=too_long("")[:4096])


PARAMETERS = [
    ("PutItem", dict(Item=KEY, ReturnValues="ALL_NEW"), "ReturnValues can only be ALL_OLD or NONE"),
    ("PutItem", dict(Item=KEY, ReturnValues="X"), "1 validation error detected: Value 'X' at 'returnValues' failed to satisfy "
     "constraint: Member must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]"),
    ("DeleteItem", dict(Key=KEY, ReturnValues="UPDATED_OLD"), "ReturnValues can only be ALL_OLD or NONE"),
    ("PutItem", dict(Item=KEY, Expected={}, ConditionExpression="attribute_exists(a)"),
     "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {Expected} "
     "Expression parameters: {ConditionExpression}"),
    ("UpdateItem", dict(Key=KEY, AttributeUpdates={}, UpdateExpression="REMOVE b", ConditionExpression="attribute_exists(a)"),
     "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: "
     "{AttributeUpdates} Expression parameters: {UpdateExpression, ConditionExpression}"),
    ("PutItem", dict(Item=KEY, ExpressionAttributeNames={"#a": "b"}),
     "ExpressionAttributeNames can only be specified when using expressions"),
    ("PutItem", dict(Item=KEY, ExpressionAttributeValues={":a": {"S": "b"}}),
     "ExpressionAttributeValues can only be specified when using expressions: ConditionExpression is null"),
    ("UpdateItem", dict(Key=KEY, ExpressionAttributeValues={":a": {"S": "b"}}),
     "ExpressionAttributeValues can only be specified when using expressions: UpdateExpression and ConditionExpression are "
     "null"),
    ("PutItem", dict(Item=KEY, ConditionExpression="a = :v", ExpressionAttributeValues={}),
     "ExpressionAttributeValues must not be empty"),
    ("PutItem", dict(Item=KEY, ConditionExpression="a = :v", ExpressionAttributeValues={"v": {"S": "1"}}),
     'ExpressionAttributeValues contains invalid key: Syntax error; key: "v"'),
    ("PutItem", dict(Item=KEY, ConditionExpression="a = :v", ExpressionAttributeValues={":v": {}}),
     "ExpressionAttributeValues contains invalid value: Supplied AttributeValue is empty, must contain exactly one of the "
     "supported datatypes for key :v"),
    ("PutItem", dict(Item=KEY, ConditionExpression="a = :v", ExpressionAttributeValues={**S1, ":x": {"S": "1"}}),
     "Value provided in ExpressionAttributeValues unused in expressions: keys: {:x}"),
    ("PutItem", dict(Item=KEY, ConditionExpression="attribute_exists(a)", ExpressionAttributeNames={"#x": "y"}),
     "Value provided in ExpressionAttributeNames unused in expressions: keys: {#x}"),
    ("GetItem", dict(Key=KEY, ProjectionExpression="#a", ExpressionAttributeNames={"a": "a"}),
     'ExpressionAttributeNames contains invalid key: Syntax error; key: "a"'),
    ("GetItem", dict(Key=KEY, ProjectionExpression="#a", ExpressionAttributeNames={}),
     "ExpressionAttributeNames must not be empty"),
    ("GetItem", dict(Key=KEY, ProjectionExpression="#a", ExpressionAttributeNames={"#a": "x" * 65536}),
     "1 validation error detected: Attribute name is too large, must be less than 65536 bytes"),
    ("GetItem", dict(Key={"a": {"S": "x"}}), "The provided key element does not match the schema"),
    ("GetItem", dict(Key={**KEY, "z": {"S": "x"}}), "The provided key element does not match the schema"),
    ("GetItem", dict(Key={"a": {"S": "x"}, "r": {"S": "1"}}), "The provided key element does not match the schema"),
    ("GetItem", dict(Key={"a": {"S": ""}, "r": {"N": "1"}}),
     NOT_VALID + "The AttributeValue for a key attribute cannot contain an empty string value. Key: a"),
    ("GetItem", dict(Key=KEY, ProjectionExpression="a, a"), "Invalid ProjectionExpression: Two document paths overlap with "
     "each other; must remove or rewrite one of these paths; path one: [a], path two: [a]"),
    ("GetItem", dict(Key=KEY, AttributesToGet=["b", "b"]), INVALID + "Duplicate value in attribute name: b"),
    ("GetItem", dict(Key=KEY, AttributesToGet=[]), "1 validation error detected: Value '[]' at 'attributesToGet' failed to "
     "satisfy constraint: Member must have length greater than or equal to 1"),
    ("Query", {}, "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."),
    ("Query", dict(KeyConditionExpression="b = :v", ExpressionAttributeValues=S1),
     "Query condition missed key schema element: a"),
    ("Query", dict(KeyConditionExpression="a = :v AND b = :v", ExpressionAttributeValues=S1),
     "Query condition missed key schema element: r"),
    ("Query", dict(KeyConditionExpression="a = :v", ExpressionAttributeValues=N1),
     INVALID + "Condition parameter type does not match schema type"),
    ("Query", dict(KeyConditionExpression="a > :v", ExpressionAttributeValues=S1), "Query key condition not supported"),
    ("Query", dict(KeyConditionExpression="a = :v OR r = :v", ExpressionAttributeValues=S1),
     "Invalid operator used in KeyConditionExpression: OR"),
    ("Query", dict(KeyConditionExpression="a = :v AND r <> :v", ExpressionAttributeValues=S1),
     "Invalid operator used in KeyConditionExpression: <>"),
    ("Query", dict(KeyConditionExpression="a = :v AND a = :v", ExpressionAttributeValues=S1),
     "KeyConditionExpressions must only contain one condition per key"),
    ("Query", dict(KeyConditionExpression="a = :v", FilterExpression="r = :v", ExpressionAttributeValues=S1),
     "Filter Expression can only contain non-primary key attributes: Primary key attribute: r"),
    ("Query", dict(KeyConditionExpression="a = :v", ExpressionAttributeValues=S1, IndexName="nope"),
     "The table does not have the specified index: nope"),
    ("Query", dict(KeyConditionExpression="g = :v", ExpressionAttributeValues=S1, IndexName="by-g", ConsistentRead=True),
     "Consistent reads are not supported on global secondary indexes"),
    ("Query", dict(KeyConditionExpression="g = :v", ExpressionAttributeValues=S1, IndexName="by-g", Select="ALL_ATTRIBUTES"),
     INVALID + "Select type ALL_ATTRIBUTES is not supported for global secondary index by-g because its projection type is "
     "not ALL"),
    ("Query", dict(KeyConditionExpression="a = :v", ExpressionAttributeValues=S1, Select="SPECIFIC_ATTRIBUTES"),
     "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"),
    ("Query", dict(KeyConditionExpression="a = :v", ExpressionAttributeValues=S1, Select="ALL_PROJECTED_ATTRIBUTES"),
     "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName"),
    ("Query", dict(KeyConditionExpression="a = :v", ExpressionAttributeValues=S1, Select="COUNT", ProjectionExpression="b"),
     "1 validation error detected: Cannot specify the ProjectionExpression when choosing to get COUNT"),
    ("Scan", dict(Select="COUNT", ProjectionExpression="b"),
     "Cannot specify the ProjectionExpression when choosing to get COUNT"),
    ("Query", dict(IndexName="by-g", KeyConditionExpression="g = :v", FilterExpression="y = :v OR size(x) > :v OR r = :v",
                   ExpressionAttributeValues=S1),
     INVALID + "Secondary index by-g does not project one or more filter attributes: [x, y]"),
    ("Query", dict(IndexName="a-by-g", KeyConditions={"a": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "1"}]}},
                   QueryFilter={"x": {"ComparisonOperator": "NULL"}}),
     INVALID + "Secondary index a-by-g does not project one or more filter attributes: [x]"),
    ("Query", dict(KeyConditionExpression="a = :v", ExpressionAttributeValues=S1, Limit=0),
     "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or "
     "equal to 1"),
    ("Query", dict(KeyConditionExpression="a = :v", ExpressionAttributeValues=S1, ExclusiveStartKey={"a": {"S": "1"}}),
     "The provided starting key is invalid"),
    ("Query", dict(KeyConditionExpression="a = :v", ExpressionAttributeValues=S1, ExclusiveStartKey=KEY),
     "The provided starting key is outside query boundaries based on provided conditions"),
    ("Scan", dict(ExclusiveStartKey={"a": {"S": "1"}}),
     "The provided starting key is invalid: The provided key element does not match the schema"),
    ("Scan", dict(Segment=0), "The TotalSegments parameter is required but was not present in the request when Segment "
     "parameter is present"),
    ("Scan", dict(TotalSegments=2), "The Segment parameter is required but was not present in the request when parameter "
     "TotalSegments is present"),
    ("Scan", dict(Segment=2, TotalSegments=2), "The Segment parameter is zero-based and must be less than parameter "
     "TotalSegments: Segment: 2 is not less than TotalSegments: 2"),
    ("Scan", dict(Segment=0, TotalSegments=1000001), "1 validation error detected: Value '1000001' at 'totalSegments' failed "
     "to satisfy constraint: Member must have value less than or equal to 1000000"),
]


@pytest.mark.parametrize("operation,parameters,message", PARAMETERS, ids=names(PARAMETERS))
def test_parameters(endpoint, table, operation, parameters, message):
    assert refusal(endpoint, operation, {"TableName": table, **parameters}) == (V, message)


def test_batches(endpoint, table):
    def batch_get(items):
        return refusal(endpoint, "BatchGetItem", {"RequestItems": items})

    def batch_write(items):
        return refusal(endpoint, "BatchWriteItem", {"RequestItems": items})

    keys = [{"a": {"S": "x"}, "r": {"N": str(i)}} for i in range(101)]
    assert batch_get({}) == (V, "1 validation error detected: Value at 'RequestItems' failed to satisfy constraint: Member "
                                "must have length greater than or equal to 1")
    assert batch_get({table: {"Keys": keys}}) == (
        V, f"1 validation error detected: Value at 'RequestItems.{table}.member.Keys' failed to satisfy constraint: Member "
        "must have length less than or equal to 100")
    assert batch_get({table: {"Keys": [KEY], "ProjectionExpression": "b"}, "x" + table: {"Keys": [KEY], "AttributesToGet": ["b"]}}) == (
        V, "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: "
        "{AttributesToGet} Expression parameters: {ProjectionExpression}")
    assert batch_get({table: {"Keys": [KEY, KEY]}}) == (V, "Provided list of item keys contains duplicates")
    assert batch_get({table: {"Keys": [{"a": {"S": "x"}}]}}) == (V, "The provided key element does not match the schema")
    assert batch_get({table + "-no": {"Keys": [KEY]}}) == ("ResourceNotFoundException", "Requested resource not found")

    puts = [{"PutRequest": {"Item": key}} for key in keys]
    assert batch_write({}) == (V, "The requestItems parameter is required for BatchWriteItem")
    for requests in ([], puts[:26]):
        code, message = batch_write({table: requests})
        assert code == V and message.startswith("1 validation error detected: Value '{" + table + "=[")
        assert message.endswith("' at 'requestItems' failed to satisfy constraint: Map value must satisfy constraint: [Member "
                                "must have length less than or equal to 25, Member must have length greater than or equal to 1]")
    assert batch_write({table: [puts[0], {"DeleteRequest": {"Key": keys[0]}}]}) == (
        V, "Provided list of item keys contains duplicates")
    assert batch_write({table: [{"PutRequest": {"Item": {"a": {"N": "1"}, "r": {"N": "1"}}}}]}) == (
        V, "The provided key element does not match the schema")
    assert batch_write({table: [{"PutRequest": {"Item": {**KEY, "g": {"N": "1"}}}}]}) == (
        V, INVALID + "Type mismatch for Index Key g Expected: S Actual: N IndexName: a-by-g")
    assert batch_write({table: [{"PutRequest": {"Item": {**KEY, "b": nested(32)}}}]}) == (V, TOO_DEEP)


def test_transactions_refused_as_a_whole(endpoint, table):
    def write(*items):
        return refusal(endpoint, "TransactWriteItems", {"TransactItems": list(items)})

    put = {"Put": {"TableName": table, "Item": KEY}}
    assert write() == (V, "1 validation error detected: Value '[]' at 'transactItems' failed to satisfy constraint: Member must "
                          "have length greater than or equal to 1")
    code, message = write(*[put] * 101)
    assert code == V and message.startswith("1 validation error detected: Value '[") and message.endswith(
        "]' at 'transactItems' failed to satisfy constraint: Member must have length less than or equal to 100")
    assert write(put, put) == (V, "Transaction request cannot include multiple operations on one item")
    assert write({}) == (V, "TransactItems can only contain one of Check, Put, Update or Delete")
    empty = {"a": {"S": ""}, "r": {"N": "1"}}
    text = NOT_VALID + "The AttributeValue for a key attribute cannot contain an empty string value. Key: a"
    assert write({"Put": {"TableName": table, "Item": empty}}) == (V, text)
    assert write({"Delete": {"TableName": table, "Key": empty}}) == (V, text)
    assert write({"Put": {"TableName": table, "Item": {**KEY, "b": nested(32)}}}) == (V, TOO_DEEP)
    assert write({"Put": {"TableName": table + "-no", "Item": KEY}}) == (
        "ResourceNotFoundException", "Requested resource not found")


CANCELLED = [
    ({"Put": {"Item": {"a": {"N": "1"}, "r": {"N": "1"}}}}, INVALID + "Type mismatch for key a expected: S actual: N"),
    ({"Put": {"Item": {**KEY, "g": {"N": "1"}}}},
     INVALID + "Type mismatch for Index Key g Expected: S Actual: N IndexName: a-by-g"),
    ({"Delete": {"Key": {"a": {"S": "x"}}}}, "The provided key element does not match the schema"),
    ({"Delete": {"Key": {"a": {"S": "x" * 2049}, "r": {"N": "1"}}}},
     INVALID + "Size of hashkey has exceeded the maximum size limit of2048 bytes"),
    ({"Update": {"Key": KEY, "UpdateExpression": "SET b = :v", "ExpressionAttributeValues": {":v": nested(32)}}}, TOO_DEEP),
    ({"Update": {"Key": KEY, "UpdateExpression": "SET b = nope"}},
     "The provided expression refers to an attribute that does not exist in the item"),
]


@pytest.mark.parametrize("action,message", CANCELLED, ids=names(CANCELLED))
def test_actions_that_cancel_their_transaction(endpoint, table, action, message):
    (kind, parameters), = action.items()
    items = [{"Put": {"TableName": table, "Item": {"a": {"S": "other"}, "r": {"N": "0"}}}},
             {kind: {"TableName": table, **parameters}}]
    status, _, body = post(endpoint, "TransactWriteItems", {"TransactItems": items})
    answer = json.loads(body)
    assert status == 400 and answer["__type"] == "com.amazonaws.dynamodb.v20120810#TransactionCanceledException"
    assert answer["Message"] == ("Transaction cancelled, please refer cancellation reasons for specific reasons [None, "
                                 "ValidationError]")
    assert answer["CancellationReasons"] == [{"Code": "None"}, {"Code": "ValidationError", "Message": message}]


def test_table_names(endpoint):
    def get(name):
        return refusal(endpoint, "GetItem", {"TableName": name, "Key": KEY})

    head = "1 validation error detected: Value '{}' at 'tableName' failed to satisfy constraint: Member must "
    assert get("ab") == (V, head.format("ab") + "have length greater than or equal to 3")
    assert get("") == (V, head.format("") + "have length greater than or equal to 1")
    assert get("x" * 256) == (V, head.format("x" * 256) + "have length less than or equal to 255")
    assert get("abc;") == (V, head.format("abc;") + "satisfy regular expression pattern: [a-zA-Z0-9_.-]+")
    assert get("nowhere") == ("ResourceNotFoundException", "Requested resource not found")
