#include "async/task.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "async/offload.h"
#include "async/wait.h"

namespace virga::async {
namespace {

struct Trace {
  std::vector<std::string>* out;
  std::string name;
  ~Trace() { out->push_back(name); }
};

// Runs a task on a loop of its own until it is done.
template <class T>
Result<T> run(EpollLoop& loop, Task<T> task) {
  std::optional<Result<T>> got;
  loop.post([&] {
    [](Task<T> t, std::optional<Result<T>>* out) -> Detached {
      auto r = co_await as_result(std::move(t));
      out->emplace(std::move(r));
    }(std::move(task), &got);
  });
  while (!got) loop.run_once(100);
  return std::move(*got);
}

Task<int> answer(int n) {
  if (n < 0) co_return fail("Negative", 400, "below zero");
  co_return n;
}

Task<int> middle(std::vector<std::string>* trace, int n) {
  const Trace outer{trace, "middle outer"};
  const Trace inner{trace, "middle inner"};
  const int got = co_await answer(n);
  trace->push_back("middle went on");
  co_return got + 1;
}

Task<int> top(std::vector<std::string>* trace, int n) {
  const Trace local{trace, "top"};
  const int got = co_await middle(trace, n);
  co_return got + 1;
}

TEST(Task, returns_a_value_through_frames) {
  EpollLoop loop(real_env());
  std::vector<std::string> trace;
  EXPECT_EQ(*run(loop, top(&trace, 1)), 3);
}

TEST(Task, an_error_ends_each_awaiting_frame_innermost_locals_first) {
  EpollLoop loop(real_env());
  std::vector<std::string> trace;
  const auto got = run(loop, top(&trace, -1));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, "Negative");
  EXPECT_EQ(trace, (std::vector<std::string>{"middle inner", "middle outer", "top"}));
}

Task<std::string> inspects(int n) {
  const auto got = co_await as_result(answer(n));
  co_return got ? "value" : got.error().code;
}

TEST(Task, as_result_hands_the_error_over) {
  EpollLoop loop(real_env());
  EXPECT_EQ(*run(loop, inspects(-1)), "Negative");
  EXPECT_EQ(*run(loop, inspects(1)), "value");
}

Task<int> awaits_a_plain_result(bool good) {
  Result<int> r = good ? Result<int>(7) : Result<int>(fail("Bad", 400, "no"));
  const int value = co_await std::move(r);
  co_return value;
}

TEST(Task, a_plain_result_unwraps_or_ends_the_task) {
  EpollLoop loop(real_env());
  EXPECT_EQ(*run(loop, awaits_a_plain_result(true)), 7);
  EXPECT_EQ(run(loop, awaits_a_plain_result(false)).error().code, "Bad");
}

Task<int> throws_inside() {
  co_await yield();
  throw std::runtime_error("bug");
}

TEST(Task, an_escaped_exception_becomes_internal_failure) {
  EpollLoop loop(real_env());
  EXPECT_EQ(run(loop, throws_inside()).error().http_status, 500);
}

Task<int> waits_for_ever(Event* never) {
  co_await never->wait();
  co_return 1;
}

TEST(Wait, a_deadline_ends_a_wait_with_the_given_error) {
  EpollLoop loop(real_env());
  Event never;
  const auto soon = loop.now().plus_millis(5);
  const auto got = run(loop, with_deadline(waits_for_ever(&never), soon, deadline_error()));
  EXPECT_EQ(got.error().code, "RequestTimeout");
}

Task<int> answers_in_time(Event* event) {
  co_await event->wait();
  co_return 5;
}

TEST(Wait, a_deadline_that_does_not_pass_changes_nothing) {
  EpollLoop loop(real_env());
  Event event;
  loop.post([&] { event.set(); });
  const auto later = loop.now().plus_millis(10'000);
  EXPECT_EQ(*run(loop, with_deadline(answers_in_time(&event), later, deadline_error())), 5);
}

Task<void> background(std::vector<std::string>* trace, Event* never) {
  const Trace local{trace, "ended"};
  co_await never->wait();
  co_return ok();
}

Task<void> starts_and_stops(std::vector<std::string>* trace) {
  Event never;
  TaskScope scope;
  scope.spawn("a", background(trace, &never));
  scope.spawn("b", background(trace, &never));
  co_await yield();
  co_await scope.stop();
  trace->push_back("stopped");
  co_return ok();
}

TEST(TaskScope, stop_cancels_and_waits_for_every_child) {
  EpollLoop loop(real_env());
  std::vector<std::string> trace;
  ASSERT_TRUE(run(loop, starts_and_stops(&trace)));
  EXPECT_EQ(trace, (std::vector<std::string>{"ended", "ended", "stopped"}));
}

Task<int> hashes_elsewhere(Pool* pool) {
  Loop* const home = Loop::current();
  const int got = co_await offload(*pool, [] { return 41 + (Loop::current() == nullptr ? 1 : 0); });
  CHECK(Loop::current() == home);
  co_return got;
}

TEST(Offload, runs_on_a_worker_and_resumes_on_the_calling_loop) {
  EpollLoop loop(real_env());
  const auto pool = make_thread_pool(2);
  EXPECT_EQ(*run(loop, hashes_elsewhere(pool.get())), 42);
}

TEST(Loop, timers_fire_in_order_of_time_then_creation) {
  EpollLoop loop(real_env());
  std::vector<int> order;
  loop.post([&] {
    const auto now = loop.now();
    loop.add_timer(now.plus_millis(4), [&] { order.push_back(3); });
    loop.add_timer(now.plus_millis(1), [&] { order.push_back(1); });
    loop.add_timer(now.plus_millis(1), [&] { order.push_back(2); });
    const auto gone = loop.add_timer(now.plus_millis(2), [&] { order.push_back(9); });
    loop.cancel_timer(gone);
  });
  while (order.size() < 3) loop.run_once(50);
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

}  // namespace
}  // namespace virga::async
