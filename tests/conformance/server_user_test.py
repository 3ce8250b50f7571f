"""A server that root starts and that goes on as another user (--user): its rights, its files, its functions."""
import os
import pathlib
import pwd
import ssl
import subprocess
import urllib.error
import urllib.request

import pytest

import virga_server
from lambda_support import aws, call, clients_of, function, Functions, package, until  # noqa: F401 (fixtures)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
USER = "nobody"
CAP_NET_BIND_SERVICE = 1 << 10


@pytest.fixture(scope="module")
def server():
    with virga_server.Server("--user", USER) as one:
        yield one


@pytest.fixture(scope="module")
def client(server):
    return clients_of(server)


def server_status(server):
    """/proc/PID/status of the process that serves, as a dictionary."""
    for pid in virga_server.children(server.process.pid):
        lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
        status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
        if status["Name"] != "virga-launcher":
            return status
    raise AssertionError("no server")


def refusal(*arguments, code=64):
    got = subprocess.run([str(virga_server.BINARY), "serve", "--listen", "127.0.0.1:0", *map(str, arguments)],
                         capture_output=True, text=True, timeout=20)
    assert got.returncode == code, got
    return got.stderr


def test_the_server_has_that_user_and_no_right_of_root(server):
    user = pwd.getpwnam(USER)
    status = server_status(server)
    assert status["Uid"].split() == [str(user.pw_uid)] * 4
    assert status["Gid"].split() == [str(user.pw_gid)] * 4
    assert int(status["CapPrm"], 16) == int(status["CapEff"], 16) == 0
    assert status["NoNewPrivs"] == "1"


def test_its_files_are_that_users(server, client):
    client("s3").create_bucket(Bucket="owned")
    client("s3").put_object(Bucket="owned", Key="k", Body=b"x" * 100_000)
    owners = {path.stat().st_uid for path in [pathlib.Path(server.data), *pathlib.Path(server.data).rglob("*")]}
    assert owners == {pwd.getpwnam(USER).pw_uid}


@pytest.mark.parametrize("runtime, file, source", [
    ("python3.12", "app.py", "import os\ndef handler(event, context):\n    return [event, os.getuid()]\n"),
    ("nodejs18.x", "app.js", "exports.handler = async (event) => [event, process.getuid()];\n")])
def test_functions_run_and_their_user_is_another(server, aws, function, runtime, file, source):
    event, uid = call(aws, function(source, file=file, Runtime=runtime), {"a": 1})[1]
    assert event == {"a": 1}
    assert uid not in (0, pwd.getpwnam(USER).pw_uid)


def test_it_starts_again_on_its_folder(tmp_path):
    tmp_path.chmod(0o755)
    tmp_path.parent.chmod(0o755)
    tmp_path.parent.parent.chmod(0o755)
    data = tmp_path / "data"
    for _ in range(2):
        with virga_server.Server("--user", USER, data=data) as one:
            assert one.terminate() == 0


def test_a_key_that_only_root_may_read(tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-keyout", key, "-out", certificate, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
                   check=True, capture_output=True)
    key.chmod(0o600)
    with virga_server.Server("--user", USER, "--memory", "--tls-cert", certificate, "--tls-key", key) as one:
        context = ssl.create_default_context(cafile=str(certificate))
        with urllib.request.urlopen(f"https://localhost:{one.port}/_virga/health", context=context, timeout=10) as got:
            assert got.status == 200
    assert f"cannot read {tmp_path}/none.pem: No such file" in refusal(
        "--user", USER, "--memory", "--tls-cert", certificate, "--tls-key", tmp_path / "none.pem", code=78)


def test_a_strict_server_asks_for_signatures():
    with virga_server.Server("--user", USER, "--auth", "strict") as one:
        with pytest.raises(urllib.error.HTTPError) as refused:
            one.get("/_virga/metrics")
        assert refused.value.code == 403
        assert int(server_status(one)["CapEff"], 16) == 0


def test_a_link_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "data").symlink_to(tmp_path / "elsewhere")
    assert "is a link, or not a folder" in refusal("--user", USER, "--data", tmp_path / "data")
    assert (tmp_path / "elsewhere").stat().st_uid == 0


def test_a_port_below_1024_needs_no_other_right():
    for port in range(700, 1023):  # one that nobody has
        server = virga_server.Server("--user", USER, "--memory", port=port)
        try:
            server.start()
            break
        except RuntimeError:
            server.close()
    with_right = server_status(server)
    server.close()
    assert int(with_right["CapPrm"], 16) == int(with_right["CapEff"], 16) == CAP_NET_BIND_SERVICE
    assert int(with_right["CapAmb"], 16) == int(with_right["CapInh"], 16) == 0


def test_a_folder_with_files_of_another_is_refused(tmp_path):
    (tmp_path / "file").write_text("of root")
    text = refusal("--user", USER, "--data", tmp_path)
    assert f"chown -R {USER} {tmp_path}" in text
    assert tmp_path.stat().st_uid == 0


def test_nobody_is_invented():
    assert "there is no user 'no-such-user'" in refusal("--memory", "--user", "no-such-user")
    assert "there is no group 'no-such-group'" in refusal("--memory", "--user", USER + ":no-such-group")
