#include "platform/endpoint_manners.h"

#include <algorithm>
#include <array>

#include "base/hashing.h"
#include "base/strings.h"

namespace virga::platform {
namespace {

net::HttpResponse answer(int status, std::string_view content_type, std::string body) {
  net::HttpResponse r;
  r.status = status;
  if (!content_type.empty()) r.headers.add("Content-Type", content_type);
  r.headers.add("x-amz-crc32", std::to_string(crc32(body)));
  r.body = std::move(body);
  return r;
}

bool is_json_type(std::string_view content_type) {
  const std::string type = to_lower(content_type.substr(0, content_type.find(';')));
  return type == "application/json" || type.starts_with("application/x-amz-json-1.");
}

net::HttpResponse preflight(const net::HttpRequest& request) {
  net::HttpResponse r = answer(200, "", "");
  r.headers.add("Access-Control-Allow-Headers",
                request.header_or("Access-Control-Request-Headers", "*"));
  r.headers.add("Access-Control-Allow-Methods",
                request.header_or("Access-Control-Request-Method", "POST"));
  r.headers.add("Access-Control-Max-Age", "172800");
  return r;
}

std::string xml_error(std::string_view outer, std::string_view inner, std::string_view message) {
  std::string out = "<" + std::string(outer) + ">";
  if (!inner.empty()) out += "<" + std::string(inner) + ">";
  out +=
      "<Error><Code>NotImplemented</Code><Message>" + std::string(message) + "</Message></Error>";
  if (!inner.empty()) out += "</" + std::string(inner) + ">";
  return out + "</" + std::string(outer) + ">";
}

}  // namespace

std::optional<net::HttpResponse> endpoint_answer(const aws::ServiceDesc& service,
                                                 const net::HttpRequest& request,
                                                 std::string_view region) {
  if (service.protocols[0] != aws::Protocol::json) return std::nullopt;
  const bool root = request.path() == "/";
  if (root && request.method() == "GET") {
    return answer(200, "",
                  "healthy: " + std::string(service.endpoint_prefix) + "." + std::string(region) +
                      ".amazonaws.com ");
  }
  if (request.method() == "OPTIONS" && request.header("Origin")) return preflight(request);
  const bool typed = request.size() == 0 || is_json_type(request.header_or("Content-Type", {}));
  if (root && request.method() == "POST" && typed) return std::nullopt;
  return answer(404, "", "<UnknownOperationException/>\n");
}

net::HttpResponse unknown_service_answer(std::string_view service, bool form) {
  // Their REST protocols are XML. Source: the services' API references.
  static constexpr std::array<std::string_view, 3> kRestXml{"cloudfront", "s3-outposts",
                                                            "s3express"};
  const bool rest_xml = std::find(kRestXml.begin(), kRestXml.end(), service) != kRestXml.end();
  const std::string message =
      "NotImplemented: the service '" + percent_encode(service) + "' is not part of Virga.";
  if (form && service == "ec2")
    return answer(501, "text/xml", xml_error("Response", "Errors", message));
  if (form || rest_xml) return answer(501, "text/xml", xml_error("ErrorResponse", "", message));
  auto json = answer(501, "application/json",
                     "{\"__type\":\"NotImplemented\",\"message\":\"" + message + "\"}");
  json.headers.add("x-amzn-ErrorType", "NotImplemented");
  return json;
}

}  // namespace virga::platform
