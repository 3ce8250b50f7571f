#pragma once

#include <cstdint>
#include <string>
#include <string_view>

// Ordered keys: byte order is the order of the parts. A shard's key is
//   generation (4 bytes, added by the shard) | space (1 byte) | account | region | object id | the
//   service's own parts
// Names are in the first records only (name → object id); everything below hangs on the id, which
// is never reused, so dropping an object is dropping a range and renaming costs nothing.
namespace virga::storage {

// Who owns which part of the keys. Values are on disk: never changed, never reused.
enum class Space : uint8_t {
  // 0: the shard's own
  iam = 0x10,
  sts = 0x11,
  lambda = 0x14,
  logs = 0x18,
  cloudwatch = 0x19,
  dynamodb = 0x20,  // tables' descriptions
  dynamodb_items = 0x21,
  dynamodb_index = 0x22,
  dynamodb_streams = 0x23,
  s3 = 0x28,
  s3_objects = 0x29,
  sqs = 0x30,
  sqs_messages = 0x31,
  sns = 0x34,
  events = 0x38,
  scheduler = 0x39,
  pipes = 0x3a,
  states = 0x3c,
  apigateway = 0x40,
  route53 = 0x44,
  cloudformation = 0x48,
  ssm = 0x4c,
  kms = 0x50,
  secretsmanager = 0x51,
  kinesis = 0x54,
  ecr = 0x58,
  ecs = 0x5c,
  platform = 0x70,  // settings, usage, idempotency tokens
  queue = 0x71,     // durable queues
  timers = 0x72,    // durable timers
  outbox = 0x73,
  usage = 0x74,
  blobs = 0x78,
};

// Appends parts; order-preserving for every type. Texts may hold any byte.
class Key {
 public:
  explicit Key(Space space) { bytes_.push_back(static_cast<char>(space)); }

  Key& u8(uint8_t value);
  Key& u16(uint16_t value);  // big-endian
  Key& u32(uint32_t value);
  Key& u64(uint64_t value);
  Key& i64(int64_t value);  // negative ones first
  Key& u64_descending(uint64_t value);
  Key& text(
      std::string_view value);  // escaped, with an end mark: a prefix sorts before what it begins
  Key& raw(std::string_view bytes);  // as the last part, or of fixed size
  Key& account(std::string_view account) { return text(account); }
  Key& region(std::string_view region) { return text(region); }

  const std::string& str() const { return bytes_; }
  operator std::string_view() const { return bytes_; }  // NOLINT: on purpose
  std::string take() { return std::move(bytes_); }
  // The end of the range of keys that begin with this one.
  std::string range_end() const;

 private:
  std::string bytes_;
};

// The least text that is greater than all texts with this prefix; empty when there is none.
std::string prefix_end(std::string_view prefix);

// Takes parts off the front of a key; ok() turns false at the first that is not there.
class KeyReader {
 public:
  explicit KeyReader(std::string_view key) : rest_(key) {}
  uint8_t u8();
  uint16_t u16();
  uint32_t u32();
  uint64_t u64();
  int64_t i64();
  uint64_t u64_descending();
  std::string text();
  std::string_view rest() const { return rest_; }
  bool ok() const { return ok_; }

 private:
  uint64_t number(size_t bytes);
  std::string_view rest_;
  bool ok_ = true;
};

inline constexpr std::string_view kGlobalRegion = "aws-global";

}  // namespace virga::storage
