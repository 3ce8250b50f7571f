#pragma once

#include <optional>

#include "async/clock.h"
#include "async/loop.h"
#include "async/task.h"
#include "storage/shard.h"

// What tests of this and higher layers use to have a shard: real engine, memory files, one loop
// driven by hand.
namespace virga::storage {

class TestShard {
 public:
  explicit TestShard(ShardOptions options = small_options(), FileSystem* files = nullptr)
      : options_(std::move(options)),
        own_files_(files ? nullptr : make_memory_file_system()),
        files_(files ? files : own_files_.get()) {
    open();
  }
  ~TestShard() { close(); }

  static ShardOptions small_options() {
    ShardOptions options;
    options.segment_bytes = 1 << 20;
    options.write_buffer_bytes = 1 << 20;
    options.block_cache_bytes = 1 << 20;
    return options;
  }

  Result<void> try_open() {
    auto opened = Shard::open(*files_, "/data", options_, loop_);
    if (!opened) return fail(opened.error());
    shard_ = std::move(*opened);
    return {};
  }
  void open() {
    const auto opened = try_open();
    if (!opened) check_failed(opened.error().message.c_str(), __FILE__, __LINE__);
  }
  // Lets what loops still hold run first.
  void close() {
    if (!shard_) return;
    settle();
    shard_.reset();
    for (int i = 0; i < 3; ++i) loop_.run_once(0);
  }
  void reopen() {
    close();
    open();
  }

  Shard& operator*() { return *shard_; }
  Shard* operator->() { return shard_.get(); }
  FileSystem& files() { return *files_; }
  async::EpollLoop& loop() { return loop_; }
  async::FakeEnv& fake_env() { return env_; }

  // Runs a task to its end on the loop.
  template <class T>
  Result<T> run(Task<T> task) {
    std::optional<Result<T>> out;
    loop_.post([&] { start(std::move(task), &out); });
    while (!out) loop_.run_once(100);
    return std::move(*out);
  }
  // A transaction, durable when this returns.
  template <class F>
  auto transact(F body) -> Result<typename std::invoke_result_t<F&, Txn&>::value_type> {
    auto done = run(shard_->transact(CommitClass::durable, std::move(body)));
    if (!done) return fail(done.error());
    if (const auto durable = run(shard_->wait_durable(done->lsn)); !durable)
      return fail(durable.error());
    return std::move(done->result);
  }
  void put(std::string_view key, std::string_view value) {
    const auto done = transact([&](Txn& txn) -> Result<void> {
      txn.put(key, value);
      return {};
    });
    if (!done) check_failed(done.error().message.c_str(), __FILE__, __LINE__);
  }
  // Until everything submitted is published and retired.
  void settle() {
    while (!shard_->stats().failed && (shard_->stats().published < shard_->stats().submitted ||
                                       shard_->stats().in_flight_bytes > 0)) {
      ignore(run(shard_->wait_durable(shard_->stats().submitted)), "only to make progress");
      loop_.run_once(0);
    }
  }

 private:
  template <class T>
  static async::Detached start(Task<T> task, std::optional<Result<T>>* out) {
    Result<T> got = co_await as_result(std::move(task));
    out->emplace(std::move(got));
  }

  ShardOptions options_;
  async::FakeEnv env_;
  async::EpollLoop loop_{env_.env()};
  std::unique_ptr<FileSystem> own_files_;
  FileSystem* files_;
  std::unique_ptr<Shard> shard_;
};

}  // namespace virga::storage
