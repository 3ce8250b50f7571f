"""CloudWatch Logs as boto3 and the AWS CLI see it."""
import shutil
import subprocess
import time
import uuid

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
