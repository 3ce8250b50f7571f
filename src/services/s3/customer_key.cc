#include "services/s3/customer_key.h"

#include <openssl/evp.h>

#include "base/check.h"
#include "base/hashing.h"
#include "base/strings.h"
#include "services/s3/errors.h"

namespace virga::s3 {
namespace {

constexpr std::string_view kPrefix =
    "Requests specifying Server Side Encryption with Customer provided keys must provide ";
constexpr std::string_view kHeader = "x-amz-server-side-encryption-customer-";

AwsError refuse(std::string_view what, std::string_view header) {
  return errors::invalid_argument(std::string(kPrefix) + std::string(what),
                                  std::string(kHeader) + std::string(header), "null");
}

}  // namespace

Result<std::optional<CustomerKey>> parse_customer_key(const std::optional<std::string>& algorithm,
                                                      const std::optional<std::string>& key,
                                                      const std::optional<std::string>& key_md5) {
  if (!algorithm && !key && !key_md5) return std::nullopt;
  if (!algorithm) return fail(refuse("a valid encryption algorithm.", "algorithm"));
  if (*algorithm != "AES256") {
    return fail(errors::make(
        "InvalidEncryptionAlgorithmError", 400,
        "The Encryption request you specified is not valid. Supported value: AES256."));
  }
  if (!key) return fail(refuse("an appropriate secret key.", "key"));
  if (!key_md5) return fail(refuse("the client calculated MD5 of the secret key.", "key-MD5"));
  auto raw = from_base64(*key);
  if (!raw || raw->size() != 32) {
    return fail(errors::invalid_argument("The secret key was invalid for the specified algorithm.",
                                         std::string(kHeader) + "key", "null"));
  }
  if (to_base64(md5(*raw)) != *key_md5) {
    return fail(errors::invalid_argument(
        "The calculated MD5 hash of the key did not match the hash that was provided.",
        std::string(kHeader) + "key-MD5", *key_md5));
  }
  return std::optional<CustomerKey>(CustomerKey{std::move(*raw), *key_md5});
}

struct KeyStream::Impl {
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  ~Impl() { EVP_CIPHER_CTX_free(context); }
};

KeyStream::KeyStream(std::string_view key, std::string_view nonce, uint64_t offset)
    : impl_(std::make_unique<Impl>()) {
  CHECK(key.size() == 32 && nonce.size() == 16);
  unsigned char counter[16];
  uint64_t carry = offset / 16;
  for (size_t i = 16; i > 0; --i) {
    carry += static_cast<unsigned char>(nonce[i - 1]);
    counter[i - 1] = static_cast<unsigned char>(carry);
    carry >>= 8;
  }
  CHECK(EVP_EncryptInit_ex2(impl_->context, EVP_aes_256_ctr(),
                            reinterpret_cast<const unsigned char*>(key.data()), counter,
                            nullptr) == 1);
  std::string skipped(offset % 16, '\0');
  apply(skipped);
}
KeyStream::~KeyStream() = default;
KeyStream::KeyStream(KeyStream&&) noexcept = default;

void KeyStream::apply(std::string& bytes) {
  if (bytes.empty()) return;
  auto* const data = reinterpret_cast<unsigned char*>(bytes.data());
  int written = 0;
  CHECK(EVP_EncryptUpdate(impl_->context, data, &written, data, static_cast<int>(bytes.size())) ==
        1);
}

}  // namespace virga::s3
