#include "transaction_cycles.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

namespace virga::sim {
namespace {

using Outcome = ListTransaction::Outcome;

enum class Relation : uint8_t { write_write, write_read, read_write, real_time };
constexpr std::array<const char*, 4> kRelationNames{"ww", "wr", "rw", "rt"};

std::string text(const List& list) {
  std::string out = "[";
  for (const int64_t element : list) out += (out.size() > 1 ? " " : "") + std::to_string(element);
  return out + "]";
}

class Checker {
 public:
  Checker(const std::vector<ListTransaction>& transactions, const std::map<int, List>& last)
      : transactions_(transactions), last_(last), edges_(transactions.size()) {}

  std::string run() {
    find_writers();
    for (size_t i = 0; i < transactions_.size() && problem_.empty(); ++i) check_appends(i);
    for (size_t i = 0; i < transactions_.size() && problem_.empty(); ++i) check_reads(i);
    if (!problem_.empty()) return problem_;
    for (size_t i = 0; i < transactions_.size(); ++i) relate(i);
    find_cycle("G0", {Relation::write_write});
    find_cycle("G1c", {Relation::write_write, Relation::write_read});
    find_cycle("G2", {Relation::write_write, Relation::write_read, Relation::read_write});
    find_cycle("real time", {Relation::write_write, Relation::write_read, Relation::read_write,
                             Relation::real_time});
    return problem_;
  }

 private:
  static constexpr size_t kNobody = SIZE_MAX;

  void problem(const std::string& what) {
    if (problem_.empty()) problem_ = what;
  }
  const List& end_of(int key) const {
    static const List kEmpty;
    const auto found = last_.find(key);
    return found == last_.end() ? kEmpty : found->second;
  }
  // Whose element it is.
  size_t writer(int64_t element) const {
    const auto found = writers_.find(element);
    return found == writers_.end() ? kNobody : found->second;
  }
  // Those that took place: a crash's ones as far as the end shows them.
  bool took_place(size_t i) const {
    const ListTransaction& t = transactions_[i];
    if (t.outcome != Outcome::unknown) return t.outcome == Outcome::committed;
    for (const auto& [key, elements] : t.appended) {
      const List& end = end_of(key);
      if (std::find(end.begin(), end.end(), elements.front()) != end.end()) return true;
    }
    return false;
  }

  void find_writers() {
    for (size_t i = 0; i < transactions_.size(); ++i) {
      for (const auto& [key, elements] : transactions_[i].appended) {
        for (const int64_t element : elements) writers_[element] = i;
      }
    }
    for (const auto& [key, list] : last_) {
      std::set<int64_t> seen;
      for (const int64_t element : list) {
        if (writer(element) == kNobody) problem("nobody wrote " + std::to_string(element));
        if (!seen.insert(element).second) problem("twice: " + std::to_string(element));
      }
    }
  }

  void check_appends(size_t i) {
    const ListTransaction& t = transactions_[i];
    const bool there = took_place(i);
    for (const auto& [key, elements] : t.appended) {
      const List& end = end_of(key);
      const auto at = std::find(end.begin(), end.end(), elements.front());
      if (at == end.end()) {
        bool any = false;
        for (const int64_t element : elements)
          any |= std::find(end.begin(), end.end(), element) != end.end();
        if (any) problem("G1b: part of an append stayed: " + text(elements));
        if (there && t.outcome == Outcome::committed)
          problem("lost append: " + text(elements) + " of list " + std::to_string(key));
        if (there && t.outcome == Outcome::unknown)
          problem("torn transaction: " + text(elements) + " of list " + std::to_string(key) +
                  " is missing");
        continue;
      }
      if (t.outcome == Outcome::aborted) problem("G1a: aborted " + text(elements) + " stayed");
      if (static_cast<size_t>(end.end() - at) < elements.size() ||
          !std::equal(elements.begin(), elements.end(), at)) {
        problem("G1b: part of an append stayed: " + text(elements));
      }
    }
  }

  // What a transaction read is how the list began.
  void check_reads(size_t i) {
    const ListTransaction& t = transactions_[i];
    if (t.outcome != Outcome::committed) return;
    for (const auto& [key, list] : t.read) {
      const List& end = end_of(key);
      for (const int64_t element : list) {
        const size_t by = writer(element);
        if (by != kNobody && transactions_[by].outcome == Outcome::aborted)
          problem("G1a: read an aborted " + std::to_string(element));
      }
      if (list.size() > end.size() || !std::equal(list.begin(), list.end(), end.begin())) {
        problem("incompatible order: list " + std::to_string(key) + " was read as " + text(list) +
                " and ended as " + text(end));
        continue;
      }
      check_whole(key, list.size());
    }
    for (const auto& [key, length] : t.read_lengths) {
      if (length > end_of(key).size())
        problem("lost append: list " + std::to_string(key) + " had " + std::to_string(length) +
                " elements and ended as " + text(end_of(key)));
      else
        check_whole(key, length);
    }
  }
  // Appends are seen whole: the prefix does not end in the midst of one.
  void check_whole(int key, size_t length) {
    const List& end = end_of(key);
    if (length == 0 || length >= end.size()) return;
    if (writer(end[length - 1]) == writer(end[length]))
      problem("G1b: part of an append was read, up to " + std::to_string(end[length - 1]));
  }

