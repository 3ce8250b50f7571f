"""SQS by real clients: Debian's boto3 speaks the query protocol, newer ones and the CLI JSON; raw HTTP covers JSON here."""
import hashlib
import http.client
import json
import struct
import threading
import time
import urllib.parse

import botocore.exceptions
import pytest

ACCOUNT = "000000000000"


@pytest.fixture(scope="module")
def sqs(client):
    return client("sqs")


@pytest.fixture
def queue(sqs, request):
    """URL of a standard queue of this test's own."""
    url = sqs.create_queue(QueueName=queue_name(request))["QueueUrl"]
    yield url
    sqs.delete_queue(QueueUrl=url)


@pytest.fixture
def fifo(sqs, request):
    url = sqs.create_queue(QueueName=queue_name(request)[:75] + ".fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    yield url
    sqs.delete_queue(QueueUrl=url)


def queue_name(request):
    return request.node.function.__name__[:70]


def arn(url):
    return f"arn:aws:sqs:us-east-1:{ACCOUNT}:{url.rsplit('/', 1)[1]}"


def refused(code, call, **arguments):
    """The message of the refusal, whose code must be this."""
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**arguments)
    assert caught.value.response["Error"]["Code"] == code, caught.value.response["Error"]
    return caught.value.response["Error"]["Message"]


def bodies(answer):
    return [m["Body"] for m in answer.get("Messages", [])]


def counts(sqs, url):
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"]
    got = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return tuple(int(got[n]) for n in names)


def json_call(endpoint, operation, body, path="/"):
    """(status, x-amzn-query-error, body) of a call by the JSON protocol."""
    where = urllib.parse.urlparse(endpoint)
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=30)
    connection.request("POST", path, json.dumps(body), {
        "X-Amz-Target": "AmazonSQS." + operation, "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Date": "20260101T000000Z",
        "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/sqs/aws4_request, "
                         "SignedHeaders=host;x-amz-date, Signature=" + "0" * 64})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, answer.getheader("x-amzn-query-error"), json.loads(text) if text else {}


# ---- queues ------------------------------------------------------------------------------------------------------------

def test_create_again_with_the_same_attributes_is_the_same_queue(sqs):
    url = sqs.create_queue(QueueName="same", Attributes={"VisibilityTimeout": "5"})["QueueUrl"]
    assert url.endswith(f"/{ACCOUNT}/same")
    assert sqs.create_queue(QueueName="same", Attributes={"VisibilityTimeout": "5"})["QueueUrl"] == url
    assert sqs.create_queue(QueueName="same")["QueueUrl"] == url
    assert sqs.get_queue_url(QueueName="same")["QueueUrl"] == url
    message = refused("QueueAlreadyExists", sqs.create_queue, QueueName="same", Attributes={"VisibilityTimeout": "6"})
    assert message == "A queue already exists with the same name and a different value for attribute VisibilityTimeout"
    sqs.delete_queue(QueueUrl=url)
    assert "does not exist" in refused("AWS.SimpleQueueService.NonExistentQueue", sqs.get_queue_url, QueueName="same")
    refused("AWS.SimpleQueueService.NonExistentQueue", sqs.delete_queue, QueueUrl=url)


@pytest.mark.parametrize("name", ["", "with space", "a" * 81, "dot.ted", "only.fifo"])
def test_refuses_names_that_are_none(sqs, name):
    code = "InvalidParameterValue" if name else "MissingParameter"
    refused(code, sqs.create_queue, QueueName=name)


def test_a_fifo_queue_needs_its_suffix(sqs):
    refused("InvalidParameterValue", sqs.create_queue, QueueName="plain", Attributes={"FifoQueue": "true"})
    assert refused("InvalidAttributeName", sqs.create_queue, QueueName="plain",
                   Attributes={"FifoQueue": "false"}) == "Unknown Attribute FifoQueue."


