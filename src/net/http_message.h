#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/byte_stream.h"

namespace virga::net {

// One received header line. Views into the exchange's own copy of the head; the value has no blanks
// around it.
struct HeaderView {
  std::string_view name;
  std::string_view value;
};

// Header lines to be sent, kept as they go on the wire ("name: value\r\n"...): one allocation for
// all of them. A CR, LF or NUL in a name or value becomes a space, so that no caller's text can add
// a line of its own.
class HeaderBlock {
 public:
  void add(std::string_view name, std::string_view value);
  // Replaces all lines of that name (any case).
  void set(std::string_view name, std::string_view value);
  void remove(std::string_view name);
  // The first line's value. Valid until the next change.
  std::optional<std::string_view> find(std::string_view name) const;
  std::vector<HeaderView> lines() const;
  bool empty() const { return text_.empty(); }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// An answer. Date, Content-Length or Transfer-Encoding, and Connection are the server's business:
// such lines in `headers` are dropped.
struct HttpResponse {
  int status = 200;
  HeaderBlock headers;
  std::string body;
  // Instead of `body`: pulled while the client takes it. With a size() it goes out with
  // Content-Length, otherwise chunked.
  std::unique_ptr<async::ByteSource> stream;
  // For answers to HEAD: the length a GET would have had, when neither body nor stream tells.
  std::optional<uint64_t> head_length;
  // Ends the connection after this answer.
  bool close = false;
};

// "Not Found" for 404; "Unknown" for a status without a registered phrase. Source: RFC 9110 §15.
std::string_view status_phrase(int status);

}  // namespace virga::net
