#include "services/apigatewayv2/service_integration.h"

#include <algorithm>
#include <array>
#include <span>

#include "api/apigatewayv2/shapes/integration.h"
#include "aws/document_codec.h"
#include "aws/wire.h"
#include "base/json.h"
#include "base/strings.h"
#include "platform/resource_arns.h"
#include "services/apigatewayv2/errors.h"

namespace virga::apigatewayv2 {
namespace {

// How a parameter's text becomes the operation's member.
enum class Form { text, integer, json, list };

struct SubtypeParameter {
  std::string_view name;
  Form form = Form::text;
  bool required = false;
};

struct Subtype {
  std::string_view name;
  std::string_view service;  // of the model; the region is Region's
  std::string_view operation;
  std::span<const SubtypeParameter> parameters;
};

constexpr SubtypeParameter kSendMessage[] = {{"QueueUrl", Form::text, true},
                                             {"MessageBody", Form::text, true},
                                             {"DelaySeconds", Form::integer},
                                             {"MessageAttributes", Form::json},
                                             {"MessageDeduplicationId"},
                                             {"MessageGroupId"},
                                             {"MessageSystemAttributes", Form::json},
                                             {"Region"}};
constexpr SubtypeParameter kReceiveMessage[] = {{"QueueUrl", Form::text, true},
                                                {"AttributeNames", Form::list},
                                                {"MaxNumberOfMessages", Form::integer},
                                                {"MessageAttributeNames", Form::list},
                                                {"ReceiveRequestAttemptId"},
                                                {"VisibilityTimeout", Form::integer},
                                                {"WaitTimeSeconds", Form::integer},
                                                {"Region"}};
constexpr SubtypeParameter kDeleteMessage[] = {
    {"ReceiptHandle", Form::text, true}, {"QueueUrl", Form::text, true}, {"Region"}};
constexpr SubtypeParameter kPurgeQueue[] = {{"QueueUrl", Form::text, true}, {"Region"}};

constexpr Subtype kSubtypes[] = {{"SQS-SendMessage", "sqs", "SendMessage", kSendMessage},
                                 {"SQS-ReceiveMessage", "sqs", "ReceiveMessage", kReceiveMessage},
                                 {"SQS-DeleteMessage", "sqs", "DeleteMessage", kDeleteMessage},
                                 {"SQS-PurgeQueue", "sqs", "PurgeQueue", kPurgeQueue}};

constexpr std::array<std::string_view, 6> kMissingSubtypes = {
    "EventBridge-PutEvents",        "Kinesis-PutRecord",
    "StepFunctions-StartExecution", "StepFunctions-StartSyncExecution",
    "StepFunctions-StopExecution",  "AppConfig-GetConfiguration"};

const Subtype* find_subtype(std::string_view name) {
  for (const Subtype& s : kSubtypes) {
    if (s.name == name) return &s;
  }
  return nullptr;
}

const SubtypeParameter* find_parameter(const Subtype& subtype, std::string_view name) {
  for (const SubtypeParameter& p : subtype.parameters) {
    if (p.name == name) return &p;
  }
  return nullptr;
}

// Text that is not of its form goes on as it is: the service refuses it in its own words.
Document in_form(Form form, std::string text) {
  switch (form) {
    case Form::text:
      break;
    case Form::integer:
      if (const auto number = parse_int(text)) return Document(*number);
      break;
    case Form::json:
      if (auto parsed = parse_json(text)) return std::move(*parsed);
      break;
    case Form::list:
      if (auto parsed = parse_json(text); parsed && parsed->is_array()) return std::move(*parsed);
      return Document::array().push(std::move(text));
  }
  return Document(std::move(text));
}

GatewayReply reply_of(const net::HttpResponse& answer) {
  GatewayReply reply{.status = answer.status, .headers = {}, .body = answer.body};
  for (const auto& line : answer.headers.lines())
    reply.headers.emplace_back(to_lower(line.name), std::string(line.value));
  return reply;
}

}  // namespace

Result<void> check_service_integration(const api::Integration& integration) {
  const std::string& name = *integration.integration_subtype;
  const Subtype* subtype = find_subtype(name);
  if (!subtype) {
    if (std::find(kMissingSubtypes.begin(), kMissingSubtypes.end(), name) != kMissingSubtypes.end())
      return fail(errors::not_implemented("An integration with IntegrationSubtype " + name));
    return fail(errors::bad_request("Unsupported IntegrationSubtype: " + name));
  }
  if (integration.integration_uri) {
    return fail(errors::bad_request(
        "IntegrationUri is not supported for integrations with an IntegrationSubtype"));
  }
  if (integration.payload_format_version.value_or("") != "1.0") {
    return fail(errors::bad_request(
        "PayloadFormatVersion must be 1.0 for integrations with an IntegrationSubtype"));
  }
  if (integration.credentials_arn.value_or("").empty()) {
    return fail(errors::bad_request(
        "CredentialsArn is a required parameter for integrations with an IntegrationSubtype"));
  }
  const auto given = integration.request_parameters.value_or({});
  for (const auto& [key, value] : given) {
    if (!find_parameter(*subtype, key)) {
      return fail(errors::bad_request("Parameter: " + key +
                                      " does not fit schema for Operation: " + name + "."));
    }
  }
  for (const SubtypeParameter& p : subtype->parameters) {
    if (p.required && !given.contains(std::string(p.name))) {
      return fail(errors::bad_request("Parameter: " + std::string(p.name) +
                                      " is required for Operation: " + name + "."));
    }
  }
  return {};
}

Task<aws::CallContext> ServiceCaller::caller(const CompiledIntegration* integration,
                                             const Exchange* exchange, std::string region) {
  aws::CallContext call;
  const std::string& role = integration->credentials_arn;
  if (gate_) {
    // Whoever may write integrations would else act for the roles of other accounts.
    if (platform::account_of_arn(role, "") != exchange->api->account)
      co_return fail("AccessDeniedException", 403, "Cross-account pass role is not allowed.");
    call.principal =
        co_await gate_->assume(role, "apigateway.amazonaws.com", "BackplaneAssumeRoleSession");
  } else {
    const auto parts = split(role, ':');
    call.principal.kind = Principal::Kind::assumed_role;
    call.principal.account = parts.size() > 4 ? std::string(parts[4]) : exchange->api->account;
    call.principal.arn = role;
  }
  call.account = exchange->api->account;
  call.region = region.empty() ? exchange->api->region : std::move(region);
  call.source_arn = exchange->route_arn();
  call.source_account = exchange->api->account;
  call.endpoint.host = "127.0.0.1";
  co_return std::move(call);
}

Task<GatewayReply> ServiceCaller::call(const CompiledIntegration* integration,
                                       const Exchange* exchange) {
  const Subtype* subtype = find_subtype(integration->subtype);
  const aws::OperationDesc* operation =
      subtype ? find_(subtype->service, subtype->operation) : nullptr;
  if (!operation) co_return internal_server_error();
  Document input = Document::object();
  std::string region;
  MappingEvaluator evaluator(*exchange, nullptr);
  for (const auto& [name, value] : integration->service_parameters) {
    auto text = evaluator.evaluate(value);
    const SubtypeParameter* parameter = find_parameter(*subtype, name);
    if (!text || !parameter) continue;
    if (name == "Region") {
      region = std::move(*text);
    } else {
      input.set(name, in_form(parameter->form, std::move(*text)));
    }
  }
  aws::CallContext context = co_await caller(integration, exchange, std::move(region));
  aws::InputBox box = aws::InputBox::make(*operation->input);
  aws::DecodeNotes notes;
  auto read = aws::read_document(input, *operation->input, box.object(), notes);
  if (read && !notes.missing.empty()) {
    read = fail("MissingParameter", 400,
                "The request must contain the parameter " + notes.missing.front() + ".");
  }
  AwsError refusal;
  if (read) {
    auto calling = door_.call(*operation, std::move(context), std::move(box));
    auto answer = co_await as_result(std::move(calling));
    if (answer) {
      const auto encoded = aws::encode_output(*operation, aws::Protocol::query, std::move(*answer),
                                              exchange->request_id);
      co_return reply_of(encoded);
    }
    refusal = std::move(answer.error());
  } else {
    refusal = std::move(read.error());
  }
  const auto encoded = aws::encode_error(*operation->service, operation, aws::Protocol::query,
                                         refusal, exchange->request_id);
  co_return reply_of(encoded);
}

}  // namespace virga::apigatewayv2
