#pragma once

#include <string_view>

namespace virga::aws {

// What a service says the value of a member must be, where it says that in words instead of showing
// the pattern; empty where it shows the pattern. Only IAM has such words.
std::string_view pattern_words(std::string_view service, std::string_view member,
                               std::string_view pattern);

}  // namespace virga::aws
