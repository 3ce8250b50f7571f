"""S3's buckets, their configurations and who may use them, as boto3, the AWS CLI and plain HTTP see them."""
import json
import shutil
import subprocess
import urllib.error
import urllib.request
import uuid

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

import s3_support
from s3_support import new_bucket, new_name

OTHER_ACCOUNT = "111122223333"
PATH_STYLE = {"addressing_style": "path"}


def make_client(endpoint, region="us-east-1", key="test", **config):
    return boto3.client("s3", endpoint_url=endpoint, region_name=region, aws_access_key_id=key, aws_secret_access_key="x",
                        config=Config(s3=PATH_STYLE, retries={"max_attempts": 0}, **config))


@pytest.fixture(scope="module")
def s3(endpoint):
    return make_client(endpoint)


@pytest.fixture(scope="module")
def other(endpoint):
    """Somebody else's account."""
    return make_client(endpoint, key=OTHER_ACCOUNT)


@pytest.fixture(scope="module")
def nobody(endpoint):
    return make_client(endpoint, signature_version=UNSIGNED)


@pytest.fixture
def bucket(s3):
    return new_bucket(s3)


def refusal(call, **arguments):
    told = s3_support.refusal(call, **arguments)
    return told.code, told.status


def message(call, **arguments):
    return s3_support.refusal(call, **arguments).message


def open_to_acls(s3, bucket, ownership="ObjectWriter"):
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": ownership}]})
    s3.delete_public_access_block(Bucket=bucket)


def policy(bucket, principal="*", action="s3:ListBucket", effect="Allow", **more):
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": effect, "Principal": principal, "Action": action,
         "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"], **more}]})


class TestCreating:
    def test_a_second_time_at_home_succeeds(self, s3, bucket):
        assert s3.create_bucket(Bucket=bucket)["Location"] == "/" + bucket

    def test_a_second_time_elsewhere_is_refused(self, endpoint):
        eu = make_client(endpoint, "eu-west-1")
        name = new_name()
        where = {"LocationConstraint": "eu-west-1"}
        assert eu.create_bucket(Bucket=name, CreateBucketConfiguration=where)["Location"] == f"http://{name}.s3.amazonaws.com/"
        assert refusal(eu.create_bucket, Bucket=name, CreateBucketConfiguration=where) == ("BucketAlreadyOwnedByYou", 409)

    def test_names_are_everybodys(self, other, bucket):
        assert refusal(other.create_bucket, Bucket=bucket) == ("BucketAlreadyExists", 409)

    @pytest.mark.parametrize("name", ["ab_c", "abc.", "a..b", "192.168.5.4", "xn--abc", "abc-s3alias", "Abc", "a" * 64])
    def test_bad_names_are_refused(self, s3, name):
        try:
            code, status = refusal(s3.create_bucket, Bucket=name)
        except Exception as error:  # the client itself knows some of the rules
            assert "Invalid bucket name" in str(error)
        else:
            assert (code, status) == ("InvalidBucketName", 400)

    def test_the_constraint_must_fit_the_endpoint(self, endpoint, s3):
        eu = make_client(endpoint, "eu-west-1")
        assert refusal(eu.create_bucket, Bucket=new_name()) == ("IllegalLocationConstraintException", 400)
        assert refusal(eu.create_bucket, Bucket=new_name(),
                       CreateBucketConfiguration={"LocationConstraint": "eu-west-2"}) == ("IllegalLocationConstraintException", 400)
        assert refusal(s3.create_bucket, Bucket=new_name(),
                       CreateBucketConfiguration={"LocationConstraint": "us-east-1"}) == ("InvalidLocationConstraint", 400)

    def test_location_is_told_as_it_was_given(self, s3, bucket):
        assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None
        name = new_name()
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "EU"})
        assert s3.get_bucket_location(Bucket=name)["LocationConstraint"] == "EU"

    def test_lists_need_object_ownership(self, s3):
        assert refusal(s3.create_bucket, Bucket=new_name(), ACL="public-read") == ("InvalidBucketAclWithObjectOwnership", 400)
        assert refusal(s3.create_bucket, Bucket=new_name(), ACL="public-read",
                       ObjectOwnership="ObjectWriter") == ("InvalidBucketAclWithBlockPublicAccessError", 400)


