#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "storage/types.h"

// One seeded run of DynamoDB over the simulated storage: clients on two loops write and read
// registers, alone and under conditions, and lists, in transactions; the machine loses power, or
// the process is killed. What the clients saw, through all lives, must be linearizable for each
// register and strictly serialisable for the lists.
namespace virga::sim {

// Rules broken on purpose, so that the checkers can show that they watch them.
struct BrokenRules {
  bool check_then_write = false;    // a condition is evaluated before its write, not with it
  bool split_transactions = false;  // a transaction is one commit per item
  bool old_reads = false;           // some reads answer what the one before was told
};

struct DynamoOptions {
  uint64_t seed = 1;
  BrokenRules broken;
  storage::PlantedFaults faults;
};

struct DynamoReport {
  std::string problem;  // empty: everything held
  uint64_t trace_hash = 0;
  // What the run exercised.
  uint64_t lives = 0, register_operations = 0, transactions = 0, aborted = 0, unanswered = 0;
};

DynamoReport run_dynamo(const DynamoOptions& options);

}  // namespace virga::sim
