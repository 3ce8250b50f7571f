#include "api/s3/delete_object.h"

#include <algorithm>

#include "api/s3/delete_objects.h"
#include "services/s3/conditions.h"
#include "services/s3/errors.h"
#include "services/s3/object_access.h"
#include "services/s3/object_attributes.h"
#include "services/s3/service.h"

// DeleteObject and DeleteObjects. Source: S3 API Reference; S3 User Guide, "Deleting object
// versions from a versioning-enabled bucket".
namespace virga::s3 {
namespace {

constexpr size_t kObjectsMax = 1000;
// The MD5 of nothing, which events of delete markers carry.
constexpr std::string_view kEmptyEtag = "d41d8cd98f00b204e9800998ecf8427e";

struct Wish {
  std::string key;
  std::optional<std::string> version_id;
  std::optional<std::string> if_match;
  std::optional<int64_t> size;
  std::optional<Timestamp> modified;
  bool bypass_governance = false;
};

struct Deleted {
  bool marker = false;     // a delete marker was made, or removed
  std::string version_id;  // of the version removed, or of the marker made; empty: neither
  std::optional<ObjectEvent> event;
};

ObjectEvent removed_event(std::string_view name, const std::string& key,
                          const std::string& version_id) {
  ObjectEvent out;
  out.name = name;
  out.key = key;
  out.version_id = version_id;
  return out;
}

Result<void> check_wish(const Wish& wish, const ObjectVersion& object) {
  if (wish.if_match && *wish.if_match != "*" && bare_etag(*wish.if_match) != object.etag)
    return fail(precondition_failed("If-Match"));
  if (wish.size && static_cast<uint64_t>(*wish.size) != object.size)
    return fail(precondition_failed("x-amz-if-match-size"));
  if (wish.modified &&
      wish.modified->seconds() != Timestamp::from_millis(object.modified_millis).seconds()) {
    return fail(precondition_failed("x-amz-if-match-last-modified-time"));
  }
  return {};
}

// One version for good.
Result<Deleted> remove_version(S3Transaction& s3, const Bucket& bucket, const Wish& wish,
                               int64_t now_millis) {
  VIRGA_TRY_VOID(check_version_id(wish.version_id));
  VIRGA_TRY(found, s3.version(bucket, wish.key, *wish.version_id));
  Deleted out;
  out.version_id = *wish.version_id;
  if (!found) return out;
  VIRGA_TRY_VOID(check_wish(wish, *found));
  VIRGA_TRY_VOID(check_unlocked(*found, now_millis, wish.bypass_governance));
  VIRGA_TRY_VOID(s3.erase(bucket, *found));
  out.marker = found->delete_marker;
  out.event =
      removed_event("ObjectRemoved:Delete", wish.key,
                    bucket.versioning == Versioning::off ? std::string() : found->version_id);
  return out;
}

Result<Deleted> remove(S3Transaction& s3, const Bucket& bucket, const Wish& wish,
                       const RequestContext& request, std::string_view chance) {
  if (wish.version_id) return remove_version(s3, bucket, wish, request.now.at.millis());
  VIRGA_TRY(found, s3.current(bucket, wish.key));
  const bool there = found && !found->delete_marker;
  if (there) VIRGA_TRY_VOID(check_wish(wish, *found));
  if (!there && wish.if_match) return fail(errors::no_such_key(wish.key));
  if (bucket.versioning == Versioning::off) {
    Deleted out;
    if (!found) return out;
    VIRGA_TRY_VOID(s3.erase(bucket, *found));
    out.event = removed_event("ObjectRemoved:Delete", wish.key, "");
    return out;
  }
  ObjectVersion marker;
  marker.key = wish.key;
  marker.delete_marker = true;
  marker.owner = bucket.owner;
  marker.modified_millis = stamp(request);
  VIRGA_TRY_VOID(s3.put_version(bucket, marker, {}, chance));
  ObjectEvent event =
      removed_event("ObjectRemoved:DeleteMarkerCreated", wish.key, marker.version_id);
  event.etag = kEmptyEtag;
  return Deleted{true, marker.version_id, std::move(event)};
}

// Conditions are on the current version, and on its ETag alone: the others are for directory
// buckets. Source: S3 API Reference, DeleteObject; answers that users recorded.
Result<void> check_conditions(const api::DeleteObjectInput& input) {
  if (input.if_match_size) return fail(errors::not_implemented_header("x-amz-if-match-size"));
  if (input.if_match_last_modified_time)
    return fail(errors::not_implemented_header("x-amz-if-match-last-modified-time"));
  if (input.if_match && input.version_id) return fail(errors::not_implemented_header("If-Match"));
  return {};
}

}  // namespace

Task<api::DeleteObjectOutput> Service::delete_object(Ctx ctx, api::DeleteObjectInput input) {
  co_await check_conditions(input);
  const Bucket there =
      co_await open_bucket(S3Reader(*shard_.snapshot()), input.bucket, input.expected_bucket_owner);
  Wish wish{.key = input.key,
            .version_id = input.version_id,
            .if_match = input.if_match,
            .bypass_governance = input.bypass_governance_retention.value_or(false)};
  const std::string chance = env_.random.bytes(16);
  const auto body = [&](S3Transaction& s3) -> Result<Deleted> {
    VIRGA_TRY(bucket, s3.bucket(there.name));
    VIRGA_TRY(deleted, remove(s3, bucket, wish, *ctx, chance));
    if (deleted.event) VIRGA_TRY_VOID(notifications_.publish(s3, *ctx, bucket, *deleted.event));
    return std::move(deleted);
  };
  const Deleted deleted = co_await write(ctx, body);
  api::DeleteObjectOutput output;
  if (deleted.marker) output.delete_marker = true;
  if (!deleted.version_id.empty()) output.version_id = deleted.version_id;
  co_return std::move(output);
}

Task<api::DeleteObjectsOutput> Service::delete_objects(Ctx ctx, api::DeleteObjectsInput input) {
  const Bucket there =
      co_await open_bucket(S3Reader(*shard_.snapshot()), input.bucket, input.expected_bucket_owner);
  const auto& objects = input.delete_.objects;
  const bool nameless =
      std::any_of(objects.begin(), objects.end(), [](const auto& one) { return one.key.empty(); });
  if (objects.empty() || objects.size() > kObjectsMax || nameless)
    co_return fail(errors::malformed_xml());
  std::vector<std::string> chances;
  for (size_t i = 0; i < objects.size(); ++i) chances.push_back(env_.random.bytes(16));
  const std::vector<Result<void>> allowed = co_await access_.may_delete(ctx, &input);
  const bool bypass = input.bypass_governance_retention.value_or(false);
  const bool quiet = input.delete_.quiet.value_or(false);
  // Each stands for itself: a refusal of one is a line of the answer.
  const auto body = [&](S3Transaction& s3) -> Result<api::DeleteObjectsOutput> {
    VIRGA_TRY(bucket, s3.bucket(there.name));
    api::DeleteObjectsOutput output;
    for (size_t i = 0; i < objects.size(); ++i) {
      const auto& one = objects[i];
      const Wish wish{.key = one.key,
                      .version_id = one.version_id,
                      .if_match = one.e_tag,
                      .size = one.size,
                      .modified = one.last_modified_time,
                      .bypass_governance = bypass};
      const Result<Deleted> deleted = allowed[i] ? remove(s3, bucket, wish, *ctx, chances[i])
                                                 : Result<Deleted>(fail(allowed[i].error()));
      if (!deleted) {
        if (deleted.error().http_status >= 500) return std::unexpected(deleted.error());
        if (!output.errors) output.errors.emplace();
        api::Error& error = output.errors->emplace_back();
        error.key = one.key;
        error.version_id = one.version_id;
        error.code = deleted.error().code;
        error.message = deleted.error().message;
        continue;
      }
      if (deleted->event) VIRGA_TRY_VOID(notifications_.publish(s3, *ctx, bucket, *deleted->event));
      if (quiet) continue;
      if (!output.deleted) output.deleted.emplace();
      api::DeletedObject& line = output.deleted->emplace_back();
      line.key = one.key;
      line.version_id = one.version_id;
      if (deleted->marker) {
        line.delete_marker = true;
        line.delete_marker_version_id = deleted->version_id;
      }
    }
    return output;
  };
  api::DeleteObjectsOutput output = co_await write(ctx, body);
  co_return std::move(output);
}

}  // namespace virga::s3
