#include "services/iam/key_material.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <memory>

#include "base/hashing.h"
#include "base/strings.h"

namespace virga::iam {
namespace {

struct FreeOpenSsl {
  void operator()(BIO* b) const { BIO_free(b); }
  void operator()(X509* x) const { X509_free(x); }
  void operator()(EVP_PKEY* k) const { EVP_PKEY_free(k); }
  void operator()(EVP_PKEY_CTX* c) const { EVP_PKEY_CTX_free(c); }
  void operator()(BIGNUM* n) const { BN_free(n); }
  void operator()(OSSL_PARAM_BLD* b) const { OSSL_PARAM_BLD_free(b); }
  void operator()(OSSL_PARAM* p) const { OSSL_PARAM_free(p); }
};
template <class T>
using Held = std::unique_ptr<T, FreeOpenSsl>;

constexpr int kRsaBitsMin = 2048;
constexpr std::string_view kRsaName = "ssh-rsa";

Held<BIO> reader_of(std::string_view text) {
  return Held<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Encrypted keys have no password here; without a callback OpenSSL would ask the terminal.
int no_password(char*, int, int, void*) {
  return 0;
}

Held<X509> next_certificate(BIO* from) {
  return Held<X509>(PEM_read_bio_X509(from, nullptr, &no_password, nullptr));
}

Held<X509> certificate_of(std::string_view pem) {
  return next_certificate(reader_of(pem).get());
}

std::unexpected<AwsError> malformed_certificate(const char* text) {
  return fail("MalformedCertificateException", 400, text);
}
std::unexpected<AwsError> invalid_public_key() {
  return fail("InvalidPublicKeyException", 400,
              "The request was rejected because the public key is malformed or otherwise invalid.");
}

// A length of four bytes and the bytes (RFC 4251 §5, "string"); nullopt at the end.
std::optional<std::string_view> take_string(std::string_view& wire) {
  if (wire.size() < 4) return std::nullopt;
  size_t size = 0;
  for (int i = 0; i < 4; ++i) size = (size << 8) | static_cast<unsigned char>(wire[i]);
  wire.remove_prefix(4);
  if (size > wire.size()) return std::nullopt;
  const auto taken = wire.substr(0, size);
  wire.remove_prefix(size);
  return taken;
}

void put_string(std::string& wire, std::string_view bytes) {
  for (int shift = 24; shift >= 0; shift -= 8) wire += static_cast<char>(bytes.size() >> shift);
  wire += bytes;
}

Held<BIGNUM> number_of(std::string_view bytes) {
  return Held<BIGNUM>(BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()),
                                static_cast<int>(bytes.size()), nullptr));
}

// A number with a leading zero where its top bit is set (RFC 4251 §5, "mpint").
std::string mpint_of(const BIGNUM* number) {
  std::string bytes(static_cast<size_t>(BN_num_bytes(number)), '\0');
  BN_bn2bin(number, reinterpret_cast<unsigned char*>(bytes.data()));
  if (!bytes.empty() && (bytes[0] & 0x80)) bytes.insert(bytes.begin(), '\0');
  return bytes;
}

// RFC 4253 §6.6: "ssh-rsa", e, n.
Held<EVP_PKEY> rsa_from_wire(std::string_view wire) {
  const auto name = take_string(wire);
  const auto e = take_string(wire);
  const auto n = take_string(wire);
  if (!name || *name != kRsaName || !e || !n || !wire.empty()) return nullptr;
  const auto exponent = number_of(*e);
  const auto modulus = number_of(*n);
  const Held<OSSL_PARAM_BLD> build(OSSL_PARAM_BLD_new());
  if (!OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) ||
      !OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()))
    return nullptr;
  const Held<OSSL_PARAM> params(OSSL_PARAM_BLD_to_param(build.get()));
  const Held<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1)
    return nullptr;
  return Held<EVP_PKEY>(key);
}

