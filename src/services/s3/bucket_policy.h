#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "platform/policy.h"

// Bucket policies: what S3 asks of one beyond IAM's grammar, and whether one is public.
namespace virga::s3 {

// MalformedPolicy, in S3's words, unless the text may be the policy of this bucket.
// Source: S3 User Guide, "Policies and permissions in Amazon S3"; S3 API Reference,
// PutBucketPolicy; recorded answers.
Result<platform::PolicyRef> parse_bucket_policy(std::string_view text, std::string_view bucket,
                                                std::string_view partition);

// Lets somebody in who is not named: an Allow for everybody without a condition that ties it to
// fixed accounts, networks or resources. Source: S3 User Guide, "Blocking public access to your
// Amazon S3 storage", "The meaning of "public"".
bool is_public_policy(std::string_view text);

}  // namespace virga::s3
