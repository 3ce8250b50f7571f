#include "aws/pattern_words.h"

namespace virga::aws {

// Source: answers of IAM as users published them.
std::string_view pattern_words(std::string_view service, std::string_view member,
                               std::string_view pattern) {
  struct Row {
    std::string_view pattern;
    std::string_view words;
  };
  static constexpr Row kRows[] = {
      {R"([\w+=,.@-]+)",
       "It must contain only alphanumeric characters and/or the following: +=,.@_-"},
      {R"([\w]+)", "It must contain only alphanumeric characters."},
      {R"((\u002F)|(\u002F[\u0021-\u007E]+\u002F))",
       "It must begin and end with / and contain only alphanumeric characters and/or / "
       "characters."},
      {R"(((/[A-Za-z0-9\.,\+@=_-]+)*)/)",
       "It must begin and end with / and contain only alphanumeric characters and/or / "
       "characters."},
      {R"([\u0009\u000A\u000D\u0020-\u00FF]+)",
       "It must contain only printable ASCII characters."}};
  if (service != "iam") return {};
  if (member == "pathPrefix") {
    return "It must begin with the / character and contain only alphanumeric characters and/or / "
           "characters.";
  }
  for (const auto& row : kRows) {
    if (row.pattern == pattern) return row.words;
  }
  return {};
}

}  // namespace virga::aws
