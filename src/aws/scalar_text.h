#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aws/shape.h"
#include "base/time.h"

// Scalars as text: headers, query strings, labels, XML and query bodies.
namespace virga::aws {

// "1515531081.123", at most milliseconds, no trailing zeros.
std::string format_epoch(Timestamp t);
std::optional<Timestamp> epoch_to_timestamp(double seconds);
std::optional<Timestamp> parse_timestamp(std::string_view text,
                                         TimeFormat format);  // falls back on the other formats
std::string format_timestamp(Timestamp t, TimeFormat format);

// Whether values of this kind have a text form.
bool is_scalar(Kind kind);
// Sets `out` (a value of the type) from text; false when it is malformed. Blobs are base64.
bool parse_scalar(const TypeDesc& type, std::string_view text, TimeFormat default_format,
                  void* out);
void append_scalar(std::string& out, const TypeDesc& type, const void* value,
                   TimeFormat default_format);
// AWS's name of the type, for messages: "Integer".
std::string_view type_word(Kind kind);

}  // namespace virga::aws
