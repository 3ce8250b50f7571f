#include "services/logs/insights_expression.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/json.h"
#include "base/strings.h"
#include "services/logs/filter_regex.h"

namespace virga::logs {
namespace {

constexpr int kDepthMax = 50;
constexpr size_t kArgumentsMax = 20;

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '@' || c == '.' || c == '$';
}

std::unexpected<AwsError> malformed(std::string_view what, size_t begin, size_t end) {
  AwsError error{.code = "MalformedQueryException", .http_status = 400, .message = ""};
  error.message = "unexpected symbol found " + std::string(what) + " at line 1 and position " +
                  std::to_string(begin);
  Document location = Document::object();
  location.set("startCharOffset", static_cast<int64_t>(begin));
  location.set("endCharOffset", static_cast<int64_t>(end));
  Document compile = Document::object();
  compile.set("location", std::move(location)).set("message", error.message);
  Document detail = Document::object();
  detail.set("queryCompileError", std::move(compile));
  error.detail = std::make_unique<Document>(std::move(detail));
  return std::unexpected(std::move(error));
}

constexpr size_t kValueBytesMax = 256 * 1024;  // of what a function makes: one event's message
constexpr double kMillisMax = 8.64e15;         // what a date may be, as in ECMAScript

// Lower case, but for what a backslash stands before: \S is not \s.
std::string lower_pattern(std::string_view pattern) {
  std::string out = to_lower(pattern);
  for (size_t i = 0; i + 1 < pattern.size(); ++i) {
    if (pattern[i] != '\\') continue;
    ++i;
    out[i] = pattern[i];
  }
  return out;
}

MaybeValue text_value(std::string text) {
  return InsightsValue{std::move(text), false};
}
MaybeValue truth(bool value) {
  return text_value(value ? "1" : "0");
}

struct Literal final : InsightsExpression {
  InsightsValue constant;
  MaybeValue value(const FieldSource&) const override { return constant; }
};

struct Field final : InsightsExpression {
  std::string name;
  MaybeValue value(const FieldSource& fields) const override { return fields(name); }
};

struct Not final : InsightsExpression {
  ExpressionPtr inner;
  MaybeValue value(const FieldSource& fields) const override {
    return truth(!is_true(inner->value(fields)));
  }
};

struct Logic final : InsightsExpression {
  bool all = false;  // and; else or
  std::vector<ExpressionPtr> parts;
  MaybeValue value(const FieldSource& fields) const override {
    for (const auto& part : parts) {
      if (is_true(part->value(fields)) != all) return truth(!all);
    }
    return truth(all);
  }
};

struct Comparison final : InsightsExpression {
  std::string op;
  ExpressionPtr left, right;
  MaybeValue value(const FieldSource& fields) const override {
    const auto a = left->value(fields);
    const auto b = right->value(fields);
    if (!a || !b) return truth(op == "!=" && (a || b));
    const int order = compare_values(*a, *b);
    if (op == "=") return truth(order == 0);
    if (op == "!=") return truth(order != 0);
    if (op == "<") return truth(order < 0);
    if (op == "<=") return truth(order <= 0);
    if (op == ">") return truth(order > 0);
    return truth(order >= 0);
  }
};

// like and =~: a part of the text, or a regular expression.
struct Like final : InsightsExpression {
  ExpressionPtr subject;
  std::string part;
  std::optional<FilterRegex> regex;
  bool any_case = false;
  bool negated = false;
  MaybeValue value(const FieldSource& fields) const override {
    auto text = subject->value(fields);
    if (!text) return truth(negated);
    if (any_case) text->text = to_lower(text->text);
    const bool found =
        regex ? regex->matches(text->text) : text->text.find(part) != std::string::npos;
    return truth(found != negated);
  }
};

struct OneOf final : InsightsExpression {
  ExpressionPtr subject;
  std::vector<ExpressionPtr> list;
  bool negated = false;
  MaybeValue value(const FieldSource& fields) const override {
    const auto wanted = subject->value(fields);
    const bool found = wanted && std::any_of(list.begin(), list.end(), [&](const auto& e) {
                         const auto other = e->value(fields);
                         return other && compare_values(*wanted, *other) == 0;
                       });
    return truth(found != negated);
  }
};

struct Arithmetic final : InsightsExpression {
  char op = '+';
  ExpressionPtr left, right;
  MaybeValue value(const FieldSource& fields) const override {
    const auto a = number_of(left->value(fields));
    const auto b = number_of(right->value(fields));
    if (!a || !b || ((op == '/' || op == '%') && *b == 0)) return std::nullopt;
    switch (op) {
      case '+':
        return number_value(*a + *b);
      case '-':
        return number_value(*a - *b);
      case '*':
        return number_value(*a * *b);
      case '/':
        return number_value(*a / *b);
      case '^':
        return number_value(std::pow(*a, *b));
      default:
        return number_value(std::fmod(*a, *b));
    }
  }
};

using Arguments = std::vector<MaybeValue>;
using Function = MaybeValue (*)(const Arguments&);

std::string text_at(const Arguments& a, size_t i) {
  return i < a.size() && a[i] ? a[i]->text : "";
}
MaybeValue of_number(const MaybeValue& value, double (*function)(double)) {
  const auto number = number_of(value);
  if (!number) return std::nullopt;
  return number_value(function(*number));
}
MaybeValue extreme(const Arguments& a, int sign) {
  MaybeValue best;
  for (const auto& value : a) {
    if (value && (!best || compare_values(*value, *best) * sign > 0)) best = value;
  }
  return best;
}
MaybeValue on_period(const Arguments& a, bool up) {
  const auto at = number_of(a[0]);
  const auto period = period_millis(text_at(a, 1));
  if (!at || !period) return std::nullopt;
  if (std::fabs(*at) > kMillisMax) return std::nullopt;
  auto millis = static_cast<int64_t>(*at);
  const int64_t rest = millis % *period;
  if (rest != 0) millis += up ? *period - rest : -rest;
  return InsightsValue{std::to_string(millis), true};
}
MaybeValue replaced(const std::string& text, const std::string& what, const std::string& with) {
  if (what.empty()) return text_value(text);
  std::string out;
  for (size_t at = 0;;) {
    const size_t found = text.find(what, at);
    out.append(text, at, found - at);
    if (out.size() > kValueBytesMax) return std::nullopt;
    if (found == std::string::npos) return text_value(std::move(out));
    out += with;
    at = found + what.size();
  }
}
std::string trimmed(const Arguments& a, bool left, bool right) {
  std::string text = text_at(a, 0);
  const std::string blanks = a.size() > 1 ? text_at(a, 1) : " \t\n\r";
  if (right) text.erase(text.find_last_not_of(blanks) + 1);
  if (left) text.erase(0, std::min(text.size(), text.find_first_not_of(blanks)));
  return text;
}

struct NamedFunction {
  std::string_view name;  // lower case
  size_t arguments_min;
  size_t arguments_max;
  Function function;
};

constexpr NamedFunction kFunctions[] = {
    {"abs", 1, 1, [](const Arguments& a) { return of_number(a[0], &std::fabs); }},
    {"ceil", 1, 1, [](const Arguments& a) { return of_number(a[0], &std::ceil); }},
    {"floor", 1, 1, [](const Arguments& a) { return of_number(a[0], &std::floor); }},
    {"log", 1, 1, [](const Arguments& a) { return of_number(a[0], &std::log); }},
    {"sqrt", 1, 1, [](const Arguments& a) { return of_number(a[0], &std::sqrt); }},
    {"greatest", 1, kArgumentsMax, [](const Arguments& a) { return extreme(a, 1); }},
    {"least", 1, kArgumentsMax, [](const Arguments& a) { return extreme(a, -1); }},
    {"datefloor", 2, 2, [](const Arguments& a) { return on_period(a, false); }},
    {"dateceil", 2, 2, [](const Arguments& a) { return on_period(a, true); }},
    {"frommillis", 1, 1,
     [](const Arguments& a) -> MaybeValue {
       const auto millis = number_of(a[0]);
       if (!millis || std::fabs(*millis) > kMillisMax) return std::nullopt;
       return InsightsValue{a[0]->text, true};
     }},
    {"tomillis", 1, 1,
     [](const Arguments& a) -> MaybeValue {
       if (!number_of(a[0])) return std::nullopt;
       return text_value(a[0]->text);
     }},
    {"ispresent", 1, 1, [](const Arguments& a) { return truth(a[0].has_value()); }},
    {"isempty", 1, 1, [](const Arguments& a) { return truth(text_at(a, 0).empty()); }},
    {"isblank", 1, 1,
     [](const Arguments& a) { return truth(trimmed({a[0]}, true, true).empty()); }},
    {"coalesce", 1, kArgumentsMax,
     [](const Arguments& a) -> MaybeValue {
       for (const auto& value : a) {
         if (value) return value;
       }
       return std::nullopt;
     }},
    {"concat", 1, kArgumentsMax,
     [](const Arguments& a) -> MaybeValue {
       std::string all;
       for (size_t i = 0; i < a.size(); ++i) {
         all += text_at(a, i);
         if (all.size() > kValueBytesMax) return std::nullopt;
       }
       return text_value(std::move(all));
     }},
    {"strlen", 1, 1,
     [](const Arguments& a) -> MaybeValue {
       return number_value(static_cast<double>(text_at(a, 0).size()));
     }},
    {"toupper", 1, 1,
     [](const Arguments& a) {
       std::string text = text_at(a, 0);
       for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
       return text_value(std::move(text));
     }},
    {"tolower", 1, 1, [](const Arguments& a) { return text_value(to_lower(text_at(a, 0))); }},
    {"trim", 1, 2, [](const Arguments& a) { return text_value(trimmed(a, true, true)); }},
    {"ltrim", 1, 2, [](const Arguments& a) { return text_value(trimmed(a, true, false)); }},
    {"rtrim", 1, 2, [](const Arguments& a) { return text_value(trimmed(a, false, true)); }},
    {"substr", 2, 3,
     [](const Arguments& a) {
       const std::string text = text_at(a, 0);
       const double from = std::clamp(number_of(a[1]).value_or(0), 0.0, double(text.size()));
       const double size = a.size() > 2 ? std::clamp(number_of(a[2]).value_or(0), 0.0, 1e9) : 1e9;
       return text_value(text.substr(static_cast<size_t>(from), static_cast<size_t>(size)));
     }},
    {"replace", 3, 3,
     [](const Arguments& a) { return replaced(text_at(a, 0), text_at(a, 1), text_at(a, 2)); }},
    {"strcontains", 2, 2,
     [](const Arguments& a) {
       return truth(text_at(a, 0).find(text_at(a, 1)) != std::string::npos);
     }},
};

struct Call final : InsightsExpression {
  const NamedFunction* function = nullptr;
  std::vector<ExpressionPtr> arguments;
  MaybeValue value(const FieldSource& fields) const override {
    Arguments values;
    for (const auto& argument : arguments) values.push_back(argument->value(fields));
    return function->function(values);
  }
};

template <class T>
std::shared_ptr<T> make_expression() {
  return std::make_shared<T>();
}

// One expression; the methods are in the order of the operators' strength.
class ExpressionParser {
 public:
  explicit ExpressionParser(InsightsTokens& tokens) : tokens_(tokens) {}

