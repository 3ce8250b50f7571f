#include "storage/index_memtable.h"

#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>

#include <atomic>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <thread>

namespace virga::storage {
namespace {

// RocksDB over memory with nothing but our list: no file is ever written.
struct Database {
  std::unique_ptr<rocksdb::Env> env{rocksdb::NewMemEnv(rocksdb::Env::Default())};
  std::unique_ptr<rocksdb::DB> db;

  Database() {
    rocksdb::Options options;
    options.env = env.get();
    options.create_if_missing = true;
    options.avoid_flush_during_shutdown = true;
    options.allow_concurrent_memtable_write = false;
    options.memtable_factory = make_index_memtable();
    rocksdb::DB* opened = nullptr;
    const auto status = rocksdb::DB::Open(options, "/db", &opened);
    EXPECT_TRUE(status.ok()) << status.ToString();
    db.reset(opened);
  }
  void put(const std::string& key, const std::string& value) {
    EXPECT_TRUE(db->Put(write_options(), key, value).ok());
  }
  void erase(const std::string& key) { EXPECT_TRUE(db->Delete(write_options(), key).ok()); }
  std::optional<std::string> get(const std::string& key) {
    std::string value;
    const auto status = db->Get({}, key, &value);
    return status.ok() ? std::optional(value) : std::nullopt;
  }
  static rocksdb::WriteOptions write_options() {
    rocksdb::WriteOptions options;
    options.disableWAL = true;
    return options;
  }
};

using Model = std::map<std::string, std::string>;

void expect_equal(Database& database, const Model& model,
                  const rocksdb::Snapshot* snapshot = nullptr) {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot;
  const std::unique_ptr<rocksdb::Iterator> it(database.db->NewIterator(options));
  auto expected = model.begin();
  for (it->SeekToFirst(); it->Valid(); it->Next(), ++expected) {
    ASSERT_NE(expected, model.end());
    ASSERT_EQ(it->key().ToString(), expected->first);
    ASSERT_EQ(it->value().ToString(), expected->second);
  }
  ASSERT_EQ(expected, model.end());
  auto backwards = model.rbegin();
  for (it->SeekToLast(); it->Valid(); it->Prev(), ++backwards) {
    ASSERT_NE(backwards, model.rend());
    ASSERT_EQ(it->key().ToString(), backwards->first);
  }
  ASSERT_EQ(backwards, model.rend());
}

// Keys of many lengths, some a part of others, some with zero bytes, beyond a varint's first byte.
std::string some_key(std::mt19937& random) {
  std::string key(random() % 4 * 45, 'k');
  for (size_t i = random() % 4; i > 0; --i) key += static_cast<char>(random() % 3 * 127);
  return key;
}

TEST(IndexMemtable, is_empty_at_first) {
  Database database;
  EXPECT_EQ(database.get("a"), std::nullopt);
  expect_equal(database, {});
}

TEST(IndexMemtable, holds_what_a_map_holds) {
  Database database;
  Model model, before;
  std::mt19937 random(7);
  const rocksdb::Snapshot* snapshot = nullptr;
  for (int i = 0; i < 6000; ++i) {
    const std::string key = some_key(random);
    if (random() % 4 == 0) {
      database.erase(key);
      model.erase(key);
    } else {
      database.put(key, std::to_string(i));
      model[key] = std::to_string(i);
    }
    if (i == 3000) {
      snapshot = database.db->GetSnapshot();
      before = model;
    }
  }
  ASSERT_NO_FATAL_FAILURE(expect_equal(database, model));
  ASSERT_NO_FATAL_FAILURE(expect_equal(database, before, snapshot));
  database.db->ReleaseSnapshot(snapshot);
  for (int i = 0; i < 2000; ++i) {
    const std::string key = some_key(random);
    const auto at = model.find(key);
    ASSERT_EQ(database.get(key), at == model.end() ? std::nullopt : std::optional(at->second));
  }
}

TEST(IndexMemtable, seeks_in_both_directions) {
  Database database;
  Model model;
  std::mt19937 random(8);
  for (int i = 0; i < 500; ++i) {
    const std::string key = some_key(random);
    database.put(key, "v");
    model[key] = "v";
  }
  const std::unique_ptr<rocksdb::Iterator> it(database.db->NewIterator({}));
  for (int i = 0; i < 2000; ++i) {
    const std::string key = some_key(random);
    it->Seek(key);
    const auto from = model.lower_bound(key);
    ASSERT_EQ(it->Valid(), from != model.end());
    if (it->Valid()) ASSERT_EQ(it->key().ToString(), from->first);
    it->SeekForPrev(key);
    const auto after = model.upper_bound(key);
    ASSERT_EQ(it->Valid(), after != model.begin());
    if (it->Valid()) ASSERT_EQ(it->key().ToString(), std::prev(after)->first);
  }
}

TEST(IndexMemtable, takes_neighbouring_keys_in_order_and_in_reverse) {
  Database database;
  Model model;
  for (int i = 0; i < 2000; ++i) {
    const std::string up = "up" + std::to_string(100'000 + i);
    const std::string down = "down" + std::to_string(100'000 - i);
    database.put(up, "v");
    database.put(down, "v");
    model[up] = model[down] = "v";
  }
  expect_equal(database, model);
}

TEST(IndexMemtable, readers_see_whole_lists_while_it_grows) {
  Database database;
  constexpr int kKeys = 20'000;
  std::atomic<int> written{0};
  std::atomic<bool> wrong{false};
  // Keys come in an order that jumps about; whoever reads after key n was written sees n at least.
  const auto key_of = [](int n) { return std::to_string(1'000'000 + n * 7919 % kKeys); };
  std::thread reader([&] {
    std::mt19937 random(9);
    int seen = 0;
    while (seen < kKeys) {
      seen = written.load(std::memory_order_acquire);
      if (seen == 0) continue;
      const std::string key = key_of(static_cast<int>(random() % static_cast<unsigned>(seen)));
      if (database.get(key) != key) wrong = true;
      const std::unique_ptr<rocksdb::Iterator> it(database.db->NewIterator({}));
      it->Seek(key);
      if (!it->Valid() || it->key() != key) wrong = true;
      std::string last = key;
      for (int i = 0; i < 20 && it->Valid(); ++i) {
        it->Next();
        if (it->Valid() && it->key().compare(last) <= 0) wrong = true;
        if (it->Valid()) last = it->key().ToString();
      }
    }
  });
  for (int n = 0; n < kKeys; ++n) {
    database.put(key_of(n), key_of(n));
    written.store(n + 1, std::memory_order_release);
  }
  reader.join();
  EXPECT_FALSE(wrong);
}

}  // namespace
}  // namespace virga::storage
