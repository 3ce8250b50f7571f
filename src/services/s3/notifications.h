#pragma once

#include <string>

#include "api/lambda/client.h"
#include "api/sqs/client.h"
#include "platform/durable_queue.h"
#include "platform/identity.h"
#include "services/s3/event_record.h"
#include "services/s3/notification_rules.h"
#include "services/s3/s3_store.h"

namespace virga::s3 {

// Tells functions and queues what happens to objects. An event is part of the transaction that
// makes it happen: the durable queue "s3-events" keeps one message for each destination until it
// has taken it, so none is lost, and one may come twice. Constructed by server/; enqueues and
// delivers on the shard's owner loop.
class Notifications {
 public:
  Notifications(storage::Shard& shard, platform::DurableTimers& timers, async::Env& env,
                aws::Door& door, platform::AuthMode mode);

  Result<void> start() { return queue_.start(); }
  Task<void> stop() { return queue_.stop(); }

  // Part of the caller's transaction.
  Result<void> publish(S3Transaction& s3, const RequestContext& request, const Bucket& bucket,
                       const ObjectEvent& event);

  // Whether every destination is there and lets this bucket in. InvalidArgument, "Unable to
  // validate the following destination configurations", if not. Queues get their test message.
  // Source: S3 API Reference, PutBucketNotificationConfiguration.
  Task<void> validate(Ctx ctx, Bucket bucket, NotificationRules rules);

 private:
  struct Destination;
  Task<platform::Delivery> deliver(platform::QueueMessage message);
  Task<void> send(Destination to, std::string payload);
  // The resource policy of a destination in strict mode lets S3 in.
  Task<void> permit(Destination to);
  aws::CallContext call_for(const Destination& to) const;

  async::Env& env_;
  lambda::api::Client functions_;
  sqs::api::Client queues_;
  platform::AuthMode mode_;
  platform::DurableQueue queue_;
};

}  // namespace virga::s3
