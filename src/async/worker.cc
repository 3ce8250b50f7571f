#include "async/worker.h"

#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/check.h"

namespace virga::async {
namespace {

class ThreadWorker final : public Worker {
 public:
  ThreadWorker(const char* name, std::function<bool()> step)
      : step_(std::move(step)), thread_([this] { run(); }) {
    pthread_setname_np(thread_.native_handle(), name);
  }
  ~ThreadWorker() override {
    stopping_.store(true);
    wake();
    thread_.join();
  }
  void kick() override {
    if (kicked_.exchange(true)) return;  // it will look again anyway
    wake();
  }

 private:
  void wake() {
    // The lock closes the gap between the sleeper's last look and its wait.
    {
      const std::lock_guard lock(mutex_);
    }
    ready_.notify_one();
  }
  void run() {
    for (;;) {
      {
        std::unique_lock lock(mutex_);
        ready_.wait(lock, [this] { return stopping_.load() || kicked_.load(); });
      }
      if (stopping_.load()) return;
      kicked_.store(false);
      while (!stopping_.load() && step_()) {
      }
    }
  }

  std::function<bool()> step_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::atomic<bool> kicked_{false};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

class ThreadWorkers final : public WorkerHost {
 public:
  std::unique_ptr<Worker> start(const char* name, std::function<bool()> step) override {
    return std::make_unique<ThreadWorker>(name, std::move(step));
  }
};

}  // namespace

void WorkerHost::run_later(std::function<void()>) {
  CHECK(!"this host takes no jobs");
}

WorkerHost& thread_workers() {
  static ThreadWorkers host;
  return host;
}

}  // namespace virga::async
