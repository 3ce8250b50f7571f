#!/usr/bin/env python3
"""Turns botocore's service descriptions into models/<service>.json: facts only, no prose, one line per operation
and per shape so that a change of the model is a readable diff. Run by hand (needs botocore >= 1.43); the build
reads only its output. The format is described in codegen/README.md.

Source of the facts: botocore service-2.json (Apache-2.0), the machine-readable form of the AWS API References.
"""

import json
import os
import sys

import botocore
import botocore.loaders

SERVICES = (
    "apigateway apigatewaymanagementapi apigatewayv2 cloudformation cloudwatch dynamodb dynamodbstreams ecr events iam "
    "kinesis kms lambda logs pipes route53 s3 scheduler secretsmanager sns sqs ssm stepfunctions sts"
).split()

METADATA = {  # botocore's word -> ours
    "apiVersion": "api_version",
    "endpointPrefix": "endpoint_prefix",
    "signingName": "signing_name",
    "serviceId": "service_id",
    "jsonVersion": "json_version",
    "targetPrefix": "target_prefix",
    "xmlNamespace": "xml_namespace",
    "globalEndpoint": "global_endpoint",
    "checksumFormat": "checksum_format",
}
SHAPE_FACTS = ("min", "max", "pattern", "enum", "timestampFormat", "payload", "locationName", "xmlNamespace")
SHAPE_FLAGS = ("exception", "fault", "document", "streaming", "eventstream", "event", "union", "flattened", "sensitive")
REF_FACTS = ("location", "locationName", "xmlNamespace", "timestampFormat")
REF_FLAGS = ("flattened", "xmlAttribute", "jsonvalue", "idempotencyToken", "streaming", "eventpayload", "eventheader",
             "hostLabel", "deprecated")


def ref(raw):
    """A reference to a shape from a member, list or map."""
    out = {"shape": raw["shape"]}
    for key in REF_FACTS:
        if key in raw:
            out[key] = raw[key]
    for key in REF_FLAGS:
        if raw.get(key):
            out[key] = True
    return out


def shape(raw):
    out = {"type": raw["type"]}
    for key in SHAPE_FACTS:
        if key in raw:
            out[key] = raw[key]
    for key in SHAPE_FLAGS:
        if raw.get(key):
            out[key] = True
    if raw.get("required"):
        out["required"] = raw["required"]
    error = raw.get("error", {})
    for theirs, ours in (("code", "error_code"), ("httpStatusCode", "error_status"), ("senderFault", "sender_fault")):
        if theirs in error:
            out[ours] = error[theirs]
    for key in ("member", "key", "value"):
        if key in raw:
            out[key] = ref(raw[key])
    if "members" in raw:
        out["members"] = {name: ref(member) for name, member in raw["members"].items()}
    return out


def operation(raw):
    http = raw.get("http", {})
    out = {"http": [http.get("method", "POST"), http.get("requestUri", "/"), http.get("responseCode", 200)]}
    if "input" in raw:
        out["input"] = raw["input"]["shape"]
        if "locationName" in raw["input"]:
            out["input_element"] = raw["input"]["locationName"]
        if "xmlNamespace" in raw["input"]:
            out["input_namespace"] = raw["input"]["xmlNamespace"]["uri"]
    if "output" in raw:
        out["output"] = raw["output"]["shape"]
        if "resultWrapper" in raw["output"]:
            out["result_wrapper"] = raw["output"]["resultWrapper"]
    if raw.get("errors"):
        out["errors"] = [e["shape"] for e in raw["errors"]]
    if "hostPrefix" in raw.get("endpoint", {}):
        out["host_prefix"] = raw["endpoint"]["hostPrefix"]
    if raw.get("authtype") == "none" or raw.get("auth") == ["smithy.api#noAuth"]:
        out["anonymous"] = True
    if raw.get("unsignedPayload"):
        out["unsigned_payload"] = True
    if raw.get("httpChecksum"):
        out["checksum"] = raw["httpChecksum"]
    if raw.get("httpChecksumRequired"):
        out["checksum_required"] = True
    if raw.get("requestcompression"):
        out["compression"] = raw["requestcompression"].get("encodings", [])
    for key in ("idempotent", "readonly", "deprecated"):
        if raw.get(key):
            out[key] = True
    return out


def reachable(raw):
    """Shapes that operations use, in name order; the rest of a description is dead weight."""
    todo = []
    for op in raw["operations"].values():
        todo += [op[r]["shape"] for r in ("input", "output") if r in op]
        todo += [e["shape"] for e in op.get("errors", [])]
    # Errors that no operation lists are answered all the same (common errors).
    todo += [n for n, s in raw["shapes"].items() if s.get("exception")]
    seen = set()
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        s = raw["shapes"][name]
        todo += [m["shape"] for m in s.get("members", {}).values()]
        todo += [s[k]["shape"] for k in ("member", "key", "value") if k in s]
    return sorted(seen)


def model(service, raw):
    metadata = raw["metadata"]
    out = {"service": service, "origin": "botocore " + botocore.__version__}
    for theirs, ours in METADATA.items():
        if theirs in metadata:
            out[ours] = metadata[theirs]
    out["protocols"] = metadata.get("protocols") or [metadata["protocol"]]
    if "awsQueryCompatible" in metadata:
        out["query_compatible"] = True
    out["operations"] = {n: operation(o) for n, o in sorted(raw["operations"].items())}
    out["shapes"] = {n: shape(raw["shapes"][n]) for n in reachable(raw)}
    return out


def dump(data):
    line = lambda value: json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    parts = []
    for key, value in data.items():
        if key in ("operations", "shapes"):
            rows = ",\n".join("  %s: %s" % (line(n), line(v)) for n, v in value.items())
            parts.append("%s: {\n%s\n}" % (line(key), rows))
        else:
            parts.append("%s: %s" % (line(key), line(value)))
    return "{\n" + ",\n".join(parts) + "\n}\n"


def main():
    folder = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "models")
    loader = botocore.loaders.Loader()
    counts = {}
    for service in SERVICES:
        data = model(service, loader.load_service_model(service, "service-2"))
        with open(os.path.join(folder, service + ".json"), "w", encoding="utf-8") as out:
            out.write(dump(data))
        counts[service] = len(data["operations"])
    pins = {"origin": "botocore " + botocore.__version__, "operations": counts}
    with open(os.path.join(folder, "PINS.json"), "w", encoding="utf-8") as out:
        json.dump(pins, out, indent=1)
        out.write("\n")
    print(pins["origin"], sum(counts.values()), "operations", file=sys.stderr)


if __name__ == "__main__":
    main()
