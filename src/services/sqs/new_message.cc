#include "services/sqs/new_message.h"

#include <algorithm>
#include <cctype>

#include "base/strings.h"

namespace virga::sqs {
namespace {

constexpr std::string_view kAllowed =
    "#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF";
constexpr size_t kAttributeNameMax = 256;
constexpr size_t kIdMax = 128;

// XML's characters: no control characters but tab and line ends, no U+FFFE and U+FFFF, no
// surrogates. Source: SQS Developer Guide, "Amazon SQS message quotas", "Message content".
bool is_xml_text(std::string_view text) {
  // Without these bytes any UTF-8 will do; most bodies have none. All are looked at, many at a
  // time.
  bool suspect = false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    suspect |= (byte < 0x20) | (byte == 0xef);
  }
  for (size_t i = 0; suspect && i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 && c != '\t' && c != '\n' && c != '\r') return false;
    if (c != 0xef || i + 2 >= text.size()) continue;
    const auto last = static_cast<unsigned char>(text[i + 2]);
    if (static_cast<unsigned char>(text[i + 1]) == 0xbf && last >= 0xbe) return false;
  }
  return is_utf8(text);
}

std::string_view take_digits(std::string_view& text) {
  size_t count = 0;
  while (count < text.size() && std::isdigit(static_cast<unsigned char>(text[count]))) ++count;
  const std::string_view digits = text.substr(0, count);
  text.remove_prefix(count);
  return digits;
}

// A decimal of any length, with an exponent or without; the text is kept as it was given.
// Source: SQS Developer Guide, "Amazon SQS message metadata", "Number".
bool is_number(std::string_view text) {
  const auto skip_sign = [&] {
    if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  };
  skip_sign();
  size_t digits = take_digits(text).size();
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    digits += take_digits(text).size();
  }
  if (digits == 0) return false;
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    skip_sign();
    if (take_digits(text).empty()) return false;
  }
  return text.empty();
}

Result<void> check_for_fifo(const NewMessage& m, const Settings& queue) {
  if (!m.group) return fail(errors::missing_parameter("MessageGroupId"));
  if (!m.deduplication_id && !queue.content_deduplication) {
    return fail(
        errors::invalid_parameter("The queue should either have ContentBasedDeduplication enabled "
                                  "or MessageDeduplicationId provided explicitly"));
  }
  if (m.delay_seconds.value_or(0) != 0) {
    return fail(errors::invalid_value(
        std::to_string(*m.delay_seconds), "DelaySeconds",
        "The request include parameter that is not valid for this queue type."));
  }
  return {};
}

}  // namespace

int64_t NewMessage::bytes() const {
  size_t total = body.size();
  for (const auto& [name, value] : attributes)
    total += name.size() + value.type.size() + value.value.size();
  return static_cast<int64_t>(total);
}

Result<void> check_new_message(const NewMessage& m, const Settings& queue) {
  if (m.body.empty()) return fail(errors::missing_parameter("MessageBody"));
  if (m.bytes() > queue.message_bytes_max)
    return fail(errors::message_too_long(queue.message_bytes_max));
  if (!is_xml_text(m.body)) return fail(errors::invalid_message_contents());
  if (m.group) VIRGA_TRY_VOID(check_client_id(*m.group, "MessageGroupId"));
  if (m.deduplication_id) {
    if (!queue.fifo) {
      return fail(errors::invalid_value(
          *m.deduplication_id, "MessageDeduplicationId",
          "The request includes a parameter that is not valid for this queue type."));
    }
    VIRGA_TRY_VOID(check_client_id(*m.deduplication_id, "MessageDeduplicationId"));
  }
  if (queue.fifo) VIRGA_TRY_VOID(check_for_fifo(m, queue));
  if (m.delay_seconds && (*m.delay_seconds < 0 || *m.delay_seconds > kDelaySecondsMax)) {
    return fail(errors::invalid_value(std::to_string(*m.delay_seconds), "DelaySeconds",
                                      "DelaySeconds must be >= 0 and <= 900."));
  }
  return {};
}

