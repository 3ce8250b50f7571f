#include "server/function_host.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace virga::server {
namespace {

constexpr uint16_t kDefaultPort = 4566;
constexpr size_t kPortsMax = 4;  // sandbox::LauncherOptions::platform_ports

}  // namespace

std::vector<uint16_t> platform_ports(const ServeOptions& options) {
  std::vector<uint16_t> ports;
  for (const auto& address : options.listen) {
    const auto port = static_cast<uint16_t>(address.port);
    if (address.service.empty() && port != 0 && std::find(ports.begin(), ports.end(), port) == ports.end()) {
      ports.push_back(port);
    }
  }
  if (ports.size() >= kPortsMax) ports.resize(kPortsMax - 1);
  if (std::find(ports.begin(), ports.end(), kDefaultPort) == ports.end()) ports.push_back(kDefaultPort);
  return ports;
}

std::string node_sdk_folder() {
  namespace fs = std::filesystem;
  std::error_code error;
  if (const char* given = std::getenv("VIRGA_NODE_SDK")) return given;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  for (const fs::path& candidate : {self.parent_path().parent_path() / "runtimes/node/sdk/node_modules",
                                    fs::path("/usr/lib/virga/node_modules")}) {
    if (fs::is_directory(candidate / "@aws-sdk", error)) return candidate.string();
  }
  return {};
}

}  // namespace virga::server