  Result<ExpressionPtr> logic(bool all) {
    if (++depth_ > kDepthMax) return tokens_.unexpected_here();
    auto out = make_expression<Logic>();
    out->all = all;
    do {
      auto part = all ? negation() : logic(true);
      if (!part) return part;
      out->parts.push_back(std::move(*part));
    } while (tokens_.accept(all ? "and" : "or"));
    --depth_;
    if (out->parts.size() == 1) return out->parts.front();
    return out;
  }

 private:
  Result<ExpressionPtr> negation() {
    if (!tokens_.accept("not")) return comparison();
    if (++depth_ > kDepthMax) return tokens_.unexpected_here();
    auto out = make_expression<Not>();
    VIRGA_TRY(inner, negation());
    out->inner = std::move(inner);
    --depth_;
    return out;
  }

  Result<ExpressionPtr> comparison() {
    VIRGA_TRY(left, sum());
    for (const char* op : {"=~", "!=", "<=", ">=", "=", "<", ">"}) {
      if (!tokens_.accept(op)) continue;
      if (std::string_view(op) == "=~") return like(std::move(left), false);
      auto out = make_expression<Comparison>();
      out->op = op;
      out->left = std::move(left);
      VIRGA_TRY(right, sum());
      out->right = std::move(right);
      return out;
    }
    const bool negated = tokens_.accept("not");
    if (tokens_.accept("like")) return like(std::move(left), negated);
    if (tokens_.accept("in")) return one_of(std::move(left), negated);
    if (negated) return tokens_.unexpected_here();
    return left;
  }

