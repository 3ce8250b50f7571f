"""IAM as boto3 sees it. Runs against any endpoint (VIRGA_ENDPOINT), AWS included."""
import csv
import json
import uuid

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

TRUST = {"Version": "2012-10-17",
         "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": "*"}]}
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


@pytest.fixture
def iam(client):
    return client("iam")


@pytest.fixture
def name():
    return "t-" + uuid.uuid4().hex[:12]


def refusal(call, **kwargs):
    with pytest.raises(ClientError) as caught:
        call(**kwargs)
    error = caught.value.response
    return error["Error"]["Code"], error["Error"]["Message"], error["ResponseMetadata"]["HTTPStatusCode"]


def test_role_round_trip(iam, name):
    made = iam.create_role(RoleName=name, Path="/svc/", AssumeRolePolicyDocument=json.dumps(TRUST), Description="d",
                           Tags=[{"Key": "team", "Value": "blue"}])["Role"]
    assert made["Arn"].endswith(f":role/svc/{name}") and made["RoleId"].startswith("AROA") and len(made["RoleId"]) == 21
    got = iam.get_role(RoleName=name)["Role"]
    assert got["AssumeRolePolicyDocument"] == TRUST  # boto3 decodes it
    assert got["Tags"] == [{"Key": "team", "Value": "blue"}] and got["MaxSessionDuration"] == 3600
    assert got["CreateDate"] == made["CreateDate"]
    iam.update_role(RoleName=name, Description="e", MaxSessionDuration=7200)
    assert iam.get_role(RoleName=name)["Role"]["MaxSessionDuration"] == 7200
    iam.delete_role(RoleName=name)
    assert refusal(iam.get_role, RoleName=name) == ("NoSuchEntity", f"The role with name {name} cannot be found.", 404)


def test_existing_names_are_refused(iam, name):
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
    assert refusal(iam.create_role, RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST)) == (
        "EntityAlreadyExists", f"Role with name {name} already exists.", 409)


def test_documents_are_checked(iam, name):
    code, _, status = refusal(iam.create_role, RoleName=name, AssumeRolePolicyDocument="nonsense")
    assert (code, status) == ("MalformedPolicyDocument", 400)
    bad = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "invalid", "Resource": "*"}}
    assert refusal(iam.create_policy, PolicyName=name, PolicyDocument=json.dumps(bad))[:2] == (
        "MalformedPolicyDocument", "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")


def test_inline_and_attached_policies(iam, name):
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(ALLOW))
    assert iam.list_role_policies(RoleName=name)["PolicyNames"] == ["p"]
    assert iam.get_role_policy(RoleName=name, PolicyName="p")["PolicyDocument"] == ALLOW
    own = iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(ALLOW))["Policy"]["Arn"]
    for arn in (own, BASIC):
        iam.attach_role_policy(RoleName=name, PolicyArn=arn)
    attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    assert {p["PolicyArn"] for p in attached} == {own, BASIC}
    assert iam.get_policy(PolicyArn=own)["Policy"]["AttachmentCount"] == 1
    assert refusal(iam.delete_policy, PolicyArn=own)[:2] == ("DeleteConflict", "Cannot delete a policy attached to entities.")
    assert refusal(iam.delete_role, RoleName=name)[0] == "DeleteConflict"
    for arn in (own, BASIC):
        iam.detach_role_policy(RoleName=name, PolicyArn=arn)
    iam.delete_role_policy(RoleName=name, PolicyName="p")
    iam.delete_role(RoleName=name)
    iam.delete_policy(PolicyArn=own)


def test_aws_managed_policies(iam):
    policy = iam.get_policy(PolicyArn=BASIC)["Policy"]
    document = iam.get_policy_version(PolicyArn=BASIC, VersionId=policy["DefaultVersionId"])["PolicyVersion"]["Document"]
    assert "logs:PutLogEvents" in json.dumps(document)
    names = [p["PolicyName"] for page in iam.get_paginator("list_policies").paginate(Scope="AWS", PaginationConfig={"PageSize": 20})
             for p in page["Policies"]]
    assert {"AdministratorAccess", "ReadOnlyAccess", "AmazonDynamoDBFullAccess"} <= set(names)
    assert len(names) == len(set(names)) >= 40


