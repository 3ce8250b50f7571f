#pragma once

#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "api/s3/handlers.h"
#include "async/offload.h"
#include "async/task.h"
#include "async/wait.h"
#include "platform/durable_timers.h"
#include "services/s3/access_control.h"
#include "services/s3/acl.h"
#include "services/s3/content.h"
#include "services/s3/named_configurations.h"
#include "services/s3/notifications.h"
#include "services/s3/owners.h"
#include "services/s3/s3_store.h"
#include "storage/blob_store.h"
#include "storage/shard.h"

namespace virga::s3 {

// Where an object goes, and what must hold there.
struct Placement {
  std::string bucket;
  std::optional<std::string> if_match, if_none_match;
  std::string event = "ObjectCreated:Put";  // what it is announced as
};
struct Placed {
  ObjectVersion object;
  Versioning versioning = Versioning::off;
  std::optional<std::string> expiration;  // as x-amz-expiration says it
};

struct ObjectName {
  std::string bucket;
  std::string key;
  std::optional<std::string> version_id;
  std::optional<std::string> expected_owner;
  std::string_view event;  // what a change of it is announced as; empty: it is not
};

// Where a part of an upload goes, and how it is kept.
struct PartTarget {
  Bucket bucket;
  Upload upload;
  int32_t number = 0;
  aws::ChecksumAlgorithm kept = aws::ChecksumAlgorithm::crc64nvme;
  std::optional<CustomerKey> key;
};

// S3: buckets, objects and their versions, uploads in parts. Constructed by server/; any loop may
// call.
class Service final : public api::Handlers {
 public:
  Service(storage::Shard& shard, storage::BlobStore& blobs, async::Env& env, async::Pool& pool,
          const Owners& owners, Notifications& notifications, AccessControl& access,
          platform::DurableTimers& timers)
      : shard_(shard),
        blobs_(blobs),
        env_(env),
        pool_(pool),
        owners_(owners),
        notifications_(notifications),
        access_(access),
        timers_(timers) {
    keep_lifecycles();
  }

  // housekeeping.cc: on the loop that made the service; stop() before it goes.
  void start();
  Task<void> stop();

