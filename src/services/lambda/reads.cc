// What infrastructure tools read back on every refresh, for what a function here does not have:
// AWS's answer for functions without it. Source: Lambda API Reference,
// GetFunctionCodeSigningConfig.
#include "api/lambda/get_function_code_signing_config.h"
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

}  // namespace virga::lambda
