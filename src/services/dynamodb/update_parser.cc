#include <array>

#include "services/dynamodb/expression.h"
#include "services/dynamodb/expression_lexer.h"

namespace virga::dynamodb {
namespace {

using Kind = Operand::Kind;

std::optional<AttributeType> immediate_type(const Operand& o) {
  if (o.kind != Kind::value || o.undefined) return std::nullopt;
  return o.value.type();
}

// Updates name operand types in words.
std::string_view type_word(AttributeType type) {
  switch (type) {
    case AttributeType::string:
      return "STRING";
    case AttributeType::number:
      return "NUMBER";
    case AttributeType::binary:
      return "BINARY";
    case AttributeType::null:
      return "NULL";
    case AttributeType::boolean:
      return "BOOLEAN";
    case AttributeType::list:
      return "LIST";
    case AttributeType::map:
      return "MAP";
    case AttributeType::string_set:
      return "STRING_SET";
    case AttributeType::number_set:
      return "NUMBER_SET";
    case AttributeType::binary_set:
      return "BINARY_SET";
  }
  return "";
}

class UpdateParser {
 public:
  UpdateParser(std::string_view text, Placeholders& placeholders) : lex_(text, placeholders) {}

  Parsed<ParsedUpdate> run() {
    do {
      section();
    } while (!lex_.failed() && !lex_.at_end());
    if (lex_.failed()) return std::unexpected(lex_.error());
    for (const std::string* error :
         {&lex_.limits, &lex_.reserved, &unknown_function_, &section_, &lex_.undefined_name,
          &lex_.undefined_value, &paths_.overlap, &paths_.conflict, &operand_, &function_}) {
      if (!error->empty()) return std::unexpected(*error);
    }
    return ParsedUpdate{std::move(actions_), std::move(lex_.nested_heads)};
  }

 private:
  void section();
  UpdateAction set_action();
  UpdateAction add_or_delete(UpdateAction::Kind kind);
  Operand set_value(int depth);
  Operand operand(int depth);
  Operand function_call(int depth);
  void check_function(const Operand& call);
  static void note(std::string& slot, std::string text) {
    if (slot.empty()) slot = std::move(text);
  }

