#include "storage/blob_store.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <optional>
#include <unordered_map>

#include "async/file_source.h"
#include "base/check.h"
#include "base/hashing.h"
#include "base/log.h"
#include "storage/blob_files.h"
#include "storage/pack_queue.h"

namespace virga::storage {
namespace {

constexpr uint8_t kRefVersion = 1;

// blobs | id → where a packed one lies; of a file, nothing more than that it is kept
Key blob_key(uint64_t id) {
  return Key(Space::blobs).u64(id);
}

std::string encode_place(const BlobPlace& place) {
  return Key(Space{1}).u64(place.pack).u64(place.offset).u64(place.size).take();
}
std::optional<BlobPlace> decode_place(std::string_view bytes) {
  KeyReader reader(bytes);
  if (reader.u8() != 1) return std::nullopt;
  BlobPlace place;
  place.pack = reader.u64();
  place.offset = reader.u64();
  place.size = reader.u64();
  return reader.ok() ? std::optional(place) : std::nullopt;
}

}  // namespace

std::string BlobRef::encode() const {
  std::string out = Key(Space{kRefVersion}).u8(static_cast<uint8_t>(kind)).u64(size).u64(id).take();
  return out.append(content);
}

Result<BlobRef> BlobRef::decode(std::string_view bytes) {
  KeyReader reader(bytes);
  BlobRef ref;
  const uint8_t version = reader.u8();
  ref.kind = static_cast<Kind>(reader.u8());
  ref.size = reader.u64();
  ref.id = reader.u64();
  ref.content = std::string(reader.rest());
  const bool inlined = ref.kind == Kind::inlined;
  if (!reader.ok() || version != kRefVersion || ref.kind < Kind::inlined || ref.kind > Kind::file ||
      (inlined ? ref.content.size() != ref.size : !ref.content.empty())) {
    return fail("BlobRefUnreadable", 500, "a blob's reference cannot be read");
  }
  return ref;
}

// Blobs that were read and compared as a whole a moment ago: their bytes are in the page cache, and
// to compare them again for the next of many readers would cost as much as to send them. Any
// thread.
class LatelyVerified {
 public:
  void add(uint64_t id, async::SteadyTime now) {
    const std::lock_guard lock(mutex_);
    if (times_.size() >= kCountMax) times_.clear();
    times_[id] = now;
  }
  bool has(uint64_t id, async::SteadyTime now) const {
    const std::lock_guard lock(mutex_);
    const auto found = times_.find(id);
    return found != times_.end() && now < found->second.plus_millis(kMillis);
  }

 private:
  static constexpr int64_t kMillis = 10'000;
  static constexpr size_t kCountMax = 4096;
  mutable std::mutex mutex_;
  std::unordered_map<uint64_t, async::SteadyTime> times_;  // by blob
};

struct BlobStore::Core : std::enable_shared_from_this<Core> {
  Core(FileSystem& fs, std::string dir, uint64_t pack_bytes, Shard* shard_in, async::Pool* pool_in)
      : files(std::make_shared<BlobFiles>(fs, std::move(dir), pack_bytes)),
        packs(std::make_shared<PackQueue>(files, *pool_in)),
        shard(shard_in),
        pool(pool_in) {}
  const std::shared_ptr<BlobFiles> files;  // shared with the queue's work on the pool
  const std::shared_ptr<PackQueue> packs;  // shared with its own work on the pool
  Shard* const shard;
  async::Pool* const pool;
  LatelyVerified verified;
  std::atomic<uint64_t> next_id{1};

  // Where a blob lies. Those that are not kept yet are known to the files only.
  Result<BlobPlace> place_of(const BlobRef& ref) const {
    if (ref.kind == BlobRef::Kind::file)
      return BlobPlace{.pack = 0, .id = ref.id, .offset = 0, .size = ref.size};
    if (const auto fresh = files->unkept(ref.id)) return *fresh;
    VIRGA_TRY(stored, shard->get(blob_key(ref.id)));
    const auto place = stored ? decode_place(*stored) : std::nullopt;
    if (!place) return fail("BlobMissing", 500, "blob " + std::to_string(ref.id) + " is gone");
    BlobPlace found = *place;
    found.id = ref.id;
    return found;
  }
  Result<BlobFiles::Open> open(const BlobRef& ref, BlobFiles::From from = BlobFiles::From::disk) {
    VIRGA_TRY(place, place_of(ref));
    auto got = files->open_blob(place, from);
    if (!got && got.error().code == "BlobMissing" && ref.kind == BlobRef::Kind::packed) {
      VIRGA_TRY(moved, place_of(ref));  // a compaction moved it between the two
      return files->open_blob(moved, from);
    }
    return got;
  }
  Result<std::string> read(const BlobRef& ref, uint64_t offset, uint64_t count) {
    VIRGA_TRY(blob, open(ref));
    return BlobFiles::read(blob, offset, count);
  }
};

// ---- writing
// ------------------------------------------------------------------------------------------------------

struct BlobWriter::State {
  std::shared_ptr<BlobStore::Core> core;  // shared: the store may close while the pool writes
  std::string head;                       // until it is too large to be packed
  std::optional<BlobFileWriter> file;
  uint64_t id = 0;
  bool finished = false;

