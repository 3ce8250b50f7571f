"""What the Lambda tests share: packages, functions that are deleted at the end, calls; the fixtures `aws` and `function`.

A file with a server of its own defines the fixture `client` by clients_of(server)."""
import io
import json
import time
import uuid
import zipfile

import pytest

ROLE = "arn:aws:iam::000000000000:role/lambda"


def package(files):
    """A zip of {path: text or bytes}."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


class Functions:
    """Makes functions and deletes them at the end."""

    def __init__(self, aws):
        self.aws = aws
        self.made = []

    def __call__(self, source="def handler(event, context):\n    return event\n", file="app.py", **settings):
        name = settings.pop("FunctionName", "t-" + uuid.uuid4().hex[:12])
        arguments = dict(FunctionName=name, Runtime="python3.12", Handler="app.handler", Role=ROLE,
                         Code={"ZipFile": package({file: source})})
        arguments.update(settings)
        self.aws.create_function(**arguments)
        self.made.append(name)
        return name

    def close(self):
        for name in self.made:
            try:
                self.aws.delete_function(FunctionName=name)
            except self.aws.exceptions.ResourceNotFoundException:
                pass


@pytest.fixture(scope="module")
def aws(client):
    return client("lambda")


@pytest.fixture
def function(aws):
    functions = Functions(aws)
    yield functions
    functions.close()


def clients_of(server, **settings):
    """clients_of(server)("sqs"): a boto3 client of this server."""
    import boto3
    from botocore.config import Config
    settings.setdefault("config", Config(retries={"max_attempts": 0}, read_timeout=60))
    return lambda service: boto3.client(service, endpoint_url=server.endpoint, **settings)


def call(aws, name, event=None, **more):
    got = aws.invoke(FunctionName=name, Payload=json.dumps(event if event is not None else {}), **more)
    return got, json.loads(got["Payload"].read() or "null")


def refused(call, code):
    """The message with which `call` is refused by that code."""
    from botocore.exceptions import ClientError
    try:
        call()
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        return error.response["Error"]["Message"]
    raise AssertionError("it was not refused")


def until(look, seconds=20):
    """What look() gives as soon as it is true."""
    end = time.monotonic() + seconds
    while True:
        got = look()
        if got or time.monotonic() > end:
            assert got, "it did not come about"
            return got
        time.sleep(0.02)
