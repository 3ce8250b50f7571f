#include "services/dynamodb/expression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "services/dynamodb/expression_evaluator.h"
#include "services/dynamodb/item_size.h"
#include "services/dynamodb/test_values.h"

namespace virga::dynamodb {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// Placeholders over values that live as long as the test.
struct Given {
  std::vector<std::pair<std::string, std::string>> names;
  std::vector<std::pair<std::string, AttributeValue>> values;
  Placeholders placeholders() const {
    Placeholders p;
    for (const auto& [key, name] : names) p.add_name(key, name);
    for (const auto& [key, value] : values) p.add_value(key, value);
    return p;
  }
};

AttributeValue S(std::string_view text) {
  return AttributeValue::string(text);
}
AttributeValue N(std::string_view text) {
  return AttributeValue::number(text);
}

std::string condition_error(std::string_view text, const Given& given = {}) {
  Placeholders p = given.placeholders();
  const auto parsed = parse_condition(text, p);
  return parsed ? "" : parsed.error();
}
bool holds(std::string_view text, const Item& item, const Given& given = {}) {
  Placeholders p = given.placeholders();
  const auto parsed = parse_condition(text, p);
  EXPECT_TRUE(parsed) << text << ": " << (parsed ? "" : parsed.error());
  return parsed && matches(parsed->condition, item);
}

TEST(ConditionParser, accepts_the_whole_grammar) {
  const Given given{{{"#n", "name"}}, {{":a", S("a")}, {":b", S("b")}, {":n", N("1")}}};
  for (const char* text : {"a = :a",
                           "a<>:a",
                           "a < b",
                           "(a) = (b)",
                           "NOT a = :a",
                           "not (a = :a)",
                           "NOT NOT a = :a",
                           "a = :a AND b = :b OR c = :a",
                           "(a = :a or b = :b) and c = :a",
                           "#n.b[0].c = :a",
                           "a BETWEEN :a AND :b AND c = :a",
                           "a IN (:a, :b, c)",
                           "attribute_exists(a.b)",
                           "attribute_not_exists (a)",
                           "begins_with(a, :a)",
                           "contains(a, :a)",
                           "size(a) > :n",
                           "size(a) BETWEEN :n AND :n",
                           "size(a) IN (:n)",
                           "a = size(b)",
                           ":a = a"}) {
    EXPECT_EQ(condition_error(text, given), "") << text;
  }
}

TEST(ConditionParser, shows_the_wrong_token_and_its_neighbours) {
  EXPECT_EQ(condition_error("a = "), "Syntax error; token: \"<EOF>\", near: \"=\"");
  EXPECT_EQ(condition_error("user-id = :a"), "Syntax error; token: \"-\", near: \"user-id\"");
  EXPECT_EQ(condition_error("a = :a b"), "Syntax error; token: \"b\", near: \":a b\"");
  EXPECT_EQ(condition_error("a[:i] = :a"), "Syntax error; token: \":i\", near: \"[:i]\"");
  EXPECT_EQ(condition_error(""), "The expression can not be empty;");
  for (const char* text : {"a", "(a", "a AND", "a = = b", "AND", "a BETWEEN :a", "a IN :a",
                           "a IN ()", "a..b = :a", "a[b] = :a", "a[-1] = :a", "f(", "a = (b AND c)",
                           "(a = :a) = b", "# = :a", "a = \xc3\xa9"}) {
    EXPECT_THAT(condition_error(text), StartsWith("Syntax error; ")) << text;
  }
}

TEST(ConditionParser, reports_in_the_services_words) {
  const Given given{
      {{"#n", "name"}},
      {{":s", S("a")}, {":n", N("1")}, {":t", S("z")}, {":b", AttributeValue::boolean(true)}}};
  EXPECT_EQ(condition_error("name = :s", given),
            "Attribute name is a reserved keyword; reserved keyword: name");
  EXPECT_EQ(condition_error("((a = :s))", given), "The expression has redundant parentheses;");
  EXPECT_EQ(condition_error("foo(a)", given), "Invalid function name; function: foo");
  EXPECT_EQ(condition_error("size(a)", given),
            "The function is not allowed to be used this way in an expression; function: size");
  EXPECT_EQ(condition_error("attribute_exists(a) = :s", given),
            "The function is not allowed to be used this way in an expression; function: "
            "attribute_exists");
  EXPECT_EQ(
      condition_error("#x = :s", given),
      "An expression attribute name used in the document path is not defined; attribute name: #x");
  EXPECT_EQ(condition_error("a = :x", given),
            "An expression attribute value used in expression is not defined; attribute value: :x");
  EXPECT_EQ(condition_error("begins_with(a)", given),
            "Incorrect number of operands for operator or function; operator or function: "
            "begins_with, number of "
            "operands: 1");
  EXPECT_EQ(condition_error("begins_with(a, :n)", given),
            "Incorrect operand type for operator or function; operator or function: begins_with, "
            "operand type: N");
  EXPECT_EQ(condition_error("a < :b", given),
            "Incorrect operand type for operator or function; operator or function: <, operand "
            "type: BOOL");
  EXPECT_EQ(condition_error("size(:n) = :n", given),
            "Incorrect operand type for operator or function; operator or function: size, operand "
            "type: N");
  EXPECT_EQ(
      condition_error("attribute_exists(:s)", given),
      "Operator or function requires a document path; operator or function: attribute_exists");
  EXPECT_EQ(
      condition_error("attribute_type(a, :s)", given),
      "Invalid attribute type name found; type: a, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}");
  EXPECT_EQ(condition_error("a = a", given),
            "The first operand must be distinct from the remaining operands for this operator or "
            "function; operator: "
            "=, first operand: [a]");
  EXPECT_EQ(condition_error("a BETWEEN :t AND :s", given),
            "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "
            "lower bound "
            "operand: AttributeValue: {S:z}, upper bound operand: AttributeValue: {S:a}");
  EXPECT_THAT(
      condition_error("a BETWEEN :n AND :s", given),
      StartsWith("The BETWEEN operator requires same data type for lower and upper bounds; "));
}

TEST(ConditionParser, the_order_of_findings_is_the_services) {
  // Parentheses before functions, functions before reserved words, those before what is undefined.
  EXPECT_EQ(condition_error("((foo(name) AND a = :x))"),
            "The expression has redundant parentheses;");
  EXPECT_EQ(condition_error("foo(name) AND a = :x"), "Invalid function name; function: foo");
  EXPECT_THAT(condition_error("a = :x AND name = :y"), HasSubstr("reserved keyword: name"));
  EXPECT_THAT(condition_error("a = :x AND b = #y"), HasSubstr("attribute value: :x"));
}

TEST(ConditionParser, keeps_its_limits_on_hostile_texts) {
  const Given given{{}, {{":a", S("a")}}};
  EXPECT_THAT(condition_error(std::string(5000, 'a'), given),
              StartsWith("Expression size has exceeded"));
  EXPECT_NE(condition_error(std::string(4000, '('), given), "");
  std::string nots;
  for (int i = 0; i < 900; ++i) nots += "NOT ";
  EXPECT_THAT(condition_error(nots + "a = :a", given), HasSubstr("too many operators"));
  std::string in = "a IN (:a";
  for (int i = 0; i < 100; ++i) in += ",:a";
  EXPECT_EQ(condition_error(in + ")", given),
            "The IN operator is provided with too many operands; number of operands: 101");
  std::string path = "a";
  for (int i = 0; i < 32; ++i) path += ".b";
  EXPECT_EQ(condition_error(path + " = :a", given),
            "The document path has too many nesting elements; nesting levels: 33");
}

TEST(Placeholders, names_what_is_unused) {
  const Given given{{{"#a", "x"}, {"#b", "y"}}, {{":v", S("1")}}};
  Placeholders p = given.placeholders();
  ASSERT_TRUE(parse_condition("#a = z", p));
  EXPECT_EQ(p.unused(),
            "Value provided in ExpressionAttributeNames unused in expressions: keys: {#b}");
  ASSERT_TRUE(parse_condition("#b = z", p));
  EXPECT_EQ(p.unused(),
            "Value provided in ExpressionAttributeValues unused in expressions: keys: {:v}");
  ASSERT_TRUE(parse_condition("#b = :v", p));
  EXPECT_EQ(p.unused(), "");
}

TEST(Matches, compares_by_type_and_order) {
  const Item item =
      test_item(R"({"s":{"S":"hello"},"n":{"N":"10"},"b":{"B":"AQI="},"ss":{"SS":["a","b"]},
    "l":{"L":[{"N":"1"},{"S":"x"}]},"m":{"M":{"k":{"S":"v"}}},"t":{"BOOL":true},"z":{"NULL":true}})");
  const Given given{{},
                    {{":h", S("hello")},
                     {":he", S("he")},
                     {":9", N("9")},
                     {":10", N("10.0")},
                     {":s9", S("9")},
                     {":a", S("a")},
                     {":1", N("1")},
                     {":2", N("2")},
                     {":5", N("5")},
                     {":M", S("M")},
                     {":v", S("v")}}};
  EXPECT_TRUE(holds("s = :h", item, given));
  EXPECT_TRUE(holds("n = :10", item, given));
  EXPECT_TRUE(holds("n > :9", item, given));
  EXPECT_FALSE(holds("n > :s9", item, given));
  EXPECT_TRUE(holds("n <> :s9", item, given));
  EXPECT_FALSE(holds("absent = :h", item, given));
  EXPECT_TRUE(holds("absent <> :h", item, given));
  EXPECT_FALSE(holds("absent < :h OR absent >= :h", item, given));
  EXPECT_FALSE(holds("absent = gone", item, given));
  EXPECT_TRUE(holds("begins_with(s, :he) AND contains(s, :he)", item, given));
  EXPECT_TRUE(holds("contains(ss, :a) AND contains(l, :1) AND NOT contains(l, :2)", item, given));
  EXPECT_TRUE(
      holds("size(s) = :5 AND size(ss) = :2 AND size(b) = :2 AND size(l) = :2 AND size(m) = :1",
            item, given));
  EXPECT_FALSE(holds("size(n) = :2", item, given));
  EXPECT_TRUE(holds("attribute_type(m, :M) AND m.k = :v AND l[1] <> :h", item, given));
  EXPECT_TRUE(
      holds("attribute_exists(l[1]) AND attribute_not_exists(l[2]) AND attribute_not_exists(m[0])",
            item, given));
  EXPECT_TRUE(holds("n BETWEEN :9 AND :10 AND n IN (:2, :10)", item, given));
  EXPECT_TRUE(holds("NOT n IN (:2) AND (s = :he OR t = t2 OR n = :10)", item, given));
}

