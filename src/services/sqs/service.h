#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/sqs/handlers.h"
#include "async/task.h"
#include "platform/durable_timers.h"
#include "platform/resource_catalog.h"
#include "services/sqs/errors.h"
#include "services/sqs/move_task.h"
#include "services/sqs/queue.h"
#include "services/sqs/work.h"
#include "storage/shard.h"

namespace virga::sqs {

struct ServiceOptions {
  // Not 0: AWS's waiting times after DeleteQueue and PurgeQueue are kept.
  int64_t lifecycle_delay_ms = 0;
};

// Queues, standard and FIFO. Constructed by server/; any loop may call, the work is done on the
// shard's owner loop. Others in this process use api::Client: a ReceiveMessage that waits is woken
// by the commit that makes a message visible.
class Service final : public api::Handlers, public platform::ResourceCatalog {
 public:
  Service(storage::Shard& shard, async::Env& env, ServiceOptions options = {});
  ~Service() override;
  // Goes on with the message move tasks that were running.
  Task<void> start();
  // Ends all waiting receives with what they have: nothing.
  Task<void> stop();

  // create_queue.cc, queues.cc
  Task<api::CreateQueueOutput> create_queue(Ctx ctx, api::CreateQueueInput input) override;
  Task<api::GetQueueUrlOutput> get_queue_url(Ctx ctx, api::GetQueueUrlInput input) override;
  Task<api::ListQueuesOutput> list_queues(Ctx ctx, api::ListQueuesInput input) override;
  Task<api::DeleteQueueOutput> delete_queue(Ctx ctx, api::DeleteQueueInput input) override;
  Task<api::PurgeQueueOutput> purge_queue(Ctx ctx, api::PurgeQueueInput input) override;
  Task<api::ListDeadLetterSourceQueuesOutput> list_dead_letter_source_queues(
      Ctx ctx, api::ListDeadLetterSourceQueuesInput input) override;
  // attributes.cc, tags.cc, permissions.cc
  Task<api::GetQueueAttributesOutput> get_queue_attributes(
      Ctx ctx, api::GetQueueAttributesInput input) override;
  Task<api::SetQueueAttributesOutput> set_queue_attributes(
      Ctx ctx, api::SetQueueAttributesInput input) override;
  Task<api::TagQueueOutput> tag_queue(Ctx ctx, api::TagQueueInput input) override;
  Task<api::UntagQueueOutput> untag_queue(Ctx ctx, api::UntagQueueInput input) override;
  Task<api::ListQueueTagsOutput> list_queue_tags(Ctx ctx, api::ListQueueTagsInput input) override;
  Task<api::AddPermissionOutput> add_permission(Ctx ctx, api::AddPermissionInput input) override;
  Task<api::RemovePermissionOutput> remove_permission(Ctx ctx,
                                                      api::RemovePermissionInput input) override;
  // send_message.cc, receive_message.cc, delete_message.cc, change_visibility.cc
  Task<api::SendMessageOutput> send_message(Ctx ctx, api::SendMessageInput input) override;
  Task<api::SendMessageBatchOutput> send_message_batch(Ctx ctx,
                                                       api::SendMessageBatchInput input) override;
  Task<api::ReceiveMessageOutput> receive_message(Ctx ctx, api::ReceiveMessageInput input) override;
  Task<api::DeleteMessageOutput> delete_message(Ctx ctx, api::DeleteMessageInput input) override;
  Task<api::DeleteMessageBatchOutput> delete_message_batch(
      Ctx ctx, api::DeleteMessageBatchInput input) override;
  Task<api::ChangeMessageVisibilityOutput> change_message_visibility(
      Ctx ctx, api::ChangeMessageVisibilityInput input) override;
  Task<api::ChangeMessageVisibilityBatchOutput> change_message_visibility_batch(
      Ctx ctx, api::ChangeMessageVisibilityBatchInput input) override;
  // platform::ResourceCatalog: a queue's policy and tags. catalog.cc
  Task<platform::ResourceFacts> facts_of(std::string arn) override;

  // move_tasks.cc
  Task<api::StartMessageMoveTaskOutput> start_message_move_task(
      Ctx ctx, api::StartMessageMoveTaskInput input) override;
  Task<api::CancelMessageMoveTaskOutput> cancel_message_move_task(
      Ctx ctx, api::CancelMessageMoveTaskInput input) override;
  Task<api::ListMessageMoveTasksOutput> list_message_move_tasks(
      Ctx ctx, api::ListMessageMoveTasksInput input) override;

 private:
  struct Life {
    Service* service;
  };

  // One transaction over queues. `body` is Result<T>(Work&). What it does to queues is seen in
  // memory at once; those who wait for messages are woken when it is done.
  template <class F, class T = typename std::invoke_result_t<F&, Work&>::value_type>
  Task<T> transact(Ctx ctx, F body) {
    co_await async::switch_to(shard_.owner());
    std::vector<QueueRef> used;
    storage::Committed<T> done = co_await shard_.transact(
        storage::CommitClass::durable,
        [this, &used, body = std::move(body)](storage::Txn& txn) mutable -> Result<T> {
          Work work = begin(txn);
          Result<T> out = body(work);
          if (out) work.finish();
          used = std::move(work.used);
          return out;
        });
    ended(used, done.result.has_value(), done.lsn);
    ctx->depends_on(done.lsn);
    co_return std::move(done.result);
  }
  // The same with one queue, which must exist. `body` is Result<T>(Work&, Queue&).
  template <class F, class T = typename std::invoke_result_t<F&, Work&, Queue&>::value_type>
  Task<T> on_queue(Ctx ctx, QueueAddress address, F body) {
    T out = co_await transact(
        ctx,
        [address = std::move(address), body = std::move(body)](Work& work) mutable -> Result<T> {
          VIRGA_TRY(queue, work.existing(address));
          return body(work, *queue);
        });
    co_return std::move(out);
  }
  Work begin(storage::Txn& txn);
  void ended(const std::vector<QueueRef>& used, bool good, storage::Lsn lsn);

  // long_poll.cc
  // Returns when there may be a message for the oldest of those who wait, or with kPollOver at
  // `until`.
  Task<void> wait_for_message(QueueAddress address, async::SteadyTime until);
  void wake(Queue& queue);
  static void wake_all(Queue& queue);
  void arm(Queue& queue);
  void clock_changed();

  // move_tasks.cc
  Task<void> run_move_task(MoveTask task);
  // Moves up to `max` messages; false when the task is over.
  Result<bool> move_some(Work& work, const MoveTask& named, size_t max);
  Result<void> check_dead_letter_target(Work& work, const QueueAddress& source,
                                        const AttributeMap& attributes);

  int64_t now_micros() const { return env_.cloud.now().at.micros; }

  storage::Shard& shard_;
  async::Env& env_;
  const ServiceOptions options_;
  Queues queues_;
  storage::Generation generation_;  // that queues_ is of
  platform::Sequencer sequencer_;
  std::shared_ptr<Life> life_;  // what timers and clocks may find of this object
  async::TaskScope scope_;      // move tasks
  bool stopping_ = false;
};

}  // namespace virga::sqs