def test_attributes_have_defaults_and_limits(sqs, queue):
    got = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    assert got["QueueArn"] == arn(queue)
    assert (got["VisibilityTimeout"], got["DelaySeconds"], got["MessageRetentionPeriod"], got["MaximumMessageSize"],
            got["ReceiveMessageWaitTimeSeconds"], got["SqsManagedSseEnabled"]) == ("30", "0", "345600", "1048576", "0", "true")
    assert "FifoQueue" not in got and "Policy" not in got and "RedrivePolicy" not in got
    assert "Attributes" not in sqs.get_queue_attributes(QueueUrl=queue)
    assert refused("InvalidAttributeName", sqs.get_queue_attributes, QueueUrl=queue,
                   AttributeNames=["Nonsense"]) == "Unknown Attribute Nonsense."
    for name, value in [("VisibilityTimeout", "43201"), ("DelaySeconds", "-1"), ("DelaySeconds", "x"),
                        ("MaximumMessageSize", "1023"), ("MessageRetentionPeriod", "59"),
                        ("ReceiveMessageWaitTimeSeconds", "21"), ("Policy", "{")]:
        assert refused("InvalidAttributeValue", sqs.set_queue_attributes, QueueUrl=queue,
                       Attributes={name: value}) == f"Invalid value for the parameter {name}."
    refused("InvalidAttributeName", sqs.set_queue_attributes, QueueUrl=queue, Attributes={"QueueArn": "x"})
    refused("InvalidAttributeName", sqs.set_queue_attributes, QueueUrl=queue, Attributes={"ContentBasedDeduplication": "true"})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"KmsMasterKeyId": "alias/aws/sqs"})
    got = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["KmsMasterKeyId", "SqsManagedSseEnabled"])["Attributes"]
    assert got == {"KmsMasterKeyId": "alias/aws/sqs", "SqsManagedSseEnabled": "false"}
    reuse = {"QueueUrl": queue, "AttributeNames": ["KmsDataKeyReusePeriodSeconds"]}
    assert sqs.get_queue_attributes(**reuse)["Attributes"] == {"KmsDataKeyReusePeriodSeconds": "300"}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"KmsMasterKeyId": ""})
    assert "Attributes" not in sqs.get_queue_attributes(**reuse)


def test_list_queues_by_prefix_and_pages(sqs):
    urls = [sqs.create_queue(QueueName=f"listed-{i}")["QueueUrl"] for i in range(5)]
    assert sqs.list_queues(QueueNamePrefix="listed-")["QueueUrls"] == urls
    pages = [p["QueueUrls"] for p in sqs.get_paginator("list_queues").paginate(
        QueueNamePrefix="listed-", PaginationConfig={"PageSize": 2})]
    assert pages == [urls[:2], urls[2:4], urls[4:]]
    assert "QueueUrls" not in sqs.list_queues(QueueNamePrefix="no-such-")
    refused("InvalidParameterValue", sqs.list_queues, NextToken="nonsense", MaxResults=1)
    refused("InvalidParameterValue", sqs.list_queues, MaxResults=1001)
    for url in urls:
        sqs.delete_queue(QueueUrl=url)


def test_a_queue_url_resolves_by_its_path(sqs, queue):
    name = queue.rsplit("/", 1)[1]
    for url in [name, f"http://localhost:4566/{ACCOUNT}/{name}", f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/{name}",
                f"https://queue.amazonaws.com/{ACCOUNT}/{name}", f"http://localhost:4566/queue/us-east-1/{ACCOUNT}/{name}",
                f"http://sqs.us-east-1.localhost.localstack.cloud:4566/{ACCOUNT}/{name}"]:
        assert sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"] == arn(queue)
    refused("AWS.SimpleQueueService.NonExistentQueue", sqs.purge_queue, QueueUrl=f"http://localhost:4566/111122223333/{name}")


def test_tags(sqs):
    url = sqs.create_queue(QueueName="tagged", tags={"a": "1", "b": ""})["QueueUrl"]
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"a": "1", "b": ""}
    sqs.tag_queue(QueueUrl=url, Tags={"c": "3", "a": "2"})
    sqs.untag_queue(QueueUrl=url, TagKeys=["b", "none"])
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"a": "2", "c": "3"}
    refused("InvalidParameterValue", sqs.tag_queue, QueueUrl=url, Tags={f"k{i}": "v" for i in range(51)})
    sqs.untag_queue(QueueUrl=url, TagKeys=["a", "c"])
    assert "Tags" not in sqs.list_queue_tags(QueueUrl=url)
    sqs.delete_queue(QueueUrl=url)


def test_permissions_are_statements_of_the_policy(sqs, queue):
    sqs.add_permission(QueueUrl=queue, Label="one", AWSAccountIds=["111122223333"], Actions=["SendMessage", "ReceiveMessage"])
    policy = json.loads(sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["Policy"])["Attributes"]["Policy"])
    assert policy["Statement"] == [{
        "Sid": "one", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
        "Action": ["SQS:SendMessage", "SQS:ReceiveMessage"], "Resource": arn(queue)}]
    assert refused("InvalidParameterValue", sqs.add_permission, QueueUrl=queue, Label="one", AWSAccountIds=["111122223333"],
                   Actions=["SendMessage"]) == "Value one for parameter Label is invalid. Reason: Already exists."
    refused("InvalidParameterValue", sqs.add_permission, QueueUrl=queue, Label="two", AWSAccountIds=["111122223333"],
            Actions=["DeleteQueue"])
    for account in ("-12345678901", "+12345678901", "11112222333", "11112222333a"):
        refused("InvalidParameterValue", sqs.add_permission, QueueUrl=queue, Label="two", AWSAccountIds=[account],
                Actions=["SendMessage"])
    sqs.remove_permission(QueueUrl=queue, Label="one")
    assert "Attributes" not in sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["Policy"])
    refused("InvalidParameterValue", sqs.remove_permission, QueueUrl=queue, Label="one")


# ---- messages ----------------------------------------------------------------------------------------------------------

