"""S3's objects as boto3, the AWS CLI and plain HTTP see them."""
import uuid

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def s3(client):
    return client("s3")


@pytest.fixture
def bucket(s3):
    name = "b-" + uuid.uuid4().hex[:16]
    s3.create_bucket(Bucket=name)
    yield name


def refusal(call, **kwargs):
    with pytest.raises(ClientError) as caught:
        call(**kwargs)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def test_buckets_come_and_go(s3):
    name = "b-" + uuid.uuid4().hex[:16]
    assert s3.create_bucket(Bucket=name)["Location"] == "/" + name
    assert s3.head_bucket(Bucket=name)["ResponseMetadata"]["HTTPHeaders"]["x-amz-bucket-region"] == "us-east-1"
    assert name in [b["Name"] for b in s3.list_buckets()["Buckets"]]
    s3.delete_bucket(Bucket=name)
    assert refusal(s3.head_bucket, Bucket=name) == ("404", "Not Found")
    with pytest.raises(ClientError) as caught:
        s3.delete_bucket(Bucket=name)
    assert caught.value.response["Error"] == {
        "Code": "NoSuchBucket", "Message": "The specified bucket does not exist", "BucketName": name}


def test_bucket_names_belong_to_one_account(client, s3, bucket):
    other = client("s3", aws_access_key_id="222222222222", aws_secret_access_key="x")
    assert refusal(other.create_bucket, Bucket=bucket)[0] == "BucketAlreadyExists"
    assert refusal(s3.create_bucket, Bucket="not_legal")[0] == "InvalidBucketName"
