#pragma once

#include <coroutine>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/check.h"
#include "base/error.h"

namespace virga {

namespace async {
class CancelSource;
}

template <class T>
class Task;

namespace task_detail {

struct PromiseBase;

// Who waits for a coroutine, and whether an error also ends the waiter.
struct Link {
  std::coroutine_handle<> continuation;
  PromiseBase* outer = nullptr;  // set when an error finishes the waiting coroutine too
};

struct PromiseBase {
  Link link;
  std::coroutine_handle<> self;
  std::coroutine_handle<>* owner =
      nullptr;  // the owning Task's handle, cleared when we destroy the frame
  async::CancelSource* cancel = nullptr;  // inherited from the awaiting coroutine
  void* slot = nullptr;                   // the waiter's std::optional<Result<T>>
  AwsError* (*store_error)(void* slot, AwsError&&) = nullptr;
};

// The coroutine behind `link` was answered; `error` is null on success. Each waiter that propagates
// is given the error and ended: its frame goes, innermost locals first. Returns what to resume.
std::coroutine_handle<> finish(Link link, AwsError* error);

struct FinalAwaiter {
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> h) noexcept {
    return finish(h.promise().link, h.promise().error);
  }
  void await_resume() const noexcept {}
};

template <class T>
struct Slot {
  std::optional<Result<T>> value;
  static AwsError* store_error(void* slot, AwsError&& e) {
    auto& self = *static_cast<Slot*>(slot);
    self.value.emplace(std::unexpect, std::move(e));
    return &self.value->error();
  }
};

template <class T>
struct PromiseReturn : PromiseBase {
  AwsError* error = nullptr;
  template <class U>
    requires std::is_convertible_v<U&&, Result<T>>
  void return_value(U&& value) {
    auto& out = static_cast<Slot<T>*>(slot)->value;
    out.emplace(std::forward<U>(value));
    if (!*out) error = &out->error();
  }
};
template <>
struct PromiseReturn<void> : PromiseBase {
  AwsError* error = nullptr;
  // `co_return ok();` or `co_return fail(…);`
  void return_value(Result<void> value) {
    auto& out = static_cast<Slot<void>*>(slot)->value;
    out.emplace(std::move(value));
    if (!*out) error = &out->error();
  }
};

// co_await on a Result: no suspension on success; an error ends the awaiting coroutine.
template <class T>
struct ResultAwaiter {
  Result<T> result;
  bool await_ready() const noexcept { return result.has_value(); }
  template <class Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> h) noexcept {
    AwsError error = std::move(result.error());  // `this` lives in the frame that finish() destroys
    return finish(Link{nullptr, &h.promise()}, &error);
  }
  T await_resume() {
    if constexpr (!std::is_void_v<T>) return std::move(*result);
  }
};

template <class T>
struct AsResult {
  Task<T> task;
};

}  // namespace task_detail

// A Result<void> that says all went well.
inline Result<void> ok() {
  return {};
}

// The state of an operation that may suspend: lazy, single owner, started by co_await. Its outcome
// is a Result<T>: `co_await task` unwraps it, and an error finishes the awaiting coroutine with the
// same error; `co_await as_result(task)` hands it over for inspection. Exceptions must not leave a
// coroutine (they are bugs): they become InternalFailure. A Task<void> ends with `co_return ok();`.
template <class T>
class [[nodiscard]] Task {
 public:
  struct promise_type : task_detail::PromiseReturn<T> {
    Task get_return_object() {
      auto h = std::coroutine_handle<promise_type>::from_promise(*this);
      this->self = h;
      return Task(h);
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    task_detail::FinalAwaiter final_suspend() noexcept { return {}; }
    void unhandled_exception() noexcept {
      this->error =
          task_detail::Slot<T>::store_error(this->slot, internal_failure("unhandled exception"));
    }

    template <class U>
    auto await_transform(Result<U> result) {
      return task_detail::ResultAwaiter<U>{std::move(result)};
    }
    template <class U>
    auto await_transform(Task<U>&& task) {
      return typename Task<U>::template Awaiter<true>(std::move(task));
    }
    template <class U>
    auto await_transform(task_detail::AsResult<U>&& wrapped) {
      return typename Task<U>::template Awaiter<false>(std::move(wrapped.task));
    }
    // Awaiters of the async library: they may look at promise().cancel in await_suspend.
    template <class A>
      requires requires(A& a) { a.await_ready(); }
    A&& await_transform(A&& awaiter) {
      return std::forward<A>(awaiter);
    }
  };

  template <bool kPropagate>
  struct Awaiter {
    Task task;
    task_detail::Slot<T> slot;

    explicit Awaiter(Task&& t) : task(std::move(t)) {}
    Awaiter(Awaiter&&) = default;
    bool await_ready() const noexcept { return false; }
    template <class Outer>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Outer> outer) noexcept {
      auto handle = std::coroutine_handle<promise_type>::from_address(task.handle_.address());
      auto& promise = handle.promise();
      promise.link.continuation = outer;
      if constexpr (std::is_base_of_v<task_detail::PromiseBase, Outer>) {
        if (kPropagate) promise.link.outer = &outer.promise();
      }
      if constexpr (requires { outer.promise().cancel; }) promise.cancel = outer.promise().cancel;
      promise.owner = &task.handle_;
      promise.slot = &slot;
      promise.store_error = &task_detail::Slot<T>::store_error;
      return handle;
    }
    auto await_resume() {
      if constexpr (!kPropagate) {
        return std::move(*slot.value);
      } else if constexpr (!std::is_void_v<T>) {
        return std::move(**slot.value);
      }
    }
  };

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    if (handle_) handle_.destroy();
    handle_ = std::exchange(other.handle_, nullptr);
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  // A task of this type from one that can only fail (failed_task below): an error leaves a
  // coroutine through untyped pointers that the waiter sets, so one coroutine serves every T. Saves
  // a coroutine per type where nothing else is done.
  static Task adopt(Task<void>&& failing) { return Task(std::exchange(failing.handle_, nullptr)); }

 private:
  template <class U>
  friend class Task;
  explicit Task(std::coroutine_handle<> h) : handle_(h) {}
  std::coroutine_handle<> handle_;
};

// `const auto got = co_await as_result(store.get(key));` : the Result itself, error included.
template <class T>
task_detail::AsResult<T> as_result(Task<T>&& task) {
  return {std::move(task)};
}

// A task that ends with this error and never returns. Not to be confused with a Task<void> that
// fails with co_return: only this one may be adopted as a Task of another type.
Task<void> failed_task(AwsError error);

// A task that is already done.
template <class T>
Task<T> ready_task(Result<T> result) {
  co_return std::move(result);
}

namespace async {

// Runs a task without a waiter. Only TaskScope and tests use it: everything else has an owner.
struct Detached {
  struct promise_type {
    CancelSource* cancel = nullptr;
    Detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() noexcept {
      check_failed("a detached task threw", __FILE__, __LINE__);
    }
    template <class U>
    auto await_transform(task_detail::AsResult<U>&& wrapped) {
      return typename Task<U>::template Awaiter<false>(std::move(wrapped.task));
    }
    template <class A>
      requires requires(A& a) { a.await_ready(); }
    A&& await_transform(A&& awaiter) {
      return std::forward<A>(awaiter);
    }
  };
};

}  // namespace async
}  // namespace virga
