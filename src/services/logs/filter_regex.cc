#include "services/logs/filter_regex.h"

#include <algorithm>
#include <optional>

#include "base/strings.h"
#include "services/logs/filter_condition.h"

namespace virga::logs {
namespace {

// What {m,n} may unfold to, and what all alternatives may hold together: each letter of a message
// may cost as many steps.
constexpr int kRepeatsMax = 1000;
constexpr size_t kStepsMax = 1000;

constexpr std::string_view kSymbols = ":_#=@/;,-";
constexpr std::string_view kOperators = "^$?[]{}|\\*+.";

bool is_alphanumeric(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
// Spaces stand in the documentation's own examples.
bool is_literal(char c) {
  return is_alphanumeric(c) || c == ' ' || kSymbols.find(c) != std::string_view::npos;
}

std::bitset<256> one(char c) {
  std::bitset<256> out;
  out.set(static_cast<unsigned char>(c));
  return out;
}
template <class F>
std::bitset<256> where(F holds) {
  std::bitset<256> out;
  for (int c = 0; c < 256; ++c) out.set(static_cast<size_t>(c), holds(static_cast<char>(c)));
  return out;
}
bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

}  // namespace

class FilterRegex::Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  Result<std::vector<Alternative>> all() {
    std::vector<Alternative> out;
    size_t steps = 0;
    do {
      VIRGA_TRY(alternative, one_alternative());
      steps += alternative.steps.size();
      if (steps > kStepsMax) return fail(invalid_pattern());
      out.push_back(std::move(alternative));
    } while (take('|'));
    if (!rest_.empty()) return fail(invalid_pattern());
    return out;
  }

 private:
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  Result<Alternative> one_alternative() {
    Alternative out;
    out.at_start = take('^');
    while (!rest_.empty() && rest_.front() != '|' && !out.at_end) {
      if (take('$')) {
        out.at_end = true;
        continue;
      }
      VIRGA_TRY(letters, atom());
      VIRGA_TRY_VOID(add_counted(letters, out.steps));
      if (out.steps.size() > kStepsMax) return fail(invalid_pattern());
    }
    if (out.steps.empty()) return fail(invalid_pattern());
    return out;
  }

  Result<Letters> atom() {
    if (take('.')) return where([](char c) { return c != '\n'; });
    if (take('[')) return letter_class();
    if (take('\\')) return escape();
    const char c = rest_.front();
    if (!is_literal(c)) return fail(invalid_pattern());
    rest_.remove_prefix(1);
    return one(c);
  }

  Result<Letters> escape() {
    if (rest_.empty()) return fail(invalid_pattern());
    const char c = rest_.front();
    rest_.remove_prefix(1);
    switch (c) {
      case 'd':
        return where(is_digit);
      case 'D':
        return ~where(is_digit);
      case 's':
        return where(is_space);
      case 'S':
        return ~where(is_space);
      case 'w':
        return where([](char l) { return is_alphanumeric(l) || l == '_'; });
      case 'W':
        return ~where([](char l) { return is_alphanumeric(l) || l == '_'; });
      case 'x':
        return hex();
      default:
        break;
    }
    // Every other letter or digit after a backslash would be an operator that is not there.
    if (is_alphanumeric(c) || static_cast<unsigned char>(c) >= 0x80) return fail(invalid_pattern());
    return one(c);
  }

  Result<Letters> hex() {
    if (rest_.size() < 2) return fail(invalid_pattern());
    int value = 0;
    for (const char c : rest_.substr(0, 2)) {
      const char lower = static_cast<char>(c | 0x20);
      if (!is_digit(c) && !(lower >= 'a' && lower <= 'f')) return fail(invalid_pattern());
      value = value * 16 + (is_digit(c) ? c - '0' : lower - 'a' + 10);
    }
    rest_.remove_prefix(2);
    return one(static_cast<char>(value));
  }

