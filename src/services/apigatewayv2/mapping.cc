#include "services/apigatewayv2/mapping.h"

#include <algorithm>
#include <array>

#include "base/document.h"
#include "base/json.h"
#include "base/strings.h"
#include "services/apigatewayv2/gateway_request.h"

namespace virga::apigatewayv2 {
namespace {

using Kind = MappingPart::Kind;

std::unexpected<AwsError> invalid(const std::string& why) {
  return fail("BadRequestException", 400,
              "Invalid mapping expression specified: Validation Result: warnings : [], errors : [" +
                  why + "]");
}
std::unexpected<AwsError> invalid_expression(std::string_view text) {
  return invalid("Invalid mapping expression specified: " + std::string(text));
}

// a.b[0].c, without recursive descent and filters. Source: the guide's note on body parameters.
std::optional<std::vector<std::string>> parse_body_path(std::string_view text) {
  std::vector<std::string> path;
  while (!text.empty()) {
    if (text.front() == '.') {
      text.remove_prefix(1);
      const size_t end = text.find_first_of(".[");
      const auto name = text.substr(0, end);
      if (name.empty()) return std::nullopt;
      path.emplace_back(name);
      text.remove_prefix(name.size());
    } else if (text.front() == '[') {
      const size_t close = text.find(']');
      if (close == std::string_view::npos) return std::nullopt;
      auto inner = text.substr(1, close - 1);
      if (inner.size() >= 2 && (inner.front() == '\'' || inner.front() == '"') &&
          inner.back() == inner.front()) {
        inner = inner.substr(1, inner.size() - 2);
      } else if (const auto n = parse_int(inner); !n || *n < 0) {
        return std::nullopt;
      }
      path.emplace_back(inner);
      text.remove_prefix(close + 1);
    } else {
      return std::nullopt;
    }
  }
  return path;
}

// `text` is what follows the '$': request.header.x, context.routeKey, …
std::optional<MappingPart> parse_reference(std::string_view text, MappingSide side) {
  const auto named = [&](std::string_view prefix, Kind kind) -> std::optional<MappingPart> {
    if (!text.starts_with(prefix) || text.size() == prefix.size()) return std::nullopt;
    return MappingPart{kind, std::string(text.substr(prefix.size())), {}};
  };
  const auto body = [&](std::string_view prefix, Kind kind) -> std::optional<MappingPart> {
    if (!text.starts_with(prefix)) return std::nullopt;
    auto path = parse_body_path(text.substr(prefix.size()));
    if (!path) return std::nullopt;
    return MappingPart{kind, "", std::move(*path)};
  };
  if (auto p = named("context.", Kind::context)) return p;
  if (auto p = named("stageVariables.", Kind::stage_variable)) return p;
  if (side == MappingSide::response) {
    if (auto p = named("response.header.", Kind::response_header)) return p;
    return body("response.body", Kind::response_body);
  }
  if (auto p = named("request.header.", Kind::request_header)) return p;
  if (auto p = named("request.querystring.", Kind::request_query)) return p;
  if (text == "request.path") return MappingPart{Kind::request_path, "", {}};
  if (auto p = named("request.path.", Kind::path_parameter)) return p;
  return body("request.body", Kind::request_body);
}

bool is_reference_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.' || c == '[' || c == ']' || c == '\'';
}

void add_text(MappingValue& value, std::string_view text) {
  if (!text.empty()) value.parts.push_back({Kind::text, std::string(text), {}});
}

}  // namespace

Result<MappingValue> parse_mapping_value(std::string_view text, MappingSide side) {
  MappingValue value;
  std::string_view rest = text;
  while (!rest.empty()) {
    const size_t dollar = rest.find('$');
    add_text(value, rest.substr(0, dollar));
    if (dollar == std::string_view::npos) break;
    rest.remove_prefix(dollar + 1);
    std::string_view reference;
    if (rest.starts_with('{')) {
      const size_t close = rest.find('}');
      if (close == std::string_view::npos) return invalid_expression(text);
      reference = rest.substr(1, close - 1);
      if (reference.starts_with('$')) reference.remove_prefix(1);
      rest.remove_prefix(close + 1);
    } else {
      size_t end = 0;
      while (end < rest.size() && is_reference_char(rest[end])) ++end;
      reference = rest.substr(0, end);
      rest.remove_prefix(end);
    }
    auto part = parse_reference(reference, side);
    if (!part) return invalid_expression(text);
    value.parts.push_back(std::move(*part));
  }
  return value;
}

