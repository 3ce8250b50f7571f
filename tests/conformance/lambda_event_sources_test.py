"""Event source mappings: queues and streams that call functions, what the functions see, what becomes of failures."""
import base64
import json
import uuid

import pytest

import virga_server
from lambda_support import aws, clients_of, Functions, refused, until  # noqa: F401 (fixtures)

# Prints what it gets; fails and reports as the records ask for it.
WITNESS = """
import json
def body(record):
    if 'body' in record:
        return record['body']
    return record['dynamodb']['Keys']['k']['S']
def handler(event, context):
    print('GOT ' + json.dumps(event))
    names = [body(r) for r in event['Records']]
    if any(n.startswith('raise') for n in names):
        raise ValueError('no')
    bad = [r for r in event['Records'] if body(r).startswith('bad')]
    ids = [r.get('messageId') or r['dynamodb']['SequenceNumber'] for r in bad]
    return {'batchItemFailures': [{'itemIdentifier': i} for i in ids]}
"""


@pytest.fixture(scope="module")
def server():
    with virga_server.Server() as one:
        yield one


@pytest.fixture(scope="module")
def client(server):
    return clients_of(server)


@pytest.fixture(scope="module")
def sqs(client):
    return client("sqs")


@pytest.fixture(scope="module")
def dynamodb(client):
    return client("dynamodb")


@pytest.fixture
def function(aws):
    functions = Functions(aws)
    yield functions
    for mapping in aws.list_event_source_mappings()["EventSourceMappings"]:
        aws.delete_event_source_mapping(UUID=mapping["UUID"])
    functions.close()


def make_queue(sqs, fifo=False, **attributes):
    name = "q-" + uuid.uuid4().hex[:10] + (".fifo" if fifo else "")
    if fifo:
        attributes["FifoQueue"] = "true"
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def make_stream(dynamodb, view="NEW_AND_OLD_IMAGES"):
    name = "t-" + uuid.uuid4().hex[:10]
    made = dynamodb.create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": view})
    return name, made["TableDescription"]["LatestStreamArn"]


def events(client, name):
    """The events that the function printed, oldest first."""
    logs = client("logs")
    try:
        found = logs.filter_log_events(logGroupName="/aws/lambda/" + name, filterPattern="GOT")["events"]
    except logs.exceptions.ResourceNotFoundException:
        return []
    return [json.loads(e["message"][4:]) for e in found if e["message"].startswith("GOT ")]


def bodies(client, name):
    return [r.get("body") or r["dynamodb"]["Keys"]["k"]["S"] for e in events(client, name) for r in e["Records"]]


def messages_left(sqs, url):
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    got = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(got[n]) for n in names)


