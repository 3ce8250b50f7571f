#include "server/function_host.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "sandbox/machine.h"

namespace virga::server {
namespace {

constexpr uint16_t kDefaultPort = 4566;
constexpr size_t kPortsMax = 4;  // sandbox::LauncherOptions::platform_ports

// Every folder on the way may be passed through by everybody. One that is not there yet may not:
// the store makes it for its own user only.
bool others_may_enter(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  for (fs::path at = folder; at.has_relative_path(); at = at.parent_path()) {
    std::error_code error;
    const auto status = fs::status(at, error);
    if (!fs::exists(status)) return false;
    if ((status.permissions() & fs::perms::others_exec) == fs::perms::none) return false;
  }
  return true;
}

}  // namespace

std::vector<uint16_t> platform_ports(const ServeOptions& options) {
  std::vector<uint16_t> ports;
  for (const auto& address : options.listen) {
    const auto port = static_cast<uint16_t>(address.port);
    if (address.service.empty() && port != 0 &&
        std::find(ports.begin(), ports.end(), port) == ports.end()) {
      ports.push_back(port);
    }
  }
  if (ports.size() >= kPortsMax) ports.resize(kPortsMax - 1);
  if (std::find(ports.begin(), ports.end(), kDefaultPort) == ports.end())
    ports.push_back(kDefaultPort);
  return ports;
}

CodeFolderPlace code_folder(const ServeOptions& options) {
  namespace fs = std::filesystem;
  CodeFolderPlace out{.temporary = options.memory};
  std::error_code error;
  const fs::path data = fs::weakly_canonical(fs::absolute(options.data_dir), error);
  const bool closed = ::geteuid() == 0 && !others_may_enter(data);
  if (!out.temporary && closed && !sandbox::namespaces_allowed()) out.temporary = true;
  const fs::path own = fs::temp_directory_path() / ("virga-code-" + std::to_string(::getpid()));
  out.path = (out.temporary ? fs::weakly_canonical(own, error) : data / "code").string();
  return out;
}

std::string node_sdk_folder() {
  namespace fs = std::filesystem;
  std::error_code error;
  if (const char* given = std::getenv("VIRGA_NODE_SDK")) return given;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  for (const fs::path& candidate :
       {self.parent_path().parent_path() / "runtimes/node/sdk/node_modules",
        fs::path("/usr/lib/virga/node_modules")}) {
    if (fs::is_directory(candidate / "@aws-sdk", error)) return candidate.string();
  }
  return {};
}

}  // namespace virga::server
