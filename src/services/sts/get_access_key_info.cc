#include "api/sts/get_access_key_info.h"

#include <algorithm>

#include "services/sts/errors.h"
#include "services/sts/service.h"

namespace virga::sts {

// The account of a key, whether active or not. Temporary keys are known by the account in their id.
Task<api::GetAccessKeyInfoOutput> Service::get_access_key_info(Ctx ctx,
                                                               api::GetAccessKeyInfoInput input) {
  const std::string& id = input.access_key_id;
  const bool form = id.size() >= 16 && (id.starts_with("AKIA") || id.starts_with("ASIA"));
  if (!form) co_return fail(errors::validation("The access key ID " + id + " is not valid."));
  const auto account = co_await identity_.account_of_access_key(id);
  if (!account)
    co_return fail(errors::access_denied("The access key ID " + id + " cannot be found."));
  api::GetAccessKeyInfoOutput output;
  output.account = *account;
  co_return output;
}

}  // namespace virga::sts
