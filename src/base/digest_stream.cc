#include "base/digest_stream.h"

#include <openssl/evp.h>

#include "base/check.h"

namespace virga {
namespace {

// Fetched once each: an implicit fetch takes locks.
EVP_MD* method_of(DigestStream::Kind kind) {
  static EVP_MD* const md5 = EVP_MD_fetch(nullptr, "MD5", nullptr);
  static EVP_MD* const sha1 = EVP_MD_fetch(nullptr, "SHA1", nullptr);
  static EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  static EVP_MD* const sha512 = EVP_MD_fetch(nullptr, "SHA512", nullptr);
  switch (kind) {
    case DigestStream::Kind::md5:
      return md5;
    case DigestStream::Kind::sha1:
      return sha1;
    case DigestStream::Kind::sha256:
      return sha256;
    case DigestStream::Kind::sha512:
      return sha512;
  }
  return nullptr;
}

}  // namespace

struct DigestStream::Impl {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~Impl() { EVP_MD_CTX_free(context); }
};

DigestStream::DigestStream(Kind kind) : impl_(std::make_unique<Impl>()) {
  CHECK(EVP_DigestInit_ex2(impl_->context, method_of(kind), nullptr) == 1);
}
DigestStream::~DigestStream() = default;
DigestStream::DigestStream(DigestStream&&) noexcept = default;
DigestStream& DigestStream::operator=(DigestStream&&) noexcept = default;

void DigestStream::update(std::string_view bytes) {
  CHECK(EVP_DigestUpdate(impl_->context, bytes.data(), bytes.size()) == 1);
}

std::string DigestStream::finish() {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  CHECK(EVP_DigestFinal_ex(impl_->context, out, &size) == 1);
  return std::string(reinterpret_cast<const char*>(out), size);
}

}  // namespace virga
