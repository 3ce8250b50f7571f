#include "base/time.h"

#include <gtest/gtest.h>

namespace virga {
namespace {

TEST(FormatIso8601, writes_fractions_only_when_there_are_any) {
  const Timestamp whole = from_civil(2026, 3, 1, 4, 5, 6, 0);
  EXPECT_EQ(format_iso8601(whole), "2026-03-01T04:05:06Z");
  EXPECT_EQ(format_iso8601_millis(whole), "2026-03-01T04:05:06.000Z");
  const Timestamp part = from_civil(1969, 12, 31, 23, 59, 59, 7'000);
  EXPECT_EQ(format_iso8601(part), "1969-12-31T23:59:59.007Z");
}

TEST(FormatIso8601, reads_back_what_it_wrote) {
  for (const int year : {1, 999, 1970, 2024, 9999}) {
    const Timestamp t = from_civil(year, 2, 28, 23, 0, 59, 123'000);
    EXPECT_EQ(parse_iso8601(format_iso8601(t))->micros, t.micros) << format_iso8601(t);
  }
}

TEST(FormatIso8601, does_not_cut_years_of_more_than_four_digits) {
  EXPECT_EQ(format_iso8601(from_civil(10'000, 1, 1, 0, 0, 0, 0)), "10000-01-01T00:00:00Z");
}

}  // namespace
}  // namespace virga
