#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "platform/proxy_payload.h"
#include "services/apigatewayv2/compiled_api.h"

namespace virga::apigatewayv2 {

// A header line or query parameter as it came.
struct Field {
  std::string_view name;
  std::string_view value;
};

// A request on the data plane, as the client sent it. Views belong to the connection's exchange and
// live until the answer is sent.
struct GatewayRequest {
  std::string_view method;
  std::string_view
      path;  // percent-encoded, after the path form's prefix: begins with '/', holds a named stage
  std::string_view query;  // as sent, without '?'
  std::vector<Field> headers;
  std::string_view body;
  std::string source_ip;
  std::string protocol = "HTTP/1.1";
  std::string scheme = "http";
  std::string domain_name;  // what the client called: the host without port
  int port = 80;

  // The first header of that name, in any case.
  std::optional<std::string_view> header(std::string_view name) const;
  // All headers of that name joined with commas; nullopt without any.
  std::optional<std::string> joined_header(std::string_view name) const;
  // All values of that query parameter, decoded, joined with commas. Names are case-sensitive.
  std::optional<std::string> query_parameter(std::string_view name) const;
};

using platform::parse_query;

// What an authorizer found out about the caller.
struct Authorization {
  enum class Kind { none, iam, jwt, lambda };
  Kind kind = Kind::none;
  // jwt: each claim as text, in the form API Gateway passes on; scopes of the token.
  std::vector<std::pair<std::string, std::string>> claims;
  std::vector<std::string> scopes;
  // lambda: the authorizer's context as JSON (an object), and its principalId when it has one.
  std::string lambda_context;
  std::string principal_id;
  // iam
  std::string access_key, account_id, caller_id, user_arn, user_id;
};

// A request that has found its API, stage and route: all that events and mapping expressions draw
// from. Lives in the coroutine that serves the request.
struct Exchange {
  const GatewayRequest* request = nullptr;
  const CompiledApi* api = nullptr;
  const CompiledStage* stage = nullptr;
  const CompiledRoute* route = nullptr;
  std::vector<std::pair<std::string, std::string>> path_parameters;
  std::string raw_path;    // decoded, with the stage's name unless it is $default
  std::string stage_path;  // decoded, without the stage's name
  std::string request_id;
  std::string trace_id;  // Root=1-…
  Timestamp now;
  Authorization authorization;

  // arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/METHOD/path of this request.
  std::string request_arn() const;
  // The same for the route: what a function's resource policy is compared with.
  std::string route_arn() const;
};

using platform::format_request_time;
using platform::is_text_content_type;

}  // namespace virga::apigatewayv2