  Result<ExpressionPtr> like(ExpressionPtr subject, bool negated) {
    auto out = make_expression<Like>();
    out->subject = std::move(subject);
    out->negated = negated;
    const InsightsToken token = tokens_.peek();
    if (token.kind == InsightsToken::Kind::text) {
      out->part = token.text;
    } else if (token.kind == InsightsToken::Kind::regex) {
      std::string_view text = token.text;
      if (text.starts_with("(?i)")) {
        out->any_case = true;
        text.remove_prefix(4);
      }
      auto regex = FilterRegex::parse(out->any_case ? lower_pattern(text) : std::string(text));
      if (!regex) return tokens_.unexpected_here();
      out->regex = std::move(*regex);
    } else {
      return tokens_.unexpected_here();
    }
    tokens_.take();
    return out;
  }

  Result<ExpressionPtr> one_of(ExpressionPtr subject, bool negated) {
    auto out = make_expression<OneOf>();
    out->subject = std::move(subject);
    out->negated = negated;
    VIRGA_TRY_VOID(tokens_.expect("["));
    do {
      VIRGA_TRY(element, sum());
      out->list.push_back(std::move(element));
    } while (tokens_.accept(","));
    VIRGA_TRY_VOID(tokens_.expect("]"));
    return out;
  }

