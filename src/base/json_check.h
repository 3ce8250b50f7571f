#pragma once

#include <string_view>

#include "base/error.h"

namespace virga {

// Whether `text` is one JSON text, by the rules and with the errors of parse_json(), for those who
// pass the text itself on: nothing is built of it.
Result<void> check_json(std::string_view text);

}  // namespace virga
