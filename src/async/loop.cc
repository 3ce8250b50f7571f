#include "async/loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <vector>

#include "async/timer_queue.h"
#include "base/check.h"

namespace virga::async {
namespace {

thread_local Loop* t_current = nullptr;

constexpr int kEventsPerWait = 256;

}  // namespace

Loop* Loop::current() {
  return t_current;
}
void Loop::set_current(Loop* loop) {
  t_current = loop;
}

struct EpollLoop::Impl {
  struct Posted {
    std::coroutine_handle<> handle;  // or
    Callback callback;
  };

  int epoll_fd = -1;
  int wake_fd = -1;
  TimerQueue timers;
  std::vector<FdHandler*> handlers;  // by descriptor; null: none
  std::vector<Posted> local;         // posted by the loop's own thread: no lock
  std::vector<Posted> spare;         // empty; its room is used again
  std::mutex mutex;
  std::vector<Posted> remote;
  std::atomic<bool> wake_pending{false};
  std::atomic<bool> stopping{false};

  FdHandler* handler_of(int fd) const {
    const auto at = static_cast<size_t>(fd);
    return at < handlers.size() ? handlers[at] : nullptr;
  }
  void set_handler(int fd, FdHandler* handler) {
    const auto at = static_cast<size_t>(fd);
    if (at >= handlers.size()) handlers.resize(at + 1);
    handlers[at] = handler;
  }

  void wake() {
    if (wake_pending.exchange(true, std::memory_order_acq_rel)) return;
    const uint64_t one = 1;
    CHECK(::write(wake_fd, &one, sizeof one) == sizeof one || errno == EAGAIN);
  }

  static void run(Posted& posted) {
    if (posted.handle) {
      posted.handle.resume();
    } else {
      posted.callback();
    }
  }

  // Runs everything posted so far; what those post in turn waits for the next round, so sockets get
  // their share.
  bool run_posted() {
    std::vector<Posted> batch = std::move(spare);
    batch.swap(local);
    {
      const std::lock_guard lock(mutex);
      for (auto& posted : remote) batch.push_back(std::move(posted));
      remote.clear();
    }
    for (auto& posted : batch) run(posted);
    const bool ran = !batch.empty();
    batch.clear();
    spare = std::move(batch);
    return ran;
  }
};

EpollLoop::EpollLoop(Env& env) : env_(env), impl_(std::make_unique<Impl>()) {
  impl_->epoll_fd = ::epoll_create1(EPOLL_CLOEXEC);
  impl_->wake_fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  CHECK(impl_->epoll_fd >= 0 && impl_->wake_fd >= 0);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = impl_->wake_fd;
  CHECK(::epoll_ctl(impl_->epoll_fd, EPOLL_CTL_ADD, impl_->wake_fd, &event) == 0);
}

EpollLoop::~EpollLoop() {
  ::close(impl_->epoll_fd);
  ::close(impl_->wake_fd);
}

void EpollLoop::run() {
  while (!impl_->stopping.load(std::memory_order_acquire)) run_once(-1);
}

void EpollLoop::stop() {
  impl_->stopping.store(true, std::memory_order_release);
  impl_->wake();
}

void EpollLoop::run_once(int wait_ms) {
  Loop* const before = current();
  set_current(this);
  const SteadyTime now = this->now();
  while (auto due = impl_->timers.take_due(now)) (*due)();
  const bool ran = impl_->run_posted();

  int timeout = wait_ms;
  if (ran || !impl_->local.empty()) {
    timeout = 0;
  } else if (const auto next = impl_->timers.next()) {
    const int64_t millis = (next->nanos - this->now().nanos + 999'999) / 1'000'000;
    const int until = static_cast<int>(std::clamp<int64_t>(millis, 0, 60'000));
    timeout = wait_ms < 0 ? until : std::min(wait_ms, until);
  }

  epoll_event events[kEventsPerWait];
  const int count = ::epoll_wait(impl_->epoll_fd, events, kEventsPerWait, timeout);
  CHECK(count >= 0 || errno == EINTR);
  for (int i = 0; i < count; ++i) {
    const int fd = events[i].data.fd;
    if (fd == impl_->wake_fd) {
      uint64_t ignored;  // one read takes all that was counted
      CHECK(::read(fd, &ignored, sizeof ignored) == sizeof ignored || errno == EAGAIN);
      impl_->wake_pending.store(false, std::memory_order_release);
      continue;
    }
    // A handler called before in this round may have removed this one.
    if (FdHandler* const handler = impl_->handler_of(fd)) handler->on_events(events[i].events);
  }
  impl_->run_posted();
  set_current(before);
}

void EpollLoop::post(Callback callback) {
  if (current() == this) {
    impl_->local.push_back({nullptr, std::move(callback)});
    return;
  }
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->remote.push_back({nullptr, std::move(callback)});
  }
  impl_->wake();
}

void EpollLoop::resume(std::coroutine_handle<> h) {
  if (current() == this) {
    impl_->local.push_back({h, nullptr});
    return;
  }
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->remote.push_back({h, nullptr});
  }
  impl_->wake();
}

TimerId EpollLoop::add_timer(SteadyTime at, Callback callback) {
  return impl_->timers.add(at, std::move(callback));
}
void EpollLoop::cancel_timer(TimerId id) {
  impl_->timers.cancel(id);
}

void EpollLoop::add_fd(int fd, uint32_t events, FdHandler& handler) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  CHECK(::epoll_ctl(impl_->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0);
  impl_->set_handler(fd, &handler);
}

void EpollLoop::modify_fd(int fd, uint32_t events, FdHandler& handler) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  CHECK(::epoll_ctl(impl_->epoll_fd, EPOLL_CTL_MOD, fd, &event) == 0);
  impl_->set_handler(fd, &handler);
}

void EpollLoop::remove_fd(int fd) {
  if (!impl_->handler_of(fd)) return;
  impl_->set_handler(fd, nullptr);
  CHECK(::epoll_ctl(impl_->epoll_fd, EPOLL_CTL_DEL, fd, nullptr) == 0);
}

}  // namespace virga::async
