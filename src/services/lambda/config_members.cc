#include "services/lambda/config_members.h"

#include "services/lambda/code_package.h"
#include "services/lambda/destinations.h"

namespace virga::lambda {

Result<void> apply_dead_letter(const std::optional<std::string>& target,
                               const ServiceOptions& options, VersionRecord& out) {
  if (!target) return {};
  if (!target->empty()) {
    const TargetKind kind = target_kind(*target);
    if (kind != TargetKind::sqs && kind != TargetKind::sns) {
      return fail(errors::invalid_parameter(
          "The provided dead letter queue target ARN is invalid: " + *target));
    }
    const bool there = options.has_service && options.has_service(target_service(kind));
    VIRGA_TRY_VOID(refuse_unsupported(!there, "The service of the dead-letter target " + *target));
  }
  out.dead_letter_arn = *target;
  return {};
}

Result<void> check_unzipped_total(const VersionRecord& version) {
  uint64_t total = version.code.unzipped_bytes;
  for (const auto& layer : version.layers) total += layer.code.unzipped_bytes;
  if (version.layers.empty() || total <= kUnzippedBytesMax) return {};
  return fail(errors::invalid_parameter(
      "Function code combined with layers exceeds the maximum allowed size of " +
      std::to_string(kUnzippedBytesMax) + " bytes. The actual size is " + std::to_string(total) +
      " bytes."));
}

}  // namespace virga::lambda
