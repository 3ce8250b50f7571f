#include "services/logs/tokens.h"

#include "base/hashing.h"
#include "base/strings.h"
#include "services/logs/errors.h"

namespace virga::logs {
namespace {

constexpr size_t kTimeDigits = 20;
constexpr size_t kLsnDigits = 20;
constexpr size_t kIndexDigits = 16;

void append_digits(std::string& out, uint64_t value, size_t width) {
  const std::string text = std::to_string(value);
  out.append(width - std::min(width, text.size()), '0');
  out += text;
}

std::optional<uint64_t> read_digits(std::string_view text) {
  uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9' || value > (UINT64_MAX - 9) / 10) return std::nullopt;
    value = value * 10 + static_cast<uint64_t>(c - '0');
  }
  return value;
}

std::string checksum(std::string_view text) {
  return std::to_string(crc32c(text, 0x106) % 10000);
}

}  // namespace

std::string position_digits(const Position& at) {
  std::string out;
  append_digits(out, static_cast<uint64_t>(at.timestamp), kTimeDigits);
  append_digits(out, at.lsn, kLsnDigits);
  append_digits(out, at.index, kIndexDigits);
  return out;
}

std::optional<Position> read_position_digits(std::string_view digits) {
  if (digits.size() != kTimeDigits + kLsnDigits + kIndexDigits) return std::nullopt;
  const auto time = read_digits(digits.substr(0, kTimeDigits));
  const auto lsn = read_digits(digits.substr(kTimeDigits, kLsnDigits));
  const auto index = read_digits(digits.substr(kTimeDigits + kLsnDigits));
  if (!time || !lsn || !index || *time > INT64_MAX || *index > UINT32_MAX) return std::nullopt;
  return Position{static_cast<int64_t>(*time), *lsn, static_cast<uint32_t>(*index)};
}

std::string make_event_token(storage::Direction direction, const Position& at) {
  std::string out = direction == storage::Direction::forward ? "f/" : "b/";
  out += position_digits(at);
  out += checksum(out);
  out += "/s";
  return out;
}

Result<EventToken> read_event_token(std::string_view token) {
  constexpr size_t kDigits = kTimeDigits + kLsnDigits + kIndexDigits;
  const bool form = token.size() > 2 + kDigits + 2 &&
                    (token.starts_with("f/") || token.starts_with("b/")) && token.ends_with("/s");
  if (!form) return fail(errors::invalid_token());
  const std::string_view sealed = token.substr(0, 2 + kDigits);
  const std::string_view sum = token.substr(2 + kDigits, token.size() - 2 - kDigits - 2);
  const auto at = read_position_digits(sealed.substr(2));
  if (!at || sum != checksum(sealed)) return fail(errors::invalid_token());
  return EventToken{
      token.front() == 'f' ? storage::Direction::forward : storage::Direction::backward, *at};
}

std::string make_token(std::string_view inside) {
  return to_base64(checksum(inside) + "/" + std::string(inside));
}

Result<std::string> read_token(const std::optional<std::string>& token) {
  if (!token) return std::string();
  const auto bytes = from_base64(*token);
  const size_t slash = bytes ? bytes->find('/') : std::string::npos;
  if (slash == std::string::npos) return fail(errors::invalid_token());
  std::string inside = bytes->substr(slash + 1);
  if (inside.empty() || bytes->substr(0, slash) != checksum(inside))
    return fail(errors::invalid_token());
  return inside;
}

}  // namespace virga::logs
