#include "services/iam/accounts_config.h"

#include "aws/account_id.h"
#include "base/strings.h"

namespace virga::iam {
namespace {

std::unexpected<AwsError> refuse(std::string message) {
  return fail("Usage", 400, "configuration, accounts: " + std::move(message));
}

constexpr size_t kKeyIdMin =
    16;  // IAM API Reference, AccessKey, AccessKeyId: 16 to 128 letters and digits
constexpr size_t kKeyIdMax = 128;

bool is_key_id(std::string_view id) {
  if (id.size() < kKeyIdMin || id.size() > kKeyIdMax) return false;
  for (const char c : id) {
    const bool word =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    if (!word) return false;
  }
  return true;
}

Result<void> add_keys(const Document& owner, const BootstrapKey& base,
                      std::vector<BootstrapKey>& out) {
  const Document* keys = owner.find("access_keys");
  if (!keys) return {};
  if (!keys->is_array()) return refuse("access_keys is a list");
  for (const Document& k : keys->as_array()) {
    BootstrapKey key = base;
    key.access_key_id = std::string(k.string_or("id", ""));
    key.secret = std::string(k.string_or("secret", ""));
    if (!is_key_id(key.access_key_id))
      return refuse("an access key's id has 16 to 128 letters and digits, not \"" +
                    key.access_key_id + "\"");
    if (key.access_key_id.starts_with("ASIA"))
      return refuse("ids that begin with ASIA are for temporary keys: " + key.access_key_id);
    if (key.secret.empty()) return refuse("the access key " + key.access_key_id + " has no secret");
    out.push_back(std::move(key));
  }
  return {};
}

Result<void> add_user(const Document& user, const std::string& account,
                      std::vector<BootstrapKey>& out) {
  BootstrapKey base{.account = account,
                    .user = std::string(user.string_or("name", "")),
                    .access_key_id = "",
                    .secret = "",
                    .policy_arns = {}};
  if (base.user.empty()) return refuse("a user of account " + account + " has no name");
  if (const Document* policies = user.find("policies")) {
    if (!policies->is_array())
      return refuse("policies of user " + base.user + " is a list of ARNs");
    for (const Document& arn : policies->as_array()) {
      if (!arn.is_string() || !arn.as_string().starts_with("arn:"))
        return refuse("policies of user " + base.user + " is a list of ARNs");
      base.policy_arns.push_back(arn.as_string());
    }
  }
  return add_keys(user, base, out);
}

}  // namespace

Result<std::vector<BootstrapKey>> parse_accounts(const Document& accounts) {
  std::vector<BootstrapKey> out;
  if (accounts.is_null()) return out;
  if (!accounts.is_array()) return refuse("a list of objects with an id is expected");
  for (const Document& a : accounts.as_array()) {
    const std::string id(a.string_or("id", ""));
    if (!is_account_id(id))
      return refuse("an account's id has twelve digits, not \"" + id + "\"");
    VIRGA_TRY_VOID(add_keys(
        a, {.account = id, .user = "", .access_key_id = "", .secret = "", .policy_arns = {}}, out));
    const Document* users = a.find("users");
    if (!users) continue;
    if (!users->is_array()) return refuse("users of account " + id + " is a list");
    for (const Document& user : users->as_array()) VIRGA_TRY_VOID(add_user(user, id, out));
  }
  return out;
}

}  // namespace virga::iam
