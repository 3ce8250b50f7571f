#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "services/lambda/records.h"

// The rules that a function's configuration obeys beyond the model's own constraints, in AWS's
// words.
namespace virga::lambda {

// Source: Lambda quotas page, "Environment variables": 4 KB in aggregate.
inline constexpr size_t kEnvironmentBytesMax = 4096;

Result<void> check_environment(const std::map<std::string, std::string>& variables);
Result<void> check_role(std::string_view role);
Result<void> check_memory(int megabytes);
Result<void> check_timeout(int seconds);
Result<void> check_tags(const std::map<std::string, std::string>& tags);
// Empty members count as not given.
Result<void> check_handler_and_runtime(std::string_view handler, std::string_view runtime);

// What a request may ask for and this release does not do: an explicit NotImplemented naming it. An
// empty value is no request. `what` is the parameter's name.
Result<void> refuse_unsupported(bool asked, std::string_view what);

// "2026-03-01T12:00:00.000+0000". Source: Lambda API Reference, FunctionConfiguration,
// LastModified.
std::string format_last_modified(Timestamp at);

}  // namespace virga::lambda