class TestAddressing:
    def test_head_tells_the_region(self, s3, other, bucket):
        headers = s3.head_bucket(Bucket=bucket)["ResponseMetadata"]["HTTPHeaders"]
        assert headers["x-amz-bucket-region"] == "us-east-1"
        assert refusal(s3.head_bucket, Bucket=new_name()) == ("404", 404)
        with pytest.raises(ClientError) as caught:
            other.head_bucket(Bucket=bucket)
        refused = caught.value.response["ResponseMetadata"]
        assert (refused["HTTPStatusCode"], refused["HTTPHeaders"]["x-amz-bucket-region"]) == (403, "us-east-1")

    def test_clients_follow_to_the_right_region(self, endpoint, s3):
        name = new_name()
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        assert s3.head_bucket(Bucket=name)["ResponseMetadata"]["HTTPHeaders"]["x-amz-bucket-region"] == "eu-west-1"
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
        assert make_client(endpoint, "eu-west-1").get_bucket_tagging(Bucket=name)["TagSet"] == [{"Key": "a", "Value": "b"}]

    def test_an_expected_owner_must_be_it(self, s3, bucket):
        assert refusal(s3.get_bucket_location, Bucket=bucket, ExpectedBucketOwner=OTHER_ACCOUNT) == ("AccessDenied", 403)
        s3.get_bucket_location(Bucket=bucket, ExpectedBucketOwner="000000000000")


class TestListingBuckets:
    def test_by_pages_and_prefix(self, endpoint):
        from botocore.session import get_session
        mine = make_client(endpoint, key="222233334444")
        names = sorted(new_name() for _ in range(5))
        for name in names:
            mine.create_bucket(Bucket=name)
        answer = mine.list_buckets()
        assert [b["Name"] for b in answer["Buckets"]] == names
        assert len(answer["Owner"]["ID"]) == 64
        members = get_session().get_service_model("s3").operation_model("ListBuckets").input_shape
        if members is None or "MaxBuckets" not in members.members:
            pytest.skip("this botocore cannot ask for pages")
        seen, token = [], {}
        while True:
            page = mine.list_buckets(MaxBuckets=2, **token)
            seen += [b["Name"] for b in page["Buckets"]]
            if "ContinuationToken" not in page:
                break
            token = {"ContinuationToken": page["ContinuationToken"]}
        assert seen == names
        assert [b["BucketRegion"] for b in mine.list_buckets(Prefix=names[0])["Buckets"]] == ["us-east-1"]
        assert s3_support.refusal(mine.list_buckets, BucketRegion="nowhere-1") == (
            400, "InvalidArgument", "Argument value nowhere-1 is not a valid AWS Region")


