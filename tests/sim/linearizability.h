#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// Whether what clients saw of one register can have happened one operation after the other, each at
// some moment between its call and its answer. The search is Wing and Gong's with Lowe's memory of
// where it has been: "Testing and Verifying Concurrent Objects" (1993), "Testing for
// Linearizability" (2017).
namespace virga::sim {

// One operation on a register whose values are numbers; 0: nothing is there.
struct RegisterOperation {
  enum class Kind { read, write, compare_and_write };
  static constexpr uint64_t kNever = UINT64_MAX;

  Kind kind = Kind::read;
  int64_t written = 0;          // write; compare_and_write, if it took place
  int64_t expected = 0;         // compare_and_write
  std::optional<int64_t> seen;  // the value before, as the answer told; a read always has one
  bool refused = false;         // compare_and_write: the register had another value
  uint64_t called = 0;          // order of events
  uint64_t answered = kNever;   // never: a crash came between; it took place then or later or not

  std::string text() const;
};

// Empty: there is such an order. Else what cannot be brought into it. Reads without an answer mean
// nothing and are left out. `initial`: the value before all operations.
std::string check_linearizable(std::vector<RegisterOperation> operations, int64_t initial = 0);

}  // namespace virga::sim
