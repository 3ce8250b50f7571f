// When a function's runtime is updated, and what becomes of its recursive loops: kept and shown.
// The interpreter is the machine's, and loops are not watched. Source: Lambda API Reference,
// PutRuntimeManagementConfig, PutFunctionRecursionConfig and their family.
#include "api/lambda/enums.h"
#include "api/lambda/get_function_recursion_config.h"
#include "api/lambda/get_runtime_management_config.h"
#include "api/lambda/put_function_recursion_config.h"
#include "api/lambda/put_runtime_management_config.h"
#include "base/strings.h"
#include "platform/transact.h"
#include "services/lambda/errors.h"
#include "services/lambda/service.h"
#include "services/lambda/support.h"

namespace virga::lambda {
namespace {

template <class Out>
Out shown(const FunctionName& name, const VersionRecord& version) {
  Out out;
  out.update_runtime_on = version.update_runtime_on;
  out.function_arn = name.arn_of(version.version);
  if (!version.runtime_version_arn.empty()) out.runtime_version_arn = version.runtime_version_arn;
  return out;
}

}  // namespace

Task<api::PutRuntimeManagementConfigOutput> Service::put_runtime_management_config(
    Ctx ctx, api::PutRuntimeManagementConfigInput input) {
  const auto name = co_await parse_name(ctx, input.function_name, input.qualifier);
  const bool manual = input.update_runtime_on == api::update_runtime_on::kManual;
  const std::string version_arn = input.runtime_version_arn.value_or("");
  if (manual == version_arn.empty()) {
    co_return fail(errors::invalid_parameter(
        manual ? "RuntimeVersionArn cannot be empty when runtime update mode is Manual"
               : "RuntimeVersionArn can only be set when runtime update mode is Manual"));
  }
  const auto owner = store::owner_of(name);
  auto put = [&](storage::Txn& txn) -> Result<VersionRecord> {
    VIRGA_TRY(found, store::resolve(txn, name, 1.0));
    VersionRecord version = std::move(found.version);
    version.update_runtime_on = input.update_runtime_on;
    version.runtime_version_arn = version_arn;
    if (version.version == kLatest) {
      found.function.latest = version;
      store::put_function(txn, owner, found.function);
    } else {
      const auto number = static_cast<uint64_t>(parse_int(version.version).value_or(0));
      store::put_version(txn, owner, found.function.id, number, version);
    }
    return version;
  };
  const auto version = co_await platform::transact(ctx, shard_, std::move(put));
  co_return shown<api::PutRuntimeManagementConfigOutput>(name, version);
}

Task<api::GetRuntimeManagementConfigOutput> Service::get_runtime_management_config(
    Ctx ctx, api::GetRuntimeManagementConfigInput input) {
  const auto name = co_await parse_name(ctx, input.function_name, input.qualifier);
  const auto found = co_await store::resolve(*shard_.snapshot(), name, 1.0);
  co_return shown<api::GetRuntimeManagementConfigOutput>(name, found.version);
}

Task<api::PutFunctionRecursionConfigOutput> Service::put_function_recursion_config(
    Ctx ctx, api::PutFunctionRecursionConfigInput input) {
  const auto name = co_await parse_name(ctx, input.function_name);
  auto put = [&](storage::Txn& txn) -> Result<bool> {
    VIRGA_TRY(record, store::get_function(txn, name));
    record.recursive_loop = input.recursive_loop;
    store::put_function(txn, store::owner_of(name), record);
    return true;
  };
  co_await platform::transact(ctx, shard_, std::move(put));
  api::PutFunctionRecursionConfigOutput out;
  out.recursive_loop = input.recursive_loop;
  co_return out;
}

Task<api::GetFunctionRecursionConfigOutput> Service::get_function_recursion_config(
    Ctx ctx, api::GetFunctionRecursionConfigInput input) {
  const auto name = co_await parse_name(ctx, input.function_name);
  const auto record = co_await store::get_function(*shard_.snapshot(), name);
  api::GetFunctionRecursionConfigOutput out;
  out.recursive_loop = record.recursive_loop;
  co_return out;
}

}  // namespace virga::lambda
