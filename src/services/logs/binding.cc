#include "services/logs/binding.h"

#include "api/logs/binding.h"
#include "services/logs/service.h"

namespace virga::logs {

aws::ServiceBinding make_binding(Service& service) {
  return api::bind(
      service,
      {{"CreateLogGroup", "kmsKeyId is stored without effect"},
       {"DescribeLogGroups", "storedBytes is 0; linked accounts are not looked at"},
       {"PutRetentionPolicy", "expired events are hidden, not deleted"},
       {"PutMetricFilter",
        "metrics are not made; fieldSelectionCriteria and emitSystemFieldDimensions are not kept"},
       {"PutSubscriptionFilter",
        "Lambda functions only, whose existence is not checked; fieldSelectionCriteria and "
        "emitSystemFields are not kept"},
       {"PutResourcePolicy",
        "policyDocument is stored without effect; policies of single log groups are refused"},
       {"AssociateKmsKey", "kmsKeyId is stored without effect"},
       {"ListLogGroups",
        "linked accounts, dataSources, fieldIndexNames and logGroupTags are not looked at"},
       {"PutLogEvents", "entity is not kept"},
       {"StartQuery", "no pattern, diff, unnest, join, lookup nor parse with regular expressions"},
       {"TagResource", "log groups only"}});
}

}  // namespace virga::logs