class TestConfigurations:
    def test_tags(self, s3, bucket):
        assert refusal(s3.get_bucket_tagging, Bucket=bucket) == ("NoSuchTagSet", 404)
        tags = [{"Key": "team", "Value": "blue"}, {"Key": "empty", "Value": ""}]
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
        assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == tags
        twice = [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]
        assert refusal(s3.put_bucket_tagging, Bucket=bucket, Tagging={"TagSet": twice}) == ("InvalidTag", 400)
        for bad in ({"Key": "a!", "Value": ""}, {"Key": "a", "Value": "<"}, {"Key": "k" * 129, "Value": ""}, {"Key": "AWS:a", "Value": ""}):
            assert refusal(s3.put_bucket_tagging, Bucket=bucket, Tagging={"TagSet": [bad]}) == ("InvalidTag", 400)
        s3.delete_bucket_tagging(Bucket=bucket)
        assert refusal(s3.get_bucket_tagging, Bucket=bucket) == ("NoSuchTagSet", 404)

    def test_versioning(self, s3, bucket):
        assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
        for status in ["Enabled", "Suspended"]:
            s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})
            assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == status
        assert refusal(s3.put_bucket_versioning, Bucket=bucket,
                       VersioningConfiguration={}) == ("IllegalVersioningConfigurationException", 400)

    def test_cors(self, s3, bucket):
        assert refusal(s3.get_bucket_cors, Bucket=bucket) == ("NoSuchCORSConfiguration", 404)
        rules = [{"ID": "r", "AllowedMethods": ["GET", "PUT"], "AllowedOrigins": ["https://*.example.com"], "AllowedHeaders": ["*"],
                  "ExposeHeaders": ["ETag"], "MaxAgeSeconds": 60}]
        s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": rules})
        assert s3.get_bucket_cors(Bucket=bucket)["CORSRules"] == rules
        bad = [{"AllowedMethods": ["PATCH"], "AllowedOrigins": ["*"]}]
        assert message(s3.put_bucket_cors, Bucket=bucket, CORSConfiguration={"CORSRules": bad}) == (
            "Found unsupported HTTP method in CORS config. Unsupported method is PATCH")

    def test_encryption_is_always_there(self, s3, bucket):
        def rule():
            return s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
        assert rule() == {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}
        wanted = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/k"}, "BucketKeyEnabled": True}
        s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [wanted]})
        assert rule() == wanted
        s3.delete_bucket_encryption(Bucket=bucket)
        assert rule()["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}

    @pytest.mark.parametrize("operation, code", [
        ("get_bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration"),
        ("get_bucket_website", "NoSuchWebsiteConfiguration"),
        ("get_bucket_replication", "ReplicationConfigurationNotFoundError"),
        ("get_object_lock_configuration", "ObjectLockConfigurationNotFoundError"),
        ("get_bucket_policy", "NoSuchBucketPolicy"),
        ("get_bucket_policy_status", "NoSuchBucketPolicy")])
    def test_what_is_not_set_says_so(self, s3, bucket, operation, code):
        assert refusal(getattr(s3, operation), Bucket=bucket) == (code, 404)
        assert refusal(getattr(s3, operation), Bucket=new_name()) == ("NoSuchBucket", 404)

    def test_what_is_empty_says_so(self, s3, bucket):
        assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=bucket)
        assert "Status" not in s3.get_bucket_accelerate_configuration(Bucket=bucket)
        assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "BucketOwner"
        assert s3.list_bucket_analytics_configurations(Bucket=bucket)["IsTruncated"] is False
        assert refusal(s3.get_bucket_metrics_configuration, Bucket=bucket, Id="x") == ("NoSuchConfiguration", 404)

    def test_what_cannot_be_set_says_so(self, s3, bucket):
        assert refusal(s3.put_bucket_replication, Bucket=bucket, ReplicationConfiguration={
            "Role": "arn:aws:iam::000000000000:role/r", "Rules": [
                {"Status": "Enabled", "Prefix": "", "Destination": {"Bucket": "arn:aws:s3:::b"}}]}) == ("NotImplemented", 501)

    def test_object_lock_is_chosen_at_birth(self, s3):
        name = new_name()
        s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
        assert s3.get_object_lock_configuration(Bucket=name)["ObjectLockConfiguration"] == {"ObjectLockEnabled": "Enabled"}
        assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
        assert refusal(s3.put_bucket_versioning, Bucket=name,
                       VersioningConfiguration={"Status": "Suspended"}) == ("InvalidBucketState", 409)


