#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "async/byte_stream.h"
#include "async/offload.h"
#include "services/dynamodb/table.h"
#include "storage/shard.h"
#include "storage/view.h"

// What an export writes: one line per item, in files. Source: DynamoDB Developer Guide, "DynamoDB
// table export output format".
namespace virga::dynamodb {

enum class ExportFormat { dynamodb_json, ion };
enum class ExportView { new_image, new_and_old_images };

// Lines in the order of the table's keys. One row in memory at a time.
class ExportRows {
 public:
  virtual ~ExportRows() = default;
  // Appends the next line with its end; false: there is none.
  virtual Result<bool> next(std::string& out) = 0;
  int64_t items() const { return items_; }
  int64_t bytes() const { return bytes_; }  // of the items, as the service counts them

 protected:
  int64_t items_ = 0, bytes_ = 0;
};

// The items under an object id. The view outlives the rows.
std::unique_ptr<ExportRows> item_rows(const storage::View& view, uint64_t items_id,
                                      ExportFormat format);

// Of the items that changed in a period, what they were before and after it: `collect_changes`
// leaves that under the object id `net_id`, from the table's history in `view`; `changed_rows`
// turns it into lines.
Task<void> collect_changes(storage::Shard& shard, const storage::View* view, TableRef table,
                           uint64_t net_id, Timestamp from, Timestamp to);
std::unique_ptr<ExportRows> changed_rows(const storage::View& net, uint64_t net_id,
                                         const storage::View& view, TableRef table,
                                         ExportFormat format, ExportView images);

// One data file: lines until it is full, read, written down and compressed on `pool` piece by piece
// as they are asked for. `outcome` is complete when the source has ended; rows, outcome and pool
// outlive it.
struct ExportedFile {
  int64_t items = 0;
  std::string md5;    // raw
  bool last = false;  // no line is left
};
std::unique_ptr<async::ByteSource> export_file(ExportRows& rows, size_t lines_bytes_max,
                                               ExportedFile* outcome, async::Pool& pool);

}  // namespace virga::dynamodb
