"""Configurations of a bucket that infrastructure tools write and read back: website, logging, acceleration, who pays,
analytics, inventories, metrics, archive tiers.

Sources: S3 API Reference, the operations' pages; refusals as S3's users report them."""
import json

import pytest
from botocore import UNSIGNED
from botocore.config import Config

from s3_support import new_bucket, new_name, refusal

OTHER_ACCOUNT = "111122223333"


def without_metadata(answer):
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


# ---- website

RULE = {"Condition": {"HttpErrorCodeReturnedEquals": "404", "KeyPrefixEquals": "old/"},
        "Redirect": {"HostName": "example.com", "HttpRedirectCode": "302", "Protocol": "https", "ReplaceKeyPrefixWith": "new/"}}
INDEX = {"IndexDocument": {"Suffix": "index.html"}}


@pytest.mark.parametrize("website", [
    INDEX,
    {**INDEX, "ErrorDocument": {"Key": "error.html"}, "RoutingRules": [RULE, {"Redirect": {"ReplaceKeyWith": "gone.html"}}]},
    {"RedirectAllRequestsTo": {"HostName": "example.com", "Protocol": "https"}}])
def test_a_website_configuration_comes_back(s3, bucket, website):
    s3.put_bucket_website(Bucket=bucket, WebsiteConfiguration=website)
    assert without_metadata(s3.get_bucket_website(Bucket=bucket)) == website
    s3.delete_bucket_website(Bucket=bucket)
    assert refusal(s3.get_bucket_website, Bucket=bucket)[:2] == (404, "NoSuchWebsiteConfiguration")
    s3.delete_bucket_website(Bucket=bucket)


def rules(**redirect):
    return {**INDEX, "RoutingRules": [{"Redirect": redirect}]}


@pytest.mark.parametrize("website, code, message", [
    ({"ErrorDocument": {"Key": "e"}}, "InvalidArgument",
     "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty"),
    ({"IndexDocument": {"Suffix": "a/b"}}, "InvalidArgument", "The IndexDocument Suffix is not well formed"),
    ({"IndexDocument": {"Suffix": ""}}, "InvalidArgument", "The IndexDocument Suffix is not well formed"),
    ({"RedirectAllRequestsTo": {"HostName": "a"}, **INDEX}, "InvalidArgument",
     "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules."),
    (rules(HttpRedirectCode="300"), "InvalidRequest",
     "The provided HTTP redirect code (300) is not valid. Valid codes are 3XX except 300."),
    (rules(ReplaceKeyWith="a", ReplaceKeyPrefixWith="b"), "InvalidRequest",
     "You can only define ReplaceKeyPrefix or ReplaceKey but not both."),
    ({**INDEX, "RoutingRules": [{"Condition": {"HttpErrorCodeReturnedEquals": "200"}, "Redirect": {"HostName": "a"}}]},
     "InvalidRequest", "The provided HTTP error code (200) is not valid. Valid codes are 4XX or 5XX."),
    ({**INDEX, "RoutingRules": [RULE] * 51}, "InvalidRequest",
     "51 routing rules provided, the number of routing rules in a website configuration is limited to 50.")])
def test_bad_websites_are_refused(s3, bucket, website, code, message):
    assert refusal(s3.put_bucket_website, Bucket=bucket, WebsiteConfiguration=website) == (400, code, message)


# ---- logging

def test_where_logs_would_go_comes_back(client, s3, bucket):
    wanted = {"TargetBucket": new_bucket(s3), "TargetPrefix": "logs/",
              "TargetGrants": [{"Grantee": {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"},
                                "Permission": "READ"}]}
    s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={"LoggingEnabled": wanted})
    assert s3.get_bucket_logging(Bucket=bucket)["LoggingEnabled"] == wanted

    def told(target):
        return refusal(s3.put_bucket_logging, Bucket=bucket,
                       BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": ""}})

    assert told(new_name()) == (400, "InvalidTargetBucketForLogging", "The target bucket for logging does not exist")
    foreign = new_bucket(client("s3", aws_access_key_id=OTHER_ACCOUNT, aws_secret_access_key="x"))
    assert told(foreign)[:2] == (400, "InvalidTargetBucketForLogging")
    elsewhere = new_bucket(s3, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    assert told(elsewhere)[:2] == (403, "CrossLocationLoggingProhibited")
    assert s3.get_bucket_logging(Bucket=bucket)["LoggingEnabled"] == wanted  # a refusal changes nothing
    s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={})
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=bucket)


# ---- acceleration

