"""HTTP APIs as unmodified clients meet them: boto3 for the control plane, bare HTTP for the data plane."""
import http.client
import http.server
import io
import json
import threading
import urllib.parse
import zipfile

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

ECHO = """
import json, base64
def handler(event, context):
    how = (event.get("queryStringParameters") or {}).get("how")
    if how == "plain":
        return {"plain": True}
    if how == "text":
        return "just text"
    if how == "cookies":
        return {"statusCode": 201, "cookies": ["a=1; Secure", "b=2"], "headers": {"X-One": "1"}, "body": "made"}
    if how == "binary":
        return {"statusCode": 200, "isBase64Encoded": True, "headers": {"content-type": "image/png"},
                "body": base64.b64encode(bytes(range(256))).decode()}
    if how == "malformed":
        return {"statusCode": "many"}
    if how == "raise":
        raise ValueError("on purpose")
    if how == "v1":
        return {"statusCode": 200, "multiValueHeaders": {"X-Many": ["1", "2"]}, "body": json.dumps(event)}
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(event)}
"""
AUTHORIZER = """
def handler(event, context):
    token = event["identitySource"][0]
    if token == "broken":
        raise ValueError("on purpose")
    return {"isAuthorized": token == "secret", "context": {"who": token}}
"""


def zipped(source):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("app.py", source)
    return out.getvalue()


@pytest.fixture(scope="module")
def apigw(client):
    return client("apigatewayv2")


@pytest.fixture(scope="module")
def functions(client):
    """ARNs of the functions that the tests call."""
    aws_lambda = client("lambda")
    arns = {}
    for name, source in (("apigw-echo", ECHO), ("apigw-authorizer", AUTHORIZER)):
        made = aws_lambda.create_function(
            FunctionName=name, Runtime="python3.12", Handler="app.handler", Timeout=10,
            Role="arn:aws:iam::000000000000:role/r", Code={"ZipFile": zipped(source)})
        arns[name] = made["FunctionArn"]
        aws_lambda.add_permission(FunctionName=name, StatementId="gateway", Action="lambda:InvokeFunction",
                                  Principal="apigateway.amazonaws.com")
    yield arns
    for name in arns:
        aws_lambda.delete_function(FunctionName=name)


@pytest.fixture
def api(apigw):
    made = apigw.create_api(Name="test", ProtocolType="HTTP")
    yield made["ApiId"]
    apigw.delete_api(ApiId=made["ApiId"])


@pytest.fixture
def echo_api(apigw, api, functions):
    """An API whose $default stage sends everything to the echo function in format 2.0."""
    integration = apigw.create_integration(ApiId=api, IntegrationType="AWS_PROXY", PayloadFormatVersion="2.0",
                                           IntegrationUri=functions["apigw-echo"])["IntegrationId"]
    apigw.create_route(ApiId=api, RouteKey="$default", Target=f"integrations/{integration}")
    apigw.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    return api


class Answer:
    def __init__(self, got):
        self.status = got.status
        self.headers = [(k.lower(), v) for k, v in got.getheaders()]
        self.body = got.read()

    def header(self, name):
        return next((v for k, v in self.headers if k == name), None)

    def all(self, name):
        return [v for k, v in self.headers if k == name]

    def json(self):
        return json.loads(self.body)


def call(endpoint, api, path="/", method="GET", headers=None, body=None, by_host=False):
    url = urllib.parse.urlsplit(endpoint)
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=30)
    headers = dict(headers or {})
    if by_host:
        headers["Host"] = f"{api}.execute-api.localhost:{url.port}"
    else:
        path = f"/_aws/execute-api/{api}{path}"
    try:
        connection.request(method, path, body=body, headers=headers)
        return Answer(connection.getresponse())
    finally:
        connection.close()


def refused(code, status, text, operation, **kwargs):
    with pytest.raises(ClientError) as caught:
        operation(**kwargs)
    error = caught.value.response
    assert error["Error"]["Code"] == code
    assert error["ResponseMetadata"]["HTTPStatusCode"] == status
    assert text in error["Error"]["Message"]


# ---- control plane

