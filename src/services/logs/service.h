#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "api/logs/handlers.h"
#include "async/task.h"
#include "aws/door.h"
#include "platform/durable_queue.h"
#include "platform/log_writer.h"
#include "services/logs/log_store.h"
#include "storage/shard.h"

namespace virga::logs {

// CloudWatch Logs: groups, streams and their events, and what functions write. Constructed by
// server/; any loop may call. What append() took is readable from then on: reads first wait until
// the last append is published.
class Service final : public api::Handlers, public platform::LogWriter {
 public:
  explicit Service(storage::Shard& shard, async::Env& env) : shard_(shard), env_(env) {}

  // groups.cc
  Task<api::CreateLogGroupOutput> create_log_group(Ctx ctx,
                                                   api::CreateLogGroupInput input) override;
  Task<api::DeleteLogGroupOutput> delete_log_group(Ctx ctx,
                                                   api::DeleteLogGroupInput input) override;
  Task<api::DescribeLogGroupsOutput> describe_log_groups(
      Ctx ctx, api::DescribeLogGroupsInput input) override;
  Task<api::PutRetentionPolicyOutput> put_retention_policy(
      Ctx ctx, api::PutRetentionPolicyInput input) override;
  Task<api::DeleteRetentionPolicyOutput> delete_retention_policy(
      Ctx ctx, api::DeleteRetentionPolicyInput input) override;
  // streams.cc
  Task<api::CreateLogStreamOutput> create_log_stream(Ctx ctx,
                                                     api::CreateLogStreamInput input) override;
  Task<api::DeleteLogStreamOutput> delete_log_stream(Ctx ctx,
                                                     api::DeleteLogStreamInput input) override;
  Task<api::DescribeLogStreamsOutput> describe_log_streams(
      Ctx ctx, api::DescribeLogStreamsInput input) override;
  // put_log_events.cc, get_log_events.cc, filter_log_events.cc
  Task<api::PutLogEventsOutput> put_log_events(Ctx ctx, api::PutLogEventsInput input) override;
  Task<api::GetLogEventsOutput> get_log_events(Ctx ctx, api::GetLogEventsInput input) override;
  Task<api::FilterLogEventsOutput> filter_log_events(Ctx ctx,
                                                     api::FilterLogEventsInput input) override;
  // tags.cc
  Task<api::TagResourceOutput> tag_resource(Ctx ctx, api::TagResourceInput input) override;
  Task<api::UntagResourceOutput> untag_resource(Ctx ctx, api::UntagResourceInput input) override;
  Task<api::ListTagsForResourceOutput> list_tags_for_resource(
      Ctx ctx, api::ListTagsForResourceInput input) override;
  Task<api::TagLogGroupOutput> tag_log_group(Ctx ctx, api::TagLogGroupInput input) override;
  Task<api::UntagLogGroupOutput> untag_log_group(Ctx ctx, api::UntagLogGroupInput input) override;
  Task<api::ListTagsLogGroupOutput> list_tags_log_group(Ctx ctx,
                                                        api::ListTagsLogGroupInput input) override;

