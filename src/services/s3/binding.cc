#include "services/s3/binding.h"

#include "api/s3/binding.h"
#include "services/s3/service.h"

namespace virga::s3 {

aws::ServiceBinding make_binding(Service& service) {
  return api::bind(
      service,
      {
          {"PutBucketNotificationConfiguration",
           "SNS topics are refused with NotImplemented; the EventBridge switch is kept without "
           "effect"},
          {"PutBucketAccelerateConfiguration", "kept without effect"},
          {"PutBucketAnalyticsConfiguration", "kept; analyses are not exported"},
          {"PutBucketIntelligentTieringConfiguration", "kept; nothing moves to archive tiers"},
          {"PutBucketInventoryConfiguration", "kept; reports are not written"},
          {"PutBucketLogging", "kept; access logs are not delivered"},
          {"PutBucketMetricsConfiguration", "kept; there are no metrics"},
          {"RestoreObject",
           "restorations are done at once; Type SELECT is refused with NotImplemented"},
          {"PutBucketVersioning", "MFA delete is refused with NotImplemented"},
      });
}

}  // namespace virga::s3
