// Settings of asynchronous invocation. Source: Lambda API Reference, PutFunctionEventInvokeConfig
// and its family.
#include "api/lambda/delete_function_event_invoke_config.h"
#include "api/lambda/get_function_event_invoke_config.h"
#include "api/lambda/list_function_event_invoke_configs.h"
#include "api/lambda/put_function_event_invoke_config.h"
#include "api/lambda/shapes.h"
#include "api/lambda/update_function_event_invoke_config.h"
#include "platform/transact.h"
#include "services/lambda/destinations.h"
#include "services/lambda/errors.h"
#include "services/lambda/render.h"
#include "services/lambda/service.h"
#include "services/lambda/settings.h"
#include "services/lambda/support.h"

namespace virga::lambda {
namespace {

AwsError no_config(const FunctionName& name) {
  return errors::resource_not_found("The function " + name.arn_of(name.qualifier_or_latest()) +
                                    " doesn't have an EventInvokeConfig");
}

template <class Input>
Result<void> check(const Input& in, const FunctionName& name, const ServiceOptions& options) {
  if (in.destination_config) {
    const auto& to = *in.destination_config;
    if (to.on_success)
      VIRGA_TRY_VOID(check_destination(to.on_success->destination, name, options.has_service));
    if (to.on_failure)
      VIRGA_TRY_VOID(check_destination(to.on_failure->destination, name, options.has_service));
  }
  if (!in.maximum_retry_attempts && !in.maximum_event_age_in_seconds && !in.destination_config) {
    return fail(errors::invalid_parameter(
        "You must specify at least one of error handling or destination setting."));
  }
  return {};
}

template <class Input>
void apply(const Input& in, EventInvokeRecord& record) {
  if (in.maximum_retry_attempts) record.retry_attempts = *in.maximum_retry_attempts;
  if (in.maximum_event_age_in_seconds) record.event_age_seconds = *in.maximum_event_age_in_seconds;
  if (!in.destination_config) return;
  const auto& to = *in.destination_config;
  if (to.on_success) record.on_success = to.on_success->destination.value_or("");
  if (to.on_failure) record.on_failure = to.on_failure->destination.value_or("");
}

}  // namespace

Task<api::PutFunctionEventInvokeConfigOutput> Service::put_function_event_invoke_config(
    Ctx ctx, api::PutFunctionEventInvokeConfigInput input) {
  const auto name = co_await parse_name(ctx, input.function_name, input.qualifier);
  co_await check(input, name, options_);
  EventInvokeRecord record{.qualifier = std::string(name.qualifier_or_latest()),
                           .last_modified = ctx->now.at};
  apply(input, record);
  auto put = [&](storage::Txn& txn) -> Result<bool> {
    VIRGA_TRY(found, store::resolve(txn, name, 1.0));
    store::put_event_invoke(txn, store::owner_of(name), found.function.id, record);
    return true;
  };
  co_await platform::transact(ctx, shard_, std::move(put));
  co_return render(record, name);
}

Task<api::UpdateFunctionEventInvokeConfigOutput> Service::update_function_event_invoke_config(
    Ctx ctx, api::UpdateFunctionEventInvokeConfigInput input) {
  const auto name = co_await parse_name(ctx, input.function_name, input.qualifier);
  co_await check(input, name, options_);
  const auto owner = store::owner_of(name);
  auto update = [&](storage::Txn& txn) -> Result<EventInvokeRecord> {
    VIRGA_TRY(function, store::get_function(txn, name));
    VIRGA_TRY(found, store::find_event_invoke(txn, owner, function.id, name.qualifier_or_latest()));
    if (!found) return fail(no_config(name));
    apply(input, *found);
    found->last_modified = ctx->now.at;
    store::put_event_invoke(txn, owner, function.id, *found);
    return *found;
  };
  const auto record = co_await platform::transact(ctx, shard_, std::move(update));
  co_return render(record, name);
}

Task<api::GetFunctionEventInvokeConfigOutput> Service::get_function_event_invoke_config(
    Ctx ctx, api::GetFunctionEventInvokeConfigInput input) {
  const auto name = co_await parse_name(ctx, input.function_name, input.qualifier);
  const auto view = shard_.snapshot();
  const auto function = co_await store::get_function(*view, name);
  const auto record = co_await store::find_event_invoke(*view, store::owner_of(name), function.id,
                                                        name.qualifier_or_latest());
  if (!record) co_return fail(no_config(name));
  co_return render(*record, name);
}

Task<api::DeleteFunctionEventInvokeConfigOutput> Service::delete_function_event_invoke_config(
    Ctx ctx, api::DeleteFunctionEventInvokeConfigInput input) {
  const auto name = co_await parse_name(ctx, input.function_name, input.qualifier);
  const auto owner = store::owner_of(name);
  auto erase = [&](storage::Txn& txn) -> Result<bool> {
    VIRGA_TRY(function, store::get_function(txn, name));
    VIRGA_TRY(found, store::find_event_invoke(txn, owner, function.id, name.qualifier_or_latest()));
    if (!found) return fail(no_config(name));
    store::erase_event_invoke(txn, owner, function.id, name.qualifier_or_latest());
    return true;
  };
  co_await platform::transact(ctx, shard_, std::move(erase));
  co_return api::DeleteFunctionEventInvokeConfigOutput();
}

Task<api::ListFunctionEventInvokeConfigsOutput> Service::list_function_event_invoke_configs(
    Ctx ctx, api::ListFunctionEventInvokeConfigsInput input) {
  const auto name = co_await parse_name(ctx, input.function_name);
  const auto view = shard_.snapshot();
  const auto function = co_await store::get_function(*view, name);
  const auto after = co_await read_marker("event-invoke", input.marker);
  const size_t limit = page_size(input.max_items);
  const auto records = co_await store::list_event_invokes(*view, store::owner_of(name), function.id,
                                                          after, limit + 1);
  api::ListFunctionEventInvokeConfigsOutput out;
  auto& rows = out.function_event_invoke_configs.emplace();
  for (const auto& record : records) {
    if (rows.size() == limit) {
      out.next_marker = make_marker("event-invoke", records[limit - 1].qualifier);
      break;
    }
    rows.push_back(render(record, name));
  }
  co_return out;
}

}  // namespace virga::lambda
