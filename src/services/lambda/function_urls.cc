// CreateFunctionUrlConfig, GetFunctionUrlConfig, UpdateFunctionUrlConfig, DeleteFunctionUrlConfig,
// ListFunctionUrlConfigs. Source: Lambda API Reference, the pages of these operations; Lambda
// Developer Guide, "Creating and managing Lambda function URLs".
#include "api/lambda/create_function_url_config.h"
#include "api/lambda/delete_function_url_config.h"
#include "api/lambda/enums.h"
#include "api/lambda/get_function_url_config.h"
#include "api/lambda/list_function_url_configs.h"
#include "api/lambda/shapes.h"
#include "api/lambda/update_function_url_config.h"
#include "platform/transact.h"
#include "services/lambda/errors.h"
#include "services/lambda/function_url_address.h"
#include "services/lambda/service.h"
#include "services/lambda/support.h"
#include "services/lambda/url_store.h"

namespace virga::lambda {
namespace {

AwsError no_url() {
  return errors::resource_not_found("The resource you requested does not exist.");
}

std::string new_url_id(Ctx ctx) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz234567";
  std::string out;
  for (const char byte : ctx->env->random.bytes(32))
    out += kLetters[static_cast<unsigned char>(byte) % kLetters.size()];
  return out;
}

UrlCors read_cors(const api::Cors& in) {
  UrlCors out;
  out.allow_credentials = in.allow_credentials.value_or(false);
  if (in.allow_headers) out.allow_headers = *in.allow_headers;
  if (in.allow_methods) out.allow_methods = *in.allow_methods;
  if (in.allow_origins) out.allow_origins = *in.allow_origins;
  if (in.expose_headers) out.expose_headers = *in.expose_headers;
  out.max_age = in.max_age;
  return out;
}

void write_cors(const UrlCors& in, api::Cors& out) {
  if (in.allow_credentials) out.allow_credentials = true;
  if (!in.allow_headers.empty()) out.allow_headers = in.allow_headers;
  if (!in.allow_methods.empty()) out.allow_methods = in.allow_methods;
  if (!in.allow_origins.empty()) out.allow_origins = in.allow_origins;
  if (!in.expose_headers.empty()) out.expose_headers = in.expose_headers;
  if (in.max_age) out.max_age = *in.max_age;
}

// All outputs of the family have these; `modified` those that show it.
template <class Out>
Out shown(Ctx ctx, const FunctionName& name, const UrlRecord& record) {
  Out out;
  out.function_url = function_url(ctx->endpoint, record.url_id, name.region);
  out.function_arn =
      record.qualifier.empty() ? name.unqualified_arn() : name.arn_of(record.qualifier);
  out.auth_type = record.auth_type;
  out.invoke_mode = record.invoke_mode;
  out.creation_time = format_url_time(record.created);
  if constexpr (requires { out.last_modified_time; })
    out.last_modified_time = format_url_time(record.modified);
  if (record.cors) write_cors(*record.cors, out.cors.emplace());
  return out;
}

Result<void> check_qualifier(const FunctionName& name) {
  if (name.qualifier.empty()) return {};
  if (is_version(name.qualifier)) {
    return fail(errors::validation(
        name.qualifier, "qualifier",
        "Member must satisfy regular expression pattern: ((?!^\\d+$)^[0-9a-zA-Z-_]+$)"));
  }
  return {};
}

}  // namespace

Task<api::CreateFunctionUrlConfigOutput> Service::create_function_url_config(
    Ctx ctx, api::CreateFunctionUrlConfigInput input) {
  const auto name = co_await parse_name(ctx, input.function_name, input.qualifier);
  co_await check_qualifier(name);
  UrlRecord record{.qualifier = name.qualifier,
                   .url_id = new_url_id(ctx),
                   .auth_type = input.auth_type,
                   .invoke_mode = input.invoke_mode.value_or("BUFFERED"),
                   .created = ctx->now.at,
                   .modified = ctx->now.at};
  if (input.cors) record.cors = read_cors(*input.cors);
  const auto owner = store::owner_of(name);
  auto create = [&](storage::Txn& txn) -> Result<bool> {
    VIRGA_TRY(found, store::resolve(txn, name, 1.0));
    VIRGA_TRY(existing, store::find_url(txn, owner, found.function.id, name.qualifier));
    if (existing) {
      return fail(errors::resource_conflict(
          "Failed to create function url config for [functionArn = " + name.arn() +
          "]. Error message:  FunctionUrlConfig exists for this Lambda function"));
    }
    store::put_url(txn, name, found.function.id, record);
    return true;
  };
  co_await platform::transact(ctx, shard_, std::move(create));
  co_return shown<api::CreateFunctionUrlConfigOutput>(ctx, name, record);
}