def md5_of_attributes(attributes):
    """SQS Developer Guide, "Calculating the MD5 message digest for message attributes"."""
    digest = hashlib.md5()
    for name in sorted(attributes):
        value = attributes[name]
        data = value.get("StringValue", "").encode() or value.get("BinaryValue", b"")
        for text in (name.encode(), value["DataType"].encode()):
            digest.update(struct.pack(">I", len(text)) + text)
        digest.update(b"\x02" if value["DataType"].startswith("Binary") else b"\x01")
        digest.update(struct.pack(">I", len(data)) + data)
    return digest.hexdigest()


def test_a_message_and_its_attributes(sqs, queue):
    attributes = {"n": {"DataType": "Number.int", "StringValue": "17"}, "a.b": {"DataType": "String", "StringValue": "hä"},
                  "raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}}
    sent = sqs.send_message(QueueUrl=queue, MessageBody="grüße <&>", MessageAttributes=attributes, MessageSystemAttributes={
        "AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-5759e988-bd862e3fe1be46a994272793"}})
    assert sent["MD5OfMessageBody"] == hashlib.md5("grüße <&>".encode()).hexdigest()
    assert sent["MD5OfMessageAttributes"] == md5_of_attributes(attributes)
    assert len(sent["MD5OfMessageSystemAttributes"]) == 32
    before = time.time() * 1000
    got = sqs.receive_message(QueueUrl=queue, AttributeNames=["All"], MessageAttributeNames=["All"], VisibilityTimeout=0)["Messages"][0]
    assert (got["MessageId"], got["Body"], got["MD5OfBody"]) == (sent["MessageId"], "grüße <&>", sent["MD5OfMessageBody"])
    assert got["MessageAttributes"] == attributes
    assert got["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    system = got["Attributes"]
    assert system["ApproximateReceiveCount"] == "1" and system["SenderId"] and system["AWSTraceHeader"].startswith("Root=")
    assert abs(int(system["SentTimestamp"]) - before) < 60_000
    assert int(system["ApproximateFirstReceiveTimestamp"]) >= int(system["SentTimestamp"])
    assert "SequenceNumber" not in system and "MessageGroupId" not in system
    some = sqs.receive_message(QueueUrl=queue, AttributeNames=["ApproximateReceiveCount"], MessageAttributeNames=["a.*"],
                               VisibilityTimeout=0)["Messages"][0]
    assert some["Attributes"] == {"ApproximateReceiveCount": "2"}
    assert some["MessageAttributes"] == {"a.b": attributes["a.b"]}
    assert some["MD5OfMessageAttributes"] == md5_of_attributes({"a.b": attributes["a.b"]})
    plain = sqs.receive_message(QueueUrl=queue)["Messages"][0]
    assert "Attributes" not in plain and "MessageAttributes" not in plain and "MD5OfMessageAttributes" not in plain
    refused("InvalidAttributeName", sqs.receive_message, QueueUrl=queue, AttributeNames=["Nonsense"])


@pytest.mark.parametrize("attribute, text", [
    ({"x": {"DataType": "", "StringValue": "v"}}, "must contain non-empty message attribute type."),
    ({"x": {"DataType": "Text", "StringValue": "v"}}, "has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String."),
    ({"x": {"DataType": "String", "StringValue": ""}}, "must contain non-empty message attribute value for message attribute type 'String'."),
    ({"x": {"DataType": "Number", "StringValue": "seven"}}, "Can't cast the value of message (user) attribute 'x' to a number."),
    ({"x": {"DataType": "Number", "StringValue": "NaN"}}, "Can't cast the value of message (user) attribute 'x' to a number."),
    ({"x": {"DataType": "Number.int", "StringValue": "1e"}}, "Can't cast the value of message (user) attribute 'x' to a number."),
    ({"AWS.x": {"DataType": "String", "StringValue": "v"}}, "reserved for internal use"),
    ({"x y": {"DataType": "String", "StringValue": "v"}}, "message attribute name"),
    ({f"x{i}": {"DataType": "String", "StringValue": "v"} for i in range(11)}, "Number of message attributes [11] exceeds the allowed maximum [10]."),
])
def test_refuses_attributes(sqs, queue, attribute, text):
    assert text in refused("InvalidParameterValue", sqs.send_message, QueueUrl=queue, MessageBody="b", MessageAttributes=attribute)


@pytest.mark.parametrize("number", ["-1", "+1", "1.", ".5", "1e400", "-0.25E-7", "1" * 60])
def test_numbers_are_kept_as_they_are_written(sqs, queue, number):
    attribute = {"n": {"DataType": "Number", "StringValue": number}}
    sqs.send_message(QueueUrl=queue, MessageBody="b", MessageAttributes=attribute)
    assert sqs.receive_message(QueueUrl=queue, MessageAttributeNames=["n"])["Messages"][0]["MessageAttributes"] == attribute


def test_refuses_bodies(sqs, queue):
    refused("MissingParameter", sqs.send_message, QueueUrl=queue, MessageBody="")
    refused("InvalidMessageContents", sqs.send_message, QueueUrl=queue, MessageBody="bell \x07")
    refused("InvalidMessageContents", sqs.send_message, QueueUrl=queue, MessageBody="\ufffe")
    assert refused("InvalidParameterValue", sqs.send_message, QueueUrl=queue, MessageBody="x" * 1_048_577) == \
        "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes."
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"MaximumMessageSize": "1024"})
    refused("InvalidParameterValue", sqs.send_message, QueueUrl=queue, MessageBody="x" * 1020,
            MessageAttributes={"a": {"DataType": "String", "StringValue": "v"}})
    sqs.send_message(QueueUrl=queue, MessageBody="x" * 1024)
    for delay in (-1, 901):
        assert f"Value {delay} for parameter DelaySeconds is invalid" in refused(
            "InvalidParameterValue", sqs.send_message, QueueUrl=queue, MessageBody="b", DelaySeconds=delay)


