import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import virga_server  # noqa: E402

# Clients must never find a real account, and never wait for a metadata service.
for name in [n for n in os.environ if n.startswith("AWS_")]:
    del os.environ[name]
os.environ.update(
    AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_DEFAULT_REGION="us-east-1",
    AWS_EC2_METADATA_DISABLED="true", AWS_PAGER="", AWS_CONFIG_FILE="/nonexistent",
    AWS_SHARED_CREDENTIALS_FILE="/nonexistent", AWS_MAX_ATTEMPTS="1")


@pytest.fixture(scope="session")
def endpoint():
    """URL of a server in open mode, shared by all tests of the run; VIRGA_ENDPOINT names another one."""
    if given := os.environ.get("VIRGA_ENDPOINT"):
        yield given
        return
    with virga_server.Server() as server:
        yield server.endpoint


@pytest.fixture(scope="session")
def client(endpoint):
    """client("dynamodb", region_name=…): a boto3 client of the shared server."""
    import boto3
    from botocore.config import Config

    def make(service, **kwargs):
        kwargs.setdefault("config", Config(retries={"max_attempts": 0}, read_timeout=30))
        kwargs.setdefault("endpoint_url", endpoint)
        return boto3.client(service, **kwargs)

    return make


@pytest.fixture
def s3(client):
    return client("s3")


@pytest.fixture
def bucket(s3):
    from s3_support import new_bucket

    return new_bucket(s3)
