#pragma once

#include <vector>

#include "api/s3/shapes/tag.h"
#include "base/error.h"

namespace virga::s3 {

// InvalidTag, or BadRequest for more than 50. Source: S3 API Reference, PutBucketTagging; Billing
// User Guide, "User-defined tag restrictions".
Result<void> check_bucket_tags(const std::vector<api::Tag>& tags);

}  // namespace virga::s3
