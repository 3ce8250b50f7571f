#include "aws/sigv4.h"

#include <algorithm>
#include <array>

#include "aws/sigv4_canonical.h"
#include "aws/sigv4_errors.h"
#include "base/hashing.h"
#include "base/strings.h"

namespace virga::sigv4 {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

// The value of a query parameter as sent; names are compared as sent too, as AWS does for X-Amz-…
// ones.
std::optional<std::string_view> query_parameter(std::string_view query, std::string_view name) {
  size_t at = 0;
  while (at < query.size()) {
    const size_t end = std::min(query.find('&', at), query.size());
    const std::string_view item = query.substr(at, end - at);
    if (item.size() > name.size() && item[name.size()] == '=' && item.starts_with(name)) {
      return item.substr(name.size() + 1);
    }
    at = end + 1;
  }
  return std::nullopt;
}

// A decoded parameter, kept in the signature's storage when decoding changed it.
std::optional<std::string_view> decoded_parameter(Signature& out, std::string_view query,
                                                  std::string_view name) {
  const auto raw = query_parameter(query, name);
  if (!raw || raw->find('%') == std::string_view::npos) return raw;
  const auto decoded = percent_decode(*raw);
  if (!decoded) return raw;
  out.storage.emplace_back(decoded->begin(), decoded->end());
  return std::string_view(out.storage.back().data(), out.storage.back().size());
}

bool valid_region(std::string_view region) {
  if (region.empty() || region.size() > 64) return false;
  for (const char c : region) {
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '*')) return false;
  }
  return true;
}

Result<void> split_credential(Signature& out, std::string_view credential, ErrorFamily family) {
  std::array<std::string_view, 5> parts;
  size_t count = 0;
  size_t at = 0;
  for (; at <= credential.size(); ++count) {
    const size_t end = std::min(credential.find('/', at), credential.size());
    if (count < 5) parts[count] = credential.substr(at, end - at);
    at = end + 1;
  }
  if (count != 5) return fail(malformed_credential(family, out.presigned, credential));
  out.access_key_id = parts[0];
  out.date = parts[1];
  out.region = parts[2];
  out.service = parts[3];
  out.scope = credential.substr(std::min(parts[0].size() + 1, credential.size()));
  if (out.access_key_id.empty())
    return fail(malformed_credential(family, out.presigned, credential));
  if (parts[4] != "aws4_request") {
    return fail(
        wrong_scope(family, out.presigned,
                    "Credential should be scoped with a valid terminator: 'aws4_request', not '" +
                        std::string(parts[4]) + "'."));
  }
  if (family == ErrorFamily::s3) {
    // S3 names the region it expects, whatever it was told: s3cmd signs for `US` first and learns from the answer
    // (identify.cc holds the region against the server's own).
    if (out.region.empty()) return fail(region_missing(out.presigned));
  } else if (!valid_region(out.region)) {
    return fail(
        wrong_scope(family, out.presigned, "Credential should be scoped to a valid region. "));
  }
  return {};
}

Result<void> take_date(Signature& out, std::string_view text, ErrorFamily family) {
  auto at = parse_iso8601_basic(text);
  out.amz_date = text;
  if (!at) {
    at = parse_http_date(text);  // a Date header, RFC 9110
    if (!at) return fail(malformed_date(family, out.presigned, text));
    const std::string basic = format_iso8601_basic(*at);
    out.storage.emplace_back(basic.begin(), basic.end());
    out.amz_date = {out.storage.back().data(), out.storage.back().size()};
  }
  out.signed_at = *at;
  if (out.amz_date.substr(0, 8) == out.date) return {};
  return fail(wrong_scope(family, out.presigned,
                          "Date in Credential scope does not match YYYYMMDD from ISO-8601 version "
                          "of date from HTTP: '" +
                              std::string(out.date) + "' != '" +
                              std::string(out.amz_date.substr(0, 8)) + "', from '" +
                              std::string(out.amz_date) + "'."));
}

struct HeaderParts {
  std::string_view credential;
  std::string_view signed_headers;
  std::string_view signature;
};

// `Credential=…, SignedHeaders=…, Signature=…` in any order, blanks after the commas optional.
Result<HeaderParts> split_authorization(std::string_view parameters, std::string_view whole,
                                        ErrorFamily family) {
  HeaderParts parts;
  size_t at = 0;
  while (at < parameters.size()) {
    const size_t end = std::min(parameters.find(',', at), parameters.size());
    const std::string_view item = trim(parameters.substr(at, end - at));
    at = end + 1;
    if (item.empty()) continue;
    const size_t equals = item.find('=');
    if (equals == std::string_view::npos) return fail(missing_equals(family, item, whole));
    const std::string_view name = item.substr(0, equals);
    const std::string_view value = item.substr(equals + 1);
    if (name == "Credential") parts.credential = value;
    if (name == "SignedHeaders") parts.signed_headers = value;
    if (name == "Signature") parts.signature = value;
  }
  return parts;
}

