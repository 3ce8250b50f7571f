#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"

// Certificates and public keys that users upload.
namespace virga::iam {

// The end of validity of one X.509 certificate in PEM form. Errors: MalformedCertificate.
Result<Timestamp> certificate_expiration(std::string_view pem);
// Errors: MalformedCertificate for a key that is none, KeyPairMismatch.
Result<void> check_key_pair(std::string_view certificate_pem, std::string_view key_pem);
// That a chain begins with the certificate's issuer and goes on in order. Errors:
// MalformedCertificate.
Result<void> check_chain(std::string_view certificate_pem, std::string_view chain_pem);

// An RSA key of at least 2,048 bits. Source: IAM API Reference, UploadSSHPublicKey.
struct SshPublicKey {
  std::string ssh;          // "ssh-rsa AAAA…" and the comment, if there was one
  std::string pem;          // SubjectPublicKeyInfo
  std::string fingerprint;  // MD5 of the key's bytes, as pairs of hex digits between colons
};
// From either form. Errors: InvalidPublicKey, UnrecognizedPublicKeyEncoding.
Result<SshPublicKey> parse_ssh_public_key(std::string_view text);

}  // namespace virga::iam
