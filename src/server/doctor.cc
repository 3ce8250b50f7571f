#include "server/doctor.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "async/clock.h"
#include "sandbox/machine.h"

namespace virga::server {
namespace {

// Medians over a preallocated file, as the log writes.
std::string sync_latency() {
  const std::string path = "./.virga-doctor-probe";
  const int fd = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0) return "this folder cannot be written";
  ::unlink(path.c_str());
  const std::string block(4096, 'x');
  std::vector<int64_t> nanos;
  const async::SteadyClock& clock = async::real_env().steady;
  bool good =
      ::posix_fallocate(fd, 0, 1 << 20) == 0 && ::pwrite(fd, block.data(), block.size(), 0) == 4096;
  for (int i = 0; good && i < 32; ++i) {
    const auto begin = clock.now();
    good = ::pwrite(fd, block.data(), block.size(), 4096L * i) == 4096 && ::fdatasync(fd) == 0;
    nanos.push_back(clock.now() - begin);
  }
  ::close(fd);
  if (!good) return "writing failed";
  std::sort(nanos.begin(), nanos.end());
  char text[96];
  std::snprintf(text, sizeof text, "%.2f ms median, %.2f ms worst of 32 (4 KiB write + fdatasync)",
                static_cast<double>(nanos[nanos.size() / 2]) / 1e6,
                static_cast<double>(nanos.back()) / 1e6);
  return text;
}

}  // namespace

int doctor() {
  bool isolated = true;
  for (const auto& line : sandbox::describe_machine({})) {
    std::printf("%-28s %s\n", line.what.c_str(), line.found.c_str());
    isolated = isolated && line.good;
  }
  std::printf("%-28s %s\n\n", "disk, this folder", sync_latency().c_str());
  std::printf("%s\n", isolated
                          ? "Functions run here, isolated from each other and from this machine."
                          : "Functions are less isolated here, or need what is missing above.");
  return isolated ? 0 : 1;
}

}  // namespace virga::server
