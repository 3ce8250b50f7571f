#include "services/lambda/function_name.h"

#include <vector>

#include "aws/account_id.h"
#include "base/strings.h"
#include "services/lambda/errors.h"

namespace virga::lambda {
namespace {

constexpr std::string_view kPattern =
    "(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?("
    "function:)?"
    "([a-zA-Z0-9-_\\.]+)(:(\\$LATEST(\\.PUBLISHED)?|[a-zA-Z0-9-_]+))?";

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_word(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    const bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '_';
    if (!good) return false;
  }
  return true;
}

// us-east-1, us-gov-west-1, us-iso-east-1.
bool is_region(std::string_view text) {
  const auto parts = split(text, '-');
  if (parts.size() < 3 || parts.size() > 4) return false;
  if (parts[0].size() != 2 || parts.back().size() != 1 || !is_digits(parts.back())) return false;
  for (size_t i = 0; i + 1 < parts.size(); ++i) {
    if (parts[i].empty() ||
        parts[i].find_first_not_of("abcdefghijklmnopqrstuvwxyz") != std::string_view::npos) {
      return false;
    }
  }
  return true;
}

bool is_qualifier(std::string_view text) {
  return text == kLatest || text == "$LATEST.PUBLISHED" || is_word(text);
}

AwsError bad_name(std::string_view text) {
  return errors::validation(
      text, "functionName",
      "Member must satisfy regular expression pattern: " + std::string(kPattern));
}

}  // namespace

bool is_version(std::string_view qualifier) {
  return qualifier == kLatest || is_digits(qualifier);
}
bool is_alias_name(std::string_view text) {
  return is_word(text) && !is_digits(text);
}

Result<FunctionName> FunctionName::parse(std::string_view text,
                                         std::optional<std::string_view> separate,
                                         std::string_view caller_account,
                                         std::string_view caller_region,
                                         std::string_view caller_partition) {
  FunctionName out{.account = std::string(caller_account),
                   .region = std::string(caller_region),
                   .partition = std::string(caller_partition)};
  auto parts = split(text, ':');
  size_t i = 0;
  if (parts.size() >= 3 && parts[0] == "arn") {
    if (!parts[1].starts_with("aws") || parts[2] != "lambda") return fail(bad_name(text));
    out.partition = std::string(parts[1]);
    i = 3;
  }
  std::string_view region = caller_region;
  if (i < parts.size() && is_region(parts[i])) region = parts[i++];
  // A twelve-digit text alone is a name; before another part it is an account.
  if (i + 1 < parts.size() && is_account_id(parts[i])) out.account = std::string(parts[i++]);
  if (i + 1 < parts.size() && parts[i] == "function") ++i;
  if (i >= parts.size() || !is_word(parts[i])) return fail(bad_name(text));
  out.name = std::string(parts[i++]);
  if (i < parts.size()) {
    if (!is_qualifier(parts[i])) return fail(bad_name(text));
    out.qualifier = std::string(parts[i++]);
  }
  if (i != parts.size()) return fail(bad_name(text));
  if (out.name.size() > 64) {
    // Source: Lambda API Reference, CreateFunction: "The length constraint applies only to the full
    // ARN. If you specify only the function name, it is limited to 64 characters in length."
    return fail(errors::validation(text, "functionName",
                                   "Member must have length less than or equal to 64"));
  }
  if (region != caller_region) {
    return fail(errors::resource_not_found("Functions from '" + std::string(region) +
                                           "' are not reachable in this region ('" +
                                           std::string(caller_region) + "')"));
  }
  if (separate && !separate->empty()) {
    if (!is_qualifier(*separate)) {
      return fail(errors::validation(*separate, "qualifier",
                                     "Member must satisfy regular expression pattern: "
                                     "\\$(LATEST(\\.PUBLISHED)?)|[a-zA-Z0-9-_$]+"));
    }
    if (!out.qualifier.empty() && out.qualifier != *separate)
      return fail(errors::qualifier_mismatch());
    out.qualifier = std::string(*separate);
  }
  return out;
}

std::string FunctionName::unqualified_arn() const {
  return "arn:" + partition + ":lambda:" + region + ":" + account + ":function:" + name;
}
std::string FunctionName::arn() const {
  return qualifier.empty() ? unqualified_arn() : arn_of(qualifier);
}
std::string FunctionName::arn_of(std::string_view some_qualifier) const {
  return unqualified_arn() + ":" + std::string(some_qualifier);
}

}  // namespace virga::lambda
