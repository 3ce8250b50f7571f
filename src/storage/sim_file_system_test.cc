#include "storage/sim_file_system.h"

#include <gtest/gtest.h>

namespace virga::storage {
namespace {

SimFileSystem::Chance always(uint64_t value) {
  return [value](uint64_t bound) { return value % bound; };
}

std::string content(FileSystem& fs, const std::string& path) {
  const auto got = read_file(fs, path);
  return got ? *got : got.error().code;
}

TEST(SimFileSystem, keeps_what_was_synced_and_may_lose_the_rest) {
  SimFileSystem fs(always(0));  // the worst: everything unsynced is lost
  ASSERT_TRUE(fs.make_dir("/d"));
  auto file = *fs.open("/d/a", OpenMode::create);
  ASSERT_TRUE(file->write_at(0, "synced"));
  ASSERT_TRUE(file->sync());
  ASSERT_TRUE(fs.sync_dir("/d"));
  ASSERT_TRUE(file->write_at(0, "SYNCED and more"));
  EXPECT_EQ(content(fs, "/d/a"), "SYNCED and more");
  fs.crash();
  EXPECT_EQ(content(fs, "/d/a"), "synced");
}

TEST(SimFileSystem, a_synced_file_without_a_synced_name_may_vanish) {
  SimFileSystem fs(always(0));
  ASSERT_TRUE(fs.make_dir("/d"));
  auto file = *fs.open("/d/a", OpenMode::create);
  ASSERT_TRUE(file->write_at(0, "x"));
  ASSERT_TRUE(file->sync());
  fs.crash();
  EXPECT_EQ(content(fs, "/d/a"), kFileNotFound);
}

TEST(SimFileSystem, tears_writes_at_sectors) {
  uint64_t turn = 0;
  SimFileSystem fs([&](uint64_t bound) { return bound == 2 ? turn++ % 2 : 2 % bound; });
  ASSERT_TRUE(fs.make_dir("/d"));
  auto file = *fs.open("/d/a", OpenMode::create);
  ASSERT_TRUE(file->write_at(0, std::string(2048, 'a')));
  ASSERT_TRUE(file->sync());
  ASSERT_TRUE(fs.sync_dir("/d"));
  ASSERT_TRUE(file->write_at(0, std::string(2048, 'b')));
  fs.crash();
  const std::string got = content(fs, "/d/a");
  EXPECT_EQ(got, std::string(512, 'b') + std::string(512, 'a') + std::string(512, 'b') +
                     std::string(512, 'a'));
}

TEST(SimFileSystem, stops_at_a_sync_and_works_after_the_crash) {
  SimFileSystem fs(always(0));
  ASSERT_TRUE(fs.make_dir("/d"));
  auto file = *fs.open("/d/a", OpenMode::create);
  ASSERT_TRUE(fs.sync_dir("/d"));
  ASSERT_TRUE(file->write_at(0, "x"));
  fs.crash_at_sync(1, SimFileSystem::CrashSide::after);
  EXPECT_FALSE(file->sync());
  EXPECT_FALSE(file->write_at(0, "y"));
  EXPECT_EQ(content(fs, "/d/a"), kFileIoError);
  fs.crash();
  EXPECT_EQ(content(fs, "/d/a"), "x");
}

TEST(SimFileSystem, runs_out_of_space) {
  SimFileSystem fs(always(0));
  fs.set_capacity(1000);
  ASSERT_TRUE(fs.make_dir("/d"));
  auto file = *fs.open("/d/a", OpenMode::create);
  ASSERT_TRUE(file->write_at(0, std::string(1000, 'x')));
  EXPECT_EQ(file->write_at(1000, "x").error().code, kFileNoSpace);
  EXPECT_TRUE(file->write_at(0, "y"));
  EXPECT_EQ(*fs.free_bytes("/d"), 0u);
}

}  // namespace
}  // namespace virga::storage
