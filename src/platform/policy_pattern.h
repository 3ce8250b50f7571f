#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace virga::platform {

// What a request is like, for the Condition element and for policy variables: names (compared
// without case) to one or more values. Few entries, so a flat list. A value type, built per request
// at the door.
class ConditionContext {
 public:
  void set(std::string_view key, std::string value);
  void set_all(std::string_view key, std::vector<std::string> values);
  void add(std::string_view key, std::string value);  // one more value of a multivalued key
  // `lower_key` is in lower case already (compiled policies hold it so). Null when the key is
  // absent.
  const std::vector<std::string>* find(std::string_view lower_key) const;
  // The single value of a key, as a policy variable wants it: nullopt when absent or multivalued.
  std::optional<std::string_view> single(std::string_view lower_key) const;

 private:
  struct Entry {
    std::string key;
    std::vector<std::string> values;
  };
  Entry& entry(std::string_view key);
  std::vector<Entry> entries_;
};

enum class Variables { literal, expand };  // only documents of version 2012-10-17 know variables
enum class Case { exact, ignore };

// A string of a policy with its wildcards and variables, compiled once. `*` is any run, `?` one
// character, `${key}` the request's value, `${key, 'default'}` with a default, `${*}`, `${?}` and
// `${$}` the characters themselves. What a variable brings in never acts as a wildcard. Source: IAM
// User Guide, "IAM policy elements: Variables and tags".
class Pattern {
 public:
  Pattern(std::string_view text, Variables variables);

  // The whole text as a glob.
  bool matches(std::string_view text, const ConditionContext& context, Case c = Case::exact) const;
  // Equality: wildcards count as the characters they are (StringEquals).
  bool equals(std::string_view text, const ConditionContext& context, Case c = Case::exact) const;
  // Segment by segment of an ARN: a wildcard does not cross a colon before the resource part. "*"
  // matches all. Source: IAM User Guide, "IAM JSON policy elements: Resource" and "ARN condition
  // operators".
  bool matches_arn(std::string_view arn, const ConditionContext& context) const;
  // The text with variables replaced and wildcards as characters; nullopt when a variable has no
  // value.
  std::optional<std::string> resolve(const ConditionContext& context) const;

  const std::string& text() const { return text_; }

 private:
  // In `literal` the wildcards are the bytes kAnyRun and kAnyOne.
  struct Part {
    std::string literal;
    std::string variable;  // in lower case; empty for a literal part
    std::optional<std::string> fallback;
  };
  std::optional<std::string> expand(const ConditionContext& context) const;
  void add_variable(std::string_view inside);

  std::string text_;
  std::vector<Part> parts_;
  bool any_ = false;       // exactly "*"
  bool constant_ = false;  // no variables: parts_ is one literal (or empty)
};

}  // namespace virga::platform