Result<std::optional<Signature>> parse_header(const net::RequestHead& head,
                                              std::string_view authorization, ErrorFamily family) {
  const size_t space = std::min(authorization.find(' '), authorization.size());
  const std::string_view algorithm = authorization.substr(0, space);
  if (algorithm != kAlgorithm) return fail(unsupported_algorithm(family, false, algorithm));
  VIRGA_TRY(parts, split_authorization(authorization.substr(space), authorization, family));

  Signature out;
  const net::HeaderView* date = head.find("x-amz-date");
  if (!date) date = head.find("date");
  if (parts.credential.empty() || parts.signature.empty() || parts.signed_headers.empty() ||
      !date) {
    return fail(incomplete_header(family,
                                  {.credential = parts.credential.empty(),
                                   .signature = parts.signature.empty(),
                                   .signed_headers = parts.signed_headers.empty(),
                                   .date = date == nullptr},
                                  authorization));
  }
  VIRGA_TRY_VOID(split_credential(out, parts.credential, family));
  VIRGA_TRY_VOID(take_date(out, date->value, family));
  out.signed_headers = parts.signed_headers;
  out.signature = parts.signature;
  if (const net::HeaderView* const token = head.find("x-amz-security-token"))
    out.session_token = token->value;
  return std::optional<Signature>(std::move(out));
}

Result<void> take_expiry(Signature& out, std::optional<std::string_view> text, ErrorFamily family) {
  if (!text) return {};  // only S3 insists
  const auto seconds = parse_int(*text);
  if (!seconds) return fail(bad_expiry(family, "X-Amz-Expires should be a number"));
  if (*seconds < 0) return fail(bad_expiry(family, "X-Amz-Expires must be non-negative"));
  if (*seconds > 604'800) {
    return fail(bad_expiry(family,
                           "X-Amz-Expires must be less than a week (in seconds); that is, the "
                           "given X-Amz-Expires must "
                           "be less than 604800 seconds"));
  }
  out.expires_s = *seconds;
  return {};
}

Result<std::optional<Signature>> parse_query(const net::RequestHead& head, ErrorFamily family) {
  Signature out;
  out.presigned = true;
  out.storage.reserve(6);
  const auto algorithm = decoded_parameter(out, head.query, "X-Amz-Algorithm");
  const auto credential = decoded_parameter(out, head.query, "X-Amz-Credential");
  const auto signature = decoded_parameter(out, head.query, "X-Amz-Signature");
  const auto signed_headers = decoded_parameter(out, head.query, "X-Amz-SignedHeaders");
  const auto date = decoded_parameter(out, head.query, "X-Amz-Date");
  const auto expires = query_parameter(head.query, "X-Amz-Expires");
  const MissingParts missing{.algorithm = !algorithm,
                             .credential = !credential,
                             .signature = !signature,
                             .signed_headers = !signed_headers,
                             .date = !date,
                             .expires = !expires && family == ErrorFamily::s3};
  if (missing.any()) return fail(incomplete_query(family, missing));
  if (*algorithm != kAlgorithm) return fail(unsupported_algorithm(family, true, *algorithm));
  VIRGA_TRY_VOID(split_credential(out, *credential, family));
  VIRGA_TRY_VOID(take_date(out, *date, family));
  VIRGA_TRY_VOID(take_expiry(out, expires, family));
  out.signed_headers = *signed_headers;
  out.signature = *signature;
  if (const auto token = decoded_parameter(out, head.query, "X-Amz-Security-Token"))
    out.session_token = *token;
  return std::optional<Signature>(std::move(out));
}

bool is_signed(std::string_view signed_headers, std::string_view name) {
  for (size_t at = 0; at < signed_headers.size();) {
    const size_t end = std::min(signed_headers.find(';', at), signed_headers.size());
    if (signed_headers.substr(at, end - at) == name) return true;
    at = end + 1;
  }
  return false;
}

// S3 wants all of its own headers signed: whoever found a link must not add one. Source: S3 API
// Reference, "Signature Calculations for the Authorization Header", signed headers.
Result<void> check_all_signed(const net::RequestHead& head, std::string_view signed_headers) {
  constexpr std::string_view kOurs = "x-amz-";
  std::string missing;
  for (const auto& header : head.headers) {
    if (!iequals(header.name.substr(0, kOurs.size()), kOurs)) continue;
    const std::string name = to_lower(header.name);
    if (!is_signed(signed_headers, name)) missing += (missing.empty() ? "" : ", ") + name;
  }
  if (missing.empty()) return {};
  return fail(headers_not_signed(missing));
}

CanonicalInput canonical_input(const net::RequestHead& head, const Signature& signature,
                               std::string_view payload_hash) {
  return {.method = head.method,
          .path = head.path,
          .query = head.query,
          .headers = &head.headers,
          .signed_headers = signature.signed_headers,
          .payload_hash = payload_hash,
          .s3 = encodes_path_once(signature.service),
          .presigned = signature.presigned};
}

constexpr bool is_hash_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

}  // namespace