std::string updated(std::string_view text, const Item& item, const Given& given = {}) {
  Placeholders p = given.placeholders();
  const auto parsed = parse_update(text, p);
  if (!parsed) return "invalid: " + parsed.error();
  const auto out = apply_update(parsed->actions, item);
  if (!out) return "refused: " + out.error();
  EXPECT_TRUE(is_well_formed_item(out->bytes()));
  return test_json(*out);
}

TEST(ApplyUpdate, sets_removes_adds_and_deletes) {
  const Item item = test_item(
      R"({"id":{"S":"1"},"n":{"N":"5"},"l":{"L":[{"N":"0"},{"N":"1"},{"N":"2"}]},"m":{"M":{"a":{"S":"x"}}},"ss":{"SS":["a","b"]}})");
  const Given given{{{"#n", "name"}},
                    {{":1", N("1")},
                     {":x", S("x")},
                     {":l", AttributeValue::list({N("9")})},
                     {":ss", AttributeValue::set(AttributeType::string_set, {"b", "c"})},
                     {":all", AttributeValue::set(AttributeType::string_set, {"a", "b"})}}};
  EXPECT_EQ(
      updated("SET #n = :x", item, given),
      R"({"id":{"S":"1"},"n":{"N":"5"},"l":{"L":[{"N":"0"},{"N":"1"},{"N":"2"}]},"m":{"M":{"a":{"S":"x"}}},"ss":{"SS":["a","b"]},"name":{"S":"x"}})");
  EXPECT_THAT(updated("SET n = n + :1", item, given), HasSubstr(R"("n":{"N":"6"})"));
  EXPECT_THAT(updated("SET n = :1 - n", item, given), HasSubstr(R"("n":{"N":"-4"})"));
  EXPECT_THAT(updated("SET z = if_not_exists(z, :1) + :1", item, given),
              HasSubstr(R"("z":{"N":"2"})"));
  EXPECT_THAT(updated("SET l = list_append(:l, l)", item, given),
              HasSubstr(R"("l":{"L":[{"N":"9"},{"N":"0"})"));
  EXPECT_THAT(updated("SET l[1] = :x, l[9] = :1, l[7] = :x", item, given),
              HasSubstr(R"("l":{"L":[{"N":"0"},{"S":"x"},{"N":"2"},{"S":"x"},{"N":"1"}]})"));
  EXPECT_THAT(updated("REMOVE l[0], l[1]", item, given), HasSubstr(R"("l":{"L":[{"N":"2"}]})"));
  EXPECT_THAT(updated("SET m.b = :1 REMOVE m.a", item, given),
              HasSubstr(R"("m":{"M":{"b":{"N":"1"}}})"));
  EXPECT_THAT(updated("ADD n :1, ss :ss, fresh :1", item, given),
              HasSubstr(R"("ss":{"SS":["a","b","c"]},"fresh":{"N":"1"})"));
  EXPECT_THAT(updated("DELETE ss :ss", item, given), HasSubstr(R"("ss":{"SS":["a"]})"));
  EXPECT_THAT(updated("DELETE ss :all", item, given), testing::Not(HasSubstr("ss")));
  EXPECT_THAT(updated("SET a = n, n = :1", item, given), HasSubstr(R"("n":{"N":"1"})"));
  EXPECT_THAT(updated("SET a = n, n = :1", item, given), HasSubstr(R"("a":{"N":"5"})"));
}

