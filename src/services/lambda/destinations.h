#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "aws/door.h"
#include "base/document.h"
#include "services/lambda/function_name.h"

// Where the outcome of an asynchronous invocation goes: destinations of an EventInvokeConfig, and
// dead-letter queues. Source: Lambda Developer Guide, "Capturing records of Lambda asynchronous
// invocations".
namespace virga::lambda {

enum class TargetKind { lambda, sqs, sns, event_bus, other };
// By its ARN.
TargetKind target_kind(std::string_view arn);
// The service's model name behind a kind: "sqs".
std::string_view target_service(TargetKind kind);

// https://sqs.REGION.amazonaws.com/ACCOUNT/NAME of a queue's ARN; SQS reads account and name from a
// URL's path.
std::string queue_url_of_arn(std::string_view arn);

// What a destination may be: a function other than `name`, a queue, a topic, a bus; the latter
// where `has_service` knows the service. No ARN, or an empty one, is none.
Result<void> check_destination(const std::optional<std::string>& arn, const FunctionName& name,
                               const std::function<bool(std::string_view service)>& has_service);

// What the platform calls as on behalf of a function: its role's session, as the function itself
// has it. `target_arn` gives the region.
aws::CallContext role_context(const FunctionName& function, std::string_view role_arn,
                              std::string_view target_arn);

// A message on its way to a target that is no function.
struct TargetMessage {
  std::string arn;
  std::string body;  // the invocation record, or the event itself for dead-letter queues
  bool dead_letter = false;
  std::string request_id, error_code, error_message;  // attributes of a dead letter
  bool success = false;
  FunctionName function;
  std::string role_arn;  // the function's: on its behalf
};

// The call that hands the message over: service, operation and input, for aws::call_by_name.
struct TargetCall {
  std::string service, operation;
  Document input;
};
TargetCall make_target_call(const TargetMessage& message);

// The record that a destination receives. `payload` is the event, `answer` what the function
// returned (JSON; empty: none).
struct InvocationRecord {
  Timestamp at;
  std::string request_id, function_arn, condition;
  int invoke_count = 1;
  std::string payload, answer, executed_version, function_error;
};
std::string invocation_record(const InvocationRecord& record);

}  // namespace virga::lambda
