#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

// Whether transactions on lists can have happened one after the other. Lists only grow and no
// element comes twice, so what a transaction read tells which others it followed and which it came
// before; a cycle of such relations is an anomaly. After Kingsbury and Alvaro, "Elle: Inferring
// Isolation Anomalies from Experimental Observations" (2020); names after Adya.
namespace virga::sim {

using List = std::vector<int64_t>;

struct ListTransaction {
  enum class Outcome { committed, aborted, unknown };
  static constexpr uint64_t kNever = UINT64_MAX;

  Outcome outcome = Outcome::unknown;
  std::map<int, List> appended;        // by list; in one go, behind what is there
  std::map<int, List> read;            // the lists as they were before its own elements
  std::map<int, size_t> read_lengths;  // the same, known by their lengths
  uint64_t called = 0;                 // order of events
  uint64_t answered = kNever;          // never: a crash came between
};

// Empty: strictly serialisable. Else the first anomaly: "lost append" (an answered element is not
// in the end's list), "G1a" (an aborted one is), "G1b" (part of an append was seen), "incompatible
// order", "G0", "G1c", "G2", or "real time" (a cycle only with what ended before another began).
// `last`: the lists after all transactions.
std::string check_transactions(const std::vector<ListTransaction>& transactions,
                               const std::map<int, List>& last);

}  // namespace virga::sim
