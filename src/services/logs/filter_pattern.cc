#include "services/logs/filter_pattern.h"

#include <vector>

#include "base/strings.h"
#include "services/logs/errors.h"
#include "services/logs/filter_condition.h"
#include "services/logs/filter_json.h"
#include "services/logs/filter_regex.h"

namespace virga::logs {
namespace {

// Terms: all of `all`, none of `none`; any of `any` where nothing else is asked for (optional terms
// beside others count for nothing, as in AWS).
class TermsMatcher final : public FilterPattern::Matcher {
 public:
  std::vector<Operand> all;
  std::vector<Operand> none;
  std::vector<Operand> any;

  bool matches(std::string_view message) const override {
    for (const Operand& t : none) {
      if (holds(message, t)) return false;
    }
    for (const Operand& t : all) {
      if (!holds(message, t)) return false;
    }
    if (!all.empty() || any.empty()) return true;
    for (const Operand& t : any) {
      if (holds(message, t)) return true;
    }
    return false;
  }

 private:
  static bool holds(std::string_view message, const Operand& term) {
    return term.regex ? term.regex->matches(message)
                      : message.find(term.text) != std::string_view::npos;
  }
};

bool plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

Result<std::shared_ptr<const FilterPattern::Matcher>> parse_terms(std::string_view text) {
  auto terms = std::make_shared<TermsMatcher>();
  PatternReader in(text);
  while (!in.at_end()) {
    std::vector<Operand>* where = &terms->all;
    if (in.rest().starts_with("?")) {
      where = &terms->any;
      in.drop(1);
    } else if (in.rest().starts_with("-")) {
      where = &terms->none;
      in.drop(1);
    }
    auto term = in.take_operand("\"");
    if (!term || (term->text.empty() && !term->regex)) return fail(invalid_pattern());
    // Only letters, digits and underscores may stand without quotes.
    if (!term->quoted && !term->regex) {
      for (const char c : term->text) {
        if (!plain(c))
          return fail(
              errors::invalid_parameter("Invalid character(s) in term '" + term->text + "'"));
      }
    }
    where->push_back(std::move(*term));
  }
  return std::shared_ptr<const FilterPattern::Matcher>(std::move(terms));
}

}  // namespace

Result<FilterPattern> FilterPattern::parse(std::string_view text) {
  const std::string_view trimmed = trim(text);
  if (trimmed.empty()) return FilterPattern(nullptr);
  if (trimmed.front() == '{') {
    VIRGA_TRY(matcher, parse_json_pattern(trimmed));
    return FilterPattern(std::move(matcher));
  }
  if (trimmed.front() == '[') {
    VIRGA_TRY(matcher, parse_fields_pattern(trimmed));
    return FilterPattern(std::move(matcher));
  }
  VIRGA_TRY(matcher, parse_terms(trimmed));
  return FilterPattern(std::move(matcher));
}

bool FilterPattern::matches(std::string_view message) const {
  return !matcher_ || matcher_->matches(message);
}

std::map<std::string, std::string> FilterPattern::extracted(std::string_view message) const {
  if (!matcher_) return {};
  return matcher_->extracted(message);
}

}  // namespace virga::logs
