#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/attribute_value.h"
#include "base/document.h"
#include "base/error.h"
#include "base/time.h"

// A table as the service keeps it: names, keys, indexes, settings. Immutable once made (a change
// makes a new one) and shared by the requests that use it.
namespace virga::dynamodb {

struct KeyAttribute {
  std::string name;
  AttributeType type = AttributeType::string;  // string, number or binary
};

// A table has one hash and at most one range attribute; a global index may have up to four of each.
struct KeySchema {
  std::vector<KeyAttribute> hash, range;

  const KeyAttribute* find(std::string_view name) const;
  bool contains(std::string_view name) const { return find(name) != nullptr; }
  size_t size() const { return hash.size() + range.size(); }
  const KeyAttribute& at(size_t i) const {
    return i < hash.size() ? hash[i] : range[i - hash.size()];
  }
};

struct Throughput {
  int64_t read_units = 0, write_units = 0;
  std::optional<Timestamp> last_increase, last_decrease;
  int64_t decreases_today = 0;  // of the UTC day of the last one

  int64_t decreases_on(Timestamp now) const;
};
// OnDemandThroughput: the most request units; -1: no maximum.
struct RequestLimits {
  int64_t read = -1, write = -1;
  bool given() const { return read >= 0 || write >= 0; }
};
// WarmThroughput as it was asked for; zeros: never.
struct UnitsPerSecond {
  int64_t read = 0, write = 0;
};

// Where a restored table's items come from. Source: DynamoDB API Reference, RestoreSummary.
struct RestoredFrom {
  std::string backup_arn;  // empty: a point in time
  std::string table_arn;
  Timestamp at;  // the point in time, or the backup's creation
};

struct Index {
  enum class Projection { all, keys_only, include };
  std::string name;
  uint64_t id = 0;
  bool global = false;
  KeySchema keys;
  Projection projection = Projection::all;
  std::vector<std::string> non_key_attributes;
  Throughput throughput;  // global ones
  RequestLimits request_limits;
  UnitsPerSecond warm;
  bool building = false;  // not all items are in it yet
  std::string
      transition;  // CREATING or UPDATING while the table is UPDATING; else it means nothing

  bool projects(std::string_view attribute, const KeySchema& table_keys) const;
};

struct Table {
  std::string account, region, name;
  uint64_t id = 0;       // of its items' keys; never reused
  std::string table_id;  // the UUID that users see
  Timestamp created;
  std::vector<KeyAttribute> definitions;  // in the order given
  KeySchema keys;
  std::vector<Index> indexes;  // local ones first, each kind in the order given
  bool on_demand = false;
  std::optional<Timestamp> on_demand_since;
  bool billing_mode_given = false;  // then DescribeTable has a BillingModeSummary
  Throughput throughput;
  RequestLimits request_limits;
  UnitsPerSecond warm;
  std::string resource_policy, policy_revision;  // both empty: none
  bool deletion_protection = false;
  std::string table_class;  // empty: STANDARD, not mentioned
  std::optional<Timestamp> table_class_changed;
  std::string sse_type, kms_key;  // empty: the default encryption
  std::map<std::string, std::string> tags;
  std::string ttl_attribute;             // empty: disabled
  std::optional<Timestamp> ttl_changed;  // enabled or disabled at
  bool ttl_building = false;             // items of before it was enabled have no expiry yet
  std::string stream_view;               // the enabled stream's view type; empty: none is enabled
  std::string stream_label;              // the latest stream's; stays when it is disabled
  int64_t recovery_days = 0;             // point-in-time recovery goes back so far; 0: disabled
  std::optional<Timestamp> recovery_since;  // enabled at
  std::optional<RestoredFrom> restored;     // by a restore
  // With --lifecycle-delay: the transitional status, and until when it lasts.
  std::string transition;  // CREATING, UPDATING, DELETING
  std::optional<Timestamp> transition_until;

  // A newer version is being committed: whoever is on the owner loop reads the table from his
  // transaction. Only a hint in one direction: a table that is not stale is the current one.
  mutable std::atomic<bool> stale = false;
  uint32_t generation = 0;  // of the shard it was read from; not stored

  Table() = default;
  Table(const Table& other);
  Table& operator=(const Table&) = delete;

  std::string status(Timestamp now) const;
  const Index* find_index(std::string_view index_name) const;
  bool is_building() const;
  bool has_local_indexes() const { return !indexes.empty() && !indexes[0].global; }
  std::string arn(std::string_view partition) const;
};
using TableRef = std::shared_ptr<const Table>;

// The stored form (docs/formats/dynamodb.md).
std::string encode_table(const Table& table);
Result<TableRef> decode_table(std::string_view bytes, std::string_view account,
                              std::string_view region, uint32_t generation);

}  // namespace virga::dynamodb
