#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aws/context.h"
#include "base/error.h"

namespace virga::sqs {

// What names a queue: queues of one name in two accounts or regions have nothing to do with each
// other.
struct QueueAddress {
  std::string account, region, name;
  friend bool operator==(const QueueAddress&, const QueueAddress&) = default;
};

// Of a QueueUrl in any of its forms (platform/queue_url.h); the bare name is a queue of the
// caller's. Errors: InvalidAddress when there is no name in it.
Result<QueueAddress> address_of_url(const RequestContext& context, std::string_view url);
// arn:PARTITION:sqs:REGION:ACCOUNT:NAME; nullopt for any other text.
std::optional<QueueAddress> address_of_arn(std::string_view arn);

// Built from scheme, host and port of the request.
std::string url_of(const RequestContext& context, const QueueAddress& address);
std::string arn_of(const QueueAddress& address);

bool is_fifo_name(std::string_view name);
// Letters, digits, '-' and '_', 1 to 80 of them; the .fifo of a FIFO queue's name counts as well.
Result<void> check_queue_name(std::string_view name, bool fifo);

}  // namespace virga::sqs
