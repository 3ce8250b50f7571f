#include "aws/pattern.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace virga::aws {
namespace {

constexpr int kStepsMax = 200'000;
constexpr int kDepthMax = 3'000;
constexpr uint32_t kUnbounded = ~0u;

// Code points of UTF-8 text; broken bytes stand for themselves.
std::u32string decode(std::string_view text) {
  std::u32string out;
  for (size_t i = 0; i < text.size();) {
    const auto c = static_cast<uint8_t>(text[i]);
    const int extra = c < 0xc0 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
    char32_t code = extra == 0 ? c : c & (0x3f >> extra);
    ++i;
    for (int k = 0; k < extra && i < text.size(); ++k, ++i)
      code = code << 6 | (static_cast<uint8_t>(text[i]) & 0x3f);
    out += code;
  }
  return out;
}

struct Range {
  char32_t low, high;
};
using Ranges = std::vector<Range>;

enum class Op : uint8_t {
  one,
  group,
  alternatives,
  repeat,
  begin,
  end,
  word_edge,
  ahead,
  behind,
  back
};

struct Node {
  Op op = Op::one;
  bool negated = false;  // one: the class; ahead, behind: not
  bool lazy = false, possessive = false;
  uint32_t low = 0, high = 0;  // repeat
  int capture = 0;             // group, back
  Ranges ranges;               // one
  std::vector<Node> parts;  // group: a sequence; alternatives: groups; repeat, ahead, behind: one
};

void add_class(Ranges& out, std::string_view name);

void add_negated(Ranges& out, const Ranges& what) {
  // Only used for the small classes \D \W \S, which are sorted.
  char32_t next = 0;
  for (const Range& r : what) {
    if (r.low > next) out.push_back({next, r.low - 1});
    next = r.high + 1;
  }
  out.push_back({next, 0x10ffff});
}

void add_class(Ranges& out, std::string_view name) {
  const auto add = [&](std::initializer_list<Range> list) { out.insert(out.end(), list); };
  constexpr Range kAbove{0x80, 0x10ffff};
  if (name == "L" || name == "Alpha") {
    add({{'A', 'Z'}, {'a', 'z'}});
  } else if (name == "Lu" || name == "Upper") {
    add({{'A', 'Z'}});
  } else if (name == "Ll" || name == "Lower") {
    add({{'a', 'z'}});
  } else if (name == "N" || name == "Nd" || name == "Digit") {
    add({{'0', '9'}});
  } else if (name == "Alnum") {
    add({{'0', '9'}, {'A', 'Z'}, {'a', 'z'}});
  } else if (name == "Z" || name == "Zs") {
    add({{' ', ' '}});
  } else if (name == "P" || name == "Punct") {
    add({{'!', '#'},
         {'%', '*'},
         {',', '/'},
         {':', ';'},
         {'?', '@'},
         {'[', ']'},
         {'_', '_'},
         {'{', '{'},
         {'}', '}'}});
  } else if (name == "S" || name == "Sc" || name == "Sm") {
    add({{'$', '$'}, {'+', '+'}, {'<', '>'}, {'^', '^'}, {'`', '`'}, {'|', '|'}, {'~', '~'}});
  } else if (name == "C" || name == "Cc" || name == "Cntrl") {
    add({{0, 31}, {127, 127}});
  } else if (name == "ASCII") {
    return add({{0, 127}});
  } else if (name == "Print") {
    return add({{32, 126}});
  } else if (name == "Graph") {
    return add({{33, 126}});
  } else if (name == "M" || name == "IsLatin") {
    if (name == "IsLatin") add({{'A', 'Z'}, {'a', 'z'}});
  } else {
    return add({{0, 0x10ffff}});
  }
  out.push_back(kAbove);
}

class Parser {
 public:
  explicit Parser(std::u32string text) : text_(std::move(text)) {}

  std::optional<Node> parse() {
    Node root = alternatives();
    if (!ok_ || at_ != text_.size()) return std::nullopt;
    return root;
  }
  int captures() const { return captures_; }
  bool ignores_case() const { return ignore_case_; }

 private:
  bool more() const { return at_ < text_.size(); }
  char32_t peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : 0;
  }
  bool take(std::u32string_view s) {
    if (std::u32string_view(text_).substr(at_).starts_with(s)) return at_ += s.size(), true;
    return false;
  }
  Node bad() {
    ok_ = false;
    return {};
  }

