#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "base/log.h"
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
