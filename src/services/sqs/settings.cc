#include "services/sqs/settings.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/json.h"
#include "base/strings.h"
#include "platform/policy.h"
#include "services/sqs/errors.h"

namespace virga::sqs {
namespace {

struct Range {
  std::string_view name;
  int64_t min, max;
  std::string_view otherwise;  // the default
};
// Source: SQS API Reference, SetQueueAttributes; "Amazon SQS message quotas".
constexpr std::array<Range, 6> kRanges{{{"DelaySeconds", 0, kDelaySecondsMax, "0"},
                                        {"MaximumMessageSize", 1024, kMessageBytesMax, "1048576"},
                                        {"MessageRetentionPeriod", 60, 1'209'600, "345600"},
                                        {"ReceiveMessageWaitTimeSeconds", 0, kWaitSecondsMax, "0"},
                                        {"VisibilityTimeout", 0, kVisibilitySecondsMax, "30"},
                                        {"KmsDataKeyReusePeriodSeconds", 60, 86'400, "300"}}};
constexpr size_t kRedriveSourcesMax = 10;

bool is_one_of(std::string_view value, std::initializer_list<std::string_view> all) {
  return std::find(all.begin(), all.end(), value) != all.end();
}

std::string value_or(const AttributeMap& attributes, const std::string& name,
                     std::string_view otherwise) {
  const auto found = attributes.find(name);
  return found == attributes.end() ? std::string(otherwise) : found->second;
}

// true and false in any case, kept in lower case.
Result<std::string> check_flag(std::string_view name, const std::string& value) {
  const std::string lower = to_lower(value);
  if (lower == "true" || lower == "false") return lower;
  return fail(errors::invalid_attribute_value(name));
}

Result<void> check_redrive_allow(const std::string& value) {
  const auto parsed = parse_json(value);
  const auto bad = [](std::string_view reason) {
    return fail(errors::invalid_attribute_value_because(
        "Invalid value for the parameter RedriveAllowPolicy. Reason: " + std::string(reason)));
  };
  if (!parsed || !parsed->is_object())
    return bad(
        "Amazon SQS can't create the redrive allow policy, as it's in an unsupported format.");
  const auto permission = parsed->string_or("redrivePermission", "");
  if (!is_one_of(permission, {"allowAll", "denyAll", "byQueue"})) {
    return bad("redrivePermission must be one of allowAll, denyAll, byQueue.");
  }
  const Document* sources = parsed->find("sourceQueueArns");
  if (permission != "byQueue") {
    return sources ? bad("sourceQueueArns is allowed only when redrivePermission is byQueue.")
                   : Result<void>();
  }
  if (!sources || !sources->is_array() || sources->as_array().empty())
    return bad("byQueue needs sourceQueueArns.");
  if (sources->as_array().size() > kRedriveSourcesMax)
    return bad("sourceQueueArns may have 10 entries at most.");
  for (const Document& arn : sources->as_array()) {
    if (!arn.is_string() || !address_of_arn(arn.as_string()))
      return bad("sourceQueueArns must be ARNs of queues.");
  }
  return {};
}

Result<std::string> check_one(const std::string& name, const std::string& value, bool fifo) {
  for (const Range& range : kRanges) {
    if (name != range.name) continue;
    const auto number = parse_int(value);
    if (!number || *number < range.min || *number > range.max)
      return fail(errors::invalid_attribute_value(name));
    return std::to_string(*number);
  }
  if (name == "KmsMasterKeyId") return value;
  if (name == "SqsManagedSseEnabled") return check_flag(name, value);
  if (name == "Policy") {
    if (!value.empty() && !platform::PolicyDocument::parse(value, platform::PolicyKind::resource)) {
      return fail(errors::invalid_attribute_value(name));
    }
    return value;
  }
  if (name == "RedrivePolicy") {
    if (!value.empty()) VIRGA_TRY_VOID(parse_redrive_policy(value));
    return value;
  }
  if (name == "RedriveAllowPolicy") {
    if (!value.empty()) VIRGA_TRY_VOID(check_redrive_allow(value));
    return value;
  }
  if (fifo && name == "FifoQueue") {
    VIRGA_TRY(flag, check_flag(name, value));
    if (flag == "true") return flag;
    return fail(
        errors::invalid_attribute_value_because("Invalid value for the parameter FifoQueue. "
                                                "Reason: Modifying queue type is not supported."));
  }
  if (fifo && name == "ContentBasedDeduplication") return check_flag(name, value);
  if (fifo && name == "DeduplicationScope") {
    if (is_one_of(value, {"messageGroup", "queue"})) return value;
    return fail(errors::invalid_attribute_value(name));
  }
  if (fifo && name == "FifoThroughputLimit") {
    if (is_one_of(value, {"perQueue", "perMessageGroupId"})) return value;
    return fail(errors::invalid_attribute_value(name));
  }
  return fail(errors::unknown_attribute(name));
}

// The same value with the members of its objects in the order of their names.
Document sorted(Document value) {
  if (value.is_array()) {
    for (Document& item : value.as_array()) item = sorted(std::move(item));
  } else if (value.is_object()) {
    auto& members = value.as_object();
    for (auto& [name, member] : members) member = sorted(std::move(member));
    std::sort(members.begin(), members.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
  }
  return value;
}

}  // namespace

Settings Settings::of(const AttributeMap& attributes) {
  Settings s;
  const auto number = [&](const char* name, int64_t otherwise) {
    const auto found = attributes.find(name);
    return found == attributes.end() ? otherwise : parse_int(found->second).value_or(otherwise);
  };
  s.visibility_seconds = static_cast<int32_t>(number("VisibilityTimeout", s.visibility_seconds));
  s.delay_seconds = static_cast<int32_t>(number("DelaySeconds", s.delay_seconds));
  s.wait_seconds = static_cast<int32_t>(number("ReceiveMessageWaitTimeSeconds", s.wait_seconds));
  s.message_bytes_max = number("MaximumMessageSize", s.message_bytes_max);
  s.retention_seconds = number("MessageRetentionPeriod", s.retention_seconds);
  s.fifo = value_or(attributes, "FifoQueue", "") == "true";
  s.content_deduplication = value_or(attributes, "ContentBasedDeduplication", "") == "true";
  s.deduplicate_by_group = value_or(attributes, "DeduplicationScope", "") == "messageGroup";
  if (const std::string redrive = value_or(attributes, "RedrivePolicy", ""); !redrive.empty()) {
    if (const auto policy = parse_redrive_policy(redrive)) {
      s.dead_letter_arn = policy->dead_letter_arn;
      s.receives_max = policy->receives_max;
    }
  }
  return s;
}

Result<AttributeMap> check_attributes(const AttributeMap& given, bool fifo) {
  AttributeMap out;
  for (const auto& [name, value] : given) {
    VIRGA_TRY(kept, check_one(name, value, fifo));
    out[name] = std::move(kept);
  }
  return out;
}

Result<void> check_together(const AttributeMap& attributes) {
  if (value_or(attributes, "SqsManagedSseEnabled", "") == "true" &&
      !value_or(attributes, "KmsMasterKeyId", "").empty()) {
    return fail(errors::invalid_attribute_value_because(
        "You can use one type of server-side encryption (SSE) at one time. You can either enable "
        "KMS SSE or SQS SSE."));
  }
  if (value_or(attributes, "FifoThroughputLimit", "") == "perMessageGroupId" &&
      value_or(attributes, "DeduplicationScope", "") != "messageGroup") {
    return fail(errors::invalid_attribute_value_because(
        "Invalid value for the parameter FifoThroughputLimit. Reason: The perMessageGroupId value "
        "is allowed only when the "
        "value for DeduplicationScope is messageGroup."));
  }
  return {};
}

namespace {

// Redrive policies are told in one form, the count a number, however they were written: tools
// compare them as text.
std::string as_told(std::string_view name, const std::string& value) {
  if (name == "RedrivePolicy") {
    if (const auto policy = parse_redrive_policy(value)) {
      return to_json(Document::object()
                         .set("deadLetterTargetArn", policy->dead_letter_arn)
                         .set("maxReceiveCount", policy->receives_max));
    }
  } else if (name == "RedriveAllowPolicy") {
    if (const auto parsed = parse_json(value)) return to_json(*parsed);
  }
  return value;
}

}  // namespace

std::string effective_value(const AttributeMap& attributes, std::string_view name, bool fifo) {
  const auto found = attributes.find(std::string(name));
  if (found != attributes.end()) return as_told(name, found->second);
  for (const Range& range : kRanges) {
    if (name != range.name) continue;
    // Told of queues that are encrypted by a key of KMS only.
    if (name == "KmsDataKeyReusePeriodSeconds" &&
        value_or(attributes, "KmsMasterKeyId", "").empty())
      return {};
    return std::string(range.otherwise);
  }
  // Encryption with keys of SQS is on unless a key of KMS takes its place.
  if (name == "SqsManagedSseEnabled")
    return value_or(attributes, "KmsMasterKeyId", "").empty() ? "true" : "false";
  if (fifo && name == "ContentBasedDeduplication") return "false";
  if (fifo && name == "DeduplicationScope") return "queue";
  if (fifo && name == "FifoThroughputLimit") return "perQueue";
  return {};
}

bool same_value(std::string_view name, const std::string& a, const std::string& b) {
  if (a == b) return true;
  if (!is_one_of(name, {"Policy", "RedrivePolicy", "RedriveAllowPolicy"})) return false;
  auto x = parse_json(a);
  auto y = parse_json(b);
  return x && y && sorted(std::move(*x)) == sorted(std::move(*y));
}

Result<RedrivePolicy> parse_redrive_policy(const std::string& json) {
  const auto bad = [&](std::string_view reason) {
    return fail(errors::invalid_value(json, "RedrivePolicy", reason));
  };
  const auto parsed = parse_json(json);
  if (!parsed || !parsed->is_object()) return bad("Redrive policy is not a valid JSON map.");
  const Document* target = parsed->find("deadLetterTargetArn");
  const Document* count = parsed->find("maxReceiveCount");
  if (!target)
    return bad("Redrive policy does not contain mandatory attribute: deadLetterTargetArn.");
  if (!count) return bad("Redrive policy does not contain mandatory attribute: maxReceiveCount.");
  if (!target->is_string() || !address_of_arn(target->as_string()))
    return bad("Invalid value for deadLetterTargetArn.");
  const auto receives =
      count->is_int() ? std::optional(count->as_int())
                      : parse_int(count->is_string() ? std::string_view(count->as_string()) : "");
  if (!receives || *receives < 1 || *receives > 1000) {
    return bad("Invalid value for maxReceiveCount: " +
               (count->is_string() ? count->as_string() : to_json(*count)) +
               ", valid values are from 1 to 1000 both inclusive.");
  }
  return RedrivePolicy{target->as_string(), static_cast<int32_t>(*receives)};
}

bool allows_redrive_from(const std::string& redrive_allow_policy, std::string_view source_arn) {
  if (redrive_allow_policy.empty()) return true;
  const auto parsed = parse_json(redrive_allow_policy);
  if (!parsed) return true;
  const auto permission = parsed->string_or("redrivePermission", "allowAll");
  if (permission != "byQueue") return permission == "allowAll";
  const Document* sources = parsed->find("sourceQueueArns");
  if (!sources || !sources->is_array()) return false;
  return std::any_of(
      sources->as_array().begin(), sources->as_array().end(),
      [&](const Document& arn) { return arn.is_string() && arn.as_string() == source_arn; });
}

}  // namespace virga::sqs
