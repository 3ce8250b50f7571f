#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace virga::s3 {

// "eu-west-1", "us-gov-east-1": where it is, words, a number. Source: the SDKs' list of partitions,
// `regionRegex`.
bool is_region_name(std::string_view text);

// A new bucket's place.
struct BucketPlace {
  std::string region;      // "eu-west-1"
  std::string constraint;  // what GetBucketLocation answers: "eu-west-1", "EU"; empty in us-east-1
};

// Where CreateBucket puts a bucket that is asked for in `region` (of the caller's signature) with
// this LocationConstraint. us-east-1 is the global endpoint: from there a bucket may be made
// anywhere; from any other region only there. Errors: InvalidLocationConstraint,
// IllegalLocationConstraintException. Source: S3 API Reference, CreateBucket, LocationConstraint;
// "Error responses".
Result<BucketPlace> place_bucket(std::string_view region,
                                 const std::optional<std::string>& constraint);

}  // namespace virga::s3
