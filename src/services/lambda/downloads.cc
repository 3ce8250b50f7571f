#include "services/lambda/downloads.h"

#include "base/hashing.h"
#include "base/strings.h"

namespace virga::lambda {
namespace {

AwsError denied(const char* message) {
  return AwsError{.code = "AccessDenied", .http_status = 403, .message = message};
}

}  // namespace

CodeDownloads::CodeDownloads(CodeStore& store) : store_(store), key_(secure_random_bytes(32)) {}

std::string CodeDownloads::sign(std::string_view sha256_hex, std::string_view expires) const {
  const auto mac = hmac_sha256(key_, std::string(sha256_hex) + "\n" + std::string(expires));
  return to_hex(as_bytes(mac));
}

std::string CodeDownloads::url(const Endpoint& endpoint, std::string_view sha256_hex,
                               async::WallTime now) const {
  const std::string expires = std::to_string(now.at.seconds() + kValidSeconds);
  return endpoint.url() + std::string(kPrefix) + std::string(sha256_hex) + "?Expires=" + expires +
         "&Signature=" + sign(sha256_hex, expires);
}

Task<std::string> CodeDownloads::fetch(std::string target, async::WallTime now) {
  const std::string_view text = target;
  const size_t question = text.find('?');
  if (!text.starts_with(kPrefix) || question == std::string_view::npos)
    co_return fail(denied("Access Denied"));
  const std::string hash(text.substr(kPrefix.size(), question - kPrefix.size()));
  std::string expires, signature;
  for (const auto part : split(text.substr(question + 1), '&')) {
    if (part.starts_with("Expires=")) expires = std::string(part.substr(8));
    if (part.starts_with("Signature=")) signature = std::string(part.substr(10));
  }
  if (!equal_constant_time(signature, sign(hash, expires))) co_return fail(denied("Access Denied"));
  const auto until = parse_int(expires);
  if (!until || now.at.seconds() > *until) co_return fail(denied("Request has expired"));
  auto bytes = co_await store_.zip(hash);
  co_return bytes;
}

}  // namespace virga::lambda
