#include "api/s3/restore_object.h"

#include "services/s3/enum_values.h"
#include "services/s3/errors.h"
#include "services/s3/lifecycle.h"
#include "services/s3/object_access.h"
#include "services/s3/service.h"

namespace virga::s3 {
namespace {

// Ours: the date stays one with four digits for its year, which is all that clients read.
constexpr int32_t kRestoreDaysMax = 36'500;

constexpr int64_t kDay = 24 * 3'600'000;  // milliseconds

struct Restoration {
  int32_t days = 0;
  std::string tier;
};

Result<Restoration> wanted_restoration(const api::RestoreObjectInput& input) {
  if (!input.restore_request) return fail(errors::malformed_xml());
  const api::RestoreRequest& request = *input.restore_request;
  if (request.type || request.select_parameters || request.output_location) {
    return fail(
        errors::make("NotImplemented", 501,
                     "NotImplemented: s3 RestoreObject with Type is not implemented by Virga."));
  }
  VIRGA_TRY_VOID(check_enum_values(request));
  if (!request.days) return fail(errors::malformed_xml());
  if (*request.days < 1 || *request.days > kRestoreDaysMax) {
    return fail(errors::invalid_argument(*request.days < 1
                                             ? "Restoration days must be a positive integer"
                                             : "Restoration days are too many",
                                         "Days", std::to_string(*request.days)));
  }
  Restoration out{.days = *request.days, .tier = "Standard"};
  if (request.tier) out.tier = *request.tier;
  if (request.glacier_job_parameters) out.tier = request.glacier_job_parameters->tier;
  return out;
}

Result<void> check_class(const ObjectVersion& object, const Restoration& wanted) {
  const std::string& storage_class = object.headers.storage_class;
  if (!is_archived(object)) {
    return fail(errors::make("InvalidObjectState", 403,
                             "Restore is not allowed for the object's current storage class",
                             "StorageClass", storage_class));
  }
  if (storage_class == "DEEP_ARCHIVE" && wanted.tier == "Expedited") {
    return fail(errors::invalid_argument("Retrieval option is not supported by this storage class",
                                         "Tier", wanted.tier));
  }
  return {};
}

}  // namespace

// A restoration is done when it is answered, whatever its tier, and lasts until a midnight (UTC); a
// repeated one changes how long. Source: S3 API Reference, RestoreObject; S3 User Guide, "Restoring
// an archived object". DIFFERS: nobody has to wait for hours.
Task<api::RestoreObjectOutput> Service::restore_object(Ctx ctx, api::RestoreObjectInput input) {
  const Restoration wanted = co_await wanted_restoration(input);
  const Timestamp now = ctx->now.at;
  const auto body = [&](S3Transaction& s3) -> Result<bool> {
    VIRGA_TRY(bucket, open_bucket(s3, input.bucket, input.expected_bucket_owner));
    VIRGA_TRY(object, find_object(s3, bucket, input.key, input.version_id, "POST"));
    VIRGA_TRY_VOID(check_class(object, wanted));
    const bool repeated = !is_out_of_reach(object, now);
    object.restored_until_millis = next_midnight_millis(now.millis() + wanted.days * kDay);
    VIRGA_TRY_VOID(s3.update(bucket, object));
    if (repeated) return true;
    for (const char* event : {"ObjectRestore:Post", "ObjectRestore:Completed"}) {
      VIRGA_TRY_VOID(notifications_.publish(s3, *ctx, bucket, object_event(event, bucket, object)));
    }
    return false;
  };
  const bool repeated = co_await write(ctx, body);
  api::RestoreObjectOutput output;
  output.status_code = repeated ? 200 : 202;
  co_return std::move(output);
}

}  // namespace virga::s3