def test_a_message_of_a_mebibyte_comes_back_whole(sqs, queue):
    body = "ü" * 524_288
    sqs.send_message(QueueUrl=queue, MessageBody=body)
    assert bodies(sqs.receive_message(QueueUrl=queue)) == [body]


def test_received_messages_are_hidden_until_their_timeout(sqs, queue):
    sqs.send_message(QueueUrl=queue, MessageBody="m")
    first = sqs.receive_message(QueueUrl=queue, VisibilityTimeout=600)["Messages"][0]["ReceiptHandle"]
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    assert counts(sqs, queue) == (0, 1, 0)
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=first, VisibilityTimeout=0)
    assert counts(sqs, queue) == (1, 0, 0)
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=first, VisibilityTimeout=5)  # succeeds, and hides nothing
    assert counts(sqs, queue) == (1, 0, 0)
    second = sqs.receive_message(QueueUrl=queue, AttributeNames=["All"])["Messages"][0]
    assert second["ReceiptHandle"] != first and second["Attributes"]["ApproximateReceiveCount"] == "2"
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=first, VisibilityTimeout=0)
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=first)  # both succeed, and the message stays as it is
    assert counts(sqs, queue) == (0, 1, 0)
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=second["ReceiptHandle"])
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=second["ReceiptHandle"])
    assert counts(sqs, queue) == (0, 0, 0)
    assert "Message does not exist or is not available for visibility timeout change." in refused(
        "InvalidParameterValue", sqs.change_message_visibility, QueueUrl=queue, ReceiptHandle=second["ReceiptHandle"], VisibilityTimeout=5)


def test_refuses_what_is_no_receipt(sqs, queue, fifo):
    for call, more in [(sqs.delete_message, {}), (sqs.change_message_visibility, {"VisibilityTimeout": 1})]:
        assert refused("ReceiptHandleIsInvalid", call, QueueUrl=queue, ReceiptHandle="garbage", **more) == \
            'The input receipt handle "garbage" is not a valid receipt handle.'
    sqs.send_message(QueueUrl=queue, MessageBody="m")
    handle = sqs.receive_message(QueueUrl=queue)["Messages"][0]["ReceiptHandle"]
    refused("ReceiptHandleIsInvalid", sqs.delete_message, QueueUrl=fifo, ReceiptHandle=handle)
    refused("InvalidParameterValue", sqs.change_message_visibility, QueueUrl=queue, ReceiptHandle=handle, VisibilityTimeout=43201)


@pytest.mark.parametrize("more, text", [
    ({"MaxNumberOfMessages": 0}, "Value 0 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided."),
    ({"MaxNumberOfMessages": 11}, "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided."),
    ({"WaitTimeSeconds": 21}, "Value 21 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided."),
    ({"VisibilityTimeout": 43201}, "Value 43201 for parameter VisibilityTimeout is invalid."),
    ({"ReceiveRequestAttemptId": "x"}, "Value x for parameter ReceiveRequestAttemptId is invalid."),
])
def test_refuses_receive_parameters(sqs, queue, more, text):
    assert text in refused("InvalidParameterValue", sqs.receive_message, QueueUrl=queue, **more)


def test_delays_of_message_and_queue(sqs, queue):
    sqs.send_message(QueueUrl=queue, MessageBody="late", DelaySeconds=900)
    sqs.send_message(QueueUrl=queue, MessageBody="soon", DelaySeconds=1)
    sqs.send_message(QueueUrl=queue, MessageBody="now")
    assert counts(sqs, queue) == (1, 0, 2)
    assert bodies(sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)) == ["now"]
    assert bodies(sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=20)) == ["soon"]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"DelaySeconds": "900"})
    sqs.send_message(QueueUrl=queue, MessageBody="delayed by the queue")
    sqs.send_message(QueueUrl=queue, MessageBody="not delayed", DelaySeconds=0)
    assert bodies(sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)) == ["not delayed"]


