#!/usr/bin/env python3
"""Writes input/*.json (our own wire cases, client to server) with botocore as the client, and checks output/*.json
(server to client) with botocore as the reader. Run by hand, with botocore >= 1.43:

  make_cases.py            writes input/*.json, and output/*.json without their responses
  VIRGA_GOLDEN_UPDATE=1 build/tests/golden_protocols_test    fills in the responses: the server's exact bytes
  make_cases.py --check    botocore reads each response and must find the case's result or error
"""

import base64
import datetime
import json
import os
import sys
from urllib.parse import quote

import botocore.parsers
import botocore.serialize
from botocore.model import ServiceModel

HERE = os.path.dirname(os.path.abspath(__file__))
PROTOCOLS = {
    "json_1_0": {"protocol": "json", "jsonVersion": "1.0", "targetPrefix": "Orchard_20260101"},
    "json_1_1": {"protocol": "json", "jsonVersion": "1.1", "targetPrefix": "Orchard_20260101"},
    "rest-json": {"protocol": "rest-json"},
    "rest-xml": {"protocol": "rest-xml"},
    "query": {"protocol": "query", "xmlNamespace": "https://orchard.example.com/doc/2026-01-01/"},
    "cbor": {"protocol": "smithy-rpc-v2-cbor", "targetPrefix": "Orchard"},
}
NOON = 1772366400  # 2026-03-01T12:00:00Z

SHAPES = {
    "String": {"type": "string"}, "Integer": {"type": "integer"}, "Long": {"type": "long"}, "Double": {"type": "double"},
    "Boolean": {"type": "boolean"}, "Blob": {"type": "blob"}, "Time": {"type": "timestamp"},
    "IsoTime": {"type": "timestamp", "timestampFormat": "iso8601"},
    "Kind": {"type": "string", "enum": ["apple", "pear"]},
    "Names": {"type": "list", "member": {"shape": "String"}},
    "Sizes": {"type": "list", "member": {"shape": "Integer"}},
    "Tags": {"type": "map", "key": {"shape": "String"}, "value": {"shape": "String"}},
    "Branch": {"type": "structure", "members": {"Name": {"shape": "String"}, "Fruit": {"shape": "Names"}, "Twig": {"shape": "Branch"}}},
    "Branches": {"type": "list", "member": {"shape": "Branch"}},
    "BranchMap": {"type": "map", "key": {"shape": "String"}, "value": {"shape": "Branch"}},
    "Grid": {"type": "list", "member": {"shape": "Sizes"}},
    "Tree": {"type": "structure", "required": ["Name"], "members": {
        "Name": {"shape": "String"}, "Count": {"shape": "Integer"}, "Total": {"shape": "Long"}, "Height": {"shape": "Double"},
        "Ripe": {"shape": "Boolean"}, "Seed": {"shape": "Blob"}, "Planted": {"shape": "Time"}, "Pruned": {"shape": "IsoTime"},
        "Sort": {"shape": "Kind"}, "Names": {"shape": "Names"}, "Sizes": {"shape": "Sizes"}, "Tags": {"shape": "Tags"},
        "Trunk": {"shape": "Branch"}, "Branches": {"shape": "Branches"}, "ByName": {"shape": "BranchMap"}, "Grid": {"shape": "Grid"},
        "Renamed": {"shape": "String", "locationName": "renamedOnTheWire"}}},
    "NoTree": {"type": "structure", "exception": True, "error": {"code": "NoTree", "httpStatusCode": 404, "senderFault": True},
               "members": {"message": {"shape": "String"}, "Orchard": {"shape": "String"}}},
    "Storm": {"type": "structure", "exception": True, "fault": True, "error": {"code": "Storm", "httpStatusCode": 500},
              "members": {"message": {"shape": "String"}}},
}
REST_SHAPES = {
    "RestTree": {"type": "structure", "required": ["Id"], "members": dict(SHAPES["Tree"]["members"], **{
        "Id": {"shape": "String", "location": "uri", "locationName": "Id"},
        "Page": {"shape": "Integer", "location": "querystring", "locationName": "page"},
        "Filter": {"shape": "Names", "location": "querystring", "locationName": "filter"},
        "Since": {"shape": "Time", "location": "header", "locationName": "x-since"},
        "Marks": {"shape": "Names", "location": "header", "locationName": "x-marks"},
        "Meta": {"shape": "Tags", "location": "headers", "locationName": "x-meta-"}})},
    "Upload": {"type": "structure", "required": ["Path"], "payload": "Body", "members": {
        "Path": {"shape": "String", "location": "uri", "locationName": "Path"}, "Body": {"shape": "Blob"},
        "Sort": {"shape": "Kind", "location": "header", "locationName": "x-sort"}}},
    "Nested": {"type": "structure", "payload": "Trunk", "members": {
        "Trunk": {"shape": "Branch", "locationName": "Trunk"}, "Etag": {"shape": "String", "location": "header", "locationName": "ETag"}}},
}
REST_OUTPUT = {"RestTreeOut": {"type": "structure", "members": {
    k: v for k, v in REST_SHAPES["RestTree"]["members"].items() if v.get("location") not in ("uri", "querystring")}}}

