#pragma once

#include <optional>
#include <string_view>

namespace virga::platform {

// What a QueueUrl says of its queue; empty where it leaves it to the caller. Views into the URL.
struct QueueUrl {
  std::string_view region;
  std::string_view account;
  std::string_view name;
};

// The host does not matter: http://localhost:4566/111122223333/q and
// https://sqs.eu-west-1.amazonaws.com/111122223333/q (account and name),
// …/queue/eu-west-1/111122223333/q (with a region), q (the name alone). nullopt: there is no name.
std::optional<QueueUrl> parse_queue_url(std::string_view url);

}  // namespace virga::platform
