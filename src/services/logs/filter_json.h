#pragma once

#include <memory>
#include <string_view>

#include "services/logs/filter_pattern.h"

namespace virga::logs {

// `{ … }`: conditions on the members of JSON events. `text` with the braces.
Result<std::shared_ptr<const FilterPattern::Matcher>> parse_json_pattern(std::string_view text);
// `[ … ]`: conditions on the fields of space-delimited events. `text` with the brackets.
Result<std::shared_ptr<const FilterPattern::Matcher>> parse_fields_pattern(std::string_view text);

}  // namespace virga::logs
