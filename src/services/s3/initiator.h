#pragma once

#include <string>

#include "api/s3/shapes/initiator.h"
#include "services/s3/owners.h"

namespace virga::s3 {

// Who began a multipart upload, by ARN: an account shows as its owner does, anybody else as an ARN
// and a name. Source: S3 API Reference, ListParts, "Initiator".
api::Initiator to_api_initiator(const Owners& owners, const std::string& arn);

}  // namespace virga::s3
