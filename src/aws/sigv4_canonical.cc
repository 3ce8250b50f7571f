#include "aws/sigv4_canonical.h"

#include <algorithm>
#include <array>

#include "base/hashing.h"
#include "base/strings.h"

namespace virga::sigv4 {
namespace {

constexpr char kHex[] = "0123456789ABCDEF";

constexpr std::array<bool, 256> unreserved_table() {
  std::array<bool, 256> t{};
  for (int c = '0'; c <= '9'; ++c) t[c] = true;
  for (int c = 'a'; c <= 'z'; ++c) t[c] = true;
  for (int c = 'A'; c <= 'Z'; ++c) t[c] = true;
  for (const char c : {'-', '.', '_', '~'}) t[static_cast<unsigned char>(c)] = true;
  return t;
}
constexpr std::array<bool, 256> kUnreserved = unreserved_table();

bool unreserved(char c) {
  return kUnreserved[static_cast<unsigned char>(c)];
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void append_escaped(std::string& out, char c) {
  const auto byte = static_cast<unsigned char>(c);
  out += '%';
  out += kHex[byte >> 4];
  out += kHex[byte & 15];
}

// Encodes what a sender may have left as it is, and brings escapes into their one canonical form.
// The same as decoding and encoding once, except that an escaped slash stays escaped.
void append_encoded_once(std::string& out, std::string_view text, bool keep_slash,
                         bool plus_is_space) {
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (unreserved(c) || (keep_slash && c == '/')) {
      out += c;
    } else if (c == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
               hex_digit(text[i + 2]) >= 0) {
      const char decoded = static_cast<char>(hex_digit(text[i + 1]) << 4 | hex_digit(text[i + 2]));
      if (unreserved(decoded)) {
        out += decoded;
      } else {
        append_escaped(out, decoded);
      }
      i += 2;
    } else if (c == '+' && plus_is_space) {
      out += "%20";
    } else {
      append_escaped(out, c);
    }
  }
}

// Everybody but S3: dot segments and empty segments go, and the path as sent is encoded once more.
void append_path_encoded_twice(std::string& out, std::string_view path) {
  if (path.empty() || path == "/") {
    out += '/';
    return;
  }
  std::vector<std::string_view> kept;
  for (const std::string_view segment : split(path, '/')) {
    if (segment.empty() || segment == ".") continue;
    if (segment != "..") {
      kept.push_back(segment);
    } else if (!kept.empty()) {
      kept.pop_back();
    }
  }
  for (const std::string_view segment : kept) {
    out += '/';
    for (const char c : segment) {
      if (unreserved(c)) {
        out += c;
      } else {
        append_escaped(out, c);
      }
    }
  }
  if (kept.empty() || path.back() == '/') out += '/';
}

void append_query(std::string& out, std::string_view query, bool presigned) {
  if (query.empty()) return;
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string_view item : split(query, '&')) {
    if (item.empty()) continue;
    const size_t equals = item.find('=');
    auto& [name, value] = pairs.emplace_back();
    append_encoded_once(name, item.substr(0, equals), false, true);
    if (presigned && name == "X-Amz-Signature") {
      pairs.pop_back();
    } else if (equals != std::string_view::npos) {
      append_encoded_once(value, item.substr(equals + 1), false, true);
    }
  }
  std::sort(pairs.begin(), pairs.end());
  bool first = true;
  for (const auto& [name, value] : pairs) {
    if (!first) out += '&';
    first = false;
    out += name;
    out += '=';
    out += value;
  }
}

// Without blanks around, and with one space for each run of them inside.
void append_header_value(std::string& out, std::string_view value) {
  value = trim(value);
  if (value.find("  ") == std::string_view::npos && value.find('\t') == std::string_view::npos) {
    out += value;
    return;
  }
  bool blank = false;
  for (const char c : value) {
    const bool is_blank = c == ' ' || c == '\t';
    if (!is_blank) out += c;
    if (is_blank && !blank) out += ' ';
    blank = is_blank;
  }
}

void append_headers(std::string& out, std::string_view signed_headers,
                    const std::vector<net::HeaderView>& headers) {
  size_t at = 0;
  while (at <= signed_headers.size() && !signed_headers.empty()) {
    const size_t end = std::min(signed_headers.find(';', at), signed_headers.size());
    const std::string_view name = signed_headers.substr(at, end - at);
    out += name;
    out += ':';
    bool first = true;
    for (const net::HeaderView& header : headers) {
      if (header.name.size() != name.size() || !iequals(header.name, name)) continue;
      if (!first) out += ',';
      first = false;
      append_header_value(out, header.value);
    }
    out += '\n';
    at = end + 1;
  }
}

}  // namespace

void append_canonical_request(std::string& out, const CanonicalInput& input) {
  out += input.method;
  out += '\n';
  if (input.s3) {
    append_encoded_once(out, input.path, true, false);
  } else {
    append_path_encoded_twice(out, input.path);
  }
  out += '\n';
  append_query(out, input.query, input.presigned);
  out += '\n';
  append_headers(out, input.signed_headers, *input.headers);
  out += '\n';
  out += input.signed_headers;
  out += '\n';
  out += input.payload_hash;
}

void append_string_to_sign(std::string& out, std::string_view amz_date, std::string_view scope,
                           std::string_view canonical_request) {
  out += "AWS4-HMAC-SHA256\n";
  out += amz_date;
  out += '\n';
  out += scope;
  out += '\n';
  const Sha256 digest = sha256(canonical_request);
  out += to_hex(as_bytes(digest));
}

std::string signature_of(std::string_view signing_key, std::string_view string_to_sign) {
  const Sha256 mac = hmac_sha256(signing_key, string_to_sign);
  return to_hex(as_bytes(mac));
}

}  // namespace virga::sigv4
