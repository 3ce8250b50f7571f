#include "storage/value_cache.h"

#include <gtest/gtest.h>

namespace virga::storage {
namespace {

TEST(ValueCache, finds_what_was_put_absences_included) {
  ValueCache cache(1 << 20);
  ValueCache::Ticket ticket;
  EXPECT_FALSE(cache.find("a", ticket));
  cache.put("a", "1", ticket);
  EXPECT_FALSE(cache.find("b", ticket));
  cache.put("b", std::nullopt, ticket);
  const auto a = cache.find("a", ticket);
  ASSERT_TRUE(a && *a);
  EXPECT_EQ(**a, "1");
  const auto b = cache.find("b", ticket);
  ASSERT_TRUE(b);
  EXPECT_FALSE(b->has_value());
}

TEST(ValueCache, a_write_takes_the_old_value_out_before_the_index_has_the_new_one) {
  ValueCache cache(1 << 20);
  ValueCache::Ticket ticket;
  EXPECT_FALSE(cache.find("a", ticket));
  cache.put("a", "old", ticket);
  cache.begin_write({{"a", "new"}});
  EXPECT_FALSE(cache.find("a", ticket));
  cache.put("a", "old", ticket);  // read from the index while the write was under way
  EXPECT_FALSE(cache.find("a", ticket));
  cache.end_write({{"a", "new"}});
  EXPECT_EQ(cache.find("a", ticket), std::optional<ValueCache::Value>("new"));
  cache.put("a", "old", ticket);  // and brought too late
  EXPECT_EQ(cache.find("a", ticket), std::optional<ValueCache::Value>("new"));
}

TEST(ValueCache, a_written_key_that_nobody_had_read_stays_out) {
  ValueCache cache(1 << 20);
  cache.begin_write({{"a", "1"}});
  cache.end_write({{"a", "1"}});
  ValueCache::Ticket ticket;
  EXPECT_FALSE(cache.find("a", ticket));
}

TEST(ValueCache, an_absence_that_was_read_becomes_the_value_and_an_erased_value_an_absence) {
  ValueCache cache(1 << 20);
  ValueCache::Ticket ticket;
  EXPECT_FALSE(cache.find("a", ticket));
  cache.put("a", std::nullopt, ticket);
  cache.begin_write({{"a", "1"}});
  cache.end_write({{"a", "1"}});
  EXPECT_EQ(cache.find("a", ticket), std::optional<ValueCache::Value>("1"));
  cache.begin_write({{"a", std::nullopt}});
  cache.end_write({{"a", std::nullopt}});
  EXPECT_EQ(cache.find("a", ticket), std::optional<ValueCache::Value>(ValueCache::Value()));
}

TEST(ValueCache, the_last_of_several_writes_of_a_key_in_one_batch_counts) {
  ValueCache cache(1 << 20);
  ValueCache::Ticket ticket;
  EXPECT_FALSE(cache.find("a", ticket));
  cache.put("a", "0", ticket);
  const std::vector<ValueCache::Write> batch = {{"a", "1"}, {"b", "x"}, {"a", "2"}};
  cache.begin_write(batch);
  cache.end_write(batch);
  EXPECT_EQ(cache.find("a", ticket), std::optional<ValueCache::Value>("2"));
  EXPECT_FALSE(cache.find("b", ticket));
}

TEST(ValueCache, a_value_that_grew_too_large_leaves) {
  ValueCache cache(1 << 20);
  ValueCache::Ticket ticket;
  EXPECT_FALSE(cache.find("a", ticket));
  cache.put("a", "0", ticket);
  const std::string large(10'000, 'x');
  cache.begin_write({{"a", large}});
  cache.end_write({{"a", large}});
  EXPECT_FALSE(cache.find("a", ticket));
}

TEST(ValueCache, a_reader_that_began_before_a_write_brings_nothing_in) {
  ValueCache cache(1 << 20);
  ValueCache::Ticket before;
  EXPECT_FALSE(cache.find("a", before));
  cache.begin_write({{"a", "new"}});
  cache.end_write({{"a", "new"}});
  cache.put("a", "old", before);
  ValueCache::Ticket ticket;
  EXPECT_FALSE(cache.find("a", ticket));
}

TEST(ValueCache, clearing_forgets_everything_and_lets_nothing_in_meanwhile) {
  ValueCache cache(1 << 20);
  ValueCache::Ticket ticket;
  EXPECT_FALSE(cache.find("a", ticket));
  cache.put("a", "1", ticket);
  cache.begin_clear();
  EXPECT_FALSE(cache.find("a", ticket));
  cache.put("a", "1", ticket);
  cache.end_clear();
  EXPECT_FALSE(cache.find("a", ticket));
}

TEST(ValueCache, keeps_to_its_bytes_and_to_what_is_asked_for) {
  ValueCache cache(256 << 10);
  const auto bring = [&](const std::string& key) {
    ValueCache::Ticket ticket;
    if (cache.find(key, ticket)) return true;
    cache.put(key, std::string(100, 'x'), ticket);
    return false;
  };
  bring("hot");
  size_t hits = 0;
  for (int i = 0; i < 20'000; ++i) {
    bring("cold" + std::to_string(i));
    hits += bring("hot");
  }
  EXPECT_EQ(hits, 20'000u);
  ValueCache::Ticket ticket;
  EXPECT_FALSE(cache.find("cold0", ticket));
}

}  // namespace
}  // namespace virga::storage