  // False: the content is too large to be packed.
  bool take_into_head(std::string& piece) {
    if (file || head.size() + piece.size() > kBlobPackedMax) return false;
    if (head.empty()) {
      head = std::move(piece);
    } else {
      head += piece;
    }
    return true;
  }
  Result<bool> write(std::string_view piece) {
    if (!file) {
      id = core->next_id.fetch_add(1);
      VIRGA_TRY(opened, core->files->start_file(id));
      file.emplace(std::move(opened));
      VIRGA_TRY_VOID(file->append(head));
      head = {};
    }
    VIRGA_TRY_VOID(file->append(piece));
    return true;
  }
};

BlobWriter::BlobWriter(std::shared_ptr<State> state) : state_(std::move(state)) {}
BlobWriter::BlobWriter(BlobWriter&&) noexcept = default;
BlobWriter::~BlobWriter() {
  if (!state_ || state_->finished || !state_->file) return;
  state_->core->pool->run([state = state_] { state->core->files->drop_file(state->id); });
}

Task<void> BlobWriter::append(std::string piece) {
  State& state = *state_;
  CHECK(!state.finished);
  if (state.take_into_head(piece)) co_return ok();
  const Result<bool> written =
      co_await async::offload(*state.core->pool, [&] { return state.write(piece); });
  if (!written) co_return fail(written.error());
  co_return ok();
}

Result<void> BlobWriter::append_blocking(std::string piece) {
  State& state = *state_;
  CHECK(!state.finished);
  if (state.take_into_head(piece)) return {};
  VIRGA_TRY(written, state.write(piece));
  return {};
}

Task<BlobRef> BlobWriter::finish() {
  State& state = *state_;
  CHECK(!state.finished);
  if (state.file) {
    Result<uint64_t> size =
        co_await async::offload(*state.core->pool, [&] { return state.file->finish(); });
    if (!size) co_return fail(size.error());
    state.finished = true;
    BlobRef ref{.kind = BlobRef::Kind::file, .size = *size, .id = state.id};
    co_return std::move(ref);
  }
  state.finished = true;
  if (state.head.size() <= kBlobInlineMax) {
    BlobRef ref{.kind = BlobRef::Kind::inlined,
                .size = state.head.size(),
                .content = std::move(state.head)};
    co_return std::move(ref);
  }
  const uint64_t id = state.core->next_id.fetch_add(1);
  const Result<BlobPlace> place =
      co_await state.core->packs->append(id, state.head, PackedContent::Fate::fresh);
  if (!place) co_return fail(place.error());
  BlobRef ref{.kind = BlobRef::Kind::packed, .size = place->size, .id = id};
  co_return std::move(ref);
}

BlobWriter BlobStore::writer() {
  auto state = std::make_shared<BlobWriter::State>();
  state->core = core_;
  return BlobWriter(std::move(state));
}

Task<BlobRef> BlobStore::put(std::string content) {
  BlobWriter out = writer();
  co_await out.append(std::move(content));
  BlobRef ref = co_await out.finish();
  co_return std::move(ref);
}

void BlobStore::keep(Txn& txn, const BlobRef& ref) {
  if (ref.kind == BlobRef::Kind::inlined) return;
  BlobPlace place{.size = ref.size};
  if (ref.kind == BlobRef::Kind::packed) {
    const auto fresh = core_->files->unkept(ref.id);
    CHECK(fresh.has_value());  // finished by a writer, and kept once
    place = *fresh;
  }
  txn.put(blob_key(ref.id), encode_place(place));
  place.id = ref.id;
  txn.on_published([core = core_, place] { core->files->kept(place); });
}

void BlobStore::remove(Txn& txn, const BlobRef& ref) {
  if (ref.kind == BlobRef::Kind::inlined) return;
  const auto stored = txn.get(blob_key(ref.id));
  if (!stored || !*stored) return;
  auto place = decode_place(**stored);
  if (!place) return;
  place->id = ref.id;
  txn.erase(blob_key(ref.id));
  txn.on_published([core = core_, place = *place] {
    core->pool->run([core, place] { core->files->forget(place); });
  });
}

Task<void> BlobStore::discard(BlobRef ref) {
  if (ref.kind == BlobRef::Kind::inlined) co_return ok();
  const Result<BlobPlace> place = core_->place_of(ref);
  if (!place) co_return fail(place.error());
  const bool done = co_await async::offload(*core_->pool, [&] {
    core_->files->forget(*place);
    return true;
  });
  ignore(done, "always");
  co_return ok();
}

// ---- reading
// ------------------------------------------------------------------------------------------------------

Task<std::string> BlobStore::read(BlobRef ref, uint64_t offset, uint64_t count) {
  if (ref.kind == BlobRef::Kind::inlined) {
    if (offset >= ref.size) co_return std::string();
    co_return ref.content.substr(offset, count);
  }
  const auto core = core_;
  Result<std::string> got =
      co_await async::offload(*core->pool, [&] { return core->read(ref, offset, count); });
  co_return std::move(got);
}

// A part of a blob, piece by piece. Opened at the first read; readable to its end even if the blob
// is removed meanwhile. What the page cache has is read on the loop, the rest on the pool.
class BlobStore::Source final : public async::FileSource {
 public:
  Source(std::shared_ptr<Core> core, BlobRef ref, uint64_t offset, uint64_t count)
      : core_(std::move(core)),
        ref_(std::move(ref)),
        at_(std::min(offset, ref_.size)),
        left_(std::min(count, ref_.size - at_)) {}

