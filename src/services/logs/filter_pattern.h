#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace virga::logs {

// A filter pattern of CloudWatch Logs, compiled once per call: terms, quoted phrases, ?any, -not;
// `{ $.member = "x" && … }` for JSON events; `[a, b = 4*, …]` for space-delimited ones. Immutable;
// any thread. Source: CloudWatch Logs User Guide, "Filter pattern syntax for metric filters,
// subscription filters, filter log events". Terms and values may be %regular expressions%
// (filter_regex.h).
class FilterPattern {
 public:
  // Errors: InvalidParameterException.
  static Result<FilterPattern> parse(std::string_view text);
  bool matches(std::string_view message) const;
  // The values that the pattern's fields ("$status") and paths ("$.status") have in a message that
  // matches.
  std::map<std::string, std::string> extracted(std::string_view message) const;

  // One compiled form; internal to the pattern's files.
  class Matcher {
   public:
    virtual ~Matcher() = default;
    virtual bool matches(std::string_view message) const = 0;
    virtual std::map<std::string, std::string> extracted(std::string_view) const { return {}; }
  };

 private:
  explicit FilterPattern(std::shared_ptr<const Matcher> matcher) : matcher_(std::move(matcher)) {}
  std::shared_ptr<const Matcher> matcher_;  // null: everything; shared by copies of the pattern
};

}  // namespace virga::logs
