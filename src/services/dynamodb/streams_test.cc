#include "api/dynamodb/delete_item.h"
#include "api/dynamodb/delete_table.h"
#include "api/dynamodb/update_table.h"
#include "api/dynamodb/update_time_to_live.h"
#include "api/dynamodbstreams/describe_stream.h"
#include "api/dynamodbstreams/get_records.h"
#include "api/dynamodbstreams/get_shard_iterator.h"
#include "api/dynamodbstreams/list_streams.h"
#include "services/dynamodb/fixture.h"
#include "services/dynamodb/shard_iterator.h"

namespace virga::dynamodb {
namespace {

// A table "notes" with a stream, and the readers' side of it.
struct Streamed : Dynamo {
  explicit Streamed(const std::string& view = "NEW_AND_OLD_IMAGES") {
    auto input = table_input("notes");
    auto& stream = input.stream_specification.emplace();
    stream.stream_enabled = true;
    stream.stream_view_type = view;
    const auto made = call(&Service::create_table, std::move(input));
    EXPECT_TRUE(made.has_value());
    arn = made->table_description->latest_stream_arn.value_or("");
  }

  void erase(const std::string& id) {
    api::DeleteItemInput input;
    input.table_name = "notes";
    input.key = test_item(R"({"id":{"S":")" + id + R"("}})");
    ASSERT_TRUE(call(&Service::delete_item, std::move(input)));
  }
  void set_stream(bool enabled, const std::string& view = "") {
    const auto done = try_stream(enabled, view);
    ASSERT_TRUE(done.has_value()) << done.error().message;
  }
  Result<api::UpdateTableOutput> try_stream(bool enabled, const std::string& view = "") {
    api::UpdateTableInput input;
    input.table_name = "notes";
    auto& stream = input.stream_specification.emplace();
    stream.stream_enabled = enabled;
    if (!view.empty()) stream.stream_view_type = view;
    return call(&Service::update_table, std::move(input));
  }
  Result<streams_api::DescribeStreamOutput> describe() {
    streams_api::DescribeStreamInput input;
    input.stream_arn = arn;
    return call(&StreamsService::describe_stream, input);
  }
  std::vector<streams_api::Shard> shards() {
    const auto got = describe();
    EXPECT_TRUE(got.has_value());
    return *got->stream_description->shards;
  }
  Result<streams_api::GetShardIteratorOutput> try_iterator(const std::string& type,
                                                           const std::string& sequence = "",
                                                           size_t shard = 0) {
    streams_api::GetShardIteratorInput input;
    input.stream_arn = arn;
    input.shard_id = *shards().at(shard).shard_id;
    input.shard_iterator_type = type;
    if (!sequence.empty()) input.sequence_number = sequence;
    return call(&StreamsService::get_shard_iterator, input);
  }
  std::string iterator(const std::string& type, const std::string& sequence = "",
                       size_t shard = 0) {
    const auto got = try_iterator(type, sequence, shard);
    EXPECT_TRUE(got.has_value()) << (got ? "" : got.error().message);
    return got ? got->shard_iterator.value_or("") : "";
  }
  Result<streams_api::GetRecordsOutput> records(const std::string& from,
                                                std::optional<int32_t> limit = {}) {
    streams_api::GetRecordsInput input;
    input.shard_iterator = from;
    input.limit = limit;
    return call(&StreamsService::get_records, input);
  }
  std::vector<streams_api::Record> read_all(size_t shard = 0) {
    auto got = records(iterator("TRIM_HORIZON", "", shard));
    EXPECT_TRUE(got.has_value()) << (got ? "" : got.error().message);
    return got ? *got->records : std::vector<streams_api::Record>{};
  }

