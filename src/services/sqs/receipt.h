#pragma once

#include <optional>
#include <string>

#include "services/sqs/work.h"

namespace virga::sqs {

// What a receipt handle stands for by now.
struct Receipt {
  Delivery delivery;    // the message's last
  bool latest = false;  // that is the one the handle was given for

  // The message may be received by others, or was.
  bool expired(int64_t now) const { return !latest || delivery.visible_at <= now; }
};

// Errors: ReceiptHandleIsInvalid for what is no handle of this queue.
Result<ReceiptHandle> parse_receipt(const Queue& queue, const std::string& text);
// nullopt when the message is gone: deleted, too old, purged.
Result<std::optional<Receipt>> find_receipt(Work& work, const Queue& queue,
                                            const Messages& messages, const ReceiptHandle& handle);
// FIFO queues take a handle until its visibility timeout only.
AwsError receipt_expired(const std::string& text);

}  // namespace virga::sqs
