#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "net/http_parser.h"

// AWS Signature Version 4: taking a request's signature apart, verifying it, and signing.
// Source: IAM User Guide, "Create a signed AWS API request"; S3 API Reference, "Authenticating
// Requests (AWS Signature Version 4)". Thread-safe; derived keys are cached per thread.
namespace virga::sigv4 {

// Whose error codes and statuses a refusal has.
enum class ErrorFamily {
  json,       // JSON 1.0 and 1.1, CBOR: …Exception, 400
  rest_json,  // …Exception, 403
  query,      // STS, IAM, SNS …: no suffix, 403
  s3,         // REST XML of S3
};

// A request's signature, taken apart but not believed yet. Views point into the request's head or,
// for decoded query parameters, into this object's own storage; moving it keeps them valid.
struct Signature {
  Signature() = default;
  Signature(Signature&&) = default;
  Signature& operator=(Signature&&) = default;

  bool presigned = false;  // by query parameters
  std::string_view access_key_id;
  std::string_view date;            // of the scope: YYYYMMDD
  std::string_view region;          // of the scope
  std::string_view service;         // of the scope, the signing name: "dynamodb", "execute-api"
  std::string_view scope;           // date/region/service/aws4_request
  std::string_view signed_headers;  // a;b;c
  std::string_view signature;       // 64 hex digits
  std::string_view amz_date;        // YYYYMMDDTHHMMSSZ, from X-Amz-Date, or made from Date
  std::string_view session_token;   // empty when none
  Timestamp signed_at;
  int64_t expires_s = 0;  // presigned: how long it is valid

  std::vector<std::vector<char>> storage;
};

// What the request says its body is: the last line of the canonical request.
struct PayloadDeclaration {
  enum class Kind {
    absent,            // no x-amz-content-sha256: the hash of the body counts
    hash,              // its hex SHA-256, to be compared with the body
    unsigned_payload,  // UNSIGNED-PAYLOAD
    streaming_signed,  // STREAMING-AWS4-HMAC-SHA256-PAYLOAD: aws-chunked with a signature per chunk
    streaming_signed_trailer,    // …-PAYLOAD-TRAILER
    streaming_unsigned_trailer,  // STREAMING-UNSIGNED-PAYLOAD-TRAILER
    unknown,                     // neither of these
  };
  Kind kind = Kind::absent;
  std::string_view text;
  // A declared form that is not the body's own hash.
  bool streaming() const {
    return kind == Kind::streaming_signed || kind == Kind::streaming_signed_trailer ||
           kind == Kind::streaming_unsigned_trailer;
  }
};
PayloadDeclaration declared_payload(const net::RequestHead& head);

// Takes the Authorization header or the X-Amz-* query parameters apart. nullopt: the request
// carries no signature (no AWS4 Authorization, no X-Amz-Algorithm). Errors: IncompleteSignature
// naming every missing part, InvalidSignature for a header and a query signature together;
// malformed credentials, dates, algorithms. All that holds in open mode too.
Result<std::optional<Signature>> parse(const net::RequestHead& head, ErrorFamily family);

// `Credential should be scoped to correct service: 'sts'.` : the scope's service, and its region
// unless `region` is empty.
Result<void> check_scope(const Signature& signature, std::string_view service,
                         std::string_view region, ErrorFamily family);

// The last line of the canonical request, when it can be told without the body; nullopt: it is the
// body's hex SHA-256. A hash that is only claimed is returned here and must be compared with the
// body before anything is committed.
Result<std::optional<std::string_view>> canonical_payload(const net::RequestHead& head,
                                                          const Signature& signature,
                                                          ErrorFamily family);

// Whether a link still works: it does for as long as its maker said.
Result<void> check_link(const Signature& signature, Timestamp now, ErrorFamily family);

// Whether the signature is of this time: 5 minutes either way (S3: 15), presigned ones until they
// expire.
Result<void> check_time(const Signature& signature, Timestamp now, ErrorFamily family);

// Recomputes the signature. `payload_hash` is the canonical request's last line: the hex SHA-256 of
// the body, or the text of declared_payload(). Error: SignatureDoesNotMatch with AWS's texts.
Result<void> verify(const net::RequestHead& head, const Signature& signature,
                    std::string_view secret_key, std::string_view payload_hash, ErrorFamily family);

// The key that signs string-to-sign texts of one scope; 32 bytes. Cached per thread.
std::string signing_key(std::string_view secret_key, std::string_view date, std::string_view region,
                        std::string_view service);

// The canonical request and string to sign of a request, as the two texts of the specification.
std::string canonical_request(const net::RequestHead& head, const Signature& signature,
                              std::string_view payload_hash);
std::string string_to_sign(const Signature& signature, std::string_view canonical_request);

// Refusals that the door decides on.
AwsError missing_token(ErrorFamily family);  // no signature where one is needed
AwsError invalid_token(
    ErrorFamily family);  // no such access key, or a session token that is not its own
AwsError expired_token(ErrorFamily family);     // temporary credentials past their time
AwsError payload_mismatch(ErrorFamily family);  // the body is not what x-amz-content-sha256 said

// --- Signing: for presigned links in answers, calls to other systems, and tests.

struct SigningCredentials {
  std::string access_key_id;
  std::string secret_key;
  std::string session_token;  // empty when none
};

// A request about to be sent. `path` and `query` are as they go on the wire, already encoded.
struct RequestToSign {
  std::string method = "GET";
  std::string path = "/";
  std::string query;
  std::vector<std::pair<std::string, std::string>> headers;  // with Host; all of them are signed
};

// Adds X-Amz-Date, X-Amz-Security-Token and Authorization to the request's headers; for S3 also
// x-amz-content-sha256.
void sign(RequestToSign& request, const SigningCredentials& credentials, std::string_view region,
          std::string_view service, std::string_view payload_hash, Timestamp now);

// Returns the query string of a presigned request (Host is signed, the payload is not for S3 and
// empty else).
std::string presigned_query(const RequestToSign& request, const SigningCredentials& credentials,
                            std::string_view region, std::string_view service, int64_t expires_s,
                            Timestamp now);

inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";
inline constexpr std::string_view kEmptyHash =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

}  // namespace virga::sigv4
