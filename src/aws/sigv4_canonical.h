#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/http_message.h"

// The pieces of SigV4's canonical request, for the verifier and the signer alike. Inside of
// src/aws/sigv4*.
namespace virga::sigv4 {

struct CanonicalInput {
  std::string_view method;
  std::string_view path;   // as on the wire
  std::string_view query;  // as on the wire
  const std::vector<net::HeaderView>* headers = nullptr;
  std::string_view signed_headers;
  std::string_view payload_hash;
  bool s3 = false;  // S3 encodes the path once and keeps dot segments, all others encode it twice
  bool presigned = false;  // leaves X-Amz-Signature out of the query
};

// Appends the canonical request to `out`.
void append_canonical_request(std::string& out, const CanonicalInput& input);

// Hex HMAC of the string to sign made from these.
std::string signature_of(std::string_view signing_key, std::string_view string_to_sign);
// The same with the cached key of a scope.
std::string sign_text(std::string_view secret_key, std::string_view date, std::string_view region,
                      std::string_view service, std::string_view string_to_sign);
void append_string_to_sign(std::string& out, std::string_view amz_date, std::string_view scope,
                           std::string_view canonical_request);

// S3 and its relatives sign paths as they are.
inline bool encodes_path_once(std::string_view service) {
  return service == "s3" || service == "s3express" || service == "s3-object-lambda" ||
         service == "s3-outposts";
}

}  // namespace virga::sigv4