  void add(size_t from, size_t to, Relation relation) {
    if (from != to && from != kNobody && to != kNobody) edges_[from][to] |= bit(relation);
  }
  static uint8_t bit(Relation relation) { return uint8_t{1} << static_cast<int>(relation); }

  // Follows whom it read from, precedes who wrote next.
  void relate_read(size_t i, int key, size_t length) {
    const List& end = end_of(key);
    if (length > 0) add(writer(end[length - 1]), i, Relation::write_read);
    if (length < end.size()) add(i, writer(end[length]), Relation::read_write);
  }

  void relate(size_t i) {
    if (!took_place(i)) return;
    const ListTransaction& t = transactions_[i];
    for (const auto& [key, elements] : t.appended) {
      const List& end = end_of(key);
      const auto at = std::find(end.begin(), end.end(), elements.front());
      if (at != end.begin()) add(writer(*(at - 1)), i, Relation::write_write);
    }
    if (t.outcome == Outcome::committed) {
      for (const auto& [key, list] : t.read) relate_read(i, key, list.size());
    }
    for (const auto& [key, length] : t.read_lengths) {
      if (length <= end_of(key).size()) relate_read(i, key, length);
    }
    if (t.answered == ListTransaction::kNever) return;
    for (size_t j = 0; j < transactions_.size(); ++j) {
      if (transactions_[j].called > t.answered && took_place(j)) add(i, j, Relation::real_time);
    }
  }

  // Whether taking away those whom nobody precedes, again and again, takes away all.
  bool is_acyclic(uint8_t mask) const {
    std::vector<size_t> before(edges_.size());
    for (const auto& edges : edges_) {
      for (const auto& [to, kinds] : edges) before[to] += (kinds & mask) != 0;
    }
    std::vector<size_t> free;
    for (size_t i = 0; i < before.size(); ++i) {
      if (before[i] == 0) free.push_back(i);
    }
    for (size_t head = 0; head < free.size(); ++head) {
      for (const auto& [to, kinds] : edges_[free[head]]) {
        if ((kinds & mask) && --before[to] == 0) free.push_back(to);
      }
    }
    return free.size() == edges_.size();
  }

  // A shortest cycle over the relations, told with the anomaly's name.
  void find_cycle(const char* name, const std::vector<Relation>& relations) {
    if (!problem_.empty()) return;
    uint8_t mask = 0;
    for (const Relation relation : relations) mask |= bit(relation);
    if (is_acyclic(mask)) return;
    for (size_t start = 0; start < edges_.size() && problem_.empty(); ++start) {
      const auto cycle = shortest_cycle(start, mask);
      if (cycle) problem(std::string(name) + ":" + told(*cycle, mask));
    }
  }

  std::optional<std::vector<size_t>> shortest_cycle(size_t start, uint8_t mask) const {
    std::vector<size_t> from(edges_.size(), kNobody);
    std::vector<size_t> queue{start};
    for (size_t head = 0; head < queue.size(); ++head) {
      const size_t at = queue[head];
      for (const auto& [to, kinds] : edges_[at]) {
        if (!(kinds & mask)) continue;
        if (to == start) {
          std::vector<size_t> path{start};
          for (size_t step = at; step != start; step = from[step]) path.push_back(step);
          std::reverse(path.begin() + 1, path.end());
          return path;
        }
        if (from[to] != kNobody) continue;
        from[to] = at;
        queue.push_back(to);
      }
    }
    return std::nullopt;
  }

  std::string told(const std::vector<size_t>& cycle, uint8_t mask) const {
    std::string out;
    for (size_t k = 0; k < cycle.size(); ++k) {
      const uint8_t kinds = edges_[cycle[k]].at(cycle[(k + 1) % cycle.size()]) & mask;
      int first = 0;
      while (!(kinds >> first & 1)) ++first;
      out += " T" + std::to_string(cycle[k]) + " -" + kRelationNames[static_cast<size_t>(first)] +
             "->";
    }
    return out + " T" + std::to_string(cycle[0]);
  }

  const std::vector<ListTransaction>& transactions_;
  const std::map<int, List>& last_;
  std::map<int64_t, size_t> writers_;
  std::vector<std::map<size_t, uint8_t>> edges_;  // bits of relations
  std::string problem_;
};

}  // namespace

std::string check_transactions(const std::vector<ListTransaction>& transactions,
                               const std::map<int, List>& last) {
  return Checker(transactions, last).run();
}

}  // namespace virga::sim
