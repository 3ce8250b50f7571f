#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

// Expressions of CloudWatch Logs Insights queries: fields, literals, operators and functions.
// Source: CloudWatch Logs User Guide, "Supported operations and functions".
namespace virga::logs {

// Every value is a text; operators that compute take texts that are numbers. Nullopt: the field is
// not there.
struct InsightsValue {
  std::string text;
  bool is_time = false;  // milliseconds, shown as a date
};
using MaybeValue = std::optional<InsightsValue>;

// Where fields come from.
using FieldSource = std::function<MaybeValue(std::string_view name)>;

class InsightsExpression {
 public:
  virtual ~InsightsExpression() = default;
  virtual MaybeValue value(const FieldSource& fields) const = 0;
};
using ExpressionPtr = std::shared_ptr<const InsightsExpression>;

struct InsightsToken {
  enum class Kind { name, quoted_name, text, number, regex, symbol, end };
  Kind kind = Kind::end;
  std::string text;
  size_t begin = 0;  // in the query
  size_t end = 0;
};

// The query's tokens, one after the other. Errors: MalformedQueryException.
class InsightsTokens {
 public:
  static Result<InsightsTokens> read(std::string_view query);

  const InsightsToken& peek() const { return tokens_[at_]; }
  InsightsToken take() { return at_ + 1 < tokens_.size() ? tokens_[at_++] : tokens_[at_]; }
  // Takes the next token when it is this word (any case) or symbol.
  bool accept(std::string_view word);
  bool is(std::string_view word) const;
  Result<void> expect(std::string_view word);
  Result<std::string> name();
  std::unexpected<AwsError> unexpected_here() const;
  // What the query says between two places.
  std::string source(size_t begin, size_t end) const;

 private:
  std::string query_;
  std::vector<InsightsToken> tokens_;
  size_t at_ = 0;
};

// Errors: MalformedQueryException.
Result<ExpressionPtr> parse_expression(InsightsTokens& tokens);

std::optional<double> number_of(const MaybeValue& value);
InsightsValue number_value(double number);
bool is_true(const MaybeValue& value);
// Numbers by value, texts by their bytes.
int compare_values(const InsightsValue& a, const InsightsValue& b);
// "5m", "1h" in milliseconds; nullopt for other texts.
std::optional<int64_t> period_millis(std::string_view text);

}  // namespace virga::logs