PayloadDeclaration declared_payload(const net::RequestHead& head) {
  using Kind = PayloadDeclaration::Kind;
  const net::HeaderView* const header = head.find("x-amz-content-sha256");
  if (!header) return {};
  const std::string_view text = header->value;
  if (text.size() == 64) {
    const bool hex = std::ranges::all_of(text, is_hash_digit);
    return {hex ? Kind::hash : Kind::unknown, text};
  }
  if (text == kUnsignedPayload) return {Kind::unsigned_payload, text};
  if (text == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD") return {Kind::streaming_signed, text};
  if (text == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER")
    return {Kind::streaming_signed_trailer, text};
  if (text == "STREAMING-UNSIGNED-PAYLOAD-TRAILER") return {Kind::streaming_unsigned_trailer, text};
  return {Kind::unknown, text};
}

Result<std::optional<std::string_view>> canonical_payload(const net::RequestHead& head,
                                                          const Signature& signature,
                                                          ErrorFamily family) {
  using Kind = PayloadDeclaration::Kind;
  if (family == ErrorFamily::s3 && signature.presigned) return kUnsignedPayload;
  const PayloadDeclaration declared = declared_payload(head);
  if (declared.kind != Kind::absent && declared.kind != Kind::unknown) return declared.text;
  if (family != ErrorFamily::s3) return std::nullopt;
  if (declared.kind == Kind::absent) {
    return fail("InvalidRequest", 400,
                "Missing required header for this request: x-amz-content-sha256");
  }
  return fail(bad_payload_declaration());
}

Result<std::optional<Signature>> parse(const net::RequestHead& head, ErrorFamily family) {
  const bool by_query = head.query.find("X-Amz-") != std::string_view::npos &&
                        (query_parameter(head.query, "X-Amz-Algorithm") ||
                         query_parameter(head.query, "X-Amz-Signature") ||
                         query_parameter(head.query, "X-Amz-Credential"));
  const net::HeaderView* const authorization = head.find("authorization");
  if (authorization && by_query) return fail(both_signatures(family));
  if (by_query) return parse_query(head, family);
  if (!authorization) return std::nullopt;
  if (authorization->value.starts_with("AWS4-"))
    return parse_header(head, authorization->value, family);
  if (family == ErrorFamily::s3 && !trim(authorization->value).empty())
    return fail(unsupported_scheme(authorization->value));
  return std::nullopt;
}

Result<void> check_scope(const Signature& signature, std::string_view service,
                         std::string_view region, ErrorFamily family) {
  if (signature.service != service) {
    return fail(wrong_scope(
        family, signature.presigned,
        "Credential should be scoped to correct service: '" + std::string(service) + "'. "));
  }
  if (!region.empty() && signature.region != region)
    return fail(wrong_region(family, signature, region));
  return {};
}

Result<void> check_link(const Signature& signature, Timestamp now, ErrorFamily family) {
  const int64_t age_s = now.seconds() - signature.signed_at.seconds();
  const bool limited = signature.presigned && signature.expires_s > 0;
  if (limited && age_s > signature.expires_s) return fail(link_expired(family, signature, now));
  return {};
}

Result<void> check_time(const Signature& signature, Timestamp now, ErrorFamily family) {
  const int64_t window_s = family == ErrorFamily::s3 ? 15 * 60 : 5 * 60;
  const int64_t age_s = now.seconds() - signature.signed_at.seconds();
  if (age_s < -window_s) return fail(not_yet_current(family, signature, now, window_s));
  if (signature.presigned && signature.expires_s > 0) return check_link(signature, now, family);
  if (age_s > window_s) return fail(signature_expired(family, signature, now, window_s));
  return {};
}

std::string canonical_request(const net::RequestHead& head, const Signature& signature,
                              std::string_view payload_hash) {
  std::string out;
  append_canonical_request(out, canonical_input(head, signature, payload_hash));
  return out;
}

std::string string_to_sign(const Signature& signature, std::string_view canonical_request) {
  std::string out;
  append_string_to_sign(out, signature.amz_date, signature.scope, canonical_request);
  return out;
}

Result<void> verify(const net::RequestHead& head, const Signature& signature,
                    std::string_view secret_key, std::string_view payload_hash,
                    ErrorFamily family) {
  if (!is_signed(signature.signed_headers, "host")) return fail(host_not_signed(family));
  if (family == ErrorFamily::s3) VIRGA_TRY_VOID(check_all_signed(head, signature.signed_headers));
  thread_local std::string canonical;
  thread_local std::string to_sign;
  canonical.clear();
  to_sign.clear();
  append_canonical_request(canonical, canonical_input(head, signature, payload_hash));
  append_string_to_sign(to_sign, signature.amz_date, signature.scope, canonical);
  const std::string expected =
      sign_text(secret_key, signature.date, signature.region, signature.service, to_sign);
  if (equal_constant_time(expected, signature.signature)) return {};
  return fail(mismatch(family, signature, canonical, to_sign));
}

}  // namespace virga::sigv4
