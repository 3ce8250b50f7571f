#include "net/field_text.h"

#include <cstdint>
#include <cstring>

namespace virga::net {
namespace {

using Eight = unsigned char __attribute__((vector_size(8)));
using Sixteen = unsigned char __attribute__((vector_size(16)));  // one SSE register

bool is_control(unsigned char c) {
  return c < 0x20 || c == 0x7f;
}

// A text of at least one Block, a block at a time; the last one may overlap the one before.
template <class Block>
bool any_control(std::string_view text) {
  constexpr size_t kBytes = sizeof(Block);
  const auto controls = [&](size_t at) {
    Block x;
    std::memcpy(&x, text.data() + at, kBytes);
    return (x < 0x20) | (x == 0x7f);
  };
  auto found = controls(text.size() - kBytes);
  for (size_t at = 0; at + kBytes < text.size(); at += kBytes) found |= controls(at);
  uint64_t words[kBytes / sizeof(uint64_t)];
  std::memcpy(words, &found, sizeof words);
  uint64_t any = 0;
  for (const uint64_t word : words) any |= word;
  return any != 0;
}

}  // namespace

bool has_control_characters(std::string_view text) {
  if (text.size() >= sizeof(Sixteen)) return any_control<Sixteen>(text);
  if (text.size() >= sizeof(Eight)) return any_control<Eight>(text);
  bool found = false;
  for (const char c : text) found |= is_control(static_cast<unsigned char>(c));
  return found;
}

}  // namespace virga::net
