#pragma once

#include <cstdint>

#include "aws/decode_path.h"
#include "aws/shape.h"
#include "aws/wire.h"

namespace virga::aws {

// Which members a body has. Requests: those bound to labels, the query or headers are elsewhere.
// Answers: only headers and the status are.
enum class Members : uint8_t { all, body_only, answer };

inline bool in_answer_body(const MemberDesc& m) {
  return m.location == Location::body || m.location == Location::uri ||
         m.location == Location::query;
}
inline bool is_among(Members members, const MemberDesc& m) {
  return members == Members::all ||
         (members == Members::body_only ? m.location == Location::body : in_answer_body(m));
}

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
inline void note_missing(const StructDesc& shape, const MemberSet& seen, const DecodePath* at,
                         DecodeNotes& notes) {
  for (size_t i = 0; i < shape.members.size(); ++i) {
    const MemberDesc& m = shape.members[i];
    if (m.required() && !seen.has(i))
      notes.missing.push_back(DecodePath::member(at, m.name).text());
  }
}

}  // namespace virga::aws
