#include "base/time.h"

#include <cstdio>

#include "base/strings.h"

namespace virga {
namespace {

constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// Days since 1970-01-01 of a date in the proleptic Gregorian calendar.
int64_t days_from_civil(int64_t y, int m, int d) {
  y -= m <= 2;
  const int64_t era = (y >= 0 ? y : y - 399) / 400;
  const int64_t yoe = y - era * 400;
  const int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
  const int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
  return era * 146097 + doe - 719468;
}

// Reads exactly `digits` decimal digits at `*pos`.
bool take_number(std::string_view text, size_t& pos, int digits, int& out) {
  if (pos + static_cast<size_t>(digits) > text.size()) return false;
  out = 0;
  for (int i = 0; i < digits; ++i) {
    const char c = text[pos++];
    if (c < '0' || c > '9') return false;
    out = out * 10 + (c - '0');
  }
  return true;
}
bool take(std::string_view text, size_t& pos, char c) {
  if (pos >= text.size() || text[pos] != c) return false;
  ++pos;
  return true;
}
bool take_fraction(std::string_view text, size_t& pos, int& micros) {
  micros = 0;
  if (!take(text, pos, '.')) return true;
  int scale = 100000;
  const size_t begin = pos;
  while (pos < text.size() && text[pos] >= '0' && text[pos] <= '9') {
    micros += (text[pos++] - '0') * scale;
    scale /= 10;
  }
  return pos > begin;
}
bool in_range(int month, int day, int hour, int minute, int second) {
  return month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour <= 23 && minute <= 59 &&
         second <= 60;
}

// Decimal, with leading zeros, a text at a time: printf costs ten times as much, and a page of a
// listing has a thousand dates.
class DateText {
 public:
  DateText& number(int value, int digits) {
    for (int i = digits; i > 0; --i, value /= 10)
      text_[at_ + i - 1] = static_cast<char>('0' + value % 10);
    at_ += digits;
    return *this;
  }
  DateText& put(char c) {
    text_[at_++] = c;
    return *this;
  }
  DateText& text(std::string_view part) {
    for (const char c : part) put(c);
    return *this;
  }
  std::string take() const { return std::string(text_, static_cast<size_t>(at_)); }

