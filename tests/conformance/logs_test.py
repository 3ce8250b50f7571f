"""CloudWatch Logs as boto3 and the AWS CLI see it."""
import io
import json
import shutil
import subprocess
import time
import urllib.error
import urllib.request
import uuid
import zipfile

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def logs(client):
    return client("logs")


@pytest.fixture
def group(logs):
    name = "/test/" + uuid.uuid4().hex[:12]
    logs.create_log_group(logGroupName=name, tags={"team": "blue"})
    yield name
    logs.delete_log_group(logGroupName=name)


@pytest.fixture
def stream(logs, group):
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    return "s"


def now():
    return int(time.time() * 1000)


def put(logs, group, stream, *events):
    return logs.put_log_events(logGroupName=group, logStreamName=stream,
                               logEvents=[{"timestamp": t, "message": m} for t, m in events])


def refusal(call, **kwargs):
    with pytest.raises(ClientError) as caught:
        call(**kwargs)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def test_groups(logs, group):
    got = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert [g["logGroupName"] for g in got] == [group]
    assert got[0]["arn"].endswith(f":log-group:{group}:*") and "retentionInDays" not in got[0]
    logs.put_retention_policy(logGroupName=group, retentionInDays=7)
    assert logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["retentionInDays"] == 7
    assert refusal(logs.create_log_group, logGroupName=group) == (
        "ResourceAlreadyExistsException", "The specified log group already exists")
    assert logs.list_tags_for_resource(resourceArn=got[0]["arn"][:-2])["tags"] == {"team": "blue"}
    assert refusal(logs.put_retention_policy, logGroupName=group, retentionInDays=2)[0] == "InvalidParameterException"


def test_missing_ones_are_named(logs, group):
    assert refusal(logs.describe_log_streams, logGroupName="/none") == (
        "ResourceNotFoundException", "The specified log group does not exist.")
    assert refusal(logs.get_log_events, logGroupName=group, logStreamName="none") == (
        "ResourceNotFoundException", "The specified log stream does not exist.")


def test_events_and_tokens(logs, group, stream):
    t = now()
    got = put(logs, group, stream, *[(t + i, str(i)) for i in range(5)])
    assert "rejectedLogEventsInfo" not in got
    page = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True, limit=3)
    assert [e["message"] for e in page["events"]] == ["0", "1", "2"]
    assert page["nextForwardToken"].startswith("f/") and page["nextBackwardToken"].startswith("b/")
    page = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True, nextToken=page["nextForwardToken"])
    assert [e["message"] for e in page["events"]] == ["3", "4"]
    end = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True, nextToken=page["nextForwardToken"])
    assert end["events"] == [] and end["nextForwardToken"] == page["nextForwardToken"]
    latest = logs.get_log_events(logGroupName=group, logStreamName=stream, limit=2)
    assert [e["message"] for e in latest["events"]] == ["3", "4"]


