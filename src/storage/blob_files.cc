#include "storage/blob_files.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <set>

#include "base/hashing.h"
#include "base/log.h"
#include "storage/blob_store.h"

namespace virga::storage {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::string_view kMagic = "VBLB";
constexpr uint32_t kVersion = 1;
constexpr size_t kFooterBytes = 20;  // size, checksum of the table, version, magic
constexpr size_t kWriteBytes = 1 << 20;

template <class T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
template <class T>
T load(std::string_view bytes, size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

uint64_t chunks_of(uint64_t size) {
  return (size + kBlobChunkBytes - 1) / kBlobChunkBytes;
}

void append_checksums(std::string& table, std::string_view content) {
  for (size_t at = 0; at < content.size(); at += kBlobChunkBytes) {
    put<uint32_t>(table, crc32c(content.substr(at, kBlobChunkBytes)));
  }
}

std::string close_table(std::string table, uint64_t size) {
  const uint32_t crc = crc32c(table);
  put<uint64_t>(table, size);
  put<uint32_t>(table, crc);
  put<uint32_t>(table, kVersion);
  return table.append(kMagic);
}

std::unexpected<AwsError> missing(uint64_t id) {
  return fail("BlobMissing", 500, "blob " + std::to_string(id) + " is gone");
}
std::unexpected<AwsError> not_cached() {
  return fail(kBlobNotCached, 500, "the disk has to be read");
}
std::unexpected<AwsError> damaged(uint64_t id) {
  return fail("BlobDamaged", 500, "blob " + std::to_string(id) + " is damaged on disk");
}

// "<decimal>.blob" or "<decimal>.pack"
std::optional<uint64_t> number_in(const std::string& name, std::string_view suffix) {
  if (!name.ends_with(suffix) || name.size() == suffix.size()) return std::nullopt;
  uint64_t number = 0;
  for (const char c : std::string_view(name).substr(0, name.size() - suffix.size())) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + static_cast<uint64_t>(c - '0');
  }
  return number;
}

}  // namespace

uint64_t blob_trailer_bytes(uint64_t size) {
  return chunks_of(size) * 4 + kFooterBytes;
}

std::string blob_trailer(std::string_view content) {
  std::string table;
  append_checksums(table, content);
  return close_table(std::move(table), content.size());
}

// ---- own files
// ----------------------------------------------------------------------------------------------------

Result<void> BlobFileWriter::append(std::string_view bytes) {
  pending_.append(bytes);
  if (pending_.size() < kWriteBytes) return {};
  return write_chunks(false);
}

Result<void> BlobFileWriter::write_chunks(bool last) {
  const size_t count = last ? pending_.size() : pending_.size() / kBlobChunkBytes * kBlobChunkBytes;
  const auto part = std::string_view(pending_).substr(0, count);
  append_checksums(checksums_, part);
  VIRGA_TRY_VOID(file_->write_at(written_, part));
  // While the next bytes arrive the disk writes these: the sync at the end finds little to do.
  if (local_) local_->begin_writeback(written_, count);
  written_ += count;
  pending_.erase(0, count);
  return {};
}

Result<uint64_t> BlobFileWriter::finish() {
  VIRGA_TRY_VOID(write_chunks(true));
  VIRGA_TRY_VOID(file_->write_at(written_, close_table(std::move(checksums_), written_)));
  VIRGA_TRY_VOID(file_->sync());
  VIRGA_TRY_VOID(fs_->sync_dir(dir_));
  local_ = nullptr;
  file_.reset();
  return written_;
}

std::string BlobFiles::file_path(uint64_t id) const {
  return dir_ + "/" + std::to_string(id) + ".blob";
}
std::string BlobFiles::pack_path(uint64_t pack) const {
  return dir_ + "/" + std::to_string(pack) + ".pack";
}

Result<BlobFileWriter> BlobFiles::start_file(uint64_t id) {
  VIRGA_TRY(file, fs_.open(file_path(id), OpenMode::create_new));
  return BlobFileWriter(fs_, dir_, std::move(file));
}

void BlobFiles::drop_file(uint64_t id) {
  if (const auto removed = fs_.remove(file_path(id)); !removed && !is_not_found(removed.error())) {
    LOG_WARN("blob_not_removed",
             kv("message", removed.error().message));  // the next opening does it
  }
}

// ---- packs
// --------------------------------------------------------------------------------------------------------

