#include "services/dynamodb/expression_lexer.h"

#include "base/strings.h"

namespace virga::dynamodb {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_name(char c) {
  return is_letter(c) || is_digit(c) || c == '_';
}

// Length of a symbol at the start of `rest`, or 0.
size_t symbol_length(std::string_view rest) {
  for (const std::string_view two : {"<=", ">=", "<>"}) {
    if (rest.starts_with(two)) return 2;
  }
  return std::string_view("()[],.=<>+-").find(rest[0]) == std::string_view::npos ? 0 : 1;
}

}  // namespace

std::string check_expression_size(std::string_view text) {
  if (text.empty()) return "The expression can not be empty;";
  if (text.size() > kExpressionBytesMax)
    return "Expression size has exceeded the maximum allowed size;";
  return {};
}

Lexer::Lexer(std::string_view text, Placeholders& placeholders)
    : text_(text), placeholders_(placeholders) {
  size_t i = 0;
  while (true) {
    while (i < text.size() && is_space(text[i])) ++i;
    const size_t begin = i;
    Token token;
    if (i == text.size()) {
      token = {Token::Kind::end, "<EOF>", i, i};
      tokens_.push_back(token);
      return;
    }
    const char c = text[i];
    if (is_letter(c) || c == '_') {
      token.kind = Token::Kind::word;
      while (i < text.size() && is_name(text[i])) ++i;
    } else if (is_digit(c)) {
      token.kind = Token::Kind::number;
      while (i < text.size() && is_digit(text[i])) ++i;
    } else if (c == '#' || c == ':') {
      ++i;
      while (i < text.size() && is_name(text[i])) ++i;
      token.kind = i - begin == 1 ? Token::Kind::invalid
                   : c == '#'     ? Token::Kind::name_reference
                                  : Token::Kind::value_reference;
    } else if (const size_t length = symbol_length(text.substr(i))) {
      token.kind = Token::Kind::symbol;
      i += length;
    } else {
      token.kind = Token::Kind::invalid;
      ++i;
      while (i < text.size() && (static_cast<unsigned char>(text[i]) & 0xc0) == 0x80)
        ++i;  // a whole UTF-8 character
    }
    token.begin = begin;
    token.finish = i;
    token.text = text.substr(begin, i - begin);
    tokens_.push_back(token);
  }
}

bool Lexer::at_keyword(std::string_view upper) const {
  return peek().kind == Token::Kind::word && iequals(peek().text, upper);
}

// "near" runs from the token before the wrong one to the one behind it.
void Lexer::syntax_error() {
  if (failed()) return;
  const Token& token = tokens_[at_];
  const size_t begin = at_ > 0 ? tokens_[at_ - 1].begin : token.begin;
  const size_t finish = at_ + 1 < tokens_.size() ? tokens_[at_ + 1].finish : token.finish;
  std::string_view near = text_.substr(begin, finish - begin);
  while (!near.empty() && is_space(near.back())) near.remove_suffix(1);
  error_ = "Syntax error; token: \"" + std::string(token.text) + "\", near: \"" +
           std::string(near) + "\"";
  tokens_.resize(1);
  tokens_[0] = {Token::Kind::end, "<EOF>", text_.size(), text_.size()};
  at_ = 0;
}

void Lexer::count_operator() {
  if (++operators_ > kExpressionOperatorsMax && limits.empty()) {
    limits =
        "The expression contains too many operators; operator count: " + std::to_string(operators_);
  }
}

void Lexer::path_name(DocumentPath& path, const Token& token) {
  if (token.kind == Token::Kind::word) {
    if (reserved.empty() && is_reserved_word(token.text)) {
      reserved =
          "Attribute name is a reserved keyword; reserved keyword: " + std::string(token.text);
    }
    path.push_back({.name = std::string(token.text)});
    return;
  }
  const std::string* name = placeholders_.name(token.text);
  if (!name) {
    std::string text =
        "An expression attribute name used in the document path is not defined; attribute name: " +
        std::string(token.text);
    if (undefined_name.empty()) undefined_name = text;
    if (undefined.empty()) undefined = std::move(text);
  }
  path.push_back({.name = name ? *name : std::string(token.text)});
}

