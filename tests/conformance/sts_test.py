"""STS as boto3 sees it."""
import base64
import json
import socket
import time
import urllib.parse
import uuid

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError


def error_of(call, **kwargs):
    with pytest.raises(ClientError) as caught:
        call(**kwargs)
    return caught.value.response["Error"]


@pytest.fixture
def sts(client):
    return client("sts")


def test_caller_identity_of_the_default_account(sts):
    got = sts.get_caller_identity()
    assert len(got["Account"]) == 12
    assert got["Arn"] == f"arn:aws:iam::{got['Account']}:root" and got["UserId"] == got["Account"]


def test_a_twelve_digit_key_is_an_account(client):
    got = client("sts", aws_access_key_id="123412341234", aws_secret_access_key="x").get_caller_identity()
    assert got["Account"] == "123412341234"


def test_an_issued_key_is_its_users(client):
    iam, name = client("iam"), "t-" + uuid.uuid4().hex[:12]
    arn = iam.create_user(UserName=name)["User"]["Arn"]
    key = iam.create_access_key(UserName=name)["AccessKey"]
    got = client("sts", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]).get_caller_identity()
    assert got["Arn"] == arn
    assert client("sts").get_access_key_info(AccessKeyId=key["AccessKeyId"])["Account"] == got["Account"]


def test_an_assumed_role_is_who_it_says(client, sts):
    account = sts.get_caller_identity()["Account"]
    got = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/path/any", RoleSessionName="s1")
    assert got["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{account}:assumed-role/any/s1"
    assert got["AssumedRoleUser"]["AssumedRoleId"].endswith(":s1")
    c = got["Credentials"]
    assert c["AccessKeyId"].startswith("ASIA")
    me = client("sts", aws_access_key_id=c["AccessKeyId"], aws_secret_access_key=c["SecretAccessKey"],
                aws_session_token=c["SessionToken"]).get_caller_identity()
    assert me["Arn"] == got["AssumedRoleUser"]["Arn"] and me["UserId"] == got["AssumedRoleUser"]["AssumedRoleId"]


def test_another_accounts_role_acts_in_that_account(client, sts):
    c = sts.assume_role(RoleArn="arn:aws:iam::444455556666:role/any", RoleSessionName="s1")["Credentials"]
    iam = client("iam", aws_access_key_id=c["AccessKeyId"], aws_secret_access_key=c["SecretAccessKey"], aws_session_token=c["SessionToken"])
    name = "t-" + uuid.uuid4().hex[:12]
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]}
    assert ":444455556666:" in iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]


def test_arns_that_are_no_roles(sts):
    got = error_of(sts.assume_role, RoleArn="arn:aws:iam::123412341234:user/bob", RoleSessionName="s1")
    assert (got["Code"], got["Message"]) == ("ValidationError", "Request ARN is invalid")


def test_constraints(client):
    unchecked = client("sts", config=Config(parameter_validation=False, retries={"max_attempts": 0}))
    got = error_of(unchecked.assume_role, RoleArn="arn:aws:iam::123412341234:role/r", RoleSessionName="s1", DurationSeconds=1)
    assert got["Code"] == "ValidationError"
    assert got["Message"] == ("1 validation error detected: Value '1' at 'durationSeconds' failed to satisfy constraint: "
                              "Member must have value greater than or equal to 900")


def test_session_policies_are_checked(sts):
    got = error_of(sts.assume_role, RoleArn="arn:aws:iam::123412341234:role/r", RoleSessionName="s1", Policy="nonsense")
    assert got["Code"] == "MalformedPolicyDocument"


def test_session_token(client, sts):
    c = sts.get_session_token()["Credentials"]
    session = client("sts", aws_access_key_id=c["AccessKeyId"], aws_secret_access_key=c["SecretAccessKey"], aws_session_token=c["SessionToken"])
    assert session.get_caller_identity()["Arn"] == sts.get_caller_identity()["Arn"]
    assert error_of(session.get_session_token)["Message"] == "Cannot call GetSessionToken with session credentials"


