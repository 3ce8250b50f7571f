#include "base/crc.h"

#include <array>
#include <cstring>

namespace virga {
namespace {

// Polynomials with the bits of each reflected: x^0 is the highest bit.
constexpr uint64_t kNvme = 0x9a6c9329ac4bc9b5;
constexpr uint32_t kIeee = 0xedb88320;
constexpr uint32_t kCastagnoli = 0x82f63b78;

// Tables for eight bytes at a time ("slicing by 8").
struct Tables {
  std::array<std::array<uint64_t, 256>, 8> t{};
  constexpr Tables() {
    for (uint64_t i = 0; i < 256; ++i) {
      uint64_t crc = i;
      for (int bit = 0; bit < 8; ++bit) crc = crc & 1 ? crc >> 1 ^ kNvme : crc >> 1;
      t[0][i] = crc;
    }
    for (size_t k = 1; k < 8; ++k) {
      for (size_t i = 0; i < 256; ++i) t[k][i] = t[k - 1][i] >> 8 ^ t[0][t[k - 1][i] & 0xff];
    }
  }
};
constinit const Tables kTables;

// a * b modulo the polynomial, bits reflected.
template <class Word>
Word multiply(Word a, Word b, Word polynomial) {
  constexpr Word kTop = Word(1) << (sizeof(Word) * 8 - 1);
  Word product = 0;
  for (Word bit = kTop; bit != 0; bit >>= 1) {
    if (a & bit) product ^= b;
    b = b & 1 ? b >> 1 ^ polynomial : b >> 1;
  }
  return product;
}

// first * x^(8 * bytes) + second: appending `bytes` zero bytes multiplies by x^8 each.
template <class Word>
Word combine(Word first, Word second, uint64_t bytes, Word polynomial) {
  constexpr Word kOne = Word(1) << (sizeof(Word) * 8 - 1);
  Word power = kOne >> 8;  // x^8
  Word shift = kOne;
  for (; bytes != 0; bytes >>= 1) {
    if (bytes & 1) shift = multiply(shift, power, polynomial);
    power = multiply(power, power, polynomial);
  }
  return multiply(shift, first, polynomial) ^ second;
}

}  // namespace

// TODO(perf): folding with carry-less multiplication is several times faster than tables.
uint64_t crc64_nvme(std::string_view bytes, uint64_t seed) {
  const auto& t = kTables.t;
  uint64_t crc = ~seed;
  while (bytes.size() >= 8) {
    uint64_t word;
    std::memcpy(&word, bytes.data(), 8);
    word ^= crc;
    crc = t[7][word & 0xff] ^ t[6][word >> 8 & 0xff] ^ t[5][word >> 16 & 0xff] ^
          t[4][word >> 24 & 0xff] ^ t[3][word >> 32 & 0xff] ^ t[2][word >> 40 & 0xff] ^
          t[1][word >> 48 & 0xff] ^ t[0][word >> 56];
    bytes.remove_prefix(8);
  }
  for (const char c : bytes) crc = t[0][(crc ^ static_cast<unsigned char>(c)) & 0xff] ^ crc >> 8;
  return ~crc;
}

uint32_t crc32_combine(uint32_t first, uint32_t second, uint64_t second_bytes) {
  return combine<uint32_t>(first, second, second_bytes, kIeee);
}
uint32_t crc32c_combine(uint32_t first, uint32_t second, uint64_t second_bytes) {
  return combine<uint32_t>(first, second, second_bytes, kCastagnoli);
}
uint64_t crc64_nvme_combine(uint64_t first, uint64_t second, uint64_t second_bytes) {
  return combine<uint64_t>(first, second, second_bytes, kNvme);
}

}  // namespace virga