def test_a_queue_calls_its_function(client, aws, sqs, function):
    name = function(WITNESS)
    url, arn = make_queue(sqs)
    made = aws.create_event_source_mapping(EventSourceArn=arn, FunctionName=name)
    assert made["State"] == "Creating" and made["StateTransitionReason"] == "USER_INITIATED"
    assert made["BatchSize"] == 10 and made["MaximumBatchingWindowInSeconds"] == 0
    assert made["EventSourceArn"] == arn and made["FunctionResponseTypes"] == []
    assert made["FunctionArn"] == f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert "StartingPosition" not in made and "MaximumRetryAttempts" not in made
    got = aws.get_event_source_mapping(UUID=made["UUID"])
    assert got["State"] == "Enabled" and got["LastModified"] == made["LastModified"]

    sent = sqs.send_message(QueueUrl=url, MessageBody="hello", MessageAttributes={
        "color": {"DataType": "String", "StringValue": "red"},
        "raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}})
    event = until(lambda: events(client, name))[0]
    assert list(event) == ["Records"]
    [record] = event["Records"]
    assert record["messageId"] == sent["MessageId"] and record["body"] == "hello"
    assert record["md5OfBody"] == sent["MD5OfMessageBody"]
    assert record["md5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert record["eventSource"] == "aws:sqs" and record["eventSourceARN"] == arn
    assert record["awsRegion"] == "us-east-1" and record["receiptHandle"]
    assert set(record["attributes"]) == {"ApproximateReceiveCount", "SentTimestamp", "SenderId",
                                         "ApproximateFirstReceiveTimestamp"}
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert record["messageAttributes"] == {
        "color": {"stringValue": "red", "stringListValues": [], "binaryListValues": [], "dataType": "String"},
        "raw": {"binaryValue": base64.b64encode(b"\x00\xff").decode(), "stringListValues": [],
                "binaryListValues": [], "dataType": "Binary"}}
    until(lambda: messages_left(sqs, url) == 0)


def test_messages_that_fail_come_again_until_they_are_dead_letters(client, aws, sqs, function):
    name = function(WITNESS, Timeout=1)
    dead_url, dead_arn = make_queue(sqs)
    url, arn = make_queue(sqs, VisibilityTimeout="1", RedrivePolicy=json.dumps(
        {"deadLetterTargetArn": dead_arn, "maxReceiveCount": 2}))
    aws.create_event_source_mapping(EventSourceArn=arn, FunctionName=name)
    sqs.send_message(QueueUrl=url, MessageBody="raise")
    [dead] = until(lambda: sqs.receive_message(QueueUrl=dead_url, WaitTimeSeconds=1).get("Messages"))
    assert dead["Body"] == "raise"
    counts = [r["attributes"]["ApproximateReceiveCount"] for e in events(client, name) for r in e["Records"]]
    assert counts == ["1", "2"]


def test_partial_batch_failures_keep_only_what_failed(client, aws, sqs, function):
    name = function(WITNESS, Timeout=1)
    url, arn = make_queue(sqs, VisibilityTimeout="3")
    sqs.send_message_batch(QueueUrl=url, Entries=[
        {"Id": str(i), "MessageBody": body} for i, body in enumerate(["good-1", "bad-1", "good-2"])])
    made = aws.create_event_source_mapping(EventSourceArn=arn, FunctionName=name,
                                           FunctionResponseTypes=["ReportBatchItemFailures"])
    assert made["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    until(lambda: len(bodies(client, name)) >= 4)
    aws.delete_event_source_mapping(UUID=made["UUID"])
    seen = bodies(client, name)
    assert sorted(set(seen)) == ["bad-1", "good-1", "good-2"]
    assert seen.count("good-1") == seen.count("good-2") == 1 and seen.count("bad-1") >= 2


def test_a_window_gathers_a_larger_batch(client, aws, sqs, function):
    name = function(WITNESS)
    url, arn = make_queue(sqs)
    for start in range(0, 30, 10):
        sqs.send_message_batch(QueueUrl=url, Entries=[
            {"Id": str(i), "MessageBody": f"m{start + i}"} for i in range(10)])
    aws.create_event_source_mapping(EventSourceArn=arn, FunctionName=name, BatchSize=30,
                                    MaximumBatchingWindowInSeconds=5)
    until(lambda: len(bodies(client, name)) == 30)
    assert len(events(client, name)) == 1


def test_a_fifo_queue_keeps_the_order_of_each_group(client, aws, sqs, function):
    name = function(WITNESS)
    url, arn = make_queue(sqs, fifo=True, ContentBasedDeduplication="true")
    for n in range(8):
        for group in "ab":
            sqs.send_message(QueueUrl=url, MessageBody=f"{group}{n}", MessageGroupId=group)
    aws.create_event_source_mapping(EventSourceArn=arn, FunctionName=name, BatchSize=3)
    until(lambda: len(bodies(client, name)) == 16)
    seen = bodies(client, name)
    for group in "ab":
        assert [b for b in seen if b.startswith(group)] == [f"{group}{n}" for n in range(8)]
    record = events(client, name)[0]["Records"][0]
    assert {"MessageGroupId", "MessageDeduplicationId", "SequenceNumber"} <= set(record["attributes"])


def test_filters_choose_messages_and_the_others_are_gone(client, aws, sqs, function):
    name = function(WITNESS)
    url, arn = make_queue(sqs)
    pattern = json.dumps({"body": {"kind": ["order"], "total": [{"numeric": [">=", 10]}]}})
    made = aws.create_event_source_mapping(EventSourceArn=arn, FunctionName=name,
                                           FilterCriteria={"Filters": [{"Pattern": pattern}]})
    assert made["FilterCriteria"] == {"Filters": [{"Pattern": pattern}]}
    wanted = json.dumps({"kind": "order", "total": 10})
    for body in ["plain", json.dumps({"kind": "order", "total": 9}), wanted]:
        sqs.send_message(QueueUrl=url, MessageBody=body)
    until(lambda: bodies(client, name) == [wanted])
    until(lambda: messages_left(sqs, url) == 0)
    changed = aws.update_event_source_mapping(UUID=made["UUID"], FilterCriteria={})
    assert "FilterCriteria" not in changed and changed["State"] == "Updating"
    sqs.send_message(QueueUrl=url, MessageBody="plain")
    until(lambda: bodies(client, name) == [wanted, "plain"])


def test_a_disabled_mapping_leaves_its_queue_alone(client, aws, sqs, function):
    name = function(WITNESS)
    url, arn = make_queue(sqs)
    made = aws.create_event_source_mapping(EventSourceArn=arn, FunctionName=name, Enabled=False)
    assert aws.get_event_source_mapping(UUID=made["UUID"])["State"] == "Disabled"
    sqs.send_message(QueueUrl=url, MessageBody="first")
    assert sqs.receive_message(QueueUrl=url, VisibilityTimeout=0)["Messages"][0]["Body"] == "first"
    assert aws.update_event_source_mapping(UUID=made["UUID"], Enabled=True)["State"] == "Enabling"
    until(lambda: bodies(client, name) == ["first"])
    assert aws.update_event_source_mapping(UUID=made["UUID"], Enabled=False)["State"] == "Disabling"
    assert aws.delete_event_source_mapping(UUID=made["UUID"])["State"] == "Deleting"
    message = refused(lambda: aws.get_event_source_mapping(UUID=made["UUID"]), "ResourceNotFoundException")
    assert message == "The resource you requested does not exist."


def test_mappings_are_listed_by_source_and_by_function(aws, sqs, function):
    names = [function(), function()]
    arns = [make_queue(sqs)[1] for _ in range(2)]
    for name in names:
        for arn in arns:
            aws.create_event_source_mapping(EventSourceArn=arn, FunctionName=name, Enabled=False)

    def listed(**query):
        return {(m["EventSourceArn"], m["FunctionArn"].split(":")[-1])
                for m in aws.list_event_source_mappings(**query)["EventSourceMappings"]}
    assert len(listed()) == 4
    assert listed(EventSourceArn=arns[0]) == {(arns[0], n) for n in names}
    assert listed(FunctionName=names[1]) == {(a, names[1]) for a in arns}
    assert listed(FunctionName=names[1], EventSourceArn=arns[1]) == {(arns[1], names[1])}
    pages = aws.get_paginator("list_event_source_mappings").paginate(PaginationConfig={"PageSize": 3})
    assert [len(p["EventSourceMappings"]) for p in pages] == [3, 1]


def test_mappings_carry_tags(server, aws, sqs, function):
    _, arn = make_queue(sqs)
    made = aws.create_event_source_mapping(EventSourceArn=arn, FunctionName=function(), Enabled=False)
    resource = f"arn:aws:lambda:us-east-1:000000000000:event-source-mapping:{made['UUID']}"
    aws.tag_resource(Resource=resource, Tags={"a": "1", "b": "2"})
    aws.untag_resource(Resource=resource, TagKeys=["a"])
    assert aws.list_tags(Resource=resource)["Tags"] == {"b": "2"}
    other = resource.replace(made["UUID"], str(uuid.uuid4()))
    refused(lambda: aws.list_tags(Resource=other), "ResourceNotFoundException")


def test_what_is_refused(aws, sqs, dynamodb, function):
    name = function(Timeout=60)
    _, short = make_queue(sqs)
    _, arn = make_queue(sqs, VisibilityTimeout="60")
    _, fifo = make_queue(sqs, fifo=True, VisibilityTimeout="60")
    _, stream = make_stream(dynamodb)

    def create(**arguments):
        arguments.setdefault("FunctionName", name)
        arguments.setdefault("EventSourceArn", arn)
        return aws.create_event_source_mapping(**arguments)

    def invalid(**arguments):
        return refused(lambda: create(**arguments), "InvalidParameterValueException")
    assert invalid(EventSourceArn=short) == \
        "Queue visibility timeout: 30 seconds is less than Function timeout: 60 seconds"
    assert invalid(EventSourceArn=arn + "x") == (
        "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. "
        "SQS Error Message: The specified queue does not exist.")
    assert invalid(StartingPosition="LATEST") == "StartingPosition is not valid for SQS event sources."
    assert invalid(BatchSize=11) == ("Maximum batch window in seconds must be greater than 0 if maximum batch size "
                                     "is greater than 10")
    assert invalid(EventSourceArn=fifo, MaximumBatchingWindowInSeconds=1) == \
        "Batching window is not supported for FIFO queues"
    assert invalid(FilterCriteria={"Filters": [{"Pattern": "{"}]}) == "Invalid filter pattern definition."
    assert invalid(EventSourceArn="arn:aws:s3:::bucket") == "Unrecognized event source."
    assert invalid(EventSourceArn=stream + "9", StartingPosition="LATEST") == f"Stream not found: {stream}9"
    assert invalid(EventSourceArn=stream, StartingPosition="AT_TIMESTAMP", StartingPositionTimestamp=0) == \
        f"Unsupported starting position for arn type: {stream}"
    assert invalid(EventSourceArn=stream).startswith("1 validation error detected: Value null at 'startingPosition'")
    missing = refused(lambda: create(FunctionName="nowhere"), "ResourceNotFoundException")
    assert missing == "Function not found: arn:aws:lambda:us-east-1:000000000000:function:nowhere"

    first = create(Enabled=False)["UUID"]
    assert refused(create, "ResourceConflictException") == (
        f'An event source mapping with SQS arn (" {arn} ") and function (" {name} ") already exists. '
        f"Please update or delete the existing mapping with UUID {first}")
    of_stream = create(EventSourceArn=stream, StartingPosition="LATEST", Enabled=False)["UUID"]
    assert refused(lambda: create(EventSourceArn=stream, StartingPosition="LATEST"), "ResourceConflictException") == (
        f'The event source arn (" {stream} ") and function (" {name} ") provided mapping already exists. '
        f"Please update or delete the existing mapping with UUID {of_stream}")
    refused(lambda: aws.update_event_source_mapping(UUID=str(uuid.uuid4())), "ResourceNotFoundException")
    refused(lambda: aws.delete_event_source_mapping(UUID=str(uuid.uuid4())), "ResourceNotFoundException")


def test_a_stream_calls_its_function(client, aws, dynamodb, function):
    name = function(WITNESS)
    table, stream = make_stream(dynamodb)
    dynamodb.put_item(TableName=table, Item={"k": {"S": "a"}, "n": {"N": "1"}, "b": {"B": b"\x01"}})
    made = aws.create_event_source_mapping(EventSourceArn=stream, FunctionName=name, StartingPosition="TRIM_HORIZON")
    assert made["State"] == "Creating" and made["StateTransitionReason"] == "User action"
    shown = {key: made[key] for key in (
        "BatchSize", "MaximumBatchingWindowInSeconds", "ParallelizationFactor", "StartingPosition",
        "MaximumRecordAgeInSeconds", "BisectBatchOnFunctionError", "MaximumRetryAttempts",
        "TumblingWindowInSeconds", "LastProcessingResult", "DestinationConfig")}
    assert shown == {"BatchSize": 100, "MaximumBatchingWindowInSeconds": 0, "ParallelizationFactor": 1,
                     "StartingPosition": "TRIM_HORIZON", "MaximumRecordAgeInSeconds": -1,
                     "BisectBatchOnFunctionError": False, "MaximumRetryAttempts": -1, "TumblingWindowInSeconds": 0,
                     "LastProcessingResult": "No records processed", "DestinationConfig": {"OnFailure": {}}}
    [record] = until(lambda: events(client, name))[0]["Records"]
    assert record["eventName"] == "INSERT" and record["eventVersion"] == "1.1" and len(record["eventID"]) == 32
    assert record["eventSource"] == "aws:dynamodb" and record["awsRegion"] == "us-east-1"
    assert record["eventSourceARN"] == stream
    change = record["dynamodb"]
    assert change["Keys"] == {"k": {"S": "a"}}
    assert change["NewImage"] == {"k": {"S": "a"}, "n": {"N": "1"}, "b": {"B": "AQ=="}}
    assert change["StreamViewType"] == "NEW_AND_OLD_IMAGES" and isinstance(change["ApproximateCreationDateTime"], int)
    assert change["SizeBytes"] > 0 and change["SequenceNumber"].isdigit() and "OldImage" not in change
    dynamodb.delete_item(TableName=table, Key={"k": {"S": "a"}})
    second = until(lambda: events(client, name)[1:])[0]["Records"][0]
    assert second["eventName"] == "REMOVE" and second["dynamodb"]["OldImage"]["n"] == {"N": "1"}
    until(lambda: aws.get_event_source_mapping(UUID=made["UUID"])["LastProcessingResult"] == "OK")


def test_latest_begins_behind_what_is_there(client, aws, dynamodb, function):
    name = function(WITNESS)
    table, stream = make_stream(dynamodb, "KEYS_ONLY")
    dynamodb.put_item(TableName=table, Item={"k": {"S": "before"}})
    pattern = json.dumps({"eventName": ["INSERT"], "dynamodb": {"Keys": {"k": {"S": [{"anything-but": "skip"}]}}}})
    aws.create_event_source_mapping(EventSourceArn=stream, FunctionName=name, StartingPosition="LATEST",
                                    FilterCriteria={"Filters": [{"Pattern": pattern}]})
    for key in ("one", "skip", "two"):
        dynamodb.put_item(TableName=table, Item={"k": {"S": key}})
    until(lambda: bodies(client, name) == ["one", "two"])


def test_a_stream_halves_failing_batches_and_tells_of_what_it_gives_up(client, aws, sqs, dynamodb, function):
    name = function(WITNESS)
    url, queue = make_queue(sqs)
    table, stream = make_stream(dynamodb)
    for key in ("g1", "raise", "g2", "g3"):
        dynamodb.put_item(TableName=table, Item={"k": {"S": key}})
    made = aws.create_event_source_mapping(
        EventSourceArn=stream, FunctionName=name, StartingPosition="TRIM_HORIZON", MaximumRetryAttempts=1,
        BisectBatchOnFunctionError=True, DestinationConfig={"OnFailure": {"Destination": queue}})
    assert made["DestinationConfig"] == {"OnFailure": {"Destination": queue}} and made["MaximumRetryAttempts"] == 1
    [message] = until(lambda: sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages"))
    told = json.loads(message["Body"])
    assert told["version"] == "1.0"
    assert told["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert told["requestContext"]["approximateInvokeCount"] == 2
    assert told["requestContext"]["functionArn"] == made["FunctionArn"]
    assert told["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
    info = told["DDBStreamBatchInfo"]
    assert info["batchSize"] == 1 and info["streamArn"] == stream and info["shardId"].startswith("shardId-")
    assert info["startSequenceNumber"] == info["endSequenceNumber"]
    until(lambda: bodies(client, name)[-2:] == ["g2", "g3"])
    batches = [[r["dynamodb"]["Keys"]["k"]["S"] for r in e["Records"]] for e in events(client, name)]
    assert batches == [["g1", "raise", "g2", "g3"], ["g1", "raise"], ["g1"], ["raise"], ["raise"], ["g2", "g3"]]


def test_a_stream_goes_on_from_the_first_failure(client, aws, dynamodb, function):
    name = function(WITNESS)
    table, stream = make_stream(dynamodb)
    for key in ("g1", "bad", "g2"):
        dynamodb.put_item(TableName=table, Item={"k": {"S": key}})
    aws.create_event_source_mapping(
        EventSourceArn=stream, FunctionName=name, StartingPosition="TRIM_HORIZON", MaximumRetryAttempts=0,
        FunctionResponseTypes=["ReportBatchItemFailures"])
    until(lambda: bodies(client, name) == ["g1", "bad", "g2"])
    dynamodb.put_item(TableName=table, Item={"k": {"S": "g3"}})
    until(lambda: bodies(client, name) == ["g1", "bad", "g2", "g3"])


def test_positions_and_mappings_survive_being_killed(tmp_path):
    one = virga_server.Server(data=tmp_path / "data")
    one.start()
    try:
        client = clients_of(one)
        functions = Functions(client("lambda"))
        name = functions(WITNESS)
        table, stream = make_stream(client("dynamodb"))
        url, queue = make_queue(client("sqs"))
        aws = client("lambda")
        aws.create_event_source_mapping(EventSourceArn=stream, FunctionName=name, StartingPosition="LATEST")
        aws.create_event_source_mapping(EventSourceArn=queue, FunctionName=name)
        client("dynamodb").put_item(TableName=table, Item={"k": {"S": "first"}})
        mapping = next(m for m in aws.list_event_source_mappings()["EventSourceMappings"]
                       if m["EventSourceArn"] == stream)
        until(lambda: aws.get_event_source_mapping(UUID=mapping["UUID"])["LastProcessingResult"] == "OK")
        client("sqs").send_message(QueueUrl=url, MessageBody="message-1")
        until(lambda: messages_left(client("sqs"), url) == 0)
        # A position is durable soon after its batch: an answered write is behind it in the log.
        client("dynamodb").put_item(TableName=table, Item={"k": {"S": "second"}})
        one.kill()
        one.start()
        client = clients_of(one)
        until(lambda: "second" in bodies(client, name))
        client("dynamodb").put_item(TableName=table, Item={"k": {"S": "third"}})
        client("sqs").send_message(QueueUrl=url, MessageBody="message-2")
        until(lambda: {"third", "message-2"} <= set(bodies(client, name)))
        assert bodies(client, name).count("first") <= 1
    finally:
        one.kill()
