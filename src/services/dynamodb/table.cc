#include "services/dynamodb/table.h"

#include <algorithm>

#include "base/json.h"

namespace virga::dynamodb {
namespace {

constexpr int kFormat = 1;

Document key_list(const std::vector<KeyAttribute>& keys) {
  Document out = Document::array();
  for (const auto& key : keys) {
    Document pair = Document::array();
    pair.push(key.name);
    pair.push(attribute_type_name(key.type));
    out.push(std::move(pair));
  }
  return out;
}

Document time_of(std::optional<Timestamp> t) {
  return t ? Document(t->micros) : Document();
}

Document throughput_document(const Throughput& t) {
  Document out = Document::object();
  out.set("r", t.read_units);
  out.set("w", t.write_units);
  out.set("up", time_of(t.last_increase));
  out.set("down", time_of(t.last_decrease));
  out.set("downs", t.decreases_today);
  return out;
}

Document pair_of(int64_t first, int64_t second) {
  Document out = Document::array();
  out.push(first);
  out.push(second);
  return out;
}

Document keys_document(const KeySchema& keys) {
  Document out = Document::object();
  out.set("hash", key_list(keys.hash));
  out.set("range", key_list(keys.range));
  return out;
}

Document restored_document(const RestoredFrom& from) {
  Document out = Document::object();
  out.set("backup", from.backup_arn);
  out.set("table", from.table_arn);
  out.set("at", from.at.micros);
  return out;
}

Document index_document(const Index& index) {
  Document out = Document::object();
  out.set("name", index.name);
  out.set("id", static_cast<int64_t>(index.id));
  out.set("global", index.global);
  out.set("keys", keys_document(index.keys));
  out.set("projection", static_cast<int64_t>(index.projection));
  Document names = Document::array();
  for (const auto& name : index.non_key_attributes) names.push(name);
  out.set("names", std::move(names));
  out.set("throughput", throughput_document(index.throughput));
  out.set("max", pair_of(index.request_limits.read, index.request_limits.write));
  out.set("warm", pair_of(index.warm.read, index.warm.write));
  out.set("building", index.building);
  out.set("transition", index.transition);
  return out;
}

// Readers of the stored form: absent and ill-typed members read as empty, `decode_table` checks
// what must be there.
int64_t int_at(const Document& d, std::string_view key) {
  const Document* m = d.find(key);
  return m && m->is_int() ? m->as_int() : 0;
}
bool bool_at(const Document& d, std::string_view key) {
  const Document* m = d.find(key);
  return m && m->is_bool() && m->as_bool();
}
std::optional<Timestamp> time_at(const Document& d, std::string_view key) {
  const Document* m = d.find(key);
  if (!m || !m->is_int()) return std::nullopt;
  return Timestamp{m->as_int()};
}
const Document::Array& array_at(const Document& d, std::string_view key) {
  static const Document::Array kNone;
  const Document* m = d.find(key);
  return m && m->is_array() ? m->as_array() : kNone;
}
std::vector<KeyAttribute> keys_at(const Document& d, std::string_view key) {
  std::vector<KeyAttribute> out;
  for (const auto& pair : array_at(d, key)) {
    if (!pair.is_array() || pair.as_array().size() != 2) continue;
    const auto type = parse_attribute_type(pair.as_array()[1].as_string());
    if (type) out.push_back({pair.as_array()[0].as_string(), *type});
  }
  return out;
}
KeySchema schema_at(const Document& d) {
  const Document* keys = d.find("keys");
  return keys ? KeySchema{keys_at(*keys, "hash"), keys_at(*keys, "range")} : KeySchema{};
}
Throughput throughput_at(const Document& d) {
  const Document* t = d.find("throughput");
  if (!t) return {};
  return {int_at(*t, "r"), int_at(*t, "w"), time_at(*t, "up"), time_at(*t, "down"),
          int_at(*t, "downs")};
}

std::pair<int64_t, int64_t> pair_at(const Document& d, std::string_view key, int64_t absent) {
  const auto& pair = array_at(d, key);
  if (pair.size() != 2 || !pair[0].is_int() || !pair[1].is_int()) return {absent, absent};
  return {pair[0].as_int(), pair[1].as_int()};
}
RequestLimits request_limits_at(const Document& d) {
  const auto [read, write] = pair_at(d, "max", -1);
  return {read, write};
}
UnitsPerSecond warm_at(const Document& d) {
  const auto [read, write] = pair_at(d, "warm", 0);
  return {read, write};
}

Index index_from(const Document& d) {
  Index out;
  out.name = d.string_or("name", "");
  out.id = static_cast<uint64_t>(int_at(d, "id"));
  out.global = bool_at(d, "global");
  out.keys = schema_at(d);
  out.projection = static_cast<Index::Projection>(int_at(d, "projection"));
  for (const auto& name : array_at(d, "names")) out.non_key_attributes.push_back(name.as_string());
  out.throughput = throughput_at(d);
  out.request_limits = request_limits_at(d);
  out.warm = warm_at(d);
  out.building = bool_at(d, "building");
  out.transition = d.string_or("transition", "");
  return out;
}

}  // namespace

Table::Table(const Table& o)
    : account(o.account),
      region(o.region),
      name(o.name),
      id(o.id),
      table_id(o.table_id),
      created(o.created),
      definitions(o.definitions),
      keys(o.keys),
      indexes(o.indexes),
      on_demand(o.on_demand),
      on_demand_since(o.on_demand_since),
      billing_mode_given(o.billing_mode_given),
      throughput(o.throughput),
      request_limits(o.request_limits),
      warm(o.warm),
      resource_policy(o.resource_policy),
      policy_revision(o.policy_revision),
      deletion_protection(o.deletion_protection),
      table_class(o.table_class),
      table_class_changed(o.table_class_changed),
      sse_type(o.sse_type),
      kms_key(o.kms_key),
      tags(o.tags),
      ttl_attribute(o.ttl_attribute),
      ttl_changed(o.ttl_changed),
      ttl_building(o.ttl_building),
      stream_view(o.stream_view),
      stream_label(o.stream_label),
      recovery_days(o.recovery_days),
      recovery_since(o.recovery_since),
      restored(o.restored),
      transition(o.transition),
      transition_until(o.transition_until),
      generation(o.generation) {}

const KeyAttribute* KeySchema::find(std::string_view name) const {
  for (const auto* list : {&hash, &range}) {
    for (const auto& key : *list) {
      if (key.name == name) return &key;
    }
  }
  return nullptr;
}

bool Index::projects(std::string_view attribute, const KeySchema& table_keys) const {
  if (projection == Projection::all || keys.contains(attribute) || table_keys.contains(attribute))
    return true;
  return std::find(non_key_attributes.begin(), non_key_attributes.end(), attribute) !=
         non_key_attributes.end();
}

std::string Table::status(Timestamp now) const {
  if (transition_until && now < *transition_until) return transition;
  return transition == "DELETING" ? "DELETED" : "ACTIVE";
}

bool Table::is_building() const {
  for (const auto& index : indexes) {
    if (index.building) return true;
  }
  return false;
}

const Index* Table::find_index(std::string_view index_name) const {
  for (const auto& index : indexes) {
    if (index.name == index_name) return &index;
  }
  return nullptr;
}

std::string Table::arn(std::string_view partition) const {
  return "arn:" + std::string(partition) + ":dynamodb:" + region + ":" + account + ":table/" + name;
}

std::string encode_table(const Table& t) {
  Document d = Document::object();
  d.set("format", kFormat);
  d.set("name", t.name);
  d.set("id", static_cast<int64_t>(t.id));
  d.set("uuid", t.table_id);
  d.set("created", t.created.micros);
  d.set("definitions", key_list(t.definitions));
  d.set("keys", keys_document(t.keys));
  Document indexes = Document::array();
  for (const auto& index : t.indexes) indexes.push(index_document(index));
  d.set("indexes", std::move(indexes));
  d.set("on_demand", t.on_demand);
  d.set("on_demand_since", time_of(t.on_demand_since));
  d.set("billing_mode_given", t.billing_mode_given);
  d.set("throughput", throughput_document(t.throughput));
  d.set("max", pair_of(t.request_limits.read, t.request_limits.write));
  d.set("warm", pair_of(t.warm.read, t.warm.write));
  d.set("policy", t.resource_policy);
  d.set("policy_revision", t.policy_revision);
  d.set("protected", t.deletion_protection);
  d.set("class", t.table_class);
  d.set("class_changed", time_of(t.table_class_changed));
  d.set("sse", t.sse_type);
  d.set("kms_key", t.kms_key);
  Document tags = Document::object();
  for (const auto& [key, value] : t.tags) tags.set(key, value);
  d.set("tags", std::move(tags));
  d.set("ttl", t.ttl_attribute);
  d.set("ttl_changed", time_of(t.ttl_changed));
  d.set("ttl_building", t.ttl_building);
  d.set("stream_view", t.stream_view);
  d.set("stream_label", t.stream_label);
  d.set("recovery_days", t.recovery_days);
  d.set("recovery_since", time_of(t.recovery_since));
  if (t.restored) d.set("restored", restored_document(*t.restored));
  d.set("transition", t.transition);
  d.set("transition_until", time_of(t.transition_until));
  return to_json(d);
}

Result<TableRef> decode_table(std::string_view bytes, std::string_view account,
                              std::string_view region, uint32_t generation) {
  VIRGA_TRY(d, parse_json(bytes));
  auto t = std::make_shared<Table>();
  t->account = account;
  t->region = region;
  t->generation = generation;
  t->name = d.string_or("name", "");
  t->id = static_cast<uint64_t>(int_at(d, "id"));
  t->keys = schema_at(d);
  if (int_at(d, "format") != kFormat || t->id == 0 || t->keys.hash.size() != 1) {
    return fail(internal_failure("a table's description is damaged"));
  }
  t->table_id = d.string_or("uuid", "");
  t->created = {int_at(d, "created")};
  t->definitions = keys_at(d, "definitions");
  for (const auto& index : array_at(d, "indexes")) t->indexes.push_back(index_from(index));
  t->on_demand = bool_at(d, "on_demand");
  t->on_demand_since = time_at(d, "on_demand_since");
  t->billing_mode_given = bool_at(d, "billing_mode_given");
  t->throughput = throughput_at(d);
  t->request_limits = request_limits_at(d);
  t->warm = warm_at(d);
  t->resource_policy = d.string_or("policy", "");
  t->policy_revision = d.string_or("policy_revision", "");
  t->deletion_protection = bool_at(d, "protected");
  t->table_class = d.string_or("class", "");
  t->table_class_changed = time_at(d, "class_changed");
  t->sse_type = d.string_or("sse", "");
  t->kms_key = d.string_or("kms_key", "");
  if (const Document* tags = d.find("tags"); tags && tags->is_object()) {
    for (const auto& [key, value] : tags->as_object()) t->tags[key] = value.as_string();
  }
  t->ttl_attribute = d.string_or("ttl", "");
  t->ttl_changed = time_at(d, "ttl_changed");
  t->ttl_building = bool_at(d, "ttl_building");
  t->stream_view = d.string_or("stream_view", "");
  t->stream_label = d.string_or("stream_label", "");
  t->recovery_days = int_at(d, "recovery_days");
  t->recovery_since = time_at(d, "recovery_since");
  if (const Document* restored = d.find("restored"); restored && restored->is_object()) {
    t->restored = RestoredFrom{.backup_arn = std::string(restored->string_or("backup", "")),
                               .table_arn = std::string(restored->string_or("table", "")),
                               .at = {int_at(*restored, "at")}};
  }
  t->transition = d.string_or("transition", "");
  t->transition_until = time_at(d, "transition_until");
  return TableRef(std::move(t));
}

}  // namespace virga::dynamodb
