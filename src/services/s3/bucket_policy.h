#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "platform/policy.h"
#include "services/s3/owners.h"

// Bucket policies: what S3 asks of one beyond IAM's grammar, and whether one is public.
namespace virga::s3 {

// MalformedPolicy, in S3's words, unless the text may be the policy of this bucket.
// Source: S3 User Guide, "Policies and permissions in Amazon S3"; S3 API Reference,
// PutBucketPolicy; recorded answers.
Result<platform::PolicyRef> parse_bucket_policy(std::string_view text, std::string_view bucket,
                                                std::string_view partition);

// The policy as it is evaluated: accounts' ARNs in the place of canonical user ids. Ids that are no
// account's name nobody. Source: IAM User Guide, "AWS JSON policy elements: Principal".
std::string with_account_principals(std::string_view text, const Owners& owners);

// Lets somebody in who is not named: an Allow for everybody without a condition that ties it to
// fixed accounts, networks or resources. Source: S3 User Guide, "Blocking public access to your
// Amazon S3 storage", "The meaning of "public"".
bool is_public_policy(std::string_view text);

}  // namespace virga::s3
