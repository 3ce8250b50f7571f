#include "api/dynamodb/create_table.h"
#include "api/dynamodb/describe_import.h"
#include "api/dynamodb/import_table.h"
#include "api/dynamodb/list_imports.h"
#include "base/hashing.h"
#include "base/json.h"
#include "base/strings.h"
#include "services/dynamodb/request_checks.h"
#include "services/dynamodb/service.h"
#include "services/dynamodb/transfer_bucket.h"
#include "services/dynamodb/transfers.h"

// ImportTable, DescribeImport, ListImports. Source: DynamoDB API Reference, the pages of that name;
// texts as recorded from the service.
namespace virga::dynamodb {
namespace {

constexpr size_t kImportsAtOnceMax = 50;

Result<void> check_options(const api::ImportTableInput& input) {
  if (!input.input_format_options || !input.input_format_options->csv ||
      input.input_format == "CSV") {
    return {};
  }
  return fail(errors::validation(
      "Invalid Request: Unsupported InputFormatOptions for the given input format: " +
      input.input_format + "."));
}

api::CreateTableInput creation_of(const api::TableCreationParameters& wanted) {
  api::CreateTableInput out;
  out.table_name = wanted.table_name;
  out.attribute_definitions = wanted.attribute_definitions;
  out.key_schema = wanted.key_schema;
  out.billing_mode = wanted.billing_mode;
  out.provisioned_throughput = wanted.provisioned_throughput;
  out.on_demand_throughput = wanted.on_demand_throughput;
  out.sse_specification = wanted.sse_specification;
  out.global_secondary_indexes = wanted.global_secondary_indexes;
  return out;
}

// A repeated token with other parameters is a conflict; but for the source, which the service does
// not compare.
std::string fingerprint_of(api::ImportTableInput input) {
  input.client_token.reset();
  input.s3_bucket_source = {};
  const auto text = to_json(aws::write_document(api::ImportTableInput::descriptor(), &input));
  return to_hex(as_bytes(sha256(text)));
}

api::ImportTableDescription first_description(const RequestContext& ctx,
                                              const api::ImportTableInput& input,
                                              const Transfer& job, const Table& table) {
  api::ImportTableDescription out;
  out.import_arn = job.arn();
  out.import_status = kInProgress;
  out.table_arn = job.table_arn();
  out.table_id = table.table_id;
  out.client_token = job.token;
  auto& source = out.s3_bucket_source.emplace(input.s3_bucket_source);
  if (!source.s3_bucket_owner) source.s3_bucket_owner = ctx.account;
  out.error_count = 0;
  out.cloud_watch_log_group_arn = "arn:" + ctx.partition + ":logs:" + ctx.region + ":" +
                                  ctx.account + ":log-group:/aws-dynamodb/imports:*";
  out.input_format = input.input_format;
  out.input_format_options = input.input_format_options;
  out.input_compression_type = input.input_compression_type.value_or("NONE");
  out.table_creation_parameters = input.table_creation_parameters;
  out.start_time = job.started;
  out.processed_size_bytes = 0;
  out.processed_item_count = 0;
  out.imported_item_count = 0;
  return out;
}

// What listing the source says: whether there is anything to import from.
Task<void> look_at_source(aws::Door* door, const Transfer* job, const api::S3BucketSource* source) {
  TransferBucket bucket(*door, {.bucket = source->s3_bucket,
                                .owner = source->s3_bucket_owner,
                                .caller = job->caller,
                                .region = job->region});
  const auto page = co_await bucket.list(source->s3_key_prefix.value_or(""), std::nullopt, 1);
  ignore(page, "an empty source is imported as an empty table");
  co_return ok();
}

}  // namespace

// The table is made with the import's record, and CREATING until the import has ended; where the
// source cannot be read there is none.
Task<api::ImportTableOutput> Service::import_table(Ctx ctx, api::ImportTableInput input) {
  if (!door_) co_return fail(errors::not_implemented("ImportTable"));
  co_await check_options(input);
  const Timestamp now = ctx->now.at;
  Transfer job{.kind = TransferKind::import_table, .account = ctx->account, .region = ctx->region};
  job.fingerprint = fingerprint_of(input);
  job.token = input.client_token.value_or(env_.random.uuid());
  const auto repeated = [&](const storage::View& view) -> Result<std::optional<Transfer>> {
    VIRGA_TRY(known, find_transfer_by_token(view, TransferKind::import_table, *ctx, job.token));
    if (known && known->fingerprint != job.fingerprint) {
      return fail(errors::backup_error(
          "ImportConflictException",
          "Import conflict: Duplicate request detected with conflicting parameters"));
    }
    return known;
  };
  api::ImportTableOutput output;
  std::optional<Transfer> known = co_await repeated(*shard_.snapshot());
  if (known) {
    output.import_table_description = co_await known->describe<api::ImportTableDescription>();
    co_return std::move(output);
  }

  const std::shared_ptr<Table> table =
      co_await new_table(*ctx, creation_of(input.table_creation_parameters));
  job.table = table->name;
  job.caller = ctx->principal;
  job.started = Timestamp::from_millis(now.millis());
  job.id = new_transfer_id(now, env_.random.next());
  api::ImportTableDescription description = first_description(*ctx, input, job, *table);
  const api::S3BucketSource source = *description.s3_bucket_source;
  auto looking = look_at_source(door_, &job, &source);
  const Result<void> readable = co_await as_result(std::move(looking));
  table->transition = "CREATING";
  table->transition_until = Timestamp{INT64_MAX};
  job.describe_as(description);

  const storage::TransactOptions options{.generation = shard_.generation()};
  bool put = false;
  auto done =
      co_await shard_.transact(options, [&](storage::Txn& txn) -> Result<std::optional<Transfer>> {
        VIRGA_TRY(earlier, repeated(txn));
        if (earlier) return earlier;
        size_t running = 0;
        VIRGA_TRY_VOID(list_transfers(txn, TransferKind::import_table, &*ctx, nullptr,
                                      [&](const Transfer& other) {
                                        running += other.in_progress() ? 1 : 0;
                                        return running < kImportsAtOnceMax;
                                      }));
        if (running == kImportsAtOnceMax) {
          return fail(errors::limit_exceeded(
              "Subscriber limit exceeded: There is a limit of 50 concurrent imports"));
        }
        VIRGA_TRY(existing, free_name(txn, *table, now));
        if (readable) {
          give_ids(txn, *table);
          put_new_table(txn, existing, *table);
          job.items_id = table->id;
          put = true;
        }
        put_transfer(txn, job);
        return std::optional<Transfer>();
      });
  ctx->depends_on(done.lsn);
  if (!done.result && put) tables_.forget(*table);
  known = co_await std::move(done.result);
  co_await shard_.wait_durable(done.lsn);
  if (put) tables_.forget(*table);
  if (known) {
    description = co_await known->describe<api::ImportTableDescription>();
  } else {
    // The one that everybody gets: who changes it marks it as stale.
    TableRef made;
    if (put) made = co_await tables_.find(table->account, table->region, table->name);
    background_.spawn("dynamodb_import", run_import(std::move(job), std::move(made)));
  }
  output.import_table_description = std::move(description);
  co_return std::move(output);
}

Task<api::DescribeImportOutput> Service::describe_import(Ctx ctx, api::DescribeImportInput input) {
  const auto view = shard_.snapshot();
  const Transfer job =
      co_await transfer_of_arn(*view, *ctx, TransferKind::import_table, input.import_arn);
  api::DescribeImportOutput output;
  output.import_table_description = co_await job.describe<api::ImportTableDescription>();
  co_return std::move(output);
}

Task<api::ListImportsOutput> Service::list_imports(Ctx ctx, api::ListImportsInput input) {
  const TransferQuery query{.kind = TransferKind::import_table,
                            .table_arn = input.table_arn,
                            .table_id = {},
                            .next_token = input.next_token,
                            .limit = input.page_size};
  const auto view = shard_.snapshot();
  const TransferPage page = co_await list_transfer_page(*view, *ctx, query);
  api::ListImportsOutput output;
  auto& summaries = output.import_summary_list.emplace();
  for (const Transfer& job : page.transfers) {
    const auto description = co_await job.describe<api::ImportTableDescription>();
    api::ImportSummary& summary = summaries.emplace_back();
    summary.import_arn = description.import_arn;
    summary.import_status = description.import_status;
    summary.table_arn = description.table_arn;
    summary.s3_bucket_source = description.s3_bucket_source;
    summary.cloud_watch_log_group_arn = description.cloud_watch_log_group_arn;
    summary.input_format = description.input_format;
    summary.start_time = description.start_time;
    summary.end_time = description.end_time;
  }
  output.next_token = page.next_token;
  co_return std::move(output);
}

}  // namespace virga::dynamodb
