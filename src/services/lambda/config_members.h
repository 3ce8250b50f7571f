#pragma once

#include "base/error.h"
#include "services/lambda/errors.h"
#include "services/lambda/records.h"
#include "services/lambda/service.h"
#include "services/lambda/settings.h"

// Members that CreateFunction and UpdateFunctionConfiguration read alike.
namespace virga::lambda {

// Source: Lambda Developer Guide, "Configuring advanced logging controls for Lambda functions".
template <class Config>
Result<void> apply_logging(const Config& logging, VersionRecord& out) {
  if (!logging) return {};
  if (logging->log_group) out.log_group = *logging->log_group;
  if (logging->log_format) out.log_format = *logging->log_format;
  const bool json = out.log_format == "JSON";
  if (!json && (logging->application_log_level || logging->system_log_level)) {
    return fail(errors::invalid_parameter(
        "ApplicationLogLevel and SystemLogLevel can be set only when LogFormat is JSON."));
  }
  if (!json) {
    out.application_log_level.clear();
    out.system_log_level.clear();
    return {};
  }
  if (logging->application_log_level) out.application_log_level = *logging->application_log_level;
  if (logging->system_log_level) out.system_log_level = *logging->system_log_level;
  if (out.application_log_level.empty()) out.application_log_level = "INFO";
  if (out.system_log_level.empty()) out.system_log_level = "INFO";
  return {};
}

// Source: Lambda Developer Guide, "Adding a dead-letter queue": an SQS queue or an SNS topic.
Result<void> apply_dead_letter(const std::optional<std::string>& target,
                               const ServiceOptions& options, VersionRecord& out);

// Code and layers together. Source: Lambda quotas page, 250 MB unzipped, layers included.
Result<void> check_unzipped_total(const VersionRecord& version);

}  // namespace virga::lambda
