#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "linearizability.h"
#include "transaction_cycles.h"

namespace virga::sim {
namespace {

using testing::StartsWith;
using Kind = RegisterOperation::Kind;
using Outcome = ListTransaction::Outcome;

constexpr uint64_t kNever = RegisterOperation::kNever;

RegisterOperation read(int64_t seen, uint64_t called, uint64_t answered) {
  return {.kind = Kind::read, .seen = seen, .called = called, .answered = answered};
}
RegisterOperation write(int64_t value, uint64_t called, uint64_t answered) {
  return {.kind = Kind::write, .written = value, .called = called, .answered = answered};
}
RegisterOperation write_if(int64_t expected, int64_t value, uint64_t called, uint64_t answered) {
  return {.kind = Kind::compare_and_write,
          .written = value,
          .expected = expected,
          .called = called,
          .answered = answered};
}

TEST(Linearizability, lets_overlapping_operations_take_place_in_any_order) {
  EXPECT_EQ(check_linearizable({write(1, 1, 4), read(0, 2, 3), read(1, 5, 6)}), "");
  EXPECT_EQ(check_linearizable({write(1, 1, 10), write(2, 2, 9), read(2, 3, 4), read(1, 5, 6)}),
            "");
}

TEST(Linearizability, finds_a_read_of_what_was_overwritten) {
  EXPECT_NE(check_linearizable({write(1, 1, 2), write(2, 3, 4), read(1, 5, 6)}), "");
  EXPECT_NE(check_linearizable({write(1, 1, 10), read(1, 2, 3), read(0, 4, 5)}), "");
}

TEST(Linearizability, lets_an_operation_without_an_answer_take_place_late_or_never) {
  EXPECT_EQ(check_linearizable({write(1, 1, kNever), read(0, 2, 3), read(1, 4, 5)}), "");
  EXPECT_EQ(check_linearizable({write(1, 1, kNever), read(0, 2, 3)}), "");
  EXPECT_NE(check_linearizable({write(1, 1, kNever), read(1, 2, 3), read(0, 4, 5)}), "");
}

TEST(Linearizability, finds_two_conditions_that_cannot_both_have_held) {
  EXPECT_EQ(check_linearizable({write_if(0, 1, 1, 4), write_if(1, 2, 2, 3)}), "");
  EXPECT_NE(check_linearizable({write_if(0, 1, 1, 4), write_if(0, 2, 2, 3)}), "");
  RegisterOperation refused = write_if(0, 3, 5, 6);
  refused.refused = true;
  EXPECT_EQ(check_linearizable({write(1, 1, 2), refused}), "");
  EXPECT_NE(check_linearizable({refused}), "");
}

TEST(Linearizability, believes_the_value_that_a_write_found) {
  RegisterOperation second = write(2, 3, 4);
  second.seen = 1;
  EXPECT_EQ(check_linearizable({write(1, 1, 2), second}), "");
  second.seen = 0;
  EXPECT_NE(check_linearizable({write(1, 1, 2), second}), "");
}

ListTransaction committed(uint64_t called, uint64_t answered) {
  ListTransaction t;
  t.outcome = Outcome::committed;
  t.called = called;
  t.answered = answered;
  return t;
}
ListTransaction append(std::map<int, List> elements, uint64_t called, uint64_t answered) {
  ListTransaction t = committed(called, answered);
  t.appended = std::move(elements);
  return t;
}
ListTransaction look(std::map<int, List> lists, uint64_t called, uint64_t answered) {
  ListTransaction t = committed(called, answered);
  t.read = std::move(lists);
  return t;
}

TEST(TransactionCycles, accepts_what_happened_one_after_the_other) {
  EXPECT_EQ(check_transactions({append({{0, {1}}, {1, {2, 3}}}, 1, 2), append({{0, {4}}}, 3, 4),
                                look({{0, {1, 4}}, {1, {2, 3}}}, 5, 6)},
                               {{0, {1, 4}}, {1, {2, 3}}}),
            "");
}

TEST(TransactionCycles, finds_g0_in_writes_that_interleave) {
  EXPECT_THAT(
      check_transactions({append({{0, {1}}, {1, {2}}}, 1, 10), append({{0, {3}}, {1, {4}}}, 2, 9)},
                         {{0, {1, 3}}, {1, {4, 2}}}),
      StartsWith("G0:"));
}

TEST(TransactionCycles, finds_g1a_g1b_and_lost_appends) {
  ListTransaction aborted = append({{0, {1}}}, 1, 2);
  aborted.outcome = Outcome::aborted;
  EXPECT_THAT(check_transactions({aborted}, {{0, {1}}}), StartsWith("G1a"));
  EXPECT_THAT(check_transactions({aborted, look({{0, {1}}}, 3, 4)}, {{0, {}}}), StartsWith("G1a"));
  EXPECT_THAT(
      check_transactions({append({{0, {1, 2}}}, 1, 9), look({{0, {1}}}, 2, 3)}, {{0, {1, 2}}}),
      StartsWith("G1b"));
  EXPECT_THAT(check_transactions({append({{0, {1}}}, 1, 2)}, {{0, {}}}), StartsWith("lost append"));
}

TEST(TransactionCycles, finds_g1c_in_two_that_saw_each_other) {
  ListTransaction a = append({{0, {1}}}, 1, 10);
  a.read_lengths = {{1, 1}};
  ListTransaction b = append({{1, {2}}}, 2, 9);
  b.read_lengths = {{0, 1}};
  EXPECT_THAT(check_transactions({a, b}, {{0, {1}}, {1, {2}}}), StartsWith("G1c:"));
}

TEST(TransactionCycles, finds_g2_in_write_skew_and_in_fractured_reads) {
  ListTransaction a = append({{0, {1}}}, 1, 10);
  a.read_lengths = {{1, 0}};
  ListTransaction b = append({{1, {2}}}, 2, 9);
  b.read_lengths = {{0, 0}};
  EXPECT_THAT(check_transactions({a, b}, {{0, {1}}, {1, {2}}}), StartsWith("G2:"));
  EXPECT_THAT(
      check_transactions({append({{0, {1}}, {1, {2}}}, 1, 10), look({{0, {1}}, {1, {}}}, 2, 9)},
                         {{0, {1}}, {1, {2}}}),
      StartsWith("G2:"));
}

TEST(TransactionCycles, finds_a_read_of_the_past_by_real_time_alone) {
  EXPECT_THAT(check_transactions({append({{0, {1}}}, 1, 2), look({{0, {}}}, 3, 4)}, {{0, {1}}}),
              StartsWith("real time:"));
}

TEST(TransactionCycles, lets_one_without_an_answer_have_taken_place_whole_or_not_at_all) {
  ListTransaction crashed;
  crashed.appended = {{0, {1}}, {1, {2}}};
  crashed.called = 1;
  EXPECT_EQ(check_transactions({crashed}, {}), "");
  EXPECT_EQ(check_transactions({crashed, look({{0, {1}}}, 3, 4)}, {{0, {1}}, {1, {2}}}), "");
  EXPECT_THAT(check_transactions({crashed}, {{0, {1}}, {1, {}}}), StartsWith("torn transaction"));
}

}  // namespace
}  // namespace virga::sim
