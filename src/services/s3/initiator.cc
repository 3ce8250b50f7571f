#include "services/s3/initiator.h"

#include "base/strings.h"

namespace virga::s3 {

api::Initiator to_api_initiator(const Owners& owners, const std::string& arn) {
  api::Initiator out;
  const auto parts = split(arn, ':');
  if (parts.size() == 6 && parts[5] == "root") {
    const Owner owner = owners.of_account(parts[4]);
    out.id = owner.canonical_id;
    if (!owner.display_name.empty()) out.display_name = owner.display_name;
    return out;
  }
  out.id = arn;
  out.display_name = arn.substr(arn.rfind('/') + 1);
  return out;
}

}  // namespace virga::s3
