#include "aws/attribute_value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "aws/attribute_value_json.h"
#include "aws/attribute_value_number.h"

namespace virga {
namespace {

using testing::HasSubstr;

Result<Item> decode(std::string_view json) {
  return parse_item(json);
}

std::string encode(const Item& item) {
  std::string out;
  JsonWriter writer(out);
  write_json(writer, item);
  return out;
}

std::string problem_of(std::string_view json) {
  const auto item = decode(json);
  return item ? item->problem() : "refused: " + item.error().message;
}
std::string refusal_of(std::string_view json) {
  const auto item = decode(json);
  return item ? "accepted" : item.error().message;
}

TEST(AttributeValueJson, round_trips_every_type_in_its_order) {
  const std::string text =
      R"({"z":{"S":"té\"xt"},"a":{"N":"12.5"},"b":{"B":"AAEC"},"s":{"SS":["x","y"]},"n":{"NS":["1","2"]},)"
      R"("bs":{"BS":["AA=="]},"m":{"M":{"k":{"L":[{"BOOL":true},{"NULL":true},{"M":{}}]}}},"e":{"S":""}})";
  const auto item = decode(text);
  ASSERT_TRUE(item) << item.error().message;
  EXPECT_EQ(item->problem(), "");
  EXPECT_EQ(encode(*item), text);
  EXPECT_TRUE(is_well_formed_item(item->bytes()));
  EXPECT_EQ(item->find("a")->payload(), "12.5");
  EXPECT_EQ(item->size(), 8u);
}

TEST(AttributeValueJson, round_trips_long_nested_values) {
  const std::string text = R"({"m":{"M":{"s":{"S":")" + std::string(20000, 'x') +
                           R"("},"l":{"L":[{"S":")" + std::string(200, 'y') + R"("}]}}}})";
  const auto item = decode(text);
  ASSERT_TRUE(item);
  EXPECT_EQ(encode(*item), text);
  EXPECT_TRUE(is_well_formed_item(item->bytes()));
}

TEST(AttributeValueJson, normalises_numbers) {
  const auto item =
      decode(R"({"a":{"N":"+0010.50"},"b":{"N":"-0.0"},"c":{"N":"1E3"},"d":{"NS":["1.0","2e0"]}})");
  ASSERT_TRUE(item);
  EXPECT_EQ(encode(*item),
            R"({"a":{"N":"10.5"},"b":{"N":"0"},"c":{"N":"1000"},"d":{"NS":["1","2"]}})");
}

TEST(AttributeValueJson, the_later_of_two_equal_names_wins) {
  const auto item = decode(R"({"a":{"S":"1"},"b":{"S":"2"},"a":{"S":"three"}})");
  ASSERT_TRUE(item);
  EXPECT_EQ(encode(*item), R"({"a":{"S":"three"},"b":{"S":"2"}})");
}

TEST(AttributeValueJson, finds_a_repeated_name_among_many) {
  std::string text = "{";
  for (int i = 0; i < 100; ++i) text += "\"k" + std::to_string(i) + R"(":{"S":"v"},)";
  text += R"("k7":{"S":"w"}})";
  const auto item = decode(text);
  ASSERT_TRUE(item);
  EXPECT_EQ(item->size(), 100u);
  EXPECT_EQ(item->find("k7")->payload(), "w");
}

