#include "platform/proxy_payload.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/strings.h"

namespace virga::platform {
namespace {

// Headers that belong to the connection or to the endpoint: a function's are dropped.
bool is_own_header(std::string_view name) {
  return name == "connection" || name == "content-length" || name == "transfer-encoding" ||
         name == "keep-alive" || name == "upgrade" || name == "te" || name == "trailer" ||
         name == "date" || name == "apigw-requestid";
}

std::optional<std::string> scalar_text(const Document& value) {
  if (value.is_string()) return value.as_string();
  if (value.is_bool() || value.is_number()) return to_json(value);
  return std::nullopt;
}

bool add_header(ProxyReply& reply, std::string_view name, const Document& value, bool replace) {
  if (value.is_null()) return true;
  auto text = scalar_text(value);
  if (!text || !is_header_name(name) || !is_header_value(*text)) return false;
  std::string lower = to_lower(name);
  if (is_own_header(lower)) return true;
  if (replace) {
    reply.set(lower, std::move(*text));
  } else {
    reply.headers.emplace_back(std::move(lower), std::move(*text));
  }
  return true;
}

bool take_headers(const Document& answer, ProxyReply& reply) {
  const Document* headers = answer.find("headers");
  if (!headers || headers->is_null()) return true;
  if (!headers->is_object()) return false;
  for (const auto& [name, value] : headers->as_object()) {
    if (!add_header(reply, name, value, true)) return false;
  }
  return true;
}

// A name in multiValueHeaders takes the place of the same name in headers.
bool take_multi_value_headers(const Document& answer, ProxyReply& reply) {
  const Document* headers = answer.find("multiValueHeaders");
  if (!headers || headers->is_null()) return true;
  if (!headers->is_object()) return false;
  for (const auto& [name, values] : headers->as_object()) {
    if (values.is_null()) continue;
    if (!values.is_array()) return false;
    reply.remove(name);
    for (const auto& value : values.as_array()) {
      if (!add_header(reply, name, value, false)) return false;
    }
  }
  return true;
}

bool take_cookies(const Document& answer, ProxyReply& reply) {
  const Document* cookies = answer.find("cookies");
  if (!cookies || cookies->is_null()) return true;
  if (!cookies->is_array()) return false;
  for (const auto& cookie : cookies->as_array()) {
    if (!cookie.is_string() || !is_header_value(cookie.as_string())) return false;
    reply.headers.emplace_back("set-cookie", cookie.as_string());
  }
  return true;
}

bool take_status(const Document& status, ProxyReply& reply) {
  std::optional<int64_t> number;
  if (status.is_int()) number = status.as_int();
  if (status.is_string()) number = parse_int(status.as_string());
  if (status.is_double() &&
      status.as_double() == static_cast<double>(static_cast<int>(status.as_double()))) {
    number = static_cast<int64_t>(status.as_double());
  }
  if (!number || *number < 200 || *number > 599) return false;
  reply.status = static_cast<int>(*number);
  return true;
}

bool take_body(const Document& answer, ProxyReply& reply) {
  const Document* encoded = answer.find("isBase64Encoded");
  const bool base64 = encoded && ((encoded->is_bool() && encoded->as_bool()) ||
                                  (encoded->is_string() && iequals(encoded->as_string(), "true")));
  const Document* body = answer.find("body");
  if (!body || body->is_null()) return true;
  auto text = scalar_text(*body);
  if (!text) return false;
  if (!base64) {
    reply.body = std::move(*text);
    return true;
  }
  auto bytes = from_base64(*text);
  if (!bytes) return false;
  reply.body = std::move(*bytes);
  return true;
}

}  // namespace

std::string text_of(std::string_view bytes) {
  if (is_utf8(bytes)) return std::string(bytes);
  std::string out;
  for (const char c : bytes) {
    const auto b = static_cast<unsigned char>(c);
    if (b < 0x80) {
      out.push_back(c);
    } else {
      out.push_back(static_cast<char>(0xC0 | (b >> 6)));
      out.push_back(static_cast<char>(0x80 | (b & 0x3F)));
    }
  }
  return out;
}

void write_member(JsonWriter& out, std::string_view name, std::string_view value) {
  out.key(text_of(name));
  out.string(text_of(value));
}

std::vector<std::string_view> cookies_of(std::string_view value) {
  std::vector<std::string_view> out;
  for (const auto piece : split(value, ';')) {
    const auto cookie = trim(piece);
    if (!cookie.empty()) out.push_back(cookie);
  }
  return out;
}

bool is_cookie_header(std::string_view name) {
  return iequals(name, "cookie");
}

void write_iam_caller(JsonWriter& out, const Principal& caller) {
  out.key("iam");
  out.begin_object();
  write_member(out, "accessKey", caller.access_key_id);
  write_member(out, "accountId", caller.account);
  write_member(out, "callerId", caller.user_id);
  out.key("cognitoIdentity");
  out.null();
  out.key("principalOrgId");
  out.null();
  write_member(out, "userArn", caller.arn);
  write_member(out, "userId", caller.user_id);
  out.end_object();
}

std::vector<std::pair<std::string, std::string>> parse_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> out;
  if (query.empty()) return out;
  const auto decode = [](std::string_view text) {
    auto plain = percent_decode(text, PlusIsSpace::yes);
    return plain ? std::move(*plain) : std::string(text);
  };
  for (const auto pair : split(query, '&')) {
    if (pair.empty()) continue;
    const size_t equals = pair.find('=');
    if (equals == std::string_view::npos) {
      out.emplace_back(decode(pair), "");
    } else {
      out.emplace_back(decode(pair.substr(0, equals)), decode(pair.substr(equals + 1)));
    }
  }
  return out;
}