VALUES = {
    "texts": {"Name": "oak", "Renamed": "wire"},
    "numbers": {"Name": "n", "Count": -7, "Total": 9007199254740993, "Height": 12.25},
    "booleans": {"Name": "b", "Ripe": False},
    "bytes": {"Name": "s", "Seed": "\x00\x01seed\x7f"},
    "times": {"Name": "t", "Planted": NOON, "Pruned": NOON},
    "enum_value": {"Name": "e", "Sort": "pear"},
    "lists": {"Name": "l", "Names": ["a", "b c", ""], "Sizes": [1, -2, 3]},
    "maps": {"Name": "m", "Tags": {"k1": "v1", "k 2": "v&2"}},
    "nested": {"Name": "x", "Trunk": {"Name": "trunk", "Fruit": ["f"], "Twig": {"Name": "twig", "Twig": {"Name": "leaf"}}}},
    "list_of_structures": {"Name": "y", "Branches": [{"Name": "1"}, {"Name": "2", "Fruit": ["p", "q"]}]},
    "map_of_structures": {"Name": "z", "ByName": {"left": {"Name": "l"}, "right": {"Name": "r"}}},
    "list_of_lists": {"Name": "g", "Grid": [[1, 2], [3]]},
    "unicode_and_escapes": {"Name": "Ünï \"cödé\" <&> \t\n \U0001f333"},
}
REST_VALUES = {
    "label_escapes": {"Id": "a b/c?d%", "Name": "n"},
    "query_members": {"Id": "1", "Name": "n", "Page": 3, "Filter": ["x", "y z"]},
    "header_members": {"Id": "1", "Name": "n", "Since": NOON, "Marks": ["a", "b"]},
    "prefix_headers": {"Id": "1", "Name": "n", "Meta": {"color": "red", "size": "big"}},
}


def model_of(kind):
    metadata = dict(PROTOCOLS[kind], apiVersion="2026-01-01", serviceId="Orchard", endpointPrefix="orchard")
    metadata["protocols"] = [metadata["protocol"]]
    shapes = dict(SHAPES)
    if kind.startswith("rest"):
        shapes.update(REST_SHAPES, **REST_OUTPUT)
    return metadata, shapes


def operation(kind, name, shape=None, output=None, method="POST", uri="/"):
    op = {"name": name, "http": {"method": method, "requestUri": uri}, "errors": [{"shape": "NoTree"}, {"shape": "Storm"}]}
    if shape:
        op["input"] = {"shape": shape}
        if kind == "rest-xml":
            op["input"]["locationName"] = name + "Request"
    if output:
        op["output"] = {"shape": output}
        if kind == "query":
            op["output"]["resultWrapper"] = name + "Result"
    return op


def typed(value, shapes, shape):
    """A case's JSON value as botocore wants it: bytes and datetimes."""
    s = shapes[shape]
    if s["type"] == "structure":
        return {k: typed(v, shapes, s["members"][k]["shape"]) for k, v in value.items()}
    if s["type"] == "list":
        return [typed(v, shapes, s["member"]["shape"]) for v in value]
    if s["type"] == "map":
        return {k: typed(v, shapes, s["value"]["shape"]) for k, v in value.items()}
    if s["type"] == "blob":
        return value.encode()
    if s["type"] == "timestamp":
        return datetime.datetime.fromtimestamp(value, datetime.timezone.utc)
    return value


def plain(value):
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    return value


def service(metadata, shapes, op):
    return ServiceModel({"metadata": metadata, "operations": {op["name"]: op}, "shapes": shapes}).operation_model(op["name"])


def serialize(metadata, shapes, op, params):
    model = service(metadata, shapes, op)
    serializer = botocore.serialize.create_serializer(metadata["protocol"], include_validation=False)
    request = serializer.serialize_to_request(typed(params, shapes, op["input"]["shape"]) if "input" in op else {}, model)
    body = request["body"]
    if isinstance(body, dict):
        body = "&".join("%s=%s" % (quote(str(k), safe="-._~"), quote(str(v), safe="-._~")) for k, v in body.items())
    if isinstance(body, str):
        body = body.encode()
    cbor = metadata["protocol"] == "smithy-rpc-v2-cbor"
    query = request.get("query_string") or {}
    pairs = [(k, v) for k, vs in query.items() for v in (vs if isinstance(vs, list) else [vs])]
    uri = request["url_path"] + ("?" + "&".join("%s=%s" % (quote(k, safe="-._~"), quote(str(v), safe="-._~")) for k, v in pairs) if pairs else "")
    return {"method": request["method"], "uri": uri, "headers": {k: str(v) for k, v in request["headers"].items()},
            "body": base64.b64encode(body).decode() if cbor else body.decode()}