TEST(AttributeValueJson, keeps_the_services_words_for_values_without_a_meaning) {
  EXPECT_EQ(
      problem_of(R"({"a":{}})"),
      "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes");
  EXPECT_EQ(
      problem_of(R"({"a":{"X":"1"}})"),
      "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes");
  EXPECT_EQ(problem_of(R"({"a":{"S":"1","N":"1"}})"),
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of "
            "the supported "
            "datatypes");
  EXPECT_EQ(problem_of(R"({"a":{"N":"abc"}})"),
            "The parameter cannot be converted to a numeric value: abc");
  EXPECT_EQ(problem_of(R"({"a":{"N":""}})"),
            "The parameter cannot be converted to a numeric value");
  EXPECT_EQ(problem_of(R"({"a":{"S":"a","N":"b"}})"),
            "The parameter cannot be converted to a numeric value: b");
  EXPECT_EQ(problem_of(R"({"a":{"NS":[]}})"),
            "One or more parameter values were invalid: An number set  may not be empty");
  EXPECT_EQ(problem_of(R"({"a":{"SS":[]}})"),
            "One or more parameter values were invalid: An string set  may not be empty");
  EXPECT_EQ(problem_of(R"({"a":{"BS":[]}})"),
            "One or more parameter values were invalid: Binary sets should not be empty");
  EXPECT_EQ(
      problem_of(R"({"a":{"SS":["a","a"]}})"),
      "One or more parameter values were invalid: Input collection [a, a] contains duplicates.");
  EXPECT_EQ(problem_of(R"({"a":{"NS":["1","1.0"]}})"), "Input collection contains duplicates");
  EXPECT_EQ(problem_of(R"({"a":{"BS":["Yg==","Yg=="]}})"),
            "One or more parameter values were invalid: Input collection [Yg==, Yg==]of type BS "
            "contains duplicates.");
  EXPECT_EQ(problem_of(R"({"a":{"NULL":false}})"),
            "One or more parameter values were invalid: Null attribute value types must have the "
            "value of true");
  EXPECT_EQ(problem_of(R"({"a":{"L":[{"S":"x"},{"M":{"y":{"N":"-"}}}]}})"),
            "The parameter cannot be converted to a numeric value: -");
}

TEST(AttributeValueJson, refuses_the_wrong_json_form_at_once) {
  EXPECT_EQ(refusal_of(R"([])"),
            "Unrecognized collection type java.util.Map<java.lang.String, "
            "com.amazonaws.dynamodb.v20120810.AttributeValue>");
  EXPECT_EQ(refusal_of(R"({"a":"b"})"), "Unexpected value type in payload");
  EXPECT_EQ(refusal_of(R"({"a":[]})"),
            "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue");
  EXPECT_EQ(refusal_of(R"({"a":{"S":true}})"), "TRUE_VALUE cannot be converted to String");
  EXPECT_EQ(refusal_of(R"({"a":{"S":23}})"), "NUMBER_VALUE cannot be converted to String");
  EXPECT_EQ(refusal_of(R"({"a":{"N":1.5}})"), "DECIMAL_VALUE cannot be converted to String");
  EXPECT_EQ(refusal_of(R"({"a":{"S":{}}})"), "Start of structure or map found where not expected");
  EXPECT_EQ(refusal_of(R"({"a":{"B":"abc"}})"),
            "Base64 encoded length is expected a multiple of 4 bytes but found: 3");
  EXPECT_EQ(refusal_of(R"({"a":{"B":"abd="}})"), "Invalid last non-pad Base64 character dectected");
  EXPECT_EQ(refusal_of(R"({"a":{"B":1}})"),
            "only base-64-encoded strings are convertible to bytes");
  EXPECT_EQ(refusal_of(R"({"a":{"SS":"x"}})"), "Unexpected field type");
  EXPECT_EQ(refusal_of(R"({"a":{"BOOL":1}})"), "NUMBER_VALUE cannot be converted to Boolean");
  EXPECT_EQ(refusal_of(R"({"a":{"BOOL":"maybe"}})"), "Unexpected token received from parser");
  EXPECT_NE(refusal_of(R"({"a":{"S":"x")"), "accepted");
  EXPECT_NE(refusal_of("{\"a\":{\"S\":\"\\ud800\"}}"), "accepted");
}

