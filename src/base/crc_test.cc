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

// As the definition says it, a bit at a time.
uint64_t crc64_nvme_by_bits(std::string_view bytes, uint64_t seed) {
  uint64_t crc = ~seed;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc & 1 ? crc >> 1 ^ 0x9a6c9329ac4bc9b5 : crc >> 1;
  }
  return ~crc;
}

TEST(Crc64Nvme, is_the_definition_s_at_every_length_and_alignment) {
  std::string text;
  uint64_t state = 1;
  for (int i = 0; i < 1100; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    text.push_back(static_cast<char>(state >> 56));
  }
  for (const uint64_t seed : {uint64_t{0}, uint64_t{0xae8b14860a799888}, ~uint64_t{0}}) {
    for (size_t begin = 0; begin < 17; ++begin) {
      for (size_t size = 0; begin + size <= text.size(); size += size < 300 ? 1 : 61) {
        const auto part = std::string_view(text).substr(begin, size);
        ASSERT_EQ(crc64_nvme(part, seed), crc64_nvme_by_bits(part, seed)) << begin << " " << size;
      }
    }
  }
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
