#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace virga {

// A point in civil time: microseconds since 1970-01-01T00:00:00Z. What the protocols call
// "timestamp".
struct Timestamp {
  int64_t micros = 0;

  static constexpr Timestamp from_seconds(int64_t s) { return {s * 1'000'000}; }
  static constexpr Timestamp from_millis(int64_t ms) { return {ms * 1000}; }
  constexpr int64_t seconds() const {
    return micros >= 0 ? micros / 1'000'000 : (micros - 999'999) / 1'000'000;
  }
  constexpr int64_t millis() const { return micros >= 0 ? micros / 1000 : (micros - 999) / 1000; }
  friend auto operator<=>(const Timestamp&, const Timestamp&) = default;
};

std::string format_iso8601(
    Timestamp t);  // 2026-03-01T12:00:00Z, with .123 when there are milliseconds
std::string format_iso8601_millis(Timestamp t);  // 2026-03-01T12:00:00.000Z
std::string format_iso8601_basic(Timestamp t);   // 20260301T120000Z (x-amz-date)
std::string format_http_date(Timestamp t);  // Sun, 01 Mar 2026 12:00:00 GMT (RFC 9110 IMF-fixdate)

std::optional<Timestamp> parse_iso8601(
    std::string_view text);  // RFC 3339, fraction and offset allowed
std::optional<Timestamp> parse_iso8601_basic(std::string_view text);  // 20260301T120000Z
std::optional<Timestamp> parse_http_date(std::string_view text);  // IMF-fixdate, fraction tolerated

// Broken-down UTC, for callers with formats of their own (log streams, API Gateway's request time).
struct CivilTime {
  int year, month, day, hour, minute, second, weekday /* 0 = Sunday */, micros;
};
CivilTime to_civil(Timestamp t);
Timestamp from_civil(int year, int month, int day, int hour, int minute, int second, int micros);

}  // namespace virga
