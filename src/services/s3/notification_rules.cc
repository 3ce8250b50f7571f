#include "services/s3/notification_rules.h"

#include <algorithm>
#include <array>
#include <set>

#include "api/s3/shapes.h"
#include "base/hashing.h"
#include "base/strings.h"
#include "services/s3/errors.h"

namespace virga::s3 {
namespace {

constexpr size_t kRulesMax = 100;

constexpr std::array<std::string_view, 27> kEvents{
    "s3:ObjectCreated:*",
    "s3:ObjectCreated:Put",
    "s3:ObjectCreated:Post",
    "s3:ObjectCreated:Copy",
    "s3:ObjectCreated:CompleteMultipartUpload",
    "s3:ObjectRemoved:*",
    "s3:ObjectRemoved:Delete",
    "s3:ObjectRemoved:DeleteMarkerCreated",
    "s3:ObjectRestore:*",
    "s3:ObjectRestore:Post",
    "s3:ObjectRestore:Completed",
    "s3:ObjectRestore:Delete",
    "s3:ReducedRedundancyLostObject",
    "s3:Replication:*",
    "s3:Replication:OperationFailedReplication",
    "s3:Replication:OperationMissedThreshold",
    "s3:Replication:OperationReplicatedAfterThreshold",
    "s3:Replication:OperationNotTracked",
    "s3:LifecycleTransition",
    "s3:IntelligentTiering",
    "s3:LifecycleExpiration:*",
    "s3:LifecycleExpiration:Delete",
    "s3:LifecycleExpiration:DeleteMarkerCreated",
    "s3:ObjectTagging:*",
    "s3:ObjectTagging:Put",
    "s3:ObjectTagging:Delete",
    "s3:ObjectAcl:Put"};

AwsError refusal(std::string message) {
  return errors::make("InvalidArgument", 400, std::move(message));
}

void take_filter(const Box<api::NotificationConfigurationFilter>& filter, NotificationRule& rule) {
  if (!filter || !filter->key || !filter->key->filter_rules) return;
  for (const api::FilterRule& one : *filter->key->filter_rules) {
    (iequals(one.name.value_or(""), "prefix") ? rule.prefix : rule.suffix) = one.value.value_or("");
  }
}

Result<void> check_filter(const Box<api::NotificationConfigurationFilter>& filter) {
  if (!filter || !filter->key || !filter->key->filter_rules) return {};
  std::set<std::string> seen;
  for (const api::FilterRule& one : *filter->key->filter_rules) {
    const std::string name = to_lower(one.name.value_or(""));
    if (name != "prefix" && name != "suffix") {
      return fail(errors::invalid_argument("filter rule name must be either prefix or suffix",
                                           "FilterRule.Name", one.name.value_or("")));
    }
    if (!seen.insert(name).second)
      return fail(refusal("Cannot specify more than one " + name + " rule in a filter."));
    if (one.value.value_or("").size() > 1024)
      return fail(refusal("Size of filter rule value cannot exceed 1024 bytes in UTF-8"));
  }
  return {};
}

// One of the events of one also is one of the other.
bool share_event(const NotificationRule& a, const NotificationRule& b) {
  const auto covers = [](std::string_view wide, std::string_view narrow) {
    return wide == narrow ||
           (wide.ends_with('*') && narrow.starts_with(wide.substr(0, wide.size() - 1)));
  };
  for (const auto& x : a.events) {
    for (const auto& y : b.events) {
      if (covers(x, y) || covers(y, x)) return true;
    }
  }
  return false;
}

bool overlap(const NotificationRule& a, const NotificationRule& b) {
  const bool prefixes = a.prefix.starts_with(b.prefix) || b.prefix.starts_with(a.prefix);
  const bool suffixes = a.suffix.ends_with(b.suffix) || b.suffix.ends_with(a.suffix);
  return prefixes && suffixes && share_event(a, b);
}

template <class List, class Visit>
void each(List& list, Visit visit) {
  if (!list) return;
  for (auto& one : *list) visit(one);
}

}  // namespace

bool NotificationRule::matches(std::string_view event, std::string_view key) const {
  if (!key.starts_with(prefix) || !key.ends_with(suffix) || key.size() < prefix.size())
    return false;
  return std::any_of(events.begin(), events.end(), [&](const std::string& wanted) {
    const auto name = std::string_view(wanted).substr(3);  // behind "s3:"
    return name == event ||
           (name.ends_with('*') && event.starts_with(name.substr(0, name.size() - 1)));
  });
}

NotificationRules rules_of(const api::NotificationConfiguration& configuration) {
  NotificationRules out;
  const auto add = [&](NotificationRule::Kind kind, const auto& one, const std::string& arn) {
    NotificationRule& rule = out.emplace_back();
    rule.kind = kind;
    rule.id = one.id.value_or("");
    rule.arn = arn;
    rule.events = one.events;
    take_filter(one.filter, rule);
  };
  each(configuration.lambda_function_configurations,
       [&](const api::LambdaFunctionConfiguration& one) {
         add(NotificationRule::Kind::function, one, one.lambda_function_arn);
       });
  each(configuration.queue_configurations, [&](const api::QueueConfiguration& one) {
    add(NotificationRule::Kind::queue, one, one.queue_arn);
  });
  each(configuration.topic_configurations, [&](const api::TopicConfiguration& one) {
    add(NotificationRule::Kind::topic, one, one.topic_arn);
  });
  return out;
}

void name_rules(api::NotificationConfiguration& configuration, const std::string& chance) {
  int count = 0;
  const auto name = [&](auto& one) {
    ++count;
    if (one.id && !one.id->empty()) return;
    one.id = to_base64(to_hex(as_bytes(sha256(chance + std::to_string(count)))).substr(0, 36));
  };
  each(configuration.lambda_function_configurations, name);
  each(configuration.queue_configurations, name);
  each(configuration.topic_configurations, name);
}

Result<void> check_rules(const NotificationRules& rules,
                         const api::NotificationConfiguration& configuration) {
  if (rules.size() > kRulesMax)
    return fail(refusal("The number of notification configurations exceeds the limit of 100."));
  Result<void> filters;
  const auto check = [&](const auto& one) {
    if (filters) filters = check_filter(one.filter);
  };
  each(configuration.lambda_function_configurations, check);
  each(configuration.queue_configurations, check);
  each(configuration.topic_configurations, check);
  VIRGA_TRY_VOID(std::move(filters));
  std::set<std::string_view> names;
  for (const NotificationRule& rule : rules) {
    if (!names.insert(rule.id).second)
      return fail(refusal("Same ID used for multiple configurations. IDs must be unique"));
    if (rule.events.empty()) return fail(errors::malformed_xml());
    for (const std::string& event : rule.events) {
      if (std::find(kEvents.begin(), kEvents.end(), event) == kEvents.end()) {
        return fail(errors::invalid_argument(
            "The event '" + event + "' is not supported for notifications", "Event", event));
      }
    }
  }
  for (size_t i = 0; i < rules.size(); ++i) {
    for (size_t j = i + 1; j < rules.size(); ++j) {
      if (!overlap(rules[i], rules[j])) continue;
      const bool filtered = !rules[i].prefix.empty() || !rules[i].suffix.empty() ||
                            !rules[j].prefix.empty() || !rules[j].suffix.empty();
      return fail(refusal(filtered ? "Configuration is ambiguously defined. Cannot have "
                                     "overlapping suffixes in two rules if the prefixes are "
                                     "overlapping for the same event type."
                                   : "Configurations overlap. Configurations on the same bucket "
                                     "cannot share a common event type."));
    }
  }
  return {};
}

}  // namespace virga::s3
