#include "async/offload.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace virga::async {
namespace {

class ThreadPool final : public Pool {
 public:
  explicit ThreadPool(int threads) {
    for (int i = 0; i < threads; ++i) workers_.emplace_back([this] { work(); });
  }
  ~ThreadPool() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    ready_.notify_all();
    for (auto& worker : workers_) worker.join();
  }
  void run(Callback work) override {
    {
      const std::lock_guard lock(mutex_);
      queue_.push_back(std::move(work));
    }
    ready_.notify_one();
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      ready_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      Callback next = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      next();
      next = nullptr;
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<Callback> queue_;
  bool stopping_ = false;
  std::vector<std::thread> workers_;
};

class LoopPool final : public Pool {
 public:
  explicit LoopPool(Loop& loop) : loop_(loop) {}
  void run(Callback work) override { loop_.post(std::move(work)); }

 private:
  Loop& loop_;
};

}  // namespace

std::unique_ptr<Pool> make_thread_pool(int threads) {
  return std::make_unique<ThreadPool>(threads);
}
std::unique_ptr<Pool> make_loop_pool(Loop& loop) {
  return std::make_unique<LoopPool>(loop);
}

}  // namespace virga::async
