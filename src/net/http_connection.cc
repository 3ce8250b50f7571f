#include "net/http_connection.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/strings.h"
#include "net/http_ready.h"

namespace virga::net {
namespace {

constexpr uint64_t kSliceFromBytes = 32 * 1024;  // less is copied faster than the kernel is asked
constexpr size_t kScratchBytes = 64 * 1024;
constexpr size_t kKeptBufferBytes = 128 * 1024;  // a connection at rest gives back more than this
constexpr char kTlsHandshakeRecord = 22;         // RFC 8446 §5.1: no byte a method begins with
constexpr size_t kTlsBatchBytes = 128 * 1024;
constexpr size_t kStreamPieceBytes = 256 * 1024;
// Read from a client that is still sending when it has been refused, so that it comes to read why.
constexpr size_t kLingerBytesMax = 64 * 1024 * 1024;

AwsError gone_error() {
  return {.code = "ConnectionClosed", .http_status = 499, .message = "The client has gone."};
}

bool is_reserved_header(std::string_view name) {
  switch (name.size()) {
    case 4:
      return iequals(name, "date");
    case 10:
      return iequals(name, "connection") || iequals(name, "keep-alive");
    case 14:
      return iequals(name, "content-length");
    case 17:
      return iequals(name, "transfer-encoding");
    default:
      return false;
  }
}

// By a name's first letter.
bool may_be_reserved(char first) {
  switch (first | 0x20) {
    case 'c':
    case 'd':
    case 'k':
    case 't':
      return true;
    default:
      return false;
  }
}

// The handler's header lines without those that are the server's business.
void append_headers(std::string& out, const HeaderBlock& headers) {
  const std::string& text = headers.text();
  size_t from = 0;  // of the lines not copied yet
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at) + 1;
    if (may_be_reserved(text[at])) {
      const std::string_view line(text.data() + at, end - at);
      if (is_reserved_header(line.substr(0, line.find(':')))) {
        out.append(text, from, at - from);
        from = end;
      }
    }
    at = end;
  }
  out.append(text, from);
}

void append_number(std::string& out, uint64_t n) {
  char digits[20];
  char* p = digits + sizeof digits;
  do {
    *--p = static_cast<char>('0' + n % 10);
    n /= 10;
  } while (n != 0);
  out.append(p, static_cast<size_t>(digits + sizeof digits - p));
}

void append_hex_line(std::string& out, size_t n) {
  char digits[16];
  char* p = digits + sizeof digits;
  do {
    *--p = "0123456789abcdef"[n & 15];
    n >>= 4;
  } while (n != 0);
  out.append(p, static_cast<size_t>(digits + sizeof digits - p));
  out += "\r\n";
}

}  // namespace

HttpConnection::HttpConnection(HttpServer::Impl& server, int fd, uint64_t listener,
                               std::shared_ptr<const ListenerInfo> info, const SocketAddress& peer,
                               std::string received)
    : server_(server), listener_number_(listener), fd_(fd), in_(std::move(received)) {
  listener_ = std::move(info);
  peer_ip_ = peer.host;
  peer_port_ = peer.port;
  may_be_tls_ = listener_->tls != nullptr && in_.empty();
  body_since_ = server_.coarse_now;
}

HttpConnection::~HttpConnection() {
  if (registered_) server_.loop.remove_fd(fd_);
  if (fd_ >= 0) ::close(fd_);
}

async::Detached HttpConnection::run(HttpConnection* self) {
  const Result<void> outcome = co_await as_result(self->serve());
  ignore(outcome, "what went wrong with the client's socket is the client's business");
  if (self->tls_) {
    self->tls_->close();
    ignore(self->flush_tls(), "a courtesy");
  }
  self->server_.remove(self);
}

void HttpConnection::watch(uint32_t events) {
  if (!registered_) {
    registered_ = true;
    armed_ = events;
    server_.loop.add_fd(fd_, events, *this);
  } else if (armed_ != events) {
    armed_ = events;
    server_.loop.modify_fd(fd_, events, *this);
  }
}

