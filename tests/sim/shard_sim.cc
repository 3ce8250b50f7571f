#include "shard_sim.h"

#include <map>
#include <optional>

#include "async/sim_world.h"
#include "storage/shard.h"
#include "storage/sim_file_system.h"

namespace virga::sim {
namespace {

using async::Detached;
using storage::CommitClass;
using storage::Direction;
using storage::Lsn;
using storage::Shard;
using storage::SimFileSystem;
using storage::Txn;
using storage::View;

using State = std::map<std::string, std::string>;

constexpr int kGroups = 5;
constexpr int kKeysPerGroup = 3;

std::string key_of(uint64_t group, int n) {
  return "g" + std::to_string(group) + "/" + std::to_string(n);
}

// What one transaction did, in the order of its calls.
struct Change {
  enum class Kind { put, erase_range, reset } kind = Kind::put;
  std::string key, value;  // or begin, end
};
using Changes = std::vector<Change>;

void apply_changes(State& state, const Changes& changes) {
  for (const Change& change : changes) {
    switch (change.kind) {
      case Change::Kind::put:
        state[change.key] = change.value;
        break;
      case Change::Kind::erase_range:
        state.erase(state.lower_bound(change.key), state.lower_bound(change.value));
        break;
      case Change::Kind::reset:
        state.clear();
        break;
    }
  }
}

// Values begin with the LSN that wrote them: who read one knows what has to survive.
Lsn lsn_in(const std::string& value) {
  return std::stoull(value);
}

class Run {
 public:
  explicit Run(const RunOptions& options)
      : options_(options),
        world_(options.seed),
        fs_([this](uint64_t bound) { return world_.below(bound); }),
        owner_(world_.add_loop("owner")),
        other_(world_.add_loop("other")) {
    if (options.keep_trace) world_.keep_trace();
    fs_.on_operation = [this](const std::string& what) { world_.trace(what); };
    trims_ = world_.one_in(2);
    if (world_.one_in(10)) fs_.set_capacity(400'000 + world_.below(600'000));
  }

  Report run() {
    const uint64_t lives = 2 + world_.below(3);
    for (uint64_t life = 0; life < lives && report_.problem.empty(); ++life)
      live(life + 1 == lives);
    report_.syncs = fs_.syncs();
    report_.trace_hash = world_.trace_hash();
    report_.trace = world_.trace_lines();
    return report_;
  }

 private:
  enum class End { power_cut, kill, failed_sync, clean };

  bool dead() const { return fatal_ || fs_.stopped(); }
  void problem(const std::string& what) {
    if (report_.problem.empty()) report_.problem = what;
  }

  storage::ShardOptions shard_options() {
    storage::ShardOptions options;
    options.segment_bytes = 64 << 10;
    // Never full: RocksDB's skip lists take random heights, so a memtable's size is no function of
    // the seed. The log's length decides when the index writes its files.
    options.write_buffer_bytes = 64 << 20;
    options.block_cache_bytes =
        8 << 20;  // never evicts: where a block falls depends on ids that are not seeded
    options.in_flight_bytes_max = 64 << 10;
    options.reserve_bytes = 300'000;
    options.on_fatal = [this](const AwsError&) { fatal_ = true; };
    options.hold_changes = !trims_;
    options.faults = options_.faults;
    return options;
  }

  void live(bool last) {
    ++report_.lives;
    plan_end(last);
    fatal_ = false;
    auto opened = Shard::open(fs_, "/data", shard_options(), owner_, world_.workers());
    if (!opened) {
      if (end_ == End::failed_sync || fs_.stopped()) return end_life();
      if (opened.error().code == storage::kFileNoSpace) {
        fs_.set_capacity(uint64_t{1} << 40);
        return end_life();
      }
      return problem("cannot open: " + opened.error().code + ": " + opened.error().message);
    }
    shard_ = std::move(*opened);
    check_recovered();
    running_ = 0;
    for (int i = 0; i < 6; ++i) start_client(i);
    uint64_t steps = 0;
    const bool ended = world_.run_until([&] {
      if (stop_at_step_ != 0 && ++steps == stop_at_step_) fs_.stop();
      return running_ == 0;
    });
    if (!ended) problem("stuck: " + std::to_string(running_) + " clients wait for ever");
    if (running_ != 0) {
      ignore(shard_.release(), "its clients are still inside");  // the run ends with the problem
      return;
    }
    if (end_ != End::clean) fs_.stop();
    take_pending();
    shard_.reset();
    end_life();
  }

