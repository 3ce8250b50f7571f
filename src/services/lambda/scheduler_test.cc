#include "services/lambda/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "base/document.h"
#include "services/lambda/test_compute.h"

namespace virga::lambda {
namespace {

using ::testing::ElementsAre;

// A scheduler on a loop of its own over a fake engine; time moves only when told.
struct Fixture {
  async::FakeEnv env;
  async::EpollLoop loop{env.env()};
  FakeCompute compute;
  std::unique_ptr<Scheduler> scheduler;

  explicit Fixture(Scheduler::Options options = {}) {
    scheduler = std::make_unique<Scheduler>(loop, compute, options);
  }
  ~Fixture() {
    compute.finish_all();
    compute.hold_starts = false;
    compute.hold_invokes = false;
    const auto done = std::make_shared<std::optional<Result<void>>>();
    spawn(scheduler->stop(), done);
    for (int i = 0; i < 1000 && !*done; ++i) {
      compute.finish_all();
      env.advance_millis(5);
      loop.run_once(0);
    }
    CHECK(*done);
  }

  template <class T>
  void spawn(Task<T> task, std::shared_ptr<std::optional<Result<T>>> out) {
    loop.post([task = std::move(task), out]() mutable { detach(std::move(task), out); });
  }
  template <class T>
  static async::Detached detach(Task<T> task, std::shared_ptr<std::optional<Result<T>>> out) {
    auto got = co_await as_result(std::move(task));
    out->emplace(std::move(got));
  }
  void settle() {
    for (int i = 0; i < 20; ++i) loop.run_once(0);
  }
  void advance(int64_t ms) {
    env.advance_millis(ms);
    settle();
  }

