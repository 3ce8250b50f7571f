// The HTTP server of one sandbox's Runtime API (127.0.0.1:9001 inside): a strict little HTTP/1.1
// for small requests. What it reads comes from user code: everything has a limit, nothing is
// trusted.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "async/loop.h"
#include "sandbox/fd.h"

namespace virga::sandbox {

// Source: Lambda Developer Guide, "Lambda quotas": 6 MB answer; the emulator's limit is 6 MiB and
// 100 bytes.
inline constexpr size_t kResponseBytesMax = 6 * 1024 * 1024 + 100;

class ApiConnection;

struct ApiRequest {
  std::string head;  // as it came, without the empty line; its form has been checked
  std::string body;
  std::string trailers;    // lines as in `head`
  bool too_large = false;  // the body exceeded kResponseBytesMax and was dropped
  std::string_view method() const;
  std::string_view path() const;
  // The first field of that name (in any case), of the head or else of the trailers; empty without.
  std::string_view header(std::string_view name) const;
};

class ApiServer final : public async::FdHandler {
 public:
  // `on_request` answers by connection.respond(), at once or later. The connection lives until it
  // closes: `on_closed` tells.
  ApiServer(async::Loop& loop, Fd listener,
            std::function<void(ApiConnection&, ApiRequest&)> on_request,
            std::function<void(ApiConnection&)> on_closed);
  ~ApiServer();
  void on_events(uint32_t events) override;
  // A connection that was made in another way than by connect(): only the bootstrap has its end.
  // The connection lives until on_closed or close().
  ApiConnection* adopt(Fd channel);
  // Ends all connections; on_closed is not called.
  void close();

  // A request's head is there: true when its body is to be handed over in pieces as it comes. The
  // request itself follows with an empty body. Empty: no body is.
  std::function<bool(ApiConnection&, const ApiRequest& head)> streams_body;
  // False: enough for now, until connection.resume().
  std::function<bool(std::string_view piece)> on_piece;

 private:
  friend class ApiConnection;
  void drop(ApiConnection* connection);

  async::Loop& loop_;
  Fd listener_;
  std::function<void(ApiConnection&, ApiRequest&)> on_request_;
  std::function<void(ApiConnection&)> on_closed_;
  std::vector<std::unique_ptr<ApiConnection>> connections_;
};

class ApiConnection final : public async::FdHandler {
 public:
  enum class Origin { listener, channel };
  ApiConnection(ApiServer& server, Fd fd, Origin origin);
  ~ApiConnection();
  void on_events(uint32_t events) override;
  // The answer to the request in hand. `headers`: complete lines with CRLF.
  void respond(int status, std::string_view headers, std::string_view body);
  // Bytes of another protocol, before the first request. False: they do not all fit into the
  // socket, and the connection is of no use any more.
  bool send_at_once(std::string_view bytes);
  // After on_piece() said that it has enough.
  void resume();
  // Nobody else can have it: no secret is needed.
  bool is_channel() const { return origin_ == Origin::channel; }

 private:
  enum class Parsed { incomplete, complete, bad };
  bool read_more();
  Parsed parse();
  Parsed parse_head(std::string_view head);
  Parsed parse_chunks();
  void take_body(std::string_view bytes);
  void listen();
  void run();
  void flush();
  void give_up();

  ApiServer& server_;
  Fd fd_;
  const Origin origin_;
  std::string in_;
  std::string out_;
  ApiRequest request_;
  size_t body_left_ = 0;  // of a body with a length, still to come
  bool in_body_ = false, chunked_ = false;
  bool streaming_ = false, paused_ = false;  // its body goes out in pieces; the taker has enough
  bool waiting_answer_ = false, running_ = false, writing_ = false, broken_ = false;
};

}  // namespace virga::sandbox
