#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/policy_pattern.h"

namespace virga::platform {

// One line of a Condition element: an operator, a key, and the values that may match it. Compiled
// once. Source: IAM User Guide, "IAM JSON policy elements: Condition operators" and "Multivalued
// context keys".
class Condition {
 public:
  enum class Operator {
    string_equals,
    string_equals_ignore_case,
    string_like,
    numeric_equals,
    numeric_less,
    numeric_less_equals,
    numeric_greater,
    numeric_greater_equals,
    date_equals,
    date_less,
    date_less_equals,
    date_greater,
    date_greater_equals,
    boolean,
    binary,
    ip_address,
    arn_like,
    null,
  };
  enum class Quantifier { none, all, any };  // ForAllValues:, ForAnyValue:

  // What an operator's name says; nullopt for a name that does not exist.
  struct Kind {
    Operator op;
    bool negated = false;
    bool if_exists = false;
    Quantifier quantifier = Quantifier::none;
  };
  static std::optional<Kind> parse_operator(std::string_view name);
  // Whether a value can stand with the operator (dates must be dates).
  static bool value_is_valid(Kind kind, std::string_view value);

  Condition(Kind kind, std::string_view key, const std::vector<std::string>& values,
            Variables variables);

  bool holds(const ConditionContext& context) const;

 private:
  bool one_matches(std::string_view actual, const ConditionContext& context) const;
  bool value_matches(const Pattern& expected, std::string_view actual,
                     const ConditionContext& context) const;

  Kind kind_;
  std::string key_;  // lower case
  std::vector<Pattern> values_;
};

}  // namespace virga::platform