  Node alternatives() {
    Node out{.op = Op::alternatives};
    out.parts.push_back(sequence());
    while (ok_ && take(U"|")) out.parts.push_back(sequence());
    if (out.parts.size() == 1) return std::move(out.parts[0]);
    return out;
  }
  Node sequence() {
    Node out{.op = Op::group};
    while (ok_ && more() && peek() != '|' && peek() != ')') {
      Node atom = this->atom();
      if (!ok_) break;
      out.parts.push_back(counted(std::move(atom)));
    }
    return out;
  }
  Node counted(Node atom) {
    uint32_t low = 0, high = kUnbounded;
    if (take(U"*")) {
    } else if (take(U"+")) {
      low = 1;
    } else if (take(U"?")) {
      high = 1;
    } else if (peek() == '{' && braces(low, high)) {
    } else {
      return atom;
    }
    Node out{.op = Op::repeat, .low = low, .high = high};
    if (take(U"?")) out.lazy = true;
    if (take(U"+")) out.possessive = true;
    out.parts.push_back(std::move(atom));
    return counted(std::move(out));
  }
  bool braces(uint32_t& low, uint32_t& high) {
    const size_t mark = at_++;
    const auto digits = [&](uint32_t& n) {
      bool any = false;
      for (n = 0; peek() >= '0' && peek() <= '9' && n < 10'000'000; ++at_, any = true)
        n = n * 10 + (peek() - '0');
      return any;
    };
    if (digits(low)) {
      high = low;
      if (take(U",") && !digits(high)) high = kUnbounded;
      if (take(U"}")) return true;
    } else if (take(U",") && digits(high) && take(U"}")) {
      return true;
    }
    at_ = mark;
    return false;
  }
  Node atom() {
    const char32_t c = text_[at_++];
    switch (c) {
      case '(':
        return group();
      case '[':
        return set();
      case '.':
        return Node{.op = Op::one, .negated = true, .ranges = {{'\n', '\n'}, {'\r', '\r'}}};
      case '^':
        return Node{.op = Op::begin};
      case '$':
        return Node{.op = Op::end};
      case '\\':
        return escape();
      default:
        return Node{.op = Op::one, .ranges = {{c, c}}};
    }
  }
  Node group() {
    Node out{.op = Op::group};
    if (take(U"?i)")) return ignore_case_ = true, out;
    if (take(U"?:")) {
      out.parts.push_back(alternatives());
    } else if (take(U"?=") || take(U"?!")) {
      out = Node{.op = Op::ahead, .negated = text_[at_ - 1] == '!'};
      out.parts.push_back(alternatives());
    } else if (take(U"?<=") || take(U"?<!")) {
      out = Node{.op = Op::behind, .negated = text_[at_ - 1] == '!'};
      out.parts.push_back(alternatives());
      // One character is all the models look back.
      if (out.parts[0].parts.size() != 1 || out.parts[0].parts[0].op != Op::one) return bad();
    } else if (take(U"?<")) {
      while (more() && peek() != '>') ++at_;
      take(U">");
      out.capture = ++captures_;
      out.parts.push_back(alternatives());
    } else if (peek() == '?') {
      return bad();
    } else {
      out.capture = ++captures_;
      out.parts.push_back(alternatives());
    }
    return take(U")") ? out : bad();
  }
  std::optional<char32_t> hex(size_t digits) {
    char32_t out = 0;
    for (size_t i = 0; i < digits; ++i, ++at_) {
      const char32_t c = peek();
      const bool digit = c >= '0' && c <= '9';
      const bool letter = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
      if (!digit && !letter) return std::nullopt;
      out = out * 16 + (digit ? c - '0' : (c | 32) - 'a' + 10);
    }
    return out;
  }
  // After the backslash: a class into `ranges` (true), or one character.
  bool class_or_char(Ranges& ranges, char32_t& one) {
    const char32_t c = text_[at_++];
    static const Ranges kDigits = {{'0', '9'}},
                        kWord = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}},
                        kBlank = {{9, 13}, {' ', ' '}};
    switch (c) {
      case 'd':
        ranges.insert(ranges.end(), kDigits.begin(), kDigits.end());
        return true;
      case 'w':
        ranges.insert(ranges.end(), kWord.begin(), kWord.end());
        return true;
      case 's':
        ranges.insert(ranges.end(), kBlank.begin(), kBlank.end());
        return true;
      case 'D':
        add_negated(ranges, kDigits);
        return true;
      case 'W':
        add_negated(ranges, kWord);
        return true;
      case 'S':
        add_negated(ranges, kBlank);
        return true;
      case 'p': {
        std::string name;
        if (take(U"{")) {
          while (more() && peek() != '}') name += static_cast<char>(text_[at_++]);
          take(U"}");
        } else if (more()) {
          name = static_cast<char>(text_[at_++]);
        }
        add_class(ranges, name);
        return true;
      }
      case 'x':
        if (take(U"{")) {
          one = 0;
          while (more() && peek() != '}') {
            const auto digit = hex(1);
            if (!digit) return ok_ = false;
            one = one * 16 + *digit;
          }
          take(U"}");
          return false;
        }
        one = hex(2).value_or(0);
        return false;
      case 'u': {
        one = hex(4).value_or(0);
        // A surrogate pair is one character.
        if (one >= 0xd800 && one < 0xdc00 && peek() == '\\' && peek(1) == 'u') {
          at_ += 2;
          one = 0x10000 + ((one - 0xd800) << 10) + (hex(4).value_or(0xdc00) - 0xdc00);
        }
        return false;
      }
      case 't':
        one = '\t';
        return false;
      case 'n':
        one = '\n';
        return false;
      case 'r':
        one = '\r';
        return false;
      case 'f':
        one = '\f';
        return false;
      default:
        one = c;
        return false;
    }
  }
  Node escape() {
    if (!more()) return bad();
    if (peek() == 'b') return ++at_, Node{.op = Op::word_edge};
    if (peek() >= '1' && peek() <= '9')
      return Node{.op = Op::back, .capture = static_cast<int>(text_[at_++] - '0')};
    Node out{.op = Op::one};
    char32_t one = 0;
    if (!class_or_char(out.ranges, one)) out.ranges.push_back({one, one});
    return out;
  }
  Node set() {
    Node out{.op = Op::one};
    if (take(U"^")) out.negated = true;
    bool first = true;
    while (more() && (peek() != ']' || first)) {
      first = false;
      char32_t low = text_[at_++];
      if (low == '[') return bad();  // unions of classes: not in the models
      if (low == '\\') {
        if (!more() || class_or_char(out.ranges, low)) continue;
      }
      if (peek() == '-' && at_ + 1 < text_.size() && peek(1) != ']') {
        ++at_;
        char32_t high = text_[at_++];
        if (high == '\\') {
          Ranges ranges;
          if (class_or_char(ranges, high)) {
            // "a-\w": the hyphen is itself.
            out.ranges.insert(out.ranges.end(), {{low, low}, {'-', '-'}});
            out.ranges.insert(out.ranges.end(), ranges.begin(), ranges.end());
            continue;
          }
        }
        out.ranges.push_back({low, high});
      } else {
        out.ranges.push_back({low, low});
      }
    }
    return take(U"]") ? out : bad();
  }

  std::u32string text_;
  size_t at_ = 0;
  bool ok_ = true;
  bool ignore_case_ = false;
  int captures_ = 0;
};

