#include "services/dynamodb/change_feed.h"

#include <algorithm>

#include "base/strings.h"
#include "services/dynamodb/errors.h"
#include "services/dynamodb/item_key.h"
#include "storage/keys.h"

namespace virga::dynamodb {
namespace {

using storage::Key;
using storage::Space;

// Kinds of timers: on disk.
constexpr const char* kStreamTimer = "dynamodb.stream";
constexpr const char* kHistoryTimer = "dynamodb.history";
constexpr int64_t kDayMicros = 86'400LL * 1'000'000;

// Days for which a table's history is kept: decimal; 0 when recovery is no longer enabled.
std::string history_key(uint64_t table_id) {
  return Key(Space::dynamodb_streams).u8(4).u64(table_id).str();
}

}  // namespace

ChangeFeed::ChangeFeed(async::Env& env, platform::DurableTimers& timers,
                       platform::StreamWakeups& wakeups)
    : env_(env), timers_(timers), wakeups_(wakeups) {
  timers_.on(kStreamTimer,
             [this](storage::Txn& txn, std::string_view payload) { return roll(txn, payload); });
  timers_.on(kHistoryTimer, [this](storage::Txn& txn, std::string_view payload) {
    return look_after_history(txn, payload);
  });
}

void ChangeFeed::add(storage::Txn& txn, const Table& table, const ItemView* before,
                     const ItemView* after, bool by_service, int64_t now_micros) {
  if (table.stream_view.empty() && table.recovery_days == 0) return;
  if (before && after && *before == *after) return;
  const bool recovery = table.recovery_days > 0;
  const std::string& view = table.stream_view;
  const Item keys = key_of(table.keys, before ? *before : *after);
  ChangeRecord record{
      .micros = now_micros, .had_old = before != nullptr, .has_new = after != nullptr};
  record.by_service = by_service;
  record.keys = keys;
  if (before && (recovery || view == "OLD_IMAGE" || view == "NEW_AND_OLD_IMAGES"))
    record.old_image = *before;
  if (after && (view == "NEW_IMAGE" || view == "NEW_AND_OLD_IMAGES")) record.new_image = *after;
  txn.put(change_key(table.id, sequencer_.next(txn)), encode_change(record));
  if (view.empty() || wakeups_.empty()) return;
  std::string arn = stream_arn(table.account, table.region, table.name, table.stream_label);
  if (!wakeups_.watched(arn)) return;
  txn.on_published([this, arn = std::move(arn)] { wakeups_.notify(arn); });
}

Result<void> ChangeFeed::enable_stream(storage::Txn& txn, Table& table, std::string_view view_type,
                                       Timestamp now) {
  if (!table.stream_view.empty()) {
    return fail(
        errors::validation("Table already has an enabled stream: TableName: " + table.name));
  }
  VIRGA_TRY(stream, open_stream(txn, table, view_type, sequence_boundary(txn), now));
  table.stream_label = stream.label;
  table.stream_view = view_type;
  timers_.set(txn, {{now.micros + kShardMicros}}, kStreamTimer, stream.arn());
  return {};
}

Result<void> ChangeFeed::disable_stream(storage::Txn& txn, Table& table, Timestamp now) {
  if (table.stream_view.empty()) {
    return fail(errors::validation("Table has no stream to disable: TableName: " + table.name));
  }
  VIRGA_TRY_VOID(close(txn, table, now));
  table.stream_view.clear();
  return {};
}

Result<void> ChangeFeed::close(storage::Txn& txn, const Table& table, Timestamp now) {
  if (table.stream_view.empty()) return {};
  VIRGA_TRY(stream,
            find_stream(txn, {table.account, table.region, table.name, table.stream_label}));
  if (!stream) return {};
  // What this transaction still records belongs to it.
  return close_stream(txn, *stream, sequence_after(txn.lsn()), now);
}

Result<void> ChangeFeed::keep_history(storage::Txn& txn, const Table& table, int64_t days,
                                      Timestamp now) {
  const std::string key = history_key(table.id);
  VIRGA_TRY(known, txn.get(key));
  if (days == 0 && !known) return {};
  txn.put(key, std::to_string(days));
  if (!known)
    timers_.set(txn, {{now.micros + kDayMicros}}, kHistoryTimer, std::to_string(table.id));
  return {};
}

Result<void> ChangeFeed::roll(storage::Txn& txn, std::string_view arn) {
  const auto address = parse_stream_arn(arn);
  if (!address) return {};
  VIRGA_TRY(stream, find_stream(txn, *address));
  if (!stream) return {};
  const Timestamp now = env_.cloud.now().at;
  txn.allow_in_low_space();
  VIRGA_TRY(next, roll_stream(txn, *stream, sequence_boundary(txn), now));
  if (next) timers_.set(txn, {*next}, kStreamTimer, arn);
  return trim(txn, stream->table_id, now);
}

Result<void> ChangeFeed::look_after_history(storage::Txn& txn, std::string_view table_id) {
  const auto id = parse_int(table_id);
  if (!id) return {};
  const Timestamp now = env_.cloud.now().at;
  txn.allow_in_low_space();
  VIRGA_TRY_VOID(trim(txn, static_cast<uint64_t>(*id), now));
  const std::string key = history_key(static_cast<uint64_t>(*id));
  VIRGA_TRY(kept, txn.get(key));
  const std::string prefix = changes_prefix(static_cast<uint64_t>(*id));
  const bool records = txn.cursor(prefix, storage::prefix_end(prefix))->valid();
  if (records || (kept && *kept != "0")) {
    timers_.set(txn, {{now.micros + kDayMicros}}, kHistoryTimer, table_id);
  } else {
    txn.erase(key);
  }
  return {};
}

Result<void> ChangeFeed::trim(storage::Txn& txn, uint64_t table_id, Timestamp now) {
  VIRGA_TRY(kept, txn.get(history_key(table_id)));
  const int64_t days = std::max<int64_t>(1, kept ? parse_int(*kept).value_or(1) : 1);
  VIRGA_TRY(first, first_change_at(txn, table_id, 0, UINT64_MAX, now.micros - days * kDayMicros));
  const std::string begin = change_key(table_id, 0), end = change_key(table_id, first);
  bool any = false;
  {
    const auto cursor = txn.cursor(begin, end);
    any = cursor->valid();
  }
  if (any) txn.erase_range(begin, end);
  return {};
}

}  // namespace virga::dynamodb
