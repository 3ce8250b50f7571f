"""Asynchronous invocations end to end: retries, destinations; logging formats and streamed answers."""
import base64
import json

import pytest

import virga_server
from lambda_support import aws, call, clients_of, function, refused, until  # noqa: F401 (fixtures)


@pytest.fixture(scope="module")
def server():
    with virga_server.Server("--lambda-retry-base-delay", "50ms") as one:
        yield one


@pytest.fixture(scope="module")
def client(server):
    return clients_of(server)


def lines(client, name):
    logs = client("logs")
    try:
        found = logs.filter_log_events(logGroupName="/aws/lambda/" + name)
    except logs.exceptions.ResourceNotFoundException:
        return []
    return [event["message"].rstrip("\n") for event in found["events"]]


def marked(client, name, mark):
    return [json.loads(line[len(mark):]) for line in lines(client, name) if line.startswith(mark)]


WITNESS = "import json\ndef handler(event, context):\n    print('GOT ' + json.dumps(event))\n"


def test_a_failing_event_is_tried_three_times_and_reported(client, aws, function):
    witness = function(WITNESS)
    name = function("def handler(event, context):\n    print('TRY 1')\n    raise ValueError('no')\n")
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{witness}"
    put = aws.put_function_event_invoke_config(FunctionName=name, DestinationConfig={"OnFailure": {"Destination": arn}})
    assert put["DestinationConfig"]["OnFailure"] == {"Destination": arn}
    assert aws.invoke(FunctionName=name, InvocationType="Event", Payload='{"n": 1}')["StatusCode"] == 202
    record = until(lambda: marked(client, witness, "GOT "))[0]
    assert record["version"] == "1.0" and record["requestPayload"] == {"n": 1}
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 3
    assert record["requestContext"]["functionArn"].endswith(f":{name}:$LATEST")
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
    assert record["responsePayload"]["errorMessage"] == "no"
    assert lines(client, name).count("TRY 1") == 3


def test_retries_can_be_switched_off(client, aws, function):
    witness = function(WITNESS)
    name = function("def handler(event, context):\n    raise ValueError('no')\n")
    aws.put_function_event_invoke_config(
        FunctionName=name, MaximumRetryAttempts=0, MaximumEventAgeInSeconds=60,
        DestinationConfig={"OnFailure": {"Destination": f"arn:aws:lambda:us-east-1:000000000000:function:{witness}"}})
    aws.invoke(FunctionName=name, InvocationType="Event", Payload="{}")
    record = until(lambda: marked(client, witness, "GOT "))[0]
    assert record["requestContext"]["approximateInvokeCount"] == 1


def test_success_is_told_to_its_destination(client, aws, function):
    witness = function(WITNESS)
    name = function("def handler(event, context):\n    return {'sum': event['a'] + 1}\n")
    aws.put_function_event_invoke_config(
        FunctionName=name,
        DestinationConfig={"OnSuccess": {"Destination": f"arn:aws:lambda:us-east-1:000000000000:function:{witness}"}})
    aws.invoke(FunctionName=name, InvocationType="Event", Payload='{"a": 1}')
    record = until(lambda: marked(client, witness, "GOT "))[0]
    assert record["requestContext"]["condition"] == "Success" and record["responsePayload"] == {"sum": 2}


def test_destinations_that_cannot_be(aws, function):
    name = function()
    own = f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    message = refused(lambda: aws.put_function_event_invoke_config(
        FunctionName=name, DestinationConfig={"OnFailure": {"Destination": own}}), "InvalidParameterValueException")
    assert message == "You can't specify the function as a destination for itself."
    refused(lambda: aws.update_function_configuration(FunctionName=name, DeadLetterConfig={
        "TargetArn": "arn:aws:s3:::bucket"}), "InvalidParameterValueException")


def test_json_logs(client, aws, function):
    source = ("import logging\nlog = logging.getLogger()\n"
              "def handler(event, context):\n    log.info('told %s', 1)\n    log.debug('hidden')\n    print('plain')\n")
    name = function(source, Runtime="python3.12")
    before = aws.get_function_configuration(FunctionName=name)
    if "LoggingConfig" not in before:
        pytest.skip("this boto3 does not know LoggingConfig")
    aws.update_function_configuration(FunctionName=name, LoggingConfig={"LogFormat": "JSON", "SystemLogLevel": "DEBUG"})
    shown = aws.get_function_configuration(FunctionName=name)["LoggingConfig"]
    assert shown == {"LogFormat": "JSON", "ApplicationLogLevel": "INFO", "SystemLogLevel": "DEBUG",
                     "LogGroup": "/aws/lambda/" + name}
    got, _ = call(aws, name, LogType="Tail")
    text = base64.b64decode(got["LogResult"]).decode().splitlines()
    assert "plain" in text
    records = [json.loads(line) for line in text if line.startswith("{")]
    types = [record.get("type") for record in records if "type" in record]
    assert types == ["platform.initStart", "platform.initRuntimeDone", "platform.initReport", "platform.start",
                     "platform.runtimeDone", "platform.report"]
    told = [record for record in records if record.get("message") == "told 1"]
    assert told[0]["level"] == "INFO" and told[0]["requestId"] == got["ResponseMetadata"]["RequestId"]
    report = next(record for record in records if record.get("type") == "platform.report")["record"]
    assert report["status"] == "success" and report["metrics"]["billedDurationMs"] >= 1
    assert not any(record.get("message") == "hidden" for record in records)


def test_a_streamed_answer(aws, function):
    if not hasattr(aws, "invoke_with_response_stream"):
        pytest.skip("this boto3 does not know InvokeWithResponseStream")
    source = ("exports.handler = awslambda.streamifyResponse(async (event, stream) => {\n"
              "  stream.setContentType('text/plain');\n"
              "  stream.write('one ');\n  stream.write('two');\n  stream.end();\n});\n")
    name = function(source, file="app.js", Runtime="nodejs18.x")
    got = aws.invoke_with_response_stream(FunctionName=name, Payload="{}", LogType="Tail")
    assert got["StatusCode"] == 200 and got["ExecutedVersion"] == "$LATEST"
    events = list(got["EventStream"])
    assert b"".join(e["PayloadChunk"]["Payload"] for e in events if "PayloadChunk" in e) == b"one two"
    complete = events[-1]["InvokeComplete"]
    assert "ErrorCode" not in complete and b"REPORT RequestId" in base64.b64decode(complete["LogResult"])


def test_a_streamed_failure(aws, function):
    if not hasattr(aws, "invoke_with_response_stream"):
        pytest.skip("this boto3 does not know InvokeWithResponseStream")
    name = function("def handler(event, context):\n    raise ValueError('no')\n")
    events = list(aws.invoke_with_response_stream(FunctionName=name, Payload="{}")["EventStream"])
    assert [list(e) for e in events] == [["InvokeComplete"]]
    assert events[0]["InvokeComplete"]["ErrorCode"] == "Unhandled"
    assert json.loads(events[0]["InvokeComplete"]["ErrorDetails"])["errorMessage"] == "no"
