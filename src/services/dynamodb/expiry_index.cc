#include "services/dynamodb/expiry_index.h"

#include "aws/attribute_value_number.h"
#include "base/strings.h"
#include "storage/keys.h"

namespace virga::dynamodb {
namespace {

using storage::Key;
using storage::KeyReader;
using storage::Space;

constexpr std::string_view kName = "dynamodb-ttl";
// Larger numbers are no times.
constexpr int kDigitsMax = 15;

std::string entry_key(int64_t seconds, std::string_view item_key) {
  return Key(Space::platform).text(kName).i64(seconds).raw(item_key).str();
}

// account, region and name, none of which has a zero byte.
std::string entry_value(const Table& table) {
  std::string out = table.account;
  out.append(1, '\0').append(table.region).append(1, '\0').append(table.name);
  return out;
}

}  // namespace

std::optional<int64_t> expiry_seconds(ItemView item, const std::string& attribute) {
  const auto value = item.find(attribute);
  if (!value || !value->is(AttributeType::number)) return std::nullopt;
  const std::string_view text = value->payload();
  const size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  if (whole.size() > kDigitsMax) return std::nullopt;
  return parse_int(whole);
}

void ExpiryIndex::add(storage::Txn& txn, const Table& table, const std::string& item_key,
                      int64_t seconds) {
  txn.put(entry_key(seconds, item_key), entry_value(table));
  if (seconds < waiting_for_) woken_.set();
}

void ExpiryIndex::change(storage::Txn& txn, const Table& table, const std::string& item_key,
                         const ItemView* before, const ItemView* after) {
  const auto old_seconds = before ? expiry_seconds(*before, table.ttl_attribute) : std::nullopt;
  const auto new_seconds = after ? expiry_seconds(*after, table.ttl_attribute) : std::nullopt;
  if (old_seconds == new_seconds) return;
  if (old_seconds) txn.erase(entry_key(*old_seconds, item_key));
  if (new_seconds) add(txn, table, item_key, *new_seconds);
}

Result<ExpiryIndex::Due> ExpiryIndex::due(const storage::View& view, int64_t now_seconds,
                                          size_t count) const {
  Due out;
  const std::string begin = Key(Space::platform).text(kName).str();
  VIRGA_TRY_VOID(view.scan(begin, storage::prefix_end(begin), storage::Direction::forward,
                           [&](std::string_view key, std::string_view value) {
                             KeyReader reader(key.substr(begin.size()));
                             Entry entry{.key = std::string(key), .seconds = reader.i64()};
                             if (entry.seconds > now_seconds || out.entries.size() == count) {
                               out.next_seconds = entry.seconds;
                               return false;
                             }
                             entry.item_key = reader.rest();
                             const auto parts = split(value, '\0');
                             if (parts.size() == 3) {
                               entry.account = parts[0];
                               entry.region = parts[1];
                               entry.table = parts[2];
                             }
                             out.entries.push_back(std::move(entry));
                             return true;
                           }));
  return out;
}

}  // namespace virga::dynamodb
