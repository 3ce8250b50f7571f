#include "base/json_check.h"

#include <gtest/gtest.h>

#include <string>

#include "base/json.h"

namespace virga {
namespace {

std::string nested(int depth) {
  return std::string(static_cast<size_t>(depth), '[') +
         std::string(static_cast<size_t>(depth), ']');
}

TEST(CheckJson, says_of_every_text_what_parse_json_says) {
  const std::string long_text = "\"" + std::string(100'000, 'x') + "\"";
  const std::string texts[] = {"",
                               " ",
                               "{}",
                               " [1, 2.5e3, -0, \"x\\u00e9\", null, true] ",
                               "\xEF\xBB\xBF{}",
                               "{\"a\":}",
                               "{\"a\":1,}",
                               "{\"a\":1} {}",
                               "\"\xff\"",
                               "\"\\ud800\"",
                               "nul",
                               "01",
                               "18446744073709551616",
                               "1e400",
                               std::string("\"\0\"", 3),
                               nested(kJsonDepthMax - 1),
                               nested(kJsonDepthMax),
                               nested(kJsonDepthMax + 1),
                               long_text,
                               long_text + "x",
                               "{\"after\": \"the large ones\"}"};
  for (const std::string& text : texts) {
    const auto parsed = parse_json(text);
    const auto checked = check_json(text);
    EXPECT_EQ(parsed.has_value(), checked.has_value()) << text.substr(0, 40);
    if (!parsed && !checked) {
      EXPECT_EQ(parsed.error().code, checked.error().code);
      EXPECT_EQ(parsed.error().message, checked.error().message) << text.substr(0, 40);
    }
  }
}

}  // namespace
}  // namespace virga
