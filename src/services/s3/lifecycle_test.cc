#include "services/s3/lifecycle.h"

#include <gtest/gtest.h>

#include "api/s3/shapes/bucket_lifecycle_configuration.h"

namespace virga::s3 {
namespace {

using Kind = LifecycleAction::Kind;

constexpr int64_t kDay = 86'400'000;
constexpr int64_t kMade = 100 * kDay + 1000;  // a second after some midnight

ListedVersion version(std::string key = "logs/a", uint64_t size = 1 << 20) {
  ListedVersion v;
  v.key = std::move(key);
  v.modified_millis = kMade;
  v.size = size;
  return v;
}

LifecycleRule expiring(int32_t days) {
  LifecycleRule rule;
  rule.id = "r";
  rule.prefix = "logs/";
  rule.expiration = LifecycleTime{days, {}};
  return rule;
}

Kind kind_of(const LifecycleRules& rules, const ListedVersion& v, const VersionPlace& place,
             int64_t now) {
  return lifecycle_action(rules, v, {}, place, now).kind;
}

TEST(Lifecycle, days_end_at_the_midnight_after_they_are_over) {
  const LifecycleRules rules{expiring(1)};
  EXPECT_EQ(kind_of(rules, version(), {}, 102 * kDay - 1), Kind::keep);
  EXPECT_EQ(kind_of(rules, version(), {}, 102 * kDay), Kind::expire);
  EXPECT_EQ(kind_of(rules, version("other/a"), {}, 200 * kDay), Kind::keep);
}

TEST(Lifecycle, tags_and_sizes_must_fit) {
  LifecycleRule rule = expiring(1);
  rule.tags = {{"a", "1"}, {"b", "2"}};
  rule.larger_than = 10;
  rule.smaller_than = 20;
  const int64_t late = 200 * kDay;
  const auto kind = [&](uint64_t size, std::vector<std::pair<std::string, std::string>> tags) {
    return lifecycle_action({rule}, version("logs/a", size), tags, {}, late).kind;
  };
  EXPECT_EQ(kind(15, {{"b", "2"}, {"c", "3"}, {"a", "1"}}), Kind::expire);
  EXPECT_EQ(kind(15, {{"a", "1"}}), Kind::keep);
  EXPECT_EQ(kind(10, {{"a", "1"}, {"b", "2"}}), Kind::keep);
  EXPECT_EQ(kind(20, {{"a", "1"}, {"b", "2"}}), Kind::keep);
}

TEST(Lifecycle, keeps_the_newest_noncurrent_versions) {
  LifecycleRule rule;
  rule.noncurrent_days = 1;
  rule.newer_kept = 2;
  VersionPlace place{
      .current = false, .alone = false, .noncurrent_since_millis = kMade, .newer_noncurrent = 1};
  EXPECT_EQ(kind_of({rule}, version(), place, 200 * kDay), Kind::keep);
  place.newer_noncurrent = 2;
  EXPECT_EQ(kind_of({rule}, version(), place, 101 * kDay), Kind::keep);
  EXPECT_EQ(kind_of({rule}, version(), place, 102 * kDay), Kind::expire);
  place.current = true;
  EXPECT_EQ(kind_of({rule}, version(), place, 200 * kDay), Kind::keep);
}

TEST(Lifecycle, markers_go_when_they_hide_nothing) {
  LifecycleRule rule;
  rule.lone_markers = true;
  ListedVersion marker = version();
  marker.delete_marker = true;
  EXPECT_EQ(kind_of({rule}, marker, {.alone = true}, kMade), Kind::expire);
  EXPECT_EQ(kind_of({rule}, marker, {.alone = false}, kMade), Kind::keep);
  EXPECT_EQ(kind_of({rule}, version(), {.alone = true}, kMade), Kind::keep);
}

TEST(Lifecycle, objects_move_down_only_and_not_when_they_are_small) {
  LifecycleRule rule;
  rule.moves = {{.time = {30, {}}, .storage_class = "STANDARD_IA"},
                {.time = {90, {}}, .storage_class = "GLACIER"}};
  const auto reached = [&](const ListedVersion& v, int64_t day) {
    return lifecycle_action({rule}, v, {}, {}, day * kDay).storage_class;
  };
  EXPECT_EQ(reached(version(), 130), "");
  EXPECT_EQ(reached(version(), 131), "STANDARD_IA");
  EXPECT_EQ(reached(version(), 191), "GLACIER");
  EXPECT_EQ(reached(version("logs/a", 1000), 191), "");
  ListedVersion deep = version();
  deep.storage_class = "DEEP_ARCHIVE";
  EXPECT_EQ(reached(deep, 191), "");
}

TEST(Lifecycle, tells_the_first_end) {
  ObjectVersion object;
  object.key = "logs/a";
  object.modified_millis = 0;
  LifecycleRule sooner = expiring(2);
  sooner.id = "sooner";
  EXPECT_EQ(expiration_of({expiring(5), sooner}, object),
            "expiry-date=\"Sun, 04 Jan 1970 00:00:00 GMT\", rule-id=\"sooner\"");
  object.key = "k";
  EXPECT_EQ(expiration_of({sooner}, object), std::nullopt);
}

TEST(CheckLifecycle, refuses_what_s3_refuses) {
  const auto refusal = [](const auto& edit) {
    api::BucketLifecycleConfiguration configuration;
    api::LifecycleRule& rule = configuration.rules.emplace_back();
    rule.status = "Enabled";
    rule.prefix = "";
    rule.expiration.emplace().days = 1;
    edit(rule);
    const auto checked = check_lifecycle(configuration);
    return checked ? std::string() : checked.error().code;
  };
  EXPECT_EQ(refusal([](auto&) {}), "");
  EXPECT_EQ(refusal([](auto& rule) { rule.status = "enabled"; }), "MalformedXML");
  EXPECT_EQ(refusal([](auto& rule) { rule.prefix.reset(); }), "MalformedXML");
  EXPECT_EQ(refusal([](auto& rule) { rule.filter.emplace(); }), "MalformedXML");
  EXPECT_EQ(refusal([](auto& rule) { rule.expiration->days = 0; }), "InvalidArgument");
  EXPECT_EQ(refusal([](auto& rule) { rule.expiration->date = Timestamp::from_millis(0); }),
            "MalformedXML");
  EXPECT_EQ(refusal([](auto& rule) {
              rule.expiration->days.reset();
              rule.expiration->date = Timestamp::from_millis(1000);
            }),
            "InvalidArgument");
  EXPECT_EQ(refusal([](auto& rule) { rule.expiration.reset(); }), "InvalidRequest");
  EXPECT_EQ(refusal([](auto& rule) { rule.id = std::string(256, 'a'); }), "InvalidArgument");
  EXPECT_EQ(refusal([](auto& rule) {
              auto& move = rule.transitions.emplace().emplace_back();
              move.days = 1;
              move.storage_class = "STANDARD_IA";
            }),
            "InvalidArgument");
}

}  // namespace
}  // namespace virga::s3