  // Decided before: how this life will end.
  void plan_end(bool last) {
    stop_at_step_ = 0;
    const uint64_t dice = world_.below(100);
    if (last || dice < 8) {
      end_ = End::clean;
    } else if (dice < 60) {
      end_ = End::power_cut;
      fs_.crash_at_sync(1 + world_.below(60), world_.one_in(2) ? SimFileSystem::CrashSide::before
                                                               : SimFileSystem::CrashSide::after);
    } else if (dice < 75) {
      end_ = End::power_cut;
      stop_at_step_ = 1 + world_.below(800);
    } else if (dice < 90) {
      end_ = End::kill;
      stop_at_step_ = 1 + world_.below(800);
    } else {
      end_ = End::failed_sync;
      fs_.fail_sync(1 + world_.below(40));
    }
  }

  void end_life() {
    switch (end_) {
      case End::power_cut:
        ++report_.power_cuts;
        fs_.crash();
        break;
      case End::kill:
        ++report_.kills;
        fs_.restart();
        break;
      case End::failed_sync:
        ++report_.failed_syncs;
        fs_.restart();
        break;
      case End::clean:
        break;
    }
  }

  // ---- the promise ----

  void check_recovered() {
    const Lsn recovered = shard_->published();
    const Lsn submitted = history_.empty() ? 0 : history_.rbegin()->first;
    if (recovered < answered_) {
      return problem("an answer was lost: answered up to LSN " + std::to_string(answered_) +
                     ", recovered " + std::to_string(recovered));
    }
    if (recovered > submitted)
      return problem("LSN " + std::to_string(recovered) + " was never written");
    history_.erase(history_.upper_bound(recovered), history_.end());
    model_.clear();
    for (const auto& [lsn, changes] : history_) apply_changes(model_, changes);
    compare(*shard_->snapshot(), model_, "recovered state at LSN " + std::to_string(recovered));
    check_changes(recovered);
    answered_ = recovered;  // from now on everybody can see it
  }

  void compare(const View& view, const State& expected, const std::string& what) {
    auto at = expected.begin();
    const auto scanned =
        view.scan("", "", Direction::forward, [&](std::string_view key, std::string_view value) {
          if (dead()) return false;
          if (at == expected.end() || at->first != key || at->second != value) {
            problem(what + " differs at " + std::string(key));
            return false;
          }
          ++at;
          return true;
        });
    if (!scanned && dead()) return;
    if (!scanned) return problem(what + " cannot be read: " + scanned.error().message);
    if (at != expected.end() && !dead()) problem(what + " lacks " + at->first);
  }

  void check_changes(Lsn recovered) {
    Lsn expected = 1;
    const auto read = shard_->changes(1, [&](Lsn lsn, std::string_view record) {
      while (expected < lsn && history_[expected].empty()) ++expected;
      if (record != "change " + std::to_string(lsn))
        problem("change record of LSN " + std::to_string(lsn) + " differs");
      expected = lsn + 1;
      return true;
    });
    if (!read && (!trims_ || read.error().code != "LogTrimmed") && !fs_.stopped()) {
      problem("changes cannot be read: " + read.error().message);
    }
    if (read && *read != recovered + 1) problem("changes end at " + std::to_string(*read));
  }

  // An answer left that told of everything up to `lsn`.
  void answered(Lsn lsn) {
    if (dead()) return;
    ++report_.answers;
    answered_ = std::max(answered_, lsn);
  }

  // ---- clients ----

  void start_client(int id) {
    ++running_;
    async::Loop& home = id % 2 == 0 ? static_cast<async::Loop&>(owner_) : other_;
    home.post([this, id] { client(this, id); });
  }

  static Detached client(Run* run, int id) {
    const uint64_t calls = 5 + run->world_.below(30);
    for (uint64_t i = 0; i < calls && !run->dead(); ++i) {
      const uint64_t dice = run->world_.below(100);
      if (dice < 55) {
        ignore(
            co_await as_result(run->write(dice < 12 ? CommitClass::joined : CommitClass::durable)),
            "checked inside");
      } else if (dice < 75) {
        ignore(co_await as_result(run->refused()), "checked inside");
      } else if (dice < 90) {
        run->read_snapshot();
      } else if (dice < 97) {
        ignore(co_await as_result(run->erase_group()), "checked inside");
      } else if (dice < 98) {
        ignore(co_await as_result(run->reset()), "checked inside");
      } else {
        ignore(co_await as_result(async::sleep_millis(static_cast<int64_t>(run->world_.below(50)))),
               "");
      }
    }
    --run->running_;
  }

  void record(Txn& txn, Changes changes) {
    txn.add_change("change " + std::to_string(txn.lsn()));
    pending_lsn_ = txn.lsn();
    pending_ = std::move(changes);
  }
  // The shard may refuse a transaction after its body (no space); whether it did shows before the
  // next body.
  void take_pending() {
    if (pending_lsn_ != 0 && shard_->stats().submitted >= pending_lsn_) {
      apply_changes(model_, pending_);
      history_[pending_lsn_] = std::move(pending_);
    }
    pending_lsn_ = 0;
  }

