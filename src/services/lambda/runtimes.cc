#include "services/lambda/runtimes.h"

#include "services/lambda/errors.h"

namespace virga::lambda {
namespace {

// Source: Lambda API model, enum Runtime; newest first. The families that have no interpreter here
// are left out, so that the refusal lists what would be accepted.
constexpr std::string_view kRuntimes[] = {
    "python3.14",     "nodejs24.x", "provided.al2023", "python3.13", "nodejs22.x",   "python3.12",
    "nodejs20.x",     "python3.11", "nodejs18.x",      "python3.10", "provided.al2", "nodejs16.x",
    "python3.9",      "python3.8",  "nodejs14.x",      "python3.7",  "nodejs12.x",   "provided",
    "python3.6",      "nodejs10.x", "python2.7",       "nodejs8.10", "nodejs6.10",   "nodejs4.3",
    "nodejs4.3-edge", "nodejs",
};

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
  std::string set;
  for (const auto name : kRuntimes) {
    if (!set.empty()) set += ", ";
    set += name;
  }
  return fail(errors::invalid_parameter(
      "Value " + std::string(runtime) +
      " at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [" + set +
      "] or be a valid ARN"));
}

std::string execution_environment(std::string_view runtime) {
  return "AWS_Lambda_" + std::string(runtime);
}

}  // namespace virga::lambda
