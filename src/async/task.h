#pragma once

#include <coroutine>
#include <memory>
#include <new>
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

// Where a coroutine's outcome lands, kept by its waiter: an error here, a value in Slot<T>. Not a
// std::optional<Result<T>>: the traits of those two cost a unit a tenth of a second for every T.
struct SlotBase {
  std::unique_ptr<AwsError> error;
};

struct PromiseBase {
  Link link;
  std::coroutine_handle<> self;
  std::coroutine_handle<>* owner =
      nullptr;  // the owning task's handle, cleared when we destroy the frame
  async::CancelSource* cancel = nullptr;  // inherited from the awaiting coroutine
  SlotBase* slot = nullptr;               // the waiter's Slot<T>
};

// The coroutine behind `link` was answered; `error` is empty on success. Each waiter that
// propagates is given the error and ended: its frame goes, innermost locals first. Returns what to
// resume.
std::coroutine_handle<> finish(Link link, std::unique_ptr<AwsError>& error);

struct FinalAwaiter {
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> h) noexcept {
    return finish(h.promise().link, h.promise().slot->error);
  }
  void await_resume() const noexcept {}
};

template <class T>
struct Slot : SlotBase {
  union {
    T value;
  };
  bool has_value = false;

  Slot() {}
  Slot(Slot&& other) { CHECK(!other.has_value); }  // moves with its awaiter, before the start
  ~Slot() {
    if (has_value) value.~T();
  }
  template <class... Args>
  void put(Args&&... args) {
    CHECK(!has_value);
    ::new (static_cast<void*>(&value)) T(std::forward<Args>(args)...);
    has_value = true;
  }
  Result<T> take() {
    if (error) return std::unexpected(std::move(*error));
    return std::move(value);
  }
};
template <>
struct Slot<void> : SlotBase {
  Slot() = default;
  Slot(Slot&&) {}
  Result<void> take() {
    if (error) return std::unexpected(std::move(*error));
    return {};
  }
};

template <class T>
struct PromiseReturn : PromiseBase {
  template <class U>
    requires(std::is_same_v<std::remove_cvref_t<U>, T> || std::is_convertible_v<U &&, Result<T>>)
  void return_value(U&& value) {
    auto& out = static_cast<Slot<T>&>(*slot);
    if constexpr (std::is_same_v<std::remove_cvref_t<U>, T>) {
      out.put(std::forward<U>(value));
    } else {
      Result<T> result(std::forward<U>(value));
      if (result) {
        out.put(std::move(*result));
      } else {
        out.error = std::make_unique<AwsError>(std::move(result.error()));
      }
    }
  }
  // `co_return {…};`
  void return_value(T&& value)
    requires(!std::is_reference_v<T>)
  {
    static_cast<Slot<T>&>(*slot).put(std::move(value));
  }
};
template <>
struct PromiseReturn<void> : PromiseBase {
  // `co_return ok();` or `co_return fail(…);`
  void return_value(Result<void> value) {
    if (!value) slot->error = std::make_unique<AwsError>(std::move(value.error()));
  }
};

// co_await on a Result: no suspension on success; an error ends the awaiting coroutine.
template <class T>
struct ResultAwaiter {
  Result<T> result;
  bool await_ready() const noexcept { return result.has_value(); }
  template <class Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> h) noexcept {
    // Moved out first: `this` lives in the frame that finish() destroys.
    auto error = std::make_unique<AwsError>(std::move(result.error()));
    return finish(Link{nullptr, &h.promise()}, error);
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
      this->slot->error = std::make_unique<AwsError>(internal_failure("unhandled exception"));
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
      return handle;
    }
    auto await_resume() {
      if constexpr (!kPropagate) {
        return slot.take();
      } else if constexpr (!std::is_void_v<T>) {
        return std::move(slot.value);
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
  friend class UntypedTask;
  explicit Task(std::coroutine_handle<> h) : handle_(h) {}
  std::coroutine_handle<> handle_;
};

// A task whose waiter does not name its type: the outcome lands in a slot that the waiter keeps.
// One coroutine that waits serves every type then.
class UntypedTask {
 public:
  template <class T>
  UntypedTask(Task<T>&& task, task_detail::Slot<T>& slot)
      : handle_(std::exchange(task.handle_, nullptr)),
        promise_(
            &std::coroutine_handle<typename Task<T>::promise_type>::from_address(handle_.address())
                 .promise()),
        slot_(&slot) {}
  UntypedTask(UntypedTask&& other) noexcept
      : handle_(std::exchange(other.handle_, nullptr)),
        promise_(other.promise_),
        slot_(other.slot_) {}
  ~UntypedTask() {
    if (handle_) handle_.destroy();
  }

  // Awaited by a Task: an error ends that too; without one the slot holds the value.
  bool await_ready() const noexcept { return false; }
  template <class Outer>
    requires std::is_base_of_v<task_detail::PromiseBase, Outer>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Outer> outer) noexcept {
    promise_->link.continuation = outer;
    promise_->link.outer = &outer.promise();
    promise_->cancel = outer.promise().cancel;
    promise_->owner = &handle_;
    promise_->slot = slot_;
    return handle_;
  }
  void await_resume() const noexcept {}

 private:
  std::coroutine_handle<> handle_;
  task_detail::PromiseBase* promise_;
  task_detail::SlotBase* slot_;
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
