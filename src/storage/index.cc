#include "storage/index.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>
#include <numeric>

#include "base/check.h"
#include "base/log.h"
#include "storage/batch.h"
#include "storage/index_memtable.h"
#include "storage/rocks_env.h"
#include "storage/value_cache.h"

namespace virga::storage {
namespace {

// Under generation 0, which no user's key has.
constexpr std::string_view kAppliedKey("\0\0\0\0applied", 11);

// How many applied batches may share one entry of the sequence → LSN table.
constexpr size_t kMarkEvery = 16;

AwsError index_error(const rocksdb::Status& status) {
  return AwsError{
      .code = kFileIoError, .http_status = 500, .message = "index: " + status.ToString()};
}

std::string encode_lsn(Lsn lsn) {
  std::string out(8, '\0');
  for (int i = 7; i >= 0; --i, lsn >>= 8) out[static_cast<size_t>(i)] = static_cast<char>(lsn);
  return out;
}

Lsn decode_lsn(std::string_view bytes) {
  Lsn lsn = 0;
  for (const char c : bytes) lsn = lsn << 8 | static_cast<uint8_t>(c);
  return lsn;
}

rocksdb::Slice slice(std::string_view s) {
  return {s.data(), s.size()};
}
std::string_view view(const rocksdb::Slice& s) {
  return {s.data(), s.size()};
}

// RocksDB's chatter goes nowhere; its errors reach us as statuses.
class SilentLogger final : public rocksdb::Logger {
 public:
  SilentLogger() : Logger(rocksdb::FATAL_LEVEL) {}
  using Logger::Logv;
  void Logv(const char*, va_list) override {}
};

// Knows which LSN is safe once a memtable is in a file.
class FlushListener final : public rocksdb::EventListener {
 public:
  explicit FlushListener(std::function<void(Lsn)> on_flushed)
      : on_flushed_(std::move(on_flushed)) {}

  void applied(uint64_t sequence, Lsn lsn) {
    const std::lock_guard lock(mutex_);
    if (++since_mark_ < kMarkEvery && !marks_.empty()) return;
    since_mark_ = 0;
    marks_.push_back({sequence, lsn});
  }
  void OnFlushCompleted(rocksdb::DB*, const rocksdb::FlushJobInfo& info) override {
    Lsn safe = 0;
    {
      const std::lock_guard lock(mutex_);
      while (!marks_.empty() && marks_.front().sequence <= info.largest_seqno) {
        safe = marks_.front().lsn;
        marks_.pop_front();
      }
    }
    if (safe != 0 && on_flushed_) on_flushed_(safe);
  }

 private:
  struct Mark {
    uint64_t sequence;
    Lsn lsn;
  };
  std::function<void(Lsn)> on_flushed_;
  std::mutex mutex_;
  std::deque<Mark> marks_;
  size_t since_mark_ = 0;
};

class IndexCursor final : public Cursor {
 public:
  IndexCursor(rocksdb::DB& db, std::string begin, std::string end, Direction direction,
              const rocksdb::Snapshot* snapshot)
      : begin_(std::move(begin)),
        end_(std::move(end)),
        lower_(begin_),
        upper_(end_),
        direction_(direction) {
    rocksdb::ReadOptions options;
    options.snapshot = snapshot;
    options.iterate_lower_bound = &lower_;
    if (!end_.empty()) options.iterate_upper_bound = &upper_;
    options.total_order_seek = true;
    iterator_.reset(db.NewIterator(options));
    if (direction_ == Direction::forward) {
      iterator_->SeekToFirst();
    } else {
      iterator_->SeekToLast();
    }
  }
  bool valid() const override { return iterator_->Valid(); }
  std::string_view key() const override { return view(iterator_->key()); }
  std::string_view value() const override { return view(iterator_->value()); }
  void next() override {
    if (direction_ == Direction::forward) {
      iterator_->Next();
    } else {
      iterator_->Prev();
    }
  }
  Result<void> status() const override {
    const rocksdb::Status status = iterator_->status();
    if (!status.ok()) return fail(index_error(status));
    return {};
  }

