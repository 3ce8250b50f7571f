"""PartiQL through boto3: ExecuteStatement, BatchExecuteStatement, ExecuteTransaction."""

import uuid

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError


@pytest.fixture(scope="module")
def db(endpoint):
    return boto3.client("dynamodb", endpoint_url=endpoint, region_name="us-east-1",
                        config=Config(retries={"max_attempts": 0}))


@pytest.fixture
def table(db):
    name = "p-" + uuid.uuid4().hex[:12]
    db.create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("Artist", "SongTitle", "Genre")],
        KeySchema=[{"AttributeName": "Artist", "KeyType": "HASH"}, {"AttributeName": "SongTitle", "KeyType": "RANGE"}],
        GlobalSecondaryIndexes=[{"IndexName": "GenreIndex", "KeySchema": [{"AttributeName": "Genre", "KeyType": "HASH"}],
                                 "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["Year"]}}])
    yield name
    db.delete_table(TableName=name)


def refusal(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def fill(db, table):
    for song, year, genre in (("Call Me Today", 1990, "Country"), ("Happy Day", 2001, "Country"), ("PartiQL Rocks", 2020, "Rock")):
        db.execute_statement(
            Statement=f"INSERT INTO \"{table}\" VALUE {{'Artist': ?, 'SongTitle': ?, 'Year': ?, 'Genre': ?, 'Awards': {{'Grammys': [2020, 2018]}}}}",
            Parameters=[{"S": "Acme Band"}, {"S": song}, {"N": str(year)}, {"S": genre}])


def test_the_developer_guides_statements(db, table):
    fill(db, table)
    got = db.execute_statement(Statement=f"SELECT * FROM \"{table}\" WHERE Artist='Acme Band' AND SongTitle='Happy Day'")
    assert got["Items"] == [{"Artist": {"S": "Acme Band"}, "SongTitle": {"S": "Happy Day"}, "Year": {"N": "2001"},
                             "Genre": {"S": "Country"}, "Awards": {"M": {"Grammys": {"L": [{"N": "2020"}, {"N": "2018"}]}}}}]
    got = db.execute_statement(
        Statement=f"UPDATE \"{table}\" SET AwardsWon=1 SET AwardDetail={{'Grammys':[2020, 2018]}} "
                  "WHERE Artist='Acme Band' AND SongTitle='PartiQL Rocks' RETURNING ALL NEW *")
    assert got["Items"][0]["AwardsWon"] == {"N": "1"}
    got = db.execute_statement(
        Statement=f"UPDATE \"{table}\" SET AwardDetail.Grammys=list_append(AwardDetail.Grammys,[2016]) "
                  "SET BandMembers=<<'a', 'b'>> SET AwardsWon = AwardsWon + 4 "
                  "WHERE Artist='Acme Band' AND SongTitle='PartiQL Rocks' RETURNING MODIFIED NEW *")
    assert got["Items"] == [{"AwardDetail": {"M": {"Grammys": {"L": [{"N": "2020"}, {"N": "2018"}, {"N": "2016"}]}}},
                             "BandMembers": {"SS": ["a", "b"]}, "AwardsWon": {"N": "5"}}]
    got = db.execute_statement(
        Statement=f"UPDATE \"{table}\" SET BandMembers=set_add(BandMembers, <<'c'>>) REMOVE AwardDetail.Grammys[2] "
                  "WHERE Artist='Acme Band' AND SongTitle='PartiQL Rocks' RETURNING ALL NEW *")
    assert sorted(got["Items"][0]["BandMembers"]["SS"]) == ["a", "b", "c"]
    assert len(got["Items"][0]["AwardDetail"]["M"]["Grammys"]["L"]) == 2
    got = db.execute_statement(
        Statement=f"UPDATE \"{table}\" SET BandMembers=set_delete(BandMembers, <<'a'>>) "
                  "WHERE Artist='Acme Band' AND SongTitle='PartiQL Rocks' RETURNING MODIFIED OLD *")
    assert sorted(got["Items"][0]["BandMembers"]["SS"]) == ["a", "b", "c"]
    got = db.execute_statement(Statement=f"DELETE FROM \"{table}\" WHERE Artist='Acme Band' AND SongTitle='PartiQL Rocks' RETURNING ALL OLD *")
    assert sorted(got["Items"][0]["BandMembers"]["SS"]) == ["b", "c"]
    got = db.execute_statement(Statement=f"DELETE FROM \"{table}\" WHERE Artist='Acme Band' AND SongTitle='PartiQL Rocks'")
    assert got["Items"] == []


@pytest.mark.parametrize("where,count", [
    ("", 3),
    ("WHERE Artist = 'Acme Band'", 3),
    ("WHERE Artist IN ['Acme Band', 'Nobody']", 3),
    ("WHERE Artist = 'Acme Band' AND begins_with(\"SongTitle\", 'Happy')", 1),
    ("WHERE Artist = 'Acme Band' AND \"Year\" BETWEEN 1990 AND 2001", 2),
    ("WHERE \"Year\" > 2000 AND NOT Genre = 'Rock'", 1),
    ("WHERE Genre = 'Rock' OR SongTitle = 'Happy Day'", 2),
    ("WHERE contains(SongTitle, 'Day')", 1),
    ("WHERE size(SongTitle) > 12", 2),
    ("WHERE attribute_type(\"Year\", 'N')", 3),
    ("WHERE Awards.Grammys[0] = 2020", 3),
    ("WHERE Nothing IS MISSING", 3),
    ("WHERE Genre IS NOT MISSING AND Genre IS NOT NULL", 3),
    ("WHERE Genre <> 'Rock'", 2),
])
def test_conditions(db, table, where, count):
    fill(db, table)
    assert len(db.execute_statement(Statement=f'SELECT SongTitle FROM "{table}" {where}')["Items"]) == count


def test_projections_order_and_indexes(db, table):
    fill(db, table)
    got = db.execute_statement(Statement=f'SELECT SongTitle, Awards.Grammys FROM "{table}" WHERE Artist = \'Acme Band\' ORDER BY SongTitle DESC')
    assert [i["SongTitle"]["S"] for i in got["Items"]] == ["PartiQL Rocks", "Happy Day", "Call Me Today"]
    assert got["Items"][0]["Grammys"] == {"L": [{"N": "2020"}, {"N": "2018"}]}
    got = db.execute_statement(Statement=f'SELECT "Year" FROM "{table}"."GenreIndex" WHERE Genre = \'Country\'', ReturnConsumedCapacity="INDEXES")
    assert sorted(i["Year"]["N"] for i in got["Items"]) == ["1990", "2001"]
    assert "GenreIndex" in got["ConsumedCapacity"]["GlobalSecondaryIndexes"]
    assert refusal(db.execute_statement, Statement=f'SELECT * FROM "{table}"."GenreIndex" WHERE Genre = \'Country\'',
                   ConsistentRead=True)[0] == "ValidationException"
    assert refusal(db.execute_statement, Statement=f'SELECT * FROM "{table}"."Nowhere"') == (
        "ValidationException", "The table does not have the specified index: Nowhere")


def test_pages(db, table):
    fill(db, table)
    seen, token = [], None
    for _ in range(10):
        more = {"NextToken": token} if token else {}
        got = db.execute_statement(Statement=f'SELECT * FROM "{table}"', Limit=1, **more)
        seen += [i["SongTitle"]["S"] for i in got["Items"]]
        token = got.get("NextToken")
        if not token:
            break
    assert sorted(seen) == ["Call Me Today", "Happy Day", "PartiQL Rocks"]
    assert refusal(db.execute_statement, Statement=f'SELECT * FROM "{table}"', NextToken="AAAA") == (
        "ValidationException", "Invalid NextToken")
    token = db.execute_statement(Statement=f'SELECT * FROM "{table}"', Limit=1)["NextToken"]
    assert refusal(db.execute_statement, Statement=f'SELECT Artist FROM "{table}"', NextToken=token) == (
        "ValidationException", "NextToken does not match request")


def test_refusals(db, table):
    fill(db, table)
    call = db.execute_statement
    assert refusal(call, Statement="DROP TABLE x") == (
        "ValidationException", "Statement wasn't well formed, can't be processed: Expected data manipulation")
    assert refusal(call, Statement=f"INSERT INTO \"{table}\" VALUE {{'Artist': 'Acme Band', 'SongTitle': 'Happy Day'}}") == (
        "DuplicateItemException", "Duplicate primary key exists in table")
    assert refusal(call, Statement=f"UPDATE \"{table}\" SET x = 1 WHERE Artist = 'Acme Band'") == (
        "ValidationException", "Where clause does not contain a mandatory equality on all key attributes")
    assert refusal(call, Statement=f"UPDATE \"{table}\" SET x = 1 WHERE Artist = 'Nobody' AND SongTitle = 'x'") == (
        "ConditionalCheckFailedException", "The conditional request failed")
    assert refusal(call, Statement="SELECT * FROM nowhere_at_all") == ("ResourceNotFoundException", "Requested resource not found")
    assert refusal(call, Statement=f"SELECT * FROM \"{table}\" WHERE Artist = ?", Parameters=[{"S": "a"}, {"S": "b"}]) == (
        "ValidationException", "Number of parameters in request and statement don't match.")
    assert refusal(call, Statement=f"INSERT INTO \"{table}\" VALUE {{'Artist': 'x'}}") == (
        "ValidationException", "Key attribute should be present in the item: Key SongTitle")
    assert refusal(call, Statement=f'SELECT COUNT(*) FROM "{table}"') == (
        "ValidationException", "Unexpected path component at 1:8:5")
    assert refusal(call, Statement=f'SELECT m.Artist FROM "{table}" m') == ("ValidationException", "Aliasing is not supported")
    assert refusal(call, Statement=f'SELECT * FROM "{table}" LIMIT 1') == (
        "ValidationException", f"Unsupported clause: LIMIT at 1:{len(table) + 24}:1")
    assert refusal(call, Statement=f"EXISTS(SELECT * FROM \"{table}\" WHERE Artist = 'a' AND SongTitle = 'b' AND c = 1)") == (
        "ValidationException", "EXISTS can only be used in ExecuteTransaction write requests.")
    assert refusal(db.execute_transaction, TransactStatements=[
        {"Statement": f"DELETE FROM \"{table}\" WHERE Artist = 'a' AND SongTitle = 'b' RETURNING ALL OLD *"}]) == (
            "ValidationException",
            "Validation failed in TransactStatements[0]: RETURNING clause is not supported in ExecuteTransaction.")


def test_batches(db, table):
    fill(db, table)
    keyed = f"SELECT * FROM \"{table}\" WHERE Artist = 'Acme Band' AND SongTitle = "
    got = db.batch_execute_statement(Statements=[
        {"Statement": keyed + "?", "Parameters": [{"S": "Happy Day"}]}, {"Statement": keyed + "'Missing'"},
        {"Statement": f"SELECT * FROM \"{table}\" WHERE Artist = 'Acme Band'"}], ReturnConsumedCapacity="TOTAL")
    first, second, third = got["Responses"]
    assert first["Item"]["Year"] == {"N": "2001"} and first["TableName"] == table
    assert "Item" not in second and "Error" not in second
    assert third["Error"] == {"Code": "ValidationError", "Message":
                              "Select statements within BatchExecuteStatement must specify the primary key in the where clause."}
    assert got["ConsumedCapacity"][0]["TableName"] == table
    got = db.batch_execute_statement(Statements=[
        {"Statement": f"INSERT INTO \"{table}\" VALUE {{'Artist': 'Acme Band', 'SongTitle': 'Happy Day'}}"},
        {"Statement": f"DELETE FROM \"{table}\" WHERE Artist = 'Acme Band' AND SongTitle = 'Call Me Today'"}])
    assert got["Responses"][0]["Error"]["Code"] == "DuplicateItem"
    assert got["Responses"][1] == {"TableName": table}
    assert refusal(db.batch_execute_statement, Statements=[{"Statement": keyed + "'x'"}] * 26)[0] == "ValidationException"


def test_transactions(db, table):
    fill(db, table)
    keyed = f"FROM \"{table}\" WHERE Artist = 'Acme Band' AND SongTitle = "
    got = db.execute_transaction(TransactStatements=[{"Statement": "SELECT \"Year\" " + keyed + "'Happy Day'"},
                                                     {"Statement": "SELECT * " + keyed + "'Missing'"}])
    assert got["Responses"] == [{"Item": {"Year": {"N": "2001"}}}, {}]
    with pytest.raises(db.exceptions.TransactionCanceledException) as caught:
        db.execute_transaction(TransactStatements=[
            {"Statement": f"INSERT INTO \"{table}\" VALUE {{'Artist': 'New', 'SongTitle': 'New'}}"},
            {"Statement": f"EXISTS(SELECT * {keyed}'Missing' AND Awards IS MISSING)"},
            {"Statement": f"UPDATE \"{table}\" SET x = 1 WHERE Artist = 'Acme Band' AND SongTitle = 'Happy Day'"}])
    codes = [r["Code"] for r in caught.value.response["CancellationReasons"]]
    assert codes == ["None", "ConditionalCheckFailed", "None"]
    token = uuid.uuid4().hex
    statements = [{"Statement": f"UPDATE \"{table}\" SET n = 1 WHERE Artist = 'Acme Band' AND SongTitle = ?",
                   "Parameters": [{"S": "Happy Day"}]},
                  {"Statement": f"DELETE {keyed}'Call Me Today'"}]
    for _ in range(2):
        db.execute_transaction(TransactStatements=statements, ClientRequestToken=token)
    with pytest.raises(db.exceptions.IdempotentParameterMismatchException):
        db.execute_transaction(TransactStatements=statements[:1], ClientRequestToken=token)
    assert len(db.execute_statement(Statement=f'SELECT * FROM "{table}"')["Items"]) == 2
