#include "services/s3/listing.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "async/offload.h"
#include "services/s3/s3_store.h"
#include "storage/testing.h"

namespace virga::s3 {
namespace {

using Keys = std::vector<std::string>;

struct ListingTest : testing::Test {
  storage::TestShard shard;
  std::unique_ptr<async::Pool> pool = async::make_thread_pool(1);
  std::unique_ptr<storage::BlobStore> blobs =
      *storage::BlobStore::open(shard.files(), "/blobs", *shard, *pool);
  Bucket bucket;
  int made = 0;

  ListingTest() {
    bucket.name = "b";
    bucket.owner = "111122223333";
    write([&](S3Transaction& s3) { s3.add(bucket); });
  }
  ~ListingTest() override {
    blobs.reset();
    shard.close();
  }

  template <class F>
  void write(F body) {
    const auto done = shard.transact([&](storage::Txn& txn) -> Result<bool> {
      S3Transaction s3(txn, *blobs);
      body(s3);
      return true;
    });
    ASSERT_TRUE(done);
  }
  std::string put(std::string_view key, bool delete_marker = false) {
    ObjectVersion object;
    object.key = key;
    object.delete_marker = delete_marker;
    write([&](S3Transaction& s3) {
      std::string chance = std::to_string(++made);
      chance.resize(16, 'x');
      EXPECT_TRUE(s3.put_version(bucket, object, {}, chance));
    });
    return object.version_id;
  }
  void put_all(const Keys& keys) {
    for (const auto& key : keys) put(key);
  }

