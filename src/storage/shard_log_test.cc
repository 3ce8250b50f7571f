#include "storage/shard_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/log_format.h"
#include "storage/sim_file_system.h"

namespace virga::storage {
namespace {

using testing::ElementsAre;

constexpr uint64_t kSegmentBytes = 64 << 10;

class ShardLogTest : public testing::Test {
 protected:
  // Opens the log; what is replayed after `applied` comes as text.
  Result<std::vector<std::string>> open(Lsn applied = 0, PlantedFaults faults = {}) {
    log_.reset();
    std::vector<std::string> replayed;
    auto opened = ShardLog::open(
        {.fs = &fs_, .dir = "/log", .segment_bytes = kSegmentBytes, .faults = faults}, applied,
        [&](const LogRecord& record) -> Result<void> {
          replayed.push_back(std::string(record.payload));
          return {};
        });
    if (!opened) return fail(opened.error());
    log_ = std::move(*opened);
    return replayed;
  }
  void write(const std::vector<std::string>& payloads) {
    std::vector<LogRecord> records;
    for (const auto& payload : payloads)
      records.push_back({log_->last() + 1 + records.size(), payload});
    ASSERT_TRUE(log_->append(records));
  }
  void write_durably(const std::vector<std::string>& payloads) {
    write(payloads);
    ASSERT_TRUE(log_->sync());
  }
  std::string only_segment() {
    const auto names = *fs_.list("/log");
    EXPECT_EQ(names.size(), 1u);
    return "/log/" + names.front();
  }

