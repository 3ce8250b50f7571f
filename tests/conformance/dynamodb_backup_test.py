"""DynamoDB's backups and point-in-time recovery through boto3."""

import datetime
import json
import time
import urllib.request
import uuid

import boto3
import pytest
import virga_server
from botocore.config import Config
from botocore.exceptions import ClientError


def client(endpoint):
    return boto3.client("dynamodb", endpoint_url=endpoint, region_name="us-east-1",
                        config=Config(retries={"max_attempts": 0}))


@pytest.fixture(scope="module")
def db(endpoint):
    return client(endpoint)


def create(db, name=None):
    name = name or "b-" + uuid.uuid4().hex[:12]
    db.create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}, {"AttributeName": "g", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[{"IndexName": "by-g", "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                                 "Projection": {"ProjectionType": "ALL"}}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}, Tags=[{"Key": "k", "Value": "v"}])
    return name


def put(db, name, id, g):
    db.put_item(TableName=name, Item={"id": {"S": id}, "g": {"S": g}})


def content(db, name, **more):
    return {i["id"]["S"]: i["g"]["S"] for i in db.scan(TableName=name, **more)["Items"]}


def recovery(db, name, on):
    return db.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": on})


def refusal(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_backup_from_its_creation_to_its_end(db):
    name = create(db)
    for i in range(30):
        put(db, name, f"k{i}", "old")
    made = db.create_backup(TableName=name, BackupName="nightly")["BackupDetails"]
    assert made["BackupStatus"] == "CREATING" and made["BackupType"] == "USER" and "BackupExpiryDateTime" not in made
    arn = made["BackupArn"]
    assert arn.startswith(f"arn:aws:dynamodb:us-east-1:000000000000:table/{name}/backup/0")
    put(db, name, "k0", "new")
    described = db.describe_backup(BackupArn=arn)["BackupDescription"]
    assert described["BackupDetails"]["BackupStatus"] == "AVAILABLE"
    source = described["SourceTableDetails"]
    assert source["ItemCount"] == 30 and source["BillingMode"] == "PAY_PER_REQUEST" and source["TableName"] == name
    features = described["SourceTableFeatureDetails"]
    assert features["StreamDescription"] == {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    assert [i["IndexName"] for i in features["GlobalSecondaryIndexes"]] == ["by-g"]

    target = name + "-restored"
    answer = db.restore_table_from_backup(TargetTableName=target, BackupArn=arn)["TableDescription"]
    assert answer["TableStatus"] == "CREATING"
    assert answer["RestoreSummary"]["SourceBackupArn"] == arn and answer["RestoreSummary"]["RestoreInProgress"] is True
    db.get_waiter("table_exists").wait(TableName=target)
    table = db.describe_table(TableName=target)["Table"]
    assert table["ItemCount"] == 30 and table["TableStatus"] == "ACTIVE"
    assert table["RestoreSummary"] == {**answer["RestoreSummary"], "RestoreInProgress": False}
    assert "StreamSpecification" not in table and "LatestStreamArn" not in table
    assert db.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"] == []
    assert content(db, target)["k0"] == "old"
    assert len(content(db, target, IndexName="by-g")) == 30
    put(db, target, "k0", "of the copy")
    assert content(db, name)["k0"] == "new"

    assert refusal(db.restore_table_from_backup, TargetTableName=target, BackupArn=arn) == (
        "TableAlreadyExistsException", f"Table already exists: {target}")
    bare = db.restore_table_from_backup(TargetTableName=name + "-bare", BackupArn=arn, GlobalSecondaryIndexOverride=[],
                                        BillingModeOverride="PROVISIONED",
                                        ProvisionedThroughputOverride={"ReadCapacityUnits": 3, "WriteCapacityUnits": 2})
    assert "GlobalSecondaryIndexes" not in bare["TableDescription"]
    assert bare["TableDescription"]["ProvisionedThroughput"]["ReadCapacityUnits"] == 3
    assert len(content(db, name + "-bare")) == 30

    provisioned = db.restore_table_from_backup(
        TargetTableName=name + "-provisioned", BackupArn=arn, BillingModeOverride="PROVISIONED",
        ProvisionedThroughputOverride={"ReadCapacityUnits": 3, "WriteCapacityUnits": 2})["TableDescription"]
    index = provisioned["GlobalSecondaryIndexes"][0]["ProvisionedThroughput"]
    assert (index["ReadCapacityUnits"], index["WriteCapacityUnits"]) == (3, 2)
    assert "LastUpdateToPayPerRequestDateTime" not in db.describe_table(TableName=name + "-provisioned")["Table"]["BillingModeSummary"]

    db.delete_table(TableName=name)
    assert db.describe_backup(BackupArn=arn)["BackupDescription"]["SourceTableDetails"]["TableName"] == name
    assert db.delete_backup(BackupArn=arn)["BackupDescription"]["BackupDetails"]["BackupStatus"] == "DELETED"
    assert refusal(db.describe_backup, BackupArn=arn) == ("BackupNotFoundException", f"Backup not found: {arn}")


def test_lists_by_table_type_time_and_page(db):
    name = create(db)
    arns = [db.create_backup(TableName=name, BackupName="same-name")["BackupDetails"]["BackupArn"] for _ in range(3)]
    assert len(set(arns)) == 3
    listed = db.list_backups(TableName=name)["BackupSummaries"]
    assert sorted(s["BackupArn"] for s in listed) == sorted(arns)
    assert listed == sorted(listed, key=lambda s: s["BackupCreationDateTime"])
    first = db.list_backups(TableName=name, Limit=2)
    rest = db.list_backups(TableName=name, ExclusiveStartBackupArn=first["LastEvaluatedBackupArn"])
    assert first["BackupSummaries"] + rest["BackupSummaries"] == listed
    assert "LastEvaluatedBackupArn" not in db.list_backups(TableName=name, Limit=3)
    assert db.list_backups(TableName=name, BackupType="SYSTEM")["BackupSummaries"] == []
    assert db.list_backups(TableName="never-was")["BackupSummaries"] == []
    hour = datetime.timedelta(hours=1)
    now = datetime.datetime.now(datetime.timezone.utc)
    assert len(db.list_backups(TableName=name, TimeRangeLowerBound=now - hour, TimeRangeUpperBound=now + hour)["BackupSummaries"]) == 3
    assert db.list_backups(TableName=name, TimeRangeLowerBound=now + hour)["BackupSummaries"] == []
    assert refusal(db.list_backups, TimeRangeLowerBound=now, TimeRangeUpperBound=now - hour) == (
        "ValidationException", "Time range lower bound must be less than or equal to upper bound")


def test_refusals(db):
    name = create(db)
    missing = f"arn:aws:dynamodb:us-east-1:000000000000:table/{name}/backup/01489173575360-b308cd7d"
    assert refusal(db.describe_backup, BackupArn=missing) == ("BackupNotFoundException", f"Backup not found: {missing}")
    assert refusal(db.describe_backup, BackupArn="arn:aws:dynamodb:us-east-1:000000000000:table/" + name)[1] == "Invalid Backup ARN"
    assert refusal(db.create_backup, TableName="never-was", BackupName="abc") == (
        "TableNotFoundException", "Table not found: never-was")
    assert refusal(db.create_backup, TableName=name, BackupName="a b c")[0] == "ValidationException"
    assert refusal(db.restore_table_to_point_in_time, SourceTableName=name, TargetTableName="x-target",
                   UseLatestRestorableTime=True) == (
        "PointInTimeRecoveryUnavailableException", f"Point in time recovery is not enabled for table '{name}'")
    assert refusal(db.restore_table_to_point_in_time, SourceTableName=name, TargetTableName="x-target")[1] == (
        "Invalid Request: Either one of RestoreDateTime or UseLatestRestorableTime must be specified, but not both")
    assert refusal(db.describe_continuous_backups, TableName="never-was")[0] == "TableNotFoundException"


def test_recovery_is_described(db):
    name = create(db)
    description = db.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    assert description == {"ContinuousBackupsStatus": "ENABLED",
                           "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "DISABLED"}}
    recovery(db, name, True)
    description = db.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    assert description["PointInTimeRecoveryStatus"] == "ENABLED"
    assert description["EarliestRestorableDateTime"] <= description["LatestRestorableDateTime"]
    recovery(db, name, False)
    description = db.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    assert description["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "DISABLED"


def clock(server, **change):
    request = urllib.request.Request(server.endpoint + "/_virga/clock", json.dumps(change).encode(), method="POST")
    urllib.request.urlopen(request, timeout=5).close()


def test_a_table_goes_back_in_time_across_a_crash():
    with virga_server.Server() as server:
        db = client(server.endpoint)
        # After the crash the clock follows the wall again: the past would be trimmed.
        start = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        at = lambda **later: (start + datetime.timedelta(**later)).strftime("%Y-%m-%dT%H:%M:%SZ")
        clock(server, freeze=at())
        name = create(db)
        put(db, name, "a", "0")
        recovery(db, name, True)
        moments = []
        for step in range(4):
            clock(server, freeze=at(minutes=step + 1))
            put(db, name, "a", str(step + 1))
            if step == 2:
                db.delete_item(TableName=name, Key={"id": {"S": "b1"}})
            else:
                put(db, name, f"b{step}", "x")
            moments.append(start + datetime.timedelta(minutes=step + 1, seconds=30))
        server.kill()
        server.start()
        clock(server, freeze=at(hours=1))
        expected = [{"a": "1", "b0": "x"}, {"a": "2", "b0": "x", "b1": "x"}, {"a": "3", "b0": "x"}, {"a": "4", "b0": "x", "b3": "x"}]
        for i, moment in enumerate(moments):
            db.restore_table_to_point_in_time(SourceTableName=name, TargetTableName=f"at-{i}", RestoreDateTime=moment)
            assert content(db, f"at-{i}") == expected[i]
            assert content(db, f"at-{i}", IndexName="by-g") == expected[i]
        db.restore_table_to_point_in_time(SourceTableName=name, TargetTableName="latest", UseLatestRestorableTime=True)
        assert content(db, "latest") == expected[3]
        early = start - datetime.timedelta(hours=1)
        code, message = refusal(db.restore_table_to_point_in_time, SourceTableName=name, TargetTableName="x-early", RestoreDateTime=early)
        assert code == "InvalidRestoreTimeException" and message.startswith(
            f"RestoreDateTime '{at(hours=-1)}' must be within EarliestRestorableDateTime '{at()}'")

        db.delete_table(TableName=name)
        assert db.list_backups(TableName=name)["BackupSummaries"] == []
        system = db.list_backups(TableName=name, BackupType="SYSTEM")["BackupSummaries"]
        assert [s["BackupName"] for s in system] == [name + "$DeletedTableBackup"]
        assert refusal(db.delete_backup, BackupArn=system[0]["BackupArn"])[0] == "ValidationException"
        db.restore_table_from_backup(TargetTableName=name, BackupArn=system[0]["BackupArn"])
        assert content(db, name) == expected[3]


def test_a_restore_while_writes_go_on_is_one_moment(db):
    name = create(db)
    recovery(db, name, True)
    for i in range(200):
        put(db, name, f"k{i}", "x")
    arn = db.create_backup(TableName=name, BackupName="while-writing")["BackupDetails"]["BackupArn"]
    deadline = time.monotonic() + 10
    for i in range(50):
        put(db, name, f"later{i}", "x")
        assert time.monotonic() < deadline
    db.restore_table_from_backup(TargetTableName=name + "-r", BackupArn=arn)
    assert len(content(db, name + "-r")) == 200