def test_long_polls_are_woken_by_a_message(client, queue):
    got = []

    def poll():
        got.extend(bodies(client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=20)))

    pollers = [threading.Thread(target=poll) for _ in range(3)]
    for poller in pollers:
        poller.start()
    sender = client("sqs")
    sender.send_message(QueueUrl=queue, MessageBody="0")
    sender.send_message_batch(QueueUrl=queue, Entries=[{"Id": str(i), "MessageBody": str(i)} for i in (1, 2)])
    for poller in pollers:
        poller.join(30)
    assert sorted(got) == ["0", "1", "2"]


def test_a_long_poll_sees_a_message_given_back_and_the_queue_deleted(client, sqs, queue):
    sqs.send_message(QueueUrl=queue, MessageBody="m")
    sqs.receive_message(QueueUrl=queue, VisibilityTimeout=1)
    assert bodies(client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=20)) == ["m"]
    other = sqs.create_queue(QueueName="vanishes")["QueueUrl"]
    seen = []

    def poll():
        try:
            seen.append(client("sqs").receive_message(QueueUrl=other, WaitTimeSeconds=20))
        except botocore.exceptions.ClientError as error:
            seen.append(error.response["Error"]["Code"])

    poller = threading.Thread(target=poll)
    poller.start()
    sqs.delete_queue(QueueUrl=other)
    poller.join(30)
    assert seen == ["AWS.SimpleQueueService.NonExistentQueue"]


