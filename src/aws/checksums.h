#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/digest_stream.h"

// The additional checksums of S3 and other services: what x-amz-checksum-* headers and trailers
// carry in base64. Source: S3 User Guide, "Checking object integrity".
namespace virga::aws {

enum class ChecksumAlgorithm : uint8_t { crc32, crc32c, crc64nvme, sha1, sha256, sha512, md5 };

// "CRC32", … as ChecksumAlgorithm members say it (any case); nullopt for names that are not known.
std::optional<ChecksumAlgorithm> checksum_algorithm(std::string_view name);
std::string_view name_of(ChecksumAlgorithm algorithm);  // "CRC32"
std::string header_of(ChecksumAlgorithm algorithm);     // "x-amz-checksum-crc32"
// Of a header's or trailer's name, in any case.
std::optional<ChecksumAlgorithm> algorithm_of_header(std::string_view header);
size_t bytes_of(ChecksumAlgorithm algorithm);  // of its value before base64
bool is_crc(ChecksumAlgorithm algorithm);

// A checksum of a text that arrives in parts. One thread at a time.
class ChecksumStream {
 public:
  explicit ChecksumStream(ChecksumAlgorithm algorithm);
  void update(std::string_view bytes);
  std::string finish();  // raw bytes, CRCs big-endian; once
  ChecksumAlgorithm algorithm() const { return algorithm_; }

 private:
  ChecksumAlgorithm algorithm_;
  uint64_t crc_ = 0;
  std::optional<DigestStream> digest_;
};

std::string checksum(ChecksumAlgorithm algorithm, std::string_view bytes);  // raw bytes
// Of two texts one after the other, from their CRCs (raw bytes) and the second's length.
// is_crc(algorithm).
std::string combine(ChecksumAlgorithm algorithm, std::string_view first, std::string_view second,
                    uint64_t second_bytes);

}  // namespace virga::aws
