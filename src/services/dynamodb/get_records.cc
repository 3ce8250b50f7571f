#include "api/dynamodbstreams/get_records.h"

#include <algorithm>

#include "api/dynamodbstreams/get_shard_iterator.h"
#include "base/hashing.h"
#include "base/strings.h"
#include "services/dynamodb/change_feed.h"
#include "services/dynamodb/errors.h"
#include "services/dynamodb/item_size.h"
#include "services/dynamodb/shard_iterator.h"
#include "services/dynamodb/streams_service.h"

// GetShardIterator and GetRecords. Source: DynamoDB Streams API Reference, the pages of that name.
namespace virga::dynamodb {
namespace {

constexpr int32_t kRecordsMax = 1000;
constexpr int64_t kPageBytes = 1024 * 1024;

AwsError trimmed() {
  return AwsError{
      .code = "TrimmedDataAccessException",
      .http_status = 400,
      .message = "The operation attempted to read past the oldest stream record in a shard."};
}

Result<std::optional<StreamShard>> find_shard(const storage::View& view, const Stream& stream,
                                              const std::function<bool(const StreamShard&)>& is) {
  VIRGA_TRY(shards, shards_of(view, stream));
  const auto it = std::find_if(shards.begin(), shards.end(), is);
  if (it == shards.end()) return std::optional<StreamShard>();
  return std::optional<StreamShard>(*it);
}

// Where AT_ and AFTER_SEQUENCE_NUMBER begin.
Result<uint64_t> place_of(const streams_api::GetShardIteratorInput& input,
                          const StreamShard& shard) {
  if (!input.sequence_number) {
    return fail(errors::validation("SequenceNumber must be specified for ShardIteratorType " +
                                   input.shard_iterator_type));
  }
  const auto sequence = parse_sequence(*input.sequence_number);
  if (!sequence || *sequence < shard.first || (shard.last && *sequence > *shard.last)) {
    return fail(errors::validation("Invalid SequenceNumber: " + *input.sequence_number +
                                   " is not in shard " + shard.id()));
  }
  return input.shard_iterator_type == "AT_SEQUENCE_NUMBER" ? *sequence : *sequence + 1;
}

// A record that is a day old cannot be read, whether or not it is still there.
Result<bool> is_trimmed(const storage::View& view, const Stream& stream, const StreamShard& shard,
                        uint64_t sequence, int64_t horizon) {
  VIRGA_TRY(bytes, view.get(change_key(stream.table_id, sequence)));
  if (!bytes) return shard.opened.micros < horizon;
  VIRGA_TRY(record, decode_change(*bytes));
  return record.micros < horizon;
}

streams_api::Record record_of(const Stream& stream, uint64_t sequence, const ChangeRecord& change) {
  streams_api::Record out;
  out.event_id = to_hex(md5(std::to_string(stream.table_id) + "/" + std::to_string(sequence)));
  out.event_name = std::string(change.event_name());
  out.event_version = "1.1";
  out.event_source = "aws:dynamodb";
  out.aws_region = stream.region;
  auto& dynamodb = out.dynamodb.emplace();
  dynamodb.approximate_creation_date_time =
      Timestamp::from_seconds(Timestamp{change.micros}.seconds());
  dynamodb.keys = Item(change.keys);
  size_t bytes = item_bytes(change.keys);
  // A history may keep more than this stream shows.
  const bool both = stream.view_type == "NEW_AND_OLD_IMAGES";
  if (change.new_image && (both || stream.view_type == "NEW_IMAGE")) {
    bytes += item_bytes(*change.new_image);
    dynamodb.new_image = Item(*change.new_image);
  }
  if (change.old_image && (both || stream.view_type == "OLD_IMAGE")) {
    bytes += item_bytes(*change.old_image);
    dynamodb.old_image = Item(*change.old_image);
  }
  dynamodb.sequence_number = sequence_text(sequence);
  dynamodb.size_bytes = static_cast<int64_t>(bytes);
  dynamodb.stream_view_type = stream.view_type;
  if (change.by_service) {
    auto& identity = out.user_identity.emplace();
    identity.type = "Service";
    identity.principal_id = "dynamodb.amazonaws.com";
  }
  return out;
}

}  // namespace

Task<streams_api::GetShardIteratorOutput> StreamsService::get_shard_iterator(
    Ctx ctx, streams_api::GetShardIteratorInput input) {
  const auto view = shard_.snapshot();
  const Stream stream = co_await stream_of_arn(*view, *ctx, input.stream_arn);
  const auto shard = co_await find_shard(
      *view, stream, [&](const StreamShard& s) { return s.id() == input.shard_id; });
  if (!shard) {
    co_return fail("ResourceNotFoundException", 400,
                   "Requested resource not found: Shard: " + input.shard_id +
                       " not found in Stream: " + input.stream_arn);
  }
  ShardIterator iterator{
      .stream_arn = input.stream_arn, .table_id = stream.table_id, .shard = shard->first};
  iterator.next = shard->first;
  iterator.made = ctx->now.at;
  const std::string& type = input.shard_iterator_type;
  const int64_t horizon = ctx->now.at.micros - kStreamRetentionMicros;
  if (type == "TRIM_HORIZON") {
    iterator.from_horizon = true;
  } else if (type == "LATEST") {
    iterator.next =
        shard->last ? *shard->last + 1 : std::max(shard->first, sequence_after(shard_.published()));
  } else {
    iterator.next = co_await place_of(input, *shard);
    const bool gone = co_await is_trimmed(*view, stream, *shard,
                                          *parse_sequence(*input.sequence_number), horizon);
    if (gone) co_return fail(trimmed());
  }
  streams_api::GetShardIteratorOutput output;
  output.shard_iterator = iterator.encode();
  co_return std::move(output);
}

Task<streams_api::GetRecordsOutput> StreamsService::get_records(
    Ctx ctx, streams_api::GetRecordsInput input) {
  co_await check_limit(input.limit, kRecordsMax);
  auto iterator = ShardIterator::decode(input.shard_iterator);
  if (!iterator) co_return fail(errors::validation("Invalid ShardIterator"));
  const Timestamp now = ctx->now.at;
  if (now.micros - iterator->made.micros > kIteratorMicros) {
    co_return fail("ExpiredIteratorException", 400, "Iterator expired");
  }
  const auto view = shard_.snapshot();
  const Stream stream = co_await stream_of_arn(*view, *ctx, iterator->stream_arn);
  const auto shard = co_await find_shard(
      *view, stream, [&](const StreamShard& s) { return s.first == iterator->shard; });
  if (stream.table_id != iterator->table_id || !shard) co_return fail(trimmed());

  const int64_t horizon = now.micros - kStreamRetentionMicros;
  const uint64_t end = shard->last ? *shard->last + 1 : UINT64_MAX;
  uint64_t next = iterator->next;
  if (iterator->from_horizon)
    next = co_await first_change_at(*view, stream.table_id, next, end, horizon);
  if (next == UINT64_MAX) next = iterator->next;

  streams_api::GetRecordsOutput output;
  auto& records = output.records.emplace();
  const auto limit = static_cast<size_t>(input.limit.value_or(kRecordsMax));
  int64_t bytes = 0;
  bool more = false;
  const auto cursor =
      view->cursor(change_key(stream.table_id, next), change_key(stream.table_id, end));
  for (; cursor->valid(); cursor->next()) {
    const ChangeRecord change = co_await decode_change(cursor->value());
    if (change.micros < horizon && records.empty()) co_return fail(trimmed());
    const uint64_t sequence = sequence_of_change_key(cursor->key());
    streams_api::Record record = record_of(stream, sequence, change);
    const int64_t size = *record.dynamodb->size_bytes;
    more = records.size() == limit || (!records.empty() && bytes + size > kPageBytes);
    if (more) break;
    bytes += size;
    next = sequence + 1;
    records.push_back(std::move(record));
  }
  co_await cursor->status();
  // A closed shard that is read to its end has no next iterator.
  if (!more && shard->last) co_return std::move(output);
  iterator->next = next;
  iterator->from_horizon = iterator->from_horizon && records.empty();
  iterator->made = now;
  output.next_shard_iterator = iterator->encode();
  co_return std::move(output);
}

}  // namespace virga::dynamodb
