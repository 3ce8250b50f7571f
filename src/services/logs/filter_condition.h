#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/document.h"
#include "base/error.h"

// What JSON and space-delimited patterns share: reading the text, comparing values, && and ||.
namespace virga::logs {

class FilterRegex;

enum class Comparison {
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
  is_null,
  is_true,
  is_false,
  exists,
  not_exists
};

// The right side of a comparison: a text with wildcards, a number or a regular expression.
struct Operand {
  std::string text;
  std::optional<double> number;
  std::shared_ptr<const FilterRegex> regex;  // instead of the text; shared by copies of the pattern
  bool quoted = false;
};

// Whether a field's text, or a JSON value (null: not there), compares as wanted.
bool compare_text(std::string_view actual, Comparison comparison, const Operand& operand);
bool compare_json(const Document* actual, Comparison comparison, const Operand& operand);

// Reads a pattern from left to right.
class PatternReader {
 public:
  explicit PatternReader(std::string_view text) : rest_(text) {}
  void skip_spaces();
  bool at_end();
  bool take(std::string_view token);            // after spaces; false leaves all as it was
  bool take_word(std::string_view word);        // without case, followed by no letter
  std::optional<Comparison> take_comparison();  // = != < <= > >=
  // A quoted text, %a regular expression%, or everything up to a space or one of `ends`.
  std::optional<Operand> take_operand(std::string_view ends);
  std::string_view rest() const { return rest_; }
  void drop(size_t n) { rest_.remove_prefix(n); }

 private:
  std::string_view rest_;
};

AwsError invalid_pattern();

}  // namespace virga::logs
