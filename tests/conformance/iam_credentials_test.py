"""What users own beside access keys: MFA devices, certificates, SSH public keys, passwords of single services."""
import base64
import hashlib
import hmac
import struct
import subprocess
import time
import uuid

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def iam(client):
    return client("iam")


@pytest.fixture
def user(iam):
    name = "t-" + uuid.uuid4().hex[:12]
    iam.create_user(UserName=name)
    yield name
    iam.delete_user(UserName=name)


def refusal(call, **kwargs):
    with pytest.raises(ClientError) as caught:
        call(**kwargs)
    return caught.value.response["Error"]["Code"], caught.value.response["ResponseMetadata"]["HTTPStatusCode"]


def code(seed, step):
    """A one-time password as an authenticator makes it (RFC 6238)."""
    mac = hmac.new(base64.b32decode(seed), struct.pack(">Q", step), hashlib.sha1).digest()
    at = mac[19] & 15
    return f"{(struct.unpack('>I', mac[at:at + 4])[0] & 0x7fffffff) % 1000000:06}"


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    """A self-signed certificate, its key, another key and that key as SSH and PEM write it."""
    folder = tmp_path_factory.mktemp("keys")

    def openssl(*arguments):
        return subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "a.key", "-out", "a.pem", "-subj", "/CN=a", "-days", "30")
    openssl("genrsa", "-out", "b.key", "2048")
    return {"certificate": (folder / "a.pem").read_text(), "key": (folder / "a.key").read_text(),
            "other_key": (folder / "b.key").read_text(), "public_pem": openssl("rsa", "-in", "b.key", "-pubout")}


def test_a_virtual_mfa_device_is_made_enabled_and_given_back(iam, user):
    made = iam.create_virtual_mfa_device(VirtualMFADeviceName=user, Path="/d/", Tags=[{"Key": "a", "Value": "1"}])["VirtualMFADevice"]
    serial, seed = made["SerialNumber"], made["Base32StringSeed"]
    assert serial.endswith(f":mfa/d/{user}") and len(seed) == 64
    assert refusal(iam.create_virtual_mfa_device, VirtualMFADeviceName=user) == ("EntityAlreadyExists", 409)
    unassigned = iam.list_virtual_mfa_devices(AssignmentStatus="Unassigned")["VirtualMFADevices"]
    assert serial in [d["SerialNumber"] for d in unassigned]
    assert refusal(iam.enable_mfa_device, UserName=user, SerialNumber=serial, AuthenticationCode1="abcdef",
                   AuthenticationCode2="123456") == ("ValidationError", 400)
    step = int(time.time()) // 30
    codes = {"AuthenticationCode1": code(seed, step), "AuthenticationCode2": code(seed, step + 1)}
    iam.enable_mfa_device(UserName=user, SerialNumber=serial, **codes)
    assert refusal(iam.enable_mfa_device, UserName=user, SerialNumber=serial, **codes) == ("EntityAlreadyExists", 409)
    iam.resync_mfa_device(UserName=user, SerialNumber=serial, **codes)
    listed = iam.list_mfa_devices(UserName=user)["MFADevices"]
    assert [(d["UserName"], d["SerialNumber"]) for d in listed] == [(user, serial)]
    assigned = iam.list_virtual_mfa_devices(AssignmentStatus="Assigned")["VirtualMFADevices"]
    assert [d["User"]["UserName"] for d in assigned if d["SerialNumber"] == serial] == [user]
    assert iam.list_mfa_device_tags(SerialNumber=serial)["Tags"] == [{"Key": "a", "Value": "1"}]
    iam.untag_mfa_device(SerialNumber=serial, TagKeys=["a"])
    assert iam.list_mfa_device_tags(SerialNumber=serial)["Tags"] == []
    assert iam.get_account_summary()["SummaryMap"]["MFADevicesInUse"] == 1
    assert refusal(iam.delete_virtual_mfa_device, SerialNumber=serial) == ("DeleteConflict", 409)
    assert refusal(iam.delete_user, UserName=user) == ("DeleteConflict", 409)
    iam.deactivate_mfa_device(UserName=user, SerialNumber=serial)
    assert refusal(iam.deactivate_mfa_device, UserName=user, SerialNumber=serial) == ("NoSuchEntity", 404)
    iam.delete_virtual_mfa_device(SerialNumber=serial)
    assert refusal(iam.delete_virtual_mfa_device, SerialNumber=serial) == ("NoSuchEntity", 404)


def test_a_server_certificate_is_uploaded_moved_and_deleted(iam, material):
    name = "c-" + uuid.uuid4().hex[:12]
    arguments = {"CertificateBody": material["certificate"], "PrivateKey": material["key"]}
    made = iam.upload_server_certificate(ServerCertificateName=name, Path="/cloudfront/", **arguments)["ServerCertificateMetadata"]
    assert made["Arn"].endswith(f":server-certificate/cloudfront/{name}") and made["ServerCertificateId"].startswith("ASCA")
    assert 29 <= (made["Expiration"] - made["UploadDate"]).days <= 30
    assert refusal(iam.upload_server_certificate, ServerCertificateName=name, **arguments) == ("EntityAlreadyExists", 409)
    assert refusal(iam.upload_server_certificate, ServerCertificateName="x", CertificateBody="none",
                   PrivateKey=material["key"]) == ("MalformedCertificate", 400)
    assert refusal(iam.upload_server_certificate, ServerCertificateName="x", CertificateBody=material["certificate"],
                   PrivateKey=material["other_key"]) == ("KeyPairMismatch", 400)
    got = iam.get_server_certificate(ServerCertificateName=name)["ServerCertificate"]
    assert got["CertificateBody"].strip() == material["certificate"].strip() and "CertificateChain" not in got
    assert name in [c["ServerCertificateName"] for c in
                    iam.list_server_certificates(PathPrefix="/cloudfront")["ServerCertificateMetadataList"]]
    iam.tag_server_certificate(ServerCertificateName=name, Tags=[{"Key": "k", "Value": "v"}])
    iam.update_server_certificate(ServerCertificateName=name, NewServerCertificateName=name + "2", NewPath="/")
    assert refusal(iam.get_server_certificate, ServerCertificateName=name) == ("NoSuchEntity", 404)
    assert iam.list_server_certificate_tags(ServerCertificateName=name + "2")["Tags"] == [{"Key": "k", "Value": "v"}]
    iam.delete_server_certificate(ServerCertificateName=name + "2")
    assert refusal(iam.delete_server_certificate, ServerCertificateName=name + "2") == ("NoSuchEntity", 404)