def test_an_api_is_made_read_changed_and_deleted(apigw):
    made = apigw.create_api(Name="notes", ProtocolType="HTTP", Description="d", Tags={"a": "1"},
                            CorsConfiguration={"AllowOrigins": ["*"], "MaxAge": 5})
    api = made["ApiId"]
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert len(api) == 10 and api.isalnum() and api == api.lower()
    assert made["ApiEndpoint"].endswith(f"/_aws/execute-api/{api}") or made["ApiEndpoint"].split("//")[1].startswith(api)
    assert made["RouteSelectionExpression"] == "$request.method $request.path"
    got = apigw.get_api(ApiId=api)
    for key in ("Name", "Description", "ProtocolType", "CorsConfiguration", "Tags", "CreatedDate", "ApiEndpoint"):
        assert got[key] == made[key]
    assert apigw.update_api(ApiId=api, Name="renamed")["Name"] == "renamed"
    assert api in [a["ApiId"] for a in apigw.get_paginator("get_apis").paginate().build_full_result()["Items"]]
    apigw.delete_cors_configuration(ApiId=api)
    assert "CorsConfiguration" not in apigw.get_api(ApiId=api)
    apigw.delete_api(ApiId=api)
    refused("NotFoundException", 404, "Invalid API identifier specified", apigw.get_api, ApiId=api)


def test_regions_are_separate(client, api):
    refused("NotFoundException", 404, api, client("apigatewayv2", region_name="eu-west-1").get_api, ApiId=api)


def test_routes_and_integrations_refer_to_each_other(apigw, api):
    integration = apigw.create_integration(
        ApiId=api, IntegrationType="AWS_PROXY", PayloadFormatVersion="2.0",
        IntegrationUri="arn:aws:lambda:us-east-1:000000000000:function:f")
    assert integration["ConnectionType"] == "INTERNET"
    assert integration["TimeoutInMillis"] == 30000
    target = f"integrations/{integration['IntegrationId']}"
    route = apigw.create_route(ApiId=api, RouteKey="GET /x/{id}", Target=target)
    refused("ConflictException", 409, "Route with key GET /x/{id} already exists for this API",
            apigw.create_route, ApiId=api, RouteKey="GET /x/{id}")
    refused("BadRequestException", 400, "not formatted properly", apigw.create_route, ApiId=api, RouteKey="x")
    refused("ConflictException", 409, f"[{route['RouteId']}]", apigw.delete_integration, ApiId=api,
            IntegrationId=integration["IntegrationId"])
    assert apigw.get_route(ApiId=api, RouteId=route["RouteId"])["Target"] == target
    assert apigw.update_route(ApiId=api, RouteId=route["RouteId"], RouteKey="GET /y")["RouteKey"] == "GET /y"
    assert [r["RouteKey"] for r in apigw.get_routes(ApiId=api)["Items"]] == ["GET /y"]
    apigw.delete_route(ApiId=api, RouteId=route["RouteId"])
    apigw.delete_integration(ApiId=api, IntegrationId=integration["IntegrationId"])
    assert apigw.get_integrations(ApiId=api)["Items"] == []


def test_constraint_violations_are_bad_requests(apigw, api):
    refused("BadRequestException", 400, "", apigw.create_integration, ApiId=api, IntegrationType="HTTP_PROXY",
            IntegrationUri="http://x", IntegrationMethod="ANY", PayloadFormatVersion="1.0", TimeoutInMillis=40000)


def test_an_api_has_a_name(apigw):
    for name in ("", "x" * 129):
        with pytest.raises(ClientError) as refused:
            apigw.create_api(Name=name, ProtocolType="HTTP")
        assert refused.value.response["Error"]["Code"] == "BadRequestException"


