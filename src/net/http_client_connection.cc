#include "net/http_client_connection.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/strings.h"
#include "net/fd_ready.h"

namespace virga::net {
namespace {

constexpr size_t kHeadBytesMax = 64 * 1024;
constexpr size_t kHeaderCountMax = 200;

AwsError broken(std::string why) {
  return {.code = "ConnectFailed",
          .http_status = 502,
          .message = "The connection ended: " + std::move(why)};
}
AwsError malformed(std::string why) {
  return {.code = "ResponseMalformed",
          .http_status = 502,
          .message = "The answer is malformed: " + std::move(why)};
}
AwsError too_large() {
  return {.code = "ResponseTooLarge", .http_status = 502, .message = "The answer is too large."};
}

Task<void> write_raw(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
      continue;
    }
    if (errno != EAGAIN && errno != EINTR) co_return fail(broken(strerror(errno)));
    const Result<void> waited = co_await FdReady(fd, EPOLLOUT);
    if (!waited) co_return fail(waited.error());
  }
  co_return ok();
}

// What frames an answer's body.
struct AnswerHead {
  HttpClientResponse response;
  bool keep_alive = true;
  bool chunked = false;
  std::optional<uint64_t> length;
};

Result<void> take_answer_header(const HeaderView& header, AnswerHead& out) {
  if (iequals(header.name, "content-length")) {
    const auto length = parse_int(header.value);
    if (!length || *length < 0 || header.value.front() == '+')
      return fail(malformed("Content-Length"));
    if (out.length && *out.length != static_cast<uint64_t>(*length))
      return fail(malformed("two lengths"));
    out.length = static_cast<uint64_t>(*length);
  } else if (iequals(header.name, "transfer-encoding")) {
    if (out.chunked || !iequals(header.value, "chunked"))
      return fail(malformed("Transfer-Encoding"));
    out.chunked = true;
  } else if (iequals(header.name, "connection")) {
    for (const std::string_view option : split(header.value, ',')) {
      if (iequals(trim(option), "close")) out.keep_alive = false;
    }
  }
  return {};
}

Result<AnswerHead> parse_answer_head(std::string_view head) {
  AnswerHead out;
  const size_t line_end = head.find("\r\n");
  const std::string_view line = head.substr(0, line_end);
  if (line.size() < 12 || !line.starts_with("HTTP/1.") || line[8] != ' ' ||
      (line.size() > 12 && line[12] != ' ')) {
    return fail(malformed("the status line"));
  }
  const auto status = parse_int(line.substr(9, 3));
  if (!status || *status < 100 || *status > 599) return fail(malformed("the status"));
  out.response.status = static_cast<int>(*status);
  out.keep_alive = line[7] != '0';
  for (size_t at = line_end + 2; at < head.size();) {
    const size_t end = head.find("\r\n", at);
    if (end == at) break;
    HeaderView header;
    if (const auto bad = parse_header_line(head.substr(at, end - at), header))
      return fail(malformed(bad.reason));
    VIRGA_TRY_VOID(take_answer_header(header, out));
    if (out.response.headers.size() == kHeaderCountMax) return fail(too_large());
    out.response.headers.emplace_back(header.name, header.value);
    at = end + 2;
  }
  if (out.chunked && out.length) return fail(malformed("Transfer-Encoding beside Content-Length"));
  return out;
}

Task<AnswerHead> read_head(ClientConnection* connection) {
  for (;;) {
    const size_t end = connection->in.find("\r\n\r\n");
    if (end == std::string::npos) {
      if (connection->in.size() > kHeadBytesMax) co_return fail(too_large());
      const bool more = co_await client_receive(connection);
      if (!more) co_return fail(broken("before an answer"));
      connection->answered = true;
      continue;
    }
    AnswerHead head =
        co_await parse_answer_head(std::string_view(connection->in).substr(0, end + 4));
    connection->in.erase(0, end + 4);
    if (head.response.status >= 200) co_return std::move(head);
    if (head.response.status == 101) co_return fail(malformed("an unasked upgrade"));
  }
}

