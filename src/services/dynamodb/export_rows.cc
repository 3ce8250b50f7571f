#include "services/dynamodb/export_rows.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "aws/attribute_value_json.h"
#include "base/digest_stream.h"
#include "base/json.h"
#include "net/gzip.h"
#include "services/dynamodb/bulk_pace.h"
#include "services/dynamodb/change_record.h"
#include "services/dynamodb/ion.h"
#include "services/dynamodb/item_key.h"
#include "services/dynamodb/item_size.h"
#include "storage/keys.h"

namespace virga::dynamodb {
namespace {

// One commit of the changes' collection: about a millisecond of the owner loop.
constexpr size_t kStepRows = 100;
// Lines that are compressed in one go: some milliseconds of a thread of the pool.
constexpr size_t kPieceBytes = 256 * 1024;

class ItemRows final : public ExportRows {
 public:
  ItemRows(const storage::View& view, uint64_t items_id, ExportFormat format)
      : format_(format),
        cursor_(view.cursor(items_prefix(items_id), storage::prefix_end(items_prefix(items_id)))) {}

  Result<bool> next(std::string& out) override {
    if (!cursor_->valid()) {
      VIRGA_TRY_VOID(cursor_->status());
      return false;
    }
    VIRGA_TRY(item, item_of_record(cursor_->value()));
    ++items_;
    bytes_ += static_cast<int64_t>(item_bytes(item));
    if (format_ == ExportFormat::ion) {
      out += "$ion_1_0 {Item:";
      append_ion(out, item);
    } else {
      out += "{\"Item\":";
      JsonWriter writer(out);
      write_json(writer, item);
    }
    out += "}\n";
    cursor_->next();
    return true;
  }

 private:
  const ExportFormat format_;
  std::unique_ptr<storage::Cursor> cursor_;
};

// A record of the net change is a ChangeRecord: what the item was before the period, and, when it
// changed again after the period, what it was at the period's end. An item that did not is what it
// is in the table.
bool end_is_known(const ChangeRecord& net) {
  return !net.has_new || net.new_image.has_value();
}

class ChangedRows final : public ExportRows {
 public:
  ChangedRows(const storage::View& net, uint64_t net_id, const storage::View& view, TableRef table,
              ExportFormat format, ExportView images)
      : view_(view),
        table_(std::move(table)),
        format_(format),
        images_(images),
        cursor_(net.cursor(items_prefix(net_id), storage::prefix_end(items_prefix(net_id)))) {}

  Result<bool> next(std::string& out) override {
    for (; cursor_->valid(); cursor_->next()) {
      VIRGA_TRY(net, decode_change(cursor_->value()));
      std::string record;
      std::optional<ItemView> after = net.new_image;
      if (!end_is_known(net)) {
        VIRGA_TRY(found, view_.get(item_key(*table_, net.keys)));
        if (found) {
          record = std::move(*found);
          VIRGA_TRY(item, item_of_record(record));
          after = item;
        }
      }
      if (!net.had_old && !after) continue;  // came and went
      write(out, net, after);
      cursor_->next();
      return true;
    }
    VIRGA_TRY_VOID(cursor_->status());
    return false;
  }

 private:
  void write(std::string& out, const ChangeRecord& net, const std::optional<ItemView>& after) {
    ++items_;
    const auto before = images_ == ExportView::new_and_old_images ? net.old_image : std::nullopt;
    for (const auto& image : {before, after}) {
      if (image) bytes_ += static_cast<int64_t>(item_bytes(*image));
    }
    const std::string micros = std::to_string(net.micros);
    const bool ion = format_ == ExportFormat::ion;
    const auto image = [&](std::string_view name, ItemView item) {
      out.append(ion ? "," : ",\"").append(name).append(ion ? ":" : "\":");
      if (ion) {
        append_ion(out, item);
      } else {
        JsonWriter writer(out);
        write_json(writer, item);
      }
    };
    if (ion) {
      out += "$ion_1_0 {Record:{Metadata:{WriteTimestampMicros:";
      append_ion_decimal(out, micros);
      out += "}";
    } else {
      out += R"({"Metadata":{"WriteTimestampMicros":{"N":")" + micros + "\"}}";
    }
    image("Keys", net.keys);
    if (before) image("OldImage", *before);
    if (after) image("NewImage", *after);
    out += ion ? "}}\n" : "}\n";
  }

  const storage::View& view_;
  const TableRef table_;
  const ExportFormat format_;
  const ExportView images_;
  std::unique_ptr<storage::Cursor> cursor_;
};

class ExportFile final : public async::ByteSource {
 public:
  ExportFile(ExportRows& rows, size_t lines_bytes_max, ExportedFile* outcome, async::Pool& pool)
      : rows_(rows), room_(lines_bytes_max), outcome_(outcome), pool_(pool) {}