DocumentPath Lexer::path() {
  DocumentPath path;
  auto is_name_token = [](const Token& t) {
    return t.kind == Token::Kind::word || t.kind == Token::Kind::name_reference;
  };
  if (!is_name_token(peek())) {
    syntax_error();
    return path;
  }
  path_name(path, take());
  while (!failed()) {
    if (take_symbol(".")) {
      if (!is_name_token(peek())) {
        syntax_error();
        break;
      }
      path_name(path, take());
    } else if (take_symbol("[")) {
      if (peek().kind != Token::Kind::number) {
        syntax_error();
        break;
      }
      const Token number = take();
      const auto index = parse_int(number.text);
      if ((!index || *index > INT32_MAX) && limits.empty()) {
        limits = "List index is not within the allowable range; index: [" +
                 std::string(number.text) + "]";
      }
      path.push_back({.name = {}, .index = index.value_or(INT32_MAX)});
      expect("]");
    } else {
      break;
    }
  }
  if (path.size() > kPathDepthMax && limits.empty()) {
    limits = "The document path has too many nesting elements; nesting levels: " +
             std::to_string(path.size());
  }
  path_heads.push_back(path[0].name);
  if (path.size() > 1) nested_heads.push_back(path[0].name);
  return path;
}

Operand Lexer::value_operand(const Token& token) {
  Operand operand{.kind = Operand::Kind::value};
  const ValueView* value = placeholders_.value(token.text);
  if (!value) {
    std::string text =
        "An expression attribute value used in expression is not defined; attribute value: " +
        std::string(token.text);
    if (undefined_value.empty()) undefined_value = text;
    if (undefined.empty()) undefined = std::move(text);
    operand.undefined = true;
    return operand;
  }
  operand.value = *value;
  return operand;
}

const std::string* Placeholders::name(std::string_view key) {
  for (auto& entry : names_) {
    if (entry.key != key) continue;
    entry.used = true;
    return &entry.attribute;
  }
  return nullptr;
}

const ValueView* Placeholders::value(std::string_view key) {
  for (auto& entry : values_) {
    if (entry.key != key) continue;
    entry.used = true;
    return &entry.value;
  }
  return nullptr;
}

std::string Placeholders::unused() const {
  std::string keys;
  for (const auto& entry : names_) {
    if (!entry.used) keys += (keys.empty() ? "" : ", ") + entry.key;
  }
  if (!keys.empty())
    return "Value provided in ExpressionAttributeNames unused in expressions: keys: {" + keys + "}";
  for (const auto& entry : values_) {
    if (!entry.used) keys += (keys.empty() ? "" : ", ") + entry.key;
  }
  if (!keys.empty())
    return "Value provided in ExpressionAttributeValues unused in expressions: keys: {" + keys +
           "}";
  return {};
}

std::string path_text(const DocumentPath& path) {
  std::string out = "[";
  for (const auto& step : path) {
    if (out.size() > 1) out += ", ";
    out += step.is_index() ? "[" + std::to_string(step.index) + "]" : step.name;
  }
  return out + "]";
}

void PathSet::add(const DocumentPath& path) {
  for (const auto& other : paths_) {
    const size_t common = std::min(path.size(), other.size());
    size_t i = 0;
    while (i < common && path[i] == other[i]) ++i;
    const std::string paths =
        "must remove or rewrite one of these paths; path one: " + path_text(other) +
        ", path two: " + path_text(path);
    if (i == common) {
      if (overlap.empty()) overlap = "Two document paths overlap with each other; " + paths;
      return;
    }
    if (path[i].is_index() != other[i].is_index() && conflict.empty()) {
      conflict = "Two document paths conflict with each other; " + paths;
    }
  }
  paths_.push_back(path);
}

}  // namespace virga::dynamodb