  ListPage list(const ListQuery& query) {
    const auto view = shard->snapshot();
    return *list_current(S3Reader(*view), bucket, query);
  }
  ListPage versions(const ListQuery& query) {
    const auto view = shard->snapshot();
    return *list_versions(S3Reader(*view), bucket, query);
  }
  static Keys keys(const ListPage& page) {
    Keys out;
    for (const auto& object : page.objects) out.push_back(object.key);
    return out;
  }
  // Every page of `size`, objects and prefixes in one.
  Keys all_pages(ListQuery query, int32_t size) {
    Keys out;
    query.max_keys = size;
    while (true) {
      const ListPage page = list(query);
      EXPECT_LE(page.objects.size() + page.common_prefixes.size(), static_cast<size_t>(size));
      for (const auto& key : keys(page)) out.push_back(key);
      for (const auto& prefix : page.common_prefixes) out.push_back(prefix);
      if (!page.truncated) return out;
      query.after = page.last;
    }
  }
};

TEST_F(ListingTest, keys_come_in_the_order_of_their_bytes) {
  put_all({"b", "a", "B", "é", "a/b", "a-b", "~"});
  EXPECT_EQ(keys(list({})), (Keys{"B", "a", "a-b", "a/b", "b", "~", "é"}));
  EXPECT_EQ(keys(list({.prefix = "a"})), (Keys{"a", "a-b", "a/b"}));
  EXPECT_EQ(keys(list({.prefix = "zzz"})), Keys{});
}

TEST_F(ListingTest, a_delimiter_rolls_keys_up) {
  put_all({"photos/2006/a.jpg", "photos/2006/b.jpg", "photos/2007/c.jpg", "photos/d.jpg",
           "sample.jpg", "x::y"});
  const ListPage page = list({.prefix = "", .delimiter = "/"});
  EXPECT_EQ(keys(page), (Keys{"sample.jpg", "x::y"}));
  EXPECT_EQ(page.common_prefixes, (Keys{"photos/"}));
  const ListPage below = list({.prefix = "photos/", .delimiter = "/"});
  EXPECT_EQ(keys(below), (Keys{"photos/d.jpg"}));
  EXPECT_EQ(below.common_prefixes, (Keys{"photos/2006/", "photos/2007/"}));
  EXPECT_EQ(list({.prefix = "", .delimiter = "::"}).common_prefixes, (Keys{"x::"}));
}

TEST_F(ListingTest, pages_of_any_size_hold_every_key_once) {
  Keys want;
  for (int i = 0; i < 30; ++i) {
    const std::string key = "k" + std::to_string(10 + i);
    put(key);
    want.push_back(key);
  }
  put_all({"d1/a", "d1/b", "d2/c", "d3/d"});
  for (const int32_t size : {1, 2, 3, 7, 100}) {
    Keys got = all_pages({.prefix = "", .delimiter = "/"}, size);
    std::sort(got.begin(), got.end());
    Keys both = {"d1/", "d2/", "d3/"};
    both.insert(both.end(), want.begin(), want.end());
    EXPECT_EQ(got, both) << size;
    EXPECT_EQ(all_pages({.prefix = "k"}, size), want) << size;
  }
}

TEST_F(ListingTest, starts_after_a_key_that_need_not_exist) {
  put_all({"a", "b", "c", "d/1", "d/2"});
  EXPECT_EQ(keys(list({.after = {.key = "a"}})), (Keys{"b", "c", "d/1", "d/2"}));
  EXPECT_EQ(keys(list({.after = {.key = "bb"}})), (Keys{"c", "d/1", "d/2"}));
  EXPECT_EQ(list({.delimiter = "/", .after = {.key = "d/"}}).common_prefixes, Keys{});
  EXPECT_EQ(list({.delimiter = "/", .after = {.key = "d/1"}}).common_prefixes, (Keys{"d/"}));
  EXPECT_EQ(keys(list({.max_keys = 0})), Keys{});
  EXPECT_FALSE(list({.max_keys = 0}).truncated);
}

TEST_F(ListingTest, deleted_objects_do_not_show_nor_make_prefixes) {
  bucket.versioning = Versioning::enabled;
  write([&](S3Transaction& s3) { s3.put(bucket); });
  put_all({"a", "d/gone", "e"});
  put("a");
  put("d/gone", true);
  EXPECT_EQ(keys(list({})), (Keys{"a", "e"}));
  EXPECT_EQ(list({.prefix = "", .delimiter = "/"}).common_prefixes, Keys{});
  const ListPage all = versions({});
  EXPECT_EQ(keys(all), (Keys{"a", "a", "d/gone", "d/gone", "e"}));
  EXPECT_EQ(all.is_latest, (std::vector<bool>{true, false, true, false, true}));
  EXPECT_TRUE(all.objects[2].delete_marker);
}

TEST_F(ListingTest, versions_go_on_behind_a_version) {
  bucket.versioning = Versioning::enabled;
  write([&](S3Transaction& s3) { s3.put(bucket); });
  Keys ids;
  for (int i = 0; i < 5; ++i) ids.insert(ids.begin(), put("k"));
  put("l");
  ListQuery query;
  query.max_keys = 2;
  Keys got;
  while (true) {
    const ListPage page = versions(query);
    for (const auto& object : page.objects) got.push_back(object.version_id);
    if (!page.truncated) break;
    query.after = page.last;
  }
  ASSERT_EQ(got.size(), 6u);
  EXPECT_EQ(Keys(got.begin(), got.begin() + 5), ids);
  EXPECT_EQ(keys(versions({.after = {.key = "k"}})), (Keys{"l"}));
}

TEST(ListToken, is_bound_to_its_bucket_and_refuses_changes) {
  const std::string token = make_list_token("b", {.key = "photos/", .common_prefix = true});
  const auto back = read_list_token("b", token);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->key, "photos/");
  EXPECT_TRUE(back->common_prefix);
  EXPECT_EQ(read_list_token("c", token).error().code, "InvalidArgument");
  for (size_t i = 0; i + 4 < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(read_list_token("b", changed)) << i;
  }
  EXPECT_FALSE(read_list_token("b", std::string()));
}

TEST(ListToken, keys_are_encoded_as_forms_are) {
  EXPECT_EQ(url_encode_key("a b/c+d~é(1).png"), "a+b/c%2Bd%7E%C3%A9%281%29.png");
}

}  // namespace
}  // namespace virga::s3