def test_acceleration_is_never_unset_again(s3, bucket):
    def status():
        return s3.get_bucket_accelerate_configuration(Bucket=bucket).get("Status")

    assert status() is None
    for wanted in ("Enabled", "Suspended"):
        s3.put_bucket_accelerate_configuration(Bucket=bucket, AccelerateConfiguration={"Status": wanted})
        assert status() == wanted
    assert refusal(s3.put_bucket_accelerate_configuration, Bucket=bucket,
                   AccelerateConfiguration={"Status": "On"})[:2] == (400, "MalformedXML")
    dotted = new_name() + ".x"
    s3.create_bucket(Bucket=dotted)
    assert refusal(s3.put_bucket_accelerate_configuration, Bucket=dotted, AccelerateConfiguration={"Status": "Enabled"}) == (
        400, "InvalidRequest", "S3 Transfer Acceleration is not supported for buckets with periods (.) in their names")


# ---- who pays

def test_requesters_pay_when_they_say_so(client, s3, bucket):
    other = client("s3", aws_access_key_id=OTHER_ACCOUNT, aws_secret_access_key="x")
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": OTHER_ACCOUNT}, "Action": "s3:*",
         "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]}]}))
    assert other.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
    s3.put_bucket_request_payment(Bucket=bucket, RequestPaymentConfiguration={"Payer": "Requester"})
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "Requester"
    for call in (other.get_object, other.delete_object):
        assert refusal(call, Bucket=bucket, Key="k")[:2] == (403, "AccessDenied")
    assert refusal(other.list_objects_v2, Bucket=bucket)[:2] == (403, "AccessDenied")
    assert other.get_object(Bucket=bucket, Key="k", RequestPayer="requester")["Body"].read() == b"x"
    listed = other.list_objects_v2(Bucket=bucket, RequestPayer="requester")
    assert listed["ResponseMetadata"]["HTTPHeaders"]["x-amz-request-charged"] == "requester"
    assert other.head_object(Bucket=bucket, Key="k", RequestPayer="requester")["RequestCharged"] == "requester"
    assert "RequestCharged" not in s3.head_object(Bucket=bucket, Key="k", RequestPayer="requester")
    assert other.list_objects_v2(Bucket=bucket, RequestPayer="requester")["KeyCount"] == 1
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"  # the owner need not say so
    s3.delete_public_access_block(Bucket=bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}]}))
    nobody = client("s3", config=Config(signature_version=UNSIGNED))
    assert refusal(nobody.get_object, Bucket=bucket, Key="k", RequestPayer="requester")[:2] == (403, "AccessDenied")
    s3.put_bucket_request_payment(Bucket=bucket, RequestPaymentConfiguration={"Payer": "BucketOwner"})
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "BucketOwner"
    for reader in (other, nobody):
        assert reader.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"


# ---- configurations with names

TARGET = "arn:aws:s3:::" + "reports"
AND = {"And": {"Prefix": "a/", "Tags": [{"Key": "k", "Value": "v"}]}}
KINDS = {
    "analytics": ("Analytics", [
        {"StorageClassAnalysis": {}, "Filter": {"Prefix": "a/"}},
        {"StorageClassAnalysis": {"DataExport": {"OutputSchemaVersion": "V_1", "Destination": {"S3BucketDestination": {
            "Format": "CSV", "Bucket": TARGET, "Prefix": "p"}}}}, "Filter": AND}]),
    "inventory": ("Inventory", [
        {"Destination": {"S3BucketDestination": {"Bucket": TARGET, "Format": "Parquet", "AccountId": "000000000000",
                                                 "Encryption": {"SSEKMS": {"KeyId": "alias/k"}}}},
         "IsEnabled": True, "IncludedObjectVersions": "All", "Schedule": {"Frequency": "Weekly"},
         "OptionalFields": ["Size", "ETag"], "Filter": {"Prefix": "a/"}},
        {"Destination": {"S3BucketDestination": {"Bucket": TARGET, "Format": "CSV", "Encryption": {"SSES3": {}}}},
         "IsEnabled": False, "IncludedObjectVersions": "Current", "Schedule": {"Frequency": "Daily"}}]),
    "metrics": ("Metrics", [{}, {"Filter": AND}, {"Filter": {"Tag": {"Key": "k", "Value": "v"}}}]),
    "intelligent_tiering": ("IntelligentTiering", [
        {"Status": "Enabled", "Tierings": [{"Days": 90, "AccessTier": "ARCHIVE_ACCESS"},
                                           {"Days": 180, "AccessTier": "DEEP_ARCHIVE_ACCESS"}]},
        {"Status": "Disabled", "Filter": AND, "Tierings": [{"Days": 730, "AccessTier": "DEEP_ARCHIVE_ACCESS"}]}])}


