"""Strict mode: what a function's role may do decides where outcomes of its asynchronous invocations can go."""
import json
import uuid

import pytest

import virga_server
from lambda_support import aws, clients_of, function, until  # noqa: F401 (fixtures)

ACCOUNT = "111122223333"
ADMIN = {"id": "AKIACONFIGUREDADMIN1", "secret": "admin-secret"}
TRUST = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    config = tmp_path_factory.mktemp("strict") / "virga.json"
    config.write_text(json.dumps({"auth": "strict", "account-id": ACCOUNT, "accounts": [{"id": ACCOUNT, "users": [
        {"name": "admin", "policies": ["arn:aws:iam::aws:policy/AdministratorAccess"], "access_keys": [ADMIN]}]}]}))
    with virga_server.Server("--auth", "strict", "--account-id", ACCOUNT, "--lambda-retry-base-delay", "50ms",
                             env={"VIRGA_CONFIG": str(config)}) as running:
        yield running


@pytest.fixture(scope="module")
def client(server):
    return clients_of(server, aws_access_key_id=ADMIN["id"], aws_secret_access_key=ADMIN["secret"])


def make_role(client, *actions):
    """The ARN of a role that Lambda may assume and that may do `actions`."""
    iam, name = client("iam"), "r-" + uuid.uuid4().hex[:12]
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    if actions:
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps({
            "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}))
    return arn


def make_queue(client):
    sqs = client("sqs")
    url = sqs.create_queue(QueueName="q-" + uuid.uuid4().hex[:12])["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def received(client, url):
    return client("sqs").receive_message(QueueUrl=url, MessageAttributeNames=["All"]).get("Messages")


def test_a_destination_is_told_by_the_functions_role(client, aws, function):
    url, arn = make_queue(client)
    name = function(Role=make_role(client, "sqs:SendMessage"))
    aws.put_function_event_invoke_config(FunctionName=name, DestinationConfig={"OnSuccess": {"Destination": arn}})
    aws.invoke(FunctionName=name, InvocationType="Event", Payload='{"n": 1}')
    record = json.loads(until(lambda: received(client, url))[0]["Body"])
    assert record["requestContext"]["condition"] == "Success" and record["responsePayload"] == {"n": 1}


def test_a_dead_letter_is_sent_by_the_functions_role(client, aws, function):
    url, arn = make_queue(client)
    name = function("def handler(event, context):\n    raise ValueError('no')\n", Role=make_role(client, "sqs:SendMessage"),
                    DeadLetterConfig={"TargetArn": arn})
    aws.invoke(FunctionName=name, InvocationType="Event", Payload='{"n": 2}')
    message = until(lambda: received(client, url))[0]
    assert json.loads(message["Body"]) == {"n": 2}
    assert message["MessageAttributes"]["ErrorMessage"]["StringValue"] == "no"


def test_a_role_that_may_not_send_tells_nobody(server, client, aws, function):
    url, arn = make_queue(client)
    name = function(Role=make_role(client))
    aws.put_function_event_invoke_config(FunctionName=name, DestinationConfig={"OnSuccess": {"Destination": arn}})
    aws.invoke(FunctionName=name, InvocationType="Event", Payload="{}")
    until(lambda: any("lambda_destination_failed" in line and name in line and "AccessDenied" in line
                      for line in server.log_text().splitlines()))
    assert received(client, url) is None
