#include "services/dynamodb/item_key.h"

#include "aws/attribute_value_number.h"
#include "base/check.h"
#include "services/dynamodb/errors.h"
#include "services/dynamodb/partition_hash.h"
#include "storage/keys.h"

namespace virga::dynamodb {
namespace {

constexpr char kRecordFormat = 1;
// Text parts: 00 ff stands for 00, 00 01 ends.
constexpr std::string_view kEndMark("\0\1", 2);
constexpr std::string_view kEscapedZero("\0\xff", 2);

void append_escaped(std::string& out, std::string_view text) {
  size_t zero = text.find('\0');
  if (zero == std::string_view::npos) {
    out += text;
    return;
  }
  for (const char c : text) {
    if (c == '\0') {
      out += kEscapedZero;
    } else {
      out.push_back(c);
    }
  }
}

void append_u64(std::string& out, uint64_t value) {
  char bytes[8];
  for (size_t i = 0; i < sizeof bytes; ++i) bytes[i] = static_cast<char>(value >> (56 - 8 * i));
  out.append(bytes, sizeof bytes);
}
std::string prefix_of(storage::Space space, uint64_t id) {
  std::string out;
  out.reserve(96);
  out.push_back(static_cast<char>(space));
  append_u64(out, id);
  return out;
}

void append_schema(std::string& out, const KeySchema& keys, ItemView item) {
  append_partition(out, keys, item);
  for (const auto& key : keys.range) append_key_value(out, *item.find(key.name));
}

AwsError key_mismatch() {
  return errors::validation("The provided key element does not match the schema");
}

std::string empty_key_value(const KeyAttribute& attribute) {
  return std::string("The AttributeValue for a key attribute cannot contain an empty ") +
         (attribute.type == AttributeType::string ? "string" : "binary") +
         " value. Key: " + attribute.name;
}

Result<void> check_size(const KeyAttribute& attribute, bool is_hash, ValueView value) {
  if (attribute.type == AttributeType::number) return {};
  if (is_hash && value.payload().size() > kHashKeyBytesMax) {
    // The missing space is the service's.
    return fail(errors::invalid_parameter(
        "Size of hashkey has exceeded the maximum size limit of2048 bytes"));
  }
  if (!is_hash && value.payload().size() > kRangeKeyBytesMax) {
    return fail(errors::invalid_parameter(
        "Aggregated size of all range keys has exceeded the size limit of 1024 bytes"));
  }
  return {};
}

std::string_view empty_kind(AttributeType type) {
  return type == AttributeType::string ? "string" : "binary";
}

// An index key that an item has with another type, or empty.
AwsError wrong_index_key(const Index& index, const KeyAttribute& attribute, ValueView value,
                         bool is_update) {
  if (value.type() != attribute.type) {
    if (is_update) {
      return errors::validation(
          "The update expression attempted to update the secondary index key to unsupported type");
    }
    return errors::invalid_parameter(
        "Type mismatch for Index Key " + attribute.name +
        " Expected: " + std::string(attribute_type_name(attribute.type)) +
        " Actual: " + std::string(value.type_name()) + " IndexName: " + index.name);
  }
  const std::string empty = "The AttributeValue for a key attribute cannot contain an empty " +
                            std::string(empty_kind(attribute.type)) + " value.";
  if (is_update) {
    return errors::validation(
        "One or more parameter values are not valid. The update expression attempted to update a "
        "secondary index key to a value that is not supported. " +
        empty);
  }
  return errors::validation(
      "One or more parameter values are not valid. A value specified for a secondary index key is "
      "not supported. " +
      empty + " IndexName: " + index.name + ", IndexKey: " + attribute.name);
}

Result<void> check_keys_of(const Index& index, const Table& table, ItemView item,
                           const ItemView* before) {
  for (size_t i = 0; i < index.keys.size(); ++i) {
    const KeyAttribute& attribute = index.keys.at(i);
    const auto value = item.find(attribute.name);
    if (!value || table.keys.contains(attribute.name)) continue;
    if (before) {
      const auto old = before->find(attribute.name);
      if (old && old->bytes() == value->bytes()) continue;
    }
    if (value->type() != attribute.type || value->payload().empty()) {
      return fail(wrong_index_key(index, attribute, *value, before != nullptr));
    }
    VIRGA_TRY_VOID(check_size(attribute, i < index.keys.hash.size(), *value));
  }
  return {};
}

}  // namespace

void append_key_value(std::string& out, ValueView value) {
  if (value.is(AttributeType::number)) {
    Number::parse(value.payload())->append_key(out);
    return;
  }
  append_escaped(out, value.payload());
  out += kEndMark;
}

void append_key_prefix(std::string& out, ValueView value) {
  append_escaped(out, value.payload());
}

std::string items_prefix(uint64_t table_id) {
  return prefix_of(storage::Space::dynamodb_items, table_id);
}
std::string index_prefix(uint64_t index_id) {
  return prefix_of(storage::Space::dynamodb_index, index_id);
}

std::string hash_slot(std::string prefix, uint16_t hash) {
  prefix.push_back(static_cast<char>(hash >> 8));
  prefix.push_back(static_cast<char>(hash));
  return prefix;
}

uint16_t partition_hash_of(const KeySchema& keys, ItemView key) {
  const auto first = key.find(keys.hash[0].name);
  if (keys.hash.size() == 1) {
    return partition_hash(first->is(AttributeType::number)
                              ? Number::parse(first->payload())->hash_bytes()
                              : std::string(first->payload()));
  }
  std::string all;
  for (const auto& attribute : keys.hash) append_key_value(all, *key.find(attribute.name));
  return partition_hash(all);
}

void append_partition(std::string& out, const KeySchema& keys, ItemView key) {
  const uint16_t hash = partition_hash_of(keys, key);
  out.push_back(static_cast<char>(hash >> 8));
  out.push_back(static_cast<char>(hash));
  for (const auto& attribute : keys.hash) append_key_value(out, *key.find(attribute.name));
}

std::string item_key(const Table& table, ItemView item) {
  std::string out = items_prefix(table.id);
  append_schema(out, table.keys, item);
  return out;
}

std::string index_entry_key(const Table& table, const Index& index, ItemView item) {
  std::string out = index_prefix(index.id);
  append_schema(out, index.keys, item);
  for (size_t i = 0; i < table.keys.size(); ++i)
    append_key_value(out, *item.find(table.keys.at(i).name));
  return out;
}

bool is_in_index(const Index& index, ItemView item) {
  for (size_t i = 0; i < index.keys.size(); ++i) {
    const KeyAttribute& attribute = index.keys.at(i);
    const auto value = item.find(attribute.name);
    if (!value || value->type() != attribute.type || value->payload().empty()) return false;
    if (!check_size(attribute, i < index.keys.hash.size(), *value)) return false;
  }
  return true;
}

Item projected(const Table& table, const Index& index, ItemView item) {
  if (index.projection == Index::Projection::all) return Item(item);
  Item out;
  for (const auto member : item) {
    if (index.projects(member.name, table.keys)) out.append(member.name, member.value);
  }
  return out;
}

Item key_of(const KeySchema& keys, ItemView item) {
  Item out;
  for (size_t i = 0; i < keys.size(); ++i) {
    if (const auto value = item.find(keys.at(i).name)) out.append(keys.at(i).name, *value);
  }
  return out;
}

std::string encode_record(uint64_t lsn, int64_t commit_micros, ItemView item) {
  std::string out;
  out.reserve(18 + item.bytes().size());
  out.push_back(kRecordFormat);
  append_u64(out, lsn);
  append_u64(out, static_cast<uint64_t>(commit_micros));
  out.push_back(0);  // origin region: here
  out += item.bytes();
  return out;
}

Result<ItemView> item_of_record(std::string_view record) {
  if (record.size() < 18 || record[0] != kRecordFormat)
    return fail(internal_failure("an item's record is damaged"));
  const auto region_size = static_cast<unsigned char>(record[17]);
  if (record.size() < size_t{18} + region_size)
    return fail(internal_failure("an item's record is damaged"));
  return ItemView(record.substr(18 + region_size));
}

Result<void> check_key_part(const KeyAttribute& attribute, bool is_hash, ItemView key) {
  const auto value = key.find(attribute.name);
  if (!value || value->type() != attribute.type) return fail(key_mismatch());
  if (value->payload().empty())
    return fail(errors::validation("One or more parameter values are not valid. " +
                                   empty_key_value(attribute)));
  return check_size(attribute, is_hash, *value);
}

Result<void> check_key(const KeySchema& keys, ItemView key) {
  if (key.size() != keys.size()) return fail(key_mismatch());
  for (size_t i = 0; i < keys.size(); ++i) {
    VIRGA_TRY_VOID(check_key_part(keys.at(i), i < keys.hash.size(), key));
  }
  return {};
}

Result<void> check_index_keys(const Table& table, ItemView item, const ItemView* before) {
  Result<void> out;
  const std::string* told = nullptr;
  for (const auto& index : table.indexes) {
    Result<void> checked = check_keys_of(index, table, item, before);
    // Of several indexes, the first by name is told. Source: answers of the service as users report
    // them.
    if (checked || (told && *told < index.name)) continue;
    out = std::move(checked);
    told = &index.name;
  }
  return out;
}

Result<void> check_item_keys(const Table& table, ItemView item) {
  for (size_t i = 0; i < table.keys.size(); ++i) {
    const KeyAttribute& attribute = table.keys.at(i);
    const auto value = item.find(attribute.name);
    if (!value)
      return fail(errors::invalid_parameter("Missing the key " + attribute.name + " in the item"));
    if (value->type() != attribute.type) {
      return fail(errors::invalid_parameter(
          "Type mismatch for key " + attribute.name +
          " expected: " + std::string(attribute_type_name(attribute.type)) +
          " actual: " + std::string(value->type_name())));
    }
    if (value->payload().empty()) {
      return fail(errors::validation("One or more parameter values are not valid. " +
                                     empty_key_value(attribute)));
    }
    VIRGA_TRY_VOID(check_size(attribute, i < table.keys.hash.size(), *value));
  }
  return check_index_keys(table, item, nullptr);
}

}  // namespace virga::dynamodb
