"""Functions on a machine that refuses namespaces and mounts (default Docker), and on the machine's own network."""
import os
import pathlib
import socket
import subprocess
import sys

import pytest

import virga_server
from lambda_support import aws, call, clients_of, function, Functions, package, until  # noqa: F401 (fixtures)

WRAPPER = [sys.executable, pathlib.Path(virga_server.ROOT) / "tests" / "without_namespaces.py"]


@pytest.fixture(scope="module")
def server():
    with virga_server.Server(wrapper=WRAPPER) as one:
        yield one


@pytest.fixture(scope="module")
def client(server):
    return clients_of(server)


def test_python_runs_and_tells_its_log(server, aws, function):
    name = function("import os\ndef handler(event, context):\n    print('hello', event['a'])\n"
                    "    return [event, os.getcwd() == os.environ['LAMBDA_TASK_ROOT'], __file__.endswith('/app.py')]\n")
    got, answer = call(aws, name, {"a": 1}, LogType="Tail")
    assert answer == [{"a": 1}, True, True] and "FunctionError" not in got
    import base64
    assert "hello 1" in base64.b64decode(got["LogResult"]).decode()
    assert call(aws, name, {"a": 2})[1][0] == {"a": 2}


def test_node_and_provided_run(aws, function):
    name = function("exports.handler = async (event) => ({got: event});\n", file="app.js", Runtime="nodejs18.x")
    assert call(aws, name, {"a": 1})[1] == {"got": {"a": 1}}
    import io
    import zipfile
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        info = zipfile.ZipInfo("bootstrap")
        info.external_attr = 0o755 << 16
        archive.writestr(info, "#!/usr/bin/python3\nimport os, urllib.request\n"
                               "api = 'http://' + os.environ['AWS_LAMBDA_RUNTIME_API'] + '/2018-06-01/runtime/invocation/'\n"
                               "while True:\n"
                               "    with urllib.request.urlopen(api + 'next') as got:\n"
                               "        request, body = got.headers['Lambda-Runtime-Aws-Request-Id'], got.read()\n"
                               "    urllib.request.urlopen(api + request + '/response', data=b'[' + body + b']').read()\n")
    name = function(Runtime="provided.al2", Handler="any", Code={"ZipFile": data.getvalue()})
    assert call(aws, name, {"a": 1})[1] == [{"a": 1}]


def test_ecmascript_modules_find_the_sdk(aws, function):
    name = function("import { S3Client } from '@aws-sdk/client-s3';\nexport const handler = async () => typeof S3Client;\n",
                    file="app.mjs", Runtime="nodejs18.x")
    assert call(aws, name)[1] == "function"


def test_the_platform_is_reached_with_the_sdk(aws, function):
    name = function("import boto3\ndef handler(event, context):\n"
                    "    return boto3.client('sts').get_caller_identity()['Arn']\n", Timeout=30)
    assert ":assumed-role/lambda/" in call(aws, name)[1]


def test_layers_and_errors(aws, function):
    layer = aws.publish_layer_version(LayerName="bare", Content={"ZipFile": package({"python/mine.py": "x = 5"})})
    name = function("import mine\ndef handler(event, context):\n    if event.get('fail'):\n        raise ValueError('no')\n"
                    "    return mine.x\n", Layers=[layer["LayerVersionArn"]])
    assert call(aws, name)[1] == 5
    got, answer = call(aws, name, {"fail": 1})
    assert got["FunctionError"] == "Unhandled" and answer["errorType"] == "ValueError"
    got, answer = call(aws, function("import time\ndef handler(event, context):\n    time.sleep(60)\n", Timeout=1))
    assert answer["errorType"] == "Sandbox.Timedout"
    got, answer = call(aws, function("import os\ndef handler(event, context):\n    os._exit(3)\n"))
    assert answer["errorType"] == "Runtime.ExitError" and "exit status 3" in answer["errorMessage"]


