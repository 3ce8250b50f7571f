#pragma once

#include <coroutine>
#include <memory>
#include <optional>
#include <type_traits>

#include "async/loop.h"
#include "async/task.h"

namespace virga::async {

// Threads for work that would block a loop: large hashes, TLS handshakes, zip, files, cache-missing
// reads.
class Pool {
 public:
  virtual ~Pool() = default;
  virtual void run(Callback work) = 0;  // from any thread
};

// `threads` workers over one queue; the destructor finishes what was accepted.
std::unique_ptr<Pool> make_thread_pool(int threads);
// Runs work as a later callback of the given loop: for simulation and for tests.
std::unique_ptr<Pool> make_loop_pool(Loop& loop);

namespace offload_detail {

template <class F, class R>
struct Awaiter {
  Pool& pool;
  F work;
  std::optional<R> result;
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> h) {
    Loop* const home = Loop::current();
    pool.run([this, home, h] {
      result.emplace(work());
      home->resume(h);
    });
  }
  R await_resume() { return std::move(*result); }
};

}  // namespace offload_detail

// `const auto digest = co_await offload(pool, [&] { return sha256(body); });` : runs `work` on the
// pool and resumes on the calling loop with its value (void is not a value: return a bool or a
// Result). The awaiting coroutine's locals stay alive, so `work` may refer to them.
template <class F>
offload_detail::Awaiter<F, std::invoke_result_t<F>> offload(Pool& pool, F work) {
  return {pool, std::move(work), std::nullopt};
}

}  // namespace virga::async
