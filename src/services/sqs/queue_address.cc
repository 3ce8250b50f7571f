#include "services/sqs/queue_address.h"

#include <algorithm>
#include <cctype>

#include "base/strings.h"
#include "platform/queue_url.h"
#include "services/sqs/errors.h"

namespace virga::sqs {
namespace {

constexpr std::string_view kFifoSuffix = ".fifo";
constexpr size_t kNameMax = 80;

bool is_plain_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '-' || c == '_';
  });
}

}  // namespace

Result<QueueAddress> address_of_url(const RequestContext& context, std::string_view url) {
  const auto parts = platform::parse_queue_url(url);
  if (!parts) {
    return fail("InvalidAddress", 404,
                "The address " + std::string(url) + " is not valid for this endpoint.");
  }
  const auto or_else = [](std::string_view told, const std::string& otherwise) {
    return told.empty() ? otherwise : std::string(told);
  };
  return QueueAddress{or_else(parts->account, context.account),
                      or_else(parts->region, context.region), std::string(parts->name)};
}

std::optional<QueueAddress> address_of_arn(std::string_view arn) {
  const auto parts = split(arn, ':');
  if (parts.size() != 6 || parts[0] != "arn" || parts[2] != "sqs") return std::nullopt;
  if (parts[1].empty() || parts[3].empty() || parts[4].empty() || parts[5].empty())
    return std::nullopt;
  return QueueAddress{std::string(parts[4]), std::string(parts[3]), std::string(parts[5])};
}

std::string url_of(const RequestContext& context, const QueueAddress& address) {
  return context.endpoint.url() + "/" + address.account + "/" + address.name;
}

std::string arn_of(const QueueAddress& address) {
  return "arn:" + std::string(partition_of(address.region)) + ":sqs:" + address.region + ":" +
         address.account + ":" + address.name;
}

bool is_fifo_name(std::string_view name) {
  return name.ends_with(kFifoSuffix);
}

Result<void> check_queue_name(std::string_view name, bool fifo) {
  if (fifo) {
    if (is_fifo_name(name) && name.size() <= kNameMax &&
        is_plain_name(name.substr(0, name.size() - kFifoSuffix.size()))) {
      return {};
    }
    return fail(
        errors::invalid_parameter("The name of a FIFO queue can only include alphanumeric "
                                  "characters, hyphens, or underscores, must end with .fifo "
                                  "suffix and be 1 to 80 in length."));
  }
  if (name.size() <= kNameMax && is_plain_name(name)) return {};
  return fail(errors::invalid_parameter(
      "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"));
}

}  // namespace virga::sqs
