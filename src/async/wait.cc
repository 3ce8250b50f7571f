#include "async/wait.h"

#include "base/log.h"

namespace virga::async {
namespace {

// A suspended wait for an instant. Ends by its timer or by cancellation, whichever comes first.
struct SleepAwaiter final : CancelNode {
  SteadyTime at;
  std::coroutine_handle<> handle;
  Loop* loop = nullptr;
  TimerId timer = TimerId::none;
  CancelSource* source = nullptr;

  explicit SleepAwaiter(SteadyTime t) : at(t) {}
  bool await_ready() const { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> h) {
    handle = h;
    loop = Loop::current();
    source = h.promise().cancel;
    if (source && !source->add(*this)) return false;
    timer = loop->add_timer(at, [this] {
      unlink();
      handle.resume();
    });
    return true;
  }
  void on_cancel() override {
    loop->cancel_timer(timer);
    loop->resume(handle);
  }
  Result<void> await_resume() const {
    if (source && source->cancelled()) return fail(source->reason());
    return {};
  }
};

}  // namespace

struct EventAwaiter final : CancelNode {
  Event& event;
  EventAwaiter* next = nullptr;
  std::coroutine_handle<> handle;
  Loop* loop = nullptr;
  CancelSource* source = nullptr;
  bool was_cancelled = false;

  explicit EventAwaiter(Event& e) : event(e) {}
  bool await_ready() const { return event.set_; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> h) {
    handle = h;
    loop = Loop::current();
    source = h.promise().cancel;
    if (source && !source->add(*this)) {
      was_cancelled = true;
      return false;
    }
    next = event.head_;
    event.head_ = this;
    return true;
  }
  void on_cancel() override {
    for (EventAwaiter** at = &event.head_; *at; at = &(*at)->next) {
      if (*at == this) {
        *at = next;
        break;
      }
    }
    was_cancelled = true;
    loop->resume(handle);
  }
  Result<void> await_resume() const {
    if (was_cancelled) return fail(source->reason());
    return {};
  }
};

Task<void> sleep_until(SteadyTime at) {
  Result<void> outcome = co_await SleepAwaiter(at);
  co_return std::move(outcome);
}

Task<void> sleep_millis(int64_t ms) {
  return sleep_until(Loop::current()->now().plus_millis(ms));
}

Task<void> yield() {
  struct Again {
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> h) { Loop::current()->resume(h); }
    void await_resume() {}
  };
  co_await Again{};
  co_return ok();
}

Event::~Event() {
  CHECK(head_ == nullptr);
}

void Event::set() {
  set_ = true;
  EventAwaiter* waiting = std::exchange(head_, nullptr);
  // Oldest first.
  EventAwaiter* ordered = nullptr;
  while (waiting) {
    EventAwaiter* const next = waiting->next;
    waiting->next = ordered;
    ordered = waiting;
    waiting = next;
  }
  while (ordered) {
    EventAwaiter* const next = ordered->next;
    ordered->unlink();
    ordered->loop->resume(ordered->handle);
    ordered = next;
  }
}

Task<void> Event::wait() {
  Result<void> outcome = co_await EventAwaiter(*this);
  co_return std::move(outcome);
}

TaskScope::~TaskScope() {
  CHECK(running_ == 0);
}

Detached TaskScope::run(TaskScope* scope, const char* name, Task<void> task, CancelSource* cancel) {
  const Result<void> outcome = co_await wait_detail::WithSource<void>(std::move(task), cancel);
  if (!outcome && !scope->stopping()) {
    LOG_WARN("task_ended_with_error", kv("task", name), kv("code", outcome.error().code),
             kv("message", outcome.error().message));
  }
  if (--scope->running_ == 0) scope->idle_.set();
}

void TaskScope::spawn(const char* name, Task<void> task) {
  ++running_;
  idle_.reset();
  run(this, name, std::move(task), &cancel_);
}

Task<void> TaskScope::stop() {
  cancel_.cancel(stopped_error());
  if (running_ == 0) co_return ok();
  co_await idle_.wait();
  co_return ok();
}

}  // namespace virga::async