Task<api::GetFunctionUrlConfigOutput> Service::get_function_url_config(
    Ctx ctx, api::GetFunctionUrlConfigInput input) {
  const auto name = co_await parse_name(ctx, input.function_name, input.qualifier);
  co_await check_qualifier(name);
  const auto view = shard_.snapshot();
  const auto function = co_await store::find_function(*view, store::owner_of(name), name.name);
  if (!function) co_return fail(no_url());
  const auto record =
      co_await store::find_url(*view, store::owner_of(name), function->id, name.qualifier);
  if (!record) co_return fail(no_url());
  co_return shown<api::GetFunctionUrlConfigOutput>(ctx, name, *record);
}

Task<api::UpdateFunctionUrlConfigOutput> Service::update_function_url_config(
    Ctx ctx, api::UpdateFunctionUrlConfigInput input) {
  const auto name = co_await parse_name(ctx, input.function_name, input.qualifier);
  co_await check_qualifier(name);
  const auto owner = store::owner_of(name);
  auto update = [&](storage::Txn& txn) -> Result<UrlRecord> {
    VIRGA_TRY(function, store::find_function(txn, owner, name.name));
    if (!function) return fail(no_url());
    VIRGA_TRY(record, store::find_url(txn, owner, function->id, name.qualifier));
    if (!record) return fail(no_url());
    if (input.auth_type) record->auth_type = *input.auth_type;
    if (input.invoke_mode) record->invoke_mode = *input.invoke_mode;
    if (input.cors) record->cors = read_cors(*input.cors);
    record->modified = ctx->now.at;
    store::put_url(txn, name, function->id, *record);
    return *record;
  };
  const auto record = co_await platform::transact(ctx, shard_, std::move(update));
  co_return shown<api::UpdateFunctionUrlConfigOutput>(ctx, name, record);
}

Task<api::DeleteFunctionUrlConfigOutput> Service::delete_function_url_config(
    Ctx ctx, api::DeleteFunctionUrlConfigInput input) {
  const auto name = co_await parse_name(ctx, input.function_name, input.qualifier);
  co_await check_qualifier(name);
  const auto owner = store::owner_of(name);
  auto erase = [&](storage::Txn& txn) -> Result<bool> {
    VIRGA_TRY(function, store::find_function(txn, owner, name.name));
    if (!function) return fail(no_url());
    VIRGA_TRY(record, store::find_url(txn, owner, function->id, name.qualifier));
    if (!record) return fail(no_url());
    store::erase_url(txn, owner, function->id, *record);
    return true;
  };
  co_await platform::transact(ctx, shard_, std::move(erase));
  co_return api::DeleteFunctionUrlConfigOutput();
}

Task<api::ListFunctionUrlConfigsOutput> Service::list_function_url_configs(
    Ctx ctx, api::ListFunctionUrlConfigsInput input) {
  const auto name = co_await parse_name(ctx, input.function_name);
  const auto view = shard_.snapshot();
  const auto function = co_await store::get_function(*view, name);
  const auto after = co_await read_marker("urls", input.marker);
  const size_t limit = page_size(input.max_items);
  const auto records = co_await store::list_urls(*view, store::owner_of(name), function.id);
  api::ListFunctionUrlConfigsOutput out;
  for (const auto& record : records) {
    // Markers carry the qualifier behind a letter, for that of $LATEST is empty.
    if (!after.empty() && "q" + record.qualifier <= after) continue;
    if (out.function_url_configs.size() == limit) {
      const auto& last = out.function_url_configs.back().function_arn;
      out.next_marker = make_marker(
          "urls", "q" + (last == name.unqualified_arn() ? "" : last.substr(last.rfind(':') + 1)));
      break;
    }
    out.function_url_configs.push_back(shown<api::FunctionUrlConfig>(ctx, name, record));
  }
  co_return out;
}

}  // namespace virga::lambda
