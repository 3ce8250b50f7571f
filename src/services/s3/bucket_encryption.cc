#include "api/s3/delete_bucket_encryption.h"
#include "api/s3/get_bucket_encryption.h"
#include "api/s3/put_bucket_encryption.h"
#include "services/s3/configurations.h"
#include "services/s3/errors.h"
#include "services/s3/service.h"

namespace virga::s3 {
namespace {

// Every bucket encrypts with S3's own keys unless told otherwise. Source: S3 User Guide, "Setting
// default server-side encryption behavior for Amazon S3 buckets".
api::ServerSideEncryptionConfiguration default_encryption() {
  api::ServerSideEncryptionConfiguration out;
  api::ServerSideEncryptionRule& rule = out.rules.emplace_back();
  rule.apply_server_side_encryption_by_default.emplace().sse_algorithm = "AES256";
  rule.bucket_key_enabled = false;
  return out;
}

Result<void> check_encryption(const api::ServerSideEncryptionConfiguration& configuration) {
  if (configuration.rules.size() != 1) return fail(errors::malformed_xml());
  const api::ServerSideEncryptionRule& rule = configuration.rules.front();
  if (!rule.apply_server_side_encryption_by_default) return fail(errors::malformed_xml());
  const api::ServerSideEncryptionByDefault& chosen = *rule.apply_server_side_encryption_by_default;
  const bool kms = chosen.sse_algorithm == "aws:kms" || chosen.sse_algorithm == "aws:kms:dsse";
  if (!kms && chosen.sse_algorithm != "AES256") return fail(errors::malformed_xml());
  if (!kms && chosen.kms_master_key_id) {
    return fail(
        errors::invalid_argument("a KMSMasterKeyID is not applicable if the default sse algorithm "
                                 "is not aws:kms or aws:kms:dsse",
                                 "ApplyServerSideEncryptionByDefault", chosen.sse_algorithm));
  }
  return {};
}

}  // namespace

Task<api::PutBucketEncryptionOutput> Service::put_bucket_encryption(
    Ctx ctx, api::PutBucketEncryptionInput input) {
  co_await check_encryption(input.server_side_encryption_configuration);
  api::ServerSideEncryptionRule& rule = input.server_side_encryption_configuration.rules.front();
  if (!rule.bucket_key_enabled) rule.bucket_key_enabled = false;
  co_await set_config(ctx, input.bucket, config::kEncryption,
                      encode_config(input.server_side_encryption_configuration));
  co_return api::PutBucketEncryptionOutput{};
}

Task<api::GetBucketEncryptionOutput> Service::get_bucket_encryption(
    Ctx ctx, api::GetBucketEncryptionInput input) {
  const auto bytes = co_await config_of(input.bucket, config::kEncryption);
  api::GetBucketEncryptionOutput output;
  output.server_side_encryption_configuration = default_encryption();
  if (bytes) {
    output.server_side_encryption_configuration =
        co_await decode_config<api::ServerSideEncryptionConfiguration>(*bytes);
  }
  co_return std::move(output);
}

// Back to the default.
Task<api::DeleteBucketEncryptionOutput> Service::delete_bucket_encryption(
    Ctx ctx, api::DeleteBucketEncryptionInput input) {
  co_await drop_config(ctx, input.bucket, config::kEncryption);
  co_return api::DeleteBucketEncryptionOutput{};
}

}  // namespace virga::s3
