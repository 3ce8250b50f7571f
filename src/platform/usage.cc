#include "platform/usage.h"

#include <optional>

#include "base/document.h"
#include "base/json.h"
#include "storage/keys.h"

namespace virga::platform {
namespace {

constexpr char kFormat = 1;

storage::Key prefix(std::string_view account, std::string_view region, std::string_view service) {
  return storage::Key(storage::Space::usage).account(account).region(region).text(service);
}

Result<UsageRecord> decode(std::string_view key, std::string_view value) {
  if (value.empty() || value.front() != kFormat)
    return fail(internal_failure("usage record format"));
  VIRGA_TRY(document, parse_json(value.substr(1)));
  storage::KeyReader reader(key);
  UsageRecord out;
  reader.u8();
  out.account = reader.text();
  out.region = reader.text();
  out.service = reader.text();
  out.at.micros = reader.i64();
  out.id = reader.text();
  if (!reader.ok()) return fail(internal_failure("usage record key"));
  out.operation = std::string(document.string_or("operation", ""));
  out.resource = std::string(document.string_or("resource", ""));
  const Document* quantities = document.find("quantities");
  if (quantities && quantities->is_object()) {
    for (const auto& [name, number] : quantities->as_object()) {
      if (number.is_int()) out.quantities.push_back({name, number.as_int()});
    }
  }
  return out;
}

}  // namespace

void put_usage(storage::Txn& txn, const UsageRecord& record) {
  std::string value(1, kFormat);
  value.reserve(320);
  JsonWriter out(value);
  out.begin_object();
  out.key("operation");
  out.string(record.operation);
  out.key("resource");
  out.string(record.resource);
  out.key("quantities");
  out.begin_object();
  for (const auto& quantity : record.quantities) {
    out.key(quantity.name);
    out.integer(quantity.value);
  }
  out.end_object();
  out.end_object();
  txn.put(
      prefix(record.account, record.region, record.service).i64(record.at.micros).text(record.id),
      value);
}

Result<std::vector<UsageRecord>> read_usage(const storage::View& view, std::string_view account,
                                            std::string_view region, std::string_view service,
                                            Timestamp from, Timestamp to, size_t limit) {
  std::vector<UsageRecord> out;
  std::optional<AwsError> broken;
  const auto begin = prefix(account, region, service).i64(from.micros);
  const auto end = prefix(account, region, service).i64(to.micros);
  VIRGA_TRY_VOID(view.scan(begin, end, storage::Direction::forward,
                           [&](std::string_view key, std::string_view value) {
                             if (out.size() >= limit) return false;
                             auto record = decode(key, value);
                             if (!record) {
                               broken = record.error();
                               return false;
                             }
                             out.push_back(std::move(*record));
                             return true;
                           }));
  if (broken) return fail(*broken);
  return out;
}

}  // namespace virga::platform
