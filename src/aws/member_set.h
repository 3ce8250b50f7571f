#pragma once

#include <cstdint>

#include "aws/decode_path.h"
#include "aws/shape.h"
#include "aws/wire.h"

namespace virga::aws {

// Which members of a structure a decoder has seen.
class MemberSet {
 public:
  void add(const StructDesc& shape, const MemberDesc& m) {
    const size_t i = static_cast<size_t>(&m - shape.members.data);
    bits_[i / 64] |= uint64_t{1} << (i % 64);
  }
  bool has(size_t i) const { return bits_[i / 64] >> (i % 64) & 1; }

 private:
  uint64_t bits_[kMembersMax / 64] = {};
};

// Notes the required members that were not seen.
inline void note_missing(const StructDesc& shape, const MemberSet& seen, const DecodePath* at, DecodeNotes& notes) {
  for (size_t i = 0; i < shape.members.size(); ++i) {
    const MemberDesc& m = shape.members[i];
    if (m.required() && !seen.has(i)) notes.missing.push_back(DecodePath::member(at, m.name).text());
  }
}

}  // namespace virga::aws
