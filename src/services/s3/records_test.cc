#include "services/s3/records.h"

#include <gtest/gtest.h>

namespace virga::s3 {
namespace {

TEST(VersionId, carries_its_sequence_and_looks_like_chance) {
  const std::string id = make_version_id(0x0102030405060708, "abcdefghijklmnop");
  EXPECT_EQ(id.size(), 32u);
  EXPECT_EQ(sequence_of(id), 0x0102030405060708u);
  EXPECT_EQ(id.find_first_of("+/="), std::string::npos);
  for (const char* bad : {"", "null", "junk", "0123456789012345678901234567890!"})
    EXPECT_FALSE(sequence_of(bad)) << bad;
}

ObjectVersion full_object() {
  ObjectVersion o;
  o.key = "a/b";
  o.sequence = 7;
  o.version_id = "null";
  o.modified_millis = 1'700'000'000'000;
  o.owner = "000000000000";
  o.size = 3;
  o.etag = "900150983cd24fb0d6963f7d28e17f72";
  o.content = {
      .kind = storage::BlobRef::Kind::inlined, .size = 3, .content = std::string("a\0c", 3)};
  o.checksum = {"CRC32", "NSRBwg==", false};
  o.encryption.algorithm = "aws:kms";
  o.encryption.bucket_key = true;
  o.headers.content_type = "text/plain";
  o.headers.storage_class = "GLACIER_IR";
  o.headers.metadata = {{"a", ""}, {"b", "2"}};
  o.tags = {{"z", "1"}, {"a", "2"}};
  o.legal_hold = LegalHold::off;
  o.upload_id = "an upload";
  o.acl = "owner\n";
  return o;
}

TEST(ObjectVersion, comes_back_as_it_was) {
  const ObjectVersion o = full_object();
  const auto got = ObjectVersion::decode("a/b", o.encode());
  ASSERT_TRUE(got);
  EXPECT_EQ(got->encode(), o.encode());
  EXPECT_EQ(got->content, o.content);
  EXPECT_EQ(got->headers.metadata, o.headers.metadata);
  EXPECT_EQ(got->headers.storage_class, "GLACIER_IR");
  EXPECT_EQ(got->tags, o.tags);
  EXPECT_TRUE(got->legal_hold == LegalHold::off && got->upload_id == "an upload");
  EXPECT_TRUE(got->encryption.bucket_key && !got->delete_marker);
}

TEST(ObjectVersion, of_torn_bytes_is_an_error_and_no_crash) {
  const std::string bytes = full_object().encode();
  size_t refused = 0;
  for (size_t n = 0; n < bytes.size(); ++n)
    refused += !ObjectVersion::decode("k", bytes.substr(0, n));
  EXPECT_GT(refused, bytes.size() / 2);
}

TEST(Manifest, keeps_parts_in_order) {
  std::vector<Part> parts(2);
  parts[0].number = 3;
  parts[0].size = 5;
  parts[0].extent.blob = {.kind = storage::BlobRef::Kind::file, .size = 5, .id = 9};
  parts[0].extent.checksum = {"SHA1", "x", false};
  parts[1].number = 10'000;
  parts[1].extent.blob = {.kind = storage::BlobRef::Kind::inlined, .size = 1, .content = "z"};
  const auto got = decode_manifest(encode_manifest(parts));
  ASSERT_TRUE(got);
  ASSERT_EQ(got->size(), 2u);
  EXPECT_EQ((*got)[0].number, 3u);
  EXPECT_EQ((*got)[0].extent.blob, parts[0].extent.blob);
  EXPECT_EQ((*got)[1].number, 10'000u);
  EXPECT_EQ((*got)[1].extent.blob.content, "z");
}

}  // namespace
}  // namespace virga::s3
