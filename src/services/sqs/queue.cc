#include "services/sqs/queue.h"

#include <utility>

#include "base/json.h"
#include "services/sqs/message_keys.h"

namespace virga::sqs {
namespace {

using storage::Key;
using storage::Space;
using storage::Txn;
using storage::View;

constexpr char kFormat = 1;
// More queues than these are not kept in memory unless somebody uses them.
constexpr size_t kLoadedMax = 4096;

Key records_of(std::string_view account, std::string_view region, char kind) {
  Key key(Space::sqs);
  key.account(account).region(region).u8(static_cast<uint8_t>(kind));
  return key;
}
std::string record_key(const QueueAddress& a) {
  return records_of(a.account, a.region, 'q').text(a.name).take();
}
std::string deleted_key(const QueueAddress& a) {
  return records_of(a.account, a.region, 'x').text(a.name).take();
}

Document to_document(const std::map<std::string, std::string>& map) {
  Document out = Document::object();
  for (const auto& [key, value] : map) out.set(key, value);
  return out;
}

std::map<std::string, std::string> to_map(const Document* d) {
  std::map<std::string, std::string> out;
  if (!d || !d->is_object()) return out;
  for (const auto& [key, value] : d->as_object()) {
    if (value.is_string()) out[key] = value.as_string();
  }
  return out;
}

std::string encode(const QueueRecord& r) {
  Document d = Document::object();
  d.set("id", static_cast<int64_t>(r.id)).set("store", static_cast<int64_t>(r.store));
  d.set("created", r.created_at).set("modified", r.modified_at);
  if (r.purged_at) d.set("purged", r.purged_at);
  d.set("attributes", to_document(r.attributes));
  if (!r.tags.empty()) d.set("tags", to_document(r.tags));
  std::string out(1, kFormat);
  append_json(out, d);
  return out;
}

Result<QueueRecord> decode(std::string_view bytes) {
  if (bytes.empty() || bytes.front() != kFormat)
    return fail(internal_failure("a queue of an unknown format"));
  VIRGA_TRY(d, parse_json(bytes.substr(1)));
  const auto number = [&](std::string_view key) {
    const Document* v = d.find(key);
    return v && v->is_int() ? v->as_int() : 0;
  };
  QueueRecord r;
  r.id = static_cast<uint64_t>(number("id"));
  r.store = static_cast<uint64_t>(number("store"));
  r.created_at = number("created");
  r.modified_at = number("modified");
  r.purged_at = number("purged");
  r.attributes = to_map(d.find("attributes"));
  r.tags = to_map(d.find("tags"));
  return r;
}

}  // namespace

Queue::Queue(QueueAddress where, QueueRecord what)
    : address(std::move(where)), arn(arn_of(address)) {
  use(std::move(what));
}

void Queue::use(QueueRecord changed) {
  record = std::move(changed);
  settings = Settings::of(record.attributes);
  policy = nullptr;
  if (const auto found = record.attributes.find("Policy"); found != record.attributes.end()) {
    if (auto parsed =
            platform::PolicyDocument::parse(found->second, platform::PolicyKind::resource))
      policy = *parsed;
  }
  if (messages && messages->store() == record.store) return;
  messages = std::make_unique<Messages>(record.store, settings.fifo);
  attempts.clear();
}

Result<QueueRef> Queues::find(const View& view, const QueueAddress& address) {
  const std::string key = record_key(address);
  if (const auto found = loaded_.find(key); found != loaded_.end()) return found->second;
  VIRGA_TRY(bytes, view.get(key));
  if (!bytes) return QueueRef();
  VIRGA_TRY(record, decode(*bytes));
  auto queue = std::make_shared<Queue>(address, std::move(record));
  keep(queue);
  return queue;
}

QueueRef Queues::in_memory(const QueueAddress& address) const {
  const auto found = loaded_.find(record_key(address));
  return found == loaded_.end() ? nullptr : found->second;
}

void Queues::keep(const QueueRef& queue) {
  if (loaded_.size() >= kLoadedMax) {
    std::erase_if(loaded_, [](const auto& entry) {
      return entry.second.use_count() == 1 && entry.second->pollers.empty();
    });
  }
  loaded_[record_key(queue->address)] = queue;
}

QueueRef Queues::create(Txn& txn, const QueueAddress& address, QueueRecord record) {
  record.id = txn.new_object_id();
  record.store = txn.new_object_id();
  txn.put(record_key(address), encode(record));
  txn.erase(deleted_key(address));
  auto queue = std::make_shared<Queue>(address, std::move(record));
  keep(queue);
  return queue;
}

void Queues::change(Txn& txn, Queue& queue, QueueRecord record) {
  txn.put(record_key(queue.address), encode(record));
  queue.changed = true;
  queue.use(std::move(record));
}

void Queues::erase(Txn& txn, Queue& queue) {
  txn.allow_in_low_space();
  const Key store = keys::store(queue.record.store);
  txn.erase(record_key(queue.address));
  txn.erase_range(store, store.range_end());
  queue.deleted = true;
  loaded_.erase(record_key(queue.address));
}

void Queues::purge(Txn& txn, Queue& queue, int64_t now) {
  txn.allow_in_low_space();
  const Key old = keys::store(queue.record.store);
  QueueRecord record = queue.record;
  record.store = txn.new_object_id();
  record.purged_at = now;
  change(txn, queue, std::move(record));
  txn.erase_range(old, old.range_end());
}

void Queues::forget(const QueueRef& queue) {
  queue->deleted = true;
  loaded_.erase(record_key(queue->address));
}

void Queues::forget_all() {
  for (const auto& [key, queue] : loaded_) queue->deleted = true;
  loaded_.clear();
}

Result<void> Queues::each(
    const View& view, std::string_view account, std::string_view region, std::string_view from,
    const std::function<bool(const std::string&, const QueueRecord&)>& visit) {
  const Key all = records_of(account, region, 'q');
  Key begin = all;
  const auto cursor = view.cursor(begin.text(from), all.range_end());
  for (; cursor->valid(); cursor->next()) {
    VIRGA_TRY(record, decode(cursor->value()));
    if (!visit(storage::KeyReader(cursor->key().substr(all.str().size())).text(), record)) break;
  }
  return cursor->status();
}

Result<std::optional<int64_t>> Queues::deleted_at(const View& view, const QueueAddress& address) {
  VIRGA_TRY(bytes, view.get(deleted_key(address)));
  if (!bytes) return std::optional<int64_t>();
  return std::optional<int64_t>(storage::KeyReader(*bytes).i64());
}

void Queues::note_deleted(Txn& txn, const QueueAddress& address, int64_t now) {
  txn.put(deleted_key(address), Key(Space{0}).i64(now).str().substr(1));
}

}  // namespace virga::sqs