  Result<ExpressionPtr> sum() { return chain("+-", &ExpressionParser::product); }
  Result<ExpressionPtr> product() { return chain("*/%", &ExpressionParser::power); }
  Result<ExpressionPtr> power() { return chain("^", &ExpressionParser::primary); }

  Result<ExpressionPtr> chain(std::string_view operators,
                              Result<ExpressionPtr> (ExpressionParser::*operand)()) {
    auto left = (this->*operand)();
    while (left) {
      const InsightsToken& next = tokens_.peek();
      const bool mine = next.kind == InsightsToken::Kind::symbol && next.text.size() == 1 &&
                        operators.find(next.text[0]) != std::string_view::npos;
      if (!mine) break;
      auto out = make_expression<Arithmetic>();
      out->op = tokens_.take().text[0];
      out->left = std::move(*left);
      auto right = (this->*operand)();
      if (!right) return right;
      out->right = std::move(*right);
      left = ExpressionPtr(std::move(out));
    }
    return left;
  }

  Result<ExpressionPtr> primary() {
    if (tokens_.accept("(")) {
      VIRGA_TRY(inner, logic(false));
      VIRGA_TRY_VOID(tokens_.expect(")"));
      return inner;
    }
    if (tokens_.accept("-")) {
      auto out = make_expression<Arithmetic>();
      out->op = '-';
      auto zero = make_expression<Literal>();
      zero->constant.text = "0";
      out->left = std::move(zero);
      if (++depth_ > kDepthMax) return tokens_.unexpected_here();
      VIRGA_TRY(right, primary());
      --depth_;
      out->right = std::move(right);
      return out;
    }
    const InsightsToken token = tokens_.peek();
    using Kind = InsightsToken::Kind;
    if (token.kind == Kind::number || token.kind == Kind::text) {
      tokens_.take();
      auto out = make_expression<Literal>();
      out->constant.text = token.text;
      return out;
    }
    if (token.kind != Kind::name && token.kind != Kind::quoted_name)
      return tokens_.unexpected_here();
    tokens_.take();
    if (token.kind == Kind::name && tokens_.is("(")) return call(token);
    auto out = make_expression<Field>();
    out->name = token.text;
    return out;
  }