def test_batches(sqs, queue):
    sent = sqs.send_message_batch(QueueUrl=queue, Entries=[
        {"Id": "a", "MessageBody": "one"}, {"Id": "b", "MessageBody": "two", "DelaySeconds": 901}, {"Id": "c", "MessageBody": "three"}])
    assert [e["Id"] for e in sent["Successful"]] == ["a", "c"]
    assert [(e["Id"], e["SenderFault"], e["Code"]) for e in sent["Failed"]] == [("b", True, "InvalidParameterValue")]
    got = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert [m["Body"] for m in got] == ["one", "three"]
    changed = sqs.change_message_visibility_batch(QueueUrl=queue, Entries=[
        {"Id": "x", "ReceiptHandle": got[0]["ReceiptHandle"], "VisibilityTimeout": 600},
        {"Id": "y", "ReceiptHandle": "garbage", "VisibilityTimeout": 600}])
    assert [e["Id"] for e in changed["Successful"]] == ["x"]
    assert [(e["Id"], e["Code"]) for e in changed["Failed"]] == [("y", "ReceiptHandleIsInvalid")]
    done = sqs.delete_message_batch(QueueUrl=queue, Entries=[{"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(got)])
    assert [e["Id"] for e in done["Successful"]] == ["0", "1"] and "Failed" not in done
    assert counts(sqs, queue) == (0, 0, 0)


def test_refuses_batches(sqs, queue):
    prefix = "AWS.SimpleQueueService."

    def entries(*ids):
        return [{"Id": i, "MessageBody": "b"} for i in ids]

    assert refused(prefix + "EmptyBatchRequest", sqs.send_message_batch, QueueUrl=queue, Entries=[]) == \
        "There should be at least one SendMessageBatchRequestEntry in the request."
    assert refused(prefix + "TooManyEntriesInBatchRequest", sqs.send_message_batch, QueueUrl=queue,
                   Entries=entries(*map(str, range(11)))) == "Maximum number of entries per request are 10. You have sent 11."
    assert refused(prefix + "BatchEntryIdsNotDistinct", sqs.send_message_batch, QueueUrl=queue, Entries=entries("a", "a")) == "Id a repeated."
    for bad in ("", "with space", "x" * 81):
        refused(prefix + "InvalidBatchEntryId", sqs.send_message_batch, QueueUrl=queue, Entries=entries(bad))
    assert refused(prefix + "BatchRequestTooLong", sqs.send_message_batch, QueueUrl=queue, Entries=[
        {"Id": str(i), "MessageBody": "x" * 524_289} for i in range(2)]) == \
        "Batch requests cannot be longer than 1048576 bytes. You have sent 1048578 bytes."
    refused(prefix + "EmptyBatchRequest", sqs.delete_message_batch, QueueUrl=queue, Entries=[])
    refused(prefix + "EmptyBatchRequest", sqs.change_message_visibility_batch, QueueUrl=queue, Entries=[])


def test_purge(sqs, queue):
    sqs.send_message_batch(QueueUrl=queue, Entries=[{"Id": str(i), "MessageBody": "b"} for i in range(10)])
    handle = sqs.receive_message(QueueUrl=queue)["Messages"][0]["ReceiptHandle"]
    sqs.purge_queue(QueueUrl=queue)
    assert counts(sqs, queue) == (0, 0, 0)
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=handle)
    sqs.send_message(QueueUrl=queue, MessageBody="after")
    assert bodies(sqs.receive_message(QueueUrl=queue)) == ["after"]


# ---- FIFO --------------------------------------------------------------------------------------------------------------

def test_fifo_keeps_the_order_of_each_group(sqs, fifo):
    numbers = []
    for i in range(12):
        sent = sqs.send_message(QueueUrl=fifo, MessageBody=str(i), MessageGroupId="ab"[i % 2], MessageDeduplicationId=str(i))
        numbers.append(sent["SequenceNumber"])
    assert all(len(n) == 20 for n in numbers) and numbers == sorted(set(numbers))
    first = sqs.receive_message(QueueUrl=fifo, MaxNumberOfMessages=3, AttributeNames=["All"])["Messages"]
    assert [m["Body"] for m in first] == ["0", "2", "4"]
    assert first[0]["Attributes"]["MessageGroupId"] == "a" and first[0]["Attributes"]["MessageDeduplicationId"] == "0"
    assert first[0]["Attributes"]["SequenceNumber"] == numbers[0]
    # The group waits for its messages in flight; the other goes on.
    assert bodies(sqs.receive_message(QueueUrl=fifo, MaxNumberOfMessages=10)) == ["1", "3", "5", "7", "9", "11"]
    assert "Messages" not in sqs.receive_message(QueueUrl=fifo)
    for m in first[:2]:
        sqs.delete_message(QueueUrl=fifo, ReceiptHandle=m["ReceiptHandle"])
    assert "Messages" not in sqs.receive_message(QueueUrl=fifo)
    sqs.change_message_visibility(QueueUrl=fifo, ReceiptHandle=first[2]["ReceiptHandle"], VisibilityTimeout=0)
    assert bodies(sqs.receive_message(QueueUrl=fifo, MaxNumberOfMessages=10)) == ["4", "6", "8", "10"]


def test_fifo_deduplicates(sqs, fifo):
    assert refused("MissingParameter", sqs.send_message, QueueUrl=fifo, MessageBody="b") == \
        "The request must contain the parameter MessageGroupId."
    assert refused("InvalidParameterValue", sqs.send_message, QueueUrl=fifo, MessageBody="b", MessageGroupId="g") == \
        "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"
    refused("InvalidParameterValue", sqs.send_message, QueueUrl=fifo, MessageBody="b", MessageGroupId="g",
            MessageDeduplicationId="d", DelaySeconds=1)
    one = sqs.send_message(QueueUrl=fifo, MessageBody="one", MessageGroupId="g", MessageDeduplicationId="d")
    again = sqs.send_message(QueueUrl=fifo, MessageBody="other body", MessageGroupId="h", MessageDeduplicationId="d")
    assert (again["MessageId"], again["SequenceNumber"]) == (one["MessageId"], one["SequenceNumber"])
    sqs.set_queue_attributes(QueueUrl=fifo, Attributes={"ContentBasedDeduplication": "true", "DeduplicationScope": "messageGroup",
                                                        "FifoThroughputLimit": "perMessageGroupId"})
    for group in ("g", "h", "g"):
        sqs.send_message(QueueUrl=fifo, MessageBody="content", MessageGroupId=group)
    assert counts(sqs, fifo) == (3, 0, 0)


def test_fifo_receive_can_be_repeated_by_its_attempt_id(sqs, fifo):
    for i in range(3):
        sqs.send_message(QueueUrl=fifo, MessageBody=str(i), MessageGroupId="g", MessageDeduplicationId=str(i))
    first = sqs.receive_message(QueueUrl=fifo, MaxNumberOfMessages=2, ReceiveRequestAttemptId="try")["Messages"]
    again = sqs.receive_message(QueueUrl=fifo, MaxNumberOfMessages=2, ReceiveRequestAttemptId="try")["Messages"]
    assert [m["ReceiptHandle"] for m in again] == [m["ReceiptHandle"] for m in first]
    sqs.delete_message(QueueUrl=fifo, ReceiptHandle=first[0]["ReceiptHandle"])
    assert "Messages" not in sqs.receive_message(QueueUrl=fifo, ReceiveRequestAttemptId="try")


@pytest.mark.parametrize("attempt", ["", "a b", "a" * 129])
def test_refuses_attempt_ids(sqs, fifo, attempt):
    assert refused("InvalidParameterValue", sqs.receive_message, QueueUrl=fifo, ReceiveRequestAttemptId=attempt) == \
        f"Value {attempt} for parameter ReceiveRequestAttemptId is invalid. Reason: ReceiveRequestAttemptId can only include " \
        "alphanumeric and punctuation characters. 1 to 128 in length."


def test_fifo_refuses_an_expired_handle(sqs, fifo):
    sqs.send_message(QueueUrl=fifo, MessageBody="m", MessageGroupId="g", MessageDeduplicationId="d")
    handle = sqs.receive_message(QueueUrl=fifo, VisibilityTimeout=0)["Messages"][0]["ReceiptHandle"]
    assert refused("InvalidParameterValue", sqs.delete_message, QueueUrl=fifo, ReceiptHandle=handle) == \
        f"Value {handle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired."
    latest = sqs.receive_message(QueueUrl=fifo)["Messages"][0]["ReceiptHandle"]
    assert "has expired" in refused("InvalidParameterValue", sqs.delete_message, QueueUrl=fifo, ReceiptHandle=handle)
    assert "has expired" in refused("InvalidParameterValue", sqs.change_message_visibility, QueueUrl=fifo, ReceiptHandle=handle,
                                    VisibilityTimeout=5)
    sqs.delete_message(QueueUrl=fifo, ReceiptHandle=latest)
    sqs.delete_message(QueueUrl=fifo, ReceiptHandle=handle)  # of a message that is gone


# ---- dead letters ------------------------------------------------------------------------------------------------------

def redrive(target, count):
    return {"RedrivePolicy": json.dumps({"deadLetterTargetArn": arn(target), "maxReceiveCount": count})}


def test_dead_letters(sqs, queue, endpoint):
    dead = sqs.create_queue(QueueName="dead-letters")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes=redrive(dead, 2))
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [queue]
    sent = sqs.send_message(QueueUrl=queue, MessageBody="poison")
    for _ in range(2):
        assert bodies(sqs.receive_message(QueueUrl=queue, VisibilityTimeout=0)) == ["poison"]
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    got = sqs.receive_message(QueueUrl=dead, AttributeNames=["All"], VisibilityTimeout=0)["Messages"][0]
    assert (got["Body"], got["MessageId"]) == ("poison", sent["MessageId"])
    assert got["Attributes"]["DeadLetterQueueSourceArn"] == arn(queue)
    assert got["Attributes"]["ApproximateReceiveCount"] == "3"

    status, _, started = json_call(endpoint, "StartMessageMoveTask", {"SourceArn": arn(dead)})
    assert status == 200 and started["TaskHandle"]
    assert bodies(sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20)) == ["poison"]
    deadline = time.monotonic() + 10
    while True:
        _, _, listed = json_call(endpoint, "ListMessageMoveTasks", {"SourceArn": arn(dead)})
        task = listed["Results"][0]
        if task["Status"] != "RUNNING" or time.monotonic() > deadline:
            break
    assert (task["Status"], task["ApproximateNumberOfMessagesMoved"], task["SourceArn"]) == ("COMPLETED", 1, arn(dead))
    assert "TaskHandle" not in task
    status, code, error = json_call(endpoint, "CancelMessageMoveTask", {"TaskHandle": started["TaskHandle"]})
    assert (status, code) == (400, "AWS.SimpleQueueService.UnsupportedOperation;Sender")
    assert error["message"] == "Only active tasks can be cancelled."
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": ""})
    assert not sqs.list_dead_letter_source_queues(QueueUrl=dead).get("queueUrls")
    _, _, error = json_call(endpoint, "StartMessageMoveTask", {"SourceArn": arn(dead)})
    assert error["message"] == "Source queue must be configured as a Dead Letter Queue."
    sqs.delete_queue(QueueUrl=dead)


