#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aws/attribute_value.h"
#include "base/error.h"
#include "services/dynamodb/table.h"

// Items in the shard: their keys, their records, and the checks that a key has to pass.
//   item         dynamodb_items | table id | hash of the partition key | partition key | sort key
//   index entry  dynamodb_index | index id | hash of the index's partition key | its key | the
//   table's key
// Every key part is self-delimiting and sorts as its value does. docs/formats/dynamodb.md.
namespace virga::dynamodb {

// Source: DynamoDB Developer Guide, "Quotas", partition and sort keys.
inline constexpr size_t kHashKeyBytesMax = 2048;
inline constexpr size_t kRangeKeyBytesMax = 1024;

// A key part; `value` is a string, number or binary.
void append_key_value(std::string& out, ValueView value);
// The same of a string's or binary's beginning, open at its end: for begins_with.
void append_key_prefix(std::string& out, ValueView value);

std::string items_prefix(uint64_t table_id);
std::string index_prefix(uint64_t index_id);
std::string hash_slot(std::string prefix, uint16_t hash);  // where a partition hash begins
// Hash and key parts of the partition. `key` holds every hash attribute.
void append_partition(std::string& out, const KeySchema& keys, ItemView key);
uint16_t partition_hash_of(const KeySchema& keys, ItemView key);

// Keys of checked items.
std::string item_key(const Table& table, ItemView item);
std::string index_entry_key(const Table& table, const Index& index, ItemView item);
// True when the item has all of the index's key attributes, with their types.
bool is_in_index(const Index& index, ItemView item);
// The attributes that the index keeps of the item.
Item projected(const Table& table, const Index& index, ItemView item);
// Only the attributes of the key.
Item key_of(const KeySchema& keys, ItemView item);

// A record: format, LSN, commit time, origin region (empty: this one), then the item.
std::string encode_record(uint64_t lsn, int64_t commit_micros, ItemView item);
// Trusts its bytes (the log and the index have checksums); an unknown format is an error.
Result<ItemView> item_of_record(std::string_view record);

// "Key" parameters: exactly the key's attributes, of the right types and sizes.
Result<void> check_key(const KeySchema& keys, ItemView key);
Result<void> check_key_part(const KeyAttribute& attribute, bool is_hash, ItemView key);
// Items to put: the table's key, and the types of index keys.
Result<void> check_item_keys(const Table& table, ItemView item);
// The types and sizes of index keys alone. `before`: the item that an update changes; what it
// leaves alone may be wrong (an index may be younger than the item).
Result<void> check_index_keys(const Table& table, ItemView item, const ItemView* before);

}  // namespace virga::dynamodb
