#include "api/s3/create_bucket.h"
#include "api/s3/delete_bucket.h"
#include "api/s3/get_bucket_location.h"
#include "api/s3/head_bucket.h"
#include "api/s3/list_buckets.h"
#include "api/s3/shapes/tagging.h"
#include "services/s3/bucket_access.h"
#include "services/s3/bucket_name.h"
#include "services/s3/bucket_place.h"
#include "services/s3/bucket_tags.h"
#include "services/s3/configurations.h"
#include "services/s3/errors.h"
#include "services/s3/listing.h"
#include "services/s3/object_access.h"
#include "services/s3/service.h"

namespace virga::s3 {
namespace {

constexpr int32_t kMaxBucketsDefault = 10'000;
// Tokens of ListBuckets are sealed with a name that no bucket has.
constexpr std::string_view kListBuckets = "ListBuckets";

// What a new bucket is born with.
struct NewBucketAccess {
  Ownership ownership = Ownership::bucket_owner_enforced;
  std::optional<Acl> acl;
};

// Source: S3 API Reference, CreateBucket, "Permissions"; recorded answers for the two codes.
Result<NewBucketAccess> new_bucket_access(const Owners& owners, const std::string& account,
                                          const api::CreateBucketInput& input) {
  NewBucketAccess out;
  if (input.object_ownership) {
    const auto ownership = parse_ownership(*input.object_ownership);
    if (!ownership) {
      return fail(errors::invalid_argument(
          "Invalid x-amz-object-ownership header: " + *input.object_ownership,
          "x-amz-object-ownership", *input.object_ownership));
    }
    out.ownership = *ownership;
  }
  const AclHeaders headers = acl_headers(input);
  if (headers.empty()) return out;
  const std::string owner = owners.of_account(account).canonical_id;
  VIRGA_TRY(acl, acl_of_headers(headers, {.owners = owners,
                                          .owner = owner,
                                          .bucket_owner = owner,
                                          .target = AclTarget::bucket}));
  if (acl == private_acl(owner)) return out;
  if (out.ownership == Ownership::bucket_owner_enforced) {
    return fail(errors::make(
        "InvalidBucketAclWithObjectOwnership", 400,
        "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"));
  }
  if (acl.is_public()) {
    return fail(errors::make("InvalidBucketAclWithBlockPublicAccessError", 400,
                             "Bucket cannot have public ACLs set with BlockPublicAccess enabled"));
  }
  out.acl = std::move(acl);
  return out;
}

}  // namespace

// Source: S3 API Reference, CreateBucket.
Task<api::CreateBucketOutput> Service::create_bucket(Ctx ctx, api::CreateBucketInput input) {
  if (!is_legal_bucket_name(input.bucket))
    co_return fail(errors::invalid_bucket_name(input.bucket));
  std::optional<std::string> constraint;
  api::CreateBucketConfiguration configuration;
  if (input.create_bucket_configuration) configuration = *input.create_bucket_configuration;
  if (configuration.location || configuration.bucket)
    co_return fail(errors::invalid_request("Directory buckets are not part of this endpoint"));
  const BucketPlace place = co_await place_bucket(ctx->region, configuration.location_constraint);
  const NewBucketAccess access = co_await new_bucket_access(owners_, ctx->account, input);
  api::Tagging tagging;
  if (configuration.tags) tagging.tag_set = *configuration.tags;
  co_await check_bucket_tags(tagging.tag_set);
  Bucket bucket;
  bucket.name = input.bucket;
  bucket.owner = ctx->account;
  bucket.region = place.region;
  bucket.created_millis = stamp(*ctx);
  bucket.object_lock = input.object_lock_enabled_for_bucket.value_or(false);
  if (bucket.object_lock) bucket.versioning = Versioning::enabled;
  const std::string caller_region = ctx->region;
  const auto body = [&](S3Transaction& s3) -> Result<bool> {
    VIRGA_TRY(there, s3.find_bucket(bucket.name));
    if (there) {
      if (there->owner != bucket.owner) return fail(errors::bucket_already_exists(bucket.name));
      // In us-east-1 creating one's own bucket again changes nothing and succeeds.
      const bool same_place = there->region == bucket.region;
      if (caller_region == "us-east-1" && bucket.region == "us-east-1" && same_place) return false;
      return fail(errors::bucket_already_owned(bucket.name));
    }
    s3.add(bucket);
    s3.put_config(bucket, config::kOwnership, ownership_name(access.ownership));
    store_public_access_block(s3, bucket, kBlockAll);
    if (access.acl) s3.put_config(bucket, config::kAcl, encode_acl(*access.acl));
    if (!place.constraint.empty()) s3.put_config(bucket, config::kLocation, place.constraint);
    if (!tagging.tag_set.empty()) s3.put_config(bucket, config::kTagging, encode_config(tagging));
    return true;
  };
  const bool made = co_await write(ctx, body);
  ignore(made, "an owner's second request succeeds too");
  api::CreateBucketOutput output;
  output.location = "/" + bucket.name;
  if (bucket.region != "us-east-1")
    output.location = "http://" + bucket.name + ".s3.amazonaws.com/";
  co_return std::move(output);
}

// Source: S3 API Reference, HeadBucket.
Task<api::HeadBucketOutput> Service::head_bucket(Ctx ctx, api::HeadBucketInput input) {
  const Bucket bucket = co_await bucket_named(input.bucket);
  api::HeadBucketOutput output;
  output.bucket_region = bucket.region;
  output.access_point_alias = false;
  co_return std::move(output);
}

// Source: S3 API Reference, GetBucketLocation: null in us-east-1.
Task<api::GetBucketLocationOutput> Service::get_bucket_location(Ctx ctx,
                                                                api::GetBucketLocationInput input) {
  api::GetBucketLocationOutput output;
  output.location_constraint = co_await config_of(input.bucket, config::kLocation);
  co_return std::move(output);
}

// Source: S3 API Reference, DeleteBucket.
Task<api::DeleteBucketOutput> Service::delete_bucket(Ctx ctx, api::DeleteBucketInput input) {
  const auto body = [&](S3Transaction& s3) -> Result<bool> {
    VIRGA_TRY(bucket, s3.bucket(input.bucket));
    VIRGA_TRY(empty, s3.is_empty(bucket));
    if (!empty) {
      AwsError refusal = errors::bucket_not_empty(bucket.name);
      if (bucket.versioning != Versioning::off) {
        refusal.message =
            "The bucket you tried to delete is not empty. You must delete all versions in the "
            "bucket.";
      }
      return fail(std::move(refusal));
    }
    VIRGA_TRY_VOID(s3.erase(bucket));
    return true;
  };
  const bool done = co_await write(ctx, body);
  ignore(done, "always");
  co_return api::DeleteBucketOutput{};
}

// Source: S3 API Reference, ListBuckets.
Task<api::ListBucketsOutput> Service::list_buckets(Ctx ctx, api::ListBucketsInput input) {
  const int32_t limit = input.max_buckets.value_or(kMaxBucketsDefault);
  if (limit < 1 || limit > kMaxBucketsDefault) {
    co_return fail(
        errors::invalid_argument("Argument max-buckets must be an integer between 1 and 10000",
                                 "max-buckets", std::to_string(limit)));
  }
  if (input.bucket_region && !is_region_name(*input.bucket_region)) {
    co_return fail(errors::invalid_argument(
        "Argument value " + *input.bucket_region + " is not a valid AWS Region", "bucket-region",
        *input.bucket_region));
  }
  const ListPosition after = co_await read_list_token(kListBuckets, input.continuation_token);
  const auto view = shard_.snapshot();
  api::ListBucketsOutput output;
  auto& buckets = output.buckets.emplace();
  const std::string prefix = input.prefix.value_or("");
  const bool paged =
      input.max_buckets || input.continuation_token || input.prefix || input.bucket_region;
  co_await S3Reader(*view).each_bucket(ctx->account, after.key, [&](Bucket&& bucket) {
    if (!bucket.name.starts_with(prefix)) return true;
    if (input.bucket_region && bucket.region != *input.bucket_region) return true;
    if (buckets.size() == static_cast<size_t>(limit)) {
      output.continuation_token = make_list_token(
          kListBuckets, {.key = *buckets.back().name, .common_prefix = false, .version_id = {}});
      return false;
    }
    api::Bucket& one = buckets.emplace_back();
    one.name = bucket.name;
    one.creation_date = Timestamp::from_millis(bucket.created_millis);
    if (paged) one.bucket_region = bucket.region;
    return true;
  });
  if (input.prefix) output.prefix = prefix;
  output.owner = to_api_owner(owners_, owners_.of_account(ctx->account).canonical_id);
  co_return std::move(output);
}

Task<Bucket> Service::bucket_named(std::string name) {
  const auto view = shard_.snapshot();
  Bucket bucket = co_await S3Reader(*view).bucket(name);
  co_return std::move(bucket);
}

Task<std::optional<std::string>> Service::config_of(std::string bucket, std::string_view name) {
  const auto view = shard_.snapshot();
  const S3Reader reader(*view);
  const Bucket found = co_await reader.bucket(bucket);
  auto bytes = co_await reader.config(found, name);
  co_return std::move(bytes);
}

Task<void> Service::set_config(Ctx ctx, std::string bucket, std::string_view name,
                               std::string bytes) {
  const auto body = [&](S3Transaction& s3) -> Result<bool> {
    VIRGA_TRY(found, s3.bucket(bucket));
    s3.put_config(found, name, bytes);
    return true;
  };
  const bool done = co_await write(ctx, body);
  ignore(done, "always");
  co_return ok();
}

Task<void> Service::drop_config(Ctx ctx, std::string bucket, std::string_view name) {
  const auto body = [&](S3Transaction& s3) -> Result<bool> {
    VIRGA_TRY(found, s3.bucket(bucket));
    s3.erase_config(found, name);
    return true;
  };
  const bool done = co_await write(ctx, body);
  ignore(done, "always");
  co_return ok();
}

}  // namespace virga::s3
