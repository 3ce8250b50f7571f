"""Lambda as unmodified clients see it: boto3 and the AWS CLI against the real binary and real sandboxes."""
import base64
import io
import json
import os
import re
import subprocess
import time
import urllib.request
import uuid
import zipfile

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::000000000000:role/lambda"


def package(**files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), text)
    return out.getvalue()


def python(source):
    return package(app_dot_py=source)


@pytest.fixture(scope="module")
def aws(client):
    return client("lambda")


@pytest.fixture
def function(aws):
    """function(source, **settings) makes a function and gives its name; all are deleted at the end."""
    made = []

    def make(source="def handler(event, context):\n    return event\n", **settings):
        name = "t-" + uuid.uuid4().hex[:12]
        arguments = dict(FunctionName=name, Runtime="python3.12", Handler="app.handler", Role=ROLE,
                         Code={"ZipFile": python(source)})
        arguments.update(settings)
        aws.create_function(**arguments)
        made.append(name)
        return name

    yield make
    for name in made:
        try:
            aws.delete_function(FunctionName=name)
        except aws.exceptions.ResourceNotFoundException:
            pass


def call(aws, name, event=None, **more):
    got = aws.invoke(FunctionName=name, Payload=json.dumps(event or {}), **more)
    return got, json.loads(got["Payload"].read() or "null")


def code_of(error):
    return error.value.response["Error"]["Code"]


def test_creates_pending_and_is_active_at_the_next_request(aws):
    name = "t-" + uuid.uuid4().hex[:12]
    made = aws.create_function(FunctionName=name, Runtime="python3.12", Handler="app.handler", Role=ROLE,
                               Code={"ZipFile": python("def handler(e, c): return 1")})
    assert made["State"] == "Pending" and made["StateReasonCode"] == "Creating"
    assert made["FunctionArn"] == f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    assert aws.get_function_configuration(FunctionName=name)["State"] == "Active"
    aws.get_waiter("function_active_v2").wait(FunctionName=name)
    with pytest.raises(ClientError) as again:
        aws.create_function(FunctionName=name, Runtime="python3.12", Handler="app.handler", Role=ROLE,
                            Code={"ZipFile": python("x")})
    assert code_of(again) == "ResourceConflictException"
    aws.delete_function(FunctionName=name)
    with pytest.raises(ClientError) as gone:
        aws.get_function(FunctionName=name)
    assert code_of(gone) == "ResourceNotFoundException"
    assert gone.value.response["Error"]["Message"] == f"Function not found: {made['FunctionArn']}"


def test_invokes_and_tells_the_log(aws, function):
    name = function("import json\nprint('importing')\ndef handler(event, context):\n"
                    "    print('hello')\n    return {'got': event, 'id': context.aws_request_id}\n")
    got, answer = call(aws, name, {"a": [1, "ü"]}, LogType="Tail")
    assert got["StatusCode"] == 200 and got["ExecutedVersion"] == "$LATEST" and "FunctionError" not in got
    assert answer["got"] == {"a": [1, "ü"]}
    assert answer["id"] == got["ResponseMetadata"]["RequestId"]
    tail = base64.b64decode(got["LogResult"]).decode()
    assert re.search(r"^INIT_START Runtime Version: python:3\.\d+\S*\tRuntime Version ARN: arn:aws:lambda:", tail, re.M)
    assert re.search(rf"^START RequestId: {answer['id']} Version: \$LATEST$", tail, re.M)
    assert tail.index("importing") < tail.index("START RequestId") < tail.index("hello") < tail.index("END RequestId")
    assert re.search(r"^REPORT RequestId: \S+\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\t"
                     r"Max Memory Used: \d+ MB\tInit Duration: \d+\.\d\d ms$", tail, re.M)


def test_the_lines_are_in_cloudwatch_logs_when_invoke_returns(aws, function, client):
    logs = client("logs")
    name = function("def handler(event, context):\n    print('needle', event['n'])\n")
    for n in range(3):
        call(aws, name, {"n": n})
    group = f"/aws/lambda/{name}"
    streams = logs.describe_log_streams(logGroupName=group)["logStreams"]
    assert len(streams) == 1  # one sandbox served all three
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", streams[0]["logStreamName"])
    events = logs.filter_log_events(logGroupName=group, filterPattern="needle")["events"]
    assert [e["message"].strip() for e in events] == ["needle 0", "needle 1", "needle 2"]


def test_handler_errors_are_answers(aws, function):
    name = function("def handler(event, context):\n    raise ValueError('no ' + event['what'])\n")
    got, answer = call(aws, name, {"what": "way"})
    assert got["StatusCode"] == 200 and got["FunctionError"] == "Unhandled"
    assert answer["errorType"] == "ValueError" and answer["errorMessage"] == "no way"
    assert answer["requestId"] == got["ResponseMetadata"]["RequestId"]
    assert any("app.py" in line for line in answer["stackTrace"])