std::string format_request_time(Timestamp t) {
  static constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const CivilTime c = to_civil(t);
  char buffer[48];
  const int n = std::snprintf(buffer, sizeof buffer, "%02d/%s/%04d:%02d:%02d:%02d +0000", c.day,
                              kMonths[static_cast<size_t>(c.month - 1) % 12], c.year, c.hour,
                              c.minute, c.second);
  return std::string(buffer, static_cast<size_t>(n));
}

// Observed on AWS with payload 2.0: text/*, application/json, application/xml and
// application/javascript come as text, with or without parameters; all else as base64.
bool is_text_content_type(std::optional<std::string_view> content_type) {
  if (!content_type) return false;
  std::string_view type = *content_type;
  type = trim(type.substr(0, type.find(';')));
  const std::string lower = to_lower(type);
  return lower.starts_with("text/") || lower == "application/json" || lower == "application/xml" ||
         lower == "application/javascript";
}

std::optional<std::string_view> ProxyReply::header(std::string_view name) const {
  for (const auto& [n, v] : headers) {
    if (iequals(n, name)) return v;
  }
  return std::nullopt;
}

void ProxyReply::set(std::string_view name, std::string value) {
  for (auto& [n, v] : headers) {
    if (iequals(n, name)) {
      v = std::move(value);
      return;
    }
  }
  headers.emplace_back(to_lower(name), std::move(value));
}

void ProxyReply::remove(std::string_view name) {
  std::erase_if(headers, [&](const auto& h) { return iequals(h.first, name); });
}

std::optional<ProxyReply> read_proxy_reply(const Document& answer, ProxyFormat format) {
  ProxyReply reply;
  const Document* status = answer.find("statusCode");
  if (!status || !take_status(*status, reply) || !take_headers(answer, reply)) return std::nullopt;
  const bool good = format == ProxyFormat::v1 ? take_multi_value_headers(answer, reply)
                                              : take_cookies(answer, reply);
  if (!good || !take_body(answer, reply)) return std::nullopt;
  return reply;
}

bool is_header_name(std::string_view name) {
  static constexpr std::string_view kTokenMarks = "!#$%&'*+-.^_`|~";  // RFC 9110 §5.6.2
  if (name.empty()) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kTokenMarks.find(c) != std::string_view::npos;
  });
}

bool is_header_value(std::string_view value) {
  return std::none_of(value.begin(), value.end(), [](char c) {
    const auto b = static_cast<unsigned char>(c);
    return (b < 0x20 && c != '\t') || b == 0x7F;
  });
}

}  // namespace virga::platform
