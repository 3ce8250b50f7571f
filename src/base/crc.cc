#include "base/crc.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

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

// The register after `bytes`, by tables. Register: the checksum without its two inversions.
uint64_t update_by_tables(uint64_t crc, std::string_view bytes) {
  const auto& t = kTables.t;
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
  return crc;
}

#ifdef __x86_64__

// x^n modulo the polynomial.
constexpr uint64_t power_of_x(int n) {
  uint64_t power = uint64_t{1} << 63;
  for (; n > 0; --n) power = power & 1 ? power >> 1 ^ kNvme : power >> 1;
  return power;
}

// What moves 16 bytes forward by `bits`. The product of two reflected words has one x more than
// theirs, hence the - 1; the first word of the 16 bytes stands 64 bits before the second.
template <int bits>
struct Shift {
  static constexpr uint64_t kFirst = power_of_x(bits + 64 - 1);
  static constexpr uint64_t kSecond = power_of_x(bits - 1);
};

constexpr size_t kLaneBytes = 16;
constexpr size_t kFoldBytes = 4 * kLaneBytes;  // four independent lanes hide the latency
constexpr size_t kFoldFrom = 2 * kFoldBytes;   // less is as fast by tables

__attribute__((target("pclmul"))) __m128i load_lane(const char* bytes) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
}

template <int bits>
__attribute__((target("pclmul"))) __m128i fold(__m128i lane, __m128i next) {
  const __m128i by = _mm_set_epi64x(static_cast<long long>(Shift<bits>::kSecond),
                                    static_cast<long long>(Shift<bits>::kFirst));
  const __m128i first = _mm_clmulepi64_si128(lane, by, 0x00);
  const __m128i second = _mm_clmulepi64_si128(lane, by, 0x11);
  return _mm_xor_si128(next, _mm_xor_si128(first, second));
}

// The same by carry-less multiplication: 16 bytes are replaced by what they are congruent to in the
// bytes that follow, until 16 are left. Source: Intel, "Fast CRC Computation for Generic
// Polynomials Using PCLMULQDQ Instruction".
__attribute__((target("pclmul"))) uint64_t update_by_folding(uint64_t crc, std::string_view bytes) {
  const char* at = bytes.data();
  __m128i lanes[4];
  for (int i = 0; i < 4; ++i) lanes[i] = load_lane(at + i * kLaneBytes);
  lanes[0] = _mm_xor_si128(lanes[0], _mm_set_epi64x(0, static_cast<long long>(crc)));
  at += kFoldBytes;
  size_t left = bytes.size() - kFoldBytes;
  for (; left >= kFoldBytes; left -= kFoldBytes, at += kFoldBytes) {
    for (int i = 0; i < 4; ++i) lanes[i] = fold<512>(lanes[i], load_lane(at + i * kLaneBytes));
  }
  __m128i lane = lanes[0];
  for (int i = 1; i < 4; ++i) lane = fold<128>(lane, lanes[i]);
  for (; left >= kLaneBytes; left -= kLaneBytes, at += kLaneBytes) {
    lane = fold<128>(lane, load_lane(at));
  }
  char rest[kLaneBytes];
  _mm_storeu_si128(reinterpret_cast<__m128i*>(rest), lane);
  return update_by_tables(update_by_tables(0, std::string_view(rest, sizeof rest)),
                          std::string_view(at, left));
}

uint64_t update(uint64_t crc, std::string_view bytes) {
  return bytes.size() < kFoldFrom ? update_by_tables(crc, bytes) : update_by_folding(crc, bytes);
}

#else

uint64_t update(uint64_t crc, std::string_view bytes) {
  return update_by_tables(crc, bytes);
}

#endif

}  // namespace

uint64_t crc64_nvme(std::string_view bytes, uint64_t seed) {
  return ~update(~seed, bytes);
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
