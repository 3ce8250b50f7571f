#include "services/sqs/move_task.h"

#include <utility>

#include "base/json.h"
#include "base/strings.h"
#include "services/sqs/queue_address.h"
#include "storage/keys.h"

namespace virga::sqs {
namespace {

constexpr char kFormat = 1;

storage::Key tasks() {
  storage::Key key(storage::Space::sqs);
  key.account("").u8('t');
  return key;
}
std::string key_of(const MoveTask& t) {
  return tasks()
      .text(t.source_arn)
      .u64_descending(static_cast<uint64_t>(t.started_at))
      .text(t.id)
      .take();
}

Result<MoveTask> decode(std::string_view bytes) {
  if (bytes.empty() || bytes.front() != kFormat)
    return fail(internal_failure("a move task of an unknown format"));
  VIRGA_TRY(d, parse_json(bytes.substr(1)));
  const auto number = [&](std::string_view key) {
    const Document* v = d.find(key);
    return v && v->is_int() ? v->as_int() : 0;
  };
  MoveTask t;
  t.id = d.string_or("id", "");
  t.source_arn = d.string_or("source", "");
  t.destination_arn = d.string_or("destination", "");
  t.messages_per_second = static_cast<int32_t>(number("perSecond"));
  t.status = d.string_or("status", "");
  t.failure = d.string_or("failure", "");
  t.started_at = number("started");
  t.moved = number("moved");
  t.to_move = number("toMove");
  return t;
}

}  // namespace

std::string MoveTask::handle() const {
  Document d = Document::object();
  d.set("taskId", id).set("sourceArn", source_arn);
  return to_base64(to_json(d));
}

std::optional<MoveTaskHandle> MoveTaskHandle::parse(std::string_view text) {
  const auto json = from_base64(text);
  if (!json) return std::nullopt;
  const auto d = parse_json(*json);
  if (!d || !d->is_object()) return std::nullopt;
  MoveTaskHandle out{std::string(d->string_or("taskId", "")),
                     std::string(d->string_or("sourceArn", ""))};
  if (out.id.empty() || !address_of_arn(out.source_arn)) return std::nullopt;
  return out;
}

void put_move_task(storage::Txn& txn, const MoveTask& t) {
  Document d = Document::object();
  d.set("id", t.id).set("source", t.source_arn).set("destination", t.destination_arn);
  d.set("perSecond", t.messages_per_second).set("status", t.status).set("failure", t.failure);
  d.set("started", t.started_at).set("moved", t.moved).set("toMove", t.to_move);
  std::string value(1, kFormat);
  append_json(value, d);
  txn.put(key_of(t), value);
}

void erase_move_task(storage::Txn& txn, const MoveTask& task) {
  txn.erase(key_of(task));
}

Result<std::vector<MoveTask>> move_tasks(const storage::View& view, std::string_view source_arn) {
  storage::Key range = tasks();
  if (!source_arn.empty()) range.text(source_arn);
  std::vector<MoveTask> out;
  const auto cursor = view.cursor(range, range.range_end());
  for (; cursor->valid(); cursor->next()) {
    VIRGA_TRY(task, decode(cursor->value()));
    out.push_back(std::move(task));
  }
  VIRGA_TRY_VOID(cursor->status());
  return out;
}

}  // namespace virga::sqs
