#include "sandbox/machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sandbox/dns.h"
#include "sandbox/runtimes.h"

namespace virga::sandbox {
namespace {

using ::testing::HasSubstr;

TEST(Machine, tells_what_it_allows) {
  const auto lines = describe_machine({});
  ASSERT_GE(lines.size(), 4u);
  EXPECT_EQ(lines[0].what, "sandboxes");
  EXPECT_THAT(lines[3].found, HasSubstr("allow-list"));
}

TEST(Runtimes, maps_a_name_to_the_nearest_interpreter) {
  EXPECT_FALSE(runtime_family("java21"));
  EXPECT_FALSE(find_interpreter("ruby3.3", {}));
  EXPECT_EQ(find_interpreter("provided.al2023", {})->family, Family::provided);
  const auto mapped = find_interpreter("python3.13", {{"python3.13", "/bin/sh"}});
  ASSERT_TRUE(mapped);
  EXPECT_THAT(mapped->path, HasSubstr("sh"));
  const auto python = find_interpreter("python3.9", {});
  if (python) {
    EXPECT_THAT(python->path, HasSubstr("python3."));
  }
}

// A query for `name` of `type` (1: A, 28: AAAA, 15: MX).
std::string query(const std::string& name, char type) {
  std::string out("\x12\x34\x01\0\0\1\0\0\0\0\0\0", 12);
  size_t at = 0;
  while (at < name.size()) {
    const size_t end = std::min(name.find('.', at), name.size());
    out += static_cast<char>(end - at);
    out += name.substr(at, end - at);
    at = end + 1;
  }
  out.append({'\0', '\0', type, '\0', '\1'});
  return out;
}

TEST(Dns, answers_its_own_names_with_loopback) {
  const std::string answer = answer_dns(query("Bucket.S3.LocalHost", 1));
  EXPECT_EQ(answer.substr(0, 4), std::string("\x12\x34\x85\x80", 4));
  EXPECT_EQ(answer.substr(answer.size() - 4), std::string("\x7f\0\0\1", 4));
  EXPECT_EQ(
      answer_dns(query("localhost", 28)).substr(answer_dns(query("localhost", 28)).size() - 16),
      std::string(15, '\0') + '\1');
  EXPECT_EQ(answer_dns(query("localhost", 15))[3] & 0xf, 0);  // exists, has no such record
  EXPECT_EQ(answer_dns(query("localhost", 15))[7], 0);
}

TEST(Dns, denies_others_and_ignores_what_is_no_query) {
  EXPECT_EQ(answer_dns(query("example.com", 1))[3] & 0xf, 3);
  EXPECT_EQ(answer_dns(query("notlocalhost", 1))[3] & 0xf, 3);
  EXPECT_EQ(answer_dns(""), "");
  EXPECT_EQ(answer_dns(std::string(17, '\xff')), "");
  std::string cut = query("localhost", 1);
  for (size_t size = 0; size < cut.size(); ++size)
    EXPECT_EQ(answer_dns(cut.substr(0, size)), "") << size;
  std::string pointer("\x12\x34\x01\0\0\1\0\0\0\0\0\0\xc0\x0c\0\1\0\1", 18);
  EXPECT_EQ(answer_dns(pointer), "");
}

}  // namespace
}  // namespace virga::sandbox
