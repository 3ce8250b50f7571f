#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "async/byte_stream.h"
#include "base/error.h"

// Server-side encryption with a key that the customer sends along (SSE-C): content is encrypted
// with AES-256 in counter mode and the key is forgotten. Source: S3 User Guide, "Using server-side
// encryption with customer-provided keys".
namespace virga::s3 {

struct CustomerKey {
  std::string key;         // 32 bytes
  std::string md5_base64;  // what the object remembers of it
};

// From the three headers; nullopt when none is there. Errors: InvalidArgument,
// InvalidEncryptionAlgorithmError.
Result<std::optional<CustomerKey>> parse_customer_key(const std::optional<std::string>& algorithm,
                                                      const std::optional<std::string>& key,
                                                      const std::optional<std::string>& key_md5);

// The cipher at a place of its stream: encrypting and decrypting are the same. `nonce` has 16
// bytes.
class KeyStream {
 public:
  KeyStream(std::string_view key, std::string_view nonce, uint64_t offset = 0);
  ~KeyStream();
  KeyStream(KeyStream&&) noexcept;
  void apply(std::string& bytes);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace virga::s3
