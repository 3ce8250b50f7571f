#include <algorithm>
#include <cstdint>

#include "base/strings.h"
#include "services/dynamodb/errors.h"
#include "services/dynamodb/partiql_parser.h"

// Names, paths and literals.
namespace virga::dynamodb::partiql {
namespace {

// Words that cannot be a name without quotes. Source: PartiQL Specification, the keywords that the
// service's statements use.
bool is_keyword(const Token& token) {
  static constexpr std::string_view kKeywords[] = {
      "select",  "from",      "where",  "and",    "or",     "not", "in",  "between", "is",
      "missing", "null",      "true",   "false",  "order",  "by",  "set", "remove",  "insert",
      "into",    "returning", "update", "delete", "exists", "as",  "like"};
  return std::any_of(std::begin(kKeywords), std::end(kKeywords),
                     [&](auto word) { return token.is_word(word); });
}

}  // namespace

bool Parser::at_name() const {
  return token_.kind == TokenKind::quoted_name ||
         (token_.kind == TokenKind::word && !is_keyword(token_));
}

Result<std::string> Parser::take_name() {
  if (!at_name()) return fail(malformed("Expected identifier for simple path"));
  std::string name = token_.text;
  if (name.empty()) return fail(errors::validation("Path component cannot be an empty string"));
  VIRGA_TRY_VOID(advance());
  return name;
}

// name {. name | [number] | ['name']}
Result<DocumentPath> Parser::take_path() {
  DocumentPath path;
  VIRGA_TRY(head, take_name());
  path.push_back({std::move(head)});
  while (true) {
    VIRGA_TRY(dot, take("."));
    if (dot) {
      if (token_.is("*")) {
        return fail(errors::validation("Unpivot path component like a.*.b are not supported at " +
                                       token_.place()));
      }
      VIRGA_TRY(name, take_name());
      path.push_back({std::move(name)});
    } else if (token_.is("[")) {
      VIRGA_TRY_VOID(advance());
      PathStep step;
      if (token_.is("*")) {
        return fail(errors::validation("Wildcard path component like a[*].b are not supported at " +
                                       token_.place()));
      }
      if (token_.kind == TokenKind::string) {
        step.name = token_.text;
      } else if (token_.kind == TokenKind::number) {
        const auto index = parse_int(token_.text);
        if (!index || *index > INT32_MAX) {
          return fail(errors::validation("List index is not within the allowable range; index: [" +
                                         token_.text + "] at " + token_.place()));
        }
        step.index = *index;
      } else {
        return fail(malformed("Expected number for list index"));
      }
      VIRGA_TRY_VOID(advance());
      VIRGA_TRY_VOID(expect("]", "RIGHT_BRACKET"));
      path.push_back(std::move(step));
    } else {
      break;
    }
    if (path.size() > kPathDepthMax) {
      return fail(
          errors::validation("Document path has too many nesting elements; nesting levels: " +
                             std::to_string(path.size())));
    }
  }
  return path;
}

bool Parser::at_value() const {
  return token_.kind == TokenKind::string || token_.kind == TokenKind::number ||
         token_.kind == TokenKind::parameter || token_.is("[") || token_.is("{") ||
         token_.is("<<") || token_.is("-") || token_.is("+") || at_word("true") ||
         at_word("false") || at_word("null");
}

Operand Parser::value_operand(AttributeValue value) {
  Operand out;
  out.kind = Operand::Kind::value;
  out_.values.push_back(std::move(value));
  out.value = out_.values.back().view();
  return out;
}
Operand Parser::path_operand(DocumentPath path) {
  Operand out;
  out.kind = Operand::Kind::path;
  out.path = std::move(path);
  return out;
}

Result<AttributeValue> Parser::take_parameter() {
  if (used_parameters_ == parameters_.size()) {
    return fail(errors::validation("Number of parameters in request and statement don't match."));
  }
  const AttributeValue& value = parameters_[used_parameters_++];
  if (!value.problem().empty()) return fail(errors::validation(value.problem()));
  VIRGA_TRY_VOID(advance());
  return value;
}

// `depth`: of lists and maps around it.
Result<AttributeValue> Parser::take_value(int depth) {
  if (depth > kAttributeDepthMax) {
    return fail(errors::validation("Nesting Levels have exceeded supported limits"));
  }
  if (token_.kind == TokenKind::parameter) return take_parameter();
  if (token_.is("[")) return take_list(depth);
  if (token_.is("{")) {
    VIRGA_TRY(members, take_map(depth));
    return AttributeValue::map(members);
  }
  if (token_.is("<<")) return take_set();
  AttributeValue out;
  if (token_.kind == TokenKind::string) {
    out = AttributeValue::string(token_.text);
  } else if (at_word("true") || at_word("false")) {
    out = AttributeValue::boolean(at_word("true"));
  } else if (at_word("null")) {
    out = AttributeValue::null();
  } else {
    const bool negative = token_.is("-");
    if (negative || token_.is("+")) VIRGA_TRY_VOID(advance());
    if (token_.kind != TokenKind::number) return fail(malformed("Unexpected term"));
    out = AttributeValue::number((negative ? "-" : "") + token_.text);
    if (!out.problem().empty()) return fail(errors::validation(out.problem() + " under " + under_));
  }
  VIRGA_TRY_VOID(advance());
  return out;
}

Result<AttributeValue> Parser::take_list(int depth) {
  VIRGA_TRY_VOID(advance());
  std::vector<AttributeValue> elements;
  VIRGA_TRY(empty, take("]"));
  if (empty) return AttributeValue::list(elements);
  const std::string under = under_;
  while (true) {
    under_ = under + "[" + std::to_string(elements.size()) + "]";
    VIRGA_TRY(element, take_value(depth + 1));
    elements.push_back(std::move(element));
    VIRGA_TRY(more, take(","));
    if (more) continue;
    VIRGA_TRY_VOID(expect("]", "RIGHT_BRACKET"));
    under_ = under;
    return AttributeValue::list(elements);
  }
}

// {'name': value, …}
Result<Item> Parser::take_map(int depth, MapKind kind) {
  VIRGA_TRY_VOID(expect("{", "LEFT_CURLY"));
  Item out;
  std::vector<std::string> names;  // sorted, so that many members stay cheap
  VIRGA_TRY(empty, take("}"));
  if (empty) return out;
  const std::string under = under_;
  while (true) {
    const std::string place = token_.place();
    if (token_.kind != TokenKind::string && token_.kind != TokenKind::quoted_name) {
      return fail(malformed("Expected a string as the name of a member"));
    }
    std::string name = token_.text;
    VIRGA_TRY_VOID(advance());
    VIRGA_TRY_VOID(expect(":", "COLON"));
    if (kind == MapKind::value) under_ = under + "." + name;
    VIRGA_TRY(value, take_value(depth + 1));
    under_ = under;
    const auto at = std::lower_bound(names.begin(), names.end(), name);
    if (at != names.end() && *at == name) {
      return fail(errors::validation("Duplicate keys in tuple. Key: " + name + " under " + under +
                                     " at " + place));
    }
    names.insert(at, name);
    out.append(name, value);
    VIRGA_TRY(more, take(","));
    if (more) continue;
    VIRGA_TRY_VOID(expect("}", "RIGHT_CURLY"));
    return out;
  }
}

// <<value, …>>: strings, numbers or binaries (these as parameters), all of one type and different.
Result<AttributeValue> Parser::take_set() {
  const std::string begin = token_.place();
  VIRGA_TRY_VOID(advance());
  if (token_.is(">>")) return fail(errors::validation("Empty bags are not supported at " + begin));
  std::vector<std::string> members;
  std::optional<AttributeType> type;
  while (true) {
    const std::string place = token_.place();
    VIRGA_TRY(value, take_value(1));
    const AttributeType member = value.type();
    const bool scalar = member == AttributeType::string || member == AttributeType::number ||
                        member == AttributeType::binary;
    if (!scalar || (type && *type != member)) {
      // A set that begins with a number is told without the place.
      return fail(errors::validation(
          "Unsupported data type in Bag. DynamoDB only supports either numbers or strings in bags" +
          (type == AttributeType::number ? "" : " at " + place)));
    }
    type = member;
    members.emplace_back(value.view().payload());
    VIRGA_TRY(more, take(","));
    if (more) continue;
    VIRGA_TRY_VOID(expect(">>", "RIGHT_DOUBLE_ANGLE_BRACKET"));
    break;
  }
  std::vector<std::string> sorted = members;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) {
    return fail(errors::invalid_parameter("Input collection [" + join(members, ", ") +
                                          "] contains duplicates."));
  }
  return AttributeValue::set(*type == AttributeType::string   ? AttributeType::string_set
                             : *type == AttributeType::number ? AttributeType::number_set
                                                              : AttributeType::binary_set,
                             members);
}

}  // namespace virga::dynamodb::partiql
