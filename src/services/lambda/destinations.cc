#include "services/lambda/destinations.h"

#include "base/json.h"
#include "base/strings.h"
#include "services/lambda/errors.h"
#include "services/lambda/settings.h"

namespace virga::lambda {
namespace {

Document attribute(const std::string& type, const std::string& value) {
  return Document::object().set("DataType", type).set("StringValue", value);
}

// Source: Lambda Developer Guide, "Adding a dead-letter queue": attributes RequestID, ErrorCode,
// ErrorMessage.
Document dead_letter_attributes(const TargetMessage& message) {
  Document out = Document::object();
  out.set("RequestID", attribute("String", message.request_id));
  out.set("ErrorCode", attribute("Number", message.error_code));
  if (!message.error_message.empty())
    out.set("ErrorMessage", attribute("String", message.error_message));
  return out;
}

Document bus_entry(const TargetMessage& message) {
  Document resources = Document::array();
  resources.push(message.arn).push(message.function.arn_of(message.function.qualifier_or_latest()));
  Document entry = Document::object();
  entry.set("Source", "lambda");
  entry.set("DetailType", message.success ? "Lambda Function Invocation Result - Success"
                                          : "Lambda Function Invocation Result - Failure");
  entry.set("Detail", message.body)
      .set("EventBusName", message.arn)
      .set("Resources", std::move(resources));
  return entry;
}

}  // namespace

TargetKind target_kind(std::string_view arn) {
  const auto parts = split(arn, ':');
  if (parts.size() < 6 || parts[0] != "arn") return TargetKind::other;
  if (parts[2] == "lambda" && parts[5] == "function") return TargetKind::lambda;
  if (parts[2] == "sqs") return TargetKind::sqs;
  if (parts[2] == "sns") return TargetKind::sns;
  if (parts[2] == "events" && parts[5].starts_with("event-bus/")) return TargetKind::event_bus;
  return TargetKind::other;
}

std::string_view target_service(TargetKind kind) {
  switch (kind) {
    case TargetKind::lambda:
      return "lambda";
    case TargetKind::sqs:
      return "sqs";
    case TargetKind::sns:
      return "sns";
    case TargetKind::event_bus:
      return "events";
    case TargetKind::other:
      return "";
  }
  return "";
}

std::string queue_url_of_arn(std::string_view arn) {
  const auto parts = split(arn, ':');
  if (parts.size() < 6) return std::string(arn);
  return "https://sqs." + std::string(parts[3]) + ".amazonaws.com/" + std::string(parts[4]) + "/" +
         std::string(parts[5]);
}

Result<void> check_destination(const std::optional<std::string>& arn, const FunctionName& name,
                               const std::function<bool(std::string_view)>& has_service) {
  if (!arn || arn->empty()) return {};
  const TargetKind kind = target_kind(*arn);
  if (kind == TargetKind::other) return refuse_unsupported(true, "A destination such as " + *arn);
  if (kind == TargetKind::lambda) {
    VIRGA_TRY(target,
              FunctionName::parse(*arn, std::nullopt, name.account, name.region, name.partition));
    if (target.name == name.name && target.account == name.account) {
      return fail(
          errors::invalid_parameter("You can't specify the function as a destination for itself."));
    }
    return {};
  }
  const bool there = has_service && has_service(target_service(kind));
  return refuse_unsupported(!there, "The service of the destination " + *arn);
}

TargetCall make_target_call(const TargetMessage& message) {
  Document input = Document::object();
  switch (target_kind(message.arn)) {
    case TargetKind::sqs:
      input.set("QueueUrl", queue_url_of_arn(message.arn)).set("MessageBody", message.body);
      if (message.dead_letter) input.set("MessageAttributes", dead_letter_attributes(message));
      return {"sqs", "SendMessage", std::move(input)};
    case TargetKind::sns:
      input.set("TopicArn", message.arn).set("Message", message.body);
      if (message.dead_letter) input.set("MessageAttributes", dead_letter_attributes(message));
      return {"sns", "Publish", std::move(input)};
    default: {
      Document entries = Document::array();
      entries.push(bus_entry(message));
      input.set("Entries", std::move(entries));
      return {"events", "PutEvents", std::move(input)};
    }
  }
}

aws::CallContext role_context(const FunctionName& function, std::string_view role_arn,
                              std::string_view target_arn) {
  aws::CallContext out;
  const auto parts = split(role_arn, ':');
  out.principal.kind = Principal::Kind::assumed_role;
  out.principal.account = parts.size() > 4 ? std::string(parts[4]) : function.account;
  const std::string role(role_arn.substr(role_arn.rfind('/') + 1));
  out.principal.arn = "arn:" + function.partition + ":sts::" + out.principal.account +
                      ":assumed-role/" + role + "/" + function.name;
  out.account = function.account;
  const auto target = split(target_arn, ':');
  out.region = target.size() > 3 && !target[3].empty() ? std::string(target[3]) : function.region;
  out.source_arn = function.unqualified_arn();
  out.source_account = function.account;
  return out;
}

std::string invocation_record(const InvocationRecord& r) {
  std::string text;
  JsonWriter out(text);
  const auto member = [&](std::string_view name, std::string_view value) {
    out.key(name);
    out.string(value);
  };
  out.begin_object();
  member("version", "1.0");
  member("timestamp", format_iso8601_millis(r.at));
  out.key("requestContext");
  out.begin_object();
  member("requestId", r.request_id);
  member("functionArn", r.function_arn);
  member("condition", r.condition);
  out.key("approximateInvokeCount");
  out.integer(r.invoke_count);
  out.end_object();
  out.key("requestPayload");
  out.raw(r.payload);
  if (!r.executed_version.empty()) {
    out.key("responseContext");
    out.begin_object();
    out.key("statusCode");
    out.integer(200);
    member("executedVersion", r.executed_version);
    if (!r.function_error.empty()) member("functionError", r.function_error);
    out.end_object();
    out.key("responsePayload");
    out.raw(r.answer.empty() ? "null" : r.answer);
  }
  out.end_object();
  return text;
}

}  // namespace virga::lambda