@pytest.mark.parametrize("policy, reason", [
    ("{", "Redrive policy is not a valid JSON map."),
    ('{"maxReceiveCount":1}', "Redrive policy does not contain mandatory attribute: deadLetterTargetArn."),
    ('{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:gone"}', "Redrive policy does not contain mandatory attribute: maxReceiveCount."),
    ('{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:gone","maxReceiveCount":"0"}',
     "Invalid value for maxReceiveCount: 0, valid values are from 1 to 1000 both inclusive."),
    ('{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:gone","maxReceiveCount":3}', "Dead letter target does not exist."),
])
def test_refuses_redrive_policies(sqs, queue, policy, reason):
    assert refused("InvalidParameterValue", sqs.set_queue_attributes, QueueUrl=queue, Attributes={"RedrivePolicy": policy}) == \
        f"Value {policy} for parameter RedrivePolicy is invalid. Reason: {reason}"


def test_redrive_policies_are_told_in_one_form(sqs, queue):
    def told(url, name):
        return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name]

    dead = sqs.create_queue(QueueName="one-form-dead")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={
        "RedrivePolicy": json.dumps({"maxReceiveCount": "5", "deadLetterTargetArn": arn(dead)}, indent=2)})
    assert told(queue, "RedrivePolicy") == '{"deadLetterTargetArn":"%s","maxReceiveCount":5}' % arn(dead)
    sqs.set_queue_attributes(QueueUrl=dead, Attributes={"RedriveAllowPolicy": '{ "redrivePermission" : "allowAll" }'})
    assert told(dead, "RedriveAllowPolicy") == '{"redrivePermission":"allowAll"}'
    sqs.delete_queue(QueueUrl=dead)
    assert refused("MissingParameter", sqs.set_queue_attributes, QueueUrl=queue, Attributes={}) == \
        "The request must contain the parameter Attribute.Name."