TEST(ApplyUpdate, refuses_in_the_services_words) {
  const Item item = test_item(R"({"id":{"S":"1"},"n":{"N":"5"},"s":{"S":"t"}})");
  const Given given{{},
                    {{":1", N("1")},
                     {":x", S("x")},
                     {":l", AttributeValue::list({})},
                     {":ss", AttributeValue::set(AttributeType::string_set, {"b"})}}};
  const std::string bad_path =
      "refused: The document path provided in the update expression is invalid for update";
  const std::string wrong_type =
      "refused: An operand in the update expression has an incorrect data type";
  EXPECT_EQ(updated("SET a.b = :1", item, given), bad_path);
  EXPECT_EQ(updated("SET s[0] = :1", item, given), bad_path);
  EXPECT_EQ(updated("REMOVE a.b", item, given), bad_path);
  EXPECT_EQ(updated("SET n = s + :1", item, given), wrong_type);
  EXPECT_EQ(updated("SET n = list_append(s, :l)", item, given), wrong_type);
  EXPECT_EQ(updated("ADD s :1", item, given), wrong_type);
  EXPECT_EQ(updated("DELETE n :ss", item, given), wrong_type);
  EXPECT_EQ(
      updated("SET n = gone", item, given),
      "refused: The provided expression refers to an attribute that does not exist in the item");
  EXPECT_EQ(updated("SET a = :1, a = :x", item, given),
            "invalid: Two document paths overlap with each other; must remove or rewrite one of "
            "these paths; path "
            "one: [a], path two: [a]");
  EXPECT_THAT(updated("SET a.b = :1, a[0] = :x", item, given),
              StartsWith("invalid: Two document paths conflict"));
  EXPECT_EQ(updated("SET a = :1 SET b = :1", item, given),
            "invalid: The \"SET\" section can only be used once in an update expression;");
  EXPECT_EQ(updated("ADD a :x", item, given),
            "invalid: Incorrect operand type for operator or function; operator: ADD, operand "
            "type: STRING");
  EXPECT_EQ(updated("SET a = foo(:x)", item, given),
            "invalid: Invalid function name; function: foo");
  EXPECT_EQ(updated("SET a = :1 + :x", item, given),
            "invalid: Incorrect operand type for operator or function; operator or function: +, "
            "operand type: S");
  EXPECT_EQ(updated("SET a = if_not_exists(:1, :x)", item, given),
            "invalid: Operator or function requires a document path; operator or function: "
            "if_not_exists");
  EXPECT_THAT(updated("UPDATE a = :1", item, given),
              StartsWith("invalid: Syntax error; token: \"UPDATE\""));
  EXPECT_THAT(updated("SET a = :1 + :1 + :1", item, given),
              StartsWith("invalid: Syntax error; token: \"+\""));
  EXPECT_THAT(updated("ADD a b", item, given), StartsWith("invalid: Syntax error"));
}

