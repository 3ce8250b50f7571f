#pragma once

#include <string_view>

#include "base/document.h"
#include "base/error.h"

namespace virga::platform {

// An event pattern: which JSON events somebody wants. Filters of event source mappings, rules of
// event buses, pipes. Every field that the pattern names must match, others do not count; a leaf is
// a list of alternatives. Source: EventBridge User Guide, "Creating event patterns" and "Comparison
// operators".
class EventPattern {
 public:
  // Error InvalidEventPattern; the message says what and where. Callers have words of their own.
  static Result<EventPattern> parse(std::string_view json);

  bool matches(const Document& event) const;

 private:
  explicit EventPattern(Document pattern) : pattern_(std::move(pattern)) {}

  Document pattern_;
};

}  // namespace virga::platform