  std::string arn;
};

TEST(Streams, record_each_change_once_in_order_with_its_images) {
  Streamed db;
  ASSERT_TRUE(db.put("notes", R"({"id":{"N":"1"},"a":{"S":"x"}})").error().code ==
              "ValidationException");
  ASSERT_TRUE(db.put("notes", R"({"id":{"S":"k"},"a":{"S":"New item!"}})"));
  ASSERT_TRUE(db.put("notes", R"({"id":{"S":"k"},"a":{"S":"New item!"}})"));  // changes nothing
  ASSERT_TRUE(db.put("notes", R"({"id":{"S":"k"},"a":{"S":"changed"}})"));
  db.erase("k");
  db.erase("k");  // nothing is there
  const auto got = db.read_all();
  ASSERT_EQ(got.size(), 3u);
  EXPECT_EQ(*got[0].event_name, "INSERT");
  EXPECT_EQ(*got[1].event_name, "MODIFY");
  EXPECT_EQ(*got[2].event_name, "REMOVE");
  EXPECT_FALSE(got[0].dynamodb->old_image.has_value());
  EXPECT_EQ(got[1].dynamodb->old_image->find("a")->payload(), "New item!");
  EXPECT_EQ(got[1].dynamodb->new_image->find("a")->payload(), "changed");
  EXPECT_FALSE(got[2].dynamodb->new_image.has_value());
  EXPECT_EQ(*got[0].dynamodb->size_bytes, 3 + 3 + 10);  // keys, and the new image
  EXPECT_EQ(got[0].event_id->size(), 32u);
  EXPECT_LT(*got[0].dynamodb->sequence_number, *got[1].dynamodb->sequence_number);
  EXPECT_EQ(got[0].dynamodb->sequence_number->size(), 21u);
  EXPECT_FALSE(got[2].user_identity);
  db.restart();
  EXPECT_EQ(db.read_all().size(), 3u);
}

TEST(Streams, show_what_the_view_type_names) {
  for (const auto& [view, has_old, has_new] : {std::tuple{"KEYS_ONLY", false, false},
                                               {"NEW_IMAGE", false, true},
                                               {"OLD_IMAGE", true, false}}) {
    Streamed db(view);
    ASSERT_TRUE(db.put("notes", R"({"id":{"S":"k"},"a":{"S":"1"}})"));
    ASSERT_TRUE(db.put("notes", R"({"id":{"S":"k"},"a":{"S":"2"}})"));
    const auto got = db.read_all();
    ASSERT_EQ(got.size(), 2u);
    EXPECT_EQ(got[1].dynamodb->old_image.has_value(), has_old) << view;
    EXPECT_EQ(got[1].dynamodb->new_image.has_value(), has_new) << view;
    EXPECT_TRUE(got[1].dynamodb->keys.has_value());
    EXPECT_EQ(*got[1].dynamodb->stream_view_type, view);
  }
}

TEST(Streams, iterators_of_all_kinds_begin_where_they_say) {
  Streamed db;
  for (const char* id : {"a", "b", "c"})
    ASSERT_TRUE(db.put("notes", R"({"id":{"S":")" + std::string(id) + R"("}})"));
  const auto all = db.read_all();
  ASSERT_EQ(all.size(), 3u);
  const std::string second = *all[1].dynamodb->sequence_number;
  EXPECT_EQ(db.records(db.iterator("AT_SEQUENCE_NUMBER", second))->records->size(), 2u);
  EXPECT_EQ(db.records(db.iterator("AFTER_SEQUENCE_NUMBER", second))->records->size(), 1u);
  const std::string latest = db.iterator("LATEST");
  EXPECT_TRUE(db.records(latest)->records->empty());
  ASSERT_TRUE(db.put("notes", R"({"id":{"S":"d"}})"));
  const auto after = db.records(latest);
  ASSERT_EQ(after->records->size(), 1u);
  EXPECT_TRUE(db.records(*after->next_shard_iterator)->records->empty());
  EXPECT_ERROR(db.try_iterator("AT_SEQUENCE_NUMBER"), "ValidationException", "SequenceNumber");
  EXPECT_ERROR(db.try_iterator("AT_SEQUENCE_NUMBER", "199999999999999999999999"),
               "ValidationException", "SequenceNumber");
}

TEST(Streams, pages_go_on_where_the_last_one_ended) {
  Streamed db("KEYS_ONLY");
  for (int i = 0; i < 7; ++i)
    ASSERT_TRUE(db.put("notes", R"({"id":{"S":"k)" + std::to_string(i) + R"("}})"));
  std::string from = db.iterator("TRIM_HORIZON");
  std::vector<size_t> sizes;
  for (int page = 0; page < 4; ++page) {
    const auto got = db.records(from, 3);
    ASSERT_TRUE(got.has_value());
    sizes.push_back(got->records->size());
    from = *got->next_shard_iterator;
  }
  EXPECT_EQ(sizes, (std::vector<size_t>{3, 3, 1, 0}));
  EXPECT_ERROR(db.records(from, 1001), "ValidationException", "less than or equal to 1000");
}

TEST(Streams, refuse_iterators_that_are_old_or_not_theirs) {
  Streamed db;
  const std::string iterator = db.iterator("TRIM_HORIZON");
  EXPECT_ERROR(db.records("nonsense"), "ValidationException", "Invalid ShardIterator");
  std::string changed = iterator;
  changed[changed.size() - 8] ^= 1;
  EXPECT_ERROR(db.records(changed), "ValidationException", "Invalid ShardIterator");
  db.advance_millis(16 * 60 * 1000);
  EXPECT_ERROR(db.records(iterator), "ExpiredIteratorException", "");
}

TEST(Streams, roll_their_shards_and_trim_what_is_a_day_old) {
  Streamed db;
  db.start_background();
  ASSERT_TRUE(db.put("notes", R"({"id":{"S":"first"}})"));
  db.advance_millis(5 * kHourMillis);
  db.settle();
  ASSERT_TRUE(db.put("notes", R"({"id":{"S":"second"}})"));
  auto shards = db.shards();
  ASSERT_EQ(shards.size(), 2u);
  EXPECT_TRUE(shards[0].sequence_number_range->ending_sequence_number.has_value());
  EXPECT_EQ(*shards[1].parent_shard_id, *shards[0].shard_id);
  const auto closed = db.records(db.iterator("TRIM_HORIZON", "", 0));
  ASSERT_EQ(closed->records->size(), 1u);
  EXPECT_FALSE(closed->next_shard_iterator.has_value());
  ASSERT_EQ(db.read_all(1).size(), 1u);
  const std::string old_sequence = *closed->records->at(0).dynamodb->sequence_number;

  db.advance_millis(
      20 * kHourMillis);  // the first record is 25 hours old, the second 20; the timer has not run
  EXPECT_EQ(db.read_all(0).size(), 0u);
  EXPECT_ERROR(db.try_iterator("AT_SEQUENCE_NUMBER", old_sequence, 0), "TrimmedDataAccessException",
               "past the oldest");
  db.settle();
  db.advance_millis(30 * kHourMillis);
  db.settle();
  shards = db.shards();
  EXPECT_FALSE(shards.back().sequence_number_range->ending_sequence_number.has_value());
  for (size_t i = 0; i < shards.size(); ++i) EXPECT_EQ(db.read_all(i).size(), 0u);
}

TEST(Streams, are_enabled_and_disabled_in_the_services_words) {
  Streamed db;
  const std::string first = db.arn;
  EXPECT_ERROR(db.try_stream(true, "KEYS_ONLY"), "ValidationException",
               "Table already has an enabled stream: TableName: notes");
  EXPECT_ERROR(db.try_stream(true), "ValidationException",
               "If stream is being enabled then UpdateViewType is required");
  EXPECT_ERROR(db.try_stream(false, "KEYS_ONLY"), "ValidationException",
               "UpdateViewType must not be specified");
  ASSERT_TRUE(db.put("notes", R"({"id":{"S":"k"}})"));
  db.set_stream(false);
  EXPECT_ERROR(db.try_stream(false), "ValidationException",
               "Table has no stream to disable: TableName: notes");
  ASSERT_TRUE(db.put("notes", R"({"id":{"S":"unseen"}})"));
  EXPECT_EQ(*db.describe()->stream_description->stream_status, "DISABLED");
  EXPECT_EQ(db.read_all().size(), 1u);
  db.set_stream(true, "KEYS_ONLY");
  streams_api::ListStreamsInput list;
  list.table_name = "notes";
  const auto streams = db.call(&StreamsService::list_streams, list);
  ASSERT_EQ(streams->streams->size(), 2u);
  EXPECT_NE(*streams->streams->at(1).stream_arn, first);
  list.exclusive_start_stream_arn = first;
  EXPECT_EQ(db.call(&StreamsService::list_streams, list)->streams->size(), 1u);
}

TEST(Streams, outlive_their_table_by_a_day) {
  Streamed db;
  db.start_background();
  ASSERT_TRUE(db.put("notes", R"({"id":{"S":"k"}})"));
  api::DeleteTableInput input;
  input.table_name = "notes";
  ASSERT_TRUE(db.call(&Service::delete_table, input));
  db.create("notes");
  ASSERT_TRUE(db.put("notes", R"({"id":{"S":"of another table"}})"));
  db.restart();
  db.start_background();
  EXPECT_EQ(*db.describe()->stream_description->stream_status, "DISABLED");
  EXPECT_EQ(db.read_all().size(), 1u);
  for (int i = 0; i < 8; ++i) {
    db.advance_millis(4 * kHourMillis);
    db.settle();
  }
  EXPECT_ERROR(db.describe(), "ResourceNotFoundException",
               "Requested resource not found: Stream: arn:aws:dynamodb:us-east-1:");
}

TEST(Streams, say_when_the_service_deleted_an_item) {
  Streamed db;
  api::UpdateTimeToLiveInput input;
  input.table_name = "notes";
  input.time_to_live_specification.enabled = true;
  input.time_to_live_specification.attribute_name = "end";
  ASSERT_TRUE(db.call(&Service::update_time_to_live, input));
  ASSERT_TRUE(db.put("notes", R"({"id":{"S":"k"},"end":{"N":")" +
                                  std::to_string(db.now_seconds() + 5) + R"("}})"));
  db.start_background();
  db.advance_millis(6'000);
  db.settle();
  const auto got = db.read_all();
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(*got[1].event_name, "REMOVE");
  EXPECT_EQ(*got[1].user_identity->type, "Service");
  EXPECT_EQ(*got[1].user_identity->principal_id, "dynamodb.amazonaws.com");
}

TEST(Streams, wake_who_watches_them) {
  Streamed db;
  int wakes = 0;
  const uint64_t id = db.wakeups().watch(db.arn, [&] { ++wakes; });
  ASSERT_TRUE(db.put("notes", R"({"id":{"S":"a"}})"));
  EXPECT_EQ(wakes, 1);
  ASSERT_TRUE(db.put("notes", R"({"id":{"S":"a"}})"));  // changes nothing
  EXPECT_EQ(wakes, 1);
  db.wakeups().unwatch(id);
  ASSERT_TRUE(db.put("notes", R"({"id":{"S":"b"}})"));
  EXPECT_EQ(wakes, 1);
}

TEST(ShardIterator, survives_its_text_form) {
  ShardIterator iterator{
      .stream_arn =
          "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2026-01-01T00:00:00.000"};
  iterator.next = UINT64_MAX;
  iterator.shard = 7;
  const auto back = ShardIterator::decode(iterator.encode());
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->next, UINT64_MAX);
  EXPECT_EQ(back->stream_arn, iterator.stream_arn);
  EXPECT_FALSE(ShardIterator::decode("").has_value());
  EXPECT_FALSE(ShardIterator::decode("a|1|").has_value());
}

}  // namespace
}  // namespace virga::dynamodb
