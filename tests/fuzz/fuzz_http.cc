// The HTTP/1.1 reader against Debian's libhttp-parser: what we accept, the older parser must accept
// too, and see the same method, target, headers, body and end. (The other way round is allowed: we
// are stricter.) Further: a head that arrives in parts is read like one that arrives at once.
// Planted faults: VIRGA_PLANT=two_lengths (a second Content-Length replaces the first),
// VIRGA_PLANT=keep_length (Content-Length rules over chunked).
#include <http_parser.h>
#include <strings.h>

#include <utility>
#include <vector>

#include "fuzz.h"
#include "net/http_parser.h"

namespace {

using namespace virga;
using namespace virga::net;

// What one of the two makes of the bytes.
struct Reading {
  bool complete = false;
  bool skip = false;  // the oracle is no judge here
  std::string method;
  std::string target;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  size_t used = 0;
};

Reading read_with_oracle(std::string_view bytes) {
  struct State {
    Reading reading;
    bool value_next = false;
    bool headers_done = false;
  } state;
  http_parser_settings settings;
  http_parser_settings_init(&settings);
  settings.on_url = [](http_parser* p, const char* at, size_t n) {
    static_cast<State*>(p->data)->reading.target.append(at, n);
    return 0;
  };
  settings.on_header_field = [](http_parser* p, const char* at, size_t n) {
    auto& s = *static_cast<State*>(p->data);
    if (s.headers_done) return 0;  // trailers
    if (s.reading.headers.empty() || s.value_next) s.reading.headers.emplace_back();
    s.value_next = false;
    s.reading.headers.back().first.append(at, n);
    return 0;
  };
  settings.on_header_value = [](http_parser* p, const char* at, size_t n) {
    auto& s = *static_cast<State*>(p->data);
    if (s.headers_done) return 0;
    s.value_next = true;
    s.reading.headers.back().second.append(at, n);
    return 0;
  };
  settings.on_headers_complete = [](http_parser* p) {
    auto& s = *static_cast<State*>(p->data);
    s.headers_done = true;
    s.reading.method = http_method_str(static_cast<http_method>(p->method));
    s.reading.skip = p->upgrade != 0;  // it stops reading then
    return 0;
  };
  settings.on_body = [](http_parser* p, const char* at, size_t n) {
    static_cast<State*>(p->data)->reading.body.append(at, n);
    return 0;
  };
  settings.on_message_complete = [](http_parser* p) {
    static_cast<State*>(p->data)->reading.complete = true;
    http_parser_pause(p, 1);
    return 0;
  };
  http_parser parser;
  http_parser_init(&parser, HTTP_REQUEST);
  parser.data = &state;
  state.reading.used = http_parser_execute(&parser, &settings, bytes.data(), bytes.size());
  if (HTTP_PARSER_ERRNO(&parser) == HPE_INVALID_METHOD)
    state.reading.skip = true;  // it knows a fixed list
  return state.reading;
}

HttpRefusal parse(std::string_view head, const HttpLimits& limits, RequestHead& out) {
  HttpRefusal refusal = parse_request_head(head, limits, out);
  if (refusal && fuzz::planted("two_lengths") &&
      std::string_view(refusal.reason).find("more than one Content-L") == 0) {
    out.content_length = 0;
    out.chunked = false;
    return {};
  }
  if (refusal && fuzz::planted("keep_length") &&
      std::string_view(refusal.reason).find("Transfer-Encoding beside") == 0) {
    out.chunked = false;
    return {};
  }
  return refusal;
}

Reading read_with_ours(std::string_view bytes, const HttpLimits& limits) {
  Reading out;
  size_t scanned = 0;
  const HeadScan scan = scan_request_head(bytes, scanned, limits);
  if (scan.refusal || scan.head_bytes == 0) return out;
  RequestHead head;
  if (parse(bytes.substr(0, scan.head_bytes), limits, head)) return out;
  out.method = head.method;
  out.target = head.target;
  for (const HeaderView& header : head.headers) out.headers.emplace_back(header.name, header.value);
  const std::string_view rest = bytes.substr(scan.head_bytes);
  if (head.chunked) {
    ChunkedDecoder decoder;
    out.used = scan.head_bytes + decoder.feed(rest, out.body, rest.size());
    out.complete = decoder.done();
  } else {
    const uint64_t length = head.content_length.value_or(0);
    if (length > rest.size()) return out;
    out.body = rest.substr(0, static_cast<size_t>(length));
    out.used = scan.head_bytes + static_cast<size_t>(length);
    out.complete = true;
  }
  return out;
}

// libhttp-parser 2.9.4 takes Transfer-EncodingX for a Transfer-Encoding that is not chunked, and
// refuses it.
bool confuses_oracle(const Reading& reading) {
  for (const auto& [name, value] : reading.headers) {
    if (name.size() > 17 && strncasecmp(name.c_str(), "transfer-encoding", 17) == 0) return true;
  }
  return false;
}

// The same bytes, a few at a time.
void read_in_parts(std::string_view bytes, size_t step, const HttpLimits& limits,
                   const HeadScan& whole) {
  size_t scanned = 0;
  for (size_t end = 0; end < bytes.size();) {
    end = std::min(end + step, bytes.size());
    const HeadScan scan = scan_request_head(bytes.substr(0, end), scanned, limits);
    if (scan.refusal) {
      REQUIRE(whole.refusal || whole.head_bytes == 0 || whole.head_bytes > end);
      return;
    }
    if (scan.head_bytes != 0) {
      REQUIRE(scan.head_bytes == whole.head_bytes);
      return;
    }
  }
  REQUIRE(whole.head_bytes == 0);
}

void chunks_in_parts(std::string_view bytes, size_t step) {
  ChunkedDecoder whole;
  std::string whole_body;
  const size_t whole_used = whole.feed(bytes, whole_body, bytes.size());
  ChunkedDecoder parts;
  std::string body;
  size_t used = 0;
  while (used < bytes.size() && !parts.done() && !parts.refusal())
    used += parts.feed(bytes.substr(used, step), body, step);
  REQUIRE(parts.done() == whole.done());
  REQUIRE(static_cast<bool>(parts.refusal()) == static_cast<bool>(whole.refusal()));
  if (whole.done()) {
    REQUIRE(used == whole_used);
    REQUIRE(body == whole_body);
    REQUIRE(parts.trailers() == whole.trailers());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  const size_t step = input.byte() % 16 + 1;
  const std::string_view bytes = input.rest();
  const HttpLimits limits{.target_bytes_max = 512, .head_bytes_max = 4096, .header_count_max = 32};

  size_t scanned = 0;
  const HeadScan scan = scan_request_head(bytes, scanned, limits);
  read_in_parts(bytes, step, limits, scan);
  if (scan.head_bytes != 0) chunks_in_parts(bytes.substr(scan.head_bytes), step);

  const Reading ours = read_with_ours(bytes, limits);
  if (!ours.complete || confuses_oracle(ours)) return 0;
  const Reading theirs = read_with_oracle(bytes);
  if (theirs.skip) return 0;
  REQUIRE(theirs.complete);
  REQUIRE(theirs.method == ours.method);
  REQUIRE(theirs.target == ours.target);
  REQUIRE(theirs.body == ours.body);
  REQUIRE(theirs.used == ours.used);
  REQUIRE(theirs.headers.size() == ours.headers.size());
  for (size_t i = 0; i < ours.headers.size(); ++i) {
    REQUIRE(theirs.headers[i].first == ours.headers[i].first);
    std::string value = theirs.headers[i].second;  // it leaves blanks at the end
    while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.pop_back();
    REQUIRE(value == ours.headers[i].second);
  }
  return 0;
}
