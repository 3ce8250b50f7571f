#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/byte_stream.h"
#include "async/offload.h"
#include "aws/checksums.h"
#include "services/s3/customer_key.h"
#include "services/s3/records.h"
#include "storage/blob_store.h"

// Content on its way in and out: hashed, checked, encrypted, stored; a piece at a time, whatever
// its size.
namespace virga::s3 {

// What a request says about its content.
struct ContentClaims {
  std::optional<std::string> md5;                   // Content-MD5, base64 as sent
  std::optional<aws::ChecksumAlgorithm> algorithm;  // of the checksum that was sent or is announced
  std::optional<std::string> value;                 // base64 as sent; absent: in the trailer
};

struct StoredContent {
  storage::BlobRef blob;
  uint64_t size = 0;
  std::string md5;                           // raw
  std::string checksum;                      // raw, of the algorithm that is kept
  std::optional<std::string> sent_checksum;  // base64, of the claims' algorithm
  std::string nonce;                         // with a customer's key
};

struct ContentOptions {
  ContentClaims claims;
  aws::ChecksumAlgorithm kept = aws::ChecksumAlgorithm::crc64nvme;
  uint64_t size_max = 0;  // more is EntityTooLarge
  const CustomerKey* key = nullptr;
  std::string nonce;  // 16 bytes of chance, with a key
};

// Reads the source to its end and stores it durably, not yet kept. When a claim does not hold
// nothing stays. Errors: EntityTooLarge, BadDigest, InvalidDigest, InvalidRequest, those of the
// source.
Task<StoredContent> store_content(storage::BlobStore& blobs, async::Pool& pool,
                                  async::ByteSource& source, ContentOptions options);

// A part of an object's bytes.
struct Span {
  storage::BlobRef blob;
  uint64_t offset = 0;
  uint64_t count = 0;
  std::string nonce;
};
// Bytes [begin, begin + count) of a content that lies in extents.
std::vector<Span> spans_of(const std::vector<Part>& extents, uint64_t begin, uint64_t count);
std::unique_ptr<async::ByteSource> open_content(storage::BlobStore& blobs, std::vector<Span> spans,
                                                std::optional<CustomerKey> key);

}  // namespace virga::s3