 private:
  char text_[40];
  int at_ = 0;
};

DateText date_and_time(const CivilTime& c) {
  DateText text;
  text.number(c.year, 4).put('-').number(c.month, 2).put('-').number(c.day, 2).put('T');
  text.number(c.hour, 2).put(':').number(c.minute, 2).put(':').number(c.second, 2);
  return text;
}

bool has_four_digits(int year) {
  return year >= 0 && year <= 9999;
}

template <class... A>
std::string formatted(const char* format, A... args) {
  char buffer[64];
  const int n = std::snprintf(buffer, sizeof buffer, format, args...);
  return std::string(buffer, static_cast<size_t>(n));
}

}  // namespace

CivilTime to_civil(Timestamp t) {
  const int64_t seconds = t.seconds();
  int64_t days = seconds / 86400;
  int64_t rest = seconds % 86400;
  if (rest < 0) {
    rest += 86400;
    --days;
  }
  const int64_t z = days + 719468;
  const int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  const int64_t doe = z - era * 146097;
  const int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const int64_t mp = (5 * doy + 2) / 153;
  CivilTime c{};
  c.day = static_cast<int>(doy - (153 * mp + 2) / 5 + 1);
  c.month = static_cast<int>(mp < 10 ? mp + 3 : mp - 9);
  c.year = static_cast<int>(yoe + era * 400 + (c.month <= 2));
  c.hour = static_cast<int>(rest / 3600);
  c.minute = static_cast<int>(rest % 3600 / 60);
  c.second = static_cast<int>(rest % 60);
  c.weekday = static_cast<int>(((days % 7) + 11) % 7);
  c.micros = static_cast<int>(t.micros - seconds * 1'000'000);
  return c;
}

Timestamp from_civil(int year, int month, int day, int hour, int minute, int second, int micros) {
  const int64_t seconds =
      days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
  return {seconds * 1'000'000 + micros};
}

std::string format_iso8601(Timestamp t) {
  const CivilTime c = to_civil(t);
  if (c.micros / 1000 != 0) return format_iso8601_millis(t);
  if (has_four_digits(c.year)) return date_and_time(c).put('Z').take();
  return formatted("%04d-%02d-%02dT%02d:%02d:%02dZ", c.year, c.month, c.day, c.hour, c.minute,
                   c.second);
}
std::string format_iso8601_millis(Timestamp t) {
  const CivilTime c = to_civil(t);
  if (has_four_digits(c.year))
    return date_and_time(c).put('.').number(c.micros / 1000, 3).put('Z').take();
  return formatted("%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", c.year, c.month, c.day, c.hour, c.minute,
                   c.second, c.micros / 1000);
}
std::string format_iso8601_basic(Timestamp t) {
  const CivilTime c = to_civil(t);
  return formatted("%04d%02d%02dT%02d%02d%02dZ", c.year, c.month, c.day, c.hour, c.minute,
                   c.second);
}
std::string format_http_date(Timestamp t) {
  const CivilTime c = to_civil(t);
  if (has_four_digits(c.year)) {
    return DateText()
        .text(kDays[c.weekday])
        .text(", ")
        .number(c.day, 2)
        .put(' ')
        .text(kMonths[c.month - 1])
        .put(' ')
        .number(c.year, 4)
        .put(' ')
        .number(c.hour, 2)
        .put(':')
        .number(c.minute, 2)
        .put(':')
        .number(c.second, 2)
        .text(" GMT")
        .take();
  }
  return formatted("%s, %02d %s %04d %02d:%02d:%02d GMT", kDays[c.weekday], c.day,
                   kMonths[c.month - 1], c.year, c.hour, c.minute, c.second);
}

std::optional<Timestamp> parse_iso8601(std::string_view text) {
  size_t pos = 0;
  int year, month, day, hour = 0, minute = 0, second = 0, micros = 0;
  if (!take_number(text, pos, 4, year) || !take(text, pos, '-') ||
      !take_number(text, pos, 2, month) || !take(text, pos, '-') ||
      !take_number(text, pos, 2, day)) {
    return std::nullopt;
  }
  if (!take(text, pos, 'T') && !take(text, pos, 't')) return std::nullopt;
  if (!take_number(text, pos, 2, hour) || !take(text, pos, ':') ||
      !take_number(text, pos, 2, minute) || !take(text, pos, ':') ||
      !take_number(text, pos, 2, second) || !take_fraction(text, pos, micros) ||
      !in_range(month, day, hour, minute, second)) {
    return std::nullopt;
  }
  int64_t offset_minutes = 0;
  if (!take(text, pos, 'Z') && !take(text, pos, 'z')) {
    if (pos >= text.size() || (text[pos] != '+' && text[pos] != '-')) return std::nullopt;
    const int sign = text[pos++] == '-' ? -1 : 1;
    int oh, om;
    if (!take_number(text, pos, 2, oh) || !take(text, pos, ':') || !take_number(text, pos, 2, om)) {
      return std::nullopt;
    }
    offset_minutes = sign * (oh * 60 + om);
  }
  if (pos != text.size()) return std::nullopt;
  Timestamp t = from_civil(year, month, day, hour, minute, second, micros);
  t.micros -= offset_minutes * 60 * 1'000'000;
  return t;
}

std::optional<Timestamp> parse_iso8601_basic(std::string_view text) {
  size_t pos = 0;
  int year, month, day, hour, minute, second;
  if (!take_number(text, pos, 4, year) || !take_number(text, pos, 2, month) ||
      !take_number(text, pos, 2, day) || !take(text, pos, 'T') ||
      !take_number(text, pos, 2, hour) || !take_number(text, pos, 2, minute) ||
      !take_number(text, pos, 2, second) || !take(text, pos, 'Z') || pos != text.size() ||
      !in_range(month, day, hour, minute, second)) {
    return std::nullopt;
  }
  return from_civil(year, month, day, hour, minute, second, 0);
}

std::optional<Timestamp> parse_http_date(std::string_view text) {
  const auto comma = text.find(", ");
  if (comma == std::string_view::npos) return std::nullopt;
  size_t pos = comma + 2;
  int day, year, hour, minute, second, micros = 0, month = 0;
  if (!take_number(text, pos, 2, day) || !take(text, pos, ' ') || pos + 4 > text.size())
    return std::nullopt;
  for (int m = 1; m <= 12; ++m) {
    if (text.substr(pos, 3) == kMonths[m - 1]) month = m;
  }
  pos += 3;
  if (month == 0 || !take(text, pos, ' ') || !take_number(text, pos, 4, year) ||
      !take(text, pos, ' ') || !take_number(text, pos, 2, hour) || !take(text, pos, ':') ||
      !take_number(text, pos, 2, minute) || !take(text, pos, ':') ||
      !take_number(text, pos, 2, second) || !take_fraction(text, pos, micros) ||
      text.substr(pos) != " GMT" || !in_range(month, day, hour, minute, second)) {
    return std::nullopt;
  }
  return from_civil(year, month, day, hour, minute, second, micros);
}

}  // namespace virga
