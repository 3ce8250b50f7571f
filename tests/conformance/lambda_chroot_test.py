"""Functions of a server in a chroot, such as a bare root made with debootstrap: the sandbox is whole there as well."""
import os
import pathlib
import subprocess

import pytest

import virga_server
from lambda_support import aws, call, clients_of, function  # noqa: F401 (fixtures)

WRAPPER = pathlib.Path(virga_server.ROOT) / "tests" / "in_chroot"


def may_chroot():
    if os.geteuid() != 0:
        return False
    return subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode == 0


pytestmark = pytest.mark.skipif(not may_chroot(), reason="needs root and mount namespaces")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with virga_server.Server("--auth", "open", wrapper=[WRAPPER, tmp_path_factory.mktemp("root")]) as one:
        yield one


@pytest.fixture(scope="module")
def client(server):
    return clients_of(server)


def test_functions_have_namespaces_of_their_own(server, aws, function):
    name = function("import os\ndef handler(event, context):\n"
                    "    return [os.getpid() < 10, sorted(os.listdir('/')), __file__]\n")
    few_processes, root, file = call(aws, name)[1]
    assert few_processes and file == "/var/task/app.py"
    assert "root" not in root and "home" not in root
    assert "refuses namespaces" not in server.log_text()


def test_what_lies_around_the_chroot_stays_there(server, aws, function, tmp_path):
    """The launcher passes the machine's real root on its way; a function finds neither that nor the chroot's."""
    name = function("import os\ndef handler(event, context):\n    found = []\n"
                    "    for path in event['paths']:\n        try:\n            found.append(os.stat(path).st_ino)\n"
                    "        except OSError:\n            pass\n"
                    "    os.chdir('/')\n    for _ in range(64):\n        os.chdir('..')\n"
                    "    return found, os.stat('.').st_ino == os.stat('/').st_ino\n")
    paths = [str(tmp_path), str(virga_server.ROOT), f"/proc/1/root{tmp_path}", f"/proc/1/cwd{tmp_path}", "/etc/shadow"]
    assert call(aws, name, {"paths": paths})[1] == [[], True]


def test_node_finds_the_sdk(aws, function):
    name = function("import { S3Client } from '@aws-sdk/client-s3';\nexport const handler = async () => typeof S3Client;\n",
                    file="app.mjs", Runtime="nodejs18.x")
    assert call(aws, name)[1] == "function"