  // buckets.cc
  Task<api::CreateBucketOutput> create_bucket(Ctx ctx, api::CreateBucketInput input) override;
  Task<api::HeadBucketOutput> head_bucket(Ctx ctx, api::HeadBucketInput input) override;
  Task<api::DeleteBucketOutput> delete_bucket(Ctx ctx, api::DeleteBucketInput input) override;
  Task<api::ListBucketsOutput> list_buckets(Ctx ctx, api::ListBucketsInput input) override;
  Task<api::GetBucketLocationOutput> get_bucket_location(
      Ctx ctx, api::GetBucketLocationInput input) override;
  // bucket_notification.cc
  Task<api::PutBucketNotificationConfigurationOutput> put_bucket_notification_configuration(
      Ctx ctx, api::PutBucketNotificationConfigurationInput input) override;
  Task<api::GetBucketNotificationConfigurationOutput> get_bucket_notification_configuration(
      Ctx ctx, api::GetBucketNotificationConfigurationInput input) override;
  // list_objects.cc, list_object_versions.cc
  Task<api::ListObjectsOutput> list_objects(Ctx ctx, api::ListObjectsInput input) override;
  Task<api::ListObjectsV2Output> list_objects_v2(Ctx ctx, api::ListObjectsV2Input input) override;
  Task<api::ListObjectVersionsOutput> list_object_versions(
      Ctx ctx, api::ListObjectVersionsInput input) override;
  // bucket_tagging.cc, bucket_versioning.cc, bucket_cors.cc, bucket_encryption.cc
  Task<api::PutBucketTaggingOutput> put_bucket_tagging(Ctx ctx,
                                                       api::PutBucketTaggingInput input) override;
  Task<api::GetBucketTaggingOutput> get_bucket_tagging(Ctx ctx,
                                                       api::GetBucketTaggingInput input) override;
  Task<api::DeleteBucketTaggingOutput> delete_bucket_tagging(
      Ctx ctx, api::DeleteBucketTaggingInput input) override;
  Task<api::PutBucketVersioningOutput> put_bucket_versioning(
      Ctx ctx, api::PutBucketVersioningInput input) override;
  Task<api::GetBucketVersioningOutput> get_bucket_versioning(
      Ctx ctx, api::GetBucketVersioningInput input) override;
  Task<api::PutBucketCorsOutput> put_bucket_cors(Ctx ctx, api::PutBucketCorsInput input) override;
  Task<api::GetBucketCorsOutput> get_bucket_cors(Ctx ctx, api::GetBucketCorsInput input) override;
  Task<api::DeleteBucketCorsOutput> delete_bucket_cors(Ctx ctx,
                                                       api::DeleteBucketCorsInput input) override;
  Task<api::PutBucketEncryptionOutput> put_bucket_encryption(
      Ctx ctx, api::PutBucketEncryptionInput input) override;
  Task<api::GetBucketEncryptionOutput> get_bucket_encryption(
      Ctx ctx, api::GetBucketEncryptionInput input) override;
  Task<api::DeleteBucketEncryptionOutput> delete_bucket_encryption(
      Ctx ctx, api::DeleteBucketEncryptionInput input) override;
  // bucket_policies.cc, public_access_block.cc, ownership_controls.cc, acls.cc
  Task<api::PutBucketPolicyOutput> put_bucket_policy(Ctx ctx,
                                                     api::PutBucketPolicyInput input) override;
  Task<api::GetBucketPolicyOutput> get_bucket_policy(Ctx ctx,
                                                     api::GetBucketPolicyInput input) override;
  Task<api::DeleteBucketPolicyOutput> delete_bucket_policy(
      Ctx ctx, api::DeleteBucketPolicyInput input) override;
  Task<api::GetBucketPolicyStatusOutput> get_bucket_policy_status(
      Ctx ctx, api::GetBucketPolicyStatusInput input) override;
  Task<api::PutPublicAccessBlockOutput> put_public_access_block(
      Ctx ctx, api::PutPublicAccessBlockInput input) override;
  Task<api::GetPublicAccessBlockOutput> get_public_access_block(
      Ctx ctx, api::GetPublicAccessBlockInput input) override;
  Task<api::DeletePublicAccessBlockOutput> delete_public_access_block(
      Ctx ctx, api::DeletePublicAccessBlockInput input) override;
  Task<api::PutBucketOwnershipControlsOutput> put_bucket_ownership_controls(
      Ctx ctx, api::PutBucketOwnershipControlsInput input) override;
  Task<api::GetBucketOwnershipControlsOutput> get_bucket_ownership_controls(
      Ctx ctx, api::GetBucketOwnershipControlsInput input) override;
  Task<api::DeleteBucketOwnershipControlsOutput> delete_bucket_ownership_controls(
      Ctx ctx, api::DeleteBucketOwnershipControlsInput input) override;
  Task<api::PutBucketAclOutput> put_bucket_acl(Ctx ctx, api::PutBucketAclInput input) override;
  Task<api::GetBucketAclOutput> get_bucket_acl(Ctx ctx, api::GetBucketAclInput input) override;
  Task<api::PutObjectAclOutput> put_object_acl(Ctx ctx, api::PutObjectAclInput input) override;
  Task<api::GetObjectAclOutput> get_object_acl(Ctx ctx, api::GetObjectAclInput input) override;
  // bucket_lifecycle.cc
  Task<api::PutBucketLifecycleConfigurationOutput> put_bucket_lifecycle_configuration(
      Ctx ctx, api::PutBucketLifecycleConfigurationInput input) override;
  Task<api::GetBucketLifecycleConfigurationOutput> get_bucket_lifecycle_configuration(
      Ctx ctx, api::GetBucketLifecycleConfigurationInput input) override;
  Task<api::DeleteBucketLifecycleOutput> delete_bucket_lifecycle(
      Ctx ctx, api::DeleteBucketLifecycleInput input) override;
  // bucket_website.cc, bucket_replication.cc, bucket_logging.cc, bucket_accelerate.cc,
  // bucket_request_payment.cc
  Task<api::PutBucketWebsiteOutput> put_bucket_website(Ctx ctx,
                                                       api::PutBucketWebsiteInput input) override;
  Task<api::GetBucketWebsiteOutput> get_bucket_website(Ctx ctx,
                                                       api::GetBucketWebsiteInput input) override;
  Task<api::DeleteBucketWebsiteOutput> delete_bucket_website(
      Ctx ctx, api::DeleteBucketWebsiteInput input) override;
  Task<api::GetBucketReplicationOutput> get_bucket_replication(
      Ctx ctx, api::GetBucketReplicationInput input) override;
  Task<api::DeleteBucketReplicationOutput> delete_bucket_replication(
      Ctx ctx, api::DeleteBucketReplicationInput input) override;
  Task<api::GetBucketLoggingOutput> get_bucket_logging(Ctx ctx,
                                                       api::GetBucketLoggingInput input) override;
  Task<api::PutBucketLoggingOutput> put_bucket_logging(Ctx ctx,
                                                       api::PutBucketLoggingInput input) override;
  Task<api::PutBucketAccelerateConfigurationOutput> put_bucket_accelerate_configuration(
      Ctx ctx, api::PutBucketAccelerateConfigurationInput input) override;
  Task<api::GetBucketAccelerateConfigurationOutput> get_bucket_accelerate_configuration(
      Ctx ctx, api::GetBucketAccelerateConfigurationInput input) override;
  Task<api::GetBucketRequestPaymentOutput> get_bucket_request_payment(
      Ctx ctx, api::GetBucketRequestPaymentInput input) override;
  Task<api::PutBucketRequestPaymentOutput> put_bucket_request_payment(
      Ctx ctx, api::PutBucketRequestPaymentInput input) override;
  // named_configurations.cc
  Task<api::PutBucketAnalyticsConfigurationOutput> put_bucket_analytics_configuration(
      Ctx ctx, api::PutBucketAnalyticsConfigurationInput input) override;
  Task<api::PutBucketInventoryConfigurationOutput> put_bucket_inventory_configuration(
      Ctx ctx, api::PutBucketInventoryConfigurationInput input) override;
  Task<api::PutBucketMetricsConfigurationOutput> put_bucket_metrics_configuration(
      Ctx ctx, api::PutBucketMetricsConfigurationInput input) override;
  Task<api::PutBucketIntelligentTieringConfigurationOutput>
  put_bucket_intelligent_tiering_configuration(
      Ctx ctx, api::PutBucketIntelligentTieringConfigurationInput input) override;
  Task<api::GetBucketAnalyticsConfigurationOutput> get_bucket_analytics_configuration(
      Ctx ctx, api::GetBucketAnalyticsConfigurationInput input) override;
  Task<api::ListBucketAnalyticsConfigurationsOutput> list_bucket_analytics_configurations(
      Ctx ctx, api::ListBucketAnalyticsConfigurationsInput input) override;
  Task<api::GetBucketInventoryConfigurationOutput> get_bucket_inventory_configuration(
      Ctx ctx, api::GetBucketInventoryConfigurationInput input) override;
  Task<api::ListBucketInventoryConfigurationsOutput> list_bucket_inventory_configurations(
      Ctx ctx, api::ListBucketInventoryConfigurationsInput input) override;
  Task<api::GetBucketMetricsConfigurationOutput> get_bucket_metrics_configuration(
      Ctx ctx, api::GetBucketMetricsConfigurationInput input) override;
  Task<api::ListBucketMetricsConfigurationsOutput> list_bucket_metrics_configurations(
      Ctx ctx, api::ListBucketMetricsConfigurationsInput input) override;
  Task<api::GetBucketIntelligentTieringConfigurationOutput>
  get_bucket_intelligent_tiering_configuration(
      Ctx ctx, api::GetBucketIntelligentTieringConfigurationInput input) override;
  Task<api::ListBucketIntelligentTieringConfigurationsOutput>
  list_bucket_intelligent_tiering_configurations(
      Ctx ctx, api::ListBucketIntelligentTieringConfigurationsInput input) override;
  Task<api::DeleteBucketAnalyticsConfigurationOutput> delete_bucket_analytics_configuration(
      Ctx ctx, api::DeleteBucketAnalyticsConfigurationInput input) override;
  Task<api::DeleteBucketInventoryConfigurationOutput> delete_bucket_inventory_configuration(
      Ctx ctx, api::DeleteBucketInventoryConfigurationInput input) override;
  Task<api::DeleteBucketMetricsConfigurationOutput> delete_bucket_metrics_configuration(
      Ctx ctx, api::DeleteBucketMetricsConfigurationInput input) override;
  Task<api::DeleteBucketIntelligentTieringConfigurationOutput>
  delete_bucket_intelligent_tiering_configuration(
      Ctx ctx, api::DeleteBucketIntelligentTieringConfigurationInput input) override;
  // restore_object.cc
  Task<api::RestoreObjectOutput> restore_object(Ctx ctx, api::RestoreObjectInput input) override;
  // object_lock_configuration.cc
  Task<api::PutObjectLockConfigurationOutput> put_object_lock_configuration(
      Ctx ctx, api::PutObjectLockConfigurationInput input) override;
  Task<api::GetObjectLockConfigurationOutput> get_object_lock_configuration(
      Ctx ctx, api::GetObjectLockConfigurationInput input) override;
  // put_object.cc, get_object.cc, delete_object.cc, copy_object.cc
  Task<api::PutObjectOutput> put_object(Ctx ctx, api::PutObjectInput input) override;
  Task<api::GetObjectOutput> get_object(Ctx ctx, api::GetObjectInput input) override;
  Task<api::HeadObjectOutput> head_object(Ctx ctx, api::HeadObjectInput input) override;
  Task<api::DeleteObjectOutput> delete_object(Ctx ctx, api::DeleteObjectInput input) override;
  Task<api::DeleteObjectsOutput> delete_objects(Ctx ctx, api::DeleteObjectsInput input) override;
  Task<api::CopyObjectOutput> copy_object(Ctx ctx, api::CopyObjectInput input) override;
  Task<api::GetObjectAttributesOutput> get_object_attributes(
      Ctx ctx, api::GetObjectAttributesInput input) override;
  // Multipart uploads: create_multipart_upload.cc, upload_part.cc, complete_multipart_upload.cc,
  // list_….cc
  Task<api::CreateMultipartUploadOutput> create_multipart_upload(
      Ctx ctx, api::CreateMultipartUploadInput input) override;
  Task<api::AbortMultipartUploadOutput> abort_multipart_upload(
      Ctx ctx, api::AbortMultipartUploadInput input) override;
  Task<api::UploadPartOutput> upload_part(Ctx ctx, api::UploadPartInput input) override;
  Task<api::UploadPartCopyOutput> upload_part_copy(Ctx ctx,
                                                   api::UploadPartCopyInput input) override;
  Task<api::CompleteMultipartUploadOutput> complete_multipart_upload(
      Ctx ctx, api::CompleteMultipartUploadInput input) override;
  Task<api::ListPartsOutput> list_parts(Ctx ctx, api::ListPartsInput input) override;
  Task<api::ListMultipartUploadsOutput> list_multipart_uploads(
      Ctx ctx, api::ListMultipartUploadsInput input) override;
  // object_lock.cc
  Task<api::PutObjectRetentionOutput> put_object_retention(
      Ctx ctx, api::PutObjectRetentionInput input) override;
  Task<api::GetObjectRetentionOutput> get_object_retention(
      Ctx ctx, api::GetObjectRetentionInput input) override;
  Task<api::PutObjectLegalHoldOutput> put_object_legal_hold(
      Ctx ctx, api::PutObjectLegalHoldInput input) override;
  Task<api::GetObjectLegalHoldOutput> get_object_legal_hold(
      Ctx ctx, api::GetObjectLegalHoldInput input) override;
  // object_tagging.cc
  Task<api::PutObjectTaggingOutput> put_object_tagging(Ctx ctx,
                                                       api::PutObjectTaggingInput input) override;
  Task<api::GetObjectTaggingOutput> get_object_tagging(Ctx ctx,
                                                       api::GetObjectTaggingInput input) override;
  Task<api::DeleteObjectTaggingOutput> delete_object_tagging(
      Ctx ctx, api::DeleteObjectTaggingInput input) override;

