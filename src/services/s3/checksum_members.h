#pragma once

#include <optional>
#include <string>
#include <vector>

#include "async/byte_stream.h"
#include "aws/checksums.h"
#include "aws/chunked.h"
#include "services/s3/content.h"
#include "services/s3/errors.h"

// The checksum members that inputs and outputs have, one per algorithm.
namespace virga::s3 {

// Calls visit(algorithm, member) for each of the algorithms that we know.
template <class Shape, class Visit>
void each_checksum(Shape& shape, Visit visit) {
  visit(aws::ChecksumAlgorithm::crc32, shape.checksum_crc32);
  visit(aws::ChecksumAlgorithm::crc32c, shape.checksum_crc32_c);
  visit(aws::ChecksumAlgorithm::crc64nvme, shape.checksum_crc64_nvme);
  visit(aws::ChecksumAlgorithm::sha1, shape.checksum_sha1);
  visit(aws::ChecksumAlgorithm::sha256, shape.checksum_sha256);
  visit(aws::ChecksumAlgorithm::sha512, shape.checksum_sha512);
  visit(aws::ChecksumAlgorithm::md5, shape.checksum_md5);
}

template <class Shape>
bool has_unknown_checksum(const Shape& shape) {
  return shape.checksum_xxhash64 || shape.checksum_xxhash3 || shape.checksum_xxhash128;
}

struct GivenChecksum {
  aws::ChecksumAlgorithm algorithm;
  std::string value;  // base64 as sent
};

// The one checksum in the members. Errors: InvalidRequest for several, NotImplemented for
// algorithms we do not know.
template <class Shape>
Result<std::optional<GivenChecksum>> given_checksum(const Shape& shape) {
  if (has_unknown_checksum(shape))
    return fail(errors::not_implemented_header("x-amz-checksum-xxhash"));
  std::optional<GivenChecksum> found;
  bool several = false;
  each_checksum(shape,
                [&](aws::ChecksumAlgorithm algorithm, const std::optional<std::string>& value) {
                  if (!value) return;
                  several = several || found;
                  found = GivenChecksum{algorithm, *value};
                });
  if (several) {
    return fail(errors::invalid_request(
        "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."));
  }
  return found;
}

template <class Shape>
void set_checksum(Shape& shape, aws::ChecksumAlgorithm wanted, const std::string& value) {
  each_checksum(shape, [&](aws::ChecksumAlgorithm algorithm, std::optional<std::string>& member) {
    if (algorithm == wanted) member = value;
  });
}

template <class Shape>
void set_checksum(Shape& shape, const Checksum& checksum) {
  if (const auto algorithm = aws::checksum_algorithm(checksum.algorithm))
    set_checksum(shape, *algorithm, checksum.value);
}

// What an upload's headers and announced trailers claim about its body. `named` is
// x-amz-sdk-checksum-algorithm. Source: S3 User Guide, "Checking object integrity"; recorded
// answers.
template <class Input>
Result<ContentClaims> claims_of(const Input& input, const async::ByteSource* body) {
  ContentClaims claims;
  claims.md5 = input.content_md5;
  VIRGA_TRY(given, given_checksum(input));
  if (given) {
    claims.algorithm = given->algorithm;
    claims.value = std::move(given->value);
  } else if (body) {
    for (const std::string& name : sigv4::announced_trailers(*body)) {
      if (!name.starts_with("x-amz-checksum-")) continue;
      claims.algorithm = aws::algorithm_of_header(name);
      if (!claims.algorithm)
        return fail(errors::invalid_request(
            "The value specified in the x-amz-trailer header is not supported"));
    }
  }
  if (!input.checksum_algorithm) return claims;
  const auto named = aws::checksum_algorithm(*input.checksum_algorithm);
  if (!named) {
    return fail(
        errors::invalid_request("Checksum algorithm provided is unsupported. Please try again with "
                                "any of the valid types: [CRC32, "
                                "CRC32C, CRC64NVME, SHA1, SHA256]"));
  }
  if (!claims.algorithm) {
    return fail(errors::invalid_request(
        "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or "
        "x-amz-trailer headers were found."));
  }
  if (*named != *claims.algorithm) {
    return fail(
        errors::invalid_request("Value for x-amz-sdk-checksum-algorithm header is invalid."));
  }
  return claims;
}

// What will be locked must be known to have arrived whole. `what`: "Object" or "Part". Source: S3
// API Reference, PutObject; recorded answers.
template <class Record>
Result<void> check_locked_claims(const Record& record, const ContentClaims& claims,
                                 const char* what) {
  const bool locked = !record.lock_mode.empty() || record.legal_hold != LegalHold::never_set;
  if (!locked || claims.md5 || claims.algorithm) return {};
  return fail(
      errors::invalid_request("Content-MD5 OR x-amz-checksum- HTTP header is required for Put " +
                              std::string(what) + " requests with Object Lock parameters"));
}

}  // namespace virga::s3