  Result<ExpressionPtr> call(const InsightsToken& name) {
    tokens_.take();
    const std::string lower = to_lower(name.text);
    auto out = make_expression<Call>();
    if (lower == "bin") {  // bin(5m) is datefloor(@timestamp, 5m)
      auto field = make_expression<Field>();
      field->name = "@timestamp";
      out->arguments.push_back(std::move(field));
    }
    const std::string_view wanted = lower == "bin" ? "datefloor" : std::string_view(lower);
    for (const NamedFunction& f : kFunctions) {
      if (f.name == wanted) out->function = &f;
    }
    if (!out->function) return malformed(name.text, name.begin, name.end);
    while (!tokens_.is(")")) {
      if (out->arguments.size() == kArgumentsMax) return tokens_.unexpected_here();
      VIRGA_TRY(argument, logic(false));
      out->arguments.push_back(std::move(argument));
      if (!tokens_.accept(",")) break;
    }
    const bool few = out->arguments.size() < out->function->arguments_min;
    if (few || out->arguments.size() > out->function->arguments_max)
      return tokens_.unexpected_here();
    VIRGA_TRY_VOID(tokens_.expect(")"));
    return out;
  }

  InsightsTokens& tokens_;
  int depth_ = 0;
};

}  // namespace

Result<InsightsTokens> InsightsTokens::read(std::string_view query) {
  using Kind = InsightsToken::Kind;
  InsightsTokens out;
  out.query_ = query;
  size_t at = 0;
  while (at < query.size()) {
    const char c = query[at];
    const size_t begin = at;
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      ++at;
      continue;
    }
    if (c == '#') {
      at = std::min(query.find('\n', at), query.size());
      continue;
    }
    InsightsToken token{.kind = Kind::symbol, .text = "", .begin = begin, .end = 0};
    const bool regex =
        c == '/' && !out.tokens_.empty() &&
        (to_lower(out.tokens_.back().text) == "like" || out.tokens_.back().text == "=~" ||
         (out.tokens_.size() > 1 && to_lower(out.tokens_[out.tokens_.size() - 2].text) == "parse"));
    if (c == '"' || c == '\'' || c == '`' || regex) {
      ++at;
      while (at < query.size() && query[at] != c) {
        const bool escape = query[at] == '\\' && at + 1 < query.size() &&
                            (query[at + 1] == c || (!regex && query[at + 1] == '\\'));
        if (escape) ++at;
        token.text += query[at++];
      }
      if (at == query.size()) return malformed("<EOF>", at, at);
      ++at;
      token.kind = regex ? Kind::regex : c == '`' ? Kind::quoted_name : Kind::text;
    } else if (is_name_char(c)) {
      while (at < query.size() && is_name_char(query[at])) token.text += query[at++];
      const bool number = c >= '0' && c <= '9';
      token.kind = number ? Kind::number : Kind::name;
    } else {
      const std::string_view two = query.substr(at, 2);
      const bool pair = two == "!=" || two == "<=" || two == ">=" || two == "=~";
      token.text = pair ? two : query.substr(at, 1);
      if (!pair && std::string_view("|,()[]=<>+-*/%^").find(c) == std::string_view::npos)
        return malformed(token.text, at, at + 1);
      at += token.text.size();
    }
    token.end = at;
    out.tokens_.push_back(std::move(token));
  }
  out.tokens_.push_back({.kind = Kind::end, .text = "<EOF>", .begin = at, .end = at});
  return out;
}

