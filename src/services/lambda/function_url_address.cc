#include "services/lambda/function_url_address.h"

#include <algorithm>

#include "base/strings.h"

namespace virga::lambda {
namespace {

bool is_plain_host(std::string_view host) {
  return host == "localhost" || host.find(':') != std::string_view::npos ||
         host.find_first_not_of("0123456789.") == std::string_view::npos;
}

bool is_url_id(std::string_view id) {
  return id.size() == 32 && std::all_of(id.begin(), id.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
         });
}

}  // namespace

std::string function_url(const Endpoint& endpoint, std::string_view url_id,
                         std::string_view region) {
  if (is_plain_host(endpoint.host))
    return endpoint.url() + std::string(kFunctionUrlPath) + std::string(url_id) + "/";
  Endpoint own = endpoint;
  own.host = std::string(url_id) + ".lambda-url." + std::string(region) + "." + endpoint.host;
  return own.url() + "/";
}

std::optional<FunctionUrlAddress> function_url_address(const net::HttpRequest& request) {
  FunctionUrlAddress out;
  const std::string_view path = request.path();
  if (path.starts_with(kFunctionUrlPath)) {
    const std::string_view rest = path.substr(kFunctionUrlPath.size());
    const size_t slash = std::min(rest.find('/'), rest.size());
    out.url_id = std::string(rest.substr(0, slash));
    out.path = slash == rest.size() ? "/" : std::string(rest.substr(slash));
    out.domain_name = out.url_id + ".lambda-url.localhost";
  } else {
    const std::string_view authority = request.authority();
    out.domain_name = to_lower(authority.substr(0, authority.rfind(':')));
    out.url_id = out.domain_name.substr(0, out.domain_name.find('.'));
    out.path = path.empty() ? "/" : std::string(path);
  }
  if (!is_url_id(out.url_id)) return std::nullopt;
  return out;
}

std::string format_url_time(Timestamp at) {
  return format_iso8601_millis(at);
}

}  // namespace virga::lambda