  static RunnableVersion version(uint64_t id = 1, uint64_t generation = 1) {
    auto spec = std::make_shared<SandboxSpec>();
    spec->account = "000000000000";
    spec->region = "us-east-1";
    spec->function_name = "f" + std::to_string(id);
    return {.function_id = id, .version = "$LATEST", .generation = generation, .spec = spec};
  }
  // What an execution came to, once it has; shared with the execution, which may outlive the test's
  // scope.
  struct Pending {
    std::shared_ptr<std::optional<Result<Execution>>> value =
        std::make_shared<std::optional<Result<Execution>>>();
    explicit operator bool() const { return value->has_value(); }
    Result<Execution>& operator*() { return **value; }
    Result<Execution>* operator->() { return &**value; }
  };
  void start(Pending* out, RunnableVersion v = version(), ConcurrencyLimits limits = {},
             std::string payload = "{}") {
    Invocation invocation{.request_id = "r", .payload = std::move(payload)};
    spawn(scheduler->execute(std::move(v), limits, std::move(invocation)), out->value);
    settle();
  }
};

TEST(Scheduler, starts_from_zero_and_reuses_the_sandbox) {
  Fixture f;
  Fixture::Pending first, second;
  f.start(&first, f.version(), {}, "1");
  ASSERT_TRUE(first && *first);
  EXPECT_EQ((*first)->outcome.payload, "1");
  EXPECT_TRUE((*first)->init_micros);
  f.start(&second, f.version(), {}, "2");
  ASSERT_TRUE(second && *second);
  EXPECT_FALSE((*second)->init_micros);
  EXPECT_EQ((*first)->log_stream, (*second)->log_stream);
  EXPECT_EQ(f.compute.started, 1);
  EXPECT_EQ(f.scheduler->counts().idle, 1);
}

TEST(Scheduler, parallel_requests_get_a_sandbox_each) {
  Fixture f;
  f.compute.hold_invokes = true;
  Fixture::Pending a, b, c;
  f.start(&a);
  f.start(&b);
  f.start(&c);
  EXPECT_EQ(f.compute.started, 3);
  EXPECT_EQ(f.scheduler->counts().busy, 3);
  f.compute.finish_all();
  f.settle();
  EXPECT_TRUE(a && b && c);
  EXPECT_EQ(f.scheduler->counts().idle, 3);
}

TEST(Scheduler, the_newest_idle_sandbox_is_taken_first) {
  Fixture f;
  f.compute.hold_invokes = true;
  Fixture::Pending a, b;
  f.start(&a);
  f.start(&b);
  f.compute.finish(0);
  f.settle();
  f.compute.finish(1);
  f.settle();
  f.compute.hold_invokes = false;
  Fixture::Pending c;
  f.start(&c);
  EXPECT_EQ((*c)->log_stream, (*b)->log_stream);
}

TEST(Scheduler, whichever_becomes_free_first_takes_the_request) {
  Fixture f;
  f.compute.hold_invokes = true;
  Fixture::Pending a, b;
  f.start(&a);
  f.compute.hold_starts = true;
  f.start(&b);  // a second sandbox is being started for it
  EXPECT_EQ(f.scheduler->counts().starting, 1);
  f.compute.finish(0);  // but the first one is free earlier
  f.settle();
  f.compute.finish_all();
  f.settle();
  ASSERT_TRUE(b && *b);
  EXPECT_EQ((*b)->log_stream, (*a)->log_stream);
  f.compute.release_starts();
  f.settle();
  EXPECT_EQ(f.scheduler->counts().idle, 2);
}

TEST(Scheduler, waiting_requests_are_served_in_their_order) {
  Fixture f({.sandboxes_max = 1});
  f.compute.hold_invokes = true;
  Fixture::Pending a, b, c;
  f.start(&a, f.version(), {}, "a");
  f.start(&b, f.version(), {}, "b");
  f.start(&c, f.version(), {}, "c");
  EXPECT_EQ(f.compute.started, 1);
  EXPECT_EQ(f.scheduler->counts().waiting, 2);
  for (int i = 0; i < 3; ++i) {
    f.compute.finish_all();
    f.settle();
  }
  EXPECT_THAT(f.compute.payloads, ElementsAre("a", "b", "c"));
  EXPECT_TRUE(a && b && c);
}

TEST(Scheduler, refuses_beyond_the_account_limit) {
  Fixture f;
  f.compute.hold_invokes = true;
  Fixture::Pending a, b, c;
  const ConcurrencyLimits two{.account = 2};
  f.start(&a, f.version(1), two);
  f.start(&b, f.version(2), two);
  f.start(&c, f.version(3), two);
  ASSERT_TRUE(c);
  EXPECT_EQ(c->error().code, "TooManyRequestsException");
  EXPECT_EQ(c->error().http_status, 429);
  EXPECT_EQ(c->error().message, "Rate Exceeded.");
  EXPECT_EQ(c->error().detail->string_or("Reason", ""), "ConcurrentInvocationLimitExceeded");
  f.compute.finish_all();
  f.settle();
  Fixture::Pending d;
  f.start(&d, f.version(3), two);
  EXPECT_EQ(f.scheduler->counts().busy, 1);
}

TEST(Scheduler, a_reserved_share_bounds_its_function_and_shrinks_the_others_room) {
  Fixture f;
  f.compute.hold_invokes = true;
  const ConcurrencyLimits own{.account = 3, .account_reserved = 1, .reserved = 1};
  const ConcurrencyLimits others{.account = 3, .account_reserved = 1};
  Fixture::Pending a, b, c, d, e;
  f.start(&a, f.version(1), own);
  f.start(&b, f.version(1), own);
  ASSERT_TRUE(b);
  EXPECT_EQ(b->error().detail->string_or("Reason", ""),
            "ReservedFunctionConcurrentInvocationLimitExceeded");
  f.start(&c, f.version(2), others);
  f.start(&d, f.version(2), others);
  f.start(&e, f.version(2), others);
  ASSERT_TRUE(e);
  EXPECT_EQ(e->error().detail->string_or("Reason", ""), "ConcurrentInvocationLimitExceeded");
}

TEST(Scheduler, zero_reserved_means_never) {
  Fixture f;
  Fixture::Pending a;
  f.start(&a, f.version(1), {.reserved = 0});
  ASSERT_TRUE(a);
  EXPECT_EQ(a->error().http_status, 429);
}

TEST(Scheduler, idle_sandboxes_end_and_leave_nothing) {
  Fixture f({.idle_ms = 30'000});
  Fixture::Pending a, b;
  f.start(&a);
  f.start(&b, f.version(2));
  EXPECT_EQ(f.compute.alive, 2);
  for (int i = 0; i < 29; ++i) f.advance(1000);
  EXPECT_EQ(f.compute.alive, 2);
  for (int i = 0; i < 3; ++i) f.advance(1000);
  EXPECT_EQ(f.compute.alive, 0);
  EXPECT_EQ(f.scheduler->counts().idle, 0);
}

TEST(Scheduler, a_new_generation_never_meets_old_code) {
  Fixture f;
  Fixture::Pending a, b, c;
  f.start(&a, f.version(1, 1));
  f.compute.hold_invokes = true;
  f.start(&b, f.version(1, 1));  // busy in the old generation
  f.scheduler->retire(1, 2);
  EXPECT_EQ(f.compute.alive, 1);  // busy ones finish
  f.start(&c, f.version(1, 2));
  EXPECT_EQ(f.compute.started, 2);
  f.compute.finish_all();
  f.settle();
  ASSERT_TRUE(b && *b && c && *c);
  EXPECT_EQ(f.compute.alive, 1);  // the new one; the old one ended after its request
}

TEST(Scheduler, a_late_request_of_an_old_generation_leaves_no_sandbox) {
  Fixture f;
  Fixture::Pending a, b;
  f.start(&a, f.version(1, 2));
  f.start(&b, f.version(1, 1));
  ASSERT_TRUE(b && *b);
  EXPECT_EQ(f.compute.alive, 1);
}

TEST(Scheduler, deleting_a_function_ends_its_idle_sandboxes) {
  Fixture f;
  Fixture::Pending a, b;
  f.start(&a, f.version(1));
  f.start(&b, f.version(2));
  f.scheduler->retire_all(1);
  EXPECT_EQ(f.compute.alive, 1);
}

TEST(Scheduler, a_sandbox_that_ended_is_not_used_again) {
  Fixture f;
  f.compute.next_outcome =
      Outcome{.kind = OutcomeKind::timed_out, .payload = "{}", .reusable = false};
  Fixture::Pending a, b;
  f.start(&a);
  EXPECT_EQ(f.compute.alive, 0);
  f.compute.next_outcome.reset();
  f.start(&b);
  EXPECT_EQ(f.compute.started, 2);
  EXPECT_TRUE((*b)->init_micros);
}

TEST(Scheduler, a_sandbox_that_died_while_idle_is_not_used) {
  Fixture f;
  Fixture::Pending a, b;
  f.start(&a);
  f.compute.all_dead = true;
  f.start(&b);
  ASSERT_TRUE(b && *b);
  EXPECT_EQ(f.compute.started, 2);
  EXPECT_EQ(f.compute.alive, 1);
}

TEST(Scheduler, a_sandbox_is_replaced_before_its_credentials_end) {
  Fixture f({.idle_ms = 3600'000, .age_max_ms = 60'000});
  Fixture::Pending a, b, c;
  f.start(&a);
  f.advance(59'000);
  f.start(&b);
  EXPECT_EQ(f.compute.started, 1);
  f.advance(2'000);
  f.start(&c);
  EXPECT_EQ(f.compute.started, 2);
}

TEST(Scheduler, a_failed_initialisation_is_the_answer_of_the_first_request) {
  Fixture f;
  f.compute.next_init_failure =
      Outcome{.kind = OutcomeKind::init_error, .payload = "{\"errorType\":\"x\"}"};
  Fixture::Pending a;
  f.start(&a);
  ASSERT_TRUE(a && *a);
  EXPECT_EQ((*a)->outcome.kind, OutcomeKind::init_error);
  EXPECT_EQ(f.compute.alive, 0);
}

TEST(Scheduler, an_engine_that_cannot_start_fails_the_request_and_only_that) {
  Fixture f;
  f.compute.start_error =
      AwsError{.code = "ServiceException", .http_status = 500, .message = "no room"};
  Fixture::Pending a, b;
  f.start(&a);
  ASSERT_TRUE(a);
  EXPECT_EQ(a->error().message, "no room");
  f.compute.start_error.reset();
  f.start(&b);
  ASSERT_TRUE(b && *b);
}

TEST(Scheduler, a_full_machine_ends_the_oldest_idle_sandbox_of_another_function) {
  Fixture f({.sandboxes_max = 2});
  Fixture::Pending a, b, c;
  f.start(&a, f.version(1));
  f.advance(10);
  f.start(&b, f.version(2));
  f.advance(10);
  f.start(&c, f.version(3));
  ASSERT_TRUE(c && *c);
  EXPECT_EQ(f.compute.alive, 2);
  Fixture::Pending again;
  f.start(&again, f.version(2));
  EXPECT_EQ(f.compute.started, 3);  // 2 stayed, 1 went
}

TEST(Scheduler, a_request_on_a_full_machine_waits_for_room) {
  Fixture f({.sandboxes_max = 1, .queue_wait_ms = 1000});
  f.compute.hold_invokes = true;
  Fixture::Pending a, b, c;
  f.start(&a, f.version(1));
  f.start(&b, f.version(2));
  f.start(&c, f.version(3));
  EXPECT_EQ(f.compute.started, 1);
  f.compute.finish_all();
  f.settle();
  EXPECT_EQ(f.compute.started, 2);
  f.advance(1001);
  ASSERT_TRUE(c);
  EXPECT_EQ(c->error().code, "ServiceException");
  f.compute.finish_all();
  f.settle();
  ASSERT_TRUE(b && *b);
}

TEST(Scheduler, log_lines_go_with_the_execution_that_follows_them) {
  Fixture f;
  f.compute.init_lines = {"importing"};
  f.compute.invoke_lines = {"hello"};
  Fixture::Pending a, b;
  f.start(&a);
  f.start(&b);
  ASSERT_EQ((*a)->log.size(), 2u);
  EXPECT_EQ((*a)->log[0].text, "importing");
  EXPECT_EQ((*a)->log[1].text, "hello");
  ASSERT_EQ((*b)->log.size(), 1u);
}

TEST(Scheduler, stopping_fails_who_still_waits) {
  Fixture::Pending a;
  {
    Fixture f;
    f.compute.hold_starts = true;
    f.start(&a);
  }
  ASSERT_TRUE(a);
  EXPECT_EQ(a->error().code, "ServiceException");
}

TEST(LogStreamName, has_the_date_the_version_and_32_hex_digits) {
  async::FakeEnv env;
  const auto name =
      make_log_stream_name(from_civil(2026, 3, 1, 12, 0, 0, 0), "$LATEST", env.env().random);
  EXPECT_THAT(name, ::testing::MatchesRegex("2026/03/01/\\[\\$LATEST\\][0-9a-f]{32}"));
}

}  // namespace
}  // namespace virga::lambda