class TestAccess:
    def test_new_buckets_are_closed(self, s3, bucket, other, nobody):
        assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == {
            "BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True}
        assert s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
        owner = s3.list_buckets()["Owner"]
        assert s3.get_bucket_acl(Bucket=bucket)["Grants"] == [
            {"Grantee": {"Type": "CanonicalUser", "ID": owner["ID"]}, "Permission": "FULL_CONTROL"}]
        assert refusal(other.list_objects_v2, Bucket=bucket) == ("AccessDenied", 403)
        assert refusal(other.head_bucket, Bucket=bucket) == ("403", 403)

    def test_lists_are_disabled_until_ownership_changes(self, s3, bucket):
        assert refusal(s3.put_bucket_acl, Bucket=bucket, ACL="private") == ("AccessControlListNotSupported", 400)
        s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]})
        assert refusal(s3.put_bucket_acl, Bucket=bucket, ACL="public-read") == ("AccessDenied", 403)
        s3.delete_public_access_block(Bucket=bucket)
        assert refusal(s3.get_public_access_block, Bucket=bucket) == ("NoSuchPublicAccessBlockConfiguration", 404)
        s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
        grants = s3.get_bucket_acl(Bucket=bucket)["Grants"]
        assert {"Grantee": {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"}, "Permission": "READ"} in grants
        assert refusal(s3.put_bucket_ownership_controls, Bucket=bucket, OwnershipControls={
            "Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}) == ("InvalidBucketAclWithObjectOwnership", 400)
        s3.delete_bucket_ownership_controls(Bucket=bucket)
        assert refusal(s3.get_bucket_ownership_controls, Bucket=bucket) == ("OwnershipControlsNotFoundError", 404)

    def test_a_list_lets_another_account_in(self, s3, bucket, other):
        open_to_acls(s3, bucket)
        grantee = other.list_buckets()["Owner"]["ID"]
        s3.put_bucket_acl(Bucket=bucket, GrantRead=f'id="{grantee}"')
        assert other.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
        assert refusal(other.get_bucket_acl, Bucket=bucket) == ("AccessDenied", 403)
        assert refusal(s3.put_bucket_acl, Bucket=bucket, GrantRead='id="nobody"') == ("InvalidArgument", 400)

    def test_a_policy_lets_another_account_in(self, s3, bucket, other):
        s3.put_bucket_policy(Bucket=bucket, Policy=policy(bucket, {"AWS": OTHER_ACCOUNT}))
        assert other.list_objects(Bucket=bucket)["Name"] == bucket
        assert refusal(other.get_bucket_tagging, Bucket=bucket) == ("AccessDenied", 403)
        assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"] is False
        s3.delete_bucket_policy(Bucket=bucket)
        assert refusal(other.list_objects, Bucket=bucket) == ("AccessDenied", 403)

    def test_public_policies_are_blocked_until_the_block_goes(self, s3, bucket):
        public = policy(bucket, action="s3:ListBucket")
        assert refusal(s3.put_bucket_policy, Bucket=bucket, Policy=public) == ("AccessDenied", 403)
        s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"BlockPublicAcls": True})
        s3.put_bucket_policy(Bucket=bucket, Policy=public)
        assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"] is True
        assert json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]) == json.loads(public)

    def test_an_explicit_deny_holds_for_the_owner_too(self, s3, bucket):
        s3.put_bucket_policy(Bucket=bucket, Policy=policy(bucket, action="s3:GetBucketTagging", effect="Deny"))
        assert refusal(s3.get_bucket_tagging, Bucket=bucket) == ("AccessDenied", 403)
        s3.put_bucket_policy(Bucket=bucket, Policy=policy(bucket, action="s3:*", effect="Deny"))
        assert refusal(s3.list_objects, Bucket=bucket) == ("AccessDenied", 403)
        s3.delete_bucket_policy(Bucket=bucket)  # the root never locks itself out of the policy
        s3.list_objects(Bucket=bucket)

    def test_malformed_policies_are_refused_in_s3s_words(self, s3, bucket):
        assert message(s3.put_bucket_policy, Bucket=bucket, Policy="{") == "Policies must be valid JSON and the first byte must be '{'"
        assert message(s3.put_bucket_policy, Bucket=bucket, Policy=policy("elsewhere")) == "Policy has invalid resource"
        assert refusal(s3.put_bucket_policy, Bucket=bucket, Policy=policy(bucket, {"AWS": "me"})) == ("MalformedPolicy", 400)


class TestListing:
    def test_an_empty_bucket(self, s3, bucket):
        answer = s3.list_objects_v2(Bucket=bucket, Prefix="p", Delimiter="/", StartAfter="a")
        for member, value in {"KeyCount": 0, "IsTruncated": False, "Name": bucket, "Prefix": "p", "Delimiter": "/", "MaxKeys": 1000,
                              "StartAfter": "a"}.items():
            assert answer[member] == value, member
        assert "Contents" not in answer

    def test_bad_questions(self, s3, bucket):
        assert refusal(s3.list_objects_v2, Bucket=bucket, MaxKeys=-1) == ("InvalidArgument", 400)
        assert refusal(s3.list_objects_v2, Bucket=bucket, ContinuationToken="x") == ("InvalidArgument", 400)
        assert refusal(s3.list_object_versions, Bucket=bucket, VersionIdMarker="null") == ("InvalidArgument", 400)
        assert s3.list_objects_v2(Bucket=bucket, MaxKeys=5000)["MaxKeys"] == 1000


def test_the_cli_makes_and_removes_buckets(endpoint):
    if not shutil.which("aws"):
        pytest.skip("the AWS CLI is not installed")
    def aws(*arguments):
        return subprocess.run(["aws", "--endpoint-url", endpoint, *arguments], capture_output=True, text=True, timeout=60)
    name = new_name()
    assert aws("s3", "mb", f"s3://{name}").stdout.strip() == f"make_bucket: {name}"
    assert name in aws("s3", "ls").stdout
    assert aws("s3", "rb", f"s3://{name}").stdout.strip() == f"remove_bucket: {name}"
    assert "NoSuchBucket" in aws("s3", "rb", f"s3://{name}").stderr


