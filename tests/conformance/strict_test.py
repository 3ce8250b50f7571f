"""Strict mode: signatures and policies, as boto3 sees the refusals."""
import base64
import datetime
import hashlib
import hmac
import html
import http.client
import io
import json
import re
import urllib.error
import urllib.parse
import urllib.request
import uuid
import zipfile
import zlib

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

import virga_server
from lambda_support import until

ACCOUNT = "111122223333"
ROOT = {"id": "AKIACONFIGUREDROOT01", "secret": "root-secret"}
ADMIN = {"id": "AKIACONFIGUREDADMIN1", "secret": "admin-secret"}
STRANGER_ROOT = {"id": "AKIACONFIGUREDROOT02", "secret": "other-secret"}
CONFIG = {"auth": "strict", "account-id": ACCOUNT, "accounts": [
    {"id": "444455556666", "access_keys": [STRANGER_ROOT]},
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


# --- resources' own policies, other accounts


OTHER = "444455556666"


def package(source):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("app.py", source)
    return out.getvalue()


def key_of(session):
    return {"id": session["AccessKeyId"], "secret": session["SecretAccessKey"]}, session.get("SessionToken")


@pytest.fixture
def role(client):
    """role(service or principal, policy statements) makes a role; (name, ARN)."""
    def make(principal, *statements, path="/"):
        iam, name = client("iam"), "r-" + uuid.uuid4().hex[:12]
        trust = {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]}
        arn = iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(
                {"Version": "2012-10-17", "Statement": list(statements)}))
        return name, arn
    return make


@pytest.fixture
def function(client, role):
    """function(source, *statements of its role) makes a function; its ARN."""
    made = []

    def make(source="def handler(event, context):\n    return event\n", *statements):
        _, arn = role({"Service": "lambda.amazonaws.com"}, *statements)
        name = "f-" + uuid.uuid4().hex[:12]
        made.append(name)
        return client("lambda").create_function(FunctionName=name, Runtime="python3.12", Handler="app.handler", Role=arn,
                                                Timeout=20, Code={"ZipFile": package(source)})["FunctionArn"]
    yield make
    for name in made:
        client("lambda").delete_function(FunctionName=name)


@pytest.fixture
def stranger(client):
    """A user of another account who may do everything there: (ARN, key)."""
    iam, name = client("iam", STRANGER_ROOT), "s-" + uuid.uuid4().hex[:12]
    arn = iam.create_user(UserName=name)["User"]["Arn"]
    iam.attach_user_policy(UserName=name, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return arn, {"id": key["AccessKeyId"], "secret": key["SecretAccessKey"]}


def test_a_functions_policy_suffices_within_its_account(client, user, function):
    name, key = user
    arn = function()
    mine = client("lambda", key)
    who = f"arn:aws:iam::{ACCOUNT}:user/{name}"
    assert refusal(mine.invoke, FunctionName=arn) == (
        "AccessDeniedException", f"User: {who} is not authorized to perform: lambda:InvokeFunction on resource: {arn} because "
        "no identity-based policy allows the lambda:InvokeFunction action", 403)
    client("lambda").add_permission(FunctionName=arn, StatementId="s", Action="lambda:InvokeFunction", Principal=who)
    assert json.loads(mine.invoke(FunctionName=arn, Payload=b'{"a": 1}')["Payload"].read()) == {"a": 1}
    assert refusal(mine.get_function, FunctionName=arn)[0] == "AccessDeniedException"


def test_between_accounts_both_sides_have_to_allow(client, function, stranger):
    who, key = stranger
    arn = function()
    theirs = client("lambda", key)
    assert refusal(theirs.invoke, FunctionName=arn)[1].endswith("because no resource-based policy allows the lambda:InvokeFunction action")
    client("lambda").add_permission(FunctionName=arn, StatementId="s", Action="lambda:InvokeFunction", Principal=OTHER)
    assert theirs.invoke(FunctionName=arn)["StatusCode"] == 200
    client("iam", STRANGER_ROOT).put_user_policy(UserName=who.split("/")[-1], PolicyName="no", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "lambda:*", "Resource": "*"}]}))
    assert refusal(theirs.invoke, FunctionName=arn)[1].endswith("with an explicit deny in an identity-based policy")


def test_other_accounts_tables_are_closed(client, stranger):
    client("dynamodb").create_table(TableName="closed", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
                                    AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}])
    arn = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/closed"
    code, message, _ = refusal(client("dynamodb", stranger[1]).get_item, TableName=arn, Key={"k": {"S": "1"}})
    assert code == "AccessDeniedException"
    assert message.endswith("because no resource-based policy allows the dynamodb:GetItem action")
    client("dynamodb").delete_table(TableName="closed")


