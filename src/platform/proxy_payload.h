#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/context.h"
#include "base/document.h"
#include "base/json.h"
#include "base/time.h"

// What the endpoints that turn HTTP into function calls have in common (HTTP APIs, function URLs):
// pieces of the events that functions receive, and what their answers mean. Source: API Gateway
// Developer Guide, "Create AWS Lambda proxy integrations for HTTP APIs"; Lambda Developer Guide,
// "Invoking Lambda function URLs".
namespace virga::platform {

// Header values may be any bytes; JSON is UTF-8, so what is not is read as ISO 8859-1.
std::string text_of(std::string_view bytes);
void write_member(JsonWriter& out, std::string_view name, std::string_view value);

// Decoded names and values of a query string, in its order.
std::vector<std::pair<std::string, std::string>> parse_query(std::string_view query);

// 12/Mar/2020:19:03:58 +0000
std::string format_request_time(Timestamp t);

// True when a body of this content type reaches a function as text; everything else, a missing type
// and application/x-www-form-urlencoded included, is base64.
bool is_text_content_type(std::optional<std::string_view> content_type);

// Member "cookies" of format 2.0, when there are any; `headers` has members name and value.
template <class Headers>
void write_cookies(JsonWriter& out, const Headers& headers);

// Member "iam" of an event's authorizer: who signed the request.
void write_iam_caller(JsonWriter& out, const Principal& caller);

// A function's answer as HTTP. Header names in lower case.
struct ProxyReply {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  std::optional<std::string_view> header(std::string_view name) const;
  void set(std::string_view name, std::string value);
  void remove(std::string_view name);
};

enum class ProxyFormat { v1, v2 };
// An answer that has a statusCode: with headers, cookies (2.0) or multiValueHeaders (1.0), body and
// isBase64Encoded; nullopt when it is malformed. What belongs to the connection is left out.
std::optional<ProxyReply> read_proxy_reply(const Document& answer, ProxyFormat format);

// True for header names and values that may go on the wire.
bool is_header_name(std::string_view name);
bool is_header_value(std::string_view value);

// --- of templates only

// The cookies of a Cookie header's value.
std::vector<std::string_view> cookies_of(std::string_view value);
bool is_cookie_header(std::string_view name);

template <class Headers>
void write_cookies(JsonWriter& out, const Headers& headers) {
  bool begun = false;
  for (const auto& header : headers) {
    if (!is_cookie_header(header.name)) continue;
    for (const auto cookie : cookies_of(header.value)) {
      if (!std::exchange(begun, true)) {
        out.key("cookies");
        out.begin_array();
      }
      out.string(text_of(cookie));
    }
  }
  if (begun) out.end_array();
}

}  // namespace virga::platform