def test_batches_keep_their_order(logs, group, stream):
    t = now()
    with pytest.raises(ClientError) as caught:
        put(logs, group, stream, (t, "b"), (t - 1, "a"))
    assert caught.value.response["Error"]["Message"] == "Log events in a single PutLogEvents request must be in chronological order."
    got = put(logs, group, stream, (t - 15 * 86_400_000, "old"), (t, "good"))
    assert got["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1}


def test_filters(logs, group, stream):
    t = now()
    put(logs, group, stream, (t, "ERROR one"), (t + 1, "fine"), (t + 2, '{"level":"error","status":500}'))
    found = lambda pattern: [e["message"] for e in logs.filter_log_events(logGroupName=group, filterPattern=pattern)["events"]]
    assert found("ERROR") == ["ERROR one"]
    assert found('{ $.status >= 500 && $.level = "err*" }') == ['{"level":"error","status":500}']
    assert found("-ERROR -level") == ["fine"]
    assert refusal(logs.filter_log_events, logGroupName=group, filterPattern="{ broken")[0] == "InvalidParameterException"
    pages = list(logs.get_paginator("filter_log_events").paginate(logGroupName=group, PaginationConfig={"PageSize": 1}))
    assert [e["message"] for p in pages for e in p["events"]] == ["ERROR one", "fine", '{"level":"error","status":500}']


def test_streams_in_the_order_of_their_last_event(logs, group):
    t = now()
    for i, name in enumerate(["a", "b", "c"]):
        logs.create_log_stream(logGroupName=group, logStreamName=name)
        put(logs, group, name, (t - i, "x"))
    got = logs.describe_log_streams(logGroupName=group, orderBy="LastEventTime", descending=True)["logStreams"]
    assert [s["logStreamName"] for s in got] == ["a", "b", "c"]
    assert got[0]["lastEventTimestamp"] == t and got[0]["firstEventTimestamp"] == t


def cli_version_2():
    for aws in ("/usr/bin/aws", shutil.which("aws")):
        if aws and shutil.which(aws) and "aws-cli/2" in subprocess.run([aws, "--version"], capture_output=True, text=True).stdout:
            return aws
    return None


def test_the_cli_tails(endpoint, logs, group, stream):
    aws = cli_version_2()
    if aws is None:
        pytest.skip("aws logs tail needs version 2 of the AWS CLI")
    put(logs, group, stream, (now(), "hello tail"))
    got = subprocess.run([aws, "logs", "tail", group, "--endpoint-url", endpoint, "--since", "5m"],
                         capture_output=True, text=True, timeout=60)
    assert got.returncode == 0, got.stderr
    assert "hello tail" in got.stdout


# --- filters, policies, saved queries


def test_metric_filters(client, group):
    logs = client("logs")
    metric = [{"metricName": "errors", "metricNamespace": "app", "metricValue": "1", "defaultValue": 0.5}]
    for name in ("b", "a"):
        logs.put_metric_filter(logGroupName=group, filterName=name, filterPattern="ERROR", metricTransformations=metric)
    found = logs.describe_metric_filters(logGroupName=group)["metricFilters"]
    assert [f["filterName"] for f in found] == ["a", "b"]
    assert found[0]["metricTransformations"] == metric and found[0]["logGroupName"] == group and found[0]["creationTime"] > 0
    assert logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["metricFilterCount"] == 2
    assert [f["filterName"] for f in logs.describe_metric_filters(metricName="errors", metricNamespace="app")["metricFilters"]
            if f["logGroupName"] == group] == ["a", "b"]
    assert logs.describe_metric_filters(logGroupName=group, filterNamePrefix="b")["metricFilters"][0]["filterName"] == "b"
    page = logs.describe_metric_filters(logGroupName=group, limit=1)
    assert logs.describe_metric_filters(logGroupName=group, limit=1, nextToken=page["nextToken"])["metricFilters"][0]["filterName"] == "b"
    logs.delete_metric_filter(logGroupName=group, filterName="a")
    with pytest.raises(ClientError) as e:
        logs.delete_metric_filter(logGroupName=group, filterName="a")
    assert e.value.response["Error"]["Message"] == "The specified metric filter does not exist."
    with pytest.raises(logs.exceptions.InvalidParameterException):
        logs.put_metric_filter(logGroupName=group, filterName="c", filterPattern="{ $.a = ", metricTransformations=metric)
    with pytest.raises(logs.exceptions.ResourceNotFoundException):
        logs.put_metric_filter(logGroupName="/none", filterName="c", filterPattern="", metricTransformations=metric)


def test_metric_filters_can_be_tried(client):
    logs = client("logs")
    lines = ['127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /apache_pb.gif HTTP/1.0" 200 1534',
             '127.0.0.1 - frank [10/Oct/2000:13:35:22 -0700] "GET /apache_pb.gif HTTP/1.0" 404 5324']
    matches = logs.test_metric_filter(filterPattern="[ip, identity, user_id, timestamp, request, status_code = 4*, size]",
                                      logEventMessages=lines)["matches"]
    assert [m["eventNumber"] for m in matches] == [2] and matches[0]["eventMessage"] == lines[1]
    assert matches[0]["extractedValues"]["$status_code"] == "404" and matches[0]["extractedValues"]["$size"] == "5324"
    matches = logs.test_metric_filter(filterPattern='{ $.user.name = "ann" && $.n > 1 }', logEventMessages=[
        '{"user": {"name": "ann"}, "n": 2}', '{"user": {"name": "bob"}, "n": 2}', "text"])["matches"]
    assert [m["extractedValues"] for m in matches] == [{"$.user.name": "ann", "$.n": "2"}]


COLLECTOR = """
import base64, gzip, json, os
import boto3
def handler(event, context):
    data = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))
    boto3.client("dynamodb", endpoint_url=os.environ["AWS_ENDPOINT_URL"]).put_item(
        TableName=os.environ["TABLE"], Item={"k": {"S": data["logEvents"][0]["id"]}, "data": {"S": json.dumps(data)}})
"""


def test_subscription_filters_deliver_to_a_function(client, group):
    logs, functions, tables = client("logs"), client("lambda"), client("dynamodb")
    name = "collect-" + uuid.uuid4().hex[:8]
    tables.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
                        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}])
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("app.py", COLLECTOR)
    arn = functions.create_function(FunctionName=name, Runtime="python3.12", Handler="app.handler", Timeout=20,
                                    Role="arn:aws:iam::000000000000:role/r", Code={"ZipFile": out.getvalue()},
                                    Environment={"Variables": {"TABLE": name}})["FunctionArn"]
    try:
        logs.put_subscription_filter(logGroupName=group, filterName="f", filterPattern="ERROR", destinationArn=arn)
        told = logs.describe_subscription_filters(logGroupName=group)["subscriptionFilters"]
        assert [(f["filterName"], f["destinationArn"], f["distribution"]) for f in told] == [("f", arn, "ByLogStream")]
        logs.create_log_stream(logGroupName=group, logStreamName="s")
        now = int(time.time() * 1000)
        logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=[
            {"timestamp": now, "message": "all is well"}, {"timestamp": now, "message": "ERROR one"}, {"timestamp": now + 1, "message": "ERROR two"}])
        deadline = time.monotonic() + 20
        items = []
        while not items and time.monotonic() < deadline:
            items = tables.scan(TableName=name)["Items"]
        data = json.loads(items[0]["data"]["S"])
        assert data["messageType"] == "DATA_MESSAGE" and data["owner"] == "000000000000"
        assert (data["logGroup"], data["logStream"], data["subscriptionFilters"]) == (group, "s", ["f"])
        assert [e["message"] for e in data["logEvents"]] == ["ERROR one", "ERROR two"]
        ids = [e["eventId"] for e in logs.filter_log_events(logGroupName=group, filterPattern="ERROR")["events"]]
        assert [e["id"] for e in data["logEvents"]] == ids
        logs.delete_subscription_filter(logGroupName=group, filterName="f")
        assert logs.describe_subscription_filters(logGroupName=group)["subscriptionFilters"] == []
    finally:
        functions.delete_function(FunctionName=name)
        tables.delete_table(TableName=name)


