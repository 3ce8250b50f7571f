#include "sandbox/runtime_api.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/strings.h"

namespace virga::sandbox {
namespace {

constexpr size_t kHeadBytesMax = 32 * 1024;
constexpr size_t kConnectionsMax = 64;
constexpr size_t kReadBytes = 256 * 1024;
// A body that is too large is read to its end, so that the sender sees the refusal; past this the
// connection is cut.
constexpr size_t kDroppedBytesMax = 256 * 1024 * 1024;

const char* reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 202:
      return "Accepted";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 413:
      return "Request Entity Too Large";
    default:
      return "Error";
  }
}

// Calls `visit(name, value)` for each line; false when one is no header field. A first line of
// another kind is the caller's to leave out.
template <class Visit>
bool for_each_field(std::string_view lines, Visit visit) {
  while (!lines.empty()) {
    const size_t end = std::min(lines.find("\r\n"), lines.size());
    const std::string_view field = lines.substr(0, end);
    lines.remove_prefix(std::min(end + 2, lines.size()));
    const size_t colon = field.find(':');
    if (colon == std::string_view::npos || colon == 0 || field[0] == ' ' || field[0] == '\t')
      return false;
    visit(field.substr(0, colon), trim(field.substr(colon + 1)));
  }
  return true;
}

std::string_view first_line(std::string_view head) {
  return head.substr(0, head.find("\r\n"));
}
std::string_view fields_of(std::string_view head) {
  head.remove_prefix(std::min(first_line(head).size() + 2, head.size()));
  return head;
}

}  // namespace

std::string_view ApiRequest::method() const {
  return std::string_view(head).substr(0, head.find(' '));
}

std::string_view ApiRequest::path() const {
  const std::string_view line = first_line(head);
  const size_t first = line.find(' ') + 1;
  return line.substr(first, line.rfind(' ') - first);
}

std::string_view ApiRequest::header(std::string_view name) const {
  std::string_view found;
  for (const std::string_view lines : {fields_of(head), std::string_view(trailers)}) {
    for_each_field(lines, [&](std::string_view key, std::string_view value) {
      if (found.data() == nullptr && iequals(key, name)) found = value;
    });
  }
  return found;
}

ApiServer::ApiServer(async::Loop& loop, Fd listener,
                     std::function<void(ApiConnection&, ApiRequest&)> on_request,
                     std::function<void(ApiConnection&)> on_closed)
    : loop_(loop),
      listener_(std::move(listener)),
      on_request_(std::move(on_request)),
      on_closed_(std::move(on_closed)) {
  loop_.add_fd(listener_.get(), EPOLLIN, *this);
}

ApiServer::~ApiServer() {
  close();
}

void ApiServer::close() {
  if (listener_.get() >= 0) loop_.remove_fd(listener_.get());
  listener_ = Fd();
  connections_.clear();
}

void ApiServer::on_events(uint32_t) {
  for (int i = 0; i < 16; ++i) {
    Fd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.get() < 0) return;
    if (connections_.size() >= kConnectionsMax) continue;  // refused by closing
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connections_.push_back(
        std::make_unique<ApiConnection>(*this, std::move(fd), ApiConnection::Origin::listener));
  }
}

ApiConnection* ApiServer::adopt(Fd channel) {
  connections_.push_back(
      std::make_unique<ApiConnection>(*this, std::move(channel), ApiConnection::Origin::channel));
  return connections_.back().get();
}

void ApiServer::drop(ApiConnection* connection) {
  on_closed_(*connection);
  const auto found = std::find_if(connections_.begin(), connections_.end(),
                                  [&](auto& c) { return c.get() == connection; });
  if (found == connections_.end()) return;
  // It may be below us on the stack: it goes when the loop is back.
  std::shared_ptr<ApiConnection> dying(std::move(*found));
  connections_.erase(found);
  loop_.post([dying] {});
}

ApiConnection::ApiConnection(ApiServer& server, Fd fd, Origin origin)
    : server_(server), fd_(std::move(fd)), origin_(origin) {
  server_.loop_.add_fd(fd_.get(), EPOLLIN, *this);
}

