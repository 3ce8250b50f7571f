#include "services/apigatewayv2/route_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace virga::apigatewayv2 {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

struct Routes {
  std::vector<std::string> keys;
  RouteTable table;
  PathParameters parameters;

  explicit Routes(std::vector<std::string> list) : keys(std::move(list)) {
    for (size_t i = 0; i < keys.size(); ++i)
      table.add(*RouteKey::parse(keys[i]), static_cast<int>(i));
  }
  std::string match(std::string_view method, std::string_view path) {
    parameters.clear();
    const int index = table.match(method, path, &parameters);
    return index == RouteTable::kNone ? "none" : keys[static_cast<size_t>(index)];
  }
};

// The routes and requests of the Developer Guide's own example.
TEST(RouteTable, selects_as_the_developer_guide_shows) {
  Routes r(
      {"GET /pets/dog/1", "GET /pets/dog/{id}", "GET /pets/{proxy+}", "ANY /{proxy+}", "$default"});
  EXPECT_EQ(r.match("GET", "/pets/dog/1"), "GET /pets/dog/1");
  EXPECT_EQ(r.match("GET", "/pets/dog/2"), "GET /pets/dog/{id}");
  EXPECT_THAT(r.parameters, ElementsAre(Pair("id", "2")));
  EXPECT_EQ(r.match("GET", "/pets/cat/1"), "GET /pets/{proxy+}");
  EXPECT_THAT(r.parameters, ElementsAre(Pair("proxy", "cat/1")));
  EXPECT_EQ(r.match("POST", "/test/5"), "ANY /{proxy+}");
  EXPECT_THAT(r.parameters, ElementsAre(Pair("proxy", "test/5")));
  EXPECT_EQ(r.match("GET", "/"), "$default");
  EXPECT_THAT(r.parameters, IsEmpty());
}

TEST(RouteTable, prefers_the_method_over_any_at_the_same_path) {
  Routes r({"ANY /pets", "GET /pets"});
  EXPECT_EQ(r.match("GET", "/pets"), "GET /pets");
  EXPECT_EQ(r.match("PATCH", "/pets"), "ANY /pets");
}

TEST(RouteTable, prefers_a_full_match_by_any_over_a_greedy_match_by_method) {
  Routes r({"ANY /pets/dog", "GET /pets/{proxy+}"});
  EXPECT_EQ(r.match("GET", "/pets/dog"), "ANY /pets/dog");
  EXPECT_EQ(r.match("GET", "/pets/cat"), "GET /pets/{proxy+}");
}

TEST(RouteTable, goes_on_to_less_specific_routes_when_the_method_does_not_fit) {
  Routes r({"GET /pets/dog", "POST /pets/{kind}", "DELETE /pets/{proxy+}", "ANY /{proxy+}"});
  EXPECT_EQ(r.match("POST", "/pets/dog"), "POST /pets/{kind}");
  EXPECT_EQ(r.match("DELETE", "/pets/dog"), "DELETE /pets/{proxy+}");
  EXPECT_EQ(r.match("PUT", "/pets/dog"), "ANY /{proxy+}");
  EXPECT_THAT(r.parameters, ElementsAre(Pair("proxy", "pets/dog")));
}

TEST(RouteTable, backtracks_out_of_a_literal_that_leads_nowhere) {
  Routes r({"GET /a/b/c", "GET /{x}/b/d"});
  EXPECT_EQ(r.match("GET", "/a/b/d"), "GET /{x}/b/d");
  EXPECT_THAT(r.parameters, ElementsAre(Pair("x", "a")));
}

TEST(RouteTable, prefers_the_longer_greedy_prefix) {
  Routes r({"ANY /{proxy+}", "ANY /a/{rest+}", "ANY /a/{b}/{deep+}"});
  EXPECT_EQ(r.match("GET", "/a/x/y/z"), "ANY /a/{b}/{deep+}");
  EXPECT_THAT(r.parameters, ElementsAre(Pair("b", "x"), Pair("deep", "y/z")));
  EXPECT_EQ(r.match("GET", "/a/x"), "ANY /a/{rest+}");
  EXPECT_EQ(r.match("GET", "/b"), "ANY /{proxy+}");
}

TEST(RouteTable, does_not_match_an_empty_variable) {
  Routes r({"GET /pets/{id}", "GET /all/{proxy+}"});
  EXPECT_EQ(r.match("GET", "/pets/"), "none");
  EXPECT_EQ(r.match("GET", "/all/"), "none");
  EXPECT_EQ(r.match("GET", "/all"), "none");
  EXPECT_EQ(r.match("GET", "/pets"), "none");
}

TEST(RouteTable, tells_a_trailing_slash_from_none) {
  Routes r({"GET /pets", "GET /"});
  EXPECT_EQ(r.match("GET", "/pets/"), "none");
  EXPECT_EQ(r.match("GET", "/"), "GET /");
}

TEST(RouteTable, decodes_variables_and_compares_literals_decoded) {
  Routes r({"GET /caf\xC3\xA9/{name}", "GET /files/{path+}"});
  EXPECT_EQ(r.match("GET", "/caf%C3%A9/a%20b%2Fc"), "GET /caf\xC3\xA9/{name}");
  EXPECT_THAT(r.parameters, ElementsAre(Pair("name", "a b/c")));
  EXPECT_EQ(r.match("GET", "/files/x%20y/z"), "GET /files/{path+}");
  EXPECT_THAT(r.parameters, ElementsAre(Pair("path", "x y/z")));
  EXPECT_EQ(r.match("GET", "/files/50%"), "GET /files/{path+}");
  EXPECT_THAT(r.parameters, ElementsAre(Pair("path", "50%")));
}

TEST(RouteTable, keeps_variable_names_of_each_route) {
  Routes r({"GET /pets/{id}", "POST /pets/{petId}"});
  r.match("POST", "/pets/7");
  EXPECT_THAT(r.parameters, ElementsAre(Pair("petId", "7")));
  r.match("GET", "/pets/7");
  EXPECT_THAT(r.parameters, ElementsAre(Pair("id", "7")));
}

TEST(RouteKey, accepts_methods_variables_and_default) {
  EXPECT_TRUE(RouteKey::parse("$default")->is_default);
  const auto key = RouteKey::parse("GET /a/{b}/{c+}");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->method, "GET");
  EXPECT_EQ(key->path, "/a/{b}/{c+}");
  EXPECT_EQ(key->segments.back().kind, RouteSegment::Kind::greedy);
}

TEST(RouteKey, refuses_what_is_no_route_key_with_the_services_text) {
  for (const char* bad : {"", "GET", "/pets", "get /pets", "FETCH /pets", "GET pets", "GET  /pets",
                          "GET /{a+}/b", "GET /{}", "GET /{a}x", "GET /x{a}", "GET /{a}/{a}",
                          "GET /a b", "GET /a?b", "$disconnect"}) {
    const auto got = RouteKey::parse(bad);
    ASSERT_FALSE(got) << bad;
    EXPECT_EQ(got.error().code, "BadRequestException") << bad;
    EXPECT_THAT(got.error().message,
                ::testing::HasSubstr("not formatted properly for HTTP protocol"));
  }
}

}  // namespace
}  // namespace virga::apigatewayv2
