#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "storage/blob_store.h"

// What S3 keeps, and its bytes in the shard (docs/formats/s3.md).
namespace virga::s3 {

enum class Versioning : uint8_t { off = 0, enabled = 1, suspended = 2 };
enum class LegalHold : uint8_t { never_set = 0, on = 1, off = 2 };

struct Bucket {
  std::string name;
  uint64_t id = 0;    // what lies below hangs on it
  std::string owner;  // account
  std::string region;
  int64_t created_millis = 0;
  Versioning versioning = Versioning::off;
  bool object_lock = false;
  bool lifecycle = false;  // it has a lifecycle configuration

  std::string encode() const;
  static Result<Bucket> decode(std::string_view bytes);
};

// An additional checksum of an object or a part.
struct Checksum {
  std::string algorithm;  // CRC32, CRC32C, CRC64NVME, SHA1, SHA256; empty: none is known
  std::string value;      // base64; composite ones with "-N"
  bool composite = false;

  std::string_view type() const { return composite ? "COMPOSITE" : "FULL_OBJECT"; }
};

// How content is encrypted, as answers say it. With a customer's key the content really is
// (customer_key.h); the others are reported.
struct Encryption {
  std::string algorithm;  // AES256, aws:kms, aws:kms:dsse; empty with a customer's key
  std::string kms_key;    // as ARN
  std::string kms_context;
  bool bucket_key = false;
  std::string customer_key_md5;  // base64; set: SSE-C
  std::string nonce;             // 16 bytes, of the cipher
};

// What a writer may say about an object and readers get back.
struct ObjectHeaders {
  std::string content_type, cache_control, content_disposition, content_encoding, content_language,
      expires;
  std::string website_redirect;
  std::string storage_class = "STANDARD";
  std::map<std::string, std::string> metadata;  // keys in lower case, without x-amz-meta-
};

// A run of an object's bytes: all of it, or one part of a multipart upload.
struct Extent {
  storage::BlobRef blob;
  Checksum checksum;  // of parts
  std::string nonce;  // with a customer's key: the part's own
};

// What listings show of a version: a fifth of ObjectVersion, which a page would hold a thousand of.
struct ListedVersion {
  std::string key;
  uint64_t sequence = 0;
  std::string version_id;
  bool delete_marker = false;
  int64_t modified_millis = 0;
  std::string owner;  // account
  uint64_t size = 0;
  std::string etag;
  Checksum checksum;  // without its value
  std::string storage_class = "STANDARD";
  int64_t restored_until_millis = 0;

  static Result<ListedVersion> decode(std::string_view key, std::string_view bytes);
};

struct ObjectVersion {
  std::string key;
  uint64_t sequence = 0;   // greater is newer
  std::string version_id;  // "null", or 32 characters that name the sequence
  bool delete_marker = false;
  int64_t modified_millis = 0;
  std::string owner;  // account
  uint64_t size = 0;
  std::string etag;       // without quotes
  uint32_t parts = 0;     // of a multipart upload; 0: was put at once
  uint64_t manifest = 0;  // where its extents are listed; 0: `content` is all
  std::string upload_id;  // of a multipart upload: what that was called
  storage::BlobRef content;
  Checksum checksum;
  Encryption encryption;
  ObjectHeaders headers;
  std::vector<std::pair<std::string, std::string>> tags;
  std::string lock_mode;  // GOVERNANCE, COMPLIANCE; empty: none
  int64_t retain_until_millis = 0;
  LegalHold legal_hold = LegalHold::never_set;
  std::string acl;                    // opaque here (access control); empty: the owner's
  int64_t restored_until_millis = 0;  // an archived object can be read until then

  // The key is not part of the bytes: it stands in the shard's key.
  std::string encode() const;
  static Result<ObjectVersion> decode(std::string_view key, std::string_view bytes);
};

struct Upload {
  std::string key;
  uint64_t id = 0;
  std::string upload_id;  // what clients call it
  int64_t initiated_millis = 0;
  std::string initiator;           // ARN
  std::string owner;               // account
  std::string checksum_algorithm;  // empty: none was asked for
  bool checksum_composite = false;
  Encryption encryption;
  ObjectHeaders headers;
  std::vector<std::pair<std::string, std::string>> tags;
  std::string lock_mode;
  int64_t retain_until_millis = 0;
  LegalHold legal_hold = LegalHold::never_set;
  std::string acl;

  std::string encode() const;
  static Result<Upload> decode(std::string_view key, std::string_view bytes);
};

struct Part {
  uint32_t number = 0;
  uint64_t size = 0;
  std::string etag;
  int64_t modified_millis = 0;
  Extent extent;

  std::string encode() const;
  static Result<Part> decode(uint32_t number, std::string_view bytes);
};

// The extents of a multipart object, in order.
std::string encode_manifest(const std::vector<Part>& parts);
Result<std::vector<Part>> decode_manifest(std::string_view bytes);

// A version's public name: unguessable by length, and from it the sequence. "null" has none.
std::string make_version_id(uint64_t sequence, std::string_view random16);
std::optional<uint64_t> sequence_of(std::string_view version_id);

}  // namespace virga::s3