class Named:
    """The four operations on one kind of configuration of a bucket."""

    def __init__(self, s3, bucket, kind):
        self.s3, self.bucket, self.kind, self.name = s3, bucket, kind, KINDS[kind][0] + "Configuration"

    def call(self, verb, **arguments):
        plural = "s" if verb == "list" else ""
        return getattr(self.s3, f"{verb}_bucket_{self.kind}_configuration{plural}")(Bucket=self.bucket, **arguments)

    def put(self, id, value):
        self.call("put", Id=id, **{self.name: {"Id": id, **value}})

    def put_as(self, id, value):
        self.call("put", Id=id, **{self.name: value})

    def get(self, id):
        return self.call("get", Id=id)[self.name]

    def delete(self, id):
        self.call("delete", Id=id)

    def page(self, **arguments):
        answer = self.call("list", **arguments)
        return answer, [one["Id"] for one in answer.get(self.name + "List", [])]


@pytest.fixture(params=KINDS)
def named(request, s3, bucket):
    return Named(s3, bucket, request.param)


def test_named_configurations_come_back(named):
    values = KINDS[named.kind][1]
    for i, value in enumerate(values):
        named.put(f"c{i}", value)
        assert named.get(f"c{i}") == {"Id": f"c{i}", **value}
    named.put("c0", values[-1])  # replaces
    assert named.get("c0") == {"Id": "c0", **values[-1]}
    named.put("b", values[0])
    answer, ids = named.page()
    assert ids == sorted(["b", *(f"c{i}" for i in range(len(values)))]) and answer["IsTruncated"] is False
    named.delete("b")
    for call in (named.get, named.delete):
        assert refusal(call, id="b") == (404, "NoSuchConfiguration", "The specified configuration does not exist.")
    assert "b" not in named.page()[1]


def test_named_configurations_are_told_in_pages_of_a_hundred(named):
    for i in range(101):
        named.put(f"c{i:03}", KINDS[named.kind][1][0])
    answer, first = named.page()
    assert answer["IsTruncated"] is True and first == [f"c{i:03}" for i in range(100)]
    answer, rest = named.page(ContinuationToken=answer["NextContinuationToken"])
    assert answer["IsTruncated"] is False and rest == ["c100"] and "NextContinuationToken" not in answer
    assert refusal(named.page, ContinuationToken="x")[:2] == (400, "InvalidArgument")


def test_names_of_configurations(named):
    value = KINDS[named.kind][1][0]
    assert refusal(named.put_as, id="a", value={"Id": "b", **value})[:2] == (400, "MalformedXML")
    for bad in ("a b", "x" * 65):
        assert refusal(named.put, id=bad, value=value)[:2] == (400, "InvalidArgument")
    assert named.page()[1] == []
    named.bucket = new_name()
    assert refusal(named.get, id="a")[:2] == (404, "NoSuchBucket")


@pytest.mark.parametrize("kind, value, code", [
    ("metrics", {"Filter": {"Prefix": "a", "Tag": {"Key": "k", "Value": "v"}}}, "MalformedXML"),
    ("analytics", {"StorageClassAnalysis": {}, "Filter": {}}, "MalformedXML"),
    ("intelligent_tiering", {"Status": "Enabled", "Tierings": [{"Days": 89, "AccessTier": "ARCHIVE_ACCESS"}]}, "InvalidArgument"),
    ("intelligent_tiering", {"Status": "Enabled", "Tierings": [{"Days": 179, "AccessTier": "DEEP_ARCHIVE_ACCESS"}]},
     "InvalidArgument"),
    ("intelligent_tiering", {"Status": "On", "Tierings": [{"Days": 90, "AccessTier": "ARCHIVE_ACCESS"}]}, "MalformedXML"),
    ("inventory", {"Destination": {"S3BucketDestination": {"Bucket": "reports", "Format": "CSV"}}, "IsEnabled": True,
                   "IncludedObjectVersions": "All", "Schedule": {"Frequency": "Daily"}}, "InvalidS3DestinationBucket"),
    ("inventory", {"Destination": {"S3BucketDestination": {"Bucket": TARGET, "Format": "CSV"}}, "IsEnabled": True,
                   "IncludedObjectVersions": "All", "Schedule": {"Frequency": "Hourly"}}, "MalformedXML")])
def test_bad_configurations_are_refused(s3, bucket, kind, value, code):
    assert refusal(Named(s3, bucket, kind).put, id="a", value=value)[:2] == (400, code)
