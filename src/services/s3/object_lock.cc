#include "api/s3/get_object_legal_hold.h"
#include "api/s3/get_object_retention.h"
#include "api/s3/put_object_legal_hold.h"
#include "api/s3/put_object_retention.h"
#include "services/s3/errors.h"
#include "services/s3/object_access.h"
#include "services/s3/service.h"

// What keeps a version from being deleted. Source: S3 API Reference, PutObjectRetention,
// GetObjectRetention, PutObjectLegalHold, GetObjectLegalHold; S3 User Guide, "Locking objects with
// Object Lock".
namespace virga::s3 {
namespace {

AwsError no_lock_configuration() {
  return errors::make("NoSuchObjectLockConfiguration", 404,
                      "The specified object does not have a ObjectLock configuration");
}

Result<void> must_lock(const Bucket& bucket) {
  if (bucket.object_lock) return {};
  return fail(errors::invalid_request("Bucket is missing Object Lock Configuration"));
}

// A retention that still runs is only made longer, unless it is GOVERNANCE's and the caller may
// pass over it.
Result<void> change_retention(ObjectVersion& object, const std::string& mode, int64_t until_millis,
                              int64_t now_millis, bool bypass) {
  const bool running = !object.lock_mode.empty() && object.retain_until_millis > now_millis;
  const bool weaker = mode != object.lock_mode || until_millis < object.retain_until_millis;
  const bool may_weaken = object.lock_mode == "GOVERNANCE" && bypass;
  if (running && weaker && !may_weaken) {
    return fail(errors::make("AccessDenied", 403,
                             "Access Denied because object protected by object lock."));
  }
  object.lock_mode = mode;
  object.retain_until_millis = until_millis;
  return {};
}

}  // namespace

Task<api::PutObjectRetentionOutput> Service::put_object_retention(
    Ctx ctx, api::PutObjectRetentionInput input) {
  std::string mode;
  int64_t until = 0;
  if (input.retention) {
    const bool both =
        input.retention->mode.has_value() == input.retention->retain_until_date.has_value();
    mode = input.retention->mode.value_or("");
    if (!both || (!mode.empty() && mode != "GOVERNANCE" && mode != "COMPLIANCE"))
      co_return fail(errors::malformed_xml());
    if (input.retention->retain_until_date) until = input.retention->retain_until_date->millis();
    if (!mode.empty() && until <= ctx->now.at.millis()) {
      co_return fail(errors::invalid_argument("The retain until date must be in the future!",
                                              "RetainUntilDate",
                                              format_iso8601(*input.retention->retain_until_date)));
    }
  }
  const bool bypass = input.bypass_governance_retention.value_or(false);
  const int64_t now = ctx->now.at.millis();
  ObjectName name{input.bucket, input.key, input.version_id, input.expected_bucket_owner, {}};
  const auto edit = [&](const Bucket& bucket, ObjectVersion& object) -> Result<void> {
    VIRGA_TRY_VOID(must_lock(bucket));
    return change_retention(object, mode, until, now, bypass);
  };
  const ObjectVersion object = co_await edit_object(ctx, std::move(name), edit);
  ignore(object, "nothing of it is answered");
  co_return api::PutObjectRetentionOutput{};
}

Task<api::GetObjectRetentionOutput> Service::get_object_retention(
    Ctx ctx, api::GetObjectRetentionInput input) {
  const auto view = shard_.snapshot();
  const S3Reader s3(*view);
  const Bucket bucket = co_await open_bucket(s3, input.bucket, input.expected_bucket_owner);
  co_await must_lock(bucket);
  const ObjectVersion object = co_await find_object(s3, bucket, input.key, input.version_id, "GET");
  if (object.lock_mode.empty()) co_return fail(no_lock_configuration());
  api::GetObjectRetentionOutput output;
  auto& retention = output.retention.emplace();
  retention.mode = object.lock_mode;
  retention.retain_until_date = Timestamp::from_millis(object.retain_until_millis);
  co_return std::move(output);
}

Task<api::PutObjectLegalHoldOutput> Service::put_object_legal_hold(
    Ctx ctx, api::PutObjectLegalHoldInput input) {
  const std::string status = input.legal_hold ? input.legal_hold->status.value_or("") : "";
  if (status != "ON" && status != "OFF") co_return fail(errors::malformed_xml());
  ObjectName name{input.bucket, input.key, input.version_id, input.expected_bucket_owner, {}};
  const auto edit = [&](const Bucket& bucket, ObjectVersion& object) -> Result<void> {
    VIRGA_TRY_VOID(must_lock(bucket));
    object.legal_hold = status == "ON" ? LegalHold::on : LegalHold::off;
    return {};
  };
  const ObjectVersion object = co_await edit_object(ctx, std::move(name), edit);
  ignore(object, "nothing of it is answered");
  co_return api::PutObjectLegalHoldOutput{};
}

Task<api::GetObjectLegalHoldOutput> Service::get_object_legal_hold(
    Ctx ctx, api::GetObjectLegalHoldInput input) {
  const auto view = shard_.snapshot();
  const S3Reader s3(*view);
  const Bucket bucket = co_await open_bucket(s3, input.bucket, input.expected_bucket_owner);
  co_await must_lock(bucket);
  const ObjectVersion object = co_await find_object(s3, bucket, input.key, input.version_id, "GET");
  api::GetObjectLegalHoldOutput output;
  if (object.legal_hold == LegalHold::never_set) co_return fail(no_lock_configuration());
  output.legal_hold.emplace().status = object.legal_hold == LegalHold::on ? "ON" : "OFF";
  co_return std::move(output);
}

}  // namespace virga::s3
