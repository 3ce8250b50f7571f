"""Strict mode: who may use a queue, by policies of identities and of the queue."""
import json
import uuid

import boto3
import botocore.exceptions
import pytest
from botocore.config import Config

import virga_server

ACCOUNT, OTHER = "111122223333", "444455556666"
ADMIN = {"id": "AKIACONFIGUREDADMIN1", "secret": "admin-secret"}
NEIGHBOUR = {"id": "AKIACONFIGUREDOTHER1", "secret": "other-secret"}


def account(id, key):
    return {"id": id, "users": [{"name": "admin", "policies": ["arn:aws:iam::aws:policy/AdministratorAccess"], "access_keys": [key]}]}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    config = tmp_path_factory.mktemp("strict") / "virga.json"
    config.write_text(json.dumps({"auth": "strict", "account-id": ACCOUNT,
                                  "accounts": [account(ACCOUNT, ADMIN), account(OTHER, NEIGHBOUR)]}))
    with virga_server.Server("--auth", "strict", "--account-id", ACCOUNT, env={"VIRGA_CONFIG": str(config)}) as running:
        yield running


@pytest.fixture(scope="module")
def client(server):
    def make(service, key=ADMIN):
        return boto3.client(service, endpoint_url=server.endpoint, region_name="us-east-1", aws_access_key_id=key["id"],
                            aws_secret_access_key=key["secret"], config=Config(retries={"max_attempts": 0}))
    return make


@pytest.fixture
def user(client):
    """A new user without any permission: (name, key)."""
    iam, name = client("iam"), "u-" + uuid.uuid4().hex[:12]
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return name, {"id": key["AccessKeyId"], "secret": key["SecretAccessKey"]}


@pytest.fixture
def queue(client):
    url = client("sqs").create_queue(QueueName="q-" + uuid.uuid4().hex[:12])["QueueUrl"]
    yield url
    client("sqs").delete_queue(QueueUrl=url)


def refusal(call, **arguments):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**arguments)
    answer = caught.value.response
    return answer["Error"]["Code"], answer["Error"]["Message"], answer["ResponseMetadata"]["HTTPStatusCode"]


def arn(url):
    return f"arn:aws:sqs:us-east-1:{url.split('/')[-2]}:{url.split('/')[-1]}"


def allow(iam, name, *actions, resource="*", condition=None):
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{**statement, "Condition": condition} if condition else statement]}))


def test_an_identity_needs_the_action_on_the_queue(client, user, queue):
    name, key = user
    mine = client("sqs", key)
    assert refusal(mine.send_message, QueueUrl=queue, MessageBody="b") == (
        "AccessDenied", f"User: arn:aws:iam::{ACCOUNT}:user/{name} is not authorized to perform: sqs:sendmessage on resource: "
        f"{arn(queue)} because no identity-based policy allows the sqs:sendmessage action", 403)
    for call, more in [(mine.create_queue, {"QueueName": "x"}), (mine.list_queues, {}), (mine.get_queue_url, {"QueueName": "x"}),
                       (mine.receive_message, {"QueueUrl": queue}), (mine.purge_queue, {"QueueUrl": queue}),
                       (mine.get_queue_attributes, {"QueueUrl": queue}), (mine.delete_queue, {"QueueUrl": queue})]:
        assert refusal(call, **more)[0] == "AccessDenied", call
    allow(client("iam"), name, "sqs:SendMessage", "SQS:ReceiveMessage")
    mine.send_message_batch(QueueUrl=queue, Entries=[{"Id": "a", "MessageBody": "b"}])
    message = mine.receive_message(QueueUrl=queue)["Messages"][0]
    assert refusal(mine.delete_message, QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])[0] == "AccessDenied"


def test_a_url_is_held_to_the_queue_that_it_names(client, user, queue):
    name, key = user
    mine, queue_name = client("sqs", key), queue.rsplit("/", 1)[1]
    allow(client("iam"), name, "sqs:SendMessage", resource=arn(queue))
    for url in (queue, queue_name, f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/{queue_name}"):
        mine.send_message(QueueUrl=url, MessageBody="b")
    for url in (f"http://localhost:4566/queue/eu-west-1/{ACCOUNT}/{queue_name}", f"http://localhost:4566/{OTHER}/{queue_name}"):
        assert refusal(mine.send_message, QueueUrl=url, MessageBody="b")[0] == "AccessDenied"


def test_a_queues_tags_count(client, user, queue):
    name, key = user
    allow(client("iam"), name, "sqs:SendMessage", condition={"StringEquals": {"aws:ResourceTag/team": "blue"}})
    assert refusal(client("sqs", key).send_message, QueueUrl=queue, MessageBody="b")[0] == "AccessDenied"
    client("sqs").tag_queue(QueueUrl=queue, Tags={"team": "blue"})
    client("sqs", key).send_message(QueueUrl=queue, MessageBody="b")


def test_the_queues_policy_lets_a_user_in_or_keeps_one_out(client, user, queue):
    name, key = user
    statement = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/{name}"}, "Action": "sqs:SendMessage",
                 "Resource": arn(queue)}

    def set_policy(*statements):
        client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={
            "Policy": json.dumps({"Version": "2012-10-17", "Statement": list(statements)})})

    set_policy(statement)
    client("sqs", key).send_message(QueueUrl=queue, MessageBody="b")
    assert refusal(client("sqs", key).receive_message, QueueUrl=queue)[0] == "AccessDenied"
    set_policy({**statement, "Effect": "Deny", "Principal": "*"})
    code, message, _ = refusal(client("sqs").send_message, QueueUrl=queue, MessageBody="b")
    assert code == "AccessDenied" and message.endswith("with an explicit deny in a resource-based policy")


def test_another_account_needs_both_policies(client, queue):
    theirs = client("sqs", NEIGHBOUR)
    assert refusal(theirs.send_message, QueueUrl=queue, MessageBody="b")[0] == "AccessDenied"
    client("sqs").add_permission(QueueUrl=queue, Label="share", AWSAccountIds=[OTHER], Actions=["SendMessage", "GetQueueUrl"])
    theirs.send_message(QueueUrl=queue, MessageBody="from next door")
    assert theirs.get_queue_url(QueueName=queue.rsplit("/", 1)[1], QueueOwnerAWSAccountId=ACCOUNT)["QueueUrl"] == queue
    assert refusal(theirs.receive_message, QueueUrl=queue)[0] == "AccessDenied"
    assert client("sqs").receive_message(QueueUrl=queue)["Messages"][0]["Body"] == "from next door"
    client("sqs").remove_permission(QueueUrl=queue, Label="share")
    assert refusal(theirs.send_message, QueueUrl=queue, MessageBody="b")[0] == "AccessDenied"


def test_unsigned_and_wrongly_signed_calls_are_refused(client, queue):
    stranger = {"id": "AKIANOBODYHASTHISKEY", "secret": "x"}
    assert refusal(client("sqs", stranger).send_message, QueueUrl=queue, MessageBody="b")[0] == "InvalidClientTokenId"
