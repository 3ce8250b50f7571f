#include "platform/routing.h"

#include "platform/s3_wire.h"

namespace virga::platform {
namespace {

using aws::Protocol;
using aws::ServiceDesc;

constexpr std::string_view kExecuteApiPath = "/_aws/execute-api/";
constexpr std::string_view kFunctionUrlPath = "/_aws/lambda-url/";

Route to_service(const ServiceDesc* service) {
  Route r;
  r.kind = RouteKind::service;
  r.service = service;
  return r;
}

Route unknown(std::string_view text) {
  Route r;
  r.kind = RouteKind::unknown_service;
  r.text = text;
  return r;
}

// "DynamoDB_20120810.PutItem": the service of the part before the last dot.
const ServiceDesc* by_target(std::string_view target) {
  const auto dot = target.rfind('.');
  if (dot == std::string_view::npos) return nullptr;
  for (const ServiceDesc* service : aws::all_services()) {
    if (!service->target_prefix.empty() && service->target_prefix == target.substr(0, dot))
      return service;
  }
  return nullptr;
}

// "/service/GraniteServiceVersion20100801/operation/PutMetricData". Source: Smithy RPC v2 CBOR
// protocol, "Requests".
const ServiceDesc* by_rpc_path(std::string_view path) {
  constexpr std::string_view kPrefix = "/service/";
  const auto begin = path.find(kPrefix);
  if (begin == std::string_view::npos) return nullptr;
  const auto name = path.substr(begin + kPrefix.size());
  const auto end = name.find("/operation/");
  if (end == std::string_view::npos) return nullptr;
  for (const ServiceDesc* service : aws::all_services()) {
    if (service->speaks(Protocol::cbor) && service->target_prefix == name.substr(0, end))
      return service;
  }
  return nullptr;
}

const ServiceDesc* by_action(std::string_view action, std::string_view version) {
  for (const ServiceDesc* service : aws::all_services()) {
    if (service->speaks(Protocol::query) && (version.empty() || service->api_version == version) &&
        aws::find_operation(*service, action)) {
      return service;
    }
  }
  return nullptr;
}

// Some signing names are shared: the path tells API Gateway's two APIs apart, the target DynamoDB
// from its streams.
const ServiceDesc* by_signing_name(const RouteQuestion& q) {
  if (q.signing_name == "apigateway")
    return aws::find_service(q.path.starts_with("/v2") ? "apigatewayv2" : "apigateway");
  if (q.signing_name == "execute-api") return aws::find_service("apigatewaymanagementapi");
  if (q.signing_name == "dynamodb") {
    const ServiceDesc* told = by_target(q.target);
    return told && told->signing_name == "dynamodb" ? told : aws::find_service("dynamodb");
  }
  for (const ServiceDesc* service : aws::all_services()) {
    if (service->signing_name == q.signing_name) return service;
  }
  return nullptr;
}

// Unsigned REST calls: they will be refused for want of a signature, in the words of the service
// they meant.
const ServiceDesc* by_path(std::string_view path) {
  struct Row {
    std::string_view prefix;
    std::string_view service;
  };
  static constexpr Row kRows[] = {{"/2015-03-31/functions", "lambda"},
                                  {"/v2/apis", "apigatewayv2"},
                                  {"/restapis", "apigateway"},
                                  {"/2013-04-01/", "route53"},
                                  {"/v1/pipes", "pipes"},
                                  {"/schedules", "scheduler"}};
  for (const auto& row : kRows) {
    if (path.starts_with(row.prefix)) return aws::find_service(row.service);
  }
  return nullptr;
}

const ServiceDesc* bucket_service() {
  for (const ServiceDesc* service : aws::all_services()) {
    if (service->buckets) return service;
  }
  return nullptr;
}

bool is_admin(std::string_view path) {
  return path.starts_with("/_virga/") || path.starts_with("/_localstack/") ||
         path.starts_with("/moto-api/") || path == "/_virga" || path == "/_localstack";
}

// "{id}.execute-api.{anything}" and "{id}.lambda-url.{anything}".
RouteKind by_host(std::string_view host) {
  const auto first = host.find('.');
  if (first == std::string_view::npos || first == 0) return RouteKind::none;
  const auto rest = host.substr(first + 1);
  const auto label = rest.substr(0, rest.find('.'));
  if (label == "execute-api") return RouteKind::execute_api;
  if (label == "lambda-url") return RouteKind::function_url;
  return RouteKind::none;
}

}  // namespace

Route route(const RouteQuestion& q) {
  Route out;
  if (!q.bound_service.empty()) {
    if (const ServiceDesc* service = aws::find_service(q.bound_service)) return to_service(service);
    return unknown(q.bound_service);
  }
  if (is_admin(q.path)) {
    out.kind = RouteKind::admin;
    return out;
  }
  out.kind = q.path.starts_with(kExecuteApiPath)    ? RouteKind::execute_api
             : q.path.starts_with(kFunctionUrlPath) ? RouteKind::function_url
                                                    : by_host(q.host);
  if (out.kind == RouteKind::none && !website_bucket_of_host(q.host).empty())
    out.kind = RouteKind::website;
  // A signed call to the management API of a WebSocket connection shares the host form.
  if (out.kind != RouteKind::none && !q.path.starts_with("/@connections")) return out;
  out.kind = RouteKind::none;
  if (q.smithy_protocol == "rpc-v2-cbor") {
    if (const ServiceDesc* service = by_rpc_path(q.path)) return to_service(service);
  }
  if (!q.signing_name.empty()) {
    if (const ServiceDesc* service = by_signing_name(q)) return to_service(service);
    return unknown(q.signing_name);
  }
  if (!q.target.empty()) {
    if (const ServiceDesc* service = by_target(q.target)) return to_service(service);
    return unknown(q.target);
  }
  if (!q.form_action.empty()) {
    if (const ServiceDesc* service = by_action(q.form_action, q.form_version))
      return to_service(service);
  }
  if (is_s3_host(q.host) || q.older_s3_signature) return to_service(bucket_service());
  if (const ServiceDesc* service = by_path(q.path)) return to_service(service);
  // What anybody may read, by its path: a public object.
  if (q.path.size() > 1 || !bucket_of_host(q.host).empty()) return to_service(bucket_service());
  return out;
}

}  // namespace virga::platform
