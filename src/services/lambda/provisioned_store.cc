#include "services/lambda/provisioned_store.h"

#include "services/lambda/record_io.h"

namespace virga::lambda::store {
namespace {

using storage::Key;
using storage::Space;
using storage::Txn;
using storage::View;

constexpr uint8_t kBelow = 2, kProvisioned = 6;

Key keys(const Owner& owner, uint64_t id) {
  return std::move(Key(Space::lambda)
                       .account(owner.account)
                       .region(owner.region)
                       .u8(kBelow)
                       .u64(id)
                       .u8(kProvisioned));
}

Result<ProvisionedRecord> decode(std::string_view bytes) {
  VIRGA_TRY(d, open_record(bytes));
  ProvisionedRecord r;
  const RecordReader in(d);
  in.text("account", r.function.account);
  in.text("region", r.function.region);
  in.text("partition", r.function.partition);
  in.text("name", r.function.name);
  in.text("qualifier", r.function.qualifier);
  in.number("requested", r.requested);
  in.time("modified", r.modified);
  return r;
}

Result<std::vector<ProvisionedRecord>> read_range(const View& view, const Key& all,
                                                  bool (*wanted)(std::string_view key)) {
  std::vector<ProvisionedRecord> out;
  std::optional<AwsError> broken;
  VIRGA_TRY_VOID(view.scan(all, all.range_end(), storage::Direction::forward,
                           [&](std::string_view key, std::string_view value) {
                             if (!wanted(key)) return true;
                             auto record = decode(value);
                             if (!record) broken = record.error();
                             if (record) out.push_back(std::move(*record));
                             return !broken;
                           }));
  if (broken) return fail(*broken);
  return out;
}

}  // namespace

Result<std::optional<ProvisionedRecord>> find_provisioned(const View& view, const Owner& owner,
                                                          uint64_t id, std::string_view qualifier) {
  VIRGA_TRY(bytes, view.get(keys(owner, id).text(qualifier)));
  if (!bytes) return std::optional<ProvisionedRecord>();
  VIRGA_TRY(record, decode(*bytes));
  return std::optional(std::move(record));
}

void put_provisioned(Txn& txn, uint64_t id, const ProvisionedRecord& r) {
  Document d = Document::object();
  d.set("account", r.function.account)
      .set("region", r.function.region)
      .set("partition", r.function.partition);
  d.set("name", r.function.name).set("qualifier", r.function.qualifier);
  d.set("requested", r.requested).set("modified", r.modified.micros);
  txn.put(keys(owner_of(r.function), id).text(r.function.qualifier), finish_record(d));
}

void erase_provisioned(Txn& txn, const Owner& owner, uint64_t id, std::string_view qualifier) {
  txn.allow_in_low_space();
  txn.erase(keys(owner, id).text(qualifier));
}

Result<std::vector<ProvisionedRecord>> list_provisioned(const View& view, const Owner& owner,
                                                        uint64_t id) {
  return read_range(view, keys(owner, id), [](std::string_view) { return true; });
}

Result<std::vector<ProvisionedRecord>> all_provisioned(const View& view) {
  return read_range(view, Key(Space::lambda), [](std::string_view key) {
    storage::KeyReader reader(key);
    reader.u8();
    reader.text();
    reader.text();
    if (reader.u8() != kBelow) return false;
    reader.u64();
    return reader.u8() == kProvisioned;
  });
}

}  // namespace virga::lambda::store