def test_redrive_allow_policy_is_kept_to(sqs, queue):
    closed = sqs.create_queue(QueueName="closed", Attributes={"RedriveAllowPolicy": '{"redrivePermission":"denyAll"}'})["QueueUrl"]
    refused("InvalidParameterValue", sqs.set_queue_attributes, QueueUrl=queue, Attributes=redrive(closed, 1))
    allow = {"redrivePermission": "byQueue", "sourceQueueArns": [arn(queue)]}
    sqs.set_queue_attributes(QueueUrl=closed, Attributes={"RedriveAllowPolicy": json.dumps(allow)})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes=redrive(closed, 1))
    sqs.delete_queue(QueueUrl=closed)


# ---- protocols ---------------------------------------------------------------------------------------------------------

def test_json_errors_tell_their_query_codes(endpoint):
    status, code, body = json_call(endpoint, "GetQueueUrl", {"QueueName": "no-such"})
    assert (status, code) == (400, "AWS.SimpleQueueService.NonExistentQueue;Sender")
    assert body == {"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "The specified queue does not exist."}
    status, code, body = json_call(endpoint, "SendMessage", {"MessageBody": "b"})
    assert (status, code, body["message"]) == (400, "MissingParameter;Sender", "The request must contain the parameter QueueUrl.")
    assert body["__type"] == "com.amazon.coral.service#MissingRequiredParameterException"


def test_json_answers_leave_out_what_is_empty(sqs, queue, endpoint):
    assert json_call(endpoint, "ReceiveMessage", {"QueueUrl": queue})[2] == {}
    sent = json_call(endpoint, "SendMessageBatch", {"QueueUrl": queue, "Entries": [{"Id": "a", "MessageBody": "b"}]},
                     path=urllib.parse.urlparse(queue).path)[2]
    assert set(sent) == {"Successful"}
    got = json_call(endpoint, "ReceiveMessage", {"QueueUrl": queue, "MessageSystemAttributeNames": ["SenderId"]})[2]["Messages"][0]
    assert got["Body"] == "b" and set(got["Attributes"]) == {"SenderId"}
    assert json_call(endpoint, "DeleteMessage", {"QueueUrl": queue, "ReceiptHandle": got["ReceiptHandle"]})[0] == 200


def query_call(url, form):
    """(status, body) of a call by the query protocol."""
    where = urllib.parse.urlparse(url)
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=30)
    connection.request("POST", where.path, form + "&Version=2012-11-05", {
        "Content-Type": "application/x-www-form-urlencoded", "X-Amz-Date": "20260101T000000Z",
        "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/sqs/aws4_request, "
                         "SignedHeaders=host;x-amz-date, Signature=" + "0" * 64})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def test_a_query_request_may_name_its_queue_by_its_path(sqs, queue):
    status, text = query_call(queue, "Action=SendMessage&MessageBody=by+path")
    assert status == 200, text
    assert text.startswith('<SendMessageResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/"><SendMessageResult>')
    assert "<ResponseMetadata><RequestId>" in text
    assert bodies(sqs.receive_message(QueueUrl=queue)) == ["by path"]


def test_a_query_request_may_leave_the_number_of_a_single_entry_out(sqs, queue):
    """As the examples of the SQS API Reference do."""
    status, text = query_call(queue, "Action=SetQueueAttributes&Attribute.Name=VisibilityTimeout&Attribute.Value=35")
    assert status == 200, text
    status, text = query_call(queue, "Action=GetQueueAttributes&AttributeName=VisibilityTimeout")
    assert (status, text.count("<Attribute>")) == (200, 1), text
    assert "<Attribute><Name>VisibilityTimeout</Name><Value>35</Value></Attribute>" in text
    assert "<GetQueueAttributesResult/>" in query_call(queue, "Action=GetQueueAttributes&AttributeName=")[1]


def test_what_an_entry_lacks_is_named_by_its_place(queue, endpoint):
    text = "The request must contain the parameter SendMessageBatchRequestEntry.2.Id."
    status, code, error = json_call(endpoint, "SendMessageBatch", {
        "QueueUrl": queue, "Entries": [{"Id": "a", "MessageBody": "b"}, {"MessageBody": "b"}]})
    assert (status, code, error["message"]) == (400, "MissingParameter;Sender", text)
    status, answer = query_call(queue, "Action=SendMessageBatch&" + "&".join(
        f"SendMessageBatchRequestEntry.{i}.MessageBody=b" for i in (1, 2)) + "&SendMessageBatchRequestEntry.1.Id=a")
    assert status == 400 and f"<Code>MissingParameter</Code><Message>{text}</Message>" in answer
    _, _, error = json_call(endpoint, "DeleteMessageBatch", {"QueueUrl": queue, "Entries": [{"Id": "a"}]})
    assert error["message"] == "The request must contain the parameter DeleteMessageBatchRequestEntry.1.ReceiptHandle."
