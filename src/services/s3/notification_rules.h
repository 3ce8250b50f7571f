#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/s3/shapes/notification_configuration.h"
#include "base/error.h"

// A bucket's notification configuration, by destination. Source: S3 User Guide, "Event notification
// types and destinations", "Configuring event notifications using object key name filtering".
namespace virga::s3 {

struct NotificationRule {
  enum class Kind { function, queue, topic };
  Kind kind = Kind::function;
  std::string id;
  std::string arn;                  // of the destination
  std::vector<std::string> events;  // "s3:ObjectCreated:*"
  std::string prefix;
  std::string suffix;

  // `event` is "ObjectCreated:Put".
  bool matches(std::string_view event, std::string_view key) const;
};
using NotificationRules = std::vector<NotificationRule>;

NotificationRules rules_of(const api::NotificationConfiguration& configuration);

// Gives rules without a name one (48 characters).
void name_rules(api::NotificationConfiguration& configuration, const std::string& chance);

// InvalidArgument for unknown events, filters that S3 does not take, names used twice, and two
// rules that one event could match. Destinations themselves are not looked at.
Result<void> check_rules(const NotificationRules& rules,
                         const api::NotificationConfiguration& configuration);

}  // namespace virga::s3
