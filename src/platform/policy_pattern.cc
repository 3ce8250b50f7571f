#include "platform/policy_pattern.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/strings.h"

namespace virga::platform {
namespace {

// Policies are checked to hold no control characters, so these two bytes are free to stand for the
// wildcards.
constexpr char kAnyRun = '\x01';
constexpr char kAnyOne = '\x02';

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same(char a, char b, Case c) {
  return c == Case::exact ? a == b : lower(a) == lower(b);
}

bool glob(std::string_view pattern, std::string_view text, Case c) {
  size_t p = 0;
  size_t t = 0;
  size_t star = std::string_view::npos;
  size_t mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == kAnyRun) {
      star = p++;
      mark = t;
    } else if (p < pattern.size() && (pattern[p] == kAnyOne || same(pattern[p], text[t], c))) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == kAnyRun) ++p;
  return p == pattern.size();
}

constexpr size_t kArnSegments = 6;

// The six segments of an ARN; the last keeps its colons. False when there are fewer.
bool arn_segments(std::string_view text, std::array<std::string_view, kArnSegments>& out) {
  for (size_t i = 0; i + 1 < kArnSegments; ++i) {
    const size_t colon = text.find(':');
    if (colon == std::string_view::npos) return false;
    out[i] = text.substr(0, colon);
    text.remove_prefix(colon + 1);
  }
  out[kArnSegments - 1] = text;
  return true;
}

void restore_wildcards(std::string& text) {
  for (char& c : text) {
    if (c == kAnyRun) c = '*';
    if (c == kAnyOne) c = '?';
  }
}

}  // namespace

void ConditionContext::set(std::string_view key, std::string value) {
  Entry& e = entry(key);
  e.values.clear();
  e.values.push_back(std::move(value));
}

void ConditionContext::set_all(std::string_view key, std::vector<std::string> values) {
  entry(key).values = std::move(values);
}

void ConditionContext::add(std::string_view key, std::string value) {
  entry(key).values.push_back(std::move(value));
}

const std::vector<std::string>* ConditionContext::find(std::string_view lower_key) const {
  for (const Entry& e : entries_) {
    if (e.key == lower_key) return &e.values;
  }
  return nullptr;
}

std::optional<std::string_view> ConditionContext::single(std::string_view lower_key) const {
  const auto* values = find(lower_key);
  if (!values || values->size() != 1) return std::nullopt;
  return values->front();
}

ConditionContext::Entry& ConditionContext::entry(std::string_view key) {
  std::string name = to_lower(key);
  for (Entry& e : entries_) {
    if (e.key == name) return e;
  }
  entries_.push_back({std::move(name), {}});
  return entries_.back();
}

Pattern::Pattern(std::string_view text, Variables variables) : text_(text), any_(text == "*") {
  std::string literal;
  const auto flush = [&] {
    if (!literal.empty()) parts_.push_back({std::exchange(literal, {}), {}, std::nullopt});
  };
  for (size_t i = 0; i < text.size(); ++i) {
    const size_t close = variables == Variables::expand && text.substr(i).starts_with("${")
                             ? text.find('}', i)
                             : std::string_view::npos;
    if (close != std::string_view::npos) {
      const std::string_view inside = text.substr(i + 2, close - i - 2);
      if (inside == "*" || inside == "?" || inside == "$") {
        literal += inside;
      } else {
        flush();
        add_variable(inside);
      }
      i = close;
    } else {
      literal += text[i] == '*' ? kAnyRun : text[i] == '?' ? kAnyOne : text[i];
    }
  }
  flush();
  constant_ = parts_.empty() || (parts_.size() == 1 && parts_[0].variable.empty());
}

// `key` or `key, 'default'`.
void Pattern::add_variable(std::string_view inside) {
  const size_t comma = inside.find(',');
  Part part{{}, to_lower(trim(inside.substr(0, comma))), std::nullopt};
  if (comma != std::string_view::npos) {
    std::string_view fallback = trim(inside.substr(comma + 1));
    if (fallback.size() >= 2 && fallback.front() == '\'' && fallback.back() == '\'') {
      fallback = fallback.substr(1, fallback.size() - 2);
    }
    part.fallback = std::string(fallback);
  }
  parts_.push_back(std::move(part));
}

std::optional<std::string> Pattern::expand(const ConditionContext& context) const {
  std::string out;
  for (const Part& part : parts_) {
    if (part.variable.empty()) {
      out += part.literal;
    } else if (const auto value = context.single(part.variable)) {
      // A value that carries the wildcards' own bytes is no name that anything has: it matches
      // nothing.
      if (value->find_first_of("\x01\x02") != std::string_view::npos) return std::nullopt;
      out += *value;
    } else if (part.fallback) {
      out += *part.fallback;
    } else {
      return std::nullopt;
    }
  }
  return out;
}

bool Pattern::matches(std::string_view text, const ConditionContext& context, Case c) const {
  if (any_) return true;
  if (constant_) return glob(parts_.empty() ? std::string_view() : parts_[0].literal, text, c);
  const auto expanded = expand(context);
  return expanded && glob(*expanded, text, c);
}

bool Pattern::equals(std::string_view text, const ConditionContext& context, Case c) const {
  const auto value = resolve(context);
  if (!value) return false;
  return c == Case::exact ? *value == text : iequals(*value, text);
}

bool Pattern::matches_arn(std::string_view arn, const ConditionContext& context) const {
  if (any_) return true;
  std::optional<std::string> made;
  std::string_view pattern;
  if (constant_) {
    pattern = parts_.empty() ? std::string_view() : parts_[0].literal;
  } else {
    made = expand(context);
    if (!made) return false;
    pattern = *made;
  }
  std::array<std::string_view, kArnSegments> want;
  std::array<std::string_view, kArnSegments> got;
  if (!arn_segments(pattern, want) || !arn_segments(arn, got))
    return glob(pattern, arn, Case::exact);
  for (size_t i = 0; i < kArnSegments; ++i) {
    if (!glob(want[i], got[i], Case::exact)) return false;
  }
  return true;
}

std::optional<std::string> Pattern::resolve(const ConditionContext& context) const {
  auto expanded = expand(context);
  if (expanded) restore_wildcards(*expanded);
  return expanded;
}

}  // namespace virga::platform