char32_t other_case(char32_t c) {
  if (c >= 'a' && c <= 'z') return c - 32;
  if (c >= 'A' && c <= 'Z') return c + 32;
  return c;
}

using Next = std::function<bool(size_t)>;

class Matcher {
 public:
  Matcher(const std::u32string& text, int captures, bool ignore_case)
      : text_(text), captures_(static_cast<size_t>(captures) + 1), ignore_case_(ignore_case) {}

  bool exhausted() const { return steps_ > kStepsMax || depth_exceeded_; }

  bool run(const Node& node, size_t at, const Next& next) {
    if (++steps_ > kStepsMax) return false;
    if (depth_ >= kDepthMax) return depth_exceeded_ = true, false;
    ++depth_;
    const bool result = step(node, at, next);
    --depth_;
    return result;
  }

 private:
  bool is(const Node& one, char32_t c) const {
    bool inside = false;
    for (const Range& r : one.ranges) {
      inside = inside || (c >= r.low && c <= r.high);
      if (ignore_case_) inside = inside || (other_case(c) >= r.low && other_case(c) <= r.high);
    }
    return inside != one.negated;
  }
  bool word(size_t at) const {
    if (at >= text_.size()) return false;
    const char32_t c = text_[at];
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  }

  bool step(const Node& node, size_t at, const Next& next) {
    switch (node.op) {
      case Op::one:
        return at < text_.size() && is(node, text_[at]) && next(at + 1);
      case Op::begin:
        return at == 0 && next(at);
      case Op::end:
        return at == text_.size() && next(at);
      case Op::word_edge:
        return (at > 0 && word(at - 1)) != word(at) && next(at);
      case Op::group:
        return group(node, at, next);
      case Op::alternatives:
        for (const Node& part : node.parts) {
          if (run(part, at, next)) return true;
          if (exhausted()) return false;
        }
        return false;
      case Op::repeat:
        return node.parts[0].op == Op::one ? repeat_one(node, at, next) : repeat(node, at, 0, next);
      case Op::ahead:
        return run(node.parts[0], at, [](size_t) { return true; }) != node.negated && next(at);
      case Op::behind: {
        const bool there = at > 0 && is(node.parts[0].parts[0], text_[at - 1]);
        return there != node.negated && next(at);
      }
      case Op::back: {
        const auto [begin, end] =
            captures_[std::min(static_cast<size_t>(node.capture), captures_.size() - 1)];
        if (text_.compare(at, end - begin, text_, begin, end - begin) != 0) return false;
        return next(at + end - begin);
      }
    }
    return false;
  }
  bool group(const Node& node, size_t at, const Next& next) {
    if (!node.capture) return sequence(node, 0, at, next);
    return sequence(node, 0, at, [&, at](size_t end) {
      auto& slot = captures_[static_cast<size_t>(node.capture)];
      const auto before = slot;
      slot = {at, end};
      if (next(end)) return true;
      slot = before;
      return false;
    });
  }
  bool sequence(const Node& node, size_t part, size_t at, const Next& next) {
    if (part == node.parts.size()) return next(at);
    if (part + 1 == node.parts.size()) return run(node.parts[part], at, next);
    return run(node.parts[part], at,
               [&, part](size_t end) { return sequence(node, part + 1, end, next); });
  }
  // Runs of one class need no recursion per character.
  bool repeat_one(const Node& node, size_t at, const Next& next) {
    const Node& one = node.parts[0];
    size_t most = 0;
    while (most < node.high && at + most < text_.size() && is(one, text_[at + most])) ++most;
    if (most < node.low) return false;
    if (node.possessive) return next(at + most);
    for (size_t i = 0; i <= most - node.low; ++i) {
      if (++steps_ > kStepsMax) return false;
      if (next(at + (node.lazy ? node.low + i : most - i))) return true;
    }
    return false;
  }
  bool repeat(const Node& node, size_t at, uint32_t count, const Next& next) {
    const auto again = [&, at, count] {
      if (count >= node.high) return false;
      return run(node.parts[0], at, [&, at, count](size_t end) {
        if (end == at && count >= node.low) return false;  // an empty turn changes nothing
        return repeat(node, end, count + 1, next);
      });
    };
    if (count < node.low) return again();
    if (node.lazy) return next(at) || again();
    return again() || next(at);
  }

