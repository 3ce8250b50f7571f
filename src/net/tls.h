#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

// TLS 1.2 and 1.3 by OpenSSL, over bytes in memory: whoever owns the socket moves them. ALPN is
// http/1.1 only.
namespace virga::net {

// What a server proves itself with, PEM.
struct TlsFiles {
  std::string certificates, key;
  // Error: TlsConfiguration, which names the file and why it cannot be read.
  static Result<TlsFiles> read(const std::string& certificates_path, const std::string& key_path);
};

// Certificates, keys and ticket keys. Shared by the sessions of all loops; thread-safe.
class TlsContext {
 public:
  // PEM texts: the certificate chain, leaf first, and its key. Errors: TlsConfiguration, with
  // OpenSSL's reason.
  static Result<std::shared_ptr<TlsContext>> server(std::string_view certificates_pem,
                                                    std::string_view key_pem);
  // Verifies servers against the system's authorities, and those of `authorities_pem` when not
  // empty.
  static Result<std::shared_ptr<TlsContext>> client(std::string_view authorities_pem = {});

  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

 private:
  friend class TlsSession;
  struct Impl;
  explicit TlsContext(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// One connection's encryption. Lives with the connection, on its loop.
class TlsSession {
 public:
  enum class State { handshake, open, closed, failed };

  // `server_name` is what a client asks for and verifies (a DNS name or an IP); empty on servers.
  explicit TlsSession(const TlsContext& context, std::string_view server_name = {});
  ~TlsSession();
  TlsSession(TlsSession&&) noexcept;

  // Takes received bytes, goes on with the handshake or decrypts; appends plain text to `plain`.
  // Call once with nothing to start a client's handshake. Look at output() afterwards.
  State receive(std::string_view ciphertext, std::string& plain);
  // Encrypts; false unless open.
  bool send(std::string_view plain);
  // Says goodbye (close_notify), if open.
  void close();
  // Bytes to be sent; the caller removes what it has sent.
  std::string& output();
  State state() const;
  // Why it failed, for logs and for errors of a client.
  std::string reason() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace virga::net
