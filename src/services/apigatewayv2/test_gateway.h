#pragma once

#include <gtest/gtest.h>

#include <map>

#include "async/wait.h"
#include "base/json.h"
#include "base/strings.h"
#include "services/apigatewayv2/data_plane.h"

// A data plane over fakes, for its tests.
namespace virga::apigatewayv2 {

struct FakeApis final : ApiSource {
  std::map<std::string, std::shared_ptr<const CompiledApi>, std::less<>> apis;
  Result<std::shared_ptr<const CompiledApi>> find_api(std::string_view id) override {
    const auto it = apis.find(id);
    return it == apis.end() ? nullptr : it->second;
  }
};

struct FakeFunctions final : platform::FunctionInvoker {
  std::vector<platform::InvokeCall> calls;
  std::map<std::string, Result<platform::InvokeReply>> answers;  // by function name
  async::Event* never = nullptr;  // when set, the answer does not come
  Task<platform::InvokeReply> invoke(platform::InvokeCall call) override {
    calls.push_back(call);
    if (never) co_await never->wait();
    const auto name = call.function_arn.substr(call.function_arn.rfind(':') + 1);
    const auto it = answers.find(name);
    if (it == answers.end())
      co_return fail("ResourceNotFoundException", 404, "Function not found: " + call.function_arn);
    co_return it->second;
  }
  void answer(const std::string& name, std::string payload) {
    platform::InvokeReply reply;
    reply.payload = std::move(payload);
    answers.insert_or_assign(name, reply);
  }
  Document event(size_t i) const { return *parse_json(calls.at(i).payload); }
};

struct FakeUpstream final : Upstream {
  std::vector<UpstreamRequest> requests;
  std::map<std::string, UpstreamReply> replies;  // by URL
  Task<UpstreamReply> send(UpstreamRequest request) override {
    requests.push_back(request);
    const auto it = replies.find(request.url);
    if (it == replies.end()) co_return fail("ConnectionRefused", 502, "nobody listens");
    co_return it->second;
  }
};

struct Answer {
  int status = 0;
  std::vector<net::HeaderView> headers;
  std::string body;
  net::HttpResponse response;
  std::string header(std::string_view name) const {
    return std::string(response.headers.find(name).value_or(""));
  }
};

// A data plane over fakes with one API, "abc123defg", whose parts the tests add.
struct Gateway {
  async::FakeEnv env;
  async::EpollLoop loop{env.env()};
  FakeApis apis;
  FakeFunctions functions;
  FakeUpstream upstream;
  AuthorizerCache authorizations{env.env().steady};
  std::shared_ptr<CompiledApi> api = std::make_shared<CompiledApi>();
  std::shared_ptr<CompiledConfig> config = std::make_shared<CompiledConfig>();
  std::vector<std::string> keys;
  DataPlane plane{{.env = env.env(),
                   .apis = apis,
                   .functions = functions,
                   .upstream = upstream,
                   .authorizations = authorizations}};

  DataPlane* serving = &plane;

  Gateway() {
    api->account = "123456789012";
    api->region = "eu-west-1";
    api->id = "abc123defg";
    api->stages.push_back({.name = "$default",
                           .variables = {},
                           .config = config,
                           .throttle = {},
                           .route_throttles = {}});
    apis.apis["abc123defg"] = api;
  }
  CompiledIntegration* lambda(const std::string& name) {
    auto& i = config->integrations.emplace_back(std::make_unique<CompiledIntegration>());
    i->uri = "arn:aws:lambda:eu-west-1:123456789012:function:" + name;
    return i.get();
  }
  CompiledIntegration* http(const std::string& url) {
    auto& i = config->integrations.emplace_back(std::make_unique<CompiledIntegration>());
    i->kind = CompiledIntegration::Kind::http;
    i->uri = url;
    i->method = "ANY";
    return i.get();
  }
  CompiledRoute& route(const std::string& key, const CompiledIntegration* integration) {
    const auto parsed = RouteKey::parse(key);
    CompiledRoute r;
    r.key = key;
    r.path = parsed->is_default ? "$default" : parsed->path;
    r.method = parsed->method;
    r.integration = integration;
    config->table.add(*parsed, static_cast<int>(config->routes.size()));
    return config->routes.emplace_back(std::move(r));
  }
  CompiledAuthorizer* authorizer(CompiledAuthorizer::Kind kind, std::vector<std::string> sources) {
    auto& a = config->authorizers.emplace_back(std::make_unique<CompiledAuthorizer>());
    a->id = "auth01";
    a->kind = kind;
    for (const auto& s : sources)
      a->identity_sources.push_back(*parse_mapping_value(s, MappingSide::request));
    a->function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:authorizer";
    return a.get();
  }

  Answer call(std::string method, std::string target,
              std::vector<std::pair<std::string, std::string>> headers = {}, std::string body = "",
              bool by_path = false) {
    if (!by_path) headers.emplace_back("Host", "abc123defg.execute-api.localhost:4566");
    const auto request =
        net::make_memory_request(method, target, std::move(headers), std::move(body));
    const auto address = data_plane_address(*request);
    EXPECT_TRUE(address) << target;
    std::optional<Result<net::HttpResponse>> got;
    loop.post([&] { start(serving->handle(*request, *address), &got); });
    for (int i = 0; i < 50 && !got; ++i) loop.run_once(0);
    while (!got) {
      env.advance_millis(1000);
      loop.run_once(0);
    }
    Answer answer;
    if (!*got) {
      answer.status = -got->error().http_status;
      answer.body = got->error().message;
      return answer;
    }
    answer.response = std::move(**got);
    answer.status = answer.response.status;
    answer.body = answer.response.body;
    return answer;
  }

  static async::Detached start(Task<net::HttpResponse> task,
                               std::optional<Result<net::HttpResponse>>* out) {
    Result<net::HttpResponse> got = co_await as_result(std::move(task));
    out->emplace(std::move(got));
  }
};

}  // namespace virga::apigatewayv2
