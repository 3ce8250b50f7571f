#include "services/logs/log_store.h"

#include <algorithm>

#include "base/json.h"
#include "services/logs/errors.h"
#include "storage/batch.h"

namespace virga::logs {
namespace {

constexpr char kRecordFormat = 1;
constexpr char kChunkFormat = 1;

std::string finish(const Document& d) {
  std::string out(1, kRecordFormat);
  append_json(out, d);
  return out;
}

Result<Document> open(std::string_view bytes) {
  if (bytes.empty() || bytes.front() != kRecordFormat)
    return fail(internal_failure("logs record of an unknown format"));
  auto parsed = parse_json(bytes.substr(1));
  if (!parsed || !parsed->is_object())
    return fail(internal_failure("logs record that is no JSON object"));
  return parsed;
}

int64_t number(const Document& d, std::string_view key) {
  const Document* v = d.find(key);
  return v && v->is_int() ? v->as_int() : 0;
}

std::string encode(const Group& g) {
  Document d = Document::object();
  d.set("name", g.name);
  d.set("id", static_cast<int64_t>(g.id));
  d.set("created", g.created_millis);
  if (g.retention_days) d.set("retention", static_cast<int64_t>(g.retention_days));
  if (!g.kms_key.empty()) d.set("kms", g.kms_key);
  d.set("class", g.group_class);
  if (g.deletion_protection) d.set("protected", true);
  if (g.subscribed) d.set("subscribed", true);
  Document tags = Document::object();
  for (const auto& [key, value] : g.tags) tags.set(key, value);
  d.set("tags", std::move(tags));
  return finish(d);
}

Result<Group> decode_group(std::string_view bytes) {
  VIRGA_TRY(d, open(bytes));
  Group g;
  g.name = std::string(d.string_or("name", ""));
  g.id = static_cast<uint64_t>(number(d, "id"));
  g.created_millis = number(d, "created");
  g.retention_days = static_cast<int32_t>(number(d, "retention"));
  g.kms_key = std::string(d.string_or("kms", ""));
  g.group_class = std::string(d.string_or("class", "STANDARD"));
  g.deletion_protection = d.find("protected") != nullptr;
  g.subscribed = d.find("subscribed") != nullptr;
  if (const Document* tags = d.find("tags")) {
    for (const auto& [key, value] : tags->as_object()) g.tags[key] = value.as_string();
  }
  return g;
}

std::string encode(const Stream& s) {
  Document d = Document::object();
  d.set("name", s.name);
  d.set("id", static_cast<int64_t>(s.id));
  d.set("created", s.created_millis);
  return finish(d);
}

Result<Stream> decode_stream(std::string_view bytes) {
  VIRGA_TRY(d, open(bytes));
  return Stream{std::string(d.string_or("name", "")), static_cast<uint64_t>(number(d, "id")),
                number(d, "created")};
}

std::optional<uint64_t> take_varint(std::string_view& bytes) {
  uint64_t value = 0;
  for (int shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto b = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= static_cast<uint64_t>(b & 0x7f) << shift;
    if (!(b & 0x80)) return value;
  }
  return std::nullopt;
}

// Format byte, ingestion time, then each message with its length before it.
bool decode_chunk(std::string_view bytes, const Position& first, std::vector<Event>& out) {
  if (bytes.empty() || bytes.front() != kChunkFormat) return false;
  bytes.remove_prefix(1);
  const auto ingested = take_varint(bytes);
  if (!ingested) return false;
  Position at = first;
  while (!bytes.empty()) {
    const auto size = take_varint(bytes);
    if (!size || *size > bytes.size()) return false;
    out.push_back({at, static_cast<int64_t>(*ingested), std::string(bytes.substr(0, *size))});
    bytes.remove_prefix(*size);
    ++at.index;
  }
  return true;
}

}  // namespace

std::string LogReader::group_key(std::string_view name) const {
  storage::Key key(storage::Space::logs);
  key.account(account_).region(region_).u8('g').text(name);
  return std::move(key).take();
}

std::string LogReader::stream_key(const Group& group, std::string_view name) const {
  return std::move(streams_of(group.id).text(name)).take();
}

storage::Key LogReader::streams_of(uint64_t group_id) const {
  storage::Key key(storage::Space::logs);
  key.account(account_).region(region_).u8('s').u64(group_id);
  return key;
}

storage::Key LogReader::events_of(uint64_t group_id, std::optional<uint64_t> stream_id) const {
  storage::Key key(storage::Space::logs);
  key.account(account_).region(region_).u8('e').u64(group_id);
  if (stream_id) key.u64(*stream_id);
  return key;
}

storage::Key LogReader::settings_of(Setting kind, uint64_t group_id) const {
  storage::Key key(storage::Space::logs);
  key.account(account_).region(region_).u8(static_cast<uint8_t>(kind)).u64(group_id);
  return key;
}

Result<std::optional<std::string>> LogReader::find_setting(Setting kind, uint64_t group_id,
                                                           std::string_view name) const {
  return view_.get(std::move(settings_of(kind, group_id).text(name)).take());
}

Result<void> LogReader::each_setting(Setting kind, uint64_t group_id,
                                     const std::function<bool(std::string_view)>& visit) const {
  const storage::Key all = settings_of(kind, group_id);
  const auto cursor = view_.cursor(all.str(), all.range_end());
  for (; cursor->valid(); cursor->next()) {
    if (!visit(cursor->value())) break;
  }
  return cursor->status();
}

Result<size_t> LogReader::count_settings(Setting kind, uint64_t group_id) const {
  size_t count = 0;
  VIRGA_TRY_VOID(each_setting(kind, group_id, [&](std::string_view) { return ++count > 0; }));
  return count;
}

Result<std::optional<Group>> LogReader::find_group(std::string_view name) const {
  VIRGA_TRY(bytes, view_.get(group_key(name)));
  if (!bytes) return std::optional<Group>();
  VIRGA_TRY(group, decode_group(*bytes));
  return std::optional<Group>(std::move(group));
}

Result<std::optional<Stream>> LogReader::find_stream(const Group& group,
                                                     std::string_view name) const {
  VIRGA_TRY(bytes, view_.get(stream_key(group, name)));
  if (!bytes) return std::optional<Stream>();
  VIRGA_TRY(stream, decode_stream(*bytes));
  return std::optional<Stream>(std::move(stream));
}

Result<Group> LogReader::group(std::string_view name) const {
  VIRGA_TRY(found, find_group(name));
  if (!found) return fail(errors::no_such_group());
  return std::move(*found);
}

Result<Stream> LogReader::stream(const Group& group, std::string_view name) const {
  VIRGA_TRY(found, find_stream(group, name));
  if (!found) return fail(errors::no_such_stream());
  return std::move(*found);
}

Result<void> LogReader::each_group(std::string_view prefix,
                                   const std::function<bool(Group&&)>& visit) const {
  storage::Key all(storage::Space::logs);
  all.account(account_).region(region_).u8('g');
  const auto cursor =
      view_.cursor(group_key(prefix), all.range_end());  // a prefix sorts before what it begins
  for (; cursor->valid(); cursor->next()) {
    VIRGA_TRY(group, decode_group(cursor->value()));
    if (!group.name.starts_with(prefix)) break;
    if (!visit(std::move(group))) break;
  }
  return cursor->status();
}

Result<void> LogReader::each_stream(const Group& group, std::string_view prefix,
                                    const std::function<bool(Stream&&)>& visit) const {
  const auto cursor = view_.cursor(stream_key(group, prefix), streams_of(group.id).range_end());
  for (; cursor->valid(); cursor->next()) {
    VIRGA_TRY(stream, decode_stream(cursor->value()));
    if (!stream.name.starts_with(prefix)) break;
    if (!visit(std::move(stream))) break;
  }
  return cursor->status();
}

LogReader::Events LogReader::events(const Group& group, const Stream& stream, Position from,
                                    storage::Direction direction) const {
  const storage::Key all = events_of(group.id, stream.id);
  storage::Key at = all;
  at.i64(from.timestamp).u64(from.lsn);
  Events out;
  out.direction_ = direction;
  out.from_ = from;
  // Backwards the chunk of `from` itself is needed for the events before it in the chunk.
  if (direction == storage::Direction::forward) {
    out.cursor_ = view_.cursor(at.str(), all.range_end(), direction);
  } else {
    out.cursor_ = view_.cursor(all.str(), at.range_end(), direction);
  }
  return out;
}

bool LogReader::Events::load() {
  while (chunk_.empty()) {
    if (!cursor_->valid()) {
      status_ = cursor_->status();
      return false;
    }
    const std::string_view key = cursor_->key();
    storage::KeyReader tail(key.substr(key.size() - 16));
    Position first;
    first.timestamp = tail.i64();
    first.lsn = tail.u64();
    if (!decode_chunk(cursor_->value(), first, chunk_)) {
      status_ = fail(internal_failure("log chunk of an unknown format"));
      return false;
    }
    cursor_->next();
    const bool forward = direction_ == storage::Direction::forward;
    std::erase_if(chunk_, [&](const Event& e) { return forward ? e.at < from_ : e.at >= from_; });
    if (forward) std::reverse(chunk_.begin(), chunk_.end());
  }
  return true;
}

bool LogReader::Events::next(Event& out) {
  if (chunk_.empty() && !load()) return false;
  out = std::move(chunk_.back());
  chunk_.pop_back();
  return true;
}

void LogTransaction::add(Group& group) {
  group.id = txn_.new_object_id();
  put(group);
}

void LogTransaction::add(const Group& group, Stream& stream) {
  stream.id = txn_.new_object_id();
  txn_.put(stream_key(group, stream.name), encode(stream));
}

void LogTransaction::put(const Group& group) {
  txn_.put(group_key(group.name), encode(group));
}

void LogTransaction::erase(const Group& group) {
  txn_.allow_in_low_space();
  const storage::Key events = events_of(group.id, std::nullopt);
  txn_.erase_range(events.str(), events.range_end());
  const storage::Key streams = streams_of(group.id);
  txn_.erase_range(streams.str(), streams.range_end());
  for (const Setting kind : {Setting::metric_filter, Setting::subscription}) {
    const storage::Key settings = settings_of(kind, group.id);
    txn_.erase_range(settings.str(), settings.range_end());
  }
  txn_.erase(group_key(group.name));
}

void LogTransaction::erase(const Group& group, const Stream& stream) {
  txn_.allow_in_low_space();
  const storage::Key events = events_of(group.id, stream.id);
  txn_.erase_range(events.str(), events.range_end());
  txn_.erase(stream_key(group, stream.name));
}

void LogTransaction::put_setting(Setting kind, uint64_t group_id, std::string_view name,
                                 std::string_view bytes) {
  txn_.put(std::move(settings_of(kind, group_id).text(name)).take(), bytes);
}

void LogTransaction::erase_setting(Setting kind, uint64_t group_id, std::string_view name) {
  txn_.erase(std::move(settings_of(kind, group_id).text(name)).take());
}

void LogTransaction::append(uint64_t group_id, uint64_t stream_id, int64_t now_millis,
                            const std::vector<NewEvent>& events) {
  for (size_t i = 0; i < events.size();) {
    const int64_t timestamp = events[i].timestamp;
    std::string chunk(1, kChunkFormat);
    storage::append_varint(chunk, static_cast<uint64_t>(now_millis));
    for (; i < events.size() && events[i].timestamp == timestamp; ++i) {
      storage::append_varint(chunk, events[i].message.size());
      chunk += events[i].message;
    }
    storage::Key key = events_of(group_id, stream_id);
    key.i64(timestamp).u64(txn_.lsn());
    txn_.put(key, chunk);
  }
}

}  // namespace virga::logs
