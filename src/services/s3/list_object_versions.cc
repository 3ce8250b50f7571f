#include "api/s3/list_object_versions.h"

#include "services/s3/errors.h"
#include "services/s3/listed_object.h"
#include "services/s3/listing.h"
#include "services/s3/service.h"

namespace virga::s3 {
namespace {

Result<ListPosition> marker_of(const api::ListObjectVersionsInput& input) {
  ListPosition after{.key = input.key_marker.value_or(""),
                     .common_prefix = false,
                     .version_id = input.version_id_marker.value_or("")};
  if (after.version_id.empty()) return after;
  if (after.key.empty()) {
    return fail(
        errors::invalid_argument("A version-id marker cannot be specified without a key marker.",
                                 "version-id-marker", after.version_id));
  }
  if (after.version_id != "null" && !sequence_of(after.version_id)) {
    return fail(errors::invalid_argument("Invalid version id specified", "version-id-marker",
                                         after.version_id));
  }
  return after;
}

}  // namespace

// Source: S3 API Reference, ListObjectVersions.
Task<api::ListObjectVersionsOutput> Service::list_object_versions(
    Ctx ctx, api::ListObjectVersionsInput input) {
  co_await check_encoding_type(input.encoding_type);
  ListQuery query{.prefix = input.prefix.value_or(""), .delimiter = input.delimiter.value_or("")};
  query.max_keys = co_await page_size(input.max_keys);
  query.after = co_await marker_of(input);
  const auto view = shard_.snapshot();
  const S3Reader reader(*view);
  const Bucket bucket = co_await reader.bucket(input.bucket);
  const ListPage page = co_await list_versions(reader, bucket, query);

  const KeyText text(input.encoding_type);
  api::ListObjectVersionsOutput output;
  output.name = input.bucket;
  output.prefix = text(query.prefix);
  output.key_marker = text(query.after.key);
  output.version_id_marker = query.after.version_id;
  if (!query.delimiter.empty()) output.delimiter = text(query.delimiter);
  output.max_keys = query.max_keys;
  output.encoding_type = input.encoding_type;
  output.is_truncated = page.truncated;
  if (page.truncated) {
    output.next_key_marker = text(page.last.key);
    if (!page.last.common_prefix) output.next_version_id_marker = page.last.version_id;
  }
  const RestoreColumn restores = restore_column(input, ctx->now.at);
  for (size_t i = 0; i < page.objects.size(); ++i) {
    const ListedVersion& object = page.objects[i];
    const auto owner = to_api_owner(owners_, owners_.of_account(object.owner).canonical_id);
    if (object.delete_marker) {
      if (!output.delete_markers) output.delete_markers.emplace();
      api::DeleteMarkerEntry& one = output.delete_markers->emplace_back();
      one.key = text(object.key);
      one.version_id = object.version_id;
      one.is_latest = page.is_latest[i];
      one.last_modified = Timestamp::from_millis(object.modified_millis);
      one.owner = owner;
    } else {
      if (!output.versions) output.versions.emplace();
      api::ObjectVersion& one = output.versions->emplace_back();
      fill_listed(one, object, text);
      fill_restore_status(one, object, restores);
      one.version_id = object.version_id;
      one.is_latest = page.is_latest[i];
      one.owner = owner;
    }
  }
  fill_common_prefixes(output, page, text);
  co_return std::move(output);
}

}  // namespace virga::s3
