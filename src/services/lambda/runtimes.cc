#include "services/lambda/runtimes.h"

#include <algorithm>
#include <iterator>

#include "base/strings.h"
#include "services/lambda/errors.h"

namespace virga::lambda {
namespace {

// Source: Lambda API model, enum Runtime, in the order of AWS's own refusals; then those that AWS
// refuses by now. The families that have no interpreter here are left out, so that the refusal
// lists what would be accepted.
constexpr std::string_view kRuntimes[] = {
    "nodejs20.x",     "provided.al2023", "python3.12", "python3.13", "nodejs22.x",   "nodejs16.x",
    "python3.10",     "python3.11",      "nodejs18.x", "nodejs24.x", "provided.al2", "python3.14",
    "python3.8",      "python3.9",       "nodejs14.x", "python3.7",  "nodejs12.x",   "provided",
    "python3.6",      "nodejs10.x",      "python2.7",  "nodejs8.10", "nodejs6.10",   "nodejs4.3",
    "nodejs4.3-edge", "nodejs",
};
// Of the same enum: layers may be for them.
constexpr std::string_view kOtherRuntimes[] = {
    "java25",  "java21",        "java17",        "java11",        "java8.al2",
    "java8",   "dotnet10",      "dotnet8",       "dotnet6",       "ruby4.0",
    "ruby3.4", "ruby3.3",       "ruby3.2",       "ruby2.7",       "ruby2.5",
    "go1.x",   "dotnetcore3.1", "dotnetcore2.1", "dotnetcore2.0", "dotnetcore1.0",
};

template <size_t N>
std::string list_of(const std::string_view (&names)[N]) {
  std::string out;
  for (const auto name : names) {
    if (!out.empty()) out += ", ";
    out += name;
  }
  return out;
}

bool known(std::string_view runtime) {
  for (const auto name : kRuntimes) {
    if (name == runtime) return true;
  }
  return false;
}

}  // namespace

RuntimeFamily runtime_family(std::string_view runtime) {
  if (!known(runtime)) return RuntimeFamily::other;
  if (runtime.starts_with("python")) return RuntimeFamily::python;
  if (runtime.starts_with("nodejs")) return RuntimeFamily::node;
  return RuntimeFamily::provided;
}

Result<void> check_runtime(std::string_view runtime) {
  if (known(runtime)) return {};
  return fail(errors::invalid_parameter(
      "Value " + std::string(runtime) +
      " at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [" +
      list_of(kRuntimes) + "] or be a valid ARN"));
}

Result<void> check_compatible_runtimes(const std::vector<std::string>& runtimes) {
  for (const auto& runtime : runtimes) {
    if (known(runtime) || std::find(std::begin(kOtherRuntimes), std::end(kOtherRuntimes),
                                    runtime) != std::end(kOtherRuntimes))
      continue;
    return fail(errors::validation(
        "[" + join(runtimes, ", ") + "]", "compatibleRuntimes",
        "Member must satisfy constraint: [Member must satisfy enum value set: [" +
            list_of(kRuntimes) + ", " + list_of(kOtherRuntimes) + "]]"));
  }
  return {};
}

std::string execution_environment(std::string_view runtime) {
  return "AWS_Lambda_" + std::string(runtime);
}

}  // namespace virga::lambda
