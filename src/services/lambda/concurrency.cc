// Reserved concurrency and account settings. Source: Lambda API Reference, PutFunctionConcurrency,
// GetAccountSettings; Lambda Developer Guide, "Configuring reserved concurrency".
#include "api/lambda/delete_function_concurrency.h"
#include "api/lambda/get_account_settings.h"
#include "api/lambda/get_function_concurrency.h"
#include "api/lambda/put_function_concurrency.h"
#include "api/lambda/shapes.h"
#include "platform/transact.h"
#include "services/lambda/errors.h"
#include "services/lambda/service.h"
#include "services/lambda/support.h"

namespace virga::lambda {
namespace {

// What stays for functions without a reservation.
constexpr int kUnreservedMin = 100;
constexpr int64_t kTotalCodeBytes = 80'530'636'800;  // 75 GB. Source: Lambda quotas page.
constexpr int64_t kZippedBytes = 52'428'800;

}  // namespace

Task<api::PutFunctionConcurrencyOutput> Service::put_function_concurrency(
    Ctx ctx, api::PutFunctionConcurrencyInput input) {
  const auto name = co_await parse_name(ctx, input.function_name);
  co_await must_be_unqualified(name, "");
  const auto owner = store::owner_of(name);
  const int wanted = input.reserved_concurrent_executions;
  auto put = [&](storage::Txn& txn) -> Result<bool> {
    VIRGA_TRY(record, store::get_function(txn, name));
    VIRGA_TRY(total, store::reserved_total(txn, owner));
    const int others = total - record.reserved_concurrency.value_or(0);
    if (options_.account_concurrency - others - wanted < kUnreservedMin) {
      return fail(
          errors::invalid_parameter("Specified ReservedConcurrentExecutions for function decreases "
                                    "account's UnreservedConcurrentExecution below "
                                    "its minimum value of [" +
                                    std::to_string(kUnreservedMin) + "]."));
    }
    record.reserved_concurrency = wanted;
    store::put_function(txn, owner, record);
    store::put_account_reserved(txn, owner, others + wanted);
    return true;
  };
  co_await platform::transact(ctx, shard_, std::move(put));
  api::PutFunctionConcurrencyOutput out;
  out.reserved_concurrent_executions = wanted;
  co_return out;
}

Task<api::GetFunctionConcurrencyOutput> Service::get_function_concurrency(
    Ctx ctx, api::GetFunctionConcurrencyInput input) {
  const auto name = co_await parse_name(ctx, input.function_name);
  const auto record = co_await store::get_function(*shard_.snapshot(), name);
  api::GetFunctionConcurrencyOutput out;
  if (record.reserved_concurrency)
    out.reserved_concurrent_executions = *record.reserved_concurrency;
  co_return out;
}

Task<api::DeleteFunctionConcurrencyOutput> Service::delete_function_concurrency(
    Ctx ctx, api::DeleteFunctionConcurrencyInput input) {
  const auto name = co_await parse_name(ctx, input.function_name);
  co_await must_be_unqualified(name, "");
  const auto owner = store::owner_of(name);
  auto remove = [&](storage::Txn& txn) -> Result<bool> {
    VIRGA_TRY(record, store::get_function(txn, name));
    VIRGA_TRY(total, store::reserved_total(txn, owner));
    store::put_account_reserved(txn, owner, total - record.reserved_concurrency.value_or(0));
    record.reserved_concurrency.reset();
    store::put_function(txn, owner, record);
    return true;
  };
  co_await platform::transact(ctx, shard_, std::move(remove));
  co_return api::DeleteFunctionConcurrencyOutput();
}

Task<api::GetAccountSettingsOutput> Service::get_account_settings(Ctx ctx,
                                                                  api::GetAccountSettingsInput) {
  const store::Owner owner{ctx->account, ctx->region};
  const auto view = shard_.snapshot();
  const auto functions = co_await store::list_functions(*view, owner, "", SIZE_MAX);
  int64_t bytes = 0;
  int reserved = 0;
  for (const auto& function : functions) {
    bytes += static_cast<int64_t>(function.latest.code.zip_bytes);
    reserved += function.reserved_concurrency.value_or(0);
    const auto versions = co_await store::list_versions(*view, owner, function.id, 0, SIZE_MAX);
    for (const auto& version : versions) bytes += static_cast<int64_t>(version.code.zip_bytes);
  }
  api::GetAccountSettingsOutput out;
  auto& limit = out.account_limit.emplace();
  limit.total_code_size = kTotalCodeBytes;
  limit.code_size_unzipped = static_cast<int64_t>(kUnzippedBytesMax);
  limit.code_size_zipped = kZippedBytes;
  limit.concurrent_executions = options_.account_concurrency;
  limit.unreserved_concurrent_executions = options_.account_concurrency - reserved;
  auto& usage = out.account_usage.emplace();
  usage.total_code_size = bytes;
  usage.function_count = static_cast<int64_t>(functions.size());
  co_return out;
}

}  // namespace virga::lambda
