#include "net/http_message.h"

#include <algorithm>

#include "base/strings.h"
#include "net/field_text.h"

namespace virga::net {
namespace {

bool breaks_line(char c) {
  return c == '\r' || c == '\n' || c == '\0';
}

void append_clean(std::string& out, std::string_view text) {
  const size_t at = out.size();
  out += text;
  if (!has_control_characters(text)) return;
  std::replace_if(out.begin() + static_cast<ptrdiff_t>(at), out.end(), breaks_line, ' ');
}

// Calls f(line start, line end including CRLF, name, value) until it returns false.
template <class F>
void each_line(const std::string& text, F f) {
  size_t at = 0;
  while (at < text.size()) {
    const size_t end = text.find('\n', at) + 1;
    const std::string_view line(text.data() + at, end - at - 2);
    const size_t colon = line.find(':');
    if (!f(at, end, line.substr(0, colon), line.substr(colon + 2))) return;
    at = end;
  }
}

}  // namespace

void HeaderBlock::add(std::string_view name, std::string_view value) {
  if (text_.capacity() < 128) text_.reserve(256);
  const size_t at = text_.size();
  append_clean(text_, name);
  if (name.find(':') != std::string_view::npos)
    std::replace(text_.begin() + static_cast<ptrdiff_t>(at), text_.end(), ':', ' ');
  text_ += ": ";
  append_clean(text_, value);
  text_ += "\r\n";
}

void HeaderBlock::set(std::string_view name, std::string_view value) {
  remove(name);
  add(name, value);
}

void HeaderBlock::remove(std::string_view name) {
  for (;;) {
    size_t from = 0;
    size_t to = 0;
    each_line(text_, [&](size_t at, size_t end, std::string_view n, std::string_view) {
      if (!iequals(n, name)) return true;
      from = at;
      to = end;
      return false;
    });
    if (to == 0) return;
    text_.erase(from, to - from);
  }
}

std::optional<std::string_view> HeaderBlock::find(std::string_view name) const {
  std::optional<std::string_view> found;
  each_line(text_, [&](size_t, size_t, std::string_view n, std::string_view value) {
    if (!iequals(n, name)) return true;
    found = value;
    return false;
  });
  return found;
}

std::vector<HeaderView> HeaderBlock::lines() const {
  std::vector<HeaderView> out;
  each_line(text_, [&](size_t, size_t, std::string_view name, std::string_view value) {
    out.push_back({name, value});
    return true;
  });
  return out;
}

std::string_view status_phrase(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 101:
      return "Switching Protocols";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 203:
      return "Non-Authoritative Information";
    case 204:
      return "No Content";
    case 205:
      return "Reset Content";
    case 206:
      return "Partial Content";
    case 300:
      return "Multiple Choices";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 402:
      return "Payment Required";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 407:
      return "Proxy Authentication Required";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 424:
      return "Failed Dependency";
    case 426:
      return "Upgrade Required";
    case 428:
      return "Precondition Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return "Unknown";
  }
}

}  // namespace virga::net
