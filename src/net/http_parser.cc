#include "net/http_parser.h"

#include <array>
#include <cstring>

#include "base/strings.h"
#include "net/field_text.h"

namespace virga::net {
namespace {

constexpr std::array<bool, 256> token_table() {
  std::array<bool, 256> t{};
  for (int c = '0'; c <= '9'; ++c) t[c] = true;
  for (int c = 'a'; c <= 'z'; ++c) t[c] = true;
  for (int c = 'A'; c <= 'Z'; ++c) t[c] = true;
  for (const char c :
       {'!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~'}) {
    t[static_cast<unsigned char>(c)] = true;
  }
  return t;
}
constexpr std::array<bool, 256> kToken = token_table();

bool is_token_char(char c) {
  return kToken[static_cast<unsigned char>(c)];
}

// Field values: visible characters, blanks, and bytes from 0x80 up. Source: RFC 9110 §5.5.
bool value_is_clean(std::string_view value) {
  if (!has_control_characters(value)) return true;
  for (const char ch : value) {
    const auto c = static_cast<unsigned char>(ch);
    if ((c < 0x20 && c != '\t') || c == 0x7f) return false;
  }
  return true;
}

// Request targets: visible ASCII only (RFC 3986 has no others), no fragment (RFC 9112 §3.2 has
// none).
bool target_is_clean(std::string_view target) {
  for (const char ch : target) {
    const auto c = static_cast<unsigned char>(ch);
    if (c <= 0x20 || c >= 0x7f || c == '#') return false;
  }
  return true;
}

bool authority_is_clean(std::string_view authority) {
  for (const char c : authority) {
    const bool good = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      std::strchr("-._~:[]%!$&'()*+,;=", c) != nullptr;
    if (!good || c == '\0') return false;
  }
  return true;
}

HttpRefusal split_target(RequestHead& out) {
  std::string_view rest = out.target;
  if (out.method == "CONNECT") return {501, "CONNECT is not supported"};
  if (rest == "*") {
    if (out.method != "OPTIONS") return {400, "the target * is for OPTIONS only"};
    out.path = rest;
    out.query = {};
    return {};
  }
  if (rest.front() != '/') {
    // absolute-form, as clients send it to proxies; servers must take it. Source: RFC 9112 §3.2.2.
    const size_t scheme_end = rest.find("://");
    if (scheme_end == std::string_view::npos) return {400, "malformed request target"};
    const std::string_view scheme = rest.substr(0, scheme_end);
    if (!iequals(scheme, "http") && !iequals(scheme, "https"))
      return {400, "unknown scheme in the request target"};
    rest.remove_prefix(scheme_end + 3);
    const size_t authority_end = rest.find_first_of("/?");
    out.authority = rest.substr(0, authority_end);
    if (out.authority.empty() || !authority_is_clean(out.authority))
      return {400, "malformed authority in the request target"};
    rest =
        authority_end == std::string_view::npos ? std::string_view() : rest.substr(authority_end);
  }
  const size_t question = rest.find('?');
  out.path = rest.substr(0, question);
  if (out.path.empty()) out.path = "/";
  out.query = question == std::string_view::npos ? std::string_view() : rest.substr(question + 1);
  return {};
}

HttpRefusal parse_request_line(std::string_view line, const HttpLimits& limits, RequestHead& out) {
  const size_t method_end = line.find(' ');
  if (method_end == std::string_view::npos) return {400, "malformed request line"};
  out.method = line.substr(0, method_end);
  if (!is_http_token(out.method)) return {400, "malformed method"};
  if (out.method.size() > 32) return {501, "unknown method"};
  line.remove_prefix(method_end + 1);
  const size_t target_end = line.find(' ');
  if (target_end == std::string_view::npos) return {400, "malformed request line"};
  out.target = line.substr(0, target_end);
  if (out.target.empty()) return {400, "empty request target"};
  if (out.target.size() > limits.target_bytes_max) return {414, "the request target is too long"};
  if (!target_is_clean(out.target)) return {400, "invalid character in the request target"};
  const std::string_view version = line.substr(target_end + 1);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (version.size() != 8 || !version.starts_with("HTTP/") || !is_digit(version[5]) ||
      version[6] != '.' || !is_digit(version[7])) {
    return {400, "malformed HTTP version"};
  }
  if (version == "HTTP/1.1") {
    out.version_minor = 1;
  } else if (version == "HTTP/1.0") {
    out.version_minor = 0;
  } else {
    return {505, "only HTTP/1.0 and HTTP/1.1 are spoken here"};
  }
  return split_target(out);
}

HttpRefusal take_content_length(std::string_view value, RequestHead& out) {
  if (out.content_length) return {400, "more than one Content-Length"};
  if (value.empty() || value.size() > 18) return {400, "malformed Content-Length"};
  uint64_t length = 0;
  for (const char c : value) {
    if (c < '0' || c > '9') return {400, "malformed Content-Length"};
    length = length * 10 + static_cast<uint64_t>(c - '0');
  }
  out.content_length = length;
  return {};
}

// What framing and connection handling depend on; everything else is the handler's.
struct Framing {
  bool has_transfer_encoding = false;
  bool close = false;
  bool keep_alive = false;
  int hosts = 0;
};

HttpRefusal take_connection(std::string_view value, Framing& framing) {
  for (const std::string_view raw : split(value, ',')) {
    const std::string_view option = trim(raw);
    if (iequals(option, "close")) framing.close = true;
    if (iequals(option, "keep-alive")) framing.keep_alive = true;
  }
  return {};
}

HttpRefusal take_framing_header(const HeaderView& header, RequestHead& out, Framing& framing) {
  switch (header.name.size()) {
    case 4:
      if (!iequals(header.name, "host")) return {};
      if (++framing.hosts > 1) return {400, "more than one Host"};
      if (!authority_is_clean(header.value)) return {400, "malformed Host"};
      if (out.authority.empty()) out.authority = header.value;
      return {};
    case 6:
      if (!iequals(header.name, "expect")) return {};
      if (!iequals(header.value, "100-continue")) return {417, "unknown expectation"};
      out.expect_continue = true;
      return {};
    case 10:
      if (!iequals(header.name, "connection")) return {};
      return take_connection(header.value, framing);
    case 14:
      if (!iequals(header.name, "content-length")) return {};
      return take_content_length(header.value, out);
    case 17:
      if (!iequals(header.name, "transfer-encoding")) return {};
      if (framing.has_transfer_encoding) return {400, "more than one Transfer-Encoding"};
      framing.has_transfer_encoding = true;
      if (!iequals(header.value, "chunked"))
        return {501, "only the chunked transfer coding is supported"};
      out.chunked = true;
      return {};
    default:
      return {};
  }
}

}  // namespace

bool is_http_token(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    if (!is_token_char(c)) return false;
  }
  return true;
}

