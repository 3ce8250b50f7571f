#pragma once

#include <string>

#include "api/lambda/shapes/alias_configuration.h"
#include "api/lambda/shapes/function_configuration.h"
#include "api/lambda/shapes/function_event_invoke_config.h"
#include "services/lambda/compute.h"
#include "services/lambda/function_name.h"
#include "services/lambda/records.h"

// Records as the API shows them.
namespace virga::lambda {

// What a mutating answer says of the change that it made; the next request finds the final state.
enum class Moment { created, updated, settled };

// `now` decides whether a change is still pending (--lifecycle-delay). `arn` is shown as
// FunctionArn.
api::FunctionConfiguration render(const VersionRecord& version, const std::string& function_name,
                                  const std::string& arn, Moment moment, Timestamp now,
                                  const Compute& compute, const std::string& region,
                                  const std::string& partition);
api::AliasConfiguration render(const AliasRecord& alias, const FunctionName& function);
api::FunctionEventInvokeConfig render(const EventInvokeRecord& record,
                                      const FunctionName& function);

bool is_pending(const VersionRecord& version, Timestamp now);

// arn:aws:lambda:REGION::runtime:HASH, and the same as the first log line shows it.
std::string runtime_version_arn(const Compute::RuntimeVersion& runtime, const std::string& region,
                                const std::string& partition);

}  // namespace virga::lambda
