#include "services/sts/sessions.h"

#include "base/hashing.h"
#include "base/strings.h"
#include "services/sts/errors.h"

namespace virga::sts {
namespace {

// STS API Reference, AssumeRole: a policy has at most 2,048 characters, ten managed policies, fifty
// tags.
constexpr size_t kPackedBytesMax = 4096;
constexpr size_t kPolicyArnsMax = 10;
constexpr size_t kTagsMax = 50;

}  // namespace

Result<std::optional<int32_t>> add_policies_and_tags(
    const std::optional<std::string>& policy,
    const Maybe<std::vector<api::PolicyDescriptorType>>& arns,
    const Maybe<std::vector<api::Tag>>& tags, platform::SessionRequest& request) {
  size_t bytes = 0;
  if (policy) {
    VIRGA_TRY(parsed, platform::PolicyDocument::parse(*policy, platform::PolicyKind::session));
    request.limited = true;
    request.policy_documents.push_back(*policy);
    bytes += policy->size();
  }
  if (arns) {
    if (arns->size() > kPolicyArnsMax)
      return fail(errors::validation("The number of policy ARNs exceeds the limit of 10."));
    for (const api::PolicyDescriptorType& p : *arns) {
      if (!p.arn) continue;
      request.limited = true;
      request.policy_arns.push_back(*p.arn);
      bytes += p.arn->size();
    }
  }
  if (tags) {
    if (tags->size() > kTagsMax)
      return fail(errors::validation("The number of session tags exceeds the limit of 50."));
    for (const api::Tag& t : *tags) {
      for (const auto& [key, value] : request.tags) {
        if (iequals(key, t.key)) {
          return fail(errors::validation(
              "Duplicate tag keys found. Please note that Tag keys are case insensitive."));
        }
      }
      request.tags.emplace_back(t.key, t.value);
      bytes += t.key.size() + t.value.size();
    }
  }
  if (bytes == 0) return std::optional<int32_t>();
  const auto percent = static_cast<int32_t>((bytes * 100 + kPackedBytesMax - 1) / kPackedBytesMax);
  if (percent > 100) return fail(errors::packed_policy_too_large(percent));
  return std::optional<int32_t>(percent);
}

platform::RoleInfo stand_in_role(const std::string& role_arn) {
  static constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const Sha256 digest = sha256(role_arn);
  platform::RoleInfo role;
  role.arn = role_arn;
  role.role_id = "AROA";
  for (size_t i = 0; i < 17; ++i) role.role_id += kAlphabet[digest[i] % kAlphabet.size()];
  role.max_session_seconds = 43200;
  return role;
}

api::Credentials to_credentials(const platform::Credential& credential) {
  api::Credentials out;
  out.access_key_id = credential.access_key_id;
  out.secret_access_key = credential.secret;
  out.session_token = credential.session_token;
  out.expiration = credential.expires_at->at;
  return out;
}

}  // namespace virga::sts
