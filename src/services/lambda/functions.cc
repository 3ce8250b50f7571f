// CreateFunction, GetFunction, GetFunctionConfiguration, DeleteFunction, ListFunctions.
// Source: Lambda API Reference, the pages of these operations.
#include "api/lambda/create_function.h"
#include "api/lambda/delete_function.h"
#include "api/lambda/get_function.h"
#include "api/lambda/get_function_configuration.h"
#include "api/lambda/list_functions.h"
#include "api/lambda/shapes.h"
#include "platform/transact.h"
#include "services/lambda/config_members.h"
#include "services/lambda/errors.h"
#include "services/lambda/render.h"
#include "services/lambda/runtimes.h"
#include "services/lambda/service.h"
#include "services/lambda/settings.h"
#include "services/lambda/support.h"
#include "services/lambda/url_store.h"

namespace virga::lambda {
namespace {

template <class T>
bool given(const T& list) {
  return list && !list->empty();
}

// What a function may ask for and this release does not do.
Result<void> refuse_what_is_missing(const api::CreateFunctionInput& in) {
  VIRGA_TRY_VOID(refuse_unsupported(in.package_type.value_or("Zip") == "Image" ||
                                        given(in.code.image_uri) || in.image_config.has_value(),
                                    "PackageType Image"));
  VIRGA_TRY_VOID(refuse_unsupported(given(in.file_system_configs), "FileSystemConfigs"));
  VIRGA_TRY_VOID(refuse_unsupported(given(in.code_signing_config_arn), "CodeSigningConfigArn"));
  VIRGA_TRY_VOID(
      refuse_unsupported(in.capacity_provider_config.has_value(), "CapacityProviderConfig"));
  VIRGA_TRY_VOID(refuse_unsupported(in.durable_config.has_value(), "DurableConfig"));
  VIRGA_TRY_VOID(refuse_unsupported(in.tenancy_config.has_value(), "TenancyConfig"));
  VIRGA_TRY_VOID(refuse_unsupported(in.publish_to.has_value(), "PublishTo"));
  VIRGA_TRY_VOID(refuse_unsupported(in.vpc_config && (given(in.vpc_config->subnet_ids) ||
                                                      given(in.vpc_config->security_group_ids)),
                                    "VpcConfig"));
  return {};
}

Result<VersionRecord> settings_from(const api::CreateFunctionInput& in, const std::string& name,
                                    const ServiceOptions& options) {
  VIRGA_TRY_VOID(refuse_what_is_missing(in));
  VIRGA_TRY_VOID(check_role(in.role));
  VersionRecord out;
  out.role = in.role;
  out.runtime = in.runtime.value_or("");
  out.handler = in.handler.value_or("");
  VIRGA_TRY_VOID(check_handler_and_runtime(out.handler, out.runtime));
  out.description = in.description.value_or("");
  out.timeout_seconds = in.timeout.value_or(3);
  VIRGA_TRY_VOID(check_timeout(out.timeout_seconds));
  out.memory_mb = in.memory_size.value_or(128);
  VIRGA_TRY_VOID(check_memory(out.memory_mb));
  if (in.ephemeral_storage) out.tmp_mb = in.ephemeral_storage->size;
  if (in.environment && in.environment->variables) {
    VIRGA_TRY_VOID(check_environment(*in.environment->variables));
    out.environment = *in.environment->variables;
  }
  if (in.tags) VIRGA_TRY_VOID(check_tags(*in.tags));
  out.kms_key_arn = in.kms_key_arn.value_or("");
  if (in.tracing_config) out.tracing_mode = in.tracing_config->mode.value_or("PassThrough");
  if (given(in.architectures)) out.architecture = in.architectures->front();
  if (in.snap_start) out.snap_start = in.snap_start->apply_on.value_or("None");
  out.log_group = "/aws/lambda/" + name;
  VIRGA_TRY_VOID(apply_logging(in.logging_config, out));
  if (in.dead_letter_config)
    VIRGA_TRY_VOID(apply_dead_letter(in.dead_letter_config->target_arn, options, out));
  return out;
}

}  // namespace

Task<CodeRecord> Service::code_from(Ctx ctx, std::optional<std::string> zip, CodeLocation s3,
                                    bool image) {
  co_await refuse_unsupported(image, "ImageUri");
  if (zip && s3.given()) {
    co_return fail(errors::invalid_parameter(
        "Please do not provide other FunctionCode parameters when providing a ZipFile."));
  }
  if (s3.given()) zip = co_await zip_from_s3(ctx, std::move(s3));
  if (!zip) co_return fail(errors::invalid_parameter("Please provide a source for function code."));
  auto record = co_await code_.put(std::move(*zip));
  co_return record;
}

Task<api::CreateFunctionOutput> Service::create_function(Ctx ctx, api::CreateFunctionInput input) {
  const auto name = co_await parse_name(ctx, input.function_name);
  // No policy lets anybody make functions in an account of others, not in open mode either: a
  // function that is not there has none.
  if (name.account != ctx->account) {
    co_return fail("AccessDeniedException", 403,
                   "User: " + ctx->principal.arn +
                       " is not authorized to perform: lambda:CreateFunction on resource: " +
                       name.unqualified_arn() +
                       " because no resource-based policy allows the lambda:CreateFunction action");
  }
  auto settings = co_await settings_from(input, name.name, options_);
  const auto owner = store::owner_of(name);
  if (given(input.layers)) settings.layers = co_await resolve_layers(ctx, *input.layers);
  // Before the code is unpacked, which is dear; decided again below.
  const auto existing = co_await store::find_function(*shard_.snapshot(), owner, name.name);
  if (existing) co_return fail(errors::function_exists(name.name));
  co_await must_be_assumable(settings.role);
  CodeLocation s3{input.code.s3_bucket, input.code.s3_key, input.code.s3_object_version};
  settings.code = co_await code_from(ctx, std::move(input.code.zip_file), std::move(s3),
                                     input.code.image_uri.has_value());
  co_await check_unzipped_total(settings);
  settings.last_modified = ctx->now.at;
  settings.revision_id = new_revision_id(ctx);
  settings.created = true;
  if (options_.lifecycle_delay_ms > 0)
    settings.pending_until = ctx->now.plus_millis(options_.lifecycle_delay_ms).at;
  const bool publish = input.publish.value_or(false);

  auto create = [&](storage::Txn& txn) -> Result<VersionRecord> {
    VIRGA_TRY(found, store::find_function(txn, owner, name.name));
    if (found) return fail(errors::function_exists(name.name));
    FunctionRecord record{.id = txn.new_object_id(), .name = name.name, .latest = settings};
    record.latest.generation = txn.lsn();
    if (input.tags) record.tags = *input.tags;
    VersionRecord shown = record.latest;
    if (publish) {
      record.last_version = 1;
      shown.version = "1";
      store::put_version(txn, owner, record.id, 1, shown);
    }
    store::put_function(txn, owner, record);
    return shown;
  };
  const auto made = co_await platform::transact(ctx, shard_, std::move(create));
  home_.post([this, runtime = made.runtime] { compute_.prepare(runtime); });
  const std::string arn = publish ? name.arn_of("1") : name.unqualified_arn();
  co_return render(made, name.name, arn, Moment::created, ctx->now.at, compute_, name.region,
                   name.partition);
}

Task<api::GetFunctionConfigurationOutput> Service::get_function_configuration(
    Ctx ctx, api::GetFunctionConfigurationInput input) {
  const auto name = co_await parse_name(ctx, input.function_name, input.qualifier);
  const auto found = co_await store::resolve(*shard_.snapshot(), name, 1.0);
  co_return render(found.version, name.name, name.arn(), Moment::settled, ctx->now.at, compute_,
                   name.region, name.partition);
}

Task<api::GetFunctionOutput> Service::get_function(Ctx ctx, api::GetFunctionInput input) {
  const auto name = co_await parse_name(ctx, input.function_name, input.qualifier);
  const auto found = co_await store::resolve(*shard_.snapshot(), name, 1.0);
  api::GetFunctionOutput out;
  out.configuration = render(found.version, name.name, name.arn(), Moment::settled, ctx->now.at,
                             compute_, name.region, name.partition);
  auto& code = out.code.emplace();
  code.repository_type = "S3";
  code.location =
      downloads_.url(ctx->endpoint, found.version.code.sha256_hex, ctx->env->wall.now());
  if (!found.function.tags.empty()) out.tags = found.function.tags;
  if (found.function.reserved_concurrency) {
    out.concurrency.emplace().reserved_concurrent_executions = *found.function.reserved_concurrency;
  }
  co_return out;
}

Task<api::DeleteFunctionOutput> Service::delete_function(Ctx ctx, api::DeleteFunctionInput input) {
  const auto name = co_await parse_name(ctx, input.function_name, input.qualifier);
  if (name.qualifier == kLatest) {
    co_return fail(errors::invalid_parameter(
        "$LATEST version cannot be deleted without deleting the function."));
  }
  if (!name.qualifier.empty() && !is_version(name.qualifier)) {
    co_return fail(errors::invalid_parameter("Deletion of aliases is not currently supported."));
  }
  const auto owner = store::owner_of(name);
  auto erase = [&](storage::Txn& txn) -> Result<uint64_t> {
    VIRGA_TRY(record, store::get_function(txn, name));
    if (name.qualifier.empty()) {
      if (record.reserved_concurrency) {
        VIRGA_TRY(total, store::reserved_total(txn, owner));
        store::put_account_reserved(txn, owner, total - *record.reserved_concurrency);
      }
      VIRGA_TRY(urls, store::list_urls(txn, owner, record.id));
      for (const auto& url : urls) store::erase_url(txn, owner, record.id, url);
      store::erase_function(txn, owner, record);
      return record.id;
    }
    const auto number = static_cast<uint64_t>(std::stoull(name.qualifier));
    VIRGA_TRY(version, store::find_version(txn, owner, record.id, number));
    if (!version) return record.id;  // as AWS: deleting what is not there succeeds
    VIRGA_TRY(aliases, store::list_aliases(txn, owner, record.id, "", SIZE_MAX));
    for (const auto& alias : aliases) {
      if (alias.version == name.qualifier || alias.weights.contains(name.qualifier)) {
        return fail(errors::resource_conflict("Version " + name.qualifier +
                                              " is referenced by alias " + alias.name +
                                              " and cannot be deleted."));
      }
    }
    store::erase_version(txn, owner, record.id, number);
    store::erase_provisioned(txn, owner, record.id, name.qualifier);
    return record.id;
  };
  const uint64_t id = co_await platform::transact(ctx, shard_, std::move(erase));
  if (name.qualifier.empty()) {
    retire_all(id);
  } else {
    retire_version(id, name.qualifier);
  }
  api::DeleteFunctionOutput out;
  out.status_code = 204;
  co_return out;
}

Task<api::ListFunctionsOutput> Service::list_functions(Ctx ctx, api::ListFunctionsInput input) {
  const store::Owner owner{ctx->account, ctx->region};
  const auto after = co_await read_marker("functions", input.marker);
  const size_t limit = page_size(input.max_items);
  const bool all_versions = input.function_version.has_value();
  const auto view = shard_.snapshot();
  // With all versions each function gives one row per version; a page then ends between functions.
  const auto records = co_await store::list_functions(*view, owner, after, limit + 1);
  api::ListFunctionsOutput out;
  auto& rows = out.functions.emplace();
  std::string last;
  for (const auto& record : records) {
    if (rows.size() >= limit) {
      out.next_marker = make_marker("functions", last);
      break;
    }
    FunctionName name{.account = owner.account,
                      .region = owner.region,
                      .partition = ctx->partition,
                      .name = record.name};
    auto add = [&](const VersionRecord& version, const std::string& arn) {
      auto row = render(version, name.name, arn, Moment::settled, ctx->now.at, compute_,
                        name.region, name.partition);
      // Lists leave the state out. Source: ListFunctions: "does not return the State,
      // StateReasonCode, …".
      row.state.reset();
      row.state_reason.reset();
      row.state_reason_code.reset();
      row.last_update_status.reset();
      row.last_update_status_reason.reset();
      row.last_update_status_reason_code.reset();
      row.runtime_version_config.reset();
      rows.push_back(std::move(row));
    };
    if (!all_versions) {
      add(record.latest, name.unqualified_arn());
    } else {
      add(record.latest, name.arn_of(kLatest));
      const auto versions = co_await store::list_versions(*view, owner, record.id, 0, SIZE_MAX);
      for (const auto& version : versions) add(version, name.arn_of(version.version));
    }
    last = record.name;
  }
  co_return out;
}

}  // namespace virga::lambda
