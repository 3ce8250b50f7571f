#include "net/gzip.h"

#include <gtest/gtest.h>

#include "async/loop.h"

namespace virga::net {
namespace {

Result<std::string> through_a_source(std::string bytes, size_t limit) {
  async::EpollLoop loop(async::real_env());
  std::optional<Result<std::string>> got;
  const auto source = gunzip_source(std::make_unique<async::StringSource>(std::move(bytes)), limit);
  loop.post([&] {
    [](async::ByteSource* s, std::optional<Result<std::string>>* out) -> async::Detached {
      auto r = co_await as_result(async::read_all(*s, 1 << 30, AwsError{}));
      out->emplace(std::move(r));
    }(source.get(), &got);
  });
  while (!got) loop.run_once(10);
  return std::move(*got);
}

TEST(Gzip, gives_back_what_it_took) {
  for (const std::string& text :
       {std::string(), std::string("a"), std::string(1 << 20, 'x') + "end"}) {
    const std::string zipped = gzip(text);
    EXPECT_EQ(*gunzip(zipped, text.size()), text);
    EXPECT_EQ(*through_a_source(zipped, text.size()), text);
  }
}

TEST(Gzip, reads_members_that_follow_each_other) {
  EXPECT_EQ(*gunzip(gzip("one ") + gzip("two"), 100), "one two");
  EXPECT_EQ(*through_a_source(gzip("one ") + gzip("two"), 100), "one two");
}

TEST(Gzip, stops_a_bomb_at_the_limit) {
  const std::string bomb = gzip(std::string(8 << 20, '\0'));
  ASSERT_LT(bomb.size(), 10'000u);
  EXPECT_EQ(gunzip(bomb, 1 << 20).error().http_status, 413);
  EXPECT_EQ(through_a_source(bomb, 1 << 20).error().http_status, 413);
  EXPECT_TRUE(gunzip(bomb, 8 << 20));
}

TEST(Gzip, refuses_broken_data) {
  const std::string zipped = gzip("some text that is long enough to be cut");
  for (size_t cut = 0; cut < zipped.size(); ++cut) {
    EXPECT_FALSE(gunzip(zipped.substr(0, cut), 1000)) << cut;
    EXPECT_FALSE(through_a_source(zipped.substr(0, cut), 1000)) << cut;
  }
  std::string wrong_sum = zipped;
  wrong_sum[zipped.size() - 6] ^= 1;
  EXPECT_FALSE(gunzip(wrong_sum, 1000));
  EXPECT_FALSE(gunzip(zipped + "garbage", 1000));
}

TEST(Gzip, writes_one_member_from_parts) {
  GzipWriter writer;
  std::string all, packed;
  for (int i = 0; i < 1000; ++i) {
    const std::string part = "line " + std::to_string(i * 7919) + std::string(300, 'x') + "\n";
    writer.add(part, packed);
    all += part;
  }
  writer.finish(packed);
  EXPECT_EQ(*gunzip(packed, all.size()), all);
  EXPECT_LT(packed.size(), all.size() / 10);
}

TEST(Gzip, writes_an_empty_text) {
  std::string packed;
  GzipWriter().finish(packed);
  EXPECT_EQ(*gunzip(packed, 1), "");
}

}  // namespace
}  // namespace virga::net
