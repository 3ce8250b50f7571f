#include "services/dynamodb/stream_store.h"

#include <algorithm>

#include "aws/context.h"
#include "base/hashing.h"
#include "base/json.h"
#include "base/strings.h"
#include "storage/keys.h"

namespace virga::dynamodb {
namespace {

using storage::Key;
using storage::Space;

constexpr int kStreamFormat = 1;
constexpr uint8_t kStreams = 1, kShards = 2;

std::string stream_key(std::string_view account, std::string_view region, std::string_view table,
                       std::string_view label) {
  return Key(Space::dynamodb_streams)
      .u8(kStreams)
      .account(account)
      .region(region)
      .text(table)
      .text(label)
      .str();
}
Key shards_prefix(const Stream& stream) {
  return Key(Space::dynamodb_streams).u8(kShards).u64(stream.table_id).text(stream.label);
}
std::string shard_key(const Stream& stream, uint64_t first) {
  return shards_prefix(stream).u64(first).str();
}

int64_t int_at(const Document& d, std::string_view key) {
  const Document* m = d.find(key);
  return m && m->is_int() ? m->as_int() : 0;
}

Document keys_of(const std::vector<KeyAttribute>& keys) {
  Document out = Document::array();
  for (const auto& key : keys) out.push(key.name);
  return out;
}
std::vector<KeyAttribute> read_keys(const Document* d) {
  std::vector<KeyAttribute> out;
  if (!d || !d->is_array()) return out;
  for (const auto& name : d->as_array()) {
    if (name.is_string()) out.push_back({name.as_string()});
  }
  return out;
}

void put_stream(storage::Txn& txn, const Stream& stream) {
  Document d = Document::object();
  d.set("format", kStreamFormat);
  d.set("table_id", static_cast<int64_t>(stream.table_id));
  d.set("view", stream.view_type);
  d.set("hash", keys_of(stream.keys.hash));
  d.set("range", keys_of(stream.keys.range));
  d.set("created", stream.created.micros);
  if (stream.disabled) d.set("disabled", stream.disabled->micros);
  txn.put(stream_key(stream.account, stream.region, stream.table, stream.label), to_json(d));
}

Result<Stream> read_stream(std::string_view bytes, StreamAddress address) {
  VIRGA_TRY(d, parse_json(bytes));
  Stream out{std::move(address.account), std::move(address.region), std::move(address.table),
             std::move(address.label)};
  out.table_id = static_cast<uint64_t>(int_at(d, "table_id"));
  if (int_at(d, "format") != kStreamFormat || out.table_id == 0) {
    return fail(internal_failure("a stream's description is damaged"));
  }
  out.view_type = d.string_or("view", "");
  out.keys.hash = read_keys(d.find("hash"));
  out.keys.range = read_keys(d.find("range"));
  out.created = {int_at(d, "created")};
  if (d.find("disabled")) out.disabled = Timestamp{int_at(d, "disabled")};
  return out;
}

void put_shard(storage::Txn& txn, const Stream& stream, const StreamShard& shard) {
  Document d = Document::object();
  d.set("format", kStreamFormat);
  d.set("parent", static_cast<int64_t>(shard.parent));
  d.set("opened", shard.opened.micros);
  if (shard.last) {
    d.set("last", static_cast<int64_t>(*shard.last));
    d.set("closed", shard.closed.micros);
  }
  txn.put(shard_key(stream, shard.first), to_json(d));
}

Result<StreamShard> read_shard(std::string_view key, std::string_view bytes) {
  VIRGA_TRY(d, parse_json(bytes));
  StreamShard out;
  out.first = storage::KeyReader(key.substr(key.size() - 8)).u64();
  if (int_at(d, "format") != kStreamFormat)
    return fail(internal_failure("a shard's description is damaged"));
  out.parent = static_cast<uint64_t>(int_at(d, "parent"));
  out.opened = {int_at(d, "opened")};
  if (d.find("last")) {
    out.last = static_cast<uint64_t>(int_at(d, "last"));
    out.closed = {int_at(d, "closed")};
  }
  return out;
}

// 2015-05-11T21:21:33.291
std::string label_of(Timestamp at) {
  std::string out = format_iso8601_millis(at);
  out.pop_back();
  return out;
}

// Ends the open shard with what came before `boundary`.
Result<std::optional<StreamShard>> close_open_shard(storage::Txn& txn, const Stream& stream,
                                                    uint64_t boundary, Timestamp now) {
  VIRGA_TRY(shards, shards_of(txn, stream));
  if (shards.empty() || shards.back().last) return std::optional<StreamShard>();
  StreamShard& shard = shards.back();
  shard.last = std::max(boundary - 1, shard.first);
  shard.closed = now;
  put_shard(txn, stream, shard);
  return std::optional<StreamShard>(shard);
}

}  // namespace

std::string stream_arn(std::string_view account, std::string_view region, std::string_view table,
                       std::string_view label) {
  std::string out = "arn:";
  out.append(partition_of(region)).append(":dynamodb:").append(region).append(":").append(account);
  out.append(":table/").append(table).append("/stream/").append(label);
  return out;
}
std::string Stream::arn() const {
  return stream_arn(account, region, table, label);
}

std::string StreamShard::id() const {
  std::string millis = std::to_string(opened.millis());
  if (millis.size() < 20) millis.insert(0, 20 - millis.size(), '0');
  return "shardId-" + millis + "-" + to_hex(md5(std::to_string(first)).substr(0, 4));
}

std::optional<StreamAddress> parse_stream_arn(std::string_view arn) {
  // The label has colons of its own.
  std::vector<std::string> parts;
  for (int i = 0; i < 5; ++i) {
    const size_t colon = arn.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    parts.emplace_back(arn.substr(0, colon));
    arn.remove_prefix(colon + 1);
  }
  const auto names = split(arn, '/');
  if (parts[0] != "arn" || parts[2] != "dynamodb" || names.size() != 4) return std::nullopt;
  if (names[0] != "table" || names[1].empty() || names[2] != "stream" || names[3].empty())
    return std::nullopt;
  return StreamAddress{parts[4], parts[3], std::string(names[1]), std::string(names[3])};
}

Result<std::optional<Stream>> find_stream(const storage::View& view, const StreamAddress& address) {
  VIRGA_TRY(bytes,
            view.get(stream_key(address.account, address.region, address.table, address.label)));
  if (!bytes) return std::optional<Stream>();
  VIRGA_TRY(stream, read_stream(*bytes, address));
  return std::optional<Stream>(std::move(stream));
}

Result<void> list_streams_of(const storage::View& view, std::string_view account,
                             std::string_view region, std::string_view table,
                             const StreamAddress* after,
                             const std::function<bool(const Stream&)>& visit) {
  Key prefix = Key(Space::dynamodb_streams).u8(kStreams).account(account).region(region);
  const size_t named = prefix.str().size();
  if (!table.empty()) prefix.text(table);
  std::string begin = prefix.str();
  if (after)
    begin = std::max(begin, stream_key(account, region, after->table, after->label) + '\0');
  Result<void> read;
  VIRGA_TRY_VOID(view.scan(begin, prefix.range_end(), storage::Direction::forward,
                           [&](std::string_view key, std::string_view bytes) {
                             storage::KeyReader reader(key.substr(named));
                             StreamAddress address{std::string(account), std::string(region)};
                             address.table = reader.text();
                             address.label = reader.text();
                             auto stream = read_stream(bytes, std::move(address));
                             if (!stream) {
                               read = fail(std::move(stream.error()));
                               return false;
                             }
                             return visit(*stream);
                           }));
  return read;
}

Result<std::vector<StreamShard>> shards_of(const storage::View& view, const Stream& stream) {
  const Key prefix = shards_prefix(stream);
  std::vector<StreamShard> out;
  Result<void> read;
  VIRGA_TRY_VOID(view.scan(prefix.str(), prefix.range_end(), storage::Direction::forward,
                           [&](std::string_view key, std::string_view bytes) {
                             auto shard = read_shard(key, bytes);
                             if (!shard) {
                               read = fail(std::move(shard.error()));
                               return false;
                             }
                             out.push_back(*shard);
                             return true;
                           }));
  if (!read) return fail(std::move(read.error()));
  return out;
}

Result<Stream> open_stream(storage::Txn& txn, const Table& table, std::string_view view_type,
                           uint64_t boundary, Timestamp now) {
  Stream stream{table.account, table.region, table.name};
  Timestamp named = now;
  while (true) {
    stream.label = label_of(named);
    VIRGA_TRY(taken,
              txn.get(stream_key(stream.account, stream.region, stream.table, stream.label)));
    if (!taken) break;
    named.micros += 1000;
  }
  stream.table_id = table.id;
  stream.view_type = view_type;
  stream.keys = table.keys;
  stream.created = now;
  put_stream(txn, stream);
  put_shard(txn, stream, StreamShard{.first = boundary, .opened = now});
  return stream;
}

Result<void> close_stream(storage::Txn& txn, const Stream& stream, uint64_t boundary,
                          Timestamp now) {
  VIRGA_TRY(closed, close_open_shard(txn, stream, boundary, now));
  ignore(closed, "the last one");
  Stream ended = stream;
  ended.disabled = now;
  put_stream(txn, ended);
  return {};
}

Result<std::optional<Timestamp>> roll_stream(storage::Txn& txn, const Stream& stream,
                                             uint64_t boundary, Timestamp now) {
  VIRGA_TRY(shards, shards_of(txn, stream));
  std::optional<Timestamp> next;
  const auto look_at = [&](int64_t micros) {
    if (!next || micros < next->micros) next = Timestamp{micros};
  };
  size_t left = 0;
  for (const auto& shard : shards) {
    if (shard.last && shard.closed.micros + kStreamRetentionMicros <= now.micros) {
      txn.erase(shard_key(stream, shard.first));
      continue;
    }
    ++left;
    if (shard.last) {
      look_at(shard.closed.micros + kStreamRetentionMicros);
      continue;
    }
    if (shard.opened.micros + kShardMicros > now.micros) {
      look_at(shard.opened.micros + kShardMicros);
      continue;
    }
    VIRGA_TRY(closed, close_open_shard(txn, stream, boundary, now));
    put_shard(txn, stream, StreamShard{.first = boundary, .parent = closed->first, .opened = now});
    look_at(now.micros + kShardMicros);
  }
  if (left == 0 && stream.disabled) {
    txn.erase(stream_key(stream.account, stream.region, stream.table, stream.label));
    return std::optional<Timestamp>();
  }
  return next;
}

}  // namespace virga::dynamodb
