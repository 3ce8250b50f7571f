#include "services/lambda/render.h"

#include "api/lambda/enums.h"
#include "api/lambda/shapes.h"
#include "services/lambda/settings.h"

namespace virga::lambda {
namespace {

void render_state(api::FunctionConfiguration& out, const VersionRecord& version, Moment moment,
                  Timestamp now) {
  const bool pending = is_pending(version, now);
  const bool creating =
      moment == Moment::created || (moment == Moment::settled && pending && version.created);
  const bool updating =
      moment == Moment::updated || (moment == Moment::settled && pending && !version.created);
  if (creating) {
    out.state = "Pending";
    out.state_reason = "The function is being created.";
    out.state_reason_code = "Creating";
    if (moment == Moment::settled) out.last_update_status = "InProgress";
    return;
  }
  out.state = "Active";
  out.last_update_status = updating ? "InProgress" : "Successful";
  if (updating) {
    out.last_update_status_reason = "The function is being created.";
    out.last_update_status_reason_code = "Creating";
  }
}

}  // namespace

bool is_pending(const VersionRecord& version, Timestamp now) {
  return now < version.pending_until;
}

std::string runtime_version_arn(const Compute::RuntimeVersion& runtime, const std::string& region,
                                const std::string& partition) {
  return "arn:" + partition + ":lambda:" + region + "::runtime:" + runtime.hash;
}

api::FunctionConfiguration render(const VersionRecord& version, const std::string& function_name,
                                  const std::string& arn, Moment moment, Timestamp now,
                                  const Compute& compute, const std::string& region,
                                  const std::string& partition) {
  api::FunctionConfiguration out;
  out.function_name = function_name;
  out.function_arn = arn;
  out.runtime = version.runtime;
  out.role = version.role;
  out.handler = version.handler;
  out.code_size = static_cast<int64_t>(version.code.zip_bytes);
  out.description = version.description;
  out.timeout = version.timeout_seconds;
  out.memory_size = version.memory_mb;
  out.last_modified = format_last_modified(version.last_modified);
  out.code_sha256 = version.code.sha256_base64;
  out.version = version.version;
  if (version.environment) out.environment.emplace().variables = *version.environment;
  if (!version.kms_key_arn.empty()) out.kms_key_arn = version.kms_key_arn;
  out.tracing_config.emplace().mode = version.tracing_mode;
  out.revision_id = version.revision_id;
  render_state(out, version, moment, now);
  out.package_type = "Zip";
  out.architectures = std::vector<std::string>{version.architecture};
  out.ephemeral_storage.emplace().size = version.tmp_mb;
  auto& snap = out.snap_start.emplace();
  snap.apply_on = version.snap_start;
  snap.optimization_status = "Off";
  if (const auto runtime = compute.runtime_version(version.runtime)) {
    out.runtime_version_config.emplace().runtime_version_arn =
        runtime_version_arn(*runtime, region, partition);
  }
  if (!version.layers.empty()) {
    auto& layers = out.layers.emplace();
    for (const auto& use : version.layers) {
      auto& layer = layers.emplace_back();
      layer.arn = use.arn;
      layer.code_size = static_cast<int64_t>(use.code.zip_bytes);
    }
  }
  if (!version.dead_letter_arn.empty())
    out.dead_letter_config.emplace().target_arn = version.dead_letter_arn;
  auto& logging = out.logging_config.emplace();
  logging.log_format = version.log_format;
  logging.log_group = version.log_group;
  if (version.log_format == "JSON") {
    logging.application_log_level = version.application_log_level;
    logging.system_log_level = version.system_log_level;
  }
  return out;
}

api::AliasConfiguration render(const AliasRecord& alias, const FunctionName& function) {
  api::AliasConfiguration out;
  out.alias_arn = function.arn_of(alias.name);
  out.name = alias.name;
  out.function_version = alias.version;
  out.description = alias.description;
  if (!alias.weights.empty())
    out.routing_config.emplace().additional_version_weights = alias.weights;
  out.revision_id = alias.revision_id;
  return out;
}

api::FunctionEventInvokeConfig render(const EventInvokeRecord& record,
                                      const FunctionName& function) {
  api::FunctionEventInvokeConfig out;
  out.last_modified = record.last_modified;
  out.function_arn = function.arn_of(record.qualifier);
  if (record.retry_attempts) out.maximum_retry_attempts = *record.retry_attempts;
  if (record.event_age_seconds) out.maximum_event_age_in_seconds = *record.event_age_seconds;
  auto& destinations = out.destination_config.emplace();
  auto& success = destinations.on_success.emplace();
  if (!record.on_success.empty()) success.destination = record.on_success;
  auto& failure = destinations.on_failure.emplace();
  if (!record.on_failure.empty()) failure.destination = record.on_failure;
  return out;
}

}  // namespace virga::lambda