TEST(AttributeValueJson, refuses_more_than_32_levels_without_recursing_further) {
  auto nested = [](int depth) {
    std::string text = R"({"a":)";
    for (int i = 0; i < depth; ++i) text += R"({"L":[)";
    text += R"({"S":"x"})";
    for (int i = 0; i < depth; ++i) text += "]}";
    return text + "}";
  };
  const std::string too_deep =
      "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels "
      "beyond supported limit";
  EXPECT_EQ(problem_of(nested(31)), "");
  EXPECT_EQ(problem_of(nested(32)), too_deep);
  EXPECT_EQ(problem_of(nested(400)), too_deep);
}

TEST(AttributeValue, sets_and_maps_are_equal_in_any_order) {
  const auto a = decode(R"({"s":{"SS":["x","y"]},"m":{"M":{"p":{"N":"1"},"q":{"S":"2"}}}})");
  const auto b = decode(R"({"m":{"M":{"q":{"S":"2"},"p":{"N":"1.0"}}},"s":{"SS":["y","x"]}})");
  EXPECT_EQ(*a, *b);
  const auto c = decode(R"({"m":{"M":{"q":{"S":"2"},"p":{"N":"2"}}},"s":{"SS":["y","x"]}})");
  EXPECT_FALSE(*a == *c);
  EXPECT_FALSE(AttributeValue::string("1") == AttributeValue::number(1));
}

TEST(AttributeValue, an_item_sets_and_erases_in_place) {
  Item item{{"a", AttributeValue::string("1")}, {"b", AttributeValue::number(2)}};
  item.set("a", AttributeValue::string(std::string(300, 'x')));
  item.set("c", *item.find("a"));
  EXPECT_EQ(item.find("c")->payload().size(), 300u);
  EXPECT_TRUE(item.erase("a"));
  EXPECT_FALSE(item.erase("a"));
  EXPECT_EQ(encode(item).substr(0, 15), R"({"b":{"N":"2"},)");
  EXPECT_TRUE(is_well_formed_item(item.bytes()));
}

TEST(AttributeValue, damaged_bytes_are_not_well_formed) {
  const Item good{{"a", AttributeValue::string("text")},
                  {"b", AttributeValue::list({AttributeValue::number(1), AttributeValue::null()})},
                  {"c", AttributeValue::set(AttributeType::string_set, {"p", "q"})}};
  ASSERT_TRUE(is_well_formed_item(good.bytes()));
  for (size_t cut = 1; cut < good.bytes().size(); ++cut) {
    const std::string part = good.bytes().substr(0, cut);
    if (is_well_formed_item(part)) {
      EXPECT_LT(ItemView(part).size(), 3u);  // a whole prefix of members
    }
  }
  std::string wrong = good.bytes();
  wrong[2] = 77;
  EXPECT_FALSE(is_well_formed_item(wrong));
}

std::string canonical(std::string_view text) {
  const auto number = Number::parse(text);
  return number ? number->text() : number.error();
}

TEST(Number, prints_the_canonical_text) {
  EXPECT_EQ(canonical("0"), "0");
  EXPECT_EQ(canonical("-0"), "0");
  EXPECT_EQ(canonical("0e999999999999"), "0");
  EXPECT_EQ(canonical("007"), "7");
  EXPECT_EQ(canonical("1.50"), "1.5");
  EXPECT_EQ(canonical(".5"), "0.5");
  EXPECT_EQ(canonical("5."), "5");
  EXPECT_EQ(canonical("-12.34e1"), "-123.4");
  EXPECT_EQ(canonical("1e-3"), "0.001");
  EXPECT_EQ(canonical("0.00012e2"), "0.012");
  EXPECT_EQ(canonical("12345678901234567890123456789012345678"),
            "12345678901234567890123456789012345678");
  EXPECT_EQ(canonical("0000012345678901234567890123456789012345678000"),
            "12345678901234567890123456789012345678000");
  EXPECT_EQ(canonical("1e125").size(), 126u);
  EXPECT_EQ(canonical("1e-130").size(), 132u);
}

