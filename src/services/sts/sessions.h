#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/sts/shapes/credentials.h"
#include "api/sts/shapes/policy_descriptor_type.h"
#include "api/sts/shapes/tag.h"
#include "aws/box.h"
#include "base/error.h"
#include "platform/identity.h"

// What AssumeRole and GetFederationToken share: session policies and tags.
namespace virga::sts {

// Fills in the session's policies and tags and returns PackedPolicySize; nullopt when there are
// none. Errors: MalformedPolicyDocument, PackedPolicyTooLarge, ValidationError.
Result<std::optional<int32_t>> add_policies_and_tags(
    const std::optional<std::string>& policy,
    const Maybe<std::vector<api::PolicyDescriptorType>>& arns,
    const Maybe<std::vector<api::Tag>>& tags, platform::SessionRequest& request);
// Open mode: a role that is not there has an id all the same, always the same one, and the longest
// sessions.
platform::RoleInfo stand_in_role(const std::string& role_arn);
api::Credentials to_credentials(const platform::Credential& credential);

}  // namespace virga::sts
