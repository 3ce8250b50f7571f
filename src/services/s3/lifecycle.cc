#include "services/s3/lifecycle.h"

#include <algorithm>
#include <array>
#include <set>

#include "api/s3/shapes/bucket_lifecycle_configuration.h"
#include "base/time.h"
#include "services/s3/errors.h"

namespace virga::s3 {
namespace {

constexpr int64_t kDayMillis = 86'400'000;
constexpr int64_t kLastMillis = 253'402'300'799'000;  // the end of 9999: what dates can say
constexpr size_t kRulesMax = 1000;
constexpr size_t kIdCharactersMax = 255;
constexpr int32_t kInfrequentAccessDays = 30;
constexpr uint64_t kMovedBytesMin = 128 * 1024;  // smaller objects stay, unless a rule has sizes

using Tags = std::vector<std::pair<std::string, std::string>>;

// In the order of the waterfall: objects move down only. Source: S3 User Guide, "Transitioning
// objects using Amazon S3 Lifecycle".
constexpr std::array<std::string_view, 7> kClasses{
    "STANDARD",   "STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA",
    "GLACIER_IR", "GLACIER",     "DEEP_ARCHIVE"};

size_t rank(std::string_view storage_class) {
  return static_cast<size_t>(std::find(kClasses.begin(), kClasses.end(), storage_class) -
                             kClasses.begin());
}

// ---- what a configuration may not say

std::unexpected<AwsError> malformed() {
  return fail(errors::malformed_xml());
}

std::unexpected<AwsError> bad_argument(std::string message, std::string_view name,
                                       std::string_view value) {
  return fail(errors::invalid_argument(std::move(message), name, value));
}

Result<void> check_days(const std::optional<int32_t>& days, int32_t least,
                        const std::string& message, std::string_view name) {
  if (!days || *days >= least) return {};
  return bad_argument(message, name, std::to_string(*days));
}

Result<void> check_date(const std::optional<Timestamp>& date) {
  if (!date || date->millis() % kDayMillis == 0) return {};
  return bad_argument("'Date' must be at midnight GMT", "Date", format_iso8601(*date));
}

// One condition, or several below And.
Result<void> check_filter(const api::LifecycleRuleFilter& filter) {
  const int said = filter.prefix.has_value() + static_cast<bool>(filter.tag) +
                   filter.object_size_greater_than.has_value() +
                   filter.object_size_less_than.has_value() + static_cast<bool>(filter.and_);
  if (said > 1) return malformed();
  for (const auto& size : {filter.object_size_greater_than, filter.object_size_less_than,
                           filter.and_ ? filter.and_->object_size_greater_than : std::nullopt,
                           filter.and_ ? filter.and_->object_size_less_than : std::nullopt}) {
    if (size && *size < 0)
      return fail(errors::invalid_request("An object's size in a filter must be nonnegative."));
  }
  if (!filter.and_) return {};
  const auto& all = *filter.and_;
  const size_t tags = all.tags ? all.tags->size() : 0;
  const size_t conditions = all.prefix.has_value() + tags +
                            all.object_size_greater_than.has_value() +
                            all.object_size_less_than.has_value();
  if (conditions < 2) return malformed();
  if (all.object_size_greater_than && all.object_size_less_than &&
      *all.object_size_less_than <= *all.object_size_greater_than) {
    return fail(errors::invalid_request(
        "'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'."));
  }
  return {};
}

Result<void> check_move(std::string_view element, std::string_view days_name,
                        const std::optional<int32_t>& days, std::string_view storage_class) {
  if (rank(storage_class) == 0 || rank(storage_class) == kClasses.size()) return malformed();
  const std::string name = "'" + std::string(days_name) + "'";
  VIRGA_TRY_VOID(check_days(
      days, 0, name + " for " + std::string(element) + " action must be nonnegative", days_name));
  const bool infrequent = storage_class == "STANDARD_IA" || storage_class == "ONEZONE_IA";
  if (!infrequent) return {};
  return check_days(days, kInfrequentAccessDays,
                    name + " in " + std::string(element) +
                        " action must be greater than or equal to 30 for storageClass '" +
                        std::string(storage_class) + "'",
                    days_name);
}

std::string prefix_of(const api::LifecycleRule& rule) {
  if (rule.prefix) return *rule.prefix;
  if (rule.filter->and_) return rule.filter->and_->prefix.value_or("");
  return rule.filter->prefix.value_or("");
}

Result<void> check_expiration(const api::LifecycleRule& rule, bool tagged) {
  if (!rule.expiration) return {};
  const auto& e = *rule.expiration;
  const int said =
      e.days.has_value() + e.date.has_value() + e.expired_object_delete_marker.has_value();
  if (said != 1) return malformed();
  VIRGA_TRY_VOID(
      check_days(e.days, 1, "'Days' for Expiration action must be a positive integer", "Days"));
  VIRGA_TRY_VOID(check_date(e.date));
  if (e.expired_object_delete_marker && tagged)
    return fail(
        errors::invalid_request("ExpiredObjectDeleteMarker cannot be specified with Tags."));
  if (!e.days || !rule.transitions) return {};
  for (const auto& move : *rule.transitions) {
    if (move.days && *move.days >= *e.days) {
      return bad_argument("'Days' in the Expiration action for prefix '" + prefix_of(rule) +
                              "' must be greater than 'Days' in the Transition action",
                          "Days", std::to_string(*e.days));
    }
  }
  return {};
}

Result<void> check_transitions(const api::LifecycleRule& rule) {
  std::set<std::string_view> classes;
  if (rule.transitions) {
    for (const auto& move : *rule.transitions) {
      if (move.days.has_value() == move.date.has_value() || !move.storage_class) return malformed();
      VIRGA_TRY_VOID(check_date(move.date));
      VIRGA_TRY_VOID(check_move("Transition", "Days", move.days, *move.storage_class));
      if (!classes.insert(*move.storage_class).second) {
        return fail(errors::invalid_request(
            "'StorageClass' must be different for 'Transition' actions in same 'Rule'"));
      }
    }
  }
  if (!rule.noncurrent_version_transitions) return {};
  for (const auto& move : *rule.noncurrent_version_transitions) {
    if (!move.noncurrent_days || !move.storage_class) return malformed();
    VIRGA_TRY_VOID(check_move("NoncurrentVersionTransition", "NoncurrentDays", move.noncurrent_days,
                              *move.storage_class));
  }
  return {};
}

Result<void> check_rule(const api::LifecycleRule& rule) {
  if (rule.status != "Enabled" && rule.status != "Disabled") return malformed();
  if (rule.id && rule.id->size() > kIdCharactersMax)
    return bad_argument("ID length should not exceed allowed limit of 255", "ID", *rule.id);
  if (rule.prefix.has_value() == static_cast<bool>(rule.filter)) return malformed();
  if (rule.filter) VIRGA_TRY_VOID(check_filter(*rule.filter));
  const bool moves =
      (rule.transitions && !rule.transitions->empty()) ||
      (rule.noncurrent_version_transitions && !rule.noncurrent_version_transitions->empty());
  if (!moves && !rule.expiration && !rule.noncurrent_version_expiration &&
      !rule.abort_incomplete_multipart_upload) {
    return fail(errors::invalid_request("At least one action needs to be specified in a rule"));
  }
  const bool tagged =
      rule.filter && (rule.filter->tag || (rule.filter->and_ && rule.filter->and_->tags &&
                                           !rule.filter->and_->tags->empty()));
  VIRGA_TRY_VOID(check_transitions(rule));
  VIRGA_TRY_VOID(check_expiration(rule, tagged));
  if (const auto& old = rule.noncurrent_version_expiration) {
    if (!old->noncurrent_days) return malformed();
    VIRGA_TRY_VOID(check_days(
        old->noncurrent_days, 1,
        "'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer",
        "NoncurrentDays"));
    VIRGA_TRY_VOID(check_days(old->newer_noncurrent_versions, 1,
                              "'NewerNoncurrentVersions' for NoncurrentVersionExpiration action "
                              "must be a positive integer",
                              "NewerNoncurrentVersions"));
  }
  if (const auto& abort = rule.abort_incomplete_multipart_upload) {
    if (tagged) {
      return fail(
          errors::invalid_request("AbortIncompleteMultipartUpload cannot be specified with Tags."));
    }
    if (!abort->days_after_initiation) return malformed();
    VIRGA_TRY_VOID(check_days(abort->days_after_initiation, 1,
                              "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action "
                              "must be a positive integer",
                              "DaysAfterInitiation"));
  }
  return {};
}

// ---- what a rule is about

bool is_about(const LifecycleRule& rule, std::string_view key, const Tags& tags, uint64_t size) {
  if (!key.starts_with(rule.prefix)) return false;
  const auto bytes = static_cast<int64_t>(size);
  if (rule.larger_than && bytes <= *rule.larger_than) return false;
  if (rule.smaller_than && bytes >= *rule.smaller_than) return false;
  return std::all_of(rule.tags.begin(), rule.tags.end(), [&](const auto& wanted) {
    return std::find(tags.begin(), tags.end(), wanted) != tags.end();
  });
}

// The lowest class that a version should have reached; empty: it stays.
std::string_view reached_class(const LifecycleRule& rule, const ListedVersion& version,
                               const VersionPlace& place, int64_t now_millis) {
  if (version.size < kMovedBytesMin && !rule.larger_than && !rule.smaller_than) return {};
  const auto& moves = place.current ? rule.moves : rule.noncurrent_moves;
  const int64_t since = place.current ? version.modified_millis : place.noncurrent_since_millis;
  std::string_view lowest;
  for (const LifecycleMove& move : moves) {
    const bool due = move.time.due_millis(since) <= now_millis &&
                     (place.current || place.newer_noncurrent >= move.newer_kept);
    if (due && (lowest.empty() || rank(move.storage_class) > rank(lowest)))
      lowest = move.storage_class;
  }
  return lowest;
}

bool is_over(const LifecycleRule& rule, const ListedVersion& version, const VersionPlace& place,
             int64_t now_millis) {
  if (place.current && version.delete_marker) {
    // Days count for markers that hide nothing, too.
    const bool aged =
        rule.expiration && rule.expiration->due_millis(version.modified_millis) <= now_millis;
    return place.alone && (rule.lone_markers || aged);
  }
  if (place.current)
    return rule.expiration && rule.expiration->due_millis(version.modified_millis) <= now_millis;
  if (!rule.noncurrent_days || place.newer_noncurrent < rule.newer_kept) return false;
  const LifecycleTime time{.days = rule.noncurrent_days, .date_millis = {}};
  return time.due_millis(place.noncurrent_since_millis) <= now_millis;
}

}  // namespace

int64_t next_midnight_millis(int64_t millis) {
  return (millis / kDayMillis + 1) * kDayMillis;
}

int64_t LifecycleTime::due_millis(int64_t since_millis) const {
  if (date_millis) return *date_millis;
  return next_midnight_millis(since_millis + days.value_or(0) * kDayMillis);
}

LifecycleRules lifecycle_rules_of(const api::BucketLifecycleConfiguration& configuration) {
  LifecycleRules out;
  for (const api::LifecycleRule& given : configuration.rules) {
    if (given.status != "Enabled") continue;
    LifecycleRule& rule = out.emplace_back();
    rule.id = given.id.value_or("");
    rule.prefix = given.prefix.value_or("");
    const auto add_tag = [&](const api::Tag& tag) { rule.tags.emplace_back(tag.key, tag.value); };
    if (given.filter) {
      const auto& filter = *given.filter;
      if (filter.prefix) rule.prefix = *filter.prefix;
      if (filter.tag) add_tag(*filter.tag);
      rule.larger_than = filter.object_size_greater_than;
      rule.smaller_than = filter.object_size_less_than;
      if (filter.and_) {
        rule.prefix = filter.and_->prefix.value_or("");
        if (filter.and_->tags)
          std::for_each(filter.and_->tags->begin(), filter.and_->tags->end(), add_tag);
        rule.larger_than = filter.and_->object_size_greater_than;
        rule.smaller_than = filter.and_->object_size_less_than;
      }
    }
    const auto millis = [](const std::optional<Timestamp>& date) {
      return date ? std::optional(date->millis()) : std::nullopt;
    };
    if (given.expiration) {
      const auto& e = *given.expiration;
      if (e.days || e.date) rule.expiration = LifecycleTime{e.days, millis(e.date)};
      rule.lone_markers = e.expired_object_delete_marker.value_or(false);
    }
    if (given.transitions) {
      for (const auto& move : *given.transitions) {
        rule.moves.push_back({.time = {move.days, millis(move.date)},
                              .storage_class = move.storage_class.value_or("")});
      }
    }
    if (given.noncurrent_version_expiration) {
      rule.noncurrent_days = given.noncurrent_version_expiration->noncurrent_days;
      rule.newer_kept = given.noncurrent_version_expiration->newer_noncurrent_versions.value_or(0);
    }
    if (given.noncurrent_version_transitions) {
      for (const auto& move : *given.noncurrent_version_transitions) {
        rule.noncurrent_moves.push_back({.time = {move.noncurrent_days, {}},
                                         .storage_class = move.storage_class.value_or(""),
                                         .newer_kept = move.newer_noncurrent_versions.value_or(0)});
      }
    }
    if (given.abort_incomplete_multipart_upload)
      rule.abort_days = given.abort_incomplete_multipart_upload->days_after_initiation;
  }
  return out;
}

Result<void> check_lifecycle(const api::BucketLifecycleConfiguration& configuration) {
  if (configuration.rules.empty() || configuration.rules.size() > kRulesMax) return malformed();
  std::set<std::string_view> ids;
  for (const api::LifecycleRule& rule : configuration.rules) {
    VIRGA_TRY_VOID(check_rule(rule));
    if (rule.id && !rule.id->empty() && !ids.insert(*rule.id).second) {
      return bad_argument("Rule ID must be unique. Found same ID for more than one rule", "ID",
                          *rule.id);
    }
  }
  return {};
}

std::optional<std::string> expiration_of(const LifecycleRules& rules, const ObjectVersion& object) {
  const LifecycleRule* first = nullptr;
  int64_t end = 0;
  for (const LifecycleRule& rule : rules) {
    if (!rule.expiration || !is_about(rule, object.key, object.tags, object.size)) continue;
    const int64_t due = rule.expiration->due_millis(object.modified_millis);
    if (first && due >= end) continue;
    first = &rule;
    end = due;
  }
  if (!first) return std::nullopt;
  end = std::min(end, kLastMillis);
  return "expiry-date=\"" + format_http_date(Timestamp::from_millis(end)) + "\", rule-id=\"" +
         first->id + "\"";
}

LifecycleAction lifecycle_action(const LifecycleRules& rules, const ListedVersion& version,
                                 const Tags& tags, const VersionPlace& place, int64_t now_millis) {
  using Kind = LifecycleAction::Kind;
  std::string_view lowest;
  for (const LifecycleRule& rule : rules) {
    if (!is_about(rule, version.key, tags, version.size)) continue;
    if (is_over(rule, version, place, now_millis))
      return {.kind = Kind::expire, .storage_class = ""};
    if (version.delete_marker) continue;
    const std::string_view reached = reached_class(rule, version, place, now_millis);
    if (!reached.empty() && (lowest.empty() || rank(reached) > rank(lowest))) lowest = reached;
  }
  if (lowest.empty() || rank(lowest) <= rank(version.storage_class)) return {};
  return {.kind = Kind::move, .storage_class = std::string(lowest)};
}

bool is_upload_over(const LifecycleRules& rules, const Upload& upload, int64_t now_millis) {
  return std::any_of(rules.begin(), rules.end(), [&](const LifecycleRule& rule) {
    const LifecycleTime time{.days = rule.abort_days, .date_millis = {}};
    return rule.abort_days && upload.key.starts_with(rule.prefix) &&
           time.due_millis(upload.initiated_millis) <= now_millis;
  });
}

}  // namespace virga::s3
