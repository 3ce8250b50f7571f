#include "base/crc.h"

#include <gtest/gtest.h>

#include <string>

#include "base/digest_stream.h"
#include "base/hashing.h"

namespace virga {
namespace {

TEST(Crc64Nvme, gives_the_published_check_value) {
  EXPECT_EQ(crc64_nvme("123456789"), 0xae8b14860a799888u);
  EXPECT_EQ(crc64_nvme(""), 0u);
}

TEST(Crc, parts_go_on_from_each_other_and_combine_afterwards) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text.push_back(static_cast<char>(i * 7));
  for (const size_t cut : {0, 1, 8, 500, 999, 1000}) {
    const std::string a = text.substr(0, cut), b = text.substr(cut);
    EXPECT_EQ(crc64_nvme(b, crc64_nvme(a)), crc64_nvme(text));
    EXPECT_EQ(crc64_nvme_combine(crc64_nvme(a), crc64_nvme(b), b.size()), crc64_nvme(text));
    EXPECT_EQ(crc32_combine(crc32(a), crc32(b), b.size()), crc32(text));
    EXPECT_EQ(crc32c_combine(crc32c(a), crc32c(b), b.size()), crc32c(text));
  }
}

TEST(DigestStream, agrees_with_the_digest_of_the_whole) {
  DigestStream digest(DigestStream::Kind::md5);
  digest.update("mess");
  digest.update("age digest");
  EXPECT_EQ(digest.finish(), md5("message digest"));
}

}  // namespace
}  // namespace virga