@pytest.mark.parametrize("source,handler,kind", [
    ("import nothing_like_this\n", "app.handler", "Runtime.ImportModuleError"),
    ("def other(e, c): pass\n", "app.handler", "Runtime.HandlerNotFound"),
    ("def handler(e, c)\n", "app.handler", "Runtime.UserCodeSyntaxError"),
    ("def handler(e, c): return {1, 2}\n", "app.handler", "Runtime.MarshalError"),
    ("import sys\ndef handler(e, c): sys.exit(3)\n", "app.handler", "Runtime.ExitError"),
])
def test_errors_of_the_runtime_have_aws_names(aws, function, source, handler, kind):
    got, answer = call(aws, function(source, Handler=handler))
    assert got["FunctionError"] == "Unhandled"
    assert answer["errorType"] == kind, answer


def test_a_timeout_ends_the_function_and_the_next_call_works(aws, function):
    name = function("import time\ndef handler(e, c):\n    time.sleep(e.get('s', 0))\n    return 'ok'\n", Timeout=1)
    got, answer = call(aws, name, {"s": 30}, LogType="Tail")
    assert got["FunctionError"] == "Unhandled"
    assert answer["errorType"] == "Sandbox.Timedout"
    assert answer["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")
    assert "Status: timeout" in base64.b64decode(got["LogResult"]).decode()
    assert call(aws, name)[1] == "ok"


def test_running_out_of_memory_is_told(aws, function):
    name = function("def handler(e, c):\n    x = bytearray(900 * 1024 * 1024)\n    x[::4096] = b'x' * len(x[::4096])\n")
    got, answer = call(aws, name)
    assert got["FunctionError"] == "Unhandled"
    assert answer["errorType"] in ("Runtime.OutOfMemory", "Runtime.ExitError", "MemoryError"), answer


def test_changed_code_and_settings_are_used_at_once(aws, function):
    name = function("import os\ndef handler(e, c): return [1, os.environ.get('AB')]\n")
    assert call(aws, name)[1] == [1, None]
    done = aws.update_function_code(FunctionName=name,
                                    ZipFile=python("import os\ndef handler(e, c): return [2, os.environ.get('AB')]\n"))
    assert done["LastUpdateStatus"] == "InProgress"
    aws.get_waiter("function_updated_v2").wait(FunctionName=name)
    assert call(aws, name)[1] == [2, None]
    aws.update_function_configuration(FunctionName=name, Environment={"Variables": {"AB": "b"}})
    assert call(aws, name)[1] == [2, "b"]


