#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace virga::dynamodb::partiql {

enum class TokenKind { end, word, quoted_name, string, number, parameter, symbol };

struct Token {
  TokenKind kind = TokenKind::end;
  std::string text;          // a word as written, a string without its quotes, a symbol
  int line = 1, column = 1;  // where it begins
  int width = 0;             // in bytes of the statement

  bool is(std::string_view symbol) const { return kind == TokenKind::symbol && text == symbol; }
  bool is_word(std::string_view keyword) const;  // any case; `keyword` in lower case
  std::string place() const;                     // "1:8:4"
};

// "Statement wasn't well formed, can't be processed: …"
AwsError malformed(std::string_view what);

// Takes a statement apart, token by token. Comments and white space between tokens are passed over.
class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}
  Result<Token> next();

 private:
  char peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  void advance(size_t count = 1);
  Result<void> skip_space();
  Result<std::string> take_quoted(char quote);

  std::string_view text_;
  size_t at_ = 0;
  int line_ = 1, column_ = 1;
};

}  // namespace virga::dynamodb::partiql
