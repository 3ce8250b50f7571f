"""Provisioned concurrency: sandboxes that stand ready; settings of runtimes and recursion."""
import pytest

from lambda_support import aws, call, function, refused, until  # noqa: F401 (fixtures)

TYPE = "import os\ndef handler(event, context):\n    return os.environ['AWS_LAMBDA_INITIALIZATION_TYPE']\n"


def arn(name, qualifier):
    return f"arn:aws:lambda:us-east-1:000000000000:function:{name}:{qualifier}"


def settled(aws, name, qualifier):
    """The configuration once it is no longer IN_PROGRESS."""
    def look():
        got = aws.get_provisioned_concurrency_config(FunctionName=name, Qualifier=qualifier)
        return got if got["Status"] != "IN_PROGRESS" else None
    return until(look)


def ready(aws, name, qualifier):
    """The configuration, which becomes READY."""
    got = settled(aws, name, qualifier)
    assert got["Status"] == "READY"
    return got


def test_a_version_stands_ready(aws, function):
    name = function(TYPE)
    version = aws.publish_version(FunctionName=name)["Version"]
    put = aws.put_provisioned_concurrency_config(FunctionName=name, Qualifier=version, ProvisionedConcurrentExecutions=2)
    assert put["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert put["Status"] == "IN_PROGRESS" and put["RequestedProvisionedConcurrentExecutions"] == 2
    assert put["AllocatedProvisionedConcurrentExecutions"] == put["AvailableProvisionedConcurrentExecutions"] == 0
    got = ready(aws, name, version)
    assert got["LastModified"] == put["LastModified"]
    assert got["AllocatedProvisionedConcurrentExecutions"] == got["AvailableProvisionedConcurrentExecutions"] == 2
    assert call(aws, name, Qualifier=version)[1] == "provisioned-concurrency"
    assert call(aws, name)[1] == "on-demand"
    [listed] = aws.list_provisioned_concurrency_configs(FunctionName=name)["ProvisionedConcurrencyConfigs"]
    assert listed["FunctionArn"] == arn(name, version) and listed["Status"] == "READY"
    aws.delete_provisioned_concurrency_config(FunctionName=name, Qualifier=version)
    aws.delete_provisioned_concurrency_config(FunctionName=name, Qualifier=version)
    message = refused(lambda: aws.get_provisioned_concurrency_config(FunctionName=name, Qualifier=version),
                      "ProvisionedConcurrencyConfigNotFoundException")
    assert message == "No Provisioned Concurrency Config found for this function"


def test_it_follows_its_alias(aws, function):
    name = function(TYPE)
    first = aws.publish_version(FunctionName=name)["Version"]
    aws.update_function_configuration(FunctionName=name, Description="second")
    aws.update_function_configuration(FunctionName=name, Timeout=4)
    second = aws.publish_version(FunctionName=name)["Version"]
    aws.create_alias(FunctionName=name, Name="live", FunctionVersion=first)
    aws.put_provisioned_concurrency_config(FunctionName=name, Qualifier="live", ProvisionedConcurrentExecutions=1)
    ready(aws, name, "live")
    message = refused(lambda: aws.put_provisioned_concurrency_config(
        FunctionName=name, Qualifier=first, ProvisionedConcurrentExecutions=1), "ResourceConflictException")
    assert message == "Version is pointed by a Provisioned Concurrency alias"
    aws.update_alias(FunctionName=name, Name="live", FunctionVersion=second)
    ready(aws, name, "live")
    assert call(aws, name, Qualifier=second)[1] == "provisioned-concurrency"
    aws.delete_alias(FunctionName=name, Name="live")
    assert aws.list_provisioned_concurrency_configs(FunctionName=name)["ProvisionedConcurrencyConfigs"] == []


def test_what_cannot_be_provisioned(aws, function):
    name = function(TYPE)
    version = aws.publish_version(FunctionName=name)["Version"]

    def put(code, qualifier, count=1):
        return refused(lambda: aws.put_provisioned_concurrency_config(
            FunctionName=name, Qualifier=qualifier, ProvisionedConcurrentExecutions=count), code)
    assert put("InvalidParameterValueException", "$LATEST") == \
        "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
    assert put("ResourceNotFoundException", "nowhere") == "Cannot find alias arn: " + arn(name, "nowhere")
    assert put("ResourceNotFoundException", "9") == "Function not found: " + arn(name, "9")
    assert "[100]" in put("InvalidParameterValueException", version, 950)
    aws.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=2)
    assert "reservedConcurrentExecution" in put("InvalidParameterValueException", version, 3)


def test_a_version_whose_initialisation_fails_says_so(aws, function):
    name = function("raise ValueError('no')\n")
    version = aws.publish_version(FunctionName=name)["Version"]
    aws.put_provisioned_concurrency_config(FunctionName=name, Qualifier=version, ProvisionedConcurrentExecutions=1)
    got = settled(aws, name, version)
    assert got["Status"] == "FAILED" and got["StatusReason"] == "FUNCTION_ERROR_INIT_FAILURE"


def test_runtime_management_is_kept(aws, function):
    if not hasattr(aws, "put_runtime_management_config"):
        pytest.skip("this boto3 does not know PutRuntimeManagementConfig")
    name = function()
    got = aws.get_runtime_management_config(FunctionName=name)
    assert got["UpdateRuntimeOn"] == "Auto" and got["FunctionArn"] == arn(name, "$LATEST")
    aws.put_runtime_management_config(FunctionName=name, UpdateRuntimeOn="FunctionUpdate")
    assert aws.get_runtime_management_config(FunctionName=name)["UpdateRuntimeOn"] == "FunctionUpdate"
    refused(lambda: aws.put_runtime_management_config(FunctionName=name, UpdateRuntimeOn="Manual"),
            "InvalidParameterValueException")


def test_an_unknown_runtime_is_refused_with_the_list(aws, function):
    message = refused(lambda: function(Runtime="python9"), "InvalidParameterValueException")
    assert message.startswith("Value python9 at 'runtime' failed to satisfy constraint: Member must satisfy enum value "
                              "set: [nodejs20.x, provided.al2023, python3.12, ")
    assert message.endswith("] or be a valid ARN")
