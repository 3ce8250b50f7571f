#pragma once

#include <string>
#include <string_view>

#include "aws/operation.h"

namespace virga::platform {

// What a request shows before anything of it is decoded. Views into the request.
struct RouteQuestion {
  std::string_view method;
  std::string_view host;    // authority without port, lower case
  std::string_view path;    // as sent
  std::string_view query;   // as sent, without '?'
  std::string_view target;  // X-Amz-Target
  std::string_view smithy_protocol;
  std::string_view content_type;
  std::string_view signing_name;  // credential scope's service; empty for unsigned requests
  std::string_view form_action;   // Action and Version of a form body or of the query string
  std::string_view form_version;
  bool older_s3_signature = false;  // AWSAccessKeyId in the query, or "Authorization: AWS …"
  std::string_view bound_service;   // the listener speaks only this one; empty: all
};

enum class RouteKind {
  service,       // `service` speaks; its operation is still to be found
  execute_api,   // data plane of an API, by host or by path; which API is that service's business
  function_url,  // data plane of a function URL
  website,       // a bucket's website
  admin,         // /_virga/…, /_localstack/…, /moto-api/…
  unknown_service,  // `text` names what was asked for
  none,             // nothing recognisable
};

struct Route {
  RouteKind kind = RouteKind::none;
  const aws::ServiceDesc* service = nullptr;
  std::string text;
};

// Finds who a request is for: listener, X-Amz-Target, RPC path, credential scope, Action, host,
// path, in this order. A credential scope of a service without a model is unknown_service; it never
// falls through to S3.
Route route(const RouteQuestion& question);

}  // namespace virga::platform
