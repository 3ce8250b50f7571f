#include "aws/scalar_text.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "base/json.h"
#include "base/strings.h"

namespace virga::aws {
namespace {

// Range of what civil dates can express (years 1 to 9999), in seconds.
constexpr double kSecondsMin = -62135596800.0;
constexpr double kSecondsMax = 253402300799.0;

std::optional<double> parse_real(std::string_view text) {
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity") return std::numeric_limits<double>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
  return parse_double(text);
}

void append_real(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value > 0 ? "Infinity" : "-Infinity";
  } else {
    append_json_double(out, value);
  }
}

template <class T>
bool put(void* out, std::optional<T> value) {
  if (value) *static_cast<T*>(out) = std::move(*value);
  return value.has_value();
}

}  // namespace

std::string format_epoch(Timestamp t) {
  std::string out = std::to_string(t.micros / 1'000'000);
  int64_t millis = (t.micros % 1'000'000) / 1000;
  if (t.micros < 0 && t.micros > -1'000'000) out = "-0";
  if (millis < 0) millis = -millis;
  if (!millis) return out == "-0" ? "0" : out;
  std::string fraction = std::to_string(1000 + millis).substr(1);
  while (fraction.back() == '0') fraction.pop_back();
  return out + "." + fraction;
}

std::optional<Timestamp> epoch_to_timestamp(double seconds) {
  if (!(seconds >= kSecondsMin && seconds <= kSecondsMax)) return std::nullopt;
  return Timestamp{std::llround(seconds * 1e6)};
}

std::optional<Timestamp> parse_timestamp(std::string_view text, TimeFormat format) {
  const auto number = parse_double(text);
  if (format == TimeFormat::epoch && number) return epoch_to_timestamp(*number);
  if (auto t = parse_iso8601(text)) return t;
  if (auto t = parse_http_date(text)) return t;
  if (number) return epoch_to_timestamp(*number);
  return std::nullopt;
}

std::string format_timestamp(Timestamp t, TimeFormat format) {
  if (format == TimeFormat::epoch) return format_epoch(t);
  if (format == TimeFormat::http_date) return format_http_date(t);
  return format_iso8601(t);
}

bool is_scalar(Kind kind) {
  return kind <= Kind::timestamp;
}

bool parse_scalar(const TypeDesc& type, std::string_view text, TimeFormat default_format,
                  void* out) {
  switch (type.kind) {
    case Kind::boolean:
      if (!iequals(text, "true") && !iequals(text, "false")) return false;
      *static_cast<bool*>(out) = iequals(text, "true");
      return true;
    case Kind::int32: {
      const auto value = parse_int(text);
      if (!value || *value < INT32_MIN || *value > INT32_MAX) return false;
      *static_cast<int32_t*>(out) = static_cast<int32_t>(*value);
      return true;
    }
    case Kind::int64:
      return put(out, parse_int(text));
    case Kind::real:
      return put(out, parse_real(text));
    case Kind::string:
      return put(out, std::optional(std::string(text)));
    case Kind::blob:
      return put(out, from_base64(text));
    case Kind::timestamp:
      return put(out,
                 parse_timestamp(text, type.time_format != TimeFormat::unset ? type.time_format
                                                                             : default_format));
    default:
      return false;
  }
}

void append_scalar(std::string& out, const TypeDesc& type, const void* value,
                   TimeFormat default_format) {
  switch (type.kind) {
    case Kind::boolean:
      out += *static_cast<const bool*>(value) ? "true" : "false";
      return;
    case Kind::int32:
      out += std::to_string(*static_cast<const int32_t*>(value));
      return;
    case Kind::int64:
      out += std::to_string(*static_cast<const int64_t*>(value));
      return;
    case Kind::real:
      return append_real(out, *static_cast<const double*>(value));
    case Kind::string:
      out += *static_cast<const std::string*>(value);
      return;
    case Kind::blob:
      return append_base64(out, *static_cast<const std::string*>(value));
    case Kind::timestamp:
      out += format_timestamp(
          *static_cast<const Timestamp*>(value),
          type.time_format != TimeFormat::unset ? type.time_format : default_format);
      return;
    default:
      return;
  }
}

std::string_view type_word(Kind kind) {
  switch (kind) {
    case Kind::boolean:
      return "Boolean";
    case Kind::int32:
      return "Integer";
    case Kind::int64:
      return "Long";
    case Kind::real:
      return "Double";
    case Kind::timestamp:
      return "Timestamp";
    case Kind::blob:
      return "ByteBuffer";
    case Kind::list:
      return "List";
    case Kind::map:
      return "Map";
    case Kind::structure:
      return "Structure";
    default:
      return "String";
  }
}

}  // namespace virga::aws
