// TagResource, UntagResource, ListTags. Source: Lambda Developer Guide, "Using tags on Lambda
// functions".
#include "api/lambda/list_tags.h"
#include "api/lambda/tag_resource.h"
#include "api/lambda/untag_resource.h"
#include "platform/transact.h"
#include "services/lambda/errors.h"
#include "services/lambda/service.h"
#include "services/lambda/settings.h"
#include "services/lambda/support.h"

namespace virga::lambda {
namespace {

using Tags = std::map<std::string, std::string>;

constexpr std::string_view kMapping = ":event-source-mapping:";

AwsError no_resource(const std::string& arn) {
  return errors::resource_not_found("The resource you requested does not exist: " + arn);
}

Result<FunctionName> tagged_function(Ctx ctx, const std::string& arn) {
  // Code signing configurations and capacity providers do not exist here yet.
  if (arn.find(":function:") == std::string::npos) return fail(no_resource(arn));
  VIRGA_TRY(name, parse_name(ctx, arn));
  if (!name.qualifier.empty()) {
    return fail(errors::invalid_parameter(
        "Tags on function aliases and versions are not supported. Please specify a function ARN."));
  }
  return name;
}

// The mapping that an ARN names in the caller's account and region.
Result<EventSourceRecord> tagged_mapping(Ctx ctx, const storage::View& view,
                                         const std::string& arn) {
  const std::string uuid = arn.substr(arn.find(kMapping) + kMapping.size());
  VIRGA_TRY(record, store::find_event_source(view, {ctx->account, ctx->region}, uuid));
  if (!record || record->arn() != arn) return fail(no_resource(arn));
  return std::move(*record);
}

bool is_mapping(const std::string& arn) {
  return arn.find(kMapping) != std::string::npos;
}

// In one transaction: `change` gets the resource's tags.
template <class Change>
Result<bool> change_tags(Ctx ctx, storage::Txn& txn, const std::string& arn, Change change) {
  if (is_mapping(arn)) {
    VIRGA_TRY(record, tagged_mapping(ctx, txn, arn));
    change(record.tags);
    VIRGA_TRY_VOID(check_tags(record.tags));
    store::put_event_source(txn, store::owner_of(record.function), record);
    return true;
  }
  VIRGA_TRY(name, tagged_function(ctx, arn));
  VIRGA_TRY(record, store::get_function(txn, name));
  change(record.tags);
  VIRGA_TRY_VOID(check_tags(record.tags));
  store::put_function(txn, store::owner_of(name), record);
  return true;
}

}  // namespace

Task<api::TagResourceOutput> Service::tag_resource(Ctx ctx, api::TagResourceInput input) {
  if (input.tags.empty())
    co_return fail(
        errors::invalid_parameter("An error occurred and the request cannot be processed."));
  auto tag = [&](storage::Txn& txn) {
    return change_tags(ctx, txn, input.resource, [&](Tags& tags) {
      for (const auto& [key, value] : input.tags) tags[key] = value;
    });
  };
  co_await platform::transact(ctx, shard_, std::move(tag));
  co_return api::TagResourceOutput();
}

Task<api::UntagResourceOutput> Service::untag_resource(Ctx ctx, api::UntagResourceInput input) {
  auto untag = [&](storage::Txn& txn) {
    return change_tags(ctx, txn, input.resource, [&](Tags& tags) {
      for (const auto& key : input.tag_keys) tags.erase(key);
    });
  };
  co_await platform::transact(ctx, shard_, std::move(untag));
  co_return api::UntagResourceOutput();
}

Task<api::ListTagsOutput> Service::list_tags(Ctx ctx, api::ListTagsInput input) {
  api::ListTagsOutput out;
  const auto view = shard_.snapshot();
  if (is_mapping(input.resource)) {
    const auto record = co_await tagged_mapping(ctx, *view, input.resource);
    out.tags = record.tags;
    co_return out;
  }
  const auto name = co_await tagged_function(ctx, input.resource);
  const auto record = co_await store::get_function(*view, name);
  out.tags = record.tags;
  co_return out;
}

}  // namespace virga::lambda
