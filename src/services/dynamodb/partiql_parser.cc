#include "services/dynamodb/partiql_parser.h"

#include <algorithm>
#include <set>

#include "base/strings.h"
#include "services/dynamodb/errors.h"
#include "services/dynamodb/request_checks.h"

// The refusals' texts are those of the service's PartiQL library.

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
  // Who is named by an ARN is checked when it is looked up.
  if (!out_.table.starts_with("arn:") && !check_table_name(out_.table)) {
    return fail(errors::validation(
        "Table name should be within the length [3, 255] and only contain 'a-z', 'A-Z', '0-9', "
        "'-', '_', '.'."));
  }
  return std::move(out_);
}

// SELECT * | path {, path} FROM source [WHERE condition] [ORDER BY …]
Result<void> Parser::parse_select() {
  out_.kind = Statement::Kind::select;
  VIRGA_TRY_VOID(advance());
  if (at_word("distinct")) {
    return fail(errors::validation("Unsupported token in expression: DISTINCT"));
  }
  VIRGA_TRY_VOID(parse_projection());
  VIRGA_TRY_VOID(expect_word("from"));
  VIRGA_TRY_VOID(parse_source());
  VIRGA_TRY_VOID(parse_where());
  VIRGA_TRY_VOID(refuse_clauses());
  VIRGA_TRY_VOID(parse_order());
  return refuse_clauses();
}

