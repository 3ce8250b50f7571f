#include "services/lambda/layer_store.h"

#include "aws/account_id.h"
#include "base/strings.h"
#include "services/lambda/errors.h"
#include "services/lambda/record_io.h"

namespace virga::lambda {
namespace {

using storage::Direction;
using storage::Key;
using storage::Space;
using storage::Txn;
using storage::View;

enum Kind : uint8_t { kLayers = 4, kLayerVersions = 5, kLayerPolicies = 6 };

Key base(const store::Owner& owner, Kind kind) {
  return std::move(Key(Space::lambda).account(owner.account).region(owner.region).u8(kind));
}
Key versions(const store::Owner& owner, std::string_view layer) {
  return std::move(base(owner, kLayerVersions).text(layer));
}

bool is_layer_name(std::string_view text) {
  if (text.empty() || text.size() > 64) return false;
  for (const char c : text) {
    const bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '_';
    if (!good) return false;
  }
  return true;
}

std::string encode(const LayerRecord& r) {
  return finish_record(
      Document::object().set("name", r.name).set("last_version", number_document(r.last_version)));
}
Result<LayerRecord> decode_layer(std::string_view bytes) {
  VIRGA_TRY(d, open_record(bytes));
  LayerRecord r;
  const RecordReader in(d);
  in.text("name", r.name);
  in.number("last_version", r.last_version);
  return r;
}

std::string encode(const LayerVersionRecord& r) {
  Document d = Document::object();
  d.set("layer", r.layer)
      .set("version", number_document(r.version))
      .set("description", r.description);
  d.set("license", r.license).set("runtimes", list_document(r.runtimes));
  d.set("architectures", list_document(r.architectures)).set("created", r.created.micros);
  d.set("code_sha256", r.code.sha256_base64).set("code_hex", r.code.sha256_hex);
  d.set("code_bytes", number_document(r.code.zip_bytes))
      .set("code_unzipped", number_document(r.code.unzipped_bytes));
  return finish_record(d);
}

// Records in a range of keys, up to `limit`.
template <class R>
Result<std::vector<R>> list(const View& view, std::string_view begin, std::string_view end,
                            Direction direction, size_t limit,
                            Result<R> (*decode)(std::string_view)) {
  std::vector<R> out;
  std::optional<AwsError> broken;
  VIRGA_TRY_VOID(view.scan(begin, end, direction, [&](std::string_view, std::string_view value) {
    if (out.size() >= limit) return false;
    auto record = decode(value);
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

}  // namespace

Result<LayerName> LayerName::parse(std::string_view text, std::string_view account,
                                   std::string_view region, std::string_view partition) {
  LayerName out{.account = std::string(account),
                .region = std::string(region),
                .partition = std::string(partition),
                .name = std::string(text)};
  if (text.starts_with("arn:")) {
    const auto parts = split(text, ':');
    if (parts.size() != 7 || parts[2] != "lambda" || parts[5] != "layer") {
      return fail(errors::invalid_parameter("Invalid Layer name: " + std::string(text)));
    }
    out = {.account = std::string(parts[4]),
           .region = std::string(parts[3]),
           .partition = std::string(parts[1]),
           .name = std::string(parts[6])};
  }
  if (!is_layer_name(out.name)) {
    return fail(errors::validation(
        text, "layerName",
        "Member must satisfy regular expression pattern: "
        "(arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:\\d{12}:layer:[a-zA-Z0-9-_]+)|[a-zA-Z0-9-_]+"));
  }
  return out;
}

std::string LayerName::arn() const {
  return "arn:" + partition + ":lambda:" + region + ":" + account + ":layer:" + name;
}
std::string LayerName::version_arn(uint64_t version) const {
  return arn() + ":" + std::to_string(version);
}

std::optional<LayerVersionName> LayerVersionName::parse_arn(std::string_view arn) {
  const auto parts = split(arn, ':');
  if (parts.size() != 8 || parts[0] != "arn" || parts[2] != "lambda" || !is_account_id(parts[4]) ||
      parts[5] != "layer") {
    return std::nullopt;
  }
  const auto number = parse_int(parts[7]);
  if (!number || *number < 0 || !is_layer_name(parts[6])) return std::nullopt;
  return LayerVersionName{{.account = std::string(parts[4]),
                           .region = std::string(parts[3]),
                           .partition = std::string(parts[1]),
                           .name = std::string(parts[6])},
                          static_cast<uint64_t>(*number)};
}

namespace store {

Result<std::optional<LayerRecord>> find_layer(const View& view, const Owner& owner,
                                              std::string_view layer) {
  VIRGA_TRY(bytes, view.get(base(owner, kLayers).text(layer)));
  if (!bytes) return std::optional<LayerRecord>();
  VIRGA_TRY(record, decode_layer(*bytes));
  return std::optional(std::move(record));
}
void put_layer(Txn& txn, const Owner& owner, const LayerRecord& record) {
  txn.put(base(owner, kLayers).text(record.name), encode(record));
}
Result<std::vector<LayerRecord>> list_layers(const View& view, const Owner& owner,
                                             std::string_view after, size_t limit) {
  const Key all = base(owner, kLayers);
  const std::string begin =
      after.empty() ? all.str() : base(owner, kLayers).text(after).str() + '\0';
  return list(view, begin, all.range_end(), Direction::forward, limit, decode_layer);
}

Result<LayerVersionRecord> decode_layer_version(std::string_view bytes) {
  VIRGA_TRY(d, open_record(bytes));
  LayerVersionRecord r;
  const RecordReader in(d);
  in.text("layer", r.layer);
  in.number("version", r.version);
  in.text("description", r.description);
  in.text("license", r.license);
  in.list("runtimes", r.runtimes);
  in.list("architectures", r.architectures);
  in.time("created", r.created);
  in.text("code_sha256", r.code.sha256_base64);
  in.text("code_hex", r.code.sha256_hex);
  in.number("code_bytes", r.code.zip_bytes);
  in.number("code_unzipped", r.code.unzipped_bytes);
  return r;
}

Result<std::optional<LayerVersionRecord>> find_layer_version(const View& view, const Owner& owner,
                                                             std::string_view layer,
                                                             uint64_t version) {
  VIRGA_TRY(bytes, view.get(versions(owner, layer).u64(version)));
  if (!bytes) return std::optional<LayerVersionRecord>();
  VIRGA_TRY(record, decode_layer_version(*bytes));
  return std::optional(std::move(record));
}
void put_layer_version(Txn& txn, const Owner& owner, const LayerVersionRecord& record) {
  txn.put(versions(owner, record.layer).u64(record.version), encode(record));
}
void erase_layer_version(Txn& txn, const Owner& owner, std::string_view layer, uint64_t version) {
  txn.allow_in_low_space();
  txn.erase(versions(owner, layer).u64(version));
  txn.erase(base(owner, kLayerPolicies).text(layer).u64(version));
}
Result<std::vector<LayerVersionRecord>> list_layer_versions(const View& view, const Owner& owner,
                                                            std::string_view layer, uint64_t before,
                                                            size_t limit) {
  const Key all = versions(owner, layer);
  const std::string end = before == 0 ? all.range_end() : versions(owner, layer).u64(before).str();
  return list(view, all, end, Direction::backward, limit, decode_layer_version);
}

Result<std::optional<PolicyRecord>> find_layer_policy(const View& view, const Owner& owner,
                                                      std::string_view layer, uint64_t version) {
  VIRGA_TRY(bytes, view.get(base(owner, kLayerPolicies).text(layer).u64(version)));
  if (!bytes) return std::optional<PolicyRecord>();
  VIRGA_TRY(record, decode_policy(*bytes));
  return std::optional(std::move(record));
}
void put_layer_policy(Txn& txn, const Owner& owner, std::string_view layer, uint64_t version,
                      const PolicyRecord& record) {
  const Key key = std::move(base(owner, kLayerPolicies).text(layer).u64(version));
  if (record.statements.empty()) {
    txn.erase(key);
  } else {
    txn.put(key, lambda::encode(record));
  }
}

}  // namespace store
}  // namespace virga::lambda
