#include "services/dynamodb/table_definition.h"

#include <algorithm>
#include <set>

#include "services/dynamodb/errors.h"
#include "services/dynamodb/table_capacity.h"
#include "storage/keys.h"

namespace virga::dynamodb {
namespace {

constexpr int64_t kCapacityMax = 1'000'000'000'000;
// Source: DynamoDB Developer Guide, "Quotas", secondary indexes.
constexpr size_t kLocalIndexesMax = 5;
constexpr size_t kProjectedAttributesMax = 100;
constexpr size_t kGlobalKeyPartsMax = 4;

std::string name_list(const std::vector<api::KeySchemaElement>& keys) {
  std::string out;
  for (const auto& key : keys) out += (out.empty() ? "" : ", ") + key.attribute_name;
  return "[" + out + "]";
}
std::string name_list(const std::vector<KeyAttribute>& keys) {
  std::string out;
  for (const auto& key : keys) out += (out.empty() ? "" : ", ") + key.name;
  return "[" + out + "]";
}

const KeyAttribute* find_definition(const std::vector<KeyAttribute>& attributes,
                                    std::string_view name) {
  for (const auto& attribute : attributes) {
    if (attribute.name == name) return &attribute;
  }
  return nullptr;
}

Result<void> check_defined(const std::vector<api::KeySchemaElement>& keys,
                           const std::vector<KeyAttribute>& attributes) {
  for (const auto& key : keys) {
    if (find_definition(attributes, key.attribute_name)) continue;
    return fail(errors::invalid_parameter(
        "Some index key attributes are not defined in AttributeDefinitions. Keys: " +
        name_list(keys) + ", AttributeDefinitions: " + name_list(attributes)));
  }
  return {};
}

// Hash attributes first, then range attributes; `parts_max` of each.
Result<KeySchema> read_schema(const std::vector<api::KeySchemaElement>& keys,
                              const std::vector<KeyAttribute>& attributes, size_t parts_max) {
  for (size_t i = 0; i < keys.size(); ++i) {
    for (size_t j = i + 1; j < keys.size(); ++j) {
      if (keys[i].attribute_name == keys[j].attribute_name) {
        return fail(errors::validation(
            "Both the Hash Key and the Range Key element in the KeySchema have the same name"));
      }
    }
  }
  if (keys.empty() || keys[0].key_type != "HASH") {
    return fail(
        errors::validation("Invalid KeySchema: The first KeySchemaElement is not a HASH key type"));
  }
  KeySchema out;
  for (const auto& key : keys) {
    const KeyAttribute attribute = *find_definition(attributes, key.attribute_name);
    if (key.key_type == "HASH" && out.range.empty() && out.hash.size() < parts_max) {
      out.hash.push_back(attribute);
    } else if (key.key_type == "RANGE" && out.range.size() < parts_max) {
      out.range.push_back(attribute);
    } else if (parts_max == 1) {
      return fail(errors::validation(
          "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type"));
    } else if (key.key_type == "HASH" && !out.range.empty()) {
      return fail(errors::invalid_parameter(
          "All HASH key attributes must precede RANGE key attributes in the KeySchema"));
    } else {
      return fail(errors::invalid_parameter("The KeySchema exceeds the maximum allowed number of " +
                                            key.key_type + " key attributes"));
    }
  }
  return out;
}

// The model leaves room for indexes with several attributes a key.
Result<void> check_schema_size(const std::string& at,
                               const std::vector<api::KeySchemaElement>& keys) {
  if (keys.size() <= 2) return {};
  std::string text;
  for (const auto& key : keys) {
    text += (text.empty() ? "" : ", ") + std::string("KeySchemaElement(attributeName=") +
            key.attribute_name + ", keyType=" + key.key_type + ")";
  }
  return fail(errors::one_violation(
      "Value '[" + text + "]' at '" + at +
      "' failed to satisfy constraint: Member must have length less than or equal to 2"));
}

// What only a table made from another one may leave out.
Result<void> check_given(const api::CreateTableInput& input) {
  const auto is_null = [](const char* name) {
    return std::string("Value null at '") + name +
           "' failed to satisfy constraint: Member must not be null";
  };
  if (!input.attribute_definitions && !input.key_schema) {
    return fail(errors::validation("2 validation errors detected: " +
                                   is_null("attributeDefinitions") + "; " + is_null("keySchema")));
  }
  if (!input.attribute_definitions)
    return fail(errors::one_violation(is_null("attributeDefinitions")));
  if (!input.key_schema) return fail(errors::one_violation(is_null("keySchema")));
  VIRGA_TRY_VOID(check_schema_size("keySchema", *input.key_schema));
  if (!input.local_secondary_indexes) return {};
  for (size_t i = 0; i < input.local_secondary_indexes->size(); ++i) {
    VIRGA_TRY_VOID(
        check_schema_size("localSecondaryIndexes." + std::to_string(i + 1) + ".member.keySchema",
                          (*input.local_secondary_indexes)[i].key_schema));
  }
  return {};
}

Result<void> check_billing(const api::CreateTableInput& input) {
  if (input.billing_mode == "PAY_PER_REQUEST") {
    if (!input.provisioned_throughput) return {};
    return fail(
        errors::invalid_parameter("Neither ReadCapacityUnits nor WriteCapacityUnits can be "
                                  "specified when BillingMode is PAY_PER_REQUEST"));
  }
  if (!input.provisioned_throughput) {
    return fail(
        errors::invalid_parameter("ReadCapacityUnits and WriteCapacityUnits must both be specified "
                                  "when BillingMode is PROVISIONED"));
  }
  return check_throughput(*input.provisioned_throughput);
}

Result<void> define_local_indexes(const api::CreateTableInput& input, Table& table) {
  if (!input.local_secondary_indexes) return {};
  if (input.local_secondary_indexes->empty()) {
    return fail(errors::invalid_parameter("List of LocalSecondaryIndexes is empty"));
  }
  if (table.keys.range.empty()) {
    return fail(
        errors::invalid_parameter("Table KeySchema does not have a range key, which is required "
                                  "when specifying a LocalSecondaryIndex"));
  }
  for (const auto& index : *input.local_secondary_indexes) {
    const IndexDefinition definition{index.index_name, index.key_schema, index.projection, false};
    VIRGA_TRY(made, define_index(definition, table.definitions, table.keys));
    if (table.find_index(made.name)) {
      return fail(errors::invalid_parameter("Duplicate index name: " + made.name));
    }
    table.indexes.push_back(std::move(made));
  }
  if (input.local_secondary_indexes->size() > kLocalIndexesMax) {
    return fail(
        errors::invalid_parameter("Number of LocalSecondaryIndexes exceeds per-table limit of 5"));
  }
  return {};
}

Result<void> define_global_indexes(const api::CreateTableInput& input, Table& table) {
  if (!input.global_secondary_indexes) return {};
  if (input.global_secondary_indexes->empty()) {
    return fail(errors::invalid_parameter("List of GlobalSecondaryIndexes is empty"));
  }
  const bool on_demand = input.billing_mode == "PAY_PER_REQUEST";
  for (const auto& index : *input.global_secondary_indexes) {
    const IndexDefinition definition{index.index_name, index.key_schema, index.projection, true};
    VIRGA_TRY(made, define_index(definition, table.definitions, table.keys));
    if (on_demand && index.provisioned_throughput) {
      return fail(errors::invalid_parameter(
          "ProvisionedThroughput should not be specified for index: " + made.name +
          " when BillingMode is PAY_PER_REQUEST"));
    }
    if (!on_demand && !index.provisioned_throughput) {
      return fail(errors::invalid_parameter("ProvisionedThroughput is not specified for index: " +
                                            made.name));
    }
    if (index.provisioned_throughput) {
      VIRGA_TRY_VOID(check_throughput(*index.provisioned_throughput));
      made.throughput.read_units = index.provisioned_throughput->read_capacity_units;
      made.throughput.write_units = index.provisioned_throughput->write_capacity_units;
    }
    if (index.on_demand_throughput) {
      VIRGA_TRY(limits, change_request_limits(*index.on_demand_throughput, made.name,
                                              CapacityCall::create, on_demand, {}));
      made.request_limits = limits;
    }
    if (index.warm_throughput) {
      VIRGA_TRY_VOID(change_warm_throughput(
          *index.warm_throughput, "index " + made.name, CapacityCall::create, on_demand,
          warm_throughput({}, on_demand, made.throughput), made.warm));
    }
    if (table.find_index(made.name))
      return fail(errors::invalid_parameter("Duplicate index name: " + made.name));
    table.indexes.push_back(std::move(made));
  }
  if (input.global_secondary_indexes->size() > kGlobalIndexesMax) {
    return fail(
        errors::invalid_parameter("GlobalSecondaryIndex count exceeds the per-table limit of " +
                                  std::to_string(kGlobalIndexesMax)));
  }
  return {};
}

// The table's maximums and warm throughput.
Result<void> define_capacity(const api::CreateTableInput& input, Table& table) {
  const bool on_demand = input.billing_mode == "PAY_PER_REQUEST";
  if (input.on_demand_throughput) {
    VIRGA_TRY(limits, change_request_limits(*input.on_demand_throughput, "", CapacityCall::create,
                                            on_demand, {}));
    table.request_limits = limits;
  }
  if (!input.warm_throughput) return {};
  Throughput provisioned;
  if (!on_demand) {
    provisioned.read_units = input.provisioned_throughput->read_capacity_units;
    provisioned.write_units = input.provisioned_throughput->write_capacity_units;
  }
  return change_warm_throughput(*input.warm_throughput, "table", CapacityCall::create, on_demand,
                                warm_throughput({}, on_demand, provisioned), table.warm);
}

}  // namespace

Result<void> check_throughput(const api::ProvisionedThroughput& t) {
  if (t.read_capacity_units > kCapacityMax) {
    return fail(errors::validation("Given value " + std::to_string(t.read_capacity_units) +
                                   " for ReadCapacityUnits is out of bounds"));
  }
  if (t.write_capacity_units > kCapacityMax) {
    return fail(errors::validation("Given value " + std::to_string(t.write_capacity_units) +
                                   " for WriteCapacityUnits is out of bounds"));
  }
  return {};
}

// The texts are the service's, as its users report them.
Result<void> check_encryption(const api::SSESpecification& encryption) {
  if (encryption.enabled == false && encryption.sse_type)
    return fail(errors::invalid_parameter("SSEType can not be specified if Enabled is false"));
  if (encryption.enabled == false && encryption.kms_master_key_id) {
    return fail(
        errors::invalid_parameter("KMSMasterKeyId can not be specified if Enabled is false"));
  }
  if (encryption.sse_type && *encryption.sse_type != "KMS") {
    return fail(errors::invalid_parameter("SSEType " + *encryption.sse_type + " is not supported"));
  }
  if (encryption.kms_master_key_id && !encryption.sse_type) {
    return fail(
        errors::invalid_parameter("SSEType KMS is required if KMSMasterKeyId is specified"));
  }
  return {};
}

Result<std::vector<KeyAttribute>> read_definitions(
    const std::vector<api::AttributeDefinition>& definitions) {
  std::vector<KeyAttribute> out;
  for (const auto& definition : definitions) {
    const auto type = parse_attribute_type(definition.attribute_type);
    if (!type || find_definition(out, definition.attribute_name)) {
      return fail(errors::validation("Attribute Name is duplicated: " + definition.attribute_name));
    }
    out.push_back({definition.attribute_name, *type});
  }
  return out;
}

Result<Index> define_index(const IndexDefinition& definition,
                           const std::vector<KeyAttribute>& attributes,
                           const KeySchema& table_keys) {
  Index out{.name = definition.name, .global = definition.global};
  VIRGA_TRY_VOID(check_defined(definition.key_schema, attributes));
  VIRGA_TRY(keys, read_schema(definition.key_schema, attributes,
                              definition.global ? kGlobalKeyPartsMax : 1));
  out.keys = std::move(keys);
  if (!definition.global) {
    if (out.keys.range.empty()) {
      return fail(errors::invalid_parameter(
          "Index KeySchema does not have a range key for index: " + out.name));
    }
    if (out.keys.hash[0].name != table_keys.hash[0].name) {
      return fail(errors::invalid_parameter(
          "Index KeySchema does not have the same leading hash key as table KeySchema for index: " +
          out.name + ". index hash key: " + out.keys.hash[0].name +
          ", table hash key: " + table_keys.hash[0].name));
    }
  }
  const auto& projection = definition.projection;
  if (!projection.projection_type)
    return fail(errors::invalid_parameter("Unknown ProjectionType: null"));
  const std::string& type = *projection.projection_type;
  if (projection.non_key_attributes && type != "INCLUDE") {
    return fail(errors::invalid_parameter("ProjectionType is " + type +
                                          ", but NonKeyAttributes is specified"));
  }
  if (type == "INCLUDE" && !projection.non_key_attributes) {
    return fail(errors::invalid_parameter(
        "ProjectionType is INCLUDE, but NonKeyAttributes is not specified"));
  }
  if (projection.non_key_attributes) {
    std::set<std::string_view> names;
    for (const auto& name : *projection.non_key_attributes) {
      if (names.insert(name).second) continue;
      return fail(errors::invalid_parameter("Duplicate element in NonKeyAttributes: " + name));
    }
  }
  out.projection = type == "ALL"         ? Index::Projection::all
                   : type == "KEYS_ONLY" ? Index::Projection::keys_only
                                         : Index::Projection::include;
  if (projection.non_key_attributes) out.non_key_attributes = *projection.non_key_attributes;
  return out;
}

Result<void> check_definitions_used(const Table& table) {
  std::set<std::string_view> used;
  for (size_t i = 0; i < table.keys.size(); ++i) used.insert(table.keys.at(i).name);
  size_t projected = 0;
  for (const auto& index : table.indexes) {
    projected += index.non_key_attributes.size();
    for (size_t i = 0; i < index.keys.size(); ++i) used.insert(index.keys.at(i).name);
  }
  if (used.size() != table.definitions.size()) {
    if (table.indexes.empty()) {
      return fail(errors::invalid_parameter(
          "Number of attributes in KeySchema does not exactly match number of attributes "
          "defined in AttributeDefinitions"));
    }
    std::string keys;
    for (const auto& name : used) keys += (keys.empty() ? "" : ", ") + std::string(name);
    return fail(
        errors::invalid_parameter("Some AttributeDefinitions are not used. AttributeDefinitions: " +
                                  name_list(table.definitions) + ", keys used: [" + keys + "]"));
  }
  if (projected > kProjectedAttributesMax) {
    return fail(errors::invalid_parameter(
        "The total number of user-specified projected attributes (NonKeyAttributes) "
        "across all secondary indexes exceeds the limit of 100"));
  }
  return {};
}

Result<std::shared_ptr<Table>> define_table(const api::CreateTableInput& input) {
  VIRGA_TRY_VOID(check_given(input));
  VIRGA_TRY_VOID(check_billing(input));
  auto table = std::make_shared<Table>();
  VIRGA_TRY(definitions, read_definitions(*input.attribute_definitions));
  table->definitions = std::move(definitions);
  if (input.key_schema->size() > table->definitions.size()) {
    return fail(
        errors::validation("Invalid KeySchema: Some index key attribute have no definition"));
  }
  VIRGA_TRY_VOID(check_defined(*input.key_schema, table->definitions));
  VIRGA_TRY(keys, read_schema(*input.key_schema, table->definitions, 1));
  table->keys = std::move(keys);
  if (!input.local_secondary_indexes && !input.global_secondary_indexes) {
    VIRGA_TRY_VOID(check_definitions_used(*table));
  }
  VIRGA_TRY_VOID(define_local_indexes(input, *table));
  VIRGA_TRY_VOID(define_global_indexes(input, *table));
  VIRGA_TRY_VOID(define_capacity(input, *table));
  VIRGA_TRY_VOID(check_definitions_used(*table));
  return table;
}

Result<void> check_table_quota(const storage::View& view, std::string_view account,
                               std::string_view region) {
  const storage::Key prefix =
      storage::Key(storage::Space::dynamodb).account(account).region(region);
  size_t tables = 0;
  VIRGA_TRY_VOID(
      view.scan(prefix.str(), prefix.range_end(), storage::Direction::forward,
                [&](std::string_view, std::string_view) { return ++tables < kTablesMax; }));
  if (tables < kTablesMax) return {};
  return fail(errors::limit_exceeded("Subscriber limit exceeded: There is a limit of " +
                                     std::to_string(kTablesMax) + " tables per subscriber"));
}

namespace {

// Letters, digits, spaces and + - = . _ : / @; letters of other scripts are beyond ASCII, and
// nothing that UTF-8 writes in four bytes is one here.
bool is_tag_text(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (byte >= 0x80 && byte < 0xf0) ||
           std::string_view(" +-=._:/@").find(c) != std::string_view::npos;
  });
}

}  // namespace

Result<void> check_tags(const std::vector<api::Tag>& tags) {
  std::set<std::string_view> keys;
  for (const auto& tag : tags) {
    if (!is_tag_text(tag.key))
      return fail(errors::validation("The Tag Key provided is invalid, Key: " + tag.key));
    if (!is_tag_text(tag.value))
      return fail(errors::validation("The Tag Value provided is invalid, Value: " + tag.value));
    if (tag.key.starts_with("aws:"))
      return fail(errors::validation("Tag Key cannot be prefixed with aws:, Key: " + tag.key));
    if (!keys.insert(tag.key).second) {
      return fail(errors::validation(
          "Duplicate Tag Keys provided as input: Duplicate Tag Key found " + tag.key));
    }
  }
  return check_tag_count(tags.size());
}

Result<void> check_tag_count(size_t count) {
  if (count <= kTagsMax) return {};
  return fail(
      errors::validation("Number of Tags exceed the current limit for the provided ResourceArn"));
}

}  // namespace virga::dynamodb
