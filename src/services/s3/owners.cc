#include "services/s3/owners.h"

#include "base/strings.h"
#include "services/s3/bucket_name.h"

namespace virga::s3 {
namespace {

constexpr size_t kIdDigits = 64;
constexpr size_t kAccountDigits = 12;

bool is_account(std::string_view text) {
  return text.size() == kAccountDigits &&
         text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

Result<Owners> Owners::parse(const Document& accounts) {
  Owners out;
  if (!accounts.is_array()) return out;  // IAM's reader says what is wrong with it
  for (const Document& a : accounts.as_array()) {
    Owner owner{.account = std::string(a.string_or("id", "")),
                .canonical_id = std::string(a.string_or("canonical_id", "")),
                .display_name = std::string(a.string_or("display_name", "")),
                .email = std::string(a.string_or("email", ""))};
    if (owner.canonical_id.empty()) owner.canonical_id = canonical_user_id(owner.account);
    for (const auto& [account, other] : out.by_account_) {
      if (other.canonical_id == owner.canonical_id) {
        return fail("Usage", 400,
                    "configuration, accounts: " + account + " and " + owner.account +
                        " have the same canonical_id");
      }
    }
    out.by_account_[owner.account] = std::move(owner);
  }
  return out;
}

Owner Owners::of_account(std::string_view account) const {
  const auto found = by_account_.find(account);
  if (found != by_account_.end()) return found->second;
  Owner owner;
  owner.account = account;
  owner.canonical_id = canonical_user_id(account);
  return owner;
}

std::optional<Owner> Owners::find_canonical_id(std::string_view id) const {
  for (const auto& [account, owner] : by_account_) {
    if (owner.canonical_id == id) return owner;
  }
  if (id.size() != kIdDigits) return std::nullopt;
  const std::string_view account = id.substr(kIdDigits - kAccountDigits);
  if (!is_account(account) || canonical_user_id(account) != id) return std::nullopt;
  return of_account(account);
}

std::optional<Owner> Owners::find_email(std::string_view email) const {
  for (const auto& [account, owner] : by_account_) {
    if (!owner.email.empty() && iequals(owner.email, email)) return owner;
  }
  return std::nullopt;
}

}  // namespace virga::s3