def test_subscription_filters_are_refused_as_aws_does(client, group):
    logs = client("logs")

    def refusal(**more):
        given = dict(logGroupName=group, filterName="f", filterPattern="", destinationArn="arn:aws:lambda:us-east-1:000000000000:function:f")
        with pytest.raises(ClientError) as e:
            logs.put_subscription_filter(**{**given, **more})
        return e.value.response["Error"]["Code"], e.value.response["Error"]["Message"]

    assert refusal(roleArn="arn:aws:iam::000000000000:role/r") == (
        "InvalidParameterException", "destinationArn for vendor lambda cannot be used with roleArn")
    assert refusal(logGroupName="/none")[0] == "ResourceNotFoundException"
    assert refusal(destinationArn="arn:aws:kinesis:us-east-1:000000000000:stream/s")[0] == "NotImplemented"
    for name in ("a", "b"):
        logs.put_subscription_filter(logGroupName=group, filterName=name, filterPattern="", destinationArn="arn:aws:lambda:us-east-1:000000000000:function:f")
    assert refusal(filterName="c") == ("LimitExceededException", "Resource limit exceeded.")


def test_resource_policies_and_saved_queries(client):
    logs = client("logs")
    document = json.dumps({"Version": "2012-10-17", "Statement": []})
    policy = logs.put_resource_policy(policyName="p", policyDocument=document)["resourcePolicy"]
    assert policy["policyName"] == "p" and policy["policyDocument"] == document and policy["lastUpdatedTime"] > 0
    assert "p" in [p["policyName"] for p in logs.describe_resource_policies()["resourcePolicies"]]
    logs.delete_resource_policy(policyName="p")
    with pytest.raises(ClientError) as e:
        logs.delete_resource_policy(policyName="p")
    assert e.value.response["Error"]["Code"] == "ResourceNotFoundException"
    saved = logs.put_query_definition(name="errors", queryString="fields @message")["queryDefinitionId"]
    logs.put_query_definition(queryDefinitionId=saved, name="errors/all", queryString="fields @message | limit 5")
    found = logs.describe_query_definitions(queryDefinitionNamePrefix="errors/")["queryDefinitions"]
    assert [(q["queryDefinitionId"], q["queryString"]) for q in found] == [(saved, "fields @message | limit 5")]
    assert logs.delete_query_definition(queryDefinitionId=saved)["success"] is True