std::string wire_of(const EVP_PKEY* key) {
  BIGNUM* n = nullptr;
  BIGNUM* e = nullptr;
  EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n);
  EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e);
  const Held<BIGNUM> modulus(n), exponent(e);
  std::string wire;
  put_string(wire, kRsaName);
  put_string(wire, mpint_of(exponent.get()));
  put_string(wire, mpint_of(modulus.get()));
  return wire;
}

std::string public_pem(EVP_PKEY* key) {
  const Held<BIO> out(BIO_new(BIO_s_mem()));
  PEM_write_bio_PUBKEY(out.get(), key);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<size_t>(size)};
}

std::string fingerprint_of(std::string_view wire) {
  const std::string hex = to_hex(md5(wire));
  std::string out;
  for (size_t i = 0; i < hex.size(); i += 2) {
    if (i > 0) out += ':';
    out += hex.substr(i, 2);
  }
  return out;
}

}  // namespace

Result<Timestamp> certificate_expiration(std::string_view pem) {
  const auto certificate = certificate_of(pem);
  std::tm end{};
  if (!certificate || ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &end) != 1) {
    return malformed_certificate(
        "Unable to parse certificate. Please ensure the certificate is in PEM format.");
  }
  return Timestamp::from_seconds(timegm(&end));
}

Result<void> check_key_pair(std::string_view certificate_pem, std::string_view key_pem) {
  const auto certificate = certificate_of(certificate_pem);
  const Held<EVP_PKEY> key(
      PEM_read_bio_PrivateKey(reader_of(key_pem).get(), nullptr, &no_password, nullptr));
  if (!certificate || !key) {
    return malformed_certificate(
        "Unable to parse key. Please ensure the private key is in PEM format and not encrypted.");
  }
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    return fail("KeyPairMismatchException", 400,
                "The request was rejected because the public key certificate and the private key "
                "do not match.");
  }
  return {};
}

Result<void> check_chain(std::string_view certificate_pem, std::string_view chain_pem) {
  auto below = certificate_of(certificate_pem);
  const auto chain = reader_of(chain_pem);
  for (int index = 0;; ++index) {
    auto issuer = next_certificate(chain.get());
    if (!issuer && index > 0) return {};
    if (!issuer || !below || X509_check_issued(issuer.get(), below.get()) != X509_V_OK) {
      const std::string text =
          "Unable to validate certificate chain. The certificate chain must start with the "
          "immediate signing certificate, followed by any intermediaries in order. The index "
          "within the chain of the invalid certificate is: " +
          std::to_string(index);
      return malformed_certificate(text.c_str());
    }
    below = std::move(issuer);
  }
}

Result<SshPublicKey> parse_ssh_public_key(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  text = trim(text);
  SshPublicKey out;
  Held<EVP_PKEY> key;
  if (text.starts_with("-----BEGIN")) {
    key.reset(PEM_read_bio_PUBKEY(reader_of(text).get(), nullptr, &no_password, nullptr));
    if (key && EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA) return invalid_public_key();
  } else if (text.starts_with("ssh-")) {
    const auto parts = split(text, ' ');
    const auto wire = parts.size() > 1 ? from_base64(parts[1]) : std::nullopt;
    if (parts[0] == kRsaName && wire) key = rsa_from_wire(*wire);
    out.ssh = text;
  } else {
    return fail("UnrecognizedPublicKeyEncodingException", 400,
                "The request was rejected because the public key encoding format is unsupported "
                "or unrecognized.");
  }
  if (!key || EVP_PKEY_get_bits(key.get()) < kRsaBitsMin) return invalid_public_key();
  const std::string wire = wire_of(key.get());
  if (out.ssh.empty()) out.ssh = std::string(kRsaName) + " " + to_base64(wire);
  out.pem = public_pem(key.get());
  out.fingerprint = fingerprint_of(wire);
  return out;
}

}  // namespace virga::iam
