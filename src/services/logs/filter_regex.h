#pragma once

#include <bitset>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace virga::logs {

// A regular expression of a filter pattern, without the % around it: letters, digits and
// : _ # = @ / ; , -; the operators ^ $ ? [ ] { } | \ * + . and the escapes \d \D \s \S \w \W \xhh.
// There are no groups, so an expression is a few linear alternatives; matching takes time linear in
// the text. Finds its match anywhere in the text. Immutable; any thread. Source: CloudWatch Logs
// User Guide, "Supported regular expressions (regex) syntax".
class FilterRegex {
 public:
  // Errors: InvalidParameterException.
  static Result<FilterRegex> parse(std::string_view text);
  bool matches(std::string_view text) const;

 private:
  using Letters = std::bitset<256>;
  enum class Count { once, optional, repeated };  // repeated: any number of times, none too
  struct Step {
    Letters letters;
    Count count = Count::once;
  };
  struct Alternative {
    bool at_start = false;
    bool at_end = false;
    std::vector<Step> steps;
  };
  class Parser;

  static bool matches(const Alternative& alternative, std::string_view text);
  std::vector<Alternative> alternatives_;
};

}  // namespace virga::logs
