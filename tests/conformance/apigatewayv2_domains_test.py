"""Custom domain names, API mappings and exports of HTTP APIs."""
import http.client
import json
import urllib.parse
import uuid

import pytest
from botocore.exceptions import ClientError

import lambda_support

ECHO = "def handler(event, context):\n    return event\n"
CERTIFICATE = "arn:aws:acm:us-east-1:000000000000:certificate/11111111-2222-3333-4444-555555555555"
CONFIGURATION = [{"CertificateArn": CERTIFICATE, "EndpointType": "REGIONAL", "SecurityPolicy": "TLS_1_2"}]


@pytest.fixture(scope="module")
def apigw(client):
    return client("apigatewayv2")


@pytest.fixture(scope="module")
def echo(client):
    functions, name = client("lambda"), "domains-echo-" + uuid.uuid4().hex[:8]
    arn = functions.create_function(
        FunctionName=name, Runtime="python3.12", Handler="app.handler", Timeout=10,
        Role="arn:aws:iam::000000000000:role/r", Code={"ZipFile": lambda_support.package({"app.py": ECHO})})["FunctionArn"]
    functions.add_permission(FunctionName=name, StatementId="gateway", Action="lambda:InvokeFunction",
                             Principal="apigateway.amazonaws.com")
    yield arn
    functions.delete_function(FunctionName=name)


@pytest.fixture
def domain(apigw):
    name = f"api-{uuid.uuid4().hex[:8]}.example.com"
    apigw.create_domain_name(DomainName=name, DomainNameConfigurations=CONFIGURATION, Tags={"team": "blue"})
    yield name
    try:
        apigw.delete_domain_name(DomainName=name)
    except apigw.exceptions.NotFoundException:
        pass


@pytest.fixture
def api(apigw, echo, domain):
    """An API with the stages $default and dev, gone after the domain that leads to it."""
    api = apigw.create_api(Name="mapped", ProtocolType="HTTP", Target=echo)["ApiId"]
    apigw.create_stage(ApiId=api, StageName="dev", AutoDeploy=True)
    yield api
    for mapping in apigw.get_api_mappings(DomainName=domain)["Items"] if domain in names(apigw) else []:
        apigw.delete_api_mapping(DomainName=domain, ApiMappingId=mapping["ApiMappingId"])
    apigw.delete_api(ApiId=api)


def names(apigw):
    return [d["DomainName"] for page in apigw.get_paginator("get_domain_names").paginate() for d in page["Items"]]


def get(endpoint, host, path, method="GET", body=None, headers=()):
    url = urllib.parse.urlsplit(endpoint)
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=30)
    try:
        connection.request(method, path, body=body, headers={"Host": host, **dict(headers)})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def refused(code, text, operation, **kwargs):
    with pytest.raises(ClientError) as caught:
        operation(**kwargs)
    error = caught.value.response["Error"]
    assert error["Code"] == code and text in error["Message"]


def test_a_domain_name_is_made_read_changed_and_deleted(apigw, domain):
    got = apigw.get_domain_name(DomainName=domain)
    assert got["DomainName"] == domain and got["ApiMappingSelectionExpression"] == "$request.basepath"
    assert got["Tags"] == {"team": "blue"}
    configuration = got["DomainNameConfigurations"][0]
    assert configuration["ApiGatewayDomainName"].startswith("d-")
    assert configuration["ApiGatewayDomainName"].endswith(".execute-api.us-east-1.amazonaws.com")
    assert (configuration["DomainNameStatus"], configuration["EndpointType"], configuration["SecurityPolicy"]) == (
        "AVAILABLE", "REGIONAL", "TLS_1_2")
    assert configuration["HostedZoneId"] == "Z1UJRXOUMOOFQ8" and configuration["CertificateArn"] == CERTIFICATE
    other = CERTIFICATE[:-1] + "6"
    changed = apigw.update_domain_name(DomainName=domain, DomainNameConfigurations=[{"CertificateArn": other}])
    assert changed["DomainNameConfigurations"][0] == {**configuration, "CertificateArn": other}
    assert domain in names(apigw)
    apigw.delete_domain_name(DomainName=domain)
    assert domain not in names(apigw)
    refused("NotFoundException", "Invalid domain name identifier specified", apigw.get_domain_name, DomainName=domain)
    refused("NotFoundException", "Invalid domain name identifier specified", apigw.delete_domain_name, DomainName=domain)


def test_a_domain_name_exists_once_in_a_region(apigw, client, domain):
    refused("ConflictException", "already exists", apigw.create_domain_name, DomainName=domain.upper(),
            DomainNameConfigurations=CONFIGURATION)
    elsewhere = client("apigatewayv2", region_name="eu-west-1")
    there = [{"CertificateArn": CERTIFICATE.replace("us-east-1", "eu-west-1")}]
    made = elsewhere.create_domain_name(DomainName=domain, DomainNameConfigurations=there)
    assert made["DomainNameConfigurations"][0]["HostedZoneId"] == "ZLY8HYME6SFDD"
    elsewhere.delete_domain_name(DomainName=domain)
    assert apigw.get_domain_name(DomainName=domain)["DomainName"] == domain


