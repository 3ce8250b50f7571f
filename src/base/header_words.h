#pragma once

#include <string>
#include <string_view>

// Text beyond ASCII in header fields. Source: RFC 2047, encoded words.
namespace virga {

// `text` is UTF-8. Printable ASCII stays as it is; anything else becomes encoded words of UTF-8, in
// "Q" when most of it is ASCII and in "B" otherwise.
std::string to_header_words(std::string_view text);

// The text, in UTF-8, of a field's bytes: its encoded words decoded (UTF-8, ISO-8859-1, US-ASCII),
// and all else taken as ISO-8859-1. Words that cannot be decoded stay as they are.
std::string from_header_words(std::string_view bytes);

}  // namespace virga
