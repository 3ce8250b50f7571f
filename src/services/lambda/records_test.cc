#include "services/lambda/records.h"

#include <gtest/gtest.h>

namespace virga::lambda {
namespace {

TEST(Records, a_function_reads_back_as_it_was) {
  FunctionRecord in{.id = 7, .name = "orders", .last_version = 3, .reserved_concurrency = 5};
  in.tags["a"] = "b";
  in.latest.runtime = "python3.12";
  in.latest.environment.emplace()["K"] = "v\n\"x\"";
  in.latest.code = {.sha256_base64 = "a=", .sha256_hex = "61", .zip_bytes = 5, .unzipped_bytes = 6};
  in.latest.generation = 99;
  in.latest.last_modified = Timestamp{1'234'567};
  const auto out = decode_function(encode(in));
  ASSERT_TRUE(out);
  EXPECT_EQ(out->id, 7u);
  EXPECT_EQ(out->tags, in.tags);
  EXPECT_EQ(out->reserved_concurrency, 5);
  EXPECT_EQ(out->latest.generation, 99u);
  EXPECT_EQ(out->latest.environment, in.latest.environment);
  EXPECT_EQ(out->latest.last_modified.micros, 1'234'567);
  EXPECT_TRUE(out->latest.runs_like(in.latest));
}

TEST(Records, an_absent_environment_stays_absent) {
  EXPECT_FALSE(decode_version(encode(VersionRecord{}))->environment);
  VersionRecord empty;
  empty.environment.emplace();
  EXPECT_TRUE(decode_version(encode(empty))->environment);
}

TEST(Records, aliases_policies_and_event_settings_read_back) {
  const auto alias =
      decode_alias(encode(AliasRecord{.name = "live", .version = "1", .weights = {{"2", 0.25}}}));
  EXPECT_EQ(alias->weights.at("2"), 0.25);
  const auto policy = decode_policy(
      encode(PolicyRecord{.statements = {{"s", "{\"Sid\":\"s\"}"}}, .revision_id = "r"}));
  ASSERT_EQ(policy->statements.size(), 1u);
  EXPECT_EQ(policy->statements[0].json, "{\"Sid\":\"s\"}");
  const auto event =
      decode_event_invoke(encode(EventInvokeRecord{.qualifier = "$LATEST", .retry_attempts = 0}));
  EXPECT_EQ(event->retry_attempts, 0);
  EXPECT_FALSE(event->event_age_seconds);
}

TEST(Records, what_is_unreadable_is_our_fault) {
  for (const std::string& bytes :
       {std::string(), std::string("\2{}", 3), std::string("\1{", 2), std::string("\1[]", 3)}) {
    EXPECT_EQ(decode_function(bytes).error().code, "InternalFailure");
  }
}

TEST(Records, a_publication_compares_what_runs) {
  VersionRecord a, b;
  b.description = "other";
  b.revision_id = "other";
  EXPECT_TRUE(a.runs_like(b));
  b.timeout_seconds = 4;
  EXPECT_FALSE(a.runs_like(b));
}

}  // namespace
}  // namespace virga::lambda
