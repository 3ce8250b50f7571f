#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace virga {

using Sha256 = std::array<unsigned char, 32>;

inline std::string_view as_bytes(const Sha256& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

Sha256 sha256(std::string_view bytes);
Sha256 hmac_sha256(std::string_view key, std::string_view bytes);

// One key for many MACs: the two blocks that depend on the key only are hashed once.
class HmacSha256Key {
 public:
  HmacSha256Key() : HmacSha256Key(std::string_view()) {}
  explicit HmacSha256Key(std::string_view key);
  Sha256 sign(std::string_view bytes) const;

 private:
  alignas(8) unsigned char inner_[112];  // digest states after the padded key
  alignas(8) unsigned char outer_[112];
};

std::string md5(std::string_view bytes);   // 16 raw bytes
std::string sha1(std::string_view bytes);  // 20 raw bytes

uint32_t crc32(std::string_view bytes, uint32_t seed = 0);   // IEEE 802.3, as zlib and x-amz-crc32
uint32_t crc32c(std::string_view bytes, uint32_t seed = 0);  // Castagnoli, RFC 3720

// SHA-256 of a text that arrives in parts.
class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  Sha256Stream(Sha256Stream&&) noexcept;
  Sha256Stream& operator=(Sha256Stream&&) noexcept;
  void update(std::string_view bytes);
  Sha256 finish();  // once

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Bytes from the operating system's generator, for keys and secrets only. What must replay in
// simulation asks async::Random instead.
std::string secure_random_bytes(size_t count);

}  // namespace virga
