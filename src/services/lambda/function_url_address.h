#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aws/context.h"
#include "base/time.h"
#include "net/http_server.h"

// Where a function URL is reached:
//   Host {id}.lambda-url.…              path /…
//   any Host, path /_aws/lambda-url/{id}/…   the same: for callers without DNS for such names
namespace virga::lambda {

inline constexpr std::string_view kFunctionUrlPath = "/_aws/lambda-url/";

// The URL as answers show it, at the address the caller used. Names below `localhost` do not
// resolve in every client, so the path form is given where the caller used an address or plain
// localhost.
std::string function_url(const Endpoint& endpoint, std::string_view url_id,
                         std::string_view region);

struct FunctionUrlAddress {
  std::string url_id;
  std::string path;         // begins with '/', percent-encoded
  std::string domain_name;  // requestContext.domainName
};
std::optional<FunctionUrlAddress> function_url_address(const net::HttpRequest& request);

// "2026-03-01T12:00:00.123Z". Source: Lambda API Reference, FunctionUrlConfig, CreationTime:
// ISO-8601.
std::string format_url_time(Timestamp at);

}  // namespace virga::lambda
