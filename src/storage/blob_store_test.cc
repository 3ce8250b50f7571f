#include "storage/blob_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <random>

#include "async/file_source.h"
#include "storage/sim_file_system.h"
#include "storage/testing.h"

namespace virga::storage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr char kDir[] = "/data/blobs";

class BlobStoreTest : public testing::Test {
 protected:
  BlobStoreTest() { open(); }
  ~BlobStoreTest() override { close(); }
  void open() {
    auto opened = BlobStore::open(fs_, kDir, *shard_, *pool_, 1 << 20);
    ASSERT_TRUE(opened) << opened.error().message;
    blobs_ = std::move(*opened);
  }
  void close() {
    settle();
    blobs_.reset();
  }
  void settle() {
    shard_.settle();
    for (int i = 0; i < 5; ++i) shard_.loop().run_once(0);
  }
  void restart() {
    close();
    shard_.reopen();
    open();
  }
  void power_cut() {
    close();
    shard_.close();
    fs_.crash();
    shard_.open();
    open();
  }
  static std::string content(size_t size, char seed = 'a') {
    std::string out(size, '\0');
    for (size_t i = 0; i < size; ++i) out[i] = static_cast<char>(seed + i * 7 % 101);
    return out;
  }
  BlobRef put_kept(const std::string& bytes) {
    auto ref = shard_.run(blobs_->put(bytes));
    EXPECT_TRUE(ref) << ref.error().message;
    EXPECT_TRUE(shard_.transact([&](Txn& txn) -> Result<void> {
      blobs_->keep(txn, *ref);
      return {};
    }));
    settle();
    return *ref;
  }
  void remove(const BlobRef& ref) {
    ASSERT_TRUE(shard_.transact([&](Txn& txn) -> Result<void> {
      blobs_->remove(txn, ref);
      return {};
    }));
    settle();
  }
  std::string read(const BlobRef& ref, uint64_t offset = 0, uint64_t count = UINT64_MAX) {
    auto got = shard_.run(blobs_->read(ref, offset, count));
    return got ? *got : got.error().code;
  }
  Result<void> read_slices(BlobStore& blobs, const BlobRef& ref) {
    const auto source = blobs.source(ref);
    while (source->size() != 0) {
      const auto slice = shard_.run(dynamic_cast<async::FileSource&>(*source).slice(UINT64_MAX));
      if (!slice) return fail(slice.error());
      EXPECT_TRUE(slice->has_value());
    }
    return {};
  }
  std::vector<std::string> names() { return *fs_.list(kDir); }
  static async::Detached start(Task<BlobRef> task, std::optional<Result<BlobRef>>* out) {
    Result<BlobRef> got = co_await as_result(std::move(task));
    out->emplace(std::move(got));
  }
  // All of them before the first can be written.
  std::vector<Result<BlobRef>> put_at_once(const std::vector<std::string>& contents) {
    std::vector<std::optional<Result<BlobRef>>> outcomes(contents.size());
    shard_.loop().post([&] {
      for (size_t i = 0; i < contents.size(); ++i) start(blobs_->put(contents[i]), &outcomes[i]);
    });
    const auto waits = [&] {
      return std::any_of(outcomes.begin(), outcomes.end(), [](const auto& o) { return !o; });
    };
    while (waits()) shard_.loop().run_once(100);
    std::vector<Result<BlobRef>> out;
    for (auto& outcome : outcomes) out.push_back(std::move(*outcome));
    return out;
  }
  void keep(const std::vector<Result<BlobRef>>& refs) {
    ASSERT_TRUE(shard_.transact([&](Txn& txn) -> Result<void> {
      for (const auto& ref : refs) blobs_->keep(txn, *ref);
      return {};
    }));
    settle();
  }

  // A crash loses all that was not synced, or of that whatever chance lets.
  std::optional<std::minstd_rand> chance_;
  SimFileSystem fs_{
      [this](uint64_t bound) -> uint64_t { return chance_ ? (*chance_)() % bound : 0; }};
  TestShard shard_{TestShard::small_options(), &fs_};
  std::unique_ptr<async::Pool> pool_ = async::make_loop_pool(shard_.loop());
  std::unique_ptr<BlobStore> blobs_;
};