// What SQL has behind WHERE and ORDER BY and the service has not.
Result<void> Parser::refuse_clauses() {
  if (at_word("group")) return fail(errors::validation("Unsupported clause: GROUP BY"));
  for (const std::string_view clause : {"LIMIT", "HAVING", "OFFSET"}) {
    if (!at_word(to_lower(clause))) continue;
    VIRGA_TRY_VOID(advance());  // the place is that of what stands behind the word
    return fail(
        errors::validation("Unsupported clause: " + std::string(clause) + " at " + token_.place()));
  }
  return {};
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
  std::set<std::string> names;
  while (true) {
    const bool keyword = at_word("value") || at_word("pivot");
    const std::string place = token_.place();
    if (at_value()) return fail(errors::validation("Unexpected path component at " + place));
    VIRGA_TRY(path, take_path());
    if (token_.is("(")) return fail(errors::validation("Unexpected path component at " + place));
    if (keyword && path.size() == 1 && at_name()) {
      return fail(errors::validation("Select projection doesn't support value or pivot keywords"));
    }
    VIRGA_TRY_VOID(refuse_alias());
    std::string name = path.back().name;
    if (path.back().is_index()) {
      for (const auto& step : path) {
        name = step.is_index() ? name + "[" + std::to_string(step.index) + "]" : step.name;
      }
    }
    if (!names.insert(name).second)
      return fail(errors::validation("Duplicate identifiers in select clause: " + name));
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
  if (token_.is("(")) return fail(errors::validation("Unexpected from source"));
  VIRGA_TRY(table, take_name());
  out_.table = std::move(table);
  VIRGA_TRY(dot, take("."));
  if (dot) {
    VIRGA_TRY(index, take_name());
    out_.index = std::move(index);
    if (token_.is(".")) {
      return fail(errors::validation("A path may contain at most 2 components in the FROM clause"));
    }
  }
  const bool joined = at_word("join") || at_word("inner") || at_word("left") || at_word("right") ||
                      at_word("cross") || at_word("full");
  if (out_.kind == Statement::Kind::select && (token_.is(",") || joined)) {
    return fail(errors::validation("Only select from a single table or index is supported."));
  }
  return refuse_alias();
}

// Words in the place of an alias that begin the next part of a statement.
Result<void> Parser::refuse_alias() const {
  static constexpr std::string_view kNext[] = {"limit", "group",  "having", "offset",
                                               "value", "values", "on",     "at"};
  const bool next = std::any_of(std::begin(kNext), std::end(kNext),
                                [&](std::string_view word) { return at_word(word); });
  if (!at_word("as") && (next || !at_name())) return {};
  return fail(errors::validation("Aliasing is not supported"));
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
    if (path.size() > 1) {
      return fail(
          errors::validation("Argument to ORDER BY must be of type VariableReference. Type: Path"));
    }
    one.attribute = path[0].name;
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
  const std::string place = token_.place();
  VIRGA_TRY_VOID(parse_source());
  if (!out_.index.empty()) {
    return fail(errors::validation(
        "FROM clause may only contain a single table name in data manipulation statements at " +
        place));
  }
  if (at_word("values") || token_.is("<<")) {
    return fail(
        errors::validation("Unsupported operation: Inserting multiple items in a single statement "
                           "is not supported, use \"INSERT INTO tableName VALUE item\" instead"));
  }
  VIRGA_TRY_VOID(expect_word("value"));
  if (!token_.is("{") && at_value()) {
    return fail(errors::validation(
        "Unsupported format in item expression. Please use struct format {...} to express item "
        "values for insert statement. at " +
        token_.place()));
  }
  VIRGA_TRY(item, take_map(0, MapKind::item));
  out_.item = std::move(item);
  if (at_word("on")) return fail(errors::validation("Unsupported clause: ON CONFLICT"));
  if (at_word("at")) return fail(errors::validation("AT is not supported in insert statements."));
  if (at_word("returning")) return fail(errors::validation("RETURNING is not supported in INSERT"));
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

namespace {

// The arguments of SET_ADD and SET_DELETE: the attribute that is set, and a set. `places`: of the
// function, then of its arguments.
Result<void> check_set_arguments(std::string_view which, const DocumentPath& target,
                                 const std::vector<Operand>& arguments,
                                 const std::vector<std::string>& places) {
  const std::string name = "SET_" + std::string(which);
  if (arguments.size() != 2) {
    return fail(errors::validation(name + " must have exactly two arguments at " + places[0]));
  }
  if (arguments[0].kind != Operand::Kind::path || arguments[0].path != target) {
    return fail(errors::validation("The first argument to " + name +
                                   " must equal the assignment value at " + places[1]));
  }
  if (arguments[1].kind != Operand::Kind::value || !is_set_type(arguments[1].value.type())) {
    return fail(errors::validation("The second argument to " + name +
                                   " must be a value with type SET at " + places[2]));
  }
  return {};
}

}  // namespace

// path = operand [+|- operand] | list_append(a, b) | set_add(path, set) | set_delete(path, set)
Result<void> Parser::parse_assignment() {
  UpdateAction action;
  VIRGA_TRY(target, take_path());
  action.path = std::move(target);
  VIRGA_TRY_VOID(expect("=", "EQ"));
  const bool list_append = at_word("list_append"), set_add = at_word("set_add"),
             set_delete = at_word("set_delete");
  if (list_append || set_add || set_delete) {
    std::vector<std::string> places{token_.place()};
    VIRGA_TRY_VOID(advance());
    VIRGA_TRY(arguments, take_arguments(&places));
    if (list_append) {
      VIRGA_TRY_VOID(check_argument_count("list_append", arguments, 2));
      action.value.kind = Operand::Kind::list_append;
      action.value.args = std::move(arguments);
    } else {
      VIRGA_TRY_VOID(
          check_set_arguments(set_add ? "ADD" : "DELETE", action.path, arguments, places));
      action.kind = set_add ? UpdateAction::Kind::add : UpdateAction::Kind::erase;
      action.value = std::move(arguments[1]);
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
  using Returning = Statement::Returning;
  if (out_.returning == Returning::none || out_.returning == Returning::all_old) return {};
  const std::string_view what = out_.returning == Returning::all_new        ? "ALL NEW"
                                : out_.returning == Returning::modified_old ? "MODIFIED OLD"
                                                                            : "MODIFIED NEW";
  return fail(errors::validation("Invalid returning clause: RETURNING " + std::string(what) +
                                 " *. Only RETURNING ALL OLD * is allowed in DELETE statements."));
}

// RETURNING ALL|MODIFIED OLD|NEW *
Result<void> Parser::parse_returning() {
  VIRGA_TRY(given, take_word("returning"));
  if (!given) return {};
  VIRGA_TRY(all, take_word("all"));
  if (!all) VIRGA_TRY_VOID(expect_word("modified"));
  VIRGA_TRY(old, take_word("old"));
  if (!old) VIRGA_TRY_VOID(expect_word("new"));
  VIRGA_TRY(star, take("*"));
  if (!star) {
    return fail(errors::validation(
        "Expected '*' after ( MODIFIED | ALL ) ( NEW | OLD ) in RETURNING clause"));
  }
  if (token_.is(",")) {
    return fail(
        errors::validation("Invalid syntax with multiple returning elements in RETURNING clause"));
  }
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
  if (!out_.index.empty()) {
    return fail(errors::validation("Operations on indices are not supported in transactions"));
  }
  out_.kind = Statement::Kind::exists;
  return {};
}

Result<Statement> parse_statement(std::string_view text,
                                  const std::vector<AttributeValue>& parameters) {
  return Parser(text, parameters).parse();
}

}  // namespace virga::dynamodb::partiql
