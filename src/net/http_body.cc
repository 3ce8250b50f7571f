// HttpConnection's request bodies.
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>

#include "net/http_connection.h"
#include "net/http_ready.h"

namespace virga::net {
namespace {

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr size_t kDirectReadBytes =
    16 * 1024;  // bodies of at least this are received without a copy
constexpr size_t kPieceBytes = 256 * 1024;

AwsError timeout_error() {
  return {.code = "RequestTimeout",
          .http_status = 408,
          .message =
              "Your socket connection to the server was not read from or written to within the "
              "timeout period."};
}
AwsError incomplete_error() {
  return {
      .code = "IncompleteBody",
      .http_status = 400,
      .message =
          "You did not provide the number of bytes specified by the Content-Length HTTP header"};
}
AwsError too_large_error() {
  return {
      .code = "RequestEntityTooLarge", .http_status = 413, .message = "Request body is too large"};
}

}  // namespace

void HttpConnection::begin_body() {
  body_left_ = 0;
  if (head_.chunked) {
    body_ = Body::chunked;
    decoder_ = {};
  } else if (head_.content_length.value_or(0) != 0) {
    body_ = Body::length;
    body_left_ = *head_.content_length;
  } else {
    body_ = Body::none;
  }
  body_done_ = body_ == Body::none;
  body_touched_ = false;
  continue_due_ = head_.expect_continue && !body_done_;
  if (body_error_) body_error_.reset();
  body_since_ = server_.coarse_now;
  body_received_ = 0;
}

AwsError HttpConnection::fail_body(AwsError error) {
  body_error_ = error;
  return error;
}

std::optional<std::string_view> HttpConnection::buffered_body() {
  if (body_ == Body::none) return std::string_view();
  if (body_ == Body::chunked || body_touched_ || buffered() < body_left_) return std::nullopt;
  return buffer().substr(0, static_cast<size_t>(body_left_));
}

// Body bytes that have already arrived, at most `max`. Sets body_done_ or body_error_.
std::string HttpConnection::take_buffered(size_t max) {
  std::string piece;
  if (body_ == Body::length) {
    const size_t count = static_cast<size_t>(std::min<uint64_t>({max, body_left_, buffered()}));
    piece.assign(in_, in_at_, count);
    in_at_ += count;
    body_left_ -= count;
    body_done_ = body_left_ == 0;
  } else if (body_ == Body::chunked) {
    in_at_ += decoder_.feed(buffer(), piece, max);
    body_done_ = decoder_.done();
    if (const HttpRefusal& bad = decoder_.refusal()) {
      body_error_ =
          AwsError{.code = "BadRequest", .http_status = bad.status, .message = bad.reason};
    }
  }
  if (in_at_ == in_.size()) {
    in_.clear();
    in_at_ = 0;
  }
  return piece;
}

// Until more bytes are there to read; body_error_ if they will not come.
Task<void> HttpConnection::wait_for_body() {
  const auto& options = server_.options;
  const int64_t allowed =
      options.grace_ms + static_cast<int64_t>(body_received_ * 1000 /
                                              static_cast<uint64_t>(options.bytes_per_second_min));
  const int64_t used = (server_.coarse_now - body_since_) / 1'000'000;
  co_await Ready{*this, EPOLLIN, std::max<int64_t>(allowed - used, 0)};
  if (timed_out_) {
    timed_out_ = false;
    co_return fail(fail_body(timeout_error()));
  }
  if (aborted_) co_return fail(fail_body(incomplete_error()));
  co_return ok();
}

Task<std::string> HttpConnection::read(size_t max) {
  if (body_error_) co_return fail(*body_error_);
  if (body_done_) co_return std::string();
  if (!body_touched_) body_since_ = server_.coarse_now;
  body_touched_ = true;
  if (continue_due_ && buffered() == 0) co_await write_all(kContinue, {});
  continue_due_ = false;
  for (;;) {
    if (buffered() != 0) {
      std::string piece = take_buffered(max);
      if (body_error_) co_return fail(*body_error_);
      if (!piece.empty() || body_done_) co_return std::move(piece);
    }
    if (Io io; body_ == Body::length && body_left_ >= kDirectReadBytes && max >= kDirectReadBytes &&
               !encrypted()) {
      std::string piece = receive_directly(std::min<uint64_t>({max, body_left_, kPieceBytes}), io);
      if (io == Io::done) co_return std::move(piece);
      if (io == Io::closed) co_return fail(fail_body(incomplete_error()));
    } else {
      const size_t before = in_.size();
      io = fill();
      body_received_ += in_.size() - before;
      if (io == Io::done) continue;
      if (io == Io::closed) co_return fail(fail_body(incomplete_error()));
    }
    co_await wait_for_body();
  }
}

std::string HttpConnection::receive_directly(uint64_t max, Io& io) {
  std::string piece;
  piece.resize_and_overwrite(static_cast<size_t>(max),
                             [&, room = static_cast<size_t>(max)](char* into, size_t) -> size_t {
                               const ssize_t got = ::recv(fd_, into, room, 0);
                               io = got > 0                                          ? Io::done
                                    : got < 0 && (errno == EAGAIN || errno == EINTR) ? Io::again
                                                                                     : Io::closed;
                               return got > 0 ? static_cast<size_t>(got) : 0;
                             });
  if (io == Io::closed) hung_up_ = true;
  body_left_ -= piece.size();
  body_received_ += piece.size();
  body_done_ = body_left_ == 0;
  return piece;
}

Task<std::string> HttpConnection::read_body(size_t limit) {
  if (body_ == Body::length && body_left_ > limit) co_return fail(too_large_error());
  if (const auto whole = buffered_body()) {
    std::string body(*whole);
    take_whole();
    co_return std::move(body);
  }
  std::string body;
  if (body_ == Body::length) body.reserve(static_cast<size_t>(body_left_));
  while (!body_done_) {
    const std::string piece = co_await read(kPieceBytes);
    if (piece.size() > limit - body.size()) co_return fail(too_large_error());
    body += piece;
  }
  co_return std::move(body);
}

void HttpConnection::take_whole() {
  body_touched_ = true;
  in_at_ += static_cast<size_t>(body_left_);
  body_left_ = 0;
  body_done_ = true;
}

// Whether what the handler left unread can be skipped, so that the connection serves on. A client
// that still waits for "100 Continue" may or may not send the body: nobody can tell where the next
// request begins.
bool HttpConnection::body_can_be_discarded() {
  if (body_done_) return true;
  if (body_ == Body::length) {
    const uint64_t here = std::min<uint64_t>(buffered(), body_left_);
    in_at_ += static_cast<size_t>(here);
    body_left_ -= here;
    body_done_ = body_left_ == 0;
    return body_done_ || (!continue_due_ && body_left_ <= server_.options.discard_bytes_max);
  }
  ignore(take_buffered(server_.options.discard_bytes_max), "nobody wants it");
  return body_done_ && !body_error_;
}

Task<void> HttpConnection::discard_body() {
  while (!body_done_) {
    const std::string piece = co_await read(kPieceBytes);
    ignore(piece, "nobody wants it");
  }
  co_return ok();
}

}  // namespace virga::net
