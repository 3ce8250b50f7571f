#include "services/sqs/receipt.h"

namespace virga::sqs {

Result<ReceiptHandle> parse_receipt(const Queue& queue, const std::string& text) {
  const auto handle = ReceiptHandle::parse(text);
  if (!handle || handle->queue != queue.record.id)
    return fail(errors::invalid_receipt_handle(text));
  return *handle;
}

Result<std::optional<Receipt>> find_receipt(Work& work, const Queue& queue,
                                            const Messages& messages, const ReceiptHandle& handle) {
  if (handle.store != queue.record.store) return std::optional<Receipt>();
  VIRGA_TRY(delivery, messages.delivery(work.txn, handle.sequence));
  if (!delivery) return std::optional<Receipt>();
  return std::optional(Receipt{*delivery, delivery->receives == handle.receives});
}

AwsError receipt_expired(const std::string& text) {
  return errors::invalid_value(text, "ReceiptHandle", "The receipt handle has expired.");
}

}  // namespace virga::sqs
