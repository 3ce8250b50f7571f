#include "services/s3/binding.h"

#include "api/s3/binding.h"
#include "services/s3/service.h"

namespace virga::s3 {

aws::ServiceBinding make_binding(Service& service) {
  return api::bind(
      service,
      {
          {"DeleteObjects", "one key that the caller may not delete refuses the whole call"},
          {"PutBucketNotificationConfiguration",
           "SNS topics are refused with NotImplemented; the EventBridge switch is kept without "
           "effect"},
          {"PutBucketPolicy", "CanonicalUser principals match nobody"},
          {"PutBucketRequestPayment", "Requester is refused with NotImplemented"},
          {"PutBucketVersioning", "MFA delete is refused with NotImplemented"},
      });
}

}  // namespace virga::s3