@pytest.mark.parametrize("name,configurations,text", [
    ("nodots", CONFIGURATION, "not valid"), ("a..example.com", CONFIGURATION, "not valid"), ("a b.example.com", CONFIGURATION, "not valid"),
    ("x.example.com", [], "configuration"), ("x.example.com", [{}], "certificate"), ("x.example.com", [{"CertificateArn": "arn:aws:iam::1:x"}], "certificate"),
    ("x.example.com", [{"CertificateArn": CERTIFICATE.replace("us-east-1", "us-west-2")}], "Certificate must be in 'us-east-1'."),
    ("x.example.com", [{"CertificateArn": CERTIFICATE, "EndpointType": "EDGE"}], "REGIONAL")])
def test_domain_names_that_cannot_be_are_refused(apigw, name, configurations, text):
    refused("BadRequestException", text, apigw.create_domain_name, DomainName=name, DomainNameConfigurations=configurations)


def test_tags_of_a_domain_name(apigw, domain):
    arn = f"arn:aws:apigateway:us-east-1::/domainnames/{domain}"
    apigw.tag_resource(ResourceArn=arn, Tags={"stage": "test"})
    apigw.untag_resource(ResourceArn=arn, TagKeys=["team"])
    assert apigw.get_tags(ResourceArn=arn)["Tags"] == apigw.get_domain_name(DomainName=domain)["Tags"] == {"stage": "test"}
    refused("NotFoundException", "domain name", apigw.get_tags, ResourceArn=arn + ".none")


def test_a_mapping_is_made_read_changed_and_deleted(apigw, domain, api):
    made = apigw.create_api_mapping(DomainName=domain, ApiId=api, Stage="dev", ApiMappingKey="v1/pets")
    mapping = made["ApiMappingId"]
    del made["ResponseMetadata"]
    assert made == {"ApiId": api, "Stage": "dev", "ApiMappingKey": "v1/pets", "ApiMappingId": mapping}
    assert apigw.get_api_mappings(DomainName=domain)["Items"] == [made]
    refused("ConflictException", "already exists", apigw.create_api_mapping, DomainName=domain, ApiId=api, Stage="$default", ApiMappingKey="v1/pets")
    changed = apigw.update_api_mapping(DomainName=domain, ApiMappingId=mapping, ApiId=api, ApiMappingKey="")
    assert (changed["ApiMappingKey"], changed["Stage"]) == ("", "dev")
    got = apigw.get_api_mapping(DomainName=domain, ApiMappingId=mapping)
    assert got["ApiMappingKey"] == ""
    for key in ("/v1", "v1/", "a//b", "a b", "ä"):
        refused("BadRequestException", "API mapping key", apigw.create_api_mapping, DomainName=domain, ApiId=api, Stage="dev", ApiMappingKey=key)
    refused("NotFoundException", "Stage", apigw.create_api_mapping, DomainName=domain, ApiId=api, Stage="none", ApiMappingKey="x")
    refused("NotFoundException", "API identifier", apigw.create_api_mapping, DomainName=domain, ApiId="none", Stage="dev", ApiMappingKey="x")
    refused("NotFoundException", "domain name", apigw.create_api_mapping, DomainName="none.example.com", ApiId=api, Stage="dev")
    # What a domain leads to stays.
    refused("BadRequestException", domain, apigw.delete_api, ApiId=api)
    refused("BadRequestException", domain, apigw.delete_stage, ApiId=api, StageName="dev")
    apigw.delete_api_mapping(DomainName=domain, ApiMappingId=mapping)
    refused("NotFoundException", "mapping", apigw.get_api_mapping, DomainName=domain, ApiMappingId=mapping)
    assert apigw.get_api_mappings(DomainName=domain)["Items"] == []


def test_requests_go_where_the_longest_mapping_leads(apigw, endpoint, domain, api):
    assert get(endpoint, domain, "/") == (403, {"message": "Forbidden"})
    apigw.create_api_mapping(DomainName=domain, ApiId=api, Stage="dev", ApiMappingKey="v1")
    status, event = get(endpoint, domain.upper() + ":4566", "/v1/pets%2F7?a=b")
    assert status == 200
    assert (event["rawPath"], event["requestContext"]["stage"], event["rawQueryString"]) == ("/v1/pets/7", "dev", "a=b")
    assert event["requestContext"]["domainName"] == domain and event["requestContext"]["domainPrefix"] == domain.split(".")[0]
    assert get(endpoint, domain, "/v12/pets")[0] == 403
    apigw.create_api_mapping(DomainName=domain, ApiId=api, Stage="$default")
    assert get(endpoint, domain, "/v12/pets")[1]["requestContext"]["stage"] == "$default"
    assert get(endpoint, domain, "/v1")[1]["requestContext"]["stage"] == "dev"
    assert get(endpoint, domain, "/dev/x")[1]["requestContext"]["stage"] == "$default"
    # A form is the API's, whatever it names.
    form = get(endpoint, domain, "/", "POST", "Action=GetCallerIdentity&Version=2011-06-15",
               {"Content-Type": "application/x-www-form-urlencoded"}.items())
    assert form[1]["requestContext"]["http"]["method"] == "POST"


