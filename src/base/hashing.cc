#include "base/hashing.h"

#define OPENSSL_SUPPRESS_DEPRECATED  // SHA256_…, MD5_…: see sha256()

#include <isa-l/crc.h>
#include <openssl/evp.h>
#include <openssl/md5.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <zlib.h>

#include <cstring>
#include <type_traits>

#include "base/check.h"

namespace virga {
namespace {

// Fetched once: an implicit fetch costs 30 % of a small digest.
EVP_MD* fetched(const char* name) {
  EVP_MD* md = EVP_MD_fetch(nullptr, name, nullptr);
  CHECK(md != nullptr);
  return md;
}
struct ContextDeleter {
  void operator()(EVP_MD_CTX* c) const { EVP_MD_CTX_free(c); }
};
using Context = std::unique_ptr<EVP_MD_CTX, ContextDeleter>;

void digest_into(EVP_MD* md, std::string_view bytes, unsigned char* out) {
  thread_local Context context(EVP_MD_CTX_new());
  CHECK(EVP_DigestInit_ex2(context.get(), md, nullptr) == 1);
  CHECK(EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1);
  CHECK(EVP_DigestFinal_ex(context.get(), out, nullptr) == 1);
}

}  // namespace

// The digest's own functions: EVP's layer costs as much as three blocks, and most texts here are
// four.
Sha256 sha256(std::string_view bytes) {
  SHA256_CTX state;
  SHA256_Init(&state);
  SHA256_Update(&state, bytes.data(), bytes.size());
  Sha256 out;
  SHA256_Final(out.data(), &state);
  return out;
}

static_assert(sizeof(SHA256_CTX) == 112 && std::is_trivially_copyable_v<SHA256_CTX>);

// RFC 2104.
HmacSha256Key::HmacSha256Key(std::string_view key) {
  constexpr size_t kBlock = 64;
  unsigned char block[kBlock] = {};
  if (key.size() > kBlock) {
    const Sha256 short_key = sha256(key);
    std::copy(short_key.begin(), short_key.end(), block);
  } else {
    std::copy(key.begin(), key.end(), block);
  }
  const auto absorb = [&](unsigned char mask, unsigned char* into) {
    unsigned char pad[kBlock];
    for (size_t i = 0; i < kBlock; ++i) pad[i] = block[i] ^ mask;
    SHA256_CTX state;
    SHA256_Init(&state);
    SHA256_Update(&state, pad, kBlock);
    std::memcpy(into, &state, sizeof state);
  };
  absorb(0x36, inner_);
  absorb(0x5c, outer_);
}

Sha256 HmacSha256Key::sign(std::string_view bytes) const {
  SHA256_CTX state;
  Sha256 digest;
  std::memcpy(&state, inner_, sizeof state);
  SHA256_Update(&state, bytes.data(), bytes.size());
  SHA256_Final(digest.data(), &state);
  std::memcpy(&state, outer_, sizeof state);
  SHA256_Update(&state, digest.data(), digest.size());
  SHA256_Final(digest.data(), &state);
  return digest;
}

Sha256 hmac_sha256(std::string_view key, std::string_view bytes) {
  return HmacSha256Key(key).sign(bytes);
}

std::string md5(std::string_view bytes) {
  MD5_CTX state;
  MD5_Init(&state);
  MD5_Update(&state, bytes.data(), bytes.size());
  std::string out(MD5_DIGEST_LENGTH, '\0');
  MD5_Final(reinterpret_cast<unsigned char*>(out.data()), &state);
  return out;
}

std::string sha1(std::string_view bytes) {
  static EVP_MD* md = fetched("SHA1");
  std::string out(20, '\0');
  digest_into(md, bytes, reinterpret_cast<unsigned char*>(out.data()));
  return out;
}

uint32_t crc32(std::string_view bytes, uint32_t seed) {
  return crc32_gzip_refl(seed, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

uint32_t crc32c(std::string_view bytes, uint32_t seed) {
  // isa-l takes int lengths and leaves the final inversion to the caller.
  uint32_t crc = ~seed;
  while (!bytes.empty()) {
    const size_t part = std::min<size_t>(bytes.size(), size_t{1} << 30);
    crc = crc32_iscsi(reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data())),
                      static_cast<int>(part), crc);
    bytes.remove_prefix(part);
  }
  return ~crc;
}

struct Sha256Stream::Impl {
  SHA256_CTX state;
};
Sha256Stream::Sha256Stream() : impl_(std::make_unique<Impl>()) {
  SHA256_Init(&impl_->state);
}
Sha256Stream::~Sha256Stream() = default;
Sha256Stream::Sha256Stream(Sha256Stream&&) noexcept = default;
Sha256Stream& Sha256Stream::operator=(Sha256Stream&&) noexcept = default;
void Sha256Stream::update(std::string_view bytes) {
  SHA256_Update(&impl_->state, bytes.data(), bytes.size());
}
Sha256 Sha256Stream::finish() {
  Sha256 out;
  SHA256_Final(out.data(), &impl_->state);
  return out;
}

std::string secure_random_bytes(size_t count) {
  std::string out(count, '\0');
  CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(count)) == 1);
  return out;
}

}  // namespace virga
