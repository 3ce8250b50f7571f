#include "services/dynamodb/transfer_store.h"

#include <algorithm>

#include "base/json.h"
#include "base/strings.h"
#include "storage/keys.h"

namespace virga::dynamodb {
namespace {

using storage::Key;
using storage::KeyReader;
using storage::Space;

constexpr int kFormat = 1;
// The model's least size of an import's NextToken, in bytes before they are written as digits.
constexpr size_t kPageBytesMin = 56;
constexpr size_t kPageBytesUnit = 8;

std::string_view path_word(TransferKind kind) {
  return kind == TransferKind::export_table ? "export" : "import";
}

Key kind_prefix(TransferKind kind) {
  return Key(Space::platform).text("dynamodb-transfer").u8(static_cast<uint8_t>(kind));
}
std::string transfer_key(TransferKind kind, std::string_view account, std::string_view region,
                         std::string_view table, std::string_view id) {
  const bool by_table = kind == TransferKind::export_table;
  return kind_prefix(kind)
      .account(account)
      .region(region)
      .text(by_table ? table : id)
      .text(by_table ? id : table)
      .str();
}
std::string token_key(TransferKind kind, std::string_view account, std::string_view region,
                      std::string_view token) {
  return Key(Space::platform)
      .text("dynamodb-transfer-token")
      .u8(static_cast<uint8_t>(kind))
      .account(account)
      .region(region)
      .text(token)
      .str();
}

Document write_principal(const Principal& p) {
  return Document::object()
      .set("kind", static_cast<int>(p.kind))
      .set("account", p.account)
      .set("arn", p.arn)
      .set("user", p.user_id)
      .set("key", p.access_key_id)
      .set("service", p.service);
}

int64_t int_at(const Document& d, std::string_view key) {
  const Document* m = d.find(key);
  return m && m->is_int() ? m->as_int() : 0;
}

Principal read_principal(const Document& d) {
  Principal out;
  out.kind = static_cast<Principal::Kind>(int_at(d, "kind"));
  out.account = d.string_or("account", "");
  out.arn = d.string_or("arn", "");
  out.user_id = d.string_or("user", "");
  out.access_key_id = d.string_or("key", "");
  out.service = d.string_or("service", "");
  return out;
}

std::string encode(const Transfer& t) {
  Document d = Document::object();
  d.set("format", kFormat);
  d.set("status", t.status);
  d.set("caller", write_principal(t.caller));
  d.set("token", t.token);
  d.set("fingerprint", t.fingerprint);
  d.set("items_id", static_cast<int64_t>(t.items_id));
  d.set("at", t.at.micros);
  d.set("started", t.started.micros);
  if (t.ended) d.set("ended", t.ended->micros);
  d.set("description", t.description);
  return to_json(d);
}

Result<Transfer> decode(TransferKind kind, std::string_view key, std::string_view bytes) {
  VIRGA_TRY(d, parse_json(bytes));
  const Document* caller = d.find("caller");
  const Document* description = d.find("description");
  if (int_at(d, "format") != kFormat || !caller || !description)
    return fail(internal_failure("an export's or import's description is damaged"));
  Transfer out{.kind = kind};
  KeyReader reader(key.substr(kind_prefix(kind).str().size()));
  out.account = reader.text();
  out.region = reader.text();
  const bool by_table = kind == TransferKind::export_table;
  (by_table ? out.table : out.id) = reader.text();
  (by_table ? out.id : out.table) = reader.text();
  out.status = d.string_or("status", "");
  out.caller = read_principal(*caller);
  out.token = d.string_or("token", "");
  out.fingerprint = d.string_or("fingerprint", "");
  out.items_id = static_cast<uint64_t>(int_at(d, "items_id"));
  out.at = {int_at(d, "at")};
  out.started = {int_at(d, "started")};
  if (d.find("ended")) out.ended = Timestamp{int_at(d, "ended")};
  out.description = *description;
  return out;
}

}  // namespace

std::string Transfer::table_arn() const {
  std::string out = "arn:";
  out.append(partition_of(region)).append(":dynamodb:").append(region).append(":").append(account);
  return out.append(":table/").append(table);
}
std::string Transfer::arn() const {
  return table_arn().append("/").append(path_word(kind)).append("/").append(id);
}

std::optional<TransferAddress> parse_transfer_arn(TransferKind kind, std::string_view arn) {
  const auto parts = split(arn, ':');
  if (parts.size() != 6 || parts[0] != "arn" || parts[2] != "dynamodb") return std::nullopt;
  const auto names = split(parts[5], '/');
  if (names.size() != 4 || names[0] != "table" || names[1].empty() || names[2] != path_word(kind) ||
      names[3].empty()) {
    return std::nullopt;
  }
  return TransferAddress{std::string(parts[1]), std::string(parts[4]), std::string(parts[3]),
                         std::string(names[1]), std::string(names[3])};
}

Result<std::optional<Transfer>> find_transfer(const storage::View& view, TransferKind kind,
                                              const TransferAddress& a) {
  const std::string key = transfer_key(kind, a.account, a.region, a.table, a.id);
  VIRGA_TRY(bytes, view.get(key));
  if (!bytes) return std::optional<Transfer>();
  VIRGA_TRY(transfer, decode(kind, key, *bytes));
  return std::optional<Transfer>(std::move(transfer));
}

Result<std::optional<Transfer>> find_transfer_by_token(const storage::View& view, TransferKind kind,
                                                       const RequestContext& ctx,
                                                       std::string_view token) {
  VIRGA_TRY(arn, view.get(token_key(kind, ctx.account, ctx.region, token)));
  const auto address = arn ? parse_transfer_arn(kind, *arn) : std::nullopt;
  if (!address) return std::optional<Transfer>();
  VIRGA_TRY(found, find_transfer(view, kind, *address));
  if (found && found->ended && found->ended->micros + kTransferTokenMicros <= ctx.now.at.micros)
    found.reset();
  return std::move(found);
}

void put_transfer(storage::Txn& txn, const Transfer& t) {
  txn.put(transfer_key(t.kind, t.account, t.region, t.table, t.id), encode(t));
  txn.put(token_key(t.kind, t.account, t.region, t.token), t.arn());
}

void erase_transfer(storage::Txn& txn, const Transfer& t) {
  txn.erase(transfer_key(t.kind, t.account, t.region, t.table, t.id));
  const std::string key = token_key(t.kind, t.account, t.region, t.token);
  const auto owner = txn.get(key);
  if (owner && *owner == t.arn()) txn.erase(key);
  txn.allow_in_low_space();
}

Result<void> list_transfers(const storage::View& view, TransferKind kind, const RequestContext* ctx,
                            const TransferAddress* after,
                            const std::function<bool(const Transfer&)>& visit) {
  Key prefix = kind_prefix(kind);
  if (ctx) prefix.account(ctx->account).region(ctx->region);
  const std::string end =
      after ? transfer_key(kind, after->account, after->region, after->table, after->id)
            : prefix.range_end();
  Result<void> read;
  VIRGA_TRY_VOID(view.scan(prefix.str(), std::max(end, prefix.str()), storage::Direction::backward,
                           [&](std::string_view key, std::string_view bytes) {
                             const auto transfer = decode(kind, key, bytes);
                             if (!transfer) {
                               read = fail(transfer.error());
                               return false;
                             }
                             return visit(*transfer);
                           }));
  return read;
}

std::string make_transfer_page(TransferKind kind, std::string_view arn) {
  std::string bytes(path_word(kind));
  bytes.append(" ").append(arn);
  while (bytes.size() < kPageBytesMin || bytes.size() % kPageBytesUnit != 0) bytes.push_back(' ');
  return to_hex(bytes);
}

std::optional<TransferAddress> read_transfer_page(TransferKind kind, std::string_view token) {
  const auto bytes = from_hex(token);
  if (!bytes) return std::nullopt;
  const std::string prefix = std::string(path_word(kind)) + " ";
  if (!bytes->starts_with(prefix)) return std::nullopt;
  return parse_transfer_arn(kind, trim(std::string_view(*bytes).substr(prefix.size())));
}

}  // namespace virga::dynamodb