  Lexer lex_;
  std::vector<UpdateAction> actions_;
  PathSet paths_;
  bool seen_[4] = {};
  std::string unknown_function_, section_, operand_, function_;
};

void UpdateParser::section() {
  static constexpr std::array<std::string_view, 4> kSections = {"SET", "REMOVE", "ADD", "DELETE"};
  size_t which = 0;
  while (which < 4 && !lex_.at_keyword(kSections[which])) ++which;
  if (which == 4) return lex_.syntax_error();
  lex_.take();
  do {
    UpdateAction action;
    if (which == 0) {
      action = set_action();
    } else if (which == 1) {
      action.kind = UpdateAction::Kind::remove;
      action.path = lex_.path();
    } else {
      action = add_or_delete(which == 2 ? UpdateAction::Kind::add : UpdateAction::Kind::erase);
    }
    if (lex_.failed()) return;
    paths_.add(action.path);
    actions_.push_back(std::move(action));
  } while (lex_.take_symbol(","));
  if (seen_[which]) {
    note(section_, "The \"" + std::string(kSections[which]) +
                       "\" section can only be used once in an update expression;");
  }
  seen_[which] = true;
}

UpdateAction UpdateParser::set_action() {
  UpdateAction action;
  action.path = lex_.path();
  lex_.expect("=");
  action.value = set_value(0);
  return action;
}

UpdateAction UpdateParser::add_or_delete(UpdateAction::Kind kind) {
  UpdateAction action{.kind = kind};
  action.path = lex_.path();
  const Token token = lex_.peek();
  if (token.kind != Token::Kind::value_reference) {
    lex_.syntax_error();
    return action;
  }
  lex_.take();
  action.value = lex_.value_operand(token);
  const auto type = immediate_type(action.value);
  const bool is_add = kind == UpdateAction::Kind::add;
  if (type && !is_set_type(*type) && !(is_add && *type == AttributeType::number)) {
    note(operand_, "Incorrect operand type for operator or function; operator: " +
                       std::string(is_add ? "ADD" : "DELETE") +
                       ", operand type: " + std::string(type_word(*type)));
  }
  return action;
}

Operand UpdateParser::set_value(int depth) {
  Operand left = operand(depth);
  const bool plus = lex_.peek().is("+");
  if (!plus && !lex_.peek().is("-")) return left;
  lex_.take();
  lex_.count_operator();
  Operand out{.kind = plus ? Kind::add : Kind::subtract, .function = plus ? "+" : "-"};
  out.args.push_back(std::move(left));
  out.args.push_back(operand(depth));
  if (!lex_.failed()) check_function(out);
  return out;
}

Operand UpdateParser::operand(int depth) {
  Operand out;
  const Token token = lex_.peek();
  if (depth > kPathDepthMax) {
    lex_.syntax_error();
    return out;
  }
  if (token.is("(")) {
    lex_.take();
    out = set_value(depth + 1);
    lex_.expect(")");
    return out;
  }
  if (token.kind == Token::Kind::value_reference) {
    lex_.take();
    return lex_.value_operand(token);
  }
  if (token.kind == Token::Kind::word && lex_.peek_next().is("(")) return function_call(depth);
  for (const std::string_view keyword : {"SET", "REMOVE", "ADD", "DELETE"}) {
    if (lex_.at_keyword(keyword)) {
      lex_.syntax_error();
      return out;
    }
  }
  out.kind = Kind::path;
  out.path = lex_.path();
  return out;
}

Operand UpdateParser::function_call(int depth) {
  Operand call;
  call.function = std::string(lex_.take().text);
  call.kind = call.function == "if_not_exists" ? Kind::if_not_exists
              : call.function == "list_append" ? Kind::list_append
                                               : Kind::other_function;
  lex_.count_operator();
  lex_.expect("(");
  do {
    call.args.push_back(operand(depth + 1));
  } while (!lex_.failed() && lex_.take_symbol(","));
  lex_.expect(")");
  if (!lex_.failed()) check_function(call);
  return call;
}

void UpdateParser::check_function(const Operand& call) {
  if (call.kind == Kind::other_function) {
    return note(unknown_function_, "Invalid function name; function: " + call.function);
  }
  if (call.args.size() != 2) {
    return note(function_,
                "Incorrect number of operands for operator or function; operator or function: " +
                    call.function + ", number of operands: " + std::to_string(call.args.size()));
  }
  if (call.kind == Kind::if_not_exists) {
    if (call.args[0].kind != Kind::path) {
      note(function_,
           "Operator or function requires a document path; operator or function: " + call.function);
    }
    return;
  }
  const auto wanted = call.kind == Kind::list_append ? AttributeType::list : AttributeType::number;
  for (const auto& argument : call.args) {
    const auto type = immediate_type(argument);
    if (type && *type != wanted) {
      return note(function_,
                  "Incorrect operand type for operator or function; operator or function: " +
                      call.function + ", operand type: " + std::string(attribute_type_name(*type)));
    }
  }
}

}  // namespace

Parsed<ParsedUpdate> parse_update(std::string_view text, Placeholders& placeholders) {
  if (auto error = check_expression_size(text); !error.empty())
    return std::unexpected(std::move(error));
  return UpdateParser(text, placeholders).run();
}

Parsed<ParsedProjection> parse_projection(std::string_view text, Placeholders& placeholders) {
  if (auto error = check_expression_size(text); !error.empty())
    return std::unexpected(std::move(error));
  Lexer lex(text, placeholders);
  ParsedProjection out;
  PathSet paths;
  do {
    out.paths.push_back(lex.path());
  } while (!lex.failed() && lex.take_symbol(","));
  if (!lex.failed() && !lex.at_end()) lex.syntax_error();
  if (lex.failed()) return std::unexpected(lex.error());
  for (const auto& path : out.paths) paths.add(path);
  for (const std::string* error :
       {&lex.limits, &lex.reserved, &lex.undefined, &paths.overlap, &paths.conflict}) {
    if (!error->empty()) return std::unexpected(*error);
  }
  out.nested_heads = std::move(lex.nested_heads);
  return out;
}

}  // namespace virga::dynamodb
