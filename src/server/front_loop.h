#pragma once

#include <memory>
#include <thread>
#include <vector>

#include "async/loop.h"
#include "async/task.h"
#include "net/http_server.h"
#include "platform/http_front.h"
#include "server/admin.h"

namespace virga::server {

// Processors this process may use: its affinity, and less where a cgroup's CPU quota is less
// (rounded up). At least 1. Source: sched_getaffinity(2); Linux documentation, "Control Group v2"
// (cpu.max) and "CFS Bandwidth Control".
int usable_processors();

// One more event loop beside the first, with a thread, a door and listeners of its own on the same
// addresses: the kernel spreads connections over them. It serves what runs anywhere and gives other
// connections to the first loop's server. Made, asked and destroyed on the first loop.
class FrontLoop {
 public:
  // `first` must outlive it.
  FrontLoop(platform::Dispatcher& dispatcher, platform::IdentityStore& identity, async::Env& env,
            platform::Metrics& metrics, platform::HttpFrontOptions options, net::HttpServer& first);
  ~FrontLoop();  // after drain()
  FrontLoop(const FrontLoop&) = delete;
  FrontLoop& operator=(const FrontLoop&) = delete;

  Task<void> listen(net::ListenerInfo info);
  Task<std::vector<RequestInFlight>> in_flight();
  // Returns when every connection has ended.
  Task<void> drain();

 private:
  Task<void> listen_here(net::ListenerInfo info);
  Task<std::vector<RequestInFlight>> in_flight_here();

  async::Env& env_;
  async::EpollLoop loop_;
  platform::HttpFront front_;
  std::unique_ptr<net::HttpServer> http_;
  std::thread thread_;
};

// The calls a front is serving now, oldest first; on its loop.
std::vector<RequestInFlight> requests_in_flight(const platform::HttpFront& front, async::Env& env);

}  // namespace virga::server