def input_cases(kind):
    metadata, shapes = model_of(kind)
    rest = kind.startswith("rest")
    op = operation(kind, "GrowTree", "RestTree" if rest else "Tree", uri="/trees/{Id}" if rest else "/")
    cases = []
    values = {k: dict(v, Id="7") if rest else v for k, v in VALUES.items()}
    if rest:
        values.update(REST_VALUES)
    for name, params in values.items():
        cases.append({"id": name, "given": op, "params": params, "serialized": serialize(metadata, shapes, op, params)})
    if rest:
        up = operation(kind, "PutFile", "Upload", method="PUT", uri="/files/{Path+}")
        for name, params in {"greedy_label_and_blob": {"Path": "a/b c/d.txt", "Body": "bytes<&>", "Sort": "apple"},
                             "empty_payload": {"Path": "x"}}.items():
            cases.append({"id": name, "given": up, "params": params, "serialized": serialize(metadata, shapes, up, params)})
        nested = operation(kind, "PutTrunk", "Nested", method="PUT", uri="/trunk")
        params = {"Trunk": {"Name": "t", "Fruit": ["a", "b"]}, "Etag": "\"1\""}
        cases.append({"id": "structure_payload", "given": nested, "params": params, "serialized": serialize(metadata, shapes, nested, params)})
    bare = operation(kind, "Rain", uri="/rain" if rest else "/")
    cases.append({"id": "no_input", "given": bare, "params": {}, "serialized": serialize(metadata, shapes, bare, {})})
    return [{"description": "Orchard, " + kind, "metadata": metadata, "shapes": shapes, "cases": cases}]


def output_cases(kind):
    metadata, shapes = model_of(kind)
    rest = kind.startswith("rest")
    op = operation(kind, "GetTree", output="RestTreeOut" if rest else "Tree", method="GET" if rest else "POST", uri="/tree" if rest else "/")
    cases = [{"id": name, "given": op, "result": result, "response": {}} for name, result in VALUES.items()]
    if rest:
        for name in ("header_members", "prefix_headers"):
            result = {k: v for k, v in REST_VALUES[name].items() if k != "Id"}
            cases.append({"id": name, "given": op, "result": result, "response": {}})
        nested = operation(kind, "GetTrunk", output="Nested", method="GET", uri="/trunk")
        cases.append({"id": "structure_payload", "given": nested, "result": {"Trunk": {"Name": "t", "Fruit": ["a"]}, "Etag": "\"1\""}, "response": {}})
    bare = operation(kind, "Rain", uri="/rain" if rest else "/")
    cases.append({"id": "no_output", "given": bare, "result": {}, "response": {}})
    for code, status, error in (("NoTree", 404, {"message": "no <tree> here", "Orchard": "west"}), ("Storm", 500, {"message": "lightning"})):
        cases.append({"id": "error_" + code, "given": op, "errorCode": code, "errorMessage": error["message"],
                      "error": error, "response": {"status_code": status}})
    return [{"description": "Orchard, " + kind, "metadata": metadata, "shapes": shapes, "cases": cases}]


def check(kind):
    with open(os.path.join(HERE, "output", kind + ".json"), encoding="utf-8") as f:
        suite = json.load(f)[0]
    wrong = 0
    for case in suite["cases"]:
        metadata, shapes, response = suite["metadata"], suite["shapes"], case["response"]
        model = service(metadata, shapes, case["given"])
        body = base64.b64decode(response["body"]) if kind == "cbor" else response["body"].encode()
        parser = botocore.parsers.create_parser(metadata["protocol"])
        message = {"status_code": response["status_code"], "headers": botocore.awsrequest.HeadersDict(response["headers"]), "body": body, "context": {"operation_name": case["given"]["name"]}}
        parsed = parser.parse(message, model.output_shape)
        parsed.pop("ResponseMetadata", None)
        if "errorCode" in case:
            found = parsed.get("Error", {})
            same = found.get("Code") == case["errorCode"] and found.get("Message") == case["errorMessage"]
        else:
            found = plain(parsed)
            same = {k: v for k, v in found.items() if v != {}} == case["result"]
        if not same:
            wrong += 1
            print(kind, case["id"], "botocore reads", found, "wanted", case.get("result", case.get("error")))
    return wrong


def write(direction, kind, suites):
    folder = os.path.join(HERE, direction)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, kind + ".json"), "w", encoding="utf-8") as out:
        json.dump(suites, out, indent=1, ensure_ascii=False)
        out.write("\n")


def main():
    import botocore.awsrequest  # noqa: F401  (HeadersDict)
    if "--check" in sys.argv:
        wrong = sum(check(kind) for kind in PROTOCOLS)
        print("wrong:", wrong)
        sys.exit(1 if wrong else 0)
    for kind in PROTOCOLS:
        write("input", kind, input_cases(kind))
        write("output", kind, output_cases(kind))


if __name__ == "__main__":
    main()
