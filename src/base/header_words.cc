#include "base/header_words.h"

#include <algorithm>
#include <optional>

#include "base/strings.h"

namespace virga {
namespace {

constexpr std::string_view kPrefix = "=?UTF-8?";
constexpr size_t kWordTextMax = 75 - 12;  // RFC 2047 §2: a word has at most 75 characters

bool is_plain(char c) {
  return c >= ' ' && c <= '~';
}

size_t q_length(char c) {
  return c == ' ' || (is_plain(c) && c != '=' && c != '_' && c != '?') ? 1 : 3;
}

std::string q_encode(std::string_view text) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == ' ') {
      out += '_';
    } else if (q_length(c) == 1) {
      out += c;
    } else {
      out += {'=', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return out;
}

std::string q_decode(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = text[i] == '=' ? from_hex(text.substr(i + 1, 2)) : std::nullopt;
    if (byte && byte->size() == 1) {
      out += *byte;
      i += 2;
    } else {
      out += text[i] == '_' ? ' ' : text[i];
    }
  }
  return out;
}

void append_latin1(std::string& out, char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (byte < 0x80) {
    out += c;
  } else {
    out += static_cast<char>(0xc0 | (byte >> 6));
    out += static_cast<char>(0x80 | (byte & 0x3f));
  }
}

std::string latin1_to_utf8(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) append_latin1(out, c);
  return out;
}

struct Word {
  std::string text;
  size_t length = 0;  // of the encoded form
};

// The encoded word that `text` begins with: "=?charset?B or Q?text?=".
std::optional<Word> word_at(std::string_view text) {
  if (!text.starts_with("=?")) return std::nullopt;
  const size_t charset_end = text.find('?', 2);
  if (charset_end == std::string_view::npos || charset_end + 2 >= text.size() ||
      text[charset_end + 2] != '?')
    return std::nullopt;
  const size_t begin = charset_end + 3;
  const size_t end = text.find("?=", begin);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view charset = text.substr(2, charset_end - 2);
  const std::string_view encoded = text.substr(begin, end - begin);
  const char encoding = text[charset_end + 1];
  std::optional<std::string> bytes;
  if (encoding == 'B' || encoding == 'b') bytes = from_base64(encoded);
  if (encoding == 'Q' || encoding == 'q') bytes = q_decode(encoded);
  if (!bytes) return std::nullopt;
  if (iequals(charset, "iso-8859-1")) return Word{latin1_to_utf8(*bytes), end + 2};
  const bool known = iequals(charset, "utf-8") || iequals(charset, "us-ascii");
  if (!known || !is_utf8(*bytes)) return std::nullopt;
  return Word{std::move(*bytes), end + 2};
}

bool begins_character(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
}

}  // namespace

std::string to_header_words(std::string_view text) {
  const auto plain = static_cast<size_t>(std::count_if(text.begin(), text.end(), is_plain));
  if (plain == text.size()) return std::string(text);
  // Characters, not bytes, decide.
  const auto characters =
      static_cast<size_t>(std::count_if(text.begin(), text.end(), begins_character));
  const bool q = plain > characters - plain;
  std::string out;
  while (!text.empty()) {
    size_t taken = 0, length = 0;
    while (taken < text.size()) {
      size_t next = taken + 1;
      while (next < text.size() && !begins_character(text[next])) ++next;
      size_t more = 0;
      for (const char c : text.substr(taken, next - taken)) more += q_length(c);
      const size_t total = q ? length + more : (next + 2) / 3 * 4;
      if (taken > 0 && total > kWordTextMax) break;
      length = total;
      taken = next;
    }
    const std::string_view piece = text.substr(0, taken);
    if (!out.empty()) out += ' ';
    out.append(kPrefix).append(q ? "Q?" + q_encode(piece) : "B?" + to_base64(piece)).append("?=");
    text.remove_prefix(taken);
  }
  return out;
}

std::string from_header_words(std::string_view bytes) {
  std::string out;
  bool after_word = false;
  size_t i = 0;
  while (i < bytes.size()) {
    const size_t blank_end = std::min(bytes.find_first_not_of(" \t", i), bytes.size());
    if (const auto word = word_at(bytes.substr(blank_end))) {
      // Blanks between two words are no text. Source: RFC 2047 §6.2.
      if (!after_word) out.append(bytes.substr(i, blank_end - i));
      out += word->text;
      i = blank_end + word->length;
      after_word = true;
      continue;
    }
    after_word = false;
    const size_t end = std::min(blank_end + 1, bytes.size());
    for (; i < end; ++i) append_latin1(out, bytes[i]);
  }
  return out;
}

}  // namespace virga
