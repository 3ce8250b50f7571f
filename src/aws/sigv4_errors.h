#pragma once

#include <string_view>

#include "aws/sigv4.h"

// Texts and codes of refused signatures, per family. Inside of src/aws/sigv4*.
// Sources: AWS General Reference and IAM User Guide, "Common Errors" and "Troubleshoot Signature
// Version 4 signing"; S3 API Reference, "Error Responses"; answers of DynamoDB, STS and S3 as their
// clients' issue trackers quote them.
namespace virga::sigv4 {

struct MissingParts {
  bool algorithm = false;
  bool credential = false;
  bool signature = false;
  bool signed_headers = false;
  bool date = false;
  bool expires = false;
  bool any() const {
    return algorithm || credential || signature || signed_headers || date || expires;
  }
};

AwsError incomplete_header(ErrorFamily family, const MissingParts& missing,
                           std::string_view authorization);
AwsError incomplete_query(ErrorFamily family, const MissingParts& missing);
AwsError missing_equals(ErrorFamily family, std::string_view item, std::string_view authorization);
// S3 of a header that is neither version of signatures.
AwsError unsupported_scheme(std::string_view authorization);
AwsError unsupported_algorithm(ErrorFamily family, bool presigned, std::string_view algorithm);
AwsError malformed_credential(ErrorFamily family, bool presigned, std::string_view credential);
AwsError malformed_date(ErrorFamily family, bool presigned, std::string_view date);
AwsError bad_expiry(ErrorFamily family, std::string_view why);
AwsError both_signatures(ErrorFamily family);
AwsError wrong_scope(ErrorFamily family, bool presigned, std::string message);
AwsError wrong_region(ErrorFamily family, const Signature& signature, std::string_view expected);
// S3 of a credential scope without a region.
AwsError region_missing(bool presigned);
AwsError bad_payload_declaration();
// S3; `names` as the answer lists them: "x-amz-a, x-amz-b".
AwsError headers_not_signed(std::string_view names);
AwsError host_not_signed(ErrorFamily family);
AwsError signature_expired(ErrorFamily family, const Signature& signature, Timestamp now,
                           int64_t window_s);
AwsError not_yet_current(ErrorFamily family, const Signature& signature, Timestamp now,
                         int64_t window_s);
AwsError link_expired(ErrorFamily family, const Signature& signature, Timestamp now);
AwsError mismatch(ErrorFamily family, const Signature& signature,
                  std::string_view canonical_request, std::string_view string_to_sign);

}  // namespace virga::sigv4
