#pragma once

#include <coroutine>
#include <deque>
#include <optional>

#include "async/cancel.h"
#include "async/loop.h"
#include "async/task.h"

// What coroutines wait for. All of these belong to the loop that made them; waits end early when
// the task's CancelSource is cancelled, with its reason as the error.
namespace virga::async {

// Waits until the steady clock reads `at` (at once when it has).
Task<void> sleep_until(SteadyTime at);
Task<void> sleep_millis(int64_t ms);
// Lets others on this loop run.
Task<void> yield();

// `co_await switch_to(loop);` : what follows runs on `loop`. The only way a task changes threads.
struct SwitchTo {
  Loop& loop;
  bool await_ready() const { return Loop::current() == &loop; }
  void await_suspend(std::coroutine_handle<> h) { loop.resume(h); }
  void await_resume() {}
};
inline SwitchTo switch_to(Loop& loop) {
  return {loop};
}

// A flag that coroutines wait for. set() wakes all waiters and stays set until reset().
class Event {
 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event();

  void set();
  void reset() { set_ = false; }
  bool is_set() const { return set_; }
  Task<void> wait();

 private:
  friend struct EventAwaiter;
  bool set_ = false;
  struct EventAwaiter* head_ = nullptr;  // waiters, newest first
};

// A one-loop queue with one or more takers. push never waits; who fills it bounds it.
template <class T>
class Queue {
 public:
  void push(T value) {
    items_.push_back(std::move(value));
    ready_.set();
  }
  size_t size() const { return items_.size(); }
  bool empty() const { return items_.empty(); }
  std::optional<T> try_take() {
    if (items_.empty()) return std::nullopt;
    T value = std::move(items_.front());
    items_.pop_front();
    return value;
  }
  Task<T> take() {
    while (items_.empty()) {
      ready_.reset();
      co_await ready_.wait();
    }
    T value = std::move(items_.front());
    items_.pop_front();
    co_return value;
  }

 private:
  std::deque<T> items_;
  Event ready_;
};

// Owns background tasks. stop() cancels their waits and returns when the last has ended; the
// destructor CHECKs that nothing is left. One loop.
class TaskScope {
 public:
  TaskScope() = default;
  ~TaskScope();
  TaskScope(const TaskScope&) = delete;
  TaskScope& operator=(const TaskScope&) = delete;

  // Starts the task at once. Its error, if any, is logged under `name` unless the scope is
  // stopping.
  void spawn(const char* name, Task<void> task);
  Task<void> stop();
  size_t running() const { return running_; }
  bool stopping() const { return cancel_.cancelled(); }

 private:
  static Detached run(TaskScope* scope, const char* name, Task<void> task, CancelSource* cancel);
  CancelSource cancel_;
  Event idle_;
  size_t running_ = 0;
};

namespace wait_detail {

// The CancelSource of the awaiting coroutine, to be cancelled by a timer.
struct CurrentCancel {
  CancelSource* found = nullptr;
  bool await_ready() const { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> h) {
    found = h.promise().cancel;
    return false;
  }
  CancelSource* await_resume() const { return found; }
};

// Awaits a task with a CancelSource of its own instead of the inherited one.
template <class T>
struct WithSource : Task<T>::template Awaiter<false> {
  using Base = typename Task<T>::template Awaiter<false>;
  CancelSource* source;
  WithSource(Task<T>&& t, CancelSource* s) : Base(std::move(t)), source(s) {}
  template <class Outer>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Outer> outer) noexcept {
    CancelSource* const inherited = std::exchange(outer.promise().cancel, source);
    const auto next = Base::await_suspend(outer);
    outer.promise().cancel = inherited;
    return next;
  }
};

}  // namespace wait_detail

// Runs `task` with a deadline on its waits: past it they end with `on_expiry`.
template <class T>
Task<T> with_deadline(Task<T> task, SteadyTime at, AwsError on_expiry) {
  CancelSource* const parent = co_await wait_detail::CurrentCancel{};
  CancelSource own(parent);
  Loop* const loop = Loop::current();
  const TimerId timer = loop->add_timer(at, [&own, &on_expiry] { own.cancel(on_expiry); });
  Result<T> got = co_await wait_detail::WithSource<T>(std::move(task), &own);
  loop->cancel_timer(timer);
  co_return std::move(got);
}

}  // namespace virga::async
