#pragma once

#include "services/apigatewayv2/gateway_request.h"

namespace virga::apigatewayv2 {

// An exchange with every part filled in, for tests of what draws from one.
struct TestExchange {
  CompiledApi api;
  CompiledStage stage;
  CompiledRoute route;
  GatewayRequest request;
  Exchange exchange;

  TestExchange(const std::string& route_key, const std::string& stage_name) {
    api.account = "123456789012";
    api.region = "us-east-1";
    api.id = "abc123defg";
    stage.name = stage_name;
    const auto key = RouteKey::parse(route_key);
    route.key = route_key;
    route.method = key->method;
    route.path = key->is_default ? "$default" : key->path;
    request.method = "GET";
    request.path = "/";
    request.source_ip = "192.0.2.7";
    request.domain_name = "abc123defg.execute-api.localhost";
    request.port = 4566;
    exchange.request = &request;
    exchange.api = &api;
    exchange.stage = &stage;
    exchange.route = &route;
    exchange.raw_path = "/";
    exchange.stage_path = "/";
    exchange.request_id = "JKJaXmPLvHcESHA=";
    exchange.trace_id = "Root=1-5e6a8a4e-0123456789abcdef01234567";
    exchange.now = Timestamp::from_millis(1'584'039'838'390);
  }
  TestExchange(const TestExchange&) = delete;
};

}  // namespace virga::apigatewayv2
