#include "api/dynamodbstreams/describe_stream.h"

#include "api/dynamodbstreams/list_streams.h"
#include "services/dynamodb/change_record.h"
#include "services/dynamodb/errors.h"
#include "services/dynamodb/streams_service.h"

namespace virga::dynamodb {
namespace {

constexpr int32_t kPageMax = 100;

std::vector<streams_api::KeySchemaElement> stream_key_schema(const KeySchema& keys) {
  std::vector<streams_api::KeySchemaElement> out;
  for (size_t i = 0; i < keys.size(); ++i) {
    streams_api::KeySchemaElement element;
    element.attribute_name = keys.at(i).name;
    element.key_type = i < keys.hash.size() ? "HASH" : "RANGE";
    out.push_back(std::move(element));
  }
  return out;
}

streams_api::Shard shard_of(const StreamShard& shard, const std::vector<StreamShard>& all) {
  streams_api::Shard out;
  out.shard_id = shard.id();
  auto& range = out.sequence_number_range.emplace();
  range.starting_sequence_number = sequence_text(shard.first);
  if (shard.last) range.ending_sequence_number = sequence_text(*shard.last);
  for (const auto& other : all) {
    if (shard.parent != 0 && other.first == shard.parent) out.parent_shard_id = other.id();
  }
  return out;
}

}  // namespace

Result<Stream> stream_of_arn(const storage::View& view, const RequestContext& ctx,
                             std::string_view arn) {
  const auto address = parse_stream_arn(arn);
  if (!address) return fail(errors::validation("Invalid StreamArn"));
  // Other accounts' streams do not exist for the caller.
  std::optional<Stream> stream;
  if (address->account == ctx.account && address->region == ctx.region) {
    VIRGA_TRY(found, find_stream(view, *address));
    stream = std::move(found);
  }
  if (!stream) {
    return fail("ResourceNotFoundException", 400,
                "Requested resource not found: Stream: " + std::string(arn) + " not found");
  }
  return std::move(*stream);
}

Result<void> check_limit(std::optional<int32_t> limit, int32_t max) {
  if (!limit || *limit <= max) return {};
  return fail(errors::validation(
      "1 validation error detected: Value '" + std::to_string(*limit) +
      "' at 'limit' failed to satisfy constraint: Member must have value less than or equal to " +
      std::to_string(max)));
}

// Source: DynamoDB Streams API Reference, DescribeStream. With ShardFilter only the children of the
// named shard.
Task<streams_api::DescribeStreamOutput> StreamsService::describe_stream(
    Ctx ctx, streams_api::DescribeStreamInput input) {
  co_await check_limit(input.limit, kPageMax);
  const auto view = shard_.snapshot();
  const Stream stream = co_await stream_of_arn(*view, *ctx, input.stream_arn);
  const std::vector<StreamShard> shards = co_await shards_of(*view, stream);

  streams_api::DescribeStreamOutput output;
  auto& description = output.stream_description.emplace();
  description.stream_arn = input.stream_arn;
  description.stream_label = stream.label;
  description.stream_status = stream.disabled ? "DISABLED" : "ENABLED";
  description.stream_view_type = stream.view_type;
  description.creation_request_date_time = stream.created;
  description.table_name = stream.table;
  description.key_schema = stream_key_schema(stream.keys);
  auto& listed = description.shards.emplace();
  const auto limit = static_cast<size_t>(input.limit.value_or(kPageMax));
  bool started = !input.exclusive_start_shard_id;
  const bool children = input.shard_filter && input.shard_filter->type == "CHILD_SHARDS";
  for (const auto& shard : shards) {
    if (!started) {
      started = shard.id() == *input.exclusive_start_shard_id;
      continue;
    }
    streams_api::Shard one = shard_of(shard, shards);
    if (children && one.parent_shard_id != input.shard_filter->shard_id) continue;
    if (listed.size() == limit) {
      description.last_evaluated_shard_id = listed.back().shard_id;
      break;
    }
    listed.push_back(std::move(one));
  }
  co_return std::move(output);
}

// By table and label, those of deleted tables too. Source: DynamoDB Streams API Reference,
// ListStreams.
Task<streams_api::ListStreamsOutput> StreamsService::list_streams(
    Ctx ctx, streams_api::ListStreamsInput input) {
  co_await check_limit(input.limit, kPageMax);
  std::optional<StreamAddress> after;
  if (input.exclusive_start_stream_arn) {
    after = parse_stream_arn(*input.exclusive_start_stream_arn);
    if (!after) co_return fail(errors::validation("Invalid StreamArn"));
  }
  const auto limit = static_cast<size_t>(input.limit.value_or(kPageMax));
  streams_api::ListStreamsOutput output;
  auto& streams = output.streams.emplace();
  const auto view = shard_.snapshot();
  bool more = false;
  co_await list_streams_of(*view, ctx->account, ctx->region, input.table_name.value_or(""),
                           after ? &*after : nullptr, [&](const Stream& stream) {
                             more = streams.size() == limit;
                             if (more) return false;
                             streams_api::Stream one;
                             one.stream_arn = stream.arn();
                             one.stream_label = stream.label;
                             one.table_name = stream.table;
                             streams.push_back(std::move(one));
                             return true;
                           });
  if (more) output.last_evaluated_stream_arn = streams.back().stream_arn;
  co_return std::move(output);
}

}  // namespace virga::dynamodb