def test_roles_are_assumed_from_other_accounts(client, role, stranger):
    who, key = stranger
    _, arn = role({"AWS": f"arn:aws:iam::{OTHER}:root"}, {"Effect": "Allow", "Action": "dynamodb:ListTables", "Resource": "*"})
    c = client("sts", key).assume_role(RoleArn=arn, RoleSessionName="session")["Credentials"]
    session, token = key_of(c)
    assert client("sts", session, token).get_caller_identity()["Account"] == ACCOUNT
    client("dynamodb", session, token).list_tables()
    _, closed = role({"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    assert refusal(client("sts", key).assume_role, RoleArn=closed, RoleSessionName="session")[0] == "AccessDenied"


def test_policies_see_the_paths_of_iams_objects(client, user, role):
    name, key = user
    client("iam").put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "iam:*", "Resource": f"arn:aws:iam::{ACCOUNT}:role/team-a/*"}]}))
    inside, _ = role({"Service": "lambda.amazonaws.com"}, path="/team-a/")
    outside, arn = role({"Service": "lambda.amazonaws.com"})
    mine = client("iam", key)
    assert mine.get_role(RoleName=inside)["Role"]["Path"] == "/team-a/"
    assert f"on resource: {arn} " in refusal(mine.get_role, RoleName=outside)[1]
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    assert refusal(mine.create_role, RoleName="x", AssumeRolePolicyDocument=trust)[0] == "AccessDenied"
    made = "r-" + uuid.uuid4().hex[:12]
    mine.create_role(RoleName=made, Path="/team-a/", AssumeRolePolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}]}))


def test_tags_of_a_resource_decide(client, user, function):
    name, key = user
    client("iam").put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*", "Condition": {"StringEquals": {"aws:ResourceTag/team": "a"}}}]}))
    arn = function()
    assert refusal(client("lambda", key).invoke, FunctionName=arn)[0] == "AccessDeniedException"
    client("lambda").tag_resource(Resource=arn, Tags={"team": "a"})
    assert client("lambda", key).invoke(FunctionName=arn)["StatusCode"] == 200


REACHES = """
import boto3, os
def handler(event, context):
    iam = boto3.client("dynamodb", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    try:
        return {"tables": iam.list_tables()["TableNames"] is not None, "who": boto3.client("sts", endpoint_url=os.environ["AWS_ENDPOINT_URL"]).get_caller_identity()["Arn"]}
    except Exception as e:
        return {"error": str(e)}
"""


def test_a_functions_role_limits_what_it_does(client, function):
    def run(arn):
        return json.loads(client("lambda").invoke(FunctionName=arn)["Payload"].read())
    answer = run(function(REACHES))
    assert "AccessDeniedException" in answer["error"] and ":assumed-role/" in answer["error"]
    answer = run(function(REACHES, {"Effect": "Allow", "Action": "dynamodb:ListTables", "Resource": "*"}))
    assert answer["tables"] is True
    assert answer["who"].startswith(f"arn:aws:sts::{ACCOUNT}:assumed-role/")


def test_a_role_that_does_not_trust_lambda_is_refused(client, role):
    _, arn = role({"Service": "ec2.amazonaws.com"})
    code, message, status = refusal(client("lambda").create_function, FunctionName="never", Runtime="python3.12",
                                    Handler="app.handler", Role=arn, Code={"ZipFile": package("")})
    assert (code, message, status) == ("InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda.", 400)


# --- HTTP APIs


@pytest.fixture
def api(client, server):
    """api(function ARN, **integration) makes an HTTP API with a route GET /x; (id, address)."""
    made = []

    def make(arn, auth="NONE", **integration):
        v2 = client("apigatewayv2")
        api_id = v2.create_api(Name="a", ProtocolType="HTTP")["ApiId"]
        made.append(api_id)
        target = v2.create_integration(ApiId=api_id, IntegrationType="AWS_PROXY", IntegrationUri=arn,
                                       PayloadFormatVersion="2.0", **integration)["IntegrationId"]
        v2.create_route(ApiId=api_id, RouteKey="GET /x", Target="integrations/" + target, AuthorizationType=auth)
        v2.create_stage(ApiId=api_id, StageName="$default", AutoDeploy=True)
        return api_id, f"{server.endpoint}/_aws/execute-api/{api_id}/x"
    yield make
    for api_id in made:
        client("apigatewayv2").delete_api(ApiId=api_id)


