#include "platform/answer_compression.h"

#include "base/hashing.h"
#include "base/strings.h"
#include "net/gzip.h"

namespace virga::platform {
namespace {

// Above this the loop would notice: about a millisecond of compression.
constexpr size_t kOffloadedBytesMin = 64 * 1024;
constexpr int kLevel = 1;

// A list of codings, each perhaps with a weight; weight 0 refuses. Source: RFC 9110 §12.5.3.
bool accepts_gzip(std::string_view accepted) {
  for (const std::string_view item : split(accepted, ',')) {
    const size_t semicolon = item.find(';');
    if (!iequals(trim(item.substr(0, semicolon)), "gzip")) continue;
    if (semicolon == std::string_view::npos) return true;
    const std::string_view weight = trim(item.substr(semicolon + 1));
    return weight != "q=0" && !weight.starts_with("q=0.0");
  }
  return false;
}

}  // namespace

bool is_compressed_answer(const aws::ServiceDesc& service, const net::HttpRequest& request,
                          const net::HttpResponse& answer) {
  if (answer.body.size() < kCompressedAnswerBytesMin || service.signing_name != "dynamodb")
    return false;
  const auto accepted = request.header("Accept-Encoding");
  return accepted && accepts_gzip(*accepted);
}

Task<void> compress_answer(net::HttpResponse* answer, async::Pool* pool) {
  const auto compress = [answer] { return net::gzip(answer->body, kLevel); };
  if (pool && answer->body.size() >= kOffloadedBytesMin) {
    std::string compressed = co_await async::offload(*pool, compress);
    answer->body = std::move(compressed);
  } else {
    answer->body = compress();
  }
  answer->headers.set("Content-Encoding", "gzip");
  answer->headers.set("x-amz-crc32", std::to_string(crc32(answer->body)));
  co_return ok();
}

}  // namespace virga::platform