void HttpConnection::on_events(uint32_t events) {
  const uint32_t broken = events & (EPOLLHUP | EPOLLERR);
  if (waiter_ && (broken || (events & wanted_))) {
    std::exchange(waiter_, nullptr).resume();  // may have ended and deleted this connection
    return;
  }
  // Nobody asks: stop watching, or the level-triggered event would spin the loop while a handler is
  // busy.
  if (broken) {
    hung_up_ = true;
    registered_ = false;
    server_.loop.remove_fd(fd_);
  } else {
    watch(armed_ & ~events);
  }
}

void HttpConnection::wake() {
  if (waiter_) server_.loop.resume(std::exchange(waiter_, nullptr));
}

void HttpConnection::time_out_if_due(async::SteadyTime now) {
  if (!waiter_ || now < deadline_) return;
  timed_out_ = true;
  wake();
}

void HttpConnection::close_when_idle() {
  close_when_idle_ = true;
  if (!in_request_) wake();
}

void HttpConnection::abort() {
  aborted_ = true;
  ::shutdown(fd_, SHUT_RDWR);
  wake();
}

HttpConnection::Io HttpConnection::fill() {
  if (!server_.scratch) server_.scratch = std::make_unique_for_overwrite<char[]>(kScratchBytes);
  if (in_at_ >= kScratchBytes) {  // pipelined requests would let it grow for ever
    in_.erase(0, in_at_);
    in_at_ = 0;
  }
  const ssize_t got = ::recv(fd_, server_.scratch.get(), kScratchBytes, 0);
  if (got > 0) {
    const std::string_view bytes(server_.scratch.get(), static_cast<size_t>(got));
    if (may_be_tls_) {
      may_be_tls_ = false;
      secure_ = bytes.front() == kTlsHandshakeRecord;
      if (secure_) tls_.emplace(*listener_->tls);
    }
    if (!tls_) {
      in_ += bytes;
      return Io::done;
    }
    const size_t before = in_.size();
    const TlsSession::State state = tls_->receive(bytes, in_);
    const Io flushed =
        flush_tls();  // what the socket does not take now goes before the next answer
    if (in_.size() > before) return Io::done;
    const bool alive = state == TlsSession::State::open || state == TlsSession::State::handshake;
    if (alive && flushed != Io::closed) return Io::again;
    hung_up_ = true;
    return Io::closed;
  }
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return Io::again;
  hung_up_ = true;
  return Io::closed;
}

// Sends encrypted bytes that wait.
HttpConnection::Io HttpConnection::flush_tls() {
  std::string& output = tls_->output();
  size_t sent = 0;
  Io io = Io::done;
  while (sent < output.size()) {
    const ssize_t got = ::send(fd_, output.data() + sent, output.size() - sent, MSG_NOSIGNAL);
    if (got < 0) {
      io = errno == EAGAIN || errno == EINTR ? Io::again : Io::closed;
      break;
    }
    sent += static_cast<size_t>(got);
  }
  output.erase(0, sent);
  if (io == Io::closed) hung_up_ = true;
  return io;
}

// Encrypts a bounded part at a time, so that a large answer does not lie in memory twice.
HttpConnection::Io HttpConnection::write_tls(std::string_view& a, std::string_view& b) {
  for (;;) {
    const Io io = flush_tls();
    if (io != Io::done || (a.empty() && b.empty())) return io;
    for (std::string_view* const part : {&a, &b}) {
      const size_t room = kTlsBatchBytes - std::min(kTlsBatchBytes, tls_->output().size());
      const std::string_view now = part->substr(0, room);
      if (!now.empty() && !tls_->send(now)) {
        hung_up_ = true;
        return Io::closed;
      }
      part->remove_prefix(now.size());
    }
  }
}

