#include "platform/queue_url.h"

#include "base/strings.h"

namespace virga::platform {

std::optional<QueueUrl> parse_queue_url(std::string_view url) {
  std::string_view path = url;
  if (const auto scheme = url.find("://"); scheme != std::string_view::npos) {
    const auto slash = url.find('/', scheme + 3);
    path = slash == std::string_view::npos ? std::string_view() : url.substr(slash);
  }
  while (path.starts_with('/')) path.remove_prefix(1);
  while (path.ends_with('/')) path.remove_suffix(1);
  if (path.empty()) return std::nullopt;
  const auto parts = split(path, '/');
  const size_t count = parts.size();
  QueueUrl out{.region = {}, .account = {}, .name = parts.back()};
  if (count >= 2) out.account = parts[count - 2];
  if (count >= 4 && parts[count - 4] == "queue") out.region = parts[count - 3];
  return out;
}

}  // namespace virga::platform
