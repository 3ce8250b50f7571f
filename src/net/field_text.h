#pragma once

#include <string_view>

namespace virga::net {

// True when some byte is a control character: below 0x20 (a tab too) or DEL. Texts of header lines
// hardly ever have one, so this is asked first, and what exactly is wrong only then.
bool has_control_characters(std::string_view text);

}  // namespace virga::net
