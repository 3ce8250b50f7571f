#include "services/lambda/settings.h"

#include "aws/account_id.h"
#include "base/document.h"
#include "base/json.h"
#include "base/strings.h"
#include "services/lambda/errors.h"
#include "services/lambda/runtimes.h"

namespace virga::lambda {
namespace {

// Source: Lambda Developer Guide, "Defined runtime environment variables", "Reserved environment
// variables".
constexpr std::string_view kReserved[] = {
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_LAMBDA_RUNTIME_API",
    "LAMBDA_TASK_ROOT",
    "LAMBDA_RUNTIME_DIR",
    "AWS_LAMBDA_MAX_CONCURRENCY",
    "AWS_LAMBDA_METADATA_API",
    "AWS_LAMBDA_METADATA_TOKEN",
};

constexpr size_t kTagsMax =
    50;  // Source: Lambda Developer Guide, "Using tags", "Tag requirements".

bool valid_name(std::string_view name) {
  if (name.size() < 2) return false;
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (!letter(name.front())) return false;
  for (const char c : name) {
    if (!letter(c) && c != '_' && !(c >= '0' && c <= '9')) return false;
  }
  return true;
}

}  // namespace

Result<void> check_environment(const std::map<std::string, std::string>& variables) {
  std::string reserved;
  for (const auto& [name, value] : variables) {
    for (const auto key : kReserved) {
      if (name == key) reserved += (reserved.empty() ? "" : ", ") + name;
    }
  }
  if (!reserved.empty()) {
    return fail(
        errors::invalid_parameter("Lambda was unable to configure your environment variables "
                                  "because the environment variables you have "
                                  "provided contains reserved keys that are currently not "
                                  "supported for modification. Reserved keys used in "
                                  "this request: " +
                                  reserved));
  }
  std::string measured;
  JsonWriter out(measured);
  out.begin_object();
  for (const auto& [name, value] : variables) {
    if (!valid_name(name)) {
      return fail(errors::validation(
          name, "environment.variables",
          "Map keys must satisfy constraint: [Member must satisfy regular expression "
          "pattern: [a-zA-Z]([a-zA-Z0-9_])+]"));
    }
    out.key(name);
    out.string(value);
  }
  out.end_object();
  if (measured.size() > kEnvironmentBytesMax) {
    return fail(
        errors::invalid_parameter("Lambda was unable to configure your environment variables "
                                  "because the environment variables you have "
                                  "provided exceeded the 4KB limit. String measured: " +
                                  measured));
  }
  return {};
}

Result<void> check_role(std::string_view role) {
  // arn:PARTITION:iam::ACCOUNT:role/NAME
  const auto parts = split(role, ':');
  const bool good = parts.size() == 6 && parts[0] == "arn" && parts[1].starts_with("aws") &&
                    parts[2] == "iam" && parts[3].empty() && is_account_id(parts[4]) &&
                    parts[5].starts_with("role/") && parts[5].size() > 5;
  if (good) return {};
  return fail(
      errors::validation(role, "role",
                         "Member must satisfy regular expression pattern: "
                         "arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+"));
}

Result<void> check_memory(int megabytes) {
  if (megabytes >= 128 && megabytes <= 10'240) return {};
  const bool low = megabytes < 128;
  return fail(errors::validation(std::to_string(megabytes), "memorySize",
                                 low ? "Member must have value greater than or equal to 128"
                                     : "Member must have value less than or equal to 10240"));
}

Result<void> check_timeout(int seconds) {
  if (seconds >= 1 && seconds <= 900) return {};
  return fail(errors::validation(std::to_string(seconds), "timeout",
                                 seconds < 1 ? "Member must have value greater than or equal to 1"
                                             : "Member must have value less than or equal to 900"));
}

Result<void> check_tags(const std::map<std::string, std::string>& tags) {
  if (tags.size() > kTagsMax)
    return fail(errors::invalid_parameter("Number of tags exceeds resource tag limit."));
  for (const auto& [key, value] : tags) {
    if (key.empty() || key.size() > 128 || value.size() > 256) {
      return fail(
          errors::invalid_parameter("Tag keys have 1 to 128 characters, tag values at most 256."));
    }
    if (to_lower(key).starts_with("aws:")) {
      return fail(errors::invalid_parameter("The tag key " + key +
                                            " is reserved: system tags cannot be changed."));
    }
  }
  return {};
}

Result<void> check_handler_and_runtime(std::string_view handler, std::string_view runtime) {
  if (handler.empty() || runtime.empty()) {
    return fail(
        errors::invalid_parameter("Runtime and Handler are mandatory parameters for functions "
                                  "created with deployment packages."));
  }
  return check_runtime(runtime);
}

Result<void> refuse_unsupported(bool asked, std::string_view what) {
  if (asked) return fail(errors::not_implemented(what));
  return {};
}

std::string format_last_modified(Timestamp at) {
  auto text = format_iso8601_millis(at);
  text.pop_back();  // Z
  return text + "+0000";
}

}  // namespace virga::lambda
