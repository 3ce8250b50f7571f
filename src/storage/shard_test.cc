#include "storage/shard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "async/sim_world.h"
#include "storage/sim_file_system.h"
#include "storage/testing.h"

namespace virga::storage {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Pairs = std::vector<std::string>;

Pairs read_all(const View& view, std::string_view begin = "", std::string_view end = "",
               Direction direction = Direction::forward) {
  Pairs out;
  const auto done = view.scan(begin, end, direction, [&](std::string_view k, std::string_view v) {
    out.push_back(std::string(k) + "=" + std::string(v));
    return true;
  });
  EXPECT_TRUE(done.has_value());
  return out;
}

Result<void> put_one(Txn& txn, std::string_view key, std::string_view value) {
  txn.put(key, value);
  return {};
}

TEST(Shard, reads_what_was_written_also_after_a_restart) {
  TestShard shard;
  shard.put("a", "1");
  shard.put("b", std::string(100'000, 'x'));
  EXPECT_EQ(shard->get("a")->value(), "1");
  EXPECT_FALSE(shard->get("c")->has_value());
  shard.reopen();
  EXPECT_EQ(shard->get("a")->value(), "1");
  EXPECT_EQ(shard->get("b")->value().size(), 100'000u);
  EXPECT_EQ(shard->published(), 2u);
}

TEST(Shard, a_transaction_sees_batches_in_flight_and_a_snapshot_does_not) {
  TestShard shard;
  shard.put("k", "old");
  // Nothing runs the loop in between, so the first is not retired when the second reads.
  const auto write = [&](Txn& txn) { return put_one(txn, "k", "new"); };
  Lsn written = 0;
  std::string seen;
  Lsn refused_lsn = 0;
  shard.loop().post([&] {
    written = shard->transact_now({}, write).lsn;
    const auto refused = shard->transact_now({}, [&](Txn& txn) -> Result<int> {
      seen = **txn.get("k");
      return fail("ConditionalCheckFailedException", 400, "The conditional request failed");
    });
    EXPECT_EQ(refused.result.error().code, "ConditionalCheckFailedException");
    refused_lsn = refused.lsn;
  });
  shard.loop().run_once(0);
  EXPECT_EQ(seen, "new");
  EXPECT_EQ(written, 2u);
  EXPECT_EQ(refused_lsn, 2u) << "the refusal depends on the batch that it saw";
  EXPECT_TRUE(shard.run(shard->wait_durable(written)).has_value());
  EXPECT_EQ(shard->snapshot()->get("k")->value(), "new");
}

TEST(Shard, a_refusal_that_saw_no_batch_in_flight_depends_on_nothing) {
  TestShard shard;
  shard.put("k", "old");
  shard.settle();
  const auto done = shard.run(shard->transact(CommitClass::durable, [](Txn& txn) -> Result<int> {
    EXPECT_TRUE(txn.get("k")->has_value());
    return fail("No", 400, "no");
  }));
  EXPECT_EQ(done->lsn, 0u);
}

TEST(Shard, an_error_writes_nothing_and_restores_what_was_in_flight) {
  TestShard shard;
  shard.loop().post([&] {
    ignore(shard->transact_now({}, [](Txn& txn) { return put_one(txn, "a", "1"); }), "");
    const auto failed = shard->transact_now({}, [](Txn& txn) -> Result<void> {
      txn.put("a", "2");
      txn.put("b", "2");
      txn.erase_range("a", "z");
      EXPECT_FALSE(txn.get("a")->has_value());
      return fail("No", 400, "no");
    });
    EXPECT_EQ(failed.lsn, 0u);
    ignore(shard->transact_now({},
                               [](Txn& txn) -> Result<void> {
                                 EXPECT_EQ(txn.get("a")->value(), "1");
                                 EXPECT_FALSE(txn.get("b")->has_value());
                                 return {};
                               }),
           "");
  });
  shard.loop().run_once(0);
  shard.settle();
  EXPECT_THAT(read_all(*shard->snapshot()), ElementsAre("a=1"));
  EXPECT_EQ(shard->published(), 1u);
}

TEST(Shard, scans_merge_base_flight_and_own_writes_both_ways) {
  TestShard shard;
  for (const char* key : {"a", "c", "e", "g"}) shard.put(key, "base");
  shard.settle();
  shard.loop().post([&] {
    ignore(shard->transact_now({},
                               [](Txn& txn) -> Result<void> {
                                 txn.put("b", "flight");
                                 txn.erase("c");
                                 txn.put("g", "flight");
                                 return {};
                               }),
           "");
    const auto done = shard->transact_now({}, [](Txn& txn) -> Result<void> {
      txn.put("d", "own");
      txn.erase("a");
      EXPECT_THAT(read_all(txn), ElementsAre("b=flight", "d=own", "e=base", "g=flight"));
      EXPECT_THAT(read_all(txn, "b", "g", Direction::backward),
                  ElementsAre("e=base", "d=own", "b=flight"));
      EXPECT_THAT(read_all(txn, "c", "d"), ElementsAre());
      txn.erase_range("b", "e");
      txn.put("c", "again");
      EXPECT_THAT(read_all(txn), ElementsAre("c=again", "e=base", "g=flight"));
      EXPECT_THAT(read_all(txn, "", "", Direction::backward),
                  ElementsAre("g=flight", "e=base", "c=again"));
      return {};
    });
    EXPECT_TRUE(done.result.has_value());
  });
  shard.loop().run_once(0);
  shard.settle();
  EXPECT_THAT(read_all(*shard->snapshot()), ElementsAre("c=again", "e=base", "g=flight"));
  shard.reopen();
  EXPECT_THAT(read_all(*shard->snapshot()), ElementsAre("c=again", "e=base", "g=flight"));
}

// Random operations against a plain map, checked through the overlay, the snapshot and a restart.
TEST(Shard, behaves_like_a_map) {
  TestShard shard;
  async::FakeEnv chance(7);
  auto& random = chance.env().random;
  std::map<std::string, std::string> model;
  const auto key = [&] { return std::string(1, static_cast<char>('a' + random.below(20))); };
  for (int round = 0; round < 300; ++round) {
    shard.loop().post([&] {
      for (uint64_t n = random.below(4) + 1; n > 0; --n) {
        auto next = model;
        const bool fails = random.below(5) == 0;
        const auto done = shard->transact_now({}, [&](Txn& txn) -> Result<void> {
          for (uint64_t ops = random.below(6); ops > 0; --ops) {
            const std::string k = key();
            const uint64_t what = random.below(10);
            if (what < 6) {
              const std::string v = std::to_string(random.next());
              txn.put(k, v);
              next[k] = v;
            } else if (what < 9) {
              txn.erase(k);
              next.erase(k);
            } else {
              const std::string end = k + "~~";
              txn.erase_range(k, end);
              next.erase(next.lower_bound(k), next.lower_bound(end));
            }
          }
          Pairs expected, backward;
          for (const auto& [k, v] : next) expected.push_back(k + "=" + v);
          EXPECT_EQ(read_all(txn), expected);
          std::reverse(expected.begin(), expected.end());
          EXPECT_EQ(read_all(txn, "", "", Direction::backward), expected);
          const std::string k = key();
          const auto got = txn.get(k);
          EXPECT_EQ(got->has_value(), next.contains(k));
          if (*got && next.contains(k)) {
            EXPECT_EQ(**got, next[k]);
          }
          if (fails) return fail("No", 400, "no");
          return {};
        });
        if (!fails) model = next;
      }
    });
    shard.loop().run_once(0);
    if (random.below(3) == 0) shard.settle();
    if (random.below(60) == 0) shard.reopen();
  }
  shard.reopen();
  Pairs expected;
  for (const auto& [k, v] : model) expected.push_back(k + "=" + v);
  EXPECT_EQ(read_all(*shard->snapshot()), expected);
}

TEST(Shard, joined_batches_wait_for_the_next_drain_or_twenty_milliseconds) {
  TestShard shard;
  shard.settle();
  shard.loop().post([&] {
    ignore(shard->transact_now({.commit_class = CommitClass::joined},
                               [](Txn& txn) { return put_one(txn, "usage", "1"); }),
           "");
  });
  shard.loop().run_once(0);
  shard.loop().run_once(0);
  EXPECT_EQ(shard->published(), 0u);
  shard.fake_env().advance_millis(25);
  while (shard->published() < 1) shard.loop().run_once(10);
  EXPECT_EQ(shard->get("usage")->value(), "1");
}

TEST(Shard, joined_batches_that_come_during_a_drain_wait_as_well) {
  TestShard shard;
  shard.put("k", "v");
  const Lsn before = shard->published();
  const auto write = [&](CommitClass commit_class, const char* key) {
    ignore(shard->transact_now({.commit_class = commit_class},
                               [&](Txn& txn) { return put_one(txn, key, "1"); }),
           "");
  };
  // A thousand of them, so that some come while the worker writes the one that may not wait.
  shard.loop().post([&] {
    write(CommitClass::durable, "k");
    for (int i = 0; i < 1000; ++i) write(CommitClass::joined, "usage");
  });
  while (shard->published() == before) shard.loop().run_once(10);
  for (int i = 0; i < 20; ++i) shard.loop().run_once(1);  // the worker has nothing to do
  EXPECT_EQ(shard->stats().drains, 2u);  // the put, then the durable batch and whoever came with it
  shard.fake_env().advance_millis(25);
  while (shard->published() < before + 1001) shard.loop().run_once(10);
  EXPECT_LE(shard->stats().drains, 3u);
}

TEST(Shard, somebody_who_waits_hurries_a_joined_batch) {
  TestShard shard;
  const auto done = shard.run(
      shard->transact(CommitClass::joined, [](Txn& txn) { return put_one(txn, "k", "v"); }));
  EXPECT_TRUE(shard.run(shard->wait_durable(done->lsn)).has_value());
}

TEST(Shard, the_writes_of_one_turn_share_a_drain) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    async::SimWorld world(seed);
    async::SimLoop& loop = world.add_loop("owner");
    const auto files = make_memory_file_system();
    auto opened = Shard::open(*files, "/data", TestShard::small_options(), loop, world.workers());
    ASSERT_TRUE(opened.has_value());
    Shard& shard = **opened;
    const auto run_out = [&] { world.run_until([] { return false; }); };
    run_out();  // the worker sleeps
    const uint64_t before = shard.stats().drains;
    for (int i = 0; i < 10; ++i) {
      loop.post([&shard, i] {
        const auto done = shard.transact_now(
            {}, [i](Txn& txn) { return put_one(txn, "k" + std::to_string(i), "v"); });
        EXPECT_TRUE(done.result.has_value());
      });
    }
    EXPECT_TRUE(world.run_until([&] { return shard.published() == 10; })) << "seed " << seed;
    EXPECT_EQ(shard.stats().drains - before, 1u) << "seed " << seed;
    run_out();  // what the loop still holds, before the shard goes
  }
}

TEST(Shard, of_several_writes_to_a_key_in_one_drain_the_last_counts) {
  TestShard shard;
  shard.put("erased, then written", "old");
  shard.put("range", "old");
  EXPECT_FALSE(shard->get("written, then erased")->has_value());  // now the cache knows it
  const auto drains = shard->stats().drains;
  shard.loop().post([&] {
    const auto commit = [&](auto body) {
      ignore(shard->transact_now({},
                                 [&](Txn& txn) -> Result<void> {
                                   body(txn);
                                   return {};
                                 }),
             "published below");
    };
    for (const char* count : {"1", "2", "3"}) commit([&](Txn& txn) { txn.put("count", count); });
    commit([](Txn& txn) { txn.erase("erased, then written"); });
    commit([](Txn& txn) { txn.put("erased, then written", "new"); });
    commit([](Txn& txn) { txn.put("written, then erased", "1"); });
    commit([](Txn& txn) { txn.erase("written, then erased"); });
    commit([](Txn& txn) { txn.put("range 1", "before"); });
    commit([](Txn& txn) { txn.erase_range("range", "rangf"); });
    commit([](Txn& txn) { txn.put("range 2", "after"); });
  });
  shard.loop().run_once(0);
  shard.settle();
  EXPECT_EQ(shard->stats().drains, drains + 1);
  EXPECT_THAT(read_all(*shard->snapshot()),
              ElementsAre("count=3", "erased, then written=new", "range 2=after"));
  EXPECT_FALSE(shard->get("written, then erased")->has_value());
}

TEST(Shard, reset_hides_everything_at_once_and_refuses_the_past) {
  TestShard shard;
  shard.put("k", "v");
  const Generation before = shard->generation();
  uint64_t id = 0;
  ASSERT_TRUE(shard
                  .transact([&](Txn& txn) -> Result<void> {
                    id = txn.new_object_id();
                    return {};
                  })
                  .has_value());
  ASSERT_TRUE(shard.run(shard->reset()).has_value());
  EXPECT_THAT(read_all(*shard->snapshot()), ElementsAre());
  EXPECT_EQ(shard->generation(), before + 1);
  const auto late = shard.run(shard->transact(TransactOptions{.generation = before},
                                              [](Txn& txn) { return put_one(txn, "k", "late"); }));
  EXPECT_EQ(late->result.error().code, "GenerationGone");
  shard.put("k", "new");
  shard.reopen();
  EXPECT_THAT(read_all(*shard->snapshot()), ElementsAre("k=new"));
  ASSERT_TRUE(shard
                  .transact([&](Txn& txn) -> Result<void> {
                    EXPECT_GT(txn.new_object_id(), id) << "never reused, also across a reset";
                    return {};
                  })
                  .has_value());
}

TEST(Shard, publishes_to_its_subscribers_after_the_commit) {
  TestShard shard;
  Lsn at = 0;
  ASSERT_TRUE(shard
                  .transact([&](Txn& txn) -> Result<void> {
                    txn.put("k", "v");
                    txn.on_published([&] { at = shard->published(); });
                    return {};
                  })
                  .has_value());
  shard.settle();
  EXPECT_EQ(at, 1u);
}

TEST(Shard, keeps_change_records_by_lsn) {
  TestShard shard;
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(shard
                    .transact([&](Txn& txn) -> Result<void> {
                      txn.put("k", std::string(60'000, 'x'));  // several segments
                      txn.add_change("change " + std::to_string(i));
                      return {};
                    })
                    .has_value());
    if (i == 30) shard.reopen();
  }
  std::vector<std::string> seen;
  const auto next = shard->changes(48, [&](Lsn lsn, std::string_view record) {
    seen.push_back(std::to_string(lsn) + " " + std::string(record));
    return true;
  });
  EXPECT_THAT(seen, ElementsAre("48 change 47", "49 change 48", "50 change 49"));
  EXPECT_EQ(*next, 51u);
}

TEST(Shard, works_from_other_loops) {
  TestShard shard;
  async::EpollLoop other(shard.fake_env().env());
  std::atomic<bool> done{false};
  struct Work {
    static async::Detached run(Shard* shard, async::EpollLoop* other, std::atomic<bool>* done) {
      const auto committed = co_await as_result(
          shard->transact(CommitClass::durable, [](Txn& txn) { return put_one(txn, "k", "v"); }));
      EXPECT_EQ(async::Loop::current(), other);
      const auto durable = co_await as_result(shard->wait_durable(committed->lsn));
      EXPECT_TRUE(durable.has_value());
      EXPECT_EQ(async::Loop::current(), other);
      EXPECT_EQ(shard->snapshot()->get("k")->value(), "v");
      done->store(true);
      other->stop();
    }
  };
  std::thread thread([&] {
    other.post([&] { Work::run(&*shard, &other, &done); });
    other.run();
  });
  while (!done) shard.loop().run_once(10);
  thread.join();
}

TEST(Shard, transactions_wait_when_too_much_is_in_flight) {
  auto options = TestShard::small_options();
  options.in_flight_bytes_max = 100'000;
  TestShard shard(options);
  size_t most = 0;
  int finished = 0;
  struct Work {
    static async::Detached run(Shard* shard, size_t* most, int* finished) {
      for (int i = 0; i < 20; ++i) {
        const auto done = co_await as_result(shard->transact(CommitClass::durable, [](Txn& txn) {
          return put_one(txn, "k", std::string(10'000, 'x'));
        }));
        EXPECT_TRUE(done->result.has_value());
        *most = std::max<size_t>(*most, shard->stats().in_flight_bytes);
      }
      ++*finished;
    }
  };
  shard.loop().post([&] {
    for (int i = 0; i < 20; ++i) Work::run(&*shard, &most, &finished);
  });
  while (finished < 20) shard.loop().run_once(10);
  EXPECT_LE(most, 120'000u + 20 * 10'100);
}

TEST(Shard, refuses_a_second_opener_and_a_newer_format) {
  char dir[] = "/tmp/virga_shard_XXXXXX";
  ASSERT_TRUE(mkdtemp(dir));
  async::FakeEnv env;
  async::EpollLoop loop(env.env());
  auto& fs = local_file_system();
  {
    const auto first = Shard::open(fs, dir, TestShard::small_options(), loop);
    ASSERT_TRUE(first.has_value()) << first.error().message;
    const auto second = Shard::open(fs, dir, TestShard::small_options(), loop);
    EXPECT_EQ(second.error().code, kFileLocked);
  }
  ASSERT_TRUE(write_file_durably(fs, dir, "FORMAT", "virga store\nformat 99\nshards 1\nepoch 1\n")
                  .has_value());
  const auto newer = Shard::open(fs, dir, TestShard::small_options(), loop);
  EXPECT_EQ(newer.error().code, "FormatTooNew");
  EXPECT_TRUE(remove_tree(fs, dir).has_value());
}

TEST(Shard, a_failed_sync_ends_all_writing_and_wakes_who_waits) {
  SimFileSystem fs([](uint64_t) -> uint64_t { return 0; });
  auto options = TestShard::small_options();
  std::string fatal;
  options.on_fatal = [&](const AwsError& error) { fatal = error.code; };
  TestShard shard(options, &fs);
  shard.put("k", "old");
  shard.settle();
  fs.fail_sync(1);
  const auto written = shard.transact([](Txn& txn) { return put_one(txn, "k", "new"); });
  EXPECT_EQ(written.error().code, "ServiceUnavailable");
  EXPECT_EQ(fatal, kFileIoError);
  const auto next = shard.run(
      shard->transact(CommitClass::durable, [](Txn& txn) { return put_one(txn, "k", "x"); }));
  EXPECT_EQ(next->result.error().http_status, 503);
  EXPECT_EQ(shard->get("k")->value(), "old");
  shard.reopen();
  EXPECT_EQ(shard->get("k")->value(), "old");
}

TEST(Shard, refuses_writes_but_not_reads_and_deletes_when_the_disk_is_nearly_full) {
  SimFileSystem fs([](uint64_t) -> uint64_t { return 0; });
  auto options = TestShard::small_options();
  options.reserve_bytes = 1 << 20;
  fs.set_capacity(8 << 20);
  TestShard shard(options, &fs);
  shard.put("k", "v");
  fs.set_capacity(1 << 20);
  shard.put("k", "v2");  // the drain that notices
  shard.settle();
  const auto put = [&] { return shard.transact([](Txn& txn) { return put_one(txn, "k", "v3"); }); };
  const auto refused = put();
  EXPECT_EQ(refused.error().code, "ServiceUnavailable");
  EXPECT_EQ(refused.error().http_status, 503);
  EXPECT_EQ(shard->get("k")->value(), "v2");
  EXPECT_TRUE(shard.transact([](Txn& txn) -> Result<void> {
    txn.allow_in_low_space();
    txn.erase("k");
    return {};
  }));
  fs.set_capacity(8 << 20);
  EXPECT_TRUE(put()) << "as soon as there is room again";
}

TEST(Shard, refuses_a_transaction_that_is_too_large) {
  TestShard shard;
  const auto done =
      shard.transact([](Txn& txn) { return put_one(txn, "k", std::string(2 << 20, 'x')); });
  EXPECT_EQ(done.error().code, "TransactionTooLarge");
  EXPECT_FALSE(shard->get("k")->has_value());
}

TEST(Shard, local_files_survive_reopening_with_many_flushes) {
  char dir[] = "/tmp/virga_shard_XXXXXX";
  ASSERT_TRUE(mkdtemp(dir));
  async::FakeEnv env;
  async::EpollLoop loop(env.env());
  auto& fs = local_file_system();
  for (int round = 0; round < 3; ++round) {
    auto shard = Shard::open(fs, dir, TestShard::small_options(), loop);
    ASSERT_TRUE(shard.has_value()) << shard.error().message;
    loop.post([&] {
      for (int i = 0; i < 2000; ++i) {
        ignore((*shard)->transact_now(
                   {},
                   [&](Txn& txn) {
                     return put_one(
                         txn, Key(Space::platform).u32(static_cast<uint32_t>(round * 2000 + i)),
                         std::string(1500, 'v'));
                   }),
               "");
      }
    });
    while ((*shard)->published() < static_cast<Lsn>(round + 1) * 2000) loop.run_once(10);
    size_t count = 0;
    ASSERT_TRUE((*shard)
                    ->snapshot()
                    ->scan("", "", Direction::forward,
                           [&](auto, auto) {
                             ++count;
                             return true;
                           })
                    .has_value());
    EXPECT_EQ(count, static_cast<size_t>(round + 1) * 2000);
    loop.run_once(0);
  }
  EXPECT_TRUE(remove_tree(fs, dir).has_value());
}

}  // namespace
}  // namespace virga::storage
