#include "api/s3/list_objects.h"

#include "api/s3/list_objects_v2.h"
#include "services/s3/errors.h"
#include "services/s3/listed_object.h"
#include "services/s3/listing.h"
#include "services/s3/service.h"

namespace virga::s3 {
namespace {

enum class WithOwner { no, yes };

// `Output` is ListObjectsOutput or ListObjectsV2Output.
template <class Output, class Input>
void fill_page(Output& output, const Input& input, const ListPage& page, int32_t max_keys,
               const Owners& owners, WithOwner with_owner, const RestoreColumn& restores) {
  const KeyText text(input.encoding_type);
  output.name = input.bucket;
  output.prefix = text(input.prefix.value_or(""));
  if (input.delimiter && !input.delimiter->empty()) output.delimiter = text(*input.delimiter);
  output.max_keys = max_keys;
  output.encoding_type = input.encoding_type;
  output.is_truncated = page.truncated;
  if (!page.objects.empty()) {
    auto& contents = output.contents.emplace();
    contents.reserve(page.objects.size());
    for (const ListedVersion& object : page.objects) {
      api::Object& one = contents.emplace_back();
      fill_listed(one, object, text);
      fill_restore_status(one, object, restores);
      if (with_owner == WithOwner::yes)
        one.owner = to_api_owner(owners, owners.of_account(object.owner).canonical_id);
    }
  }
  fill_common_prefixes(output, page, text);
}

}  // namespace

// Source: S3 API Reference, ListObjectsV2.
Task<api::ListObjectsV2Output> Service::list_objects_v2(Ctx ctx, api::ListObjectsV2Input input) {
  co_await check_encoding_type(input.encoding_type);
  ListQuery query{.prefix = input.prefix.value_or(""), .delimiter = input.delimiter.value_or("")};
  query.max_keys = co_await page_size(input.max_keys);
  query.after = co_await read_list_token(input.bucket, input.continuation_token);
  if (!input.continuation_token) query.after.key = input.start_after.value_or("");
  const auto view = shard_.snapshot();
  const S3Reader reader(*view);
  const Bucket bucket = co_await reader.bucket(input.bucket);
  const ListPage page = co_await list_current(reader, bucket, query);
  api::ListObjectsV2Output output;
  fill_page(output, input, page, query.max_keys, owners_,
            input.fetch_owner.value_or(false) ? WithOwner::yes : WithOwner::no,
            restore_column(input, ctx->now.at));
  output.key_count = static_cast<int32_t>(page.objects.size() + page.common_prefixes.size());
  output.continuation_token = input.continuation_token;
  if (page.truncated) output.next_continuation_token = make_list_token(input.bucket, page.last);
  if (input.start_after) output.start_after = KeyText(input.encoding_type)(*input.start_after);
  co_return std::move(output);
}

// Source: S3 API Reference, ListObjects: NextMarker only comes with a delimiter.
Task<api::ListObjectsOutput> Service::list_objects(Ctx ctx, api::ListObjectsInput input) {
  co_await check_encoding_type(input.encoding_type);
  ListQuery query{.prefix = input.prefix.value_or(""), .delimiter = input.delimiter.value_or("")};
  query.max_keys = co_await page_size(input.max_keys);
  query.after.key = input.marker.value_or("");
  const auto view = shard_.snapshot();
  const S3Reader reader(*view);
  const Bucket bucket = co_await reader.bucket(input.bucket);
  const ListPage page = co_await list_current(reader, bucket, query);
  api::ListObjectsOutput output;
  fill_page(output, input, page, query.max_keys, owners_, WithOwner::yes,
            restore_column(input, ctx->now.at));
  const KeyText text(input.encoding_type);
  output.marker = text(query.after.key);
  if (page.truncated && !query.delimiter.empty()) output.next_marker = text(page.last.key);
  co_return std::move(output);
}

}  // namespace virga::s3
