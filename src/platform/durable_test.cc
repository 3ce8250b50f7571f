#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/durable_queue.h"
#include "storage/testing.h"

namespace virga::platform {
namespace {

using storage::TestShard;
using storage::Txn;
using testing::ElementsAre;
using testing::IsEmpty;

// A shard with timers and one queue whose consumer notes what it gets; restart() is the process's
// end and start.
class DurableTest : public testing::Test {
 protected:
  DurableTest() { begin(); }
  ~DurableTest() override { end(); }

  void begin() {
    timers_ = std::make_unique<DurableTimers>(*shard_, env());
    queue_ = std::make_unique<DurableQueue>(
        *shard_, *timers_, env(),
        DurableQueue::Options{.name = "test", .concurrency = 4, .head_max = 8},
        [this](QueueMessage message) { return consume(this, std::move(message)); });
    timers_->on("note", [this](Txn& txn, std::string_view payload) -> Result<void> {
      if (fail_timers_) return fail("Broken", 500, "not now");
      fired_.emplace_back(payload);
      txn.put("fired/" + std::string(payload), "x");
      return {};
    });
    on_loop([&] {
      timers_->start();
      ASSERT_TRUE(queue_->start());
    });
  }
  void end() {
    shard_.settle();
    ASSERT_TRUE(shard_.run(queue_->stop()));
    ASSERT_TRUE(shard_.run(timers_->stop()));
    queue_.reset();
    timers_.reset();
  }
  void restart() {
    end();
    shard_.reopen();
    begin();
  }
  async::Env& env() { return shard_.fake_env().env(); }
  void on_loop(async::Callback work) {
    shard_.loop().post(std::move(work));
    shard_.loop().run_once(0);
  }
  // Lets everything that can happen now happen.
  void run() {
    for (int calm = 0; calm < 5;) {
      const size_t before = seen_.size() + fired_.size();
      shard_.settle();
      for (int i = 0; i < 5; ++i) shard_.loop().run_once(0);
      calm = seen_.size() + fired_.size() == before ? calm + 1 : 0;
    }
  }
  void pass(int64_t ms) {
    shard_.fake_env().advance_millis(ms);
    run();
  }
  void enqueue(const std::vector<std::string>& bodies) {
    ASSERT_TRUE(shard_.transact([&](Txn& txn) -> Result<void> {
      for (const auto& body : bodies) queue_->enqueue(txn, body);
      return {};
    }));
  }
  static Task<Delivery> consume(DurableTest* self, QueueMessage message) {
    self->seen_.push_back(message.body +
                          (message.attempts ? "#" + std::to_string(message.attempts) : ""));
    if (self->hold_) co_await self->gate_.wait();
    if (message.body.starts_with("error")) co_return fail("Handler", 500, "broken");
    if (message.body.starts_with("retry") && message.attempts < 2)
      co_return Delivery::retry_after(60'000);
    const std::string key = "done/" + message.body;
    co_return Delivery::done_with([key](Txn& txn) -> Result<void> {
      txn.put(key, "x");
      return {};
    });
  }
  size_t messages_on_disk() {
    size_t count = 0;
    const auto key = storage::Key(storage::Space::queue).text("test").u8(1);
    EXPECT_TRUE(shard_->snapshot()->scan(key, key.range_end(), storage::Direction::forward,
                                         [&](auto, auto) { return ++count; }));
    return count;
  }

  TestShard shard_;
  std::unique_ptr<DurableTimers> timers_;
  std::unique_ptr<DurableQueue> queue_;
  std::vector<std::string> seen_, fired_;
  bool hold_ = false, fail_timers_ = false;
  async::Event gate_;
};

TEST_F(DurableTest, delivers_in_order_of_commit_and_removes_with_the_outcome) {
  enqueue({"a", "b"});
  enqueue({"c"});
  run();
  EXPECT_THAT(seen_, ElementsAre("a", "b", "c"));
  EXPECT_EQ(messages_on_disk(), 0u);
  EXPECT_TRUE(shard_->get("done/c")->has_value());
}

TEST_F(DurableTest, a_failed_transaction_enqueues_nothing) {
  const auto failed = shard_.transact([&](Txn& txn) -> Result<void> {
    queue_->enqueue(txn, "never");
    return fail("No", 400, "no");
  });
  EXPECT_FALSE(failed);
  run();
  EXPECT_THAT(seen_, IsEmpty());
}

TEST_F(DurableTest, what_was_not_finished_comes_again_after_a_restart) {
  hold_ = true;
  enqueue({"a", "b"});
  run();
  EXPECT_THAT(seen_, ElementsAre("a", "b"));
  restart();
  hold_ = false;
  seen_.clear();
  run();
  gate_.set();
  run();
  EXPECT_EQ(messages_on_disk(), 0u);
  EXPECT_TRUE(shard_->get("done/b")->has_value());
}

TEST_F(DurableTest, keeps_only_the_head_in_memory_and_still_delivers_all) {
  hold_ = true;
  std::vector<std::string> bodies;
  for (int i = 0; i < 500; ++i) bodies.push_back(std::to_string(i));
  enqueue(bodies);
  run();
  EXPECT_EQ(queue_->under_way(), 4u);
  EXPECT_LE(queue_->in_memory(), 8u);
  hold_ = false;
  gate_.set();
  run();
  EXPECT_EQ(seen_, bodies);
  EXPECT_EQ(messages_on_disk(), 0u);
  const auto mark = shard_->get(storage::Key(storage::Space::queue).text("test").u8(0));
  ASSERT_TRUE(mark->has_value()) << "scans after a restart begin here";
  EXPECT_GT(storage::KeyReader(**mark).u64(), 0u);
}

TEST_F(DurableTest, retries_wait_on_durable_timers_also_over_a_restart) {
  enqueue({"retry"});
  run();
  EXPECT_THAT(seen_, ElementsAre("retry"));
  pass(59'000);
  EXPECT_THAT(seen_, ElementsAre("retry"));
  restart();
  pass(2'000);
  EXPECT_THAT(seen_, ElementsAre("retry", "retry#1"));
  pass(60'000);
  EXPECT_THAT(seen_, ElementsAre("retry", "retry#1", "retry#2"));
  EXPECT_TRUE(shard_->get("done/retry")->has_value());
}

TEST_F(DurableTest, a_handlers_error_is_a_retry) {
  enqueue({"error"});
  run();
  pass(1'000);
  EXPECT_THAT(seen_, ElementsAre("error", "error#1"));
}

TEST_F(DurableTest, a_reset_forgets_messages_and_timers) {
  hold_ = true;
  enqueue({"a", "b", "c", "d", "e", "f"});
  ASSERT_TRUE(shard_.transact([&](Txn& txn) -> Result<void> {
    timers_->set(txn, env().cloud.now().plus_millis(1000), "note", "old");
    return {};
  }));
  run();
  ASSERT_TRUE(shard_.run(shard_->reset()));
  hold_ = false;
  gate_.set();
  seen_.clear();
  pass(5'000);
  EXPECT_THAT(fired_, IsEmpty());
  enqueue({"new"});
  run();
  EXPECT_THAT(seen_, testing::Contains("new"));
  EXPECT_FALSE(shard_->get("done/a")->has_value()) << "outcomes of before the reset are refused";
}

TEST_F(DurableTest, timers_fire_once_in_order_of_time) {
  ASSERT_TRUE(shard_.transact([&](Txn& txn) -> Result<void> {
    const auto now = env().cloud.now();
    timers_->set(txn, now.plus_millis(3000), "note", "third");
    timers_->set(txn, now.plus_millis(1000), "note", "first");
    timers_->set(txn, now.plus_millis(2000), "note", "second");
    return {};
  }));
  pass(1000);
  EXPECT_THAT(fired_, ElementsAre("first"));
  restart();
  pass(5000);
  EXPECT_THAT(fired_, ElementsAre("first", "second", "third"));
  restart();
  pass(5000);
  EXPECT_EQ(fired_.size(), 3u);
}

TEST_F(DurableTest, a_timer_set_in_the_past_fires_even_behind_the_mark) {
  for (const char* name : {"one", "two"}) {
    ASSERT_TRUE(shard_.transact([&](Txn& txn) -> Result<void> {
      timers_->set(txn, env().cloud.now().plus_millis(name[0] == 'o' ? 1000 : -50'000), "note",
                   name);
      return {};
    }));
    pass(1000);
  }
  EXPECT_THAT(fired_, ElementsAre("one", "two"));
}

TEST_F(DurableTest, a_cancelled_timer_does_not_fire) {
  DurableTimers::Ref ref;
  ASSERT_TRUE(shard_.transact([&](Txn& txn) -> Result<void> {
    ref = timers_->set(txn, env().cloud.now().plus_millis(1000), "note", "x");
    return {};
  }));
  ASSERT_TRUE(shard_.transact([&](Txn& txn) -> Result<void> {
    timers_->cancel(txn, ref);
    return {};
  }));
  pass(2000);
  EXPECT_THAT(fired_, IsEmpty());
}

TEST_F(DurableTest, a_stepped_cloud_clock_moves_timers) {
  ASSERT_TRUE(shard_.transact([&](Txn& txn) -> Result<void> {
    timers_->set(txn, env().cloud.now().plus_millis(86'400'000), "note", "tomorrow");
    return {};
  }));
  run();
  env().cloud.freeze(env().cloud.now());
  run();
  EXPECT_THAT(fired_, IsEmpty());
  env().cloud.step_millis(86'400'000);
  run();
  EXPECT_THAT(fired_, ElementsAre("tomorrow"));
}

TEST_F(DurableTest, a_failing_timer_is_tried_again) {
  fail_timers_ = true;
  ASSERT_TRUE(shard_.transact([&](Txn& txn) -> Result<void> {
    timers_->set(txn, env().cloud.now(), "note", "x");
    return {};
  }));
  run();
  EXPECT_THAT(fired_, IsEmpty());
  fail_timers_ = false;
  pass(DurableTimers::kRetryDelayMs);
  EXPECT_THAT(fired_, ElementsAre("x"));
}

}  // namespace
}  // namespace virga::platform
