#include "services/lambda/event_source.h"

#include "base/strings.h"
#include "services/lambda/record_io.h"

namespace virga::lambda {
namespace {

using storage::Key;
using storage::Space;
using storage::Txn;
using storage::View;

constexpr uint8_t kEventSources = 8, kPositions = 9;

Key keys(const store::Owner& owner, uint8_t kind) {
  return std::move(Key(Space::lambda).account(owner.account).region(owner.region).u8(kind));
}

std::string encode(const EventSourceRecord& r) {
  Document d = Document::object();
  d.set("uuid", r.uuid).set("source", r.source_arn).set("enabled", r.enabled);
  d.set("account", r.function.account)
      .set("region", r.function.region)
      .set("partition", r.function.partition);
  d.set("name", r.function.name).set("qualifier", r.function.qualifier);
  d.set("batch", r.batch_size).set("window", r.window_seconds);
  d.set("filters", list_document(r.filters)).set("report", r.report_failures);
  if (r.concurrency) d.set("concurrency", *r.concurrency);
  d.set("start", r.starting_position).set("parallel", r.parallelization).set("bisect", r.bisect);
  d.set("retries", r.retries).set("age", r.age_seconds).set("tumbling", r.tumbling_seconds);
  d.set("on_failure", r.on_failure).set("tags", texts_document(r.tags));
  d.set("created", r.created.micros).set("modified", r.modified.micros);
  d.set("pending_until", r.pending_until.micros).set("pending_state", r.pending_state);
  return finish_record(d);
}

Result<EventSourceRecord> decode(std::string_view bytes) {
  VIRGA_TRY(d, open_record(bytes));
  EventSourceRecord r;
  const RecordReader in(d);
  in.text("uuid", r.uuid);
  in.text("source", r.source_arn);
  in.flag("enabled", r.enabled);
  in.text("account", r.function.account);
  in.text("region", r.function.region);
  in.text("partition", r.function.partition);
  in.text("name", r.function.name);
  in.text("qualifier", r.function.qualifier);
  in.number("batch", r.batch_size);
  in.number("window", r.window_seconds);
  in.list("filters", r.filters);
  in.flag("report", r.report_failures);
  in.number("concurrency", r.concurrency);
  in.text("start", r.starting_position);
  in.number("parallel", r.parallelization);
  in.flag("bisect", r.bisect);
  in.number("retries", r.retries);
  in.number("age", r.age_seconds);
  in.number("tumbling", r.tumbling_seconds);
  in.text("on_failure", r.on_failure);
  in.texts("tags", r.tags);
  in.time("created", r.created);
  in.time("modified", r.modified);
  in.time("pending_until", r.pending_until);
  in.text("pending_state", r.pending_state);
  return r;
}

Result<std::vector<EventSourceRecord>> read_range(const View& view, const std::string& begin,
                                                  const std::string& end, bool all_kinds) {
  std::vector<EventSourceRecord> out;
  std::optional<AwsError> broken;
  VIRGA_TRY_VOID(view.scan(begin, end, storage::Direction::forward,
                           [&](std::string_view key, std::string_view value) {
                             if (all_kinds) {
                               storage::KeyReader reader(key);
                               reader.u8();
                               reader.text();
                               reader.text();
                               if (reader.u8() != kEventSources) return true;
                             }
                             auto record = decode(value);
                             if (!record) broken = record.error();
                             if (record) out.push_back(std::move(*record));
                             return !broken;
                           }));
  if (broken) return fail(*broken);
  return out;
}

}  // namespace

SourceKind source_kind(std::string_view arn) {
  const auto parts = split(arn, ':');
  if (parts.size() < 6 || parts[0] != "arn") return SourceKind::other;
  if (parts[2] == "sqs") return SourceKind::queue;
  if (parts[2] == "dynamodb" && parts[5].starts_with("table/") &&
      parts[5].find("/stream/") != std::string_view::npos)
    return SourceKind::stream;
  return SourceKind::other;
}

std::string EventSourceRecord::arn() const {
  return "arn:" + function.partition + ":lambda:" + function.region + ":" + function.account +
         ":event-source-mapping:" + uuid;
}

std::string EventSourceRecord::state(Timestamp now) const {
  if (now < pending_until) return pending_state;
  return enabled ? "Enabled" : "Disabled";
}

namespace store {

Result<std::optional<EventSourceRecord>> find_event_source(const View& view, const Owner& owner,
                                                           std::string_view uuid) {
  VIRGA_TRY(bytes, view.get(keys(owner, kEventSources).text(uuid)));
  if (!bytes) return std::optional<EventSourceRecord>();
  VIRGA_TRY(record, decode(*bytes));
  return std::optional(std::move(record));
}

void put_event_source(Txn& txn, const Owner& owner, const EventSourceRecord& record) {
  txn.put(keys(owner, kEventSources).text(record.uuid), encode(record));
}

void erase_event_source(Txn& txn, const Owner& owner, std::string_view uuid) {
  txn.allow_in_low_space();
  txn.erase(keys(owner, kEventSources).text(uuid));
  txn.erase(keys(owner, kPositions).text(uuid));
}

Result<std::vector<EventSourceRecord>> list_event_sources(const View& view, const Owner& owner,
                                                          std::string_view after) {
  const Key all = keys(owner, kEventSources);
  std::string begin = all.str();
  if (!after.empty()) {
    begin = keys(owner, kEventSources).text(after).str();
    begin.push_back('\0');
  }
  return read_range(view, begin, all.range_end(), false);
}

Result<std::vector<EventSourceRecord>> all_event_sources(const View& view) {
  const Key all(Space::lambda);
  return read_range(view, all.str(), all.range_end(), true);
}

Result<std::optional<StreamPosition>> find_position(const View& view, const Owner& owner,
                                                    std::string_view uuid) {
  VIRGA_TRY(bytes, view.get(keys(owner, kPositions).text(uuid)));
  if (!bytes) return std::optional<StreamPosition>();
  VIRGA_TRY(d, open_record(*bytes));
  StreamPosition out;
  const RecordReader in(d);
  in.text("shard", out.shard);
  in.text("sequence", out.sequence);
  in.text("iterator", out.iterator);
  return std::optional(std::move(out));
}

void put_position(Txn& txn, const Owner& owner, std::string_view uuid,
                  const StreamPosition& position) {
  Document d = Document::object();
  d.set("shard", position.shard)
      .set("sequence", position.sequence)
      .set("iterator", position.iterator);
  txn.put(keys(owner, kPositions).text(uuid), finish_record(d));
}

}  // namespace store
}  // namespace virga::lambda
