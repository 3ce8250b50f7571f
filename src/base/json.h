#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/document.h"
#include "base/error.h"

namespace virga {

// Deepest nesting parse_json accepts; more is an error, so that a hostile body cannot exhaust the
// stack.
inline constexpr int kJsonDepthMax = 200;

// Parses one JSON text (RFC 8259, UTF-8 checked). The error's code is "SerializationException", its
// message says what and where; services that need other words map it.
Result<Document> parse_json(std::string_view text);

// Compact text of a value: members in their order, no spaces. Integral doubles print without a
// fraction only if they were given as integers.
std::string to_json(const Document& value);
void append_json(std::string& out, const Document& value);

// Appends `text` with quotes, escaped as AWS's JSON writers do: ", \, control characters; UTF-8 as
// it is.
void append_json_string(std::string& out, std::string_view text);
// The shortest decimal that reads back as the same double; NaN and infinities as the strings AWS's
// protocols use.
void append_json_double(std::string& out, double value);

// An append-only JSON writer: commas and nesting are its business, order is the caller's. Never
// fails.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  void begin_object();
  void end_object();
  void begin_array();
  void end_array();
  void key(std::string_view name);
  void string(std::string_view value);
  void integer(int64_t value);
  void real(double value);
  void boolean(bool value);
  void null();
  // A complete JSON value in text form, taken as it is.
  void raw(std::string_view json);

 private:
  void separate();

  std::string& out_;
  bool comma_ = false;
};

}  // namespace virga