ApiConnection::~ApiConnection() {
  if (!broken_) server_.loop_.remove_fd(fd_.get());
}

void ApiConnection::give_up() {
  if (broken_) return;
  broken_ = true;
  server_.loop_.remove_fd(fd_.get());
  fd_ = Fd();
  server_.drop(this);
}

void ApiConnection::on_events(uint32_t events) {
  if (events & EPOLLOUT) flush();
  if (broken_ || (paused_ && !(events & (EPOLLHUP | EPOLLERR)))) return;
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && !read_more()) return give_up();
  run();
}

bool ApiConnection::read_more() {
  // A parked client that sends without end is cut at the head's limit.
  if (waiting_answer_ && in_.size() > kHeadBytesMax) return false;
  const size_t before = in_.size();
  const size_t want =
      in_body_ && !chunked_ ? std::min(kReadBytes, std::max<size_t>(body_left_, 1)) : 16 * 1024;
  ssize_t got = 0;
  in_.resize_and_overwrite(before + want, [&](char* data, size_t) {
    got = ::recv(fd_.get(), data + before, want, MSG_DONTWAIT);
    return before + static_cast<size_t>(std::max<ssize_t>(got, 0));
  });
  return got > 0 || (got < 0 && errno == EAGAIN);
}

// Serves what has arrived, one request after the other.
void ApiConnection::run() {
  if (running_) return;
  running_ = true;
  while (!broken_ && !waiting_answer_) {
    const Parsed parsed = parse();
    if (parsed == Parsed::incomplete) break;
    waiting_answer_ = true;
    if (parsed == Parsed::bad) {
      respond(400, "Connection: close\r\n", "");
      flush();
      running_ = false;
      return give_up();
    }
    ApiRequest request = std::move(request_);
    request_ = {};
    server_.on_request_(*this, request);
  }
  running_ = false;
  // Answers wait for company while the client is parked on its next event in the same breath: it
  // reads both at once.
  if (!broken_ && !waiting_answer_) flush();
}

ApiConnection::Parsed ApiConnection::parse() {
  if (!in_body_) {
    const size_t end = in_.find("\r\n\r\n");
    if (end == std::string::npos)
      return in_.size() > kHeadBytesMax ? Parsed::bad : Parsed::incomplete;
    if (end > kHeadBytesMax) return Parsed::bad;
    if (parse_head(std::string_view(in_).substr(0, end)) == Parsed::bad) return Parsed::bad;
    in_.erase(0, end + 4);
    in_body_ = true;
    streaming_ = server_.streams_body && server_.streams_body(*this, request_);
    if (streaming_) request_.too_large = false;
  }
  if (chunked_) {
    const Parsed parsed = parse_chunks();
    if (parsed == Parsed::complete) in_body_ = false;
    return parsed;
  }
  const size_t take = std::min(body_left_, in_.size());
  if (take > 0) {
    take_body(std::string_view(in_).substr(0, take));
    in_.erase(0, take);
    body_left_ -= take;
  }
  if (body_left_ > 0) return Parsed::incomplete;
  in_body_ = false;
  return Parsed::complete;
}

ApiConnection::Parsed ApiConnection::parse_head(std::string_view head) {
  const std::string_view line = first_line(head);
  const size_t first = line.find(' '), second = line.rfind(' ');
  if (first == std::string_view::npos || second == first) return Parsed::bad;
  if (line.substr(second + 1) != "HTTP/1.1") return Parsed::bad;
  chunked_ = false;
  body_left_ = 0;
  bool has_length = false, bad = false;
  const auto take = [&](std::string_view name, std::string_view value) {
    if (iequals(name, "content-length")) {
      const auto length = parse_int(value);
      bad = bad || !length || *length < 0 || has_length;
      has_length = true;
      body_left_ = bad ? 0 : static_cast<size_t>(*length);
    } else if (iequals(name, "transfer-encoding")) {
      bad = bad || !iequals(value, "chunked");
      chunked_ = true;
    }
  };
  if (!for_each_field(fields_of(head), take) || bad) return Parsed::bad;
  request_.head = head;
  if (chunked_ && has_length) return Parsed::bad;
  if (body_left_ > kDroppedBytesMax) return Parsed::bad;
  request_.too_large = body_left_ > kResponseBytesMax;
  if (!request_.too_large) request_.body.reserve(body_left_);
  return Parsed::complete;
}

