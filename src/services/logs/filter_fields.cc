#include <vector>

#include "base/strings.h"
#include "services/logs/filter_condition.h"
#include "services/logs/filter_json.h"

namespace virga::logs {
namespace {

struct FieldTest {
  Comparison comparison;
  Operand operand;
};

// One field of the pattern: what its value must be. Any of the groups, in which all hold.
struct Field {
  bool ellipsis = false;  // "...": any number of fields
  std::string name;
  std::vector<std::vector<FieldTest>> any_of;

  bool accepts(std::string_view value) const {
    if (any_of.empty()) return true;
    for (const auto& all : any_of) {
      bool good = true;
      for (const FieldTest& t : all) good = good && compare_text(value, t.comparison, t.operand);
      if (good) return true;
    }
    return false;
  }
};

// Fields are separated by spaces; "quoted" and [bracketed] ones keep theirs.
std::vector<std::string_view> fields_of(std::string_view message) {
  std::vector<std::string_view> out;
  size_t i = 0;
  while (i < message.size()) {
    if (message[i] == ' ' || message[i] == '\t' || message[i] == '\n' || message[i] == '\r') {
      ++i;
      continue;
    }
    const char close = message[i] == '"' ? '"' : message[i] == '[' ? ']' : '\0';
    if (close != '\0') {
      const size_t end = message.find(close, i + 1);
      if (end != std::string_view::npos) {
        out.push_back(message.substr(i + 1, end - i - 1));
        i = end + 1;
        continue;
      }
    }
    size_t end = message.find_first_of(" \t\r\n", i);
    if (end == std::string_view::npos) end = message.size();
    out.push_back(message.substr(i, end - i));
    i = end;
  }
  return out;
}

class FieldsMatcher final : public FilterPattern::Matcher {
 public:
  explicit FieldsMatcher(std::vector<Field> fields) : fields_(std::move(fields)) {}

  // At most one ellipsis: what stands before it matches from the left, what stands behind from the
  // right.
  bool matches(std::string_view message) const override {
    const auto values = fields_of(message);
    size_t ellipsis = fields_.size();
    for (size_t i = 0; i < fields_.size(); ++i) {
      if (fields_[i].ellipsis) ellipsis = i;
    }
    if (ellipsis == fields_.size()) {
      if (values.size() != fields_.size()) return false;
    } else if (values.size() + 1 < fields_.size()) {
      return false;
    }
    for (size_t i = 0; i < ellipsis; ++i) {
      if (!fields_[i].accepts(values[i])) return false;
    }
    for (size_t i = ellipsis + 1; i < fields_.size(); ++i) {
      if (!fields_[i].accepts(values[values.size() - (fields_.size() - i)])) return false;
    }
    return true;
  }

  std::map<std::string, std::string> extracted(std::string_view message) const override {
    const auto values = fields_of(message);
    std::map<std::string, std::string> out;
    bool from_the_right = false;
    for (size_t i = 0; i < fields_.size(); ++i) {
      from_the_right = from_the_right || fields_[i].ellipsis;
      const size_t at = from_the_right ? values.size() - (fields_.size() - i) : i;
      if (!fields_[i].ellipsis && at < values.size())
        out["$" + fields_[i].name] = std::string(values[at]);
    }
    return out;
  }

 private:
  std::vector<Field> fields_;
};

bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

std::string_view take_name(PatternReader& in) {
  in.skip_spaces();
  size_t size = 0;
  while (size < in.rest().size() && is_name(in.rest()[size])) ++size;
  const std::string_view name = in.rest().substr(0, size);
  in.drop(size);
  return name;
}

// `status = 4*`, `w1 = A || w1 = B`, or a name alone.
Result<Field> parse_field(PatternReader& in) {
  Field field;
  if (in.take("...")) {
    field.ellipsis = true;
    return field;
  }
  field.name = std::string(take_name(in));
  if (field.name.empty()) return fail(invalid_pattern());
  auto comparison = in.take_comparison();
  if (!comparison) return field;
  field.any_of.emplace_back();
  while (true) {
    auto operand = in.take_operand(",]&|");
    if (!operand) return fail(invalid_pattern());
    field.any_of.back().push_back({*comparison, std::move(*operand)});
    if (in.take("||")) {
      field.any_of.emplace_back();
    } else if (!in.take("&&")) {
      return field;
    }
    take_name(in);
    comparison = in.take_comparison();
    if (!comparison) return fail(invalid_pattern());
  }
}

}  // namespace

Result<std::shared_ptr<const FilterPattern::Matcher>> parse_fields_pattern(std::string_view text) {
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') return fail(invalid_pattern());
  PatternReader in(text.substr(1, text.size() - 2));
  std::vector<Field> fields;
  size_t ellipses = 0;
  do {
    VIRGA_TRY(field, parse_field(in));
    if (field.ellipsis && ++ellipses > 1) return fail(invalid_pattern());
    fields.push_back(std::move(field));
  } while (in.take(","));
  if (!in.at_end()) return fail(invalid_pattern());
  return std::shared_ptr<const FilterPattern::Matcher>(
      std::make_shared<FieldsMatcher>(std::move(fields)));
}

}  // namespace virga::logs