def test_the_environment_of_a_function_is_aws_environment(aws, function):
    name = function("import os\ndef handler(e, c): return dict(os.environ)\n", MemorySize=256,
                    Environment={"Variables": {"MINE": "1"}})
    env = call(aws, name)[1]
    assert env["MINE"] == "1"
    assert env["AWS_LAMBDA_FUNCTION_NAME"] == name and env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert env["AWS_LAMBDA_FUNCTION_VERSION"] == "$LATEST" and env["AWS_REGION"] == "us-east-1"
    assert env["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.12" and env["LAMBDA_TASK_ROOT"] == "/var/task"
    assert env["AWS_LAMBDA_LOG_GROUP_NAME"] == f"/aws/lambda/{name}" and env["TZ"] == ":UTC"
    assert env["AWS_ACCESS_KEY_ID"].startswith("ASIA") and env["AWS_SESSION_TOKEN"]


def test_a_function_may_replace_the_environment_mapping(aws, function):
    name = function("import os\ndef handler(event, context):\n    os.environ = {'own': 'yes'}\n    return os.environ['own']\n")
    assert [call(aws, name)[1] for _ in range(3)] == ["yes", "yes", "yes"]
    assert aws.invoke(FunctionName=name).get("FunctionError") is None


def test_versions_and_aliases(aws, function):
    name = function("def handler(e, c): return 1\n")
    one = aws.publish_version(FunctionName=name)
    assert one["Version"] == "1" and one["FunctionArn"].endswith(f":{name}:1")
    aws.update_function_code(FunctionName=name, ZipFile=python("def handler(e, c): return 2\n"))
    assert aws.create_alias(FunctionName=name, Name="live", FunctionVersion="1")["FunctionVersion"] == "1"
    got, answer = call(aws, name, Qualifier="live")
    assert got["ExecutedVersion"] == "1" and answer == 1
    assert call(aws, name)[1] == 2
    aws.publish_version(FunctionName=name)
    aws.update_alias(FunctionName=name, Name="live", FunctionVersion="2")
    assert call(aws, f"{name}:live")[1] == 2
    assert [v["Version"] for v in aws.list_versions_by_function(FunctionName=name)["Versions"]] == ["$LATEST", "1", "2"]


def test_the_code_can_be_downloaded(aws, function):
    name = function("def handler(e, c): return 7\n")
    location = aws.get_function(FunctionName=name)["Code"]["Location"]
    with urllib.request.urlopen(location, timeout=10) as answer:
        archive = zipfile.ZipFile(io.BytesIO(answer.read()))
    assert archive.read("app.py") == b"def handler(e, c): return 7\n"


@pytest.mark.parametrize("settings,code", [
    (dict(Runtime="java21"), "InvalidParameterValueException"),
    (dict(Code={"ZipFile": b"no zip"}), "InvalidParameterValueException"),
    (dict(Environment={"Variables": {"AWS_REGION": "x"}}), "InvalidParameterValueException"),
    (dict(Environment={"Variables": {"BIG": "x" * 5000}}), "InvalidParameterValueException"),
    (dict(Timeout=901), "ValidationException"),
    (dict(MemorySize=64), "ValidationException"),
    (dict(Role="nobody"), "ValidationException"),
    (dict(FunctionName="no spaces here"), "ValidationException"),
])
def test_bad_settings_are_refused(client, settings, code):
    aws = client("lambda", config=Config(parameter_validation=False, retries={"max_attempts": 0}))
    arguments = dict(FunctionName="t-bad", Runtime="python3.12", Handler="app.handler", Role=ROLE,
                     Code={"ZipFile": python("x")})
    arguments.update(settings)
    with pytest.raises(ClientError) as error:
        aws.create_function(**arguments)
    assert code_of(error) == code


def test_payload_limits(aws, function):
    name = function("def handler(e, c): return 'x' * e['n']\n")
    with pytest.raises(ClientError) as large:
        aws.invoke(FunctionName=name, Payload=json.dumps("x" * 6291456))
    assert code_of(large) == "RequestTooLargeException"
    got, answer = call(aws, name, {"n": 6_300_000})
    assert got["FunctionError"] == "Unhandled" and answer["errorType"] == "Function.ResponseSizeTooLarge"
    assert len(call(aws, name, {"n": 6_000_000})[1]) == 6_000_000
    with pytest.raises(ClientError) as broken:
        aws.invoke(FunctionName=name, Payload="{nope")
    assert code_of(broken) == "InvalidRequestContentException"


def test_dry_run_and_events(aws, function, client):
    name = function("def handler(e, c):\n    print('event', e['n'])\n")
    assert aws.invoke(FunctionName=name, InvocationType="DryRun")["StatusCode"] == 204
    assert aws.invoke(FunctionName=name, InvocationType="Event", Payload='{"n": 5}')["StatusCode"] == 202
    logs = client("logs")
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:  # nothing tells a client when an event was handled
        try:
            events = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}", filterPattern="event")["events"]
            if any("event 5" in e["message"] for e in events):
                return
        except logs.exceptions.ResourceNotFoundException:
            pass
        time.sleep(0.1)
    pytest.fail("the event was not handled")


def test_reserved_concurrency_and_settings(aws, function):
    name = function()
    aws.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    with pytest.raises(ClientError) as throttled:
        call(aws, name)
    assert code_of(throttled) == "TooManyRequestsException"
    assert throttled.value.response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    aws.delete_function_concurrency(FunctionName=name)
    assert call(aws, name, {"a": 1})[1] == {"a": 1}
    assert "ReservedConcurrentExecutions" not in aws.get_function_concurrency(FunctionName=name)
    assert aws.get_account_settings()["AccountLimit"]["ConcurrentExecutions"] == 1000


def test_permissions_and_tags(aws, function):
    name = function(Tags={"team": "a"})
    arn = aws.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    aws.add_permission(FunctionName=name, StatementId="api", Action="lambda:InvokeFunction",
                       Principal="apigateway.amazonaws.com", SourceArn="arn:aws:execute-api:us-east-1:000000000000:x/*")
    policy = json.loads(aws.get_policy(FunctionName=name)["Policy"])
    assert policy["Statement"][0]["Principal"] == {"Service": "apigateway.amazonaws.com"}
    aws.remove_permission(FunctionName=name, StatementId="api")
    with pytest.raises(ClientError) as none:
        aws.get_policy(FunctionName=name)
    assert code_of(none) == "ResourceNotFoundException"
    aws.tag_resource(Resource=arn, Tags={"env": "test"})
    aws.untag_resource(Resource=arn, TagKeys=["team"])
    assert aws.list_tags(Resource=arn)["Tags"] == {"env": "test"}


