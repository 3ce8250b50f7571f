#include "services/s3/notifications.h"

#include "api/lambda/get_function_configuration.h"
#include "api/lambda/get_policy.h"
#include "api/lambda/invoke.h"
#include "api/sqs/get_queue_attributes.h"
#include "api/sqs/send_message.h"
#include "aws/account_id.h"
#include "base/json.h"
#include "base/log.h"
#include "base/strings.h"
#include "platform/policy.h"
#include "services/s3/configurations.h"
#include "services/s3/errors.h"

namespace virga::s3 {

using platform::Delivery;
using Kind = NotificationRule::Kind;

// Where one message goes, and for whom.
struct Notifications::Destination {
  Kind kind = Kind::function;
  std::string arn;
  std::string bucket_arn;
  std::string bucket_account;
  std::string region;  // of both
};

namespace {

constexpr std::string_view kQueueName = "s3-events";
constexpr std::string_view kPrincipal = "s3.amazonaws.com";
constexpr char kFormat = 1;
// S3 tries for about a day. Source: S3 User Guide, "Amazon S3 Event Notifications": "typically
// delivered in seconds but can sometimes take a minute or longer"; the retry window is ours.
constexpr int64_t kGiveUpAfterMs = 24LL * 3600 * 1000;
constexpr int64_t kRetryMinMs = 1000;
constexpr int64_t kRetryMaxMs = 300'000;

std::string_view account_in(std::string_view arn) {
  const auto parts = split(arn, ':');
  return parts.size() > 4 ? parts[4] : std::string_view();
}
std::string_view region_in(std::string_view arn) {
  const auto parts = split(arn, ':');
  return parts.size() > 3 ? parts[3] : std::string_view();
}

// Any host will do: the queue is named by the path.
std::string queue_url(std::string_view arn) {
  const auto parts = split(arn, ':');
  return "http://localhost/" + std::string(parts[4]) + "/" + std::string(parts[5]);
}

bool is_arn_of(std::string_view arn, std::string_view service) {
  const auto parts = split(arn, ':');
  return parts.size() >= 6 && parts[0] == "arn" && parts[2] == service && !parts[3].empty() &&
         is_account_id(parts[4]) && !parts[5].empty();
}

AwsError invalid_destination(const std::string& arn, std::string why) {
  return errors::invalid_argument("Unable to validate the following destination configurations",
                                  arn, std::move(why));
}

// Errors that another try cannot mend.
bool is_final(const AwsError& error) {
  return error.code == "ResourceNotFoundException" || error.code == "QueueDoesNotExist" ||
         error.code == "AccessDeniedException" || error.code == "AccessDenied" ||
         error.http_status == 501;
}

}  // namespace

Notifications::Notifications(storage::Shard& shard, platform::DurableTimers& timers,
                             async::Env& env, aws::Door& door, platform::AuthMode mode)
    : env_(env),
      functions_(door),
      queues_(door),
      mode_(mode),
      queue_(shard, timers, env, {.name = std::string(kQueueName)},
             [this](platform::QueueMessage message) { return deliver(std::move(message)); }) {}

Result<void> Notifications::publish(S3Transaction& s3, const RequestContext& request,
                                    const Bucket& bucket, const ObjectEvent& event) {
  VIRGA_TRY(stored, s3.config(bucket, config::kNotification));
  if (!stored) return {};
  VIRGA_TRY(configuration, decode_config<api::NotificationConfiguration>(*stored));
  ObjectEvent ordered = event;
  ordered.order = s3.txn().lsn();
  for (const NotificationRule& rule : rules_of(configuration)) {
    if (!rule.matches(event.name, event.key)) continue;
    std::string body(1, kFormat);
    append_json(body, Document::object()
                          .set("kind", static_cast<int>(rule.kind))
                          .set("arn", rule.arn)
                          .set("bucket", "arn:" + request.partition + ":s3:::" + bucket.name)
                          .set("account", bucket.owner)
                          .set("region", bucket.region)
                          .set("payload", event_message(request, bucket, rule.id, ordered)));
    queue_.enqueue(s3.txn(), body);
  }
  return {};
}

Task<Delivery> Notifications::deliver(platform::QueueMessage message) {
  const auto parsed = message.body.starts_with(kFormat)
                          ? parse_json(std::string_view(message.body).substr(1))
                          : Result<Document>(fail(internal_failure("format")));
  if (!parsed) {
    LOG_ERROR("s3_event_unreadable", kv("sequence", message.sequence));
    co_return Delivery::done_with();
  }
  Destination to;
  const Document* kind = parsed->find("kind");
  to.kind = kind && kind->is_int() ? static_cast<Kind>(kind->as_int()) : Kind::function;
  to.arn = parsed->string_or("arn", "");
  to.bucket_arn = parsed->string_or("bucket", "");
  to.bucket_account = parsed->string_or("account", "");
  to.region = parsed->string_or("region", "");
  auto sending = send(to, std::string(parsed->string_or("payload", "")));
  const Result<void> sent = co_await as_result(std::move(sending));
  if (sent) co_return Delivery::done_with();
  const int64_t age_ms = env_.cloud.now().at.millis() - message.enqueued.at.millis();
  if (is_final(sent.error()) || age_ms > kGiveUpAfterMs) {
    LOG_WARN("s3_event_dropped", kv("destination", to.arn), kv("code", sent.error().code),
             kv("message", sent.error().message));
    co_return Delivery::done_with();
  }
  LOG_INFO("s3_event_retry", kv("destination", to.arn), kv("attempt", message.attempts),
           kv("code", sent.error().code));
  co_return Delivery::retry_after(
      std::min(kRetryMaxMs, kRetryMinMs << std::min<uint32_t>(message.attempts, 9)));
}

aws::CallContext Notifications::call_for(const Destination& to) const {
  aws::CallContext call;
  call.principal.kind = Principal::Kind::service;
  call.principal.service = kPrincipal;
  call.account = account_in(to.arn);
  call.region = region_in(to.arn);
  call.source_arn = to.bucket_arn;
  call.source_account = to.bucket_account;
  return call;
}

Task<void> Notifications::send(Destination to, std::string payload) {
  co_await permit(to);
  if (to.kind == Kind::queue) {
    sqs::api::SendMessageInput input;
    input.queue_url = queue_url(to.arn);
    input.message_body = std::move(payload);
    const auto sent = co_await queues_.send_message(call_for(to), std::move(input));
    co_return ok();
  }
  lambda::api::InvokeInput input;
  input.function_name = to.arn;
  input.invocation_type = "Event";
  input.payload = std::move(payload);
  const auto accepted = co_await functions_.invoke(call_for(to), std::move(input));
  co_return ok();
}

Task<void> Notifications::permit(Destination to) {
  if (mode_ == platform::AuthMode::open) co_return ok();
  const AwsError denied{
      .code = "AccessDenied", .http_status = 403, .message = "S3 may not reach " + to.arn};
  std::string text;
  if (to.kind == Kind::queue) {
    sqs::api::GetQueueAttributesInput input;
    input.queue_url = queue_url(to.arn);
    input.attribute_names.emplace().push_back("Policy");
    const auto got = co_await queues_.get_queue_attributes(call_for(to), std::move(input));
    if (got.attributes && got.attributes->contains("Policy")) text = got.attributes->at("Policy");
  } else {
    lambda::api::GetPolicyInput input;
    input.function_name = to.arn;
    auto asking = functions_.get_policy(call_for(to), std::move(input));
    const auto got = co_await as_result(std::move(asking));
    if (got) text = got->policy.value_or("");
  }
  if (text.empty()) co_return fail(denied);
  const auto policy =
      co_await platform::PolicyDocument::parse(text, platform::PolicyKind::resource);
  platform::ConditionContext context;
  context.set("aws:SourceArn", to.bucket_arn);
  context.set("aws:SourceAccount", to.bucket_account);
  context.set("aws:SecureTransport", "true");
  const auto verdict = policy->evaluate(
      {.action = to.kind == Kind::queue ? "sqs:SendMessage" : "lambda:InvokeFunction",
       .resource = to.arn,
       .context = context,
       .caller = {.service = kPrincipal}});
  if (verdict.denied || !verdict.allowed()) co_return fail(denied);
  co_return ok();
}

Task<void> Notifications::validate(Ctx ctx, Bucket bucket, NotificationRules rules) {
  for (const NotificationRule& rule : rules) {
    const std::string_view service = rule.kind == Kind::function ? "lambda"
                                     : rule.kind == Kind::queue  ? "sqs"
                                                                 : "sns";
    if (!is_arn_of(rule.arn, service)) {
      co_return fail(errors::invalid_argument("The ARN is not well formed", "ARN", rule.arn));
    }
    if (region_in(rule.arn) != bucket.region) {
      co_return fail(
          errors::invalid_argument("The notification destination service region is not valid for "
                                   "the bucket location constraint",
                                   "NotificationDestination", rule.arn));
    }
    const Destination to{.kind = rule.kind,
                         .arn = rule.arn,
                         .bucket_arn = "arn:" + ctx->partition + ":s3:::" + bucket.name,
                         .bucket_account = bucket.owner,
                         .region = bucket.region};
    if (rule.kind == Kind::queue) {
      auto sending = send(to, test_message(*ctx, bucket.name));
      const Result<void> sent = co_await as_result(std::move(sending));
      if (sent) continue;
      const bool missing = sent.error().code == "QueueDoesNotExist";
      if (sent.error().http_status == 501) co_return fail(sent.error());
      co_return fail(invalid_destination(
          rule.arn, missing ? "The destination queue does not exist"
                            : "Permissions on the destination queue do not allow S3 to publish "
                              "notifications from this bucket"));
    }
    lambda::api::GetFunctionConfigurationInput input;
    input.function_name = rule.arn;
    auto asking = functions_.get_function_configuration(call_for(to), std::move(input));
    const auto there = co_await as_result(std::move(asking));
    if (!there)
      co_return fail(
          invalid_destination(rule.arn, "The destination Lambda function does not exist"));
    auto permitting = permit(to);
    const Result<void> permitted = co_await as_result(std::move(permitting));
    if (!permitted)
      co_return fail(
          invalid_destination(rule.arn, "Not authorized to invoke function [" + rule.arn + "]"));
  }
  co_return ok();
}

}  // namespace virga::s3