def test_kms_keys_of_groups(client, group):
    logs = client("logs")
    logs.associate_kms_key(logGroupName=group, kmsKeyId="arn:aws:kms:us-east-1:000000000000:key/k")
    assert logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["kmsKeyId"].endswith("key/k")
    logs.disassociate_kms_key(logGroupName=group)
    assert "kmsKeyId" not in logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]


def test_filters_with_regular_expressions(logs, group, stream):
    put(logs, group, stream, *((now(), m) for m in ("GET /a 200", "GET /b 404", '{"ip": "10.0.0.1"}', '{"ip": "110.0.0.1"}')))

    def found(pattern):
        return [e["message"] for e in logs.filter_log_events(logGroupName=group, filterPattern=pattern)["events"]]
    assert found("%^GET .b 4\\d{2}$%") == ["GET /b 404"]
    assert found("%\\s200|404% GET") == ["GET /a 200", "GET /b 404"]
    assert found("{ $.ip = %^10\\.% }") == ['{"ip": "10.0.0.1"}']
    assert found("[verb, path, status = %^2%]") == ["GET /a 200"]
    for bad in ("%(a)%", "%a!%", "%a", "{ $.ip > %1% }"):
        assert refusal(logs.filter_log_events, logGroupName=group, filterPattern=bad)[0] == "InvalidParameterException"


def test_groups_are_described_by_identifiers(endpoint, group):
    # Debian's boto3 does not know the member.
    def describe(**members):
        request = urllib.request.Request(endpoint, json.dumps(members).encode(), {
            "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "Logs_20140328.DescribeLogGroups",
            "X-Amz-Date": "20260101T000000Z",
            "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/logs/aws4_request, SignedHeaders=host;x-amz-date, Signature=0"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return [g["logGroupName"] for g in json.load(answer)["logGroups"]]
    for identifier in (group, f"arn:aws:logs:us-east-1:000000000000:log-group:{group}"):
        assert describe(logGroupIdentifiers=[identifier, "/no/such/group"]) == [group]
    with pytest.raises(urllib.error.HTTPError) as caught:
        describe(logGroupIdentifiers=[group], logGroupNamePrefix="a")
    assert json.load(caught.value)["__type"].endswith("InvalidParameterException")


def test_dimensions_of_metric_filters(logs, group):
    def with_dimensions(pattern, **more):
        return refusal(logs.put_metric_filter, logGroupName=group, filterName="f", filterPattern=pattern, metricTransformations=[
            {"metricName": "m", "metricNamespace": "n", "metricValue": "1", "dimensions": {"d": "$.d"}, **more}])
    assert with_dimensions("ERROR")[1] == "The specified filter pattern does not support dimensions"
    assert with_dimensions("{ $.d = * }", defaultValue=0.0)[1] == (
        "Invalid metric transformation: dimensions and default value are mutually exclusive properties.")
