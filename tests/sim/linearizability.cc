#include "linearizability.h"

#include <algorithm>
#include <set>
#include <utility>

namespace virga::sim {
namespace {

using Kind = RegisterOperation::Kind;
using Mask = std::vector<bool>;

// The value after the operation, when it can take place at this value.
std::optional<int64_t> apply(const RegisterOperation& op, int64_t value) {
  if (op.seen && *op.seen != value) return std::nullopt;
  switch (op.kind) {
    case Kind::read:
      return value;
    case Kind::write:
      return op.written;
    case Kind::compare_and_write:
      if (op.refused) return value == op.expected ? std::nullopt : std::optional(value);
      return value == op.expected ? std::optional(op.written) : std::nullopt;
  }
  return std::nullopt;
}

class Search {
 public:
  Search(std::vector<RegisterOperation> operations, int64_t initial)
      : operations_(std::move(operations)), initial_(initial) {
    std::sort(operations_.begin(), operations_.end(),
              [](const auto& a, const auto& b) { return a.called < b.called; });
  }

  std::string run() {
    struct Frame {
      int64_t value;
      size_t next;                 // the operation to be tried next
      std::optional<size_t> took;  // the one that led here
    };
    Mask done(operations_.size());
    size_t answered_left = 0;
    for (const auto& op : operations_) answered_left += op.answered != RegisterOperation::kNever;
    std::set<std::pair<Mask, int64_t>> seen;
    std::vector<Frame> stack{{initial_, 0, std::nullopt}};
    while (!stack.empty()) {
      if (answered_left == 0) return "";
      Frame& frame = stack.back();
      const uint64_t horizon = first_answer(done);
      bool deeper = false;
      while (frame.next < operations_.size() && operations_[frame.next].called < horizon) {
        const size_t i = frame.next++;
        if (done[i]) continue;
        const auto value = apply(operations_[i], frame.value);
        if (!value) continue;
        done[i] = true;
        if (!seen.emplace(done, *value).second) {
          done[i] = false;
          continue;
        }
        answered_left -= operations_[i].answered != RegisterOperation::kNever;
        stack.push_back({*value, 0, i});
        deeper = true;
        break;
      }
      if (deeper) continue;
      remember_stuck(done, frame.value);
      if (frame.took) {
        done[*frame.took] = false;
        answered_left += operations_[*frame.took].answered != RegisterOperation::kNever;
      }
      stack.pop_back();
    }
    return problem_;
  }

 private:
  // What is called later has to wait for this answer.
  uint64_t first_answer(const Mask& done) const {
    uint64_t first = RegisterOperation::kNever;
    for (size_t i = 0; i < operations_.size() && operations_[i].called < first; ++i) {
      if (!done[i]) first = std::min(first, operations_[i].answered);
    }
    return first;
  }

  // The furthest that any order comes.
  void remember_stuck(const Mask& done, int64_t value) {
    const auto count = static_cast<size_t>(std::count(done.begin(), done.end(), true));
    if (!problem_.empty() && count <= furthest_) return;
    furthest_ = count;
    problem_ = "no order explains it: after " + std::to_string(count) + " of " +
               std::to_string(operations_.size()) + " operations the value is " +
               std::to_string(value) + ", and none of these can be next:";
    const uint64_t horizon = first_answer(done);
    for (size_t i = 0; i < operations_.size() && operations_[i].called < horizon; ++i) {
      if (!done[i]) problem_ += " " + operations_[i].text() + ";";
    }
  }

  std::vector<RegisterOperation> operations_;  // by call
  int64_t initial_;
  std::string problem_;
  size_t furthest_ = 0;
};

}  // namespace

std::string RegisterOperation::text() const {
  std::string out = kind == Kind::read ? "read"
                    : kind == Kind::write
                        ? "write " + std::to_string(written)
                        : "write " + std::to_string(written) + " if " + std::to_string(expected);
  if (refused) out += " (refused)";
  if (seen) out += " saw " + std::to_string(*seen);
  out += " [" + std::to_string(called) + ", ";
  return out + (answered == kNever ? "never]" : std::to_string(answered) + "]");
}

std::string check_linearizable(std::vector<RegisterOperation> operations, int64_t initial) {
  std::erase_if(operations, [](const RegisterOperation& op) {
    return op.answered == RegisterOperation::kNever && op.kind == Kind::read;
  });
  return Search(std::move(operations), initial).run();
}

}  // namespace virga::sim
