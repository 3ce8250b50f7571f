#include <algorithm>

#include "base/check.h"
#include "net/http_server.h"

namespace virga::net {
namespace {

class MemoryRequest final : public HttpRequest {
 public:
  MemoryRequest(std::string_view method, std::string_view target,
                std::vector<std::pair<std::string, std::string>> headers, std::string body)
      : lines_(std::move(headers)), body_(std::move(body)) {
    text_ = std::string(method) + " " + std::string(target) + " HTTP/1.1\r\n";
    bool has_host = false;
    for (const auto& [name, value] : lines_) {
      text_ += name + ": " + value + "\r\n";
      has_host = has_host || name == "host" || name == "Host";
    }
    if (!has_host) text_ += "Host: localhost\r\n";
    text_ += "Content-Length: " + std::to_string(body_.size()) + "\r\n\r\n";
    const HttpRefusal bad = parse_request_head(text_, HttpLimits{}, head_);
    CHECK(!bad);
    listener_ = std::make_shared<ListenerInfo>(ListenerInfo{.host = "127.0.0.1", .port = 4566});
    peer_ip_ = "127.0.0.1";
  }
  std::optional<std::string_view> buffered_body() override {
    if (at_ != 0) return std::nullopt;
    return body_;
  }
  Task<std::string> read_body(size_t limit) override {
    if (body_.size() - at_ > limit)
      co_return fail("RequestEntityTooLarge", 413, "Request body is too large");
    std::string rest = body_.substr(at_);
    at_ = body_.size();
    co_return std::move(rest);
  }
  Task<std::string> read(size_t max) override {
    std::string piece = body_.substr(at_, max);
    at_ += piece.size();
    co_return std::move(piece);
  }
  const std::vector<std::pair<std::string, std::string>>& trailers() const override {
    return trailers_;
  }
  bool disconnected() const override { return false; }

 private:
  std::vector<std::pair<std::string, std::string>> lines_;
  std::vector<std::pair<std::string, std::string>> trailers_;
  std::string text_;
  std::string body_;
  size_t at_ = 0;
};

}  // namespace

std::unique_ptr<HttpRequest> make_memory_request(
    std::string_view method, std::string_view target,
    std::vector<std::pair<std::string, std::string>> headers, std::string body) {
  return std::make_unique<MemoryRequest>(method, target, std::move(headers), std::move(body));
}

}  // namespace virga::net