def test_nobody_makes_functions_in_accounts_of_others(aws):
    arguments = dict(Runtime="python3.12", Handler="app.handler", Role=ROLE, Code={"ZipFile": python("def handler(e, c): return 1\n")})
    with pytest.raises(ClientError) as refused:
        aws.create_function(FunctionName="arn:aws:lambda:us-east-1:999988887777:function:theirs", **arguments)
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    assert "lambda:CreateFunction on resource: arn:aws:lambda:us-east-1:999988887777:function:theirs" in \
        refused.value.response["Error"]["Message"]


def test_only_function_urls_have_an_auth_type_in_permissions(aws, function):
    arguments = dict(FunctionName=function(), StatementId="url", Principal="*", FunctionUrlAuthType="NONE")
    with pytest.raises(ClientError) as refused:
        aws.add_permission(Action="lambda:InvokeFunction", **arguments)
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValueException"
    aws.add_permission(Action="lambda:InvokeFunctionUrl", **arguments)


def test_what_terraform_reads_on_every_refresh(aws, function):
    name = function()
    assert not aws.get_function_code_signing_config(FunctionName=name).get("CodeSigningConfigArn")
    if hasattr(aws, "get_runtime_management_config"):  # Debian's boto3 is older than the operation
        assert aws.get_runtime_management_config(FunctionName=name)["UpdateRuntimeOn"] == "Auto"
    with pytest.raises(ClientError) as none:
        aws.get_function_event_invoke_config(FunctionName=name)
    assert code_of(none) == "ResourceNotFoundException"


@pytest.mark.parametrize("runtime,files,handler", [
    ("nodejs20.x", {"index_dot_mjs": "export const handler = async (event) => ({ got: event.n });"}, "index.handler"),
    ("nodejs18.x", {"src__app_dot_js": "exports.handler = (event, context, done) => done(null, { got: event.n });"},
     "src/app.handler"),
])
def test_node(aws, function, runtime, files, handler):
    name = function(Runtime=runtime, Handler=handler, Code={"ZipFile": package(**files)})
    got, answer = call(aws, name, {"n": 4})
    assert answer == {"got": 4}, answer


def test_a_function_calls_back_with_its_sdk(aws, function):
    name = function("import boto3\nsts = boto3.client('sts')\n"
                    "def handler(e, c): return sts.get_caller_identity()['Arn']\n", Timeout=20)
    got, answer = call(aws, name)
    assert isinstance(answer, str) and ":assumed-role/lambda/" in answer, answer


def test_the_command_line_deploys_and_invokes(endpoint, aws, tmp_path):
    name = "t-" + uuid.uuid4().hex[:12]
    (tmp_path / "f.zip").write_bytes(python("def handler(e, c): return {'n': e['n'] + 1}\n"))

    def aws_cli(*arguments):
        done = subprocess.run(["aws", "--endpoint-url", endpoint, "lambda", *arguments], cwd=tmp_path, text=True,
                              capture_output=True, timeout=60, env=os.environ)
        assert done.returncode == 0, done.stderr
        return done.stdout

    aws_cli("create-function", "--function-name", name, "--runtime", "python3.12", "--handler", "app.handler",
            "--role", ROLE, "--zip-file", "fileb://f.zip")
    (tmp_path / "in.json").write_text('{"n": 41}')
    aws_cli("invoke", "--function-name", name, "--payload", "fileb://in.json", "out.json")
    assert json.loads((tmp_path / "out.json").read_text()) == {"n": 42}
    assert name in aws_cli("list-functions")
    aws_cli("delete-function", "--function-name", name)


def test_code_may_lie_in_a_bucket(aws, client, function):
    s3 = client("s3")
    bucket = "code-" + uuid.uuid4().hex[:12]
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="one.zip", Body=python("def handler(e, c):\n    return 'one'\n"))
    s3.put_object(Bucket=bucket, Key="two.zip", Body=python("def handler(e, c):\n    return 'two'\n"))
    name = function(Code={"S3Bucket": bucket, "S3Key": "one.zip"})
    assert json.loads(aws.invoke(FunctionName=name)["Payload"].read()) == "one"
    aws.update_function_code(FunctionName=name, S3Bucket=bucket, S3Key="two.zip")
    assert json.loads(aws.invoke(FunctionName=name)["Payload"].read()) == "two"
    with pytest.raises(ClientError) as caught:
        aws.update_function_code(FunctionName=name, S3Bucket=bucket, S3Key="none.zip")
    assert caught.value.response["Error"] == {
        "Code": "InvalidParameterValueException",
        "Message": "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist."}