 private:
  // Runs `body` (Result<T>(S3Transaction&)) as one durable transaction.
  template <class F, class T = typename std::invoke_result_t<F&, S3Transaction&>::value_type>
  Task<T> write(Ctx ctx, F body) {
    storage::Committed<T> done = co_await shard_.transact(
        storage::CommitClass::durable, [this, body = std::move(body)](storage::Txn& txn) mutable {
          S3Transaction s3(txn, blobs_);
          return body(s3);
        });
    ctx->depends_on(done.lsn);
    co_return std::move(done.result);
  }
  Task<void> keep_house();
  // bucket_lifecycle.cc: what the timers of lifecycles do; does what is due in one bucket.
  void keep_lifecycles();
  Task<void> follow_lifecycle(std::string bucket);
  // put_object.cc: makes a stored content visible as an object, or lets go of it.
  Task<Placed> place(Ctx ctx, Placement placement, ObjectVersion object);
  // upload_part.cc
  Task<Part> store_part(Ctx ctx, PartTarget target, async::ByteSource* source,
                        ContentClaims claims);
  // object_tagging.cc: changes what hangs on a version. Its version id is empty in a bucket without
  // versioning.
  Task<ObjectVersion> edit_object(Ctx ctx, ObjectName name,
                                  std::function<Result<void>(const Bucket&, ObjectVersion&)> edit);

