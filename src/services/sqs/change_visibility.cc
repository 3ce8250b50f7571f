// ChangeMessageVisibility, ChangeMessageVisibilityBatch. Source: SQS API Reference, the pages of
// these operations.
#include <utility>

#include "api/sqs/change_message_visibility.h"
#include "api/sqs/change_message_visibility_batch.h"
#include "api/sqs/shapes.h"
#include "services/sqs/batch.h"
#include "services/sqs/receipt.h"
#include "services/sqs/service.h"

namespace virga::sqs {
namespace {

Result<void> change_one(Work& work, Queue& queue, const std::string& text, int32_t seconds) {
  VIRGA_TRY(handle, parse_receipt(queue, text));
  if (seconds < 0 || seconds > kVisibilitySecondsMax) {
    return fail(errors::invalid_value(std::to_string(seconds), "VisibilityTimeout",
                                      "Must be between 0 and 43200."));
  }
  VIRGA_TRY(messages, work.messages(queue));
  VIRGA_TRY(receipt, find_receipt(work, queue, *messages, handle));
  if (!receipt) {
    return fail(errors::invalid_value(
        text, "ReceiptHandle",
        "Message does not exist or is not available for visibility timeout change."));
  }
  if (receipt->expired(work.now)) {
    if (queue.settings.fifo) return fail(receipt_expired(text));
    return {};  // AWS's standard queues answer as if it were done, and do nothing
  }
  Delivery delivery = receipt->delivery;
  const int64_t visible_at = work.now + int64_t{seconds} * 1'000'000;
  if (visible_at > delivery.received_at + int64_t{kVisibilitySecondsMax} * 1'000'000) {
    return fail(errors::invalid_value(
        std::to_string(seconds), "VisibilityTimeout",
        "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]"));
  }
  const Place from{handle.sequence, delivery.visible_at, true};
  delivery.visible_at = visible_at;
  messages->deliver(work.txn, from, delivery, work.now);
  return {};
}

}  // namespace

Task<api::ChangeMessageVisibilityOutput> Service::change_message_visibility(
    Ctx ctx, api::ChangeMessageVisibilityInput input) {
  const QueueAddress address = co_await address_of_url(*ctx, input.queue_url);
  auto change = [&](Work& work, Queue& queue) -> Result<bool> {
    VIRGA_TRY_VOID(change_one(work, queue, input.receipt_handle, input.visibility_timeout));
    return true;
  };
  co_await on_queue(ctx, address, std::move(change));
  co_return api::ChangeMessageVisibilityOutput();
}

Task<api::ChangeMessageVisibilityBatchOutput> Service::change_message_visibility_batch(
    Ctx ctx, api::ChangeMessageVisibilityBatchInput input) {
  const QueueAddress address = co_await address_of_url(*ctx, input.queue_url);
  auto change = [&](Work& work, Queue& queue) -> Result<api::ChangeMessageVisibilityBatchOutput> {
    const auto entries = input.entries.value_or({});
    VIRGA_TRY_VOID(check_batch(entries, "ChangeMessageVisibilityBatchRequestEntry"));
    api::ChangeMessageVisibilityBatchOutput out;
    for (const auto& entry : entries) {
      const auto done =
          change_one(work, queue, entry.receipt_handle,
                     entry.visibility_timeout.value_or(queue.settings.visibility_seconds));
      if (!done) {
        if (!out.failed) out.failed.emplace();
        out.failed->push_back(failed_entry<api::BatchResultErrorEntry>(entry.id, done.error()));
        continue;
      }
      if (!out.successful) out.successful.emplace();
      out.successful->emplace_back().id = entry.id;
    }
    return out;
  };
  auto out = co_await on_queue(ctx, address, std::move(change));
  co_return std::move(out);
}

}  // namespace virga::sqs
