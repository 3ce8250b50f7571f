#include <algorithm>

#include "api/dynamodb/shapes/export_description.h"
#include "base/hashing.h"
#include "base/json.h"
#include "base/log.h"
#include "base/strings.h"
#include "services/dynamodb/export_rows.h"
#include "services/dynamodb/item_copy.h"
#include "services/dynamodb/service.h"
#include "services/dynamodb/transfer_bucket.h"
#include "services/dynamodb/transfers.h"

// The work of an export: the items, or what changed, line by line into files of a bucket. The pool
// reads, encodes and compresses; the loop passes the pieces on to S3. A server that ends in the
// midst of it begins again at its next start; files have the same names then. Source: DynamoDB
// Developer Guide, "DynamoDB table export output format".
namespace virga::dynamodb {
namespace {

constexpr size_t kFileLinesBytesMax = 256 << 20;
// What an incremental export is billed for at least. As recorded from the service.
constexpr int64_t kIncrementalBilledMin = 10'000'000;

// 26 characters as of the service's, the same ones whenever this export is begun anew.
std::string file_name(const Transfer& job, size_t number) {
  constexpr char kAlphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
  constexpr size_t kLength = 26;
  const auto digest = sha256(job.arn() + "/" + std::to_string(number));
  std::string out;
  for (size_t i = 0; i < kLength; ++i) out.push_back(kAlphabet[digest[i] % 32]);
  return out;
}

// PREFIX/AWSDynamoDB/
std::string root_of(const api::ExportDescription& description) {
  std::string root = description.s3_prefix.value_or("");
  if (!root.empty() && !root.ends_with('/')) root.push_back('/');
  return root + "AWSDynamoDB/";
}

struct Manifest {
  std::string files;  // JSON lines
  int64_t items = 0, billed_bytes = 0;
};

Document text_or_null(const std::optional<std::string>& text) {
  return text ? Document(*text) : Document();
}

std::string summary_of(const api::ExportDescription& description, const Manifest& manifest,
                       const std::string& files_key, Timestamp ended) {
  const bool incremental = static_cast<bool>(description.incremental_export_specification);
  Document d = Document::object();
  d.set("version", incremental ? "2023-08-01" : "2020-06-30");
  d.set("exportArn", *description.export_arn);
  d.set("startTime", format_iso8601_millis(*description.start_time));
  d.set("endTime", format_iso8601_millis(ended));
  d.set("tableArn", *description.table_arn);
  d.set("tableId", *description.table_id);
  if (incremental) {
    const auto& period = *description.incremental_export_specification;
    d.set("exportFromTime", format_iso8601_millis(*period.export_from_time));
    d.set("exportToTime", format_iso8601_millis(*period.export_to_time));
  } else {
    d.set("exportTime", format_iso8601_millis(*description.export_time));
  }
  d.set("s3Bucket", *description.s3_bucket);
  d.set("s3Prefix", text_or_null(description.s3_prefix));
  d.set("s3SseAlgorithm", *description.s3_sse_algorithm);
  d.set("s3SseKmsKeyId", text_or_null(description.s3_sse_kms_key_id));
  d.set("manifestFilesS3Key", files_key);
  d.set("billedSizeBytes", manifest.billed_bytes);
  d.set("itemCount", manifest.items);
  d.set("outputFormat", *description.export_format);
  if (incremental) {
    d.set("outputView", *description.incremental_export_specification->export_view_type);
    d.set("exportType", "INCREMENTAL_EXPORT");
  }
  return to_json(d);
}

}  // namespace

// One export's way through its stages.
struct Service::Export {
  Transfer job;
  api::ExportDescription description;
  TableRef table;                             // null: gone meanwhile
  std::shared_ptr<const storage::View> view;  // of its beginning
  storage::Generation generation = 0;
  uint64_t scratch_id = 0;  // items as they were, or what changed; 0: none
  std::unique_ptr<storage::View> scratch;
  std::unique_ptr<ExportRows> rows;
  std::optional<TransferBucket> bucket;

