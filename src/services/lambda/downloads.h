#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "async/clock.h"
#include "aws/context.h"
#include "services/lambda/code_store.h"

namespace virga::lambda {

// Code.Location: an address that anyone who has it can read for ten minutes, as AWS's presigned
// one. Source: Lambda API Reference, GetFunction: "a link to download the deployment package that's
// valid for 10 minutes".
//
// The front routes GET /_virga/lambda-code/HASH?Expires=…&Signature=… to fetch(), without
// credentials: the signature is the permission. The key lives as long as the process. Any loop.
class CodeDownloads {
 public:
  static constexpr std::string_view kPrefix = "/_virga/lambda-code/";
  static constexpr int64_t kValidSeconds = 600;

  explicit CodeDownloads(CodeStore& store);

  std::string url(const Endpoint& endpoint, std::string_view sha256_hex, async::WallTime now) const;
  // `target` is path and query. The zip's bytes; AccessDenied (403) for what we did not sign or
  // what expired.
  Task<std::string> fetch(std::string target, async::WallTime now);

 private:
  std::string sign(std::string_view sha256_hex, std::string_view expires) const;

  CodeStore& store_;
  std::string key_;
};

}  // namespace virga::lambda
