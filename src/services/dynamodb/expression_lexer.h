#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "services/dynamodb/expression.h"

namespace virga::dynamodb {

struct Token {
  enum class Kind { end, word, number, name_reference, value_reference, symbol, invalid };
  Kind kind = Kind::end;
  std::string_view text;  // into the expression
  size_t begin = 0, finish = 0;
  bool is(std::string_view symbol) const { return kind == Kind::symbol && text == symbol; }
};

// Splits an expression and reads the parts that its grammars share: paths and placeholders. The
// first syntax error stops it: from then on it yields only `end`.
class Lexer {
 public:
  Lexer(std::string_view text, Placeholders& placeholders);

  const Token& peek() const { return tokens_[at_]; }
  const Token& peek_next() const { return tokens_[at_ + 1 < tokens_.size() ? at_ + 1 : at_]; }
  Token take() {
    const Token t = tokens_[at_];
    if (at_ + 1 < tokens_.size()) ++at_;
    return t;
  }
  bool take_symbol(std::string_view symbol) {
    if (!peek().is(symbol)) return false;
    take();
    return true;
  }
  bool at_keyword(std::string_view upper) const;
  bool take_keyword(std::string_view upper) {
    if (!at_keyword(upper)) return false;
    take();
    return true;
  }
  bool at_end() const { return peek().kind == Token::Kind::end; }

  // Notes a syntax error at the current token, once; `expect` notes one unless the symbol is there.
  void syntax_error();
  void expect(std::string_view symbol) {
    if (!take_symbol(symbol)) syntax_error();
  }
  bool failed() const { return !error_.empty(); }
  const std::string& error() const { return error_; }

  // A path at the current token: words checked against the reserved ones, references resolved.
  DocumentPath path();
  // The operand of a value reference token that was taken.
  Operand value_operand(const Token& token);

  // First findings of each kind, in AWS's words; empty when none.
  std::string reserved, undefined_name, undefined_value, limits;
  // The first undefined name or value, whichever came first.
  std::string undefined;
  std::vector<std::string> path_heads, nested_heads;
  // Counts an operator or function towards the limit.
  void count_operator();

 private:
  void path_name(DocumentPath& path, const Token& token);

  std::string_view text_;
  Placeholders& placeholders_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
  int operators_ = 0;
  std::string error_;
};

// The findings that every grammar puts before its own: empty text, size. Empty when there are none.
std::string check_expression_size(std::string_view text);

}  // namespace virga::dynamodb