 private:
  std::string begin_, end_;
  rocksdb::Slice lower_, upper_;
  Direction direction_;
  std::unique_ptr<rocksdb::Iterator> iterator_;
};

rocksdb::Options make_options(const Index::Options& wanted, rocksdb::Env* env) {
  rocksdb::Options options;
  options.env = env;
  options.create_if_missing = true;
  options.avoid_flush_during_shutdown = true;  // the log has it; ~Shard decides
  options.info_log = std::make_shared<SilentLogger>();
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.max_file_opening_threads = 1;
  options.skip_stats_update_on_db_open = true;
  options.skip_checking_sst_file_sizes_on_db_open = true;
  options.max_open_files = 512;
  options.max_background_jobs = 2;
  options.max_subcompactions = 1;
  options.allow_concurrent_memtable_write = false;
  options.enable_write_thread_adaptive_yield = false;
  options.write_buffer_size = wanted.write_buffer_bytes;
  options.max_write_buffer_number = 3;
  options.memtable_factory = make_index_memtable();
  // A key that is not there (a new item) is known without a walk through the list.
  options.memtable_prefix_bloom_size_ratio = 0.05;
  options.memtable_whole_key_filtering = true;
  options.arena_block_size = std::min<size_t>(64 << 10, wanted.write_buffer_bytes / 8);
  options.compression = rocksdb::kLZ4Compression;
  options.level_compaction_dynamic_level_bytes = true;
  options.delete_obsolete_files_period_micros = 6ull * 3600 * 1000 * 1000;
  if (wanted.workers->takes_jobs()) {
    // One thread plays everybody: a stalled write would wait for itself.
    options.level0_slowdown_writes_trigger = 1 << 20;
    options.level0_stop_writes_trigger = 1 << 20;
    options.max_write_buffer_number = 1 << 10;
    options.soft_pending_compaction_bytes_limit = 0;
    options.hard_pending_compaction_bytes_limit = 0;
  }

  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(wanted.block_cache_bytes, 2);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.block_size = 8 << 10;
  table.format_version = 5;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

// The writes of a drain. Of several to one key the last is left, and the keys in their order: the
// index's list takes the neighbour of the key before for a fraction of a walk, and what many
// transactions of a drain count in one record goes in once.
class DrainWrites {
 public:
  using Writes = std::vector<ValueCache::Write>;
  void clear() {
    given_.clear();
    sorted_.clear();
  }
  void add(std::string_view key, std::optional<std::string_view> value) {
    given_.push_back({key, value});
  }
  // What was added since the last call. Valid until the next.
  const Writes& sorted() {
    order_.resize(given_.size());
    std::iota(order_.begin(), order_.end(), size_t{0});
    std::sort(order_.begin(), order_.end(), [&](size_t a, size_t b) {
      const int order = given_[a].key.compare(given_[b].key);
      return order != 0 ? order < 0 : a < b;
    });
    sorted_.clear();
    for (const size_t i : order_) {
      if (!sorted_.empty() && sorted_.back().key == given_[i].key) {
        sorted_.back() = given_[i];
      } else {
        sorted_.push_back(given_[i]);
      }
    }
    given_.clear();
    return sorted_;
  }

 private:
  Writes given_, sorted_;
  std::vector<size_t> order_;  // of what is given
};

void add_writes(rocksdb::WriteBatch& batch, const DrainWrites::Writes& writes) {
  for (const auto& [key, value] : writes) {
    if (value) {
      batch.Put(slice(key), slice(*value));
    } else {
      batch.Delete(slice(key));
    }
  }
}

}  // namespace

struct Index::Impl {
  explicit Impl(size_t value_cache_bytes) : values(value_cache_bytes) {}