def test_policy_versions(iam, name):
    arn = iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(ALLOW))["Policy"]["Arn"]
    for _ in range(4):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(ALLOW), SetAsDefault=True)
    assert refusal(iam.create_policy_version, PolicyArn=arn, PolicyDocument=json.dumps(ALLOW))[0] == "LimitExceeded"
    versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    assert [v["VersionId"] for v in versions] == ["v5", "v4", "v3", "v2", "v1"]
    assert [v["IsDefaultVersion"] for v in versions] == [True, False, False, False, False]


def test_users_and_keys(iam, name):
    user = iam.create_user(UserName=name)["User"]
    assert user["UserId"].startswith("AIDA")
    keys = [iam.create_access_key(UserName=name)["AccessKey"] for _ in range(2)]
    assert all(len(k["AccessKeyId"]) == 20 and len(k["SecretAccessKey"]) == 40 for k in keys)
    assert refusal(iam.create_access_key, UserName=name)[:2] == (
        "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2")
    iam.update_access_key(UserName=name, AccessKeyId=keys[0]["AccessKeyId"], Status="Inactive")
    listed = {k["AccessKeyId"]: k["Status"] for k in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]}
    assert listed == {keys[0]["AccessKeyId"]: "Inactive", keys[1]["AccessKeyId"]: "Active"}
    for key in keys:
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName=name)


def test_what_terraform_reads_of_a_role(iam, name):
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
    assert iam.list_role_policies(RoleName=name)["PolicyNames"] == []
    assert iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"] == []
    assert iam.list_instance_profiles_for_role(RoleName=name)["InstanceProfiles"] == []
    assert iam.list_role_tags(RoleName=name)["Tags"] == []


def test_pages(iam, name):
    names = [f"{name}-{i}" for i in range(5)]
    for n in names:
        iam.create_role(RoleName=n, Path=f"/{name}/", AssumeRolePolicyDocument=json.dumps(TRUST))
    pages = list(iam.get_paginator("list_roles").paginate(PathPrefix=f"/{name}/", PaginationConfig={"PageSize": 2}))
    assert [len(p["Roles"]) for p in pages] == [2, 2, 1]
    assert [r["RoleName"] for p in pages for r in p["Roles"]] == names
    assert refusal(iam.list_roles, Marker="nonsense")[0] == "ValidationError"


def test_service_linked_roles(iam):
    service = "autoscaling.amazonaws.com"
    suffix = uuid.uuid4().hex[:8]
    role = iam.create_service_linked_role(AWSServiceName=service, CustomSuffix=suffix, Description="d")["Role"]
    assert role["RoleName"] == f"AWSServiceRoleForAutoScaling_{suffix}" and role["Path"] == f"/aws-service-role/{service}/"
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Service": service}
    assert refusal(iam.create_service_linked_role, AWSServiceName=service, CustomSuffix=suffix) == (
        "InvalidInput", f"Service role name {role['RoleName']} has been taken in this account, please try a different suffix.", 400)
    code, message, _ = refusal(iam.delete_role, RoleName=role["RoleName"])
    assert code == "UnmodifiableEntity" and "protected role" in message
    task = iam.delete_service_linked_role(RoleName=role["RoleName"])["DeletionTaskId"]
    assert iam.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"] == "SUCCEEDED"
    assert refusal(iam.get_role, RoleName=role["RoleName"])[0] == "NoSuchEntity"


def test_login_profiles_and_the_password_policy(iam, name):
    iam.create_user(UserName=name)
    assert refusal(iam.get_login_profile, UserName=name) == ("NoSuchEntity", f"Login Profile for User {name} cannot be found.", 404)
    profile = iam.create_login_profile(UserName=name, Password="long-Enough-1", PasswordResetRequired=True)["LoginProfile"]
    assert profile["UserName"] == name and profile["PasswordResetRequired"] is True
    assert refusal(iam.create_login_profile, UserName=name, Password="long-Enough-1")[1] == f"Login Profile for user {name} already exists."
    assert refusal(iam.delete_user, UserName=name) == ("DeleteConflict", "Cannot delete entity, must delete login profile first.", 409)
    iam.update_login_profile(UserName=name, PasswordResetRequired=False)
    assert iam.get_login_profile(UserName=name)["LoginProfile"]["PasswordResetRequired"] is False
    assert refusal(iam.get_account_password_policy)[0] == "NoSuchEntity"
    iam.update_account_password_policy(MinimumPasswordLength=12, RequireNumbers=True, MaxPasswordAge=90)
    try:
        policy = iam.get_account_password_policy()["PasswordPolicy"]
        assert (policy["MinimumPasswordLength"], policy["RequireNumbers"], policy["RequireSymbols"]) == (12, True, False)
        assert policy["ExpirePasswords"] is True and policy["MaxPasswordAge"] == 90
        assert refusal(iam.update_login_profile, UserName=name, Password="short1")[0] == "PasswordPolicyViolation"
    finally:
        iam.delete_account_password_policy()
    iam.delete_login_profile(UserName=name)
    iam.delete_user(UserName=name)


