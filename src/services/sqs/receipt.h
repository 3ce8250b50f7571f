#pragma once

#include <optional>
#include <string>

#include "services/sqs/work.h"

namespace virga::sqs {

// Errors: ReceiptHandleIsInvalid for what is no handle of this queue.
Result<ReceiptHandle> parse_receipt(const Queue& queue, const std::string& text);
// The delivery that the handle was given for; nullopt when the message is gone (deleted, too old,
// purged) or was received again since.
Result<std::optional<Delivery>> find_delivery(Work& work, const Queue& queue,
                                              const Messages& messages,
                                              const ReceiptHandle& handle);
// FIFO queues take a handle until its visibility timeout only.
AwsError receipt_expired(const std::string& text);

}  // namespace virga::sqs
