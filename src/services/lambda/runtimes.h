#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

// Runtime names: which are accepted, and what they stand for.
namespace virga::lambda {

enum class RuntimeFamily { python, node, provided, other };

// Of a name in the model's enum; `other` for the families that Virga does not run (Java, .NET,
// Ruby, Go) and for unknown names.
RuntimeFamily runtime_family(std::string_view runtime);

// InvalidParameterValueException with the list of names when `runtime` is not one that functions
// can have here.
Result<void> check_runtime(std::string_view runtime);

// ValidationException when a layer names one that no function ever had.
Result<void> check_compatible_runtimes(const std::vector<std::string>& runtimes);

// AWS_EXECUTION_ENV: "AWS_Lambda_python3.12". Source: Lambda Developer Guide, "Defined runtime
// environment variables".
std::string execution_environment(std::string_view runtime);

}  // namespace virga::lambda
