#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

#include "base/log.h"
#include "dynamo_sim.h"
#include "shard_sim.h"

namespace virga::sim {
namespace {

uint64_t g_first_seed = 1;
uint64_t g_seeds = 2000;

std::string replay_hint(uint64_t seed) {
  return "replay: sim_test --seed " + std::to_string(seed);
}

TEST(Simulation, no_answer_is_lost_no_batch_is_torn_no_refusal_is_early) {
  Report all;
  uint64_t hash = 0;  // equal for equal seeds, also in another process
  for (uint64_t seed = g_first_seed; seed < g_first_seed + g_seeds; ++seed) {
    const Report one = run_shard({.seed = seed});
    ASSERT_EQ(one.problem, "") << replay_hint(seed);
    hash = hash * 31 + one.trace_hash;
    all.lives += one.lives;
    all.syncs += one.syncs;
    all.answers += one.answers;
    all.refusals += one.refusals;
    all.power_cuts += one.power_cuts;
    all.kills += one.kills;
    all.failed_syncs += one.failed_syncs;
  }
  std::printf("trace %016lx\n", hash);
  std::printf(
      "%lu seeds: %lu lives, %lu syncs, %lu answers (%lu refusals), %lu power cuts, %lu kills, %lu "
      "failed syncs\n",
      g_seeds, all.lives, all.syncs, all.answers, all.refusals, all.power_cuts, all.kills,
      all.failed_syncs);
}

TEST(Simulation, a_seed_replays_step_for_step) {
  for (uint64_t seed = g_first_seed; seed < g_first_seed + 20; ++seed) {
    const Report first = run_shard({.seed = seed, .keep_trace = true});
    const Report second = run_shard({.seed = seed, .keep_trace = true});
    ASSERT_GT(first.trace.size(), 50u);
    for (size_t i = 0; i < std::min(first.trace.size(), second.trace.size()); ++i) {
      ASSERT_EQ(first.trace[i], second.trace[i]) << "seed " << seed << ", step " << i;
    }
    EXPECT_EQ(first.trace_hash, second.trace_hash) << "seed " << seed;
  }
}

// Each planted fault must be found within so many seeds; otherwise the check above proves nothing.
void expect_found(storage::PlantedFaults faults, uint64_t within) {
  for (uint64_t seed = 1; seed <= within; ++seed) {
    const Report report = run_shard({.seed = seed, .faults = faults});
    if (report.problem.empty()) continue;
    std::printf("found at seed %lu: %s\n", seed, report.problem.c_str());
    return;
  }
  FAIL() << "not found in " << within << " seeds";
}

TEST(Simulation, finds_answers_before_the_sync) {
  expect_found({.answer_before_sync = true}, 100);
}
TEST(Simulation, finds_belief_in_torn_records) {
  expect_found({.skip_checksum = true}, 300);
}
TEST(Simulation, finds_refusals_that_leave_early) {
  expect_found({.forget_refusal_lsn = true}, 300);
}

// A run of the service costs as much as several of the storage alone.
uint64_t dynamo_seeds() {
  return std::max<uint64_t>(1, g_seeds / 4);
}

TEST(DynamoSimulation, registers_are_linearizable_and_transactions_strictly_serialisable) {
  DynamoReport all;
  uint64_t hash = 0;
  for (uint64_t seed = g_first_seed; seed < g_first_seed + dynamo_seeds(); ++seed) {
    const DynamoReport one = run_dynamo({.seed = seed});
    ASSERT_EQ(one.problem, "") << replay_hint(seed);
    hash = hash * 31 + one.trace_hash;
    all.lives += one.lives;
    all.register_operations += one.register_operations;
    all.transactions += one.transactions;
    all.aborted += one.aborted;
    all.unanswered += one.unanswered;
  }
  // Otherwise the checkers had nothing to look at.
  if (dynamo_seeds() > 10) {
    EXPECT_GT(all.unanswered, 0u);
    EXPECT_GT(all.aborted, 0u);
  }
  std::printf("trace %016lx\n", hash);
  std::printf(
      "%lu seeds: %lu lives, %lu register operations, %lu transactions (%lu aborted), %lu "
      "unanswered\n",
      dynamo_seeds(), all.lives, all.register_operations, all.transactions, all.aborted,
      all.unanswered);
}

TEST(DynamoSimulation, a_seed_replays) {
  for (uint64_t seed = g_first_seed; seed < g_first_seed + 5; ++seed) {
    const DynamoReport first = run_dynamo({.seed = seed});
    const DynamoReport second = run_dynamo({.seed = seed});
    EXPECT_EQ(first.trace_hash, second.trace_hash) << "seed " << seed;
    EXPECT_EQ(first.register_operations, second.register_operations) << "seed " << seed;
  }
}

// `told`: part of the problem that the broken rule leads to.
void expect_found(const DynamoOptions& broken, uint64_t within, std::string_view told = "") {
  for (uint64_t seed = 1; seed <= within; ++seed) {
    DynamoOptions options = broken;
    options.seed = seed;
    const DynamoReport report = run_dynamo(options);
    if (report.problem.find(told) == std::string::npos || report.problem.empty()) continue;
    std::printf("found at seed %lu: %s\n", seed, report.problem.c_str());
    return;
  }
  FAIL() << "not found in " << within << " seeds";
}

TEST(DynamoSimulation, finds_conditions_that_are_not_part_of_their_write) {
  expect_found({.broken = {.check_then_write = true}}, 100, "no order explains it");
  expect_found({.broken = {.check_then_write = true}}, 100, "G2:");
}
TEST(DynamoSimulation, finds_transactions_in_several_commits) {
  expect_found({.broken = {.split_transactions = true}}, 100);
}
TEST(DynamoSimulation, finds_reads_of_the_past) {
  expect_found({.broken = {.old_reads = true}}, 100, "no order explains it");
  expect_found({.broken = {.old_reads = true}}, 100, "-rw->");
}
TEST(DynamoSimulation, finds_answers_before_the_sync) {
  expect_found({.faults = {.answer_before_sync = true}}, 200);
}

}  // namespace
}  // namespace virga::sim

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::strcmp(argv[i], "--seed") == 0) {
      virga::sim::g_first_seed = std::stoull(argv[i + 1]);
      virga::sim::g_seeds = 1;
    }
  }
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::strcmp(argv[i], "--seeds") == 0) virga::sim::g_seeds = std::stoull(argv[i + 1]);
  }
  virga::set_log_level(virga::LogLevel::off);  // failed syncs are the point here
  return RUN_ALL_TESTS();
}