def test_openid_connect_providers(iam, name):
    url = f"https://{name}.example.com/id"
    arn = iam.create_open_id_connect_provider(Url=url, ClientIDList=["a"], ThumbprintList=["0" * 40], Tags=[{"Key": "k", "Value": "v"}])[
        "OpenIDConnectProviderArn"]
    assert arn.endswith(f":oidc-provider/{name}.example.com/id")
    assert refusal(iam.create_open_id_connect_provider, Url=url, ThumbprintList=["0" * 40])[0] == "EntityAlreadyExists"
    iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="b")
    iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="a")
    iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=arn, ThumbprintList=["1" * 40])
    iam.tag_open_id_connect_provider(OpenIDConnectProviderArn=arn, Tags=[{"Key": "k2", "Value": "v2"}])
    iam.untag_open_id_connect_provider(OpenIDConnectProviderArn=arn, TagKeys=["k"])
    got = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert got["Url"] == f"{name}.example.com/id" and got["ClientIDList"] == ["b"] and got["ThumbprintList"] == ["1" * 40]
    assert iam.list_open_id_connect_provider_tags(OpenIDConnectProviderArn=arn)["Tags"] == [{"Key": "k2", "Value": "v2"}]
    assert arn in [p["Arn"] for p in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]]
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert refusal(iam.get_open_id_connect_provider, OpenIDConnectProviderArn=arn) == (
        "NoSuchEntity", f"OpenIDConnect Provider not found for arn {arn}", 404)


def test_what_tools_read_before_they_delete_a_user(iam, name):
    iam.create_user(UserName=name)
    assert iam.list_mfa_devices(UserName=name)["MFADevices"] == []
    assert iam.list_ssh_public_keys(UserName=name)["SSHPublicKeys"] == []
    assert iam.list_signing_certificates(UserName=name)["Certificates"] == []
    assert iam.list_service_specific_credentials(UserName=name)["ServiceSpecificCredentials"] == []
    assert iam.list_virtual_mfa_devices()["VirtualMFADevices"] == []
    assert iam.list_server_certificates()["ServerCertificateMetadataList"] == []
    assert iam.list_saml_providers()["SAMLProviderList"] == []
    assert refusal(iam.list_mfa_devices, UserName="nobody")[0] == "NoSuchEntity"
    iam.delete_user(UserName=name)


def test_account_authorization_details(iam, name):
    iam.create_user(UserName=name)
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=json.dumps(ALLOW))
    iam.attach_role_policy(RoleName=name, PolicyArn=BASIC)
    arn = iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(ALLOW))["Policy"]["Arn"]
    pages = list(iam.get_paginator("get_account_authorization_details").paginate(PaginationConfig={"PageSize": 2}))
    users = [u for p in pages for u in p["UserDetailList"]]
    roles = {r["RoleName"]: r for p in pages for r in p["RoleDetailList"]}
    policies = {q["Arn"]: q for p in pages for q in p["Policies"]}
    assert name in [u["UserName"] for u in users]
    assert roles[name]["RolePolicyList"] == [{"PolicyName": "inline", "PolicyDocument": ALLOW}]
    assert roles[name]["AttachedManagedPolicies"] == [{"PolicyName": "AWSLambdaBasicExecutionRole", "PolicyArn": BASIC}]
    assert roles[name]["AssumeRolePolicyDocument"] == TRUST
    assert policies[arn]["PolicyVersionList"][0]["Document"] == ALLOW and policies[BASIC]["AttachmentCount"] >= 1
    only = iam.get_account_authorization_details(Filter=["LocalManagedPolicy"])
    assert only["RoleDetailList"] == [] and arn in [p["Arn"] for p in only["Policies"]]
    iam.detach_role_policy(RoleName=name, PolicyArn=BASIC)
    iam.delete_role_policy(RoleName=name, PolicyName="inline")
    iam.delete_role(RoleName=name)
    iam.delete_policy(PolicyArn=arn)
    iam.delete_user(UserName=name)


