// DeleteMessage, DeleteMessageBatch. Source: SQS API Reference, the pages of these operations.
#include "api/sqs/delete_message.h"

#include <utility>

#include "api/sqs/delete_message_batch.h"
#include "api/sqs/shapes.h"
#include "services/sqs/batch.h"
#include "services/sqs/receipt.h"
#include "services/sqs/service.h"

namespace virga::sqs {
namespace {

// A message that is gone is deleted already. A handle of an earlier receive succeeds and deletes
// nothing.
Result<void> delete_one(Work& work, Queue& queue, const std::string& text) {
  VIRGA_TRY(handle, parse_receipt(queue, text));
  VIRGA_TRY(messages, work.messages(queue));
  VIRGA_TRY(receipt, find_receipt(work, queue, *messages, handle));
  if (!receipt) return {};
  if (queue.settings.fifo && receipt->expired(work.now)) return fail(receipt_expired(text));
  if (receipt->latest)
    messages->remove(work.txn, {handle.sequence, receipt->delivery.visible_at, true}, work.now);
  return {};
}

}  // namespace

Task<api::DeleteMessageOutput> Service::delete_message(Ctx ctx, api::DeleteMessageInput input) {
  const QueueAddress address = co_await address_of_url(*ctx, input.queue_url);
  auto erase = [&](Work& work, Queue& queue) -> Result<bool> {
    VIRGA_TRY_VOID(delete_one(work, queue, input.receipt_handle));
    ctx->depends_on(queue.changed_at);  // somebody else may just have deleted it
    return true;
  };
  co_await on_queue(ctx, address, std::move(erase));
  co_return api::DeleteMessageOutput();
}

Task<api::DeleteMessageBatchOutput> Service::delete_message_batch(
    Ctx ctx, api::DeleteMessageBatchInput input) {
  const QueueAddress address = co_await address_of_url(*ctx, input.queue_url);
  auto erase = [&](Work& work, Queue& queue) -> Result<api::DeleteMessageBatchOutput> {
    const auto entries = input.entries.value_or({});
    VIRGA_TRY_VOID(check_batch(entries, "DeleteMessageBatchRequestEntry"));
    api::DeleteMessageBatchOutput out;
    for (const auto& entry : entries) {
      if (const auto done = delete_one(work, queue, entry.receipt_handle); !done) {
        if (!out.failed) out.failed.emplace();
        out.failed->push_back(failed_entry<api::BatchResultErrorEntry>(entry.id, done.error()));
        continue;
      }
      if (!out.successful) out.successful.emplace();
      out.successful->emplace_back().id = entry.id;
    }
    ctx->depends_on(queue.changed_at);
    return out;
  };
  auto out = co_await on_queue(ctx, address, std::move(erase));
  co_return std::move(out);
}

}  // namespace virga::sqs
