#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "async/wait.h"

namespace virga::async {

// Bytes pushed by one side as they come to be and pulled by the other: a function's answer on its
// way to the caller. One loop, one reader. The writer is asked to pause when kFullBytes wait.
// Shared by both sides; either may go first.
class BytePipe {
 public:
  static constexpr size_t kFullBytes = 1 << 20;

  // False: enough for now; `on_room` is then called once, when there is room again. After close()
  // what comes is dropped.
  bool push(std::string_view bytes) {
    if (closed_ || bytes.empty()) return true;
    waiting_.append(bytes);
    changed_.set();
    return waiting_.size() < kFullBytes;
  }
  void finish() {
    finished_ = true;
    changed_.set();
  }

  // What is there, up to `max` bytes; waits when there is nothing. Empty: the end.
  Task<std::string> pull(size_t max) {
    while (waiting_.empty() && !finished_) {
      changed_.reset();
      co_await changed_.wait();
    }
    std::string out = waiting_.substr(0, max);
    waiting_.erase(0, out.size());
    if (waiting_.size() < kFullBytes / 2) tell_room();
    co_return std::move(out);
  }
  // Nobody reads any more.
  void close() {
    closed_ = true;
    waiting_.clear();
    tell_room();
  }

  std::function<void()> on_room;

 private:
  void tell_room() {
    const auto tell = std::exchange(on_room, {});
    if (tell) tell();
  }

  std::string waiting_;
  bool finished_ = false, closed_ = false;
  Event changed_;
};

}  // namespace virga::async
