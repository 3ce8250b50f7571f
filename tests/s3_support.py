"""What the S3 tests share: names of buckets, refusals as clients see them."""
import typing
import uuid

import pytest
from botocore.exceptions import ClientError


class Refusal(typing.NamedTuple):
    status: int
    code: str
    message: str


def refusal(call, **arguments):
    """What a call that must be refused is told."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    answer = caught.value.response
    return Refusal(answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"].get("Message"))


def new_name():
    return "b-" + uuid.uuid4().hex[:16]


def new_bucket(s3, **options):
    name = new_name()
    s3.create_bucket(Bucket=name, **options)
    return name