def test_what_is_missing_says_so(apigw):
    with pytest.raises(ClientError) as caught:
        apigw.create_vpc_link(Name="x", SubnetIds=["subnet-1"])
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    with pytest.raises(ClientError) as caught:
        apigw.create_api(Name="x", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_tags_of_apis_and_stages(apigw, api):
    apigw.create_stage(ApiId=api, StageName="prod")
    for arn in (f"arn:aws:apigateway:us-east-1::/apis/{api}", f"arn:aws:apigateway:us-east-1::/apis/{api}/stages/prod"):
        apigw.tag_resource(ResourceArn=arn, Tags={"a": "1", "b": "2"})
        apigw.untag_resource(ResourceArn=arn, TagKeys=["a"])
        assert apigw.get_tags(ResourceArn=arn)["Tags"] == {"b": "2"}


def test_lists_come_in_pages(apigw, api):
    for n in range(5):
        apigw.create_route(ApiId=api, RouteKey=f"GET /{n}")
    first = apigw.get_routes(ApiId=api, MaxResults="2")
    assert len(first["Items"]) == 2
    assert len(apigw.get_paginator("get_routes").paginate(ApiId=api, PaginationConfig={"PageSize": 2})
               .build_full_result()["Items"]) == 5
    refused("BadRequestException", 400, "NextToken", apigw.get_routes, ApiId=api, NextToken="nonsense")


# ---- data plane

@pytest.mark.parametrize("by_host", [False, True])
def test_a_function_gets_the_documented_event(echo_api, endpoint, by_host):
    got = call(endpoint, echo_api, "/a%20b/c?x=1&x=2&y=%C3%A9", "POST", by_host=by_host, body=b"{}",
               headers={"Content-Type": "application/json", "Cookie": "a=1; b=2", "X-Many": "1"})
    assert got.status == 200
    event = got.json()
    assert event["version"] == "2.0"
    assert event["routeKey"] == "$default"
    assert event["rawPath"] == "/a b/c"
    assert event["rawQueryString"] == "x=1&x=2&y=%C3%A9"
    assert event["queryStringParameters"] == {"x": "1,2", "y": "é"}
    assert event["cookies"] == ["a=1", "b=2"]
    assert event["headers"]["x-many"] == "1"
    assert "cookie" not in event["headers"]
    assert event["body"] == "{}" and event["isBase64Encoded"] is False
    context = event["requestContext"]
    assert context["apiId"] == echo_api and context["stage"] == "$default"
    assert context["http"]["method"] == "POST" and context["http"]["sourceIp"] in ("127.0.0.1", "::1")
    assert context["requestId"] == got.header("apigw-requestid")
    assert "pathParameters" not in event and "stageVariables" not in event


def test_answers_are_inferred_and_structured(echo_api, endpoint):
    plain = call(endpoint, echo_api, "/?how=plain")
    assert (plain.status, plain.json(), plain.header("content-type")) == (200, {"plain": True}, "application/json")
    assert call(endpoint, echo_api, "/?how=text").body == b"just text"
    made = call(endpoint, echo_api, "/?how=cookies")
    assert (made.status, made.body, made.header("x-one")) == (201, b"made", "1")
    assert made.all("set-cookie") == ["a=1; Secure", "b=2"]
    binary = call(endpoint, echo_api, "/?how=binary")
    assert binary.body == bytes(range(256)) and binary.header("content-type") == "image/png"


def test_broken_functions_are_an_internal_server_error(echo_api, endpoint):
    for how in ("malformed", "raise"):
        got = call(endpoint, echo_api, f"/?how={how}")
        assert got.status == 500
        assert got.json() == {"message": "Internal Server Error"}


def test_binary_bodies_come_as_base64(echo_api, endpoint):
    event = call(endpoint, echo_api, "/", "POST", {"Content-Type": "application/octet-stream"}, b"\x00\xff").json()
    assert (event["body"], event["isBase64Encoded"]) == ("AP8=", True)


def test_format_1_0(apigw, api, endpoint, functions):
    integration = apigw.create_integration(ApiId=api, IntegrationType="AWS_PROXY", PayloadFormatVersion="1.0",
                                           IntegrationUri=functions["apigw-echo"])["IntegrationId"]
    apigw.create_route(ApiId=api, RouteKey="GET /v/{name}", Target=f"integrations/{integration}")
    apigw.create_stage(ApiId=api, StageName="prod", AutoDeploy=True, StageVariables={"color": "blue"})
    got = call(endpoint, api, "/prod/v/me?how=v1")
    assert got.status == 200 and got.all("x-many") == ["1", "2"]
    event = got.json()
    assert event["version"] == "1.0" and event["resource"] == "/v/{name}" and event["path"] == "/prod/v/me"
    assert event["pathParameters"] == {"name": "me"} and event["stageVariables"] == {"color": "blue"}
    assert event["multiValueQueryStringParameters"] == {"how": ["v1"]}


def test_nothing_there_is_not_found(apigw, api, endpoint):
    for path in ("/", "/x"):
        got = call(endpoint, api, path)
        assert got.status == 404 and got.json() == {"message": "Not Found"}
    assert call(endpoint, "0123456789").status == 404


def test_a_change_is_served_at_once(apigw, echo_api, endpoint):
    routes = apigw.get_routes(ApiId=echo_api)["Items"]
    assert call(endpoint, echo_api, "/x").status == 200
    apigw.delete_route(ApiId=echo_api, RouteId=routes[0]["RouteId"])
    assert call(endpoint, echo_api, "/x").status == 404


def test_stages_without_auto_deploy_serve_their_deployment(apigw, api, endpoint, functions):
    integration = apigw.create_integration(ApiId=api, IntegrationType="AWS_PROXY", PayloadFormatVersion="2.0",
                                           IntegrationUri=functions["apigw-echo"])["IntegrationId"]
    apigw.create_route(ApiId=api, RouteKey="GET /x", Target=f"integrations/{integration}")
    apigw.create_stage(ApiId=api, StageName="prod")
    assert call(endpoint, api, "/prod/x").status == 404
    deployment = apigw.create_deployment(ApiId=api, StageName="prod")
    assert deployment["DeploymentStatus"] == "DEPLOYED"
    assert call(endpoint, api, "/prod/x").json()["rawPath"] == "/prod/x"
    apigw.create_route(ApiId=api, RouteKey="GET /y", Target=f"integrations/{integration}")
    assert call(endpoint, api, "/prod/y").status == 404


def test_cors_is_answered_by_the_gateway(apigw, echo_api, endpoint):
    apigw.update_api(ApiId=echo_api, CorsConfiguration={
        "AllowOrigins": ["http://localhost:3000"], "AllowMethods": ["GET", "POST"], "AllowHeaders": ["content-type"],
        "AllowCredentials": True, "MaxAge": 60})
    origin = {"Origin": "http://localhost:3000"}
    preflight = call(endpoint, echo_api, "/x", "OPTIONS", {**origin, "Access-Control-Request-Method": "POST"})
    assert preflight.status == 204 and preflight.body == b""
    assert preflight.header("access-control-allow-origin") == "http://localhost:3000"
    assert preflight.header("access-control-allow-methods") == "GET,POST"
    assert preflight.header("access-control-max-age") == "60"
    assert call(endpoint, echo_api, "/x", headers=origin).header("access-control-allow-credentials") == "true"
    other = call(endpoint, echo_api, "/x", headers={"Origin": "http://127.0.0.1:9"})
    assert other.header("access-control-allow-origin") is None


def test_a_lambda_authorizer_decides(apigw, api, endpoint, functions):
    uri = ("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/"
           f"{functions['apigw-authorizer']}/invocations")
    authorizer = apigw.create_authorizer(
        ApiId=api, Name="a", AuthorizerType="REQUEST", AuthorizerUri=uri, AuthorizerPayloadFormatVersion="2.0",
        EnableSimpleResponses=True, IdentitySource=["$request.header.Authorization"])["AuthorizerId"]
    integration = apigw.create_integration(ApiId=api, IntegrationType="AWS_PROXY", PayloadFormatVersion="2.0",
                                           IntegrationUri=functions["apigw-echo"])["IntegrationId"]
    apigw.create_route(ApiId=api, RouteKey="$default", Target=f"integrations/{integration}",
                       AuthorizationType="CUSTOM", AuthorizerId=authorizer)
    apigw.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    allowed = call(endpoint, api, "/", headers={"Authorization": "secret"})
    assert allowed.json()["requestContext"]["authorizer"] == {"lambda": {"who": "secret"}}
    assert call(endpoint, api, "/").json() == {"message": "Unauthorized"}
    denied = call(endpoint, api, "/", headers={"Authorization": "wrong"})
    assert (denied.status, denied.json()) == (403, {"message": "Forbidden"})
    assert call(endpoint, api, "/", headers={"Authorization": "broken"}).status == 500


def test_iam_routes_want_a_signature(apigw, api, endpoint, functions):
    integration = apigw.create_integration(ApiId=api, IntegrationType="AWS_PROXY", PayloadFormatVersion="2.0",
                                           IntegrationUri=functions["apigw-echo"])["IntegrationId"]
    apigw.create_route(ApiId=api, RouteKey="GET /x", Target=f"integrations/{integration}", AuthorizationType="AWS_IAM")
    apigw.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    bare = call(endpoint, api, "/x")
    assert (bare.status, bare.json()) == (403, {"message": "Forbidden"})
    request = AWSRequest("GET", f"{endpoint}/_aws/execute-api/{api}/x")
    SigV4Auth(Credentials("test", "test"), "execute-api", "us-east-1").add_auth(request)
    signed = call(endpoint, api, "/x", headers=dict(request.headers.items()))
    assert signed.status == 200
    assert signed.json()["requestContext"]["authorizer"]["iam"]["accessKey"] == "test"


@pytest.fixture
def upstream():
    """A small HTTP server that tells what it was asked."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps({"path": self.path, "method": self.command,
                               "headers": {k.lower(): v for k, v in self.headers.items()}}).encode()
            self.send_response(202)
            self.send_header("X-Up", "1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_http_integration_passes_requests_on(apigw, api, endpoint, upstream):
    integration = apigw.create_integration(
        ApiId=api, IntegrationType="HTTP_PROXY", IntegrationMethod="ANY", PayloadFormatVersion="1.0",
        IntegrationUri=upstream + "/base/{proxy}",
        RequestParameters={"append:header.x-request": "$context.requestId", "remove:querystring.secret": "''"},
        ResponseParameters={"202": {"overwrite:statuscode": "203", "append:header.x-stage": "$context.stage"}})["IntegrationId"]
    apigw.create_route(ApiId=api, RouteKey="ANY /p/{proxy+}", Target=f"integrations/{integration}")
    apigw.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    got = call(endpoint, api, "/p/a/b?q=1&secret=2", headers={"X-Mine": "yes"})
    assert (got.status, got.header("x-up"), got.header("x-stage")) == (203, "1", "$default")
    seen = got.json()
    assert seen["path"] == "/base/a/b?q=1"
    assert seen["headers"]["x-mine"] == "yes"
    assert seen["headers"]["x-request"] == got.header("apigw-requestid")
    assert seen["headers"]["host"] == upstream.split("//")[1]


def test_throttling_settings_take_effect(apigw, echo_api, endpoint):
    apigw.update_stage(ApiId=echo_api, StageName="$default",
                       DefaultRouteSettings={"ThrottlingRateLimit": 0.0, "ThrottlingBurstLimit": 1})
    assert call(endpoint, echo_api, "/").status == 200
    got = call(endpoint, echo_api, "/")
    assert (got.status, got.json()) == (429, {"message": "Too Many Requests"})


def test_limits(echo_api, endpoint):
    got = call(endpoint, echo_api, "/", headers={"X-Large": "x" * 11000})
    assert (got.status, got.json()) == (431, {"message": "Request Header Fields Too Large"})
    # Refused by its announced length: a client that waits for the answer need not send the body.
    url = urllib.parse.urlsplit(endpoint)
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=30)
    connection.putrequest("POST", f"/_aws/execute-api/{echo_api}/")
    connection.putheader("Content-Type", "text/plain")
    connection.putheader("Content-Length", str(10 * 1024 * 1024 + 1))
    connection.endheaders()
    got = Answer(connection.getresponse())
    connection.close()
    assert (got.status, got.json()) == (413, {"message": "Request Entity Too Large"})
    assert call(endpoint, echo_api, "/", "POST", {"Content-Type": "text/plain"}, b"x" * 1_000_000).status == 200


def definition(echo, authorizer, title="imported"):
    integration = {"type": "aws_proxy", "httpMethod": "POST", "payloadFormatVersion": "2.0",
                   "uri": f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{echo}/invocations"}
    return {
        "openapi": "3.0.1",
        "info": {"title": title, "version": "2026-01-01", "description": "made from a definition"},
        "tags": [{"name": "team", "x-amazon-apigateway-tag-value": "blue"}],
        "paths": {
            "/pets/{id}": {"get": {"operationId": "getPet", "x-amazon-apigateway-integration": integration},
                           "x-amazon-apigateway-any-method": {
                               "security": [{"guard": []}],
                               "x-amazon-apigateway-integration": {"$ref": "#/components/x-amazon-apigateway-integrations/shared"}}},
            "/signed": {"post": {"x-amazon-apigateway-auth": {"type": "AWS_IAM"}, "x-amazon-apigateway-integration": integration}},
            "/bare": {"get": {"responses": {}}}},
        "components": {
            "x-amazon-apigateway-integrations": {"shared": integration},
            "securitySchemes": {"guard": {
                "type": "apiKey", "name": "Authorization", "in": "header",
                "x-amazon-apigateway-authorizer": {
                    "type": "request", "identitySource": "$request.header.Authorization", "authorizerPayloadFormatVersion": "2.0",
                    "authorizerResultTtlInSeconds": 0, "enableSimpleResponses": True,
                    "authorizerUri": f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{authorizer}/invocations"}}}},
        "x-amazon-apigateway-cors": {"allowOrigins": ["https://a.example"], "allowMethods": ["GET"], "maxAge": 60}}


def test_an_api_is_imported_from_its_definition(apigw, endpoint, functions):
    body = definition(functions["apigw-echo"], functions["apigw-authorizer"])
    made = apigw.import_api(Body=json.dumps(body))
    api_id = made["ApiId"]
    try:
        assert (made["Name"], made["Version"], made["Description"]) == ("imported", "2026-01-01", "made from a definition")
        assert made["Tags"] == {"team": "blue"} and made["Warnings"] == ["Route GET /bare has no integration"]
        assert made["CorsConfiguration"] == {"AllowOrigins": ["https://a.example"], "AllowMethods": ["GET"], "MaxAge": 60}
        routes = {r["RouteKey"]: r for r in apigw.get_routes(ApiId=api_id)["Items"]}
        assert set(routes) == {"GET /pets/{id}", "ANY /pets/{id}", "POST /signed", "GET /bare"}
        assert routes["GET /pets/{id}"]["OperationName"] == "getPet"
        assert routes["ANY /pets/{id}"]["AuthorizationType"] == "CUSTOM" and routes["POST /signed"]["AuthorizationType"] == "AWS_IAM"
        apigw.create_stage(ApiId=api_id, StageName="$default", AutoDeploy=True)
        got = call(endpoint, api_id, "/pets/7")
        assert got.status == 200 and got.json()["pathParameters"] == {"id": "7"}
        assert call(endpoint, api_id, "/pets/7", "PUT").status == 401
        assert call(endpoint, api_id, "/pets/7", "PUT", {"Authorization": "secret"}).status == 200
        assert call(endpoint, api_id, "/pets/7", "PUT", {"Authorization": "guess"}).status == 403
        assert call(endpoint, api_id, "/signed", "POST").status == 403
        del body["paths"]["/pets/{id}"]["get"]
        body["info"]["title"] = "again"
        assert apigw.reimport_api(ApiId=api_id, Body=json.dumps(body))["Name"] == "again"
        assert call(endpoint, api_id, "/pets/7").status == 401
        assert len(apigw.get_routes(ApiId=api_id)["Items"]) == 3
    finally:
        apigw.delete_api(ApiId=api_id)


@pytest.mark.parametrize("body,why", [("openapi: 3.0.1", "malformed"), ('{"swagger": "2.0"}', "OpenAPI 3.0"), ('{"openapi": "3.0.0"}', "title")])
def test_definitions_that_are_none_are_refused(apigw, body, why):
    with pytest.raises(apigw.exceptions.BadRequestException, match=why):
        apigw.import_api(Body=body)


def test_warnings_of_an_import_can_be_refusals(apigw, functions):
    body = json.dumps(definition(functions["apigw-echo"], functions["apigw-authorizer"]))
    with pytest.raises(apigw.exceptions.BadRequestException, match="GET /bare"):
        apigw.import_api(Body=body, FailOnWarnings=True)


def test_access_logs(apigw, client, echo_api, endpoint):
    logs, group = client("logs"), "/apigw/" + echo_api
    arn = f"arn:aws:logs:us-east-1:000000000000:log-group:{group}"
    form = "$context.requestId $context.httpMethod $context.routeKey $context.status $context.responseLength $context.identity.sourceIp $context.authorizer.none."
    with pytest.raises(apigw.exceptions.BadRequestException):
        apigw.update_stage(ApiId=echo_api, StageName="$default", AccessLogSettings={"DestinationArn": "arn:aws:s3:::b", "Format": form})
    apigw.update_stage(ApiId=echo_api, StageName="$default", AccessLogSettings={"DestinationArn": arn, "Format": form})
    got = call(endpoint, echo_api, "/?how=text")
    lines = [e["message"] for e in logs.filter_log_events(logGroupName=group)["events"]]
    assert lines == [f"{got.header('apigw-requestid')} GET $default 200 9 127.0.0.1 -."]
    call(endpoint, echo_api, "/?how=raise")
    assert logs.filter_log_events(logGroupName=group)["events"][-1]["message"].split()[3] == "500"
    apigw.delete_access_log_settings(ApiId=echo_api, StageName="$default")
    call(endpoint, echo_api, "/?how=text")
    assert len(logs.filter_log_events(logGroupName=group)["events"]) == 2
    logs.delete_log_group(logGroupName=group)
