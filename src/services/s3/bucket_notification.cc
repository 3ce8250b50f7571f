#include "api/s3/get_bucket_notification_configuration.h"
#include "api/s3/put_bucket_notification_configuration.h"
#include "services/s3/configurations.h"
#include "services/s3/errors.h"
#include "services/s3/notifications.h"
#include "services/s3/service.h"

namespace virga::s3 {

// Source: S3 API Reference, PutBucketNotificationConfiguration: all or nothing; an empty
// configuration turns everything off.
Task<api::PutBucketNotificationConfigurationOutput> Service::put_bucket_notification_configuration(
    Ctx ctx, api::PutBucketNotificationConfigurationInput input) {
  const Bucket bucket = co_await bucket_named(input.bucket);
  api::NotificationConfiguration& configuration = input.notification_configuration;
  name_rules(configuration, env_.random.bytes(16));
  const NotificationRules rules = rules_of(configuration);
  co_await check_rules(rules, configuration);
  for (const NotificationRule& rule : rules) {
    if (rule.kind != NotificationRule::Kind::topic) continue;
    co_return fail(errors::make(
        "NotImplemented", 501,
        "NotImplemented: s3 notifications to SNS topics are not implemented by Virga."));
  }
  if (!input.skip_destination_validation.value_or(false))
    co_await notifications_.validate(ctx, bucket, rules);
  if (rules.empty() && !configuration.event_bridge_configuration) {
    co_await drop_config(ctx, input.bucket, config::kNotification);
  } else {
    co_await set_config(ctx, input.bucket, config::kNotification, encode_config(configuration));
  }
  co_return api::PutBucketNotificationConfigurationOutput{};
}

Task<api::GetBucketNotificationConfigurationOutput> Service::get_bucket_notification_configuration(
    Ctx ctx, api::GetBucketNotificationConfigurationInput input) {
  const auto bytes = co_await config_of(input.bucket, config::kNotification);
  api::GetBucketNotificationConfigurationOutput output;
  if (!bytes) co_return std::move(output);
  const auto configuration = co_await decode_config<api::NotificationConfiguration>(*bytes);
  output.topic_configurations = configuration.topic_configurations;
  output.queue_configurations = configuration.queue_configurations;
  output.lambda_function_configurations = configuration.lambda_function_configurations;
  output.event_bridge_configuration = configuration.event_bridge_configuration;
  co_return std::move(output);
}

}  // namespace virga::s3