  // After '['.
  Result<Letters> letter_class() {
    Letters out;
    const bool negated = take('^');
    while (!take(']')) {
      if (rest_.empty()) return fail(invalid_pattern());
      VIRGA_TRY(first, class_letters());
      if (first.count() != 1 || rest_.size() < 2 || rest_[0] != '-' || rest_[1] == ']') {
        out |= first;
        continue;
      }
      rest_.remove_prefix(1);
      VIRGA_TRY(last, class_letters());
      if (last.count() != 1) return fail(invalid_pattern());
      const size_t from = first._Find_first(), to = last._Find_first();
      if (from > to) return fail(invalid_pattern());
      for (size_t c = from; c <= to; ++c) out.set(c);
    }
    if (out.none()) return fail(invalid_pattern());
    return negated ? ~out : out;
  }
  Result<Letters> class_letters() {
    if (take('\\')) return escape();
    const char c = rest_.front();
    if (!is_literal(c) && kOperators.find(c) == std::string_view::npos)
      return fail(invalid_pattern());
    rest_.remove_prefix(1);
    return one(c);
  }

  // The atom as often as the operator after it says.
  Result<void> add_counted(const Letters& letters, std::vector<Step>& steps) {
    if (take('?')) {
      steps.push_back({letters, Count::optional});
    } else if (take('*')) {
      steps.push_back({letters, Count::repeated});
    } else if (take('+')) {
      steps.push_back({letters, Count::once});
      steps.push_back({letters, Count::repeated});
    } else if (take('{')) {
      return add_range(letters, steps);
    } else {
      steps.push_back({letters, Count::once});
    }
    return {};
  }

  // After '{': "m}", "m,}" or "m,n}".
  Result<void> add_range(const Letters& letters, std::vector<Step>& steps) {
    const auto least = number();
    const bool comma = take(',');
    const auto most = comma ? number() : least;
    if (!take('}') || !least || *least > kRepeatsMax || (most && *most > kRepeatsMax))
      return fail(invalid_pattern());
    if (most && *most < *least) return fail(invalid_pattern());
    for (int i = 0; i < *least; ++i) steps.push_back({letters, Count::once});
    if (!most) steps.push_back({letters, Count::repeated});
    for (int i = *least; most && i < *most; ++i) steps.push_back({letters, Count::optional});
    return {};
  }
  std::optional<int> number() {
    int value = 0;
    size_t size = 0;
    for (; size < rest_.size() && is_digit(rest_[size]); ++size)
      value = std::min(value * 10 + (rest_[size] - '0'), kRepeatsMax + 1);
    rest_.remove_prefix(size);
    return size == 0 ? std::nullopt : std::optional(value);
  }

  std::string_view rest_;
};

Result<FilterRegex> FilterRegex::parse(std::string_view text) {
  FilterRegex out;
  VIRGA_TRY(alternatives, Parser(text).all());
  out.alternatives_ = std::move(alternatives);
  return out;
}

bool FilterRegex::matches(std::string_view text) const {
  return std::any_of(alternatives_.begin(), alternatives_.end(),
                     [&](const Alternative& one) { return matches(one, text); });
}

// Keeps the set of steps that may come next; step `size` is the end. A step that may be left out
// brings the one after it along.
bool FilterRegex::matches(const Alternative& alternative, std::string_view text) {
  const auto& steps = alternative.steps;
  const size_t end = steps.size();
  std::vector<char> now(end + 1), next(end + 1);
  const auto enter = [&](std::vector<char>& set, size_t step) {
    for (; !set[step]; ++step) {
      set[step] = 1;
      if (step == end || steps[step].count == Count::once) return;
    }
  };
  enter(now, 0);
  for (size_t i = 0; i < text.size(); ++i) {
    if (now[end] && !alternative.at_end) return true;
    if (i > 0 && !alternative.at_start) enter(now, 0);
    const auto letter = static_cast<unsigned char>(text[i]);
    std::fill(next.begin(), next.end(), 0);
    for (size_t step = 0; step < end; ++step) {
      if (!now[step] || !steps[step].letters.test(letter)) continue;
      enter(next, steps[step].count == Count::repeated ? step : step + 1);
    }
    now.swap(next);
  }
  if (!alternative.at_start) enter(now, 0);
  return now[end];
}

}  // namespace virga::logs