def fetch(url, headers=None, method="GET", body=None):
    request = urllib.request.Request(url, headers=headers or {}, method=method, data=body)
    try:
        with urllib.request.urlopen(request, timeout=30) as got:
            return got.status, got.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


def test_an_http_api_needs_the_functions_permission(client, function, api):
    arn = function("def handler(event, context):\n    return 'in'\n")
    api_id, url = api(arn)
    assert fetch(url) == (500, '{"message":"Internal Server Error"}')
    client("lambda").add_permission(FunctionName=arn, StatementId="api", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com",
                                    SourceArn=f"arn:aws:execute-api:us-east-1:{ACCOUNT}:{api_id}/*/*/x")
    assert fetch(url) == (200, "in")
    other_id, other = api(arn)
    assert fetch(other)[0] == 500


def test_an_integrations_role_replaces_the_functions_permission(client, function, api, role):
    arn = function("def handler(event, context):\n    return 'in'\n")
    allowed = role({"Service": "apigateway.amazonaws.com"}, {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": arn})[1]
    assert fetch(api(arn, CredentialsArn=allowed)[1]) == (200, "in")
    may_nothing = role({"Service": "apigateway.amazonaws.com"})[1]
    assert fetch(api(arn, CredentialsArn=may_nothing)[1])[0] == 500
    distrusts = role({"Service": "lambda.amazonaws.com"}, {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": arn})[1]
    assert fetch(api(arn, CredentialsArn=distrusts)[1])[0] == 500


def signed(url, service, key, method="GET", body=b"", region="us-east-1", headers=None, token=None):
    request = AWSRequest(method, url, data=body, headers=headers or {})
    SigV4Auth(Credentials(key["id"], key["secret"], token), service, region).add_auth(request)
    return dict(request.headers.items())


def test_aws_iam_routes_check_the_callers_policies(client, function, api, user):
    name, key = user
    arn = function("def handler(event, context):\n    return event['requestContext']['authorizer']['iam']['userArn']\n")
    api_id, url = api(arn, auth="AWS_IAM")
    client("lambda").add_permission(FunctionName=arn, StatementId="api", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com")
    assert fetch(url)[0] == 403
    assert fetch(url, signed(url, "execute-api", key)) == (403, '{"message":"Forbidden"}')
    client("iam").put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": f"arn:aws:execute-api:us-east-1:{ACCOUNT}:{api_id}/$default/GET/x"}]}))
    assert fetch(url, signed(url, "execute-api", key)) == (200, f"arn:aws:iam::{ACCOUNT}:user/{name}")
    wrong = {"id": key["id"], "secret": "wrong"}
    assert fetch(url, signed(url, "execute-api", wrong))[0] == 403


def test_signed_function_urls_check_the_callers_policies(client, function, user):
    name, key = user
    arn = function("def handler(event, context):\n    return event['requestContext']['authorizer']['iam']['userArn']\n")
    url = client("lambda").create_function_url_config(FunctionName=arn, AuthType="AWS_IAM")["FunctionUrl"]
    forbidden = (403, '{"Message":"Forbidden"}')
    assert fetch(url) == forbidden
    assert fetch(url, signed(url, "lambda", key)) == forbidden
    client("iam").put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "lambda:InvokeFunctionUrl", "Resource": arn,
         "Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}}}]}))
    assert fetch(url, signed(url, "lambda", key)) == (200, f"arn:aws:iam::{ACCOUNT}:user/{name}")
    assert fetch(url, signed(url, "lambda", {"id": key["id"], "secret": "wrong"})) == forbidden
    assert fetch(url, signed(url, "execute-api", key)) == forbidden


# --- event sources


def test_a_mapping_reads_as_its_functions_role(client, role):
    sqs, functions = client("sqs"), client("lambda")
    url = sqs.create_queue(QueueName="source")["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    trust = {"Service": "lambda.amazonaws.com"}
    reader = role(trust, {"Effect": "Allow", "Resource": queue, "Action": [
        "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]})[1]
    try:
        functions.create_function(FunctionName="reads", Runtime="python3.12", Handler="app.handler", Role=role(trust)[1],
                                  Code={"ZipFile": package("def handler(event, context):\n    pass\n")})
        code, message, status = refusal(functions.create_event_source_mapping, FunctionName="reads", EventSourceArn=queue)
        assert (code, status) == ("InvalidParameterValueException", 400)
        assert message == "The function execution role does not have permissions to call ReceiveMessage on SQS"
        functions.update_function_configuration(FunctionName="reads", Role=reader)
        made = functions.create_event_source_mapping(FunctionName="reads", EventSourceArn=queue)
        sqs.send_message(QueueUrl=url, MessageBody="m")
        counts = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        until(lambda: set(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=counts)["Attributes"].values()) == {"0"})
        functions.delete_event_source_mapping(UUID=made["UUID"])
    finally:
        functions.delete_function(FunctionName="reads")
        sqs.delete_queue(QueueUrl=url)


# --- the local endpoints


def test_the_root_key_opens_the_local_endpoints(server):
    def ask(path, key=None, method="GET", body=None, service="virga"):
        url = server.endpoint + path
        return fetch(url, signed(url, service, key, method, body or b"") if key else None, method, body)[0]
    assert ask("/_virga/health") == 200
    for path in ("/_virga/info", "/_virga/metrics", "/_virga/requests", "/_virga/clock", "/_virga/log-level"):
        assert ask(path) == 403
        assert ask(path, ADMIN) == 403
        assert ask(path, ROOT, service="sts") == 403
        assert ask(path, {"id": ROOT["id"], "secret": "wrong"}) == 403
        assert ask(path, ROOT) == 200
    assert ask("/_virga/log-level", ROOT, "PUT", b'{"level": "info"}') == 200
    assert ask("/_virga/reset", ROOT, "POST") == 403


# --- signatures, made by hand


def hmac256(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class Signer:
    """SigV4 with every part open to be wrong."""

    def __init__(self, key=ADMIN, service="dynamodb", region="us-east-1", at=None):
        self.key, self.service, self.region = key, service, region
        self.at = at or datetime.datetime.now(datetime.timezone.utc)
        self.date, self.stamp = self.at.strftime("%Y%m%d"), self.at.strftime("%Y%m%dT%H%M%SZ")
        self.scope = f"{self.date}/{region}/{service}/aws4_request"
        secret = hmac256(("AWS4" + key["secret"]).encode(), self.date)
        for part in (region, service, "aws4_request"):
            secret = hmac256(secret, part)
        self.secret = secret

    def sign(self, text):
        return hmac256(self.secret, text).hex()

    def headers(self, server, body, payload=None, more=None):
        given = {"host": urllib.parse.urlsplit(server.endpoint).netloc, "x-amz-date": self.stamp, **(more or {})}
        hashed = payload or hashlib.sha256(body).hexdigest()
        given["x-amz-content-sha256"] = hashed
        names = ";".join(sorted(given))
        canonical = "\n".join(["POST", "/", ""] + [f"{n}:{given[n]}" for n in sorted(given)] + ["", names, hashed])
        self.seed = self.sign(f"AWS4-HMAC-SHA256\n{self.stamp}\n{self.scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}")
        given["Authorization"] = (f"AWS4-HMAC-SHA256 Credential={self.key['id']}/{self.scope}, SignedHeaders={names}, "
                                  f"Signature={self.seed}")
        return given

    def chunks(self, *parts):
        """The body of STREAMING-AWS4-HMAC-SHA256-PAYLOAD, its last empty chunk included."""
        empty, before, out = hashlib.sha256(b"").hexdigest(), self.seed, b""
        for part in (*parts, b""):
            before = self.sign(f"AWS4-HMAC-SHA256-PAYLOAD\n{self.stamp}\n{self.scope}\n{before}\n{empty}\n{hashlib.sha256(part).hexdigest()}")
            out += f"{len(part):x};chunk-signature={before}\r\n".encode() + part + b"\r\n"
        self.last = before
        return out


def post(server, headers, body):
    host, port = urllib.parse.urlsplit(server.endpoint).netloc.split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=20)
    try:
        connection.request("POST", "/", body=body, headers=headers)
        got = connection.getresponse()
        return got.status, got.read().decode()
    finally:
        connection.close()


LIST_TABLES = {"x-amz-target": "DynamoDB_20120810.ListTables", "content-type": "application/x-amz-json-1.0"}
WHO = b"Action=GetCallerIdentity&Version=2011-06-15"
FORM = {"content-type": "application/x-www-form-urlencoded"}


def ask(server, signer):
    """(status, code, message) of a small call, in the protocol of the signer's service."""
    if signer.service == "dynamodb":
        status, text = post(server, signer.headers(server, b"{}", more=LIST_TABLES), b"{}")
        document = json.loads(text)
        return status, document.get("__type", "").split("#")[-1], document.get("message", document.get("Message", ""))
    status, text = post(server, signer.headers(server, WHO, more=FORM), WHO)
    found = re.search(r"<Code>(.*?)</Code>\s*<Message>(.*?)</Message>", text, re.S)
    return status, found[1] if found else "", html.unescape(found[2]) if found else ""


def test_a_signature_made_by_hand_is_right(server):
    assert ask(server, Signer())[0] == 200
    assert ask(server, Signer(service="sts"))[0] == 200


@pytest.mark.parametrize("service,expected", [
    ("dynamodb", {"secret": (400, "InvalidSignatureException"), "key": (400, "UnrecognizedClientException"), "time": (400, "InvalidSignatureException")}),
    ("sts", {"secret": (403, "SignatureDoesNotMatch"), "key": (403, "InvalidClientTokenId"), "time": (403, "SignatureDoesNotMatch")})])
def test_refused_signatures_speak_the_services_protocol(server, service, expected):
    status, code, message = ask(server, Signer({"id": ADMIN["id"], "secret": "wrong"}, service))
    assert (status, code) == expected["secret"]
    assert message.startswith("The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.")
    status, code, message = ask(server, Signer({"id": "AKIANOBODYHASTHISKEY", "secret": "x"}, service))
    assert ((status, code), message) == (expected["key"], "The security token included in the request is invalid.")
    now = datetime.datetime.now(datetime.timezone.utc)
    status, code, message = ask(server, Signer(service=service, at=now - datetime.timedelta(minutes=16)))
    assert (status, code) == expected["time"] and message.startswith("Signature expired: ") and " is now earlier than " in message
    status, code, message = ask(server, Signer(service=service, at=now + datetime.timedelta(minutes=16)))
    assert (status, code) == expected["time"] and message.startswith("Signature not yet current: ") and " is still later than " in message


def test_a_body_that_was_changed_is_refused(server):
    headers = Signer().headers(server, b"{}", more=LIST_TABLES)
    status, text = post(server, headers, b'{"Limit":1}')
    assert status == 400 and "InvalidSignatureException" in text


def test_a_header_that_was_changed_is_refused(server):
    headers = Signer().headers(server, b"{}", more=LIST_TABLES)
    headers["x-amz-target"] = "DynamoDB_20120810.DescribeLimits"
    assert "InvalidSignatureException" in post(server, headers, b"{}")[1]


CHUNKED = {**LIST_TABLES, "content-encoding": "aws-chunked", "x-amz-decoded-content-length": "13"}


def test_bodies_in_signed_chunks(server):
    signer = Signer()
    headers = signer.headers(server, b"", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", CHUNKED)
    whole = signer.chunks(b'{"Limi', b't": 1 }')
    assert post(server, headers, whole) == (200, '{"TableNames":[]}')
    assert post(server, headers, whole.replace(b'"Limi', b'"Limj'))[0] == 403
    assert post(server, headers, whole[: whole.rindex(b"0;chunk-signature")])[0] == 400
    assert post(server, headers, whole.replace(b"\r\n0;chunk-signature=", b"\r\n0;chunk-signature=0"))[0] in (400, 403)


def test_bodies_in_signed_chunks_with_a_trailer(server):
    signer = Signer()
    checksum = base64.b64encode(zlib.crc32(b'{"Limit": 1 }').to_bytes(4, "big")).decode()
    headers = signer.headers(server, b"", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", {**CHUNKED, "x-amz-trailer": "x-amz-checksum-crc32"})
    body = signer.chunks(b'{"Limit": 1 }')[:-2]
    trailer = f"x-amz-checksum-crc32:{checksum}"
    hashed = hashlib.sha256((trailer + "\n").encode()).hexdigest()
    sealed = signer.sign(f"AWS4-HMAC-SHA256-TRAILER\n{signer.stamp}\n{signer.scope}\n{signer.last}\n{hashed}")
    body += f"{trailer}\r\nx-amz-trailer-signature:{sealed}\r\n\r\n".encode()
    assert post(server, headers, body)[0] == 200
    assert post(server, headers, body.replace(sealed.encode(), b"0" * 64))[0] == 403


def test_unsigned_chunks_with_a_trailer(server):
    signer = Signer()
    checksum = base64.b64encode(zlib.crc32(b'{"Limit": 1 }').to_bytes(4, "big")).decode()
    headers = signer.headers(server, b"", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", {**CHUNKED, "x-amz-trailer": "x-amz-checksum-crc32"})
    body = b'd\r\n{"Limit": 1 }\r\n0\r\nx-amz-checksum-crc32:' + checksum.encode() + b"\r\n\r\n"
    assert post(server, headers, body)[0] == 200
    assert post(server, headers, body[: body.index(b"x-amz-checksum")] + b"\r\n")[0] == 400
