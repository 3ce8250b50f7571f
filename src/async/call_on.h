#pragma once

#include <coroutine>
#include <optional>

#include "async/loop.h"
#include "async/task.h"

namespace virga::async {

namespace call_on_detail {

template <class T>
struct Awaiter {
  Loop& loop;
  Task<T> task;
  std::optional<Result<T>> result;

  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> h) {
    Loop* const home = Loop::current();
    if (home == &loop) {
      run(this, home, h);
    } else {
      loop.post([this, home, h] { run(this, home, h); });
    }
  }
  Result<T> await_resume() { return std::move(*result); }

  static Detached run(Awaiter* self, Loop* home, std::coroutine_handle<> h) {
    Result<T> got = co_await as_result(std::move(self->task));
    self->result.emplace(std::move(got));
    home->resume(h);
  }
};

}  // namespace call_on_detail

// `const auto got = co_await call_on(loop, task);` : runs the whole task on `loop` and resumes on
// the calling loop with its Result. The task is no part of the caller's cancellation (a
// CancelSource belongs to one loop): it ends by deadlines of its own. For state that lives on one
// loop and is asked from all.
template <class T>
call_on_detail::Awaiter<T> call_on(Loop& loop, Task<T> task) {
  return {loop, std::move(task), std::nullopt};
}

}  // namespace virga::async
