#include "services/dynamodb/shard_iterator.h"

#include "base/hashing.h"
#include "base/strings.h"
#include "storage/keys.h"

namespace virga::dynamodb {
namespace {

constexpr std::string_view kMiddle = "|1|";
constexpr uint8_t kIteratorFormat = 1;
constexpr size_t kChecksumBytes = 8;

std::string checksum(std::string_view arn, std::string_view body) {
  return std::string(as_bytes(hmac_sha256(arn, body)).substr(0, kChecksumBytes));
}

}  // namespace

std::string ShardIterator::encode() const {
  storage::Key key(static_cast<storage::Space>(kIteratorFormat));
  key.u64(table_id).u64(shard).u64(next).u8(from_horizon ? 1 : 0).i64(made.micros);
  const std::string body = key.take();
  return stream_arn + std::string(kMiddle) + to_base64(body + checksum(stream_arn, body));
}

std::optional<ShardIterator> ShardIterator::decode(std::string_view text) {
  const size_t middle = text.find(kMiddle);
  if (middle == std::string_view::npos) return std::nullopt;
  const auto bytes = from_base64(text.substr(middle + kMiddle.size()));
  if (!bytes || bytes->size() <= kChecksumBytes) return std::nullopt;
  ShardIterator out;
  out.stream_arn = text.substr(0, middle);
  const std::string_view body = std::string_view(*bytes).substr(0, bytes->size() - kChecksumBytes);
  if (checksum(out.stream_arn, body) != std::string_view(*bytes).substr(body.size()))
    return std::nullopt;
  storage::KeyReader reader(body);
  if (reader.u8() != kIteratorFormat) return std::nullopt;
  out.table_id = reader.u64();
  out.shard = reader.u64();
  out.next = reader.u64();
  out.from_horizon = reader.u8() != 0;
  out.made = {reader.i64()};
  if (!reader.ok() || !reader.rest().empty()) return std::nullopt;
  return out;
}

}  // namespace virga::dynamodb