  // named_configurations.cc. Errors: NoSuchConfiguration, TooManyConfigurations.
  template <class List, class Item>
  Task<void> put_named(Ctx ctx, NamedKind<List, Item> kind, std::string bucket, Item item);
  template <class List, class Item>
  Task<Item> get_named(NamedKind<List, Item> kind, std::string bucket, std::string id);
  template <class List, class Item>
  Task<void> delete_named(Ctx ctx, NamedKind<List, Item> kind, std::string bucket, std::string id);
  template <class List, class Item>
  Task<List> list_named(NamedKind<List, Item> kind, std::string bucket,
                        std::optional<std::string> token);
  // One configuration of a bucket; nullopt when it is not set. NoSuchBucket.
  Task<std::optional<std::string>> config_of(std::string bucket, std::string_view name);
  Task<void> set_config(Ctx ctx, std::string bucket, std::string_view name, std::string bytes);
  Task<void> drop_config(Ctx ctx, std::string bucket, std::string_view name);
  // Fails with NoSuchBucket.
  Task<Bucket> bucket_named(std::string name);

  storage::Shard& shard_;
  storage::BlobStore& blobs_;
  async::Env& env_;
  async::Pool& pool_;
  const Owners& owners_;
  async::TaskScope background_;
  const std::shared_ptr<int> life_ = std::make_shared<int>(0);  // ends with this
  Notifications& notifications_;
  AccessControl& access_;
  platform::DurableTimers& timers_;
};

}  // namespace virga::s3
