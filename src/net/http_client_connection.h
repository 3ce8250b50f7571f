#pragma once

#include <memory>
#include <optional>
#include <string>

#include "net/http_client.h"
#include "net/http_parser.h"

// Inside of the HTTP client; nobody else includes this.
namespace virga::net {

// A connected socket, plain or encrypted. Bytes received and not yet used are in `in`.
struct ClientConnection {
  explicit ClientConnection(int f) : fd(f) {}
  ~ClientConnection();
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;

  int fd;
  std::optional<TlsSession> tls;
  std::string in;
  bool answered = false;  // a byte of the current answer has come
  std::string key;        // scheme, host and port: who may use it again
  async::SteadyTime idle_since;
};

// Sends bytes; receive() appends to `in` and returns false at the end of the stream.
Task<void> client_write(ClientConnection* connection, std::string_view bytes);
Task<bool> client_receive(ClientConnection* connection);
Task<void> client_handshake(ClientConnection* connection);

// Reads one answer. `reusable` tells whether the connection can take another request.
struct ClientAnswer {
  HttpClientResponse response;
  bool reusable = false;
};
Task<ClientAnswer> client_read_answer(ClientConnection* connection, bool is_head,
                                      size_t body_bytes_max);

}  // namespace virga::net
