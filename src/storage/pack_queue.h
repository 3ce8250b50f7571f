#pragma once

#include <coroutine>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "async/offload.h"
#include "storage/blob_files.h"

namespace virga::storage {

// Contents on their way into packs. Those that arrive while a group is being written form the next
// one, so that many small uploads share a write and a sync, and one thread of the pool is busy
// with them however many there are. Any loop.
class PackQueue : public std::enable_shared_from_this<PackQueue> {
 public:
  // `files` is shared with readers and with work on the pool.
  PackQueue(std::shared_ptr<BlobFiles> files, async::Pool& pool)
      : files_(std::move(files)), pool_(pool) {}

  // `co_await append(…)`: a Result<BlobPlace>; the content is durable there when it resumes.
  // `content` must live until then.
  auto append(uint64_t id, std::string_view content, PackedContent::Fate fate) {
    return Awaiter{*this, {.content = {.id = id, .bytes = content, .fate = fate}}};
  }

 private:
  static constexpr uint64_t kGroupBytesMax = 4 << 20;  // what one write and sync take at most

  struct Waiting {
    PackedContent content;
    Result<BlobPlace> place = BlobPlace();
    async::Loop* home = nullptr;
    std::coroutine_handle<> waiter;
  };
  struct Awaiter {
    PackQueue& queue;
    Waiting waiting;
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> waiter) {
      waiting.home = async::Loop::current();
      waiting.waiter = waiter;
      queue.add(waiting);
    }
    Result<BlobPlace> await_resume() { return std::move(waiting.place); }
  };

  void add(Waiting& waiting);
  void start();
  void write_group();  // on the pool

  const std::shared_ptr<BlobFiles> files_;
  async::Pool& pool_;
  std::mutex mutex_;
  std::deque<Waiting*> waiting_;
  bool writing_ = false;
};

}  // namespace virga::storage
