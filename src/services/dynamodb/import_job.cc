#include "api/dynamodb/shapes/import_table_description.h"
#include "base/json.h"
#include "base/log.h"
#include "platform/log_writer.h"
#include "services/dynamodb/bulk_pace.h"
#include "services/dynamodb/import_reader.h"
#include "services/dynamodb/item_key.h"
#include "services/dynamodb/service.h"
#include "services/dynamodb/transfer_bucket.h"
#include "services/dynamodb/transfers.h"

// The work of an import: object after object, line after line, in batches that are one commit each.
// The pool decompresses and parses, the loop writes. A server that ends in the midst of it empties
// the table at its next start and begins again. Source: DynamoDB Developer Guide, "Import format
// quotas and validation".
namespace virga::dynamodb {
namespace {

constexpr size_t kBatchItemsMax = 100;
constexpr size_t kBatchBytesMax = 256 << 10;
constexpr int32_t kListedObjects = 1000;
// The service ceases to log errors, not to count them.
constexpr int64_t kLoggedErrorsMax = 10'000;
constexpr size_t kLogBatch = 100;
constexpr const char* kInvalidItems =
    "Some of the items failed validation checks and were not imported. Please check CloudWatch "
    "error logs for more details.";

ImportFormat format_of(std::string_view name) {
  return name == "CSV"   ? ImportFormat::csv
         : name == "ION" ? ImportFormat::ion
                         : ImportFormat::dynamodb_json;
}

CsvOptions csv_options(const api::ImportTableDescription& description) {
  CsvOptions out;
  if (!description.input_format_options || !description.input_format_options->csv) return out;
  const auto& given = *description.input_format_options->csv;
  if (given.delimiter) out.delimiter = given.delimiter->front();
  if (given.header_list) out.header = *given.header_list;
  return out;
}

// What another piece of the same object cannot mend.
bool breaks_the_object(const AwsError& error) {
  return error.code == "SerializationException" || error.code == "InvalidRequest" ||
         error.code == "NoSuchKey";
}

}  // namespace

// One import's way through its objects.
struct Service::Import {
  Transfer job;
  api::ImportTableDescription description;
  TableRef table;  // null: its source could not be read
  storage::Generation generation = 0;
  std::optional<TransferBucket> bucket;
  BulkPace pace;
  std::vector<Item> batch;
  size_t batch_bytes = 0;
  std::vector<platform::LogEvent> log;
  std::string key;         // of the object
  int64_t item_index = 0;  // in it
};

Task<void> Service::run_import(Transfer job, TableRef table) {
  Import work{.job = std::move(job), .table = std::move(table), .pace = BulkPace(shard_)};
  work.generation = work.table ? work.table->generation : shard_.generation();
  work.description = co_await work.job.describe<api::ImportTableDescription>();
  auto& description = work.description;
  description.error_count = 0;
  description.processed_size_bytes = 0;
  description.processed_item_count = 0;
  description.imported_item_count = 0;
  auto reading = import_objects(&work);
  const Result<void> read = co_await as_result(std::move(reading));
  if (!read && background_.stopping()) co_return ok();  // the next start begins anew
  auto logging = log_import_errors(&work);
  const Result<void> logged = co_await as_result(std::move(logging));
  if (!logged) LOG_WARN("dynamodb_import_log", kv("message", logged.error().message));
  if (!read) {
    const TransferFailure failure =
        work.bucket->refusal() ? failure_of_s3(*work.bucket->refusal()) : failure_of(read.error());
    description.failure_code = failure.code;
    description.failure_message = failure.message;
  } else if (*description.error_count > 0) {
    description.failure_code = "ItemValidationError";
    description.failure_message = kInvalidItems;
  }
  co_await finish_import(&work);
  co_return ok();
}

Task<void> Service::import_objects(Import* work) {
  const api::S3BucketSource source = *work->description.s3_bucket_source;
  TransferBucket& bucket =
      work->bucket.emplace(*door_, TransferBucket::Options{.bucket = source.s3_bucket,
                                                           .owner = source.s3_bucket_owner,
                                                           .caller = work->job.caller,
                                                           .region = work->job.region});
  std::optional<std::string> continuation;
  do {
    const TransferBucket::Page page =
        co_await bucket.list(source.s3_key_prefix.value_or(""), continuation, kListedObjects);
    if (!work->table)
      co_return fail("TableNotFoundException", 400, "Table not found: " + work->job.table);
    if (!continuation) co_await empty_table(work);
    for (const std::string& key : page.keys) {
      auto importing = import_object(work, key);
      const Result<void> imported = co_await as_result(std::move(importing));
      if (!imported && !breaks_the_object(imported.error())) co_return fail(imported.error());
      co_await write_batch(work);
      if (!imported) {
        bucket.forget_refusal();
        ++*work->description.processed_item_count;
        co_await note_import_error(work, imported.error());
      }
    }
    continuation = page.next;
  } while (continuation);
  co_return ok();
}

// What an earlier try has left.
Task<void> Service::empty_table(Import* work) {
  const storage::TransactOptions options{.generation = work->generation};
  auto done = co_await shard_.transact(options, [&](storage::Txn& txn) -> Result<bool> {
    const std::string prefix = items_prefix(work->table->id);
    if (!txn.cursor(prefix, storage::prefix_end(prefix))->valid()) return true;
    tables_.erase_items(txn, *work->table);
    writer_.stats().start_empty(work->table->id);
    for (const auto& index : work->table->indexes) writer_.stats().start_empty(index.id);
    return true;
  });
  const bool emptied = co_await std::move(done.result);
  ignore(emptied, "always true");
  co_return ok();
}

Task<void> Service::import_object(Import* work, std::string key) {
  api::ImportTableDescription& description = work->description;
  const ImportFormat format = format_of(*description.input_format);
  work->key = key;
  work->item_index = 0;
  std::unique_ptr<async::ByteSource> body = co_await work->bucket->open(std::move(key));
  if (body->size() == 0) co_return ok();  // a folder's mark
  auto content = decompressed(std::move(body), *description.input_compression_type, *pool_);
  ImportObject object(std::move(content), format, csv_options(description), work->table, *pool_);
  for (bool last = false; !last;) {
    ImportObject::Piece piece = co_await object.next();
    last = piece.last;
    *description.processed_size_bytes += piece.bytes;
    for (ImportObject::Entry& entry : piece.entries) {
      ++*description.processed_item_count;
      if (entry.item) {
        work->batch_bytes += entry.bytes;
        work->batch.push_back(std::move(*entry.item));
      } else {
        co_await note_import_error(work, entry.item.error());
      }
      ++work->item_index;
      if (work->batch.size() >= kBatchItemsMax || work->batch_bytes >= kBatchBytesMax)
        co_await write_batch(work);
    }
    if (piece.broken) co_return fail(*piece.broken);
  }
  co_return ok();
}

// With the counts so far.
Task<void> Service::write_batch(Import* work) {
  if (work->batch.empty()) co_return ok();
  const int64_t now = env_.cloud.now().at.micros;
  *work->description.imported_item_count += static_cast<int64_t>(work->batch.size());
  work->job.describe_as(work->description);
  const storage::TransactOptions options{.generation = work->generation};
  auto done = co_await shard_.transact(options, [&](storage::Txn& txn) -> Result<bool> {
    for (const Item& item : work->batch) {
      ItemWrite write{
          .kind = ItemWrite::Kind::put, .table = work->table, .key = item_key(*work->table, item)};
      write.item = item.view();
      VIRGA_TRY(written, writer_.write(txn, write, now));
      ignore(written, "nobody is told of a duplicate");
    }
    put_transfer(txn, work->job);
    return true;
  });
  const bool written = co_await std::move(done.result);
  ignore(written, "always true");
  work->batch.clear();
  work->batch_bytes = 0;
  co_await work->pace.committed(done.lsn);
  co_return ok();
}

// {"itemS3Pointer":{…},"importArn":"…","errorMessages":["…"]} in the stream ID/error of the group
// /aws-dynamodb/imports.
Task<void> Service::note_import_error(Import* work, AwsError error) {
  if (++*work->description.error_count > kLoggedErrorsMax) co_return ok();
  Document pointer = Document::object();
  pointer.set("bucket", work->description.s3_bucket_source->s3_bucket);
  pointer.set("key", work->key);
  pointer.set("itemIndex", work->item_index);
  Document entry = Document::object();
  entry.set("itemS3Pointer", std::move(pointer));
  entry.set("importArn", work->job.arn());
  entry.set("errorMessages", Document::array().push(error.message));
  work->log.push_back({env_.wall.now().at.millis(), to_json(entry)});
  if (work->log.size() >= kLogBatch) co_await log_import_errors(work);
  co_return ok();
}

Task<void> Service::log_import_errors(Import* work) {
  if (work->log.empty() || !logs_) co_return ok();
  platform::LogAppend request;
  request.account = work->job.account;
  request.region = work->job.region;
  request.group = "/aws-dynamodb/imports";
  request.stream = work->job.id + "/error";
  request.events = std::exchange(work->log, {});
  co_await logs_->append(std::move(request));
  co_return ok();
}

// The table is there for everybody in the commit that ends its import.
Task<void> Service::finish_import(Import* work) {
  Transfer& job = work->job;
  job.status = work->description.failure_code ? "FAILED" : "COMPLETED";
  job.ended = Timestamp::from_millis(env_.cloud.now().at.millis());
  work->description.import_status = job.status;
  work->description.end_time = job.ended;
  job.describe_as(work->description);
  if (!work->table) {
    co_await store_ended(&job, work->generation);
    co_return ok();
  }
  RequestContext context;
  context.now = env_.cloud.now();
  const TableRef made =
      co_await change_table(Ctx(context), work->table, [&](Table& table, storage::Txn& txn) {
        table.transition.clear();
        table.transition_until.reset();
        keep_ended(txn, job);
        return Result<void>();
      });
  ignore(made, "it is asked for by name");
  co_return ok();
}

}  // namespace virga::dynamodb