  Task<std::string> read(size_t max) override {
    const uint64_t count = next_piece(max);
    if (count == 0) co_return std::string();
    std::string piece;
    if (ref_.kind == BlobRef::Kind::inlined) {
      piece = count == ref_.size ? std::move(ref_.content) : ref_.content.substr(at_, count);
    } else {
      const auto work = [&](BlobFiles::From from) { return read_now(count, from); };
      piece = co_await cached_or_offloaded(work);
    }
    at_ += piece.size();
    left_ -= piece.size();
    co_return std::move(piece);
  }

  Task<std::optional<async::FileSlice>> slice(uint64_t max) override {
    if (left_ == 0 || ref_.kind == BlobRef::Kind::inlined) co_return std::nullopt;
    const async::SteadyTime now = async::Loop::current()->now();
    const bool trusted = core_->verified.has(ref_.id, now);
    const uint64_t count =
        trusted ? std::min({max, left_, kTrustedBytes}) : next_piece(std::min(max, kVerifyBytes));
    const auto work = [&](BlobFiles::From from) { return verify_now(trusted ? 0 : count, from); };
    const bool sliceable = co_await cached_or_offloaded(work);
    if (!sliceable) co_return std::nullopt;
    if (!trusted) verified_ += count;
    async::FileSlice out{.open = blob_->file,
                         .fd = blob_->local->descriptor(),
                         .offset = blob_->place.offset + at_,
                         .count = count};
    at_ += count;
    left_ -= count;
    if (verified_ == ref_.size) core_->verified.add(ref_.id, now);
    co_return std::move(out);
  }

  std::optional<uint64_t> size() const override { return left_; }

 private:
  static constexpr uint64_t kVerifyBytes = 256 << 10;  // at once
  static constexpr uint64_t kTrustedBytes = 1 << 20;   // the same

  // Whole chunks are checked once; pieces that end on their borders read nothing twice.
  uint64_t next_piece(uint64_t max) const {
    const uint64_t count = std::min(max, left_);
    const uint64_t past = (at_ + count) % kBlobChunkBytes;
    return count > kBlobChunkBytes && count < left_ ? count - past : count;
  }

  // `work(from)`, on the loop if the page cache has what it reads.
  template <class Work>
  auto cached_or_offloaded(Work& work)
      -> Task<typename std::invoke_result_t<Work&, BlobFiles::From>::value_type> {
    auto got = work(BlobFiles::From::cache);
    if (!got && got.error().code == kBlobNotCached)
      got = co_await async::offload(*core_->pool, [&] { return work(BlobFiles::From::disk); });
    co_return std::move(got);
  }