std::string projected(std::string_view text, const Item& item) {
  Placeholders p;
  const auto parsed = parse_projection(text, p);
  return parsed ? test_json(project(parsed->paths, item)) : "invalid: " + parsed.error();
}

TEST(Project, keeps_the_named_parts) {
  const Item item = test_item(
      R"({"a":{"S":"1"},"l":{"L":[{"N":"0"},{"N":"1"},{"M":{"x":{"N":"2"},"y":{"N":"3"}}}]},"m":{"M":{"p":{"S":"q"},"r":{"S":"s"}}}})");
  EXPECT_EQ(projected("m.p, a", item), R"({"a":{"S":"1"},"m":{"M":{"p":{"S":"q"}}}})");
  EXPECT_EQ(projected("l[2].y, l[0]", item), R"({"l":{"L":[{"N":"0"},{"M":{"y":{"N":"3"}}}]}})");
  EXPECT_EQ(projected("m.zz, l[7], b.c, a.b", item), "{}");
  EXPECT_THAT(projected("a, a.b", item), StartsWith("invalid: Two document paths overlap"));
  EXPECT_THAT(projected("a b", item), StartsWith("invalid: Syntax error; token: \"b\""));
  EXPECT_THAT(projected("a,", item), StartsWith("invalid: Syntax error; token: \"<EOF>\""));
}

TEST(ItemSize, follows_the_guide) {
  EXPECT_EQ(item_bytes(test_item(R"({"id":{"S":"abc"}})")), 5u);
  EXPECT_EQ(item_bytes(test_item("{\"\xc3\xa9\":{\"S\":\"\xc3\xa9\"}}")), 4u);
  EXPECT_EQ(item_bytes(test_item(R"({"n":{"N":"12"},"b":{"BOOL":true},"z":{"NULL":true}})")),
            3u + 2 + 1 + 1);
  EXPECT_EQ(item_bytes(test_item(R"({"l":{"L":[{"S":"ab"}]},"m":{"M":{"k":{"S":"v"}}}})")),
            2u + 3 + 1 + 2 + 3 + 1 + 2);
  EXPECT_EQ(read_half_units(4096, true), 2);
  EXPECT_EQ(read_half_units(4097, false), 2);
  EXPECT_EQ(read_half_units(0, false), 1);
  EXPECT_EQ(write_units(1025), 2);
}

}  // namespace
}  // namespace virga::dynamodb