  // All keys of a group get the same value in one transaction; every transaction first checks all
  // it can see.
  Task<void> write(CommitClass commit_class) {
    const uint64_t group = world_.below(kGroups);
    // Mostly of one size: then a new record can end exactly where an old, lost one did.
    const uint64_t size = world_.one_in(8)   ? world_.below(12'000)
                          : world_.one_in(4) ? world_.below(400)
                                             : 150;
    const std::string padding(size, 'p');
    const bool looks = world_.one_in(4);
    auto body = [&](Txn& txn) -> Result<Lsn> {
      take_pending();
      if (looks) compare(txn, model_, "transaction's view");
      const std::string value = std::to_string(txn.lsn()) + ":" + padding;
      Changes changes;
      for (int n = 0; n < kKeysPerGroup; ++n) {
        txn.put(key_of(group, n), value);
        changes.push_back({Change::Kind::put, key_of(group, n), value});
      }
      record(txn, std::move(changes));
      return txn.lsn();
    };
    const auto done = co_await shard_->transact(commit_class, body);
    if (!done.result || commit_class == CommitClass::joined) co_return ok();
    co_await shard_->wait_durable(done.lsn);
    answered(done.lsn);
    co_return ok();
  }

  // A conditional call that fails because of what it saw.
  Task<void> refused() {
    const std::string key =
        key_of(world_.below(kGroups), static_cast<int>(world_.below(kKeysPerGroup)));
    const bool scans = world_.one_in(2);
    const bool writes_first = world_.one_in(3);
    Lsn saw = 0;
    const auto done = co_await shard_->transact(CommitClass::durable, [&](Txn& txn) -> Result<int> {
      if (writes_first) txn.put("never", "x");
      if (scans) {
        const auto scanned =
            txn.scan("g", "h", Direction::backward, [&](std::string_view, std::string_view value) {
              saw = std::max(saw, lsn_in(std::string(value)));
              return true;
            });
        if (!scanned) return fail(scanned.error());
      } else {
        const auto got = txn.get(key);
        if (got && *got) saw = lsn_in(**got);
      }
      return fail("ConditionalCheckFailedException", 400, "The conditional request failed");
    });
    if (done.result.error().code != "ConditionalCheckFailedException") co_return ok();
    co_await shard_->wait_durable(done.lsn);
    if (!dead()) ++report_.refusals;
    answered(saw);
    co_return ok();
  }

  void read_snapshot() {
    const auto view = shard_->snapshot();
    const uint64_t group = world_.below(kGroups);
    std::optional<std::string> first;
    for (int n = 0; n < kKeysPerGroup; ++n) {
      const auto got = view->get(key_of(group, n));
      if (!got) {
        if (!dead()) problem("a read failed: " + got.error().message);
        return;
      }
      if (n > 0 && *got != first)
        return problem("a torn batch is visible in group " + std::to_string(group));
      first = *got;
    }
    if (first) answered(lsn_in(*first));
  }

  Task<void> erase_group() {
    const uint64_t group = world_.below(kGroups);
    const std::string begin = "g" + std::to_string(group) + "/",
                      end = "g" + std::to_string(group) + "0";
    const auto done = co_await shard_->transact(CommitClass::durable, [&](Txn& txn) -> Result<int> {
      take_pending();
      txn.allow_in_low_space();
      txn.erase_range(begin, end);
      record(txn, {{Change::Kind::erase_range, begin, end}});
      return 0;
    });
    co_await shard_->wait_durable(done.lsn);
    answered(done.lsn);
    co_return ok();
  }

  Task<void> reset() {
    // reset() submits at once on the owner loop; nobody comes between.
    co_await async::switch_to(owner_);
    take_pending();
    pending_lsn_ = shard_->stats().submitted + 1;
    pending_ = Changes{Change{Change::Kind::reset, {}, {}}};
    const Result<Lsn> done = co_await as_result(shard_->reset());
    if (done) answered(*done);
    co_return ok();
  }

  RunOptions options_;
  async::SimWorld world_;
  SimFileSystem fs_;
  async::SimLoop& owner_;
  async::SimLoop& other_;
  Report report_;
  std::unique_ptr<Shard> shard_;
  bool fatal_ = false;
  bool trims_ = false;
  End end_ = End::clean;
  uint64_t stop_at_step_ = 0;
  int running_ = 0;

  std::map<Lsn, Changes> history_;  // every submitted transaction, by LSN
  State model_;                     // all of it applied
  Lsn pending_lsn_ = 0;             // the latest body's transaction, if it writes
  Changes pending_;
  Lsn answered_ = 0;  // the highest LSN that some answer told of
};

}  // namespace

Report run_shard(const RunOptions& options) {
  return Run(options).run();
}

}  // namespace virga::sim
