// UpdateFunctionCode and UpdateFunctionConfiguration.
// Source: Lambda API Reference, the pages of these operations.
#include "api/lambda/shapes.h"
#include "api/lambda/update_function_code.h"
#include "api/lambda/update_function_configuration.h"
#include "platform/transact.h"
#include "services/lambda/config_members.h"
#include "services/lambda/errors.h"
#include "services/lambda/render.h"
#include "services/lambda/runtimes.h"
#include "services/lambda/service.h"
#include "services/lambda/settings.h"
#include "services/lambda/support.h"

namespace virga::lambda {
namespace {

template <class T>
bool given(const T& list) {
  return list && !list->empty();
}

Result<void> refuse_what_is_missing(const api::UpdateFunctionConfigurationInput& in) {
  VIRGA_TRY_VOID(refuse_unsupported(in.image_config.has_value(), "ImageConfig"));
  VIRGA_TRY_VOID(refuse_unsupported(given(in.file_system_configs), "FileSystemConfigs"));
  VIRGA_TRY_VOID(
      refuse_unsupported(in.capacity_provider_config.has_value(), "CapacityProviderConfig"));
  VIRGA_TRY_VOID(refuse_unsupported(in.durable_config.has_value(), "DurableConfig"));
  VIRGA_TRY_VOID(refuse_unsupported(in.vpc_config && (given(in.vpc_config->subnet_ids) ||
                                                      given(in.vpc_config->security_group_ids)),
                                    "VpcConfig"));
  return {};
}

// What is given replaces what is there.
Result<void> apply(const api::UpdateFunctionConfigurationInput& in, const ServiceOptions& options,
                   VersionRecord& out) {
  if (in.role) {
    VIRGA_TRY_VOID(check_role(*in.role));
    out.role = *in.role;
  }
  if (in.runtime) {
    VIRGA_TRY_VOID(check_runtime(*in.runtime));
    out.runtime = *in.runtime;
  }
  if (given(in.handler)) out.handler = *in.handler;
  if (in.description) out.description = *in.description;
  if (in.timeout) {
    VIRGA_TRY_VOID(check_timeout(*in.timeout));
    out.timeout_seconds = *in.timeout;
  }
  if (in.memory_size) {
    VIRGA_TRY_VOID(check_memory(*in.memory_size));
    out.memory_mb = *in.memory_size;
  }
  if (in.ephemeral_storage) out.tmp_mb = in.ephemeral_storage->size;
  if (in.environment) {
    out.environment.emplace();
    if (in.environment->variables) {
      VIRGA_TRY_VOID(check_environment(*in.environment->variables));
      out.environment = *in.environment->variables;
    }
  }
  if (in.kms_key_arn) out.kms_key_arn = *in.kms_key_arn;
  if (in.tracing_config) out.tracing_mode = in.tracing_config->mode.value_or(out.tracing_mode);
  if (in.snap_start) out.snap_start = in.snap_start->apply_on.value_or(out.snap_start);
  VIRGA_TRY_VOID(apply_logging(in.logging_config, out));
  if (in.dead_letter_config)
    VIRGA_TRY_VOID(apply_dead_letter(in.dead_letter_config->target_arn, options, out));
  return {};
}

Result<void> check_changeable(const FunctionRecord& record,
                              const std::optional<std::string>& revision, const FunctionName& name,
                              Timestamp now) {
  if (revision && *revision != record.latest.revision_id)
    return fail(errors::function_revision_mismatch());
  if (!is_pending(record.latest, now)) return {};
  if (record.latest.created) return fail(errors::function_pending("Pending"));
  return fail(errors::update_in_progress(name.unqualified_arn()));
}

void stamp(VersionRecord& version, Ctx ctx, const std::string& revision, uint64_t lsn,
           int64_t delay_ms) {
  version.last_modified = ctx->now.at;
  version.revision_id = revision;
  version.generation = lsn;
  version.created = false;
  version.pending_until = delay_ms > 0 ? ctx->now.plus_millis(delay_ms).at : Timestamp{};
}

}  // namespace

Task<api::UpdateFunctionConfigurationOutput> Service::update_function_configuration(
    Ctx ctx, api::UpdateFunctionConfigurationInput input) {
  const auto name = co_await parse_name(ctx, input.function_name);
  co_await must_be_unqualified(name, "");
  co_await refuse_what_is_missing(input);
  if (input.role) co_await must_be_assumable(*input.role);
  std::vector<LayerUse> layers;
  if (given(input.layers)) layers = co_await resolve_layers(ctx, *input.layers);
  const std::string revision = new_revision_id(ctx);
  auto update = [&](storage::Txn& txn) -> Result<FunctionRecord> {
    VIRGA_TRY(record, store::get_function(txn, name));
    VIRGA_TRY_VOID(check_changeable(record, input.revision_id, name, ctx->now.at));
    VIRGA_TRY_VOID(apply(input, options_, record.latest));
    if (input.layers) record.latest.layers = layers;
    VIRGA_TRY_VOID(check_unzipped_total(record.latest));
    stamp(record.latest, ctx, revision, txn.lsn(), options_.lifecycle_delay_ms);
    store::put_function(txn, store::owner_of(name), record);
    return record;
  };
  const auto record = co_await platform::transact(ctx, shard_, std::move(update));
  retire(record.id, record.latest.generation);
  co_return render(record.latest, name.name, name.unqualified_arn(), Moment::updated, ctx->now.at,
                   compute_, name.region, name.partition);
}

Task<api::UpdateFunctionCodeOutput> Service::update_function_code(
    Ctx ctx, api::UpdateFunctionCodeInput input) {
  const auto name = co_await parse_name(ctx, input.function_name);
  co_await must_be_unqualified(name, "");
  co_await refuse_unsupported(input.publish_to.has_value(), "PublishTo");
  const auto owner = store::owner_of(name);
  const auto before = co_await store::get_function(*shard_.snapshot(), name);
  co_await check_changeable(before, input.revision_id, name, ctx->now.at);
  CodeLocation s3{input.s3_bucket, input.s3_key, input.s3_object_version};
  const auto code = co_await code_from(ctx, std::move(input.zip_file), std::move(s3),
                                       input.image_uri.has_value());
  const std::string revision = new_revision_id(ctx);
  const bool dry_run = input.dry_run.value_or(false);
  const bool publish = input.publish.value_or(false);

  struct Changed {
    FunctionRecord record;
    VersionRecord shown;
  };
  auto update = [&](storage::Txn& txn) -> Result<Changed> {
    VIRGA_TRY(record, store::get_function(txn, name));
    VIRGA_TRY_VOID(check_changeable(record, input.revision_id, name, ctx->now.at));
    record.latest.code = code;
    VIRGA_TRY_VOID(check_unzipped_total(record.latest));
    if (given(input.architectures)) record.latest.architecture = input.architectures->front();
    if (dry_run) {
      VersionRecord shown = record.latest;
      return Changed{std::move(record), std::move(shown)};
    }
    stamp(record.latest, ctx, revision, txn.lsn(), options_.lifecycle_delay_ms);
    VersionRecord shown = record.latest;
    if (publish) {
      shown.version = std::to_string(++record.last_version);
      store::put_version(txn, owner, record.id, record.last_version, shown);
    }
    store::put_function(txn, owner, record);
    return Changed{std::move(record), std::move(shown)};
  };
  const auto changed = co_await platform::transact(ctx, shard_, std::move(update));
  if (!dry_run) retire(changed.record.id, changed.record.latest.generation);
  const std::string arn =
      publish && !dry_run ? name.arn_of(changed.shown.version) : name.unqualified_arn();
  co_return render(changed.shown, name.name, arn, dry_run ? Moment::settled : Moment::updated,
                   ctx->now.at, compute_, name.region, name.partition);
}

}  // namespace virga::lambda
