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


def new_name():
    return "b-" + uuid.uuid4().hex[:16]


@pytest.fixture
def bucket(s3):
    name = new_name()
    s3.create_bucket(Bucket=name)
    return name


def refusal(call, **kwargs):
    with pytest.raises(ClientError) as caught:
        call(**kwargs)
    error = caught.value.response
    return error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"]


def message(call, **kwargs):
    with pytest.raises(ClientError) as caught:
        call(**kwargs)
    return caught.value.response["Error"]["Message"]


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
    def test_head_tells_the_region(self, s3, bucket):
        headers = s3.head_bucket(Bucket=bucket)["ResponseMetadata"]["HTTPHeaders"]
        assert headers["x-amz-bucket-region"] == "us-east-1"
        assert refusal(s3.head_bucket, Bucket=new_name()) == ("404", 404)

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


class TestConfigurations:
    def test_tags(self, s3, bucket):
        assert refusal(s3.get_bucket_tagging, Bucket=bucket) == ("NoSuchTagSet", 404)
        tags = [{"Key": "team", "Value": "blue"}, {"Key": "empty", "Value": ""}]
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
        assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == tags
        twice = [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]
        assert refusal(s3.put_bucket_tagging, Bucket=bucket, Tagging={"TagSet": twice}) == ("InvalidTag", 400)
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
        assert refusal(s3.put_bucket_website, Bucket=bucket,
                       WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}}) == ("NotImplemented", 501)

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
