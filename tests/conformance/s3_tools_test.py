"""S3 tools as people run them, unmodified: s3cmd, rclone, restic. Each learns from answers that no SDK asks for."""
import os
import shutil
import subprocess

import pytest

CONTENT = {"a.txt": b"alpha", "sub/b c+d.txt": b"beta", "sub/ü.txt": b"gamma"}


def tool(name):
    return pytest.mark.skipif(shutil.which(name) is None, reason=f"no {name} here")


def run(*command, stdin=None, fails=False, env=None):
    """What the tool printed; of a refused command, with what it said of the refusal."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "RCLONE_", "RESTIC_"))}
    got = subprocess.run(command, input=stdin, capture_output=True, timeout=120, env={**kept, **(env or {})})
    said = got.stdout.decode() + got.stderr.decode()
    assert (got.returncode != 0) == fails, said
    return said if fails else got.stdout.decode()


@pytest.fixture
def folder(tmp_path):
    for name, content in CONTENT.items():
        path = tmp_path / "from" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (tmp_path / "from" / "parts").write_bytes(bytes(range(256)) * 4096 * 12)  # 12 MiB: an upload of parts
    return tmp_path


def files_below(path):
    return {str(p.relative_to(path)): p.read_bytes() for p in path.rglob("*") if p.is_file()}


@pytest.fixture
def s3cmd(endpoint, tmp_path):
    host = endpoint.removeprefix("http://")
    config = tmp_path / "s3cfg"
    config.write_text(f"[default]\naccess_key = test\nsecret_key = test\nuse_https = False\nhost_base = {host}\nhost_bucket = {host}\n")
    return lambda *arguments, **more: run("s3cmd", "-c", str(config), "--no-progress", *arguments, **more)


@tool("s3cmd")
def test_s3cmd_finds_the_region_and_moves_a_folder(s3cmd, s3, bucket, folder):
    """It signs for the region "US" first, and signs again for the one that the refusal names."""
    s3cmd("sync", "--multipart-chunk-size-mb=5", f"{folder}/from/", f"s3://{bucket}/d/")
    assert s3.get_object(Bucket=bucket, Key="d/sub/b c+d.txt")["Body"].read() == b"beta"
    assert s3.head_object(Bucket=bucket, Key="d/parts")["ETag"].endswith('-3"')
    (folder / "to").mkdir()
    s3cmd("sync", f"s3://{bucket}/d/", f"{folder}/to/")
    assert files_below(folder / "to") == files_below(folder / "from")
    assert s3cmd("mv", "--acl-private", f"s3://{bucket}/d/a.txt", f"s3://{bucket}/moved").startswith("move:")
    assert "a.txt" not in s3cmd("ls", "-r", f"s3://{bucket}/d/")
    link = s3cmd("signurl", f"s3://{bucket}/moved", "+60").strip()
    assert run("curl", "-sf", link) == "alpha"
    s3cmd("del", "-r", "--force", f"s3://{bucket}")
    s3cmd("rb", f"s3://{bucket}")
    assert bucket not in s3cmd("ls")


@tool("s3cmd")
def test_s3cmd_configures_without_checksums(s3cmd, s3, bucket):
    """ACLs, policies, websites, payers and logging are taken without Content-MD5, as in AWS."""
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
    s3.delete_public_access_block(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=b"content")
    s3cmd("setacl", "--acl-public", f"s3://{bucket}/k")
    assert {"Group", "CanonicalUser"} == {g["Grantee"]["Type"] for g in s3.get_object_acl(Bucket=bucket, Key="k")["Grants"]}
    s3cmd("cp", f"s3://{bucket}/k", f"s3://{bucket}/copy")  # the list of access goes along
    assert len(s3.get_object_acl(Bucket=bucket, Key="copy")["Grants"]) == 2
    s3cmd("modify", "--storage-class=STANDARD_IA", f"s3://{bucket}/k")
    assert s3.head_object(Bucket=bucket, Key="k")["StorageClass"] == "STANDARD_IA"
    s3cmd("ws-create", "--ws-index=home.html", f"s3://{bucket}")
    assert s3.get_bucket_website(Bucket=bucket)["IndexDocument"] == {"Suffix": "home.html"}
    s3cmd("payer", "--requester-pays", f"s3://{bucket}")
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "Requester"
    s3cmd("expire", "--expiry-days=3", "--expiry-prefix=old/", f"s3://{bucket}")
    assert s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"][0]["Expiration"] == {"Days": 3}
    assert "'old/' will expire in '3' day(s)" in s3cmd("info", f"s3://{bucket}")


@tool("s3cmd")
def test_s3cmd_is_refused_where_acls_are_off(s3cmd, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"content")
    assert "AccessControlListNotSupported" in s3cmd("setacl", "--acl-public", f"s3://{bucket}/k", fails=True)


@tool("rclone")
def test_rclone_copies_checks_and_purges(endpoint, s3, bucket, folder):
    # Debian's release asks for the list `private` by default, which a bucket without ACLs refuses as AWS's do.
    env = {"RCLONE_CONFIG": "/dev/null", "RCLONE_CONFIG_V_TYPE": "s3", "RCLONE_CONFIG_V_PROVIDER": "Other",
           "RCLONE_CONFIG_V_ACCESS_KEY_ID": "test", "RCLONE_CONFIG_V_SECRET_ACCESS_KEY": "test",
           "RCLONE_CONFIG_V_REGION": "us-east-1", "RCLONE_CONFIG_V_ENDPOINT": endpoint,
           "RCLONE_CONFIG_V_FORCE_PATH_STYLE": "true", "RCLONE_CONFIG_V_ACL": "bucket-owner-full-control"}

    def rclone(*arguments, **more):
        return run("rclone", *arguments, env=env, **more)

    rclone("copy", "--s3-upload-cutoff", "6M", "--s3-chunk-size", "5M", f"{folder}/from", f"v:{bucket}/d")
    rclone("check", f"{folder}/from", f"v:{bucket}/d")
    rclone("check", "--download", f"{folder}/from", f"v:{bucket}/d")
    rclone("copyto", "--s3-copy-cutoff", "6M", "--s3-chunk-size", "5M", f"v:{bucket}/d/parts", f"v:{bucket}/whole")
    assert s3.head_object(Bucket=bucket, Key="whole")["ContentLength"] == 12 << 20
    rclone("rcat", f"v:{bucket}/piped", stdin=b"from a pipe")
    rclone("moveto", f"v:{bucket}/piped", f"v:{bucket}/moved")
    assert rclone("cat", f"v:{bucket}/moved") == "from a pipe"
    assert run("curl", "-sf", rclone("link", "--expire", "60s", f"v:{bucket}/moved").strip()) == "from a pipe"
    rclone("backend", "versioning", f"v:{bucket}", "Enabled")
    rclone("rcat", f"v:{bucket}/moved", stdin=b"again")
    assert len([n for n in rclone("lsf", "--s3-versions", f"v:{bucket}").split() if n.startswith("moved")]) == 2
    (folder / "to").mkdir()
    rclone("sync", f"v:{bucket}/d", f"{folder}/to")
    assert files_below(folder / "to") == files_below(folder / "from")
    rclone("purge", f"v:{bucket}")
    assert bucket not in rclone("lsd", "v:")


@tool("restic")
def test_restic_backs_up_and_restores(endpoint, bucket, folder):
    env = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1",
           "RESTIC_REPOSITORY": f"s3:{endpoint}/{bucket}/repository", "RESTIC_PASSWORD": "an example",
           "HOME": str(folder), "RESTIC_CACHE_DIR": str(folder / "cache")}
    run("restic", "init", env=env)
    run("restic", "backup", str(folder / "from"), env=env)
    run("restic", "check", "--read-data", env=env)
    run("restic", "restore", "latest", "--target", str(folder / "to"), env=env)
    assert files_below(folder / "to" / str(folder / "from").lstrip("/")) == files_below(folder / "from")
    run("restic", "forget", "--keep-last", "1", "--prune", env=env)
