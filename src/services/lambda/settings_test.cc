#include "services/lambda/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/lambda/runtimes.h"

namespace virga::lambda {
namespace {

using ::testing::HasSubstr;

TEST(Environment, takes_what_fits_into_4_kb) {
  EXPECT_TRUE(check_environment({}));
  EXPECT_TRUE(check_environment({{"TABLE", "notes"}, {"AWS_LAMBDA_EXEC_WRAPPER", "/opt/x"}}));
  // {"A1":"…"} is nine bytes beside the value.
  EXPECT_TRUE(check_environment({{"A1", std::string(4087, 'x')}}));
}

TEST(Environment, refuses_more_than_4_kb_with_the_measured_text) {
  const auto got = check_environment({{"A1", std::string(4088, 'x')}});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, "InvalidParameterValueException");
  EXPECT_THAT(got.error().message,
              HasSubstr("exceeded the 4KB limit. String measured: {\"A1\":\"xxxx"));
}

TEST(Environment, refuses_reserved_keys_naming_them) {
  const auto got = check_environment({{"AWS_REGION", "x"}, {"LAMBDA_TASK_ROOT", "y"}, {"OK", "z"}});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().message,
            "Lambda was unable to configure your environment variables because the environment "
            "variables you have "
            "provided contains reserved keys that are currently not supported for modification. "
            "Reserved keys used in "
            "this request: AWS_REGION, LAMBDA_TASK_ROOT");
}

TEST(Environment, refuses_names_that_are_no_names) {
  for (const char* name : {"1A", "A", "_A", "A-B", ""})
    EXPECT_FALSE(check_environment({{std::string(name), "x"}})) << name;
}

TEST(Runtime, every_python_node_and_provided_name_is_accepted) {
  for (const char* name : {"python2.7", "python3.6", "python3.14", "nodejs", "nodejs4.3-edge",
                           "nodejs24.x", "provided", "provided.al2", "provided.al2023"}) {
    EXPECT_TRUE(check_runtime(name)) << name;
  }
  EXPECT_EQ(runtime_family("python3.12"), RuntimeFamily::python);
  EXPECT_EQ(runtime_family("nodejs20.x"), RuntimeFamily::node);
  EXPECT_EQ(runtime_family("provided.al2023"), RuntimeFamily::provided);
  EXPECT_EQ(runtime_family("java21"), RuntimeFamily::other);
}

TEST(Runtime, others_get_the_enum_error) {
  for (const char* name : {"java21", "python3", "nodejs20", "cobol"}) {
    const auto got = check_runtime(name);
    ASSERT_FALSE(got) << name;
    EXPECT_EQ(got.error().code, "InvalidParameterValueException");
    EXPECT_THAT(got.error().message,
                HasSubstr("Value " + std::string(name) +
                          " at 'runtime' failed to satisfy constraint: Member must satisfy enum "
                          "value set: [nodejs20.x, "));
    EXPECT_THAT(got.error().message, HasSubstr("] or be a valid ARN"));
  }
}

TEST(Settings, ranges_are_inclusive) {
  EXPECT_TRUE(check_memory(128));
  EXPECT_TRUE(check_memory(10'240));
  EXPECT_THAT(check_memory(10'241).error().message, HasSubstr("less than or equal to 10240"));
  EXPECT_THAT(check_memory(127).error().message, HasSubstr("greater than or equal to 128"));
  EXPECT_TRUE(check_timeout(1));
  EXPECT_TRUE(check_timeout(900));
  EXPECT_THAT(check_timeout(901).error().message, HasSubstr("less than or equal to 900"));
}

TEST(Settings, a_role_is_checked_by_its_form) {
  EXPECT_TRUE(check_role("arn:aws:iam::000000000000:role/lambda"));
  EXPECT_TRUE(check_role("arn:aws-cn:iam::000000000000:role/path/lambda"));
  for (const char* bad :
       {"", "role", "arn:aws:iam::1:role/x", "arn:aws:iam::000000000000:user/x"}) {
    EXPECT_EQ(check_role(bad).error().code, "ValidationException") << bad;
  }
}

TEST(Settings, tags_are_limited) {
  std::map<std::string, std::string> many;
  for (int i = 0; i < 51; ++i) many["k" + std::to_string(i)] = "v";
  EXPECT_EQ(check_tags(many).error().message, "Number of tags exceeds resource tag limit.");
  many.erase("k0");
  EXPECT_TRUE(check_tags(many));
  EXPECT_FALSE(check_tags({{std::string("aws:x"), "y"}}));
}

TEST(Settings, last_modified_has_milliseconds_and_an_offset) {
  EXPECT_EQ(format_last_modified(from_civil(2026, 3, 1, 12, 0, 5, 0)),
            "2026-03-01T12:00:05.000+0000");
}

}  // namespace
}  // namespace virga::lambda
