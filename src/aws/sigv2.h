#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "net/http_parser.h"

// AWS Signature Version 2 as S3 took it, and as older SDKs still sign links: AWSAccessKeyId,
// Expires and Signature in the query, or "Authorization: AWS KEY:SIGNATURE". Source: S3 User Guide,
// "Signing and authenticating REST requests (AWS signature version 2)".
namespace virga::sigv2 {

struct Signature {
  bool presigned = false;
  std::string access_key_id;
  std::string signature;      // base64
  std::string session_token;  // empty when none
  int64_t expires_s = 0;      // presigned: seconds since 1970
};

// nullopt: the request carries none. Errors: AccessDenied when a link's parameters are incomplete.
Result<std::optional<Signature>> parse(const net::RequestHead& head);

// `path` is the request's in path style, as sent. Error: SignatureDoesNotMatch.
Result<void> verify(const net::RequestHead& head, std::string_view path, const Signature& signature,
                    std::string_view secret_key);

// base64(HMAC-SHA1(secret, text)): also of browser uploads' policies.
std::string sign(std::string_view secret_key, std::string_view text);

}  // namespace virga::sigv2
