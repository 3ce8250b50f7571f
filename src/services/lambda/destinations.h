#pragma once

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

// What the platform calls as: the role's session, as the function itself has it.
aws::CallContext target_context(const TargetMessage& message);

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
