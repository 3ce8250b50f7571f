#include "services/logs/filter_pattern.h"

#include <gtest/gtest.h>

namespace virga::logs {
namespace {

struct Case {
  const char* pattern;
  const char* message;
  const char* want;  // "yes", "no" or "invalid"
};

std::string outcome(const Case& c) {
  const auto pattern = FilterPattern::parse(c.pattern);
  if (!pattern)
    return pattern.error().code == "InvalidParameterException" ? "invalid" : pattern.error().code;
  return pattern->matches(c.message) ? "yes" : "no";
}

TEST(FilterPattern, terms) {
  const Case cases[] = {
      {"", "anything", "yes"},
      {"ERROR", "[ERROR 400] BAD", "yes"},
      {"ERROR", "error", "no"},
      {"ERROR ARGUMENTS", "ERROR INVALID ARGUMENTS", "yes"},
      {"ERROR ARGUMENTS", "ERROR 401", "no"},
      {"\"INTERNAL SERVER ERROR\"", "[500] INTERNAL SERVER ERROR", "yes"},
      {"\"INTERNAL SERVER ERROR\"", "INTERNAL ERROR SERVER", "no"},
      {"?ERROR ?ARGUMENTS", "ARGUMENTS only", "yes"},
      {"?ERROR ?ARGUMENTS", "neither", "no"},
      {"ERROR -ARGUMENTS", "ERROR 400", "yes"},
      {"ERROR -ARGUMENTS", "ERROR ARGUMENTS", "no"},
      {"-\"Exiting now\"", "running", "yes"},
      {"\"say \\\"hi\\\"\"", "they say \"hi\" twice", "yes"},
      {"a.b", "x", "invalid"},
      {"\"open", "x", "invalid"},
      {"%AUTH(.*)%", "x", "invalid"},
      {"%AUTHORIZED%", "[ERROR 401] UNAUTHORIZED REQUEST", "yes"},
      {"%^AUTH% -%[Ff]ail%", "AUTH ok", "yes"},
      {"%^AUTH% -%[Ff]ail%", "AUTH fail", "no"},
      {"?%a$% ?b", "xa", "yes"},
      {"?%a$% ?b", "ax", "no"},
  };
  for (const Case& c : cases) EXPECT_EQ(outcome(c), c.want) << c.pattern << " on " << c.message;
}

TEST(FilterPattern, members_of_json_events) {
  const char* event =
      R"({"eventType":"UpdateTrail","sourceIPAddress":"111.111.111.111","arrayKey":["value","another value"],)"
      R"("objectList":[{"name":"a","id":1},{"name":"b","id":2}],"n":{"x":null,"ok":true,"latency":9.5},"odd key":1,"code":"404"})";
  const Case cases[] = {
      {"{ $.eventType = \"UpdateTrail\" }", event, "yes"},
      {"{ $.eventType = UpdateTrail }", event, "yes"},
      {"{$.eventType=\"UpdateTrail\"}", event, "yes"},
      {"{ $.eventType = \"Update*\" }", event, "yes"},
      {"{ $.eventType != \"Update*\" }", event, "no"},
      {"{ $.sourceIPAddress != 123.123.* }", event, "yes"},
      {"{ $.arrayKey[0] = \"value\" }", event, "yes"},
      {"{ $.arrayKey[1] = \"value\" }", event, "no"},
      {"{ $.arrayKey[*] = \"another value\" }", event, "yes"},
      {"{ $.objectList[1].id = 2 }", event, "yes"},
      {"{ $.objectList[*].name = \"b\" }", event, "yes"},
      {"{ $.n.latency >= 9.5 && $.n.latency < 10 }", event, "yes"},
      {"{ $.n.latency > 9.5 }", event, "no"},
      {"{ $.n.x IS NULL }", event, "yes"},
      {"{ $.n.y IS NULL }", event, "no"},
      {"{ $.n.y NOT EXISTS }", event, "yes"},
      {"{ $.n.x NOT EXISTS }", event, "no"},
      {"{ $.n.ok IS TRUE }", event, "yes"},
      {"{ $.n.ok IS FALSE }", event, "no"},
      {"{ $.['odd key'] = 1 }", event, "yes"},
      {"{ $.code = 404 }", event, "yes"},
      {"{ ($.n.ok IS FALSE || $.n.latency = 9.5) && $.eventType = \"UpdateTrail\" }", event, "yes"},
      {"{ $.n.ok IS FALSE || $.n.latency = 9.5 && $.eventType = \"x\" }", event, "no"},
      {"{ $.eventType = \"UpdateTrail\" }", "not json", "no"},
      {"{ $.eventType = \"UpdateTrail\" }", "{broken", "no"},
      {"{ $.eventType }", event, "invalid"},
      {"{ eventType = 1 }", event, "invalid"},
      {"{ $.eventType > \"a\" }", event, "invalid"},
      {"{ ($.a = 1 }", event, "invalid"},
      {"{ $.a = 1 ", event, "invalid"},
  };
  for (const Case& c : cases) EXPECT_EQ(outcome(c), c.want) << c.pattern;
}

TEST(FilterPattern, fields_between_spaces) {
  const char* event =
      R"(127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534)";
  const Case cases[] = {
      {"[ip, user, username, timestamp, request, status_code, bytes > 1000]", event, "yes"},
      {"[ip, user, username, timestamp, request, status_code, bytes > 2000]", event, "no"},
      {"[ip, user, username, timestamp, request =*.html*, status_code = 4*, bytes]", event, "yes"},
      {"[ip, user, username, timestamp, request = *.html*, status_code = 4*]", event, "no"},
      {"[..., status_code = 404, bytes]", event, "yes"},
      {"[ip = 127.*, ...]", event, "yes"},
      {"[ip, ..., bytes = 1534]", event, "yes"},
      {"[ip, user = Prod || user = Test, ...]", event, "yes"},
      {"[ip, user != Prod, ...]", event, "no"},
      {"[ip, user = \"frank\" && user != \"x\", ...]", event, "no"},
      {"[a, b", event, "invalid"},
      {"[..., ...]", event, "invalid"},
      {"[a = ]", event, "invalid"},
  };
  for (const Case& c : cases) EXPECT_EQ(outcome(c), c.want) << c.pattern;
}

TEST(FilterPattern, regular_expressions) {
  const Case cases[] = {
      {"%[hc]at%", "the hat", "yes"},
      {"%^[hc]at%", "the hat", "no"},
      {"%[hc]at$%", "the hat", "yes"},
      {"%[hc]at$%", "hats", "no"},
      {"%colou?r%", "a color", "yes"},
      {"%[abcx-z]%", "def y", "yes"},
      {"%[^a-z]%", "abc", "no"},
      {"%^a{3,5}$%", "aaaa", "yes"},
      {"%^a{3,5}$%", "aaaaaa", "no"},
      {"%^a{2,}b$%", "aaaab", "yes"},
      {"%^a{2}$%", "aaa", "no"},
      {"%[Ee]rror|[Ff]ail%", "a Fail", "yes"},
      {"%\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}%", "from 127.0.0.1 port", "yes"},
      {"%10\\.10\\.0\\.1%", "10.10.0x1", "no"},
      {"%\\x41\\w+\\s\\D%", "Abc -", "yes"},
      {"%ab*c%", "ac", "yes"},
      {"%ab+c%", "ac", "no"},
      {"%a.c%", "a\nc", "no"},
      {"%x*%", "", "yes"},
      {"%(a)%", "a", "invalid"},
      {"%something!%", "x", "invalid"},
      {"%a{2,1}%", "x", "invalid"},
      {"%a{5000}%", "x", "invalid"},
      {"%[z-a]%", "x", "invalid"},
      {"%[abc%", "x", "invalid"},
      {"%\\q%", "x", "invalid"},
      {"%a%%", "x", "invalid"},
      {"%%", "x", "invalid"},
      {"%a", "x", "invalid"},
      {"{ $.ip = %^10\\.% }", R"({"ip":"10.0.0.1"})", "yes"},
      {"{ $.ip = %^10\\.% }", R"({"ip":"110.0.0.1"})", "no"},
      {"{ $.ip != %^10\\.% && $.n = %4\\d\\d% }", R"({"ip":"1.0.0.1","n":404})", "yes"},
      {"{ $.n > %4% }", R"({"n":404})", "invalid"},
      {"[ip, user, status = %^4\\d{2}$%]", "1.1.1.1 bob 404", "yes"},
      {"[ip, user, status = %^4\\d{2}$%]", "1.1.1.1 bob 500", "no"},
  };
  for (const Case& c : cases) EXPECT_EQ(outcome(c), c.want) << c.pattern << " on " << c.message;
}

// A text that makes backtracking matchers slow.
TEST(FilterPattern, regular_expressions_take_linear_time) {
  const auto pattern = FilterPattern::parse("%a*a*a*a*a*a*a*a*a*a*b$%");
  ASSERT_TRUE(pattern);
  EXPECT_FALSE(pattern->matches(std::string(100'000, 'a')));
}

}  // namespace
}  // namespace virga::logs