Task<std::string> read_chunked(ClientConnection* connection, size_t limit) {
  ChunkedDecoder decoder;
  std::string body;
  for (;;) {
    const size_t taken = decoder.feed(connection->in, body, limit - body.size() + 1);
    connection->in.erase(0, taken);
    if (const auto& bad = decoder.refusal()) co_return fail(malformed(bad.reason));
    if (body.size() > limit) co_return fail(too_large());
    if (decoder.done()) co_return std::move(body);
    const bool more = co_await client_receive(connection);
    if (!more) co_return fail(broken("inside a chunked answer"));
  }
}

Task<std::string> read_length(ClientConnection* connection, uint64_t length, size_t limit) {
  if (length > limit) co_return fail(too_large());
  while (connection->in.size() < length) {
    const bool more = co_await client_receive(connection);
    if (!more) co_return fail(broken("before the answer's last byte"));
  }
  std::string body = connection->in.substr(0, static_cast<size_t>(length));
  connection->in.erase(0, static_cast<size_t>(length));
  co_return std::move(body);
}

Task<std::string> read_to_end(ClientConnection* connection, size_t limit) {
  for (;;) {
    if (connection->in.size() > limit) co_return fail(too_large());
    const bool more = co_await client_receive(connection);
    if (!more) co_return std::exchange(connection->in, {});
  }
}

}  // namespace

ClientConnection::~ClientConnection() {
  ::close(fd);
}

Task<void> client_write(ClientConnection* connection, std::string_view bytes) {
  if (!connection->tls) {
    co_await write_raw(connection->fd, bytes);
    co_return ok();
  }
  if (!connection->tls->send(bytes)) co_return fail(broken(connection->tls->reason()));
  const std::string encrypted = std::exchange(connection->tls->output(), {});
  co_await write_raw(connection->fd, encrypted);
  co_return ok();
}

Task<bool> client_receive(ClientConnection* connection) {
  char bytes[32 * 1024];
  for (;;) {
    const ssize_t got = ::recv(connection->fd, bytes, sizeof bytes, 0);
    if (got == 0) co_return false;
    if (got < 0) {
      if (errno != EAGAIN && errno != EINTR) co_return fail(broken(strerror(errno)));
      const Result<void> waited = co_await FdReady(connection->fd, EPOLLIN);
      if (!waited) co_return fail(waited.error());
      continue;
    }
    const std::string_view part(bytes, static_cast<size_t>(got));
    if (!connection->tls) {
      connection->in += part;
      co_return true;
    }
    const size_t before = connection->in.size();
    const TlsSession::State state = connection->tls->receive(part, connection->in);
    const std::string replies = std::exchange(connection->tls->output(), {});
    co_await write_raw(connection->fd, replies);
    if (connection->in.size() > before) co_return true;
    if (state == TlsSession::State::closed) co_return false;
    if (state == TlsSession::State::failed) {
      co_return fail("TlsFailed", 502, "The TLS connection failed: " + connection->tls->reason());
    }
    if (state == TlsSession::State::open && !connection->answered)
      co_return true;  // the handshake's end
  }
}

Task<void> client_handshake(ClientConnection* connection) {
  connection->tls->receive({}, connection->in);
  while (connection->tls->state() == TlsSession::State::handshake) {
    const std::string hello = std::exchange(connection->tls->output(), {});
    co_await write_raw(connection->fd, hello);
    const bool more = co_await client_receive(connection);
    if (!more) co_return fail("TlsFailed", 502, "The server hung up during the TLS handshake.");
  }
  if (connection->tls->state() == TlsSession::State::open) co_return ok();
  co_return fail("TlsFailed", 502, "The TLS connection failed: " + connection->tls->reason());
}

Task<ClientAnswer> client_read_answer(ClientConnection* connection, bool is_head,
                                      size_t body_bytes_max) {
  AnswerHead head = co_await read_head(connection);
  ClientAnswer answer;
  const int status = head.response.status;
  answer.reusable = head.keep_alive;
  answer.response = std::move(head.response);
  if (is_head || status == 204 || status == 304) {
    // no body, whatever the headers say: RFC 9112 §6.3
  } else if (head.chunked) {
    answer.response.body = co_await read_chunked(connection, body_bytes_max);
  } else if (head.length) {
    answer.response.body = co_await read_length(connection, *head.length, body_bytes_max);
  } else {
    answer.response.body = co_await read_to_end(connection, body_bytes_max);
    answer.reusable = false;
  }
  if (!connection->in.empty()) answer.reusable = false;  // bytes nobody asked for
  co_return std::move(answer);
}

}  // namespace virga::net