@pytest.mark.parametrize("operation,arguments,words", [
    ("create_user", {"UserName": "bad name"}, "The specified value for userName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"),
    ("create_role", {"RoleName": "a/b", "AssumeRolePolicyDocument": "{}"}, "The specified value for roleName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"),
    ("create_user", {"UserName": "u", "Path": "nopath"}, "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters."),
    ("list_users", {"PathPrefix": "a"}, "The specified value for pathPrefix is invalid. It must begin with the / character and contain only alphanumeric characters and/or / characters."),
    ("list_policies", {"PathPrefix": "/a"}, "The specified value for pathPrefix is invalid. It must begin with the / character and contain only alphanumeric characters and/or / characters."),
    ("put_user_policy", {"UserName": "u", "PolicyName": "p", "PolicyDocument": "\u4e16"}, "The specified value for policyDocument is invalid. It must contain only printable ASCII characters."),
    ("get_user", {"UserName": ""}, "2 validation errors detected: Value '' at 'userName' failed to satisfy constraint: Member must have length greater than or equal to 1; "
     "The specified value for userName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"),
    ("get_user", {"UserName": "x" * 129}, f"1 validation error detected: Value '{'x' * 129}' at 'userName' failed to satisfy constraint: Member must have length less than or equal to 128"),
])
def test_values_of_the_wrong_form_are_refused_in_iams_words(client, operation, arguments, words):
    iam = client("iam", config=Config(parameter_validation=False, retries={"max_attempts": 0}))
    with pytest.raises(ClientError) as caught:
        getattr(iam, operation)(**arguments)
    assert caught.value.response["Error"] == {"Type": "Sender", "Code": "ValidationError", "Message": words}


def saml_metadata(until=""):
    padding = "<!-- " + "x" * 1000 + " -->"
    return (f'<?xml version="1.0"?><EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example.com"{until}>'
            f'{padding}<IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"/></EntityDescriptor>')


