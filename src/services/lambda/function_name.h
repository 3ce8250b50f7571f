#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace virga::lambda {

inline constexpr std::string_view kLatest = "$LATEST";

// Which function a caller means, and which version or alias of it. FunctionName accepts a name, a
// partial ARN (123456789012:function:name) or a full ARN, each with an optional `:qualifier`.
// Source: Lambda API Reference, parameter FunctionName; its pattern in the service model.
struct FunctionName {
  std::string account;
  std::string region;
  std::string partition;
  std::string name;
  std::string qualifier;  // empty: none given, which means $LATEST

  // `caller_*` fill what the text leaves out. An ARN of another region is refused; another account
  // stands (the door decides who may). `separate` is the operation's own Qualifier parameter, if
  // any.
  static Result<FunctionName> parse(std::string_view text, std::optional<std::string_view> separate,
                                    std::string_view caller_account, std::string_view caller_region,
                                    std::string_view caller_partition);

  std::string_view qualifier_or_latest() const {
    return qualifier.empty() ? kLatest : std::string_view(qualifier);
  }
  std::string unqualified_arn() const;
  // With the qualifier, if one was given.
  std::string arn() const;
  std::string arn_of(std::string_view some_qualifier) const;
};

// A version number or $LATEST; otherwise the text is an alias.
bool is_version(std::string_view qualifier);
// [a-zA-Z0-9-_]+ and not all digits.
bool is_alias_name(std::string_view text);

}  // namespace virga::lambda