Result<void> check_client_id(const std::string& value, std::string_view parameter) {
  const bool good =
      !value.empty() && value.size() <= kIdMax &&
      std::all_of(value.begin(), value.end(), [](unsigned char c) { return c > 0x20 && c < 0x7f; });
  if (good) return {};
  return fail(errors::invalid_value(
      value, parameter,
      std::string(parameter) +
          " can only include alphanumeric and punctuation characters. 1 to 128 in length."));
}

Result<void> check_attribute_name(const std::string& name, bool system) {
  if (system) {
    if (name == "AWSTraceHeader") return {};
    return fail(
        errors::invalid_parameter("Message system attribute name '" + name + "' is invalid."));
  }
  if (name.empty())
    return fail(
        errors::invalid_parameter("The request must contain non-empty message attribute names."));
  if (name.size() > kAttributeNameMax) {
    return fail(
        errors::invalid_parameter("Message (user) attribute name must be shorter than 256 Bytes."));
  }
  const bool good = std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '_' || c == '-' || c == '.';
  });
  if (!good)
    return fail(errors::invalid_parameter(
        "Invalid non-alphanumeric character was found in the message attribute name. Can only "
        "include alphanumeric characters, hyphens, underscores, or dots."));
  if (name.starts_with('.'))
    return fail(errors::invalid_parameter(
        "Invalid message attribute name starting with character '.' was found."));
  if (name.ends_with('.'))
    return fail(errors::invalid_parameter(
        "Invalid message attribute name ending with character '.' was found."));
  if (name.find("..") != std::string::npos) {
    return fail(
        errors::invalid_parameter("Message attribute name can not have successive '.' character."));
  }
  const std::string lower = to_lower(name);
  if (lower.starts_with("aws.") || lower.starts_with("amazon.")) {
    return fail(errors::invalid_parameter(
        "You can not use message attribute names beginning with 'AWS.' or 'Amazon.' because these "
        "strings are reserved for internal use."));
  }
  return {};
}

Result<AttributeValue> check_attribute(const std::string& name,
                                       const std::optional<std::string>& type,
                                       const std::optional<std::string>& text,
                                       const std::optional<std::string>& bytes, bool system) {
  const std::string which =
      std::string(system ? "The message system attribute '" : "The message attribute '") + name +
      "' ";
  if (!type || type->empty())
    return fail(
        errors::invalid_parameter(which + "must contain non-empty message attribute type."));
  const std::string base = type->substr(0, type->find('.'));
  if (base != "String" && base != "Number" && base != "Binary") {
    return fail(errors::invalid_parameter(
        which +
        "has an invalid message attribute type, the set of supported type prefixes is "
        "Binary, Number, and String."));
  }
  if (type->size() > kAttributeNameMax) {
    return fail(errors::invalid_parameter(
        which + "has an invalid message attribute type, it must be shorter than 256 bytes."));
  }
  if (system && *type != "String")
    return fail(errors::invalid_parameter(which + "must have the type String."));
  const auto& given = base == "Binary" ? bytes : text;
  if (!given || given->empty()) {
    return fail(errors::invalid_parameter(
        which + "must contain non-empty message attribute value for message attribute type '" +
        *type + "'."));
  }
  if (base == "Number" && !is_number(*given)) {
    return fail(errors::invalid_parameter("Can't cast the value of message (user) attribute '" +
                                          name + "' to a number."));
  }
  if (base != "Binary" && !is_xml_text(*given)) {
    return fail(errors::invalid_parameter(
        "Invalid binary character was found in the message attribute '" + name +
        "' value, the set of allowed characters is " + std::string(kAllowed)));
  }
  return AttributeValue{*type, *given};
}

}  // namespace virga::sqs
