"""Layers as boto3 sees them, and what functions find at /opt."""
import hashlib
import base64
import urllib.request
import uuid

import pytest

from lambda_support import aws, call, function, package, refused  # noqa: F401 (fixtures)


@pytest.fixture
def layer():
    return "layer-" + uuid.uuid4().hex[:8]


def publish(aws, name, files, **more):
    return aws.publish_layer_version(LayerName=name, Content={"ZipFile": package(files)}, **more)


def test_publishes_reads_lists_and_deletes_versions(aws, layer):
    data = package({"python/one.py": "x = 1"})
    made = aws.publish_layer_version(LayerName=layer, Content={"ZipFile": data}, Description="d", LicenseInfo="MIT",
                                     CompatibleRuntimes=["python3.12"], CompatibleArchitectures=["x86_64"])
    arn = f"arn:aws:lambda:us-east-1:000000000000:layer:{layer}"
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert (made["LayerArn"], made["LayerVersionArn"], made["Version"]) == (arn, arn + ":1", 1)
    assert made["Content"]["CodeSize"] == len(data)
    assert made["Content"]["CodeSha256"] == base64.b64encode(hashlib.sha256(data).digest()).decode()
    assert (made["Description"], made["LicenseInfo"]) == ("d", "MIT")
    assert urllib.request.urlopen(made["Content"]["Location"], timeout=10).read() == data
    assert publish(aws, layer, {"python/one.py": "x = 2"})["Version"] == 2

    got = aws.get_layer_version(LayerName=layer, VersionNumber=1)
    assert got["CompatibleRuntimes"] == ["python3.12"] and got["CompatibleArchitectures"] == ["x86_64"]
    assert got["CreatedDate"].endswith("+0000")
    assert aws.get_layer_version_by_arn(Arn=arn + ":2")["Version"] == 2
    assert [v["Version"] for v in aws.list_layer_versions(LayerName=layer)["LayerVersions"]] == [2, 1]
    assert [v["Version"] for v in aws.list_layer_versions(
        LayerName=layer, CompatibleRuntime="python3.12")["LayerVersions"]] == [1]
    row = next(r for r in aws.list_layers()["Layers"] if r["LayerName"] == layer)
    assert row["LayerArn"] == arn and row["LatestMatchingVersion"]["Version"] == 2
    page = aws.list_layer_versions(LayerName=layer, MaxItems=1)
    rest = aws.list_layer_versions(LayerName=layer, MaxItems=1, Marker=page["NextMarker"])
    assert [v["Version"] for v in page["LayerVersions"] + rest["LayerVersions"]] == [2, 1]

    aws.delete_layer_version(LayerName=layer, VersionNumber=2)
    aws.delete_layer_version(LayerName=layer, VersionNumber=2)  # what is not there: no error
    assert refused(lambda: aws.get_layer_version(LayerName=layer, VersionNumber=2), "ResourceNotFoundException") \
        == "The resource you requested does not exist."
    assert publish(aws, layer, {"python/one.py": "x = 3"})["Version"] == 3  # numbers are not used again


def test_later_layers_lie_on_top(aws, function, layer):
    one = publish(aws, layer + "-a", {"python/shared.py": "who = 'a'", "python/only_a.py": "x = 'a'", "etc/name": "a"})
    two = publish(aws, layer + "-b", {"python/shared.py": "who = 'b'", "etc/name": "b"})
    source = ("import shared, only_a\n"
              "def handler(event, context):\n"
              "    return [shared.who, only_a.x, open('/opt/etc/name').read()]\n")
    arns = [one["LayerVersionArn"], two["LayerVersionArn"]]
    name = function(source, Layers=arns)
    assert call(aws, name)[1] == ["b", "a", "b"]
    shown = aws.get_function_configuration(FunctionName=name)["Layers"]
    assert [entry["Arn"] for entry in shown] == arns
    assert shown[0]["CodeSize"] == one["Content"]["CodeSize"]
    aws.update_function_configuration(FunctionName=name, Layers=arns[::-1])
    assert call(aws, name)[1] == ["a", "a", "a"]
    aws.update_function_configuration(FunctionName=name, Layers=[])
    assert "Layers" not in aws.get_function_configuration(FunctionName=name)


def test_a_deleted_version_goes_on_working_where_it_is_used(aws, function, layer):
    made = publish(aws, layer, {"python/kept.py": "x = 7"})
    name = function("import kept\ndef handler(event, context):\n    return kept.x\n", Layers=[made["LayerVersionArn"]])
    aws.delete_layer_version(LayerName=layer, VersionNumber=1)
    assert call(aws, name)[1] == 7


def test_refuses_layers_that_cannot_be(aws, function, layer):
    arn = f"arn:aws:lambda:us-east-1:000000000000:layer:{layer}:1"
    assert refused(lambda: function(Layers=[arn]), "InvalidParameterValueException") == f"Layer version {arn} does not exist."
    publish(aws, layer, {"a": "1"})
    publish(aws, layer, {"a": "2"})
    two = [f"arn:aws:lambda:us-east-1:000000000000:layer:{layer}:{n}" for n in (1, 2)]
    assert "Two different versions of the same layer" in refused(lambda: function(Layers=two),
                                                                 "InvalidParameterValueException")
    elsewhere = f"arn:aws:lambda:eu-west-1:000000000000:layer:{layer}:1"
    assert "same region" in refused(lambda: function(Layers=[elsewhere]), "InvalidParameterValueException")
    refused(lambda: aws.publish_layer_version(LayerName=layer, Content={"ZipFile": b"no zip"}),
            "InvalidParameterValueException")


def test_permissions_of_a_version(aws, layer):
    publish(aws, layer, {"a": "1"})
    named = dict(LayerName=layer, VersionNumber=1)
    refused(lambda: aws.get_layer_version_policy(**named), "ResourceNotFoundException")
    added = aws.add_layer_version_permission(**named, StatementId="all", Action="lambda:GetLayerVersion", Principal="*")
    assert '"Sid":"all"' in added["Statement"]
    refused(lambda: aws.add_layer_version_permission(**named, StatementId="all", Action="lambda:GetLayerVersion",
                                                     Principal="*"), "ResourceConflictException")
    policy = aws.get_layer_version_policy(**named)
    assert policy["RevisionId"] == added["RevisionId"] and '"Sid":"all"' in policy["Policy"]
    aws.remove_layer_version_permission(**named, StatementId="all")
    refused(lambda: aws.remove_layer_version_permission(**named, StatementId="all"), "ResourceNotFoundException")