Result<uint64_t> BlobFiles::open(const std::vector<BlobPlace>& kept) {
  VIRGA_TRY_VOID(fs_.make_dir(dir_));
  uint64_t greatest = 0;
  std::set<uint64_t> own;
  for (const BlobPlace& place : kept) {
    greatest = std::max(greatest, place.id);
    if (place.pack == 0) {
      own_files_[place.id] = place;
      continue;
    }
    Pack& pack = packs_[place.pack];
    pack.alive[place.id] = place;
    pack.alive_bytes += place.size;
  }
  VIRGA_TRY(names, fs_.list(dir_));
  for (const std::string& name : names) {
    const auto id = number_in(name, ".blob");
    const auto pack = number_in(name, ".pack");
    if (id) greatest = std::max(greatest, *id);
    if (pack) next_pack_ = std::max(next_pack_, *pack + 1);
    const bool orphan = (id && !own_files_.contains(*id)) || (pack && !packs_.contains(*pack));
    if (orphan) {
      VIRGA_TRY_VOID(fs_.remove(dir_ + "/" + name));
      continue;
    }
    if (!pack) continue;
    VIRGA_TRY(file, fs_.open(dir_ + "/" + name, OpenMode::write));
    VIRGA_TRY(size, file->size());
    packs_[*pack].file = std::move(file);
    packs_[*pack].end = size;
    if (size < pack_bytes_ / 2)
      current_pack_ = *pack;  // goes on behind whatever a crash left at its end
  }
  return greatest;
}

// The pack that is written to, a new one when it would grow too long.
Result<uint64_t> BlobFiles::pack_with_room(uint64_t bytes) {
  if (current_pack_ != 0 && packs_[current_pack_].end + bytes <= pack_bytes_) return current_pack_;
  const uint64_t old = current_pack_;
  const uint64_t number = next_pack_++;
  VIRGA_TRY(opened, fs_.open(pack_path(number), OpenMode::create_new));
  VIRGA_TRY_VOID(fs_.sync_dir(dir_));
  packs_[number].file = std::move(opened);
  current_pack_ = number;
  if (old != 0 && packs_[old].alive.empty()) VIRGA_TRY_VOID(drop_pack(old));
  return number;
}

Result<std::vector<BlobPlace>> BlobFiles::append_group(const std::vector<PackedContent>& contents) {
  std::string bytes;
  for (const PackedContent& one : contents) {
    bytes.append(one.bytes).append(blob_trailer(one.bytes));
  }
  std::vector<BlobPlace> places;
  std::shared_ptr<File> file;
  uint64_t begin = 0;
  {
    const std::lock_guard lock(mutex_);
    VIRGA_TRY(number, pack_with_room(bytes.size()));
    Pack& pack = packs_[number];
    begin = pack.end;
    for (const PackedContent& one : contents) {
      const uint64_t size = one.bytes.size();
      places.push_back({.pack = number, .id = one.id, .offset = pack.end, .size = size});
      pack.end += size + blob_trailer_bytes(size);
      pack.alive[one.id] = places.back();  // from now on the pack stays
      pack.alive_bytes += size;
    }
    file = pack.file;
  }
  auto written = file->write_at(begin, bytes);
  if (written) written = file->sync();
  if (!written) {
    {
      const std::lock_guard lock(mutex_);
      current_pack_ = 0;  // after a failed sync nobody knows what its pages hold
    }
    for (const BlobPlace& place : places) forget(place);
    return fail(written.error());
  }
  const std::lock_guard lock(mutex_);
  for (size_t i = 0; i < places.size(); ++i) {
    if (contents[i].fate == PackedContent::Fate::fresh) unkept_[places[i].id] = places[i];
  }
  return places;
}

std::optional<BlobPlace> BlobFiles::unkept(uint64_t id) const {
  const std::lock_guard lock(mutex_);
  const auto found = unkept_.find(id);
  return found == unkept_.end() ? std::nullopt : std::optional(found->second);
}

void BlobFiles::kept(const BlobPlace& place) {
  const std::lock_guard lock(mutex_);
  unkept_.erase(place.id);
  if (place.pack == 0) own_files_[place.id] = place;
}

void BlobFiles::forget(const BlobPlace& place) {
  if (place.pack == 0) {
    {
      const std::lock_guard lock(mutex_);
      own_files_.erase(place.id);
    }
    return drop_file(place.id);
  }
  const std::lock_guard lock(mutex_);
  if (const auto fresh = unkept_.find(place.id);
      fresh != unkept_.end() && fresh->second.pack == place.pack) {
    unkept_.erase(fresh);
  }
  const auto pack = packs_.find(place.pack);
  if (pack == packs_.end() || pack->second.alive.erase(place.id) == 0) return;
  pack->second.alive_bytes -= place.size;
  if (!pack->second.alive.empty() || place.pack == current_pack_) return;
  if (const auto dropped = drop_pack(place.pack); !dropped) {
    LOG_WARN("pack_not_removed", kv("message", dropped.error().message));
  }
}

Result<void> BlobFiles::drop_pack(uint64_t pack) {
  packs_.erase(pack);
  return fs_.remove(pack_path(pack));
}

Result<std::shared_ptr<File>> BlobFiles::file_of(const BlobPlace& place, From from) {
  if (place.pack == 0) {
    if (from == From::cache) return not_cached();  // opening may read the folder
    auto file = fs_.open(file_path(place.id), OpenMode::read);
    if (!file)
      return is_not_found(file.error()) ? Result<std::shared_ptr<File>>(missing(place.id))
                                        : fail(file.error());
    return std::shared_ptr<File>(std::move(*file));
  }
  const std::lock_guard lock(mutex_);
  const auto pack = packs_.find(place.pack);
  if (pack == packs_.end() || !pack->second.file) return missing(place.id);
  return pack->second.file;
}

