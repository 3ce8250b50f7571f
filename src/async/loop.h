#pragma once

#include <coroutine>
#include <cstdint>
#include <functional>
#include <memory>

#include "async/clock.h"

namespace virga::async {

using Callback = std::move_only_function<void()>;

// What a descriptor's owner hears of. `events` are EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR bits.
class FdHandler {
 public:
  virtual void on_events(uint32_t events) = 0;

 protected:
  ~FdHandler() = default;
};

enum class TimerId : uint64_t { none = 0 };

// One thread's event loop: everything that runs on it runs one after the other. Two
// implementations: EpollLoop here, and the simulation's, where many loops are actors of one thread
// and a seed picks who runs next.
class Loop {
 public:
  virtual ~Loop() = default;

  // From any thread: runs `callback` on this loop, after what was posted before by the same thread.
  virtual void post(Callback callback) = 0;
  // From any thread: resumes a coroutine on this loop.
  virtual void resume(std::coroutine_handle<> h) = 0;

  // On the loop's thread only. Timers of the same instant fire in the order of their creation.
  virtual TimerId add_timer(SteadyTime at, Callback callback) = 0;
  virtual void cancel_timer(TimerId id) = 0;  // of a fired timer: no effect

  // Descriptors (level-triggered), on the loop's thread only. The handler must be removed before it
  // dies or the descriptor is closed. A simulated loop has none and CHECKs.
  virtual void add_fd(int fd, uint32_t events, FdHandler& handler) = 0;
  virtual void modify_fd(int fd, uint32_t events, FdHandler& handler) = 0;
  virtual void remove_fd(int fd) = 0;

  virtual Env& env() = 0;
  SteadyTime now() { return env().steady.now(); }

  // The loop whose callback is running on this thread; null outside.
  static Loop* current();

 protected:
  static void set_current(Loop* loop);
};

// The real one. run() serves until stop(); both once.
class EpollLoop final : public Loop {
 public:
  explicit EpollLoop(Env& env);
  ~EpollLoop() override;
  EpollLoop(const EpollLoop&) = delete;
  EpollLoop& operator=(const EpollLoop&) = delete;

  void run();
  void stop();  // from any thread
  // Runs what is ready and waits at most `wait_ms` for more; for tests that drive the loop by hand.
  void run_once(int wait_ms);

  void post(Callback callback) override;
  void resume(std::coroutine_handle<> h) override;
  TimerId add_timer(SteadyTime at, Callback callback) override;
  void cancel_timer(TimerId id) override;
  void add_fd(int fd, uint32_t events, FdHandler& handler) override;
  void modify_fd(int fd, uint32_t events, FdHandler& handler) override;
  void remove_fd(int fd) override;
  Env& env() override { return env_; }

 private:
  struct Impl;
  Env& env_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace virga::async
