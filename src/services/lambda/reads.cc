// What infrastructure tools read back on every refresh, for features that a function here does not
// have: AWS's answers for functions without them. Source: Lambda API Reference, the pages of these
// operations.
#include "api/lambda/enums.h"
#include "api/lambda/get_function_code_signing_config.h"
#include "api/lambda/get_function_recursion_config.h"
#include "api/lambda/get_runtime_management_config.h"
#include "services/lambda/service.h"
#include "services/lambda/support.h"

namespace virga::lambda {

Task<api::GetFunctionCodeSigningConfigOutput> Service::get_function_code_signing_config(
    Ctx ctx, api::GetFunctionCodeSigningConfigInput input) {
  const auto name = co_await parse_name(ctx, input.function_name);
  co_await store::get_function(*shard_.snapshot(), name);
  api::GetFunctionCodeSigningConfigOutput out;
  out.function_name = name.name;  // no CodeSigningConfigArn: none is attached
  co_return out;
}

Task<api::GetRuntimeManagementConfigOutput> Service::get_runtime_management_config(
    Ctx ctx, api::GetRuntimeManagementConfigInput input) {
  const auto name = co_await parse_name(ctx, input.function_name, input.qualifier);
  co_await store::resolve(*shard_.snapshot(), name, 1.0);
  api::GetRuntimeManagementConfigOutput out;
  out.update_runtime_on = api::update_runtime_on::kAuto;
  out.function_arn = name.arn();
  co_return out;
}

Task<api::GetFunctionRecursionConfigOutput> Service::get_function_recursion_config(
    Ctx ctx, api::GetFunctionRecursionConfigInput input) {
  const auto name = co_await parse_name(ctx, input.function_name);
  co_await store::get_function(*shard_.snapshot(), name);
  api::GetFunctionRecursionConfigOutput out;
  out.recursive_loop = api::recursive_loop::kTerminate;
  co_return out;
}

}  // namespace virga::lambda
