"""HTTP APIs whose routes call SQS without a function in between."""
import http.client
import json
import urllib.parse
import uuid
import xml.etree.ElementTree as ElementTree

import pytest
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::000000000000:role/gateway"
SQS = {"sqs": "http://queue.amazonaws.com/doc/2012-11-05/"}


@pytest.fixture
def queue(client):
    sqs = client("sqs")
    url = sqs.create_queue(QueueName="t-" + uuid.uuid4().hex[:12])["QueueUrl"]
    yield url
    sqs.delete_queue(QueueUrl=url)


@pytest.fixture
def route(client):
    """Makes an API with one route to the given integration; answers how to call it."""
    apigw = client("apigatewayv2")
    apis = []

    def make(endpoint, subtype, parameters, **more):
        api = apigw.create_api(Name="test", ProtocolType="HTTP")["ApiId"]
        apis.append(api)
        made = apigw.create_integration(ApiId=api, IntegrationType="AWS_PROXY", IntegrationSubtype=subtype, CredentialsArn=ROLE,
                                        PayloadFormatVersion="1.0", RequestParameters=parameters, **more)
        assert made["IntegrationSubtype"] == subtype and made["RequestParameters"] == parameters
        apigw.create_route(ApiId=api, RouteKey="$default", Target="integrations/" + made["IntegrationId"])
        apigw.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
        where = urllib.parse.urlsplit(endpoint)

        def call(path="/", body=None):
            connection = http.client.HTTPConnection(where.hostname, where.port, timeout=30)
            connection.request("POST", f"/_aws/execute-api/{api}{path}", body=body)
            got = connection.getresponse()
            answer = got.status, ElementTree.fromstring(got.read())
            connection.close()
            return answer
        return call

    yield make
    for api in apis:
        apigw.delete_api(ApiId=api)


def text(tree, name):
    found = next((e for e in tree.iter() if e.tag.rpartition("}")[2] == name), None)
    return None if found is None else found.text


def test_a_route_sends_messages(client, route, queue, endpoint):
    attributes = json.dumps({"who": {"DataType": "String", "StringValue": "${request.querystring.who}"}})
    call = route(endpoint, "SQS-SendMessage", {"QueueUrl": queue, "MessageBody": "$request.body.message", "DelaySeconds": "0",
                                               "MessageAttributes": attributes})
    status, answer = call("/?who=me", json.dumps({"message": "hello"}))
    assert status == 200 and text(answer, "MessageId")
    got = client("sqs").receive_message(QueueUrl=queue, MessageAttributeNames=["All"])["Messages"]
    assert [m["Body"] for m in got] == ["hello"]
    assert got[0]["MessageAttributes"]["who"]["StringValue"] == "me"


def test_routes_receive_delete_and_purge(client, route, queue, endpoint):
    client("sqs").send_message(QueueUrl=queue, MessageBody="one")
    receive = route(endpoint, "SQS-ReceiveMessage", {"QueueUrl": queue, "AttributeNames": "All", "MaxNumberOfMessages": "10"})
    status, answer = receive()
    assert status == 200 and text(answer, "Body") == "one"
    delete = route(endpoint, "SQS-DeleteMessage", {"QueueUrl": queue, "ReceiptHandle": "$request.body.handle"})
    status, _ = delete(body=json.dumps({"handle": text(answer, "ReceiptHandle")}))
    assert status == 200
    purge = route(endpoint, "SQS-PurgeQueue", {"QueueUrl": queue})
    assert purge()[0] == 200


def test_refusals_of_the_queue_are_answers(route, queue, endpoint):
    call = route(endpoint, "SQS-SendMessage", {"QueueUrl": queue + "-none", "MessageBody": "$request.body"})
    status, answer = call(body="x")
    assert (status, text(answer, "Code")) == (400, "AWS.SimpleQueueService.NonExistentQueue")
    call = route(endpoint, "SQS-SendMessage", {"QueueUrl": queue, "MessageBody": "$request.body.none"})
    status, answer = call(body="{}")
    assert status == 400 and text(answer, "Code")


@pytest.mark.parametrize("subtype, parameters, more, code, why", [
    ("SQS-SendMessage", {"QueueUrl": "q"}, {}, "BadRequestException", "MessageBody"),
    ("SQS-SendMessage", {"QueueUrl": "q", "MessageBody": "b", "Color": "red"}, {}, "BadRequestException", "Color does not fit schema"),
    ("SQS-Dance", {}, {}, "BadRequestException", "SQS-Dance"),
    ("EventBridge-PutEvents", {}, {}, "NotImplemented", "EventBridge-PutEvents"),
    ("SQS-PurgeQueue", {"QueueUrl": "q"}, {"CredentialsArn": ""}, "BadRequestException", "CredentialsArn"),
])
def test_integrations_that_fit_no_operation_are_refused(client, subtype, parameters, more, code, why):
    apigw = client("apigatewayv2")
    api = apigw.create_api(Name="test", ProtocolType="HTTP")["ApiId"]
    with pytest.raises(ClientError) as refused:
        apigw.create_integration(ApiId=api, IntegrationType="AWS_PROXY", IntegrationSubtype=subtype, PayloadFormatVersion="1.0",
                                 RequestParameters=parameters, **{"CredentialsArn": ROLE, **more})
    assert refused.value.response["Error"]["Code"] == code and why in refused.value.response["Error"]["Message"]
    apigw.delete_api(ApiId=api)