TEST(Number, refuses_what_the_service_refuses) {
  EXPECT_EQ(canonical("123456789012345678901234567890123456789"),
            "Attempting to store more than 38 significant digits in a Number");
  EXPECT_EQ(
      canonical("1e126"),
      "Number overflow. Attempting to store a number with magnitude larger than supported range");
  EXPECT_EQ(
      canonical("-1e-131"),
      "Number underflow. Attempting to store a number with magnitude smaller than supported range");
  EXPECT_THAT(canonical("1e99999999999999999999999"), HasSubstr("overflow"));
  EXPECT_THAT(canonical("1" + std::string(100000, '0')), HasSubstr("overflow"));
  EXPECT_THAT(canonical(std::string(100000, '1')), HasSubstr("overflow"));
  for (const char* bad : {"", "-", ".", "1e", "1e+", "1.2.3", "0x10", " 1", "1 ", "1_0", "NaN",
                          "--1", "1e1.5", "e5"}) {
    EXPECT_THAT(canonical(bad), HasSubstr("cannot be converted to a numeric value")) << bad;
  }
}

std::string sum(std::string_view a, std::string_view b) {
  const auto out = Number::add(*Number::parse(a), *Number::parse(b));
  return out ? out->text() : out.error();
}

TEST(Number, adds_exactly) {
  EXPECT_EQ(sum("1", "2"), "3");
  EXPECT_EQ(sum("999", "1"), "1000");
  EXPECT_EQ(sum("0.1", "0.2"), "0.3");
  EXPECT_EQ(sum("1", "-1"), "0");
  EXPECT_EQ(sum("-5", "3"), "-2");
  EXPECT_EQ(sum("3", "-5"), "-2");
  EXPECT_EQ(sum("1000", "-0.001"), "999.999");
  EXPECT_EQ(sum("99999999999999999999999999999999999999", "1"),
            "100000000000000000000000000000000000000");
  EXPECT_THAT(sum("1e125", "1"), HasSubstr("38 significant digits"));
  EXPECT_THAT(sum("9e125", "1e125"), HasSubstr("overflow"));
  EXPECT_EQ(Number::subtract(*Number::parse("5"), *Number::parse("7.5"))->text(), "-2.5");
}

TEST(Number, keys_sort_as_the_numbers_do) {
  const std::vector<std::string> ordered = {
      "-9.9e125", "-1e125",  "-100", "-99.99", "-99.9", "-12", "-1.2", "-1",
      "-0.5",     "-1e-130", "0",    "1e-130", "0.05",  "0.5", "1",    "1.01",
      "1.1",      "9",       "10",   "10.1",   "11",    "99",  "100",  "9e125"};
  std::vector<std::string> keys;
  for (const auto& text : ordered) {
    std::string key;
    Number::parse(text)->append_key(key);
    keys.push_back(key);
  }
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
  for (size_t i = 0; i < ordered.size(); ++i) {
    for (size_t j = 0; j < ordered.size(); ++j) {
      const auto order = *Number::parse(ordered[i]) <=> *Number::parse(ordered[j]);
      EXPECT_EQ(order < 0, i < j) << ordered[i] << " " << ordered[j];
      EXPECT_EQ(keys[i] < keys[j], i < j) << ordered[i] << " " << ordered[j];
      if (i != j) {
        EXPECT_FALSE(keys[i].starts_with(keys[j]));
      }
    }
  }
}

TEST(Number, counts_storage_in_digit_pairs) {
  EXPECT_EQ(Number::parse("0")->storage_bytes(), 1);
  EXPECT_EQ(Number::parse("1")->storage_bytes(), 2);
  EXPECT_EQ(Number::parse("12")->storage_bytes(), 2);
  EXPECT_EQ(Number::parse("1.2")->storage_bytes(), 3);
  EXPECT_EQ(Number::parse("-12")->storage_bytes(), 3);
  EXPECT_EQ(Number::parse("12345678901234567890123456789012345678")->storage_bytes(), 20);
}

}  // namespace
}  // namespace virga