def test_what_is_missing_says_so(sts):
    arns = {k: f"arn:aws:iam::000000000000:{t}/x1" for k, t in (("RoleArn", "role"), ("PrincipalArn", "saml-provider"))}
    assert error_of(sts.assume_role_with_saml, SAMLAssertion="none", **arns)["Code"] == "NotImplemented"


def test_the_other_protocol_versions_of_the_sdk_agree(endpoint):
    # A session's own client, signed for another region: STS is global.
    got = boto3.client("sts", endpoint_url=endpoint, region_name="eu-west-3").get_caller_identity()
    assert got["Arn"].startswith("arn:aws:iam::")


def web_token(**claims):
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
    return ".".join([part({"alg": "RS256", "typ": "JWT"}), part(claims), "c2lnbmF0dXJl"])


def test_roles_are_assumed_with_web_identities(endpoint):
    sts = boto3.client("sts", endpoint_url=endpoint, config=Config(signature_version=UNSIGNED, retries={"max_attempts": 0}))
    role = "arn:aws:iam::000000000000:role/web"
    token = web_token(iss="https://issuer.example.com", sub="repo:a/b", aud="sts.amazonaws.com", exp=int(time.time()) + 600)
    got = sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName="ci", WebIdentityToken=token)
    assert got["AssumedRoleUser"]["Arn"] == "arn:aws:sts::000000000000:assumed-role/web/ci"
    assert (got["SubjectFromWebIdentityToken"], got["Audience"], got["Provider"]) == (
        "repo:a/b", "sts.amazonaws.com", "https://issuer.example.com")
    c = got["Credentials"]
    mine = boto3.client("sts", endpoint_url=endpoint, aws_access_key_id=c["AccessKeyId"],
                        aws_secret_access_key=c["SecretAccessKey"], aws_session_token=c["SessionToken"])
    assert mine.get_caller_identity()["Arn"] == got["AssumedRoleUser"]["Arn"]

    def refusal(given):
        with pytest.raises(ClientError) as e:
            sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName="ci", WebIdentityToken=given)
        return e.value.response["Error"]["Code"]
    assert refusal("not a token") == "InvalidIdentityToken"
    assert refusal(web_token(iss="i", sub="s", aud="a", exp=1)) == "ExpiredTokenException"
    assert refusal(web_token(iss="i", sub="s", exp=4102444800)) == "InvalidIdentityToken"


def test_an_unsigned_call_finds_its_service_by_a_body_that_comes_after_its_head(endpoint):
    # The newer SDKs send head and body apart; that the server asks for the body proves the order here.
    token = web_token(iss="https://issuer.example.com", sub="s", aud="a", exp=int(time.time()) + 600)
    body = urllib.parse.urlencode({
        "Action": "AssumeRoleWithWebIdentity", "Version": "2011-06-15", "RoleSessionName": "later",
        "RoleArn": "arn:aws:iam::000000000000:role/web", "WebIdentityToken": token}).encode()
    address = urllib.parse.urlsplit(endpoint)
    with socket.create_connection((address.hostname, address.port), timeout=10) as s:
        s.sendall(b"POST / HTTP/1.1\r\nHost: sts\r\nContent-Type: application/x-www-form-urlencoded; charset=utf-8\r\n"
                  b"Expect: 100-continue\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body))
        assert s.recv(4096).startswith(b"HTTP/1.1 100 ")
        s.sendall(body)
        answer = b"".join(iter(lambda: s.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 200 ") and b"assumed-role/web/later</Arn>" in answer


def test_no_text_is_an_encoded_authorization_message(client):
    with pytest.raises(ClientError) as e:
        client("sts").decode_authorization_message(EncodedMessage="abc")
    assert e.value.response["Error"]["Code"] == "InvalidAuthorizationMessageException"
