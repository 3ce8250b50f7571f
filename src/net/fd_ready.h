#pragma once

#include <sys/epoll.h>

#include <coroutine>

#include "async/cancel.h"
#include "async/loop.h"

namespace virga::net {

// `const Result<void> waited = co_await FdReady(fd, EPOLLIN);` : until the descriptor is ready or
// the task is cancelled (its reason is the error). Nobody else watches the descriptor meanwhile.
class FdReady final : public async::CancelNode, public async::FdHandler {
 public:
  FdReady(int fd, uint32_t events) : fd_(fd), events_(events) {}
  bool await_ready() const { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> h) {
    handle_ = h;
    loop_ = async::Loop::current();
    source_ = h.promise().cancel;
    if (source_ && !source_->add(*this)) {
      cancelled_ = true;
      return false;
    }
    loop_->add_fd(fd_, events_, *this);
    return true;
  }
  Result<void> await_resume() const {
    if (cancelled_) return fail(source_->reason());
    return {};
  }
  void on_events(uint32_t) override {
    loop_->remove_fd(fd_);
    unlink();
    handle_.resume();
  }
  void on_cancel() override {
    loop_->remove_fd(fd_);
    cancelled_ = true;
    loop_->resume(handle_);
  }

 private:
  int fd_;
  uint32_t events_;
  std::coroutine_handle<> handle_;
  async::Loop* loop_ = nullptr;
  async::CancelSource* source_ = nullptr;
  bool cancelled_ = false;
};

}  // namespace virga::net
