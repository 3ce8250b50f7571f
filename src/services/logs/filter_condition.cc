#include "services/logs/filter_condition.h"

#include "base/json.h"
#include "base/strings.h"
#include "services/logs/errors.h"
#include "services/logs/filter_regex.h"

namespace virga::logs {
namespace {

template <class T>
bool ordered(const T& a, Comparison c, const T& b) {
  switch (c) {
    case Comparison::equal:
      return a == b;
    case Comparison::not_equal:
      return a != b;
    case Comparison::less:
      return a < b;
    case Comparison::less_equal:
      return a <= b;
    case Comparison::greater:
      return a > b;
    case Comparison::greater_equal:
      return a >= b;
    default:
      return false;
  }
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Whether the operand is in a text, by its wildcards or its expression.
bool fits(const Operand& operand, std::string_view text) {
  return operand.regex ? operand.regex->matches(text) : wildcard_match(operand.text, text);
}

}  // namespace

AwsError invalid_pattern() {
  return errors::invalid_parameter("Invalid filter pattern");
}

bool compare_text(std::string_view actual, Comparison c, const Operand& operand) {
  if (operand.number && !operand.quoted) {
    const auto number = parse_double(actual);
    if (number) return ordered(*number, c, *operand.number);
    if (c != Comparison::equal && c != Comparison::not_equal) return false;
  }
  if (c == Comparison::equal) return fits(operand, actual);
  if (c == Comparison::not_equal) return !fits(operand, actual);
  return false;
}

bool compare_json(const Document* actual, Comparison c, const Operand& operand) {
  switch (c) {
    case Comparison::exists:
      return actual != nullptr;
    case Comparison::not_exists:
      return actual == nullptr;
    case Comparison::is_null:
      return actual && actual->is_null();
    case Comparison::is_true:
      return actual && actual->is_bool() && actual->as_bool();
    case Comparison::is_false:
      return actual && actual->is_bool() && !actual->as_bool();
    default:
      break;
  }
  if (!actual) return false;
  if (actual->is_number() && operand.number)
    return ordered(actual->as_double(), c, *operand.number);
  if (c != Comparison::equal && c != Comparison::not_equal) return false;
  if (!actual->is_string() && !actual->is_number() && !actual->is_bool()) return false;
  const std::string text = actual->is_string() ? actual->as_string() : to_json(*actual);
  return fits(operand, text) == (c == Comparison::equal);
}

void PatternReader::skip_spaces() {
  while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t')) rest_.remove_prefix(1);
}

bool PatternReader::at_end() {
  skip_spaces();
  return rest_.empty();
}

bool PatternReader::take(std::string_view token) {
  skip_spaces();
  if (!rest_.starts_with(token)) return false;
  rest_.remove_prefix(token.size());
  return true;
}

bool PatternReader::take_word(std::string_view word) {
  skip_spaces();
  if (rest_.size() < word.size() || !iequals(rest_.substr(0, word.size()), word)) return false;
  if (rest_.size() > word.size() && is_letter(rest_[word.size()])) return false;
  rest_.remove_prefix(word.size());
  return true;
}

std::optional<Comparison> PatternReader::take_comparison() {
  if (take("!=")) return Comparison::not_equal;
  if (take("<=")) return Comparison::less_equal;
  if (take(">=")) return Comparison::greater_equal;
  if (take("=")) return Comparison::equal;
  if (take("<")) return Comparison::less;
  if (take(">")) return Comparison::greater;
  return std::nullopt;
}

std::optional<Operand> PatternReader::take_operand(std::string_view ends) {
  skip_spaces();
  Operand out;
  if (take("\"")) {
    out.quoted = true;
    while (true) {
      if (rest_.empty()) return std::nullopt;
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') break;
      if (c == '\\' && !rest_.empty()) {
        out.text += rest_.front();
        rest_.remove_prefix(1);
      } else {
        out.text += c;
      }
    }
    return out;
  }
  if (take("%")) {
    size_t end = rest_.find('%');
    while (end != std::string_view::npos && end > 0 && rest_[end - 1] == '\\')
      end = rest_.find('%', end + 1);
    if (end == std::string_view::npos) return std::nullopt;
    auto regex = FilterRegex::parse(rest_.substr(0, end));
    if (!regex) return std::nullopt;
    out.regex = std::make_shared<const FilterRegex>(std::move(*regex));
    rest_.remove_prefix(end + 1);
    return out;
  }
  size_t size = 0;
  while (size < rest_.size() && rest_[size] != ' ' &&
         ends.find(rest_[size]) == std::string_view::npos)
    ++size;
  if (size == 0) return std::nullopt;
  out.text = std::string(rest_.substr(0, size));
  out.number = parse_double(out.text);
  rest_.remove_prefix(size);
  return out;
}

}  // namespace virga::logs
