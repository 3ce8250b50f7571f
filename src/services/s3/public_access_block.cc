#include "api/s3/delete_public_access_block.h"
#include "api/s3/get_public_access_block.h"
#include "api/s3/put_public_access_block.h"
#include "services/s3/bucket_access.h"
#include "services/s3/configurations.h"
#include "services/s3/errors.h"
#include "services/s3/service.h"

namespace virga::s3 {

// Source: S3 API Reference, PutPublicAccessBlock: a setting that is left out is off.
Task<api::PutPublicAccessBlockOutput> Service::put_public_access_block(
    Ctx ctx, api::PutPublicAccessBlockInput input) {
  const api::PublicAccessBlockConfiguration& wanted = input.public_access_block_configuration;
  if (!wanted.block_public_acls && !wanted.ignore_public_acls && !wanted.block_public_policy &&
      !wanted.restrict_public_buckets) {
    co_return fail(errors::invalid_request("Must specify at least one configuration."));
  }
  const PublicAccessBlock block{
      wanted.block_public_acls.value_or(false), wanted.ignore_public_acls.value_or(false),
      wanted.block_public_policy.value_or(false), wanted.restrict_public_buckets.value_or(false)};
  const auto body = [&](S3Transaction& s3) -> Result<bool> {
    VIRGA_TRY(bucket, s3.bucket(input.bucket));
    store_public_access_block(s3, bucket, block);
    return true;
  };
  const bool done = co_await write(ctx, body);
  ignore(done, "always");
  co_return api::PutPublicAccessBlockOutput{};
}

Task<api::GetPublicAccessBlockOutput> Service::get_public_access_block(
    Ctx ctx, api::GetPublicAccessBlockInput input) {
  const auto view = shard_.snapshot();
  const S3Reader reader(*view);
  const Bucket bucket = co_await reader.bucket(input.bucket);
  const auto block = co_await load_public_access_block(reader, bucket);
  if (!block) {
    co_return fail(errors::make("NoSuchPublicAccessBlockConfiguration", 404,
                                "The public access block configuration was not found", "BucketName",
                                input.bucket));
  }
  api::GetPublicAccessBlockOutput output;
  api::PublicAccessBlockConfiguration& out = output.public_access_block_configuration.emplace();
  out.block_public_acls = block->block_public_acls;
  out.ignore_public_acls = block->ignore_public_acls;
  out.block_public_policy = block->block_public_policy;
  out.restrict_public_buckets = block->restrict_public_buckets;
  co_return std::move(output);
}

Task<api::DeletePublicAccessBlockOutput> Service::delete_public_access_block(
    Ctx ctx, api::DeletePublicAccessBlockInput input) {
  co_await drop_config(ctx, input.bucket, config::kPublicAccessBlock);
  co_return api::DeletePublicAccessBlockOutput{};
}

}  // namespace virga::s3