  uint64_t next_chance_ = 0;
  SimFileSystem fs_{
      [this](uint64_t bound) { return next_chance_ % bound; }};  // 0: a crash loses all it may
  std::unique_ptr<ShardLog> log_;
};

TEST_F(ShardLogTest, replays_what_was_synced_and_only_that) {
  ASSERT_TRUE(open());
  write_durably({"a", "b"});
  write_durably({"c"});
  write({"d"});
  fs_.crash();
  EXPECT_THAT(*open(), ElementsAre("a", "b", "c"));
  EXPECT_EQ(log_->last(), 3u);
  write_durably({"e"});
  EXPECT_THAT(*open(2), ElementsAre("c", "e"));
}

TEST_F(ShardLogTest, goes_on_over_segments_and_recycles_them) {
  ASSERT_TRUE(open());
  for (int i = 0; i < 40; ++i)
    write_durably({std::string(10'000, static_cast<char>('a' + i % 26))});
  const size_t before = fs_.list("/log")->size();
  EXPECT_GE(before, 6u);
  ASSERT_TRUE(log_->trim(30));
  EXPECT_GT(log_->first(), 20u);
  EXPECT_LE(log_->first(), 31u);
  const size_t trimmed = fs_.list("/log")->size();
  for (int i = 0; i < 12; ++i) write_durably({std::string(10'000, 'z')});
  EXPECT_EQ(fs_.list("/log")->size(), trimmed) << "new segments are old files";
  fs_.crash();
  const auto replayed = open(30);
  ASSERT_TRUE(replayed) << replayed.error().message;
  EXPECT_EQ(replayed->size(), 22u);
  EXPECT_EQ((*replayed)[0][0], static_cast<char>('a' + 30 % 26));
}

TEST_F(ShardLogTest, a_drain_over_a_segment_end_is_whole) {
  ASSERT_TRUE(open());
  write_durably({std::string(20'000, 'a'), std::string(20'000, 'b'), std::string(20'000, 'c'),
                 std::string(20'000, 'd'), std::string(20'000, 'e')});
  fs_.crash();
  EXPECT_EQ(open()->size(), 5u);
}

TEST_F(ShardLogTest, refuses_to_open_over_a_damaged_synced_record) {
  ASSERT_TRUE(open());
  for (const char* text : {"first", "second", "third"}) write_durably({text});
  fs_.damage(only_segment(),
             kPageBytes + kRecordHeaderBytes + 5 + kRecordHeaderBytes + 2);  // in "second"
  EXPECT_EQ(open().error().code, "LogCorrupt");
}

TEST_F(ShardLogTest, refuses_to_open_when_a_segment_ends_early) {
  ASSERT_TRUE(open());
  for (int i = 0; i < 10; ++i) write_durably({std::string(10'000, 'x')});
  fs_.damage("/log/0000000000000001.log", kPageBytes + 5 * 10'024 + 100);
  EXPECT_EQ(open().error().code, "LogCorrupt");
}

TEST_F(ShardLogTest, refuses_to_open_when_the_index_is_ahead) {
  ASSERT_TRUE(open());
  write_durably({"a"});
  EXPECT_EQ(open(5).error().code, "LogCorrupt");
}

TEST_F(ShardLogTest, damage_in_the_last_drain_is_a_torn_write) {
  ASSERT_TRUE(open());
  write_durably({"first"});
  write_durably({"second"});
  fs_.damage(only_segment(), kPageBytes + kRecordHeaderBytes + 5 + kRecordHeaderBytes + 2);
  EXPECT_THAT(*open(), ElementsAre("first"));
}

// A crash cuts a drain: its first record is torn, its second whole. Later records of the same sizes
// must not make the second one valid again.
TEST_F(ShardLogTest, does_not_believe_what_a_cut_drain_left_behind) {
  for (const bool planted : {false, true}) {
    fs_.crash();
    ASSERT_TRUE(remove_tree(fs_, "/log"));
    const PlantedFaults faults{.skip_link = planted};
    ASSERT_TRUE(open(0, faults));
    write_durably({"synced"});
    write({"lost 1", "lost 2"});
    ASSERT_TRUE(log_->sync());
    fs_.damage(only_segment(), kPageBytes + (kRecordHeaderBytes + 6) + kRecordHeaderBytes);
    ASSERT_THAT(*open(0, faults), ElementsAre("synced"));
    // The pages after the new record's own are what the crash left; here they are one page, so put
    // the rest back.
    const std::string segment = only_segment();
    const std::string left =
        read_file(fs_, segment)->substr(kPageBytes + 2 * (kRecordHeaderBytes + 6));
    write_durably({"new  1"});
    auto file = *fs_.open(segment, OpenMode::write);
    ASSERT_TRUE(file->write_at(kPageBytes + 2 * (kRecordHeaderBytes + 6), left));
    if (planted) {
      EXPECT_THAT(*open(0, faults), ElementsAre("synced", "new  1", "lost 2"))
          << "the planted fault shows";
    } else {
      EXPECT_THAT(*open(0, faults), ElementsAre("synced", "new  1"));
    }
    log_.reset();
  }
}

TEST_F(ShardLogTest, readers_follow_the_writer) {
  ASSERT_TRUE(open());
  ShardLog::Reader reader(*log_, 2);
  write_durably({"a"});
  EXPECT_FALSE(reader.next(1)->has_value());
  write_durably({"b", std::string(50'000, 'c')});
  EXPECT_EQ((*reader.next(3))->payload, "b");
  EXPECT_EQ((*reader.next(3))->payload.size(), 50'000u);
  EXPECT_FALSE(reader.next(3)->has_value());
  write_durably({std::string(50'000, 'd')});
  EXPECT_EQ((*reader.next(4))->payload[0], 'd');
  ASSERT_TRUE(log_->trim(3));
  ShardLog::Reader late(*log_, 1);
  EXPECT_EQ(late.next(4).error().code, "LogTrimmed");
}

TEST(LogFormat, record_and_header_bytes_do_not_change) {
  std::string record;
  append_record(record, {.lsn = 7, .payload = "payload"}, 0x01020304, 5);
  std::string hex;
  for (const char c : record) {
    char two[3];
    snprintf(two, sizeof two, "%02x", static_cast<unsigned char>(c));
    hex += two;
  }
  EXPECT_EQ(hex.substr(8),
            "07000000"
            "0700000000000000"
            "04030201"
            "02000000"
            "7061796c6f6164");
  EXPECT_EQ(encode_segment_header({.id = 1, .first = 2, .link = 3}).substr(0, 12),
            std::string("VIRGALOG\x01\0\0\0", 12));
}

}  // namespace
}  // namespace virga::storage
