#include "services/dynamodb/partiql_lexer.h"

#include "base/strings.h"
#include "services/dynamodb/errors.h"

namespace virga::dynamodb::partiql {
namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' ||
         (c & 0x80) != 0;
}

// Two characters that are one symbol.
bool is_pair(char a, char b) {
  return (a == '<' && (b == '=' || b == '>' || b == '<')) || (a == '>' && (b == '=' || b == '>')) ||
         (a == '!' && b == '=');
}

}  // namespace

bool Token::is_word(std::string_view keyword) const {
  return kind == TokenKind::word && iequals(text, keyword);
}

std::string Token::place() const {
  return std::to_string(line) + ":" + std::to_string(column) + ":" + std::to_string(width);
}

AwsError malformed(std::string_view what) {
  return errors::validation("Statement wasn't well formed, can't be processed: " +
                            std::string(what));
}

void Lexer::advance(size_t count) {
  for (; count > 0 && at_ < text_.size(); --count, ++at_) {
    if (text_[at_] == '\n') {
      ++line_;
      column_ = 1;
    } else {
      ++column_;
    }
  }
}

Result<void> Lexer::skip_space() {
  while (at_ < text_.size()) {
    const char c = peek();
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      advance();
    } else if (c == '-' && peek(1) == '-') {
      while (at_ < text_.size() && peek() != '\n') advance();
    } else if (c == '/' && peek(1) == '*') {
      const size_t end = text_.find("*/", at_ + 2);
      if (end == std::string_view::npos) return fail(malformed("Unexpected end of comment"));
      advance(end + 2 - at_);
    } else {
      break;
    }
  }
  return {};
}

// A quote within is written twice.
Result<std::string> Lexer::take_quoted(char quote) {
  std::string out;
  advance();
  while (at_ < text_.size()) {
    const char c = peek();
    if (c == quote) {
      if (peek(1) != quote) {
        advance();
        return out;
      }
      advance();
    }
    out.push_back(c);
    advance();
  }
  return fail(
      malformed(quote == '\'' ? "Unterminated string literal" : "Unterminated quoted identifier"));
}

Result<Token> Lexer::next() {
  VIRGA_TRY_VOID(skip_space());
  Token out;
  out.line = line_;
  out.column = column_;
  const size_t start = at_;
  const char c = peek();
  if (at_ >= text_.size()) return out;
  if (c == '\'' || c == '"') {
    VIRGA_TRY(text, take_quoted(c));
    out.kind = c == '"' ? TokenKind::quoted_name : TokenKind::string;
    out.text = std::move(text);
  } else if (is_digit(c) || (c == '.' && is_digit(peek(1)))) {
    while (is_digit(peek()) || peek() == '.') advance();
    if (peek() == 'e' || peek() == 'E') {
      const size_t sign = peek(1) == '+' || peek(1) == '-' ? 2 : 1;
      if (is_digit(peek(sign))) {
        advance(sign);
        while (is_digit(peek())) advance();
      }
    }
    out.kind = TokenKind::number;
    out.text = text_.substr(start, at_ - start);
  } else if (is_letter(c)) {
    while (is_letter(peek()) || is_digit(peek())) advance();
    out.kind = TokenKind::word;
    out.text = text_.substr(start, at_ - start);
  } else if (c == '?') {
    advance();
    out.kind = TokenKind::parameter;
    out.text = "?";
  } else {
    constexpr std::string_view kSymbols = "=<>!(),.[]{}:*+-;";
    const bool pair = is_pair(c, peek(1));
    if (kSymbols.find(c) == std::string_view::npos || (c == '!' && !pair)) {
      return fail(malformed("Invalid character"));
    }
    advance(pair ? 2 : 1);
    out.kind = TokenKind::symbol;
    out.text = text_.substr(start, at_ - start);
  }
  out.width = static_cast<int>(at_ - start);
  return out;
}

}  // namespace virga::dynamodb::partiql
