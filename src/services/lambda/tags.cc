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

Result<FunctionName> tagged(Ctx ctx, const std::string& arn) {
  if (arn.find(":function:") == std::string::npos) {
    // Event source mappings, code signing configurations and capacity providers do not exist here
    // yet.
    return fail(errors::resource_not_found("The resource you requested does not exist: " + arn));
  }
  VIRGA_TRY(name, parse_name(ctx, arn));
  if (!name.qualifier.empty()) {
    return fail(errors::invalid_parameter(
        "Tags on function aliases and versions are not supported. Please specify a function ARN."));
  }
  return name;
}

}  // namespace

Task<api::TagResourceOutput> Service::tag_resource(Ctx ctx, api::TagResourceInput input) {
  const auto name = co_await tagged(ctx, input.resource);
  if (input.tags.empty())
    co_return fail(
        errors::invalid_parameter("An error occurred and the request cannot be processed."));
  auto tag = [&](storage::Txn& txn) -> Result<bool> {
    VIRGA_TRY(record, store::get_function(txn, name));
    for (const auto& [key, value] : input.tags) record.tags[key] = value;
    VIRGA_TRY_VOID(check_tags(record.tags));
    store::put_function(txn, store::owner_of(name), record);
    return true;
  };
  co_await platform::transact(ctx, shard_, std::move(tag));
  co_return api::TagResourceOutput();
}

Task<api::UntagResourceOutput> Service::untag_resource(Ctx ctx, api::UntagResourceInput input) {
  const auto name = co_await tagged(ctx, input.resource);
  auto untag = [&](storage::Txn& txn) -> Result<bool> {
    VIRGA_TRY(record, store::get_function(txn, name));
    for (const auto& key : input.tag_keys) record.tags.erase(key);
    store::put_function(txn, store::owner_of(name), record);
    return true;
  };
  co_await platform::transact(ctx, shard_, std::move(untag));
  co_return api::UntagResourceOutput();
}

Task<api::ListTagsOutput> Service::list_tags(Ctx ctx, api::ListTagsInput input) {
  const auto name = co_await tagged(ctx, input.resource);
  const auto record = co_await store::get_function(*shard_.snapshot(), name);
  api::ListTagsOutput out;
  out.tags = record.tags;
  co_return out;
}

}  // namespace virga::lambda
