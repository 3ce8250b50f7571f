#include "base/hashing.h"

#include <isa-l/crc.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <zlib.h>

#include "base/check.h"

namespace virga {
namespace {

// Fetched once: an implicit fetch costs 30 % of a small digest.
EVP_MD* fetched(const char* name) {
  EVP_MD* md = EVP_MD_fetch(nullptr, name, nullptr);
  CHECK(md != nullptr);
  return md;
}
EVP_MD* sha256_md() {
  static EVP_MD* md = fetched("SHA256");
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

Sha256 sha256(std::string_view bytes) {
  Sha256 out;
  digest_into(sha256_md(), bytes, out.data());
  return out;
}

// RFC 2104 over our own digest context: the one-shot HMAC() of OpenSSL 3 costs 4 times as much.
Sha256 hmac_sha256(std::string_view key, std::string_view bytes) {
  constexpr size_t kBlock = 64;
  unsigned char block[kBlock] = {};
  if (key.size() > kBlock) {
    const Sha256 short_key = sha256(key);
    std::copy(short_key.begin(), short_key.end(), block);
  } else {
    std::copy(key.begin(), key.end(), block);
  }
  unsigned char pad[kBlock];
  thread_local Context context(EVP_MD_CTX_new());
  Sha256 inner;
  for (size_t i = 0; i < kBlock; ++i) pad[i] = block[i] ^ 0x36;
  CHECK(EVP_DigestInit_ex2(context.get(), sha256_md(), nullptr) == 1);
  EVP_DigestUpdate(context.get(), pad, kBlock);
  EVP_DigestUpdate(context.get(), bytes.data(), bytes.size());
  EVP_DigestFinal_ex(context.get(), inner.data(), nullptr);
  for (size_t i = 0; i < kBlock; ++i) pad[i] = block[i] ^ 0x5c;
  Sha256 out;
  CHECK(EVP_DigestInit_ex2(context.get(), sha256_md(), nullptr) == 1);
  EVP_DigestUpdate(context.get(), pad, kBlock);
  EVP_DigestUpdate(context.get(), inner.data(), inner.size());
  EVP_DigestFinal_ex(context.get(), out.data(), nullptr);
  return out;
}

std::string md5(std::string_view bytes) {
  static EVP_MD* md = fetched("MD5");
  std::string out(16, '\0');
  digest_into(md, bytes, reinterpret_cast<unsigned char*>(out.data()));
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
  Context context{EVP_MD_CTX_new()};
};
Sha256Stream::Sha256Stream() : impl_(std::make_unique<Impl>()) {
  CHECK(EVP_DigestInit_ex2(impl_->context.get(), sha256_md(), nullptr) == 1);
}
Sha256Stream::~Sha256Stream() = default;
Sha256Stream::Sha256Stream(Sha256Stream&&) noexcept = default;
Sha256Stream& Sha256Stream::operator=(Sha256Stream&&) noexcept = default;
void Sha256Stream::update(std::string_view bytes) {
  CHECK(EVP_DigestUpdate(impl_->context.get(), bytes.data(), bytes.size()) == 1);
}
Sha256 Sha256Stream::finish() {
  Sha256 out;
  CHECK(EVP_DigestFinal_ex(impl_->context.get(), out.data(), nullptr) == 1);
  return out;
}

std::string secure_random_bytes(size_t count) {
  std::string out(count, '\0');
  CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(count)) == 1);
  return out;
}

}  // namespace virga
