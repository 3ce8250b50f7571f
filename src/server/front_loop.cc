#include "server/front_loop.h"

#include <sched.h>

#include <algorithm>
#include <fstream>

#include "async/call_on.h"

namespace virga::server {
namespace {

// "200000 100000" is two processors, "max 100000" no limit.
int quota_v2() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  std::string quota;
  int64_t period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return 0;
  return static_cast<int>((std::atoll(quota.c_str()) + period - 1) / period);
}

int quota_v1() {
  std::ifstream quota_file("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"),
      period_file("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  int64_t quota = 0, period = 0;
  if (!(quota_file >> quota) || !(period_file >> period) || quota <= 0 || period <= 0) return 0;
  return static_cast<int>((quota + period - 1) / period);
}

}  // namespace

int usable_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  int count = ::sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  for (const int quota : {quota_v2(), quota_v1()}) {
    if (quota > 0) count = std::min(count, quota);
  }
  return std::max(count, 1);
}

FrontLoop::FrontLoop(platform::Dispatcher& dispatcher, platform::IdentityStore& identity,
                     async::Env& env, platform::Metrics& metrics,
                     platform::HttpFrontOptions options, net::HttpServer& first)
    : env_(env),
      loop_(env),
      front_(dispatcher, identity, env, metrics, std::move(options)),
      http_(std::make_unique<net::HttpServer>(loop_, front_)) {
  front_.first_server = &first;
  thread_ = std::thread([this] { loop_.run(); });
}

FrontLoop::~FrontLoop() {
  loop_.stop();
  thread_.join();
}

Task<void> FrontLoop::listen(net::ListenerInfo info) {
  const Result<void> done = co_await async::call_on(loop_, listen_here(std::move(info)));
  co_return done;
}

Task<void> FrontLoop::listen_here(net::ListenerInfo info) {
  const int port = co_await http_->listen(std::move(info));
  ignore(port, "the first loop chose it");
  co_return ok();
}

Task<std::vector<RequestInFlight>> FrontLoop::in_flight() {
  Result<std::vector<RequestInFlight>> there = co_await async::call_on(loop_, in_flight_here());
  co_return std::move(there);
}

Task<std::vector<RequestInFlight>> FrontLoop::in_flight_here() {
  co_return requests_in_flight(front_, env_);
}

Task<void> FrontLoop::drain() {
  const Result<void> done = co_await async::call_on(loop_, http_->drain());
  co_return done;
}

std::vector<RequestInFlight> requests_in_flight(const platform::HttpFront& front, async::Env& env) {
  std::vector<RequestInFlight> out;
  for (const platform::InFlight* one = front.in_flight(); one; one = one->next) {
    out.push_back({one->context->request_id, one->context->service, one->context->operation,
                   (env.steady.now() - one->since) / 1000});
  }
  return out;
}

}  // namespace virga::server
