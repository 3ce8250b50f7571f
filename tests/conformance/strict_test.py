"""Strict mode: signatures and policies, as boto3 sees the refusals."""
import json
import re
import uuid

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

import virga_server

ACCOUNT = "111122223333"
ROOT = {"id": "AKIACONFIGUREDROOT01", "secret": "root-secret"}
ADMIN = {"id": "AKIACONFIGUREDADMIN1", "secret": "admin-secret"}
CONFIG = {"auth": "strict", "account-id": ACCOUNT, "accounts": [
    {"id": ACCOUNT, "access_keys": [ROOT],
     "users": [{"name": "admin", "policies": ["arn:aws:iam::aws:policy/AdministratorAccess"], "access_keys": [ADMIN]}]}]}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    config = tmp_path_factory.mktemp("strict") / "virga.json"
    config.write_text(json.dumps(CONFIG))
    with virga_server.Server("--auth", "strict", "--account-id", ACCOUNT, env={"VIRGA_CONFIG": str(config)}) as running:
        yield running


@pytest.fixture
def client(server):
    def make(service, key=ADMIN, token=None):
        return boto3.client(service, endpoint_url=server.endpoint, region_name="us-east-1", aws_access_key_id=key["id"],
                            aws_secret_access_key=key["secret"], aws_session_token=token, config=Config(retries={"max_attempts": 0}))
    return make


def refusal(call, **kwargs):
    with pytest.raises(ClientError) as caught:
        call(**kwargs)
    error = caught.value.response
    return error["Error"]["Code"], error["Error"]["Message"], error["ResponseMetadata"]["HTTPStatusCode"]


@pytest.fixture
def user(client):
    """A new user without any permission: (name, key)."""
    iam, name = client("iam"), "u-" + uuid.uuid4().hex[:12]
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return name, {"id": key["AccessKeyId"], "secret": key["SecretAccessKey"]}


def test_keys_of_the_configuration(client):
    assert client("sts").get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/admin"
    assert client("sts", ROOT).get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"


def test_wrong_keys_and_secrets(client):
    code, message, status = refusal(client("sts", {"id": "AKIANOBODYHASTHISKEY", "secret": "x"}).get_caller_identity)
    assert (code, status) == ("InvalidClientTokenId", 403)
    assert message == "The security token included in the request is invalid."
    code, message, status = refusal(client("sts", {"id": ADMIN["id"], "secret": "wrong"}).get_caller_identity)
    assert (code, status) == ("SignatureDoesNotMatch", 403)


def test_an_inactive_key_is_refused_at_once(client, user):
    name, key = user
    client("sts", key).get_caller_identity()
    client("iam").update_access_key(UserName=name, AccessKeyId=key["id"], Status="Inactive")
    assert refusal(client("sts", key).get_caller_identity)[0] == "InvalidClientTokenId"


def test_a_refusal_names_what_is_missing(client, user):
    name, key = user
    mine = client("dynamodb", key)
    arn, table = f"arn:aws:iam::{ACCOUNT}:user/{name}", f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/orders"
    assert refusal(mine.describe_table, TableName="orders") == (
        "AccessDeniedException", f"User: {arn} is not authorized to perform: dynamodb:DescribeTable on resource: {table} "
        "because no identity-based policy allows the dynamodb:DescribeTable action", 400)
    iam = client("iam")
    policy = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "dynamodb:*", "Resource": f"arn:aws:dynamodb:*:{ACCOUNT}:table/orders"},
        {"Effect": "Deny", "Action": "dynamodb:DeleteTable", "Resource": "*"}]}
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
    assert refusal(mine.describe_table, TableName="orders")[0] == "ResourceNotFoundException"  # allowed now; not there
    assert refusal(mine.describe_table, TableName="other")[0] == "AccessDeniedException"
    assert refusal(mine.delete_table, TableName="orders")[1].endswith("with an explicit deny in an identity-based policy")


def test_query_services_answer_access_denied(client, user):
    name, key = user
    code, message, status = refusal(client("iam", key).create_user, UserName="x")
    assert (code, status) == ("AccessDenied", 403)
    assert message == (f"User: arn:aws:iam::{ACCOUNT}:user/{name} is not authorized to perform: iam:CreateUser on resource: "
                       f"arn:aws:iam::{ACCOUNT}:user/x because no identity-based policy allows the iam:CreateUser action")


def test_roles_must_trust_who_assumes_them(client, user):
    name, key = user
    iam, role = client("iam"), "r-" + uuid.uuid4().hex[:12]
    trust = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/{name}"}, "Action": "sts:AssumeRole"}]}
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    iam.attach_role_policy(RoleName=role, PolicyArn="arn:aws:iam::aws:policy/AmazonDynamoDBReadOnlyAccess")
    assert refusal(client("sts").assume_role, RoleArn=arn, RoleSessionName="s1") == (
        "AccessDenied", f"User: arn:aws:iam::{ACCOUNT}:user/admin is not authorized to perform: sts:AssumeRole on resource: {arn}", 403)
    c = client("sts", key).assume_role(RoleArn=arn, RoleSessionName="s1")["Credentials"]
    session = client("dynamodb", {"id": c["AccessKeyId"], "secret": c["SecretAccessKey"]}, c["SessionToken"])
    session.list_tables()
    code, message, _ = refusal(session.delete_table, TableName="orders")
    assert code == "AccessDeniedException"
    assert re.match(rf"User: arn:aws:sts::{ACCOUNT}:assumed-role/{role}/s1 is not authorized to perform: dynamodb:DeleteTable", message)
    without = client("sts", {"id": c["AccessKeyId"], "secret": c["SecretAccessKey"]})
    assert refusal(without.get_caller_identity)[0] == "InvalidClientTokenId"


def test_session_policies_limit(client, user):
    name, key = user
    iam = client("iam")
    iam.attach_user_policy(UserName=name, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    limit = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "dynamodb:ListTables", "Resource": "*"}}
    c = client("sts", key).get_federation_token(Name="ann", Policy=json.dumps(limit))["Credentials"]
    session = client("dynamodb", {"id": c["AccessKeyId"], "secret": c["SecretAccessKey"]}, c["SessionToken"])
    session.list_tables()
    assert refusal(session.describe_table, TableName="orders")[1].endswith("because no session policy allows the dynamodb:DescribeTable action")


def test_the_first_root_key_is_printed_once(tmp_path):
    import subprocess
    port = virga_server.free_port()
    command = [str(virga_server.BINARY), "serve", "--auth", "strict", "--listen", f"127.0.0.1:{port}", "--data", str(tmp_path / "data")]

    def start():
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.endswith("Ready.\n"):
                break
        return process, "".join(lines)

    process, said = start()
    found = re.search(r"AWS_ACCESS_KEY_ID=(\S+)\s+AWS_SECRET_ACCESS_KEY=(\S+)", said)
    try:
        assert found, said
        sts = boto3.client("sts", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1",
                           aws_access_key_id=found[1], aws_secret_access_key=found[2])
        assert sts.get_caller_identity()["Arn"].endswith(":root")
    finally:
        process.terminate()
        process.wait(20)
    process, said = start()
    try:
        assert "AWS_SECRET_ACCESS_KEY" not in said
    finally:
        process.terminate()
        process.wait(20)
