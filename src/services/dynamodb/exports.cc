#include <algorithm>

#include "api/dynamodb/describe_export.h"
#include "api/dynamodb/export_table_to_point_in_time.h"
#include "api/dynamodb/list_exports.h"
#include "base/hashing.h"
#include "base/json.h"
#include "base/strings.h"
#include "services/dynamodb/request_checks.h"
#include "services/dynamodb/service.h"
#include "services/dynamodb/transfers.h"

// ExportTableToPointInTime, DescribeExport, ListExports. Source: DynamoDB API Reference, the pages
// of that name; texts and order of refusals as recorded from the service.
namespace virga::dynamodb {
namespace {

constexpr const char* kIncremental = "INCREMENTAL_EXPORT";
constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kPeriodMin = 15 * 60 * kSecond;
constexpr int64_t kPeriodMax = 24 * 3600 * kSecond;
constexpr size_t kExportsAtOnceMax = 300;

AwsError invalid_request(const std::string& what) {
  return errors::validation("Invalid Request: " + what);
}
AwsError invalid_time(std::string message) {
  return errors::backup_error("InvalidExportTimeException", std::move(message));
}

bool is_incremental(const api::ExportTableToPointInTimeInput& input) {
  return input.export_type == kIncremental;
}

// What can be said without the table.
Result<void> check_request(const api::ExportTableToPointInTimeInput& input) {
  const bool given = static_cast<bool>(input.incremental_export_specification);
  if (given && !input.export_type) {
    return fail(
        invalid_request("Export Type expected to be Incremental Export when incremental export "
                        "specification is provided"));
  }
  if (given && !is_incremental(input)) {
    return fail(
        invalid_request("When Export Type is Full Export , Incremental Export Specification "
                        "should not be provided"));
  }
  if (!given && is_incremental(input)) {
    return fail(
        invalid_request("Incremental Export Specification expected when export type is set as "
                        "Incremental Export"));
  }
  if (given && !input.incremental_export_specification->export_from_time) {
    return fail(
        invalid_request("ExportFromTime must be provided in IncrementalExportSpecification"));
  }
  if (input.s3_sse_kms_key_id && input.s3_sse_algorithm != "KMS")
    return fail(invalid_request("KMS Key Id is not supported for this encryption type"));
  return {};
}

struct Period {
  Timestamp from, to;
};
Result<Period> check_period(const api::IncrementalExportSpecification& wanted, const Table& table,
                            Timestamp now) {
  Period out{*wanted.export_from_time, Timestamp::from_seconds(now.seconds())};
  if (wanted.export_to_time) out.to = *wanted.export_to_time;
  if (out.from.seconds() < table.created.seconds()) {
    return fail(invalid_time(
        "Incremental export period from time cannot be less than the table creation time : " +
        format_iso8601(out.from)));
  }
  if (out.to > now) {
    return fail(invalid_time(
        "Incremental export period to time cannot be greater than the current time : " +
        format_iso8601(out.to)));
  }
  const int64_t length = out.to.micros - out.from.micros;
  if (length < kPeriodMin) {
    return fail(
        invalid_time("Difference between export period from time and export period to time is "
                     "less than 15 minutes"));
  }
  if (length > kPeriodMax) {
    return fail(
        invalid_time("Difference between export period from time and export period to time is "
                     "greater than 24 hours"));
  }
  return out;
}

Result<void> check_export_time(Timestamp wanted, const RecoveryWindow& window, Timestamp now) {
  if (wanted > now || wanted < window.earliest) return fail(invalid_time("Export Time is invalid"));
  if (wanted > window.latest) {
    return fail(invalid_time("Point in Time Recovery is not available for specified export time"));
  }
  return {};
}

// Equal for equal requests, whatever their tokens.
std::string fingerprint_of(api::ExportTableToPointInTimeInput input) {
  input.client_token.reset();
  const auto text =
      to_json(aws::write_document(api::ExportTableToPointInTimeInput::descriptor(), &input));
  return to_hex(as_bytes(sha256(text)));
}

api::ExportDescription first_description(const api::ExportTableToPointInTimeInput& input,
                                         const Transfer& job, const Table& table) {
  api::ExportDescription out;
  out.export_arn = job.arn();
  out.export_status = kInProgress;
  out.start_time = job.started;
  out.table_arn = job.table_arn();
  out.table_id = table.table_id;
  out.client_token = job.token;
  out.s3_bucket = input.s3_bucket;
  out.s3_bucket_owner = input.s3_bucket_owner;
  out.s3_prefix = input.s3_prefix;
  out.s3_sse_algorithm = input.s3_sse_algorithm.value_or("AES256");
  out.s3_sse_kms_key_id = input.s3_sse_kms_key_id;
  out.export_format = input.export_format.value_or("DYNAMODB_JSON");
  out.export_type = input.export_type.value_or("FULL_EXPORT");
  return out;
}

}  // namespace

// The table of an export: an ARN in the caller's account, named by it in errors.
Result<TableRef> Service::export_source(const RequestContext& ctx, const std::string& arn) {
  const auto parts = split(arn, ':');
  if (parts.size() != 6 || parts[0] != "arn" || parts[2] != "dynamodb")
    return fail(errors::invalid_parameter("tableArn is not a valid ARN"));
  const std::string resource(parts[5]);
  if (!resource.starts_with("table/") || resource.size() < 9 ||
      resource.find('/', 6) != std::string::npos) {
    return fail(invalid_request("Table ARN is invalid."));
  }
  if (parts[4] != ctx.account) return fail("AccessDeniedException", 400, "Access is denied");
  TableRef table;
  if (parts[3] == ctx.region && parts[1] == ctx.partition) {
    VIRGA_TRY(found, tables_.find(ctx.account, ctx.region, resource.substr(6)));
    table = found;
  }
  const std::string status = table ? table->status(ctx.now.at) : "DELETED";
  if (status == "CREATING" || status == "DELETING" || status == "DELETED")
    return fail(errors::backup_table_not_found(arn));
  return table;
}

Task<api::ExportTableToPointInTimeOutput> Service::export_table_to_point_in_time(
    Ctx ctx, api::ExportTableToPointInTimeInput input) {
  if (!door_) co_return fail(errors::not_implemented("ExportTableToPointInTime"));
  co_await check_request(input);
  Transfer job{.kind = TransferKind::export_table, .account = ctx->account, .region = ctx->region};
  job.fingerprint = fingerprint_of(input);
  job.token = input.client_token.value_or(env_.random.uuid());
  const auto repeated = [&](const storage::View& view) -> Result<std::optional<Transfer>> {
    VIRGA_TRY(known, find_transfer_by_token(view, TransferKind::export_table, *ctx, job.token));
    if (known && known->fingerprint != job.fingerprint) {
      return fail(errors::backup_error(
          "ExportConflictException",
          "Export conflict: Duplicate request detected with conflicting parameters"));
    }
    return known;
  };
  std::shared_ptr<const storage::View> view = shard_.snapshot();
  std::optional<Transfer> known = co_await repeated(*view);
  api::ExportTableToPointInTimeOutput output;
  if (known) {
    output.export_description = co_await known->describe<api::ExportDescription>();
    co_return std::move(output);
  }

  const TableRef table = co_await export_source(*ctx, input.table_arn);
  const Timestamp now = ctx->now.at;
  std::optional<Period> period;
  if (input.incremental_export_specification)
    period = co_await check_period(*input.incremental_export_specification, *table, now);
  if (table->recovery_days == 0) co_return fail(errors::recovery_not_enabled(table->name));
  const RecoveryWindow window = recovery_window(*table, now, options_.lifecycle_delay_ms);
  if (period && period->from < window.earliest)
    co_return fail(
        invalid_time("Point in Time Recovery is not available for specified export time"));
  if (!period && input.export_time) co_await check_export_time(*input.export_time, window, now);

  job.table = table->name;
  job.caller = ctx->principal;
  job.items_id = table->id;
  job.started = Timestamp::from_millis(now.millis());
  job.id = new_transfer_id(now, env_.random.next());
  job.at = std::max(input.export_time.value_or(now), *table->recovery_since);
  api::ExportDescription description = first_description(input, job, *table);
  if (period) {
    auto& echoed = description.incremental_export_specification.emplace();
    echoed.export_from_time = period->from;
    echoed.export_to_time = period->to;
    echoed.export_view_type =
        input.incremental_export_specification->export_view_type.value_or("NEW_AND_OLD_IMAGES");
  } else {
    description.export_time = input.export_time.value_or(job.started);
  }
  job.describe_as(description);

  const storage::TransactOptions options{.generation = table->generation};
  auto done =
      co_await shard_.transact(options, [&](storage::Txn& txn) -> Result<std::optional<Transfer>> {
        VIRGA_TRY(earlier, repeated(txn));
        if (earlier) return earlier;
        size_t running = 0;
        VIRGA_TRY_VOID(list_transfers(txn, TransferKind::export_table, &*ctx, nullptr,
                                      [&](const Transfer& other) {
                                        running += other.in_progress() ? 1 : 0;
                                        return running < kExportsAtOnceMax;
                                      }));
        if (running == kExportsAtOnceMax) {
          return fail(errors::limit_exceeded(
              "Subscriber limit exceeded: There is a limit of 300 concurrent exports"));
        }
        put_transfer(txn, job);
        return std::optional<Transfer>();
      });
  ctx->depends_on(done.lsn);
  known = co_await std::move(done.result);
  co_await shard_.wait_durable(done.lsn);
  if (known) {
    description = co_await known->describe<api::ExportDescription>();
  } else {
    background_.spawn("dynamodb_export", run_export(std::move(job), table, std::move(view)));
  }
  output.export_description = std::move(description);
  co_return std::move(output);
}

Task<api::DescribeExportOutput> Service::describe_export(Ctx ctx, api::DescribeExportInput input) {
  const auto view = shard_.snapshot();
  const Transfer job =
      co_await transfer_of_arn(*view, *ctx, TransferKind::export_table, input.export_arn);
  api::DescribeExportOutput output;
  output.export_description = co_await job.describe<api::ExportDescription>();
  co_return std::move(output);
}

// Those of a table only as long as it is there: a later one of the same name has none of them.
Task<api::ListExportsOutput> Service::list_exports(Ctx ctx, api::ListExportsInput input) {
  TransferQuery query{.kind = TransferKind::export_table,
                      .table_arn = input.table_arn,
                      .next_token = input.next_token,
                      .limit = input.max_results};
  if (input.table_arn) {
    const Result<TableRef> table = export_source(*ctx, *input.table_arn);
    if (!table && table.error().code != "TableNotFoundException") co_return fail(table.error());
    query.table_id = table ? (*table)->table_id : "";
  }
  const auto view = shard_.snapshot();
  const TransferPage page = co_await list_transfer_page(*view, *ctx, query);
  api::ListExportsOutput output;
  auto& summaries = output.export_summaries.emplace();
  for (const Transfer& job : page.transfers) {
    const auto description = co_await job.describe<api::ExportDescription>();
    api::ExportSummary& summary = summaries.emplace_back();
    summary.export_arn = description.export_arn;
    summary.export_status = description.export_status;
    summary.export_type = description.export_type;
  }
  output.next_token = page.next_token;
  co_return std::move(output);
}

}  // namespace virga::dynamodb