Result<ParameterMapping> parse_parameter_mapping(std::string_view key, std::string_view text,
                                                 MappingSide side) {
  ParameterMapping mapping;
  const size_t colon = key.find(':');
  if (colon == std::string_view::npos) return invalid_expression(key);
  const auto action = key.substr(0, colon);
  const auto target = key.substr(colon + 1);
  if (action == "append") {
    mapping.action = ParameterMapping::Action::append;
  } else if (action == "overwrite") {
    mapping.action = ParameterMapping::Action::overwrite;
  } else if (action == "remove") {
    mapping.action = ParameterMapping::Action::remove;
  } else {
    return invalid_expression(key);
  }
  const bool overwrite = mapping.action == ParameterMapping::Action::overwrite;
  if (target.starts_with("header.") && target.size() > 7) {
    mapping.name = target.substr(7);
    if (is_reserved_header(mapping.name))
      return invalid("Operations on header " + mapping.name + " are restricted");
  } else if (side == MappingSide::request && target.starts_with("querystring.") &&
             target.size() > 12) {
    mapping.target = ParameterMapping::Target::query;
    mapping.name = target.substr(12);
  } else if (side == MappingSide::request && target == "path" && overwrite) {
    mapping.target = ParameterMapping::Target::path;
  } else if (side == MappingSide::response && target == "statuscode" && overwrite) {
    mapping.target = ParameterMapping::Target::status;
  } else {
    return invalid_expression(key);
  }
  if (mapping.action == ParameterMapping::Action::remove) return mapping;
  VIRGA_TRY(value, parse_mapping_value(text, side));
  if (mapping.target == ParameterMapping::Target::status) {
    const auto status = parse_int(text);
    const bool fixed = value.parts.size() == 1 && value.parts[0].kind == Kind::text;
    if (fixed && (!status || *status < 100 || *status > 599)) return invalid_expression(text);
  }
  mapping.value = std::move(value);
  return mapping;
}

struct MappingEvaluator::Bodies {
  struct One {
    bool parsed = false;
    std::optional<Document> value;
  };
  One request, response;
};

MappingEvaluator::MappingEvaluator(const Exchange& exchange, const ResponseView* response)
    : exchange_(exchange), response_(response), bodies_(std::make_unique<Bodies>()) {}
MappingEvaluator::~MappingEvaluator() = default;

std::optional<std::string> MappingEvaluator::from_body(bool response,
                                                       const std::vector<std::string>& path) {
  // Bodies are looked at up to 100 KB. Source: the guide's parameter mapping page.
  static constexpr size_t kBodyBytesMax = 100'000;
  std::string_view text =
      response ? (response_ ? response_->body : std::string_view()) : exchange_.request->body;
  if (path.empty())
    return text.empty() ? std::nullopt : std::optional<std::string>(text.substr(0, kBodyBytesMax));
  auto& body = response ? bodies_->response : bodies_->request;
  if (!body.parsed) {
    body.parsed = true;
    if (text.size() <= kBodyBytesMax) {
      if (auto document = parse_json(text)) body.value = std::move(*document);
    }
  }
  if (!body.value) return std::nullopt;
  const Document* at = &*body.value;
  for (const auto& step : path) {
    if (at->is_array()) {
      const auto index = parse_int(step);
      if (!index || *index < 0 || static_cast<size_t>(*index) >= at->as_array().size())
        return std::nullopt;
      at = &at->as_array()[static_cast<size_t>(*index)];
    } else {
      at = at->find(step);
      if (!at) return std::nullopt;
    }
  }
  if (at->is_null()) return std::nullopt;
  return at->is_string() ? at->as_string() : to_json(*at);
}

std::optional<std::string> MappingEvaluator::part(const MappingPart& p) {
  const GatewayRequest& request = *exchange_.request;
  switch (p.kind) {
    case Kind::text:
      return p.name;
    case Kind::request_header:
      return request.joined_header(p.name);
    case Kind::request_query:
      return request.query_parameter(p.name);
    case Kind::request_path:
      return exchange_.stage_path;
    case Kind::path_parameter:
      for (const auto& [n, v] : exchange_.path_parameters) {
        if (n == p.name) return v;
      }
      return std::nullopt;
    case Kind::request_body:
      return from_body(false, p.path);
    case Kind::response_body:
      return from_body(true, p.path);
    case Kind::response_header: {
      std::optional<std::string> joined;
      if (!response_ || !response_->headers) return joined;
      for (const auto& [n, v] : *response_->headers) {
        if (!iequals(n, p.name)) continue;
        joined = joined ? *joined + "," + v : v;
      }
      return joined;
    }
    case Kind::context:
      return context_variable(exchange_, p.name);
    case Kind::stage_variable: {
      const auto value = exchange_.stage->variable(p.name);
      return value ? std::optional<std::string>(*value) : std::nullopt;
    }
  }
  return std::nullopt;
}

