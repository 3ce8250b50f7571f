#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "storage/types.h"

// One seeded run: clients on two loops write, refuse, read and reset against a shard on a simulated
// disk; the machine loses power at some sync, or the process is killed, or a sync fails, or the
// disk fills up; then everything is opened again and compared with what was answered. Several lives
// per run.
namespace virga::sim {

struct RunOptions {
  uint64_t seed = 1;
  storage::PlantedFaults faults;
  bool keep_trace = false;
};

struct Report {
  std::string problem;  // empty: everything held
  uint64_t trace_hash = 0;
  std::vector<std::string> trace;
  // What the run exercised.
  uint64_t lives = 0, syncs = 0, answers = 0, refusals = 0, power_cuts = 0, kills = 0,
           failed_syncs = 0, flushes = 0;
};

Report run_shard(const RunOptions& options);

}  // namespace virga::sim