def test_an_api_may_be_reached_by_its_domain_only(apigw, endpoint, domain, api):
    apigw.create_api_mapping(DomainName=domain, ApiId=api, Stage="$default")
    apigw.update_api(ApiId=api, DisableExecuteApiEndpoint=True)
    assert get(endpoint, f"{api}.execute-api.localhost", "/")[0] == 404
    assert get(endpoint, domain, "/")[0] == 200


def test_wildcard_domains_take_every_name_below_them(apigw, endpoint, api):
    parent = f"w{uuid.uuid4().hex[:8]}.example.com"
    apigw.create_domain_name(DomainName="*." + parent, DomainNameConfigurations=CONFIGURATION)
    try:
        apigw.create_api_mapping(DomainName="*." + parent, ApiId=api, Stage="dev")
        assert get(endpoint, "any." + parent, "/")[1]["requestContext"]["domainName"] == "any." + parent
    finally:
        apigw.delete_domain_name(DomainName="*." + parent)


def test_an_api_is_exported_as_it_can_be_imported(apigw, echo):
    api = apigw.create_api(Name="exported", ProtocolType="HTTP", Version="7", Description="d", Tags={"a": "1"},
                           CorsConfiguration={"AllowOrigins": ["*"], "MaxAge": 5})["ApiId"]
    copy = None
    try:
        integration = apigw.create_integration(ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=echo,
                                               PayloadFormatVersion="2.0", TimeoutInMillis=5000)["IntegrationId"]
        guard = apigw.create_authorizer(ApiId=api, Name="guard", AuthorizerType="JWT", IdentitySource=["$request.header.Authorization"],
                                        JwtConfiguration={"Issuer": "https://i.example", "Audience": ["x"]})["AuthorizerId"]
        target = f"integrations/{integration}"
        apigw.create_route(ApiId=api, RouteKey="GET /pets/{id}", Target=target, OperationName="getPet",
                           AuthorizationType="JWT", AuthorizerId=guard, AuthorizationScopes=["read"])
        apigw.create_route(ApiId=api, RouteKey="ANY /files/{rest+}", Target=target, AuthorizationType="AWS_IAM")
        apigw.create_route(ApiId=api, RouteKey="$default", Target=target)
        body = json.loads(apigw.export_api(ApiId=api, Specification="OAS30", OutputType="JSON")["body"].read())
        assert (body["openapi"], body["info"]) == ("3.0.1", {"title": "exported", "description": "d", "version": "7"})
        get_pet = body["paths"]["/pets/{id}"]["get"]
        assert get_pet["operationId"] == "getPet" and get_pet["security"] == [{"guard": ["read"]}]
        assert get_pet["responses"] == {"default": {"description": "Default response for GET /pets/{id}"}}
        assert body["paths"]["/pets/{id}"]["parameters"][0]["name"] == "id"
        assert body["paths"]["/$default"]["x-amazon-apigateway-any-method"]["isDefaultRoute"] is True
        assert json.loads(apigw.export_api(ApiId=api, Specification="OAS30", OutputType="JSON")["body"].read()) == body
        bare = json.loads(apigw.export_api(ApiId=api, Specification="OAS30", OutputType="JSON", IncludeExtensions=False)["body"].read())
        assert "x-amazon" not in json.dumps({k: v for k, v in bare.items() if k != "paths"})
        copy = apigw.import_api(Body=json.dumps(body))["ApiId"]
        kept = ("RouteKey", "AuthorizationType", "AuthorizationScopes", "OperationName")
        routes = [sorted(({k: r.get(k) for k in kept} for r in apigw.get_routes(ApiId=one)["Items"]), key=lambda r: r["RouteKey"])
                  for one in (api, copy)]
        assert routes[0] == routes[1]
        assert apigw.get_api(ApiId=copy)["CorsConfiguration"] == apigw.get_api(ApiId=api)["CorsConfiguration"]
        assert {i["TimeoutInMillis"] for i in apigw.get_integrations(ApiId=copy)["Items"]} == {5000}
        yaml = apigw.export_api(ApiId=api, Specification="OAS30", OutputType="YAML")["body"].read().decode()
        assert yaml.startswith('---\nopenapi: "3.0.1"\ninfo:\n  title: "exported"\n')
        assert '"/pets/{id}":\n    get:\n      operationId: "getPet"\n' in yaml
        refused("BadRequestException", "OAS30", apigw.export_api, ApiId=api, Specification="OAS31", OutputType="JSON")
        refused("BadRequestException", "output type", apigw.export_api, ApiId=api, Specification="OAS30", OutputType="XML")
        refused("NotFoundException", "Stage", apigw.export_api, ApiId=api, Specification="OAS30", OutputType="JSON", StageName="none")
    finally:
        for one in filter(None, (api, copy)):
            apigw.delete_api(ApiId=one)