  std::unique_ptr<rocksdb::Env> env;
  std::shared_ptr<FlushListener> listener;  // shared with the database
  std::unique_ptr<rocksdb::DB> db;
  rocksdb::WriteOptions write_options;
  rocksdb::WriteBatch batch;  // reused
  DrainWrites writes;         // reused
  ValueCache values;
  std::atomic<Lsn> applied{0};
};

class Index::Snapshot {};

Index::Index(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Index::~Index() = default;

Result<std::unique_ptr<Index>> Index::open(Options options) {
  auto impl = std::make_unique<Impl>(options.value_cache_bytes);
  impl->env = make_rocks_env(*options.fs, *options.workers);
  impl->listener = std::make_shared<FlushListener>(std::move(options.on_flushed));
  impl->write_options.disableWAL = true;
  rocksdb::Options rocks = make_options(options, impl->env.get());
  rocks.listeners.push_back(impl->listener);
  VIRGA_TRY_VOID(options.fs->make_dir(options.dir));
  rocksdb::DB* db = nullptr;
  const rocksdb::Status opened = rocksdb::DB::Open(rocks, options.dir, &db);
  if (!opened.ok()) return fail(index_error(opened));
  impl->db.reset(db);
  std::string applied;
  const rocksdb::Status got = db->Get(rocksdb::ReadOptions(), slice(kAppliedKey), &applied);
  if (!got.ok() && !got.IsNotFound()) return fail(index_error(got));
  impl->applied = decode_lsn(applied);
  return std::unique_ptr<Index>(new Index(std::move(impl)));
}

Lsn Index::applied() const {
  return impl_->applied.load(std::memory_order_acquire);
}

Result<void> Index::apply(const std::vector<std::string_view>& payloads, Lsn last) {
  rocksdb::WriteBatch& batch = impl_->batch;
  batch.Clear();
  impl_->writes.clear();
  bool ranges = false;
  for (const std::string_view payload : payloads) {
    OpReader ops(payload);
    while (const auto op = ops.next()) {
      switch (op->kind) {
        case OpKind::put:
          impl_->writes.add(op->first, op->second);
          break;
        case OpKind::erase:
          impl_->writes.add(op->first, std::nullopt);
          break;
        case OpKind::erase_range:  // after what came before it
          add_writes(batch, impl_->writes.sorted());
          batch.DeleteRange(slice(op->first), slice(op->second));
          ranges = true;
          break;
        case OpKind::change:
          break;  // lives in the log only
      }
    }
    if (!ops.ok())
      return fail(kFileIoError, 500, "index: malformed batch before LSN " + std::to_string(last));
  }
  const DrainWrites::Writes& writes = impl_->writes.sorted();
  add_writes(batch, writes);
  batch.Put(slice(kAppliedKey), encode_lsn(last));
  ValueCache& cache = impl_->values;
  ranges ? cache.begin_clear() : cache.begin_write(writes);
  const rocksdb::Status written = impl_->db->Write(impl_->write_options, &batch);
  ranges ? cache.end_clear() : cache.end_write(writes);
  if (!written.ok()) {  // the index does not have what the cache was told
    cache.begin_clear();
    cache.end_clear();
    return fail(index_error(written));
  }
  impl_->listener->applied(impl_->db->GetLatestSequenceNumber(), last);
  impl_->applied.store(last, std::memory_order_release);
  return {};
}

Result<void> Index::start_flush() {
  rocksdb::FlushOptions options;
  options.wait = false;
  options.allow_write_stall = true;
  const rocksdb::Status status = impl_->db->Flush(options);
  if (!status.ok()) return fail(index_error(status));
  return {};
}

Result<void> Index::flush_and_wait() {
  const rocksdb::Status status = impl_->db->Flush(rocksdb::FlushOptions());
  if (!status.ok()) return fail(index_error(status));
  return {};
}

Result<void> Index::discard_range(std::string_view begin, std::string_view end) {
  const rocksdb::Status status = impl_->db->DeleteRange(
      impl_->write_options, impl_->db->DefaultColumnFamily(), slice(begin), slice(end));
  if (!status.ok()) return fail(index_error(status));
  return {};
}

bool Index::has_any(std::string_view begin, std::string_view end) {
  return cursor(begin, end, Direction::forward, nullptr)->valid();
}

namespace {
const rocksdb::Snapshot* unwrap(const Index::Snapshot* s) {
  return reinterpret_cast<const rocksdb::Snapshot*>(s);
}
}  // namespace

void Index::SnapshotDeleter::operator()(const Snapshot* snapshot) const {
  index->impl_->db->ReleaseSnapshot(unwrap(snapshot));
}

Index::SnapshotPtr Index::snapshot() {
  return SnapshotPtr(reinterpret_cast<const Snapshot*>(impl_->db->GetSnapshot()),
                     SnapshotDeleter{this});
}

Result<bool> Index::get(std::string_view key, const Snapshot* snapshot, std::string& value) const {
  ValueCache::Ticket ticket;
  if (!snapshot) {
    if (auto cached = impl_->values.find(key, ticket)) {
      if (!*cached) return false;
      value = std::move(**cached);
      return true;
    }
  }
  rocksdb::ReadOptions options;
  options.snapshot = unwrap(snapshot);
  const rocksdb::Status got = impl_->db->Get(options, slice(key), &value);
  if (!got.ok() && !got.IsNotFound()) return fail(index_error(got));
  if (!snapshot) impl_->values.put(key, got.ok() ? ValueCache::Value(value) : std::nullopt, ticket);
  return got.ok();
}

std::unique_ptr<Cursor> Index::cursor(std::string_view begin, std::string_view end,
                                      Direction direction, const Snapshot* snapshot) const {
  return std::make_unique<IndexCursor>(*impl_->db, std::string(begin), std::string(end), direction,
                                       unwrap(snapshot));
}

uint64_t Index::unflushed_bytes() const {
  uint64_t bytes = 0;
  impl_->db->GetIntProperty(rocksdb::DB::Properties::kCurSizeAllMemTables, &bytes);
  return bytes;
}

uint64_t Index::memory_bytes() const {
  uint64_t memtables = 0, readers = 0, cache = 0;
  impl_->db->GetIntProperty(rocksdb::DB::Properties::kSizeAllMemTables, &memtables);
  impl_->db->GetIntProperty(rocksdb::DB::Properties::kEstimateTableReadersMem, &readers);
  impl_->db->GetIntProperty(rocksdb::DB::Properties::kBlockCacheUsage, &cache);
  return memtables + readers + cache;
}

}  // namespace virga::storage