ApiConnection::Parsed ApiConnection::parse_chunks() {
  while (!paused_) {
    const size_t line_end = in_.find("\r\n");
    if (line_end == std::string::npos) return in_.size() > 1024 ? Parsed::bad : Parsed::incomplete;
    size_t size = 0;
    const auto [end, error] = std::from_chars(in_.data(), in_.data() + line_end, size, 16);
    if (error != std::errc() || (end != in_.data() + line_end && *end != ';')) return Parsed::bad;
    if (size > kDroppedBytesMax) return Parsed::bad;
    if (size == 0) {
      // Trailers (a streamed error's description among them) up to the empty line.
      const size_t tail = in_.find("\r\n\r\n", line_end);
      if (in_.compare(line_end, 4, "\r\n\r\n") == 0) {
        in_.erase(0, line_end + 4);
        return Parsed::complete;
      }
      if (tail == std::string::npos)
        return in_.size() > kHeadBytesMax ? Parsed::bad : Parsed::incomplete;
      // The description of an error that came while the answer was streamed. Source: Lambda
      // Developer Guide, "Using the Lambda runtime API for custom runtimes", response streaming.
      request_.trailers = in_.substr(line_end + 2, tail - line_end - 2);
      in_.erase(0, tail + 4);
      return Parsed::complete;
    }
    if (in_.size() < line_end + 2 + size + 2) {
      return in_.size() > kResponseBytesMax + kHeadBytesMax ? Parsed::bad : Parsed::incomplete;
    }
    if (in_.compare(line_end + 2 + size, 2, "\r\n") != 0) return Parsed::bad;
    take_body(std::string_view(in_).substr(line_end + 2, size));
    in_.erase(0, line_end + 2 + size + 2);
  }
  return Parsed::incomplete;
}

void ApiConnection::take_body(std::string_view bytes) {
  if (streaming_) {
    if (!server_.on_piece(bytes)) {
      paused_ = true;
      listen();
    }
    return;
  }
  if (request_.body.size() + bytes.size() > kResponseBytesMax) {
    request_.too_large = true;
    request_.body.clear();
  }
  if (!request_.too_large) request_.body.append(bytes);
}

void ApiConnection::resume() {
  if (broken_ || !paused_) return;
  paused_ = false;
  listen();
  run();
}

// What the loop is to tell of this connection.
void ApiConnection::listen() {
  const uint32_t wanted = (paused_ ? 0U : EPOLLIN) | (writing_ ? EPOLLOUT : 0U);
  server_.loop_.modify_fd(fd_.get(), wanted, *this);
}

void ApiConnection::respond(int status, std::string_view headers, std::string_view body) {
  if (broken_ || !waiting_answer_) return;
  waiting_answer_ = false;
  out_.reserve(out_.size() + headers.size() + body.size() + 64);
  out_ += "HTTP/1.1 ";
  out_ += std::to_string(status);
  out_ += ' ';
  out_ += reason(status);
  out_ += "\r\n";
  out_ += headers;
  out_ += "Content-Length: ";
  out_ += std::to_string(body.size());
  out_ += "\r\n\r\n";
  out_ += body;
  if (!running_) {  // a late answer: to a parked request
    flush();
    if (!broken_ && !in_.empty()) run();
  }
}

bool ApiConnection::send_at_once(std::string_view bytes) {
  return ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) ==
         static_cast<ssize_t>(bytes.size());
}

void ApiConnection::flush() {
  while (!out_.empty()) {
    const ssize_t sent = ::send(fd_.get(), out_.data(), out_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      if (errno != EAGAIN) return give_up();
      if (!std::exchange(writing_, true)) listen();
      return;
    }
    out_.erase(0, static_cast<size_t>(sent));
  }
  if (std::exchange(writing_, false)) listen();
}

}  // namespace virga::sandbox