ATTACK = """
import os, socket, subprocess
def attempt(what):
    try:
        return ["done", str(what())]
    except BaseException as e:
        return [type(e).__name__, getattr(e, "errno", None)]
def handler(event, context):
    listener = socket.socket()
    try:
        return {
            "uid": os.getuid(), "caps": open("/proc/self/status").read().partition("CapEff:")[2].split()[0],
            "write_code": attempt(lambda: open(__file__, "a").write("#")),
            "read_secret": attempt(lambda: open(event["secret"]).read()),
            "write_usr": attempt(lambda: open("/usr/virga-attack", "w")),
            "kill_server": attempt(lambda: os.kill(event["server"], 9)),
            "environ_of_server": attempt(lambda: open("/proc/%d/environ" % event["server"]).read()),
            "connect": attempt(lambda: socket.create_connection(("127.0.0.1", event["port"]), 5)),
            "mount": attempt(lambda: subprocess.run(["mount", "-t", "tmpfs", "x", "/tmp"], check=True, capture_output=True)),
        }
    finally:
        listener.close()
"""


def test_attacks_fail(server, aws, function, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("s")
    secret.chmod(0o600)
    with socket.create_server(("127.0.0.1", 0)) as other:
        _, got = call(aws, function(ATTACK, Timeout=20), {"secret": str(secret), "server": server.process.pid,
                                                          "port": other.getsockname()[1]})
    assert int(got["caps"], 16) == 0
    if os.geteuid() == 0:
        assert got["uid"] not in (0, os.geteuid())
    for attack in ("write_code", "read_secret", "write_usr", "kill_server", "environ_of_server", "connect", "mount"):
        assert got[attack][0] != "done", (attack, got[attack])
    assert server.get("/_virga/health")[0] == 200


def test_nothing_is_left_when_the_sandbox_ends(server, aws, function):
    name = function("import os, subprocess\ndef handler(event, context):\n"
                    "    p = subprocess.Popen(['sleep', '1000'], start_new_session=True)\n    return p.pid\n")
    pid = call(aws, name)[1]
    assert os.path.exists(f"/proc/{pid}")
    aws.delete_function(FunctionName=name)
    until(lambda: not os.path.exists(f"/proc/{pid}"))


def test_strict_mode_refuses_to_run_functions_so(tmp_path):
    with virga_server.Server("--auth", "strict", wrapper=WRAPPER) as strict:
        assert "launcher cannot make namespaces" in until(lambda: strict.log_text() or None)


def test_the_machines_network_is_a_choice():
    with socket.create_server(("127.0.0.1", 0)) as other, virga_server.Server("--function-network", "host") as server:
        aws = clients_of(server)("lambda")
        functions = Functions(aws)
        name = functions("import socket\ndef handler(event, context):\n"
                         "    socket.create_connection(('127.0.0.1', event['port']), 5).close()\n    return 'reached'\n")
        assert call(aws, name, {"port": other.getsockname()[1]})[1] == "reached"
        node = functions("exports.handler = async () => 'node';\n", file="app.js", Runtime="nodejs18.x")
        assert call(aws, node)[1] == "node"
    refused = subprocess.run([str(virga_server.BINARY), "serve", "--function-network", "moon"], capture_output=True,
                             text=True, timeout=20)
    assert refused.returncode == 64 and "platform, egress or host" in refused.stderr


def test_a_data_folder_that_the_first_start_makes():
    """It is the server's alone: functions have users of their own, and their code lies elsewhere then."""
    import tempfile
    with tempfile.TemporaryDirectory(prefix="virga-test-") as folder:
        os.chmod(folder, 0o755)
        os.mkdir(f"{folder}/logs")
        with virga_server.Server(data=f"{folder}/logs/made", wrapper=WRAPPER) as server:
            aws = clients_of(server)("lambda")
            functions = Functions(aws)
            name = functions("def handler(event, context):\n    return 'here'\n")
            assert call(aws, name)[1] == "here"
            functions.close()


def test_a_name_outside_leaves_a_line_in_the_log():
    import base64
    with virga_server.Server() as server:
        aws = clients_of(server)("lambda")
        functions = Functions(aws)
        name = functions("import socket\ndef handler(event, context):\n    try:\n        socket.getaddrinfo('example.com', 80)\n"
                         "    except OSError:\n        return 'refused'\n")
        got, answer = call(aws, name, LogType="Tail")
        assert answer == "refused"
        assert "--function-network egress" in base64.b64decode(got["LogResult"]).decode()
