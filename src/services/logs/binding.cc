#include "services/logs/binding.h"

#include "api/logs/binding.h"
#include "services/logs/service.h"

namespace virga::logs {

aws::ServiceBinding make_binding(Service& service) {
  return api::bind(service, {{"CreateLogGroup", "kmsKeyId is stored without effect"},
                             {"DescribeLogGroups", "storedBytes is 0; linked accounts and logGroupIdentifiers are not looked at"},
                             {"PutRetentionPolicy", "expired events are hidden, not deleted"},
                             {"FilterLogEvents", "patterns with regular expressions are refused"},
                             {"PutLogEvents", "entity is not kept"},
                             {"TagResource", "log groups only"}});
}

}  // namespace virga::logs