const HeaderView* RequestHead::find(std::string_view name) const {
  if (name.empty()) return nullptr;
  const int first = name.front() | 0x20;  // most headers differ in their length or here
  for (const HeaderView& header : headers) {
    if (header.name.size() == name.size() && (header.name.front() | 0x20) == first &&
        iequals(header.name, name)) {
      return &header;
    }
  }
  return nullptr;
}

HeadScan scan_request_head(std::string_view bytes, size_t& scanned, const HttpLimits& limits) {
  if (scanned == 0 && !bytes.empty() && !is_token_char(bytes.front())) {
    return {0, {400, "malformed request line"}};
  }
  const bool line_ended = scanned != 0 && std::memchr(bytes.data(), '\n', scanned) != nullptr;
  bool in_request_line = !line_ended;
  size_t at = scanned;
  while (at < bytes.size()) {
    const void* const found = std::memchr(bytes.data() + at, '\n', bytes.size() - at);
    if (!found) break;
    const size_t newline = static_cast<size_t>(static_cast<const char*>(found) - bytes.data());
    if (newline == 0 || bytes[newline - 1] != '\r') return {0, {400, "a line ends without CR"}};
    in_request_line = false;
    if (newline >= 3 && bytes[newline - 2] == '\n') {
      if (newline + 1 > limits.head_bytes_max) return {0, {431, "the header section is too large"}};
      return {newline + 1, {}};
    }
    at = newline + 1;
  }
  scanned = bytes.size();
  if (in_request_line && bytes.size() > limits.target_bytes_max + 64)
    return {0, {414, "the request line is too long"}};
  if (bytes.size() > limits.head_bytes_max) return {0, {431, "the header section is too large"}};
  return {};
}

HttpRefusal parse_header_line(std::string_view line, HeaderView& out) {
  if (line.front() == ' ' || line.front() == '\t') return {400, "folded header lines are refused"};
  size_t colon = 0;
  while (colon < line.size() && is_token_char(line[colon])) ++colon;
  if (colon == 0 || colon == line.size() || line[colon] != ':')
    return {400, "malformed header line"};
  out.name = line.substr(0, colon);
  out.value = trim(line.substr(colon + 1));
  if (!value_is_clean(out.value)) return {400, "invalid character in a header value"};
  return {};
}

