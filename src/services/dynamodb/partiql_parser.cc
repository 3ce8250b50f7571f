#include "services/dynamodb/partiql_parser.h"

#include "base/strings.h"
#include "services/dynamodb/errors.h"

namespace virga::dynamodb::partiql {

Result<void> Parser::advance() {
  VIRGA_TRY(next, lexer_.next());
  token_ = std::move(next);
  return {};
}
Result<bool> Parser::take_word(std::string_view keyword) {
  if (!at_word(keyword)) return false;
  VIRGA_TRY_VOID(advance());
  return true;
}
Result<bool> Parser::take(std::string_view symbol) {
  if (!token_.is(symbol)) return false;
  VIRGA_TRY_VOID(advance());
  return true;
}
Result<void> Parser::expect_word(std::string_view keyword) {
  VIRGA_TRY(taken, take_word(keyword));
  if (taken) return {};
  std::string upper(keyword);
  for (char& c : upper) c = static_cast<char>(c - ('a' - 'A'));
  return fail(malformed("Expected " + upper));
}
Result<void> Parser::expect(std::string_view symbol, std::string_view name) {
  VIRGA_TRY(taken, take(symbol));
  if (taken) return {};
  return fail(malformed("Expected " + std::string(name)));
}

Result<Statement> Parser::parse() {
  VIRGA_TRY_VOID(advance());
  Result<void> parsed;
  if (at_word("select")) {
    parsed = parse_select();
  } else if (at_word("insert")) {
    parsed = parse_insert();
  } else if (at_word("update")) {
    parsed = parse_update();
  } else if (at_word("delete")) {
    parsed = parse_delete();
  } else if (at_word("exists")) {
    parsed = parse_exists();
  } else {
    return fail(malformed("Expected data manipulation"));
  }
  if (!parsed) return fail(std::move(parsed.error()));
  VIRGA_TRY(closed, take(";"));
  if (token_.kind != TokenKind::end)
    return fail(malformed(closed ? "Only one operation is allowed in a statement."
                                 : "Unexpected token after expression"));
  if (used_parameters_ != parameters_.size()) {
    return fail(errors::validation("Number of parameters in request and statement don't match."));
  }
  return std::move(out_);
}

// SELECT * | path {, path} FROM source [WHERE condition] [ORDER BY …]
Result<void> Parser::parse_select() {
  out_.kind = Statement::Kind::select;
  VIRGA_TRY_VOID(advance());
  VIRGA_TRY_VOID(parse_projection());
  VIRGA_TRY_VOID(expect_word("from"));
  VIRGA_TRY_VOID(parse_source());
  VIRGA_TRY_VOID(parse_where());
  for (const std::string_view clause : {"limit", "group", "having", "offset"}) {
    if (!at_word(clause)) continue;
    std::string upper(clause);
    for (char& c : upper) c = static_cast<char>(c - ('a' - 'A'));
    return fail(errors::validation("Unsupported clause: " + upper + " at " + token_.place()));
  }
  return parse_order();
}

Result<void> Parser::parse_projection() {
  VIRGA_TRY(everything, take("*"));
  if (everything) {
    if (token_.is(",")) {
      return fail(errors::validation(
          "Other attributes should not be present in the projection when '*' is used."));
    }
    return {};
  }
  while (true) {
    VIRGA_TRY(path, take_path());
    std::string name = path.back().name;
    if (path.back().is_index()) {
      for (const auto& step : path) {
        name = step.is_index() ? name + "[" + std::to_string(step.index) + "]" : step.name;
      }
    }
    out_.projection.push_back({std::move(path), std::move(name)});
    VIRGA_TRY(more, take(","));
    if (!more) return {};
    if (token_.is("*")) {
      return fail(errors::validation(
          "Other attributes should not be present in the projection when '*' is used."));
    }
  }
}

// name [. index]
Result<void> Parser::parse_source() {
  VIRGA_TRY(table, take_name());
  out_.table = std::move(table);
  VIRGA_TRY(dot, take("."));
  if (!dot) return {};
  VIRGA_TRY(index, take_name());
  out_.index = std::move(index);
  if (token_.is(".")) {
    return fail(errors::validation("A path may contain at most 2 components in the FROM clause"));
  }
  return {};
}

Result<void> Parser::parse_where() {
  VIRGA_TRY(given, take_word("where"));
  if (!given) return {};
  VIRGA_TRY(condition, take_condition(0));
  out_.where = std::move(condition);
  return {};
}

Result<void> Parser::parse_order() {
  VIRGA_TRY(given, take_word("order"));
  if (!given) return {};
  VIRGA_TRY_VOID(expect_word("by"));
  while (true) {
    Order one;
    VIRGA_TRY(path, take_path());
    one.attribute = path.size() == 1 ? path[0].name : path_text(path);
    VIRGA_TRY(descending, take_word("desc"));
    one.descending = descending;
    if (!descending) {
      VIRGA_TRY(ascending, take_word("asc"));
      ignore(ascending, "the default");
    }
    out_.order.push_back(std::move(one));
    VIRGA_TRY(more, take(","));
    if (!more) return {};
  }
}

// INSERT INTO table VALUE {…}
Result<void> Parser::parse_insert() {
  out_.kind = Statement::Kind::insert;
  VIRGA_TRY_VOID(advance());
  VIRGA_TRY_VOID(expect_word("into"));
  VIRGA_TRY_VOID(parse_source());
  VIRGA_TRY_VOID(expect_word("value"));
  if (!token_.is("{"))
    return fail(
        errors::validation("Unsupported value for INSERT: expecting a tuple at " + token_.place()));
  VIRGA_TRY(item, take_map(0));
  out_.item = std::move(item);
  return {};
}

// UPDATE table {SET path = value | REMOVE path} WHERE condition [RETURNING …]
Result<void> Parser::parse_update() {
  out_.kind = Statement::Kind::update;
  VIRGA_TRY_VOID(advance());
  VIRGA_TRY_VOID(parse_source());
  while (true) {
    VIRGA_TRY(set, take_word("set"));
    VIRGA_TRY(remove, set ? Result<bool>(false) : take_word("remove"));
    if (!set && !remove) break;
    while (true) {
      if (set) {
        VIRGA_TRY_VOID(parse_assignment());
      } else {
        VIRGA_TRY(path, take_path());
        out_.update.actions.push_back({UpdateAction::Kind::remove, std::move(path), {}});
      }
      VIRGA_TRY(more, take(","));
      if (!more) break;
    }
  }
  if (out_.update.actions.empty()) return fail(malformed("Expected SET or REMOVE"));
  PathSet paths;
  for (const auto& action : out_.update.actions) {
    paths.add(action.path);
    if (action.path.size() > 1) out_.update.nested_heads.push_back(action.path[0].name);
  }
  if (!paths.overlap.empty())
    return fail(errors::validation("Invalid UpdateExpression: " + paths.overlap));
  if (!paths.conflict.empty())
    return fail(errors::validation("Invalid UpdateExpression: " + paths.conflict));
  VIRGA_TRY_VOID(parse_where());
  return parse_returning();
}

// path = operand [+|- operand] | list_append(a, b) | set_add(path, set) | set_delete(path, set)
Result<void> Parser::parse_assignment() {
  UpdateAction action;
  VIRGA_TRY(target, take_path());
  action.path = std::move(target);
  VIRGA_TRY_VOID(expect("=", "EQ"));
  const bool list_append = at_word("list_append"), set_add = at_word("set_add"),
             set_delete = at_word("set_delete");
  if (list_append || set_add || set_delete) {
    const std::string name = token_.text;
    VIRGA_TRY_VOID(advance());
    VIRGA_TRY_VOID(expect("(", "LEFT_PAREN"));
    VIRGA_TRY(first, take_operand());
    VIRGA_TRY_VOID(expect(",", "COMMA"));
    VIRGA_TRY(second, take_operand());
    VIRGA_TRY_VOID(expect(")", "RIGHT_PAREN"));
    if (list_append) {
      action.value.kind = Operand::Kind::list_append;
      action.value.args = {std::move(first), std::move(second)};
    } else {
      if (first.kind != Operand::Kind::path || first.path != action.path ||
          second.kind != Operand::Kind::value || !is_set_type(second.value.type())) {
        return fail(errors::validation("Invalid arguments of the function " + name +
                                       ": expecting the attribute that is set, and a set"));
      }
      action.kind = set_add ? UpdateAction::Kind::add : UpdateAction::Kind::erase;
      action.value = std::move(second);
    }
    out_.update.actions.push_back(std::move(action));
    return {};
  }
  VIRGA_TRY(first, take_operand());
  action.value = std::move(first);
  if (token_.is("+") || token_.is("-")) {
    Operand sum;
    sum.kind = token_.is("+") ? Operand::Kind::add : Operand::Kind::subtract;
    VIRGA_TRY_VOID(advance());
    VIRGA_TRY(second, take_operand());
    for (const Operand* operand : {&action.value, &second}) {
      if (operand->kind == Operand::Kind::value && operand->value.type() != AttributeType::number) {
        return fail(errors::validation(
            "Incorrect operand type for operator or function; operator or function: " +
            std::string(sum.kind == Operand::Kind::add ? "+" : "-") +
            ", operand type: " + std::string(operand->value.type_name())));
      }
    }
    sum.args = {std::move(action.value), std::move(second)};
    action.value = std::move(sum);
  }
  out_.update.actions.push_back(std::move(action));
  return {};
}

// DELETE FROM table WHERE condition [RETURNING ALL OLD *]
Result<void> Parser::parse_delete() {
  out_.kind = Statement::Kind::erase;
  VIRGA_TRY_VOID(advance());
  VIRGA_TRY_VOID(expect_word("from"));
  VIRGA_TRY_VOID(parse_source());
  VIRGA_TRY_VOID(parse_where());
  VIRGA_TRY_VOID(parse_returning());
  if (out_.returning != Statement::Returning::none &&
      out_.returning != Statement::Returning::all_old) {
    return fail(errors::validation("Only ALL OLD * can be returned by a DELETE statement"));
  }
  return {};
}

// RETURNING ALL|MODIFIED OLD|NEW *
Result<void> Parser::parse_returning() {
  VIRGA_TRY(given, take_word("returning"));
  if (!given) return {};
  VIRGA_TRY(all, take_word("all"));
  if (!all) VIRGA_TRY_VOID(expect_word("modified"));
  VIRGA_TRY(old, take_word("old"));
  if (!old) VIRGA_TRY_VOID(expect_word("new"));
  VIRGA_TRY_VOID(expect("*", "STAR"));
  using Returning = Statement::Returning;
  out_.returning = all ? (old ? Returning::all_old : Returning::all_new)
                       : (old ? Returning::modified_old : Returning::modified_new);
  return {};
}

// EXISTS(SELECT * FROM table WHERE condition): the condition check of a transaction.
Result<void> Parser::parse_exists() {
  VIRGA_TRY_VOID(advance());
  VIRGA_TRY_VOID(expect("(", "LEFT_PAREN"));
  if (!at_word("select")) return fail(malformed("Expected SELECT"));
  VIRGA_TRY_VOID(parse_select());
  VIRGA_TRY_VOID(expect(")", "RIGHT_PAREN"));
  if (!out_.projection.empty() || !out_.order.empty()) {
    return fail(errors::validation(
        "EXISTS takes a statement of the form SELECT * FROM table WHERE condition"));
  }
  out_.kind = Statement::Kind::exists;
  return {};
}

Result<Statement> parse_statement(std::string_view text,
                                  const std::vector<AttributeValue>& parameters) {
  return Parser(text, parameters).parse();
}

}  // namespace virga::dynamodb::partiql