  ExportFormat format() const {
    return description.export_format == "ION" ? ExportFormat::ion : ExportFormat::dynamodb_json;
  }
};

Task<void> Service::run_export(Transfer job, TableRef table,
                               std::shared_ptr<const storage::View> view) {
  Export work{.job = std::move(job), .table = std::move(table), .view = std::move(view)};
  work.generation = work.table ? work.table->generation : shard_.generation();
  work.description = co_await work.job.describe<api::ExportDescription>();
  auto writing = write_export(&work);
  const Result<void> written = co_await as_result(std::move(writing));
  work.rows.reset();
  work.scratch.reset();
  if (work.scratch_id != 0) co_await drop_objects(work.scratch_id, 1, work.generation);
  if (!written && background_.stopping()) co_return ok();  // the next start begins anew
  if (!written) {
    const TransferFailure failure = work.bucket && work.bucket->refusal()
                                        ? failure_of_s3(*work.bucket->refusal())
                                        : failure_of(written.error());
    work.description.failure_code = failure.code;
    work.description.failure_message = failure.message;
    LOG_INFO("dynamodb_export_failed", kv("arn", work.job.arn()), kv("code", failure.code));
  }
  co_await finish_export(&work);
  co_return ok();
}

// What the rows are read from: the table as it was at the export's moment, or what changed in its
// period. Only a moment that lies behind needs a copy.
Task<void> Service::open_export(Export* work) {
  if (!work->table) co_return fail(errors::backup_table_not_found(work->job.table_arn()));
  if (work->table->recovery_days == 0 || *work->table->recovery_since > work->job.at)
    co_return fail(errors::recovery_not_enabled(work->job.table));
  const storage::Generation generation = work->generation;
  RequestContext context;
  if (const auto& period = work->description.incremental_export_specification) {
    work->scratch_id = co_await reserve_objects(Ctx(context), 1, generation);
    co_await collect_changes(shard_, work->view.get(), work->table, work->scratch_id,
                             *period->export_from_time, *period->export_to_time);
    co_await shard_.wait_durable(shard_.stats().submitted);
    work->scratch = shard_.snapshot();
    work->rows =
        changed_rows(*work->scratch, work->scratch_id, *work->view, work->table, work->format(),
                     period->export_view_type == "NEW_IMAGE" ? ExportView::new_image
                                                             : ExportView::new_and_old_images);
    co_return ok();
  }
  const uint64_t later = co_await first_change_at(*work->view, work->job.items_id, 0, UINT64_MAX,
                                                  work->job.at.micros + 1);
  if (later == UINT64_MAX) {
    work->rows = item_rows(*work->view, work->job.items_id, work->format());
    co_return ok();
  }
  work->scratch_id = co_await reserve_objects(Ctx(context), 1, generation);
  const CopiedItems copied = co_await copy_items(shard_, work->view.get(), work->job.items_id,
                                                 work->scratch_id, generation);
  ignore(copied, "the rows are counted as they are written");
  const auto target = std::make_shared<Table>(*work->table);
  target->id = work->scratch_id;
  co_await undo_changes(shard_, work->view.get(), work->table, target, work->job.at.micros);
  co_await shard_.wait_durable(shard_.stats().submitted);
  work->scratch = shard_.snapshot();
  work->rows = item_rows(*work->scratch, work->scratch_id, work->format());
  co_return ok();
}

Task<void> Service::write_export(Export* work) {
  const api::ExportDescription& description = work->description;
  TransferBucket& bucket = work->bucket.emplace(
      *door_, TransferBucket::Options{.bucket = *description.s3_bucket,
                                      .owner = description.s3_bucket_owner,
                                      .sse_algorithm = description.s3_sse_algorithm,
                                      .kms_key_id = description.s3_sse_kms_key_id,
                                      .caller = work->job.caller,
                                      .region = work->job.region});
  const std::string root = root_of(description);
  const std::string folder = root + work->job.id + "/";
  co_await bucket.put(folder + "_started", "");
  co_await open_export(work);

  const bool incremental = static_cast<bool>(description.incremental_export_specification);
  const std::string data = (incremental ? root : folder) + "data/";
  const std::string ending = work->format() == ExportFormat::ion ? ".ion.gz" : ".json.gz";
  Manifest manifest;
  ExportedFile file;
  for (size_t number = 0; !file.last; ++number) {
    file = {};
    const std::string key = data + file_name(work->job, number) + ending;
    auto content = export_file(*work->rows, kFileLinesBytesMax, &file, *pool_);
    const std::string etag = co_await bucket.upload(key, std::move(content));
    append_json(manifest.files, Document::object()
                                    .set("itemCount", file.items)
                                    .set("md5Checksum", to_base64(file.md5))
                                    .set("etag", etag)
                                    .set("dataFileS3Key", key));
    manifest.files.push_back('\n');
  }
  manifest.items = work->rows->items();
  manifest.billed_bytes =
      incremental ? std::max(kIncrementalBilledMin, work->rows->bytes()) : work->rows->bytes();
  const std::string files_key = folder + "manifest-files.json";
  const std::string summary = summary_of(description, manifest, files_key, env_.cloud.now().at);
  co_await bucket.put(files_key, manifest.files);
  co_await bucket.put(folder + "manifest-files.md5", to_base64(md5(manifest.files)));
  co_await bucket.put(folder + "manifest-summary.json", summary);
  co_await bucket.put(folder + "manifest-summary.md5", to_base64(md5(summary)));
  work->description.export_manifest = folder + "manifest-summary.json";
  work->description.item_count = manifest.items;
  work->description.billed_size_bytes = manifest.billed_bytes;
  co_return ok();
}

Task<void> Service::finish_export(Export* work) {
  Transfer& job = work->job;
  job.status = work->description.failure_code ? "FAILED" : "COMPLETED";
  job.ended = Timestamp::from_millis(env_.cloud.now().at.millis());
  work->description.export_status = job.status;
  work->description.end_time = job.ended;
  job.describe_as(work->description);
  co_await store_ended(&job, work->generation);
  co_return ok();
}

}  // namespace virga::dynamodb
