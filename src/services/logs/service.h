#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <utility>

#include "api/logs/handlers.h"
#include "async/task.h"
#include "platform/log_writer.h"
#include "services/logs/log_store.h"
#include "storage/shard.h"

namespace virga::logs {

// CloudWatch Logs: groups, streams and their events, and what functions write. Constructed by server/; any loop may call.
// What append() took is readable from then on: reads first wait until the last append is published.
class Service final : public api::Handlers, public platform::LogWriter {
 public:
  explicit Service(storage::Shard& shard, async::Env& env) : shard_(shard), env_(env) {}

  // groups.cc
  Task<api::CreateLogGroupOutput> create_log_group(Ctx ctx, api::CreateLogGroupInput input) override;
  Task<api::DeleteLogGroupOutput> delete_log_group(Ctx ctx, api::DeleteLogGroupInput input) override;
  Task<api::DescribeLogGroupsOutput> describe_log_groups(Ctx ctx, api::DescribeLogGroupsInput input) override;
  Task<api::PutRetentionPolicyOutput> put_retention_policy(Ctx ctx, api::PutRetentionPolicyInput input) override;
  Task<api::DeleteRetentionPolicyOutput> delete_retention_policy(Ctx ctx, api::DeleteRetentionPolicyInput input) override;
  // streams.cc
  Task<api::CreateLogStreamOutput> create_log_stream(Ctx ctx, api::CreateLogStreamInput input) override;
  Task<api::DeleteLogStreamOutput> delete_log_stream(Ctx ctx, api::DeleteLogStreamInput input) override;
  Task<api::DescribeLogStreamsOutput> describe_log_streams(Ctx ctx, api::DescribeLogStreamsInput input) override;
  // put_log_events.cc, get_log_events.cc, filter_log_events.cc
  Task<api::PutLogEventsOutput> put_log_events(Ctx ctx, api::PutLogEventsInput input) override;
  Task<api::GetLogEventsOutput> get_log_events(Ctx ctx, api::GetLogEventsInput input) override;
  Task<api::FilterLogEventsOutput> filter_log_events(Ctx ctx, api::FilterLogEventsInput input) override;
  // tags.cc
  Task<api::TagResourceOutput> tag_resource(Ctx ctx, api::TagResourceInput input) override;
  Task<api::UntagResourceOutput> untag_resource(Ctx ctx, api::UntagResourceInput input) override;
  Task<api::ListTagsForResourceOutput> list_tags_for_resource(Ctx ctx, api::ListTagsForResourceInput input) override;
  Task<api::TagLogGroupOutput> tag_log_group(Ctx ctx, api::TagLogGroupInput input) override;
  Task<api::UntagLogGroupOutput> untag_log_group(Ctx ctx, api::UntagLogGroupInput input) override;
  Task<api::ListTagsLogGroupOutput> list_tags_log_group(Ctx ctx, api::ListTagsLogGroupInput input) override;

  // platform::LogWriter: group and stream are made when they are not there. append.cc
  Task<void> append(platform::LogAppend request) override;

 private:
  template <class F, class T = typename std::invoke_result_t<F&, LogTransaction&>::value_type>
  Task<T> write(Ctx ctx, F body) {
    storage::Committed<T> done = co_await shard_.transact(storage::CommitClass::durable, [ctx, body = std::move(body)](storage::Txn& txn) mutable {
      LogTransaction logs(txn, ctx->account, ctx->region);
      return body(logs);
    });
    ctx->depends_on(done.lsn);
    co_return std::move(done.result);
  }
  Task<void> edit_group(Ctx ctx, std::string name, std::function<Result<void>(Group&)> edit);
  // Returns once all that append() took can be read from a snapshot.
  Task<void> caught_up();
  Result<void> append_in(storage::Txn& txn, const platform::LogAppend& request);

  struct Target {
    uint64_t group = 0;
    uint64_t stream = 0;
  };

  storage::Shard& shard_;
  async::Env& env_;
  std::atomic<storage::Lsn> last_append_{0};
  // Where functions write, so that a line costs no reads. Only transactions touch it: it lives on the owner loop. Emptied by
  // deletions and resets.
  std::unordered_map<std::string, Target> targets_;
  storage::Generation targets_generation_ = 0;
};

}  // namespace virga::logs
