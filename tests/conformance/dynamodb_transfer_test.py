"""Exports of DynamoDB tables to S3 and imports from it, through boto3."""

import base64
import datetime
import gzip
import hashlib
import json
import re
import time
import urllib.request
import uuid

import dynamodb_http
import pytest
import virga_server
from botocore.exceptions import ClientError

SECONDS_MAX = 60
INVALID_ITEMS = ("Some of the items failed validation checks and were not imported. Please check CloudWatch error logs "
                 "for more details.")


@pytest.fixture(scope="module")
def db(client):
    return client("dynamodb")


@pytest.fixture(scope="module")
def s3(client):
    return client("s3")


@pytest.fixture
def bucket(s3):
    name = "transfer-" + uuid.uuid4().hex[:12]
    s3.create_bucket(Bucket=name)
    return name


def new_name():
    return "x-" + uuid.uuid4().hex[:12]


def create(db, recovery=True):
    """The ARN of a table with a number as its sort key."""
    name = new_name()
    made = db.create_table(TableName=name, **schema())
    if recovery:
        db.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
    return made["TableDescription"]["TableArn"]


def schema():
    return {"BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}, {"AttributeName": "n", "AttributeType": "N"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "n", "KeyType": "RANGE"}]}


def name_of(arn):
    return arn.split("/")[1]


def until_over(describe):
    deadline = time.monotonic() + SECONDS_MAX
    while time.monotonic() < deadline:
        description = describe()
        if description.get("ExportStatus", description.get("ImportStatus")) != "IN_PROGRESS":
            return description
        time.sleep(0.05)
    raise AssertionError("still in progress")


def export(db, arn, bucket, **more):
    made = db.export_table_to_point_in_time(TableArn=arn, S3Bucket=bucket, **more)["ExportDescription"]
    return until_over(lambda: db.describe_export(ExportArn=made["ExportArn"])["ExportDescription"])


def import_(db, bucket, content=None, table=None, s3=None, format="DYNAMODB_JSON", **more):
    if content is not None:
        s3.put_object(Bucket=bucket, Key="in/data", Body=content)
    made = db.import_table(S3BucketSource={"S3Bucket": bucket, "S3KeyPrefix": more.pop("prefix", "in/")}, InputFormat=format,
                           TableCreationParameters={"TableName": table or new_name(), **more.pop("schema", schema())}, **more)
    made = made["ImportTableDescription"]
    return until_over(lambda: db.describe_import(ImportArn=made["ImportArn"])["ImportTableDescription"])


def refusal(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return error["Code"], error["Message"]


def text(s3, bucket, key):
    return s3.get_object(Bucket=bucket, Key=key)["Body"].read()


def exported(s3, bucket, manifest):
    """(summary, lines) of an export; checksums, tags and counts have to hold."""
    folder = manifest.rsplit("/", 1)[0]
    summary = json.loads(text(s3, bucket, manifest))
    assert text(s3, bucket, folder + "/_started") == b""
    for part in ("summary", "files"):
        content = text(s3, bucket, f"{folder}/manifest-{part}.json")
        assert text(s3, bucket, f"{folder}/manifest-{part}.md5") == base64.b64encode(hashlib.md5(content).digest())
    assert summary["manifestFilesS3Key"] == folder + "/manifest-files.json"
    lines = []
    for line in text(s3, bucket, summary["manifestFilesS3Key"]).decode().splitlines():
        file = json.loads(line)
        object = s3.get_object(Bucket=bucket, Key=file["dataFileS3Key"])
        packed = object["Body"].read()
        assert file["md5Checksum"] == base64.b64encode(hashlib.md5(packed).digest()).decode()
        assert object["ETag"] == f'"{file["etag"]}"' and file["etag"].endswith("-1")
        found = gzip.decompress(packed).decode().splitlines()
        assert len(found) == file["itemCount"]
        lines += found
    assert summary["itemCount"] == len(lines)
    return summary, lines


def items_of(db, name):
    items = []
    for page in db.get_paginator("scan").paginate(TableName=name):
        items += page["Items"]
    return sorted(items, key=lambda i: (i["id"]["S"], float(i["n"]["N"])))


EVERYTHING = {"id": {"S": "é\n\"'"}, "n": {"N": "-1.5"}, "b": {"B": b"\0\1"}, "t": {"BOOL": True}, "z": {"NULL": True},
              "l": {"L": [{"N": "600"}, {"M": {"a b": {"S": ""}}}]}, "ss": {"SS": ["a", "b"]}, "ns": {"NS": ["1", "2000"]},
              "bs": {"BS": [b"x"]}}


def fill(db, arn, count=20):
    with_all = [EVERYTHING] + [{"id": {"S": "k"}, "n": {"N": str(i)}, "pad": {"S": "p" * 100}} for i in range(count - 1)]
    for item in with_all:
        db.put_item(TableName=name_of(arn), Item=item)
    return items_of(db, name_of(arn))


def test_a_full_export_is_laid_out_as_the_guide_says(db, s3, bucket):
    arn = create(db)
    items = fill(db, arn)
    made = db.export_table_to_point_in_time(TableArn=arn, S3Bucket=bucket, S3Prefix="some/where")["ExportDescription"]
    assert made["ExportStatus"] == "IN_PROGRESS" and made["S3SseAlgorithm"] == "AES256" and made["ExportFormat"] == "DYNAMODB_JSON"
    assert re.fullmatch(re.escape(arn) + r"/export/0\d{13}-[0-9a-f]{8}", made["ExportArn"])
    assert made["ClientToken"] and "ItemCount" not in made and "ExportManifest" not in made
    done = until_over(lambda: db.describe_export(ExportArn=made["ExportArn"])["ExportDescription"])
    assert done["ExportStatus"] == "COMPLETED", done
    id = made["ExportArn"].rsplit("/", 1)[1]
    assert done["ExportManifest"] == f"some/where/AWSDynamoDB/{id}/manifest-summary.json"
    assert done["ItemCount"] == 20 and done["BilledSizeBytes"] > 2000 and done["EndTime"] >= done["StartTime"]
    assert int(done["StartTime"].timestamp() * 1000) == int(id.split("-")[0]) and done["ExportTime"] == done["StartTime"]

    summary, lines = exported(s3, bucket, done["ExportManifest"])
    assert summary["version"] == "2020-06-30" and summary["exportArn"] == made["ExportArn"] and summary["tableArn"] == arn
    assert summary["s3Prefix"] == "some/where" and summary["s3SseKmsKeyId"] is None and summary["outputFormat"] == "DYNAMODB_JSON"
    assert summary["tableId"] == db.describe_table(TableName=name_of(arn))["Table"]["TableId"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", summary["exportTime"])
    keys = [o["Key"] for o in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    data = [k for k in keys if "/data/" in k]
    assert len(keys) == len(data) + 5 and all(re.search(r"/data/[a-z2-7]{26}\.json\.gz$", k) for k in data)

    found = [json.loads(line)["Item"] for line in lines]
    assert sorted(i["n"]["N"] for i in found) == sorted(i["n"]["N"] for i in items)
    odd = next(i for i in found if "ss" in i)
    assert odd["b"] == {"B": "AAE="} and odd["l"] == {"L": [{"N": "600"}, {"M": {"a b": {"S": ""}}}]}


def test_an_empty_table_makes_an_empty_file(db, s3, bucket):
    done = export(db, create(db), bucket)
    assert done["ExportManifest"].startswith("AWSDynamoDB/0")
    summary, lines = exported(s3, bucket, done["ExportManifest"])
    assert lines == [] and summary["s3Prefix"] is None and summary["itemCount"] == 0


@pytest.mark.parametrize("format", ["DYNAMODB_JSON", "ION"])
def test_what_was_exported_can_be_imported(db, s3, bucket, format):
    arn = create(db)
    items = fill(db, arn)
    done = export(db, arn, bucket, ExportFormat=format)
    _, lines = exported(s3, bucket, done["ExportManifest"])
    if format == "ION":
        odd = next(line for line in lines if "ss" in line)
        assert odd.startswith("$ion_1_0 {Item:{") and "ns:$dynamodb_NS::[1.,2d3]" in odd and "b:{{AAE=}}" in odd and "n:-1.5" in odd
    target = new_name()
    made = import_(db, bucket, table=target, format=format, InputCompressionType="GZIP",
                   prefix=done["ExportManifest"].replace("manifest-summary.json", "data/"))
    assert made["ImportStatus"] == "COMPLETED", made
    assert made["ProcessedItemCount"] == made["ImportedItemCount"] == 20 and made["ErrorCount"] == 0
    assert items_of(db, target) == items
    assert db.describe_table(TableName=target)["Table"]["ItemCount"] == 20


def test_an_export_shows_the_table_as_it_was(db, s3, bucket):
    arn = create(db)
    put = lambda n, v: db.put_item(TableName=name_of(arn), Item={"id": {"S": "a"}, "n": {"N": str(n)}, "v": {"S": v}})
    put(1, "old"), put(2, "old")
    time.sleep(1.1)  # exports have whole seconds
    moment = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    time.sleep(0.01)
    put(1, "new"), put(3, "new")
    db.delete_item(TableName=name_of(arn), Key={"id": {"S": "a"}, "n": {"N": "2"}})
    done = export(db, arn, bucket, ExportTime=moment)
    assert done["ExportTime"] == moment
    _, lines = exported(s3, bucket, done["ExportManifest"])
    found = {i["n"]["N"]: i["v"]["S"] for i in (json.loads(line)["Item"] for line in lines)}
    assert found == {"1": "old", "2": "old"}


def clock(server, **change):
    request = urllib.request.Request(server.endpoint + "/_virga/clock", json.dumps(change).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=5):
        pass


def test_an_incremental_export_has_the_net_changes_of_its_period(client):
    with virga_server.Server("--memory") as server:
        db, s3 = client("dynamodb", endpoint_url=server.endpoint), client("s3", endpoint_url=server.endpoint)
        s3.create_bucket(Bucket="changes")
        clock(server, freeze="2026-03-01T12:00:00Z")
        arn = create(db)
        put = lambda n, v: db.put_item(TableName=name_of(arn), Item={"id": {"S": "a"}, "n": {"N": str(n)}, "v": {"S": v}})
        drop = lambda n: db.delete_item(TableName=name_of(arn), Key={"id": {"S": "a"}, "n": {"N": str(n)}})
        put(1, "before"), put(2, "before"), put(3, "before"), put(4, "before")
        clock(server, step_ms=60_000)  # 12:01
        put(1, "then"), put(1, "changed"), drop(2), put(5, "came"), put(6, "came"), drop(6), put(7, "came")
        clock(server, step_ms=20 * 60_000)  # 12:21
        put(1, "later"), put(3, "later"), drop(7), put(8, "later")

        def incremental(view, format, since="2026-03-01T12:01:00Z", until="2026-03-01T12:20:00Z"):
            time_of = lambda text: int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())
            made = dynamodb_http.call(server.endpoint, "ExportTableToPointInTime", TableArn=arn, S3Bucket="changes",
                                      S3Prefix=view + format, ExportFormat=format, ExportType="INCREMENTAL_EXPORT",
                                      IncrementalExportSpecification={"ExportFromTime": time_of(since), "ExportToTime": time_of(until),
                                                                      **({"ExportViewType": view} if view else {})})
            arn_of = made["ExportDescription"]["ExportArn"]
            done = until_over(lambda: dynamodb_http.call(server.endpoint, "DescribeExport", ExportArn=arn_of)["ExportDescription"])
            assert done["ExportStatus"] == "COMPLETED", done
            assert "ExportTime" not in done and done["IncrementalExportSpecification"]["ExportViewType"] == (view or "NEW_AND_OLD_IMAGES")
            return exported(s3, "changes", done["ExportManifest"])

        summary, lines = incremental("", "DYNAMODB_JSON")
        assert summary["version"] == "2023-08-01" and summary["exportType"] == "INCREMENTAL_EXPORT"
        assert summary["outputView"] == "NEW_AND_OLD_IMAGES" and summary["exportFromTime"] == "2026-03-01T12:01:00.000Z"
        assert "exportTime" not in summary and summary["billedSizeBytes"] == 10_000_000
        keys = [o["Key"] for o in s3.list_objects_v2(Bucket="changes", Prefix="DYNAMODB_JSON/AWSDynamoDB/data/")["Contents"]]
        assert len(keys) == 1 and keys[0].endswith(".json.gz")
        by_key = {r["Keys"]["n"]["N"]: r for r in map(json.loads, lines)}
        image = lambda n, name: by_key[n].get(name, {}).get("v", {}).get("S")
        states = {n: (image(n, "OldImage"), image(n, "NewImage")) for n in by_key}
        assert states == {"1": ("before", "changed"), "2": ("before", None), "5": (None, "came"), "7": (None, "came")}
        at = int(datetime.datetime(2026, 3, 1, 12, 1, tzinfo=datetime.timezone.utc).timestamp()) * 1_000_000
        assert by_key["1"]["Metadata"] == {"WriteTimestampMicros": {"N": str(at)}}
        assert by_key["1"]["Keys"] == {"id": {"S": "a"}, "n": {"N": "1"}}

        _, lines = incremental("NEW_IMAGE", "DYNAMODB_JSON")
        by_key = {r["Keys"]["n"]["N"]: r for r in map(json.loads, lines)}
        assert set(by_key) == {"1", "2", "5", "7"} and all("OldImage" not in r for r in by_key.values())
        assert set(by_key["2"]) == {"Metadata", "Keys"}

        _, lines = incremental("NEW_IMAGE", "ION")
        assert any(line.startswith("$ion_1_0 {Record:{Metadata:{WriteTimestampMicros:") for line in lines) and len(lines) == 4

        _, lines = incremental("", "DYNAMODB_JSON", since="2026-03-01T12:02:00Z", until="2026-03-01T12:21:00Z")
        assert lines == []
        check = lambda **spec: dynamodb_http.refusal(server.endpoint, "ExportTableToPointInTime", {
            "TableArn": arn, "S3Bucket": "changes", "ExportType": "INCREMENTAL_EXPORT", "IncrementalExportSpecification": spec})
        start = at // 1_000_000
        assert check(ExportFromTime=start, ExportToTime=start + 600) == (
            "InvalidExportTimeException",
            "Difference between export period from time and export period to time is less than 15 minutes")
        assert check(ExportFromTime=start - 3600)[1] == (
            "Incremental export period from time cannot be less than the table creation time : 2026-03-01T11:01:00Z")
        assert check(ExportFromTime=start, ExportToTime=start + 7200)[1] == (
            "Incremental export period to time cannot be greater than the current time : 2026-03-01T14:01:00Z")
        assert check(ExportViewType="NEW_IMAGE") == (
            "ValidationException", "Invalid Request: ExportFromTime must be provided in IncrementalExportSpecification")
        clock(server, step_ms=26 * 3_600_000)
        assert check(ExportFromTime=start)[0] == "InvalidExportTimeException"


def test_exports_are_refused_as_aws_does(db, bucket, endpoint):
    arn = create(db, recovery=False)
    call = lambda **more: refusal(db.export_table_to_point_in_time, **{"TableArn": arn, "S3Bucket": bucket, **more})
    assert call() == ("PointInTimeRecoveryUnavailableException",
                      f"Point in time recovery is not enabled for table '{name_of(arn)}'")
    missing = arn + "-not"
    assert call(TableArn=missing) == ("TableNotFoundException", f"Table not found: {missing}")
    elsewhere = arn.replace("us-east-1", "us-west-2")
    assert call(TableArn=elsewhere) == ("TableNotFoundException", f"Table not found: {elsewhere}")
    assert call(TableArn=name_of(arn)) == ("ValidationException", "One or more parameter values were invalid: tableArn is not a valid ARN")
    assert call(TableArn=arn + "/index/i") == ("ValidationException", "Invalid Request: Table ARN is invalid.")
    assert call(TableArn=arn.replace("000000000000", "111111111111")) == ("AccessDeniedException", "Access is denied")
    assert call(S3SseKmsKeyId="key") == ("ValidationException", "Invalid Request: KMS Key Id is not supported for this encryption type")
    db.update_continuous_backups(TableName=name_of(arn), PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
    now = datetime.datetime.now(datetime.timezone.utc)
    for moment in (now + datetime.timedelta(hours=1), now - datetime.timedelta(hours=1)):
        assert call(ExportTime=moment) == ("InvalidExportTimeException", "Export Time is invalid")
    raw = lambda **more: dynamodb_http.refusal(endpoint, "ExportTableToPointInTime", {"TableArn": arn, "S3Bucket": bucket, **more})
    assert raw(IncrementalExportSpecification={})[1] == (
        "Invalid Request: Export Type expected to be Incremental Export when incremental export specification is provided")
    assert raw(ExportType="FULL_EXPORT", IncrementalExportSpecification={})[1] == (
        "Invalid Request: When Export Type is Full Export , Incremental Export Specification should not be provided")
    assert raw(ExportType="INCREMENTAL_EXPORT")[1] == (
        "Invalid Request: Incremental Export Specification expected when export type is set as Incremental Export")
    assert raw(ExportFormat="CSV")[0] == raw(S3Bucket="arn:aws:s3:::b")[0] == raw(S3BucketOwner="me")[0] == "ValidationException"

    assert refusal(db.describe_export, ExportArn=arn)[1] == "Invalid Export ARN"
    unknown = arn + "/export/01693685827463-2d8752fd"
    assert refusal(db.describe_export, ExportArn=unknown) == (
        "ExportNotFoundException", f"Export not found: Export not found: {unknown}")
    assert refusal(db.describe_export, ExportArn=unknown.replace("us-east-1", "us-west-2")) == (
        "ExportNotFoundException", "Export not found: Invalid export arn")
    assert refusal(db.describe_export, ExportArn=unknown.replace("000000000000", "111111111111"))[0] == "AccessDeniedException"


def test_s3_s_refusals_end_an_export(db, s3, bucket):
    arn = create(db)
    done = export(db, arn, "never-was-" + uuid.uuid4().hex)
    assert done["ExportStatus"] == "FAILED" and done["FailureCode"] == "S3NoSuchBucket" and "EndTime" in done
    assert done["FailureMessage"].startswith("The specified bucket does not exist (Service: Amazon S3; Status Code: 404; Error Code: NoSuchBucket;")
    assert "ItemCount" not in done and "ExportManifest" not in done
    other = export(db, arn, bucket, S3BucketOwner="111111111111")
    assert other["ExportStatus"] == "FAILED" and other["FailureCode"] == "S3AccessDenied"
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
                                                      "Resource": f"arn:aws:s3:::{bucket}/*"}]}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    assert export(db, arn, bucket)["FailureCode"] == "S3AccessDenied"


def test_a_bucket_may_be_in_another_region(db, client):
    s3 = client("s3", region_name="eu-west-1")
    name = "far-" + uuid.uuid4().hex[:12]
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    arn = create(db)
    fill(db, arn, 3)
    done = export(db, arn, name)
    assert done["ExportStatus"] == "COMPLETED" and len(exported(s3, name, done["ExportManifest"])[1]) == 3


def test_a_client_token_makes_one_export(db, bucket):
    arn, token = create(db), uuid.uuid4().hex
    first = export(db, arn, bucket, ClientToken=token)
    again = db.export_table_to_point_in_time(TableArn=arn, S3Bucket=bucket, ClientToken=token)["ExportDescription"]
    assert again["ExportArn"] == first["ExportArn"] and again["ClientToken"] == token
    assert refusal(db.export_table_to_point_in_time, TableArn=arn, S3Bucket=bucket, ClientToken=token, S3Prefix="p") == (
        "ExportConflictException", "Export conflict: Duplicate request detected with conflicting parameters")
    assert export(db, arn, bucket)["ExportArn"] != first["ExportArn"]


def test_exports_are_listed_backwards_in_pages(db, bucket):
    arn = create(db)
    arns = sorted((export(db, arn, bucket)["ExportArn"] for _ in range(3)), reverse=True)
    listed = db.list_exports(TableArn=arn)
    assert [s["ExportArn"] for s in listed["ExportSummaries"]] == arns and "NextToken" not in listed
    assert {s["ExportStatus"] for s in listed["ExportSummaries"]} == {"COMPLETED"}
    first = db.list_exports(TableArn=arn, MaxResults=2)
    rest = db.list_exports(TableArn=arn, MaxResults=2, NextToken=first["NextToken"])
    assert [s["ExportArn"] for s in first["ExportSummaries"] + rest["ExportSummaries"]] == arns and "NextToken" not in rest
    code, message = refusal(db.list_imports, NextToken=first["NextToken"])
    assert code == "ValidationException" and message.startswith("Invalid Request: Provided nextToken is invalid: ")
    db.delete_table(TableName=name_of(arn))
    assert db.list_exports(TableArn=arn)["ExportSummaries"] == []
    assert db.describe_export(ExportArn=arns[0])["ExportDescription"]["TableArn"] == arn


def line(id, n, **more):
    return json.dumps({"Item": {"id": {"S": id}, "n": {"N": str(n)}, **more}})


def test_an_import_makes_its_table(db, s3, bucket):
    s3.put_object(Bucket=bucket, Key="in/", Body=b"")  # as consoles make folders
    s3.put_object(Bucket=bucket, Key="in/1", Body="\n".join(line("a", i) for i in range(250)))
    s3.put_object(Bucket=bucket, Key="in/2", Body=line("b", 1, g={"S": "x"}) + "\n" + line("b", 1, g={"S": "y"}) + "\n")
    s3.put_object(Bucket=bucket, Key="other", Body="garbage")
    name = new_name()
    more = {**schema(), "AttributeDefinitions": [*schema()["AttributeDefinitions"], {"AttributeName": "g", "AttributeType": "S"}],
            "GlobalSecondaryIndexes": [{"IndexName": "by-g", "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                                        "Projection": {"ProjectionType": "ALL"}}]}
    made = db.import_table(S3BucketSource={"S3Bucket": bucket, "S3KeyPrefix": "in/"}, InputFormat="DYNAMODB_JSON",
                           TableCreationParameters={"TableName": name, **more})["ImportTableDescription"]
    assert made["ImportStatus"] == "IN_PROGRESS" and made["InputCompressionType"] == "NONE" and made["ClientToken"]
    assert made["S3BucketSource"] == {"S3BucketOwner": "000000000000", "S3Bucket": bucket, "S3KeyPrefix": "in/"}
    assert made["CloudWatchLogGroupArn"] == "arn:aws:logs:us-east-1:000000000000:log-group:/aws-dynamodb/imports:*"
    assert made["TableCreationParameters"]["TableName"] == name and made["TableArn"].endswith(":table/" + name)
    assert re.fullmatch(re.escape(made["TableArn"]) + r"/import/0\d{13}-[0-9a-f]{8}", made["ImportArn"])
    assert db.describe_table(TableName=name)["Table"]["TableStatus"] in ("CREATING", "ACTIVE")
    done = until_over(lambda: db.describe_import(ImportArn=made["ImportArn"])["ImportTableDescription"])
    assert done["ImportStatus"] == "COMPLETED" and done["ProcessedItemCount"] == done["ImportedItemCount"] == 252
    assert done["ErrorCount"] == 0 and done["ProcessedSizeBytes"] > 5000 and "FailureCode" not in done and done["EndTime"]
    table = db.describe_table(TableName=name)["Table"]
    assert table["TableStatus"] == "ACTIVE" and table["ItemCount"] == 251 and table["TableId"] == made["TableId"]
    assert db.query(TableName=name, IndexName="by-g", KeyConditionExpression="g = :g",
                    ExpressionAttributeValues={":g": {"S": "y"}})["Count"] == 1
    assert refusal(db.import_table, S3BucketSource={"S3Bucket": bucket}, InputFormat="ION",
                   TableCreationParameters={"TableName": name, **schema()}) == ("ResourceInUseException", f"Table already exists: {name}")
    db.delete_table(TableName=name)
    assert db.describe_import(ImportArn=made["ImportArn"])["ImportTableDescription"]["ImportStatus"] == "COMPLETED"
    assert [s["ImportArn"] for s in db.list_imports(TableArn=made["TableArn"])["ImportSummaryList"]] == [made["ImportArn"]]


def test_csv(db, s3, bucket):
    done = import_(db, bucket, 'id,n,text\r\na,1,"x, ""y"""\nb,2.50,\n', s3=s3, format="CSV", table=(name := new_name()))
    assert done["ImportStatus"] == "COMPLETED" and "InputFormatOptions" not in done, done
    assert items_of(db, name) == [{"id": {"S": "a"}, "n": {"N": "1"}, "text": {"S": 'x, "y"'}},
                                  {"id": {"S": "b"}, "n": {"N": "2.5"}, "text": {"S": ""}}]
    options = {"Csv": {"Delimiter": ";", "HeaderList": ["id", "n"]}}
    done = import_(db, bucket, "c;3", s3=s3, format="CSV", table=(name := new_name()), InputFormatOptions=options)
    assert done["InputFormatOptions"] == options and items_of(db, name) == [{"id": {"S": "c"}, "n": {"N": "3"}}]


def test_compressed_imports(db, s3, bucket):
    done = import_(db, bucket, gzip.compress(line("a", 1).encode()), s3=s3, InputCompressionType="GZIP")
    assert done["ImportStatus"] == "COMPLETED" and done["ImportedItemCount"] == 1
    # The frame of `{"Item":{"id":{"S":"a"},"n":{"N":"1"}}}` and its newline, as a raw block (RFC 8878).
    content = b'{"Item":{"id":{"S":"a"},"n":{"N":"1"}}}\n'
    frame = b"\x28\xb5\x2f\xfd\x20" + bytes([len(content)]) + (len(content) << 3 | 1).to_bytes(3, "little") + content
    done = import_(db, bucket, frame, s3=s3, InputCompressionType="ZSTD")
    assert done["ImportStatus"] == "COMPLETED" and done["ImportedItemCount"] == 1, done
    done = import_(db, bucket, line("a", 1), s3=s3, InputCompressionType="GZIP")
    assert (done["ImportStatus"], done["FailureCode"], done["FailureMessage"]) == ("FAILED", "ItemValidationError", INVALID_ITEMS)
    assert done["ProcessedItemCount"] == 1 and done["ImportedItemCount"] == 0


def test_bad_items_are_counted_and_logged(db, s3, bucket, client):
    lines = [line("a", i) for i in range(4)] + [json.dumps({"Item": {"id": {"S": "no"}}})] + [line("b", 1)]
    name = new_name()
    done = import_(db, bucket, "\n".join(lines), s3=s3, table=name)
    assert (done["ImportStatus"], done["FailureCode"], done["FailureMessage"]) == ("FAILED", "ItemValidationError", INVALID_ITEMS)
    assert (done["ProcessedItemCount"], done["ImportedItemCount"], done["ErrorCount"]) == (6, 5, 1)
    assert len(items_of(db, name)) == 5
    id = done["ImportArn"].rsplit("/", 1)[1]
    events = client("logs").get_log_events(logGroupName="/aws-dynamodb/imports", logStreamName=id + "/error")["events"]
    assert json.loads(events[0]["message"]) == {
        "itemS3Pointer": {"bucket": bucket, "key": "in/data", "itemIndex": 4}, "importArn": done["ImportArn"],
        "errorMessages": ["One or more parameter values were invalid: Missing the key n in the item"]}

    lines[4] = "no json"  # the rest of the object means nothing
    done = import_(db, bucket, "\n".join(lines), s3=s3)
    assert (done["ProcessedItemCount"], done["ImportedItemCount"], done["ErrorCount"]) == (5, 4, 1)
    assert done["FailureCode"] == "ItemValidationError"


def test_imports_that_cannot_begin(db, s3, bucket):
    name = new_name()
    done = import_(db, "never-was-" + uuid.uuid4().hex, table=name)
    assert done["ImportStatus"] == "FAILED" and done["FailureCode"] == "S3NoSuchBucket" and done["ProcessedItemCount"] == 0
    assert done["TableArn"].endswith(name)
    assert refusal(db.describe_table, TableName=name)[0] == "ResourceNotFoundException"
    done = import_(db, bucket, prefix="nothing/", table=name)
    assert done["ImportStatus"] == "COMPLETED" and items_of(db, name) == []

    call = lambda **more: refusal(db.import_table, **{"S3BucketSource": {"S3Bucket": bucket}, "InputFormat": "DYNAMODB_JSON",
                                                      "TableCreationParameters": {"TableName": new_name(), **schema()}, **more})
    assert call(InputFormatOptions={"Csv": {"Delimiter": ","}}) == (
        "ValidationException", "Invalid Request: Unsupported InputFormatOptions for the given input format: DYNAMODB_JSON.")
    bare = {k: v for k, v in schema().items() if k != "BillingMode"}
    assert call(TableCreationParameters={"TableName": new_name(), **bare})[0] == "ValidationException"
    assert call(InputCompressionType="BZIP2")[0] == "ValidationException"
    arn = "arn:aws:dynamodb:us-east-1:000000000000:table/t/import/01658528578619-c4d4e311"
    assert refusal(db.describe_import, ImportArn=arn)[0] == "ImportNotFoundException"
    assert refusal(db.describe_import, ImportArn=arn.replace("import", "export")) == ("ValidationException", "Invalid Import ARN")


def test_a_client_token_makes_one_import(db, s3, bucket):
    s3.put_object(Bucket=bucket, Key="in/data", Body=line("a", 1))
    name, token = new_name(), uuid.uuid4().hex
    call = lambda name: db.import_table(S3BucketSource={"S3Bucket": bucket, "S3KeyPrefix": "in/"}, InputFormat="DYNAMODB_JSON",
                                        ClientToken=token, TableCreationParameters={"TableName": name, **schema()})
    first = call(name)["ImportTableDescription"]["ImportArn"]
    assert call(name)["ImportTableDescription"]["ImportArn"] == first
    with pytest.raises(ClientError) as caught:
        call(new_name())
    assert caught.value.response["Error"] == {
        "Code": "ImportConflictException", "Message": "Import conflict: Duplicate request detected with conflicting parameters"}
    until_over(lambda: db.describe_import(ImportArn=first)["ImportTableDescription"])


def test_imports_are_listed_in_pages(client, s3, bucket, db):
    s3.put_object(Bucket=bucket, Key="in/data", Body=line("a", 1))
    arns = [import_(db, bucket)["ImportArn"] for _ in range(3)]
    found, token = [], {}
    while True:
        page = db.list_imports(PageSize=2, **token)
        found += [s["ImportArn"] for s in page["ImportSummaryList"]]
        if "NextToken" not in page:
            break
        assert re.fullmatch("([0-9a-f]{16})+", page["NextToken"]) and len(page["NextToken"]) >= 112
        token = {"NextToken": page["NextToken"]}
    assert set(arns) <= set(found) and len(found) == len(set(found))


def test_requests_beside_an_import_and_an_export(db, s3, bucket):
    """Jobs take turns with clients: what clients write meanwhile is there, and no count of the job's ever falls."""
    count, other = 20_000, new_name()
    db.create_table(TableName=other, **schema())
    lines = "".join('{"Item":{"id":{"S":"k%05d"},"n":{"N":"%d"},"pad":{"S":"%s"}}}\n' % (i, i, "p" * (i % 300)) for i in range(count))
    s3.put_object(Bucket=bucket, Key="in/data.gz", Body=gzip.compress(lines.encode()))
    made = db.import_table(S3BucketSource={"S3Bucket": bucket, "S3KeyPrefix": "in/"}, InputFormat="DYNAMODB_JSON",
                           InputCompressionType="GZIP", TableCreationParameters={"TableName": new_name(), **schema()})
    arn, written = made["ImportTableDescription"]["ImportArn"], 0

    def beside(describe, counted):
        nonlocal written
        seen = 0

        def look():
            nonlocal written, seen
            key = {"id": {"S": "mine"}, "n": {"N": str(written)}}
            db.put_item(TableName=other, Item=key)
            assert db.get_item(TableName=other, Key=key)["Item"] == key
            written += 1
            description = describe()
            assert seen <= description.get(counted, 0), description
            seen = description.get(counted, 0)
            return description
        return until_over(look)

    done = beside(lambda: db.describe_import(ImportArn=arn)["ImportTableDescription"], "ImportedItemCount")
    assert (done["ImportStatus"], done["ProcessedItemCount"], done["ImportedItemCount"]) == ("COMPLETED", count, count)
    assert done["ProcessedSizeBytes"] == len(lines)
    table = done["TableArn"]
    db.update_continuous_backups(TableName=name_of(table), PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
    made = db.export_table_to_point_in_time(TableArn=table, S3Bucket=bucket)["ExportDescription"]
    done = beside(lambda: db.describe_export(ExportArn=made["ExportArn"])["ExportDescription"], "ItemCount")
    assert done["ExportStatus"] == "COMPLETED", done
    _, found = exported(s3, bucket, done["ExportManifest"])
    assert sorted(found) == sorted(lines.splitlines())
    assert db.scan(TableName=other, Select="COUNT")["Count"] == written
