// StartMessageMoveTask, CancelMessageMoveTask, ListMessageMoveTasks: out of a dead-letter queue,
// back to where the messages came from or somewhere else. Source: SQS API Reference, the pages of
// these operations; SQS Developer Guide, "Learn how to configure a dead-letter queue redrive".
#include <algorithm>
#include <utility>

#include "api/sqs/cancel_message_move_task.h"
#include "api/sqs/list_message_move_tasks.h"
#include "api/sqs/shapes.h"
#include "api/sqs/start_message_move_task.h"
#include "services/sqs/service.h"

namespace virga::sqs {
namespace {

constexpr int32_t kPerSecondMax = 500;
constexpr size_t kTasksKept = 10;  // of a source queue
constexpr size_t kMovedAtOnce = 50;
constexpr std::string_view kNoSuchQueue = "AWS.SimpleQueueService.NonExistentQueue";

Result<QueueAddress> address_of_source(const std::string& arn, const RequestContext& context) {
  auto address = address_of_arn(arn);
  if (!address) {
    return fail(
        errors::invalid_parameter("You must use this format to specify the SourceArn: "
                                  "arn:<partition>:<service>:<region>:<account-id>:<resource-id>"));
  }
  if (address->region != context.region || address->account != context.account) {
    return fail(errors::resource_not_found(
        "The resource that you specified for the SourceArn parameter doesn't exist."));
  }
  return std::move(*address);
}

// Some queue's redrive policy names it.
Result<bool> is_dead_letter_queue(const storage::View& view, const Queue& queue) {
  bool found = false;
  VIRGA_TRY_VOID(Queues::each(view, queue.address.account, queue.address.region, "",
                              [&](const std::string&, const QueueRecord& record) {
                                found =
                                    Settings::of(record.attributes).dead_letter_arn == queue.arn;
                                return !found;
                              }));
  return found;
}

Result<void> end_task(storage::Txn& txn, MoveTask task, std::string status,
                      std::string failure = {}) {
  task.status = std::move(status);
  task.failure = std::move(failure);
  put_move_task(txn, task);
  return {};
}

// A redriven message is a new one: id, age and receives start again.
Result<void> move_one(Work& work, Queue& target, Messages& source, const Place& place,
                      Message message) {
  VIRGA_TRY(there, work.messages(target));
  source.remove(work.txn, place, work.now);
  message.sent_at = message.visible_at = work.now;
  message.earlier_receives = 0;
  message.dead_letter_source.clear();
  there->send(work.txn, work.sequencer.next(work.txn), std::move(message), work.now);
  return {};
}

api::ListMessageMoveTasksResultEntry to_api(const MoveTask& task) {
  api::ListMessageMoveTasksResultEntry out;
  if (task.running()) out.task_handle = task.handle();
  out.status = task.status;
  out.source_arn = task.source_arn;
  if (!task.destination_arn.empty()) out.destination_arn = task.destination_arn;
  if (task.messages_per_second) out.max_number_of_messages_per_second = task.messages_per_second;
  out.approximate_number_of_messages_moved = task.moved;
  out.approximate_number_of_messages_to_move = task.to_move;
  if (!task.failure.empty()) out.failure_reason = task.failure;
  out.started_timestamp = task.started_at;
  return out;
}

}  // namespace

Task<void> Service::start() {
  co_await async::switch_to(shard_.owner());
  const auto view = shard_.snapshot();
  const auto tasks = co_await move_tasks(*view, "");
  for (const MoveTask& task : tasks) {
    if (task.running()) scope_.spawn("sqs_move_task", run_move_task(task));
  }
  co_return ok();
}

Task<api::StartMessageMoveTaskOutput> Service::start_message_move_task(
    Ctx ctx, api::StartMessageMoveTaskInput input) {
  const QueueAddress address = co_await address_of_source(input.source_arn, *ctx);
  MoveTask task{.id = ctx->env->random.uuid(),
                .source_arn = input.source_arn,
                .destination_arn = input.destination_arn.value_or(""),
                .messages_per_second = input.max_number_of_messages_per_second.value_or(0),
                .status = "RUNNING",
                .failure = {}};
  if (const auto per_second = input.max_number_of_messages_per_second;
      per_second && (*per_second < 1 || *per_second > kPerSecondMax)) {
    co_return fail(errors::invalid_value(std::to_string(*per_second),
                                         "MaxNumberOfMessagesPerSecond",
                                         "You must enter a value between 1 and 500."));
  }
  auto begin_task = [&](Work& work) -> Result<bool> {
    VIRGA_TRY(source, work.find(address));
    if (!source)
      return fail(errors::resource_not_found(
          "The resource that you specified for the SourceArn parameter doesn't exist."));
    if (!task.destination_arn.empty()) {
      const auto there = address_of_arn(task.destination_arn);
      VIRGA_TRY(destination, there ? work.find(*there) : Result<QueueRef>(QueueRef()));
      if (!destination) {
        return fail(errors::resource_not_found(
            "The resource that you specified for the DestinationArn parameter doesn't exist."));
      }
      if (destination == source)
        return fail(errors::invalid_parameter("Source and destination queues can't be the same."));
      if (destination->settings.fifo != source->settings.fifo) {
        return fail(
            errors::invalid_parameter("Source and destination queues must be of the same type."));
      }
    }
    VIRGA_TRY(dead_letters, is_dead_letter_queue(work.txn, *source));
    if (!dead_letters)
      return fail(
          errors::invalid_parameter("Source queue must be configured as a Dead Letter Queue."));
    VIRGA_TRY(others, move_tasks(work.txn, task.source_arn));
    for (size_t i = 0; i < others.size(); ++i) {
      if (others[i].running()) {
        return fail(
            errors::unsupported("There is already a task running. Only one active task is allowed "
                                "for a source queue arn "
                                "at a given time."));
      }
      if (i + 1 >= kTasksKept) erase_move_task(work.txn, others[i]);
    }
    VIRGA_TRY(messages, work.messages(*source));
    task.started_at = work.now / 1000;
    task.to_move = messages->counts(work.now).visible;
    put_move_task(work.txn, task);
    return true;
  };
  co_await transact(ctx, std::move(begin_task));
  scope_.spawn("sqs_move_task", run_move_task(task));
  api::StartMessageMoveTaskOutput out;
  out.task_handle = task.handle();
  co_return out;
}

Task<void> Service::run_move_task(MoveTask task) {
  RequestContext context;  // nobody's call: only what the work depends on is noted in it
  const size_t at_once =
      task.messages_per_second ? static_cast<size_t>(task.messages_per_second) : kMovedAtOnce;
  while (true) {
    auto some = [&](Work& work) {
      return move_some(work, task, std::min(at_once, size_t{kPerSecondMax}));
    };
    const bool more = co_await transact(Ctx(context), std::move(some));
    if (!more) co_return ok();
    co_await shard_.wait_durable(context.depends_on_lsn);  // others' work comes in between
    if (task.messages_per_second) co_await async::sleep_millis(1000);
  }
}

Result<bool> Service::move_some(Work& work, const MoveTask& named, size_t max) {
  VIRGA_TRY(tasks, move_tasks(work.txn, named.source_arn));
  const auto found =
      std::find_if(tasks.begin(), tasks.end(), [&](const MoveTask& t) { return t.id == named.id; });
  if (found == tasks.end() || !found->running()) return false;
  MoveTask task = *found;
  const auto over = [&](std::string status, std::string failure = {}) -> Result<bool> {
    VIRGA_TRY_VOID(end_task(work.txn, task, std::move(status), std::move(failure)));
    return false;
  };
  VIRGA_TRY(source, work.find(*address_of_arn(task.source_arn)));
  if (!source) return over("FAILED", std::string(kNoSuchQueue));
  VIRGA_TRY(messages, work.messages(*source));
  VIRGA_TRY(places,
            messages->next(work.txn, work.now,
                           std::min<size_t>(max, static_cast<size_t>(task.to_move - task.moved))));
  if (places.empty()) return over("COMPLETED");
  for (const Place& place : places) {
    VIRGA_TRY(message, messages->read(work.txn, place.sequence));
    if (!message) return fail(internal_failure("a message without its record"));
    const auto address = address_of_arn(task.destination_arn.empty() ? message->dead_letter_source
                                                                     : task.destination_arn);
    if (!address) return over("FAILED", "CouldNotDetermineMessageSource");
    VIRGA_TRY(target, work.find(*address));
    if (!target || target == source) return over("FAILED", std::string(kNoSuchQueue));
    message->id = env_.random.uuid();
    VIRGA_TRY_VOID(move_one(work, *target, *messages, place, std::move(*message)));
    ++task.moved;
  }
  put_move_task(work.txn, task);
  return true;
}

Task<api::CancelMessageMoveTaskOutput> Service::cancel_message_move_task(
    Ctx ctx, api::CancelMessageMoveTaskInput input) {
  const auto handle = MoveTaskHandle::parse(input.task_handle);
  if (!handle)
    co_return fail(errors::invalid_parameter("Value " + input.task_handle +
                                             " for parameter TaskHandle is invalid."));
  const QueueAddress address = co_await address_of_source(handle->source_arn, *ctx);
  auto cancel = [&](Work& work) -> Result<int64_t> {
    VIRGA_TRY(source, work.find(address));
    if (!source)
      return fail(errors::resource_not_found(
          "The resource that you specified for the SourceArn parameter doesn't exist."));
    VIRGA_TRY(tasks, move_tasks(work.txn, handle->source_arn));
    const auto found = std::find_if(tasks.begin(), tasks.end(),
                                    [&](const MoveTask& t) { return t.id == handle->id; });
    if (found == tasks.end()) return fail(errors::resource_not_found("Task does not exist."));
    if (!found->running()) return fail(errors::unsupported("Only active tasks can be cancelled."));
    VIRGA_TRY_VOID(end_task(work.txn, *found, "CANCELLED"));
    return found->moved;
  };
  const int64_t moved = co_await transact(ctx, std::move(cancel));
  api::CancelMessageMoveTaskOutput out;
  out.approximate_number_of_messages_moved = moved;
  co_return out;
}

Task<api::ListMessageMoveTasksOutput> Service::list_message_move_tasks(
    Ctx ctx, api::ListMessageMoveTasksInput input) {
  const QueueAddress address = co_await address_of_source(input.source_arn, *ctx);
  const int32_t max = input.max_results.value_or(1);
  if (max < 1 || max > 10)
    co_return fail(errors::invalid_value(std::to_string(max), "MaxResults",
                                         "You must enter a value between 1 and 10."));
  auto read = [&](Work& work) -> Result<std::vector<MoveTask>> {
    VIRGA_TRY(source, work.find(address));
    if (!source)
      return fail(errors::resource_not_found(
          "The resource that you specified for the SourceArn parameter doesn't exist."));
    return move_tasks(work.txn, input.source_arn);
  };
  const auto tasks = co_await transact(ctx, std::move(read));
  api::ListMessageMoveTasksOutput out;
  auto& results = out.results.emplace();
  for (const MoveTask& task : tasks) {
    if (results.size() == static_cast<size_t>(max)) break;
    results.push_back(to_api(task));
  }
  co_return out;
}

}  // namespace virga::sqs
