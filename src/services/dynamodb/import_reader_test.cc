#include "services/dynamodb/import_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zstd.h>

#include "net/gzip.h"
#include "services/dynamodb/fixture.h"

namespace virga::dynamodb {
namespace {

using testing::ElementsAre;

TableRef table() {
  auto out = std::make_shared<Table>();
  out->keys.hash = {{"id", AttributeType::string}};
  out->keys.range = {{"n", AttributeType::number}};
  out->definitions = {{"id", AttributeType::string}, {"n", AttributeType::number}};
  return out;
}

// Gives a few bytes at a time.
class SlowSource final : public async::ByteSource {
 public:
  explicit SlowSource(std::string bytes) : inner_(std::move(bytes)) {}
  Task<std::string> read(size_t) override { return inner_.read(3); }
  std::optional<uint64_t> size() const override { return std::nullopt; }

 private:
  async::StringSource inner_;
};

Task<std::vector<std::string>> all_lines(std::string bytes, std::string compression,
                                         ImportFormat format) {
  const auto pool = async::make_loop_pool(*async::Loop::current());
  const auto source =
      decompressed(std::make_unique<SlowSource>(std::move(bytes)), compression, *pool);
  ImportLines lines(format);
  std::vector<std::string> out;
  for (bool ended = false; !ended;) {
    const std::string piece = co_await source->read(1000);
    ended = piece.empty();
    lines.add(piece);
    for (;;) {
      auto line = co_await lines.next();
      if (!line) break;
      out.push_back(std::move(*line));
    }
  }
  co_return std::move(out);
}
Result<std::vector<std::string>> lines_of(std::string bytes, std::string compression = "NONE",
                                          ImportFormat format = ImportFormat::dynamodb_json) {
  storage::TestShard shard;
  return shard.run(all_lines(std::move(bytes), std::move(compression), format));
}

std::string zstd(std::string_view text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

TEST(ImportLines, ends_at_newlines_and_at_the_source_s_end) {
  EXPECT_THAT(*lines_of("one\r\ntwo\n\nlast"), ElementsAre("one", "two", "", "last"));
  EXPECT_THAT(*lines_of("one\n"), ElementsAre("one"));
  EXPECT_TRUE(lines_of("")->empty());
}

TEST(ImportLines, keeps_newlines_between_the_quotes_of_csv) {
  EXPECT_THAT(*lines_of("a,\"x\ny\"\nb,\"\"\"\"\n", "NONE", ImportFormat::csv),
              ElementsAre("a,\"x\ny\"", "b,\"\"\"\""));
}

TEST(ImportLines, reads_gzip_and_zstd_with_several_members) {
  EXPECT_THAT(*lines_of(net::gzip("a\nb\n") + net::gzip("c"), "GZIP"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(*lines_of(zstd("a\nb\n") + zstd("c"), "ZSTD"), ElementsAre("a", "b", "c"));
  const std::string large(300'000, 'x');
  EXPECT_THAT(*lines_of(zstd(large), "ZSTD"), ElementsAre(large));
}

TEST(ImportLines, refuses_broken_compression) {
  for (const char* kind : {"GZIP", "ZSTD"}) {
    EXPECT_ERROR(lines_of("plain text, long enough", kind), "InvalidRequest", "not valid");
    const std::string good = std::string(kind) == "GZIP" ? net::gzip("hello") : zstd("hello");
    EXPECT_ERROR(lines_of(good.substr(0, good.size() - 3), kind), "InvalidRequest", "not valid");
  }
}

TEST(SplitCsv, takes_quotes_off_and_doubled_ones_in) {
  EXPECT_THAT(*split_csv("a,\"b,\"\"c\"\"\",,d", ','), ElementsAre("a", "b,\"c\"", "", "d"));
  EXPECT_THAT(*split_csv("id|x y", '|'), ElementsAre("id", "x y"));
  EXPECT_THAT(*split_csv("value \"\"123\"\"", ','), ElementsAre("value \"123\""));
  EXPECT_ERROR(split_csv("value \"123\",x", ','), "SerializationException", "quote");
  EXPECT_ERROR(split_csv("\"a\"b", ','), "SerializationException", "quote");
}

TEST(ImportParser, gives_keys_their_types_and_all_other_columns_strings) {
  ImportParser parser(ImportFormat::csv, {}, table());
  EXPECT_FALSE(parser.parse("id,n,other")->has_value());
  EXPECT_EQ(test_json(**parser.parse("a,7.0,7.0")),
            R"({"id":{"S":"a"},"n":{"N":"7"},"other":{"S":"7.0"}})");
  EXPECT_ERROR(parser.parse("a,x,y"), "ValidationException", "");
  EXPECT_ERROR(parser.parse("a,1"), "ValidationException", "columns");
}

TEST(ImportParser, takes_the_first_line_as_values_when_headers_are_given) {
  ImportParser parser(ImportFormat::csv, {.delimiter = ';', .header = {"id", "n"}}, table());
  EXPECT_EQ(test_json(**parser.parse("a;1")), R"({"id":{"S":"a"},"n":{"N":"1"}})");
}

TEST(ImportParser, tells_a_broken_object_from_an_invalid_item) {
  ImportParser parser(ImportFormat::dynamodb_json, {}, table());
  EXPECT_TRUE(parser.parse(R"({"Item":{"id":{"S":"a"},"n":{"N":"1"}}})")->has_value());
  EXPECT_FALSE(parser.parse("  ")->has_value());
  EXPECT_ERROR(parser.parse(R"({"Item":{"id":{"S":"a"}}})"), "ValidationException",
               "Missing the key n in the item");
  EXPECT_ERROR(parser.parse(R"({"Item":{"id":{"S":"a"},"n":{"N":"x"}}})"), "ValidationException",
               "");
  for (const char* line :
       {"garbage", "{}", "[]", R"({"Item":{"id":{"S":"a"},"n":{"N":"1"}}} x)",
        R"({"Item":{"id":{"S":"a"},"n":{"N":"1"}},"Item":{}})", R"({"Item":{"id":"a"}})", "\xff"}) {
    EXPECT_ERROR(parser.parse(line), "SerializationException", "");
  }
}

Task<std::vector<ImportObject::Piece>> all_pieces(std::string bytes) {
  const auto pool = async::make_thread_pool(2);
  ImportObject object(std::make_unique<SlowSource>(std::move(bytes)), ImportFormat::dynamodb_json,
                      {}, table(), *pool);
  std::vector<ImportObject::Piece> out;
  do {
    ImportObject::Piece piece = co_await object.next();
    out.push_back(std::move(piece));
  } while (!out.back().last);
  co_return std::move(out);
}

TEST(ImportObject, gives_items_and_their_errors_in_order_until_the_object_breaks) {
  storage::TestShard shard;
  const std::string good = R"({"Item":{"id":{"S":"a"},"n":{"N":"1"}}})", bad = R"({"Item":{}})";
  const std::string lines = good + "\n" + bad + "\n\n" + good + "\n";
  const auto whole = shard.run(all_pieces(lines));
  ASSERT_TRUE(whole.has_value());
  std::string seen;
  int64_t bytes = 0;
  for (const auto& piece : *whole) {
    EXPECT_FALSE(piece.broken.has_value());
    bytes += piece.bytes;
    for (const auto& entry : piece.entries) {
      seen += entry.item ? "good " : entry.item.error().code + " ";
      EXPECT_EQ(entry.bytes, entry.item ? 6 : 0);
    }
  }
  EXPECT_EQ(seen, "good ValidationException good ");
  EXPECT_EQ(bytes, static_cast<int64_t>(lines.size()));
  const auto broken = shard.run(all_pieces(good + "\ngarbage\n" + good));
  ASSERT_TRUE(broken.has_value());
  EXPECT_EQ(broken->back().broken->code, "SerializationException");
}

TEST(ImportParser, refuses_items_over_400_kib) {
  ImportParser parser(ImportFormat::dynamodb_json, {}, table());
  const std::string big(410 * 1024, 'x');
  EXPECT_ERROR(
      parser.parse(R"({"Item":{"id":{"S":"a"},"n":{"N":"1"},"b":{"S":")" + big + R"("}}})"),
      "ValidationException", "Item size");
}

}  // namespace
}  // namespace virga::dynamodb
