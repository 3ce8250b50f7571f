#include "api/s3/delete_bucket_replication.h"
#include "api/s3/get_bucket_replication.h"
#include "services/s3/errors.h"
#include "services/s3/service.h"

namespace virga::s3 {

// What infrastructure tools read on every refresh of a bucket: none replicates.
// Source: S3 API Reference, GetBucketReplication.
Task<api::GetBucketReplicationOutput> Service::get_bucket_replication(
    Ctx, api::GetBucketReplicationInput input) {
  const Bucket bucket = co_await bucket_named(input.bucket);
  co_return fail(errors::make("ReplicationConfigurationNotFoundError", 404,
                              "The replication configuration was not found", "BucketName",
                              bucket.name));
}

Task<api::DeleteBucketReplicationOutput> Service::delete_bucket_replication(
    Ctx, api::DeleteBucketReplicationInput input) {
  const Bucket bucket = co_await bucket_named(input.bucket);
  ignore(bucket, "it has to be there");
  co_return api::DeleteBucketReplicationOutput();
}

}  // namespace virga::s3
