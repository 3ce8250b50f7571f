#include "services/dynamodb/partition_hash.h"

#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "base/hashing.h"

namespace virga::dynamodb {
namespace {

constexpr std::string_view kSeed = "Outliers";

// RFC 1321, section 3.4: floor(2^32 * |sin(i + 1)|).
constexpr std::array<uint32_t, 64> kSines = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};
constexpr std::array<std::array<int, 4>, 4> kShifts = {
    {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}}};

// One of the 64 steps; unrolled by its caller, so that its number is known to the compiler.
template <size_t kStep>
inline void md5_step(uint32_t& a, uint32_t b, uint32_t c, uint32_t d, const uint32_t (&words)[16]) {
  constexpr size_t kRound = kStep / 16;
  uint32_t f = 0;
  size_t word = 0;
  if constexpr (kRound == 0) {
    f = (b & c) | (~b & d);
    word = kStep;
  } else if constexpr (kRound == 1) {
    f = (d & b) | (~d & c);
    word = (5 * kStep + 1) % 16;
  } else if constexpr (kRound == 2) {
    f = b ^ c ^ d;
    word = (3 * kStep + 5) % 16;
  } else {
    f = c ^ (b | ~d);
    word = (7 * kStep) % 16;
  }
  a = b + std::rotl(a + f + kSines[kStep] + words[word], kShifts[kRound][kStep % 4]);
}

// MD5 of a text that fits one block (at most 55 bytes): the common case, without a library's
// set-up. First word only.
uint32_t md5_first_word(const unsigned char (&block)[64]) {
  static_assert(std::endian::native == std::endian::little);
  uint32_t words[16];
  std::memcpy(words, block, sizeof words);
  uint32_t a = 0x67452301, b = 0xefcdab89, c = 0x98badcfe, d = 0x10325476;
  [&]<size_t... kFours>(std::index_sequence<kFours...>) {
    ((md5_step<4 * kFours>(a, b, c, d, words), md5_step<4 * kFours + 1>(d, a, b, c, words),
      md5_step<4 * kFours + 2>(c, d, a, b, words), md5_step<4 * kFours + 3>(b, c, d, a, words)),
     ...);
  }(std::make_index_sequence<16>());
  return a + 0x67452301;
}

}  // namespace

uint16_t partition_hash(std::string_view key_bytes) {
  const size_t size = kSeed.size() + key_bytes.size();
  unsigned char first = 0, second = 0;
  if (size <= 55) {
    unsigned char block[64] = {};
    std::memcpy(block, kSeed.data(), kSeed.size());
    std::memcpy(block + kSeed.size(), key_bytes.data(), key_bytes.size());
    block[size] = 0x80;
    const uint64_t bits = size * 8;
    std::memcpy(block + 56, &bits, sizeof bits);
    const uint32_t word = md5_first_word(block);
    first = static_cast<unsigned char>(word);
    second = static_cast<unsigned char>(word >> 8);
  } else {
    std::string text(kSeed);
    text += key_bytes;
    const std::string digest = md5(text);
    first = static_cast<unsigned char>(digest[0]);
    second = static_cast<unsigned char>(digest[1]);
  }
  return static_cast<uint16_t>(first << 8 | second);
}

}  // namespace virga::dynamodb
