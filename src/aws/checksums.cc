#include "aws/checksums.h"

#include "base/check.h"
#include "base/crc.h"
#include "base/hashing.h"
#include "base/strings.h"

namespace virga::aws {
namespace {

struct Row {
  ChecksumAlgorithm algorithm;
  std::string_view name;
  size_t bytes;
};
constexpr Row kRows[] = {{ChecksumAlgorithm::crc32, "CRC32", 4},
                         {ChecksumAlgorithm::crc32c, "CRC32C", 4},
                         {ChecksumAlgorithm::crc64nvme, "CRC64NVME", 8},
                         {ChecksumAlgorithm::sha1, "SHA1", 20},
                         {ChecksumAlgorithm::sha256, "SHA256", 32},
                         {ChecksumAlgorithm::sha512, "SHA512", 64},
                         {ChecksumAlgorithm::md5, "MD5", 16}};
constexpr std::string_view kHeaderPrefix = "x-amz-checksum-";

const Row& row(ChecksumAlgorithm algorithm) {
  return kRows[static_cast<size_t>(algorithm)];
}

std::string big_endian(uint64_t value, size_t bytes) {
  std::string out;
  for (size_t i = bytes; i > 0; --i) out.push_back(static_cast<char>(value >> (8 * (i - 1))));
  return out;
}

uint64_t number(std::string_view bytes) {
  uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

}  // namespace

std::optional<ChecksumAlgorithm> checksum_algorithm(std::string_view name) {
  for (const Row& r : kRows) {
    if (iequals(r.name, name)) return r.algorithm;
  }
  return std::nullopt;
}

std::string_view name_of(ChecksumAlgorithm algorithm) {
  return row(algorithm).name;
}
std::string header_of(ChecksumAlgorithm algorithm) {
  return std::string(kHeaderPrefix) + to_lower(row(algorithm).name);
}
size_t bytes_of(ChecksumAlgorithm algorithm) {
  return row(algorithm).bytes;
}
bool is_crc(ChecksumAlgorithm algorithm) {
  return algorithm <= ChecksumAlgorithm::crc64nvme;
}

std::optional<ChecksumAlgorithm> algorithm_of_header(std::string_view header) {
  if (!iequals(header.substr(0, kHeaderPrefix.size()), kHeaderPrefix)) return std::nullopt;
  return checksum_algorithm(header.substr(kHeaderPrefix.size()));
}

ChecksumStream::ChecksumStream(ChecksumAlgorithm algorithm) : algorithm_(algorithm) {
  switch (algorithm) {
    case ChecksumAlgorithm::sha1:
      digest_.emplace(DigestStream::Kind::sha1);
      break;
    case ChecksumAlgorithm::sha256:
      digest_.emplace(DigestStream::Kind::sha256);
      break;
    case ChecksumAlgorithm::sha512:
      digest_.emplace(DigestStream::Kind::sha512);
      break;
    case ChecksumAlgorithm::md5:
      digest_.emplace(DigestStream::Kind::md5);
      break;
    default:
      break;
  }
}

void ChecksumStream::update(std::string_view bytes) {
  if (digest_) return digest_->update(bytes);
  switch (algorithm_) {
    case ChecksumAlgorithm::crc32:
      crc_ = crc32(bytes, static_cast<uint32_t>(crc_));
      break;
    case ChecksumAlgorithm::crc32c:
      crc_ = crc32c(bytes, static_cast<uint32_t>(crc_));
      break;
    default:
      crc_ = crc64_nvme(bytes, crc_);
  }
}

std::string ChecksumStream::finish() {
  return digest_ ? digest_->finish() : big_endian(crc_, bytes_of(algorithm_));
}

std::string checksum(ChecksumAlgorithm algorithm, std::string_view bytes) {
  ChecksumStream stream(algorithm);
  stream.update(bytes);
  return stream.finish();
}

std::string combine(ChecksumAlgorithm algorithm, std::string_view first, std::string_view second,
                    uint64_t second_bytes) {
  CHECK(is_crc(algorithm));
  const uint64_t a = number(first), b = number(second);
  uint64_t whole = 0;
  switch (algorithm) {
    case ChecksumAlgorithm::crc32:
      whole = crc32_combine(static_cast<uint32_t>(a), static_cast<uint32_t>(b), second_bytes);
      break;
    case ChecksumAlgorithm::crc32c:
      whole = crc32c_combine(static_cast<uint32_t>(a), static_cast<uint32_t>(b), second_bytes);
      break;
    default:
      whole = crc64_nvme_combine(a, b, second_bytes);
  }
  return big_endian(whole, bytes_of(algorithm));
}

}  // namespace virga::aws