def test_ssh_public_keys_come_back_in_both_encodings(iam, user, material):
    made = iam.upload_ssh_public_key(UserName=user, SSHPublicKeyBody=material["public_pem"])["SSHPublicKey"]
    assert made["SSHPublicKeyId"].startswith("APKA") and made["Status"] == "Active"
    assert made["SSHPublicKeyBody"].startswith("ssh-rsa AAAA")
    wire = base64.b64decode(made["SSHPublicKeyBody"].split()[1])
    assert made["Fingerprint"].replace(":", "") == hashlib.md5(wire).hexdigest()
    which = {"UserName": user, "SSHPublicKeyId": made["SSHPublicKeyId"]}
    assert iam.get_ssh_public_key(Encoding="PEM", **which)["SSHPublicKey"]["SSHPublicKeyBody"].strip() == \
        material["public_pem"].strip()
    assert refusal(iam.upload_ssh_public_key, UserName=user,
                   SSHPublicKeyBody=made["SSHPublicKeyBody"] + " me@here\n") == ("DuplicateSSHPublicKey", 400)
    assert refusal(iam.upload_ssh_public_key, UserName=user, SSHPublicKeyBody="ssh-rsa AAAA") == ("InvalidPublicKey", 400)
    assert refusal(iam.upload_ssh_public_key, UserName=user,
                   SSHPublicKeyBody="what?") == ("UnrecognizedPublicKeyEncoding", 400)
    iam.update_ssh_public_key(Status="Inactive", **which)
    assert [k["Status"] for k in iam.list_ssh_public_keys(UserName=user)["SSHPublicKeys"]] == ["Inactive"]
    assert refusal(iam.delete_user, UserName=user) == ("DeleteConflict", 409)
    iam.delete_ssh_public_key(**which)
    assert refusal(iam.delete_ssh_public_key, **which) == ("NoSuchEntity", 404)


def test_signing_certificates_are_listed_and_switched_off(iam, user, material):
    made = iam.upload_signing_certificate(UserName=user, CertificateBody=material["certificate"])["Certificate"]
    assert made["Status"] == "Active" and len(made["CertificateId"]) == 32
    assert refusal(iam.upload_signing_certificate, UserName=user,
                   CertificateBody=material["certificate"]) == ("DuplicateCertificate", 409)
    assert refusal(iam.upload_signing_certificate, UserName=user, CertificateBody="none") == ("MalformedCertificate", 400)
    which = {"UserName": user, "CertificateId": made["CertificateId"]}
    iam.update_signing_certificate(Status="Inactive", **which)
    assert [c["Status"] for c in iam.list_signing_certificates(UserName=user)["Certificates"]] == ["Inactive"]
    assert refusal(iam.delete_user, UserName=user) == ("DeleteConflict", 409)
    iam.delete_signing_certificate(**which)
    assert iam.list_signing_certificates(UserName=user)["Certificates"] == []


def test_credentials_of_single_services(iam, user):
    made = iam.create_service_specific_credential(UserName=user, ServiceName="codecommit.amazonaws.com")["ServiceSpecificCredential"]
    assert made["ServiceUserName"].startswith(user + "-at-") and made["ServiceSpecificCredentialId"].startswith("ACCA")
    second = iam.create_service_specific_credential(UserName=user, ServiceName="codecommit.amazonaws.com")["ServiceSpecificCredential"]
    assert second["ServiceUserName"] != made["ServiceUserName"]
    assert refusal(iam.create_service_specific_credential, UserName=user,
                   ServiceName="codecommit.amazonaws.com") == ("LimitExceeded", 409)
    assert refusal(iam.create_service_specific_credential, UserName=user, ServiceName="s3.amazonaws.com")[0] == "NotSupportedService"
    listed = iam.list_service_specific_credentials(UserName=user)["ServiceSpecificCredentials"]
    assert len(listed) == 2 and all("ServicePassword" not in c for c in listed)
    which = {"UserName": user, "ServiceSpecificCredentialId": made["ServiceSpecificCredentialId"]}
    reset = iam.reset_service_specific_credential(**which)["ServiceSpecificCredential"]
    assert reset["ServicePassword"] != made["ServicePassword"]
    iam.update_service_specific_credential(Status="Inactive", **which)
    assert refusal(iam.delete_user, UserName=user) == ("DeleteConflict", 409)
    for credential in (made, second):
        iam.delete_service_specific_credential(UserName=user, ServiceSpecificCredentialId=credential["ServiceSpecificCredentialId"])
    assert refusal(iam.delete_service_specific_credential, **which) == ("NoSuchEntity", 404)