  Task<std::string> read(size_t max) override {
    while (ready_.size() - at_ == 0 && !ended_) {
      ready_.clear();
      at_ = 0;
      Result<void> filled = co_await async::offload(pool_, [this] { return fill(); });
      co_await std::move(filled);
    }
    std::string piece = ready_.substr(at_, max);
    at_ += piece.size();
    co_return std::move(piece);
  }
  std::optional<uint64_t> size() const override { return std::nullopt; }

 private:
  Result<void> fill() {
    std::string lines;
    bool more = true;
    while (more && lines.size() < kPieceBytes && lines.size() < room_) {
      VIRGA_TRY(got, rows_.next(lines));
      more = got;
      if (got) ++outcome_->items;
    }
    gzip_.add(lines, ready_);
    room_ -= std::min(room_, lines.size());
    if (!more || room_ == 0) {
      gzip_.finish(ready_);
      ended_ = true;
    }
    md5_.update(ready_);
    if (ended_) {
      outcome_->md5 = md5_.finish();
      outcome_->last = !more;
    }
    return {};
  }

  ExportRows& rows_;
  size_t room_;
  ExportedFile* const outcome_;
  async::Pool& pool_;
  net::GzipWriter gzip_;
  DigestStream md5_{DigestStream::Kind::md5};
  std::string ready_;
  size_t at_ = 0;
  bool ended_ = false;
};

// The changes of one step, as the history has them.
using Step = std::vector<std::string>;

// `within`: of the period itself; else of the time after it.
Result<bool> merge(storage::Txn& txn, const Table& net_table, const Step& step, bool within) {
  for (const std::string& bytes : step) {
    VIRGA_TRY(change, decode_change(bytes));
    if (change.had_old && !change.old_image)
      return fail(internal_failure("a table's history lacks an image"));
    const std::string key = item_key(net_table, change.keys);
    VIRGA_TRY(known, txn.get(key));
    if (!known && !within) continue;
    ChangeRecord net;
    if (known) {
      VIRGA_TRY(earlier, decode_change(*known));
      if (!within && end_is_known(earlier)) continue;
      net = earlier;
    } else {
      net = change;
      net.has_new = true;
      net.new_image.reset();
    }
    if (within) {
      net.micros = change.micros;
    } else {
      net.has_new = change.had_old;
      net.new_image = change.old_image;
    }
    txn.put(key, encode_change(net));
  }
  return true;
}

}  // namespace

std::unique_ptr<ExportRows> item_rows(const storage::View& view, uint64_t items_id,
                                      ExportFormat format) {
  return std::make_unique<ItemRows>(view, items_id, format);
}

std::unique_ptr<ExportRows> changed_rows(const storage::View& net, uint64_t net_id,
                                         const storage::View& view, TableRef table,
                                         ExportFormat format, ExportView images) {
  return std::make_unique<ChangedRows>(net, net_id, view, std::move(table), format, images);
}

std::unique_ptr<async::ByteSource> export_file(ExportRows& rows, size_t lines_bytes_max,
                                               ExportedFile* outcome, async::Pool& pool) {
  return std::make_unique<ExportFile>(rows, lines_bytes_max, outcome, pool);
}

Task<void> collect_changes(storage::Shard& shard, const storage::View* view, TableRef table,
                           uint64_t net_id, Timestamp from, Timestamp to) {
  const auto net_table = std::make_shared<Table>(*table);
  net_table->id = net_id;
  const uint64_t begin = co_await first_change_at(*view, table->id, 0, UINT64_MAX, from.micros);
  const uint64_t end = co_await first_change_at(*view, table->id, begin, UINT64_MAX, to.micros);
  const auto cursor = view->cursor(change_key(table->id, begin), change_key(table->id, UINT64_MAX));
  const storage::TransactOptions options{.generation = table->generation};
  BulkPace pace(shard);
  while (cursor->valid()) {
    const bool within = sequence_of_change_key(cursor->key()) < end;
    Step step;
    for (; cursor->valid() && step.size() < kStepRows; cursor->next()) {
      if ((sequence_of_change_key(cursor->key()) < end) != within) break;
      step.emplace_back(cursor->value());
    }
    auto done = co_await shard.transact(options, [&](storage::Txn& txn) -> Result<bool> {
      return merge(txn, *net_table, step, within);
    });
    const bool merged = co_await std::move(done.result);
    ignore(merged, "always true");
    co_await pace.committed(done.lsn);
  }
  co_await cursor->status();
  co_return ok();
}

}  // namespace virga::dynamodb
