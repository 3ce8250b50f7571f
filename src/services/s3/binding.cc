#include "services/s3/binding.h"

#include "api/s3/binding.h"
#include "services/s3/service.h"

namespace virga::s3 {

aws::ServiceBinding make_binding(Service& service) {
  return api::bind(service, {});
}

}  // namespace virga::s3
