#include "services/sqs/binding.h"

#include "api/sqs/binding.h"
#include "services/sqs/service.h"

namespace virga::sqs {

aws::ServiceBinding make_binding(Service& service) {
  return api::bind(service, {{"CreateQueue", "encryption settings are kept without effect"},
                             {"ReceiveMessage", "attempt ids do not survive a restart"}});
}

}  // namespace virga::sqs