TEST_F(BlobStoreTest, keeps_every_size_class_over_a_power_cut) {
  std::vector<std::pair<BlobRef, std::string>> all;
  for (const size_t size : {size_t{0}, size_t{1}, size_t{4096}, size_t{4097}, size_t{65'536},
                            size_t{1} << 20, (size_t{1} << 20) + 1, size_t{5'000'000}}) {
    const std::string bytes = content(size);
    all.emplace_back(put_kept(bytes), bytes);
  }
  EXPECT_EQ(all[2].first.kind, BlobRef::Kind::inlined);
  EXPECT_EQ(all[3].first.kind, BlobRef::Kind::packed);
  EXPECT_EQ(all[6].first.kind, BlobRef::Kind::file);
  power_cut();
  for (const auto& [ref, bytes] : all) {
    EXPECT_EQ(read(ref), bytes) << bytes.size();
    EXPECT_EQ(*BlobRef::decode(ref.encode()), ref);
  }
  EXPECT_THAT(*shard_.run(blobs_->scrub()), IsEmpty());
}

TEST_F(BlobStoreTest, reads_ranges_over_chunk_borders) {
  for (const size_t size : {size_t{3000}, size_t{300'000}, size_t{3'000'000}}) {
    const std::string bytes = content(size);
    const BlobRef ref = put_kept(bytes);
    for (const uint64_t at : {uint64_t{0}, uint64_t{1}, uint64_t{65'535}, uint64_t{65'536},
                              uint64_t{size - 1}, uint64_t{size}}) {
      if (at > size) continue;
      EXPECT_EQ(read(ref, at, 70'000), bytes.substr(at, 70'000)) << size << " at " << at;
    }
    const auto source = blobs_->source(ref, 10, size - 20);
    EXPECT_EQ(*source->size(), size - 20);
    EXPECT_EQ(*shard_.run(async::read_all(*source, size, AwsError{})), bytes.substr(10, size - 20));
  }
}

TEST_F(BlobStoreTest, streams_without_knowing_the_size) {
  BlobWriter writer = blobs_->writer();
  std::string all;
  for (int i = 0; i < 40; ++i) {
    const std::string piece = content(100'000, static_cast<char>(i));
    all += piece;
    ASSERT_TRUE(shard_.run(writer.append(piece)));
  }
  const BlobRef ref = *shard_.run(writer.finish());
  EXPECT_EQ(read(ref), all) << "readable before it is kept";
}

TEST_F(BlobStoreTest, contents_that_come_together_share_a_sync) {
  put_kept(content(5000));  // makes the pack
  std::vector<std::string> contents;
  for (size_t i = 0; i < 50; ++i) contents.push_back(content(5000 + i, static_cast<char>(i)));
  const uint64_t before = fs_.syncs();
  const auto refs = put_at_once(contents);
  EXPECT_EQ(fs_.syncs() - before, 1u);
  keep(refs);
  power_cut();
  for (size_t i = 0; i < contents.size(); ++i) EXPECT_EQ(read(*refs[i]), contents[i]) << i;
  EXPECT_THAT(names(), ElementsAre("1.pack"));
}

TEST_F(BlobStoreTest, a_torn_pack_shows_nothing_and_loses_nothing) {
  std::vector<std::pair<BlobRef, std::string>> kept;
  for (unsigned seed = 1; seed <= 40; ++seed) {
    chance_.emplace(seed);
    std::vector<std::string> contents;
    for (size_t i = 0; i < 6; ++i) {
      contents.push_back(content(4097 + (*chance_)() % 60'000, static_cast<char>(seed + i)));
    }
    const auto refs = put_at_once(contents);
    keep(refs);
    for (size_t i = 0; i < refs.size(); ++i) kept.emplace_back(*refs[i], contents[i]);
    fs_.crash_at_sync(
        1, seed % 2 ? SimFileSystem::CrashSide::before : SimFileSystem::CrashSide::after);
    for (const auto& ref : put_at_once(contents)) EXPECT_FALSE(ref);
    power_cut();
    for (const auto& [ref, bytes] : kept) ASSERT_EQ(read(ref), bytes) << seed;
    ASSERT_THAT(*shard_.run(blobs_->scrub()), IsEmpty()) << seed;
  }
}

TEST_F(BlobStoreTest, a_failed_sync_fails_its_group_alone) {
  const BlobRef before = put_kept(content(10'000, 'b'));
  fs_.fail_sync(1);
  for (const auto& ref : put_at_once({content(5000), content(6000), content(7000)}))
    EXPECT_EQ(ref.error().code, kFileIoError);
  const BlobRef after = put_kept(content(10'000, 'c'));
  power_cut();
  EXPECT_EQ(read(before), content(10'000, 'b'));
  EXPECT_EQ(read(after), content(10'000, 'c'));
}

TEST_F(BlobStoreTest, slices_of_local_files_are_verified_content) {
  char folder[] = "/tmp/blob_store_test.XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  FileSystem& local = local_file_system();
  const std::string dir = std::string(folder) + "/blobs";
  auto opened = BlobStore::open(local, dir, *shard_, *pool_);
  ASSERT_TRUE(opened);
  for (const size_t size : {size_t{5000}, size_t{700'001}, size_t{3'000'000}}) {
    const std::string bytes = content(size);
    const BlobRef ref = *shard_.run((*opened)->put(bytes));
    const auto source = (*opened)->source(ref, 10, size - 20);
    auto* const files = dynamic_cast<async::FileSource*>(source.get());
    std::string all;
    while (source->size() != 0) {
      const auto slice = shard_.run(files->slice(UINT64_MAX));
      ASSERT_TRUE(slice && *slice);
      std::string part((*slice)->count, '\0');
      ASSERT_EQ(
          ::pread((*slice)->fd, part.data(), part.size(), static_cast<off_t>((*slice)->offset)),
          static_cast<ssize_t>(part.size()));
      all += part;
    }
    EXPECT_TRUE(all == bytes.substr(10, size - 20)) << size;
    if (ref.kind != BlobRef::Kind::file) continue;
    // What was compared as a whole is trusted for ten seconds.
    EXPECT_TRUE(read_slices(**opened, ref));
    auto file = local.open(dir + "/" + std::to_string(ref.id) + ".blob", OpenMode::write);
    ASSERT_TRUE((*file)->write_at(1'000'000, "damage"));
    EXPECT_TRUE(read_slices(**opened, ref));
    shard_.fake_env().advance_millis(10'000);
    EXPECT_EQ(read_slices(**opened, ref).error().code, "BlobDamaged");
  }
  settle();
  opened->reset();
  ASSERT_TRUE(remove_tree(local, folder));
}

TEST_F(BlobStoreTest, an_abandoned_writer_leaves_nothing) {
  {
    BlobWriter writer = blobs_->writer();
    ASSERT_TRUE(shard_.run(writer.append(content(3'000'000))));
    EXPECT_THAT(names(), testing::SizeIs(1));
  }
  settle();
  EXPECT_THAT(names(), IsEmpty());
}

TEST_F(BlobStoreTest, what_no_commit_refers_to_is_collected_when_opened) {
  const BlobRef kept = put_kept(content(10'000));
  ASSERT_TRUE(shard_.run(blobs_->put(content(2'000'000))));
  ASSERT_TRUE(shard_.run(blobs_->put(content(900'000))));
  ASSERT_TRUE(shard_.run(blobs_->put(content(900'000))));
  restart();
  EXPECT_THAT(names(), ElementsAre("1.pack"));
  EXPECT_EQ(read(kept), content(10'000));
}

TEST_F(BlobStoreTest, removed_and_discarded_content_goes) {
  const BlobRef large = put_kept(content(2'000'000));
  const BlobRef packed = put_kept(content(10'000));
  const BlobRef discarded = *shard_.run(blobs_->put(content(2'000'000)));
  ASSERT_TRUE(shard_.run(blobs_->discard(discarded)));
  remove(large);
  remove(packed);
  EXPECT_EQ(read(large), "BlobMissing");
  EXPECT_EQ(read(packed), "BlobMissing");
  EXPECT_EQ(read(discarded), "BlobMissing");
  EXPECT_THAT(names(), ElementsAre("1.pack")) << "the pack that is written stays";
  restart();
  EXPECT_THAT(names(), IsEmpty());
}

TEST_F(BlobStoreTest, compaction_moves_the_living_and_drops_the_pack) {
  std::vector<BlobRef> refs;
  for (int i = 0; i < 8; ++i) refs.push_back(put_kept(content(200'000, static_cast<char>(i))));
  EXPECT_EQ(blobs_->pack_count(), 2u);
  for (int i : {0, 1, 3, 4}) remove(refs[static_cast<size_t>(i)]);
  EXPECT_EQ(*shard_.run(blobs_->compact()), 1);
  settle();
  EXPECT_EQ(read(refs[2]), content(200'000, 2));
  power_cut();
  EXPECT_EQ(read(refs[2]), content(200'000, 2));
  EXPECT_EQ(read(refs[7]), content(200'000, 7));
}

TEST_F(BlobStoreTest, damage_is_noticed) {
  const BlobRef packed = put_kept(content(300'000));
  const BlobRef file = put_kept(content(3'000'000));
  fs_.damage("/data/blobs/1.pack", 200'000);
  fs_.damage("/data/blobs/" + std::to_string(file.id) + ".blob", 2'000'000);
  EXPECT_EQ(read(packed), "BlobDamaged");
  EXPECT_EQ(read(packed, 0, 1000), content(300'000).substr(0, 1000))
      << "the other chunks are sound";
  EXPECT_EQ(read(file), "BlobDamaged");
  EXPECT_THAT(*shard_.run(blobs_->scrub()), testing::UnorderedElementsAre(packed.id, file.id));
}

TEST_F(BlobStoreTest, a_full_disk_is_an_error_and_loses_nothing) {
  const BlobRef kept = put_kept(content(10'000));
  fs_.set_capacity(4'000'000);
  EXPECT_EQ(shard_.run(blobs_->put(content(5'000'000))).error().code, kFileNoSpace);
  settle();
  EXPECT_EQ(read(kept), content(10'000));
}

}  // namespace
}  // namespace virga::storage