HttpConnection::Io HttpConnection::write_some(std::string_view& a, std::string_view& b) {
  if (tls_) return write_tls(a, b);
  iovec parts[2] = {{const_cast<char*>(a.data()), a.size()},
                    {const_cast<char*>(b.data()), b.size()}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = b.empty() ? 1 : 2;
  const ssize_t sent = ::sendmsg(fd_, &message, MSG_NOSIGNAL);
  if (sent < 0) {
    if (errno == EAGAIN || errno == EINTR) return Io::again;
    hung_up_ = true;
    return Io::closed;
  }
  const size_t of_a = std::min(a.size(), static_cast<size_t>(sent));
  a.remove_prefix(of_a);
  b.remove_prefix(static_cast<size_t>(sent) - of_a);
  return a.empty() && b.empty() ? Io::done : Io::again;
}

// The slow path of writing: the socket is full. Views must outlive the call.
Task<void> HttpConnection::write_all(std::string_view a, std::string_view b) {
  const async::SteadyTime since = server_.coarse_now;
  const size_t total = a.size() + b.size();
  for (;;) {
    const Io io = write_some(a, b);
    if (io == Io::done) co_return ok();
    if (io == Io::closed || aborted_) co_return fail(gone_error());
    co_await wait_to_write(since, total - a.size() - b.size());
  }
}

// Until the socket takes more of an answer that began at `since` and of which `sent` bytes are out;
// a client that takes less than the least rate is given up.
Task<void> HttpConnection::wait_to_write(async::SteadyTime since, uint64_t sent) {
  const auto& options = server_.options;
  const int64_t allowed =
      options.grace_ms +
      static_cast<int64_t>(sent * 1000 / static_cast<uint64_t>(options.bytes_per_second_min));
  const int64_t used = (server_.coarse_now - since) / 1'000'000;
  co_await Ready{*this, EPOLLOUT, std::max<int64_t>(allowed - used, 0)};
  if (timed_out_) {
    hung_up_ = true;
    co_return fail(gone_error());
  }
  co_return ok();
}

Task<void> HttpConnection::serve() {
  for (;;) {
    const HeadScan scan = buffered() == 0
                              ? HeadScan{}
                              : scan_request_head(buffer(), scanned_, server_.options.limits);
    if (scan.refusal) {
      co_await refuse(scan.refusal);
      co_return ok();
    }
    if (scan.head_bytes == 0) {
      const bool idle = buffered() == 0 && !shaking_hands();
      if (idle) {
        in_at_ = 0;
        in_.clear();
        if (in_.capacity() > kKeptBufferBytes) in_ = {};
      }
      if (!idle || !closing()) {
        // A head's time counts from its first byte on: drops of water do not extend it.
        // So does a handshake's, from the connection's start.
        const int64_t ms = idle ? server_.options.idle_ms : server_.options.head_ms;
        if (idle) body_since_ = server_.coarse_now;
        const int64_t used = idle ? 0 : (server_.coarse_now - body_since_) / 1'000'000;
        co_await Ready{*this, EPOLLIN, std::max<int64_t>(ms - used, 0)};
        if (idle) body_since_ = server_.coarse_now;
      }
      const bool late = timed_out_;
      if (late && !idle && !shaking_hands()) {
        const bool answered = co_await refuse({408, "the request's head did not arrive in time"});
        ignore(answered, "closed either way");
        co_return ok();
      }
      // Also after a wake-up by drain: a request that the kernel already holds is still served.
      const Io io = fill();
      if (io == Io::closed || aborted_ || late) co_return ok();
      if (io == Io::again && closing() && idle) co_return ok();
      continue;
    }
    begin_request(scan.head_bytes);
    const HttpRefusal bad = parse_request_head(head_text_, server_.options.limits, head_);
    if (bad) {
      in_request_ = false;
      co_await refuse(bad);
      co_return ok();
    }
    if (HttpServer* const other = tls_ ? nullptr : server_.handler.elsewhere(*this)) {
      move_to(*other);
      co_return ok();
    }
    begin_body();
    ++server_.stats.requests;
    ++server_.stats.in_flight;
    const auto served = co_await as_result(serve_one());
    --server_.stats.in_flight;
    in_request_ = false;
    if (!served) co_return ok();
    body_since_ = server_.coarse_now;  // of the next head, should a part of it be here already
  }
}

void HttpConnection::begin_request(size_t head_bytes) {
  head_text_.assign(in_, in_at_, head_bytes);
  in_at_ += head_bytes;
  scanned_ = 0;
  in_request_ = true;
}

// Another loop's server goes on as if it had accepted the connection itself.
void HttpConnection::move_to(HttpServer& other) {
  if (std::exchange(registered_, false)) server_.loop.remove_fd(fd_);
  other.take({.fd = std::exchange(fd_, -1),
              .listener = listener_,
              .peer_ip = peer_ip_,
              .peer_port = peer_port_,
              .received = std::move(head_text_).append(buffer())});
}

// Handles the parsed request and answers it. An error ends the connection.
Task<void> HttpConnection::serve_one() {
  Result<HttpResponse> got = co_await as_result(server_.handler.handle(*this));
  HttpResponse response =
      got ? std::move(*got)
          : server_.handler.refuse(*listener_, got.error().http_status, got.error().message);
  if (hung_up_ || aborted_) co_return fail(gone_error());

  // botocore takes a final answer to "Expect: 100-continue" for one that ends the connection,
  // whatever the body's length.
  const bool unexpected = head_.expect_continue && body_ == Body::none;
  const bool keep = head_.keep_alive && !response.close && !closing() && !body_error_ &&
                    !unexpected && body_can_be_discarded();
  const bool with_body = prepare_head(response, keep);
  if (!response.stream) {
    std::string_view a = out_;
    std::string_view b = with_body ? std::string_view(response.body) : std::string_view();
    const Io io = write_some(a, b);
    if (io == Io::closed) co_return fail(gone_error());
    if (io == Io::again) co_await write_all(a, b);
  } else if (with_body) {
    const std::optional<uint64_t> length = response.stream->size();
    const bool chunked = !length && head_.version_minor == 1;
    co_await send_stream(std::move(response.stream), chunked, length);
  } else {
    co_await write_all(out_, {});
  }
  if (keep && !body_done_) co_await discard_body();
  if (keep) co_return ok();
  if (!body_done_ || buffered() != 0) co_await linger();
  co_return fail(gone_error());
}

// Writes the status line and headers into out_; tells whether a body follows.
bool HttpConnection::prepare_head(HttpResponse& response, bool keep) {
  const int status = response.status;
  const bool no_content = status < 200 || status == 204 || status == 304;
  const bool is_head = head_.method == "HEAD";
  out_.clear();
  out_ += "HTTP/1.1 ";
  append_number(out_, static_cast<uint64_t>(status));
  out_ += ' ';
  out_ += status_phrase(status);
  out_ += "\r\n";
  out_ += server_.current_date_line();
  append_headers(out_, response.headers);

  const std::optional<uint64_t> streamed = response.stream ? response.stream->size() : std::nullopt;
  bool ends_by_close = false;
  if (no_content) {
    // RFC 9110 §8.6: no Content-Length with 1xx and 204; a 304 may do without.
  } else if (response.stream && !streamed && !(is_head && response.head_length)) {
    if (head_.version_minor == 1) {
      out_ += "Transfer-Encoding: chunked\r\n";
    } else {
      ends_by_close = !is_head;
    }
  } else {
    uint64_t length = streamed.value_or(response.body.size());
    if (is_head && response.body.empty() && !response.stream) {
      length = response.head_length.value_or(0);
      const auto given = response.headers.find("content-length");
      const auto parsed = given ? parse_int(*given) : std::nullopt;
      if (!response.head_length && parsed && *parsed >= 0) length = static_cast<uint64_t>(*parsed);
    }
    out_ += "Content-Length: ";
    append_number(out_, length);
    out_ += "\r\n";
  }
  if (!keep || ends_by_close) {
    out_ += "Connection: close\r\n";
  } else if (head_.version_minor == 0) {
    out_ += "Connection: keep-alive\r\n";
  }
  out_ += "\r\n";
  if (ends_by_close) close_when_idle_ = true;
  return !no_content && !is_head;
}

// Sends out_ (the head) and the stream's pieces as they come. An error after the head cuts the
// connection, so that the client cannot take what it got for the whole.
Task<void> HttpConnection::send_stream(std::unique_ptr<async::ByteSource> stream, bool chunked,
                                       std::optional<uint64_t> length) {
  uint64_t left = length.value_or(std::numeric_limits<uint64_t>::max());
  auto* const files = tls_ || length.value_or(0) < kSliceFromBytes
                          ? nullptr
                          : dynamic_cast<async::FileSource*>(stream.get());
  for (;;) {
    if (files) {
      Result<std::optional<async::FileSlice>> slice = co_await as_result(files->slice(left));
      if (!slice || (*slice && (*slice)->count > left)) {
        aborted_ = true;
        co_return fail(gone_error());
      }
      if (*slice) {
        left -= (*slice)->count;
        co_await send_slice(std::move(**slice));
        if (left == 0) co_return ok();
        continue;
      }
    }
    Result<std::string> piece = co_await as_result(stream->read(kStreamPieceBytes));
    if (!piece || piece->size() > left || (piece->empty() && length && left != 0)) {
      aborted_ = true;
      co_return fail(gone_error());
    }
    if (hung_up_ || aborted_) co_return fail(gone_error());
    const bool last = piece->empty();
    if (chunked) {
      append_hex_line(out_, piece->size());
      *piece += "\r\n";
    }
    if (!out_.empty() || !piece->empty()) co_await write_all(out_, *piece);
    out_.clear();
    if (last) co_return ok();
    left -= piece->size() - (chunked ? 2 : 0);
    if (length && left == 0) co_return ok();
  }
}

// Sends out_ (the head, if it still waits) and a part of a file, which the kernel reads.
Task<void> HttpConnection::send_slice(async::FileSlice slice) {
  const async::SteadyTime since = server_.coarse_now;
  std::string_view head = out_;
  off_t at = static_cast<off_t>(slice.offset);
  const off_t end = at + static_cast<off_t>(slice.count);
  while (at < end) {
    if (hung_up_ || aborted_) co_return fail(gone_error());
    const ssize_t sent = head.empty()
                             ? ::sendfile(fd_, slice.fd, &at, static_cast<size_t>(end - at))
                             : ::send(fd_, head.data(), head.size(), MSG_NOSIGNAL | MSG_MORE);
    if (sent > 0) {
      if (!head.empty()) head.remove_prefix(static_cast<size_t>(sent));
      continue;
    }
    if (sent < 0 && errno == EINTR) continue;
    if (sent == 0 || errno != EAGAIN) {  // 0: the file is shorter than it was said to be
      aborted_ = true;
      co_return fail(gone_error());
    }
    co_await wait_to_write(since, static_cast<uint64_t>(at) - slice.offset);
  }
  out_.clear();
  co_return ok();
}

// Answers bytes that are no request, then hangs up.
Task<bool> HttpConnection::refuse(HttpRefusal refusal) {
  ++server_.stats.refusals;
  head_ = {};
  timed_out_ = false;
  HttpResponse response = server_.handler.refuse(*listener_, refusal.status, refusal.reason);
  prepare_head(response, false);
  co_await write_all(out_, response.body);
  co_await linger();
  co_return true;
}

// Closing a socket with unread bytes resets it, and the reset may overtake the answer: so say "no
// more from us" and read on for a while.
Task<void> HttpConnection::linger() {
  if (tls_) {
    tls_->close();
    ignore(flush_tls(), "a courtesy");
  }
  ::shutdown(fd_, SHUT_WR);
  in_.clear();
  in_at_ = 0;
  const async::SteadyTime since = server_.coarse_now;
  for (size_t taken = 0; taken < kLingerBytesMax;) {
    const int64_t left = server_.options.linger_ms - (server_.coarse_now - since) / 1'000'000;
    if (left <= 0 || server_.draining) break;
    co_await Ready{*this, EPOLLIN, left};
    if (timed_out_ || aborted_ || hung_up_) break;
    const Io io = fill();
    if (io == Io::closed) break;
    taken += in_.size();
    in_.clear();
  }
  co_return ok();
}

}  // namespace virga::net
