#pragma once

#include "api/dynamodbstreams/handlers.h"
#include "aws/context.h"
#include "services/dynamodb/stream_store.h"
#include "storage/shard.h"

namespace virga::aws {
struct ServiceBinding;
}

namespace virga::dynamodb {

namespace streams_api = dynamodbstreams::api;

// DynamoDB Streams: reads what the tables' writes have recorded, from the published state. Any
// loop.
class StreamsService final : public streams_api::Handlers {
 public:
  explicit StreamsService(storage::Shard& shard) : shard_(shard) {}

  Task<streams_api::ListStreamsOutput> list_streams(Ctx ctx,
                                                    streams_api::ListStreamsInput input) override;
  Task<streams_api::DescribeStreamOutput> describe_stream(
      Ctx ctx, streams_api::DescribeStreamInput input) override;
  Task<streams_api::GetShardIteratorOutput> get_shard_iterator(
      Ctx ctx, streams_api::GetShardIteratorInput input) override;
  Task<streams_api::GetRecordsOutput> get_records(Ctx ctx,
                                                  streams_api::GetRecordsInput input) override;

 private:
  storage::Shard& shard_;
};

aws::ServiceBinding make_binding(StreamsService& service);

// The stream of an ARN in the caller's account. ValidationException, ResourceNotFoundException.
Result<Stream> stream_of_arn(const storage::View& view, const RequestContext& ctx,
                             std::string_view arn);
// Limits whose upper end the model lacks.
Result<void> check_limit(std::optional<int32_t> limit, int32_t max);

}  // namespace virga::dynamodb
