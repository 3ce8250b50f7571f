"""Queries of CloudWatch Logs Insights over events that PutLogEvents wrote."""
import json
import time
import uuid

import pytest
from botocore.exceptions import ClientError

NOW = int(time.time()) * 1000 - 60_000
LINES = [
    {"level": "INFO", "path": "/a", "took": 10, "user": {"name": "ann"}},
    {"level": "ERROR", "path": "/b", "took": 30.5, "user": {"name": "bob"}},
    {"level": "INFO", "path": "/a", "took": 20, "tags": ["x", "y"]},
    {"level": "ERROR", "path": "/c", "took": 5},
]


@pytest.fixture(scope="module")
def logs(client):
    return client("logs")


@pytest.fixture(scope="module")
def group(logs):
    name = "/test/" + uuid.uuid4().hex
    logs.create_log_group(logGroupName=name)
    for stream in ("json", "text"):
        logs.create_log_stream(logGroupName=name, logStreamName=stream)
    logs.put_log_events(logGroupName=name, logStreamName="json", logEvents=[
        {"timestamp": NOW + i * 1000, "message": json.dumps(line)} for i, line in enumerate(LINES)])
    logs.put_log_events(logGroupName=name, logStreamName="text", logEvents=[
        {"timestamp": NOW + 10_000, "message": "user=eve, id=7 logged in"},
        {"timestamp": NOW + 11_000, "message": "REPORT RequestId: 8f5e2a40-0000-4000-8000-000000000001\tDuration: 12.50 ms\t"
                                               "Billed Duration: 13 ms\tMemory Size: 128 MB\tMax Memory Used: 40 MB\t\n"}])
    yield name
    logs.delete_log_group(logGroupName=name)


@pytest.fixture
def ask(logs, group):
    def run(text, **more):
        query = logs.start_query(logGroupName=group, startTime=NOW // 1000 - 60, endTime=NOW // 1000 + 60, queryString=text, **more)
        got = logs.get_query_results(queryId=query["queryId"])
        assert got["status"] == "Complete"
        return [{f["field"]: f["value"] for f in row if f["field"] != "@ptr"} for row in got["results"]]
    return run


def test_without_commands_the_newest_events_come_first(ask):
    rows = ask("")
    assert len(rows) == 6 and set(rows[0]) == {"@timestamp", "@message"}
    assert rows[0]["@message"].startswith("REPORT")
    assert rows[0]["@timestamp"] == time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(NOW / 1000 + 11)) + ".000"


def test_fields_filters_sorting_and_limits(ask):
    assert ask('fields path, took | filter level = "ERROR" | sort took desc') == [
        {"path": "/b", "took": "30.5"}, {"path": "/c", "took": "5"}]
    assert ask("fields user.name as who | filter ispresent(user.name) | sort who asc | limit 1") == [{"who": "ann"}]
    assert ask("fields tags.1 | filter took = 20") == [{"tags.1": "y"}]
    assert len(ask("fields @message", limit=2)) == 2
    assert ask('filter took > 8 and not (path like /^\\/b/) | display path, took * 2 as twice | sort @timestamp asc') == [
        {"path": "/a", "twice": "20"}, {"path": "/a", "twice": "40"}]
    assert ask('filter path in ["/b", "/c"] | fields concat(level, ":", path) as what | sort what') == [
        {"what": "ERROR:/b"}, {"what": "ERROR:/c"}]
    assert [r["path"] for r in ask("filter ispresent(path) | fields path | dedup path | sort path asc")] == ["/a", "/b", "/c"]
    assert ask('filter @message like "logged in" | fields @logStream') == [{"@logStream": "text"}]


def test_stats(ask):
    assert ask("filter ispresent(took) | stats count(*) as n, avg(took), max(took) as most by level | sort level") == [
        {"level": "ERROR", "n": "2", "avg(took)": "17.75", "most": "30.5"},
        {"level": "INFO", "n": "2", "avg(took)": "15", "most": "20"}]
    assert ask("stats count(*)") == [{"count(*)": "6"}]
    assert ask("filter ispresent(took) | stats count_distinct(path) as paths, sum(took) as all, pct(took, 50) as half") == [
        {"paths": "3", "all": "65.5", "half": "10"}]
    binned = ask("stats count(*) as n by bin(1h)")
    assert sum(int(r["n"]) for r in binned) == 6 and all(r["bin(1h)"].endswith(":00:00.000") for r in binned)


def test_parse_and_what_lambda_writes(ask):
    assert ask('parse @message "user=*, id=* logged" as who, id | filter ispresent(who) | display who, id') == [{"who": "eve", "id": "7"}]
    assert ask('filter @type = "REPORT" | fields @requestId, @duration, @billedDuration, @memorySize, @maxMemoryUsed') == [
        {"@requestId": "8f5e2a40-0000-4000-8000-000000000001", "@duration": "12.5", "@billedDuration": "13",
         "@memorySize": "128000000", "@maxMemoryUsed": "40000000"}]


