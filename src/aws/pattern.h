#pragma once

#include <memory>
#include <string_view>

namespace virga::aws {

// The regular expressions of the models (java.util.regex as services use it): whole-text match,
// code points, classes, groups, alternation, greedy, lazy and possessive counts, look-ahead and
// one-character look-behind, back references.
// \p{L}, \p{N} and their like are exact for ASCII and accept everything above it. Matching is
// bounded: when a pattern backtracks too much the text is accepted, since refusing a good request
// is worse than leaving a check to the handler.
class Pattern {
 public:
  // A pattern that cannot be read (a construct we do not know) matches everything; ok() tells.
  explicit Pattern(std::string_view pattern);
  ~Pattern();
  Pattern(Pattern&&) noexcept;
  bool ok() const;
  bool matches(std::string_view text) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Whether the text matches the pattern, which is compiled once per thread. What matched last is
// known without trying: names of functions, tables and queues come again and again.
bool matches_pattern(std::string_view pattern, std::string_view text);

}  // namespace virga::aws