bool InsightsTokens::is(std::string_view word) const {
  const InsightsToken& next = peek();
  return (next.kind == InsightsToken::Kind::name || next.kind == InsightsToken::Kind::symbol) &&
         iequals(next.text, word);
}
bool InsightsTokens::accept(std::string_view word) {
  if (!is(word)) return false;
  take();
  return true;
}
Result<void> InsightsTokens::expect(std::string_view word) {
  if (accept(word)) return {};
  return unexpected_here();
}
Result<std::string> InsightsTokens::name() {
  const auto kind = peek().kind;
  if (kind != InsightsToken::Kind::name && kind != InsightsToken::Kind::quoted_name)
    return unexpected_here();
  return take().text;
}
std::unexpected<AwsError> InsightsTokens::unexpected_here() const {
  return malformed(peek().text, peek().begin, peek().end);
}
std::string InsightsTokens::source(size_t begin, size_t end) const {
  return query_.substr(begin, end - begin);
}

Result<ExpressionPtr> parse_expression(InsightsTokens& tokens) {
  return ExpressionParser(tokens).logic(false);
}

std::optional<double> number_of(const MaybeValue& value) {
  if (!value || value->text.empty()) return std::nullopt;
  const std::string& text = value->text;
  double number = 0;
  const auto got = std::from_chars(text.data(), text.data() + text.size(), number);
  if (got.ec != std::errc() || got.ptr != text.data() + text.size()) return std::nullopt;
  if (!std::isfinite(number)) return std::nullopt;
  return number;
}

InsightsValue number_value(double number) {
  InsightsValue out;
  if (std::isfinite(number) && number == std::floor(number) && std::fabs(number) < 1e15) {
    out.text = std::to_string(static_cast<int64_t>(number));
  } else if (std::isfinite(number)) {
    append_json_double(out.text, number);
  } else {
    out.text = std::isnan(number) ? "NaN" : "Infinity";
  }
  return out;
}

bool is_true(const MaybeValue& value) {
  return value && !value->text.empty() && value->text != "0" && value->text != "false";
}

int compare_values(const InsightsValue& a, const InsightsValue& b) {
  const auto x = number_of(a);
  const auto y = number_of(b);
  if (x && y) return *x < *y ? -1 : *x > *y ? 1 : 0;
  if (x || y) return x ? -1 : 1;  // numbers before texts: one order for all values
  const int order = a.text.compare(b.text);
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}

std::optional<int64_t> period_millis(std::string_view text) {
  const size_t digits = text.find_first_not_of("0123456789");
  if (digits == 0 || digits == std::string_view::npos || digits > 9) return std::nullopt;
  const int64_t count = parse_int(text.substr(0, digits)).value_or(0);
  const std::string unit = to_lower(text.substr(digits));
  if (count <= 0) return std::nullopt;
  const std::pair<std::string_view, int64_t> units[] = {
      {"ms", 1},          {"s", 1000},           {"sec", 1000},        {"m", 60'000},
      {"min", 60'000},    {"h", 3'600'000},      {"hr", 3'600'000},    {"d", 86'400'000},
      {"w", 604'800'000}, {"mo", 2'592'000'000}, {"y", 31'536'000'000}};
  for (const auto& [name, millis] : units) {
    const bool same = unit == name || (name.size() > 1 && unit == std::string(name) + "s");
    if (same)
      return count <= static_cast<int64_t>(kMillisMax) / millis ? std::optional(count * millis)
                                                                : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace virga::logs