def test_saml_providers_are_kept(client):
    iam, name = client("iam"), "saml-" + uuid.uuid4().hex[:8]
    arn = iam.create_saml_provider(Name=name, SAMLMetadataDocument=saml_metadata(), Tags=[{"Key": "a", "Value": "1"}])["SAMLProviderArn"]
    assert arn == f"arn:aws:iam::000000000000:saml-provider/{name}"
    try:
        got = iam.get_saml_provider(SAMLProviderArn=arn)
        assert got["SAMLMetadataDocument"] == saml_metadata() and got["Tags"] == [{"Key": "a", "Value": "1"}]
        assert (got["ValidUntil"] - got["CreateDate"]).total_seconds() == 36500 * 86400
        changed = saml_metadata(' validUntil="2040-01-02T03:04:05Z"')
        assert iam.update_saml_provider(SAMLProviderArn=arn, SAMLMetadataDocument=changed)["SAMLProviderArn"] == arn
        assert iam.get_saml_provider(SAMLProviderArn=arn)["ValidUntil"].isoformat() == "2040-01-02T03:04:05+00:00"
        assert arn in [p["Arn"] for p in iam.list_saml_providers()["SAMLProviderList"]]
        iam.tag_saml_provider(SAMLProviderArn=arn, Tags=[{"Key": "b", "Value": "2"}])
        iam.untag_saml_provider(SAMLProviderArn=arn, TagKeys=["a"])
        assert iam.list_saml_provider_tags(SAMLProviderArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
        assert iam.get_account_summary()["SummaryMap"]["Providers"] >= 1
        with pytest.raises(iam.exceptions.EntityAlreadyExistsException):
            iam.create_saml_provider(Name=name, SAMLMetadataDocument=saml_metadata())
        for bad in ("x" * 1000, f"<a>{'x' * 1000}</a>", saml_metadata(' validUntil="soon"')):
            with pytest.raises(iam.exceptions.InvalidInputException, match="Could not parse metadata"):
                iam.create_saml_provider(Name=name + "2", SAMLMetadataDocument=bad)
    finally:
        iam.delete_saml_provider(SAMLProviderArn=arn)
    for operation in (iam.get_saml_provider, iam.delete_saml_provider, iam.list_saml_provider_tags):
        with pytest.raises(iam.exceptions.NoSuchEntityException, match="Manifest not found for arn"):
            operation(SAMLProviderArn=arn)


def test_the_credential_report_lists_users_and_their_keys(client):
    # An account of its own: nobody has asked for a report there.
    iam = client("iam", aws_access_key_id=f"{uuid.uuid4().int % 10**11:011d}7", aws_secret_access_key="x")
    with pytest.raises(ClientError) as caught:
        iam.get_credential_report()
    assert caught.value.response["Error"]["Code"] == "ReportNotPresent"
    iam.create_user(UserName="ann", Path="/x/")
    key = iam.create_access_key(UserName="ann")["AccessKey"]["AccessKeyId"]
    iam.create_access_key(UserName="ann")
    iam.update_access_key(UserName="ann", AccessKeyId=key, Status="Inactive")
    iam.create_login_profile(UserName="ann", Password="correct horse 1")
    assert iam.generate_credential_report()["State"] == "STARTED"
    assert iam.generate_credential_report()["State"] == "COMPLETE"
    report = iam.get_credential_report()
    assert report["ReportFormat"] == "text/csv"
    root, ann = csv.DictReader(report["Content"].decode().splitlines())
    assert root["user"] == "<root_account>" and root["password_enabled"] == "not_supported" and root["access_key_1_active"] == "false"
    assert ann["user"] == "ann" and ann["arn"].endswith(":user/x/ann") and ann["mfa_active"] == "false"
    assert (ann["password_enabled"], ann["access_key_1_active"], ann["access_key_2_active"]) == ("true", "false", "true")
    assert ann["access_key_1_last_rotated"].endswith("+00:00") and ann["cert_2_last_rotated"] == "N/A"


def test_context_keys_of_policies(client):
    iam, name = client("iam"), "keys-" + uuid.uuid4().hex[:8]

    def policy(condition, resource="*"):
        return json.dumps({"Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Action": "s3:*", "Resource": resource, "Condition": condition}})
    first = policy({"StringEquals": {"aws:RequestedRegion": "x"}, "IpAddress": {"aws:SourceIp": "1.2.3.4"}}, "arn:aws:s3:::b/${aws:username}/${*}")
    second = policy({"Bool": {"AWS:SourceIp": "true"}, "StringLike": {"s3:prefix": ["${aws:userid, 'x'}"]}})
    assert set(iam.get_context_keys_for_custom_policy(PolicyInputList=[first, second])["ContextKeyNames"]) == {
        "aws:username", "aws:RequestedRegion", "aws:SourceIp", "s3:prefix", "aws:userid"}
    iam.create_user(UserName=name)
    iam.create_group(GroupName=name)
    try:
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=first)
        iam.put_group_policy(GroupName=name, PolicyName="p", PolicyDocument=second)
        arn = f"arn:aws:iam::000000000000:user/{name}"
        of_user = set(iam.get_context_keys_for_principal_policy(PolicySourceArn=arn)["ContextKeyNames"])
        assert of_user == {"aws:username", "aws:RequestedRegion", "aws:SourceIp"}
        iam.add_user_to_group(UserName=name, GroupName=name)
        assert "s3:prefix" in iam.get_context_keys_for_principal_policy(PolicySourceArn=arn)["ContextKeyNames"]
    finally:
        iam.delete_user_policy(UserName=name, PolicyName="p")
        iam.remove_user_from_group(UserName=name, GroupName=name)
        iam.delete_group_policy(GroupName=name, PolicyName="p")
        iam.delete_group(GroupName=name)
        iam.delete_user(UserName=name)
    with pytest.raises(iam.exceptions.InvalidInputException):
        iam.get_context_keys_for_custom_policy(PolicyInputList=["{}"])
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_context_keys_for_principal_policy(PolicySourceArn=arn)


def test_users_change_their_own_password(client):
    iam, name = client("iam"), "pw-" + uuid.uuid4().hex[:8]
    with pytest.raises(ClientError) as caught:
        iam.change_password(OldPassword="old secret 1", NewPassword="new secret 1")
    assert caught.value.response["Error"]["Code"] == "InvalidUserType"
    iam.create_user(UserName=name)
    iam.create_login_profile(UserName=name, Password="old secret 1", PasswordResetRequired=True)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    try:
        own = client("iam", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
        with pytest.raises(ClientError, match="The old password was incorrect."):
            own.change_password(OldPassword="wrong", NewPassword="new secret 1")
        with pytest.raises(own.exceptions.PasswordPolicyViolationException):
            own.change_password(OldPassword="old secret 1", NewPassword="short")
        own.change_password(OldPassword="old secret 1", NewPassword="new secret 1")
        assert iam.get_login_profile(UserName=name)["LoginProfile"]["PasswordResetRequired"] is False
        own.change_password(OldPassword="new secret 1", NewPassword="old secret 1")
    finally:
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        iam.delete_login_profile(UserName=name)
        iam.delete_user(UserName=name)