  const std::u32string& text_;
  std::vector<std::pair<size_t, size_t>> captures_;
  bool ignore_case_;
  int steps_ = 0;
  int depth_ = 0;
  bool depth_exceeded_ = false;
};

}  // namespace

struct Pattern::Impl {
  std::optional<Node> root;
  int captures = 0;
  bool ignore_case = false;
};

Pattern::Pattern(std::string_view pattern) : impl_(std::make_unique<Impl>()) {
  Parser parser(decode(pattern));
  impl_->root = parser.parse();
  impl_->captures = parser.captures();
  impl_->ignore_case = parser.ignores_case();
}
Pattern::~Pattern() = default;
Pattern::Pattern(Pattern&&) noexcept = default;

bool Pattern::ok() const {
  return impl_->root.has_value();
}

bool Pattern::matches(std::string_view text) const {
  if (!impl_->root) return true;
  const std::u32string points = decode(text);
  Matcher matcher(points, impl_->captures, impl_->ignore_case);
  const bool matched =
      matcher.run(*impl_->root, 0, [&](size_t end) { return end == points.size(); });
  return matched || matcher.exhausted();
}

namespace {

struct Known {
  explicit Known(std::string_view text) : pattern(text) {}
  Pattern pattern;
  std::array<std::string, 4> matched;  // lately
  size_t oldest = 0;
};

}  // namespace

bool matches_pattern(std::string_view pattern, std::string_view text) {
  constexpr size_t kRememberedBytesMax = 256;
  thread_local std::unordered_map<std::string_view, Known> patterns;
  Known& known = patterns.try_emplace(pattern, pattern).first->second;
  if (text.empty() || text.size() > kRememberedBytesMax) return known.pattern.matches(text);
  if (std::ranges::find(known.matched, text) != known.matched.end()) return true;
  if (!known.pattern.matches(text)) return false;
  known.matched[known.oldest++ % known.matched.size()] = text;
  return true;
}

}  // namespace virga::aws