HttpRefusal parse_request_head(std::string_view head, const HttpLimits& limits, RequestHead& out) {
  out.headers.clear();
  out.authority = {};
  out.chunked = false;
  out.expect_continue = false;
  out.content_length.reset();

  size_t line_end = head.find("\r\n");
  if (const auto bad = parse_request_line(head.substr(0, line_end), limits, out)) return bad;
  Framing framing;
  size_t at = line_end + 2;
  for (;;) {
    line_end =
        head.find('\n', at) - 1;  // scan_request_head saw to it that CR stands before each LF
    if (line_end == at) break;
    if (out.headers.size() == limits.header_count_max) return {431, "too many headers"};
    HeaderView header;
    if (const auto bad = parse_header_line(head.substr(at, line_end - at), header)) return bad;
    if (const auto bad = take_framing_header(header, out, framing)) return bad;
    out.headers.push_back(header);
    at = line_end + 2;
  }
  if (out.chunked && out.content_length) return {400, "Transfer-Encoding beside Content-Length"};
  if (framing.has_transfer_encoding && out.version_minor == 0)
    return {400, "Transfer-Encoding in HTTP/1.0"};
  if (out.version_minor == 1 && framing.hosts == 0) return {400, "Host is missing"};
  out.keep_alive = !framing.close && (out.version_minor == 1 || framing.keep_alive);
  if (out.version_minor == 0) out.expect_continue = false;  // RFC 9110 §10.1.1
  return {};
}

void ChunkedDecoder::refuse(const char* reason) {
  state_ = State::refused;
  refusal_ = {400, reason};
}

// Collects one line up to CRLF in line_ (without it); true when it is complete.
bool ChunkedDecoder::take_line(std::string_view bytes, size_t& at) {
  const size_t room = state_ == State::size_line ? kLineBytesMax : kTrailerBytesMax;
  while (at < bytes.size()) {
    const char c = bytes[at++];
    if (c == '\n') {
      if (line_.empty() || line_.back() != '\r') {
        refuse("a line of the chunked body ends without CR");
        return false;
      }
      line_.pop_back();
      return true;
    }
    if (!line_.empty() && line_.back() == '\r') {
      refuse("CR without LF in the chunked body");
      return false;
    }
    if (line_.size() == room) {
      refuse("a line of the chunked body is too long");
      return false;
    }
    line_ += c;
  }
  return false;
}

void ChunkedDecoder::take_size_line() {
  uint64_t size = 0;
  size_t digits = 0;
  for (; digits < line_.size(); ++digits) {
    const char c = line_[digits];
    int value = -1;
    if (c >= '0' && c <= '9') value = c - '0';
    if (c >= 'a' && c <= 'f') value = c - 'a' + 10;
    if (c >= 'A' && c <= 'F') value = c - 'A' + 10;
    if (value < 0) break;
    if (digits == 15) return refuse("the chunk size is too large");
    size = size * 16 + static_cast<uint64_t>(value);
  }
  const std::string_view rest = std::string_view(line_).substr(digits);
  if (digits == 0 || (!rest.empty() && rest.front() != ';') || !value_is_clean(rest)) {
    return refuse("malformed chunk size");
  }
  left_ = size;
  state_ = size == 0 ? State::trailer : State::data;
  line_.clear();
}

void ChunkedDecoder::take_trailer_line() {
  if (line_.empty()) {
    state_ = State::done;
    return;
  }
  trailer_bytes_ += line_.size();
  if (trailer_bytes_ > kTrailerBytesMax || trailers_.size() == kTrailerCountMax) {
    return refuse("the trailer section is too large");
  }
  HeaderView header;
  if (const auto bad = parse_header_line(line_, header)) return refuse(bad.reason);
  // Framing and routing end with the head: RFC 9110 §6.5.1.
  for (const std::string_view forbidden : {"content-length", "transfer-encoding", "host"}) {
    if (iequals(header.name, forbidden)) return refuse("a header that must not be a trailer");
  }
  trailers_.emplace_back(header.name, header.value);
  line_.clear();
}

size_t ChunkedDecoder::feed(std::string_view bytes, std::string& out, size_t data_max) {
  size_t at = 0;
  while (at < bytes.size()) {
    switch (state_) {
      case State::size_line:
        if (take_line(bytes, at)) take_size_line();
        break;
      case State::data: {
        if (data_max == 0) return at;
        const size_t count =
            static_cast<size_t>(std::min<uint64_t>({left_, data_max, bytes.size() - at}));
        out.append(bytes.substr(at, count));
        at += count;
        left_ -= count;
        data_max -= count;
        if (left_ == 0) state_ = State::data_end;
        break;
      }
      case State::data_end:
        if (take_line(bytes, at)) {
          if (!line_.empty()) {
            refuse("chunk data does not end where its size says");
          } else {
            state_ = State::size_line;
          }
        } else if (line_.size() > 1 || (line_.size() == 1 && line_[0] != '\r')) {
          refuse("chunk data does not end where its size says");
        }
        break;
      case State::trailer:
        if (take_line(bytes, at)) take_trailer_line();
        break;
      case State::done:
      case State::refused:
        return at;
    }
  }
  return at;
}

}  // namespace virga::net
