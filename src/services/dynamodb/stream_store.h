#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "services/dynamodb/table.h"
#include "storage/shard.h"

// Streams and their shards, as stored. A stream is one period in which its table had one enabled;
// it outlives the period, and the table, until its last record is 24 hours old. Its shards divide
// the table's change history by time.
//   dynamodb_streams | 1 | account | region | table name | label     →   JSON: table id, view type,
//   keys, times dynamodb_streams | 2 | table id | label | first sequence         →   JSON: last
//   sequence, parent, times
// All state is here: nothing is cached. Source: DynamoDB Developer Guide, "Change data capture for
// DynamoDB Streams".
namespace virga::dynamodb {

// A shard takes records this long, then the next one begins. Source: the same page ("shards roll
// over").
inline constexpr int64_t kShardMicros = 4LL * 3600 * 1'000'000;
// Records are trimmed at this age.
inline constexpr int64_t kStreamRetentionMicros = 24LL * 3600 * 1'000'000;

struct Stream {
  std::string account, region, table, label;
  uint64_t table_id = 0;
  std::string view_type;
  KeySchema keys;
  Timestamp created;
  std::optional<Timestamp> disabled;

  std::string arn() const;
};

struct StreamShard {
  uint64_t first = 0;            // sequence; the shard's identity within its stream
  std::optional<uint64_t> last;  // closed: its greatest possible sequence
  uint64_t parent = 0;           // the first sequence of the shard before it; 0: none
  Timestamp opened, closed;

  std::string id() const;  // "shardId-00000001541626099285-f35f62ef"
};

struct StreamAddress {
  std::string account, region, table, label;
};
// arn:PARTITION:dynamodb:REGION:ACCOUNT:table/NAME/stream/LABEL
std::optional<StreamAddress> parse_stream_arn(std::string_view arn);
std::string stream_arn(std::string_view account, std::string_view region, std::string_view table,
                       std::string_view label);

Result<std::optional<Stream>> find_stream(const storage::View& view, const StreamAddress& address);
// Streams of a region by table name and label, after `after` (null: from the first); of one table
// if it is named.
Result<void> list_streams_of(const storage::View& view, std::string_view account,
                             std::string_view region, std::string_view table,
                             const StreamAddress* after,
                             const std::function<bool(const Stream&)>& visit);
Result<std::vector<StreamShard>> shards_of(const storage::View& view, const Stream& stream);

// In transactions. `boundary`: the least sequence that a record of this transaction can have.
// Begins a stream for the table: its label is unused, its first shard open.
Result<Stream> open_stream(storage::Txn& txn, const Table& table, std::string_view view_type,
                           uint64_t boundary, Timestamp now);
// Ends one; its records stay.
Result<void> close_stream(storage::Txn& txn, const Stream& stream, uint64_t boundary,
                          Timestamp now);
// What time brings: an open shard that is old enough is closed and the next one opened, shards
// without a record that may be read any more go, and with the last one a disabled stream. Returns
// when to look again; nothing: the stream is gone.
Result<std::optional<Timestamp>> roll_stream(storage::Txn& txn, const Stream& stream,
                                             uint64_t boundary, Timestamp now);

}  // namespace virga::dynamodb