std::optional<std::string> MappingEvaluator::evaluate(const MappingValue& value) {
  if (value.parts.size() == 1) return part(value.parts[0]);
  std::string all;
  for (const auto& p : value.parts) all += part(p).value_or("");
  return all;
}

std::optional<std::string> context_variable(const Exchange& x, std::string_view name) {
  const GatewayRequest& request = *x.request;
  if (name == "requestId" || name == "extendedRequestId") return x.request_id;
  if (name == "routeKey") return x.route->key;
  if (name == "stage") return x.stage->name;
  if (name == "apiId") return x.api->id;
  if (name == "accountId") return x.api->account;
  if (name == "path") return x.raw_path;
  if (name == "httpMethod") return std::string(request.method);
  if (name == "protocol") return request.protocol;
  if (name == "domainName") return request.domain_name;
  if (name == "domainPrefix") return request.domain_name.substr(0, request.domain_name.find('.'));
  if (name == "identity.sourceIp") return request.source_ip;
  if (name == "identity.userAgent") return std::string(request.header("user-agent").value_or(""));
  if (name == "requestTime") return format_request_time(x.now);
  if (name == "requestTimeEpoch") return std::to_string(x.now.millis());
  const Authorization& a = x.authorization;
  if (name.starts_with("authorizer.claims.")) {
    for (const auto& [n, v] : a.claims) {
      if (n == name.substr(18)) return v;
    }
    return std::nullopt;
  }
  if (name == "authorizer.principalId" && !a.principal_id.empty()) return a.principal_id;
  if (name.starts_with("authorizer.") && a.kind == Authorization::Kind::lambda) {
    const auto context = parse_json(a.lambda_context.empty() ? "{}" : a.lambda_context);
    if (!context) return std::nullopt;
    const Document* member = context->find(name.substr(11));
    if (!member || member->is_null()) return std::nullopt;
    return member->is_string() ? member->as_string() : to_json(*member);
  }
  if (a.kind == Authorization::Kind::iam) {
    if (name == "identity.caller") return a.caller_id;
    if (name == "identity.user") return a.user_id;
    if (name == "identity.userArn") return a.user_arn;
    if (name == "identity.accountId") return a.account_id;
  }
  return std::nullopt;
}

std::string with_stage_variables(std::string_view text, const Exchange& exchange) {
  static constexpr std::string_view kOpen = "${stageVariables.";
  std::string out;
  for (;;) {
    const size_t begin = text.find(kOpen);
    out += text.substr(0, begin);
    if (begin == std::string_view::npos) return out;
    const size_t end = text.find('}', begin);
    if (end == std::string_view::npos) {
      out += text.substr(begin);
      return out;
    }
    const auto name = text.substr(begin + kOpen.size(), end - begin - kOpen.size());
    if (const auto value = exchange.stage->variable(name)) out += *value;
    text.remove_prefix(end + 1);
  }
}

bool is_reserved_header(std::string_view name) {
  static constexpr std::array<std::string_view, 21> kNames = {"authorization",
                                                              "connection",
                                                              "content-encoding",
                                                              "content-length",
                                                              "content-location",
                                                              "forwarded",
                                                              "host",
                                                              "keep-alive",
                                                              "origin",
                                                              "proxy-authenticate",
                                                              "te",
                                                              "trailers",
                                                              "trailer",
                                                              "proxy-authorization",
                                                              "transfer-encoding",
                                                              "upgrade",
                                                              "via",
                                                              "x-forwarded-for",
                                                              "x-forwarded-host",
                                                              "x-forwarded-proto",
                                                              "x-forwarded-port"};
  const std::string lower = to_lower(name);
  for (const char* prefix : {"access-control-", "apigw-", "x-amz-", "x-amzn-"}) {
    if (lower.starts_with(prefix)) return true;
  }
  return std::find(kNames.begin(), kNames.end(), lower) != kNames.end();
}

}  // namespace virga::apigatewayv2
