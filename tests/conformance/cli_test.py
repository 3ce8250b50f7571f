"""The AWS CLI as people type it."""
import json
import os
import shutil
import subprocess

import pytest

import virga_server

# Debian's, where there is one: a version 1 elsewhere on the PATH has no `logs tail`.
AWS = "/usr/bin/aws" if os.access("/usr/bin/aws", os.X_OK) else shutil.which("aws")
pytestmark = pytest.mark.skipif(AWS is None, reason="no AWS CLI here")


def aws(endpoint, *arguments, check=True, region="us-east-1"):
    """Runs the CLI; its JSON answer, or the whole process when `check` is off."""
    got = subprocess.run([AWS, "--endpoint-url", endpoint, "--region", region, "--output", "json", *arguments],
                         capture_output=True, text=True, timeout=120, env=os.environ)
    if not check:
        return got
    assert got.returncode == 0, got.stderr
    return json.loads(got.stdout) if got.stdout.strip() else None


def test_who_am_i(endpoint):
    assert aws(endpoint, "sts", "get-caller-identity") == {
        "UserId": "000000000000", "Account": "000000000000", "Arn": "arn:aws:iam::000000000000:root"}


def test_a_table_from_creation_to_deletion(endpoint):
    made = aws(endpoint, "dynamodb", "create-table", "--table-name", "cli", "--billing-mode", "PAY_PER_REQUEST",
               "--attribute-definitions", "AttributeName=id,AttributeType=S", "--key-schema", "AttributeName=id,KeyType=HASH")
    assert made["TableDescription"]["TableStatus"] == "CREATING"
    aws(endpoint, "dynamodb", "wait", "table-exists", "--table-name", "cli")
    aws(endpoint, "dynamodb", "put-item", "--table-name", "cli", "--item", '{"id": {"S": "a"}, "n": {"N": "1"}}')
    got = aws(endpoint, "dynamodb", "update-item", "--table-name", "cli", "--key", '{"id": {"S": "a"}}',
              "--update-expression", "ADD n :one", "--expression-attribute-values", '{":one": {"N": "1"}}',
              "--return-values", "ALL_NEW")
    assert got["Attributes"] == {"id": {"S": "a"}, "n": {"N": "2"}}
    assert aws(endpoint, "dynamodb", "scan", "--table-name", "cli")["Count"] == 1
    refused = aws(endpoint, "dynamodb", "put-item", "--table-name", "cli", "--item", '{"other": {"S": "a"}}', check=False)
    assert refused.returncode == 254
    assert "(ValidationException)" in refused.stderr and "Missing the key id in the item" in refused.stderr
    assert aws(endpoint, "dynamodb", "delete-table", "--table-name", "cli")["TableDescription"]["TableStatus"] == "DELETING"
    aws(endpoint, "dynamodb", "wait", "table-not-exists", "--table-name", "cli")


def test_a_function_is_created_invoked_and_its_log_followed(endpoint, tmp_path):
    (tmp_path / "app.py").write_text(
        "def handler(event, context):\n    print('hello from', context.function_name)\n    return {'got': event}\n")
    subprocess.run(["zip", "-q", "code.zip", "app.py"], cwd=tmp_path, check=True)
    aws(endpoint, "lambda", "create-function", "--function-name", "cli", "--runtime", "python3.12", "--handler",
        "app.handler", "--role", "arn:aws:iam::000000000000:role/any", "--zip-file", f"fileb://{tmp_path}/code.zip")
    aws(endpoint, "lambda", "wait", "function-active-v2", "--function-name", "cli")
    out = tmp_path / "out.json"
    answer = aws(endpoint, "lambda", "invoke", "--function-name", "cli", "--payload", '{"n": 1}',
                 "--cli-binary-format", "raw-in-base64-out", str(out))
    assert answer["StatusCode"] == 200 and "FunctionError" not in answer
    assert json.loads(out.read_text()) == {"got": {"n": 1}}
    tail = aws(endpoint, "logs", "tail", "/aws/lambda/cli", check=False)
    assert tail.returncode == 0, tail.stderr
    assert "hello from cli" in tail.stdout and "REPORT RequestId:" in tail.stdout
    aws(endpoint, "lambda", "delete-function", "--function-name", "cli")
    assert "(ResourceNotFoundException)" in aws(
        endpoint, "lambda", "get-function", "--function-name", "cli", check=False).stderr


def virga(*arguments):
    return subprocess.run([virga_server.BINARY, *arguments], capture_output=True, text=True, timeout=30)


@pytest.mark.parametrize("arguments,words", [
    (["serv"], "unknown command 'serv'"), (["coverage", "dynamo"], "no service is called 'dynamo'"),
    (["doctor", "--all"], "doctor takes no arguments"), (["serve", "--foo"], "unknown option '--foo'"),
    (["serve", "--listen", "nowhere"], "'nowhere' is not HOST:PORT")])
def test_a_command_line_that_cannot_be_is_refused(arguments, words):
    got = virga(*arguments)
    assert (got.returncode, got.stdout) == (64, "") and words in got.stderr


def test_a_second_server_finds_the_port_and_the_folder_taken(tmp_path):
    with virga_server.Server(data=tmp_path / "data") as first:
        port = virga("serve", "--memory", "--listen", f"127.0.0.1:{first.port}")
        assert port.returncode == 78 and f"port {first.port}: Address already in use" in port.stderr
        folder = virga("serve", "--data", str(tmp_path / "data"), "--listen", "127.0.0.1:0")
        assert folder.returncode == 78 and "another process has this folder open" in folder.stderr
