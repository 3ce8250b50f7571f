#include "services/s3/event_record.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace virga::s3 {
namespace {

Document object_of_event(std::string_view name, std::string* version = nullptr) {
  Bucket bucket;
  bucket.name = "b";
  bucket.owner = "111122223333";
  bucket.region = "eu-west-1";
  bucket.versioning = Versioning::enabled;
  ObjectVersion object;
  object.key = "a b/ü";
  object.size = 5;
  object.etag = "5d41402abc4b2a76b9719d911017c592";
  object.version_id = "v1";
  RequestContext request;
  request.partition = "aws";
  const auto message =
      parse_json(event_message(request, bucket, "rule", object_event(name, bucket, object)));
  const Document& record = message->find("Records")->as_array().at(0);
  EXPECT_EQ(record.string_or("eventName", ""), name);
  if (version) *version = record.string_or("eventVersion", "");
  return *record.find("s3")->find("object");
}

TEST(EventRecord, of_content_has_size_and_order) {
  std::string version;
  const Document object = object_of_event("ObjectCreated:Put", &version);
  EXPECT_EQ(version, "2.1");
  EXPECT_EQ(object.string_or("key", ""), "a+b/%C3%BC");
  EXPECT_EQ(object.find("size")->as_int(), 5);
  EXPECT_EQ(object.string_or("versionId", ""), "v1");
  EXPECT_TRUE(object.find("sequencer"));
}

TEST(EventRecord, of_tags_and_lists_has_neither) {
  for (const std::string_view name :
       {"ObjectTagging:Put", "ObjectTagging:Delete", "ObjectAcl:Put"}) {
    std::string version;
    const Document object = object_of_event(name, &version);
    EXPECT_EQ(version, "2.3");
    EXPECT_EQ(object.string_or("eTag", ""), "5d41402abc4b2a76b9719d911017c592");
    EXPECT_FALSE(object.find("size") || object.find("sequencer"));
  }
}

}  // namespace
}  // namespace virga::s3