class TestObjects:
    """Access to objects, and listings that hold some."""

    def test_anonymous_readers_need_a_policy(self, s3, bucket, nobody):
        s3.put_object(Bucket=bucket, Key="open/a", Body=b"a")
        assert refusal(nobody.get_object, Bucket=bucket, Key="open/a") == ("AccessDenied", 403)
        s3.delete_public_access_block(Bucket=bucket)
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/open/*"}}))
        assert nobody.get_object(Bucket=bucket, Key="open/a")["Body"].read() == b"a"
        # who may not list is not told what is missing
        assert refusal(nobody.get_object, Bucket=bucket, Key="open/missing") == ("AccessDenied", 403)
        assert refusal(nobody.put_object, Bucket=bucket, Key="open/b", Body=b"") == ("AccessDenied", 403)
        assert refusal(s3.get_object, Bucket=bucket, Key="open/missing") == ("NoSuchKey", 404)
        s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"RestrictPublicBuckets": True})
        assert refusal(nobody.get_object, Bucket=bucket, Key="open/a") == ("AccessDenied", 403)

    def test_an_objects_list_decides(self, s3, bucket, other, nobody):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", ACL="bucket-owner-full-control")
        assert refusal(s3.put_object, Bucket=bucket, Key="k", Body=b"x", ACL="public-read") == ("AccessControlListNotSupported", 400)
        open_to_acls(s3, bucket)
        s3.put_object(Bucket=bucket, Key="public", Body=b"x", ACL="public-read")
        assert nobody.get_object(Bucket=bucket, Key="public")["Body"].read() == b"x"
        assert refusal(nobody.get_object, Bucket=bucket, Key="k") == ("AccessDenied", 403)
        s3.put_object_acl(Bucket=bucket, Key="k", ACL="authenticated-read")
        assert refusal(nobody.get_object, Bucket=bucket, Key="k") == ("AccessDenied", 403)
        assert other.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
        assert {g["Permission"] for g in s3.get_object_acl(Bucket=bucket, Key="k")["Grants"]} == {"FULL_CONTROL", "READ"}
        s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"IgnorePublicAcls": True})
        assert refusal(nobody.get_object, Bucket=bucket, Key="public") == ("AccessDenied", 403)

    def test_writers_own_what_they_write_where_lists_rule(self, s3, bucket, other):
        open_to_acls(s3, bucket)
        s3.put_bucket_acl(Bucket=bucket, ACL="public-read-write")
        other.put_object(Bucket=bucket, Key="theirs", Body=b"x")
        assert refusal(s3.get_object, Bucket=bucket, Key="theirs") == ("AccessDenied", 403)
        other.put_object_acl(Bucket=bucket, Key="theirs", ACL="bucket-owner-read")
        assert s3.get_object(Bucket=bucket, Key="theirs")["Body"].read() == b"x"
        owners = {o["Key"]: o["Owner"]["ID"] for o in s3.list_objects(Bucket=bucket)["Contents"]}
        assert owners["theirs"] == other.list_buckets()["Owner"]["ID"]
        s3.put_bucket_acl(Bucket=bucket, ACL="private")
        s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]})
        assert s3.get_object(Bucket=bucket, Key="theirs")["Body"].read() == b"x"

    def test_listings_page_and_roll_up(self, s3, bucket):
        keys = sorted(["a", "b c", "d/1", "d/2", "e/f/g", "ü"], key=lambda k: k.encode())
        for key in keys:
            s3.put_object(Bucket=bucket, Key=key, Body=b"1")
        for size in [1, 2, 5]:
            for operation in ["list_objects_v2", "list_objects"]:
                pages = s3.get_paginator(operation).paginate(Bucket=bucket, PaginationConfig={"PageSize": size})
                assert [o["Key"] for p in pages for o in p.get("Contents", [])] == keys
                pages = list(s3.get_paginator(operation).paginate(Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": size}))
                assert [c["Prefix"] for p in pages for c in p.get("CommonPrefixes", [])] == ["d/", "e/"]
                assert [o["Key"] for p in pages for o in p.get("Contents", [])] == ["a", "b c", "ü"]
        first = s3.list_objects_v2(Bucket=bucket, MaxKeys=1, FetchOwner=True)
        assert (first["KeyCount"], first["IsTruncated"], len(first["Contents"][0]["Owner"]["ID"])) == (1, True, 64)
        assert [o["Key"] for o in s3.list_objects_v2(Bucket=bucket, StartAfter="d/1")["Contents"]] == ["d/2", "e/f/g", "ü"]
        assert refusal(s3.delete_bucket, Bucket=bucket) == ("BucketNotEmpty", 409)

    def test_versions_are_listed_newest_first(self, s3, bucket):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        ids = [s3.put_object(Bucket=bucket, Key="k", Body=bytes(i))["VersionId"] for i in range(3)]
        marker = s3.delete_object(Bucket=bucket, Key="k")["VersionId"]
        answer = s3.list_object_versions(Bucket=bucket)
        assert [v["VersionId"] for v in answer["Versions"]] == ids[::-1]
        assert [(m["VersionId"], m["IsLatest"]) for m in answer["DeleteMarkers"]] == [(marker, True)]
        assert not any(v["IsLatest"] for v in answer["Versions"])
        pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, PaginationConfig={"PageSize": 1})
        assert [v["VersionId"] for p in pages for v in p.get("Versions", [])] == ids[::-1]
        assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


class TestCors:
    RULES = [{"AllowedMethods": ["GET", "PUT"], "AllowedOrigins": ["https://*.example.com"], "AllowedHeaders": ["*"],
              "ExposeHeaders": ["ETag"], "MaxAgeSeconds": 60}]

    @staticmethod
    def ask(endpoint, method, path, **headers):
        request = urllib.request.Request(endpoint + path, method=method, headers={k.replace("_", "-"): v for k, v in headers.items()})
        try:
            with urllib.request.urlopen(request, timeout=30) as got:
                return got.status, got.headers, got.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read().decode()

    def test_preflights(self, endpoint, s3, bucket):
        asked = {"Origin": "https://app.example.com", "Access_Control_Request_Method": "PUT",
                 "Access_Control_Request_Headers": "X-Amz-Date, content-type"}
        status, _, body = self.ask(endpoint, "OPTIONS", f"/{bucket}/k", **asked)
        assert status == 403 and "CORSResponse: CORS is not enabled for this bucket." in body
        s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": self.RULES})
        status, headers, _ = self.ask(endpoint, "OPTIONS", f"/{bucket}/k", **asked)
        assert status == 200
        assert headers["Access-Control-Allow-Origin"] == "https://app.example.com"
        assert headers["Access-Control-Allow-Methods"] == "GET, PUT"
        assert headers["Access-Control-Allow-Headers"] == "x-amz-date, content-type"
        assert headers["Access-Control-Max-Age"] == "60"
        assert headers["Vary"] == "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"
        for wrong in [{**asked, "Origin": "https://example.org"}, {**asked, "Access_Control_Request_Method": "DELETE"}]:
            status, headers, body = self.ask(endpoint, "OPTIONS", f"/{bucket}/k", **wrong)
            assert status == 403 and "<Code>AccessForbidden</Code>" in body and "Access-Control-Allow-Origin" not in headers
        assert self.ask(endpoint, "OPTIONS", f"/{bucket}/k")[0] == 400

    def test_answers_carry_the_rules_headers_errors_too(self, endpoint, s3, bucket):
        s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": self.RULES})
        status, headers, _ = self.ask(endpoint, "GET", f"/{bucket}/k", Origin="https://app.example.com")
        assert status == 403 and headers["Access-Control-Allow-Origin"] == "https://app.example.com"
        assert headers["Access-Control-Expose-Headers"] == "ETag"
        s3.put_object(Bucket=bucket, Key="k", Body=b"x")
        link = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})[len(endpoint):]
        status, headers, body = self.ask(endpoint, "GET", link, Origin="https://elsewhere.org")
        assert (status, body) == (200, "x") and "Access-Control-Allow-Origin" not in headers
        assert self.ask(endpoint, "GET", link, Origin="https://app.example.com")[1]["Access-Control-Allow-Credentials"] == "true"


class TestNotifications:
    @pytest.fixture
    def queue(self, client):
        sqs = client("sqs", region_name="us-east-1")
        url = sqs.create_queue(QueueName="q-" + uuid.uuid4().hex[:12])["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

        def receive():
            got = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10, MaxNumberOfMessages=1).get("Messages", [])
            assert got, "no message"
            sqs.delete_message(QueueUrl=url, ReceiptHandle=got[0]["ReceiptHandle"])
            return json.loads(got[0]["Body"])
        return arn, receive

    @staticmethod
    def configure(s3, bucket, *rules):
        s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"QueueConfigurations": list(rules)})

    @staticmethod
    def rule(arn, events, prefix=None, suffix=None, **more):
        filters = [{"Name": n, "Value": v} for n, v in [("prefix", prefix), ("suffix", suffix)] if v is not None]
        return {"QueueArn": arn, "Events": events, **({"Filter": {"Key": {"FilterRules": filters}}} if filters else {}), **more}

    def test_a_queue_is_told(self, s3, bucket, queue):
        arn, receive = queue
        assert "QueueConfigurations" not in s3.get_bucket_notification_configuration(Bucket=bucket)
        rule = self.rule(arn, ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"], "in/", ".csv", Id="mine")
        self.configure(s3, bucket, rule)
        assert s3.get_bucket_notification_configuration(Bucket=bucket)["QueueConfigurations"] == [rule]
        test = receive()
        assert (test["Service"], test["Event"], test["Bucket"]) == ("Amazon S3", "s3:TestEvent", bucket)
        s3.put_object(Bucket=bucket, Key="in/a b+ü.csv", Body=b"1,2")
        s3.put_object(Bucket=bucket, Key="in/a.txt", Body=b"1,2")
        [record] = receive()["Records"]
        assert (record["eventVersion"], record["eventSource"], record["awsRegion"], record["eventName"]) == (
            "2.1", "aws:s3", "us-east-1", "ObjectCreated:Put")
        assert record["requestParameters"] == {"sourceIPAddress": "127.0.0.1"}
        assert set(record["responseElements"]) == {"x-amz-request-id", "x-amz-id-2"}
        assert record["userIdentity"]["principalId"]
        assert (record["s3"]["s3SchemaVersion"], record["s3"]["configurationId"]) == ("1.0", "mine")
        assert record["s3"]["bucket"]["name"] == bucket and record["s3"]["bucket"]["arn"] == "arn:aws:s3:::" + bucket
        created = record["s3"]["object"]
        assert (created["key"], created["size"], len(created["eTag"]), "versionId" in created) == ("in/a+b%2B%C3%BC.csv", 3, 32, False)
        s3.copy_object(Bucket=bucket, Key="in/copy.csv", CopySource={"Bucket": bucket, "Key": "in/a.txt"})
        assert receive()["Records"][0]["eventName"] == "ObjectCreated:Copy"
        s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "in/a b+ü.csv"}]})
        [record] = receive()["Records"]
        removed = record["s3"]["object"]
        assert record["eventName"] == "ObjectRemoved:Delete" and "size" not in removed
        assert removed["sequencer"] > created["sequencer"]

    def test_versions_and_parts_are_told_apart(self, s3, bucket, queue):
        arn, receive = queue
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        self.configure(s3, bucket, self.rule(arn, ["s3:ObjectCreated:CompleteMultipartUpload", "s3:ObjectRemoved:DeleteMarkerCreated"]))
        receive()
        upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
        etag = s3.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=1, Body=b"x")["ETag"]
        done = s3.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=upload,
                                            MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})
        [record] = receive()["Records"]
        assert record["eventName"] == "ObjectCreated:CompleteMultipartUpload"
        assert record["s3"]["object"]["versionId"] == done["VersionId"]
        marker = s3.delete_object(Bucket=bucket, Key="k")
        [record] = receive()["Records"]
        assert (record["eventName"], record["s3"]["object"]["versionId"]) == ("ObjectRemoved:DeleteMarkerCreated", marker["VersionId"])

    def test_bad_configurations_are_refused_whole(self, s3, bucket, queue):
        arn, _ = queue
        missing = arn.rsplit(":", 1)[0] + ":nowhere"
        bad = [
            ([self.rule(missing, ["s3:ObjectCreated:*"])], "Unable to validate the following destination configurations"),
            ([self.rule(arn, ["s3:ObjectCreated:*"]), self.rule(arn, ["s3:ObjectCreated:Put"])],
             "Configurations overlap. Configurations on the same bucket cannot share a common event type."),
            ([self.rule(arn, ["s3:ObjectCreated:*"], "a"), self.rule(arn, ["s3:ObjectCreated:Put"], "ab")],
             "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are overlapping for the "
             "same event type."),
            ([self.rule(arn, ["s3:ObjectCreated:*"], Id="x"), self.rule(arn, ["s3:ObjectRemoved:*"], Id="x")],
             "Same ID used for multiple configurations. IDs must be unique"),
        ]
        for rules, text in bad:
            with pytest.raises(ClientError) as caught:
                self.configure(s3, bucket, *rules)
            assert (caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]) == ("InvalidArgument", text)
        assert "QueueConfigurations" not in s3.get_bucket_notification_configuration(Bucket=bucket)
        self.configure(s3, bucket, self.rule(arn, ["s3:ObjectCreated:*"], "a"), self.rule(arn, ["s3:ObjectCreated:*"], "b"))
        assert len(s3.get_bucket_notification_configuration(Bucket=bucket)["QueueConfigurations"]) == 2


class TestStrictMode:
    """Identities of the configuration file, held to their policies."""
    MAIN, ALT, TENANT = (
        {"id": "111122223333", "canonical_id": "a" * 64, "display_name": "main", "email": "main@example.com",
         "access_keys": [{"id": "AKIAMAINMAINMAIN0001", "secret": "main-secret"}],
         "users": [{"name": "reader", "access_keys": [{"id": "AKIAREADERREADER0001", "secret": "reader-secret"}]}]},
        {"id": "444455556666", "canonical_id": "b" * 64, "display_name": "alt",
         "access_keys": [{"id": "AKIAALTALTALTALT0001", "secret": "alt-secret"}]},
        {"id": "777788889999", "access_keys": [{"id": "AKIATENANTTENANT0001", "secret": "tenant-secret"}]})

    @pytest.fixture(scope="class")
    def clients(self, tmp_path_factory):
        import virga_server
        config = tmp_path_factory.mktemp("strict") / "virga.json"
        config.write_text(json.dumps({"auth": "strict", "account-id": self.MAIN["id"], "accounts": [self.MAIN, self.ALT, self.TENANT]}))
        with virga_server.Server("--auth", "strict", "--account-id", self.MAIN["id"], env={"VIRGA_CONFIG": str(config)}) as server:
            def make(service, key):
                return boto3.client(service, endpoint_url=server.endpoint, region_name="us-east-1", aws_access_key_id=key["id"],
                                    aws_secret_access_key=key["secret"], config=Config(retries={"max_attempts": 0}))
            yield {"main": make("s3", self.MAIN["access_keys"][0]), "alt": make("s3", self.ALT["access_keys"][0]),
                   "tenant": make("s3", self.TENANT["access_keys"][0]), "iam": make("iam", self.MAIN["access_keys"][0]),
                   "reader": make("s3", self.MAIN["users"][0]["access_keys"][0])}

    def test_accounts_have_the_names_of_the_configuration(self, clients):
        assert clients["main"].list_buckets()["Owner"] == {"ID": "a" * 64, "DisplayName": "main"}
        assert clients["alt"].list_buckets()["Owner"] == {"ID": "b" * 64, "DisplayName": "alt"}
        assert clients["tenant"].list_buckets()["Owner"]["ID"].endswith("777788889999")

    def test_users_do_what_their_policies_say(self, clients):
        main, reader, name = clients["main"], clients["reader"], new_name()
        main.create_bucket(Bucket=name)
        main.put_object(Bucket=name, Key="k", Body=b"x")
        assert message(reader.get_object, Bucket=name, Key="k") == (
            f'User: arn:aws:iam::111122223333:user/reader is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::{name}/k" '
            "because no identity-based policy allows the s3:GetObject action")
        clients["iam"].put_user_policy(UserName="reader", PolicyName="p", PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name}/*"}}))
        assert reader.get_object(Bucket=name, Key="k")["Body"].read() == b"x"
        assert refusal(reader.get_object, Bucket=name, Key="missing") == ("AccessDenied", 403)
        assert refusal(reader.put_object, Bucket=name, Key="k", Body=b"y") == ("AccessDenied", 403)
        assert refusal(reader.list_buckets) == ("AccessDenied", 403)
        main.put_bucket_policy(Bucket=name, Policy=policy(name, {"AWS": "arn:aws:iam::111122223333:user/reader"}, "s3:ListBucket"))
        assert refusal(reader.get_object, Bucket=name, Key="missing") == ("NoSuchKey", 404)

    def test_versions_need_their_own_action(self, clients):
        main, reader, name = clients["main"], clients["reader"], new_name()
        main.create_bucket(Bucket=name)
        main.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        version = main.put_object(Bucket=name, Key="k", Body=b"x")["VersionId"]
        main.put_bucket_policy(Bucket=name, Policy=policy(name, {"AWS": "arn:aws:iam::111122223333:user/reader"}, "s3:GetObject"))
        assert reader.get_object(Bucket=name, Key="k")["Body"].read() == b"x"
        assert refusal(reader.get_object, Bucket=name, Key="k", VersionId=version) == ("AccessDenied", 403)

    def test_between_accounts_both_sides_allow(self, clients):
        main, alt, name = clients["main"], clients["alt"], new_name()
        main.create_bucket(Bucket=name)
        assert refusal(alt.list_objects_v2, Bucket=name) == ("AccessDenied", 403)
        open_to_acls(main, name)
        main.put_bucket_acl(Bucket=name, GrantRead='id="' + "b" * 64 + '"', GrantFullControl='emailAddress="main@example.com"')
        assert alt.list_objects_v2(Bucket=name)["KeyCount"] == 0
        assert refusal(clients["tenant"].list_objects_v2, Bucket=name) == ("AccessDenied", 403)
        main.put_bucket_policy(Bucket=name, Policy=policy(name, {"AWS": "777788889999"}, "s3:ListBucket"))
        assert clients["tenant"].list_objects_v2(Bucket=name)["KeyCount"] == 0
