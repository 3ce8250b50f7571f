#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/http_message.h"

// A strict HTTP/1.1 reader. It decides where one request ends and the next begins, so it takes only
// what the grammar of RFC 9112 allows a sender to send, and refuses what its recipients may merely
// tolerate: bare LF, folded lines, Transfer-Encoding beside Content-Length, repeated or non-decimal
// Content-Length, codings other than chunked.
namespace virga::net {

struct HttpLimits {
  size_t target_bytes_max = 16 * 1024;  // presigned URLs with session tokens reach 3 KiB; 414 above
  size_t head_bytes_max = 64 * 1024;    // request line and header section together; 431 above
  size_t header_count_max = 200;        // 431 above
};

// Why bytes are refused; the connection ends after the answer.
struct HttpRefusal {
  int status = 0;  // 0: not refused
  const char* reason = "";
  explicit operator bool() const { return status != 0; }
};

// A parsed request line and header section: views into the bytes given to parse_request_head.
struct RequestHead {
  std::string_view method;
  std::string_view target;     // as sent
  std::string_view authority;  // of an absolute-form target, else the Host header; may be empty
  std::string_view path;       // as sent, begins with '/', or is "*" (OPTIONS)
  std::string_view query;      // as sent, without '?'
  int version_minor = 1;       // HTTP/1.x
  bool keep_alive = true;
  bool chunked = false;
  bool expect_continue = false;
  std::optional<uint64_t> content_length;
  std::vector<HeaderView> headers;  // in order of arrival

  // The first header of that name, in any case.
  const HeaderView* find(std::string_view name) const;
};

// Looks for the end of a head in bytes that arrive in parts. `scanned` is 0 at first and carried
// from call to call.
struct HeadScan {
  size_t head_bytes = 0;  // complete when not 0: the head's length including the empty line
  HttpRefusal refusal;
};
HeadScan scan_request_head(std::string_view bytes, size_t& scanned, const HttpLimits& limits);

// Parses a complete head as found by scan_request_head. `out` is overwritten; its vector keeps its
// capacity.
HttpRefusal parse_request_head(std::string_view head, const HttpLimits& limits, RequestHead& out);

// Parses one header line without its CRLF: of heads, trailers and answers.
HttpRefusal parse_header_line(std::string_view line, HeaderView& out);

// True for a token of RFC 9110 §5.6.2: methods and header names.
bool is_http_token(std::string_view text);

// Takes the chunked coding apart. Feed it whatever arrived; it appends data to `out` and tells how
// much it took.
class ChunkedDecoder {
 public:
  static constexpr size_t kLineBytesMax =
      256;  // size line with extensions: we know no use for long ones
  static constexpr size_t kTrailerBytesMax = 8 * 1024;
  static constexpr size_t kTrailerCountMax = 32;

  // Takes bytes until the input, `data_max` bytes of data, or the body ends. Returns the count
  // taken.
  size_t feed(std::string_view bytes, std::string& out, size_t data_max);
  bool done() const { return state_ == State::done; }
  const HttpRefusal& refusal() const { return refusal_; }
  // Trailer lines, "name: value" each; complete when done().
  const std::vector<std::pair<std::string, std::string>>& trailers() const { return trailers_; }

 private:
  enum class State { size_line, data, data_end, trailer, done, refused };
  void refuse(const char* reason);
  void take_size_line();
  void take_trailer_line();
  bool take_line(std::string_view bytes, size_t& at);

  State state_ = State::size_line;
  uint64_t left_ = 0;  // of the current chunk
  std::string line_;
  size_t trailer_bytes_ = 0;
  HttpRefusal refusal_;
  std::vector<std::pair<std::string, std::string>> trailers_;
};

}  // namespace virga::net