def test_records_statistics_and_lists(logs, group):
    query = logs.start_query(logGroupNames=[group], startTime=NOW // 1000 - 60, endTime=NOW // 1000 + 60,
                             queryString="fields level | filter level = 'INFO' # only these")["queryId"]
    got = logs.get_query_results(queryId=query)
    assert (got["statistics"]["recordsMatched"], got["statistics"]["recordsScanned"]) == (2, 6)
    pointer = next(f["value"] for f in got["results"][0] if f["field"] == "@ptr")
    record = logs.get_log_record(logRecordPointer=pointer)["logRecord"]
    assert record["level"] == "INFO" and record["@logStream"] == "json" and record["took"] == "20"
    listed = logs.describe_queries(logGroupName=group)["queries"]
    assert query in [q["queryId"] for q in listed] and all(q["status"] == "Complete" for q in listed)
    with pytest.raises(ClientError) as refused:
        logs.stop_query(queryId=query)
    assert refused.value.response["Error"]["Code"] == "InvalidParameterException"


def test_events_that_come_later_are_not_in_the_results(logs, group, client):
    name = "/test/" + uuid.uuid4().hex
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="s")
    query = logs.start_query(logGroupName=name, startTime=0, endTime=NOW // 1000 + 3600, queryString="fields @message")["queryId"]
    created = next(q["createTime"] for q in logs.describe_queries(logGroupName=name)["queries"] if q["queryId"] == query)
    while int(time.time() * 1000) <= created:  # the next millisecond: what comes in the same one counts
        pass
    logs.put_log_events(logGroupName=name, logStreamName="s", logEvents=[{"timestamp": int(time.time() * 1000), "message": "late"}])
    assert logs.get_query_results(queryId=query)["results"] == []
    logs.delete_log_group(logGroupName=name)


@pytest.mark.parametrize("text", ["fields", "filter level =", "stats nothing(x)", "bogus @message", "fields @message |", "limit x",
                                  'filter a = "open', "filter nofunction(a)", "parse @message '*-*' as one", "filter a ~ b"])
def test_queries_that_are_none_are_refused(logs, group, text):
    with pytest.raises(ClientError) as refused:
        logs.start_query(logGroupName=group, startTime=0, endTime=1, queryString=text)
    assert refused.value.response["Error"]["Code"] == "MalformedQueryException"
    assert "unexpected symbol found" in refused.value.response["Error"]["Message"]
    assert refused.value.response["queryCompileError"]["location"]["startCharOffset"] >= 0


def test_what_is_missing_says_so(logs, group):
    for arguments, code in (({"logGroupName": "none"}, "ResourceNotFoundException"),
                            ({}, "InvalidParameterException"),
                            ({"logGroupName": group, "logGroupNames": [group]}, "InvalidParameterException")):
        with pytest.raises(ClientError) as refused:
            logs.start_query(startTime=0, endTime=1, queryString="fields @message", **arguments)
        assert refused.value.response["Error"]["Code"] == code
    with pytest.raises(ClientError) as refused:
        logs.get_query_results(queryId=str(uuid.uuid4()))
    assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_a_query_cannot_take_all_memory(logs, group, ask):
    doubled = "concat(" + ", ".join(["@message"] * 20) + ")"
    text = f"fields {doubled} as a0" + "".join(
        f" | fields concat({', '.join([f'a{i}'] * 20)}) as a{i + 1}" for i in range(12))
    for row in ask(text + " | display a0, a12"):
        assert len(row.get("a12", "")) <= 256 * 1024  # what grows beyond an event's size is no value
    grown = "@message"
    for _ in range(8):
        grown = f'replace({grown}, "a", "aaaaaaaaaa")'
    ask(f"fields {grown} as a")
    many = "fields " + ", ".join(f'replace("{"x" * 900}", "x", "{"y" * 250}") as c{i}' for i in range(7))
    ask(many)


def test_odd_numbers_are_answered(ask):
    assert len(ask("fields substr(@message, sqrt(-1)) as s")) == 6
    assert len(ask("fields datefloor(1e300, 5m) as d, fromMillis(1e300) as f, datefloor(@timestamp, 999999999y) as p")) == 6
    assert len(ask("sort took asc | sort coalesce(took, @message) desc")) == 6


def test_deep_minus_signs_are_refused(logs, group):
    with pytest.raises(ClientError) as refused:
        logs.start_query(logGroupName=group, startTime=1, endTime=2, queryString="fields " + "- " * 4900 + "1 as x")
    assert refused.value.response["Error"]["Code"] == "MalformedQueryException"


def test_case_without_regard_keeps_classes(ask):
    assert len(ask(r"filter @message like /(?i)USER=\S+, id=\d/")) == 1


def test_groups_of_others_are_refused(logs, group):
    with pytest.raises(ClientError) as refused:
        logs.start_query(logGroupIdentifiers=["arn:aws:logs:us-east-1:999999999999:log-group:" + group],
                         startTime=1, endTime=2, queryString="fields @message")
    assert refused.value.response["Error"]["Code"] == "InvalidParameterException"
