#include "api/s3/delete_object_tagging.h"
#include "api/s3/get_object_tagging.h"
#include "api/s3/put_object_tagging.h"
#include "services/s3/object_access.h"
#include "services/s3/object_attributes.h"
#include "services/s3/service.h"

// Source: S3 API Reference, PutObjectTagging, GetObjectTagging, DeleteObjectTagging.
namespace virga::s3 {

Task<ObjectVersion> Service::edit_object(
    Ctx ctx, ObjectName name, std::function<Result<void>(const Bucket&, ObjectVersion&)> edit) {
  const Bucket there =
      co_await open_bucket(S3Reader(*shard_.snapshot()), name.bucket, name.expected_owner);
  const auto body = [&](S3Transaction& s3) -> Result<ObjectVersion> {
    VIRGA_TRY(bucket, s3.bucket(there.name));
    VIRGA_TRY(object, find_object(s3, bucket, name.key, name.version_id, "PUT"));
    VIRGA_TRY_VOID(edit(bucket, object));
    VIRGA_TRY_VOID(s3.update(bucket, object));
    if (!name.event.empty()) {
      VIRGA_TRY_VOID(
          notifications_.publish(s3, *ctx, bucket, object_event(name.event, bucket, object)));
    }
    if (bucket.versioning == Versioning::off) object.version_id.clear();
    return object;
  };
  ObjectVersion object = co_await write(ctx, body);
  co_return std::move(object);
}

Task<api::PutObjectTaggingOutput> Service::put_object_tagging(Ctx ctx,
                                                              api::PutObjectTaggingInput input) {
  Tags tags;
  for (const auto& tag : input.tagging.tag_set) tags.emplace_back(tag.key, tag.value);
  co_await check_object_tags(tags);
  ObjectName name{input.bucket, input.key, input.version_id, input.expected_bucket_owner,
                  "ObjectTagging:Put"};
  const auto edit = [&](const Bucket&, ObjectVersion& o) { return o.tags = tags, Result<void>(); };
  const ObjectVersion object = co_await edit_object(ctx, std::move(name), edit);
  api::PutObjectTaggingOutput output;
  if (!object.version_id.empty()) output.version_id = object.version_id;
  co_return std::move(output);
}

Task<api::GetObjectTaggingOutput> Service::get_object_tagging(Ctx ctx,
                                                              api::GetObjectTaggingInput input) {
  const auto view = shard_.snapshot();
  const S3Reader s3(*view);
  const Bucket bucket = co_await open_bucket(s3, input.bucket, input.expected_bucket_owner);
  const ObjectVersion object = co_await find_object(s3, bucket, input.key, input.version_id, "GET");
  api::GetObjectTaggingOutput output;
  for (const auto& [key, value] : object.tags) {
    api::Tag& tag = output.tag_set.emplace_back();
    tag.key = key;
    tag.value = value;
  }
  if (bucket.versioning != Versioning::off) output.version_id = object.version_id;
  co_return std::move(output);
}

Task<api::DeleteObjectTaggingOutput> Service::delete_object_tagging(
    Ctx ctx, api::DeleteObjectTaggingInput input) {
  ObjectName name{input.bucket, input.key, input.version_id, input.expected_bucket_owner,
                  "ObjectTagging:Delete"};
  const auto edit = [&](const Bucket&, ObjectVersion& o) { return o.tags.clear(), Result<void>(); };
  const ObjectVersion object = co_await edit_object(ctx, std::move(name), edit);
  api::DeleteObjectTaggingOutput output;
  if (!object.version_id.empty()) output.version_id = object.version_id;
  co_return std::move(output);
}

}  // namespace virga::s3