  Result<void> open_now(BlobFiles::From from) {
    if (blob_) return {};
    VIRGA_TRY(opened, core_->open(ref_, from));
    blob_.emplace(std::move(opened));
    return {};
  }
  Result<std::string> read_now(uint64_t count, BlobFiles::From from) {
    VIRGA_TRY_VOID(open_now(from));
    return BlobFiles::read(*blob_, at_, count, from);
  }
  // Whether its file has a descriptor to slice; then the next `count` bytes are sound, too.
  Result<bool> verify_now(uint64_t count, BlobFiles::From from) {
    VIRGA_TRY_VOID(open_now(from));
    if (!blob_->local) return false;
    VIRGA_TRY_VOID(BlobFiles::verify(*blob_, at_, count, from));
    return true;
  }

  std::shared_ptr<Core> core_;  // shared: the store may close while the pool reads
  BlobRef ref_;
  std::optional<BlobFiles::Open> blob_;
  uint64_t at_, left_;
  uint64_t verified_ = 0;  // bytes, by slice()
};

std::unique_ptr<async::ByteSource> BlobStore::source(BlobRef ref, uint64_t offset, uint64_t count) {
  return std::make_unique<Source>(core_, std::move(ref), offset, count);
}

// ---- keeping house
// ------------------------------------------------------------------------------------------------

BlobStore::BlobStore(std::shared_ptr<Core> core) : core_(std::move(core)) {}
BlobStore::~BlobStore() = default;

Result<std::unique_ptr<BlobStore>> BlobStore::open(FileSystem& fs, std::string dir, Shard& shard,
                                                   async::Pool& pool, uint64_t pack_bytes) {
  auto core = std::make_shared<Core>(fs, std::move(dir), pack_bytes, &shard, &pool);
  std::vector<BlobPlace> kept;
  Result<void> readable;
  VIRGA_TRY_VOID(shard.snapshot()->scan(
      blob_key(0), prefix_end(Key(Space::blobs).str()), Direction::forward,
      [&](std::string_view key, std::string_view value) {
        auto place = decode_place(value);
        if (!place) {
          readable = fail("BlobRefUnreadable", 500, "a blob's place cannot be read");
          return false;
        }
        place->id = KeyReader(key.substr(1)).u64();
        kept.push_back(*place);
        return true;
      }));
  VIRGA_TRY_VOID(std::move(readable));
  VIRGA_TRY(greatest, core->files->open(kept));
  core->next_id = greatest + 1;
  return std::unique_ptr<BlobStore>(new BlobStore(std::move(core)));
}

uint64_t BlobStore::pack_count() const {
  return core_->files->pack_count();
}

Task<int> BlobStore::compact() {
  const auto core = core_;
  const std::vector<BlobPlace> movable = core->files->mostly_dead();
  const uint64_t before = core->files->pack_count();
  for (const BlobPlace& from : movable) {
    const Result<std::string> content =
        co_await async::offload(*core->pool, [&] { return core->files->read(from, 0, from.size); });
    if (!content) co_return fail(content.error());
    const Result<BlobPlace> to =
        co_await core->packs->append(from.id, *content, PackedContent::Fate::moved);
    if (!to) co_return fail(to.error());
    const auto body = [&](Txn& txn) -> Result<bool> {
      VIRGA_TRY(stored, txn.get(blob_key(from.id)));
      if (!stored) return false;  // removed meanwhile
      txn.put(blob_key(from.id), encode_place(*to));
      return true;
    };
    const auto moved = co_await core->shard->transact(CommitClass::durable, body);
    co_await core->shard->wait_durable(moved.lsn);
    const bool still = moved.result && *moved.result;
    const bool done = co_await async::offload(*core->pool, [&] {
      core->files->forget(still ? from : *to);
      return true;
    });
    ignore(done, "always");
  }
  co_return static_cast<int>(before) - static_cast<int>(core->files->pack_count());
}

std::vector<BlobPlace> BlobStore::kept() const {
  return core_->files->all();
}

Task<void> BlobStore::forget(std::vector<BlobPlace> places) {
  const auto core = core_;
  const bool done = co_await async::offload(*core->pool, [&] {
    for (const BlobPlace& place : places) core->files->forget(place);
    return true;
  });
  ignore(done, "always");
  co_return ok();
}

Task<std::vector<uint64_t>> BlobStore::scrub() {
  const auto core = core_;
  std::vector<uint64_t> damaged;
  const std::vector<BlobPlace> all = core->files->all();
  for (const BlobPlace& place : all) {
    for (uint64_t at = 0; at < place.size; at += kBlobPackedMax) {
      const Result<std::string> got = co_await async::offload(
          *core->pool, [&] { return core->files->read(place, at, kBlobPackedMax); });
      if (got || got.error().code == "BlobMissing") continue;
      damaged.push_back(place.id);
      break;
    }
  }
  co_return std::move(damaged);
}

}  // namespace virga::storage