Result<std::string> BlobFiles::read(const BlobPlace& place, uint64_t offset, uint64_t count) {
  if (offset >= place.size) return std::string();
  VIRGA_TRY(blob, open_blob(place));
  return read(blob, offset, count);
}

Result<BlobFiles::Open> BlobFiles::open_blob(const BlobPlace& place, From from) {
  VIRGA_TRY(file, file_of(place, from));
  Open blob{.file = std::move(file), .place = place};
  blob.local = dynamic_cast<LocalAccess*>(blob.file.get());
  std::string trailer(blob_trailer_bytes(place.size), '\0');
  VIRGA_TRY_VOID(read_exactly(blob, place.size, trailer, from));
  const size_t table_bytes = chunks_of(place.size) * 4;
  if (!trailer.ends_with(kMagic) || load<uint64_t>(trailer, table_bytes) != place.size ||
      load<uint32_t>(trailer, table_bytes + 8) !=
          crc32c(std::string_view(trailer).substr(0, table_bytes))) {
    return damaged(place.id);
  }
  trailer.resize(table_bytes);
  blob.checksums = std::move(trailer);
  return blob;
}

// Bytes behind the blob's first one; all of `out`.
Result<void> BlobFiles::read_exactly(const Open& blob, uint64_t offset, std::span<char> out,
                                     From from) {
  const uint64_t at = blob.place.offset + offset;
  if (from == From::cache) {
    if (!blob.local || !blob.local->read_cached(at, out)) return not_cached();
    return {};
  }
  VIRGA_TRY(got, blob.file->read_at(at, out));
  if (got != out.size()) return damaged(blob.place.id);
  return {};
}

Result<void> BlobFiles::check_chunk(const Open& blob, uint64_t chunk, std::string_view bytes) {
  if (load<uint32_t>(blob.checksums, chunk * 4) == crc32c(bytes)) return {};
  return damaged(blob.place.id);
}

Result<std::string> BlobFiles::read(const Open& blob, uint64_t offset, uint64_t count, From from) {
  const BlobPlace& place = blob.place;
  if (offset >= place.size) return std::string();
  count = std::min(count, place.size - offset);
  // Whole chunks, so that their checksums can be compared.
  const uint64_t first = offset / kBlobChunkBytes;
  const uint64_t begin = first * kBlobChunkBytes;
  const uint64_t end = std::min(
      place.size, (offset + count + kBlobChunkBytes - 1) / kBlobChunkBytes * kBlobChunkBytes);
  std::string bytes;
  Result<void> got;
  bytes.resize_and_overwrite(end - begin, [&](char* into, size_t size) {
    got = read_exactly(blob, begin, {into, size}, from);
    return size;
  });
  if (!got) return fail(got.error());
  for (uint64_t chunk = first, at = 0; at < bytes.size(); ++chunk, at += kBlobChunkBytes) {
    VIRGA_TRY_VOID(check_chunk(blob, chunk, std::string_view(bytes).substr(at, kBlobChunkBytes)));
  }
  if (begin == offset && bytes.size() == count) return bytes;
  return bytes.substr(offset - begin, count);
}

Result<void> BlobFiles::verify(const Open& blob, uint64_t offset, uint64_t count, From from) {
  if (count == 0) return {};
  const uint64_t end = std::min(offset + count, blob.place.size);
  std::array<char, kBlobChunkBytes> bytes;
  for (uint64_t chunk = offset / kBlobChunkBytes; chunk * kBlobChunkBytes < end; ++chunk) {
    const uint64_t begin = chunk * kBlobChunkBytes;
    const auto part =
        std::span(bytes).first(std::min<uint64_t>(kBlobChunkBytes, blob.place.size - begin));
    VIRGA_TRY_VOID(read_exactly(blob, begin, part, from));
    VIRGA_TRY_VOID(check_chunk(blob, chunk, std::string_view(part.data(), part.size())));
  }
  return {};
}

std::vector<BlobPlace> BlobFiles::mostly_dead() const {
  const std::lock_guard lock(mutex_);
  std::vector<BlobPlace> movable;
  for (const auto& [number, pack] : packs_) {
    if (number == current_pack_ || pack.alive_bytes * 2 > pack.end) continue;
    for (const auto& [id, place] : pack.alive) {
      if (!unkept_.contains(id)) movable.push_back(place);
    }
  }
  return movable;
}

std::vector<BlobPlace> BlobFiles::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<BlobPlace> out;
  for (const auto& [id, place] : own_files_) out.push_back(place);
  for (const auto& [number, pack] : packs_) {
    for (const auto& [id, place] : pack.alive) {
      if (!unkept_.contains(id)) out.push_back(place);
    }
  }
  return out;
}

uint64_t BlobFiles::pack_count() const {
  const std::lock_guard lock(mutex_);
  return packs_.size();
}

}  // namespace virga::storage
