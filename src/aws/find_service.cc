// Apart from operation.cc: a program that asks for services by name links all of them, others only
// what they use.
#include <algorithm>

#include "aws/operation.h"

namespace virga::aws {

const ServiceDesc* find_service(std::string_view name) {
  const auto all = all_services();
  const auto at =
      std::lower_bound(all.begin(), all.end(), name,
                       [](const ServiceDesc* s, std::string_view n) { return s->name < n; });
  return at != all.end() && (*at)->name == name ? *at : nullptr;
}

}  // namespace virga::aws