  // metric_filters.cc
  Task<api::PutMetricFilterOutput> put_metric_filter(Ctx ctx,
                                                     api::PutMetricFilterInput input) override;
  Task<api::DescribeMetricFiltersOutput> describe_metric_filters(
      Ctx ctx, api::DescribeMetricFiltersInput input) override;
  Task<api::DeleteMetricFilterOutput> delete_metric_filter(
      Ctx ctx, api::DeleteMetricFilterInput input) override;
  Task<api::TestMetricFilterOutput> test_metric_filter(Ctx ctx,
                                                       api::TestMetricFilterInput input) override;
  // subscription_filters.cc
  Task<api::PutSubscriptionFilterOutput> put_subscription_filter(
      Ctx ctx, api::PutSubscriptionFilterInput input) override;
  Task<api::DescribeSubscriptionFiltersOutput> describe_subscription_filters(
      Ctx ctx, api::DescribeSubscriptionFiltersInput input) override;
  Task<api::DeleteSubscriptionFilterOutput> delete_subscription_filter(
      Ctx ctx, api::DeleteSubscriptionFilterInput input) override;
  // account_settings.cc
  Task<api::PutResourcePolicyOutput> put_resource_policy(
      Ctx ctx, api::PutResourcePolicyInput input) override;
  Task<api::DescribeResourcePoliciesOutput> describe_resource_policies(
      Ctx ctx, api::DescribeResourcePoliciesInput input) override;
  Task<api::DeleteResourcePolicyOutput> delete_resource_policy(
      Ctx ctx, api::DeleteResourcePolicyInput input) override;
  Task<api::PutQueryDefinitionOutput> put_query_definition(
      Ctx ctx, api::PutQueryDefinitionInput input) override;
  Task<api::DescribeQueryDefinitionsOutput> describe_query_definitions(
      Ctx ctx, api::DescribeQueryDefinitionsInput input) override;
  Task<api::DeleteQueryDefinitionOutput> delete_query_definition(
      Ctx ctx, api::DeleteQueryDefinitionInput input) override;
  // queries.cc
  Task<api::StartQueryOutput> start_query(Ctx ctx, api::StartQueryInput input) override;
  Task<api::GetQueryResultsOutput> get_query_results(Ctx ctx,
                                                     api::GetQueryResultsInput input) override;
  Task<api::StopQueryOutput> stop_query(Ctx ctx, api::StopQueryInput input) override;
  Task<api::DescribeQueriesOutput> describe_queries(Ctx ctx,
                                                    api::DescribeQueriesInput input) override;
  Task<api::GetLogRecordOutput> get_log_record(Ctx ctx, api::GetLogRecordInput input) override;
  // group_settings.cc
  Task<api::AssociateKmsKeyOutput> associate_kms_key(Ctx ctx,
                                                     api::AssociateKmsKeyInput input) override;
  Task<api::DisassociateKmsKeyOutput> disassociate_kms_key(
      Ctx ctx, api::DisassociateKmsKeyInput input) override;
  Task<api::PutLogGroupDeletionProtectionOutput> put_log_group_deletion_protection(
      Ctx ctx, api::PutLogGroupDeletionProtectionInput input) override;
  Task<api::ListLogGroupsOutput> list_log_groups(Ctx ctx, api::ListLogGroupsInput input) override;

  // What subscription filters find goes to functions through `door`. Before the timers start; both
  // outlive the service.
  void deliver_to(aws::Door& door, platform::DurableTimers& timers);
  Result<void> start();
  Task<void> stop();

  // platform::LogWriter: group and stream are made when they are not there. append.cc
  Task<void> append(platform::LogAppend request) override;

 private:
  // Runs `body` (Result<T>(LogTransaction&)) as one transaction.
  template <class F, class T = typename std::invoke_result_t<F&, LogTransaction&>::value_type>
  Task<T> write(Ctx ctx, F body) {
    storage::Committed<T> done = co_await shard_.transact(
        storage::CommitClass::durable, [ctx, body = std::move(body)](storage::Txn& txn) mutable {
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

  // Where events come to lie, for those who hear of them.
  struct LogPlace {
    std::string account;
    std::string region;
    std::string group;
    std::string stream;
    uint64_t group_id = 0;
  };
  // Part of the transaction that appends.
  Result<void> notify_subscribers(LogTransaction& logs, const LogPlace& place,
                                  const std::vector<NewEvent>& events);
  Task<platform::Delivery> deliver(platform::QueueMessage message);

  struct Target {
    uint64_t group = 0;
    uint64_t stream = 0;
    bool subscribed = false;
  };

  storage::Shard& shard_;
  async::Env& env_;
  std::atomic<storage::Lsn> last_append_{0};
  // Where functions write, so that a line costs no reads. Only transactions touch it: it lives on
  // the owner loop. Emptied by deletions and resets.
  std::unordered_map<std::string, Target> targets_;
  storage::Generation targets_generation_ = 0;
  aws::Door* door_ = nullptr;
  std::unique_ptr<platform::DurableQueue> deliveries_;  // null: there is nobody to deliver to
};

}  // namespace virga::logs
